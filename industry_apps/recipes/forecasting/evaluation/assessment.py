"""The evaluation of forecasts: model and baselines at the same origins, with paired margins.

Letters in shapes: S series, O origins, H steps ahead, Q quantiles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, SchemaError, unknown_name
from industry_apps.evaluation.report import Report
from industry_apps.evaluation.sections import Section
from industry_apps.limits import integer, wrong_parameter
from industry_apps.recipes.forecasting.evaluation.baselines import RULES, statistical
from industry_apps.recipes.forecasting.evaluation.metrics import (
    Forecasts,
    forecast_bootstrap,
    mase_scale,
)
from industry_apps.runtime import Panel

#: Origin -> quantiles of each series, [S, H, Q].
Forecaster = Callable[[int], NDArray[Any]]

_Floats = NDArray[np.float64]
#: As many of the latest origins are drawn.
_ORIGINS_DRAWN = 12
#: As many series, and parts of the origins, have a row each in a report.
_LISTED = 20
#: Series that are drawn in a report, those of the largest, a middle and the smallest error.
_DRAWN = 3
#: Seasons of history that are drawn before the first origin.
_SEASONS_BEFORE = 4


@dataclass(frozen=True, eq=False, kw_only=True)
class Origins:
    """What is forecast in an evaluation.

    Parameters
    ----------
    panel : Panel
        History and what came after it.
    target : str
    stops : sequence of int
        Origins: the steps before each are known.
    horizon : int
    seasons : tuple of int
        Lengths of cycles in steps, the shortest first.
    levels : tuple of float
        Of the quantiles.
    bounds : tuple of float
        The least and the largest that the target can be.
    statistical : tuple of str
        Baselines of statsforecast, see
        :mod:`industry_apps.recipes.forecasting.evaluation.baselines`.
    drawn : tuple of str
        Series that are drawn; by default some.
    notes : list of str
        What a reader has to know.
    """

    panel: Panel
    target: str
    stops: Sequence[int]
    horizon: int
    seasons: tuple[int, ...]
    levels: tuple[float, ...]
    bounds: tuple[float, float]
    statistical: tuple[str, ...] = ()
    drawn: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)

    @property
    def season(self) -> int:
        """The shortest cycle."""
        return self.seasons[0]

    @property
    def values(self) -> _Floats:
        """The target, [T, S]."""
        return self.panel.columns[self.target].astype(np.float64)

    def came(self) -> _Floats:
        """What came after each origin, [S, O, H]; NaN where it is not known."""
        values = self.values
        behind = np.full((self.horizon, values.shape[1]), np.nan)
        longer = np.concatenate([values, behind])
        return np.stack([longer[stop : stop + self.horizon].T for stop in self.stops], axis=1)

    def judged(self, forecast: Forecaster, came: _Floats) -> Forecasts:
        """Forecasts [S, H, Q] of each origin, beside what came."""
        found = np.stack([forecast(stop) for stop in self.stops], axis=1).astype(np.float64)
        scale = mase_scale(self.values[: self.stops[0]], self.season)
        return Forecasts(quantiles=found, levels=self.levels, came=came, scale=scale)


def assess_forecasts(
    asked: Origins,
    ours: Forecaster,
    rivals: Mapping[str, Forecaster],
    *,
    model: str,
    split: Mapping[str, Mapping[str, Any]],
) -> Report:
    """Evaluate a forecast and its baselines at the same origins.

    Parameters
    ----------
    asked : Origins
    ours : callable
        Origin -> quantiles [S, H, Q].
    rivals : mapping of str to callable
        Further models to compare with, by name.
    model : str
    split : mapping
        As in :class:`Report`.
    """
    came = asked.came()
    judged = asked.judged(ours, came)
    others = {name: asked.judged(rule, came) for name, rule in _baselines(asked).items()}
    others |= {name: asked.judged(rule, came) for name, rule in rivals.items()}
    found = forecast_bootstrap(judged)
    theirs = {name: forecast_bootstrap(each) for name, each in others.items()}
    notes = list(asked.notes)
    without = int((~(judged.scale > 0)).sum())
    if without:
        notes.append(
            f"{without} series never change over a season, or have no history: they have no "
            "scale, and no part in mase."
        )
    return Report.beside(
        model,
        found,
        theirs,
        split=split,
        sections=sections_of(asked, judged),
        notes=tuple(notes),
        headline_text=_headline(asked, judged),
    )


def rolling_origins(panel: Panel, horizon: int, origins: int) -> range:
    """The last origins of a panel, a horizon apart.

    Parameters
    ----------
    panel : Panel
    horizon, origins : int

    Raises
    ------
    SchemaError
        The panel is too short.
    ParameterError
        ``origins`` is not at least 1.
    """
    if not integer(1).holds(origins):
        raise wrong_parameter("backtest", "origins", integer(1).words, origins)
    stops = range(len(panel.times) - origins * horizon, len(panel.times), horizon)
    if stops[0] < 1:
        raise SchemaError(
            f"{len(panel.times)} steps hold no {origins} origins with {horizon} steps behind "
            "each. Give a longer history, or ask for fewer origins."
        )
    return stops


def _headline(asked: Origins, judged: Forecasts) -> str:
    series, origins, _ = judged.came.shape
    return (
        f"{series} series, {origins} origin{'s' if origins > 1 else ''}, {asked.horizon} steps "
        f"ahead; intervals by resampling whole {'origins' if judged.by_origin else 'series'}."
    )


def _baselines(asked: Origins) -> dict[str, Forecaster]:
    values = asked.values

    def by_rule(rule: Callable[..., _Floats], season: int, stop: int) -> _Floats:
        found = rule(values[:stop], asked.horizon, season, asked.levels)
        return np.clip(found, *asked.bounds)

    short, long = asked.season, asked.seasons[-1]
    found: dict[str, Forecaster] = {n: partial(by_rule, r, short) for n, r in RULES.items()}
    if len(values) > long != short:
        found[f"seasonal_naive_{long}"] = partial(by_rule, RULES["seasonal_naive"], long)
    for name in asked.statistical:
        if find_spec("statsforecast") is None:
            asked.notes.append(
                f"The baseline {name} is left out: statsforecast is not installed. "
                "Run: pip install 'industry-apps[benchmark]'"
            )
            continue
        found[name] = partial(by_rule, partial(statistical, name), short)
    return found


def sections_of(asked: Origins, judged: Forecasts) -> tuple[Section, ...]:
    """Error by the step ahead, share below each quantile, and plots of some series.

    Parameters
    ----------
    asked : Origins
    judged : Forecasts
    """
    error = np.abs(judged.came - judged.of(0.5))
    ahead = np.nanmean(error.reshape(-1, error.shape[2]), axis=0) if error.size else error
    below = _below(judged)
    steps = np.unique(np.linspace(0, asked.horizon - 1, 6).astype(int))
    return (
        *_by_series(asked, judged),
        *_by_origin(asked, judged),
        Section(
            "Error by the step ahead",
            "Mean absolute error in units.",
            [["step", "mean absolute error"], *([int(k) + 1, float(ahead[k])] for k in steps)],
        ),
        Section(
            "Quantiles",
            "Share of outcomes below each quantile; it should be its level.",
            [["level", "share below"], *map(list, zip(judged.levels, below, strict=True))],
            figures=(partial(_coverage_figure, judged.levels, below),),
        ),
        Section(
            "Series",
            "" if asked.drawn else "Those of the largest, a middle and the smallest error.",
            figures=tuple(
                partial(series_figure, asked, judged, place) for place in _drawn(asked, judged)
            ),
        ),
    )


def _by_series(asked: Origins, judged: Forecasts) -> tuple[Section, ...]:
    """The errors of each series, where they are few."""
    if not 1 < len(judged.came) <= _LISTED:
        return ()
    rows: list[list[object]] = [["series", "mean absolute error", "in percent", "in the interval"]]
    for place, name in enumerate(asked.panel.series.tolist()):
        error, came, inside = _errors(judged, (place,))
        if len(error):
            percent = float(100 * (error / came).mean()) if (came > 0).all() else None
            rows.append([name, float(error.mean()), percent, float(inside.mean())])
    words = f"The interval goes from {asked.levels[0]:g} to {asked.levels[-1]:g}."
    return (Section("Each series", words, rows),)


def _errors(
    judged: Forecasts, places: tuple[Any, ...]
) -> tuple[_Floats, _Floats, NDArray[np.bool_]]:
    """Of the outcomes known at some places: absolute errors, outcomes, whether in the interval."""
    came, quantiles = judged.came[places], judged.quantiles[places]
    known = ~np.isnan(came)
    inside = (quantiles[..., 0] <= came) & (came <= quantiles[..., -1])
    return np.abs(came - judged.of(0.5)[places])[known], came[known], inside[known]


def _by_origin(asked: Origins, judged: Forecasts) -> tuple[Section, ...]:
    """The errors of each origin, where there are several; of very many in as many parts as fit."""
    if len(asked.stops) < 2:
        return ()
    rows: list[list[object]] = [["origin", "mean absolute error", "share in the interval"]]
    parts = min(len(asked.stops), _LISTED)
    for places in np.array_split(np.arange(len(asked.stops)), parts):
        error, _, inside = _errors(judged, (slice(None), places))
        stop = asked.stops[int(places[0])]
        moment = asked.panel.moments(stop, stop + 1)[0]
        told = [float(error.mean()), float(inside.mean())] if len(error) else [None, None]
        rows.append([str(asked.panel.calendar.shown(moment)), *told])
    words = f"The interval goes from {asked.levels[0]:g} to {asked.levels[-1]:g}."
    if parts < len(asked.stops):
        words += f" {len(asked.stops)} origins in {parts} parts; the first of each is named."
    return (Section("Origins", words, rows),)


def series_figure(asked: Origins, judged: Forecasts, place: int) -> Any:
    """Plot one series with its forecasts at the latest origins.

    Parameters
    ----------
    asked : Origins
    judged : Forecasts
    place : int
        Of the series.
    """
    from industry_apps.recipes.forecasting.evaluation.plots import forecast_plot

    drawn = range(len(asked.stops))[-_ORIGINS_DRAWN:]
    panel, first = asked.panel, asked.stops[drawn[0]]
    start = max(first - max(_SEASONS_BEFORE * asked.season, 2 * asked.horizon), 0)
    forecasts = {}
    for number in drawn:
        stop = asked.stops[number]
        moments = panel.calendar.shown(panel.moments(stop, stop + asked.horizon))
        forecasts[moments[0]] = moments, judged.quantiles[place, number]
    return forecast_plot(
        str(panel.series[place]),
        panel.calendar.shown(panel.times[start:]),
        asked.values[start:, place],
        forecasts,
        asked.levels,
    )


def _coverage_figure(levels: Sequence[float], below: Sequence[float]) -> Any:
    from industry_apps.recipes.forecasting.evaluation.plots import coverage_plot

    return coverage_plot(levels, below)


def _below(judged: Forecasts) -> list[float]:
    known = ~np.isnan(judged.came)
    return [
        float((judged.came <= judged.of(level))[known].mean()) if known.any() else float("nan")
        for level in judged.levels
    ]


def _drawn(asked: Origins, judged: Forecasts) -> list[int]:
    names = asked.panel.series.tolist()
    for name in asked.drawn:
        if name not in names:
            raise ParameterError(
                f"The 'series' parameter of backtest: {unknown_name('series', name, names)}"
            )
    return [names.index(name) for name in asked.drawn] or _some(judged)


def _some(judged: Forecasts) -> list[int]:
    """Series of the largest, a middle and the smallest scaled error."""
    error = np.abs(judged.came - judged.of(0.5)).reshape(len(judged.came), -1)
    known = ~np.isnan(error).all(axis=1) & (judged.scale > 0)
    (places,) = np.nonzero(known)
    if not len(places):
        return []
    mean = np.nanmean(error[places], axis=1) / judged.scale[places]
    order = places[np.argsort(-mean)]
    return order[np.unique(np.linspace(0, len(order) - 1, _DRAWN).astype(int))].tolist()
