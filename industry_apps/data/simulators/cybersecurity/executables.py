"""Simulated programs, as they come from a linker and as a packer of ours has wrapped them.

No file of anybody is in them, and nothing in them is harmful or can run: the bytes of code are
drawn. What is told apart is how a file was made, true by construction; no more is claimed.
"""

from __future__ import annotations

import zlib
from base64 import b85encode
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from industry_apps.data.simulators.cybersecurity.executable_layouts import (
    Contents,
    Piece,
    elf_file,
    pe_file,
)
from industry_apps.data.simulators.limits import check_at_least
from industry_apps.runtime.addresses.words import common_words
from industry_apps.runtime.executables.features import ExecutableFeatures

__all__ = ["SimulatedFile", "executable_files", "simulated_executables"]

#: How compilers begin, end and fill functions, and what stands between.
_IDIOMS = tuple(
    map(
        bytes.fromhex,
        (
            "554889e5", "4883ec20", "c9c3", "5dc3", "90", "cc", "31c0", "85c0", "7405", "750a",
            "488b45f8", "488945f0", "8b45fc", "8945f8", "e8", "ff15", "488d0d", "48c7c000000000",
            "4885c0", "0fb600", "83c001", "39c2", "7cf0", "eb", "f20f1045e8", "415741564155",
            "5b5e5f", "66900f1f440000", "b8", "c745fc00000000", "83f8ff", "4801d0", "0f84", "0f85",
        ),
    )
)  # fmt: skip
_VERBS = ("Get", "Set", "Open", "Close", "Read", "Write", "Create", "Find", "Query", "Load")
_THINGS = ("File", "Window", "Thread", "Key", "Module", "Event", "Memory", "Token", "Font", "Menu")
_LIBRARIES = {
    "pe": ("kernel32.dll", "user32.dll", "advapi32.dll", "gdi32.dll", "ws2_32.dll", "ole32.dll"),
    "elf": ("libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "libz.so.1", "libssl.so.3"),
}
_FEW = {
    "pe": {"kernel32.dll": ("LoadLibraryA", "GetProcAddress", "VirtualProtect")},
    "elf": {"libc.so.6": ("mmap", "mprotect", "exit")},
}
_ODD = ("pak0", "pak1", ".zip", "lump", ".wrap", ".boxed")
_BUILDS = 3


@dataclass(frozen=True, slots=True)
class SimulatedFile:
    """A file that was made here.

    Parameters
    ----------
    name, program : str
        Of the file, and of the program of which it is a build.
    data : bytes
    packed : bool
    """

    name: str
    program: str
    data: bytes
    packed: bool


def executable_files(programs: int = 1_200, seed: int = 0) -> pd.DataFrame:
    """Simulate programs, two plain builds of each and a packed one, as columns.

    Most are of Windows, others of Linux, of 32 and 64 bits, some with the most significant byte
    first. The packer compresses a part of the code, covers it by a key, sometimes in 85
    characters that can be printed, and puts a stub in front; it may give sections odd names,
    leave few imports, and make code writable. Plain builds have these traits, too, if more
    seldom, and compressed resources: no column alone tells one from the other.

    Parameters
    ----------
    programs : int
        >= 7.
    seed : int
        >= 0; the same seed gives the same table.

    Returns
    -------
    pandas.DataFrame
        As :meth:`ExecutableFeatures.table` gives it, with ``program`` and ``is_flagged``: whether
        our packer has wrapped the file.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> executable_files(7)["is_flagged"].mean().round(2)
    np.float64(0.33)
    """
    check_at_least({"programs": (programs, 7), "seed": (seed, 0)})
    made = list(simulated_executables(programs, seed))
    table = ExecutableFeatures().table({file.name: file.data for file in made})
    return table.assign(
        program=[file.program for file in made], is_flagged=[file.packed for file in made]
    )


def simulated_executables(programs: int, seed: int = 0) -> Iterator[SimulatedFile]:
    """The files themselves, of which :func:`executable_files` gives the columns.

    Parameters
    ----------
    programs, seed : int
        As there.

    Yields
    ------
    SimulatedFile
    """
    words = [word.encode() for word in sorted(common_words())]
    for number in range(programs):
        rng = np.random.default_rng([seed, number])
        form = "pe" if rng.random() < 0.62 else "elf"
        source = _Source(rng, form, words)
        program = f"program{number}"
        for build in range(_BUILDS):
            packed = build == _BUILDS - 1
            contents = source.packed() if packed else source.plain()
            data = (pe_file if form == "pe" else elf_file)(contents)
            yield SimulatedFile(f"{program}/build{build}.{form}", program, data, packed)


class _Source:
    """What a program is linked from; each build changes some of its code."""

    def __init__(self, rng: np.random.Generator, form: str, words: list[bytes]) -> None:
        self._rng, self._form, self._words = rng, form, words
        self._code = _code(rng, int(rng.integers(1_000, 6_000)))
        self._texts = self._strings(int(rng.integers(30, 160)))
        self._bits = 32 if rng.random() < 0.4 else 64
        self._big = form == "elf" and rng.random() < 0.15
        self._stripped = bool(rng.random() < 0.5)
        self._imports = self._imported(int(rng.integers(1, 7)))

    def plain(self) -> Contents:
        """A build as it comes from a linker."""
        rng = self._rng
        open_code = bool(rng.random() < 0.1)
        pieces = [Piece(".text", self._built(), writable=open_code, executable=True), *self._data()]
        if rng.random() < 0.3:
            pieces.insert(1, Piece(".code", _code(rng, 300), executable=True))
        entry = len(pieces) - 1 if rng.random() < 0.1 else 0
        pieces[0], pieces[entry] = pieces[entry], pieces[0]
        return self._contents(pieces, entry, odd=0.15, few=0.12)

    def packed(self) -> Contents:
        """A build of which a part of the code is compressed, behind a stub."""
        rng = self._rng
        code = self._built()
        cut = int(len(code) * (1 - rng.uniform(0.05, 0.8)))
        hidden = _covered(rng, code[cut:])
        if rng.random() < 0.4:
            hidden = b85encode(hidden)
        open_code = bool(rng.random() < 0.3)
        stub = Piece(".text", code[:cut] + _code(rng, 300), executable=True, writable=open_code)
        pieces = [stub, *self._data()]
        # Behind the code, among the data, or in a section of its own.
        place = int(rng.integers(0, 3))
        if place == 2:
            size = len(code) if rng.random() < 0.5 else 0
            pieces.append(Piece(".data1", hidden, size, writable=open_code, executable=open_code))
        else:
            old = pieces[place]
            pieces[place] = replace(old, data=old.data + hidden)
        entry = len(pieces) - 1 if rng.random() < 0.3 else 0
        pieces[0], pieces[entry] = pieces[entry], pieces[0]
        return self._contents(pieces, entry, odd=0.3, few=0.3)

    def _contents(self, pieces: list[Piece], entry: int, *, odd: float, few: float) -> Contents:
        """A file of pieces, with odd names and few imports as likely as is said."""
        rng = self._rng
        if rng.random() < odd:
            for place, name in zip((0, -1), rng.choice(_ODD, 2, replace=False), strict=True):
                pieces[place] = replace(pieces[place], name=str(name))
        overlay = _covered(rng, self._strings(200)) if rng.random() < 0.15 else b""
        return Contents(
            pieces=tuple(pieces),
            entry=entry,
            imports=_FEW[self._form] if rng.random() < few else self._imports,
            bits=self._bits,
            big_endian=self._big,
            stripped=self._stripped,
            overlay=overlay,
        )

    def _built(self) -> bytes:
        """The code, a tenth of it anew."""
        changed = _code(self._rng, len(self._code) // 10)
        place = int(self._rng.integers(0, len(self._code) - len(changed)))
        return self._code[:place] + changed + self._code[place + len(changed) :]

    def _data(self) -> list[Piece]:
        rng = self._rng
        numbers = rng.normal(0, 100, int(rng.integers(50, 800))).astype("<f4").tobytes()
        table = np.minimum(rng.geometric(0.2, 1_000), 255).astype(np.uint8).tobytes()
        more = len(numbers) + 4_000 if rng.random() < 0.3 else 0  # what is zero at first
        pieces = [
            Piece(".rdata" if self._form == "pe" else ".rodata", self._texts + table),
            Piece(".data", numbers + bytes(400), more, writable=True),
        ]
        if rng.random() < 0.5:  # pictures, archives and certificates, which a program carries
            carried = _covered(rng, _code(rng, int(rng.integers(100, 2_000))))
            carried = b85encode(carried) if rng.random() < 0.4 else carried
            if rng.random() < 0.5:
                pieces[0] = replace(pieces[0], data=pieces[0].data + carried)
            else:
                pieces.append(Piece(".rsrc", carried))
        return pieces

    def _strings(self, count: int) -> bytes:
        """Messages, paths and addresses, each ended by a zero byte."""
        rng, words = self._rng, self._words
        drawn = [words[place] for place in rng.integers(len(words), size=3 * count)]
        kinds = rng.random(count)
        found = []
        for place, kind in enumerate(kinds):
            first, second, third = drawn[3 * place : 3 * place + 3]
            if kind < 0.06:
                found.append(b"https://" + first + b".example/" + second)
            elif kind < 0.065 and self._form == "pe":
                found.append(b"HKEY_CURRENT_USER\\Software\\" + second)
            elif kind < 0.11:
                windows = self._form == "pe"
                found.append((b"C:\\" if windows else b"/usr/") + first + b"/" + third)
            else:
                found.append(b" ".join((first, second, third)))
        return b"\0".join(found) + b"\0"

    def _imported(self, count: int) -> dict[str, tuple[str, ...]]:
        rng = self._rng
        libraries = rng.choice(np.array(_LIBRARIES[self._form]), count, replace=False)
        found = {}
        for library in libraries:
            size = int(rng.integers(2, 14))
            pairs = zip(rng.choice(_VERBS, size), rng.choice(_THINGS, size), strict=True)
            names = dict.fromkeys(f"{verb}{thing}" for verb, thing in pairs)
            plain = self._form == "pe"
            found[str(library)] = tuple(n if plain else n.lower() for n in names)
        return found


def _code(rng: np.random.Generator, idioms: int) -> bytes:
    """Bytes as machine code has them: few idioms often, with operands in between."""
    weights = 1 / np.arange(1, len(_IDIOMS) + 1)
    places = rng.choice(len(_IDIOMS), idioms, p=weights / weights.sum())
    operands = rng.integers(0, 256, (idioms, 2), dtype=np.uint8)
    small = np.minimum(rng.geometric(0.08, idioms), 255).astype(np.uint8)
    operands[:, 0] = np.where(rng.random(idioms) < 0.5, small, operands[:, 0])
    lengths = rng.integers(0, 3, idioms)
    tails = [row.tobytes()[:length] for row, length in zip(operands, lengths, strict=True)]
    return b"".join(_IDIOMS[place] + tail for place, tail in zip(places, tails, strict=True))


def _covered(rng: np.random.Generator, data: bytes) -> bytes:
    """Compressed, and xor with a key of 16 bytes that comes again and again."""
    squeezed = np.frombuffer(zlib.compress(data, 6), np.uint8)
    key = rng.integers(0, 256, 16, dtype=np.uint8)
    return (squeezed ^ np.resize(key, len(squeezed))).tobytes()
