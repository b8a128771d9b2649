"""Attacks among the records of a table: what it learns from, is judged on, and answers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import SchemaError
from industry_apps.evaluation import Report
from industry_apps.evaluation.sections import Section
from industry_apps.features import GraphBuilder
from industry_apps.recipes.anomaly.records import RecordOptions, RecordRecipe
from industry_apps.recipes.anomaly.threshold import AlarmThreshold
from industry_apps.recipes.reasons import Reasons, TreeContributions
from industry_apps.recipes.records import Records
from industry_apps.recipes.scorers import Arrays, Labelled, thresholds_of_all
from industry_apps.recipes.tables.detection import (
    Kinds,
    RecordBaselines,
    detection_bootstrap,
    detection_section,
)
from industry_apps.recipes.tables.families import Families, named
from industry_apps.recipes.tables.parts import Learned, TableParts
from industry_apps.runtime.explanations import CONTRIBUTIONS
from industry_apps.schema import Column, Schema

__all__ = ["AnomalyTable", "HoldsAnomalies", "Told"]

#: Scores of normal records that lie so many spreads above the upper quartile are suspicious, and
#: the share of them from which on "normal" is not clean.
_FAR_OUT, _CLEAN = 3.0, 0.02
#: Rate of false alarms at which the accuracy of papers is given.
_NOMINAL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What training data tell of attacks, beside which records are some.

    Parameters
    ----------
    kind, family : str
        Columns; "" where there is none.
    reasons : int
        Columns that are named for each record.
    """

    kind: str = ""
    family: str = ""
    reasons: int = 3


