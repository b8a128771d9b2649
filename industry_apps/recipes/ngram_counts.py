"""How often n-grams occur in texts: counted once, so that folds take rows of one matrix.

Nothing of a row enters another, and :meth:`NgramCounts.part` drops what the chosen rows do not
hold: a model learns from some rows what it would learn from their texts alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.features.negation import negated
from industry_apps.features.ngrams import word_grams
from industry_apps.features.text import lower_ascii

_Runs = tuple[int, NDArray[np.intp], NDArray[np.int32], NDArray[np.intp], NDArray[np.int32]]


@dataclass(frozen=True, slots=True, eq=False)
class NgramCounts:
    """Counts of n-grams; a word that a negation turns round counts -1, see the graph.

    Parameters
    ----------
    matrix : scipy.sparse.csr_array of float64, shape [texts, grams]
        No zero is stored.
    names : callable
        Numbers of columns -> their n-grams.
    """

    matrix: Any
    names: Callable[[NDArray[np.intp]], list[str]]

    def part(self, rows: NDArray[Any]) -> tuple[Any, NDArray[np.intp]]:
        """Counts of some rows, of the n-grams that they hold -> matrix, numbers of its columns.

        Parameters
        ----------
        rows : ndarray of int or bool
        """
        from scipy.sparse import csr_array

        chosen = self.matrix[rows]
        held = np.zeros(chosen.shape[1], dtype=bool)
        held[chosen.indices] = True
        place = (np.cumsum(held) - 1).astype(chosen.indices.dtype)
        shape = (chosen.shape[0], int(held.sum()))
        matrix = csr_array((chosen.data, place[chosen.indices], chosen.indptr), shape=shape)
        return matrix, np.flatnonzero(held)


def count_words(texts: Sequence[str], negators: Collection[str]) -> NgramCounts:
    """Count words and pairs of neighbours in each text.

    Parameters
    ----------
    texts : sequence of str
    negators : collection of str
        See :func:`industry_apps.features.negation.negated`.

    Examples
    --------
    >>> counts = count_words(["good good", "not good"], ["not"])
    >>> counts.names(np.arange(4)), counts.matrix.toarray().tolist()
    (['good', 'good good', 'not', 'not good'], [[2.0, 1.0, 0.0, 0.0], [-1.0, 0.0, 1.0, 1.0]])
    """
    number: dict[str, int] = {}
    columns, signs = [], []
    for text in texts:
        grams = word_grams(text, negators)
        columns.append(np.array([number.setdefault(g, len(number)) for g, _ in grams], np.int32))
        signs.append(np.array([sign for _, sign in grams], dtype=np.int8))
    row = np.repeat(np.arange(len(texts), dtype=np.int32), [len(each) for each in columns])
    known = list(number)
    matrix = _summed(row, np.concatenate(columns), np.concatenate(signs), (len(texts), len(known)))
    return NgramCounts(matrix, lambda chosen: [known[place] for place in chosen])


def count_characters(
    texts: Sequence[str], shortest: int, longest: int, negators: Collection[str]
) -> NgramCounts:
    """Count runs of characters in each text, a blank before and behind it.

    Parameters
    ----------
    texts : sequence of str
    shortest, longest : int
        Length of a run, at least 2.
    negators : collection of str
        The runs in words that a negation turns round, a blank on either side, count twice less.

    Notes
    -----
    A run of n characters is numbered by the numbers of its two halves, so that no text of it is
    made: of millions of runs that is the cost.
    """
    from scipy.sparse import hstack

    pieces, row, sign = _pieces(texts, negators)
    joined = "".join(pieces)
    blocks, begins, lengths = [], [], []
    for size, places, runs, first, of in _runs(joined, pieces, longest):
        if size >= shortest:
            blocks.append(_summed(row[of], runs, sign[of], (len(texts), len(first))))
            begins.append(places[first])
            lengths.append(np.full(len(first), size))
    begin, length = np.concatenate(begins), np.concatenate(lengths)
    return NgramCounts(
        hstack(blocks, format="csr"),
        lambda chosen: [joined[begin[g] : begin[g] + length[g]] for g in chosen],
    )


def _pieces(
    texts: Sequence[str], negators: Collection[str]
) -> tuple[list[str], NDArray[np.int32], NDArray[np.int8]]:
    """The texts, and the words turned round in them -> pieces, numbers of their texts, signs."""
    pieces = [f" {lower_ascii(text)} " for text in texts]
    row, sign = [*range(len(texts))], [1] * len(texts)
    for place, text in enumerate(texts):
        turned = [word for word, yes in negated(text, negators) if yes] if negators else []
        pieces += [f" {word} " for word in turned]
        row += [place] * len(turned)
        sign += [-2] * len(turned)
    return pieces, np.array(row, dtype=np.int32), np.array(sign, dtype=np.int8)


def _runs(joined: str, pieces: Sequence[str], longest: int) -> Iterator[_Runs]:
    """Runs of 2, 3, ... characters of joined pieces, none across two of them.

    Yields their length, where they begin, their numbers, for each number one of the places, and
    the pieces that they are of.
    """
    sizes = np.array([len(piece) for piece in pieces])
    piece = np.repeat(np.arange(len(pieces), dtype=np.int32), sizes)
    left = np.repeat(np.cumsum(sizes), sizes) - np.arange(len(joined))  # to the end of the piece
    left = left.astype(np.int32)
    codes = np.frombuffer(joined.encode("utf-32-le"), dtype=np.uint32)
    number = {1: np.unique(codes, return_inverse=True)[1].astype(np.int32)}
    for size in range(2, longest + 1):
        places, front = np.flatnonzero(left >= size), (size + 1) // 2
        runs, count = _numbered(number[front], number[size - front], places, front)
        if 2 * size <= longest + 1:  # half of a longer one
            number[size] = np.zeros(len(joined), dtype=np.int32)
            number[size][places] = runs
        some = np.zeros(count, dtype=np.intp)
        some[runs] = np.arange(len(runs))
        yield size, places, runs, some, piece[places]


def _numbered(
    front: NDArray[np.int32], back: NDArray[np.int32], places: NDArray[np.intp], size: int
) -> tuple[NDArray[np.int32], int]:
    """Number the runs at some places by their halves -> numbers, how many there are."""
    key = front[places].astype(np.int64)
    key *= int(back.max()) + 1
    key += back[places + size]
    known, number = np.unique(key, return_inverse=True)
    return number.astype(np.int32), len(known)


def _summed(
    row: NDArray[Any], column: NDArray[Any], sign: NDArray[Any], shape: tuple[int, int]
) -> Any:
    """A sparse matrix of sums, without zeros."""
    from scipy.sparse import coo_array

    matrix = coo_array((sign.astype(np.float64), (row, column)), shape=shape).tocsr()
    matrix.eliminate_zeros()
    return matrix
