"""Small PE and ELF files, written from the sections that they are to hold.

They follow the formats, have no code that does anything, and are never run: what a reader of
executables is tried on.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Contents", "Piece", "elf_file", "pe_file"]

_PAGE, _FILE_STEP = 0x1000, 0x200


@dataclass(frozen=True, slots=True)
class Piece:
    """A section to be written.

    Parameters
    ----------
    name : str
        In ASCII, up to 8 characters for PE.
    data : bytes
    memory : int
        Bytes in memory, where they are more than those of the file.
    writable, executable : bool
    """

    name: str
    data: bytes
    memory: int = 0
    writable: bool = False
    executable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a file is made of.

    Parameters
    ----------
    pieces : tuple of Piece
    entry : int
        Place of the piece that it begins in.
    imports : mapping of str to tuple of str
        Library -> functions.
    bits : {32, 64}
    big_endian : bool
        Of ELF files.
    stripped : bool
        Without a table of symbols; of ELF files.
    overlay : bytes
        Behind everything else.
    """

    pieces: tuple[Piece, ...]
    entry: int = 0
    imports: Mapping[str, Sequence[str]]
    bits: int = 64
    big_endian: bool = False
    stripped: bool = True
    overlay: bytes = b""


def pe_file(contents: Contents) -> bytes:
    r"""Write a program of Windows.

    Parameters
    ----------
    contents : Contents

    Examples
    --------
    >>> code = Piece(".text", b"\xc3" * 64, executable=True)
    >>> pe_file(Contents(pieces=(code,), imports={"kernel32.dll": ("ExitProcess",)}))[:2]
    b'MZ'
    """
    wide = contents.bits == 64
    addresses, address = [], _PAGE
    for piece in contents.pieces:
        addresses.append(address)
        address += _up(max(len(piece.data), piece.memory, 1), _PAGE)
    table = _import_table(contents.imports, address, wide)
    pieces = [*contents.pieces, Piece(".idata", table, writable=True)]
    addresses.append(address)
    image = address + _up(len(table), _PAGE)
    optional = 240 if wide else 224
    headers = _up(0x80 + 24 + optional + 40 * len(pieces), _FILE_STEP)
    rows, bodies, offset = [], [], headers
    for piece, at in zip(pieces, addresses, strict=True):
        size = _up(len(piece.data), _FILE_STEP)
        kinds = 0x4000_0000 | (0x6000_0020 if piece.executable else 0x40)
        kinds |= 0x8000_0000 if piece.writable else 0
        memory = max(piece.memory, len(piece.data))
        name = piece.name.encode()[:8]
        place = offset if size else 0
        rows.append(struct.pack("<8sIIIIIIHHI", name, memory, at, size, place, 0, 0, 0, 0, kinds))
        bodies.append(piece.data.ljust(size, b"\0"))
        offset += size
    machine, kind = (0x8664, 0x22) if wide else (0x14C, 0x102)
    first = struct.pack("<4sHHIIIHH", b"PE\0\0", machine, len(pieces), 1, 0, 0, optional, kind)
    directories = bytearray(16 * 8)
    struct.pack_into("<II", directories, 8, address, len(table))
    head = struct.pack("<HBBIIIII", 0x20B if wide else 0x10B, 14, 0, 0, 0, 0,
                       addresses[contents.entry] + 16, _PAGE)  # fmt: skip
    head += struct.pack("<Q", 0x1_4000_0000) if wide else struct.pack("<II", 0, 0x40_0000)
    head += struct.pack("<IIHHHHHHIIIIHH", _PAGE, _FILE_STEP, 6, 0, 0, 0, 6, 0, 0, image,
                        headers, 0, 3, 0x8140)  # fmt: skip
    head += struct.pack("<QQQQ" if wide else "<IIII", 2**20, _PAGE, 2**20, _PAGE)
    head += struct.pack("<II", 0, 16) + directories
    start = b"MZ".ljust(60, b"\0") + struct.pack("<I", 0x80)
    start = (start + b"This program cannot be run in DOS mode.").ljust(0x80, b"\0")
    return (start + first + head + b"".join(rows)).ljust(headers, b"\0") + b"".join(
        [*bodies, contents.overlay]
    )


def elf_file(contents: Contents) -> bytes:
    """Write a program of Linux.

    Parameters
    ----------
    contents : Contents

    Examples
    --------
    >>> code = Piece(".text", bytes(64), executable=True)
    >>> elf_file(Contents(pieces=(code,), imports={"libc.so.6": ("exit",)}))[1:4]
    b'ELF'
    """
    return _Elf(contents).written()


