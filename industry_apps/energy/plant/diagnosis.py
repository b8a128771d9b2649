"""Which of the faults that were learned it is, or none of them.

Boosted trees of the statistics of a window tell each fault from all others. A window far from all
those of learned faults is of a state that was never seen.

Letters in shapes: N windows, F statistics, K faults.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.energy.plant.runs import Runs
from industry_apps.errors import TrainingError
from industry_apps.features import GraphBuilder
from industry_apps.recipes.anomaly.scorers import NearestRows
from industry_apps.recipes.anomaly.threshold import AlarmThreshold
from industry_apps.recipes.sensors.graph import SensorGraph, SensorPlan
from industry_apps.recipes.sensors.regimes import learn_regimes
from industry_apps.recipes.trees import TreeOptions, check_grown, grown, write_mean_margin
from industry_apps.runtime.progress import progress
from industry_apps.schema import Schema

__all__ = ["ROWS", "TREES", "Diagnosis"]

#: Readings that statistics are of.
ROWS = 20
TREES = TreeOptions(
    rounds=60,
    learning_rate=0.1,
    num_leaves=8,
    min_child_samples=20,
    feature_fraction=0.3,
    bagging_fraction=0.5,
)
#: What a fault counts beside all others, which are more.
_WEIGHT = 5.0
#: Statistics that say how near a state is: where the plant is, and how much it moves.
_PLACE, _MOVES = "mean of the last 5 ", "spread of the last 20 "
#: Share of windows of learned faults that may be taken for a state never seen.
_NEW, _BLOCKS = 0.05, 5
_WINDOWS_A_PASS = 2_048

_Floats = NDArray[np.float64]


class Diagnosis:
    """Learns faults from runs in which they were active.

    Parameters
    ----------
    schema : Schema
        The tags, of the role "history".
    trees : TreeOptions

    Attributes
    ----------
    faults_ : tuple of str
        Those that were learned, sorted.
    threshold_ : AlarmThreshold
        Of the distance from which on a state was never seen.
    """

    def __init__(self, schema: Schema, trees: TreeOptions) -> None:
        self.schema, self.trees = schema, trees

    def fit(self, runs: Runs, normal: str) -> Diagnosis:
        """Learn from all readings at which a fault was active.

        Parameters
        ----------
        runs : Runs
            With such of two faults or more.
        normal : str
        """
        import lightgbm as lgb

        usual = runs.fault == normal
        columns = {name: values[usual] for name, values in runs.columns.items()}
        names = self.schema.inputs().names
        regimes = learn_regimes(columns, names, (), self.schema, count=None, seed=0)
        plan = SensorPlan(length=ROWS, steps=1)
        self.graph_ = SensorGraph(self.schema, plan, regimes, ("rows",))
        places = np.flatnonzero(~usual)
        rows = self._statistics_at(runs, places)
        fault = runs.fault[places]
        self.faults_ = tuple(sorted(set(fault.tolist())))
        data = lgb.Dataset(rows, params={"verbosity": -1}, free_raw_data=False)
        further = {"objective": "binary", "scale_pos_weight": _WEIGHT}
        self.boosters_ = []
        shown = ((name, (n + 1) / len(self.faults_)) for n, name in enumerate(self.faults_))
        for name in progress(shown, f"{len(self.faults_)} faults"):
            data.set_label((fault == name).astype(np.float64))
            self.boosters_.append(grown(data, self.trees, further))
        check_grown(self.boosters_, self.trees, len(rows))
        self._learn_reach(rows, fault, runs.owner[places])
        return self

    def _learn_reach(
        self, rows: NDArray[np.float32], fault: NDArray[np.object_], run: NDArray[np.int64]
    ) -> None:
        """How far windows of learned faults are from others of the same kind."""
        told = self.graph_.names
        self._place = np.array([n for n, name in enumerate(told) if name.startswith(_PLACE)])
        self._moves = np.array([n for n, name in enumerate(told) if name.startswith(_MOVES)])
        near = self._near(rows)
        block = np.empty(len(near), dtype=np.int64)
        for part in set(zip(fault.tolist(), run.tolist(), strict=True)):
            mine = np.flatnonzero((fault == part[0]) & (run == part[1]))
            block[mine] = np.arange(len(mine)) * _BLOCKS // len(mine)
        apart = np.empty(len(near))
        for each in range(_BLOCKS):
            others = NearestRows.learn(near[block != each][:, None])
            apart[block == each] = others.score(near[block == each][:, None])[0]
        if len(apart) < 1 / _NEW:
            raise TrainingError(
                f"Faults are known from {len(apart)} readings. Give {int(1 / _NEW)} or more, or "
                "leave them out."
            )
        self.threshold_ = AlarmThreshold.at_rate(apart, _NEW)
        self.reach_ = NearestRows.learn(near[:, None])

    def _near(self, rows: NDArray[np.float32]) -> _Floats:
        chosen = rows[:, np.concatenate([self._place, self._moves])]
        return np.nan_to_num(chosen.astype(np.float64))

    def _statistics_at(self, runs: Runs, places: NDArray[np.int64]) -> NDArray[np.float32]:
        parts = [
            self._statistics(runs.windows(places[start : start + _WINDOWS_A_PASS], ROWS))
            for start in range(0, max(len(places), 1), _WINDOWS_A_PASS)
        ]
        return np.concatenate(parts)

    def _statistics(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        last = {name: columns[name][:, -ROWS:] for name in self.graph_.columns}
        found: NDArray[np.float32] = self.graph_.run(last)["rows"]
        return found

    def answer(self, columns: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.object_], Any]:
        """The most likely fault of each window, and whether its state was never seen.

        Parameters
        ----------
        columns : mapping of str to ndarray of shape [N, L]
            Of at least so many readings as ``ROWS``.

        Returns
        -------
        faults : ndarray of str, shape [N]
        new : ndarray of bool, shape [N]
        """
        rows = self._statistics(columns)
        margins = np.column_stack([each.predict(rows, raw_score=True) for each in self.boosters_])
        names = np.array(self.faults_, dtype=object)
        apart, _ = self.reach_.score(self._near(rows)[:, None])
        # As in the file, which takes the margins in single precision.
        likely = names[margins.astype(np.float32).argmax(axis=1)]
        return likely, apart >= self.threshold_.value

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> tuple[str, str]:
        """Append the same to a graph: strings and booleans [batch, 1].

        Parameters
        ----------
        builder : GraphBuilder
        inputs : mapping of str to str
            Column -> tensor [batch, L].
        """
        node, constant = builder.node, builder.constant
        last = {name: builder.part(inputs[name], -ROWS, 2**31) for name in self.graph_.columns}
        rows = self.graph_.write(builder, last)["rows"]
        margins = builder.concat(
            [write_mean_margin(builder, [booster], rows) for booster in self.boosters_]
        )
        place = node("ArgMax", margins, attributes={"axis": 1})  # [batch, 1]
        likely = node("Gather", constant(np.array(self.faults_, dtype=object)), place)
        chosen = constant(np.concatenate([self._place, self._moves]))
        near = node("Gather", rows, chosen, attributes={"axis": 1})
        nothing = constant(np.float32(0))
        near = builder.cast(node("Where", node("IsNaN", near), nothing, near), np.float64)
        wide = node("Unsqueeze", near, constant(np.array([1])))
        apart, _ = self.reach_.write(builder, wide)
        new = node("GreaterOrEqual", apart, constant(np.float64(self.threshold_.value)))
        return likely, new
