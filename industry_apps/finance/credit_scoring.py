"""Credit scoring: how likely an applicant is to default, in points, and whether to approve.

Asked by the credit desk of a bank, a leasing company or a shop, for each application, with
two duties that other domains do not have: to say which attributes cost the points, and to
show that nobody is treated worse for who they are. A scorecard answers with a table that
fits on a page (Siddiqi 2006, *Credit Risk Scorecards*, Wiley); trees and networks answer a
little better, on the same scale of points.

Who was refused in the past is in no training data, and how they would have paid is unknown.
No reject inference is done: a model learns from the applicants who were accepted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Dataset, Split, sample, split_latest, split_off_latest, split_random
from industry_apps.evaluation import Costs, Report
from industry_apps.evaluation.fairness.answers import GroupedAnswers
from industry_apps.export import Exportable
from industry_apps.export.model_file import answering
from industry_apps.features import GraphBuilder, Ratio
from industry_apps.limits import (
    BOOLEAN,
    DIRECTIONS,
    NAME_MAP,
    NAMES,
    NOT_NEGATIVE,
    PAIRS,
    SHARE,
    TEXT,
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
    ScorecardOptions,
    TreeOptions,
)
from industry_apps.recipes.decision.assessment import Assessed, assess
from industry_apps.recipes.decision.points import Points
from industry_apps.recipes.protected import ChosenColumns
from industry_apps.recipes.records import with_moments
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions

CreditModel = Literal["trees", "scorecard", "network", "transformer", "stack"]

_APPROVE, _REFUSE = "approve", "refuse"
_TREES = TreeOptions(rounds=300, learning_rate=0.03, bagging_fraction=0.7, bags=4)

_optional_number = partial(Column, kind="number", low=0, required=False)
_protected_category = partial(
    Column, kind="category", required=False, protected=True, description="Of the applicant"
)


class CreditScorer(ChosenColumns, Application):
    """Probability that an applicant defaults, the score in points, and the decision.

    Applications need a label, ``is_default``. Of the columns below those are used that are
    there, and every further column becomes a feature. Sex, age, marital status and whoever
    is a foreign worker are protected: never a feature unless you consent, and always in the
    report on fairness.

    Parameters
    ----------
    model : {"stack", "trees", "scorecard", "network", "transformer"}
        Gradient-boosted trees; a table of points; a residual network; a transformer over
        the columns; or trees and scorecard, weighted.
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"amount": "LOAN_AMT"}``.
    features : tuple of str
        Only these columns become features; all by default.
    ignore : tuple of str
        Columns that must not become features.
    ratios : tuple of (str, str)
        Pairs of columns of which the first over the second tells. Amount over duration,
        amount over income, and each column that begins with ``balance`` over limit are
        added where they are there.
    protected : tuple of str
        Further columns that are protected.
    use_protected : bool
        Your consent that protected columns are features as others are.
    default_cost, refusal_cost : float
        What approving somebody who defaults and refusing somebody who would have paid
        cost, in any unit; the decision is the one that costs least.
    approval_rate : float, optional
        Approve this share of the applicants, the best, whatever it costs; in (0, 1).
    monotone : mapping of str to int, optional
        Column -> 1 where the probability may only rise with it, -1 where it may only fall;
        kept by trees and scorecard.
    mitigate : str
        A protected column whose groups are weighed in training so that default does not
        depend on them; the report shows fairness before and after.
    reasons : int
        Attributes that a scorecard names as reasons, in [0, 10].
    scorecard : ScorecardOptions, optional
        Also the scale of the score: by default 600 points are odds of 50 to 1, and 20
        points double them.
    trees : TreeOptions, optional
    training : TrainingOptions, optional
    seed : int

    Examples
    --------
    >>> from industry_apps.finance import CreditScorer
    >>> data = CreditScorer.sample()
    >>> scorer = CreditScorer.fast().fit(data)
    >>> list(scorer.predict(data.test.head(2)).columns)
    ['default_probability', 'score', 'decision']
    """

    name = "finance.credit_scoring"
    schema = Schema(
        (
            Column(name="time", kind="datetime", role="identifier", required=False),
            _optional_number(name="amount", unit="currency", description="What is applied for"),
            _optional_number(name="duration", unit="months", description="Of the loan"),
            _optional_number(name="income", unit="currency", description="What is earned"),
            _optional_number(name="limit", unit="currency", description="Of a credit line"),
            _optional_number(
                name="age", unit="years", high=130, protected=True, description="Of the applicant"
            ),
            _protected_category(name="sex"),
            _protected_category(name="marital_status"),
            _protected_category(name="foreign_worker"),
            Column(name="is_default", kind="boolean", role="identifier", required=False),
        )
    )
    outputs = Schema(
        (
            Column(
                name="default_probability",
                kind="number",
                low=0,
                high=1,
                nullable=False,
                description="Calibrated probability of default",
            ),
            Column(
                name="score",
                kind="number",
                unit="points",
                nullable=False,
                description="The higher, the safer",
            ),
            Column(
                name="decision",
                kind="category",
                categories=(_APPROVE, _REFUSE),
                nullable=False,
                description="What costs least, or the best up to the approval rate",
            ),
        )
    )
    traits = Traits(
        task="decision", inputs=("number", "category", "boolean", "datetime", "text"), explains=True
    )
    limits: ClassVar[Mapping[str, Limit]] = {
        "model": one_of(get_args(CreditModel)),
        "columns": NAME_MAP.or_none(),
        "features": NAMES,
        "ignore": NAMES,
        "ratios": PAIRS,
        "protected": NAMES,
        "use_protected": BOOLEAN,
        "default_cost": NOT_NEGATIVE,
        "refusal_cost": NOT_NEGATIVE,
        "approval_rate": Limit(
            lambda rate: SHARE.holds(rate) and rate < 1, "a number in (0, 1)"
        ).or_none(),
        "monotone": DIRECTIONS.or_none(),
        "mitigate": TEXT,
        "reasons": integer(0, 10),
        "scorecard": instance(ScorecardOptions).or_none(),
        "trees": instance(TreeOptions).or_none(),
        "training": instance(TrainingOptions).or_none(),
        "seed": integer(0),
    }

    def __init__(  # noqa: PLR0913 - each is one decision of the credit desk
        self,
        *,
        model: CreditModel = "trees",
        columns: Mapping[str, str] | None = None,
        features: tuple[str, ...] = (),
        ignore: tuple[str, ...] = (),
        ratios: tuple[tuple[str, str], ...] = (),
        protected: tuple[str, ...] = (),
        use_protected: bool = False,
        default_cost: float = 5.0,
        refusal_cost: float = 1.0,
        approval_rate: float | None = None,
        monotone: Mapping[str, int] | None = None,
        mitigate: str = "",
        reasons: int = 3,
        scorecard: ScorecardOptions | None = None,
        trees: TreeOptions | None = None,
        training: TrainingOptions | None = None,
        seed: int = 0,
    ) -> None:
        self.model = model
        self.columns = columns
        self.features = features
        self.ignore = ignore
        self.ratios = ratios
        self.protected = protected
        self.use_protected = use_protected
        self.default_cost = default_cost
        self.refusal_cost = refusal_cost
        self.approval_rate = approval_rate
        self.monotone = monotone
        self.mitigate = mitigate
        self.reasons = reasons
        self.scorecard = scorecard
        self.trees = trees
        self.training = training
        self.seed = seed

    @classmethod
    def sample(cls) -> Dataset:
        """A small run of the loan simulator, with no network: simulated applicants."""
        return sample("finance_loan_simulator")

    @classmethod
    def fast(cls) -> Self:
        """Few trees: a fit of seconds."""
        return cls(model="trees", trees=TreeOptions(rounds=60, learning_rate=0.1))

    def split(self, applications: pd.DataFrame) -> Split:
        """Split applications of yours: the latest are the test; without a time, random ones.

        Parameters
        ----------
        applications : DataFrame
            With the label.
        """
        time = self._name("time")
        if time in applications:
            return split_latest(with_moments(applications, time), time=time)
        return split_random(applications, target=self._name("is_default"), seed=self.seed)

    def points(self) -> pd.DataFrame:
        """The table of points of the scorecard, one line a bin.

        Raises
        ------
        ParameterError
            The model has no table of points.
        """
        self._check_fitted()
        return self.recipe_.scorecard().table()

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        schema, self.protected_ = self._feature_columns(train)
        time = self._name("time") if self._name("time") in train else ""
        if validation is None and time:
            train, validation = split_off_latest(with_moments(train, time), time=time, delay=0)
        records = Records(schema=schema, target=self._name("is_default"), time=time)
        parts = {"train": train} | ({} if validation is None else {"validation": validation})
        self.split_ = {name: records.describe(part) for name, part in parts.items()}
        rows = [records.labelled(part) for part in parts.values()]
        options = self._options(schema)
        self.recipe_ = DecisionRecipe(schema, options).fit(*rows)
        self.unmitigated_: DecisionRecipe | None = None
        if self.mitigate:
            self.unmitigated_ = self.recipe_
            weighed = self.protected_.reweighed(rows[0], train, self.mitigate)
            self.recipe_ = DecisionRecipe(schema, options).fit(weighed, *rows[1:])
        self.baselines_ = DecisionBaselines(schema, options).fit(*rows)
        self.records_, self.inputs_ = records, self.recipe_.used_columns()
        self.check_ = train if validation is None else validation

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        arrays, points = self.inputs_.to_arrays(frame), self._points()
        probability, refused = self.recipe_.decide(arrays)
        return {
            "default_probability": probability,
            "score": points.score(arrays, probability),
            "decision": np.where(refused, _REFUSE, _APPROVE).astype(object),
            **points.named_reasons(arrays),
        }

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        records = self.records_
        if records.time:
            records.check_later(frame, self.split_, delay=0)
        report = assess(
            self.recipe_,
            self.baselines_,
            Assessed(
                rows=records.labelled(frame),
                day=records.days(frame) if records.time else None,
                split={**self.split_, "test": records.describe(frame)},
                notes=("Learned from accepted applicants only: no reject inference.",),
            ),
        )
        report = replace(report, groups=self._beside_groups(frame))
        if self.model == "scorecard":
            from industry_apps.recipes.decision.scorecard_plots import points_section

            report = replace(report, sections=(points_section(self.points()),))
        return report

    def _beside_groups(self, frame: pd.DataFrame) -> dict[str, GroupedAnswers]:
        """What each applicant was answered: by the model, before mitigation, by the file."""
        systems = {"model": self.recipe_.decide(self.inputs_.to_arrays(frame))}
        if (before := self.unmitigated_) is not None:
            systems["model before mitigation"] = before.decide(before.schema.to_arrays(frame))
        found = answering(self._exportable())(frame)
        systems["exported file"] = found["default_probability"], found["decision"] == _REFUSE
        labels = self.records_.labels(frame)
        return self.protected_.answered(frame, labels, systems, favourable=False)

    def _exportable(self) -> Exportable:
        builder, points = GraphBuilder(), self._points()
        inputs = builder.inputs(self.inputs_)
        tensors = self.recipe_.write(builder, inputs)
        builder.output(tensors["probability"], "default_probability", np.float32)
        score = points.write_score(builder, inputs, tensors["probability"])
        builder.output(score, "score", np.float32)
        refuse, approve = (builder.constant(np.array([[w]], object)) for w in (_REFUSE, _APPROVE))
        decision = builder.node("Where", tensors["decision"], refuse, approve)
        builder.output(decision, "decision", np.object_)
        for name, tensor in points.write_reasons(builder, inputs).items():
            builder.output(tensor, name, np.object_)
        return Exportable(
            graph=builder.model(self.name),
            native=self._answers,
            schema=self.inputs_,
            outputs=self.outputs.extended(points.reason_columns),
            check=self.check_,
            thresholds=self.recipe_.thresholds(),
            facts={**self.recipe_.facts(positive=_REFUSE), "split": self.split_},
        )

    def _options(self, schema: Schema) -> DecisionOptions:
        amount, limit = self._name("amount"), self._name("limit")
        known = [(amount, self._name(by)) for by in ("duration", "income")]
        known += [(name, limit) for name in schema.names if name.startswith("balance")]
        asked = [pair for pair in known if set(pair) <= set(schema.names)]
        training = self.training or TrainingOptions(max_epochs=20)
        return DecisionOptions(
            model=self.model,
            members=("trees", "scorecard"),
            calibration="none" if self.model == "scorecard" else "platt",
            costs=Costs(false_alarm=self.refusal_cost, missed=self.default_cost),
            positive_share=None if self.approval_rate is None else 1 - self.approval_rate,
            derived=tuple(Ratio(*pair) for pair in dict.fromkeys([*asked, *self.ratios])),
            directions=self.monotone or {},
            scorecard=self.scorecard or ScorecardOptions(),
            trees=replace(self.trees or _TREES, seed=self.seed),
            training=replace(training, seed=self.seed),
        )

    def _points(self) -> Points:
        return Points(self.recipe_, self.reasons)
