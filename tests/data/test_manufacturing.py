"""Readers of the files of manufacturing, and the simulator of orders."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest

from industry_apps.data.rules import Reading
from industry_apps.data.shapes import read_files
from industry_apps.data.simulators import product_orders
from industry_apps.errors import ParameterError


def test_job_shops_are_read_by_machine_and_time(tmp_path: Path):
    facts = [
        {"name": "a", "optimum": 7, "path": "instances/a"},
        {"name": "b", "optimum": None, "bounds": {"upper": 9, "lower": 8}, "path": "instances/b"},
        {"name": "c", "optimum": None, "path": "instances/c"},
    ]
    (tmp_path / "instances.json").write_text(json.dumps(facts))
    with ZipFile(tmp_path / "instances.zip", "w") as archive:
        archive.writestr("instances/a", "# words\n2 2\n0 3 1 2\n1  2  0 4\n")
        archive.writestr("instances/b", "#+\n1 2\n 1 5 0 1\n")
    paths = {name: tmp_path / name for name in ("instances.json", "instances.zip")}
    frame = read_files(paths, Reading(reader="jsplib"))
    assert frame.groupby("instance").size().to_dict() == {"a": 4, "b": 2}
    first = frame[(frame["instance"] == "a") & (frame["job"] == "J1")]
    assert first[["position", "machine", "duration"]].to_numpy().tolist() == [
        [0, "M1", 2],
        [1, "M0", 4],
    ]
    last = frame.iloc[-1]
    assert (last["best_known"], last["known_bound"], last["part"]) == (9, 8, "test")


def test_orders_of_products_become_long(tmp_path: Path):
    with ZipFile(tmp_path / "raw.zip", "w") as archive:
        archive.writestr("Sales Order.csv", "Date,A,B\n2023-01-01 00:00:00,1.0000000000004,0\n")
    reading = Reading(reader="supplygraph_orders", entry="Sales Order.csv")
    frame = read_files({"raw.zip": tmp_path / "raw.zip"}, reading)
    assert frame["item"].tolist() == ["A", "B"]
    assert frame["quantity"].tolist() == [1, 0]
    assert frame["time"].tolist() == [pd.Timestamp("2023-01-01")] * 2


def test_inventory_problems_keep_their_inputs(tmp_path: Path):
    problem = {"name": "x", "description": "Example", "data": {"fixed_cost": 8}}
    path = tmp_path / "instances.json"
    path.write_text(json.dumps({"instances": [problem]}))
    frame = read_files({"instances.json": path}, Reading(reader="stockpyl_instances"))
    assert frame["name"].tolist() == ["x"]
    assert json.loads(frame["inputs"][0]) == {"fixed_cost": 8}


def test_simulated_orders_follow_the_week_and_some_are_rare():
    frame = product_orders(items=6, days=200, seed=1)
    pd.testing.assert_frame_equal(frame, product_orders(items=6, days=200, seed=1))
    zeros = (frame["quantity"] == 0).groupby(frame["item"]).mean()
    assert zeros["P006"] > 0.8
    assert zeros.drop("P006").max() < 0.5
    busy = frame[frame["item"] != "P006"]
    by_day = busy.groupby(busy["time"].dt.dayofweek)["quantity"].mean()
    assert by_day.idxmin() == 4
    assert np.isfinite(frame["quantity"]).all()
    assert frame["quantity"].min() >= 0


@pytest.mark.parametrize(("name", "value"), [("items", 1), ("days", 59), ("seed", -1)])
def test_simulated_orders_refuse_what_they_cannot_make(name, value):
    with pytest.raises(ParameterError, match=f"{name} must be at least"):
        product_orders(**{name: value})
