"""Network anomaly detection: which flows of a network are attacks.

Asked by a security operations centre, flow by flow, with hands for so many alerts a day, and few
labels: a detector that has seen some attacks meets others tomorrow. So normal traffic is learned
beside known attacks, and what counts is detection at 1 % and 0.1 % false alarms. Flows are those
of Zeek's conn.log or Suricata's flow events, or any table of connections; the public benchmark is
NSL-KDD (Tavallaee, Bagheri, Lu and Ghorbani 2009, A detailed analysis of the KDD CUP 99 data set,
doi:10.1109/CISDA.2009.5356528).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Self

import numpy as np
import pandas as pd

from industry_apps.application import Application
from industry_apps.cybersecurity.flows.budget import rate_of
from industry_apps.cybersecurity.flows.columns import FLOW, flow_columns, scanners_until
from industry_apps.data import Split, split_latest
from industry_apps.data.splits import split_random
from industry_apps.data.time_columns import with_times
from industry_apps.errors import ParameterError, SchemaError
from industry_apps.limits import OPEN_SHARE, POSITIVE, Limit, integer
from industry_apps.recipes import Records, TreeOptions
from industry_apps.recipes.anomaly.records import ONE_CLASS, RecordModelName, RecordOptions
from industry_apps.recipes.labels import OwnLabels
from industry_apps.recipes.tables.anomalies import (
    AnomalyTable,
    HoldsAnomalies,
    Suppressed,
    Told,
)
from industry_apps.recipes.tables.detection import RECORD_DETECTION
from industry_apps.runtime.stream.flows import FlowState
from industry_apps.runtime.stream.threshold import FollowedThreshold
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions

__all__ = ["FlowState", "FollowedThreshold", "NetworkAnomalyDetector"]

_TREES = TreeOptions(rounds=150, num_leaves=16, learning_rate=0.08, feature_fraction=0.5)
_TRAINING = TrainingOptions(
    max_epochs=20, least_steps=1_000, batch_size=256, learning_rate=2e-3, precision="float32"
)
#: Hosts, and the day on which the leave of each ends.
SCANNERS = Limit(
    lambda v: isinstance(v, Mapping) and all(isinstance(x, str) for p in v.items() for x in p),
    "a mapping of hosts to dates, such as {'10.0.0.9': '2026-12-31'}",
)
#: Seconds, rising.
WINDOWS = Limit(
    lambda v: (
        isinstance(v, tuple | list)
        and len(v) > 0
        and all(type(x) is int and x >= 1 for x in v)
        and list(v) == sorted({*v})
    ),
    "rising whole numbers of seconds >= 1, such as (2, 60)",
)


class NetworkAnomalyDetector(HoldsAnomalies, OwnLabels, Application):
    """How unlike normal traffic a flow is, whether to raise an alert, and which attack it may be.

    Of the columns below those are used that are there, and every further column of a table becomes
    a feature. A flow raises an alert where its score is 0 or more. With time and hosts, what the
    last seconds tell of these is a part of each record: :meth:`enrich` adds it to tables,
    :class:`industry_apps.runtime.stream.flows.FlowState` to one record.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"state": "flag"}``.
    positive : str, int or float, optional
        The label that means attack, where labels are two values of your own.
    model : {"stack", "trees", "normal", "nearest", "isolation", "autoencoder"}
        The first two need attacks to learn from: trees that are told the distance to normal
        traffic, and these with that distance itself, each of which counts as much.
        The others learn normal traffic alone: the nearest normal flows, an isolation forest, an
        autoencoder, or these three ("normal"); a table without labels counts as normal.
    false_alarm_rate : float
        Wanted share of normal flows that raise an alert, in (0, 1).
    alerts_per_day : float, optional
        False alerts that there are hands for, instead of a rate; flows of a day are counted in
        the training data.
    flows_per_day : float, optional
        For data without a time.
    scanners : mapping of str to str, optional
        Authorised scanners: source -> day (UTC) from which on its flows raise alerts again. Adds
        the output ``suppressed``.
    windows : tuple of int
        Seconds that the state of a flow looks back, rising.
    ignore : tuple of str
        Columns that must not become features.
    reasons : int
        Columns that are named for each flow at most, in [0, 10].
    trees : TreeOptions, optional
    training : TrainingOptions, optional
        Of the autoencoder.
    seed : int

    Notes
    -----
    What is done with flows that are not as they should be:

    - A negative duration, -1 among them, is refused, as are more than 30 days (milliseconds taken
      for seconds). What is longer than all of training is answered; a file warns of a table of
      100 flows and more of which half are.
    - A missing value (NaN, "-" in a log) is not known, which the models see; it is never 0.
    - An unknown service, state or port is unlike all known ones, and answered.
    - A flow that is there twice counts twice in the windows; the readers refuse it where flows
      have an identifier. One that was cut in two is joined again by
      :func:`industry_apps.cybersecurity.rejoined`.
    - Attacks among normal training records are looked for; a share of suspicious ones is a note.
    - A model that gives each record the same score is refused.

    Examples
    --------
    >>> from industry_apps.cybersecurity import NetworkAnomalyDetector
    >>> data = NetworkAnomalyDetector.sample()
    >>> detector = NetworkAnomalyDetector.fast().fit(data)
    >>> list(detector.predict(data.test.head(2)).columns)
    ['score', 'alert', 'family', 'reasons']
    """

    name = "cybersecurity.network_anomaly"
    question = "Is this network flow an attack?"
    simulator = "cybersecurity_flow_simulator"
    schema = FLOW
    outputs = Schema(
        (
            Column("score", "number", "How far above the threshold; an alert from 0 on"),
            Column("alert", "boolean", "Unlike normal traffic, or like an attack", nullable=False),
            Column("family", "category", "The likeliest family of attacks, of an alert"),
            Column("reasons", "category", "Columns that raise the score most", size=None),
        )
    )
    traits = Traits(inputs=("number", "category"), explains=True)
    problem = RECORD_DETECTION
    label = "is_attack"

    model: RecordModelName = "stack"
    false_alarm_rate: Annotated[float, OPEN_SHARE] = 0.01
    alerts_per_day: Annotated[float, POSITIVE] | None = None
    flows_per_day: Annotated[float, POSITIVE] | None = None
    scanners: Annotated[Mapping[str, str], SCANNERS] | None = None
    windows: Annotated[tuple[int, ...], WINDOWS] = (2, 60)
    ignore: tuple[str, ...] = ()
    reasons: Annotated[int, integer(0, 10)] = 3
    trees: TreeOptions | None = None
    training: TrainingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def fast(cls) -> Self:
        """Few trees and epochs: a fit of seconds on the sample."""
        return cls(
            trees=TreeOptions(rounds=30, learning_rate=0.2),
            training=TrainingOptions(max_epochs=2, progress=False, precision="float32"),
        )

    def split(self, frame: pd.DataFrame) -> Split:
        """Split flows of yours by time, the latest being the test; without a time at random.

        Parameters
        ----------
        frame : DataFrame
            With labels; what the windows tell is added where it can be.
        """
        time = self._name("time")
        if time not in frame:
            return split_random(frame, target=self._name("is_attack"), seed=self.seed)
        if self._keyed(frame) and not set(self.new_state().columns) <= set(frame):
            frame = self.enrich(frame)
        return split_latest(with_times(frame, self._units), time=time)

    def enrich(self, flows: pd.DataFrame) -> pd.DataFrame:
        """Add what the last seconds tell of hosts, ports and services of a table, by a new state.

        Parameters
        ----------
        flows : DataFrame
            In any order.
        """
        return self.new_state().enrich(with_times(flows, self._units))

    def new_state(self) -> FlowState:
        """An empty state, under your column names, for ``update`` and ``enrich``."""
        keys = ("time", "source", "destination", "port", "service", "state")
        unit = self._units.get(self._name("time"), "")
        named = {key: self._name(key) for key in keys}
        return FlowState(names=named, windows=self.windows, unit=unit)

    @property
    def _units(self) -> dict[str, str]:
        return self.__dict__.get("units_", {})

    def _keyed(self, frame: pd.DataFrame) -> bool:
        return all(self._name(key) in frame for key in FlowState.NEEDED)

    def _with_labels(self, frame: pd.DataFrame) -> pd.DataFrame:
        label = self._name("is_attack")
        if label in frame or self.model not in ONE_CLASS:
            return frame
        return frame.assign(**{label: False})

    def _table(self, train: pd.DataFrame) -> AnomalyTable:
        time = self._name("time") if self._name("time") in train else ""
        state = self.new_state().columns if self._keyed(train) else ()
        if absent := [name for name in state if name not in train]:
            raise SchemaError(
                f"Column {absent[0]!r} is missing: time and hosts are there, but not what the "
                "windows tell of them. Use split(flows) or enrich(flows) first."
            )
        records = Records(
            schema=flow_columns(self._own_schema(), train, state, self.ignore),
            target=self._name("is_attack"),
            told=self.labels_of(train),
            time=time,
        )
        options = RecordOptions(
            model=self.model,
            rate=self._rate(train, records),
            trees=replace(self.trees or _TREES, seed=self.seed),
            training=replace(self.training or _TRAINING, seed=self.seed),
            seed=self.seed,
        )
        told = Told(kind=self._name("attack"), family=self._name("family"), reasons=self.reasons)
        return AnomalyTable(records, options, told)

    def _rate(self, train: pd.DataFrame, records: Records) -> float:
        if self.alerts_per_day is None:
            return self.false_alarm_rate
        normal = train[~records.labels(train)]
        days = records.seconds(normal) if records.time else np.empty(0, dtype=np.int64)
        return rate_of(self.alerts_per_day, self.flows_per_day, days)

    def _suppressed(self) -> Suppressed | None:
        if not self.scanners:
            return None
        return Suppressed(self._name("source"), self._name("time"), scanners_until(self.scanners))

    def _key_columns(self, names: tuple[str, str]) -> tuple[Column, ...]:
        if len({*names}) < 2:
            raise ParameterError("The 'columns' parameter has one column for source and time.")
        own = self._own_schema()
        return tuple(
            replace(own[name], role="feature", nullable=False, required=True) for name in names
        )

    def _facts(self) -> dict[str, Any]:
        found = super()._facts()
        keyed = self._keyed(self.check_)
        return {**found, "flow_state": self.new_state().settings if keyed else None}