class _Elf:
    """A file of ELF in the making: headers, pieces, what is linked, section headers."""

    def __init__(self, contents: Contents) -> None:
        self.contents, self.wide = contents, contents.bits == 64
        self.order = ">" if contents.big_endian else "<"
        self.segments = 2 + len(contents.pieces) + 2
        self.start = 64 + 56 * self.segments if self.wide else 52 + 32 * self.segments
        self.base = 0x40_0000
        self.body = bytearray()
        self.headers: list[tuple[int, ...]] = [(0,) * 10]
        self.names = bytearray(b"\0")

    def written(self) -> bytes:
        """The whole file."""
        contents = self.contents
        parts = [self._add(p.name, p.data, 1 if p.data else 8, _flags(p), p.memory)
                 for p in contents.pieces]  # fmt: skip
        interpreter = self._add(".interp", b"/lib/ld.so\0", 1, 2)
        linked, size = self._linked()
        if not contents.stripped:
            self._add(".symtab", bytes(self.symbol_size), 2, 0, link=len(self.headers) - 2)
        self._add(".shstrtab", bytes(self.names) + b".shstrtab\0", 3, 0)
        segments = [self._segment(3, 4, *interpreter), self._segment(2, 6, linked, size, size)]
        # All of the headers, then each piece with what it may.
        for piece, (offset, held, memory) in zip(contents.pieces, parts, strict=True):
            may = 4 | 2 * piece.writable | piece.executable
            segments.append(self._segment(1, may, offset, held, memory))
        end = self.start + len(self.body)
        segments.append(self._segment(1, 6, interpreter[0], end - interpreter[0], 0))
        segments.append(self._segment(0x6474_E551, 6, 0, 0, 0))
        rows = b"".join(self._row(header) for header in self.headers)
        entry = self.base + parts[contents.entry][0] + 16
        form = "HHIQQQIHHHHHH" if self.wide else "HHIIIIIHHHHHH"
        machine = (62 if self.wide else 3) if not contents.big_endian else (21 if self.wide else 20)
        sizes = (64, 56, self.segments, 64) if self.wide else (52, 32, self.segments, 40)
        head = struct.pack(
            self.order + form, 2, machine, 1, entry, sizes[0], end, 0, *sizes,
            len(self.headers), len(self.headers) - 1,
        )  # fmt: skip
        magic = bytes((0x7F, 69, 76, 70, 2 if self.wide else 1, 2 if contents.big_endian else 1, 1))
        return b"".join(
            [magic.ljust(16, b"\0"), head, *segments, bytes(self.body), rows, contents.overlay]
        )

    @property
    def symbol_size(self) -> int:
        """Bytes of a symbol."""
        return 24 if self.wide else 16

    def _add(
        self, name: str, data: bytes, kind: int, flags: int, memory: int = 0, link: int = 0
    ) -> tuple[int, int, int]:
        """Append a section -> offset, bytes in the file, bytes in memory."""
        self.body += bytes(-len(self.body) % 16)
        offset, memory = self.start + len(self.body), max(memory, len(data))
        self.body += data
        at = self.base + offset if flags & 2 else 0
        each = self.symbol_size if kind in (2, 11) else 0
        self.headers.append(
            (len(self.names), kind, flags, at, offset, len(data) or memory, link, 0, 16, each)
        )
        self.names += name.encode() + b"\0"
        return offset, len(data), memory

    def _linked(self) -> tuple[int, int]:
        """Names, symbols and the table of what is linked -> its offset and size."""
        names, places = bytearray(b"\0"), {}
        functions = [f for each in self.contents.imports.values() for f in each]
        for name in [*self.contents.imports, *functions]:
            places[name] = len(names)
            names += name.encode() + b"\0"
        symbols = bytearray(self.symbol_size)
        for name in functions:
            fields = (0x12, 0, 0, 0, 0) if self.wide else (0, 0, 0x12, 0, 0)
            form = self.order + ("IBBHQQ" if self.wide else "IIIBBH")
            symbols += struct.pack(form, places[name], *fields)
        symbols_at = self._add(".dynsym", bytes(symbols), 11, 2, link=len(self.headers) + 1)[0]
        names_at = self._add(".dynstr", bytes(names), 3, 2)[0]
        entries = [(1, places[name]) for name in self.contents.imports]
        entries += [(5, self.base + names_at), (6, self.base + symbols_at), (10, len(names))]
        entries.append((0, 0))
        pair = self.order + ("QQ" if self.wide else "II")
        data = b"".join(struct.pack(pair, *each) for each in entries)
        return self._add(".dynamic", data, 6, 3, link=len(self.headers) - 1)[0], len(data)

    def _segment(self, kind: int, may: int, offset: int, size: int, memory: int) -> bytes:
        at = self.base + offset
        memory = max(memory, size)
        if self.wide:
            return struct.pack(self.order + "IIQQQQQQ", kind, may, offset, at, at, size, memory, 16)
        return struct.pack(self.order + "IIIIIIII", kind, offset, at, at, size, memory, may, 16)

    def _row(self, header: tuple[int, ...]) -> bytes:
        return struct.pack(self.order + ("IIQQQQIIQQ" if self.wide else "IIIIIIIIII"), *header)


def _flags(piece: Piece) -> int:
    """What may be done with a section, which is loaded."""
    return 2 | 1 * piece.writable | 4 * piece.executable


def _import_table(imports: Mapping[str, Sequence[str]], address: int, wide: bool) -> bytes:
    """Descriptors, tables of functions and names, for a section that is loaded at an address."""
    width, form = (8, "<Q") if wide else (4, "<I")
    descriptors = bytearray()
    functions_at = 20 * (len(imports) + 1)
    names_at = functions_at + sum(width * (len(each) + 1) for each in imports.values())
    thunks, names = bytearray(), bytearray()
    for library, functions in imports.items():
        first = address + functions_at + len(thunks)
        for function in functions:
            thunks += struct.pack(form, address + names_at + len(names))
            names += b"\0\0" + function.encode() + b"\0"
        thunks += bytes(width)
        descriptors += struct.pack("<IIIII", first, 0, 0, address + names_at + len(names), first)
        names += library.encode() + b"\0"
    return bytes(descriptors) + bytes(20) + bytes(thunks) + bytes(names)


def _up(size: int, step: int) -> int:
    return -(-size // step) * step
