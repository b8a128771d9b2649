"""Plots over time draw what they are given, over any span."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.finance.trading.performance import annual_return, max_drawdown, sharpe
from industry_apps.finance.trading.performance_plots import (
    drawdown_plot,
    equity_plot,
    rolling_mean_plot,
    rolling_sharpe_plot,
)

COUNT = 300


def some(count: int = COUNT, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.001, 0.01, count)


def dates(count: int = COUNT) -> np.ndarray:
    return np.busday_offset("2015-01-02", np.arange(count), roll="forward")


def drawn(figure: Figure) -> tuple[Axes, dict[str, np.ndarray]]:
    (axes,) = figure.axes
    return axes, {line.get_label(): np.asarray(line.get_ydata()) for line in axes.lines}


def test_equity_ends_where_the_returns_lead() -> None:
    axes, lines = drawn(equity_plot({"a": some(), "b": some(seed=1)}, dates()))
    assert list(lines) == ["a", "b"]
    assert lines["a"][-1] ** (252 / COUNT) - 1 == pytest.approx(annual_return(some()))
    assert axes.get_yscale() == "log"
    assert len({line.get_color() for line in axes.lines}) == 2
    assert len({line.get_linestyle() for line in axes.lines}) == 2


def test_the_days_out_of_sample_are_shaded() -> None:
    for plot in (equity_plot, drawdown_plot):
        axes, _ = drawn(plot({"a": some()}, dates(), out_of_sample_from=dates()[100]))
        assert "Out of sample" in [text.get_text() for text in axes.get_legend().get_texts()]
        assert not plot({"a": some()}, dates()).axes[0].patches


def test_the_deepest_drawdown_is_the_maximum_drawdown() -> None:
    _, lines = drawn(drawdown_plot({"a": some()}, dates()))
    assert -lines["a"].min() == pytest.approx(max_drawdown(some()))


def test_the_last_rolling_values_are_those_of_the_last_days() -> None:
    _, lines = drawn(rolling_sharpe_plot({"a": some()}, dates(), window=50))
    assert lines["a"][-1] == pytest.approx(sharpe(some()[-50:]))
    assert np.isnan(lines["a"][:49]).all()
    gaps = some()
    gaps[-10:-5] = np.nan
    axes, lines = drawn(rolling_mean_plot({"a": gaps}, dates(), label="Rank IC", window=50))
    assert lines["a"][-1] == pytest.approx(np.nanmean(gaps[-50:]))
    assert axes.get_ylabel().startswith("Rank IC")


@pytest.mark.parametrize("count", [2, 6, 25, 70, 300, 1260])
@pytest.mark.parametrize("scale", [0.0, 0.1, 20.0], ids=["flat", "calm", "lost"])
def test_any_span_can_be_drawn(count: int, scale: float) -> None:
    returns = {"a": np.maximum(scale * some(count), -1.0)}
    for figure in (
        equity_plot(returns, dates(count)),
        drawdown_plot(returns, dates(count)),
        rolling_sharpe_plot(returns, dates(count), window=2),
    ):
        figure.draw_without_rendering()


@pytest.mark.parametrize("plot", [equity_plot, drawdown_plot, rolling_sharpe_plot])
def test_series_that_do_not_fit_are_refused(plot: Callable[..., Any]) -> None:
    with pytest.raises(SchemaError, match=r"'b' .*300"):
        plot({"a": some(), "b": some(10)}, dates())
    with pytest.raises(SchemaError, match="at least one"):
        plot({}, dates())


def test_a_window_outside_its_limits_is_named() -> None:
    with pytest.raises(ParameterError, match="window"):
        rolling_sharpe_plot({"a": some()}, dates(), window=1)
    with pytest.raises(ParameterError, match="window"):
        rolling_mean_plot({"a": some()}, dates(), label="IC", window=0)
