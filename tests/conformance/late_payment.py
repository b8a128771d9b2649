"""Late payment: which invoices will not be paid in time.

Asked by whoever sends invoices and reminders. Made up, as a user would write an application in
a package of their own: this file, one entry point and one card are all of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal, Self

import numpy as np
import pandas as pd

from industry_apps.application import Application
from industry_apps.data import Dataset, Split, card, split_latest
from industry_apps.evaluation import Costs
from industry_apps.evaluation.decisions import DECISION
from industry_apps.limits import POSITIVE, integer
from industry_apps.recipes import DecisionOptions, Records, TreeOptions
from industry_apps.recipes.tables.decision import DecisionTable, HoldsDecision
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions


class LatePayment(HoldsDecision, Application):
    """Probability that an invoice is paid late, and whether to remind its customer early.

    Parameters
    ----------
    model : {"trees", "network"}
    missed_cost : float
        Of a late payment nobody expected, beside a needless reminder, which costs 1.
    trees : TreeOptions, optional
    training : TrainingOptions, optional
    seed : int

    Examples
    --------
    >>> LatePayment.fast().model
    'trees'
    """

    name = "toy.late_payment"
    question = "Will this invoice be paid late?"
    schema = Schema(
        (
            Column("issued", "datetime", nullable=False, role="identifier"),
            Column("amount", "number", unit="EUR", low=0),
            Column("days_to_pay", "number", unit="days", low=0, required=False),
            Column("sector", "category"),
            Column.label("is_late"),
        )
    )
    outputs = Schema(
        (Column.probability("late_probability"), Column("remind", "boolean", nullable=False))
    )
    traits = Traits(inputs=("number", "category"), explains=True)
    problem = DECISION

    model: Literal["trees", "network"] = "trees"
    missed_cost: Annotated[float, POSITIVE] = 5.0
    trees: TreeOptions | None = None
    training: TrainingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def sample(cls) -> Dataset:
        return Dataset(card("toy_invoices"), *cls().split(invoices(1500)), sha256="made here")

    @classmethod
    def fast(cls) -> Self:
        return cls(trees=TreeOptions(rounds=40, learning_rate=0.1))

    def split(self, frame: pd.DataFrame) -> Split:
        return split_latest(frame, time="issued")

    def _table(self, train: pd.DataFrame) -> DecisionTable:
        features = Schema(tuple(column for column in self.schema.inputs() if column.name in train))
        records = Records(schema=features, target="is_late", time="issued")
        return DecisionTable(records, self._options)

    def _options(self, schema: Schema) -> DecisionOptions:
        training = self.training or TrainingOptions(max_epochs=20)
        return DecisionOptions(
            model=self.model,
            costs=Costs(false_alarm=1.0, missed=self.missed_cost),
            trees=replace(self.trees or TreeOptions(), seed=self.seed),
            training=replace(training, seed=self.seed),
        )


def invoices(rows: int) -> pd.DataFrame:
    """Made up: large amounts with little time are paid late, those of builders most."""
    draw = np.random.default_rng(rows)
    amount, days = draw.lognormal(6, 1, rows).round(2), draw.choice([14.0, 30.0, 60.0], rows)
    sector = draw.choice(np.array(["building", "trade", "health"], dtype=object), rows)
    margin = np.log(amount) - 6 - days / 30 + 2 * (sector == "building") + draw.logistic(size=rows)
    issued = pd.date_range("2024-01-01", periods=rows, freq="3h").as_unit("s")
    return pd.DataFrame(
        {
            "issued": issued,
            "amount": np.where(draw.random(rows) < 0.02, np.nan, amount),
            "days_to_pay": days,
            "sector": sector,
            "is_late": margin > 0,
        }
    )
