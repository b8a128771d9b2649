"""What a detector is compared with: no alarms, limits of each tag, and the classical subspaces.

Each learns from the same normal rows, and has its threshold from the same held-out ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.recipes.anomaly.recipe import AnomalyOptions, AnomalyRecipe
from industry_apps.recipes.anomaly.scaling import Columns, Scaling
from industry_apps.recipes.anomaly.threshold import AlarmThreshold
from industry_apps.schema import Schema

__all__ = ["PlantBaselines", "TagLimits"]

#: Lags and states of the classical canonical variate analysis, and lags of dynamic components.
_CVA_LAGS, _STATES, _DPCA_LAGS = 5, 25, 3

_Floats = NDArray[np.float64]


class TagLimits:
    """The largest deviation of any tag: a control chart of each, with common limits.

    Parameters
    ----------
    schema : Schema

    References
    ----------
    Shewhart (1931), Economic control of quality of manufactured product.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def fit(self, train: Sequence[Columns], held_out: Sequence[Columns]) -> TagLimits:
        """Learn mean and scale from the one, the limits from the other."""
        self.scaling_ = Scaling.learn(self.schema, train)
        normal = np.concatenate([self._largest(each) for each in held_out])
        normal = normal[~np.isnan(normal)]
        self.threshold_ = AlarmThreshold.at_rate(normal, 1 / (len(normal) + 1))
        return self

    def score(self, columns: Columns) -> _Floats:
        """Windows [N, L] -> scores of their last rows as a share of the threshold, [N]."""
        return self._largest({n: v[:, -1] for n, v in columns.items()}) / self.threshold_.value

    def _largest(self, columns: Columns) -> _Floats:
        found: _Floats = np.abs(self.scaling_.apply(columns, self.schema)).max(axis=-1)
        return found


class PlantBaselines:
    """The baselines, learned.

    Parameters
    ----------
    schema : Schema
    train, held_out : sequence of mapping of str to ndarray of shape [T]
        Normal rows, run by run.
    """

    def __init__(
        self, schema: Schema, train: Sequence[Columns], held_out: Sequence[Columns]
    ) -> None:
        self.limits_ = TagLimits(schema).fit(train, held_out)
        lags = _fitting_lags(schema, train)
        settings = {
            "pca": AnomalyOptions(model="pca", lags=1, smoothing=1),
            "dynamic_pca": AnomalyOptions(model="dynamic_pca", lags=_DPCA_LAGS, smoothing=1),
            "cva": AnomalyOptions(model="cva", lags=lags, future=lags, smoothing=1, states=_STATES),
        }
        largest = _least_rate(held_out)
        settings = {n: replace(each, false_alarm_rate=largest) for n, each in settings.items()}
        self.recipes_ = {
            name: AnomalyRecipe(each).fit(schema, train, held_out)
            for name, each in settings.items()
        }

    @property
    def length(self) -> int:
        """Readings of the longest window."""
        return max(recipe.length for recipe in self.recipes_.values())

    def scores(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, _Floats]:
        """Windows [N, L] -> scores of each as a share of its threshold, [N]."""
        rows = len(next(iter(columns.values())))
        return {
            "never": np.zeros(rows),
            "tag_limits": self.limits_.score(columns),
            **{name: recipe.answer(columns).score for name, recipe in self.recipes_.items()},
        }


def _fitting_lags(schema: Schema, train: Sequence[Columns]) -> int:
    """The lags of the classical analysis, or as many as there are rows for."""
    columns = len(schema.inputs().names)
    for lags in range(_CVA_LAGS, 1, -1):
        windows = sum(max(len(next(iter(e.values()))) - 2 * lags + 1, 0) for e in train)
        if windows > lags * columns:
            return lags
    return 1


def _least_rate(held_out: Sequence[Columns]) -> float:
    """A share of false alarms that the held-out rows just tell: above the largest score."""
    return 1.5 / (sum(len(next(iter(each.values()))) for each in held_out) + 1)
