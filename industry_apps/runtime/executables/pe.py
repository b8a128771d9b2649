"""A reader of PE files: programs, libraries and drivers of Windows, 32 and 64 bits."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from industry_apps.runtime.executables.parts import (
    MOST_FUNCTIONS,
    MOST_LIBRARIES,
    MOST_SECTIONS,
    Executable,
    Reader,
    Section,
    count_overlaps,
)

__all__ = ["PE_NUMBERS", "is_pe", "read_pe"]

#: Column -> what it says of a PE file; 0 of others.
PE_NUMBERS = {
    "pe_subsystem": "What runs it: 1 none, 2 windows, 3 a console, 10 and more firmware",
    "pe_linker": "Version of the linker, major",
    "pe_timestamp": "1 where the header says when it was built",
    "pe_checksum": "1 where the header has a checksum",
    "pe_random_base": "1 where it may be loaded anywhere",
    "pe_no_execution": "1 where data may not be executed",
    "pe_relocations": "1 where it has a table of relocations",
    "pe_resources": "Bytes of its resources",
    "pe_signature": "Bytes of its signature, which is not verified here",
    "pe_debug": "1 where it names debugging data",
    "pe_thread_storage": "1 where code may run before the entry point (TLS)",
    "pe_managed": "1 where it is of .NET",
    "pe_late_imports": "1 where it loads libraries when it first needs them",
    "pe_image_to_file": "Bytes in memory a byte of the file",
}
_MACHINES = {
    0x14C: "x86",
    0x8664: "x86-64",
    0x1C0: "arm",
    0x1C4: "arm",
    0xAA64: "arm64",
    0x200: "ia64",
    0xEBC: "efi",
    0x5032: "riscv",
    0x5064: "riscv",
}
_HEADER, _SECTION = 24, 40
_MOST_DIRECTORIES = 16
_EXPORTS, _IMPORTS, _RESOURCES, _SIGNATURE, _RELOCATIONS, _DEBUG = 0, 1, 2, 4, 5, 6
_THREADS, _LATE, _MANAGED = 9, 13, 14
_LIBRARY = 0x2000
_EXECUTABLE, _WRITABLE, _CODE = 0x2000_0000, 0x8000_0000, 0x20
_MOST_EXPORTS = 65_536  # ordinals have 16 bits


def is_pe(data: bytes) -> bool | None:
    """Whether bytes that begin with "MZ" are a PE file.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    bool or None
        None where the file ends before it says so: it is read as a PE file that is truncated.
    """
    if len(data) < 64:
        return None
    place = int.from_bytes(data[60:64], "little")
    found = data[place : place + 4]
    return None if len(found) < 4 else found == b"PE\0\0"


def read_pe(data: bytes) -> Executable:
    """Read headers, sections, imports and exports; whatever the bytes, no error.

    Parameters
    ----------
    data : bytes
        That begin with "MZ".

    References
    ----------
    Microsoft, "PE format", https://learn.microsoft.com/windows/win32/debug/pe-format.

    Examples
    --------
    >>> read_pe(b"MZ").faults["truncated"]
    1
    """
    found = Executable(form="pe")
    found.own = dict.fromkeys(PE_NUMBERS, 0.0)
    reader = Reader(data, found.faults)
    place = reader.first("<I", 60)
    header = None if place is None else reader.unpack("<4sHHIIIHH", place[0])
    if place is None or header is None:
        found.end = found.headers_end = len(data)
        return found
    _, machine, sections, stamp, _, _, optional, kinds = header
    found.machine = _MACHINES.get(machine, "other")
    found.is_library = bool(kinds & _LIBRARY)
    found.own["pe_timestamp"] = float(stamp != 0)
    if machine not in _MACHINES:
        reader.fault("odd_fields")
    start = place[0] + _HEADER
    directories, image, base = _optional(reader, found, start, optional)
    _sections(reader, found, start + optional, sections)
    count_overlaps(reader, found.sections)
    addresses = _Addresses(found)
    _directories(reader, found, directories)
    _exports(reader, found, addresses, directories)
    _imports(reader, found, addresses, directories, base)
    ends = [s.offset + s.size for s in found.sections]
    found.end = min(max([found.headers_end, *ends]), len(data))
    found.own["pe_image_to_file"] = image / len(data)
    return found


def _optional(
    reader: Reader, found: Executable, start: int, size: int
) -> tuple[list[tuple[int, int]], int, int]:
    """The header behind the first: directories (address, size), image size and its base."""
    found.headers_end = min(start + size, len(reader))
    magic = reader.unpack("<HBB", start)
    if magic is None:
        return [], 0, 0
    wide = magic[0] == 0x20B
    if magic[0] not in (0x10B, 0x20B):
        reader.fault("odd_fields")
    found.bits = 64 if wide else 32
    common = reader.unpack("<IIIHH", start + 56)
    entry = reader.unpack("<I", start + 16)
    base = reader.unpack("<Q" if wide else "<I", start + (24 if wide else 28))
    if common is None or entry is None or base is None:
        return [], 0, 0
    found.entry = entry[0]
    image, headers, checksum, subsystem, switches = common
    found.headers_end = min(max(found.headers_end, headers), len(reader))
    if headers > len(reader):
        reader.fault("outside")
    found.own |= {
        "pe_linker": float(magic[1]),
        "pe_subsystem": float(subsystem),
        "pe_checksum": float(checksum != 0),
        "pe_random_base": float(bool(switches & 0x40)),
        "pe_no_execution": float(bool(switches & 0x100)),
    }
    return _stated(reader, start + (108 if wide else 92), start + size), image, base[0]


def _stated(reader: Reader, start: int, end: int) -> list[tuple[int, int]]:
    """The directories [address, size] that the header holds, from their count on."""
    count = reader.unpack("<I", start)
    if count is None:
        return []
    if count[0] > _MOST_DIRECTORIES:
        reader.fault("odd_fields")
    number = min(count[0], _MOST_DIRECTORIES, max(0, end - start - 4) // 8)
    if number < min(count[0], _MOST_DIRECTORIES):
        reader.fault("truncated")
    pairs = [reader.unpack("<II", start + 4 + 8 * each) for each in range(number)]
    return [(pair[0], pair[1]) for pair in pairs if pair is not None]


def _sections(reader: Reader, found: Executable, start: int, count: int) -> None:
    for number in range(reader.limited(count, MOST_SECTIONS)):
        at = start + _SECTION * number
        read = reader.unpack("<IIIIIIHHI", at + 8)
        if read is None:
            break
        memory, address, size, offset, _, _, _, _, kinds = read
        begin, length = reader.within(offset, size)
        found.sections.append(
            Section(
                name=reader.data[at : at + 8].partition(b"\0")[0].decode("latin-1"),
                offset=begin,
                size=length,
                address=address,
                memory=memory or size,
                writable=bool(kinds & _WRITABLE),
                executable=bool(kinds & (_EXECUTABLE | _CODE)),
            )
        )
        found.headers_end = max(found.headers_end, min(at + _SECTION, len(reader)))


class _Addresses:
    """Addresses in memory -> offsets in the file, by bisection."""

    def __init__(self, found: Executable) -> None:
        self._headers = found.headers_end
        self._sections = sorted(found.sections, key=lambda section: section.address)
        self._starts = [section.address for section in self._sections]

    def offset(self, address: int) -> int | None:
        """Where in the file an address lies; None where no section has its byte."""
        place = bisect_right(self._starts, address) - 1
        if place >= 0:
            section = self._sections[place]
            if address - section.address < section.size:
                return section.offset + address - section.address
        return address if address < self._headers else None

    def name(self, reader: Reader, address: int) -> str | None:
        """The text at an address; None, and a fault, where the file has none."""
        offset = self.offset(address)
        return reader.name(len(reader) if offset is None else offset)


def _directories(reader: Reader, found: Executable, stated: list[tuple[int, int]]) -> None:
    """Which directories there are, and how large some of them say they are."""
    sizes = {place: pair[1] for place, pair in enumerate(stated) if pair[0] and pair[1]}
    most = len(reader)
    found.own |= {
        "pe_resources": float(min(sizes.get(_RESOURCES, 0), most)),
        "pe_signature": float(min(sizes.get(_SIGNATURE, 0), most)),
        "pe_relocations": float(_RELOCATIONS in sizes),
        "pe_debug": float(_DEBUG in sizes),
        "pe_thread_storage": float(_THREADS in sizes),
        "pe_managed": float(_MANAGED in sizes),
        "pe_late_imports": float(_LATE in sizes),
    }
    if _SIGNATURE in sizes:  # the one directory whose address is an offset
        reader.within(*stated[_SIGNATURE])


def _place(
    reader: Reader, addresses: _Addresses, stated: list[tuple[int, int]], number: int
) -> int | None:
    """The offset of a directory that there is."""
    if number >= len(stated) or not stated[number][0]:
        return None
    offset = addresses.offset(stated[number][0])
    if offset is None:
        reader.fault("outside")
    return offset


def _exports(
    reader: Reader, found: Executable, addresses: _Addresses, stated: list[tuple[int, int]]
) -> None:
    offset = _place(reader, addresses, stated, _EXPORTS)
    counts = None if offset is None else reader.unpack("<II", offset + 20)
    if counts is not None:
        found.exports = reader.limited(counts[0], _MOST_EXPORTS)


def _imports(
    reader: Reader,
    found: Executable,
    addresses: _Addresses,
    stated: list[tuple[int, int]],
    base: int,
) -> None:
    """Libraries and functions of both tables; a table of functions is read once."""
    seen: set[int] = set()
    for count, (name, thunks) in enumerate(_descriptors(reader, addresses, stated, base)):
        if count >= MOST_LIBRARIES:
            reader.fault("beyond_limits")
            return
        library = addresses.name(reader, name)
        if library is not None:
            found.libraries.append(library.lower())
        if thunks in seen:
            reader.fault("repeated")
            continue
        seen.add(thunks)
        if not _functions(reader, found, addresses, thunks):
            reader.fault("beyond_limits")
            return


def _descriptors(
    reader: Reader, addresses: _Addresses, stated: list[tuple[int, int]], base: int
) -> Iterator[tuple[int, int]]:
    """Addresses of the name of each library and of its table of functions."""
    offset = _place(reader, addresses, stated, _IMPORTS)
    while offset is not None:
        read = reader.unpack("<IIIII", offset)
        if read is None or not (read[3] or read[4]):
            break
        yield read[3], read[0] or read[4]
        offset += 20
    offset = _place(reader, addresses, stated, _LATE)
    while offset is not None:
        read = reader.unpack("<IIIIIIII", offset)
        if read is None or not read[1]:
            break
        shift = 0 if read[0] & 1 else base  # old linkers wrote where it is loaded
        yield max(read[1] - shift, 0), max(read[4] - shift, 0)
        offset += 32


def _functions(reader: Reader, found: Executable, addresses: _Addresses, thunks: int) -> bool:
    """Read the functions of one library; False where there are more than a file may have."""
    wide = found.bits == 64
    form, width, ordinal = ("<Q", 8, 1 << 63) if wide else ("<I", 4, 1 << 31)
    offset = addresses.offset(thunks)
    if offset is None:
        reader.fault("outside")
        return True
    while (read := reader.unpack(form, offset)) is not None and read[0]:
        if len(found.functions) + found.by_ordinal >= MOST_FUNCTIONS:
            return False
        offset += width
        if read[0] & ordinal:
            found.by_ordinal += 1
            continue
        name = addresses.name(reader, read[0] + 2)  # behind a hint
        if name is None:  # what follows is no better
            return True
        found.functions.append(name)
    return True
