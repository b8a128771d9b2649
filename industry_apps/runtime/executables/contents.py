"""The bytes of a file: which there are, how evenly, and the texts among them.

One pass over pieces of a mebibyte, so that memory is bounded whatever the file; counts of blocks
are kept, by which the bytes of any stretch are counted without reading it again: a thousand
sections that each name the whole file cost no more than a thousand small ones.

Letters: B bytes of a piece, K blocks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

__all__ = ["ENTROPY_BINS", "MARKS", "SHORTEST_STRING", "Contents", "entropy_of", "hashed"]

#: Bytes of a printable run from which on it is a string.
SHORTEST_STRING = 5
#: Bins of entropy, and of bytes by their upper four bits.
ENTROPY_BINS = 16
#: What is counted -> texts that stand for it, in small letters.
MARKS: Mapping[str, Sequence[bytes]] = {
    "urls": (b"://",),
    "paths": (b"c:\\", b"/usr/", b"/etc/", b"/tmp/", b"/home/"),
    "registry_keys": (b"hkey_", b"\\currentversion"),
    "programs_inside": (b"this program cannot be run",),
}
_SMALL = bytes(range(256)).lower()
_PIECE, _BLOCK, _STEP = 2**20, 2**14, 2**10
_VALUES = 256
_FIRST_PRINTABLE, _LAST_PRINTABLE = 0x20, 0x7E

_Counts = NDArray[np.int64]


class Contents:
    """Counts of the bytes of a file.

    Parameters
    ----------
    data : bytes
        Not empty.

    Attributes
    ----------
    histogram : ndarray of int64 of shape [256]
    byte_entropy : ndarray of int64 of shape [16, 16]
        Windows of 2 048 bytes that begin every 1 024: bytes by the entropy of their window, and
        by their upper four bits.
    strings, characters : int
        Runs of at least five printable bytes, and the bytes in them.
    string_histogram : ndarray of int64 of shape [256]

    References
    ----------
    Saxe and Berlin 2015, "Deep neural network based malware detection using two dimensional
    binary program features", MALWARE, arXiv:1508.03096; Anderson and Roth 2018, "EMBER: an open
    dataset for training static PE malware machine learning models", arXiv:1804.04637.

    Examples
    --------
    >>> found = Contents(b"abcde" + bytes(1_000) + b"http://x.example")
    >>> found.strings, found.characters, found.marks()["urls"]
    (2, 21, 1)
    >>> round(found.entropy(0, 5), 3), found.entropy(5, 1_000)
    (2.322, 0.0)
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._bytes = np.frombuffer(data, np.uint8)
        self.strings = self.characters = 0
        self.string_histogram = np.zeros(_VALUES, np.int64)
        blocks, steps = [], []
        run = _Run()
        for start in range(0, len(data), _PIECE):
            piece = self._bytes[start : start + _PIECE]
            blocks.append(_grouped(piece, _BLOCK, _VALUES))
            steps.append(_grouped(np.right_shift(piece, 4, dtype=np.uint8), _STEP, ENTROPY_BINS))
            self._count_strings(piece, run)
        self._end_run(run)
        counts = np.concatenate(blocks)  # [K, 256]
        self._until = np.concatenate([np.zeros((1, _VALUES), np.int64), counts.cumsum(axis=0)])
        self.histogram: _Counts = self._until[-1]
        self.byte_entropy = _byte_entropy(np.concatenate(steps), len(data))

    def counts(self, start: int, size: int) -> _Counts:
        """How often each byte stands in a stretch of the file -> [256].

        Parameters
        ----------
        start, size : int
            Within the file.
        """
        end = start + size
        first, last = -(-start // _BLOCK), end // _BLOCK  # whole blocks in between
        if first >= last:
            return np.bincount(self._bytes[start:end], minlength=_VALUES)
        found: _Counts = self._until[last] - self._until[first]
        for part in (self._bytes[start : first * _BLOCK], self._bytes[last * _BLOCK : end]):
            found = found + np.bincount(part, minlength=_VALUES)
        return found

    def entropy(self, start: int, size: int) -> float:
        """Bits a byte of a stretch of the file, in [0, 8]; 0 of none.

        Parameters
        ----------
        start, size : int
            Within the file.
        """
        return entropy_of(self.counts(start, size))

    def marks(self) -> dict[str, int]:
        """How often each kind of :data:`MARKS` occurs, in 8 bits a character and in 16."""
        # Without zero bytes a text of Windows, of 16 bits a character, reads like any other.
        small = self._data.translate(_SMALL, b"\0")
        return {name: sum(map(small.count, texts)) for name, texts in MARKS.items()}

    def _count_strings(self, piece: NDArray[np.uint8], run: _Run) -> None:
        """Count the runs that end in a piece; the last one may go on in the next."""
        shown = np.zeros(len(piece) + 2, bool)
        shown[1:-1] = (piece >= _FIRST_PRINTABLE) & (piece <= _LAST_PRINTABLE)
        turns = np.flatnonzero(shown[1:] != shown[:-1])
        starts, ends = turns[::2], turns[1::2]
        if run.length and not (len(starts) and starts[0] == 0):
            self._end_run(run)
        inside = np.zeros(len(piece), np.uint8)
        if len(starts):
            # What a piece begins or ends with is counted with the run that it is part of.
            whole = (ends - starts >= SHORTEST_STRING) & (starts > 0) & (ends < len(piece))
            self.strings += int(whole.sum())
            edges = np.zeros(len(piece) + 1, np.int8)
            edges[starts[whole]], edges[ends[whole]] = 1, -1
            inside = np.cumsum(edges[:-1], dtype=np.int8).view(np.uint8)  # 1, else 0
            if starts[0] == 0:
                run.add(piece[: ends[0]])
                if ends[0] < len(piece):
                    self._end_run(run)
            if ends[-1] == len(piece) and starts[-1] > 0:
                run.add(piece[starts[-1] :])
        counts = np.bincount(piece * inside, minlength=_VALUES)
        counts[0] = 0
        self.string_histogram += counts
        self.characters += int(counts.sum())

    def _end_run(self, run: _Run) -> None:
        if run.length >= SHORTEST_STRING:
            self.strings += 1
            self.characters += run.length
            self.string_histogram += run.histogram
        run.reset()


class _Run:
    """A run of printable bytes that reaches the end of what has been read."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the run, which has ended."""
        self.length, self.histogram = 0, np.zeros(_VALUES, np.int64)

    def add(self, part: NDArray[np.uint8]) -> None:
        """Go on with the run."""
        self.length += len(part)
        self.histogram += np.bincount(part, minlength=_VALUES)


def entropy_of(counts: NDArray[np.int64]) -> float:
    """Bits of one draw from counts [N]; 0 of none.

    Parameters
    ----------
    counts : ndarray of int64 of shape [N]

    Examples
    --------
    >>> entropy_of(np.array([2, 1, 1, 0]))
    1.5
    """
    known = counts[counts > 0]
    if len(known) < 2:
        return 0.0
    shares = known / known.sum()
    return float(-(shares * np.log2(shares)).sum())


def hashed(names: Sequence[str], size: int) -> NDArray[np.float32]:
    """Names counted in bins that a hash of each says -> [size].

    Parameters
    ----------
    names : sequence of str
    size : int
        A power of two.

    References
    ----------
    Weinberger et al. 2009, "Feature hashing for large scale multitask learning", ICML,
    doi:10.1145/1553374.1553516; the hash is CRC-32, its halves folded.

    Examples
    --------
    >>> hashed(["read", "write", "read"], 4).sum()
    np.float32(3.0)
    """
    found = np.zeros(size, np.float32)
    for name in names:
        value = crc32(name.encode("latin-1", "replace"))
        found[(value ^ value >> 16) % size] += 1
    return found


def _grouped(values: NDArray[np.uint8], width: int, kinds: int) -> _Counts:
    """Count the values of every run of `width` -> [runs, kinds]."""
    groups = -(-len(values) // width)
    keys = np.repeat(np.arange(groups, dtype=np.intp) * kinds, width)[: len(values)]
    keys += values
    return np.bincount(keys, minlength=groups * kinds).reshape(groups, kinds)


def _byte_entropy(steps: _Counts, size: int) -> _Counts:
    """Counts [steps, 16] -> by the entropy of the window that starts at each, and by byte.

    A bin is a quarter of a bit of the 16 values, which have 4 at most. A file of no whole window
    is one.
    """
    whole = size // _STEP
    windows = steps[: whole - 1] + steps[1:whole] if whole >= 2 else steps.sum(axis=0)[None]
    shares = windows / windows.sum(axis=1, keepdims=True)
    bits = -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(axis=1)
    place = np.minimum((4 * bits).astype(np.intp), ENTROPY_BINS - 1)
    found = np.zeros((ENTROPY_BINS, ENTROPY_BINS), np.int64)
    np.add.at(found, place, windows)
    return found
