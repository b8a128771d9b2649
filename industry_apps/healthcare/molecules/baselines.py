"""What a model of molecules has to beat: RDKit's Morgan fingerprints and scikit-learn's models."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.data.chemistry import molecule_of, rdkit
from industry_apps.healthcare.molecules.recipe import Measured, Task

_SIZE, _RADIUS = 2048, 2
_TREES = 200


def morgan(smiles: NDArray[np.object_]) -> NDArray[np.float32]:
    """Morgan counts of molecules as RDKit finds them -> [rows, 2048].

    What RDKit does not read gets zeros.

    Parameters
    ----------
    smiles : ndarray of str, shape [rows]

    Raises
    ------
    MissingExtraError
    """
    generators = rdkit("Chem.rdFingerprintGenerator")
    generator = generators.GetMorganGenerator(radius=_RADIUS, fpSize=_SIZE)
    found = np.zeros((len(smiles), _SIZE), dtype=np.float32)
    for row, text in enumerate(smiles):
        molecule = molecule_of(text)
        if molecule is not None:
            found[row] = generator.GetCountFingerprintAsNumPy(molecule)
    return found


class MoleculeBaselines:
    """The mean; and on Morgan fingerprints ridge and a forest, or logistic regression.

    Parameters
    ----------
    column : str
        Of the SMILES.
    task : {"regression", "classification"}
    """

    def __init__(self, column: str, task: Task) -> None:
        self.column, self.task = column, task
        self.models_: dict[str, list[Any]] = {}  # until they are learned, there is none

    def fit(self, train: Measured) -> MoleculeBaselines:
        """Learn from training molecules.

        Parameters
        ----------
        train : Measured
        """
        rows = np.log1p(morgan(train.arrays[self.column]))
        self.mean_ = np.nanmean(train.target, axis=0)
        self.models_ = {name: [] for name in self._fresh()}
        for target in train.target.T:
            known = ~np.isnan(target)
            for name, model in self._fresh().items():
                self.models_[name].append(model.fit(rows[known], target[known]))
        return self

    def predict(self, smiles: NDArray[np.object_]) -> dict[str, NDArray[np.float64]]:
        """Molecules [rows] -> {baseline: numbers or probabilities [rows, targets]}.

        Parameters
        ----------
        smiles : ndarray of str, shape [rows]
        """
        if not self.models_:
            return {}
        rows = np.log1p(morgan(smiles))
        trivial = "mean" if self.task == "regression" else "prevalence"
        found = {trivial: np.tile(self.mean_, (len(smiles), 1))}
        for name, models in self.models_.items():
            if self.task == "regression":
                said = [model.predict(rows) for model in models]
            else:
                said = [model.predict_proba(rows)[:, 1] for model in models]
            found[name] = np.stack(said, axis=1)
        return found

    def _fresh(self) -> dict[str, Any]:
        from sklearn.ensemble import RandomForestRegressor
        from sklearn.linear_model import LogisticRegression, Ridge

        if self.task == "regression":
            forest = RandomForestRegressor(_TREES, max_features=0.3, random_state=0)
            return {"morgan_ridge": Ridge(10.0), "morgan_random_forest": forest}
        linear = LogisticRegression(C=0.1, solver="liblinear", max_iter=1_000, random_state=0)
        return {"morgan_logistic_regression": linear}
