"""The order that a forecast leads to."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.recipes.forecasting.newsvendor import level_of, order_quantities, quantile_name


def forecast(series: tuple[str, ...] = ("A", "B")) -> pd.DataFrame:
    index = pd.MultiIndex.from_product(
        [series, pd.to_datetime(["2024-01-01", "2024-01-02"])], names=["series", "time"]
    )
    rows = len(index)
    return pd.DataFrame(
        {
            "quantity_p10": np.full(rows, 4.0),
            "quantity_p50": np.full(rows, 10.0),
            "quantity_p90": np.full(rows, 18.0),
        },
        index=index,
    )


def test_order_is_the_quantile_at_the_critical_ratio():
    found = order_quantities(forecast(), unit_cost=2.0, price=5.0)
    assert found["critical_ratio"].tolist() == [0.6] * 4
    assert found["order_quantity"].tolist() == [12.0] * 4


def test_each_series_may_have_its_own_costs():
    found = order_quantities(
        forecast(), unit_cost=5.0, price={"A": 10.0, "B": 20.0}, salvage={"A": 0.0, "B": 1.0}
    )
    by_series = found.groupby(level=0).first()
    assert by_series.loc["A", "order_quantity"] == 10.0
    assert by_series.loc["B", "critical_ratio"] == pytest.approx(15 / 19)


def test_the_order_of_the_columns_does_not_matter():
    table = forecast()
    turned = order_quantities(table[table.columns[::-1]], unit_cost=2.0, price=5.0)
    pd.testing.assert_frame_equal(turned, order_quantities(table, unit_cost=2.0, price=5.0))


def test_a_ratio_at_the_last_level_is_answered_and_one_beyond_refused():
    assert order_quantities(forecast(), unit_cost=1.0, price=10.0)["order_quantity"].iloc[0] == 18.0
    with pytest.raises(ParameterError, match=r"'A'.*0\.950.*0\.1 to 0\.9.*Fit again.*0\.950"):
        order_quantities(forecast(), unit_cost=0.5, price=10.0)


@pytest.mark.parametrize(
    ("costs", "words"),
    [
        ({"unit_cost": 5.0, "price": 4.0}, "salvage < unit_cost < price"),
        ({"unit_cost": 1.0, "price": 4.0, "salvage": 1.0}, "salvage < unit_cost < price"),
        ({"unit_cost": {"A": 1.0}, "price": 4.0}, "'unit_cost'.*no value of the series 'B'"),
        ({"unit_cost": "cheap", "price": 4.0}, "'unit_cost'.*must be a number"),
        ({"unit_cost": np.nan, "price": 4.0}, "salvage < unit_cost < price"),
    ],
)
def test_costs_that_make_no_sense_are_refused(costs: dict, words: str):
    with pytest.raises(ParameterError, match=words):
        order_quantities(forecast(), **costs)


def test_a_table_without_quantiles_is_refused():
    with pytest.raises(SchemaError, match=r"quantity_p10.*it has sold"):
        order_quantities(
            forecast().rename(columns=str.upper)[[]].assign(sold=1.0), unit_cost=1.0, price=4.0
        )


@given(st.integers(1, 9999))
def test_names_of_quantiles_can_be_read_back(number: int):
    level = number / 10_000
    assert level_of(quantile_name("quantity", level)) == pytest.approx(level)


def test_the_order_earns_most_on_average():
    """Against drawn demand, no other quantile of it earns more than the critical one."""
    demand = np.random.default_rng(0).gamma(4, 5, 20_000)
    levels = np.round(np.arange(0.1, 0.95, 0.1), 1)
    table = {quantile_name("quantity", q): [np.quantile(demand, q)] for q in levels}
    index = pd.MultiIndex.from_tuples([("A", 0)], names=["series", "time"])
    order = order_quantities(pd.DataFrame(table, index=index), unit_cost=3.0, price=10.0)
    profit = {
        stock: (10.0 * np.minimum(demand, stock) - 3.0 * stock).mean()
        for stock in (order["order_quantity"].iloc[0], *np.quantile(demand, levels))
    }
    assert max(profit, key=profit.__getitem__) == pytest.approx(order["order_quantity"].iloc[0])
