"""Tables of machines become lives in order, or are refused with what is wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import SchemaError
from industry_apps.recipes.sensors.lives import LifeColumns, Lives, remaining_life
from industry_apps.runtime import Panel, WindowRule
from industry_apps.schema import Column, Schema

SCHEMA = Schema((Column("heat", "number", role="history"),))
RULE = WindowRule(series="machine", time="time", length=3, step="index", as_of="series")
NAMES = LifeColumns("machine", "time", "remaining_life", "failed")


@pytest.fixture
def frame():
    table = pd.DataFrame(
        {
            "machine": ["B", "A", "B", "A", "B"],
            "time": [2, 7, 1, 5, 4],
            "heat": [20.0, 2.0, 10.0, 1.0, 40.0],
        }
    )
    return table.assign(remaining_life=remaining_life(table, failed=True))


def test_readings_are_in_order_and_their_windows_are_those_of_the_file(frame):
    lives = Lives.read(frame, SCHEMA, RULE, NAMES)
    assert lives.machines.tolist() == ["A", "B"]
    assert lives.times.tolist() == [5, 7, 1, 2, 4]
    assert lives.life.tolist() == [2, 0, 3, 2, 0]
    assert lives.ages.tolist() == [1, 2, 1, 2, 3]
    panel = Panel.read(frame, SCHEMA, RULE)
    served = panel.feeds(len(panel.times), SCHEMA, RULE)["heat"]
    np.testing.assert_array_equal(lives.windows(lives.last, 3)["heat"], served)
    late = lives.windows(lives.last, 3, begins=lives.last)["heat"]
    assert np.isnan(late[:, :2]).all()
    assert late[:, 2].tolist() == [2, 40]


def test_parts_join_to_the_whole(frame):
    lives = Lives.read(frame, SCHEMA, RULE, NAMES)
    joined = lives.part([1]).joined(lives.part([0]))
    for name in ("machines", "starts", "times", "life"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(lives, name))
    np.testing.assert_array_equal(joined.columns["heat"], lives.columns["heat"])


def test_life_that_rises_or_ends_twice_is_refused(frame):
    rising = frame.assign(remaining_life=[1.0, 0.0, 3.0, 2.0, 5.0])
    with pytest.raises(
        SchemaError, match=r"'remaining_life' of machine 'B' at 4 rises from 1 to 5"
    ):
        Lives.read(rising, SCHEMA, RULE, NAMES)
    for last in (0.0, np.nan):  # of which nothing is known, it has come after the end, too
        after = frame.assign(remaining_life=[0.0, 0.0, 3.0, 2.0, last])
        with pytest.raises(
            SchemaError, match=r"'B' at 4 follows a reading at which it is 0.*Leave out the read"
        ):
            Lives.read(after, SCHEMA, RULE, NAMES)
    with pytest.raises(SchemaError, match=r"'remaining_life', row 1.*-2"):
        Lives.read(frame.assign(remaining_life=[1, -2, 3, 2, 0]), SCHEMA, RULE, NAMES)


def test_longest_runs_are_of_one_machine_each(frame):
    lives = Lives.read(frame.assign(heat=[5.0, 5.0, 5.0, 5.0, 6.0]), SCHEMA, RULE, NAMES)
    assert lives.longest_runs(["heat"]) == {"heat": 2}  # not the four of both


def test_extremes_are_of_what_is_known(frame):
    lives = Lives.read(frame.assign(heat=[5.0, np.nan, 1.0, 2.0, 6.0]), SCHEMA, RULE, NAMES)
    assert lives.extremes(["heat"]) == {"heat": [1.0, 6.0]}
    lives = Lives.read(frame.assign(heat=np.nan), SCHEMA, RULE, NAMES)
    assert lives.extremes(["heat"]) == {}


def test_remaining_life_of_records(frame):
    table = frame.drop(columns="remaining_life").assign(failed=frame["machine"] == "B")
    found = remaining_life(table, failed="failed")
    assert found.isna().tolist() == [False, True, False, True, False]
    moments = table.assign(time=pd.Timestamp("2024-01-01") + pd.to_timedelta(table["time"], "D"))
    hours = remaining_life(moments, failed=True, unit="h")
    assert hours.tolist() == (24 * frame["remaining_life"]).tolist()
    for wrong, words in (
        ({"failed": False}, "no machine has failed"),
        ({"failed": "broken"}, "'broken' is missing"),
        ({"failed": True, "time": "hour"}, "'hour' is missing"),
    ):
        with pytest.raises(SchemaError, match=words):
            remaining_life(table, **wrong)
    with pytest.raises(
        SchemaError, match=r"machine 'B' both that it has failed and that it has not"
    ):
        remaining_life(table.assign(failed=[True, True, False, True, True]), failed="failed")
    with pytest.raises(SchemaError, match="no machine has failed"):
        remaining_life(table.assign(failed=False), failed="failed")
