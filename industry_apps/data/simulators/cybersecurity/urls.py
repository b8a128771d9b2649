"""Simulated addresses of pages, and of pages that imitate the log-in of somebody else."""

from __future__ import annotations

import numpy as np
import pandas as pd

from industry_apps.data.simulators.limits import check_at_least
from industry_apps.runtime.addresses.lexical import url_columns
from industry_apps.runtime.addresses.words import common_words

__all__ = ["web_addresses"]

_SECTIONS = ("news", "blog", "products", "docs", "wiki", "about", "shop", "forum", "help")
_LURES = ("login", "signin", "verify", "account", "secure", "update", "confirm", "support")
_ENDINGS = ("", "", ".html", ".php", ".htm")
#: Names under these top levels belong to nobody (RFC 2606); so do the addresses (RFC 5737).
_SUFFIXES = ("example", "test")
_NETWORK = "203.0.113."
#: Share of addresses that look as those of the other kind: no model can tell all.
_ALIKE = 0.06


def web_addresses(addresses: int = 20_000, seed: int = 0) -> pd.DataFrame:
    """Simulate addresses, half of them of pages that imitate a log-in.

    A site has one to five addresses. Harmless ones are a name of one or two words, a section and
    the title of a page. Phishing stands on a name that holds a brand and a lure
    ("river-login-verify"), behind a brand as a sub-domain, deep in a site that was broken into,
    or on an IP address. One in sixteen looks like the other kind.

    Parameters
    ----------
    addresses : int
        >= 20; a few less where sites have one address twice.
    seed : int
        >= 0; the same seed gives the same table.

    Returns
    -------
    pandas.DataFrame
        ``url``, ``site`` (its registered domain) and ``is_phishing``.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> list(web_addresses(20).columns)
    ['url', 'site', 'is_phishing']
    """
    check_at_least({"addresses": (addresses, 20), "seed": (seed, 0)})
    rng, words = np.random.default_rng(seed), sorted(common_words())
    brands = [words[place] for place in rng.integers(len(words), size=40)]
    rows: list[tuple[str, bool]] = []
    while len(rows) < addresses:
        phishing = bool(rng.random() < 0.5)
        looks = phishing != (rng.random() < _ALIKE)
        site = _bad_host(rng, words, brands) if looks else _host(rng, words)
        for _ in range(rng.integers(1, 6)):
            page = _bad_page(rng, words, brands) if looks else _page(rng, words)
            scheme = ("http://", "https://", "")[rng.integers(3)]
            rows.append((f"{scheme}{site}{page}", phishing))
    table = pd.DataFrame(rows[:addresses], columns=["url", "is_phishing"])
    table.insert(1, "site", url_columns(table["url"].tolist())["owner"])
    return table.drop_duplicates("url").reset_index(drop=True)


def _host(rng: np.random.Generator, words: list[str]) -> str:
    name = "".join(_some(rng, words) for _ in range(rng.integers(1, 3)))
    return f"{name}{rng.integers(100) if rng.random() < 0.1 else ''}.{_some(rng, _SUFFIXES)}"


def _page(rng: np.random.Generator, words: list[str]) -> str:
    if rng.random() < 0.1:
        return ""
    title = "-".join(_some(rng, words) for _ in range(rng.integers(1, 5)))
    query = f"?id={rng.integers(10_000)}" if rng.random() < 0.2 else ""
    return f"/{_some(rng, _SECTIONS)}/{title}{_some(rng, _ENDINGS)}{query}"


def _bad_host(rng: np.random.Generator, words: list[str], brands: list[str]) -> str:
    kind, brand = rng.random(), _some(rng, brands)
    if kind < 0.1:
        return f"{_NETWORK}{rng.integers(1, 255)}"
    if kind < 0.4:
        return f"{brand}-{_some(rng, _LURES)}-{_some(rng, _LURES)}.{_some(rng, _SUFFIXES)}"
    if kind < 0.7:
        return f"{brand}.com.{_some(rng, _LURES)}{rng.integers(10_000)}.{_host(rng, words)}"
    return _host(rng, words)


def _bad_page(rng: np.random.Generator, words: list[str], brands: list[str]) -> str:
    if rng.random() < 0.15:
        return ""
    folder = f"/{_some(rng, ('wp-content', 'images', '~user', 'css', 'includes'))}"
    folder += f"/{_some(rng, words)}" * int(rng.integers(0, 2))
    token = "".join(f"{digit:x}" for digit in rng.integers(16, size=rng.integers(4, 24)))
    return f"{folder}/{_some(rng, brands)}/{_some(rng, _LURES)}.php?{_some(rng, _LURES)}={token}"


def _some(rng: np.random.Generator, among: list[str] | tuple[str, ...]) -> str:
    return among[int(rng.integers(len(among)))]
