"""Fraud detection: tell fraudulent transactions and claims from honest ones.

Asked by the fraud desk of a bank, an acquirer or an insurer, each time a record comes in,
with few investigators and labels that arrive days later. What tells most is not in the
record but in the stream: how much and how often the customer has spent, and how often the
terminal has been the scene of fraud (Le Borgne, Siblini, Lebichot and Bontempi 2022,
*Reproducible Machine Learning for Credit Card Fraud Detection - Practical Handbook*,
https://fraud-detection-handbook.github.io/fraud-detection-handbook/).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Dataset, Split, sample, split_latest, split_off_latest
from industry_apps.errors import SchemaError
from industry_apps.evaluation import Costs, EntityDays, Report
from industry_apps.export import Exportable
from industry_apps.features import GraphBuilder, Ratio, RatioToRest
from industry_apps.features.sources import Source
from industry_apps.limits import (
    BOOLEAN,
    NAME_MAP,
    NAMES,
    NOT_NEGATIVE,
    POSITIVE,
    Limit,
    instance,
    integer,
    one_of,
)
from industry_apps.recipes import (
    DecisionBaselines,
    DecisionOptions,
    DecisionRecipe,
    Records,
    TreeOptions,
)
from industry_apps.recipes.column_mapping import OwnNames
from industry_apps.recipes.decision.assessment import Assessed, assess
from industry_apps.recipes.records import with_moments, without_clock
from industry_apps.recipes.stability import Unstable
from industry_apps.runtime.state import TransactionState
from industry_apps.schema import Column, Schema, Traits, infer_columns
from industry_apps.training import TrainingOptions

FraudModel = Literal["stack", "trees", "network", "transformer", "autoencoder"]


class FraudDetector(OwnNames, Application):
    """Probability that a transaction is fraudulent, and whether to stop it.

    Transactions need a time and a label, ``is_fraud``; customer, terminal and amount are
    used where they are there, and every further column of any type becomes a feature.
    With a customer and a terminal, what the stream tells about them is a part of each
    record: :meth:`enrich` adds it to tables, ``TransactionState.update`` to one record.

    Parameters
    ----------
    model : {"stack", "trees", "network", "transformer", "autoencoder"}
        Gradient-boosted trees, a residual network, a transformer over the columns, an
        autoencoder of honest transactions, or trees and network weighted on validation
        data.
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"amount": "TX_AMOUNT"}``.
    ignore : tuple of str
        Columns that must not become features.
    false_alarm_cost, missed_fraud_cost : float
        In money; the decision is the one that costs least on validation data.
    alerts_per_day : float, optional
        Cases that investigators can work; adds the output ``alert``.
    drop_unstable : bool
        Leave out columns whose relation to fraud changed within the training period.
    delay_days : int
        Days until a label is known; nothing is learned from younger ones.
    calibration : {"platt", "isotonic"}
    trees : TreeOptions, optional
    training : TrainingOptions, optional
    seed : int

    Examples
    --------
    >>> from industry_apps.finance import FraudDetector
    >>> data = FraudDetector.sample()
    >>> detector = FraudDetector.fast().fit(data)
    >>> list(detector.predict(data.test.head(2)).columns)
    ['fraud_probability', 'is_fraud']
    """

    name = "finance.fraud_detection"
    schema = Schema(
        (
            Column(name="time", kind="datetime", nullable=False, description="When it happened"),
            Column(
                name="customer",
                kind="category",
                required=False,
                role="identifier",
                description="Who pays",
            ),
            Column(
                name="terminal",
                kind="category",
                required=False,
                role="identifier",
                description="Where it is paid",
            ),
            Column(
                name="amount",
                kind="number",
                unit="currency",
                low=0,
                required=False,
                description="What is paid",
            ),
            Column(
                name="is_fraud",
                kind="boolean",
                role="identifier",
                required=False,
                description="The label, in training",
            ),
        )
    )
    outputs = Schema(
        (
            Column(
                name="fraud_probability",
                kind="number",
                low=0,
                high=1,
                nullable=False,
                description="Calibrated probability of fraud",
            ),
            Column(
                name="is_fraud",
                kind="boolean",
                nullable=False,
                description="The decision that costs least",
            ),
        )
    )
    traits = Traits(
        task="decision",
        inputs=("number", "category", "boolean", "datetime", "text"),
        streaming=True,
        explains=True,
    )
    limits: ClassVar[Mapping[str, Limit]] = {
        "model": one_of(get_args(FraudModel)),
        "columns": NAME_MAP.or_none(),
        "ignore": NAMES,
        "false_alarm_cost": NOT_NEGATIVE,
        "missed_fraud_cost": NOT_NEGATIVE,
        "alerts_per_day": POSITIVE.or_none(),
        "drop_unstable": BOOLEAN,
        "delay_days": integer(1, 365),
        "calibration": one_of(("platt", "isotonic")),
        "trees": instance(TreeOptions).or_none(),
        "training": instance(TrainingOptions).or_none(),
        "seed": integer(0),
    }
    alert = Column(
        name="alert",
        kind="boolean",
        nullable=False,
        description="Fraud, and within what investigators can work",
    )

    def __init__(  # noqa: PLR0913 - each is one decision of the fraud desk
        self,
        *,
        model: FraudModel = "trees",
        columns: Mapping[str, str] | None = None,
        ignore: tuple[str, ...] = (),
        false_alarm_cost: float = 1.0,
        missed_fraud_cost: float = 20.0,
        alerts_per_day: float | None = None,
        drop_unstable: bool = True,
        delay_days: int = 7,
        calibration: Literal["platt", "isotonic"] = "platt",
        trees: TreeOptions | None = None,
        training: TrainingOptions | None = None,
        seed: int = 0,
    ) -> None:
        self.model = model
        self.columns = columns
        self.ignore = ignore
        self.false_alarm_cost = false_alarm_cost
        self.missed_fraud_cost = missed_fraud_cost
        self.alerts_per_day = alerts_per_day
        self.drop_unstable = drop_unstable
        self.delay_days = delay_days
        self.calibration = calibration
        self.trees = trees
        self.training = training
        self.seed = seed

    @classmethod
    def sample(cls) -> Dataset:
        """A small run of the card simulator, with no network: simulated transactions."""
        return sample("finance_card_simulator")

    @classmethod
    def fast(cls) -> Self:
        """Few trees and epochs: a fit of seconds."""
        return cls(
            trees=TreeOptions(rounds=60, learning_rate=0.1, patience=10),
            training=TrainingOptions(max_epochs=3, batch_size=1024, progress=False),
        )

    def enrich(self, transactions: pd.DataFrame) -> pd.DataFrame:
        """Add what the stream tells about customer and terminal, later calls going on.

        Parameters
        ----------
        transactions : DataFrame
            In any order; later than those of earlier calls.
        """
        if not hasattr(self, "_state"):
            self._state = self.new_state()
        return self._state.enrich(transactions)

    def new_state(self) -> TransactionState:
        """An empty state, under your column names, for ``update`` and ``enrich``."""
        return TransactionState(
            entity=self._name("customer"),
            place=self._name("terminal"),
            time=self._name("time"),
            amount=self._name("amount"),
            label=self._name("is_fraud"),
            delay=self.delay_days,
        )

    def split(self, transactions: pd.DataFrame) -> Split:
        """Enrich transactions of yours and split them by time: the latest are the test.

        Parameters
        ----------
        transactions : DataFrame
            Raw records with the label, in any order.
        """
        time = self._name("time")
        transactions = with_moments(transactions, time)
        if self._keyed(transactions):
            transactions = self.new_state().enrich(transactions)
        return split_latest(transactions, time=time, delay=self.delay_days)

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        time = self._name("time")
        if validation is None:
            known = with_moments(train, time)
            train, validation = split_off_latest(known, time=time, delay=self.delay_days)
        records = Records(
            schema=self._schema_of(train).inputs(), target=self._name("is_fraud"), time=time
        )
        self.split_ = {"train": records.describe(train), "validation": records.describe(validation)}
        self.unstable_: list[Unstable] = []
        if self.drop_unstable:
            records, self.unstable_ = records.without_unstable(train, validation)
        options = self._options(records.schema)
        rows = records.labelled(train), records.labelled(validation)
        # What is newer than the training data is worth learning from too.
        refit = self.split_["validation"]["first"] > self.split_["train"]["last"]
        self.recipe_ = DecisionRecipe(records.schema, options).fit(
            *rows, day=records.days(validation), refit=refit
        )
        self.baselines_ = DecisionBaselines(records.schema, options).fit(*rows, refit=refit)
        self.records_ = replace(records, schema=self.recipe_.used_columns())
        self.validation_ = validation

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        threshold = self.recipe_.threshold_
        probability = self.recipe_.probability(self.records_.schema.to_arrays(frame))
        answers = {"fraud_probability": probability, "is_fraud": threshold.apply(probability)}
        if self.alerts_per_day is not None:
            answers["alert"] = threshold.within_capacity().apply(probability)
        return answers

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        records = self.records_
        records.check_later(frame, self.split_, self.delay_days)
        customer, day = self._name("customer"), records.days(frame)
        known = customer in frame
        return assess(
            self.recipe_,
            self.baselines_,
            Assessed(
                rows=records.labelled(frame),
                day=day,
                entities=EntityDays(entity=frame[customer], day=day, name="card")
                if known
                else None,
                split={**self.split_, "test": records.describe(frame)},
                notes=tuple(
                    f"Left out, as its relation to fraud changed within training: {found}"
                    for found in self.unstable_
                ),
            ),
        )

    def _exportable(self) -> Exportable:
        builder = GraphBuilder()
        tensors = self.recipe_.write(builder, builder.inputs(self.records_.schema))
        outputs = self.outputs
        builder.output(tensors["probability"], "fraud_probability", np.float32)
        builder.output(tensors["decision"], "is_fraud", np.bool_)
        if self.alerts_per_day is not None:
            outputs = outputs.extended([self.alert])
            builder.output(tensors["within_capacity"], "alert", np.bool_)
        state = self.new_state().settings if self._keyed(self.validation_) else None
        return Exportable(
            graph=builder.model(self.name),
            native=self._answers,
            schema=self.records_.schema,
            outputs=outputs,
            check=self.validation_,
            thresholds=self.recipe_.thresholds(),
            facts={**self.recipe_.facts(), "split": self.split_, "state": state},
        )

    def _options(self, schema: Schema) -> DecisionOptions:
        return DecisionOptions(
            model=self.model,
            calibration=self.calibration,
            costs=Costs(false_alarm=self.false_alarm_cost, missed=self.missed_fraud_cost),
            alerts_per_day=self.alerts_per_day,
            derived=self._derived(schema),
            trees=replace(self.trees or TreeOptions(), seed=self.seed),
            training=replace(self.training or TrainingOptions(max_epochs=20), seed=self.seed),
        )

    def _derived(self, schema: Schema) -> tuple[Source, ...]:
        """How this amount compares with what the customer usually spends."""
        amount, customer = self._name("amount"), self._name("customer")
        mean, count = f"{customer}_mean_{amount}_30d", f"{customer}_count_30d"
        telling = (
            RatioToRest(amount, mean, count),
            Ratio(f"{customer}_std_{amount}_7d", mean),
            Ratio(f"{customer}_std_{amount}_30d", mean),
        )
        return tuple(s for s in telling if set(s.columns) <= set(schema.names))

    def _schema_of(self, train: pd.DataFrame) -> Schema:
        """The columns of the training table: ours under your names, state, and yours."""
        label = self._name("is_fraud")
        named = self._own_schema()
        ours = [
            replace(column, required=True)
            for column in named
            if column.required or (column.name in train and column.name != label)
        ]
        state: list[Column] = []
        if self._keyed(train):
            names = self.new_state().columns
            absent = [name for name in names if name not in train]
            if absent:
                raise SchemaError(
                    f"Column {absent[0]!r} is missing: customer and terminal are there, but not "
                    "what the stream tells about them. Use split(transactions) or "
                    "enrich(transactions) first."
                )
            state = [
                Column(
                    name=name,
                    kind="number",
                    low=0,
                    role="state",
                    description="From TransactionState",
                )
                for name in names
            ]
        if without_clock(train[self._name("time")]):
            # A date without an hour orders the records, and is no feature.
            ours[0] = replace(ours[0], role="identifier")
        described = [column.name for column in (*ours, *state)]
        return Schema(
            (
                *ours,
                *state,
                *infer_columns(train, skip=[*described, label, *self.ignore]),
            )
        )

    def _keyed(self, frame: pd.DataFrame) -> bool:
        return all(self._name(key) in frame for key in ("customer", "terminal", "amount"))
