"""Variants of a model, trained on the same data and judged alike: which one to take."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby, product
from typing import Any

import pandas as pd
from sklearn.base import clone

from industry_apps.data import Dataset
from industry_apps.data.splits import set_aside
from industry_apps.evaluation.repeats import over_seeds
from industry_apps.evaluation.report import Report
from industry_apps.evaluation.sections import Section
from industry_apps.runtime.progress import tracked

__all__ = ["Question", "compare_variants"]

#: Measures on data, which may take long; see an application's ``studies``.
Question = Callable[[Dataset], tuple[Section, ...]]

_HELD_OUT = 0.1
_TEXT = (
    "Every variant learns from the same rows. Choose by the figures on validation data; those on "
    "test data say what the choice is worth. An interval covers 95 %. The time of a fit is that "
    "of the first variant once, on one machine."
)


def compare_variants(
    model: Any,
    variants: Mapping[str, Mapping[str, Any]],
    data: Dataset,
    metric: str,
    *,
    seeds: Sequence[int] = (0,),
    title: str = "Variants",
) -> Section:
    """Train variants of a model, and measure each on validation and on test data.

    Parameters
    ----------
    model : Application
        Its parameters are used, but for those that vary; it is not changed.
    variants : mapping of str to mapping
        Name -> parameters of the constructor. The first is the one to beat.
    data : Dataset
        Without validation data, a tenth of the training data serves for it, the same tenth for
        all.
    metric : str
        One that the reports of the model have.
    seeds : sequence of int, default=(0,)
        Each variant is trained with each; figures are means over them.
    title : str

    Returns
    -------
    Section
        One row a variant, then one a baseline: ``fit_time``, relative to the first;
        ``<metric>_validation`` and ``<metric>``, on test data, with intervals.

    Raises
    ------
    LeakageError
        The model refuses to be measured on validation data, whose patients or days it has seen.
    SchemaError, ParameterError, TrainingError

    Notes
    -----
    Where validation data say when to stop and calibrate, figures on them flatter all variants
    about alike: they are for the choice alone.

    Examples
    --------
    >>> from industry_apps.healthcare import PropertyPredictor
    >>> kinds = {"two members": {"members": 2}, "three members": {"members": 3}}
    >>> data = PropertyPredictor.sample()
    >>> found = compare_variants(PropertyPredictor.fast(), kinds, data, "rmse").records()
    >>> [row["model"] for row in found][:2]
    ['two members', 'three members']
    """
    train, validation = _parts(data)
    rows: list[list[object]] = [["model", "fit_time", f"{metric}_validation", metric]]
    first_took = 0.0
    plan = tracked(list(product(variants, seeds)), title)
    for name, asked in groupby(plan, key=lambda each: each[0]):
        took, judged = 0.0, []
        for _, seed in asked:
            variant = clone(model).set_params(**variants[name], seed=seed)
            started = time.perf_counter()
            variant.fit(train, validation)
            took += time.perf_counter() - started
            judged.append([variant.evaluate(part) for part in (validation, data.test)])
        first_took = first_took or took
        both = [*map(_mean, zip(*judged, strict=True))]
        rows.append([name, round(took / first_took, 2), *(each.metrics[metric] for each in both)])
    for name in both[0].baselines:
        rows.append([name, None, *(each.baselines[name][metric] for each in both)])
    return Section(title, _TEXT + _seeds(seeds), rows)


def _parts(data: Dataset) -> tuple[pd.DataFrame, pd.DataFrame]:
    if len(data.validation):
        return data.train, data.validation
    return set_aside(data.train, _HELD_OUT)


def _mean(reports: Sequence[Report]) -> Report:
    return over_seeds(reports) if len(reports) > 1 else reports[0]


def _seeds(seeds: Sequence[int]) -> str:
    return f" Means over {len(seeds)} trainings, each with a seed of its own." if seeds[1:] else ""
