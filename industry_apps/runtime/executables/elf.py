"""A reader of ELF files: programs and libraries of Linux and others, of any width and order."""

from __future__ import annotations

import struct

import numpy as np

from industry_apps.runtime.executables.parts import (
    MOST_FUNCTIONS,
    MOST_LIBRARIES,
    MOST_SECTIONS,
    Executable,
    Reader,
    Section,
    count_overlaps,
)

__all__ = ["ELF_NUMBERS", "read_elf"]

#: Column -> what it says of an ELF file; 0 of others.
ELF_NUMBERS = {
    "elf_kind": "1 to be linked, 2 a program, 3 one that is loaded anywhere or a library, 4 a dump",
    "elf_segments": "Program headers",
    "elf_loaded_segments": "Segments that are loaded",
    "elf_writable_code": "Loaded segments that may be written and executed",
    "elf_interpreter": "1 where it names what loads it",
    "elf_dynamic": "1 where it is linked when it is loaded",
    "elf_stripped": "1 where it has no table of symbols",
    "elf_section_headers": "1 where it has section headers",
    "elf_executable_stack": "1 where it asks for a stack that may be executed",
    "elf_read_only_links": "1 where tables of links are made read-only once loaded",
    "elf_notes": "1 where it has notes",
    "elf_memory_to_file": "Bytes that are loaded a byte of the file",
}
_MACHINES = {
    2: "sparc",
    3: "x86",
    8: "mips",
    20: "powerpc",
    21: "powerpc",
    22: "s390",
    40: "arm",
    43: "sparc",
    62: "x86-64",
    183: "arm64",
    243: "riscv",
    247: "bpf",
    258: "loongarch",
}
_KINDS = (1, 2, 3, 4)
_LOAD, _DYNAMIC, _INTERPRETER, _NOTES = 1, 2, 3, 4
_STACK, _READ_ONLY_LINKS = 0x6474_E551, 0x6474_E552
_EXECUTE, _WRITE = 1, 2
_SYMBOLS, _NO_BYTES, _LINKED_SYMBOLS = 2, 8, 11
_SECTION_WRITE, _SECTION_EXECUTE = 1, 4
_NEEDED, _NAMES, _TABLE = 1, 5, 6
_ENTRIES = 4_096  # of the dynamic table
_MANY = 0xFFFF  # stands where 16 bits do not hold a count


class _Layout:
    """The byte order and width of a file, and where its fields stand."""

    def __init__(self, wide: bool, big: bool) -> None:
        self.wide, self.order = wide, ">" if big else "<"
        self.header = self.order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH")
        self.segment = self.order + ("IIQQQQQQ" if wide else "IIIIIIII")
        self.section = self.order + ("IIQQQQIIQQ" if wide else "IIIIIIIIII")
        self.entry = self.order + ("QQ" if wide else "II")
        word = f"{self.order}u4"
        names = ["name", "info", "other", "section", "value", "size"]
        wider = [word, "u1", "u1", f"{self.order}u2", f"{self.order}u8", f"{self.order}u8"]
        fields = list(zip(names, wider, strict=True))
        if not wide:
            byte, half = "u1", f"{self.order}u2"
            fields = [("name", word), ("value", word), ("size", word)]
            fields += [("info", byte), ("other", byte), ("section", half)]
        self.symbol = np.dtype(fields)


