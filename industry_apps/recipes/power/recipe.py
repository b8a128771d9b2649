"""Records of a plant -> its output with quantiles: physics, what trees learn of its errors, limits.

Physics give the expected output and the least and most that it can be; trees learn what is left, a
booster for the mean and for each quantile, from the terms of the physics. What weather tells and
what recent output tells are views of their own, each with physics and trees that read nothing else:
a record is answered by the most informed view whose columns it has, and the answer says by which.

Letters in shapes: N records, Q quantiles, G groups of records that are calibrated together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TrainingError
from industry_apps.features import GraphBuilder
from industry_apps.features.formulas import Formula
from industry_apps.features.running import WrittenGraph
from industry_apps.recipes.power.records import Arrays, Known, PowerRows, Read, known_of
from industry_apps.recipes.trees import TreeOptions, grown, write_mean_margin
from industry_apps.schema import Column, Schema

PowerModel = Literal["trees", "physics"]

#: Records from which a quantile is calibrated by itself, at least.
_FEWEST = 50
#: Records that a model is learned from, at least.
_FEWEST_LEARNED = 200
#: Stretches of time whose errors calibrate the quantiles, each by trees of the others.
_STRETCHES = 4
#: Records that trees are grown from, at most, drawn at random.
_MOST_LEARNED = 40_000
#: Leaves are multiples of one over this, so that float32 adds shares without error.
_LEAF_STEPS = 2**20

_Floats = NDArray[np.float32]

#: Chosen on two later parts of the training years of a plant and of a turbine.
TREES = TreeOptions(
    rounds=300,
    learning_rate=0.03,
    num_leaves=6,
    min_child_samples=200,
    feature_fraction=0.5,
    bagging_fraction=0.5,
    l2=10.0,
)


class View(NamedTuple):
    """What is known of a record, as terms of a graph: each [batch, 1], shares of the capacity.

    Parameters
    ----------
    known : str
        Boolean tensor: whether this can answer.
    expected : Formula
    terms : dict of str to Formula
        What trees read; none: physics and their usual errors answer alone.
    """

    known: str
    expected: Formula
    terms: dict[str, Formula]


class Terms(NamedTuple):
    """What physics say of records.

    Parameters
    ----------
    ceiling : Formula
        The most that the output can be; 0 at night, or when machines are cut out.
    group : str
        int64 tensor [batch, 1]: records that are calibrated together.
    judged : Formula
        1 where forecasts are judged, as by day, else 0.
    views : dict of str to View
        The most informed one first; the last one always knows.
    """

    ceiling: Formula
    group: str
    judged: Formula
    views: dict[str, View]


class Physics(Protocol):
    """What is known of a plant without learning from its errors."""

    @property
    def schema(self) -> Schema:
        """Columns that are read."""

    @property
    def views(self) -> tuple[str, ...]:
        """Names of the views, the most informed one first; the last one always knows."""

    @property
    def groups(self) -> int:
        """How many groups of records are calibrated by themselves; of what was learned."""

    def learn(self, arrays: Arrays, share: NDArray[np.float64]) -> None:
        """Learn what physics leave open, as the slope of a roof, from shares of the capacity."""

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> Terms:
        """Append to a graph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerOptions:
    """What a forecast of power is made by.

    Parameters
    ----------
    model : {"trees", "physics"}
    quantiles : tuple of float
    trees : TreeOptions
    """

    model: PowerModel = "trees"
    quantiles: tuple[float, ...] = (0.1, 0.5, 0.9)
    trees: TreeOptions = field(default_factory=lambda: TREES)


