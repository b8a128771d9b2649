"""Simulated purchases in a shop that does not exist."""

from __future__ import annotations

import numpy as np
import pandas as pd

from industry_apps.errors import ParameterError

__all__ = ["shop_purchases"]

_CATEGORIES = (
    "bakery", "dairy", "fruit", "vegetables", "meat", "fish", "drinks", "snacks",
    "household", "care", "pets", "flowers",
)  # fmt: skip
_START = np.datetime64("2024-01-01T08:00:00", "s")
_DAYS = 180
#: Distinct items that a customer takes, on average.
_ITEMS_A_CUSTOMER = 22
_TASTE_DIMENSIONS = 6
#: Chance that the next purchase is a companion of the last one.
_COMPANION = 0.25


def shop_purchases(customers: int = 5_000, items: int = 600, seed: int = 0) -> pd.DataFrame:
    """Simulate what customers of a shop buy over half a year.

    Each customer likes a few of twelve categories, and within them items near to their own
    taste, a point among those of the items. A few items are bought by nearly everybody, most
    by few (Zipf's law). A quarter of the purchases follow from the one before: each item has
    two companions that are often bought next. Customers come one after the other over the first
    five months, and nobody buys an item twice.

    Parameters
    ----------
    customers : int
        > 0.
    items : int
        At least 24.
    seed : int
        >= 0; the same seed gives the same table.

    Returns
    -------
    pandas.DataFrame
        ``user``, ``item``, ``time``, ``weight`` (pieces bought) and the ``category`` of the
        item, by time.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> shop_purchases(50, 100).columns.tolist()
    ['user', 'item', 'time', 'weight', 'category']
    """
    if customers < 1 or items < 2 * len(_CATEGORIES) or seed < 0:
        raise ParameterError(
            f"shop_purchases needs customers > 0, items >= {2 * len(_CATEGORIES)} and seed >= 0. "
            f"Got {customers!r}, {items!r} and {seed!r} instead."
        )
    rng = np.random.default_rng(seed)
    category = np.arange(items) % len(_CATEGORIES)
    fame = -0.8 * np.log(rng.permutation(items) + 3.0)
    place = rng.normal(size=(items, _TASTE_DIMENSIONS))
    companions = rng.integers(0, items, (items, 2))
    parts = []
    for customer in range(customers):
        liked = rng.dirichlet(np.full(len(_CATEGORIES), 0.4))[category]
        taste = place @ rng.normal(size=_TASTE_DIMENSIONS)
        odds = fame + 0.8 * np.log(liked + 1e-3) + 0.6 * taste
        wish = np.exp(odds - odds.max())
        bought = _purchases(rng, wish / wish.sum(), companions)
        first = rng.integers(0, 150 * 86_400)
        moments = np.sort(rng.integers(first, _DAYS * 86_400, len(bought)))
        parts.append((np.full(len(bought), customer), bought, moments))
    who, what, when = (np.concatenate(each) for each in zip(*parts, strict=True))
    order = np.argsort(when, kind="stable")
    who, what, when = who[order], what[order], when[order]
    names = np.array([f"C{code:05d}" for code in range(customers)], dtype=object)
    articles = np.array([f"A{code:04d}" for code in range(items)], dtype=object)
    return pd.DataFrame(
        {
            "user": names[who],
            "item": articles[what],
            "time": (_START + when).astype("datetime64[ns]"),
            "weight": 1 + rng.poisson(0.6, len(who)),
            "category": np.array(_CATEGORIES, dtype=object)[category[what]],
        }
    )


def _purchases(rng: np.random.Generator, wish: np.ndarray, companions: np.ndarray) -> list[int]:
    """Items of one customer, in the order in which they are bought."""
    count = min(3 + rng.poisson(_ITEMS_A_CUSTOMER - 3), len(wish) // 2)
    wished = rng.choice(len(wish), count, replace=False, p=wish).tolist()
    bought: list[int] = []
    while wished and len(bought) < count:
        following = int(companions[bought[-1], rng.integers(2)]) if bought else -1
        if following >= 0 and following not in bought and rng.random() < _COMPANION:
            bought.append(following)
            if following in wished:
                wished.remove(following)
        else:
            bought.append(wished.pop(0))
    return bought
