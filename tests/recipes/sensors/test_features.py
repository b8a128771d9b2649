"""The feature graph computes what its names say, whatever is missing; regimes are found."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.errors import ParameterError, TrainingError
from industry_apps.features import Change
from industry_apps.recipes.sensors.graph import SensorGraph, SensorPlan
from industry_apps.recipes.sensors.regimes import learn_regimes
from industry_apps.schema import Column, Schema

LENGTH = 24


def schema(*names, offset=None):
    columns = (Column(name, "number", role="history") for name in names)
    return Schema(tuple(columns))


@pytest.fixture
def readings():
    draw = np.random.default_rng(0)
    return {name: draw.normal(5, 2, 400).astype(np.float32) for name in ("heat", "noise")}


def test_statistics_are_those_of_numpy(readings):
    columns = schema("heat", "noise")
    regimes = learn_regimes(readings, ["heat", "noise"], [], columns, count=None, seed=0)
    plan = SensorPlan(length=LENGTH, steps=6, signals=(Change("heat", 3),))
    graph = SensorGraph(columns, plan, regimes, ("rows", "channels"))
    windows = {name: values[:48].reshape(2, LENGTH).copy() for name, values in readings.items()}
    windows["heat"][0, :10] = np.nan  # a short history
    windows["noise"][0, :10] = np.nan
    windows["noise"][1, 20] = np.nan  # a gap
    found = graph.run(windows)
    rows = dict(zip(graph.names, found["rows"].T, strict=True))
    assert found["known"].ravel().tolist() == [True, True]
    assert rows["readings"].tolist() == [14, 24]
    for place, name in enumerate(("heat", "noise")):
        mean, scale = regimes.mean[0, place], regimes.scale[0, place]
        values = (windows[name] - mean) / scale
        for span in plan.spans:
            expected = np.nanmean(values[:, -span:], axis=1)
            np.testing.assert_allclose(rows[f"mean of the last {span} {name}"], expected, atol=1e-5)
        last = values[:, -10:]
        known = ~np.isnan(last)
        slopes = [
            np.polyfit(np.flatnonzero(k), v[k], 1)[0] * 10 for k, v in zip(known, last, strict=True)
        ]
        np.testing.assert_allclose(rows[f"slope of the last 10 {name}"], slopes, atol=1e-3)
        late = values[:, -20:]
        np.testing.assert_allclose(
            rows[f"spread of the last 20 {name}"], np.nanstd(late, axis=1), atol=1e-4
        )
        np.testing.assert_allclose(rows[f"least of the last 20 {name}"], np.nanmin(late, axis=1))
        channels = found["channels"][:, :, place]
        np.testing.assert_allclose(channels, np.nan_to_num(values)[:, -6:], atol=1e-6)
        of_all = np.nanmean(values, axis=1)
        np.testing.assert_allclose(found["channels"][:, -1, 4 + place], of_all, atol=1e-5)
    change = np.log(windows["heat"][:, -1] / windows["heat"][:, -4])
    np.testing.assert_allclose(rows[graph.names[-1]], change, rtol=1e-4)


def test_nothing_known_is_said_so(readings):
    columns = schema("heat")
    regimes = learn_regimes(readings, ["heat"], [], columns, count=None, seed=0)
    graph = SensorGraph(columns, SensorPlan(length=8, steps=8), regimes, ("rows", "channels"))
    found = graph.run({"heat": np.full((1, 8), np.nan, dtype=np.float32)})
    assert not found["known"].any()
    assert np.isnan(found["rows"][0, :-1]).all()
    assert not found["channels"].any()


def test_a_setting_decides_from_which_mean_a_reading_is_measured():
    draw = np.random.default_rng(0)
    way = draw.integers(0, 3, 900)
    columns = {
        "load": (10.0 * way + draw.normal(0, 0.1, 900)).astype(np.float32),
        "heat": (100.0 * way + draw.normal(0, 1, 900)).astype(np.float32),
        "still": np.full(900, 7.0, dtype=np.float32),
    }
    both = schema("load", "heat", "still")
    regimes = learn_regimes(columns, ["heat", "still"], ["load"], both, count=None, seed=0)
    assert len(regimes.clusters) == 3
    assert regimes.still == ("still",)
    graph = SensorGraph(both, SensorPlan(length=30, steps=2), regimes, ("rows",))
    found = graph.run({n: v.reshape(30, 30) for n, v in columns.items()})
    latest = found["rows"][:, list(graph.names).index("mean of the last 1 heat")]
    np.testing.assert_allclose(
        latest, (columns["heat"] - 100.0 * way).reshape(30, 30)[:, -1], atol=0.3
    )
    windows = {n: v.reshape(30, 30).copy() for n, v in columns.items()}
    windows["load"][0, -1] = np.nan  # nobody knows how it was run
    unknown = graph.run(windows)["rows"][0]
    assert np.isnan(unknown[list(graph.names).index("mean of the last 1 heat")])


def test_settings_that_only_jitter_are_one_cluster(readings):
    draw = np.random.default_rng(0)
    settings = {f"setting_{n}": draw.normal(0, 1e-3, 400).astype(np.float32) for n in (1, 2)}
    both = schema(*readings, *settings)
    found = learn_regimes(
        {**readings, **settings}, list(readings), list(settings), both, count=None, seed=0
    )
    assert found.settings == ()
    assert len(found.clusters) == 1
    two = learn_regimes(
        {**readings, **settings}, list(readings), list(settings), both, count=2, seed=0
    )
    assert len(two.clusters) == 2


def test_no_sensor_that_varies_is_refused():
    still = {"heat": np.ones(50, dtype=np.float32), "noise": np.full(50, np.nan, dtype=np.float32)}
    with pytest.raises(TrainingError, match=r"None of the sensors 'heat', 'noise' varies"):
        learn_regimes(still, list(still), [], schema(*still), count=None, seed=0)


def test_a_feature_longer_than_the_window_is_refused():
    with pytest.raises(ParameterError, match="longer 'history'"):
        SensorPlan(length=5, steps=5, signals=(Change("heat", 10),))