def read_elf(data: bytes) -> Executable:
    r"""Read headers, sections, segments, libraries and symbols; whatever the bytes, no error.

    Parameters
    ----------
    data : bytes
        That begin with the magic number of ELF.

    References
    ----------
    Tool Interface Standard, "Executable and linking format", version 1.2, 1995; System V
    application binary interface, https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html.

    Examples
    --------
    >>> read_elf(b"\x7fELF\x02\x01").faults["truncated"]
    1
    """
    found = Executable(form="elf")
    found.own = dict.fromkeys(ELF_NUMBERS, 0.0)
    reader = Reader(data, found.faults)
    width, order = (data[4:6] + b"\0\0")[:2]
    if width not in (1, 2) or order not in (1, 2):
        reader.fault("odd_fields")  # read as 32 bits, the least byte first
    found.bits, found.big_endian = 64 if width == 2 else 32, order == 2
    layout = _Layout(found.bits == 64, found.big_endian)
    header = reader.first(layout.header, 16)
    if header is None:
        found.end = found.headers_end = len(data)
        return found
    kind, machine, _, entry, segments_at, sections_at = header[:6]
    found.machine, found.entry = _MACHINES.get(machine, "other"), entry
    if machine not in _MACHINES or kind not in _KINDS:
        reader.fault("odd_fields")
    found.headers_end = min(16 + struct.calcsize(layout.header), len(data))
    segments = _segments(reader, found, layout, segments_at, header[8:10])
    sections = _sections(reader, found, layout, sections_at, header[10:13])
    count_overlaps(reader, found.sections)
    dynamic = _dynamic(reader, found, layout, segments)
    _symbols(reader, found, layout, sections, dynamic)
    loaded = [each for each in segments if each[0] == _LOAD]
    found.own |= {
        "elf_kind": float(kind if kind in _KINDS else 0),
        "elf_section_headers": float(bool(sections)),
        "elf_stripped": float(all(each[1] != _SYMBOLS for each in sections)),
        "elf_loaded_segments": float(len(loaded)),
        "elf_memory_to_file": min(sum(each[6] for each in loaded), 2**48) / len(data),
    }
    found.is_library = kind == 3 and not found.own["elf_interpreter"]
    stretches = found.sections + found.segments
    found.end = min(
        max([found.end, found.headers_end, *(s.offset + s.size for s in stretches)]), len(data)
    )
    return found


def _segments(
    reader: Reader, found: Executable, layout: _Layout, start: int, shape: tuple[int, ...]
) -> list[tuple[int, ...]]:
    """Program headers as (type, flags, offset, address, physical, size, memory, alignment)."""
    size, count = shape
    headers: list[tuple[int, ...]] = []
    least = struct.calcsize(layout.segment)
    if count and size < least:
        reader.fault("odd_fields")
    for number in range(reader.limited(count, MOST_SECTIONS) if start else 0):
        read = reader.unpack(layout.segment, start + number * max(size, least))
        if read is None:
            break
        if not layout.wide:  # the same fields, flags last but one
            flags, *places = read[6], *read[1:6], read[7]
            read = (read[0], flags, *places)
        headers.append(read)
        if read[0] == _LOAD:
            begin, held = reader.within(read[2], read[5])
            execute, write = bool(read[1] & _EXECUTE), bool(read[1] & _WRITE)
            found.segments.append(Section("", begin, held, read[3], read[6], write, execute))
    end = start + len(headers) * max(size, least)
    found.headers_end = min(max(found.headers_end, end if headers else 0), len(reader))
    kinds = {each[0] for each in headers}
    stacks = [each[1] for each in headers if each[0] == _STACK]
    found.own |= {
        "elf_segments": float(len(headers)),
        "elf_writable_code": float(sum(s.writable and s.executable for s in found.segments)),
        "elf_interpreter": float(_INTERPRETER in kinds),
        "elf_dynamic": float(_DYNAMIC in kinds),
        "elf_notes": float(_NOTES in kinds),
        "elf_read_only_links": float(_READ_ONLY_LINKS in kinds),
        "elf_executable_stack": float(any(each & _EXECUTE for each in stacks)),
    }
    return headers


