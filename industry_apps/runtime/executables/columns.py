"""What an executable file shows, as columns of a record: a table of numbers, never its bytes.

They are computed here, by the same functions in training and in service; a model file lists them
in its schema, the version of them among the columns, with itself as its only value: a table of
another version is refused by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from industry_apps.runtime.executables.contents import (
    ENTROPY_BINS,
    MARKS,
    Contents,
    entropy_of,
    hashed,
)
from industry_apps.runtime.executables.elf import ELF_NUMBERS, read_elf
from industry_apps.runtime.executables.parts import FAULTS, Executable, Section
from industry_apps.runtime.executables.pe import PE_NUMBERS, read_pe
from industry_apps.schema import Column, Schema

__all__ = ["FEATURES_VERSION", "FILE_COLUMNS", "columns_of"]

#: Version of the columns: another one where any of them would have another value.
FEATURES_VERSION = 1
_HASHED = 64
#: Names that compilers and linkers give to sections, or that theirs have before a second dot.
_USUAL = frozenset(
    """.text .data .rdata .bss .idata .edata .pdata .xdata .rsrc .reloc .tls .crt .didat .gfids
    .00cfg .buildid .init .fini .plt .got .rodata .interp .dynamic .dynsym .dynstr .hash .gnu
    .eh_frame .eh_frame_hdr .gcc_except_table .init_array .fini_array .preinit_array .ctors .dtors
    .jcr .tbss .tdata .comment .symtab .strtab .shstrtab .gnu_debuglink .gnu_debugaltlink .relr
    .lbss .lrodata .ldata .textbss .rodata1 .data1 .code code data bss .stab .stabstr .arm .sdata
    .sbss .debug .zdebug .note .rela .rel""".split()  # noqa: SIM905
)
_DEBUGGING = (".debug_", ".zdebug_")

_CONTENTS: Mapping[str, str] = {
    "size": "Bytes of the file",
    "entropy": "Bits a byte of the file",
    "printable_share": "Printable bytes of all",
    "zero_share": "Zero bytes of all",
    "strings": "Runs of five printable bytes and more",
    "string_length": "Mean length of these",
    "string_share": "Bytes in them of all",
    "string_entropy": "Bits a byte of them",
    "urls": "Beginnings of addresses of the web",
    "paths": "Beginnings of paths of files",
    "registry_keys": "Names of keys of the registry",
    "programs_inside": "Beginnings of further programs",
}
_STRUCTURE: Mapping[str, str] = {
    "bits": "32 or 64",
    "big_endian": "1 where the most significant byte is the first",
    "is_library": "1 where it is to be loaded by others",
    "header_share": "Bytes of the headers of all",
    "overlay_size": "Bytes behind everything that the headers name",
    "overlay_entropy": "Bits a byte of these",
    "sections": "Sections, or segments of a file that has none",
    "sections_without_bytes": "Of these, taking memory and no bytes of the file",
    "sections_executable": "Of these, with code",
    "sections_writable_code": "Of these, that may be written and executed",
    "sections_odd_names": "Of these, under names that no usual compiler gives",
    "sections_same_names": "Of these, under the name of another one",
    "section_entropy_highest": "Bits a byte of the section with most",
    "section_entropy_mean": "Bits a byte, mean of the sections with bytes",
    "code_entropy": "Bits a byte of the largest section with code",
    "code_share": "Bytes of sections with code of all",
    "high_entropy_share": "Bytes of sections of 7 bits a byte and more, of all",
    "memory_to_file": "Bytes in memory a byte of the file, of the section with most; 1 to 1024",
    "entry_section": "Place of the section it begins in, from 1; 0 for none",
    "entry_from_end": "Sections behind the one it begins in",
    "entry_writable": "1 where that section may be written",
    "entry_executable": "1 where that section has code",
    "entry_entropy": "Bits a byte of that section",
    "entry_place": "How far into that section, in [0, 1]",
    "libraries": "Libraries that it imports",
    "functions": "Functions that it imports by name",
    "functions_by_ordinal": "Functions that it imports by number",
    "exports": "Functions that it exports",
}
_PACKED_BITS = 7.0
_MOST_STRETCH = 1_024.0


def _number(name: str, told: str, **further: Any) -> Column:
    return Column(name, "number", told, low=0, nullable=False, **further)


#: The columns of a file that a model may see.
FILE_COLUMNS = Schema(
    (
        Column(
            "features_version",
            "number",
            "Of these columns: compute them anew where it is another one",
            low=FEATURES_VERSION,
            high=FEATURES_VERSION,
            nullable=False,
        ),
        Column("format", "category", "Of the file", categories=("elf", "pe"), nullable=False),
        Column("machine", "category", "That runs it; other, unknown", nullable=False),
        *(_number(name, told) for name, told in {**_CONTENTS, **_STRUCTURE}.items()),
        *(_number(name, f"{told}; 0 of ELF") for name, told in PE_NUMBERS.items()),
        *(_number(name, f"{told}; 0 of PE") for name, told in ELF_NUMBERS.items()),
        *(_number(f"faults_{name}", told) for name, told in FAULTS.items()),
        _number("byte_shares", "Share of each byte", high=1, size=256),
        _number(
            "entropy_shares",
            "Share of bytes by the entropy of their window (16) and their upper bits (16)",
            high=1,
            size=ENTROPY_BINS**2,
        ),
        _number("import_bins", "Imported names, counted in bins by a hash", size=_HASHED),
    )
)


def columns_of(data: bytes, form: str) -> dict[str, Any]:
    """The columns of one file.

    Parameters
    ----------
    data : bytes
        Not empty.
    form : {"elf", "pe"}
        As its first bytes say.

    Returns
    -------
    dict of str to float, str or ndarray
        As :data:`FILE_COLUMNS` has them; columns of the other format are 0.

    Examples
    --------
    >>> found = columns_of(b"MZ" + bytes(8), "pe")
    >>> found["size"], found["faults_truncated"], found["byte_shares"][0]
    (10.0, 1.0, np.float32(0.8))
    """
    contents = Contents(data)
    found = read_elf(data) if form == "elf" else read_pe(data)
    others = PE_NUMBERS if form == "elf" else ELF_NUMBERS
    windows = contents.byte_entropy
    return {
        "features_version": float(FEATURES_VERSION),
        "format": form,
        "machine": found.machine,
        **_of_contents(contents, len(data)),
        **_of_structure(found, contents, len(data)),
        **found.own,
        **dict.fromkeys(others, 0.0),
        **{f"faults_{name}": float(count) for name, count in found.faults.items()},
        "byte_shares": (contents.histogram / len(data)).astype(np.float32),
        "entropy_shares": (windows / windows.sum()).astype(np.float32).reshape(-1),
        "import_bins": hashed([*found.libraries, *found.functions], _HASHED),
    }


def _of_contents(contents: Contents, size: int) -> dict[str, float]:
    histogram, characters = contents.histogram, contents.characters
    marks = contents.marks()
    return {
        "size": float(size),
        "entropy": contents.entropy(0, size),
        "printable_share": float(histogram[0x20:0x7F].sum()) / size,
        "zero_share": float(histogram[0]) / size,
        "strings": float(contents.strings),
        "string_length": characters / contents.strings if contents.strings else 0.0,
        "string_share": characters / size,
        "string_entropy": entropy_of(contents.string_histogram),
        **{name: float(marks[name]) for name in MARKS},
    }


def _of_structure(found: Executable, contents: Contents, size: int) -> dict[str, float]:
    overlay = max(size - found.end, 0)
    return {
        "bits": float(found.bits),
        "big_endian": float(found.big_endian),
        "is_library": float(found.is_library),
        "header_share": min(found.headers_end, size) / size,
        "overlay_size": float(overlay),
        "overlay_entropy": contents.entropy(size - overlay, overlay),
        **_of_sections(found.parts, contents, size),
        **_of_entry(found, contents),
        "libraries": float(len(found.libraries)),
        "functions": float(len(found.functions)),
        "functions_by_ordinal": float(found.by_ordinal),
        "exports": float(found.exports),
    }


def _of_sections(parts: list[Section], contents: Contents, size: int) -> dict[str, float]:
    held = [part for part in parts if part.size]
    bits = [contents.entropy(part.offset, part.size) for part in held]
    code = [(p.size, b) for p, b in zip(held, bits, strict=True) if p.executable]
    packed = sum(p.size for p, b in zip(held, bits, strict=True) if b >= _PACKED_BITS)
    names = [part.name for part in parts if part.name]
    stretch = [part.memory / part.size for part in held]
    return {
        "sections": float(len(parts)),
        "sections_without_bytes": float(len(parts) - len(held)),
        "sections_executable": float(sum(part.executable for part in parts)),
        "sections_writable_code": float(sum(p.writable and p.executable for p in parts)),
        "sections_odd_names": float(sum(map(_is_odd, names))),
        "sections_same_names": float(len(names) - len(set(names))),
        "section_entropy_highest": max(bits, default=0.0),
        "section_entropy_mean": float(np.mean(bits)) if bits else 0.0,
        "code_entropy": max(code, default=(0, 0.0))[1],
        # Sections may overlap: no share is above 1.
        "code_share": min(sum(each[0] for each in code) / size, 1.0),
        "high_entropy_share": min(packed / size, 1.0),
        "memory_to_file": min(max([1.0, *stretch]), _MOST_STRETCH),
    }


def _of_entry(found: Executable, contents: Contents) -> dict[str, float]:
    names = [name for name in _STRUCTURE if name.startswith("entry_")]
    for place, part in enumerate(found.parts):
        inside = found.entry - part.address
        # Sections that are not loaded have no address.
        loaded = part.address or not found.sections
        if found.entry and loaded and 0 <= inside < max(part.memory, part.size):
            values = (
                place + 1,
                len(found.parts) - place - 1,
                part.writable,
                part.executable,
                contents.entropy(part.offset, part.size),
                inside / max(part.memory, part.size),
            )
            return {name: float(value) for name, value in zip(names, values, strict=True)}
    return dict.fromkeys(names, 0.0)


def _is_odd(name: str) -> bool:
    small = name.lower()
    start = small[: max(small.find(".", 1), 0)]  # as in ".rela.dyn"
    return not (small in _USUAL or start in _USUAL or small.startswith(_DEBUGGING))
