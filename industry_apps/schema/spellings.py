"""Spellings of one value: what else a level that a model has learned may be written as.

A code book reads 3 here and 3.0 there, a flag true or True, a country `` us``. The model knows
the one that it was trained with; the others are made from it, once, where it is trained.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

#: What pandas.read_csv takes for missing.
MISSING_TOKENS: tuple[str, ...] = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND"),
    *("1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
)

#: Whole numbers as they are written, and with the one trailing zero that a float has.
_WHOLE = re.compile(r"-?[1-9][0-9]*|0")
_WHOLE_FLOAT = re.compile(r"(-?[1-9][0-9]*|0)\.0")
#: From a space to a tilde, and the same in full width.
_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
#: Longer levels are texts, of which nobody types the spellings.
_LONGEST = 200
#: Of more levels than this, which are names by number, only numbers have another spelling.
_MOST_SPELT = 5_000


def composed(text: str) -> str:
    """A text with its accents composed (NFC), as all texts that a model reads."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


@lru_cache(maxsize=32)
def aliases(levels: tuple[str, ...]) -> dict[str, str]:
    """Further spellings of levels -> the level, none that could be of two of them.

    They are of a whole number with and without ``.0``, of another case, with a blank before or
    behind or without those that are there, with decomposed accents, and in letters of full width.
    Zeros before a number, and other zeros behind it, tell levels apart, and stay.

    Parameters
    ----------
    levels : tuple of str
        None empty. Not to be changed: the answer is kept.

    Examples
    --------
    >>> made = aliases(("250", "250.0", "3", "yes"))
    >>> made["3.0"], made["YES"], made[" 3"], "250.00" in made
    ('3', 'yes', '3', False)
    """
    made: dict[str, str] = {}
    shared = set(levels) | {""}
    further = spellings if len(levels) <= _MOST_SPELT else _other_number
    for level in levels:
        for other in further(level):
            if made.setdefault(other, level) != level:
                shared.add(other)
    return {other: level for other, level in made.items() if other not in shared}


def spellings(level: str) -> Iterator[str]:
    """What else a level may be written as; some more than once.

    Parameters
    ----------
    level : str
    """
    if len(level) > _LONGEST:
        return
    for same in dict.fromkeys((level, level.strip(), *_other_number(level.strip()))):
        cases = (same, same.lower(), same.upper(), same.title(), same.capitalize())
        for case in dict.fromkeys(cases):
            for form in dict.fromkeys((case, unicodedata.normalize("NFD", case))):
                yield from (form, f" {form}", f"{form} ", f" {form} ")
            yield case.translate(_FULL_WIDTH)


def _other_number(level: str) -> Iterator[str]:
    if _WHOLE.fullmatch(level):
        yield f"{level}.0"
    elif found := _WHOLE_FLOAT.fullmatch(level):
        yield found[1]


def tokens_of(levels: Iterable[str]) -> tuple[str, ...]:
    """Tokens of missing that are levels, or spellings of them: "NA" of Namibia.

    Parameters
    ----------
    levels : iterable of str

    Examples
    --------
    >>> tokens_of(["DE", "NA"])
    ('NA',)
    """
    tokens = {token.lower() for token in MISSING_TOKENS if token}
    near = tuple(sorted({level for level in levels if level.strip().lower() in tokens}))
    known = {*near, *aliases(near)}
    return tuple(token for token in MISSING_TOKENS if token in known)
