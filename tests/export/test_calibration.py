"""Calibration, threshold and capacity: what is applied is what is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from industry_apps.export.decision import (
    Isotonic,
    Platt,
    Scale,
    Threshold,
    capacity_threshold,
    share_threshold,
)
from industry_apps.features import GraphBuilder

often = st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0])
floats32 = st.floats(width=32, min_value=-100, max_value=100)
probabilities = hnp.arrays(np.float32, st.integers(1, 30), elements=st.floats(0, 1, width=32))


def written(
    write: Callable[[GraphBuilder, list[str]], list[tuple[str, type]]], *columns: NDArray[Any]
) -> list[NDArray[Any]]:
    """Answers of the graph of some step to columns of numbers."""
    builder = GraphBuilder()
    inputs = [builder.input(f"x{n}", np.float32) for n in range(len(columns))]
    for position, (tensor, dtype) in enumerate(write(builder, inputs)):
        builder.output(tensor, f"y{position}", dtype)
    session = ort.InferenceSession(
        builder.model().SerializeToString(), providers=["CPUExecutionProvider"]
    )
    feeds = {f"x{n}": c.astype(np.float32).reshape(-1, 1) for n, c in enumerate(columns)}
    return [found[:, 0] for found in session.run(None, feeds)]


def margins(seed: int = 0, rows: int = 2000) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Two margins of one truth, the second a worse one, and the truth."""
    random = np.random.default_rng(seed)
    target = random.random(rows) < 0.2
    shift = 3.0 * target[:, None]
    return shift + random.normal(0, [1.0, 4.0], (rows, 2)), target


@given(
    st.lists(st.tuples(floats32, floats32), min_size=1),
    st.floats(0, 5),
    st.floats(0, 5),
    st.floats(-20, 20),
)
def test_platt_is_written_as_applied(
    rows: list[tuple[float, float]], first: float, second: float, intercept: float
) -> None:
    platt, values = Platt((first, second), intercept), np.array(rows)
    (found,) = written(lambda b, x: [(platt.write(b, x), np.float32)], *values.T)
    assert_allclose(found, platt.apply(values), rtol=0, atol=2e-5)


def test_platt_finds_the_log_odds() -> None:
    random = np.random.default_rng(1)
    logit = random.normal(-1, 2, 50_000)
    target = random.random(50_000) < 1 / (1 + np.exp(-logit))
    platt = Platt.fit((5 * logit + 3)[:, None], target)  # as a model off by scale and shift
    assert platt.weights[0] == pytest.approx(1 / 5, rel=0.05)
    assert platt.intercept == pytest.approx(-3 / 5, abs=0.1)


def test_platt_weighs_several_models() -> None:
    values, target = margins()
    wrong = np.random.default_rng(2).normal(-target.astype(float), 1.0)
    platt = Platt.fit(np.column_stack([values, wrong]), target)
    assert platt.weights[0] > 5 * platt.weights[1] > 0
    assert platt.weights[2] == 0  # it knows less than nothing, and is left out


def test_platt_of_a_margin_that_is_always_the_same() -> None:
    target = np.arange(100) < 10
    platt = Platt.fit(np.full((100, 1), 0.3), target)
    assert_allclose(platt.apply(np.array([[-30.0], [0.3], [30.0]])), 0.1, atol=0.02)


def test_platt_stays_finite_where_classes_are_separated() -> None:
    target = np.arange(20) < 10
    platt = Platt.fit(np.where(target, 2.0, -2.0)[:, None], target)
    assert np.isfinite([*platt.weights, platt.intercept]).all()
    assert 0.9 < platt.apply(np.array([[2.0]])).item() < 1
    huge = Platt((1000.0,), 500.0)
    assert_array_equal(huge.apply(np.array([[-np.inf], [np.inf]])), [0, 1])


@given(probabilities, st.integers(0, 100))
def test_isotonic_is_written_as_applied(values: NDArray[np.float32], seed: int) -> None:
    random = np.random.default_rng(seed)
    learned = random.random(500).round(random.integers(1, 6)) ** random.integers(1, 8)
    isotonic = Isotonic.fit(learned, random.random(500) < learned)
    values = np.concatenate([values, np.array(isotonic.knots, dtype=np.float32)])
    values = np.concatenate([values, np.nextafter(values, np.float32(2))]).clip(0, 1)
    (found,) = written(lambda b, x: [(isotonic.write(b, x[0]), np.float32)], values)
    assert_allclose(found, isotonic.apply(values.astype(np.float64)), rtol=0, atol=1e-5)


@given(st.integers(0, 10**6), st.integers(2, 3000))
def test_isotonic_is_monotone_and_not_steep(seed: int, rows: int) -> None:
    random = np.random.default_rng(seed)
    probability = np.round(random.random(rows) ** 6, 6)
    isotonic = Isotonic.fit(probability, random.random(rows) < probability)
    knots, values = np.float32(isotonic.knots), np.array(isotonic.values)
    assert 2 <= len(knots) <= 32
    assert (np.diff(knots) > 0).all()
    assert (np.diff(values) >= 0).all()
    # A float32 rounding of the probability must not move the answer beyond 1e-4.
    assert (np.diff(values) / np.diff(knots)).max() <= 100


def test_isotonic_repairs_a_wrong_calibration_of_dense_probabilities() -> None:
    random = np.random.default_rng(0)
    truth = random.random(50_000)
    target = random.random(50_000) < truth
    learned = Isotonic.fit(truth**3, target)
    assert np.abs(learned.apply(truth**3) - truth).mean() < 0.02


