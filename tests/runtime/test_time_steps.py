"""Regular steps: numbers of periods and their moments."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from industry_apps.runtime.steps import Calendar, Step, period_of, phase_of, start_of

#: Those that have a start by themselves.
STEPS = [step for step in get_args(Step) if step not in ("", "half-month")]
#: pandas' names of the same periods.
PANDAS = {
    "index": "s",
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
    assert Calendar("week").moments(times[0], 0, 4).tolist() == times.tolist()
    assert phase_of(times, "week") == 6 * 86_400


def test_moments_at_different_places_of_their_period_have_no_phase():
    ends = np.array(["2024-01-31", "2024-02-29"], dtype="datetime64[s]").astype(np.int64)
    assert phase_of(ends, "month") == 0


def seconds(moments) -> np.ndarray:
    return pd.DatetimeIndex(moments).as_unit("s").asi8


#: pandas' names of steps that lie somewhere in their period.
ANCHORED = [
    ("month", "ME"),
    ("month", "MS"),
    ("half-month", "SMS"),
    ("half-month", "SME"),
    ("quarter", "QE-NOV"),
    ("quarter", "QS-FEB"),
    ("year", "YE-FEB"),
    ("year", "YS-JUL"),
    ("week", "W-SUN"),
    ("week", "W-WED"),
    ("day", "D"),
    ("day", "B"),
    ("hour", "h"),
    ("minute", "min"),
]


@pytest.mark.parametrize("past", [0, 45])
@pytest.mark.parametrize(("step", "name"), ANCHORED)
def test_steps_go_on_as_those_of_pandas(step, name, past):
    moments = seconds(pd.date_range("2019-12-30", periods=100, freq=name)) + past
    calendar = Calendar.learned(step, moments[:60])
    assert calendar.moments(moments[59], -59, 41).tolist() == moments.tolist()
    assert not calendar.off(moments).any()
    assert (np.diff(calendar.period_of(moments)) == 1).all()


@pytest.mark.parametrize(
    ("given", "ahead"),
    [
        (pd.date_range("2018-01-31", "2022-12-31", freq="ME"), ["2023-01-31", "2023-02-28"]),
        (["2022-08-31"], ["2022-09-30", "2022-10-31"]),
        (["2022-01-30", "2022-02-28", "2022-03-30"], ["2022-04-30", "2022-05-30"]),
        (["2024-01-15", "2024-02-15"], ["2024-03-15", "2024-04-15"]),
    ],
)
def test_months_go_on_by_their_day_or_their_end(given, ahead):
    moments = seconds(given)
    found = Calendar.learned("month", moments).moments(moments[-1], 1, 3)
    assert found.tolist() == seconds(ahead).tolist()


def test_a_moment_elsewhere_in_its_period_is_off():
    calendar = Calendar.learned("month", seconds(["2022-01-31", "2022-02-28", "2022-04-30"]))
    assert calendar.off(seconds(["2022-06-30", "2022-06-29", "2022-07-30"])).tolist() == [
        False,
        True,
        True,
    ]
    assert calendar.words == "the end of a month"


def test_a_stray_moment_is_no_anchor():
    days = pd.date_range("2024-01-01", periods=30)
    moments = seconds(days.append(pd.DatetimeIndex(["2024-01-07 10:00"])))
    assert Calendar.learned("day", moments).off(moments).tolist() == [False] * 30 + [True]


def test_weekdays_and_closed_days_are_counted_over():
    days = seconds(pd.bdate_range("2024-12-02", periods=15))
    calendar = Calendar.learned("day", days, closed=("2024-12-25",))
    assert calendar.weekdays == (0, 1, 2, 3, 4)
    ahead = calendar.moments(days[-1], 1, 5).astype("datetime64[s]").astype("datetime64[D]")
    assert ahead.astype(str).tolist() == ["2024-12-23", "2024-12-24", "2024-12-26", "2024-12-27"]
    assert calendar.off(seconds(["2024-12-21", "2024-12-25", "2024-12-26"])).tolist() == [
        True,
        True,
        False,
    ]


def test_a_week_alone_says_nothing_of_closed_days():
    assert Calendar.learned("day", seconds(pd.bdate_range("2024-12-02", periods=5))).weekdays == ()


def test_a_few_days_of_many_weeks_say_nothing_of_closed_days():
    days = pd.date_range("2024-01-01", periods=70)
    some = days[np.isin(np.arange(70), (0, 3, 9, 16, 23, 29, 38, 45, 58, 69))]
    assert set(some.weekday) < set(range(7))
    assert Calendar.learned("day", seconds(some)).weekdays == ()
    most = days[(days.weekday != 6) & (np.arange(70) % 9 != 0)]
    assert Calendar.learned("day", seconds(most)).weekdays == (0, 1, 2, 3, 4, 5)


def test_steps_that_lie_several_apart_are_seen():
    every_second = seconds(pd.date_range("2024-01-01", periods=9, freq="2W-SUN"))
    assert Calendar.learned("week", every_second).apart(every_second, 5) == 2
