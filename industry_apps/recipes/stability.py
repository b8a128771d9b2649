"""Columns whose relation to the target does not hold over time.

A column can separate the classes well in one period and mislead in the next: months in
which nobody investigated, a code that was given out anew. Such a column is found before a
model learns it, by comparing the two halves of the training period.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2

from industry_apps.schema import Schema

#: Numbers are compared in so many groups of equal size.
_GROUPS = 10
#: Levels with fewer rows than this in one half tell too little.
_FEWEST_ROWS = 50
#: Both must hold: unlikely by chance, and large for the number of levels.
_LARGEST_P = 1e-6
_LARGEST_RATIO = 10.0


@dataclass(frozen=True, slots=True)
class Unstable:
    """A column whose effect changed.

    Parameters
    ----------
    column : str
    statistic : float
        Chi-squared over its degrees of freedom; about 1 when nothing changed.
    p_value : float
    """

    column: str
    statistic: float
    p_value: float

    def __str__(self) -> str:
        return f"{self.column} (chi2/df {self.statistic:.0f})"


def unstable_columns(
    schema: Schema,
    arrays: Mapping[str, NDArray[Any]],
    target: NDArray[np.bool_],
    time: NDArray[np.int64],
) -> list[Unstable]:
    """Find the numbers and categories whose effect differs between two halves of a period.

    For each level the change of its log-odds from the first half to the second is
    compared with the common change of all levels: Woolf's test of homogeneity.

    Parameters
    ----------
    schema : Schema
    arrays : mapping of str to ndarray of shape [rows]
    target : ndarray of bool of shape [rows]
    time : ndarray of int of shape [rows]
        Any unit; the halves are equally long, not equally full.

    References
    ----------
    Woolf 1955, "On estimating the relation between blood group and disease",
    doi:10.1111/j.1469-1809.1955.tb01348.x.
    """
    later = time > (time.min() + time.max()) / 2
    found = []
    for column in schema:
        # State columns change while the stream is young, and settle.
        if column.role == "feature" and column.kind in ("number", "category"):
            levels = _levels(arrays[column.name], column.kind)
            result = _woolf(levels, target, later)
            if result is not None and result[0] > _LARGEST_RATIO and result[1] < _LARGEST_P:
                found.append(Unstable(column.name, *result))
    return found


def _levels(values: NDArray[Any], kind: str) -> NDArray[np.intp]:
    """Number of the level of each row; missing values are a level of their own."""
    if kind == "category":
        return pd.factorize(values, sort=True)[0]
    known = values[~np.isnan(values)]
    if not len(known):
        return np.zeros(len(values), dtype=np.intp)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, _GROUPS + 1)[1:-1]))
    return np.searchsorted(edges, values, side="right")  # NaN sorts last, beyond all edges


def _woolf(
    levels: NDArray[np.intp], target: NDArray[np.bool_], later: NDArray[np.bool_]
) -> tuple[float, float] | None:
    """Chi-squared over degrees of freedom, and its p-value; None where nothing compares."""
    count = int(levels.max()) + 1
    cells = 2 * levels + later
    rows = np.bincount(cells, minlength=2 * count).reshape(count, 2)
    positives = np.bincount(cells, target, minlength=2 * count).reshape(count, 2)
    kept = (rows >= _FEWEST_ROWS).all(axis=1)
    if kept.sum() < 2:
        return None
    yes, no = positives[kept] + 0.5, rows[kept] - positives[kept] + 0.5
    change = np.log(yes[:, 1] / no[:, 1]) - np.log(yes[:, 0] / no[:, 0])
    weight = 1 / (1 / yes + 1 / no).sum(axis=1)
    common = np.average(change, weights=weight)
    statistic = float((weight * (change - common) ** 2).sum())
    freedom = int(kept.sum()) - 1
    return statistic / freedom, float(chi2.sf(statistic, freedom))
