"""Load forecasts over 96 to 720 hours by the protocol of the literature on ETTh1.

Twelve months to learn, four to choose, four to be judged on; all series at each hour, scaled by
mean and spread of the first part; every window is judged, those of the last batch too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from industry_apps.data import Dataset
from industry_apps.evaluation.intervals import BootstrapResult, Estimate, bootstrap
from industry_apps.evaluation.sections import Section
from industry_apps.recipes.forecasting.options import LearningOptions
from industry_apps.runtime import Panel

HORIZONS = (96, 192, 336, 720)
#: What did best on the validation part over most horizons, and what it was chosen among.
HISTORY, HISTORIES = 504, (336, 504, 720)
MODELS = ("ridge", "periodic")
#: Origins between those that are learned from, and that the choice is made on.
EVERY = 13
#: Errors of a week of hours are resampled together.
_BLOCK = 168
#: Moments that are answered in one run.
_MOMENTS_A_RUN = 64
_DAY, _WEEK = 24, 168
_AGAIN = "learned again with the validation part"
_NO_FIGURE = (None, None)

_Floats = NDArray[np.float64]
#: Panel and origins -> median forecasts of all series, [origins, S, H].
_Point = Callable[[Panel, list[int]], NDArray[Any]]


class Published(NamedTuple):
    """Mean squared and absolute error by horizon, and whether all windows were judged."""

    system: str
    source: str
    figures: tuple[tuple[float | None, float | None], ...]
    every_window: bool = True


_SPARSE, _XPATCH = "arXiv:2405.00946", "arXiv:2412.17323"
PUBLISHED = (
    Published("PDF", _SPARSE, ((0.360, 0.391), (0.392, 0.414), (0.418, 0.435), (0.456, 0.462))),
    Published(
        "SparseTSF", _SPARSE, ((0.362, 0.389), (0.404, 0.412), (0.435, 0.428), (0.426, 0.448))
    ),
    Published("xPatch", _XPATCH, ((0.363, 0.390),)),
    Published("PatchTST", _XPATCH, ((0.377, 0.397),)),
    Published("DLinear", _XPATCH, ((0.379, 0.403),)),
    Published("iTransformer", _XPATCH, ((0.386, 0.405),)),
    Published("PatchTST/64", "arXiv:2211.14730", ((0.370, 0.400),), every_window=False),
    Published("DLinear", "arXiv:2205.13504", ((0.375, 0.399),), every_window=False),
)


@dataclass(frozen=True, eq=False)
class _Parts:
    """One panel of all parts, where each begins, and the spread of each series in the first."""

    panel: Panel
    validation: int
    test: int
    end: int
    spread: _Floats

    def errors(self, point: _Point, horizon: int, first: int, end: int, every: int) -> _Errors:
        """Of all windows whose hours lie between two steps, from every so many origins."""
        values = self.panel.columns["load"].astype(np.float64)
        stops = list(range(first, end - horizon + 1, every))
        blocks = -(-(end - first) // _BLOCK)
        sums = np.zeros((3, blocks))
        for start in range(0, len(stops), _MOMENTS_A_RUN):
            some = stops[start : start + _MOMENTS_A_RUN]
            hours = np.array(some)[:, None] + np.arange(horizon)  # [origins, H]
            came = values[hours].transpose(0, 2, 1)
            error = (came - point(self.panel, some)) / self.spread[:, None]
            block = (hours - first) // _BLOCK
            for row, each in enumerate((error**2, np.abs(error), np.ones_like(error))):
                sums[row] += np.bincount(block.ravel(), each.sum(axis=1).ravel(), blocks)
        return _Errors(*sums)


class _Errors(NamedTuple):
    """Sums of squared and absolute errors, and their number, by week of the hours forecast."""

    squared: _Floats
    absolute: _Floats
    number: _Floats

    @property
    def mean(self) -> tuple[float, float]:
        """Mean squared and absolute error."""
        squared, absolute, number = (float(each.sum()) for each in self)
        return squared / number, absolute / number

    def resampled(self) -> BootstrapResult:
        """Both on resamples of whole weeks."""

        def mean(sums: _Floats, weight: _Floats) -> float:
            return float(weight @ sums) / float(weight @ self.number)

        metrics = {"mse": partial(mean, self.squared), "mae": partial(mean, self.absolute)}
        return bootstrap(metrics, None, len(self.number))


def long_horizons(author: Any, data: Dataset, *, full: bool = False) -> tuple[Section, ...]:
    """Judge models on the test part, each of the history that was chosen on the validation part.

    Parameters
    ----------
    author : LoadForecaster
        Not fitted; names of columns and the seed are taken from it.
    data : Dataset
        Of ``area``, ``time`` and ``load``, split in time.
    full : bool
        Choose the history anew, and learn again with the validation part; takes long.

    Returns
    -------
    tuple of Section
        Figures on the test part beside simple rules and published ones; and the choice.
    """
    rows: list[list[object]] = [["hours", "model", "history", "mse", "mae", "source", "protocol"]]
    chosen: list[list[object]] = [["hours", "model", "history", "validation_mse", "validation_mae"]]
    for horizon in HORIZONS:
        for model in MODELS:
            history, choice = _chosen(author, data, horizon, model) if full else (HISTORY, [])
            chosen += choice
            for refit, name in ((False, model), (True, f"{model} {_AGAIN}"))[: 1 + full]:
                fitted, parts = _fitted(author, data, horizon, model, history, refit=refit)
                judged = _judged(parts, _median_of(fitted), horizon)
                rows.append([horizon, name, history, *judged, "", _AGAIN if refit else "same"])
        for name, point in _rules(horizon).items():
            rows.append([horizon, name, None, *_judged(parts, point, horizon), "", "same"])
        rows += _published(horizon)
    found = (Section("Long horizons", _TEXT, rows),)
    return (*found, Section("Choice of the history", _CHOICE, chosen)) if full else found


def _chosen(author: Any, data: Dataset, horizon: int, model: str) -> tuple[int, list[list[object]]]:
    """The history of the smallest squared error on the validation part, and all that were tried."""
    errors = {}
    for history in HISTORIES:
        fitted, parts = _fitted(author, data, horizon, model, history)
        point = _median_of(fitted)
        found = parts.errors(point, horizon, parts.validation, parts.test, EVERY)
        errors[history] = found.mean
    tried: list[list[object]] = [[horizon, model, k, *each] for k, each in errors.items()]
    return min(errors, key=lambda each: errors[each][0]), tried


def _fitted(
    author: Any, data: Dataset, horizon: int, model: str, history: int, *, refit: bool = False
) -> tuple[Any, _Parts]:
    """A model of the first part; the second chooses its penalties."""
    months = len(data.validation) // data.validation["area"].nunique()
    learning = LearningOptions(
        origins=len(data.train),
        every=EVERY,
        held_out=(months - horizon) // EVERY + 1,
        apart=EVERY,
        refit=refit,
    )
    fitted = clone(author).set_params(
        model=model,
        horizon=horizon,
        history=history,
        learning=learning,
        baselines=(),
        quantiles=(0.1, 0.5, 0.9),
        flat_steps=0,
    )
    fitted.fit(data.train, data.validation)
    behind = fitted.series_.read(data.test)
    panel = fitted.history_.joined(behind)
    spread = data.train.groupby("area")["load"].std(ddof=0).reindex(panel.series).to_numpy()
    test, end = len(fitted.history_.times), len(panel.times)
    return fitted, _Parts(panel, test - months, test, end, spread)


def _median_of(fitted: Any) -> _Point:
    recipe, place = fitted.series_.recipe_, list(fitted.quantiles).index(0.5)

    def point(panel: Panel, stops: list[int]) -> NDArray[Any]:
        asked = [panel.feeds(stop, fitted.schema_, fitted.windows_) for stop in stops]
        feeds = {name: np.concatenate([each[name] for each in asked]) for name in asked[0]}
        found: NDArray[Any] = recipe.forecast(feeds)[:, :, place]
        return found.reshape(len(stops), len(panel.series), -1)

    return point


def _rules(horizon: int) -> Mapping[str, _Point]:
    """What has to be beaten: the last value, the last day and the last week again."""

    def again(season: int, panel: Panel, stops: list[int]) -> NDArray[Any]:
        back = np.arange(horizon) % season - season
        return panel.columns["load"][np.array(stops)[:, None] + back].transpose(0, 2, 1)

    names = {"last value": 1, "a day ago": _DAY, "a week ago": _WEEK}
    return {name: partial(again, season) for name, season in names.items()}


def _judged(parts: _Parts, point: _Point, horizon: int) -> tuple[Estimate, Estimate]:
    found = parts.errors(point, horizon, parts.test, parts.end, 1).resampled().estimates()
    return found["mse"], found["mae"]


def _published(horizon: int) -> list[list[object]]:
    place = HORIZONS.index(horizon)
    found: list[list[object]] = []
    for each in PUBLISHED:
        figures = dict(enumerate(each.figures)).get(place, _NO_FIGURE)
        if figures != _NO_FIGURE:
            protocol = "same" if each.every_window else "the last batch is left out"
            found.append([horizon, each.system, None, *figures, each.source, protocol])
    return found


_TEXT = (
    "Mean squared and absolute error of the median, of all series and hours, each series scaled by "
    "mean and spread of the training part; from every origin, none left out. Models learn from "
    "the training part; validation data choose history and penalties. A model that "
    "learned again with the validation part, as one in service does, is told apart: published "
    "figures are not of such. Intervals of 95 % by resampling whole weeks."
)
_CHOICE = (
    f"From every {EVERY}th origin of the validation part. For each horizon and model the history "
    "of the smallest squared error is taken."
)
