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
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Split, split_by_group, split_latest, split_random
from industry_apps.errors import ParameterError, unknown_name
from industry_apps.evaluation import Costs, Report
from industry_apps.evaluation.decisions import DECISION, DecisionWords
from industry_apps.evaluation.fairness.answers import GroupedAnswers
from industry_apps.export.model_file import answering
from industry_apps.features import GraphBuilder, Ratio
from industry_apps.limits import DIRECTIONS, NOT_NEGATIVE, OPEN_SHARE, integer
from industry_apps.recipes import DecisionOptions, Records, ScorecardOptions, TreeOptions
from industry_apps.recipes.decision.points import Points
from industry_apps.recipes.protected import ChosenColumns
from industry_apps.recipes.records import with_moments
from industry_apps.recipes.scorers import Labelled
from industry_apps.recipes.tables.decision import DecisionTable, HoldsDecision, decided
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions

_APPROVE, _REFUSE = "approve", "refuse"
#: Chosen by cross-validation of training data, to cost at most four times LightGBM as it comes:
#: 300 trees at a rate of .03 in four bags cost six times as much, and answer no better.
_TREES = TreeOptions(rounds=50, learning_rate=0.12, bagging_fraction=0.7, bags=2)
#: Calibration and threshold are found as well in three parts as in five.
_FOLDS = 3

_number = partial(Column, kind="number", low=0, required=False)
_group = partial(
    Column, kind="category", description="Of the applicant", required=False, protected=True
)


