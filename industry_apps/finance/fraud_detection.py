"""Fraud detection: tell fraudulent transactions and claims from honest ones.

Asked by the fraud desk of a bank, an acquirer or an insurer, each time a record comes in,
with few investigators and labels that arrive days later. The strongest evidence is not in the
record but in the stream: how much and how often the customer has spent, and how often the
terminal has been the scene of fraud (Le Borgne, Siblini, Lebichot and Bontempi 2022,
*Reproducible Machine Learning for Credit Card Fraud Detection - Practical Handbook*,
https://fraud-detection-handbook.github.io/fraud-detection-handbook/).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, Self

import pandas as pd

from industry_apps.application import Application
from industry_apps.data import Split, split_latest
from industry_apps.data.time_columns import check_units, with_times
from industry_apps.errors import ParameterError, SchemaError, unknown_name
from industry_apps.evaluation import Costs, Report
from industry_apps.evaluation.decisions import DECISION
from industry_apps.features import Ratio, RatioToRest
from industry_apps.features.sources import Source
from industry_apps.limits import NOT_NEGATIVE, POSITIVE, integer
from industry_apps.recipes import DecisionOptions, Records, TreeOptions
from industry_apps.recipes.declared import CODES, Codes, as_declared
from industry_apps.recipes.labels import OwnLabels
from industry_apps.recipes.records import with_moments, without_clock
from industry_apps.recipes.tables.decision import DecisionTable, HoldsDecision
from industry_apps.runtime.stream.state import TransactionState
from industry_apps.schema import Column, Schema, Traits, infer_columns
from industry_apps.training import TrainingOptions


class FraudDetector(HoldsDecision, OwnLabels, Application):
    """Probability that a transaction is fraudulent, and whether to stop it.

    Transactions need a time and a label, ``is_fraud``; customer, terminal and amount are
    used where they are there, and every further column of any type becomes a feature.
    With a customer and a terminal, what the stream tells about them is a part of each
    record: :meth:`enrich` adds it to tables, ``TransactionState.update`` to one record.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"amount": "TX_AMOUNT"}``.
    positive : str, int or float, optional
        The label that means yes, where labels are two values of your own, as "Bad" or 2.
    model : {"stack", "trees", "network", "transformer", "autoencoder"}
        Gradient-boosted trees, a residual network, a transformer over the columns, an
        autoencoder of honest transactions, or trees and network weighted on validation
        data.
    categories : tuple of str
        Columns of which numbers are names.
    missing : tuple, or mapping of str to tuple
        Values that stand for a missing one, such as ``("?", -9)``, in all columns or by column.
        Which of several it was, the model sees.
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
    question = "Is this transaction or claim a fraud?"
    simulator = "finance_card_simulator"
    schema = Schema(
        (
            Column("time", "datetime", "When it happened", nullable=False),
            Column("customer", "category", "Who pays", required=False, role="identifier"),
            Column("terminal", "category", "Where it is paid", required=False, role="identifier"),
            Column("amount", "number", "What is paid", unit="currency", low=0, required=False),
            Column.label("is_fraud", "The label, in training"),
        )
    )
    outputs = Schema(
        (
            Column.probability("fraud_probability", "Calibrated probability of fraud"),
            Column("is_fraud", "boolean", "The decision that costs least", nullable=False),
        )
    )
    traits = Traits(
        inputs=("number", "category", "boolean", "datetime", "text"), streaming=True, explains=True
    )
    problem = DECISION
    label = "is_fraud"
    alert = Column(
        "alert", "boolean", "Fraud, and within what investigators can work", nullable=False
    )

    model: Literal["stack", "trees", "network", "transformer", "autoencoder"] = "trees"
    categories: tuple[str, ...] = ()
    missing: Annotated[Codes | Mapping[str, Codes], CODES] = ()
    ignore: tuple[str, ...] = ()
    false_alarm_cost: Annotated[float, NOT_NEGATIVE] = 1.0
    missed_fraud_cost: Annotated[float, NOT_NEGATIVE] = 20.0
    alerts_per_day: Annotated[float, POSITIVE] | None = None
    drop_unstable: bool = True
    delay_days: Annotated[int, integer(1, 365)] = 7
    calibration: Literal["platt", "isotonic"] = "platt"
    trees: TreeOptions | None = None
    training: TrainingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

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
        return self._state.enrich(self.with_truth(self._timed(transactions)))

    def new_state(self) -> TransactionState:
        """An empty state, under your column names, for ``update`` and ``enrich``."""
        customer, terminal = self._name("customer"), self._name("terminal")
        if customer == terminal:
            raise ParameterError(
                f"The 'columns' parameter has {customer!r} for customer and terminal, of which the "
                "stream would tell the same. Name one of the two, or a copy of the column."
            )
        return TransactionState(
            entity=customer,
            place=terminal,
            time=self._name("time"),
            amount=self._name("amount"),
            label=self._name("is_fraud"),
            delay=self.delay_days,
            unit=self._units.get(self._name("time"), ""),
        )

    @property
    def _units(self) -> dict[str, str]:
        """What numbers as times are; before ``fit`` nobody has said."""
        return self.__dict__.get("units_", {})

    def _timed(self, frame: pd.DataFrame) -> pd.DataFrame:
        check_units((frame,), [self._name("time")], self._units, fitted=False)
        timed: pd.DataFrame = with_times(frame, self._units)
        return timed

    def split(self, frame: pd.DataFrame) -> Split:
        """Enrich transactions of yours and split them by time: the latest are the test.

        Parameters
        ----------
        frame : DataFrame
            Raw records with the label, in any order.
        """
        time = self._name("time")
        frame = with_moments(self._timed(frame), time)
        if self._keyed(frame):
            frame = self.new_state().enrich(self.with_truth(frame))
        return split_latest(frame, time=time, delay=self.delay_days)

    def _table(self, train: pd.DataFrame) -> DecisionTable:
        schema = self._schema_of(train).inputs()
        return DecisionTable(
            Records(
                schema=schema,
                target=self._name("is_fraud"),
                told=self.labels_of(train),
                time=self._name("time"),
            ),
            self._options,
            delay=self.delay_days,
            drop_unstable=self.drop_unstable,
        )

    @property
    def outputs_(self) -> Schema:
        """With an alert, where capacity is limited."""
        return self.outputs.extended([self.alert] if self.alerts_per_day is not None else [])

    @property
    def answered_(self) -> tuple[str, ...]:
        """The alert is what lies within capacity."""
        return ("probability", "decision", "within_capacity")[: len(self.outputs_)]

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        notes = (
            f"Left out, as its relation to fraud changed within training: {found}"
            for found in self.table_.unstable_
        )
        return self.table_.evaluate(frame, entity=self._name("customer"), notes=tuple(notes))

    def _facts(self) -> dict[str, Any]:
        state = self.new_state().settings if self._keyed(self.check_) else None
        return {**self.table_.facts(), "state": state}

    def _options(self, schema: Schema) -> DecisionOptions:
        return DecisionOptions(
            model=self.model,
            calibration=self.calibration,
            costs=Costs.of(self, false_alarm="false_alarm_cost", missed="missed_fraud_cost"),
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
        numbers = {column.name for column in schema if column.kind == "number"}
        return tuple(source for source in telling if set(source.columns) <= numbers)

    def _schema_of(self, train: pd.DataFrame) -> Schema:
        """The columns of the training table: ours under your names, state, and yours."""
        label = self._name("is_fraud")
        named = self._own_schema()
        for name in self.ignore:
            if name not in train:  # misspelt, it would be a feature
                raise ParameterError(str(unknown_name("column", name, map(str, train.columns))))
        ours = [
            replace(column, required=True)
            for column in named
            if column.required
            or (column.name in train and column.name not in (label, *self.ignore))
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
                Column(name, "number", "From TransactionState", low=0, role="state")
                for name in names
            ]
        if without_clock(train[self._name("time")]):
            # A date without an hour orders the records, and is no feature.
            ours[0] = replace(ours[0], role="identifier")
        described = [column.name for column in (*ours, *state)]
        further = infer_columns(train, skip=[*described, label, *self.ignore])
        told = as_declared(
            (*ours, *state, *further), train, categories=self.categories, missing=self.missing
        )
        return Schema(tuple(told))

    def _keyed(self, frame: pd.DataFrame) -> bool:
        return all(self._name(key) in frame for key in ("customer", "terminal", "amount"))