def _sections(
    reader: Reader, found: Executable, layout: _Layout, start: int, shape: tuple[int, ...]
) -> list[tuple[int, ...]]:
    """Section headers as they stand: name, type, flags, address, offset, size, link, ..."""
    size, count, names_in = shape
    headers: list[tuple[int, ...]] = []
    least = struct.calcsize(layout.section)
    if not start:
        return []
    first = reader.unpack(layout.section, start)
    if first is None:
        return []
    if size < least:
        reader.fault("odd_fields")
    count = first[5] if count == 0 else count  # where 16 bits do not hold it
    names_in = first[6] if names_in == _MANY else names_in
    for number in range(reader.limited(count, MOST_SECTIONS)):
        read = reader.unpack(layout.section, start + number * max(size, least))
        if read is None:
            break
        headers.append(read)
    names = headers[names_in] if names_in < len(headers) else None
    for header in headers[1:]:  # the first is none
        begin, length = 0, 0
        if header[1] != _NO_BYTES:
            begin, length = reader.within(header[4], header[5])
        name = None if names is None else reader.name(names[4] + header[0], names[4] + names[5])
        write, execute = header[2] & _SECTION_WRITE, header[2] & _SECTION_EXECUTE
        found.sections.append(
            Section(name or "", begin, length, header[3], header[5], bool(write), bool(execute))
        )
    end = start + len(headers) * max(size, least)
    found.end = min(max(found.end, end), len(reader))
    return headers


def _offset_of(found: Executable, address: int) -> int | None:
    for segment in found.segments:  # at most MOST_SECTIONS, asked for a few addresses
        if 0 <= address - segment.address < segment.size:
            return segment.offset + address - segment.address
    return None


def _dynamic(
    reader: Reader, found: Executable, layout: _Layout, segments: list[tuple[int, ...]]
) -> dict[int, int]:
    """The dynamic table: tag -> value; the libraries that it names are kept."""
    told: dict[int, int] = {}
    needed: list[int] = []
    where = next(((each[2], each[5]) for each in segments if each[0] == _DYNAMIC), (0, 0))
    step = struct.calcsize(layout.entry)
    for number in range(reader.limited(where[1] // step, _ENTRIES)):
        entry = reader.unpack(layout.entry, where[0] + number * step)
        if entry is None or entry[0] == 0:
            break
        if entry[0] == _NEEDED:
            needed.append(entry[1])
        told.setdefault(entry[0], entry[1])
    names = _offset_of(found, told[_NAMES]) if _NAMES in told else None
    if needed and names is None:
        reader.fault("outside")
        return told
    for place in needed[: reader.limited(len(needed), MOST_LIBRARIES)]:
        name = reader.name((names or 0) + place)
        if name is not None:
            found.libraries.append(name.lower())
    return told


def _symbols(
    reader: Reader,
    found: Executable,
    layout: _Layout,
    sections: list[tuple[int, ...]],
    dynamic: dict[int, int],
) -> None:
    """Names that are linked when it is loaded: those it asks for, and how many it offers."""
    table = next((each for each in sections if each[1] == _LINKED_SYMBOLS), None)
    if table is not None and table[6] < len(sections):
        names, begin, size = sections[table[6]][4], table[4], table[5]
    elif _TABLE in dynamic and _NAMES in dynamic:
        # Without section headers: linkers write the names right behind the symbols.
        at, text = _offset_of(found, dynamic[_TABLE]), _offset_of(found, dynamic[_NAMES])
        if at is None or text is None or text < at:
            reader.fault("outside")
            return
        names, begin, size = text, at, text - at
    else:
        return
    begin, size = reader.within(begin, size)
    step = layout.symbol.itemsize
    count = reader.limited(size // step, MOST_FUNCTIONS)
    rows = np.frombuffer(reader.data, layout.symbol, count, begin) if count else None
    for symbol in [] if rows is None else rows[1:]:  # the first is none
        if symbol["section"]:
            found.exports += int(symbol["info"]) >> 4 in (1, 2)  # global or weak
        elif symbol["name"]:
            name = reader.name(names + int(symbol["name"]))
            if name is not None:
                found.functions.append(name)
