"""Simulated daily orders of the products of a factory that does not exist."""

from __future__ import annotations

import numpy as np
import pandas as pd

from industry_apps.data.simulators.limits import check_at_least

__all__ = ["product_orders"]

#: By the day of the week, Monday first: hardly anything is ordered on Fridays.
_WEEK = (1.2, 1.1, 1.0, 1.4, 0.02, 0.4, 1.5)
#: Of each product that is ordered seldom, the share of days with an order.
_SELDOM = 0.12


def product_orders(
    *, items: int = 24, days: int = 500, start: str = "2023-01-02", seed: int = 0
) -> pd.DataFrame:
    """Simulate what distributors order of each product, day by day.

    Orders are drawn from a negative binomial around the product's level, times a weekly profile, a
    slow random walk, and a wave of half a year. Every sixth product is ordered seldom: nothing on
    nine of ten days.

    Parameters
    ----------
    items : int
        At least 2.
    days : int
        At least 60.
    start : str
        First day.
    seed : int
        Not negative. Same seed, same table.

    Returns
    -------
    pandas.DataFrame
        Sorted by item, then time: ``item`` (``"P001"``), ``time`` (a day), ``quantity`` (units).

    Raises
    ------
    ParameterError
        When a parameter is outside its limits.

    Examples
    --------
    >>> frame = product_orders(items=3, days=60)
    >>> len(frame), list(frame.columns)
    (180, ['item', 'time', 'quantity'])
    """
    check_at_least({"items": (items, 2), "days": (days, 60), "seed": (seed, 0)})
    rng = np.random.default_rng(seed)
    dates = pd.date_range(start, periods=days, freq="D").as_unit("ns")
    week = np.array(_WEEK)[dates.dayofweek]
    parts = []
    for item in range(items):
        level = np.exp(rng.normal(4.0, 1.0))
        drift = np.cumsum(rng.normal(0, 0.02, days))
        wave = 0.3 * np.sin(2 * np.pi * (np.arange(days) / 182 + rng.random()))
        mean = level * week * np.exp(drift + wave)
        if item % 6 == 5:
            mean = level * (rng.random(days) < _SELDOM)
        shape = rng.uniform(2.0, 6.0)
        ordered = rng.negative_binomial(shape, shape / (shape + np.maximum(mean, 1e-9)))
        values = {"item": f"P{item + 1:03d}", "time": dates, "quantity": ordered.astype(float)}
        parts.append(pd.DataFrame(values))
    return pd.concat(parts, ignore_index=True)
