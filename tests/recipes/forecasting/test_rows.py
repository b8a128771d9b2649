"""Windows to the rows and tensors of forecasts: what they say, and that nothing else has a say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from industry_apps.recipes.forecasting.windows.graph import ForecastGraph
from industry_apps.recipes.forecasting.windows.levels import HorizonPlan
from industry_apps.schema import Column, Schema

SCHEMA = Schema(
    (
        Column(name="time", kind="datetime", role="known"),
        Column(name="sold", kind="number", role="history"),
        Column(name="visitors", kind="number", role="history"),
        Column(name="price", kind="number", role="known"),
        Column(name="area", kind="number"),
        Column(name="kind", kind="category"),
    )
)
PLAN = HorizonPlan(
    target="sold",
    length=8,
    horizon=3,
    seasons=(2, 4),
    periods=(4, 2),
    base_periods=2,
    means=(2, 4),
    latest=3,
    past=("visitors",),
    known=("price",),
    time="time",
    calendar=("weekday",),
)
DAY = 86_400
EVERY = ("rows", "past", "known", "codes")


def feeds(sold: list[list[float]], **others: object) -> dict[str, np.ndarray]:
    series = len(sold)
    found = {
        "sold": np.array(sold, dtype=np.float32),
        "visitors": np.ones((series, 8), dtype=np.float32),
        "price": np.tile(np.arange(11, dtype=np.float32), (series, 1)),
        "time": np.tile(np.arange(11) * DAY, (series, 1)),
        "area": np.full((series, 1), 5, dtype=np.float32),
        "kind": np.full((series, 1), "shop", dtype=object),
    }
    return found | {name: np.asarray(value) for name, value in others.items()}


def graph(wanted: tuple[str, ...] = EVERY, plan: HorizonPlan = PLAN) -> ForecastGraph:
    learned = feeds([[1, 2, 3, 4, 5, 6, 7, 8]] * 2)
    return ForecastGraph(SCHEMA, plan, wanted).learn(learned)


def row(made: ForecastGraph, tensors: dict[str, np.ndarray], step: int) -> dict[str, float]:
    return dict(zip(made.names, tensors["rows"][step].tolist(), strict=True))


def test_base_is_the_mean_of_the_phase_and_scale_the_change_over_a_season():
    found = graph().run(feeds([[1, 2, 3, 4, 5, 6, 7, 8]]))
    assert found["base"].tolist() == [[6.0, 7.0, 6.0]]
    assert found["scale"].tolist() == [[2.0]]


def test_lags_are_relative_to_the_base_in_units_of_the_scale():
    made = graph()
    tensors = made.run(feeds([[1, 2, 3, 4, 5, 6, 7, 8]]))
    first, last = row(made, tensors, 0), row(made, tensors, 2)
    assert first["lag of 2 x 1"] == pytest.approx((7 - 6) / 2)
    assert first["lag of 4 x 1"] == pytest.approx((5 - 6) / 2)
    assert last["steps ahead"] == 3
    assert first["mean of 2"] == pytest.approx((7.5 - 6) / 2)
    assert first["price"] == 8
    assert first["effect of price"] == pytest.approx((8 - 3.5) / 2)  # slope 1 in the window
    assert first["weekday"] == 4  # the ninth day since a Thursday
    assert first["area"] == 5


def test_months_are_compared_with_the_mean_of_the_season():
    plan = HorizonPlan(target="sold", length=8, horizon=3, seasons=(4,), periods=(2,))
    found = ForecastGraph(SCHEMA, plan, ("rows",)).run(feeds([[9, 9, 9, 9, 1, 2, 3, 4]]))
    assert found["base"].tolist() == [[2.5, 2.5, 2.5]]


def test_a_series_without_history_has_the_usual_level():
    found = graph().run(feeds([[np.nan] * 8]))
    assert found["base"].tolist() == [[4.5, 4.5, 4.5]]
    assert found["scale"].tolist() == [[4.5]]
    assert np.isfinite(found["past"]).all()


def test_gaps_are_left_out_of_means():
    found = graph().run(feeds([[1, 2, 3, 4, 5, 6, np.nan, 8]]))
    assert found["base"].tolist() == [[5.0, 7.0, 5.0]]


def test_a_constant_series_has_a_small_scale_and_zeros_the_smallest():
    found = graph().run(feeds([[5] * 8, [0] * 8]))
    assert found["scale"].ravel() == pytest.approx([5e-3, 1e-6], rel=1e-3)


def test_networks_get_bounded_tensors_and_codes():
    made = graph()
    found = made.run(feeds([[1, 2, 3, 4, 5, 6, 7, 1e9]], kind=[["never seen"]]))
    assert found["past"].shape == (1, 8, 3)
    assert found["known"].shape[:2] == (1, 11)
    assert found["codes"].tolist() == [[0]]
    for name in ("past", "known"):
        assert np.abs(found[name]).max() <= 10


def test_only_some_inputs_of_models_can_be_asked_for():
    made = graph().only(("rows",))
    assert set(made.run(feeds([[1.0] * 8]))) == {"base", "scale", "rows"}


values = st.one_of(st.floats(0, 1e6, width=32), st.just(np.nan))
windows = st.lists(values, min_size=8, max_size=8)


@settings(deadline=None, max_examples=40)
@given(windows, windows)
def test_a_series_is_answered_alone_as_among_others(mine: list[float], other: list[float]):
    together, alone = MADE.run(feeds([mine, other])), MADE.run(feeds([mine]))
    for name, found in alone.items():
        np.testing.assert_allclose(found, together[name][: len(found)], rtol=1e-5, atol=1e-5)


@settings(deadline=None, max_examples=40)
@given(windows)
def test_nothing_is_infinite_and_the_scale_is_positive(mine: list[float]):
    found = MADE.run(feeds([mine]))
    assert not np.isinf(found["rows"]).any()
    assert np.isfinite(found["base"]).all()
    assert (found["scale"] > 0).all()
    for name in ("past", "known"):
        assert np.isfinite(found[name]).all()


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 1000), min_size=8, max_size=8), st.sampled_from([2, 1024]))
def test_rows_do_not_depend_on_the_unit(mine: list[int], factor: int):
    """Powers of two change no digit, so the rows are equal but for the least scale."""
    ours = MADE.run(feeds([list(map(float, mine))]))
    theirs = MADE.run(feeds([[float(factor * value) for value in mine]]))
    np.testing.assert_allclose(ours["rows"], theirs["rows"], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(ours["base"] * factor, theirs["base"], rtol=1e-6)


MADE = graph()
