"""From a forecast to an order: the newsvendor's quantile of what will be sold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, SchemaError

Money = float | Mapping[str, float]


def level_of(name: str) -> float | None:
    """The level of a quantile by the name of its column, or None where it is none.

    Examples
    --------
    >>> level_of("quantity_p10"), level_of("quantity_p97_5"), level_of("price")
    (0.1, 0.975, None)
    """
    found = re.search(r"_p(\d+(?:_\d+)?)$", name)
    return float(found[1].replace("_", ".")) / 100 if found else None


def quantile_name(stem: str, level: float) -> str:
    """The name of the column of a quantile.

    Examples
    --------
    >>> quantile_name("quantity", 0.1), quantile_name("quantity", 0.975)
    ('quantity_p10', 'quantity_p97_5')
    """
    percent = f"{100 * level:.6f}".rstrip("0").rstrip(".").replace(".", "_")
    return f"{stem}_p{percent}"


def order_quantities(
    forecast: pd.DataFrame, *, unit_cost: Money, price: Money, salvage: Money = 0.0
) -> pd.DataFrame:
    """How much to have in stock for each series and time, so that expected profit is largest.

    A unit too few loses ``price - unit_cost``, one too many ``unit_cost - salvage``: the best
    stock is the quantile of demand at the critical ratio of the first to their sum. It is
    read off the quantiles of the forecast, linearly between them. What is in stock already
    has to be subtracted.

    Parameters
    ----------
    forecast : DataFrame
        What ``predict`` returns: indexed by series and time, with columns such as
        ``quantity_p10``.
    unit_cost, price, salvage : float or mapping of str to float
        Of one unit: paid, taken, and got back for one left over; one for all, or one for
        each series. ``salvage <= unit_cost < price`` and ``salvage < unit_cost``.

    Returns
    -------
    DataFrame
        On the same index: ``order_quantity`` (units) and ``critical_ratio``.

    Raises
    ------
    ParameterError
        The costs make no sense, a series has none, or the critical ratio lies outside the
        levels of the forecast.
    SchemaError
        The table has no quantiles.

    References
    ----------
    Arrow, K., Harris, T. and Marschak, J. (1951). Optimal inventory policy. Econometrica
    19, 250-272, doi:10.2307/1906813.

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([("A", "2024-01-01")], names=["series", "time"])
    >>> table = {"quantity_p10": [4.0], "quantity_p50": [10.0], "quantity_p90": [18.0]}
    >>> forecast = pd.DataFrame(table, index=index)
    >>> order = order_quantities(forecast, unit_cost=2.0, price=5.0, salvage=0.0)
    >>> order["order_quantity"].tolist(), order["critical_ratio"].tolist()
    ([12.0], [0.6])
    """
    levels = sorted(
        (level, name) for name in forecast.columns if (level := level_of(str(name))) is not None
    )
    if not levels:
        raise SchemaError(
            f"The forecast has no columns of quantiles, such as 'quantity_p10': it has "
            f"{', '.join(map(str, forecast.columns))}. Give what predict returned."
        )
    series = forecast.index.get_level_values(0)
    cost, income, rest = (
        _of_series(name, each, series)
        for name, each in (("unit_cost", unit_cost), ("price", price), ("salvage", salvage))
    )
    _check(series, cost, income, rest)
    ratio = (income - cost) / (income - rest)
    _check_levels(series, ratio, [level for level, _ in levels])
    knots = np.array([level for level, _ in levels])
    values = forecast[[name for _, name in levels]].to_numpy(dtype=np.float64)
    place = np.clip(np.searchsorted(knots, ratio, side="right") - 1, 0, max(len(knots) - 2, 0))
    rows, after = np.arange(len(values)), np.minimum(place + 1, len(knots) - 1)
    width = knots[after] - knots[place]
    share = np.where(width > 0, (ratio - knots[place]) / np.where(width > 0, width, 1), 0)
    order = values[rows, place] + share * (values[rows, after] - values[rows, place])
    made = {"order_quantity": order.round(6), "critical_ratio": ratio}
    return pd.DataFrame(made, index=forecast.index)


def _of_series(name: str, money: Money, series: pd.Index) -> NDArray[np.float64]:
    """The amount of each row."""
    if not isinstance(money, Mapping):
        amount: Any = money
        if isinstance(amount, bool) or not isinstance(amount, int | float):
            raise ParameterError(
                f"The {name!r} parameter of order_quantities must be a number, or a mapping of "
                f"series to numbers. Got {money!r} instead."
            )
        return np.full(len(series), float(amount))
    absent = [each for each in series.unique() if each not in money]
    if absent:
        raise ParameterError(
            f"The {name!r} parameter of order_quantities has no value of the series {absent[0]!r} "
            f"({len(absent)} lack one). Add it, or give one number for all."
        )
    return np.array([float(money[each]) for each in series])


def _check(series: pd.Index, *amounts: NDArray[np.float64]) -> None:
    cost, price, salvage = amounts
    wrong = ~((salvage < cost) & (cost < price))
    if wrong.any():
        row = int(wrong.argmax())
        raise ParameterError(
            f"Series {series[row]!r}: a unit costs {cost[row]:g}, sells for {price[row]:g} and "
            f"brings {salvage[row]:g} when left over; expected salvage < unit_cost < price. With "
            "no loss of a unit too many there is no best order: correct the amounts."
        )


def _check_levels(series: pd.Index, ratio: NDArray[np.float64], levels: list[float]) -> None:
    outside = (ratio < levels[0] - 1e-9) | (ratio > levels[-1] + 1e-9)
    if outside.any():
        row = int(outside.argmax())
        raise ParameterError(
            f"Series {series[row]!r}: the critical ratio is {ratio[row]:.3f}, and the forecast "
            f"has quantiles from {levels[0]:g} to {levels[-1]:g} only. Fit again with a quantile "
            f"beyond it: quantiles=({', '.join(f'{level:g}' for level in levels)}, "
            f"{ratio[row]:.3f}), in rising order."
        )
