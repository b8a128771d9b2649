"""Forecasts of parts and totals that add up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from industry_apps.errors import ParameterError, SchemaError, UnknownNameError
from industry_apps.recipes.forecasting.totals.reconciliation import (
    METHODS,
    TOTAL,
    groups_of,
    reconcile,
)

SUMS = groups_of({"north": ["A", "B"], "south": ["C"]})
TIMES = pd.to_datetime(["2024-01-01", "2024-01-02"])


def table(medians: dict[str, float], width: float = 2.0) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([list(medians), TIMES], names=["series", "time"])
    middle = np.repeat(list(medians.values()), len(TIMES))
    return pd.DataFrame(
        {
            "quantity_p10": middle - width,
            "quantity_p50": middle,
            "quantity_p90": middle + 2 * width,
        },
        index=index,
    )


def adds_up(found: pd.DataFrame) -> None:
    median = found["quantity_p50"].unstack(level=1)  # noqa: PD010
    for name, members in SUMS.iterrows():
        parts = median.loc[SUMS.columns[members]].sum()
        np.testing.assert_allclose(median.loc[name], parts, rtol=1e-9, atol=1e-9)


BOTTOM = table({"A": 10.0, "B": 20.0, "C": 30.0})
UPPER = table({"north": 33.0, "south": 27.0, TOTAL: 66.0}, width=4.0)


@pytest.mark.parametrize("method", METHODS)
def test_totals_equal_the_sum_of_their_parts(method: str):
    found = reconcile(BOTTOM, SUMS, UPPER, method=method)
    adds_up(found)
    assert list(found.columns) == list(BOTTOM.columns)
    assert set(found.index.get_level_values(0)) == {"north", "south", TOTAL, "A", "B", "C"}
    assert (found.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)


def test_bottom_up_keeps_the_parts_and_adds_widths_as_if_independent():
    found = reconcile(BOTTOM, SUMS, method="bottom_up")
    pd.testing.assert_frame_equal(found.loc[["A", "B", "C"]], BOTTOM, check_freq=False)
    total = found.loc[(TOTAL, TIMES[0])]
    assert total["quantity_p50"] == 60
    assert total["quantity_p50"] - total["quantity_p10"] == pytest.approx(2 * 3**0.5)


def test_forecasts_that_add_up_already_stay_as_they_are():
    upper = table({"north": 30.0, "south": 30.0, TOTAL: 60.0}, width=4.0)
    for method in ("ols", "wls"):
        found = reconcile(BOTTOM, SUMS, upper, method=method)
        pd.testing.assert_frame_equal(found.loc[["A", "B", "C"]], BOTTOM, check_freq=False)
        np.testing.assert_allclose(found.loc[TOTAL, "quantity_p50"], 60)


def test_a_certain_forecast_moves_less_than_an_uncertain_one():
    sure = table({"A": 10.0}, width=0.1)
    unsure = table({"B": 20.0, "C": 30.0}, width=5.0)
    found = reconcile(pd.concat([sure, unsure]), SUMS, UPPER, method="wls")["quantity_p50"]
    moved = {name: abs(found[(name, TIMES[0])] - value) for name, value in (("A", 10), ("B", 20))}
    assert moved["A"] < 0.05 * moved["B"]


def test_least_squares_is_the_projection():
    """Against the textbook formula S (S'S)^-1 S' y."""
    every = np.concatenate([SUMS.to_numpy(dtype=float), np.eye(3)])
    forecasts = np.array([33.0, 27.0, 66.0, 10.0, 20.0, 30.0])
    expected = every @ np.linalg.inv(every.T @ every) @ every.T @ forecasts
    found = reconcile(BOTTOM, SUMS, UPPER, method="ols")["quantity_p50"].unstack(level=1)  # noqa: PD010
    names = [*SUMS.index, *SUMS.columns]
    np.testing.assert_allclose(found.loc[names].iloc[:, 0], expected)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 1e5), min_size=6, max_size=6), st.sampled_from(METHODS))
def test_whatever_the_forecasts_they_add_up_and_none_is_negative(values: list[float], method: str):
    bottom = table(dict(zip("ABC", values[:3], strict=True)))
    upper = table(dict(zip(["north", "south", TOTAL], values[3:], strict=True)))
    found = reconcile(bottom, SUMS, upper, method=method)
    adds_up(found)
    assert (found.to_numpy() >= 0).all()


def test_totals_of_other_moments_are_refused():
    later = UPPER.rename(index={time: time + pd.Timedelta(days=1) for time in TIMES}, level="time")
    with pytest.raises(SchemaError, match=r"from 2024-01-02.*their parts from 2024-01-01"):
        reconcile(BOTTOM, SUMS, later)


def test_what_is_missing_is_named():
    with pytest.raises(ParameterError, match=r"'wls' needs forecasts of the totals"):
        reconcile(BOTTOM, SUMS)
    with pytest.raises((ParameterError, UnknownNameError), match="wlss"):
        reconcile(BOTTOM, SUMS, method="wlss")
    with pytest.raises(SchemaError, match=r"bottom series 'C'.*no forecast"):
        reconcile(BOTTOM.drop("C"), SUMS, method="bottom_up")
    with pytest.raises(SchemaError, match=r"no median"):
        reconcile(BOTTOM[["quantity_p10"]], SUMS, method="bottom_up")
    with pytest.raises(SchemaError, match=r"at each time"):
        reconcile(BOTTOM.iloc[1:], SUMS, method="bottom_up")
