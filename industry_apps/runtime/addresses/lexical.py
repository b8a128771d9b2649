"""What the spelling of an address shows, as numbers beside its text: columns of a record.

A graph cannot split hosts by a list of suffixes or undo percent-encoding, so these columns are
computed here, by the same functions in training and in service; a file lists them in its schema.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import SchemaError
from industry_apps.runtime.addresses.canonical import Address, canonical_domain, canonical_url
from industry_apps.runtime.addresses.suffixes import public_suffix, registered_domain
from industry_apps.runtime.addresses.words import common_words, split_words

__all__ = ["DOMAIN_NUMBERS", "URL_NUMBERS", "domain_columns", "name_of", "url_columns"]

#: Column -> what it counts in an address.
URL_NUMBERS: Mapping[str, str] = {
    "host_length": "Characters of the host",
    "path_length": "Characters behind the host",
    "subdomains": "Labels before the registered domain",
    "name_length": "Characters of the registered name, without its suffix",
    "host_digits": "Digits in the host",
    "host_hyphens": "Hyphens in the host",
    "host_entropy": "Bits a character of the registered name",
    "path_depth": "Slashes behind the host",
    "path_digits": "Digits behind the host",
    "parameters": "Names of the query",
    "escapes": "Percent-encoded bytes",
    "longest_part": "Characters of the longest run without a separator",
    "shared_host": "1 where the registered domain is rented below one of a company",
    "ip_host": "1 where the host is an IP address",
    "user_info": "1 where a user stands before the host",
    "port": "The port where it is not the default, else 0",
    "international": "Labels in punycode",
    "suffix_inside": "Well-known suffixes that stand elsewhere than at the end of the host",
}
#: Column -> what it counts in the name of a domain.
DOMAIN_NUMBERS: Mapping[str, str] = {
    "length": "Characters of the name",
    "digits": "Digits",
    "hyphens": "Hyphens",
    "vowel_share": "Vowels of all letters",
    "entropy": "Bits a character",
    "distinct_share": "Distinct characters of all",
    "consonants_together": "Longest run of consonants",
    "digits_together": "Longest run of digits",
    "alternations": "Share of neighbours of which one is a vowel and one a consonant",
    "hex_share": "Characters that are hexadecimal digits",
    "word_share": "Letters inside words of the bundled list",
    "words": "Words of the bundled list",
    "word_length": "Mean length of these words",
    "surprise": "Bits a letter, by what follows two letters in words of the bundled list",
    "most_surprise": "The most bits of one letter",
    "international": "1 where the name is in punycode",
}
_SUFFIXES = re.compile(r"(?:^|[./_-])(?:com|net|org|gov|edu|info)(?=[./_-])")
#: Each run of letters counts as seen so often more; letters, digits, the hyphen and the end.
_SEEN, _LETTERS = 0.1, 38
_SEPARATORS = re.compile(r"[./?=&_:;%+~,@!-]+")

Columns = dict[str, NDArray[Any]]


def url_columns(urls: Sequence[Any], column: str = "url", first: int = 0) -> Columns:
    """Addresses -> the columns that a file of URLs reads, and who owns each host.

    Parameters
    ----------
    urls : sequence of str, shape (N,)
    column : str
        What they are called, for errors.
    first : int
        The row of the first of them, for errors.

    Returns
    -------
    dict of str to ndarray of shape (N,)
        ``address``, the canonical text; ``owner``, the registered domain or IP address; and
        :data:`URL_NUMBERS`, float32.

    Raises
    ------
    SchemaError
        Names the row of the first address that cannot be read.

    Examples
    --------
    >>> found = url_columns(["http://www.paypal.com.evil.co.uk/login/"])
    >>> found["address"][0], found["owner"][0], found["subdomains"][0]
    ('paypal.com.evil.co.uk/login', 'evil.co.uk', np.float32(2.0))
    """
    read = _each(urls, column, canonical_url, first)
    owners = [a.host if a.is_ip else registered_domain(a.host) for a in read]
    numbers = [_of_url(address, owner) for address, owner in zip(read, owners, strict=True)]
    return {
        "address": np.array([*map(str, read)], dtype=object),
        "owner": np.array(owners, dtype=object),
        **_stacked(URL_NUMBERS, numbers),
    }


def domain_columns(domains: Sequence[Any], column: str = "domain", first: int = 0) -> Columns:
    """Domain names -> the columns that a file of domains reads.

    Parameters
    ----------
    domains, column, first
        As in :func:`url_columns`.

    Returns
    -------
    dict of str to ndarray of shape (N,)
        ``label``, the registered name without its suffix; and :data:`DOMAIN_NUMBERS`, float32.

    Raises
    ------
    SchemaError

    Examples
    --------
    >>> found = domain_columns(["www.xkqzvbw.co.uk"])
    >>> found["label"][0], found["consonants_together"][0]
    ('xkqzvbw', np.float32(7.0))
    """
    names = _each(domains, column, lambda text: name_of(canonical_domain(text)), first)
    return {
        "label": np.array(names, dtype=object),
        **_stacked(DOMAIN_NUMBERS, [_of_name(name) for name in names]),
    }


def name_of(host: str) -> str:
    """The registered name of a host, without suffix and sub-domains.

    Parameters
    ----------
    host : str
        Canonical. What is a suffix itself is its own name.

    Examples
    --------
    >>> name_of("mail.example.co.uk")
    'example'
    """
    owner, suffix = registered_domain(host), public_suffix(host).name
    return owner if owner == suffix else owner[: -len(suffix) - 1]


def _each(texts: Iterable[Any], column: str, read: Callable[[str], Any], first: int) -> list[Any]:
    found = []
    for row, text in enumerate(texts, first):
        try:
            if not isinstance(text, str):
                raise SchemaError("expected a text. Drop the row, or name the right column")
            found.append(read(text))
        except SchemaError as error:
            raise SchemaError(
                f"Column {column!r}, row {row}: got {text!r:.80}; {error}."
            ) from error
    return found


def _of_url(address: Address, owner: str) -> tuple[float, ...]:
    host, path = address.host, address.path
    name, private = owner, False
    if not address.is_ip:
        suffix, private = public_suffix(host)
        name = owner if owner == suffix else owner[: -len(suffix) - 1]
    before = host[: len(host) - len(owner)]
    query = path.partition("?")[2]
    inside = len(_SUFFIXES.findall(f"{before}.{name}.{path}/"))
    return (
        len(host),
        len(path),
        before.count("."),
        len(name),
        _digits(host),
        host.count("-"),
        _entropy(name),
        path.count("/"),
        _digits(path),
        len(re.findall(r"(?:^|[&;])[^&;]", query)),
        path.count("%"),
        max(map(len, _SEPARATORS.split(host + path))),
        private,
        address.is_ip,
        address.user_info,
        address.port,
        sum(label.startswith("xn--") for label in host.split(".")),
        inside,
    )


def _of_name(name: str) -> tuple[float, ...]:
    kinds = "".join("v" if c in "aeiouy" else "c" if c.isalpha() else "d" if c.isdigit() else "-"
                    for c in name)  # fmt: skip
    letters = kinds.count("v") + kinds.count("c")
    words = split_words(name)
    turns = kinds.count("vc") + kinds.count("cv")
    return (
        len(name),
        kinds.count("d"),
        kinds.count("-"),
        kinds.count("v") / letters if letters else 0.0,
        _entropy(name),
        len(set(name)) / len(name),
        max(map(len, re.findall("c+", kinds)), default=0),
        max(map(len, re.findall("d+", kinds)), default=0),
        turns / (len(name) - 1) if len(name) > 1 else 0.0,
        sum(c in "0123456789abcdef" for c in name) / len(name),
        sum(map(len, words)) / letters if letters else 0.0,
        len(words),
        sum(map(len, words)) / len(words) if words else 0.0,
        *_surprise(name),
        name.startswith("xn--"),
    )


def _surprise(name: str) -> tuple[float, float]:
    """Mean and largest bits of a letter, given the two before it; its end counts as a letter."""
    runs, starts = _letter_runs()
    text = f"^^{name}$"
    bits = [
        -math.log2((runs[text[i : i + 3]] + _SEEN) / (starts[text[i : i + 2]] + _SEEN * _LETTERS))
        for i in range(len(text) - 2)
    ]
    return sum(bits) / len(bits), max(bits)


@cache
def _letter_runs() -> tuple[Counter[str], Counter[str]]:
    """How often three letters, and two, follow one another in the words of the list."""
    words = [f"^^{word}$" for word in sorted(common_words())]
    runs = Counter(word[i : i + 3] for word in words for i in range(len(word) - 2))
    starts = Counter(word[i : i + 2] for word in words for i in range(len(word) - 2))
    return runs, starts


def _digits(text: str) -> int:
    return sum(map(text.count, "0123456789"))


def _entropy(text: str) -> float:
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def _stacked(names: Iterable[str], rows: Sequence[tuple[float, ...]]) -> Columns:
    names = list(names)
    table = np.array(rows, dtype=np.float32).reshape(len(rows), len(names))
    return {name: table[:, place] for place, name in enumerate(names)}
