"""Failure alarm: which machines to replace now, so that failures and needless stops cost least.

Asked by whoever has to order the part and book the stop: an alarm is worth something only if it
comes a lead time before the failure, and costs the life that the machine still had. It is judged by
what a life costs, beside replacement at a fixed age and beside perfect foresight.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.errors import ParameterError
from industry_apps.evaluation import Report
from industry_apps.features import GraphBuilder
from industry_apps.limits import NOT_NEGATIVE, POSITIVE
from industry_apps.manufacturing.predictive_maintenance import (
    FAST,
    MACHINES,
    RemainingLifeEstimator,
)
from industry_apps.recipes.sensors.alarm import (
    FAILURE_ALARM,
    AlarmCosts,
    assess_alarm,
    best_interval,
    check_several,
    learn_threshold,
    whole_records,
)
from industry_apps.recipes.sensors.held import HoldsLife
from industry_apps.recipes.separating import warn_of
from industry_apps.schema import Column, Schema, Traits


class FailureAlarm(HoldsLife, Application):
    """Whether to replace a machine now, a lead time before its failure.

    It is asked, and learns, as
    :class:`industry_apps.manufacturing.predictive_maintenance.RemainingLifeEstimator` does. The
    alarm is raised where the remaining life is answered by a threshold or less, which is chosen so
    that the life of a machine costs least, by what the models said of machines that they had not
    seen. A machine of which nothing is known gets an alarm: it has to be looked at.

    Records that end with failure decide the threshold, and are what it is judged by: of all others
    nobody knows what a policy would have cost.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"machine": "unit", "time": "cycle"}``.
    sensors, settings : tuple of str
        Columns of numbers, as of the estimator.
    model : {"blend", "trees", "tcn", "gru", "patch"}
        Of the remaining life.
    cap : float, optional
        Longer lives count as this; larger than the lead time.
    history : int, optional
        Readings of a window.
    whole_records : bool
        Records begin when the machine is new.
    regimes : int, optional
        Clusters of settings.
    features : tuple of Signal
        Further numbers of a window.
    coverage : float
        Of the interval of the remaining life.
    folds : int
        Of machines.
    trees : TreeOptions, optional
    training : TrainingOptions, optional
    seed : int
    lead_time : float
        Life that passes from the alarm to the replacement, >= 0, in the unit of the lives.
    failure_cost, replacement_cost : float
        Of a machine that fails, and of one that is replaced before, > 0 in any unit; the first is
        the larger.

    Examples
    --------
    >>> from industry_apps.manufacturing import FailureAlarm
    >>> data = FailureAlarm.sample()
    >>> alarm = FailureAlarm.fast().fit(data)
    >>> list(alarm.predict(data.test).columns)
    ['alarm', 'remaining_life', 'remaining_life_low', 'remaining_life_high', 'health']
    """

    name = "manufacturing.failure_alarm"
    question = "Which machines should be replaced now?"
    simulator = "manufacturing_failure_simulator"
    schema = MACHINES
    outputs = Schema(
        (
            Column("alarm", "boolean", "Replace it: the cost-optimal decision", nullable=False),
            *RemainingLifeEstimator.outputs,
        )
    )
    traits = Traits(inputs=("number",), windows=True)
    problem = FAILURE_ALARM

    lead_time: Annotated[float, NOT_NEGATIVE] = 10.0
    failure_cost: Annotated[float, POSITIVE] = 5.0
    replacement_cost: Annotated[float, POSITIVE] = 1.0

    @classmethod
    def fast(cls) -> Self:
        """Few trees in two folds: a fit of seconds on the sample."""
        return cls(lead_time=5.0, **FAST)

    def _costs(self, cap: float) -> AlarmCosts:
        if self.failure_cost <= self.replacement_cost:
            raise ParameterError(
                f"The 'failure_cost' parameter of FailureAlarm must be larger than "
                f"'replacement_cost', or it is best to wait for the failure. Got "
                f"{self.failure_cost!r} and {self.replacement_cost!r}."
            )
        if self.lead_time >= cap:
            raise ParameterError(
                f"The 'lead_time' parameter of FailureAlarm must be below 'cap', beyond which no "
                f"life is told from another. Got {self.lead_time!r} and {cap!r}."
            )
        return AlarmCosts(
            failure=float(self.failure_cost),
            replacement=float(self.replacement_cost),
            lead=float(self.lead_time),
        )

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        cap = self._cap_of(train)
        self.costs_ = self._costs(cap)
        self._learn_lives(train, validation)
        lives, held = self.life_.learned(train, validation), self.life_.recipe_.held_out_
        records, chosen = whole_records(lives, held.ends)
        answer = held.answer[chosen] * cap
        self.threshold_ = learn_threshold(answer, records, self.costs_, cap)
        self.interval_: float | None = None
        warn_of(self.separating_)

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        lives = self.life_.learned(train, validation)
        records, _ = whole_records(lives, np.flatnonzero(~np.isnan(lives.life)))
        self.interval_ = best_interval(records.lives, self.costs_)

    def _answers(self, frame: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        found = super()._answers(frame)
        return {"alarm": ~(found["remaining_life"] > self.threshold_), **found}

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        found = super()._write(builder, inputs)
        limit = builder.constant(np.float32(self.threshold_))
        beyond = builder.node("Greater", found["remaining_life"], limit)
        return {"alarm": builder.node("Not", beyond), **found}

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        lives = self.life_.unseen(frame)
        ends = np.flatnonzero(~np.isnan(lives.life))
        records, chosen = whole_records(lives, ends)
        check_several(records)
        found = self.life_.recipe_.answer_at(lives, ends[chosen])
        return assess_alarm(
            np.nan_to_num(found["remaining_life"]),
            records,
            threshold=self.threshold_,
            interval=self.interval_,
            costs=self.costs_,
            model=self.model,
            split={**self.split_, "test": {"machines": len(records), "readings": len(ends)}},
            notes=tuple(self.life_.notes_),
        )

    def _facts(self) -> dict[str, Any]:
        decision = {
            "positive": True,
            "threshold": self.threshold_,
            "lead_time": self.costs_.lead,
            "failure_cost": self.costs_.failure,
            "replacement_cost": self.costs_.replacement,
        }
        return {**super()._facts(), "decision": decision}
