"""Outcomes of patients: readmission, death in hospital, any yes-or-no outcome of a stay.

Asked by a ward or a hospital at discharge or admission, for each stay: who is likely to come
back within 30 days, and why? Published models of readmission reach an AUROC of .55 to .78
(Kansagara et al. 2011, doi:10.1001/jama.2011.1515): little of it stands in the record.

Research use, no diagnosis: nothing here has been validated for care, and a risk is no reason
to treat or not to treat a person.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from typing import Annotated, Any, Literal, Self

import pandas as pd

from industry_apps.application import Application
from industry_apps.data import Split
from industry_apps.errors import ParameterError, unknown_name
from industry_apps.evaluation import Costs, Report
from industry_apps.evaluation.decisions import DECISION, DecisionWords
from industry_apps.evaluation.net_benefit import decision_curve_section, share_of
from industry_apps.features.sources import Lookup, Source
from industry_apps.healthcare.intended_use import INTENDED_USE
from industry_apps.healthcare.patients import PATIENT, split_patients
from industry_apps.limits import NOT_NEGATIVE, integer
from industry_apps.recipes import DecisionOptions, Records, TreeOptions
from industry_apps.recipes.protected import ChosenColumns
from industry_apps.recipes.tables.decision import DecisionTable, HoldsDecision, decided
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions

#: Smaller steps (600 trees at a rate of .02) cost three times as much for .002 of AUROC.
_TREES = TreeOptions(
    rounds=200,
    learning_rate=0.06,
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


class OutcomePredictor(HoldsDecision, ChosenColumns, Application):
    """Probability of an outcome of a patient's stay, whether it is high, and what raises it.

    Records need an outcome, yes or no. Of the columns below those are used that are there, and
    every further column becomes a feature, but for those that the card of the data names as
    telling the outcome: these are refused. All records of a patient stand on one side of
    every split; a patient on both sides is refused. Research use, no diagnosis.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"outcome": "readmitted"}``.
    positive : str, int or float, optional
        The label that means yes, where labels are two values of your own, as "Bad" or 2.
    categories : tuple of str
        Columns of which numbers are names.
    missing : tuple, or mapping of str to tuple
        Values that stand for a missing one, such as ``("?", -9)``, in all columns or by column.
        Which of several it was, the model sees.
    features : tuple of str
        Only these columns become features; all by default.
    ignore : tuple of str
        Columns that must not become features.
    use_protected : tuple of str
        Which of age, sex and race (or further protected columns) are features; the report on
        fairness is about all of them.
    protected : tuple of str
        Further columns that are protected.
    model : {"stack", "trees", "network", "transformer"}
        Gradient-boosted trees; a residual network; a transformer over the columns; or trees
        and network, weighted on validation data.
    diagnoses : tuple of str
        Columns of ICD-9-CM codes, such as ``250.83``. Beside the codes that training has
        seen, the model reads the place of the first three characters in the classification,
        so that a code it has never seen counts as its neighbours do; what is no ICD-9 code
        counts as missing there.
    false_alarm_cost, missed_cost : float
        What a false alarm and a missed case cost, in any unit; a risk is high from where
        acting costs less.
    reasons : int
        Columns that are named for each record at most, in [0, 10].
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
    question = "Will this patient be back in 30 days?"
    simulator = "health_stay_simulator"
    schema = Schema((*PATIENT, Column.label("outcome")))
    outputs = Schema(
        (
            Column.probability("risk", "Calibrated probability of the outcome"),
            Column("high_risk", "boolean", "Acting costs less than not acting", nullable=False),
            Column("reasons", "category", "Columns that raise the risk most, falling", size=None),
        )
    )
    traits = Traits(inputs=("number", "category", "boolean", "datetime", "text"), explains=True)
    problem = DECISION
    label = "outcome"
    decision_words = DecisionWords(
        says="flags",
        whom="records",
        caught="with the outcome",
        right="of the flagged have the outcome",
    )

    model: Literal["trees", "network", "transformer", "stack"] = "trees"
    diagnoses: tuple[str, ...] = ()
    use_protected: tuple[str, ...] = ("age", "sex")
    false_alarm_cost: Annotated[float, NOT_NEGATIVE] = 1.0
    missed_cost: Annotated[float, NOT_NEGATIVE] = 5.0
    reasons: Annotated[int, integer(0, 10)] = _REASONS
    trees: TreeOptions | None = None
    training: TrainingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def fast(cls) -> Self:
        """Few trees: a fit of seconds."""
        return cls(trees=TreeOptions(rounds=60, learning_rate=0.1))

    def split(self, frame: pd.DataFrame) -> Split:
        """Split records of yours at random, all those of a patient into one part.

        Parameters
        ----------
        frame : DataFrame
            With the outcome; without a column ``patient`` each row counts as one patient.
        """
        patient, target = self._name("patient"), self._name("outcome")
        return split_patients(
            frame, patient=patient, target=target, ignore=self.ignore, seed=self.seed
        )

    def _table(self, train: pd.DataFrame) -> DecisionTable:
        schema, self.protected_ = self._feature_columns(train)
        records = Records(
            schema=self._with_diagnoses(schema, train),
            target=self._name("outcome"),
            told=self.labels_of(train),
            subject=self._name("patient") if self._name("patient") in train else "",
        )
        options = partial(self._options, rows=len(train))
        return DecisionTable(records, options, reasons=self.reasons, seed=self.seed)

    def _with_diagnoses(self, schema: Schema, train: pd.DataFrame) -> Schema:
        """Codes are names, also where a table has them as numbers."""
        for name in self.diagnoses:
            if name not in train:
                raise ParameterError(str(unknown_name("column", name, map(str, train.columns))))
        return Schema(
            tuple(
                Column(column.name, "category", required=column.required)
                if column.name in self.diagnoses
                else column
                for column in schema
            )
        )

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        report, table = self._worded(self.table_.evaluate(frame)), self.table_
        rows, (risk, high) = table.records.labelled(frame), decided(report)
        systems = {"model": risk, **table.baselines_.probabilities(rows.arrays)}
        systems.pop("prevalence", None)
        return replace(
            report,
            # To be flagged brings attention, and so counts as favourable.
            groups=self.protected_.answered(
                frame, rows.target, {"model": (risk, high)}, favourable=True
            ),
            sections=(decision_curve_section(systems, share_of(rows.target)),),
        )

    def _facts(self) -> dict[str, Any]:
        return {**self.table_.facts(), "intended_use": INTENDED_USE}

    def _options(self, schema: Schema, rows: int) -> DecisionOptions:
        training = self.training or TrainingOptions(max_epochs=20)
        return DecisionOptions(
            model=self.model,
            costs=Costs.of(self, false_alarm="false_alarm_cost", missed="missed_cost"),
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