class CreditScorer(HoldsDecision, ChosenColumns, Application):
    """Probability that an applicant defaults, the score in points, and the decision.

    Applications need a label, ``is_default``. Of the columns below those are used that are
    there, and every further column becomes a feature. Sex, age, marital status and whoever
    is a foreign worker are protected: never a feature unless you consent, and always in the
    report on fairness.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"amount": "LOAN_AMT"}``.
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
    use_protected : bool
        Your consent that protected columns are features as others are.
    protected : tuple of str
        Further columns that are protected.
    model : {"stack", "trees", "scorecard", "network", "transformer"}
        Gradient-boosted trees; a table of points; a residual network; a transformer over
        the columns; or trees and scorecard, weighted.
    subject : str
        The column that says whose application it is, where somebody has several: no feature,
        and nobody is on two sides of a split. Where applications have a time, that decides.
    ratios : tuple of (str, str)
        Pairs of columns of which the first over the second tells. Amount over duration,
        amount over income, and each column that begins with ``balance`` over limit are
        added where they are there.
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
        Columns that are named as reasons for each record at most, in [0, 10]: those that raise
        the probability most, against the mean of the approved.
    scorecard : ScorecardOptions, optional
        Also the scale of the score: by default 600 points are odds of 50 to 1, and 20
        points double them.
    trees : TreeOptions, optional
        Small steps and more bags may tell a little more, at six times the cost:
        ``TreeOptions(rounds=300, learning_rate=0.03, bagging_fraction=0.7, bags=4)``.
    training : TrainingOptions, optional
    seed : int

    Examples
    --------
    >>> from industry_apps.finance import CreditScorer
    >>> data = CreditScorer.sample()
    >>> scorer = CreditScorer.fast().fit(data)
    >>> list(scorer.predict(data.test.head(2)).columns)
    ['default_probability', 'score', 'decision', 'reasons']
    """

    name = "finance.credit_scoring"
    question = "Will this applicant pay back?"
    simulator = "finance_loan_simulator"
    schema = Schema(
        (
            Column("time", "datetime", role="identifier", required=False),
            _number("amount", description="What is applied for", unit="currency"),
            _number("duration", description="Of the loan", unit="months"),
            _number("income", description="What is earned", unit="currency"),
            _number("limit", description="Of a credit line", unit="currency"),
            _number("age", description="Of the applicant", unit="years", high=130, protected=True),
            _group("sex"),
            _group("marital_status"),
            _group("foreign_worker"),
            Column.label("is_default"),
        )
    )
    outputs = Schema(
        (
            Column.probability("default_probability", "Calibrated probability of default"),
            Column("score", "number", "The higher, the safer", unit="points", nullable=False),
            Column(
                "decision",
                "category",
                "What costs least, or the best up to the approval rate",
                categories=(_APPROVE, _REFUSE),
                nullable=False,
            ),
            Column("reasons", "category", "What speaks most against it, falling", size=None),
        )
    )
    traits = Traits(inputs=("number", "category", "boolean", "datetime", "text"), explains=True)
    problem = DECISION
    label = "is_default"
    decision_words = DecisionWords(
        says="refuses", whom="applicants", caught="who default", right="of the refused default"
    )

    model: Literal["trees", "scorecard", "network", "transformer", "stack"] = "trees"
    subject: str = ""
    ratios: tuple[tuple[str, str], ...] = ()
    use_protected: bool = False
    default_cost: Annotated[float, NOT_NEGATIVE] = 5.0
    refusal_cost: Annotated[float, NOT_NEGATIVE] = 1.0
    approval_rate: Annotated[float, OPEN_SHARE] | None = None
    monotone: Annotated[Mapping[str, int], DIRECTIONS] | None = None
    mitigate: str = ""
    reasons: Annotated[int, integer(0, 10)] = 3
    scorecard: ScorecardOptions | None = None
    trees: TreeOptions | None = None
    training: TrainingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def fast(cls) -> Self:
        """Few trees: a fit of seconds."""
        return cls(model="trees", trees=TreeOptions(rounds=60, learning_rate=0.1))

    def split(self, frame: pd.DataFrame) -> Split:
        """Split applications of yours: the latest are the test; without a time, random ones.

        Parameters
        ----------
        frame : DataFrame
            With the label.
        """
        time = self._name("time")
        if time in frame:
            return split_latest(with_moments(frame, time), time=time)
        if self.subject:
            return split_by_group(frame, group=self.subject, seed=self.seed)
        label = self._name("is_default")
        return split_random(frame, target=label, ignore=self.ignore, seed=self.seed)

    def points(self) -> pd.DataFrame:
        """The table of points of the scorecard, one line a bin.

        Raises
        ------
        ParameterError
            The model has no table of points.
        """
        self._check_fitted()
        return self.recipe_.scorecard().table()

    def _table(self, train: pd.DataFrame) -> DecisionTable:
        if self.subject and self.subject not in train:
            raise ParameterError(str(unknown_name("column", self.subject, map(str, train))))
        schema, self.protected_ = self._feature_columns(train)
        records = Records(
            schema=schema.without([self.subject]),
            target=self._name("is_default"),
            told=self.labels_of(train),
            time=self._name("time") if self._name("time") in train else "",
            subject="" if self._name("time") in train else self.subject,
        )
        return DecisionTable(records, self._options, refit=False, reasons=self.reasons)

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        super()._fit(train, validation)
        self.unmitigated_: DecisionTable | None = None
        if self.mitigate:
            self.unmitigated_ = self.table_
            self._hold(self._table(train).fit(train, validation, self._weighed))

    def _weighed(self, rows: Labelled, train: pd.DataFrame) -> Labelled:
        return self.protected_.reweighed(rows, train, self.mitigate)

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        arrays = self.schema_.to_arrays(frame)
        found = self.table_.answer(arrays)
        found["score"] = self._points().score(arrays, found["probability"])
        found["decision"] = np.where(found["decision"], _REFUSE, _APPROVE).astype(object)
        return self._named(found)

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        tensors, points = self.table_.write(builder, inputs), self._points()
        words = (builder.constant(np.array([[w]], object)) for w in (_REFUSE, _APPROVE))
        tensors["score"] = points.write_score(builder, inputs, tensors["probability"])
        tensors["decision"] = builder.node("Where", tensors["decision"], *words)
        return self._named(tensors)

    @property
    def answered_(self) -> tuple[str, ...]:
        """With the score."""
        probability, *others = super().answered_
        return (probability, "score", *others)

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        told = "Learned from accepted applicants only: no reject inference."
        report = self._worded(self.table_.evaluate(frame, notes=(told,)))
        report = replace(report, groups=self._beside_groups(frame, report))
        if self.model == "scorecard":
            from industry_apps.recipes.decision.scorecard_plots import points_section

            report = replace(report, sections=(points_section(self.points()),))
        return report

    def _beside_groups(self, frame: pd.DataFrame, report: Report) -> dict[str, GroupedAnswers]:
        """What each applicant was answered: by the model, before mitigation, by the file."""
        systems = {"model": decided(report)}
        if self.unmitigated_ is not None:
            before = self.unmitigated_.answer(self.unmitigated_.schema_.to_arrays(frame))
            systems["model before mitigation"] = before["probability"], before["decision"]
        found = answering(self._exportable())(frame)
        systems["exported file"] = found["default_probability"], found["decision"] == _REFUSE
        labels = self.table_.records.labels(frame)
        return self.protected_.answered(frame, labels, systems, favourable=False)

    def _facts(self) -> dict[str, Any]:
        return self.table_.facts(positive=_REFUSE)

    def _options(self, schema: Schema) -> DecisionOptions:
        amount, limit = self._name("amount"), self._name("limit")
        known = [(amount, self._name(by)) for by in ("duration", "income")]
        known += [(name, limit) for name in schema.names if name.startswith("balance")]
        numbers = [column.name for column in schema if column.kind == "number"]
        asked = [pair for pair in known if set(pair) <= set(numbers)]
        for name in (name for pair in self.ratios for name in pair if name not in numbers):
            raise ParameterError(str(unknown_name("number for 'ratios'", name, numbers)))
        training = self.training or TrainingOptions(max_epochs=20)
        return DecisionOptions(
            model=self.model,
            members=("trees", "scorecard"),
            calibration="none" if self.model == "scorecard" else "platt",
            costs=Costs.of(self, false_alarm="refusal_cost", missed="default_cost"),
            positive_share=None if self.approval_rate is None else 1 - self.approval_rate,
            derived=tuple(Ratio(*pair) for pair in dict.fromkeys([*asked, *self.ratios])),
            directions=self.monotone or {},
            scorecard=self.scorecard or ScorecardOptions(),
            folds=_FOLDS,
            trees=replace(self.trees or _TREES, seed=self.seed),
            training=replace(training, seed=self.seed),
        )

    def _points(self) -> Points:
        return Points(self.recipe_)
