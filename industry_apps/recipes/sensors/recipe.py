"""Windows of readings to remaining life with an interval: trained, weighed, written as one graph.

Machines are cut into folds. Each model learns once without each fold, and answers the machines of
it: these answers weigh the models against each other and give the interval. What answers in
service is the mean of the models of all folds: none has seen all machines, and their mean is
better than each of them (Krogh and Vedelsby 1995, "Neural network ensembles, cross validation, and
active learning", NeurIPS 7).

Letters in shapes: N windows, L readings of a window.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TrainingError
from industry_apps.features import GraphBuilder
from industry_apps.features.signals import Signal
from industry_apps.recipes.sensors.graph import SensorGraph, SensorPlan
from industry_apps.recipes.sensors.interval import LifeInterval
from industry_apps.recipes.sensors.lives import Lives
from industry_apps.recipes.sensors.models import LifeModel, NetworkKind, NetworkLife, TreeLife
from industry_apps.recipes.sensors.regimes import learn_regimes
from industry_apps.recipes.trees import TreeOptions
from industry_apps.runtime.progress import progress
from industry_apps.schema import Schema
from industry_apps.training import TrainingOptions

LifeModelName = Literal["blend", "trees", "tcn", "gru", "patch"]
#: What a blend is made of, by what did best in folds of the training engines of C-MAPSS FD001.
MEMBERS: tuple[LifeModelName, ...] = ("trees", "patch")

#: Readings that a network sees one by one.
STEPS = 60
#: A window is as long as the longest life of training, but no longer than this.
LONGEST = 512
#: Windows that are learned from, at most; of more machines and readings, evenly spaced ones.
_MOST_WINDOWS = 60_000
#: Windows that are laid out at a time.
_WINDOWS_A_PASS = 2_048
#: Seeds of the folds lie so far apart.
_SEEDS_APART = 10_000

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

TREES = TreeOptions(
    rounds=400,
    learning_rate=0.03,
    num_leaves=15,
    min_child_samples=200,
    feature_fraction=0.2,
    bagging_fraction=0.5,
    l2=10.0,
)
TRAINING = TrainingOptions(
    max_epochs=6, batch_size=256, learning_rate=2e-3, weight_decay=1e-2, precision="float32"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeOptions:
    """What an estimate of remaining life is made by.

    Parameters
    ----------
    model : {"blend", "trees", "tcn", "gru", "patch"}
    cap : float
        Longer lives count as this, > 0.
    history : int or None
        Readings of a window; None: the longest life of training, at most 512.
    whole_records : bool
        Records begin when the machine is new.
    coverage : float
        Of the interval, in (0, 1).
    folds : int
        At least 2.
    regimes : int or None
        Clusters of operating settings; None: as many as there are.
    features : tuple of Signal
        Further features of trees.
    trees : TreeOptions
    training : TrainingOptions
    seed : int
    """

    model: LifeModelName = "blend"
    cap: float
    history: int | None = None
    whole_records: bool = True
    coverage: float = 0.9
    folds: int = 5
    regimes: int | None = None
    features: tuple[Signal, ...] = ()
    trees: TreeOptions = field(default_factory=lambda: TREES)
    training: TrainingOptions = field(default_factory=lambda: TRAINING)
    seed: int = 0


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Answers to windows of machines that the models had not seen; shares of the cap.

    Parameters
    ----------
    ends : ndarray of int64, shape [N]
        The last reading of each window, a place among the readings of ``lives``.
    machine : ndarray of int64, shape [N]
    life : ndarray of float64, shape [N]
        As it is, in units.
    came, answer : ndarray of float64, shape [N]
    """

    ends: _Ints
    machine: _Ints
    life: _Floats
    came: _Floats
    answer: _Floats


