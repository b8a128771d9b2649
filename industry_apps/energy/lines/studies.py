"""Questions about faults of lines beside the benchmark: what noise and resistance cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from industry_apps.data.simulators.energy.line_faults import line_faults
from industry_apps.energy.lines.assessment import located_errors
from industry_apps.energy.lines.quantities import METHODS
from industry_apps.evaluation.sections import Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from industry_apps.application import Application
    from industry_apps.data import Dataset

__all__ = ["NOISES", "RESISTANCES", "noise_sweep", "resistance_sweep"]

#: Standard deviations of the errors of the instruments; up to 0.01 in the benchmark.
NOISES = (0.0, 0.0025, 0.005, 0.01, 0.02, 0.05)
#: Resistances to the ground in ohm; up to 30 in the benchmark.
RESISTANCES = (0.01, 5.0, 10.0, 20.0, 30.0, 50.0, 100.0)
_MOST_NOISE, _MOST_RESISTANCE = 0.01, 30.0
_RECORDS = 4_000
#: Of the records that are drawn for a sweep; those of the benchmark have seed 0.
_SEED = 1_000

_SYSTEMS = ("model", *(name.replace("_", " ") for name in METHODS))


class _Level(NamedTuple):
    """A value of what is swept, records of it, and whether training has seen such ones."""

    value: float
    frame: pd.DataFrame
    known: bool


def noise_sweep(locator: Application, data: Dataset) -> Section:
    """Judge one fitted model on faults measured with more and more noise.

    Parameters
    ----------
    locator : Application
        A LineFaultLocator, not fitted; a fresh one is.
    data : Dataset
        Of the simulator as it comes, which it learns from.
    """
    levels = (
        _Level(sd, line_faults(_RECORDS, noise=(sd, sd), seed=_SEED), sd <= _MOST_NOISE)
        for sd in NOISES
    )
    return _sweep(locator, data, levels, "noise", "Standard deviation of relative errors")


def resistance_sweep(locator: Application, data: Dataset) -> Section:
    """Judge one fitted model on faults to the ground of higher and higher resistance.

    Parameters
    ----------
    locator, data
        As of :func:`noise_sweep`.
    """
    levels = (_Level(ohm, _earthed(ohm), ohm <= _MOST_RESISTANCE) for ohm in RESISTANCES)
    return _sweep(locator, data, levels, "resistance", "Resistance to the ground, ohm")


def _earthed(ohm: float) -> pd.DataFrame:
    drawn = line_faults(_RECORDS, resistance=(ohm, ohm), seed=_SEED)
    return drawn[drawn["fault_type"].str.endswith("G")].reset_index(drop=True)


def _sweep(
    locator: Application, data: Dataset, levels: Iterable[_Level], name: str, axis: str
) -> Section:
    from sklearn.base import clone

    fitted: Any = clone(locator).fit(data)
    rows: list[tuple[object, ...]] = [
        (name, "in training", *_SYSTEMS, "inside interval", "types right", "not located")
    ]
    for level in levels:
        faults = fitted.faults_of(level.frame)
        errors = located_errors(fitted.model_.locate(faults.arrays), faults)
        figures = (*errors.model, errors.inside, errors.right, errors.lost)
        rows.append((level.value, level.known, *(round(float(each), 4) for each in figures)))
    text = (
        f"{_RECORDS} records of the simulator for each value, all else drawn as in the benchmark; "
        "the same faults at each value. Mean distance from the fault in % of the length, of those "
        "that get a distance. One model, learned from the benchmark's training part; what is not "
        "in training it was not made for."
    )
    draw: Callable[[], Figure] = partial(_figure, rows, axis)
    return Section(f"Distance errors by {name}", text, rows, figures=(draw,))


def _figure(rows: list[tuple[object, ...]], axis: str) -> Figure:
    from matplotlib.figure import Figure

    table: Any = np.array([[float(str(cell)) for cell in (row[0], *row[2:6])] for row in rows[1:]])
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.subplots()
    for place, system in enumerate(_SYSTEMS, start=1):
        axes.plot(table[:, 0], table[:, place], marker="o", label=system)
    axes.set(xlabel=axis, ylabel="Mean error, % of the length", ylim=(0, None))
    axes.legend(frameon=False)
    figure.set_label(f"Distance errors by {rows[0][0]}")
    return figure
