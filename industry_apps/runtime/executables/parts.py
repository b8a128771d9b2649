"""What a PE and an ELF file have in common, once it is read: sections, names, and its faults.

A reader never follows an offset that it has not compared with the size of the file, and never
loops over more than a limit here allows. What does not fit is counted, not raised: a file that is
recognised is answered, and its faults are columns of their own.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = [
    "FAULTS",
    "MOST_FUNCTIONS",
    "MOST_LIBRARIES",
    "MOST_SECTIONS",
    "Executable",
    "Reader",
    "Section",
]

#: Section and program headers that are read of a file, each.
MOST_SECTIONS = 1_024
#: Libraries that are read of a file.
MOST_LIBRARIES = 512
#: Names of imported functions, and symbols, that are read of a file.
MOST_FUNCTIONS = 16_384
#: Bytes of a name that are read.
LONGEST_NAME = 256

#: Kind of a fault -> what is counted.
FAULTS: Mapping[str, str] = {
    "truncated": "Structures that the file ends before",
    "outside": "Offsets, addresses and sizes that lead out of the file",
    "overlapping": "Sections whose bytes are those of another one, too",
    "repeated": "Tables of imports that were read already",
    "beyond_limits": "Tables of which not all is read, being longer than a file may have",
    "odd_fields": "Fields of headers that hold what the format does not know",
}


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of a file that is loaded, or not, under a name.

    Parameters
    ----------
    name : str
        Up to its first zero byte; latin-1.
    offset, size : int
        Of its bytes in the file, as they are: never outside. Size is 0 where it has none.
    address, memory : int
        Where it is loaded, and how many bytes it takes there.
    writable, executable : bool
    """

    name: str
    offset: int
    size: int
    address: int
    memory: int
    writable: bool
    executable: bool


@dataclass(slots=True, kw_only=True)
class Executable:
    """What is read of one file.

    Parameters
    ----------
    form : {"elf", "pe"}
    machine : str
    bits : int
    big_endian, is_library : bool
    entry : int
        Address at which it begins; 0 for none.
    headers_end, end : int
        Where headers end, and where everything that they name does: behind it is the overlay.
    sections, segments : list of Section
        Those of a PE file are sections; segments are what the loader of ELF reads.
    libraries, functions : list of str
        That it imports by name; libraries in small letters.
    by_ordinal, exports : int
    own : dict of str to float
        Numbers that only files of this form have.
    faults : dict of str to int
    """

    form: str
    machine: str = "unknown"
    bits: int = 32
    big_endian: bool = False
    is_library: bool = False
    entry: int = 0
    headers_end: int = 0
    end: int = 0
    sections: list[Section] = field(default_factory=list)
    segments: list[Section] = field(default_factory=list)
    libraries: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    by_ordinal: int = 0
    exports: int = 0
    own: dict[str, float] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FAULTS, 0))

    @property
    def parts(self) -> list[Section]:
        """The sections, or the segments of a file that has no sections."""
        return self.sections or self.segments


class Reader:
    """Numbers and names of a file, at offsets that may be any number.

    Parameters
    ----------
    data : bytes
    faults : dict of str to int
        Counted up.
    """

    def __init__(self, data: bytes, faults: dict[str, int]) -> None:
        self.data, self.faults = data, faults

    def __len__(self) -> int:
        return len(self.data)

    def fault(self, kind: str) -> None:
        """Count a fault of a kind of :data:`FAULTS`."""
        self.faults[kind] += 1

    def unpack(self, form: str, offset: int) -> tuple[int, ...] | None:
        """Whole numbers at an offset; None, and a fault, where the file has no such bytes.

        Parameters
        ----------
        form : str
            As of :mod:`struct`, with its byte order.
        offset : int
        """
        size = len(self.data)
        if not 0 <= offset <= size:
            self.fault("outside")
            return None
        if offset + struct.calcsize(form) > size:
            self.fault("truncated")
            return None
        return struct.unpack_from(form, self.data, offset)

    def first(self, form: str, offset: int) -> tuple[int, ...] | None:
        """As :meth:`unpack`, of what every file has: it can only be cut off."""
        if offset > len(self.data):
            self.fault("truncated")
            return None
        return self.unpack(form, offset)

    def name(self, offset: int, end: int | None = None) -> str | None:
        """The text at an offset up to a zero byte, 256 bytes at most; None outside.

        Parameters
        ----------
        offset : int
        end : int, optional
            Where the table of names ends; by default the file.
        """
        end = len(self.data) if end is None else min(end, len(self.data))
        if not 0 <= offset < end:
            self.fault("outside")
            return None
        raw = self.data[offset : min(end, offset + LONGEST_NAME)]
        return raw.partition(b"\0")[0].decode("latin-1")

    def within(self, offset: int, size: int) -> tuple[int, int]:
        """The stretch of the file that an offset and a size name, less what lies outside.

        Parameters
        ----------
        offset, size : int
            Not negative.
        """
        if size == 0:
            return min(offset, len(self.data)), 0
        if offset >= len(self.data):
            self.fault("outside")
            return len(self.data), 0
        if offset + size > len(self.data):
            self.fault("outside")
        return offset, min(size, len(self.data) - offset)

    def limited(self, count: int, most: int) -> int:
        """A stated count, or what may be read of it.

        Parameters
        ----------
        count, most : int
        """
        if count > most:
            self.fault("beyond_limits")
        return min(count, most)


def count_overlaps(reader: Reader, sections: list[Section]) -> None:
    """Count each section whose bytes begin before those of an earlier one end.

    Parameters
    ----------
    reader : Reader
    sections : list of Section
    """
    reached = 0
    for offset, size in sorted((s.offset, s.size) for s in sections if s.size):
        if offset < reached:
            reader.fault("overlapping")
        reached = max(reached, offset + size)