class ViewModel:
    """What physics miss, in one view: means and quantiles of the rest, calibrated by group.

    Parameters
    ----------
    options : PowerOptions
    blind : bool
        Without the weather there is little to learn, and much to imagine: few trees, of few leaves.
    """

    def __init__(self, options: PowerOptions, *, blind: bool) -> None:
        self.options = replace(options, trees=_weaker(options.trees)) if blind else options
        self.boosters_: list[list[Any]] = []
        self.offsets_ = np.zeros((1, 1 + len(options.quantiles)), dtype=np.float32)

    def fit(self, terms: _Floats, rest: NDArray[np.float64]) -> None:
        """Grow trees for the mean and for each quantile of what is left [N] by physics."""
        if self.options.model == "physics" or not terms.shape[1]:
            return
        import lightgbm as lgb

        if len(rest) > _MOST_LEARNED:  # records beside each other tell nearly the same
            drawn = np.random.default_rng(self.options.trees.seed).permutation(len(rest))
            terms, rest = terms[drawn[:_MOST_LEARNED]], rest[drawn[:_MOST_LEARNED]]
        data = lgb.Dataset(terms, rest, params={"verbosity": -1}, free_raw_data=False)
        aims: list[dict[str, Any]] = [{"objective": "regression"}]
        aims += [{"objective": "quantile", "alpha": level} for level in self.options.quantiles]
        self.boosters_ = [
            [grown(data, each, aim, leaves=_whole) for each in self.options.trees.bagged()]
            for aim in aims
        ]

    def calibrate(self, known: Known, groups: int) -> None:
        """Shift each quantile by that quantile of its errors; with trees, the median stays.

        The errors are those of trees that have not seen the records: of each stretch of time by
        trees of all others, so that every season counts, and not the latest weeks alone.
        """
        errors = self._errors(known)
        self.offsets_ = np.zeros((groups, errors.shape[1]), dtype=np.float32)
        for k in range(groups):
            of = errors[known.group == k]
            of = of if len(of) >= _FEWEST else errors
            if not self.boosters_:
                self.offsets_[k, 0] = of[:, 0].mean()
            for place, level in enumerate(self.options.quantiles, start=1):
                if level != 0.5 or not self.boosters_:
                    self.offsets_[k, place] = np.quantile(of[:, place], level)

    def _errors(self, known: Known) -> NDArray[np.float64]:
        """What trees of other stretches of time leave of the rest [N, 1 + Q]."""
        found = np.repeat(known.rest[:, None], 1 + len(self.options.quantiles), axis=1)
        for stretch in np.array_split(np.arange(len(found)), _STRETCHES):
            others = np.setdiff1d(np.arange(len(found)), stretch)
            self.fit(known.terms[others], known.rest[others])
            found[stretch] -= self.margins(known.terms[stretch])
        return found

    def margins(self, terms: _Floats) -> _Floats:
        """Mean and quantiles of the rest, not calibrated -> [N, 1 + Q]."""
        if not self.boosters_:
            return np.zeros((len(terms), self.offsets_.shape[1]), dtype=np.float32)
        bags = [[each.predict(terms) for each in bag] for bag in self.boosters_]
        return np.stack([np.mean(bag, axis=0) for bag in bags], axis=1).astype(np.float32)

    def write(self, builder: GraphBuilder, view: View, group: str) -> str:
        """Append mean and quantiles of the output -> tensor [batch, 1 + Q]."""
        offsets = builder.node("Gather", builder.constant(self.offsets_), _flat(builder, group))
        total = builder.node("Add", view.expected.tensor, offsets)
        if not self.boosters_:
            return total
        rows = builder.concat([term.tensor for term in view.terms.values()])
        margins = [write_mean_margin(builder, bag, rows) for bag in self.boosters_]
        return builder.node("Add", total, builder.concat(margins))


