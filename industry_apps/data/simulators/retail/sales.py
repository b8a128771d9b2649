"""Simulated daily sales of stores that do not exist, with prices, promotions and holidays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from industry_apps.data.simulators.limits import check_at_least

__all__ = ["store_sales"]

_CATEGORIES = ("bakery", "dairy", "drinks", "household")
_DISCOUNT = 0.25  # of the price, on a promotion
_LIFT = 1.3  # of a promotion beyond what its lower price does
_ELASTICITY = -1.5
#: Month and day, and by how much sales are multiplied.
_HOLIDAYS = {(1, 1): 0.1, (5, 1): 0.6, (12, 24): 1.8, (12, 25): 0.1, (12, 31): 1.5}

_Floats = npt.NDArray[np.float64]


def store_sales(
    *,
    stores: int = 6,
    products: int = 8,
    days: int = 730,
    start: str = "2022-01-03",
    seed: int = 0,
) -> pd.DataFrame:
    """Simulate what each store sells of each product, day by day.

    The logarithm of what is usually sold is the sum of the product's and the store's level,
    a weekly profile, a yearly wave, a slow random walk, ``-1.5`` times the logarithm of the
    price over its usual one, 0.26 on a promotion, and a factor on holidays (both known in
    advance); sales are drawn from a negative binomial around it.

    - Every fourth product sells seldom: nothing on most days.
    - The second product is new: it is listed in the last tenth of the days only.
    - The last store was closed for ten days in the middle, and has no rows then.
    - Two in a hundred quantities were not reported: they are missing.

    Parameters
    ----------
    stores, products : int
        At least 2 each; a series is one product in one store.
    days : int
        At least 60.
    start : str
        First day.
    seed : int
        Not negative. Same seed, same table.

    Returns
    -------
    pandas.DataFrame
        Sorted by series, then time: ``series`` (``"S01/P003"``), ``time`` (a day),
        ``quantity`` (units; missing where not reported), ``price`` (currency, before the
        day known), ``promotion`` and ``holiday`` (bool, known in advance), ``visitors``
        (of the store, known afterwards), ``store``, ``category``.

    Raises
    ------
    ParameterError
        When a parameter is outside its limits.

    Examples
    --------
    >>> frame = store_sales(stores=2, products=4, days=60)
    >>> list(frame.columns[:6])
    ['series', 'time', 'quantity', 'price', 'promotion', 'holiday']
    >>> frame["series"].nunique()
    8
    """
    check_at_least(
        {
            "stores": (stores, 2),
            "products": (products, 2),
            "days": (days, 60),
            "seed": (seed, 0),
        }
    )
    rng = np.random.default_rng(seed)
    dates = pd.date_range(start, periods=days, freq="D").as_unit("ns")
    holiday = np.array([_HOLIDAYS.get((day.month, day.day), 1.0) for day in dates])
    traffic = np.exp(rng.normal(0, 0.08, (stores, days)))
    parts = []
    for store in range(stores):
        size = rng.normal(0, 0.4)
        week = rng.normal(0, 0.05, 7) + np.array([0, -0.05, 0, 0.05, 0.15, 0.35, -0.3])
        usual = size + week[dates.dayofweek] + np.log(holiday) + np.log(traffic[store])
        for product in range(products):
            part = _series(rng, dates, usual, product)
            part.insert(0, "series", f"S{store + 1:02d}/P{product + 1:03d}")
            part["holiday"] = holiday != 1
            part["visitors"] = np.round(1000 * np.exp(usual)).clip(1)
            part["store"] = f"S{store + 1:02d}"
            part["category"] = _CATEGORIES[product % len(_CATEGORIES)]
            if product == 1:
                part = part[9 * days // 10 :]
            if store == stores - 1:
                part = part.drop(range(days // 2, days // 2 + 10), errors="ignore")
            parts.append(part)
    frame = pd.concat(parts, ignore_index=True)
    frame.loc[rng.random(len(frame)) < 0.02, "quantity"] = np.nan
    order = ["series", "time", "quantity", "price", "promotion", "holiday", "visitors"]
    return frame[[*order, "store", "category"]]


def _series(
    rng: np.random.Generator, dates: pd.DatetimeIndex, usual: _Floats, product: int
) -> pd.DataFrame:
    """Sales, price and promotions of one product in one store."""
    days = len(dates)
    seldom = product % 4 == 3
    level = rng.normal(-1.5, 0.3) if seldom else rng.normal(3.2, 0.6)
    wave = 0.25 * np.sin(2 * np.pi * (dates.dayofyear / 365.25 + rng.random()))
    drift = np.cumsum(rng.normal(0, 0.008, days))
    weeks = rng.random(days // 7 + 1) < 0.12
    promotion = np.repeat(weeks, 7)[:days]
    base = rng.uniform(1, 8) * (1 + 0.03 * (np.arange(days) // 180))
    price = np.round(base * np.where(promotion, 1 - _DISCOUNT, 1.0), 2)
    lift = _ELASTICITY * np.log(price / base[0]) + promotion * np.log(_LIFT)
    mean = np.exp(level + usual + wave + drift + lift)
    shape = 8.0
    sold = rng.negative_binomial(shape, shape / (shape + mean))
    return pd.DataFrame(
        {
            "time": dates,
            "quantity": sold.astype(np.float64),
            "price": price,
            "promotion": promotion,
        }
    )
