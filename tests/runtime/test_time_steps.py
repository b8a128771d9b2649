"""Regular steps: numbers of periods and their moments."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from industry_apps.runtime.steps import Step, moments_between, period_of, phase_of, start_of

STEPS = [step for step in get_args(Step) if step]
#: pandas' names of the same periods.
PANDAS = {
    "minute": "min",
    "hour": "h",
    "day": "D",
    "week": "W-SUN",
    "month": "M",
    "quarter": "Q-DEC",
    "year": "Y-DEC",
}


@pytest.mark.parametrize("step", STEPS)
@given(seconds=st.integers(-5_000_000_000, 5_000_000_000))
def test_a_period_begins_where_that_of_pandas_does(step, seconds):
    (begin,) = start_of(period_of(np.array([seconds]), step), step)
    expected = pd.Timestamp(seconds, unit="s").to_period(PANDAS[step]).start_time
    assert pd.Timestamp(begin, unit="s") == expected


@pytest.mark.parametrize("step", STEPS)
@given(period=st.integers(-1_000, 1_000))
def test_a_period_and_its_first_moment_are_inverse(step, period):
    assert period_of(start_of(np.array([period]), step), step).tolist() == [period]


def test_steps_keep_the_moment_within_their_period():
    sundays = pd.date_range("2024-01-07", periods=4, freq="W-SUN").as_unit("s").to_numpy()
    times = sundays.astype(np.int64)
    assert moments_between(times, "week", 0, 4).tolist() == times.tolist()
    assert phase_of(times, "week") == 6 * 86_400


def test_moments_at_different_places_of_their_period_have_no_phase():
    ends = np.array(["2024-01-31", "2024-02-29"], dtype="datetime64[s]").astype(np.int64)
    assert phase_of(ends, "month") == 0
