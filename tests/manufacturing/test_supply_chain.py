"""What is particular to the planner: the level of the critical ratio, the order, the replay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from industry_apps.data import load
from industry_apps.errors import ParameterError, SchemaError
from industry_apps.manufacturing import InventoryPlanner
from industry_apps.runtime import Model


@pytest.fixture(scope="module")
def data():
    return InventoryPlanner.sample()


@pytest.fixture(scope="module")
def planner(data):
    return InventoryPlanner.fast().fit(data)


def with_stock(frame: pd.DataFrame, on_hand: float, on_order: float | None) -> pd.DataFrame:
    last = frame["time"] == frame["time"].max()
    return frame.assign(
        on_hand=np.where(last, on_hand, np.nan),
        on_order=np.where(last, np.nan if on_order is None else on_order, np.nan),
    )


def test_the_order_fills_stock_and_orders_up_to_the_level(planner, data):
    empty = planner.predict(with_stock(data.test, 0, 0))
    assert empty["order_quantity"].tolist() == pytest.approx(empty["order_up_to"].tolist())
    some = planner.predict(with_stock(data.test, 10, 5))
    expected = np.maximum(empty["order_up_to"] - 15, 0)
    assert some["order_quantity"].tolist() == pytest.approx(expected.tolist(), rel=1e-5)
    assert planner.predict(with_stock(data.test, 1e6, None))["order_quantity"].max() == 0
    owed = planner.predict(with_stock(data.test, -20, None))  # negative opening stock: orders wait
    assert owed["order_quantity"].tolist() == pytest.approx(
        (empty["order_up_to"] + 20).tolist(), rel=1e-5
    )
    assert planner.predict(data.test)["order_quantity"].isna().all()


def test_the_level_covers_demand_as_often_as_the_costs_ask_for(data):
    """Of costs 1 and 9 nine times in ten, of equal costs every other time."""
    covered = {}
    for shortage in (1.0, 9.0):
        planner = InventoryPlanner(lead_time=3, history=28, shortage_cost=shortage).fit(data)
        every = pd.concat([data.train, data.validation, data.test], ignore_index=True)
        days = np.sort(data.test["time"].unique())
        hits = []
        for day in days[:-4:4]:
            level = planner.predict(every[every["time"] <= day])["order_up_to"]
            ahead = every[(every["time"] > day) & (every["time"] <= day + np.timedelta64(4, "D"))]
            hits.append((ahead.groupby("item")["quantity"].sum() <= level).mean())
        covered[shortage] = float(np.mean(hits))
    assert covered[1.0] == pytest.approx(0.5, abs=0.17)
    assert covered[9.0] == pytest.approx(0.9, abs=0.1)


def test_zero_lead_time_covers_one_day(data):
    at_once = InventoryPlanner(lead_time=0, history=28, model="normal").fit(data)
    week = InventoryPlanner(lead_time=6, history=28, model="normal").fit(data)
    one, seven = (each.predict(data.test)["median_demand"] for each in (at_once, week))
    assert (7 * one).tolist() == pytest.approx(seven.tolist(), rel=1e-5)
    assert at_once.evaluate(data).metrics["fill_rate"].value > 0.5


def test_the_file_answers_the_order_too(planner, data, tmp_path):
    path = planner.export(tmp_path / "orders.onnx", check=data.test)
    asked = with_stock(data.test, 10, 5)
    ours, theirs = planner.predict(asked), pd.DataFrame(Model(path).predict(asked))
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-4)


@pytest.mark.parametrize("model", ["blend", "trees", "normal"])
def test_an_unknown_product_gets_no_level_and_one_never_asked_for_no_order(model, data, tmp_path):
    planner = replace(InventoryPlanner.fast(), model=model).fit(data)
    asked = pd.concat([data.validation, data.test], ignore_index=True).assign(on_hand=0.0)
    asked.loc[asked["item"] == "P001", "quantity"] = np.nan
    asked.loc[asked["item"] == "P002", "quantity"] = 0.0
    ours = planner.predict(asked)
    assert ours.loc["P001"].isna().all()
    assert ours.loc["P002"].tolist() == [0, 0, 0, 0]
    assert (ours["order_quantity"].drop(["P001", "P002"]) > 0).any()
    theirs = pd.DataFrame(
        Model(planner.export(tmp_path / "orders.onnx", check=asked)).predict(asked)
    )
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-4)


def test_the_report_sets_policies_beside_each_other_and_rare_items_apart(data):
    every = pd.concat([data.train, data.validation, data.test])
    rare = every[every["item"] == "P006"]
    more = [every, rare.assign(item="P106"), rare.assign(item="P206")]
    table = pd.concat(more, ignore_index=True)
    planner = InventoryPlanner.fast()
    split = planner.split(table)
    report = planner.fit(split).evaluate(split)
    assert set(report.baselines) == {"mean", "last_value", "normal_base_stock"}
    assert report.metrics["regret"].value < report.baselines["mean"]["regret"].value
    (section,) = [each for each in report.all_sections() if "seldom" in each.title]
    assert section.text.startswith("3 items")
    assert len(section.rows()) == 5


def test_days_missing_before_the_test_are_named(planner, data):
    gap = np.timedelta64(30, "D")
    late = data.test.assign(time=data.test["time"] + gap)
    first = data.test["time"].min()
    with pytest.raises(SchemaError, match=f"On {first:%Y-%m-%d} 10 of 10 items have no quantity"):
        planner.evaluate(late)
    between = data.test[data.test["time"] < first + gap].assign(quantity=0.0)
    assert planner.evaluate(pd.concat([between, late])).metrics


def test_bad_input_is_refused_by_name(planner, data):
    returned = data.test.copy()
    returned.loc[returned.index[3], "quantity"] = -2.0
    with pytest.raises(SchemaError, match=r"Column 'quantity', row 3.*-2"):
        planner.predict(returned)
    days = np.sort(data.test["time"].unique())[:4]
    few = data.test[data.test["time"].isin(days)].reset_index(drop=True)
    with pytest.raises(SchemaError, match="4 days are too few to judge orders"):
        planner.evaluate(few)
    with pytest.raises(ParameterError, match="'lead_time' parameter of InventoryPlanner"):
        InventoryPlanner(lead_time=-1).fit(data)
    fine = data.train.assign(quantity=data.train["quantity"] / 1000 + 2.0**30)
    with pytest.raises(ParameterError, match="Column 'quantity' differs in digits that float32"):
        InventoryPlanner.fast().fit(fine)


@pytest.mark.real_data("manufacturing_supplygraph")
def test_supplygraph_has_a_row_for_each_product_and_day():
    data = load("manufacturing_supplygraph")
    assert (len(data.train) + len(data.validation) + len(data.test)) == 41 * 221
    assert data.test["time"].nunique() == 60
    assert data.test["quantity"].min() == 0


@pytest.mark.real_data("manufacturing_jsplib", "manufacturing_stockpyl_inventory")
def test_instances_are_read_whole():
    shops = load("manufacturing_jsplib").test
    assert shops["instance"].nunique() == 152
    family = shops["instance"].str.extract(r"^([a-z]+)")[0].groupby(shops["instance"]).first()
    assert family.isin(["abz", "ft", "orb", "swv", "yn"]).sum() == 42
    sizes = shops.groupby("instance").size()
    assert (sizes["ft06"], sizes["ta01"], sizes["yn1"]) == (36, 225, 400)
    first = shops[shops["instance"] == "ft06"].iloc[0]
    assert (first["machine"], first["duration"], first["best_known"]) == ("M2", 1, 55)
    assert len(load("manufacturing_stockpyl_inventory").test) == 70