class AnomalyTable:
    """A score, an alarm, a family and reasons for each record of a table.

    Parameters
    ----------
    records : Records
        How the table is read.
    options : RecordOptions
    told : Told

    Attributes
    ----------
    suspicious_ : float
        Share of "normal" training records whose scores, by models that have not seen them, lie
        far out.
    """

    def __init__(self, records: Records, options: RecordOptions, told: Told) -> None:
        self.records, self.options, self.told = records, options, told

    def fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> AnomalyTable:
        """Learn the model; what it is compared with is learned by :meth:`fit_baselines`."""
        schema = self.records.schema.with_offsets(train)
        self.records = replace(self.records, schema=schema)
        parts = TableParts(self.records, train, validation, seed=self.options.seed)
        self.learned_ = Learned(parts)
        rows = self.records.labelled(parts.train)
        others = None if parts.validation is None else self.records.labelled(parts.validation)
        kinds = named(parts.train, self.told.kind)
        self.known_ = frozenset([] if kinds is None else kinds[rows.target].tolist())
        self.recipe_ = RecordRecipe(schema, self.options).fit(rows, others, kinds)
        self.suspicious_ = far_out(self.recipe_.held_out_[~rows.target])
        families = None if self.recipe_.one_class else named(parts.train, self.told.family)
        self.families_ = Families.learn(schema, rows, families, self.options.trees)
        self.schema_, self.check_ = self.recipe_.used_columns(), parts.last
        self.nominal_ = self._nominal(rows, others)
        self.reasons_ = self._reasons(rows, rows if others is None else others)
        self.baselines_ = RecordBaselines(schema, self.options.seed)
        return self

    def fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        """Learn what the model is compared with, from the tables that it has learned from."""
        parts = TableParts(self.records, train, validation, seed=self.options.seed)
        self.baselines_.fit(self.records.labelled(parts.train))

    def answer(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """Raw columns -> "score", "alert", "family" and "reasons"; the last two if there are."""
        score = self.recipe_.score(arrays)
        alert = score >= 0
        found: dict[str, NDArray[Any]] = {"score": score, "alert": alert}
        if self.families_ is not None:
            found["family"] = self.families_.apply(arrays, alert)
        if self.reasons_ is not None:
            found["reasons"] = self.reasons_.apply(arrays)
        return found

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        """Append to a graph what :meth:`answer` gives -> tensors [batch, values]."""
        score = self.recipe_.write(builder, inputs)
        zero = builder.constant(np.float32(0))
        alert = builder.node("GreaterOrEqual", score, zero)
        tensors = {"score": score, "alert": alert}
        if self.families_ is not None:
            tensors["family"] = self.families_.write(builder, inputs, alert)
        if self.reasons_ is not None:
            tensors |= self.reasons_.write(builder, inputs)
        return tensors

    def evaluate(self, frame: pd.DataFrame, suppressed: NDArray[np.bool_] | None = None) -> Report:
        """Judge the model and its baselines on the same records.

        Parameters
        ----------
        frame : DataFrame
        suppressed : ndarray of bool, shape [rows], optional
            Records that raise no alarm, whatever their score.
        """
        self.learned_.check(frame)
        rows = self.records.labelled(frame)
        target = rows.target
        if target.all() or not target.any():
            raise SchemaError(
                f"Column {self.records.target!r} has one value in all of {len(target)} rows; "
                "expected attacks and normal records to judge on. Give both."
            )
        score = self.recipe_.score(rows.arrays)
        others = self.baselines_.scores(rows.arrays)
        alarm = score >= 0 if suppressed is None else (score >= 0) & ~suppressed
        kinds = Kinds(
            target=target,
            alarm=alarm,
            kind=named(frame, self.told.kind),
            family=named(frame, self.told.family),
            known=self.known_,
        ).section()
        sections = (
            detection_section(target, score),
            self.recipe_.threshold_.section(alarm, target),
            self._accuracy(target, score),
            *(() if kinds is None else (kinds,)),
        )
        return Report.beside(
            self.options.model,
            detection_bootstrap(target, score),
            {name: detection_bootstrap(target, other) for name, other in others.items()},
            split=self.learned_.beside(frame),
            headline_text=_raised(target, alarm, (score >= 0) & ~alarm),
            sections=sections,
            notes=(*self.notes(), *self.learned_.shared(frame)),
        )

    def facts(self) -> dict[str, Any]:
        """What decides, as JSON values for the file."""
        reasons = {} if self.reasons_ is None else self.reasons_.facts()
        return {**self.recipe_.facts(), "notes": list(self.notes()), **reasons}

    def thresholds(self) -> dict[str, list[float]]:
        """Raw column -> values on which an answer turns."""
        further = [each for each in (self.families_, self.reasons_) if each is not None]
        return thresholds_of_all([self.recipe_, *further])

    def notes(self) -> tuple[str, ...]:
        """How clean normal training is, and how far the reasons can be trusted."""
        told = [] if self.reasons_ is None else [self.reasons_.note]
        if self.suspicious_ > _CLEAN:
            told.append(
                f"{self.suspicious_:.1%} of the normal training records are far from the others "
                f"(more than {_FAR_OUT:g} interquartile ranges above the upper quartile of scores "
                "by models that have not seen them): look for attacks among them."
            )
        return tuple(told)

    def _accuracy(self, target: NDArray[np.bool_], score: NDArray[np.float64]) -> Section:
        alarm = score + self.recipe_.threshold_.value >= self.nominal_.value
        rows = [
            ("decision", "accuracy", "false alarms"),
            (
                f"alarm at nominal {_NOMINAL:.0%}",
                float((alarm == target).mean()),
                float(alarm[~target].mean()),
            ),
            ("everything is an attack", float(target.mean()), 1.0),
        ]
        return Section("Accuracy, as papers give it", "", rows)

    def _nominal(self, rows: Labelled, others: Labelled | None) -> AlarmThreshold:
        normal = self.recipe_.held_out_[~rows.target]
        if others is not None and (~others.target).any():
            normal = self.recipe_.margin(others.arrays)[~others.target]
        return AlarmThreshold.at_rate(normal, _NOMINAL)

    def _reasons(self, rows: Labelled, unseen: Labelled) -> Reasons | None:
        """Read off trees that imitate the score."""
        if not self.told.reasons:
            return None
        score = self.recipe_.score(rows.arrays)
        trees = TreeContributions(self.schema_, "score").fit(
            rows.arrays,
            score,
            unseen.arrays,
            self.recipe_.score(unseen.arrays),
            seed=self.options.seed,
        )
        return Reasons.learn(trees, self.told.reasons, rows.arrays, score < 0)


def _raised(
    target: NDArray[np.bool_], alarm: NDArray[np.bool_], kept_back: NDArray[np.bool_]
) -> str:
    told = (
        f"{int(alarm[target].sum())} of {int(target.sum())} attacks raise an alarm, "
        f"and {int(alarm[~target].sum())} of {int((~target).sum())} normal records"
    )
    if not kept_back.any():
        return f"{told}."
    attacks, normal = int(kept_back[target].sum()), int(kept_back[~target].sum())
    return (
        f"{told}; {attacks} attacks and {normal} normal records of authorised scanners raise none."
    )


def far_out(scores: NDArray[np.float64]) -> float:
    """Share of scores that lie far above the others.

    Parameters
    ----------
    scores : ndarray of shape [rows]

    References
    ----------
    Tukey (1977), Exploratory data analysis, section 2D: beyond the outer fence.

    Examples
    --------
    >>> far_out(np.array([*range(99), 1000.0]))
    0.01
    """
    low, high = np.quantile(scores, (0.25, 0.75))
    return float((scores > high + _FAR_OUT * (high - low)).mean())


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Alarms that are not raised: of these sources, until then.

    Parameters
    ----------
    source, time : str
        Columns.
    until : mapping of str to int
        Source -> seconds since 1970 UTC before which it is authorised.
    """

    source: str
    time: str
    until: Mapping[str, int] = field(default_factory=dict)

    def apply(self, arrays: Arrays) -> NDArray[np.bool_]:
        """Raw columns [N] -> whether the alarm of each is suppressed [N]."""
        ends = np.array([self.until.get(name, _NEVER) for name in arrays[self.source]])
        return np.asarray(arrays[self.time] < ends, dtype=np.bool_)

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append the same to a graph -> bool [batch, 1]."""
        ends = builder.node(
            "LabelEncoder",
            inputs[self.source],
            domain="ai.onnx.ml",
            attributes={
                "keys_strings": list(self.until),
                "values_int64s": list(self.until.values()),
                "default_int64": _NEVER,
            },
        )
        return builder.node("Less", inputs[self.time], ends)


#: Before every moment.
_NEVER = -(2**62)
_SUPPRESSED = Column("suppressed", "boolean", "Of an authorised scanner", nullable=False)


class HoldsAnomalies:
    """A mixin of applications whose model is an :class:`AnomalyTable`, which they give.

    Outputs are score, alert, and, as far as there are some, family and reasons, under these names;
    with authorised scanners also suppressed.
    """

    table_: AnomalyTable
    schema_: Schema
    check_: pd.DataFrame
    split_: Mapping[str, Mapping[str, Any]]
    outputs: ClassVar[Schema]
    suppressed_: Suppressed | None

    @abstractmethod
    def _table(self, train: pd.DataFrame) -> AnomalyTable:
        """The table, by the columns of the training data; not fitted."""

    @abstractmethod
    def _suppressed(self) -> Suppressed | None:
        """Whose alarms are not raised."""

    @abstractmethod
    def _with_labels(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Training data, where those without labels are normal traffic."""

    @property
    def outputs_(self) -> Schema:
        """The outputs that this model has."""
        absent = []
        if self.table_.families_ is None:
            absent.append("family")
        if self.table_.reasons_ is None:
            absent.append("reasons")
        found = self.outputs.without(absent)
        return found if self.suppressed_ is None else found.extended([_SUPPRESSED])

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        labelled = None if validation is None else self._with_labels(validation)
        train = self._with_labels(train)
        fitted = self._table(train).fit(train, labelled)
        self.suppressed_ = self._suppressed()
        self.table_, self.check_, self.split_ = fitted, fitted.check_, fitted.learned_.described
        self.schema_ = fitted.schema_
        if self.suppressed_ is not None:
            keys = (self.suppressed_.source, self.suppressed_.time)
            self.schema_ = Schema((*self._key_columns(keys), *fitted.schema_.without(keys)))

    @abstractmethod
    def _key_columns(self, names: tuple[str, str]) -> tuple[Column, ...]:
        """Source and time, as inputs of the file."""

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        labelled = None if validation is None else self._with_labels(validation)
        self.table_.fit_baselines(self._with_labels(train), labelled)

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        arrays = self.schema_.to_arrays(frame)
        found = self.table_.answer(arrays)
        if self.suppressed_ is not None:
            found["suppressed"] = self.suppressed_.apply(arrays)
            found["alert"] = found["alert"] & ~found["suppressed"]
        return {name: found[name] for name in self.outputs_.names}

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        tensors = self.table_.write(builder, inputs)
        if self.suppressed_ is not None:
            tensors["suppressed"] = found = self.suppressed_.write(builder, inputs)
            tensors["alert"] = builder.node("And", tensors["alert"], builder.node("Not", found))
        kept = {CONTRIBUTIONS: tensors[CONTRIBUTIONS]} if CONTRIBUTIONS in tensors else {}
        return {**{name: tensors[name] for name in self.outputs_.names}, **kept}

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        if self.suppressed_ is None:
            return self.table_.evaluate(frame)
        keys = (self.suppressed_.source, self.suppressed_.time)
        arrays = Schema(self._key_columns(keys)).to_arrays(frame)
        return self.table_.evaluate(frame, self.suppressed_.apply(arrays))

    def _facts(self) -> dict[str, Any]:
        return self.table_.facts()

    def _thresholds(self) -> dict[str, list[float]]:
        return self.table_.thresholds()
