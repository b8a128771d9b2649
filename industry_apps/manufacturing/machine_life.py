"""Machine life: how long machines of some age go on, from records of maintenance alone.

Asked where there are no sensors, but a row for each machine (or each life of one, from repair to
repair): its age, how it is used, and whether it failed, was replaced before, or still runs. That is
survival with another name: who was replaced or still runs is censored. What is asked is the life
that is left, given the age that was reached: S(age + t) / S(age).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Split, split_by_group, split_random
from industry_apps.evaluation import Report
from industry_apps.features import GraphBuilder
from industry_apps.features.sources import write_less_offset
from industry_apps.limits import NOT_NEGATIVE, integer
from industry_apps.recipes import Records, TreeOptions, feature_columns
from industry_apps.recipes.labels import OwnLabels
from industry_apps.recipes.separating import warn_of
from industry_apps.recipes.survival.assessment import SurvivalBaselines, assess_survival
from industry_apps.recipes.survival.curve import risk_score, write_risk_score
from industry_apps.recipes.survival.given_age import (
    AgeNodes,
    failure_within,
    median_remaining,
)
from industry_apps.recipes.survival.metrics import SURVIVAL, FollowUp
from industry_apps.recipes.survival.models import Followed
from industry_apps.recipes.survival.recipe import SurvivalModelName, SurvivalOptions, SurvivalRecipe
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions

_TREES = TreeOptions(
    rounds=400, learning_rate=0.03, num_leaves=6, min_child_samples=20, l2=1.0, patience=30
)
#: Of the last age of failure, by default the time within which a failure is asked about.
_AHEAD = 0.1
#: The labels as given, beside whether each means failed.
_TOLD = "failed, as given"


class MachineLifePredictor(OwnLabels, Application):
    """Median remaining life of a machine of its age, and how likely it fails soon.

    Records of training have the age at which the machine failed, was replaced, or was last seen
    running, and the column ``failed``, which is False for the latter two. A request has the age
    that the machine has reached. Nothing is known beyond the last failure of training: of a machine
    that old nothing is answered, and what is asked beyond it is answered up to there. Further
    columns (type, load, site) become features, as they are
    from the beginning of a life: what changes with age would tell it.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"age": "hours"}``.
    positive : str, int or float, optional
        The label that means failed, where labels are values of your own, as "failure"; all others,
        such as "replaced" and "running", say that the life went on, and are censored.
    features : tuple of str
        Only these columns become features; all further ones by default.
    ignore : tuple of str
        Columns that must not become features.
    model : {"auto", "cox", "trees", "forest", "deepsurv", "network"}
        As of :class:`industry_apps.healthcare.SurvivalPredictor`.
    within : float
        Time ahead in which a failure is asked about, >= 0 in the unit of the age; 0: a tenth of
        the last age of failure.
    trees : TreeOptions, optional
    training : TrainingOptions, optional
    seed : int

    Examples
    --------
    >>> from industry_apps.manufacturing import MachineLifePredictor
    >>> data = MachineLifePredictor.sample()
    >>> predictor = MachineLifePredictor.fast().fit(data)
    >>> predictor.predict(data.test.head(2)).columns.tolist()
    ['remaining_life', 'failure_probability', 'risk_score']
    """

    name = "manufacturing.machine_life"
    question = "How long do machines of this age last?"
    simulator = "manufacturing_maintenance_simulator"
    schema = Schema(
        (
            Column("machine", "category", role="identifier", required=False),
            Column("age", "number", "Reached; in training at the end", low=0, nullable=False),
            Column.label("failed", "Whether the life ended with failure"),
        )
    )
    outputs = Schema(
        (
            Column(
                "remaining_life",
                "number",
                "Time by which half of machines of this age have failed; up to the last failure of "
                "the training data where it is later",
                low=0,
            ),
            Column(
                "failure_probability",
                "number",
                "Of a failure within the time asked about",
                low=0,
                high=1,
            ),
            Column(
                "risk_score",
                "number",
                "To rank by, whatever the age: 1 less the mean of the survival curve",
                low=0,
                high=1,
                nullable=False,
            ),
        )
    )
    traits = Traits(inputs=("number", "category", "boolean", "datetime", "text"))
    problem = SURVIVAL
    label = "failed"
    several_negatives = True

    features: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    model: SurvivalModelName = "trees"
    within: Annotated[float, NOT_NEGATIVE] = 0.0
    trees: TreeOptions | None = None
    training: TrainingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def fast(cls) -> Self:
        """Few trees: a fit of seconds."""
        return cls(trees=TreeOptions(rounds=40, learning_rate=0.1))

    def split(self, frame: pd.DataFrame) -> Split:
        """Split records of yours at random, all lives of a machine into one part.

        Parameters
        ----------
        frame : DataFrame
            Without a column ``machine`` each row counts as one machine.
        """
        machine = self._name("machine")
        if machine in frame:
            return split_by_group(frame, group=machine, seed=self.seed)
        label = self._name("failed")
        known = self.with_truth(frame).assign(**{_TOLD: frame.get(label)})
        parts = split_random(  # each part has its share of failures, not of each other label
            known,
            target=label,
            durations=(self._name("age"),),
            ignore=(*self.ignore, _TOLD),
            seed=self.seed,
        )
        tables = (parts.train, parts.validation, parts.test)
        return Split(*(t.assign(**{label: t[_TOLD]}).drop(columns=_TOLD) for t in tables))

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        named = self._own_schema()
        schema, _ = feature_columns(
            named.without([self._name("age")]),
            train.drop(columns=[self._name("age")], errors="ignore"),
            only=self.features,
            ignore=self.ignore,
            leaks=train.attrs.get("data", {}).get("leaks", {}),
        )
        machine = self._name("machine") if self._name("machine") in train else ""
        self.records_ = Records(
            schema=schema.with_offsets(train),
            target=self._name("failed"),
            subject=machine,
            told=self.labels_of(train),
        )
        if validation is None:
            parts = self.split(train)
            train, validation = pd.concat([parts.train, parts.validation]), parts.test
        self.check_ = validation
        self.machines_ = self.records_.subjects_apart(train, validation)
        rows = [self._followed(part) for part in (train, validation)]
        self.split_ = {"train": self._told(rows[0]), "validation": self._told(rows[1])}
        self.recipe_ = SurvivalRecipe(self.records_.schema, self._options()).fit(*rows)
        self.learned_ = Followed.joined(rows).follow_up
        last = float(self.recipe_.edges_[-1])
        self.within_ = float(np.float32(self.within or _AHEAD * last))
        self.schema_ = Schema((named[self._name("age")], *self.recipe_.used_columns()))
        self.baselines_ = SurvivalBaselines(self.records_.schema, seed=self.seed)
        self.separating_ = rows[0].separating(self.records_.schema)
        warn_of(self.separating_)

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        parts = [train] if validation is None else [train, validation]
        self.baselines_.fit(Followed.joined([self._followed(part) for part in parts]))

    def _followed(self, frame: pd.DataFrame) -> Followed:
        labelled = self.records_.labelled(frame)
        age = self._own_schema()[self._name("age")]
        times = Schema((age,)).to_arrays(frame)[age.name].astype(np.float64)
        known = self.records_.subject in frame
        machine = self.records_.subjects(frame) if known else None
        return Followed(labelled.arrays, FollowUp(times, labelled.target), machine)

    def _told(self, rows: Followed) -> dict[str, Any]:
        found = rows.follow_up
        return {
            "rows": len(found),
            "events": int(found.event.sum()),
            "longest": float(found.time.max()),
        }

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        arrays, age = self.schema_.to_arrays(frame), self._name("age")
        logs = self.recipe_.blend_.log_survival(arrays)
        ages = arrays[age].astype(np.float64)
        edges = self.recipe_.edges_
        soon = failure_within(logs, edges, ages, [self.within_])[:, 0]
        known = ages < edges[-1]
        return {
            "remaining_life": np.where(known, median_remaining(logs, edges, ages), np.nan),
            "failure_probability": np.where(known, soon, np.nan),
            "risk_score": risk_score(logs),
        }

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        age = self._name("age")
        curve = self.recipe_.blend_.write(builder, inputs)
        ages = write_less_offset(builder, self.schema_[age], inputs[age])
        nodes = AgeNodes(builder, curve, ages, self.recipe_.edges_)
        last, nothing = (builder.constant(np.float32(x)) for x in (self.recipe_.edges_[-1], np.nan))
        known = builder.node("Less", ages, last)
        found = {
            "remaining_life": nodes.median_remaining(),
            "failure_probability": nodes.failure_within([self.within_]),
        }
        told = {name: builder.node("Where", known, x, nothing) for name, x in found.items()}
        return {**told, "risk_score": write_risk_score(builder, curve)}

    def _thresholds(self) -> dict[str, list[float]]:
        return self.recipe_.thresholds()

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        self.records_.check_apart(self.machines_, frame)
        rows = self._followed(frame)
        split = {**self.split_, "test": self._told(rows)}
        report = assess_survival(self.recipe_, self.baselines_, rows, self.learned_, split)
        best = report.metrics["c_index"]
        return replace(
            report,
            headline_text=(
                f"Of two machines, the one with the higher risk fails first in {best} of the pairs."
            ),
            notes=(
                *(
                    note.replace("Patients", "Machines").replace("patients", "machines")
                    for note in report.notes
                ),
                *map(str, self.separating_),
            ),
        )

    def _facts(self) -> dict[str, Any]:
        told = {k: v for k, v in self.recipe_.facts().items() if k != "decision"}
        return {**told, "within": self.within_, "notes": [*map(str, self.separating_)]}

    def _options(self) -> SurvivalOptions:
        return SurvivalOptions(
            model=self.model,
            trees=replace(self.trees or _TREES, seed=self.seed),
            training=replace(
                self.training or TrainingOptions(max_epochs=60, batch_size=256), seed=self.seed
            ),
        )
