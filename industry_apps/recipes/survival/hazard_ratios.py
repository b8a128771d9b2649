"""Hazard ratios of Cox's model, with intervals: what clinicians read beside a prediction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import require
from industry_apps.evaluation.sections import Section
from industry_apps.features import Category, FeatureGraph, Missing, Standard, Value
from industry_apps.features.plans import RARE
from industry_apps.recipes.survival.curve import FEWEST_EVENTS
from industry_apps.recipes.survival.models import Followed
from industry_apps.schema import Schema

#: Levels of a category that are compared, the most frequent; and rows that are learned from.
_MOST_LEVELS, _MOST_ROWS = 10, 20_000
_HEADER = ["column", "compared", "hazard_ratio", "low", "high"]


def hazard_ratios(schema: Schema, rows: Followed, *, seed: int = 0) -> list[list[object]]:
    """Fit Cox's model without a penalty on plain columns.

    Parameters
    ----------
    schema : Schema
    rows : Followed
    seed : int
        Of the rows that are drawn where there are more than 20 000.

    Returns
    -------
    list of list
        Column, what is compared, hazard ratio, and both ends of its interval of 95 %, for each
        deviation of a number and each level of a category against the most frequent one; none
        where the model has no solution.

    References
    ----------
    Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x; ties as in Breslow 1974.
    """
    regression = require(
        "statsmodels.duration.hazard_regression", extra="healthcare", needed_by="hazard ratios"
    )
    if len(rows.follow_up) > _MOST_ROWS:
        draw = np.random.default_rng(seed)
        rows = rows.part(np.sort(draw.choice(len(rows.follow_up), _MOST_ROWS, replace=False)))
    words, columns = _compared(schema, rows)
    if not words:
        return []
    design = np.column_stack(columns)
    kept = _independent(design)
    time, event = rows.follow_up.time, rows.follow_up.event
    try:
        found = regression.PHReg(time, design[:, kept], status=event, ties="breslow").fit()
    except np.linalg.LinAlgError:  # a step alone separates who has the event
        return []
    low, high = np.exp(found.conf_int()).T
    ratios = zip(np.exp(found.params), low, high, strict=True)
    return [[*words[n], *map(float, each)] for n, each in zip(kept, ratios, strict=True)]


def ratios_section(ratios: list[list[object]]) -> Section:
    """A table of hazard ratios for the report.

    Parameters
    ----------
    ratios : list of list
        From :func:`hazard_ratios`.
    """
    if not ratios:
        return Section("Hazard ratios", "Cox's model without a penalty has no solution here.")
    words = (
        "Of Cox's model on the training data, whatever model answers: how the hazard is multiplied "
        "by a step of a column, the others held; intervals of 95 %."
    )
    return Section("Hazard ratios", words, [_HEADER, *ratios])


def _compared(schema: Schema, rows: Followed) -> tuple[list[list[str]], list[NDArray[np.float64]]]:
    """What is compared, in words, and the columns of the design that tell it."""
    words: list[list[str]] = []
    columns: list[NDArray[np.float64]] = []
    for column in schema.inputs():
        if column.kind in ("number", "boolean"):
            plan = [Standard(Value(column.name)), Missing(Value(column.name))]
        elif column.kind == "category":
            plan = [Category(column.name, "onehot", min_count=RARE, max_levels=_MOST_LEVELS)]
        else:
            continue
        graph = FeatureGraph(Schema((column,)), plan).learn(rows.arrays)
        values = graph.run(rows.arrays)["numeric"].astype(np.float64)
        names = graph.names
        if column.kind == "category":
            usual = int(values.sum(axis=0).argmax())
            told = [f"{_level(name)} against {_level(names[usual])}" for name in names]
        else:
            scale = next(e.scale for e in graph.encoders if isinstance(e, Standard))
            usual, told = -1, [f"+ {scale:.4g} {column.unit}".rstrip(), "missing against known"]
        for place, (each, name) in enumerate(zip(values.T, told, strict=False)):
            if place != usual and _tells(each, rows.follow_up.event):
                words.append([column.name, name])
                columns.append(each)
    return words, columns


def _tells(values: NDArray[np.float64], event: NDArray[np.bool_]) -> bool:
    """Whether a number varies, and both values of a step had events."""
    if set(np.unique(values)) <= {0.0, 1.0}:
        had = values[event].sum()
        return bool(min(had, event.sum() - had) >= FEWEST_EVENTS)
    return bool(values.std() > 0)


def _level(name: str) -> str:
    return name.partition("=")[2] or "missing"


def _independent(design: NDArray[np.float64]) -> list[int]:
    """Columns of a design, in order, that are no sum of others before them."""
    from scipy.linalg import qr

    centred = design - design.mean(axis=0)
    _, triangle, order = qr(centred, mode="economic", pivoting=True)
    size = np.abs(np.diag(triangle))
    return sorted(order[: int((size > 1e-6 * size.max()).sum())].tolist())
