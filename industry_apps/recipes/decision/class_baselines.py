"""What a decision between several classes has to beat.

Letters: N rows, K classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import require
from industry_apps.features import FeatureGraph, plain_encoders
from industry_apps.recipes.decision.classes import Arrays, Classed
from industry_apps.schema import Schema

_Floats = NDArray[np.float64]


class ClassBaselines:
    """The shares of the classes, logistic regression, and LightGBM as it comes.

    ``prior``: the shares in the training rows, for every row. ``logistic_regression``: medians
    for missing values, standardised, L2 penalty. ``lightgbm_default``: with its own parameters.
    None weighs classes; each answers the likeliest one.

    Parameters
    ----------
    schema : Schema
    classes : int
        K.
    seed : int
    """

    def __init__(self, schema: Schema, classes: int, seed: int = 0) -> None:
        self._plain = FeatureGraph(schema, plain_encoders(schema))
        self._classes, self._seed = classes, seed
        self.models_: dict[str, Any] = {}  # until they are learned, there is none

    def fit(self, rows: Classed) -> ClassBaselines:
        """Learn from training rows, among which each class occurs."""
        lightgbm = require("lightgbm", extra="train", needed_by="The baseline 'lightgbm_default'")
        require("sklearn", extra="train", needed_by="The baseline 'logistic_regression'")
        from sklearn.impute import SimpleImputer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self._features = self._plain.learn(rows.arrays)
        numbers, target = self._features.run(rows.arrays)["numeric"], rows.target
        self.prior_ = np.bincount(target, minlength=self._classes) / len(target)
        medians = SimpleImputer(strategy="median", keep_empty_features=True)
        linear = make_pipeline(medians, StandardScaler(), LogisticRegression(max_iter=1000))
        trees = lightgbm.LGBMClassifier(
            random_state=self._seed, deterministic=True, force_row_wise=True, n_jobs=0, verbose=-1
        )
        self.models_ = {
            "logistic_regression": linear.fit(numbers, target),
            "lightgbm_default": trees.fit(numbers, target),
        }
        return self

    def probabilities(self, arrays: Arrays) -> dict[str, _Floats]:
        """Raw columns [N] -> {baseline: probabilities [N, K]}; none before they are learned."""
        if not self.models_:
            return {}
        numbers = self._features.run(arrays)["numeric"]
        found = {"prior": np.tile(self.prior_, (len(numbers), 1))}
        for name, model in self.models_.items():
            found[name] = np.asarray(model.predict_proba(numbers), dtype=np.float64)
        return found
