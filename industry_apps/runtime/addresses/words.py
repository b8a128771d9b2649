"""Words that stand together in a name: found by a bundled list of common English words."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

__all__ = ["common_words", "split_words"]

#: Shorter words are in nearly every name.
_SHORTEST = 3


@cache
def common_words() -> frozenset[str]:
    """Common English words of three letters and more, in lower case; a list of this package."""
    text = files(__package__).joinpath("common_words.txt").read_text("ascii")
    return frozenset(word for word in text.split() if len(word) >= _SHORTEST)


def split_words(name: str) -> list[str]:
    """The words inside a name that cover most of its letters; the fewest of equal cover.

    Parameters
    ----------
    name : str
        Lower case.

    Returns
    -------
    list of str
        From left to right, without overlap.

    Examples
    --------
    >>> split_words("theirtimexq9house")
    ['their', 'time', 'house']
    """
    known, longest = common_words(), _longest()
    # Of each beginning: letters covered, words (negative), and the last word.
    best: list[tuple[int, int, str]] = [(0, 0, "")]
    for end in range(1, len(name) + 1):
        found = (*best[end - 1][:2], "")
        for size in range(_SHORTEST, min(longest, end) + 1):
            word = name[end - size : end]
            if word in known:
                covered, count, _ = best[end - size]
                found = max(found, (covered + size, count - 1, word))
        best.append(found)
    words, end = [], len(name)
    while end:
        word = best[end][2]
        words += [word] if word else []
        end -= len(word) or 1
    return words[::-1]


@cache
def _longest() -> int:
    return max(map(len, common_words()))
