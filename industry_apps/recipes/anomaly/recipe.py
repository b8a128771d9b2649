"""Learned from normal operation alone: a score, a threshold, and what each column does to it.

A scorer learns from normal rows; other normal rows, which it has not seen, set the threshold, and
faults planted into them choose its settings. No fault that ever happened is looked at. Rows may
follow each other (windows of several lagged rows) or have nothing to do with each other (windows
of one).

Letters in shapes: N windows, L rows of a window, C columns, T rows of a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TrainingError
from industry_apps.features import GraphBuilder
from industry_apps.recipes.anomaly.moving import Moved, moved_scaling
from industry_apps.recipes.anomaly.networks import TRAINING, RestoredWindow, ToldRow
from industry_apps.recipes.anomaly.planted import found_share, planted
from industry_apps.recipes.anomaly.scaling import Columns, Scaling, stacked
from industry_apps.recipes.anomaly.scorers import Blend, NearestRows, Scorer
from industry_apps.recipes.anomaly.subspaces import canonical_variates, principal_components
from industry_apps.recipes.anomaly.threshold import AlarmThreshold, three_sigma_limit
from industry_apps.recipes.anomaly.windows import check_apart, lagged, smoothed, whole_parts
from industry_apps.runtime.progress import progress
from industry_apps.schema import Schema
from industry_apps.training import TrainingOptions

__all__ = ["AnomalyModelName", "AnomalyOptions", "AnomalyRecipe", "Found"]

AnomalyModelName = Literal[
    "cva", "pca", "dynamic_pca", "autoencoder", "temporal", "nearest", "blend"
]
#: What a blend is made of: relations of lagged rows, of single rows, and a network.
MEMBERS: tuple[AnomalyModelName, ...] = ("cva", "pca", "temporal")
#: Rows of a window that are tried where rows follow each other, and rows whose mean is taken:
#: an alarm comes so many rows later at most, less one.
LAGS, SMOOTHING = (1, 2, 3, 4, 5, 6, 7, 8), (1, 2, 3)
#: Rows that a temporal network sees, the one that it tells among them.
_TEMPORAL_LAGS = 8
#: Windows of normal rows that follow each other are alike: their interval is that of blocks.
_BLOCK = 20
_WINDOWS_A_PASS = 2_048

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyOptions:
    """How normal operation is learned.

    Parameters
    ----------
    model : {"cva", "pca", "dynamic_pca", "autoencoder", "temporal", "nearest", "blend"}
    lags : int or None
        Rows of a window; None: chosen by planted faults, where the model is one of lagged rows.
    smoothing : int or None
        Rows whose mean score is taken; None: chosen by planted faults, at most 3.
    false_alarm_rate : float or None
        Wanted of normal rows, in (0, 1); None: three standard deviations above the mean of their
        log scores, and above the largest.
    states : int
        Canonical variates that are left out: the states of the process, where its residual space
        alone is watched; 0 watches both.
    future : int
        Rows of the future that states tell.
    variance : float
        Share of it that principal components hold, in (0, 1).
    training : TrainingOptions
        Of networks.
    """

    model: AnomalyModelName = "cva"
    lags: int | None = None
    smoothing: int | None = None
    false_alarm_rate: float | None = None
    states: int = 0
    future: int = 2
    variance: float = 0.9
    training: TrainingOptions = field(default_factory=lambda: TRAINING)


@dataclass(frozen=True, eq=False)
class Found:
    """What a recipe says of windows.

    Parameters
    ----------
    score : ndarray of float64, shape [N]
        As a share of the threshold: an alarm from 1 on. NaN where a row or value is missing.
    changes : ndarray of float64, shape [N, C]
        What each column does to the score, below 0 where it reads too low.
    """

    score: _Floats
    changes: _Floats


@dataclass(frozen=True, slots=True)
class _Trial:
    """A scorer with the rows whose scores are averaged, and how it does on planted faults."""

    scorer: Scorer
    smoothing: int
    share: float


class AnomalyRecipe:
    """Learns what is normal, and tells what is not.

    Parameters
    ----------
    options : AnomalyOptions

    Attributes
    ----------
    scaling_, learned_ : Scaling
        As it is used, and as training has found it.
    scorer_ : Scorer
    smoothing_ : int
    threshold_ : AlarmThreshold
        Of the mean score of so many rows.
    tried_ : list of (int, int, float)
        Lags, smoothing, and the share of planted faults' rows that raise an alarm.
    left_out_ : int
        Normal rows with a missing value, of which nothing is learned.

    Examples
    --------
    >>> from industry_apps.schema import Column
    >>> draw = np.random.default_rng(0)
    >>> rows = [{"a": x, "b": x + draw.normal(0, 0.1, 300)} for x in draw.normal(size=(2, 300))]
    >>> schema = Schema((Column("a", "number"), Column("b", "number")))
    >>> recipe = AnomalyRecipe(AnomalyOptions(model="pca", smoothing=1)).fit(schema, *zip(rows))
    >>> odd = recipe.answer({"a": np.array([[1.0]]), "b": np.array([[-1.0]])})
    >>> bool(odd.score[0] >= 1), odd.changes.round(0).tolist()
    (True, [[8.0, -8.0]])
    """

    def __init__(self, options: AnomalyOptions) -> None:
        self.options = options

    @property
    def length(self) -> int:
        """Rows of a window, those whose scores are averaged among them."""
        return self.scorer_.lags + self.smoothing_ - 1

    def fit(
        self, schema: Schema, train: Sequence[Columns], held_out: Sequence[Columns]
    ) -> AnomalyRecipe:
        """Learn from normal rows; set the threshold by others.

        Parameters
        ----------
        schema : Schema
            Its inputs are the columns.
        train, held_out : sequence of mapping of str to ndarray of shape [T]
            Run by run, each in order of time.

        Raises
        ------
        LeakageError
            The rows that are held out are those that are learned from: scores of these are too
            low, and a threshold set by them lets other normal rows raise alarms.
        TrainingError
            There are too few rows, or no column varies.
        """
        self.schema = schema
        self.scaling_ = self.learned_ = Scaling.learn(schema, train)
        runs, others = (
            [part for each in rows for part in whole_parts(self.scaling_.apply(each, schema))]
            for rows in (train, held_out)
        )
        total = sum(len(next(iter(each.values()))) for each in train)
        self.left_out_ = total - sum(map(len, runs))
        check_apart(runs, others)
        self.tried_: list[tuple[int, int, float]] = []
        best = self._learned(runs, others)
        self.scorer_, self.smoothing_ = best.scorer, best.smoothing
        normal = [smoothed(each, best.smoothing) for each in _scores(best.scorer, others)]
        self.threshold_ = self._threshold(normal)
        return self

    def moved(
        self, rows: Columns, *, columns: Sequence[str], memory: float, bound: float
    ) -> tuple[AnomalyRecipe, list[Moved]]:
        """A copy whose named columns follow new normal rows; scorer and limits are the same.

        Parameters
        ----------
        rows : mapping of str to ndarray of shape [R]
            In order of time.
        columns, memory, bound
            As of :func:`industry_apps.recipes.anomaly.moving.moved_scaling`.
        """
        values = stacked(rows, self.scaling_.columns, self.schema)
        found = copy(self)
        found.scaling_, told = moved_scaling(
            self.scaling_, self.learned_, values, columns=columns, memory=memory, bound=bound
        )
        return found, told

    def answer(self, columns: Columns) -> Found:
        """Tell windows from normal ones.

        Parameters
        ----------
        columns : mapping of str to ndarray of shape [N, L]
            At least so many rows as :attr:`length`; the last are looked at.
        """
        values = self.scaling_.apply(
            {name: columns[name][:, -self.length :] for name in self.scaling_.columns}, self.schema
        )
        known: NDArray[np.bool_] = np.asarray(~np.isnan(values).any(axis=(1, 2)))
        parts = [
            self._of(values[start : start + _WINDOWS_A_PASS])
            for start in range(0, max(len(values), 1), _WINDOWS_A_PASS)
        ]
        score, changes = (np.concatenate(each) for each in zip(*parts, strict=True))
        return Found(np.where(known, score, np.nan), np.where(known[:, None], changes, np.nan))

    def _of(self, values: _Floats) -> tuple[_Floats, _Floats]:
        filled, lags = np.nan_to_num(values), self.scorer_.lags
        found = [self.scorer_.score(filled[:, n : n + lags]) for n in range(self.smoothing_)]
        score, changes = (np.mean(each, axis=0) for each in zip(*found, strict=True))
        return score / self.threshold_.value, changes / self.threshold_.value

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        """Append the same to a graph.

        Parameters
        ----------
        builder : GraphBuilder
        inputs : mapping of str to str
            Column -> tensor [batch, L].

        Returns
        -------
        dict of str to str
            "known" bool [batch, 1], "score" float64 [batch, 1], "changes" float64 [batch, C];
            numbers where nothing is known mean nothing.
        """
        node, constant = builder.node, builder.constant
        last = {name: builder.part(inputs[name], -self.length, 2**31) for name in inputs}
        raw = self.scaling_.write(builder, last, self.schema)  # [batch, length, C]
        missing = node("IsNaN", raw)
        filled = node("Where", missing, constant(np.float64(0)), raw)
        holes = node("ReduceMax", builder.cast(missing, np.float32), constant(np.array([1, 2])))
        known = node("Not", builder.cast(node("Squeeze", holes, constant(np.array([2]))), np.bool_))
        lags = self.scorer_.lags
        scores, changes = [], []
        for first in range(self.smoothing_):
            found = self.scorer_.write(builder, builder.part(filled, first, first + lags))
            scores.append(found[0])
            changes.append(found[1])
        share = constant(np.float64(1 / (self.threshold_.value * self.smoothing_)))
        return {
            "known": known,
            "score": node("Mul", _added(builder, scores), share),
            "changes": node("Mul", _added(builder, changes), share),
        }

    def facts(self) -> dict[str, Any]:
        """What decides, as JSON values for the file."""
        return {
            "model": self.options.model,
            "lags": self.scorer_.lags,
            "smoothing": self.smoothing_,
            "without_information": list(self.scaling_.still),
            **self.threshold_.facts(),
        }

    def _learned(self, runs: Sequence[_Floats], others: Sequence[_Floats]) -> _Trial:
        """The scorer, with settings that find most of the planted faults."""
        smoothing = SMOOTHING if self.options.smoothing is None else (self.options.smoothing,)
        if self.options.model != "blend":
            return self._best(self._candidates(self.options.model, runs), smoothing, others)
        members = [
            self._best(self._candidates(name, runs), (1,), others).scorer for name in MEMBERS
        ]
        units = [self._threshold(_scores(member, others)).value for member in members]
        return self._best([partial(Blend, members, units)], smoothing, others)

    def _candidates(
        self, name: AnomalyModelName, runs: Sequence[_Floats]
    ) -> Iterator[Callable[[], Scorer]]:
        """What makes a scorer, for each number of lags that is tried."""
        options, rows = self.options, sum(map(len, runs))
        usual = {"cva": LAGS, "dynamic_pca": LAGS[1:], "temporal": (_TEMPORAL_LAGS,)}.get(
            name, (1,)
        )
        for lags in (options.lags,) if options.lags else usual:
            enough = rows - len(runs) * (lags + options.future - 1) > lags * runs[0].shape[1]
            if name == "cva":
                if enough or lags == 1 or options.lags:
                    yield partial(canonical_variates, runs, lags, options.states, options.future)
            elif name in ("pca", "dynamic_pca"):
                yield partial(principal_components, runs, lags, options.variance)
            else:
                yield partial(_of_windows, name, runs, max(lags, 1 + (name == "temporal")), options)

    def _best(
        self,
        candidates: Iterable[Callable[[], Scorer]],
        smoothing: Sequence[int],
        others: Sequence[_Floats],
    ) -> _Trial:
        """The candidate that finds most of the planted faults."""
        makers = list(candidates)
        if len(makers) == 1 and len(smoothing) == 1:
            return _Trial(makers[0](), smoothing[0], np.nan)
        trials: list[_Trial] = []
        shown = ((each, (n + 1) / len(makers)) for n, each in enumerate(makers))
        for make in progress(shown, f"{len(makers)} scorers on planted faults"):
            trials += self._tried(make(), smoothing, others)
        self.tried_ += [(each.scorer.lags, each.smoothing, each.share) for each in trials]
        return max(trials, key=lambda each: each.share)

    def _tried(
        self, scorer: Scorer, smoothing: Sequence[int], others: Sequence[_Floats]
    ) -> list[_Trial]:
        run = max(others, key=len)
        faults = _scores(scorer, list(planted(run)))
        normal = _scores(scorer, others)
        found = []
        for rows in smoothing:
            usual = np.concatenate([smoothed(each, rows) for each in normal])
            # Not the largest score, which is lucky for some of many that are compared.
            limit = three_sigma_limit(usual) if len(usual) else np.inf
            share = found_share([smoothed(each, rows) for each in faults], len(run), limit)
            found.append(_Trial(scorer, rows, share))
        return found

    def _threshold(self, normal: Sequence[_Floats]) -> AlarmThreshold:
        """From which score on an alarm is raised, told from scores of normal rows, run by run."""
        scores = np.concatenate(normal)
        if not len(scores):
            raise TrainingError(
                "No window of the normal rows that set the threshold is whole. Give longer runs "
                "without missing values, or fewer 'lags'."
            )
        blocks = [np.arange(len(each)) // _BLOCK for each in normal]
        starts = np.cumsum([0, *(int(each[-1]) + 1 if len(each) else 0 for each in blocks)])
        groups = np.concatenate([b + s for b, s in zip(blocks, starts[:-1], strict=True)])
        if self.options.false_alarm_rate is None:
            return AlarmThreshold.three_sigma(scores, groups)
        return AlarmThreshold.at_rate(scores, self.options.false_alarm_rate, groups)


def _of_windows(name: str, runs: Sequence[_Floats], lags: int, options: AnomalyOptions) -> Scorer:
    """A scorer that learns from windows as they are."""
    windows = np.concatenate([lagged(run, lags) for run in runs])
    if len(windows) < 2:
        raise TrainingError(
            f"Normal operation is known from {len(windows)} windows of {lags} rows, without a "
            "missing value, and 2 are needed. Give more rows, or fewer 'lags'."
        )
    if name == "nearest":
        return NearestRows.learn(windows)
    return (RestoredWindow if name == "autoencoder" else ToldRow)(windows, options.training)


def _scores(scorer: Scorer, runs: Sequence[_Floats]) -> list[_Floats]:
    """The scores of all windows of each run."""
    return [scorer.score(np.ascontiguousarray(lagged(run, scorer.lags)))[0] for run in runs]


def _added(builder: GraphBuilder, tensors: Sequence[str]) -> str:
    total = tensors[0]
    for tensor in tensors[1:]:
        total = builder.node("Add", total, tensor)
    return total