class LifeRecipe:
    """Learns the remaining life of machines from their readings.

    Parameters
    ----------
    schema : Schema
        The raw columns.
    sensors, settings : sequence of str
        Columns of it.
    options : LifeOptions

    Attributes
    ----------
    weights_ : dict of str to float
        Model -> its weight.
    errors_ : dict of str to float
        Model -> root mean squared error on machines held out.
    held_out_ : HeldOut
    """

    def __init__(
        self, schema: Schema, sensors: Sequence[str], settings: Sequence[str], options: LifeOptions
    ) -> None:
        self.schema, self.options = schema, options
        self.sensors, self.settings = tuple(sensors), tuple(settings)

    def fit(self, lives: Lives) -> LifeRecipe:
        """Learn from machines whose lives are known at some readings.

        Raises
        ------
        TrainingError
            There are too few machines or readings, or no sensor varies.
        """
        options = self.options
        ends = _learned(lives)
        machine = lives.owner[ends]
        _check_enough(lives, machine)
        self.length_ = options.history or min(max(int(lives.counts.max()), 2), LONGEST)
        regimes = learn_regimes(
            lives.columns,
            self.sensors,
            self.settings,
            self.schema,
            count=options.regimes,
            seed=options.seed,
        )
        plan = SensorPlan(
            length=self.length_, steps=min(STEPS, self.length_), signals=options.features
        )
        names: tuple[str, ...] = MEMBERS if options.model == "blend" else (options.model,)
        wanted = dict.fromkeys(self._model(name, 0).takes for name in names)
        self.graph_ = SensorGraph(self.schema, plan, regimes, tuple(wanted))
        inputs = self._inputs(lives, ends, "windows to learn from")
        came = np.minimum(lives.life[ends], options.cap) / options.cap
        fold = _folds(machine, options.folds, options.seed)
        further = self._late(lives, ends)
        self.models_: dict[str, list[LifeModel]] = {name: [] for name in names}
        answers = {name: np.zeros(len(ends)) for name in names}
        for number in range(int(fold.max()) + 1):
            kept, asked = fold != number, fold == number
            for name in names:
                model = self._model(name, number)
                given = inputs[model.takes][kept], came[kept]
                if further is not None:
                    late = further[model.takes][kept]
                    given = np.concatenate([given[0], late]), np.tile(given[1], 2)
                model.fit(*given, np.ones(len(given[1])))
                answers[name][asked] = model.predict(inputs[model.takes][asked])
                self.models_[name].append(model)
        self._weigh(HeldOut(ends, machine, lives.life[ends], came, came), answers)
        return self

    def _late(self, lives: Lives, ends: _Ints) -> dict[str, NDArray[Any]] | None:
        """The same windows as if records had begun late, where they may."""
        if self.options.whole_records:
            return None
        draw = np.random.default_rng(self.options.seed)
        ages = lives.ages[ends]
        begins = ends - (draw.random(len(ends)) * ages).astype(np.int64)
        return self._inputs(lives, ends, "windows of records that begin late", begins)

    def _weigh(self, found: HeldOut, answers: Mapping[str, _Floats]) -> None:
        came = found.came
        shares = _weights(list(answers.values()), came)
        self.weights_ = dict(zip(answers, map(float, shares), strict=True))
        self.models_ = {name: each for name, each in self.models_.items() if self.weights_[name]}
        takes = dict.fromkeys(models[0].takes for models in self.models_.values())
        graph = self.graph_
        self.graph_ = SensorGraph(graph.schema, graph.plan, graph.regimes, tuple(takes))
        total = sum(self.weights_[name] * each for name, each in answers.items())
        blended = np.clip(np.asarray(total), 0, 1)
        named = {**answers, "blend": blended} if len(answers) > 1 else answers
        self.errors_ = {
            name: self.options.cap * float(np.sqrt(np.mean((np.clip(each, 0, 1) - came) ** 2)))
            for name, each in named.items()
        }
        self.held_out_ = replace(found, answer=blended)
        self.interval_ = LifeInterval.of(blended, came, found.machine, self.options.coverage)

    def _model(self, name: str, fold: int) -> LifeModel:
        seed = self.options.seed + _SEEDS_APART * fold
        if name == "trees":
            return TreeLife(replace(self.options.trees, seed=seed))
        return NetworkLife(cast(NetworkKind, name), replace(self.options.training, seed=seed))

    def _passes(
        self, lives: Lives, ends: _Ints, words: str, begins: _Ints | None = None
    ) -> Iterator[dict[str, NDArray[Any]]]:
        """What models take of some windows, laid out a part at a time."""
        starts = range(0, len(ends), _WINDOWS_A_PASS)
        done = ((start, (start + _WINDOWS_A_PASS) / len(ends)) for start in starts)
        for start in progress(done, words):
            chosen = slice(start, start + _WINDOWS_A_PASS)
            cut = None if begins is None else begins[chosen]
            yield self.graph_.run(lives.windows(ends[chosen], self.length_, cut))

    def _inputs(
        self, lives: Lives, ends: _Ints, words: str, begins: _Ints | None = None
    ) -> dict[str, NDArray[Any]]:
        return _stacked(self._passes(lives, ends, words, begins))

    def answer(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Windows [N, L] of columns -> the answers that :meth:`write` names, each [N]."""
        inputs = self.graph_.run(feeds)
        return self._answers(inputs)

    def answer_at(self, lives: Lives, ends: _Ints) -> dict[str, NDArray[Any]]:
        """The answers as of some readings, each [N].

        Parameters
        ----------
        lives : Lives
        ends : ndarray of int64, shape [N]
        """
        passes = self._passes(lives, ends, f"answers to {len(ends)} readings")
        return _stacked(map(self._answers, passes))

    def _answers(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        share = np.zeros(len(inputs["known"]))
        for name, models in self.models_.items():
            for model in models:
                share += self.weights_[name] / len(models) * model.predict(inputs[model.takes])
        share = np.clip(share, 0, 1)
        low, high = self.interval_.apply(share)
        known = inputs["known"].reshape(-1).astype(bool)
        cap = self.options.cap
        found = {
            "remaining_life": share * cap,
            "remaining_life_low": low * cap,
            "remaining_life_high": high * cap,
            "health": share,
        }
        return {name: np.where(known, values, np.nan) for name, values in found.items()}

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        """Append features, models, interval and the way back to units to a graph.

        Parameters
        ----------
        builder : GraphBuilder
        inputs : mapping of str to str
            Raw column -> tensor [batch, L].

        Returns
        -------
        dict of str to str
            "remaining_life", "remaining_life_low", "remaining_life_high", "health" -> tensor
            [batch, 1]; NaN where no reading is known.
        """
        tensors = self.graph_.write(builder, inputs)
        parts = []
        for name, models in self.models_.items():
            share = builder.constant(np.float32(self.weights_[name] / len(models)))
            parts += [builder.node("Mul", model.write(builder, tensors), share) for model in models]
        total = builder.node("Sum", *parts) if len(parts) > 1 else parts[0]
        zero, one = (builder.constant(np.float32(end)) for end in (0, 1))
        health = builder.node("Clip", total, zero, one)
        low, high = self.interval_.write(builder, health)
        cap, nothing = (builder.constant(np.float32(x)) for x in (self.options.cap, np.nan))
        lives = [builder.node("Mul", each, cap) for each in (health, low, high)]
        names = ("remaining_life", "remaining_life_low", "remaining_life_high", "health")
        return {
            name: builder.node("Where", tensors["known"], each, nothing)
            for name, each in zip(names, (*lives, health), strict=True)
        }

    def facts(self) -> dict[str, Any]:
        """What answers, as JSON values for the file."""
        regimes = self.graph_.regimes
        return {
            "model": self.options.model,
            "weights": {name: share for name, share in self.weights_.items() if share},
            "held_out_rmse": dict(self.errors_),
            "cap": self.options.cap,
            "coverage": self.options.coverage,
            "regimes": len(regimes.clusters),
            "without_information": list(regimes.still),
            "whole_records": self.options.whole_records,
        }


def _stacked(parts: Iterable[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Arrays of several passes, one after the other."""
    found = list(parts)
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def _learned(lives: Lives) -> _Ints:
    """Readings whose windows are learned from."""
    ends = np.flatnonzero(~np.isnan(lives.life))
    if len(ends) > _MOST_WINDOWS:
        ends = ends[np.linspace(0, len(ends) - 1, _MOST_WINDOWS).round().astype(np.int64)]
    return ends


def _check_enough(lives: Lives, machine: _Ints) -> None:
    known = len(np.unique(machine))
    if known < 2:
        words = "known of no machine, so there is nothing to learn from"
        if known:
            words = (
                f"known of one machine ({lives.machines[machine[0]]!r}) alone, and what is learned "
                "from one cannot be tried on another"
            )
        raise TrainingError(
            f"The life that was left is {words}. Give records of at least two that have failed, "
            "better of twenty or more."
        )
    if lives.counts.max() < 3:
        raise TrainingError(
            f"The longest record has {lives.counts.max()} readings, from which no wear can be "
            "seen. Give longer records, of more readings of each machine."
        )


def _folds(machine: _Ints, count: int, seed: int) -> _Ints:
    """The fold of each window: all of a machine in one."""
    names = np.unique(machine)
    order = np.random.default_rng(seed).permutation(len(names))
    fold = np.empty(len(names), dtype=np.int64)
    fold[order] = np.arange(len(names)) % min(count, len(names))
    return fold[np.searchsorted(names, machine)]


def _weights(answers: Sequence[_Floats], came: _Floats) -> _Floats:
    """Weights >= 0 with sum 1 of least squared error on machines held out."""
    if len(answers) == 1:
        return np.ones(1)
    from scipy.optimize import nnls

    heavy = 1e3 * np.sqrt(len(came))  # the sum is 1
    table = np.vstack([np.column_stack(answers), np.full(len(answers), heavy)])
    found, _ = nnls(table, np.append(came, heavy))
    found[found < 0.02] = 0.0  # so small a share costs a model, and helps nobody
    share: _Floats = found / found.sum()
    return share
