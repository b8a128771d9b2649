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

import pandas as pd

from industry_apps.application import Application
from industry_apps.data import Split, split_by_group
from industry_apps.evaluation import Costs
from industry_apps.evaluation.detection import DETECTION
from industry_apps.limits import SHARE, integer
from industry_apps.recipes import DecisionOptions, TreeOptions
from industry_apps.recipes.column_mapping import OwnNames
from industry_apps.recipes.records import Records
from industry_apps.recipes.tables.decision import DecisionTable, HoldsDecision
from industry_apps.runtime.executables.columns import FEATURES_VERSION, FILE_COLUMNS
from industry_apps.runtime.executables.features import ExecutableFeatures
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions

__all__ = ["ExecutableClassifier", "ExecutableFeatures"]

_REASONS = 3
_TREES = TreeOptions(rounds=400, learning_rate=0.05, num_leaves=6, feature_fraction=0.3)
_DIGEST = "sha256"


class ExecutableClassifier(HoldsDecision, OwnNames, Application):
    """Probability that a PE or ELF file is one of those that your labels flag, and a decision.

    The columns are those of :class:`ExecutableFeatures`, which reads a folder without running
    anything in it; join your labels to its table. A machine that serves has it, too, as
    ``industry_apps.runtime.ExecutableFeatures``: its tables may be kept as CSV or Parquet, and go
    through ``industry-apps predict``. Files of one ``program`` are kept in one part of a split,
    and so are files of equal bytes where no program is named.

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
            With ``program``, or ``sha256``.
        """
        return split_by_group(frame, group=self._owner(frame), seed=self.seed)

    def _owner(self, frame: pd.DataFrame) -> str:
        program = self._name("program")
        return program if program in frame else self._name(_DIGEST)

    def _table(self, train: pd.DataFrame) -> DecisionTable:
        names = {self._name(name): name for name in FILE_COLUMNS.names}
        schema = Schema(tuple(c for c in self._own_schema() if c.name in names))
        records = Records(
            schema=schema, target=self._name("is_flagged"), subject=self._owner(train)
        )
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