class PowerRecipe:
    """Learns the output of a plant.

    Parameters
    ----------
    physics : Physics
    capacity : float
        What shares are of, in the unit of the output.
    options : PowerOptions
    """

    def __init__(self, physics: Physics, capacity: float, options: PowerOptions) -> None:
        self.physics, self.capacity, self.options = physics, np.float32(capacity), options

    def fit(self, train: PowerRows, validation: PowerRows) -> PowerRecipe:
        """Learn the physics from training data, and what they miss from all, calibrated by folds.

        Raises
        ------
        TrainingError
        """
        self.physics.learn(train.arrays, train.share)
        self.graph_ = WrittenGraph(self.physics.schema, self._write_terms, self._terms_schema())
        shares = np.concatenate([train.share, validation.share])
        every = self.read(train.joined(validation).arrays), shares
        self.models_: dict[str, ViewModel] = {}
        for view in self.physics.views:
            both = known_of(*every, view)
            if len(both.rest) >= _FEWEST_LEARNED:
                model = ViewModel(self.options, blind=view != self.physics.views[0])
                model.calibrate(both, self.physics.groups)
                model.fit(both.terms, both.rest)
                self.models_[view] = model
        if view not in self.models_:
            raise TrainingError(
                f"Only {len(both.rest)} records with a known output can be learned from; "
                f"{_FEWEST_LEARNED} are needed. Give more records."
            )
        return self

    @property
    def left_out(self) -> tuple[str, ...]:
        """Views that answer nothing, since too few records of training tell something in them."""
        return tuple(view for view in self.physics.views if view not in self.models_)

    def read(self, arrays: Arrays) -> Read:
        """What physics say of records."""
        names = self.graph_.outputs.names
        found = dict(zip(names, (x[:, 0] for x in self.graph_.run(arrays)), strict=True))
        views = self.physics.views
        of = {view: [n for n in names if n.startswith(f"/{view}/")] for view in views}
        return Read(
            ceiling=found["/ceiling"],
            group=found["/group"].astype(np.int64),
            judged=found["/judged"] > 0,
            known={view: found[f"/known of {view}"] > 0 for view in views},
            expected={view: found[f"/expected of {view}"] for view in views},
            terms={
                view: np.stack([found[n] for n in of[view]], axis=1)
                if of[view]
                else np.zeros((len(found["/ceiling"]), 0), np.float32)
                for view in views
            },
        )

    def forecast(
        self, read: Read, hidden: Sequence[str] = ()
    ) -> tuple[_Floats, dict[str, NDArray[np.bool_]]]:
        """Mean and quantiles of the output, in its unit -> [N, 1 + Q], and who answers.

        Parameters
        ----------
        read : Read
        hidden : sequence of str
            Views that do not answer.
        """
        answered = np.zeros((len(read.ceiling), 1 + len(self.options.quantiles)), np.float32)
        chosen = read.view((*hidden, *self.left_out))
        for view, model in self.models_.items():
            rows = chosen[view]
            total = read.expected[view][rows, None] + model.offsets_[read.group[rows]]
            answered[rows] = total + model.margins(read.terms[view][rows])
        answered[:, 1:] = np.sort(answered[:, 1:], axis=1)
        limited = np.minimum(np.maximum(answered, np.float32(0)), read.ceiling[:, None])
        return limited * self.capacity, chosen

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> tuple[list[str], str]:
        """Append the model to a graph -> mean and quantiles, each [batch, 1], and the view."""
        terms = self.physics.write(builder, inputs)
        *better, last = self.models_
        answer = self.models_[last].write(builder, terms.views[last], terms.group)
        basis = builder.node("Expand", _text(builder, last), builder.node("Shape", terms.group))
        for view in reversed(better):
            known = terms.views[view].known
            told = self.models_[view].write(builder, terms.views[view], terms.group)
            answer = builder.node("Where", known, told, answer)
            basis = builder.node("Where", known, _text(builder, view), basis)
        columns = [builder.part(answer, k, k + 1) for k in range(1 + len(self.options.quantiles))]
        columns = [columns[0], *_sorted(builder, columns[1:])]
        limited = [
            Formula(builder, each).at_least(0.0).at_most(terms.ceiling) * float(self.capacity)
            for each in columns
        ]
        return [each.tensor for each in limited], basis

    def _write_terms(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        terms = self.physics.write(builder, inputs)
        found = {
            "/ceiling": terms.ceiling.tensor,
            "/group": builder.cast(terms.group, np.float32),
            "/judged": terms.judged.tensor,
        }
        for name, view in terms.views.items():
            found[f"/known of {name}"] = builder.cast(view.known, np.float32)
            found[f"/expected of {name}"] = view.expected.tensor
            found |= {f"/{name}/{term}": x.tensor for term, x in view.terms.items()}
        return found

    def _terms_schema(self) -> Schema:
        builder = GraphBuilder()
        names = self._write_terms(builder, builder.inputs(self.physics.schema))
        return Schema(tuple(Column(name, "number") for name in names))


def _weaker(trees: TreeOptions) -> TreeOptions:
    return replace(
        trees,
        rounds=-(-trees.rounds // 3),
        num_leaves=min(trees.num_leaves, 4),
        min_child_samples=5 * trees.min_child_samples,
    )


def _whole(leaves: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.rint(leaves * _LEAF_STEPS) / _LEAF_STEPS


def _flat(builder: GraphBuilder, group: str) -> str:
    return builder.node("Squeeze", group, builder.constant(np.array([1])))


def _text(builder: GraphBuilder, text: str) -> str:
    return builder.constant(np.array([[text]], dtype=object))


def _sorted(builder: GraphBuilder, columns: list[str]) -> list[str]:
    """Columns [batch, 1] in rising order, by exchanges of neighbours."""
    columns = list(columns)
    for turn in range(len(columns)):
        for k in range(turn % 2, len(columns) - 1, 2):
            pair = columns[k : k + 2]
            columns[k : k + 2] = [builder.node("Min", *pair), builder.node("Max", *pair)]
    return columns
