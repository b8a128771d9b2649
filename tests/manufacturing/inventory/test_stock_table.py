"""Decisions on a table are those of the functions, row by row, and errors name the row."""

from __future__ import annotations

import pandas as pd
import pytest

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.manufacturing import plan_stock
from industry_apps.manufacturing.inventory.demand import NormalDemand, PoissonDemand
from industry_apps.manufacturing.inventory.newsvendor import base_stock, newsvendor
from industry_apps.manufacturing.inventory.policies import r_q_policy, s_s_policy

ITEMS = pd.DataFrame(
    {
        "mean": [6.0, 50.0],
        "holding_cost": [1.0, 0.18],
        "shortage_cost": [4.0, 0.7],
        "fixed_cost": [5.0, 2.5],
        "lead_time": [0.0, 4.0],
    },
    index=["P1", "P2"],
)


@pytest.mark.parametrize("policy", ["newsvendor", "base_stock", "s_s", "r_q"])
def test_each_row_gets_the_decision_of_its_function(policy):
    rule = {
        "newsvendor": newsvendor,
        "base_stock": base_stock,
        "s_s": s_s_policy,
        "r_q": r_q_policy,
    }[policy]
    found = plan_stock(ITEMS, policy=policy)
    assert list(found.index) == ["P1", "P2"]
    row = ITEMS.loc["P2"]
    needed = ["holding_cost", "shortage_cost"]
    needed += ["fixed_cost"] if policy in ("s_s", "r_q") else []
    needed += ["lead_time"] if policy in ("base_stock", "r_q") else []
    expected = rule(PoissonDemand(mean=row["mean"]), **row[needed].to_dict())
    assert found.loc["P2"].tolist() == pytest.approx(list(expected))


def test_a_spread_makes_demand_normal():
    items = ITEMS.assign(sd=[2.0, 8.0])
    found = plan_stock(items, policy="newsvendor").loc["P2"]
    costs = {"holding_cost": 0.18, "shortage_cost": 0.7}
    assert found.tolist() == pytest.approx(list(newsvendor(NormalDemand(mean=50, sd=8), **costs)))
    with pytest.raises(ParameterError, match=r"Row 0: An \(s, S\) policy is for .* whole units"):
        plan_stock(items, policy="s_s")


def test_quantiles_of_a_forecast_are_ordered_from():
    table = {"quantity_p10": [4.0], "quantity_p50": [10.0], "quantity_p90": [18.0]}
    items = pd.DataFrame({**table, "holding_cost": [2.0], "shortage_cost": [3.0]}, index=["A"])
    assert plan_stock(items, policy="newsvendor").loc["A"].tolist() == [12.0]
    with pytest.raises(ParameterError, match="quantiles tell the newsvendor alone"):
        plan_stock(items.assign(lead_time=1.0), policy="base_stock")
    with pytest.raises(ParameterError, match=r"Row 0: 'holding_cost' is -1\.0"):
        plan_stock(items.assign(holding_cost=-1.0), policy="newsvendor")
    with pytest.raises(ParameterError, match=r"the critical ratio is 0\.980, and the forecast"):
        plan_stock(items.assign(shortage_cost=98.0), policy="newsvendor")


QUANTILES = pd.DataFrame(
    {
        "quantity_p50": [10.0, 50.0],
        "quantity_p10": [4.0, 20.0],
        "quantity_p90": [18.0, 80.0],
        "holding_cost": [2.0, 2.0],
        "shortage_cost": [3.0, 3.0],
    }
)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("quantity_p10", -5.0, "'quantity_p10' is -5.0; expected a finite number >= 0"),
        ("quantity_p50", None, "'quantity_p50' is nan; expected a finite number >= 0"),
        ("quantity_p90", "80", "'quantity_p90' is '80'; expected a finite number >= 0"),
        ("quantity_p10", 70.0, "'quantity_p10' is 70 and 'quantity_p50' is 50; expected quantiles"),
        ("holding_cost", "a", "'holding_cost' is 'a'; expected a finite number > 0"),
        ("shortage_cost", True, "'shortage_cost' is True; expected a finite number > 0"),
    ],
)
def test_quantiles_and_costs_that_are_none_are_refused_by_row(column, value, message):
    wrong = QUANTILES.copy()
    kind = object if isinstance(value, str | bool) else float
    wrong[column] = pd.Series([QUANTILES[column][0], value], dtype=kind)
    with pytest.raises(ParameterError) as caught:
        plan_stock(wrong, policy="newsvendor")
    assert f"Row 1: {message}" in str(caught.value)
    numbers = QUANTILES.astype({column: object})
    expected = plan_stock(QUANTILES, policy="newsvendor")
    pd.testing.assert_frame_equal(plan_stock(numbers, policy="newsvendor"), expected)


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
def test_a_missing_spread_is_refused_whatever_it_is_written_as(missing):
    items = ITEMS.assign(sd=pd.Series([2.0, missing], dtype=object, index=ITEMS.index))
    with pytest.raises(ParameterError, match="Row 1: The 'sd' parameter of NormalDemand"):
        plan_stock(items, policy="newsvendor")


def test_a_level_below_zero_is_refused_and_another_distribution_is_not():
    items = ITEMS.assign(mean=5.0, sd=[1.0, 50.0], shortage_cost=0.01)
    words = r"Row 1: The best stock of NormalDemand\(mean=5.0, sd=50.0\) .* which is -75"
    with pytest.raises(ParameterError, match=words):
        plan_stock(items, policy="newsvendor")
    for remedy in (items.assign(sd=1.0), items.drop(columns="sd")):
        assert (plan_stock(remedy, policy="newsvendor")["order_up_to"] >= 0).all()


def test_a_dictionary_is_refused_and_the_table_of_it_is_not():
    given = ITEMS.to_dict("list")
    with pytest.raises(ParameterError, match=r"Got a dict instead: .* pd\.DataFrame\(items\)"):
        plan_stock(given, policy="newsvendor")
    assert len(plan_stock(pd.DataFrame(given), policy="newsvendor")) == 2


def test_what_is_wrong_in_a_row_is_named():
    with pytest.raises(SchemaError, match="Column 'fixed_cost' is missing: the policy 's_s'"):
        plan_stock(ITEMS.drop(columns="fixed_cost"), policy="s_s")
    with pytest.raises(SchemaError, match="Column 'mean' is missing"):
        plan_stock(ITEMS.drop(columns="mean"), policy="newsvendor")
    with pytest.raises(ParameterError, match="Row 1: The 'holding_cost' parameter of newsvendor"):
        plan_stock(ITEMS.assign(holding_cost=[1.0, 0.0]), policy="newsvendor")
    with pytest.raises(ParameterError, match="Row 0: The 'mean' parameter of PoissonDemand"):
        plan_stock(ITEMS.assign(mean=[-6.0, 50.0]), policy="newsvendor")
    with pytest.raises(ParameterError, match="'policy' parameter of plan_stock must be one of"):
        plan_stock(ITEMS, policy="eoq")
