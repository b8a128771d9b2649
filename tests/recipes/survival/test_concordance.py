"""Pairs counted level by level are those that are counted one by one."""

from __future__ import annotations

from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from industry_apps.recipes.survival.concordance import Concordance


def pairwise(time, event, risk, weight):
    """Sums over the pairs of each event, from a table of events times rows."""
    first = np.flatnonzero(event)
    comparable = (time > time[first, None]) | ((time == time[first, None]) & ~event)
    gap = risk[first, None] - risk
    ordered = comparable * np.where(np.abs(gap) <= 1e-8, 0.5, gap > 0)
    return weight @ ordered.T, weight @ comparable.T


rows = st.tuples(
    st.integers(0, 6),  # times, of which many are equal
    st.booleans(),
    st.integers(-4, 4),  # risks
    st.sampled_from([0, 0, 0, 0.4e-8, 2e-8]),  # what they differ by where they are nearly equal
    st.integers(0, 3),  # weights
    st.integers(0, 3),
)


@given(st.lists(rows, min_size=1, max_size=40))
def test_all_pairs_are_counted(table):
    time, event, risk, near, *weight = (np.array(each) for each in zip(*table, strict=True))
    given_ = time.astype(float), event, risk + near
    found = Concordance(*given_).sums(np.array(weight))
    for ours, theirs in zip(found, pairwise(*given_, np.array(weight)), strict=True):
        np.testing.assert_allclose(ours, theirs)


@pytest.mark.parametrize("size", [1, 2, 63, 64, 65, 700])
@pytest.mark.parametrize("digits", [0, 1, 9])
def test_of_many_rows_too(size, digits):
    rng = np.random.default_rng(size)
    time, event = rng.exponential(size=size).round(digits), rng.random(size) < 0.6
    risk = rng.normal(size=size).round(digits)
    weight = rng.integers(0, 4, (3, size))
    found = Concordance(time, event, risk).sums(weight)
    for ours, theirs in zip(found, pairwise(time, event, risk, weight), strict=True):
        np.testing.assert_allclose(ours, theirs)


def test_time_grows_about_as_the_rows_do():
    def seconds(size):
        rng = np.random.default_rng(0)
        pairs = Concordance(
            rng.exponential(size=size), rng.random(size) < 0.6, rng.normal(size=size)
        )
        weight, taken = rng.integers(0, 3, (8, size)), []
        for _ in range(3):
            start = process_time()
            pairs.sums(weight)
            taken.append(process_time() - start)
        return min(taken)

    assert seconds(64_000) < 16 * 3 * seconds(4_000)  # 256 times where it grows with the square
