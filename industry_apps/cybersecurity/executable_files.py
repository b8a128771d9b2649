"""Executable files: those that your labels say, by what a file shows without being run.

Asked by whoever has a folder of programs and a list of some of them: packed ones, those of a
vendor, those that analysts have set aside. Bytes, their entropy, strings, headers, sections and
imports become columns (Saxe and Berlin 2015, arXiv:1508.03096; Anderson and Roth 2018,
arXiv:1804.04637), and trees learn what your labels have in common. No file of anybody is bundled,
and nothing here says that a file is harmful: what a label means is yours.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from industry_apps.application import Application
from industry_apps.data import Split, split_by_group
from industry_apps.data.leakage import check_told
from industry_apps.evaluation import Costs, Report
from industry_apps.evaluation.detection import DETECTION
from industry_apps.limits import SHARE, integer
from industry_apps.recipes import DecisionOptions, TreeOptions
from industry_apps.recipes.column_mapping import OwnNames
from industry_apps.recipes.records import Records, numbered
from industry_apps.recipes.tables.decision import DecisionTable, HoldsDecision
from industry_apps.runtime.executables.columns import FEATURES_VERSION, FILE_COLUMNS
from industry_apps.runtime.executables.features import ExecutableFeatures
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions

__all__ = ["ExecutableClassifier", "ExecutableFeatures"]

_REASONS = 3
_TREES = TreeOptions(rounds=400, learning_rate=0.05, num_leaves=6, feature_fraction=0.3)
_DIGEST = "sha256"
_OWNER = "whose build it is"


class ExecutableClassifier(HoldsDecision, OwnNames, Application):
    """Probability that a PE or ELF file is one of those that your labels flag, and a decision.

    The columns are those of :class:`ExecutableFeatures`, which reads a folder without running
    anything in it; join your labels to its table. A machine that serves has it, too, as
    ``industry_apps.runtime.ExecutableFeatures``: its tables may be kept as CSV or Parquet, and go
    through ``industry-apps predict``. A CSV file holds lists as JSON: of what ``pandas.read_csv``
    reads, ``table[name].map(json.loads)`` makes lists. Files of one ``program`` are kept in one
    part of a split, and so are files of equal bytes, whichever program is named.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"is_flagged": "packed"}``.
    model : {"trees", "network"}
        Boosted trees, or a residual network.
    seed : int
    false_positive_rate : float
        Share of files without the label that may be flagged, in (0, 1]; the threshold is set on
        held-out files of other programs.
    trees : TreeOptions, optional
    training : TrainingOptions, optional
        Of the network.

    Notes
    -----
    The table has a column ``features_version``, of which a model file takes the value that it was
    trained with and no other. A model knows what your labels have in common, and that may be a
    compiler, a year or a collector: files that are harmless and come from elsewhere are the test.
    Whoever knows the columns can change a file until the answer turns.

    Examples
    --------
    >>> from industry_apps.cybersecurity import ExecutableClassifier
    >>> data = ExecutableClassifier.sample()
    >>> classifier = ExecutableClassifier.fast().fit(data)
    >>> classifier.predict(data.test.head(2)).columns[:2].tolist()
    ['flag_probability', 'is_flagged']
    """

    name = "cybersecurity.executable_files"
    question = "Is this program one of those flagged?"
    simulator = "cybersecurity_executable_simulator"
    schema = Schema(
        (
            Column("program", "category", "Its builds", role="identifier", required=False),
            Column(_DIGEST, "category", "Of its bytes", role="identifier", required=False),
            *FILE_COLUMNS,
            Column.label("is_flagged", "The label, in training"),
        )
    )
    outputs = Schema(
        (
            Column.probability("flag_probability", "Calibrated probability of the label"),
            Column("is_flagged", "boolean", "Look at it", nullable=False),
            Column("reasons", "category", "What speaks most for it, falling", size=None),
        )
    )
    traits = Traits(inputs=("number", "category"), explains=True)
    problem = DETECTION

    model: Literal["trees", "network"] = "trees"
    seed: Annotated[int, integer(0)] = 0
    false_positive_rate: Annotated[float, SHARE] = 0.01
    trees: TreeOptions | None = None
    training: TrainingOptions | None = None

    @classmethod
    def fast(cls) -> Self:
        """Few trees: a fit of seconds."""
        return cls(
            trees=replace(_TREES, rounds=60, learning_rate=0.15),
            training=TrainingOptions(max_epochs=3, progress=False),
        )

    def split(self, frame: pd.DataFrame) -> Split:
        """Split files so that no program, and no two equal files, are in two parts.

        Parameters
        ----------
        frame : DataFrame
            With ``program``, ``sha256``, or both; each may be missing in some rows.
        """
        if not any(name in frame for name in self._keys):
            check_told(frame, self._keys)
        (owned,) = self._owned(frame)
        owned[_OWNER] = numbered(owned[_OWNER].to_numpy(), len(owned))
        parts = split_by_group(owned, group=_OWNER, seed=self.seed)
        return Split(*(part.drop(columns=_OWNER) for part in parts))

    @property
    def _keys(self) -> list[str]:
        """Names of the columns that say which files belong together."""
        return [self._name("program"), self._name(_DIGEST)]

    def _by(self, key: str) -> Records:
        return Records(schema=FILE_COLUMNS, target=self._name("is_flagged"), subject=key)

    def _owned(self, *frames: pd.DataFrame) -> list[pd.DataFrame]:
        """Tables with whose build each file is: linked by program or by equal bytes, one name."""
        found = []
        for frame in frames:
            rows = len(frame)
            none = np.full(rows, "", dtype=object)
            keys = [self._by(k).subjects(frame) if k in frame else none for k in self._keys]
            ends = [np.unique(numbered(k, rows), return_inverse=True)[1] for k in keys]
            places = (ends[0], ends[1] + rows)
            links = coo_matrix((np.ones(rows), places), shape=(2 * rows, 2 * rows))
            linked = connected_components(links, directed=False)[1][ends[0]]
            names = pd.Series(np.where(keys[0] == "", keys[1], keys[0]), frame.index, dtype=object)
            found.append(frame.assign(**{_OWNER: names.groupby(linked).transform("min")}))
        return found

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        parts = [part for part in (train, validation) if part is not None]
        self.known_ = {key: self._by(key).subjects_apart(*parts) for key in self._keys}
        owned = self._owned(*parts)
        super()._fit(owned[0], owned[1] if len(owned) > 1 else None)

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        owned = self._owned(*(part for part in (train, validation) if part is not None))
        super()._fit_baselines(owned[0], owned[1] if len(owned) > 1 else None)

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        for key, known in self.known_.items():
            self._by(key).check_apart(known, frame)
        return super()._evaluate(*self._owned(frame))

    def _table(self, train: pd.DataFrame) -> DecisionTable:
        names = {self._name(name): name for name in FILE_COLUMNS.names}
        schema = Schema(tuple(c for c in self._own_schema() if c.name in names))
        records = Records(schema=schema, target=self._name("is_flagged"), subject=_OWNER)
        return DecisionTable(records, self._options, reasons=_REASONS, seed=self.seed)

    def _options(self, schema: Schema) -> DecisionOptions:
        return DecisionOptions(
            model=self.model,
            costs=Costs(false_alarm=1, missed=1),
            false_positive_rate=self.false_positive_rate,
            alone=self._name("entropy"),
            trees=replace(self.trees or _TREES, seed=self.seed),
            training=replace(self.training or TrainingOptions(max_epochs=20), seed=self.seed),
        )

    def _facts(self) -> dict[str, Any]:
        return {**super()._facts(), "features_version": FEATURES_VERSION}
