"""A scorecard: points for the bin of each attribute, whose sum is the score and the margin.

The points are the model. The printed table, the score and the probability are computed from
the same rounded points, and agree exactly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, TrainingError
from industry_apps.features import FeatureGraph, GraphBuilder, NumberSteps, Raw, Value
from industry_apps.features.sources import Source
from industry_apps.limits import (
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    Limit,
    check_parameters,
    integer,
    is_number,
)
from industry_apps.recipes.decision.binning import (
    Attribute,
    BinLimits,
    Outcomes,
    category_attribute,
    number_attribute,
)
from industry_apps.recipes.scorers import NO_DIRECTIONS, Arrays, Labelled
from industry_apps.schema import Schema
from industry_apps.schema.codes import read_codes, without_codes

if TYPE_CHECKING:
    import pandas as pd

#: Points that are not whole are multiples of this, so that float32 adds them without loss.
_FINEST_POINT = 2.0**-8


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorecardOptions:
    """Settings of a scorecard.

    Parameters
    ----------
    base_score : float
        Score at which the odds are ``base_odds``, in [0, 10000].
    base_odds : float
        Good records for each bad one at the base score, > 0.
    points_to_double_odds : float
        Points for which the odds double, in [1, 1000].
    whole_points : bool
        Round points to whole numbers; else to 1/256.
    max_bins : int
        Bins of an attribute at most, that of the missing not counted; at least 2.
    min_bin_share : float
        Share of the records that a bin holds, at least, in (0, 1].
    min_information : float
        Attributes with a lower information value are left out.
    monotone : bool
        The risk of a number only rises or only falls, whichever tells more.
    smoothing : float
        Records, spread as all records are, that are added to each bin; > 0.
    l2 : float
        Penalty on the coefficients of the weights of evidence.
    """

    base_score: Annotated[float, _between(0, 10000)] = 600.0
    base_odds: Annotated[float, POSITIVE] = 50.0
    points_to_double_odds: Annotated[float, _between(1, 1000)] = 20.0
    whole_points: bool = True
    max_bins: Annotated[int, integer(2)] = 6
    min_bin_share: Annotated[float, SHARE] = 0.05
    min_information: Annotated[float, NOT_NEGATIVE] = 0.01
    monotone: bool = True
    smoothing: Annotated[float, POSITIVE] = 5.0
    l2: Annotated[float, NOT_NEGATIVE] = 1.0

    def __post_init__(self) -> None:
        check_parameters(self)

    @property
    def factor(self) -> float:
        """Points for which the odds grow by e."""
        return self.points_to_double_odds / math.log(2)

    @property
    def offset(self) -> float:
        """Score of even odds."""
        return self.base_score - self.factor * math.log(self.base_odds)

    @property
    def unit(self) -> float:
        """What points are multiples of."""
        return 1.0 if self.whole_points else _FINEST_POINT


def _between(low: float, high: float) -> Limit:
    return Limit(lambda v: is_number(v) and low <= v <= high, f"a number in [{low:g}, {high:g}]")


class ScorecardScorer:
    """A scorecard; the margin is the log-odds of the bad outcome.

    Numbers, truth values, categories and derived numbers are cut into bins; a logistic
    regression of the weights of evidence, in which none counts against its own bins, gives
    each bin its points. Times and texts are left out, as are columns that tell too little:
    ``left_out_`` names them. Of a time, derive a :class:`TimePart`.

    Parameters
    ----------
    schema : Schema
    derived : sequence of Source
        Further numbers that the domain knows to be telling.
    options : ScorecardOptions
    directions : mapping of str to {1, -1, 0}, optional
        Number -> 1: the risk must not fall with it; -1: must not rise; 0: no matter.

    Raises
    ------
    ParameterError
        A direction is of no number, or is none of the three.

    References
    ----------
    Siddiqi 2006, "Credit risk scorecards: developing and implementing intelligent credit
    scoring", chapters 6 and 10.

    Examples
    --------
    >>> from industry_apps.schema import Column
    >>> schema = Schema((Column(name="age", kind="number"),))
    >>> age, bad = np.repeat([20.0, 60.0], 100), np.tile(np.arange(100), 2) < 30
    >>> bad[100:] = np.arange(100) < 5
    >>> scorer = ScorecardScorer(schema, (), ScorecardOptions(base_score=500.0, base_odds=10.0))
    >>> scorer.fit(Labelled(schema.to_arrays({"age": age}), bad), None)
    >>> scorer.table()[["bin", "bad_rate", "points"]].values.tolist()[:2]
    [['less than 60', 0.3, 459], ['60 or more', 0.05, 516]]
    """

    features: FeatureGraph

    def __init__(
        self,
        schema: Schema,
        derived: Sequence[Source],
        options: ScorecardOptions,
        directions: Mapping[str, int] = NO_DIRECTIONS,
    ) -> None:
        self.schema, self.options, self.directions = schema, options, dict(directions)
        columns = [Value(c.name) for c in schema.inputs() if c.kind in ("number", "boolean")]
        self._sources = {source.name: source for source in (*derived, *columns)}
        for name, direction in self.directions.items():
            if name not in self._sources or direction not in (1, -1, 0):
                raise ParameterError(
                    f"'directions' has {name!r}: {direction!r}; expected 1, -1 or 0 for one of "
                    f"the numbers {sorted(self._sources)}. Correct the name or the direction."
                )

    def fit(self, train: Labelled, validation: Labelled | None) -> None:
        """Learn bins and points from training data; validation data are not needed.

        Raises
        ------
        TrainingError
            No column tells enough.
        """
        self.left_out_ = {
            column.name: f"a {column.kind} has no bins"
            for column in self.schema.inputs()
            if column.kind in ("datetime", "text")
        }
        kept, coefficients, intercept = self._regression(self._informative(train), train)
        options = self.options
        share = (options.offset - options.factor * intercept) / len(kept)
        self.attributes_ = kept
        self.points_ = [
            np.round((share + factor * attribute.evidence.weight) / options.unit) * options.unit
            for attribute, factor in zip(kept, options.factor * coefficients, strict=True)
        ]
        encoders = [a.valued(points) for a, points in zip(kept, self.points_, strict=True)]
        self.features = FeatureGraph(self.schema, encoders)

    def refit(self, every: Labelled) -> None:
        """Learn again from more data."""
        self.fit(every, None)

    def score(self, arrays: Arrays) -> NDArray[np.float32]:
        """Total points of records -> [rows]; the more, the better."""
        # Exact in any order: points are whole, or multiples of a power of two.
        return self.features.run(arrays)["numeric"].sum(axis=1)

    def margin(self, arrays: Arrays) -> NDArray[np.float64]:
        """Log-odds of the bad outcome, from the points -> [rows]."""
        gap = np.float32(self.options.offset) - self.score(arrays)
        return (gap / np.float32(self.options.factor)).astype(np.float64)

    def points(self, arrays: Arrays) -> dict[str, NDArray[np.float32]]:
        """Attribute -> points of records [rows]."""
        return dict(zip(self.features.names, self.features.run(arrays)["numeric"].T, strict=True))

    @property
    def contributors(self) -> list[str]:
        """The attributes."""
        return self.features.names

    unit, method = "points lost", "The points that an attribute costs."

    def contributions(self, arrays: Arrays) -> NDArray[np.float64]:
        """Points of records, negative: the more is lost, the higher the risk [rows, attributes]."""
        return -self.features.run(arrays)["numeric"].astype(np.float64)

    def write_contributions(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append what :meth:`contributions` answers to a graph -> tensor [batch, attributes]."""
        return builder.node("Neg", self.features.write(builder, inputs)["numeric"])

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append features and points to a graph -> margin, tensor [batch, 1]."""
        gap = builder.node(
            "Sub",
            builder.constant(np.float32(self.options.offset)),
            self.write_score(builder, inputs),
        )
        return builder.node("Div", gap, builder.constant(np.float32(self.options.factor)))

    def write_score(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append features and points to a graph -> total points, tensor [batch, 1]."""
        points = self.features.write(builder, inputs)["numeric"]
        return builder.node("ReduceSum", points, builder.constant(np.array([1])))

    def thresholds(self) -> dict[str, list[float]]:
        """Raw column -> edges of its bins."""
        return {
            steps.names[0]: [*steps.edges, *steps.points]
            for steps in self.features.encoders
            if isinstance(steps, NumberSteps) and steps.names[0] in self.features.schema
        }

    def table(self) -> pd.DataFrame:
        """The scorecard as it is printed, attributes by information value.

        Returns
        -------
        DataFrame
            One row for each bin that can occur: attribute, bin (in words), rows (sum of the
            weights, rounded), share, bad_rate (NaN of an empty bin), weight_of_evidence,
            information_value (what the bin adds to that of the attribute), points.
        """
        import pandas as pd

        columns = {column.name: column for column in self.schema}
        kind = np.int64 if self.options.whole_points else np.float64
        parts = zip(self.attributes_, self.points_, strict=True)
        tables = [
            attribute.table(points.astype(kind), columns.get(attribute.name))
            for attribute, points in sorted(parts, key=lambda part: -part[0].information)
        ]
        return pd.concat(tables, ignore_index=True)

    def _informative(self, train: Labelled) -> list[Attribute]:
        """All attributes in bins, less those that tell too little."""
        options = self.options
        weight = np.ones(len(train.target)) if train.weight is None else train.weight
        outcomes = Outcomes(train.target, weight, options.smoothing)
        limits = BinLimits(most=options.max_bins, smallest=options.min_bin_share * weight.sum())
        free = (1, -1) if options.monotone else (0,)
        found = []
        for name, source in self._sources.items():
            numbers = FeatureGraph(self.schema, [Raw(source)]).run(train.arrays)["numeric"][:, 0]
            directions = (self.directions[name],) if name in self.directions else free
            codes = self._codes_of(source)
            if codes or self._is_double(source):  # each code has a bin; edges are of the column
                numbers = train.arrays[name]
            found.append(number_attribute(source, numbers, outcomes, limits, directions, codes))
        for column in self.schema.inputs():
            if column.kind == "category":
                texts = without_codes(column, train.arrays[column.name])
                found.append(category_attribute(column.name, texts, outcomes, limits))
        for attribute in found:
            if attribute.information < options.min_information:
                self.left_out_[attribute.name] = (
                    f"information value {attribute.information:.3f} below "
                    f"{options.min_information:g}"
                )
        return [attribute for attribute in found if attribute.name not in self.left_out_]

    def _codes_of(self, source: Source) -> list[float]:
        """Numbers of a column that stand for a missing value; none of a derived number."""
        if not isinstance(source, Value):
            return []
        return [float(code) for code in read_codes(self.schema[source.column])]

    def _is_double(self, source: Source) -> bool:
        return isinstance(source, Value) and self.schema[source.column].offset is not None

    def _regression(
        self, attributes: list[Attribute], train: Labelled
    ) -> tuple[list[Attribute], NDArray[np.float64], float]:
        """Attributes that count the way their bins say, their coefficients, the intercept."""
        from sklearn.linear_model import LogisticRegression

        strength = 1 / self.options.l2 if self.options.l2 else np.inf
        model = LogisticRegression(C=strength, max_iter=1000, tol=1e-8)
        kept = {a.valued(-a.evidence.weight): a for a in attributes}
        while kept:
            graph = FeatureGraph(self.schema, list(kept))
            risk = graph.run(train.arrays)["numeric"]  # [rows, attributes]
            model.fit(risk, train.target, sample_weight=train.weight)
            coefficients = model.coef_[0]
            if coefficients.min() > 0:
                chosen = [kept[encoder] for encoder in graph.encoders]
                return chosen, coefficients, float(model.intercept_[0])
            wrong = kept.pop(graph.encoders[int(coefficients.argmin())])
            self.left_out_[wrong.name] = "beside the others it counts against its own bins"
        raise TrainingError(
            f"No column tells enough for a scorecard: {self.left_out_}. Give further columns or "
            "rows, or lower 'min_information' or 'min_bin_share'."
        )