@pytest.mark.parametrize(("rows", "power"), [(1_000, 2), (2_500, 6), (40_000, 12)])
def test_isotonic_keeps_the_mean_of_its_rows(rows: int, power: int) -> None:
    random = np.random.default_rng(1)
    probability = random.random(rows) ** power
    target = random.random(rows) < probability
    found = Isotonic.fit(probability, target).apply(probability)
    assert found.mean() == pytest.approx(target.mean(), rel=0.02)


def test_a_short_plateau_at_the_top_is_not_lost() -> None:
    probability = np.repeat([0.1, 0.8, 0.85, 0.9], 50)
    target = np.concatenate([np.arange(50) < share for share in (5, 20, 50, 50)])
    found = Isotonic.fit(probability, target)
    assert found.apply(np.array([0.8]))[0] < 0.7
    assert found.apply(np.array([0.9]))[0] == 1


def test_isotonic_of_one_value() -> None:
    isotonic = Isotonic.fit(np.full(10, 0.5), np.arange(10) < 3)
    assert_allclose(isotonic.apply(np.array([0.0, 0.5, 1.0])), 0.3)


@given(probabilities, st.floats(0, 1), st.none() | st.floats(0, 1.1))
def test_threshold_is_written_as_applied(
    values: NDArray[np.float32], value: float, capacity: float | None
) -> None:
    threshold = Threshold(value=value, capacity=capacity)
    turning = np.float32([value, capacity or 0.5])
    beside = [np.nextafter(turning, side) for side in np.float32([0, 2])]
    values = np.concatenate([values, turning, *beside])
    steps = [threshold, threshold.within_capacity()]
    first, second = written(lambda b, x: [(s.write(b, x[0]), np.bool_) for s in steps], values)
    exact = values.astype(np.float64)
    assert_array_equal(first, steps[0].apply(exact))
    assert_array_equal(second, steps[1].apply(exact))
    assert not (second & ~first).any()  # there is no alert without a decision


@given(
    st.lists(st.tuples(often | st.floats(0, 1), st.integers(0, 5)), min_size=1),
    st.floats(0.1, 10),
)
def test_capacity_is_respected_and_used(rows: list[tuple[float, int]], alerts: float) -> None:
    probability = np.round([p for p, _ in rows], 6)
    day = np.array([d for _, d in rows])
    threshold = Threshold(value=0, capacity=capacity_threshold(probability, day, alerts))
    taken = threshold.within_capacity().apply(probability)
    allowed = alerts * len(set(day.tolist()))
    assert taken.sum() <= allowed
    left = probability[~taken]
    if len(left):  # the next level would be one too many
        assert taken.sum() + (left == left.max()).sum() > allowed - 1e-9


def test_capacity_of_a_plain_case() -> None:
    probability = np.array([0.9, 0.8, 0.8, 0.1])
    day = np.array([0, 0, 1, 1])
    expected = {0.4: 0.9505, 0.5: 0.85, 1.0: 0.85, 1.5: 0.45, 2.0: 0.05}
    for alerts, threshold in expected.items():
        assert capacity_threshold(probability, day, alerts) == pytest.approx(threshold)


@given(probabilities, st.floats(0, 1000), st.floats(1, 100))
def test_points_are_written_as_applied(
    values: NDArray[np.float32], offset: float, factor: float
) -> None:
    scale = Scale(offset, factor)
    (found,) = written(lambda b, x: [(scale.write(b, x[0]), np.float32)], values)
    applied = scale.apply(values.astype(np.float64))
    # Near 1 the odds of a float32 are known to about 6e-8 / 1e-4.
    assert_allclose(found, applied, rtol=1e-5, atol=2e-3 * factor)


def test_points_of_a_plain_case() -> None:
    scale = Scale(500.0, 20.0 / np.log(2))
    odds = np.array([1.0, 2.0, 4.0, 0.5])  # good to bad
    assert_allclose(scale.apply(1 / (1 + odds)), [500, 520, 540, 480])
    certain = scale.apply(np.array([0.0, 1e-6, 1e-4, 1 - 1e-4, 1.0]))
    assert np.isfinite(certain).all()
    assert certain[0] == certain[1] == pytest.approx(certain[2])
    assert certain[4] == pytest.approx(certain[3])


@given(st.lists(often | st.floats(0, 1), min_size=1), st.floats(0.01, 1))
def test_a_share_is_respected_and_used(values: list[float], share: float) -> None:
    probability = np.round(values, 6)
    taken = Threshold(value=share_threshold(probability, share)).apply(probability)
    allowed = share * len(probability)
    assert taken.sum() <= allowed + 1e-6
    left = probability[~taken]
    if len(left):  # the next level would be one too many
        assert taken.sum() + (left == left.max()).sum() > allowed - 1e-6


def test_a_share_of_a_plain_case() -> None:
    probability = np.array([0.9, 0.8, 0.8, 0.1])
    for share, threshold in {0.25: 0.85, 0.5: 0.85, 0.75: 0.45, 1.0: 0.05}.items():
        assert share_threshold(probability, share) == pytest.approx(threshold)
    # 1 - 0.8 is a little less than 0.2 in floating point: two of ten all the same.
    tenths = np.arange(10) / 10
    assert (tenths >= share_threshold(tenths, 1 - 0.8)).sum() == 2
