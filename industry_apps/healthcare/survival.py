"""Survival of patients: how likely an event is by when, where many were not followed to it.

Asked by a clinic for a cohort, and by trials: who is at high risk within a year, and for how
long is half of the patients like this one expected to live? Times are censored: whoever was
lost from sight has lived at least so long, and is learned from as such.

Research use, no diagnosis: nothing here has been validated for care, and a curve is an average
of people alike in what the table holds, no prognosis of one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Dataset, Split, sample
from industry_apps.evaluation import Costs, Report
from industry_apps.evaluation.fairness.answers import GroupedAnswers, set_apart
from industry_apps.export import Exportable
from industry_apps.features import GraphBuilder
from industry_apps.healthcare.intended_use import INTENDED_USE
from industry_apps.healthcare.patients import PATIENT, split_patients
from industry_apps.limits import (
    NAME_MAP,
    NAMES,
    NOT_NEGATIVE,
    POSITIVE,
    Limit,
    instance,
    integer,
    one_of,
)
from industry_apps.recipes import Records, TreeOptions
from industry_apps.recipes.protected import ChosenColumns
from industry_apps.recipes.reasons import TreeReasons
from industry_apps.recipes.survival.assessment import SurvivalBaselines, assess_survival
from industry_apps.recipes.survival.censored_groups import CensoredAnswers
from industry_apps.recipes.survival.metrics import FollowUp
from industry_apps.recipes.survival.models import Followed
from industry_apps.recipes.survival.recipe import SurvivalModelName, SurvivalOptions, SurvivalRecipe
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions

_TREES = TreeOptions(
    rounds=400,
    learning_rate=0.03,
    num_leaves=6,
    feature_fraction=0.3,
    min_child_samples=20,
    bagging_fraction=0.7,
    bags=3,
    patience=30,
)
_TRAINING = TrainingOptions(
    max_epochs=60, batch_size=256, learning_rate=2e-3, weight_decay=1e-2, precision="float32"
)
_REASONS, _HORIZONS = 3, 3

_share = partial(Column, kind="number", low=0, high=1, nullable=False)
_curve = partial(_share, size=_HORIZONS)


class SurvivalPredictor(ChosenColumns, Application):
    """Survival curve of a patient at chosen horizons, the risk, and what raises it.

    Records need a follow-up time and whether the event ended it. Of the columns below those
    are used that are there, and every further column becomes a feature, but for those that
    the card of the data names as telling the outcome: these are refused. All records of a
    patient stand on one side of every split. Research use, no diagnosis.

    The interval of the curve says where the observed survival of patients with the same
    prediction lies, with 95 %, as found on validation data: how far the curve can be trusted,
    and not when one patient has the event.

    Parameters
    ----------
    model : {"auto", "cox", "trees", "forest", "deepsurv", "network"}
        Cox's linear model; boosted trees on its likelihood; a random survival forest; a network
        on Cox's likelihood, and one of hazards in discrete time. "auto" is a mean of their
        curves, by weights found on rows that the models have not seen: of the validation data
        where these have many events, else of all rows in turn. Report and file name them.
    horizons : tuple of float
        Rising times in the unit of the follow-up at which survival is answered; the last is
        that of the risk. By default quarters of the event times of the training data, each once.
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"event": "died"}``.
    features : tuple of str
        Only these columns become features; all by default.
    ignore : tuple of str
        Columns that must not become features.
    use_protected : tuple of str
        Which of age, sex and race (or further protected columns) are features; the report on
        fairness is about all of them.
    protected : tuple of str
        Further columns that are protected.
    false_alarm_cost, missed_cost : float
        What a false alarm and a missed event cost, in any unit; a risk is high from where
        acting costs less.
    reasons : int
        Columns that are named for each record, in [0, 10].
    trees : TreeOptions, optional
    training : TrainingOptions, optional
    seed : int

    Examples
    --------
    >>> from industry_apps.healthcare import SurvivalPredictor
    >>> data = SurvivalPredictor.sample()
    >>> predictor = SurvivalPredictor.fast().fit(data)
    >>> predictor.predict(data.test.head(2)).columns.tolist()[:3]
    ['risk', 'high_risk', 'survival']
    """

    name = "healthcare.survival"
    schema = Schema(
        (
            *PATIENT,
            Column(
                name="follow_up_days",
                kind="number",
                unit="days",
                low=0,
                role="identifier",
                required=False,
                description="Until the event or the end of the follow-up",
            ),
            Column(name="event", kind="boolean", role="identifier", required=False),
        )
    )
    outputs = Schema(
        (
            _share(name="risk", description="Probability of the event by the last horizon"),
            Column(
                name="high_risk",
                kind="boolean",
                nullable=False,
                description="Acting costs less than not acting",
            ),
            _curve(name="survival", description="Probability of no event by each horizon"),
            _curve(name="survival_low", description="Lower end of its interval"),
            _curve(name="survival_high", description="Upper end of its interval"),
            Column(
                name="median_survival",
                kind="number",
                low=0,
                nullable=False,
                description="Time by which half of such patients have the event; the time of "
                "the last event of the training data where it is later",
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
        task="survival",
        inputs=("number", "category", "boolean", "datetime", "text"),
        explains=True,
        intervals=True,
    )
    defaults: ClassVar[Mapping[str, Any]] = {"training": _TRAINING}
    limits: ClassVar[Mapping[str, Limit]] = {
        "model": one_of(get_args(SurvivalModelName)),
        "horizons": Limit(
            lambda v: (
                isinstance(v, tuple | list)
                and all(map(POSITIVE.holds, v))
                and list(v) == sorted(set(v))
            ),
            "a tuple of rising numbers > 0",
        ),
        "columns": NAME_MAP.or_none(),
        "features": NAMES,
        "ignore": NAMES,
        "use_protected": NAMES,
        "protected": NAMES,
        "false_alarm_cost": NOT_NEGATIVE,
        "missed_cost": NOT_NEGATIVE,
        "reasons": integer(0, 10),
        "trees": instance(TreeOptions).or_none(),
        "training": instance(TrainingOptions).or_none(),
        "seed": integer(0),
    }

    def __init__(  # noqa: PLR0913 - each is one decision of the clinic
        self,
        *,
        model: SurvivalModelName = "auto",
        horizons: tuple[float, ...] = (),
        columns: Mapping[str, str] | None = None,
        features: tuple[str, ...] = (),
        ignore: tuple[str, ...] = (),
        use_protected: tuple[str, ...] = ("age", "sex"),
        protected: tuple[str, ...] = (),
        false_alarm_cost: float = 1.0,
        missed_cost: float = 1.0,
        reasons: int = _REASONS,
        trees: TreeOptions | None = None,
        training: TrainingOptions | None = None,
        seed: int = 0,
    ) -> None:
        self.model = model
        self.horizons = horizons
        self.columns = columns
        self.features = features
        self.ignore = ignore
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
        """A small run of the simulator of follow-ups, with no network: simulated patients."""
        return sample("health_follow_up_simulator")

    @classmethod
    def fast(cls) -> Self:
        """Few trees: a fit of seconds."""
        return cls(model="trees", trees=TreeOptions(rounds=60, learning_rate=0.1))

    def split(self, records: pd.DataFrame) -> Split:
        """Split records of yours at random, all those of a patient into one part.

        Parameters
        ----------
        records : DataFrame
            With follow-up and event; without a column ``patient`` each is somebody else's.
        """
        return split_patients(
            records,
            patient=self._name("patient"),
            target=self._name("event"),
            durations=(self._name("follow_up_days"),),
            seed=self.seed,
        )

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        schema, self.protected_ = self._feature_columns(train)
        patient = self._name("patient") if self._name("patient") in train else ""
        self.records_ = Records(schema=schema, target=self._name("event"), subject=patient)
        if validation is None:
            parts = self.split(train)
            train, validation = pd.concat([parts.train, parts.validation]), parts.test
        self.patients_ = self.records_.subjects_apart(train, validation)
        rows = [self._followed(part) for part in (train, validation)]
        self.split_ = {"train": self._describe(train), "validation": self._describe(validation)}
        self.recipe_ = SurvivalRecipe(schema, self._options()).fit(*rows)
        every = Followed.joined(rows)
        self.learned_ = every.follow_up
        self.baselines_ = SurvivalBaselines(schema, seed=self.seed).fit(every)
        self.inputs_ = self.recipe_.used_columns()
        self.reasons_: TreeReasons | None = None
        if self.reasons:
            reasons = TreeReasons(self.inputs_, self.reasons)
            arrays = [part.arrays for part in rows]
            self.reasons_ = reasons.fit(self.recipe_.log_hazard, *arrays, seed=self.seed)
        self.check_ = validation

    def _followed(self, frame: pd.DataFrame) -> Followed:
        labelled = self.records_.labelled(frame)
        follow_up = FollowUp(self._times(frame), labelled.target)
        known = self.records_.subject in frame
        patient = self.records_.subjects(frame) if known else None
        return Followed(labelled.arrays, follow_up, patient)

    def _times(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        time = replace(
            self.schema["follow_up_days"],
            name=self._name("follow_up_days"),
            required=True,
            nullable=False,
        )
        return Schema((time,)).to_arrays(frame)[time.name].astype(np.float64)

    def _describe(self, frame: pd.DataFrame) -> dict[str, Any]:
        found = self.records_.describe(frame)
        longest = float(self._times(frame).max())
        return {"rows": found["rows"], "events": found["positives"], "longest": longest}

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        arrays = self.inputs_.to_arrays(frame)
        answers = self.recipe_.answer(arrays)
        if self.reasons_ is not None:
            answers["reasons"] = self.reasons_.apply(arrays)
        return answers

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        self.records_.check_apart(self.patients_, frame)
        rows = self._followed(frame)
        split = {**self.split_, "test": self._describe(frame)}
        report = assess_survival(self.recipe_, self.baselines_, rows, self.learned_, split)
        known = "Groups: at the last horizon, by Kaplan and Meier where patients are censored."
        notes = (*report.notes, known, *self._notes())
        return replace(report, groups=self._groups(frame, rows), notes=notes)

    def _groups(self, frame: pd.DataFrame, rows: Followed) -> Mapping[str, GroupedAnswers]:
        """Answers by group about the last horizon, where columns set patients apart."""
        groups = self.protected_.groups(frame)
        if not set_apart(groups):
            return {}
        answers, horizon = self.recipe_.answer(rows.arrays), self.recipe_.horizons_[-1]
        told = answers["risk"], answers["high_risk"]
        return {"model": CensoredAnswers.of(rows.follow_up, horizon, *told, groups)}

    def _notes(self) -> tuple[str, ...]:
        return () if self.reasons_ is None else (self.reasons_.note("log-hazard"),)

    def _exportable(self) -> Exportable:
        builder = GraphBuilder()
        inputs = builder.inputs(self.inputs_)
        tensors = self.recipe_.write(builder, inputs)
        columns, thresholds = [], self.recipe_.thresholds()
        for column in self.outputs.without(["reasons"]):
            size = len(self.recipe_.horizons_) if column.name.startswith("survival") else 1
            kind = np.bool_ if column.kind == "boolean" else np.float32
            builder.output(tensors[column.name], column.name, kind, size)
            columns.append(replace(column, size=size))
        if self.reasons_ is not None:
            reasons = self.outputs["reasons"]
            columns.append(self.reasons_.declare(builder, inputs, reasons, thresholds))
        return Exportable(
            graph=builder.model(self.name),
            native=self._answers,
            schema=self.inputs_,
            outputs=Schema(tuple(columns)),
            check=self.check_,
            thresholds=thresholds,
            facts={
                **self.recipe_.facts(),
                "split": self.split_,
                "intended_use": INTENDED_USE,
                "notes": list(self._notes()),
            },
        )

    def _options(self) -> SurvivalOptions:
        return SurvivalOptions(
            model=self.model,
            horizons=tuple(self.horizons),
            costs=Costs(false_alarm=self.false_alarm_cost, missed=self.missed_cost),
            trees=replace(self.trees or _TREES, seed=self.seed),
            training=replace(self.training or self.defaults["training"], seed=self.seed),
        )
