"""Plots of forecasts draw what they are given."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.errors import SchemaError
from industry_apps.recipes.forecasting.evaluation.plots import coverage_plot, forecast_plot

TIMES = np.arange("2024-01-01", "2024-01-11", dtype="datetime64[D]")


def test_a_series_is_drawn_with_its_forecasts_and_their_interval():
    ahead = TIMES[8:].astype("datetime64[s]")
    quantiles = np.array([[1.0, 2, 3], [2, 3, 4]])
    figure = forecast_plot(
        "A", TIMES, np.arange(10.0), {ahead[0]: (ahead, quantiles)}, (0.1, 0.5, 0.9)
    )
    (axes,) = figure.axes
    drawn = {line.get_label(): line.get_ydata() for line in axes.lines}
    assert drawn["forecast"].tolist() == [2, 3]
    assert drawn["what came"].tolist() == list(range(10))
    assert len(axes.collections) == 1
    assert "A" in str(figure.get_label())


def test_times_and_quantities_have_to_agree():
    with pytest.raises(SchemaError, match="'A' has 10 times and 3 quantities"):
        forecast_plot("A", TIMES, np.arange(3.0), {}, (0.5,))


def test_coverage_lies_beside_the_diagonal():
    (axes,) = coverage_plot([0.1, 0.5, 0.9], [0.2, 0.5, 0.8]).axes
    assert axes.lines[1].get_ydata().tolist() == [0.2, 0.5, 0.8]
