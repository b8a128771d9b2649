"""What an estimate of remaining life is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from industry_apps.recipes.sensors.lives import Lives, spans
from industry_apps.recipes.sensors.recipe import LifeOptions, LifeRecipe
from industry_apps.recipes.trees import TreeOptions
from industry_apps.schema import Schema

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

#: Readings of the window of the literature on C-MAPSS.
_USUAL_WINDOW = 30
#: LightGBM about as it comes; of few readings a leaf has fewer, so that there are some leaves.
_PLAIN = TreeOptions(rounds=200, learning_rate=0.05, num_leaves=31, min_child_samples=50)
_LEAVES = 20


class LifeBaselines:
    """Lives of the mean machine, one number for all, and LightGBM on the last 30 readings.

    Parameters
    ----------
    schema : Schema
    sensors, settings : sequence of str
    options : LifeOptions
    """

    def __init__(
        self, schema: Schema, sensors: Sequence[str], settings: Sequence[str], options: LifeOptions
    ) -> None:
        self.schema, self.sensors, self.settings = schema, sensors, settings
        self.options, self.cap = options, options.cap

    def fit(self, lives: Lives) -> LifeBaselines:
        """Learn from the machines that the model has learned from."""
        known = np.flatnonzero(~np.isnan(lives.life))
        first, last = (known[places] for places in spans(lives.owner[known]))
        self._new = float((lives.life[first] + lives.ages[first] - 1).mean())
        readings, used = (last - first).sum(), (lives.life[first] - lives.life[last]).sum()
        self._step = float(used / readings) if readings else 0.0
        self._constant = float(np.minimum(lives.life[known], self.cap).mean())
        leaf = max(1, min(_PLAIN.min_child_samples, len(known) // _LEAVES))
        plain = replace(
            self.options,
            model="trees",
            history=_USUAL_WINDOW,
            features=(),
            trees=replace(_PLAIN, min_child_samples=leaf),
            folds=2,
        )
        self._trees = LifeRecipe(self.schema, self.sensors, self.settings, plain).fit(lives)
        return self

    def answers(self, lives: Lives, ends: _Ints) -> dict[str, _Floats]:
        """Baseline -> answers as of some readings, [N]."""
        age = (lives.ages[ends] - 1) * self._step
        rolling = self._trees.answer_at(lives, ends)["remaining_life"]
        return {
            "mean_life": np.clip(self._new - age, 0, self.cap),
            "constant": np.full(len(ends), self._constant),
            "lightgbm_rolling_30": np.nan_to_num(rolling, nan=self._constant),
        }
