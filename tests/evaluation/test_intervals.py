"""Estimates, rounding, and the bootstrap."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
import rich.console
from hypothesis import given
from hypothesis import strategies as st

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.evaluation import Estimate, auroc, bootstrap, intervals
from industry_apps.evaluation.intervals import digits_of


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(0.71, 0.697, 0.723), "0.71 [0.70, 0.72]"),
        (Estimate(0.71234, 0.7118, 0.7128), "0.7123 [0.7118, 0.7128]"),
        (Estimate(1234.0, 1180.0, 1292.0), "1230 [1180, 1290]"),
        (Estimate(0.5, 0.5, 0.5), "0.500 [0.500, 0.500]"),
        # What repeats leave of a constant: rounding errors are no width.
        (Estimate(0.21 - 3e-17, 0.21 - 6e-17, 0.21 + 3e-17), "0.210 [0.210, 0.210]"),
        (Estimate(3e-17, 1e-17, 5e-17), "0.000 [0.000, 0.000]"),
        # Too wide for two digits at the first place of the half-width.
        (Estimate(0.2253, -1.1524, 1.7256), "0.23 [-1.2, 1.7]"),
        (Estimate(0.0042, 0.000002, 0.3019), "0.004 [0.000, 0.30]"),
        (Estimate(0.8013, 0.6966, 0.8988), "0.80 [0.70, 0.90]"),
        (Estimate(79.33, 64.93, 95.81), "79 [65, 96]"),
        (Estimate(0.0, -0.03, 0.03), "0.000 [-0.030, 0.030]"),
        (Estimate(0.7, float("nan"), float("nan")), "0.700 (no interval)"),
    ],
)
def test_printed_precision(estimate, text):
    assert str(estimate) == text


@given(st.floats(1e-9, 1e6), st.floats(-1e3, 1e3))
def test_the_printed_place_is_never_finer_than_the_interval(half_width, middle):
    low, high = middle - half_width, middle + half_width
    half_width = (high - low) / 2  # as floats have it
    place = 10.0 ** -digits_of(low, high)
    if half_width > 0:
        assert place <= half_width * (1 + 1e-6)
        assert place * 10 > half_width * (1 - 1e-6)


@given(st.floats(-1e3, 1e3), st.floats(1e-6, 1e3), st.floats(0, 1))
def test_no_estimate_is_printed_with_one_digit_alone(low, width, share):
    high = low + width
    printed = re.findall(r"-?[\d.]+", str(Estimate(low + share * (high - low), low, high)))
    assert len(printed) == 3
    assert max(len(text.lstrip("-0.").replace(".", "")) for text in printed) >= 2


def test_json_knows_no_nan():
    assert Estimate(1.0, float("nan"), 2.0).to_dict() == {"value": 1.0, "low": None, "high": 2.0}


def mean_of(x):
    return lambda weight: float(weight @ x / weight.sum())


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(200):
        x = rng.exponential(size=80)
        found = bootstrap({"mean": mean_of(x)}, None, 80, resamples=200, seed=seed)
        estimate = found.estimates()["mean"]
        covered += estimate.low <= 1.0 <= estimate.high
    assert 0.88 <= covered / 200 <= 0.98


def test_dependent_rows_need_groups():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(50), 40)
    x = rng.normal(size=50)[groups] + 0.1 * rng.normal(size=2000)
    alone, grouped = (
        bootstrap({"mean": mean_of(x)}, g, 2000).estimates()["mean"] for g in (None, groups)
    )
    assert grouped.high - grouped.low > 3 * (alone.high - alone.low)


def test_groups_are_drawn_whole_and_as_often_as_there_are_groups():
    groups = np.array(["b", "a", "b", "c", "a", "b"])
    seen = []
    bootstrap({"x": lambda weight: float(seen.append(weight) or 0)}, groups, 6, resamples=20)
    for weight in seen[1:]:
        per_group = {name: set(weight[groups == name]) for name in "abc"}
        assert all(len(found) == 1 for found in per_group.values())
        assert sum(found.pop() for found in per_group.values()) == 3


def test_resamples_do_not_depend_on_the_order_of_rows():
    rng = np.random.default_rng(1)
    groups, x, order = rng.integers(0, 9, 60), rng.normal(size=60), rng.permutation(60)
    one = bootstrap({"m": mean_of(x)}, groups, 60).draws["m"]
    two = bootstrap({"m": mean_of(x[order])}, groups[order], 60).draws["m"]
    np.testing.assert_allclose(one, two)


def test_same_seed_same_draws_and_other_seed_others():
    x = np.arange(30.0)
    draws = [bootstrap({"m": mean_of(x)}, None, 30, seed=s).draws["m"] for s in (3, 3, 4)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])


def test_resamples_with_one_class_are_left_out_and_counted():
    target, score = np.array([True, False, False, False]), np.array([0.9, 0.1, 0.2, 0.3])
    found = bootstrap({"auroc": lambda w: auroc(target, score, w)}, None, 4, resamples=300)
    # No positive with probability (3/4)^4 = 0.32, nothing else with (1/4)^4.
    assert 60 < np.isnan(found.draws["auroc"]).sum() < 135
    assert found.estimates()["auroc"] == Estimate(1.0, 1.0, 1.0)


def test_a_metric_that_is_never_defined_has_no_interval():
    found = bootstrap({"m": lambda weight: float("nan")}, None, 4, resamples=5)
    assert np.isnan(found.draws["m"]).all()
    assert str(found.estimates()["m"]) == "undefined (no interval)"


def test_a_paired_difference_is_sharper_than_two_intervals():
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    better, worse = (bootstrap({"m": mean_of(x + shift)}, None, 400) for shift in (0.05, 0.0))
    margin = better.minus(worse)["m"]
    assert margin.low == pytest.approx(0.05)
    assert margin.high == pytest.approx(0.05)
    with pytest.raises(ParameterError, match="400 times here and 7 times there"):
        better.minus(bootstrap({"m": mean_of(x)}, None, 400, resamples=7))


def test_impossible_bootstraps_are_refused():
    with pytest.raises(ParameterError, match="1 groups"):
        bootstrap({}, np.zeros(5), 5)
    with pytest.raises(ParameterError, match="0 resamples"):
        bootstrap({}, None, 5, resamples=0)
    with pytest.raises(SchemaError, match=r"groups.*\(5,\).*\(4,\)"):
        bootstrap({}, np.zeros(4), 5)


@pytest.mark.parametrize("terminal", [True, False])
def test_the_progress_bar_changes_no_answer_and_keeps_to_terminals(monkeypatch, terminal):
    x, shown, console = np.arange(30.0), io.StringIO(), rich.console.Console
    quiet = bootstrap({"m": mean_of(x)}, None, 30, resamples=40).draws["m"]
    monkeypatch.setattr(intervals, "PROGRESS_AFTER_S", -1.0)
    monkeypatch.setattr(
        rich.console,
        "Console",
        lambda stderr: console(file=shown, force_terminal=terminal, width=80),
    )
    loud = bootstrap({"m": mean_of(x)}, None, 30, resamples=40).draws["m"]
    np.testing.assert_array_equal(quiet, loud)
    assert ("Intervals" in shown.getvalue()) is terminal
