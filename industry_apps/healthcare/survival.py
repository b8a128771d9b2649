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
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Split
from industry_apps.errors import SchemaError
from industry_apps.evaluation import Costs, Report
from industry_apps.evaluation.fairness.answers import GroupedAnswers, set_apart
from industry_apps.features import GraphBuilder
from industry_apps.healthcare.intended_use import INTENDED_USE
from industry_apps.healthcare.patients import PATIENT, split_patients
from industry_apps.limits import NOT_NEGATIVE, RISING_TIMES, integer
from industry_apps.recipes import Records, TreeOptions
from industry_apps.recipes.equal_rows import EqualRows
from industry_apps.recipes.labels import Labels
from industry_apps.recipes.protected import ChosenColumns
from industry_apps.recipes.reasons import Reasons, TreeContributions, with_reasons
from industry_apps.recipes.scorers import thresholds_of_all
from industry_apps.recipes.separating import warn_of
from industry_apps.recipes.survival.assessment import SurvivalBaselines, assess_survival
from industry_apps.recipes.survival.censored_groups import CensoredAnswers
from industry_apps.recipes.survival.hazard_ratios import hazard_ratios, ratios_section
from industry_apps.recipes.survival.metrics import SURVIVAL, FollowUp
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

_curve = partial(Column.probability, size=_HORIZONS)


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
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"event": "died"}``.
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
    model : {"auto", "cox", "trees", "forest", "deepsurv", "network"}
        Cox's linear model; boosted trees on its likelihood; a random survival forest; a network
        on Cox's likelihood, and one of hazards in discrete time. "auto" is a mean of their
        curves, by weights that predict and rank best on rows that the models have not seen: of
        the validation data where these have many events, else of all rows in turn. Report and
        file name them.
    horizons : tuple of float
        Rising times in the unit of the follow-up at which survival is answered; the last is
        that of the risk. By default quarters of the event times of the training data, each once.
    false_alarm_cost, missed_cost : float
        What a false alarm and a missed event cost, in any unit; a risk is high from where
        acting costs less.
    reasons : int
        Columns that are named for each record at most, in [0, 10].
    trees : TreeOptions, optional
    training : TrainingOptions, optional
    seed : int

    Examples
    --------
    >>> from industry_apps.healthcare import SurvivalPredictor
    >>> data = SurvivalPredictor.sample()
    >>> predictor = SurvivalPredictor.fast().fit(data)
    >>> predictor.predict(data.test.head(2)).columns.tolist()[:3]
    ['risk', 'high_risk', 'risk_score']
    """

    name = "healthcare.survival"
    question = "How long until this patient's event?"
    simulator = "health_follow_up_simulator"
    schema = Schema(
        (
            *PATIENT,
            Column(
                "follow_up_days",
                "number",
                "Until the event or the end of the follow-up",
                unit="days",
                low=0,
                role="identifier",
                required=False,
            ),
            Column.label("event"),
        )
    )
    outputs = Schema(
        (
            Column.probability("risk", "Probability of the event by the last horizon"),
            Column("high_risk", "boolean", "Acting costs less than not acting", nullable=False),
            Column(
                "risk_score",
                "number",
                "To rank by: 1 less the mean of the survival curve over the follow-up",
                low=0,
                high=1,
                nullable=False,
            ),
            _curve("survival", "Probability of no event by each horizon"),
            _curve("survival_low", "Lower end of its interval"),
            _curve("survival_high", "Upper end of its interval"),
            Column(
                "median_survival",
                "number",
                "Time by which half of such patients have the event; the time of the last event "
                "of the training data where it is later",
                low=0,
                nullable=False,
            ),
            Column("reasons", "category", "Columns that raise the risk most, falling", size=None),
        )
    )
    traits = Traits(inputs=("number", "category", "boolean", "datetime", "text"), explains=True)
    problem = SURVIVAL
    label = "event"
    defaults: ClassVar[Mapping[str, Any]] = {"training": _TRAINING}

    model: SurvivalModelName = "auto"
    horizons: Annotated[tuple[float, ...], RISING_TIMES] = ()
    use_protected: tuple[str, ...] = ("age", "sex")
    false_alarm_cost: Annotated[float, NOT_NEGATIVE] = 1.0
    missed_cost: Annotated[float, NOT_NEGATIVE] = 1.0
    reasons: Annotated[int, integer(0, 10)] = _REASONS
    trees: TreeOptions | None = None
    training: TrainingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def fast(cls) -> Self:
        """Few trees: a fit of seconds."""
        return cls(model="trees", trees=TreeOptions(rounds=60, learning_rate=0.1))

    def split(self, frame: pd.DataFrame) -> Split:
        """Split records of yours at random, all those of a patient into one part.

        Parameters
        ----------
        frame : DataFrame
            With follow-up and event; without a column ``patient`` each row counts as one patient.
        """
        return split_patients(
            frame,
            patient=self._name("patient"),
            target=self._name("event"),
            durations=(self._name("follow_up_days"),),
            ignore=self.ignore,
            seed=self.seed,
        )

    def labels_of(self, frame: pd.DataFrame) -> Labels:
        """How the labels of a table are read; events of several kinds are refused."""
        name = self._name("event")
        told = frame[name].dropna().unique().tolist() if name in frame else []
        kinds = {str(each).strip().casefold(): each for each in told}
        if len(kinds) > 2:
            shown = ", ".join(map(repr, list(kinds.values())[:3]))
            raise SchemaError(
                f"Column {name!r} holds {len(kinds)} kinds of events, such as {shown}: risks that "
                "compete are not modelled here. Make one event of all of them, as event free "
                "survival does; to count the others as censored overstates the risk."
            )
        return super().labels_of(frame)

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        schema, self.protected_ = self._feature_columns(train)
        schema = schema.with_offsets(train)
        patient = self._name("patient") if self._name("patient") in train else ""
        self.records_ = Records(
            schema=schema,
            target=self._name("event"),
            subject=patient,
            told=self.labels_of(train),
        )
        train, self.check_ = self._parts(train, validation)
        self.patients_ = self.records_.subjects_apart(train, self.check_)
        self.rows_ = None if patient else EqualRows(*map(self.records_.seen, (train, self.check_)))
        rows = [self._followed(part) for part in (train, self.check_)]
        self.split_ = {"train": self._describe(train), "validation": self._describe(self.check_)}
        self.separating_ = rows[0].separating(schema)
        self.recipe_ = SurvivalRecipe(schema, self._options()).fit(*rows)
        self.learned_ = Followed.joined(rows).follow_up
        self.baselines_ = SurvivalBaselines(schema, seed=self.seed)
        self.hazard_ratios_: list[list[object]] = []
        self.schema_ = self.recipe_.used_columns()
        self.reasons_: Reasons | None = None
        if self.reasons:
            trees, arrays = TreeContributions(self.schema_, "log-hazard"), rows[0].arrays
            margins = [self.recipe_.log_hazard(part.arrays) for part in rows]
            trees.fit(arrays, margins[0], rows[1].arrays, margins[1], seed=self.seed)
            high = self.recipe_.answer(arrays)["high_risk"]
            self.reasons_ = Reasons.learn(trees, self.reasons, arrays, ~high)
        warn_of(self.separating_)

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        rows = [self._followed(part) for part in self._parts(train, validation)]
        self.baselines_.fit(Followed.joined(rows))
        self.hazard_ratios_ = hazard_ratios(self.schema_, Followed.joined(rows), seed=self.seed)

    def _parts(
        self, train: pd.DataFrame, validation: pd.DataFrame | None
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        if validation is not None:
            return train, validation
        parts = self.split(train)
        return pd.concat([parts.train, parts.validation]), parts.test

    def _followed(self, frame: pd.DataFrame) -> Followed:
        labelled = self.records_.labelled(frame)
        follow_up = FollowUp(self._times(frame), labelled.target)
        known = self.records_.subject in frame
        patient = self.records_.subjects(frame) if known else None
        return Followed(labelled.arrays, follow_up, patient)

    def _times(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        name, usual = self._name("follow_up_days"), self.schema["follow_up_days"]
        time = replace(usual, name=name, required=True, nullable=False)
        return Schema((time,)).to_arrays(frame)[time.name].astype(np.float64)

    def _describe(self, frame: pd.DataFrame) -> dict[str, Any]:
        found = self.records_.describe(frame)
        longest = float(self._times(frame).max())
        return {"rows": found["rows"], "events": found["positives"], "longest": longest}

    @property
    def outputs_(self) -> Schema:
        """With as many horizons and reasons as there are."""
        size = len(self.recipe_.horizons_)
        told = (c.in_lists(size) if c.name.startswith("survival") else c for c in self.outputs)
        return with_reasons(Schema(tuple(told)), self.reasons_)

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        arrays = self.schema_.to_arrays(frame)
        answers = self.recipe_.answer(arrays)
        if self.reasons_ is not None:
            answers["reasons"] = self.reasons_.apply(arrays)
        return answers

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        tensors = self.recipe_.write(builder, inputs)
        if self.reasons_ is not None:
            tensors |= self.reasons_.write(builder, inputs)
        return tensors

    def _thresholds(self) -> dict[str, list[float]]:
        further = [] if self.reasons_ is None else [self.reasons_]
        return thresholds_of_all([self.recipe_, *further])

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        self.records_.check_apart(self.patients_, frame)
        rows = self._followed(frame)
        split = {**self.split_, "test": self._describe(frame)}
        report = assess_survival(self.recipe_, self.baselines_, rows, self.learned_, split)
        known = "Groups: at the last horizon, by Kaplan and Meier where patients are censored."
        shared = () if self.rows_ is None else self.rows_.shared(self.records_.seen(frame))
        notes = (*report.notes, known, *self._notes(), *shared)
        sections = (*report.sections, ratios_section(self.hazard_ratios_))
        return replace(report, groups=self._groups(frame, rows), notes=notes, sections=sections)

    def _groups(self, frame: pd.DataFrame, rows: Followed) -> Mapping[str, GroupedAnswers]:
        """Answers by group about the last horizon, where columns set patients apart."""
        groups = self.protected_.groups(frame)
        if not set_apart(groups):
            return {}
        answers, horizon = self.recipe_.answer(rows.arrays), self.recipe_.horizons_[-1]
        told = answers["risk"], answers["high_risk"]
        return {"model": CensoredAnswers.of(rows.follow_up, horizon, *told, groups)}

    def _notes(self) -> tuple[str, ...]:
        reasons = () if self.reasons_ is None else (self.reasons_.note,)
        return (*reasons, *map(str, self.separating_))

    def _facts(self) -> dict[str, Any]:
        notes = list(self._notes())
        reasons = {} if self.reasons_ is None else self.reasons_.facts()
        return {**self.recipe_.facts(), "intended_use": INTENDED_USE, "notes": notes, **reasons}

    def _options(self) -> SurvivalOptions:
        return SurvivalOptions(
            model=self.model,
            horizons=tuple(self.horizons),
            costs=Costs.of(self, false_alarm="false_alarm_cost", missed="missed_cost"),
            trees=replace(self.trees or _TREES, seed=self.seed),
            training=replace(self.training or self.defaults["training"], seed=self.seed),
        )
