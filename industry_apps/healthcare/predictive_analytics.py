"""Outcomes of patients: readmission, death in hospital, any yes-or-no outcome of a stay.

Asked by a ward or a hospital at discharge or admission, for each stay: who is likely to come
back within 30 days, and why? Published models of readmission reach an AUROC of .55 to .78
(Kansagara et al. 2011, doi:10.1001/jama.2011.1515): little of it stands in the record.

Research use, no diagnosis: nothing here has been validated for care, and a risk is no reason
to treat or not to treat a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Dataset, Split, sample
from industry_apps.errors import ParameterError, unknown_name
from industry_apps.evaluation import Costs, Report
from industry_apps.evaluation.net_benefit import decision_curve_section, share_of
from industry_apps.export import Exportable
from industry_apps.features import GraphBuilder
from industry_apps.features.sources import Lookup, Source
from industry_apps.healthcare.intended_use import INTENDED_USE
from industry_apps.healthcare.patients import PATIENT, split_patients
from industry_apps.limits import NAME_MAP, NAMES, NOT_NEGATIVE, Limit, instance, integer, one_of
from industry_apps.recipes import (
    DecisionBaselines,
    DecisionOptions,
    DecisionRecipe,
    Records,
    TreeOptions,
)
from industry_apps.recipes.decision.assessment import Assessed, assess
from industry_apps.recipes.protected import ChosenColumns
from industry_apps.recipes.reasons import TreeReasons
from industry_apps.recipes.scorers import Arrays
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions

OutcomeModel = Literal["trees", "network", "transformer", "stack"]

_TREES = TreeOptions(
    rounds=600,
    learning_rate=0.02,
    num_leaves=31,
    min_child_samples=100,
    feature_fraction=0.3,
    bagging_fraction=0.7,
    l2=10.0,
    bags=2,
    one_hot=80,
)
#: Where rows are few, a leaf may hold one of so many.
_LEAVES = 50
_REASONS = 3


class OutcomePredictor(ChosenColumns, Application):
    """Probability of an outcome of a patient's stay, whether it is high, and what raises it.

    Records need an outcome, yes or no. Of the columns below those are used that are there, and
    every further column becomes a feature, but for those that the card of the data names as
    telling the outcome: these are refused. All records of a patient stand on one side of
    every split; a patient on both sides is refused. Research use, no diagnosis.

    Parameters
    ----------
    model : {"stack", "trees", "network", "transformer"}
        Gradient-boosted trees; a residual network; a transformer over the columns; or trees
        and network, weighted on validation data.
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"outcome": "readmitted"}``.
    features : tuple of str
        Only these columns become features; all by default.
    ignore : tuple of str
        Columns that must not become features.
    diagnoses : tuple of str
        Columns of ICD-9-CM codes, such as ``250.83``. Beside the codes that training has
        seen, the model reads the place of the first three characters in the classification,
        so that a code it has never seen counts as its neighbours do; what is no ICD-9 code
        counts as missing there.
    use_protected : tuple of str
        Which of age, sex and race (or further protected columns) are features; the report on
        fairness is about all of them.
    protected : tuple of str
        Further columns that are protected.
    false_alarm_cost, missed_cost : float
        What a false alarm and a missed case cost, in any unit; a risk is high from where
        acting costs less.
    reasons : int
        Columns that are named for each record, in [0, 10].
    trees : TreeOptions, optional
    training : TrainingOptions, optional
    seed : int

    Examples
    --------
    >>> from industry_apps.healthcare import OutcomePredictor
    >>> data = OutcomePredictor.sample()
    >>> predictor = OutcomePredictor.fast().fit(data)
    >>> list(predictor.predict(data.test.head(2)).columns)
    ['risk', 'high_risk', 'reasons']
    """

    name = "healthcare.predictive_analytics"
    schema = Schema(
        (
            *PATIENT,
            Column(name="outcome", kind="boolean", role="identifier", required=False),
        )
    )
    outputs = Schema(
        (
            Column(
                name="risk",
                kind="number",
                low=0,
                high=1,
                nullable=False,
                description="Calibrated probability of the outcome",
            ),
            Column(
                name="high_risk",
                kind="boolean",
                nullable=False,
                description="Acting costs less than not acting",
            ),
            Column(
                name="reasons",
                kind="category",
                size=_REASONS,
                description="Columns that raise the risk most, falling",
            ),
        )
    )
    traits = Traits(
        task="decision", inputs=("number", "category", "boolean", "datetime", "text"), explains=True
    )
    limits: ClassVar[Mapping[str, Limit]] = {
        "model": one_of(get_args(OutcomeModel)),
        "columns": NAME_MAP.or_none(),
        "features": NAMES,
        "ignore": NAMES,
        "diagnoses": NAMES,
        "use_protected": NAMES,
        "protected": NAMES,
        "false_alarm_cost": NOT_NEGATIVE,
        "missed_cost": NOT_NEGATIVE,
        "reasons": integer(0, 10),
        "trees": instance(TreeOptions).or_none(),
        "training": instance(TrainingOptions).or_none(),
        "seed": integer(0),
    }

    def __init__(  # noqa: PLR0913 - each is one decision of the ward
        self,
        *,
        model: OutcomeModel = "trees",
        columns: Mapping[str, str] | None = None,
        features: tuple[str, ...] = (),
        ignore: tuple[str, ...] = (),
        diagnoses: tuple[str, ...] = (),
        use_protected: tuple[str, ...] = ("age", "sex"),
        protected: tuple[str, ...] = (),
        false_alarm_cost: float = 1.0,
        missed_cost: float = 5.0,
        reasons: int = _REASONS,
        trees: TreeOptions | None = None,
        training: TrainingOptions | None = None,
        seed: int = 0,
    ) -> None:
        self.model = model
        self.columns = columns
        self.features = features
        self.ignore = ignore
        self.diagnoses = diagnoses
        self.use_protected = use_protected
        self.protected = protected
        self.false_alarm_cost = false_alarm_cost
        self.missed_cost = missed_cost
        self.reasons = reasons
        self.trees = trees
        self.training = training
        self.seed = seed

    @classmethod
    def sample(cls) -> Dataset:
        """A small run of the simulator of stays, with no network: simulated patients."""
        return sample("health_stay_simulator")

    @classmethod
    def fast(cls) -> Self:
        """Few trees: a fit of seconds."""
        return cls(trees=TreeOptions(rounds=60, learning_rate=0.1))

    def split(self, records: pd.DataFrame) -> Split:
        """Split records of yours at random, all those of a patient into one part.

        Parameters
        ----------
        records : DataFrame
            With the outcome; without a column ``patient`` each is somebody else's.
        """
        patient, target = self._name("patient"), self._name("outcome")
        return split_patients(records, patient=patient, target=target, seed=self.seed)

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        schema, self.protected_ = self._feature_columns(train)
        schema = self._with_diagnoses(schema, train)
        patient = self._name("patient") if self._name("patient") in train else ""
        records = Records(schema=schema, target=self._name("outcome"), subject=patient)
        if validation is None and patient:
            train, validation = records.split_off_subjects(train, seed=self.seed)
        parts = {"train": train} | ({} if validation is None else {"validation": validation})
        self.patients_ = records.subjects_apart(*parts.values())
        self.split_ = {name: records.describe(part) for name, part in parts.items()}
        rows = [records.labelled(part) for part in parts.values()]
        options = self._options(schema, len(train))
        self.recipe_ = DecisionRecipe(schema, options).fit(*rows, refit=validation is not None)
        self.baselines_ = DecisionBaselines(schema, options).fit(*rows, refit=True)
        self.records_, self.inputs_ = records, self.recipe_.used_columns()
        self.reasons_ = self._learn_reasons(rows[0].arrays, rows[-1].arrays)
        self.check_ = train if validation is None else validation

    def _with_diagnoses(self, schema: Schema, train: pd.DataFrame) -> Schema:
        """Codes are names, also where a table has them as numbers."""
        for name in self.diagnoses:
            if name not in train:
                raise ParameterError(str(unknown_name("column", name, map(str, train.columns))))
        return Schema(
            tuple(
                Column(name=column.name, kind="category", required=column.required)
                if column.name in self.diagnoses
                else column
                for column in schema
            )
        )

    def _learn_reasons(self, known: Arrays, unseen: Arrays) -> TreeReasons | None:
        if not self.reasons:
            return None
        reasons = TreeReasons(self.inputs_, self.reasons, self.recipe_.options.derived)
        return reasons.fit(self._log_odds, known, unseen, seed=self.seed)

    def _log_odds(self, arrays: Arrays) -> NDArray[np.float64]:
        risk = np.clip(self.recipe_.probability(arrays), 1e-6, 1 - 1e-6)
        return np.log(risk / (1 - risk))

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        arrays = self.inputs_.to_arrays(frame)
        risk, high = self.recipe_.decide(arrays)
        answers: dict[str, NDArray[Any]] = {"risk": risk, "high_risk": high}
        if self.reasons_ is not None:
            answers["reasons"] = self.reasons_.apply(arrays)
        return answers

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        records = self.records_
        records.check_apart(self.patients_, frame)
        rows = records.labelled(frame)
        report = assess(
            self.recipe_,
            self.baselines_,
            Assessed(
                rows=rows,
                groups=records.people(frame) if records.subject in frame else None,
                split={**self.split_, "test": records.describe(frame)},
                notes=self._notes(),
            ),
        )
        risk, high = self.recipe_.decide(rows.arrays)
        systems = {"model": risk, **self.baselines_.probabilities(rows.arrays)}
        del systems["prevalence"]
        return replace(
            report,
            # To be flagged brings attention, and so counts as favourable.
            groups=self.protected_.answered(
                frame, rows.target, {"model": (risk, high)}, favourable=True
            ),
            sections=(decision_curve_section(systems, share_of(rows.target)),),
        )

    def _notes(self) -> tuple[str, ...]:
        return () if self.reasons_ is None else (self.reasons_.note("log-odds"),)

    def _exportable(self) -> Exportable:
        builder = GraphBuilder()
        inputs = builder.inputs(self.inputs_)
        tensors = self.recipe_.write(builder, inputs)
        builder.output(tensors["probability"], "risk", np.float32)
        builder.output(tensors["decision"], "high_risk", np.bool_)
        outputs, thresholds = self.outputs.without(["reasons"]), self.recipe_.thresholds()
        if self.reasons_ is not None:
            named = self.reasons_.declare(builder, inputs, self.outputs["reasons"], thresholds)
            outputs = outputs.extended([named])
        return Exportable(
            graph=builder.model(self.name),
            native=self._answers,
            schema=self.inputs_,
            outputs=outputs,
            check=self.check_,
            thresholds=thresholds,
            facts={
                **self.recipe_.facts(),
                "split": self.split_,
                "intended_use": INTENDED_USE,
                "notes": list(self._notes()),
            },
        )

    def _options(self, schema: Schema, rows: int) -> DecisionOptions:
        training = self.training or TrainingOptions(max_epochs=20)
        return DecisionOptions(
            model=self.model,
            costs=Costs(false_alarm=self.false_alarm_cost, missed=self.missed_cost),
            derived=tuple(_icd9(name) for name in self.diagnoses if name in schema),
            trees=replace(self.trees or _trees_of(rows), seed=self.seed),
            training=replace(training, seed=self.seed),
        )


def _trees_of(rows: int) -> TreeOptions:
    """The settings by default: on some hundreds of patients, smaller leaves than on thousands."""
    leaf = min(_TREES.min_child_samples, max(rows // _LEAVES, 1))
    return replace(_TREES, min_child_samples=leaf)


def _icd9(column: str) -> Source:
    return Lookup(column, _icd9_order(), ".", "icd9")


@cache
def _icd9_order() -> tuple[tuple[str, float], ...]:
    """Three-digit categories of ICD-9-CM in its order, in which chapters are intervals.

    001 to 999, then V01 to V91 (supplementary), then E000 to E999 (external causes); with and
    without leading zeros.
    """
    order = {str(number): float(number) for number in range(1, 1000)}
    order |= {f"{number:03}": float(number) for number in range(1, 100)}
    order |= {f"V{number:02}": 1_000.0 + number for number in range(1, 92)}
    order |= {f"E{number:03}": 2_000.0 + number for number in range(1000)}
    return tuple(order.items())
