"""Who owns a host: public suffixes, by the list that browsers use, with its private section.

Under a public suffix anybody can register a name; under a private one (``github.io``,
``cloudfront.net``) anybody can rent one, so that its customers do not own each other's names.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple

__all__ = ["Suffix", "public_suffix", "registered_domain"]


class Suffix(NamedTuple):
    """A public suffix, and whether it is of a company that rents names below it.

    Parameters
    ----------
    name : str
    private : bool
    """

    name: str
    private: bool


def public_suffix(host: str) -> Suffix:
    """The part of a host under which names are given to anybody.

    Parameters
    ----------
    host : str
        Canonical: lower case, punycode, no dot at the end; no IP address.

    Returns
    -------
    Suffix
        Of a host under no known suffix, the last label.

    References
    ----------
    https://publicsuffix.org/list/ (Mozilla Public License 2.0), bundled; its algorithm.

    Examples
    --------
    >>> public_suffix("a.b.co.uk"), public_suffix("me.github.io")
    (Suffix(name='co.uk', private=False), Suffix(name='github.io', private=True))
    """
    rules, labels = _rules(), host.split(".")
    for start in range(len(labels)):  # the longest rule decides
        name = ".".join(labels[start:])
        if f"!{name}" in rules:
            return Suffix(".".join(labels[start + 1 :]), rules[f"!{name}"])
        if name in rules:
            return Suffix(name, rules[name])
        wild = ".".join(["*", *labels[start + 1 :]])
        if wild in rules:
            return Suffix(name, rules[wild])
    return Suffix(labels[-1], private=False)


def registered_domain(host: str) -> str:
    """The name that somebody has registered or rented: the suffix and one label.

    Parameters
    ----------
    host : str
        As of :func:`public_suffix`; a suffix itself is returned as it is.

    Examples
    --------
    >>> registered_domain("login.example.co.uk"), registered_domain("x.me.github.io")
    ('example.co.uk', 'me.github.io')
    """
    suffix = public_suffix(host).name
    if host == suffix:
        return host
    return f"{host[: -len(suffix) - 1].rpartition('.')[2]}.{suffix}"


@cache
def _rules() -> dict[str, bool]:
    """Rule -> whether it is of the private section."""
    text = files(__package__).joinpath("public_suffixes.dat").read_text("ascii")
    found: dict[str, bool] = {}
    private = False
    for line in text.splitlines():
        if line.startswith("//"):
            private = private or "BEGIN PRIVATE" in line
        else:
            found[line] = private
    return found
