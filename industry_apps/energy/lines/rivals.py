"""What a locator of faults has to beat beside the impedance methods."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.data.simulators.energy.line_faults import FAULT_TYPES
from industry_apps.energy.lines.locator import FaultModel, Faults
from industry_apps.energy.lines.physics import SIGN_COLUMNS
from industry_apps.energy.lines.quantities import RECORD
from industry_apps.errors import require
from industry_apps.recipes.decision.class_baselines import ClassBaselines

Floats = NDArray[np.float64]


class LineRivals:
    """Baselines that read the same quantities for types, and the record as it is for distances.

    ``prior``: the shares of the types, and the mean place, for every record.
    ``logistic_regression``: types alone. ``lightgbm_default``: LightGBM as it comes; of the
    distance without physics, from the record and its type as it is answered.

    Parameters
    ----------
    model : FaultModel
        Whose quantities they read.
    seed : int
    """

    def __init__(self, model: FaultModel, seed: int) -> None:
        self._model, self._seed = model, seed
        self._types = ClassBaselines(SIGN_COLUMNS, len(FAULT_TYPES), seed)
        self.regressor_: Any = None

    def fit(self, faults: Faults) -> None:
        """Learn from training records."""
        lightgbm = require("lightgbm", extra="train", needed_by="The baseline 'lightgbm_default'")
        self._types.fit(self._model.classed(faults))
        fault = faults.kind > 0
        self.middle_ = float(faults.share[fault].mean())
        model = lightgbm.LGBMRegressor(
            random_state=self._seed, deterministic=True, force_row_wise=True, n_jobs=0, verbose=-1
        )
        rows = _raw(faults, faults.kind)[fault]
        self.regressor_ = model.fit(rows, faults.share[fault])

    def answers(self, faults: Faults) -> dict[str, tuple[Floats, Floats | None]]:
        """Name -> probabilities [N, types], and shares of the length [N], NaN without a fault."""
        if self.regressor_ is None:
            return {}
        found: dict[str, tuple[Floats, Floats | None]] = {}
        for name, odds in self._types.probabilities(self._model.classed(faults).arrays).items():
            kind = odds.argmax(axis=1)
            share: Floats | None = None
            if name == "prior":
                share = np.full(len(kind), self.middle_)
            elif name == "lightgbm_default":
                answer = np.clip(self.regressor_.predict(_raw(faults, kind)), 0, 1)
                share = np.where(kind > 0, answer, np.nan)
            found[name] = odds, share
        return found


def _raw(faults: Faults, kind: NDArray[np.intp]) -> NDArray[np.float32]:
    columns = [faults.arrays[name] for name in RECORD.names]
    return np.column_stack([*columns, kind]).astype(np.float32)
