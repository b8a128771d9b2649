"""A decision on the records of a table: what it learns from, is judged on, and answers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.evaluation import EntityDays, Report
from industry_apps.evaluation.decisions import DecisionWords
from industry_apps.features import GraphBuilder
from industry_apps.recipes.decision.assessment import Assessed, DecisionBaselines, assess
from industry_apps.recipes.decision.recipe import DecisionOptions, DecisionRecipe
from industry_apps.recipes.reasons import (
    Contributions,
    Reasons,
    TreeContributions,
    with_reasons,
)
from industry_apps.recipes.records import Records
from industry_apps.recipes.scorers import Arrays, Labelled, thresholds_of_all
from industry_apps.recipes.separating import Separating, separating_columns, warn_of
from industry_apps.recipes.stability import Unstable
from industry_apps.recipes.tables.families import Families, named
from industry_apps.recipes.tables.parts import Learned, TableParts
from industry_apps.runtime.explanations import CONTRIBUTIONS
from industry_apps.schema import Schema

#: Rows of the training part, read and as they came -> the rows, weighed.
Weigh = Callable[[Labelled, pd.DataFrame], Labelled]


class DecisionTable:
    """A calibrated probability and a decision for each record of a table.

    Parameters
    ----------
    records : Records
        How the table is read.
    options : callable
        Columns that a model may see -> how it learns and decides.
    delay : int
        Days until a label is known.
    refit : bool
        Whether the models learn again from the validation data, once these have told threshold
        and calibration. Data that are older than the training data are never learned from.
    drop_unstable : bool
        Leave out columns whose relation to the target changed within the training period.
    reasons : int
        Columns that are named for each record.
    family : str
        The column that names the family of a positive record; "" for none.
    seed : int
        Of the subjects that are set aside.
    """

    def __init__(
        self,
        records: Records,
        options: Callable[[Schema], DecisionOptions],
        *,
        delay: int = 0,
        refit: bool = True,
        drop_unstable: bool = False,
        reasons: int = 0,
        family: str = "",
        seed: int = 0,
    ) -> None:
        self.records, self._options, self._family = records, options, family
        self._delay, self._refit, self._seed = delay, refit, seed
        self._drop_unstable, self._count = drop_unstable, reasons

    def fit(
        self, train: pd.DataFrame, validation: pd.DataFrame | None, weigh: Weigh | None = None
    ) -> DecisionTable:
        """Learn the model; what it is compared with is learned by :meth:`fit_baselines`.

        Parameters
        ----------
        train : DataFrame
        validation : DataFrame, optional
        weigh : callable, optional
            Gives the training rows their weights.
        """
        schema = self.records.schema.with_offsets(train)
        self.records = replace(self.records, schema=schema)
        parts = self._parts(train, validation)
        self.unstable_: list[Unstable] = []
        if self._drop_unstable:
            self.records, self.unstable_ = self.records.without_unstable(parts.train, parts.last)
        self.learned_ = Learned(parts)
        self.options_ = self._options(self.records.schema)
        rows = self._rows(parts)
        self.separating_ = separating_columns(self.records.schema, rows[0])
        self.recipe_ = DecisionRecipe(self.records.schema, self.options_).fit(
            rows[0] if weigh is None else weigh(rows[0], parts.train),
            *rows[1:],
            day=self._days(parts.validation),
            refit=self._learns_again(parts),
        )
        self.baselines_ = DecisionBaselines(self.records.schema, self.options_)
        self.schema_, self.check_ = self.recipe_.used_columns(), parts.last
        self.reasons_ = self._reasons(rows[0].arrays, rows[-1].arrays) if self._count else None
        families = named(parts.train, self._family)
        self.families_ = Families.learn(self.schema_, rows[0], families, self.options_.trees)
        return self

    def fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        """Learn what the model is compared with, from the tables that it has learned from."""
        parts = self._parts(train, validation)
        self.baselines_.fit(*self._rows(parts), refit=self._learns_again(parts))

    @property
    def split_(self) -> Mapping[str, Mapping[str, Any]]:
        """The parts that were learned from, in words."""
        return self.learned_.described

    def answer(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """Raw columns -> "probability", "decision", "within_capacity"; "family" and "reasons"."""
        threshold = self.recipe_.threshold_
        probability = self.recipe_.probability(arrays)
        found: dict[str, NDArray[Any]] = {
            "probability": probability,
            "decision": threshold.apply(probability),
            "within_capacity": threshold.within_capacity().apply(probability),
        }
        if self.families_ is not None:
            found["family"] = self.families_.apply(arrays, found["decision"])
        if self.reasons_ is not None:
            found["reasons"] = self.reasons_.apply(arrays)
        return found

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        """Append to a graph what :meth:`answer` gives -> tensors [batch, values]."""
        tensors = self.recipe_.write(builder, inputs)
        if self.families_ is not None:
            tensors["family"] = self.families_.write(builder, inputs, tensors["decision"])
        if self.reasons_ is not None:
            tensors |= self.reasons_.write(builder, inputs)
        return tensors

    def evaluate(
        self, frame: pd.DataFrame, *, entity: str = "", notes: tuple[str, ...] = ()
    ) -> Report:
        """Judge the model and its baselines on the same rows.

        Parameters
        ----------
        frame : DataFrame
            Of later times, or of other subjects, than the model has learned from.
        entity : str
            The column that says whom an alert is about, where there is one.
        notes : tuple of str
            For the report.

        Raises
        ------
        SchemaError, LeakageError
        """
        self.learned_.check(frame)
        records, day = self.records, self._days(frame)
        entities = None
        if entity in frame and day is not None:
            entities = EntityDays(entity=frame[entity], day=day, name="card")
        asked = Assessed(
            rows=records.labelled(frame),
            day=day,
            entities=entities,
            groups=records.people(frame) if records.subject in frame else None,
            split=self.learned_.beside(frame),
            notes=(*notes, *self.notes(), *self.learned_.shared(frame)),
        )
        return assess(self.recipe_, self.baselines_, asked)

    def facts(self, positive: str | bool = True) -> dict[str, Any]:
        """What decides, as JSON values for the file.

        Parameters
        ----------
        positive : str or bool
            What the decision is called from the threshold on.
        """
        told = list(self.notes())
        notes = {"notes": told} if told else {}
        reasons = {} if self.reasons_ is None else self.reasons_.facts()
        return {**self.recipe_.facts(positive), **notes, **reasons}

    def thresholds(self) -> dict[str, list[float]]:
        """Raw column -> values on which an answer turns."""
        further = [each for each in (self.families_, self.reasons_) if each is not None]
        return thresholds_of_all([self.recipe_, *further])

    def notes(self) -> tuple[str, ...]:
        """How far the reasons can be trusted, and which columns alone tell the outcome."""
        reasons = () if self.reasons_ is None else (self.reasons_.note,)
        return (*reasons, *map(str, self.separating_))

    def _reasons(self, known: Arrays, unseen: Arrays) -> Reasons:
        """Read off a table of points, or off trees that imitate any other model."""
        probability = self.recipe_.probability(known)
        if self.options_.model == "scorecard":
            model: Contributions = self.recipe_.scorecard()
        else:
            trees = TreeContributions(self.schema_, "log-odds", self.options_.derived)
            wanted = _log_odds(self.recipe_.probability(unseen))
            seed = self.options_.trees.seed
            model = trees.fit(known, _log_odds(probability), unseen, wanted, seed=seed)
        refused = self.recipe_.threshold_.apply(probability)
        return Reasons.learn(model, self._count, known, ~refused)

    def _parts(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> TableParts:
        return TableParts(self.records, train, validation, delay=self._delay, seed=self._seed)

    def _rows(self, parts: TableParts) -> list[Labelled]:
        return [self.records.labelled(part) for part in parts.frames.values()]

    def _days(self, frame: pd.DataFrame | None) -> NDArray[np.int64] | None:
        return self.records.days(frame) if self.records.time and frame is not None else None

    def _learns_again(self, parts: TableParts) -> bool:
        if not self._refit or parts.validation is None:
            return False
        # What is newer than the training data is worth learning from too.
        return not self.records.time or (
            self.split_["validation"]["first"] > self.split_["train"]["last"]
        )


def _log_odds(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.log(inside / (1 - inside))


class HoldsDecision:
    """A mixin of applications whose model is a decision on the records of a table."""

    table_: DecisionTable
    #: What the decision is called in a report, where it is no alert.
    decision_words: ClassVar[DecisionWords | None] = None
    outputs: ClassVar[Schema]
    schema_: Schema
    check_: pd.DataFrame
    split_: Mapping[str, Mapping[str, Any]]

    @property
    def recipe_(self) -> DecisionRecipe:
        """The trained models, and what decides behind them."""
        return self.table_.recipe_

    @property
    def separating_(self) -> tuple[Separating, ...]:
        """Columns that alone tell the outcome of the training data."""
        return self.table_.separating_

    @property
    def outputs_(self) -> Schema:
        """With as many reasons as there are, or none, and without a family where none is known."""
        absent = ["family"] if self.table_.families_ is None else []
        return with_reasons(self.outputs, self.table_.reasons_).without(absent)

    @property
    def answered_(self) -> tuple[str, ...]:
        """What the outputs are, in their order, of what the table answers."""
        family = () if self.table_.families_ is None else ("family",)
        reasons = () if self.table_.reasons_ is None else ("reasons",)
        return ("probability", "decision", *family, *reasons)

    @abstractmethod
    def _table(self, train: pd.DataFrame) -> DecisionTable:
        """The table, by the columns of the training data; not fitted."""

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        self._hold(self._table(train).fit(train, validation))
        warn_of(self.separating_)

    def _hold(self, fitted: DecisionTable) -> None:
        self.table_ = fitted
        self.schema_, self.check_, self.split_ = fitted.schema_, fitted.check_, fitted.split_

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        self.table_.fit_baselines(train, validation)

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        return self._named(self.table_.answer(self.schema_.to_arrays(frame)))

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        return self._named(self.table_.write(builder, inputs))

    def _named(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Answers under the names of the outputs; contributions of a graph keep their own."""
        asked = map(found.__getitem__, self.answered_)
        kept = {CONTRIBUTIONS: found[CONTRIBUTIONS]} if CONTRIBUTIONS in found else {}
        return {**dict(zip(self.outputs_.names, asked, strict=True)), **kept}

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        return self._worded(self.table_.evaluate(frame))

    def _worded(self, report: Report) -> Report:
        """A report whose headline calls the decision by its name."""
        if self.decision_words is None or report.curves is None:
            return report
        return replace(report, headline_text=self.decision_words.headline(report.curves))

    def _facts(self) -> dict[str, Any]:
        return self.table_.facts()

    def _thresholds(self) -> dict[str, list[float]]:
        return self.table_.thresholds()


def decided(report: Report) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Probability and decision of each record that a report is about."""
    curves = report.curves
    if curves is None:
        raise ValueError("The report holds no decisions.")
    return np.asarray(curves.probability, dtype=np.float64), curves.alerts
