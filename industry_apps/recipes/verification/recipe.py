"""Samples to embeddings, with the threshold at a false-accept rate, as one graph.

What describes a sample is the application's; how embeddings are learned of it, which score is
accepted and which sample is too unusual to be compared is the same for faces, voices and fingers.

Letters: N samples, F features, D values of an embedding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Annotated, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TrainingError
from industry_apps.evaluation.intervals import Estimate, bootstrap
from industry_apps.features import GraphBuilder
from industry_apps.features.running import WrittenGraph
from industry_apps.limits import Limit, check_parameters, integer, is_number
from industry_apps.recipes.verification.metrics import Pairs, all_pairs
from industry_apps.recipes.verification.whitening import Whitening
from industry_apps.schema import Column, Schema

_Floats = NDArray[np.float64]
_POSITIVE = Limit(lambda v: is_number(v) and v > 0, "a number > 0")
#: At enrolment a sample may score with the others of its person what one pair of strangers in ten
#: does: fewer true samples are refused than at the threshold, and a stranger's mostly are.
_ENROLMENT_RATE = 0.1
#: Share of usual samples that are as unusual as the file lets pass.
_USUAL = 0.95
#: Persons who are told apart at least in training, and so few that each pair is left out in turn.
_FEWEST, _FEW = 3, 3
#: Share of training samples that have less of what tells that somebody is there, and how much of
#: that the file asks for: new persons have it in another measure.
_WITHOUT, _ASKED = 0.02, 0.85
#: What is divided by at the least.
_LEAST = 1e-12

#: What a describer writes of samples: features, and how much tells that somebody is there.
DESCRIPTION = Column("description", "number", size=None)
PRESENCE = Column("presence", "number")
EMBEDDING = Column("embedding", "number", "Its direction is the person", size=None, nullable=False)
QUALITY = Column(
    "quality",
    "number",
    "1 of a sample like those known, less the more unusual it is",
    low=0,
    high=1,
    nullable=False,
)


class Describer(Protocol):
    """What a sample is described by, and how another sample of the same might have been.

    ``outputs`` are ``DESCRIPTION`` [B, F], and ``PRESENCE`` [B, 1] where something tells it.
    """

    outputs: ClassVar[Schema]

    def write(self, builder: GraphBuilder, sample: str) -> Mapping[str, str]:
        """Write the raw samples [B, ...] -> {output: tensor of float32}."""

    def changed(self, samples: NDArray[Any], draw: np.random.Generator) -> NDArray[Any]:
        """Samples [N] as they might have been taken as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingOptions:
    """How embeddings are learned.

    Parameters
    ----------
    length : int
        Values of an embedding at most, in [2, 4096].
    shrinkage : float
        Added to the spread within persons, in mean spreads, > 0.
    copies : int
        How often each training sample is seen changed, in [0, 100].
    folds : int
        So many times the threshold is chosen on persons who are left out of learning, in [2, 50];
        none are where validation data are given. Of three persons each pair is left out in turn.
    """

    length: Annotated[int, integer(2, 4096)] = 200
    shrinkage: Annotated[float, _POSITIVE] = 0.3
    copies: Annotated[int, integer(0, 100)] = 3
    folds: Annotated[int, integer(2, 50)] = 4

    def __post_init__(self) -> None:
        check_parameters(self)


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples, and whose they are.

    Parameters
    ----------
    values : ndarray of shape [N, ...]
        As the graph takes them.
    person : ndarray of int, shape [N]
        0 and up, each number occurs.
    """

    values: NDArray[Any]
    person: NDArray[np.intp]

    def part(self, chosen: NDArray[np.bool_]) -> Samples:
        """The samples of some persons, who are counted anew."""
        return Samples(self.values[chosen], np.unique(self.person[chosen], return_inverse=True)[1])


class EmbeddingRecipe:
    """Embeddings of one column of raw samples, and the threshold of their cosine.

    Parameters
    ----------
    column : Column
    describer : Describer
    options : EmbeddingOptions
    false_accept_rate : float
        In (0, 1).
    seed : int
    """

    def __init__(
        self,
        column: Column,
        describer: Describer,
        options: EmbeddingOptions,
        false_accept_rate: float,
        seed: int = 0,
    ) -> None:
        self.column, self.describer, self.options = column, describer, options
        self.false_accept_rate, self.seed = false_accept_rate, seed

    def fit(self, train: Samples, validation: Samples | None) -> EmbeddingRecipe:
        """Learn the embedding; choose the threshold on persons whom it does not know.

        Parameters
        ----------
        train : Samples
        validation : Samples, optional
            Of other persons; without them, folds of those of training.

        Raises
        ------
        TrainingError
            There are too few persons, or only one sample of each.
        """
        self._check(train)
        described = self._described(train)
        if PRESENCE.name in self.describer.outputs:
            usual = self._told(train.values, PRESENCE)
            self.least_presence_ = max(_ASKED * float(np.quantile(usual, _WITHOUT)), _LEAST)
        person = np.tile(train.person, len(described))
        self.whitening_ = self._learned(np.concatenate(described), person)
        if validation is None:
            self._choose(*self._left_out(described, train.person))
        else:
            embedded = self.whitening_.of(self._features(validation.values))
            self._choose(embedded, np.zeros(len(embedded), np.intp), validation.person)
        self.graph_ = WrittenGraph(Schema((self.column,)), self.write, Schema((EMBEDDING, QUALITY)))
        return self

    def answer(self, values: NDArray[Any]) -> list[NDArray[Any]]:
        """Embeddings [N, D] and qualities [N, 1] of samples, by the graph that is exported."""
        return self.graph_.run({self.column.name: values})

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> Mapping[str, str]:
        """Append description, embedding and quality -> {output: tensor}."""
        described = self.describer.write(builder, inputs[self.column.name])
        found = self.whitening_.write(builder, described[DESCRIPTION.name])
        square = builder.node("Mul", found, found)
        total = builder.node("ReduceSum", square, builder.constant(np.array([1])))
        least = builder.constant(np.float64(_LEAST))
        length = builder.node("Max", builder.node("Sqrt", total), least)
        limit = builder.constant(np.float64(self.limit_))
        quality = builder.node("Min", builder.node("Div", limit, length), _one(builder))
        if PRESENCE.name in described:
            presence = builder.cast(described[PRESENCE.name], np.float64)
            asked = builder.constant(np.float64(self.least_presence_))
            quality = builder.node("Min", quality, builder.node("Div", presence, asked))
        direction = builder.node("Div", found, length)
        return {
            EMBEDDING.name: builder.cast(direction, np.float32),
            QUALITY.name: builder.cast(quality, np.float32),
        }

    def facts(self) -> dict[str, Any]:
        """What decides, for the file."""
        return {
            "threshold": self.threshold_,
            "false_accept_rate": self.false_accept_rate,
            "false_accept_rate_95": [self.interval_.low, self.interval_.high],
            "enrolment_threshold": self.enrolment_threshold_,
            "least_quality": 1.0,
        }

    def _choose(self, embedded: _Floats, model: NDArray[np.intp], person: NDArray[np.intp]) -> None:
        """Threshold, its interval over persons, and what is too unusual."""
        pairs = all_pairs(embedded, person, model)
        self.threshold_ = pairs.threshold_at(self.false_accept_rate)
        self.enrolment_threshold_ = pairs.threshold_at(_ENROLMENT_RATE)
        self.interval_ = _interval(pairs, self.threshold_, person, self.seed)
        self.limit_ = float(np.quantile(np.linalg.norm(embedded, axis=1), _USUAL))

    def _left_out(
        self, described: list[NDArray[np.float32]], person: NDArray[np.intp]
    ) -> tuple[_Floats, NDArray[np.intp], NDArray[np.intp]]:
        """Embeddings of samples by models that have not learned of the person; which; whose.

        Of three persons each pair is left out, and learned from the third alone.
        """
        persons = np.random.default_rng(self.seed).permutation(person.max() + 1)
        folds: Iterable[Any] = np.array_split(
            persons, max(1, min(self.options.folds, len(persons) // 2))
        )
        if len(persons) <= _FEW:
            folds = combinations(persons, 2)
        embedded, models, rows = [], [], []
        for number, fold in enumerate(folds):
            out = np.isin(person, fold)
            features = np.concatenate([each[~out] for each in described])
            known = self._learned(features, np.tile(person[~out], len(described)))
            embedded.append(known.of(described[0][out]))
            models.append(np.full(out.sum(), number))
            rows.append(np.flatnonzero(out))
        row = np.concatenate(rows)
        order = np.argsort(row, kind="stable")
        model = np.concatenate(models)[order]
        return np.concatenate(embedded)[order], model, person[row[order]]

    def _learned(self, features: NDArray[np.float32], person: NDArray[np.intp]) -> Whitening:
        return Whitening.fit(features, person, self.options.length, self.options.shrinkage)

    def _described(self, train: Samples) -> list[NDArray[np.float32]]:
        """Features of the samples as they are, and of each changed copy."""
        draw = np.random.default_rng(self.seed)
        copies = [self.describer.changed(train.values, draw) for _ in range(self.options.copies)]
        return [self._features(values) for values in (train.values, *copies)]

    def _features(self, values: NDArray[Any]) -> NDArray[np.float32]:
        return self._told(values, DESCRIPTION)

    def _told(self, values: NDArray[Any], output: Column) -> NDArray[np.float32]:
        """What the describer writes of samples [N] into one of its outputs."""

        def write(builder: GraphBuilder, inputs: Mapping[str, str]) -> Mapping[str, str]:
            return self.describer.write(builder, inputs[self.column.name])

        graph = WrittenGraph(Schema((self.column,)), write, Schema((output,)))
        found: NDArray[np.float32] = graph.run({self.column.name: values})[0]
        return found

    def _check(self, train: Samples) -> None:
        counts = np.bincount(train.person)
        if len(counts) < _FEWEST or (counts > 1).sum() < _FEWEST:
            raise TrainingError(
                f"The training data hold {len(counts)} persons, {(counts > 1).sum()} of them with "
                f"two samples or more; expected {_FEWEST} or more such. Add persons and samples."
            )


def _interval(pairs: Pairs, threshold: float, person: NDArray[np.intp], seed: int) -> Estimate:
    name = "false_match_rate"
    metric = {name: pairs.rates_at(threshold)[name]}
    return bootstrap(metric, person, len(person), seed=seed).estimates()[name]


def _one(builder: GraphBuilder) -> str:
    return builder.constant(np.float64(1))
