"""Mean and standard deviation over a window: exact, and the same for one event as for many."""

from __future__ import annotations

import statistics

import numpy as np
import pytest

from industry_apps.runtime.stream.aggregates import Amounts


def aggregated(amounts: np.ndarray, *, step: int = 0) -> np.ndarray:
    """Count, mean and standard deviation in 9 000 s of amounts `step` seconds apart, [3, R]."""
    order, stream = np.arange(len(amounts)), Amounts([9_000])
    keys, times = np.full(len(amounts), "C", dtype=object), order * step
    many = Amounts([9_000]).many(keys, times, Amounts.values_of_many(amounts), order)
    one = [
        stream.one("C", time, Amounts.values_of_one(amount))
        for time, amount in zip(times.tolist(), amounts.tolist(), strict=True)
    ]
    np.testing.assert_array_equal(np.array(one, dtype=np.float64).T, np.stack(many))
    return np.stack(many)


def test_running_sums_of_squares_may_exceed_64_bits():
    amounts = (1e6 - np.random.default_rng(0).integers(0, 500_000, 3_000) / 100).round(2)
    assert (amounts**2).sum() * 1e4 > 2**64
    _, means, deviations = aggregated(amounts)
    for rows in (2, 1_000, 3_000):
        part = amounts[:rows].tolist()
        assert means[rows - 1] == pytest.approx(statistics.fmean(part), rel=1e-6)
        assert deviations[rows - 1] == pytest.approx(statistics.pstdev(part), rel=1e-6)


def test_widest_spread_of_1844_amounts_is_right():
    _, means, deviations = aggregated(np.tile([1e6, -1e6], 922))
    assert (means[-1], deviations[-1]) == (0, 1e6)


@pytest.mark.parametrize("amount", [0.1, -33.33, 999_999.99, 1e10])
def test_standard_deviation_of_equal_amounts_is_exactly_0(amount):
    assert not aggregated(np.full(300, amount))[2].any()


def test_running_sums_of_the_largest_amounts_may_exceed_64_bits():
    _, means, _ = aggregated(np.full(20_000, 1e11), step=1)  # 9 223 of them are too many
    assert (means == 1e11).all()
