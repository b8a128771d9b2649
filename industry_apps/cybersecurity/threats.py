"""What detectors of threats in names have in common: their columns, and whom they would hit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import pandas as pd

from industry_apps.application import Application, Data
from industry_apps.data import Dataset, Split, split_by_group
from industry_apps.data.time_columns import Units
from industry_apps.errors import ParameterError, SchemaError
from industry_apps.evaluation import Costs, Report
from industry_apps.evaluation.intervals import Estimate, share_estimate
from industry_apps.limits import check_parameters
from industry_apps.recipes import DecisionOptions, NgramOptions, TreeOptions
from industry_apps.recipes.column_mapping import OwnNames
from industry_apps.recipes.records import Records
from industry_apps.recipes.tables.decision import DecisionTable, HoldsDecision
from industry_apps.runtime.addresses.allowed import AllowList
from industry_apps.runtime.completion import Completion
from industry_apps.schema import Column, Schema
from industry_apps.training import TrainingOptions

__all__ = ["AllowList", "FalseAlarms"]

#: Columns that are named for each record.
_REASONS = 3
_TREES = TreeOptions(rounds=400, learning_rate=0.06, num_leaves=32, min_child_samples=20)
_TRAINING = TrainingOptions(max_epochs=12, batch_size=128)
#: A fit of seconds.
FEW_TREES = TreeOptions(rounds=60, learning_rate=0.1)


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """How many of somebody's own harmless records would be stopped.

    Parameters
    ----------
    share : Estimate
        With its 95 % interval (Wilson).
    stopped, rows : int
    records : DataFrame
        Those that would be stopped, the likeliest first, with the answers.
    """

    share: Estimate
    stopped: int
    rows: int
    records: pd.DataFrame

    def __str__(self) -> str:
        return f"{self.stopped} of {self.rows} harmless records would be stopped: {self.share}"


class ThreatDetector(HoldsDecision, OwnNames, Application):
    """A decision on the text of an address or a name, by a model of its spelling.

    A leaf says how its raw column is read, which text and numbers come of it, and what keeps
    records of one owner together. Tables with the raw column are completed by :meth:`prepare`,
    which every method calls; one that has the read columns in its place is left as it is.
    """

    raw: ClassVar[str]
    label: ClassVar[str]
    owner: ClassVar[str]
    reader: ClassVar[str]
    read_schema: ClassVar[Schema]
    runs: ClassVar[NgramOptions]
    model: str
    false_positive_rate: float
    ngrams: NgramOptions | None
    trees: TreeOptions | None
    training: TrainingOptions | None
    seed: int

    def prepare(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Make the columns that the file reads of the raw one, where it is there.

        What a table has under the names of these columns beside the raw one is not read.

        Parameters
        ----------
        frame : DataFrame
            Not changed.

        Raises
        ------
        SchemaError
            Names the row of a text that cannot be read; or neither the raw column is there nor
            all of those that are read.
        ParameterError
            ``columns`` has the name of a made column for one of yours.
        """
        names = (*dict.fromkeys([*self.read_schema.names, self.owner]),)
        for ours, own in (self.columns or {}).items():
            if own in names:
                raise ParameterError(
                    f"The 'columns' parameter of {type(self).__name__} says that {ours!r} is "
                    f"called {own!r}, and so is a column that is made of {self.raw!r}. Rename "
                    f"yours to {ours!r} in the table, and leave it out of 'columns'."
                )
        raw = self._name(self.raw)
        read = self.__dict__.get("schema_", self.read_schema).names
        if not Completion(self.reader, Column(raw, "text"), tuple(read)).is_raw(frame):
            return frame
        made = Completion(self.reader, Column(raw, "text"), names).of_table({raw: frame[raw]})
        return frame.assign(**{name: made[name] for name in names})

    @classmethod
    def sample(cls) -> Dataset:
        """A small data set for a first try, with the columns that a file reads; simulated."""
        completed: Dataset = cls.fast()._complete(super().sample())
        return completed

    def split(self, frame: pd.DataFrame) -> Split:
        """Split records of yours so that nobody's are in two parts; equal ones count once.

        Parameters
        ----------
        frame : DataFrame
            With the raw column and the label.
        """
        prepared, label = self.prepare(frame), self._name(self.label)
        text = next(column.name for column in self.read_schema if column.kind == "text")
        if label in prepared:
            prepared = prepared.drop_duplicates([text, label])
        return split_by_group(prepared, group=self.owner, seed=self.seed)

    def fit(
        self, train: Data, validation: pd.DataFrame | None = None, *, unit: Units = None
    ) -> Self:
        """Learn from records, completed by :meth:`prepare`; see :meth:`Application.fit`."""
        check_parameters(self)
        parts = [part if part is None else self._complete(part) for part in (train, validation)]
        return super().fit(*parts, unit=unit)

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Answer records, completed by :meth:`prepare`; see :meth:`Application.predict`."""
        return super().predict(self._complete(frame))

    def evaluate(self, data: Data) -> Report:
        """Measure on records, completed by :meth:`prepare`; see :meth:`Application.evaluate`."""
        return super().evaluate(self._complete(data))

    def export(
        self, path: str | Path, *, precision: str = "float32", check: Data | None = None
    ) -> Path:
        """Write the file, proven on records completed by :meth:`prepare`."""
        told = None if check is None else self._complete(check)
        return super().export(path, precision=precision, check=told)

    def false_alarms(self, harmless: pd.DataFrame) -> FalseAlarms:
        """What the model would stop of your own harmless records, before it is put in service.

        Parameters
        ----------
        harmless : DataFrame
            With the raw column: what your own people have visited, known to be harmless.

        Raises
        ------
        SchemaError, NotFittedError
        """
        if not len(harmless):
            raise SchemaError(
                "The table has no rows. Give addresses that are known to be harmless."
            )
        answers = self.predict(harmless)
        probability, decision = answers.columns[:2]
        stopped = answers[decision].to_numpy(dtype=bool)
        rows, count = len(harmless), int(stopped.sum())
        order = answers[probability].to_numpy().argsort(kind="stable")[::-1]
        answers = answers.drop(columns=harmless.columns, errors="ignore")
        beside = [part.reset_index(drop=True) for part in (harmless, answers)]
        found = pd.concat(beside, axis=1).set_axis(harmless.index).iloc[order[stopped[order]]]
        return FalseAlarms(share_estimate(count, rows), count, rows, found)

    def _complete(self, data: Any) -> Any:
        if isinstance(data, pd.DataFrame):
            return self.prepare(data)
        if isinstance(data, Split):
            return Split(*map(self.prepare, data))
        if isinstance(data, Dataset):
            parts = map(self.prepare, (data.train, data.validation, data.test))
            return replace(data, **dict(zip(Split._fields, parts, strict=True)))
        return data  # refused where it is read

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        super()._fit(self._learned_from(train), validation)

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        super()._fit_baselines(self._learned_from(train), validation)

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        if not self.table_.records.labels(frame).any():
            raise SchemaError(
                f"Column {self._name(self.label)!r} is false in all of {len(frame)} rows; expected "
                "threats and harmless records to judge on. Give both, or ask false_alarms how many "
                "of the harmless ones would be stopped."
            )
        return super()._evaluate(frame)

    def _learned_from(self, train: pd.DataFrame) -> pd.DataFrame:
        # A table without labels is refused where it is read.
        return self._with_copies(train) if self._name(self.label) in train else train

    def _with_copies(self, train: pd.DataFrame) -> pd.DataFrame:
        """The training table with further records to learn from."""
        return train

    def _table(self, train: pd.DataFrame) -> DecisionTable:
        records = Records(
            schema=self.read_schema, target=self._name(self.label), subject=self.owner
        )
        options, seed = self._options, self.seed
        if self.model not in ("stack", "trees"):  # which read the text alone: no number to name
            return DecisionTable(records, options, seed=seed)
        family = self._name("family") if "family" in self.outputs else ""
        return DecisionTable(records, options, reasons=_REASONS, family=family, seed=seed)

    def _options(self, schema: Schema) -> DecisionOptions:
        del schema
        return DecisionOptions(
            model=self.model,
            members=("characters", "trees"),
            costs=Costs(false_alarm=1, missed=1),
            false_positive_rate=self.false_positive_rate,
            ngrams=self.ngrams or self.runs,
            trees=replace(self.trees or _TREES, seed=self.seed),
            training=replace(self.training or _TRAINING, seed=self.seed),
        )

    def _facts(self) -> dict[str, Any]:
        raw = replace(self._own_schema()[self._name(self.raw)], nullable=False, required=True)
        completion = Completion(self.reader, raw, tuple(self.schema_.names))
        return {**super()._facts(), "completion": completion.facts()}


def number_columns(meanings: Mapping[str, str]) -> list[Column]:
    """Columns of counts and shares, none of them missing or negative.

    Parameters
    ----------
    meanings : mapping of str to str
    """
    return [Column(n, "number", told, low=0, nullable=False) for n, told in meanings.items()]
