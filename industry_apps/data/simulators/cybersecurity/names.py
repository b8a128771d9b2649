"""Domain names that programs write, by four rules, beside names that people choose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd

from industry_apps.data.simulators.limits import check_at_least
from industry_apps.runtime.addresses.words import common_words

__all__ = ["GENERATED_KINDS", "GeneratedKind", "domain_names", "generated_names"]

GeneratedKind = Literal["random_letters", "hexadecimal", "consonant_vowel", "joined_words"]

_CONSONANTS, _VOWELS = "bcdfghjklmnprstvwz", "aeiou"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ENDINGS = ("", "", "", "", "s", "ed", "ing", "er", "ly", "ion")
_TITLES = ("shop", "online", "group", "tech", "web", "news", "hotel", "media", "club", "store")
#: Names under this top level belong to nobody (RFC 2606).
_SUFFIX = ".example"


def _random_letters(rng: np.random.Generator) -> str:
    return _drawn(rng, _LETTERS, int(rng.integers(7, 25)))


def _hexadecimal(rng: np.random.Generator) -> str:
    return _drawn(rng, "0123456789abcdef", int(rng.integers(8, 33)))


def _consonant_vowel(rng: np.random.Generator) -> str:
    first, second = (_CONSONANTS, _VOWELS) if rng.random() < 0.5 else (_VOWELS, _CONSONANTS)
    half = int(rng.integers(3, 8))
    pairs = zip(_drawn(rng, first, half), _drawn(rng, second, half), strict=True)
    return "".join(a + b for a, b in pairs)


def _joined_words(rng: np.random.Generator) -> str:
    """Three to five words, some of them with an ending."""
    return "".join(_word(rng) + _one(rng, _ENDINGS) for _ in range(rng.integers(3, 6)))


_RULES: Mapping[GeneratedKind, Callable[[np.random.Generator], str]] = MappingProxyType(
    {
        "random_letters": _random_letters,
        "hexadecimal": _hexadecimal,
        "consonant_vowel": _consonant_vowel,
        "joined_words": _joined_words,
    }
)
GENERATED_KINDS: tuple[GeneratedKind, ...] = tuple(_RULES)


def generated_names(kind: GeneratedKind, count: int, seed: int = 0) -> list[str]:
    """Names as a domain-generation algorithm of a kind writes them, without suffix.

    Parameters
    ----------
    kind : {"random_letters", "hexadecimal", "consonant_vowel", "joined_words"}
        7 to 24 letters; 8 to 32 hexadecimal digits; 6 to 14 letters of which consonants and
        vowels take turns; three to five common English words, some with an ending.
    count : int
        > 0.
    seed : int
        >= 0.

    References
    ----------
    The kinds are those of Plohmann et al. 2016, "A comprehensive measurement study of domain
    generating malware", USENIX Security; no algorithm of any malware is written down here.

    Examples
    --------
    >>> generated_names("consonant_vowel", 2)
    ['kaginawa', 'zejeceli']
    """
    check_at_least({"count": (count, 1), "seed": (seed, 0)})
    rng = np.random.default_rng([seed, GENERATED_KINDS.index(kind)])
    return [_RULES[kind](rng) for _ in range(count)]


def domain_names(names: int = 20_000, seed: int = 0) -> pd.DataFrame:
    """Simulate names that people chose, and as many that programs wrote.

    People take one or two words, a word with a title ("riverhotel"), syllables that can be said,
    or these with a number or a hyphen; programs follow :func:`generated_names`. Some of both look
    alike: joined words, and short syllables.

    Parameters
    ----------
    names : int
        >= 8.
    seed : int
        >= 0; the same seed gives the same table.

    Returns
    -------
    pandas.DataFrame
        ``domain``, under a suffix that belongs to nobody; ``family``, missing for names of
        people; ``is_generated``. Each name once.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> list(domain_names(8).columns)
    ['domain', 'family', 'is_generated']
    """
    check_at_least({"names": (names, 8), "seed": (seed, 0)})
    rng = np.random.default_rng(seed)
    rows: list[tuple[str, str | None]] = [(_chosen(rng), None) for _ in range(names // 2)]
    for kind in GENERATED_KINDS:
        rows += [(name, kind) for name in generated_names(kind, names // 8, seed)]
    table = pd.DataFrame(rows, columns=["domain", "family"]).drop_duplicates("domain")
    table["is_generated"] = table["family"].notna()
    table["domain"] += _SUFFIX
    return table.sample(frac=1, random_state=seed).reset_index(drop=True)


def _chosen(rng: np.random.Generator) -> str:
    kind = rng.random()
    if kind < 0.3:
        name = _word(rng) + _word(rng)
    elif kind < 0.5:
        name = _word(rng) + _one(rng, _TITLES)
    elif kind < 0.6:
        name = _word(rng)
    elif kind < 0.7:
        name = f"{_word(rng)}-{_word(rng)}"
    else:
        name = "".join(_syllable(rng) for _ in range(rng.integers(2, 5)))
    return f"{name}{rng.integers(1, 2030)}" if rng.random() < 0.08 else name


def _syllable(rng: np.random.Generator) -> str:
    end = _one(rng, tuple("nrsltm")) if rng.random() < 0.4 else ""
    return _one(rng, tuple(_CONSONANTS)) + _one(rng, tuple(_VOWELS)) + end


def _word(rng: np.random.Generator) -> str:
    words = _words()
    return words[int(rng.integers(len(words)))]


@cache
def _words() -> list[str]:
    return sorted(common_words())


def _one(rng: np.random.Generator, among: tuple[str, ...]) -> str:
    return among[int(rng.integers(len(among)))]


def _drawn(rng: np.random.Generator, letters: str, count: int) -> str:
    return "".join(letters[place] for place in rng.integers(len(letters), size=count))
