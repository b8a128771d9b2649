"""Decisions on a table of products, each with demand and costs of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Literal

import pandas as pd

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.limits import NOT_NEGATIVE, POSITIVE, one_of, plain, wrong_parameter
from industry_apps.manufacturing.inventory.demand import NormalDemand, PoissonDemand
from industry_apps.manufacturing.inventory.newsvendor import base_stock, newsvendor
from industry_apps.manufacturing.inventory.policies import r_q_policy, s_s_policy
from industry_apps.recipes.forecasting.newsvendor import level_of, order_quantities

Policy = Literal["newsvendor", "base_stock", "s_s", "r_q"]

#: What each policy needs beside demand, and the names of what it answers.
_NEEDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "newsvendor": ("holding_cost", "shortage_cost"),
        "base_stock": ("holding_cost", "shortage_cost", "lead_time"),
        "s_s": ("holding_cost", "shortage_cost", "fixed_cost"),
        "r_q": ("holding_cost", "shortage_cost", "fixed_cost", "lead_time"),
    }
)
_ANSWERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "newsvendor": ("order_up_to", "expected_cost"),
        "base_stock": ("order_up_to", "expected_cost"),
        "s_s": ("reorder_point", "order_up_to", "expected_cost"),
        "r_q": ("reorder_point", "order_quantity", "expected_cost"),
    }
)
_RULES: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {"newsvendor": newsvendor, "base_stock": base_stock, "s_s": s_s_policy, "r_q": r_q_policy}
)


def plan_stock(items: pd.DataFrame, *, policy: Policy) -> pd.DataFrame:
    """The best decision for each product of a table.

    Parameters
    ----------
    items : DataFrame
        A row for each product, or period of one. Its demand: ``mean`` and ``sd`` (units a period,
        normal), ``mean`` alone (Poisson), or for the newsvendor quantiles as a forecast gives
        them, in columns such as ``quantity_p50``. Its costs: ``holding_cost`` and
        ``shortage_cost`` (currency a unit and period, > 0), for (s, S) and (r, Q) ``fixed_cost``
        (of an order, > 0), for the base stock and (r, Q) ``lead_time`` (periods, >= 0).
    policy : {"newsvendor", "base_stock", "s_s", "r_q"}
        (s, S) is for Poisson demand.

    Returns
    -------
    DataFrame
        On the same index: ``order_up_to``, ``reorder_point``, ``order_quantity`` as far as the
        policy has them, in units, and ``expected_cost`` (currency a period; of quantiles none).

    Raises
    ------
    SchemaError
        A column is missing.
    ParameterError
        Names the row and what is wrong in it.

    Examples
    --------
    >>> items = pd.DataFrame({"mean": [50.0], "sd": [8.0], "holding_cost": [0.18],
    ...     "shortage_cost": [0.7]}, index=["P1"])
    >>> plan_stock(items, policy="newsvendor").round(2)
        order_up_to  expected_cost
    P1         56.6            2.0
    """
    names = tuple(_RULES)
    if policy not in names:
        raise wrong_parameter("plan_stock", "policy", one_of(names).words, policy)
    if not isinstance(items, pd.DataFrame):
        raise ParameterError(
            "The 'items' parameter of plan_stock must be a DataFrame with a row for each product. "
            f"Got a {type(items).__name__} instead: make one of it, as by pd.DataFrame(items)."
        )
    items = items.set_axis(items.columns.astype(str), axis=1)
    quantiles = [name for name in items.columns.tolist() if level_of(name) is not None]
    for name in (*_NEEDED[policy], *(() if quantiles else ("mean",))):
        if name not in items:
            raise SchemaError(
                f"Column {name!r} is missing: the policy {policy!r} needs "
                f"{', '.join(_NEEDED[policy])} and demand, as 'mean' and 'sd' or, for the "
                f"newsvendor, quantiles. The table has {', '.join(map(str, items))}."
            )
    if quantiles and "mean" not in items:
        return _of_quantiles(items, quantiles, policy)
    values = items.to_numpy(dtype=object)
    rows = [
        _decided(place, dict(zip(items.columns.tolist(), row, strict=True)), policy)
        for place, row in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=list(_ANSWERS[policy]), index=items.index)


def _decided(place: int, row: Mapping[str, Any], policy: Policy) -> tuple[float, ...]:
    costs = {name: row[name] for name in _NEEDED[policy]}
    try:
        demand = (
            NormalDemand(mean=row["mean"], sd=row["sd"])
            if "sd" in row
            else PoissonDemand(mean=row["mean"])
        )
        if policy == "s_s" and isinstance(demand, NormalDemand):
            raise ParameterError(
                "An (s, S) policy is for demand in whole units. Leave 'sd' out, which is Poisson's "
                "demand, or use s_s_power_approximation."
            )
        found: tuple[float, ...] = _RULES[policy](demand, **costs)
    except ParameterError as error:
        raise ParameterError(f"Row {place}: {error}") from error
    return found


def _of_quantiles(items: pd.DataFrame, quantiles: list[str], policy: Policy) -> pd.DataFrame:
    if policy != "newsvendor":
        raise ParameterError(
            f"The policy {policy!r} needs the distribution of demand, and quantiles tell the "
            "newsvendor alone. Give 'mean' and 'sd'."
        )
    index = pd.Index([str(place) for place in range(len(items))])
    costs = {name: items[name].tolist() for name in _NEEDED[policy]}
    quantiles = sorted(quantiles, key=lambda name: level_of(name) or 0.0)
    for limit, names in ((POSITIVE, costs), (NOT_NEGATIVE, quantiles)):
        for name in names:
            for place, value in enumerate(map(plain, items[name].tolist())):
                if not limit.holds(value):
                    raise ParameterError(
                        f"Row {place}: {name!r} is {value!r}; expected {limit.words}. Correct it."
                    )
    for low, high in pairwise(quantiles):
        falls = (items[low] > items[high]).to_numpy()
        if falls.any():
            place = int(falls.argmax())
            raise ParameterError(
                f"Row {place}: {low!r} is {items[low].iloc[place]:g} and {high!r} is "
                f"{items[high].iloc[place]:g}; expected quantiles that rise with their level. "
                "Correct them, or sort the quantiles of the row."
            )
    # A unit short loses price - cost, one left over cost - salvage: here with a cost of nothing.
    found = order_quantities(
        items[quantiles].set_axis(index),
        unit_cost=0.0,
        price=dict(zip(index, costs["shortage_cost"], strict=True)),
        salvage=dict(zip(index, (-value for value in costs["holding_cost"]), strict=True)),
    )
    return pd.DataFrame({"order_up_to": found["order_quantity"].to_numpy()}, index=items.index)
