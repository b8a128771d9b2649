"""Ratios and parts of moments against numpy and pandas."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from industry_apps.features import FeatureGraph, Ratio, RatioToRest, Raw, TimePart
from industry_apps.features.sources import CYCLES, Part
from industry_apps.schema import Column, Schema
from industry_apps.schema.values import MISSING_TIME

PAIR = Schema((Column(name="a", kind="number"), Column(name="b", kind="number")))
MOMENT = Schema((Column(name="t", kind="datetime"),))

moments = st.datetimes(datetime(1700, 1, 1), datetime(2200, 12, 31, 23, 59, 59))
numbers = st.none() | st.just(0.0) | st.floats(-1e6, 1e6, width=32, allow_subnormal=False)


@given(st.lists(st.tuples(numbers, numbers), min_size=1))
def test_ratio(pairs: list[tuple[float | None, float | None]]) -> None:
    arrays = PAIR.to_arrays({"a": [a for a, _ in pairs], "b": [b for _, b in pairs]})
    graph = FeatureGraph(PAIR, [Raw(Ratio("a", "b"))])
    with np.errstate(all="ignore"):
        expected = arrays["a"] / arrays["b"]  # infinite over 0; 0 over 0 is missing
    assert_array_equal(graph.run(arrays)["numeric"][:, 0], expected)
    assert graph.names == ["a/b"]


@given(st.lists(st.none() | st.floats(0, 1e4, width=32), min_size=1, max_size=20))
def test_ratio_to_the_rest_of_a_window(values: list[float | None]) -> None:
    windows = [values[: n + 1] for n in range(len(values))]  # of each value and those before
    known = [[x for x in window if x is not None] for window in windows]
    frame = {
        "x": values,
        "mean": [np.mean(each) if each else None for each in known],
        "count": [len(window) for window in windows],
    }
    schema = Schema(tuple(Column(name=name, kind="number") for name in frame))
    graph = FeatureGraph(schema, [Raw(RatioToRest("x", "mean", "count"))])
    found = graph.run(schema.to_arrays(frame))["numeric"][:, 0]
    for x, window, answer in zip(values, windows, found, strict=True):
        rest = sum(window[:-1]) if None not in window else 0
        if x is None or len(window) == 1:
            assert np.isnan(answer)
        elif rest > max(0.05 * x, 2e-3):  # the sum of the others is not lost in float32
            assert answer == pytest.approx(x / (rest / (len(window) - 1)), rel=1e-3)


def parts(frame: pd.Series) -> pd.DataFrame:
    """The oracle: calendar parts by pandas, NaN where the moment is missing."""
    time = frame.dt
    seconds = time.hour * 3600 + time.minute * 60 + time.second
    return pd.DataFrame(
        {
            "hour": (seconds / 3600).astype(np.float32),
            "weekday": time.dayofweek,
            "day": time.day,
            "month": time.month,
            "weekend": (time.dayofweek >= 5).where(frame.notna()),
        }
    ).astype(np.float32)


@given(st.lists(moments | st.none(), min_size=1))
def test_time_parts(values: list[datetime | None]) -> None:
    series = pd.Series(values, dtype="datetime64[ns]")
    names = get_args(Part)
    graph = FeatureGraph(MOMENT, [Raw(TimePart("t", part)) for part in names])
    found = graph.run(MOMENT.to_arrays({"t": series}))["numeric"]
    assert graph.names == [f"t.{part}" for part in names]
    for column, part in enumerate(names):
        assert_array_equal(found[:, column], parts(series)[part], err_msg=part)


def test_every_day_of_four_centuries() -> None:
    days = pd.Series(pd.date_range("1799-12-01", "2200-03-01", freq="D"))
    graph = FeatureGraph(MOMENT, [Raw(TimePart("t", part)) for part in ("day", "month", "weekday")])
    found = graph.run(MOMENT.to_arrays({"t": days}))["numeric"]
    assert_array_equal(found, parts(days)[["day", "month", "weekday"]])


@pytest.mark.parametrize("part", get_args(Part))
def test_the_missing_moment_has_no_parts(part: Part) -> None:
    arrays = {"t": np.array([MISSING_TIME, 0])}
    found = FeatureGraph(MOMENT, [Raw(TimePart("t", part))]).run(arrays)["numeric"][:, 0]
    assert np.isnan(found).tolist() == [True, False]


@pytest.mark.parametrize("part", list(CYCLES))
def test_cycles_are_those_of_the_calendar(part: Part) -> None:
    days = pd.Series(pd.date_range("2023-01-01", "2024-01-31 23:59:59", freq="h"))
    values = parts(days)[part]
    period, start = CYCLES[part]
    assert values.min() == start
    assert start + period - 1 <= values.max() < start + period
