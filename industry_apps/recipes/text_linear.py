"""Linear models of the n-grams of a text, weighed by how much each tells the classes apart."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, SchemaError, TrainingError
from industry_apps.features import GraphBuilder
from industry_apps.features.negation import NEGATORS
from industry_apps.features.ngrams import CharacterWeights, WordWeights, step_of
from industry_apps.features.running import WrittenGraph
from industry_apps.features.text import words
from industry_apps.limits import POSITIVE, Limit, check_parameters, integer
from industry_apps.recipes.ngram_counts import NgramCounts, count_characters, count_words
from industry_apps.recipes.scorers import Arrays, Fold, Labelled
from industry_apps.runtime.progress import tracked
from industry_apps.schema import Column, Schema

_MARGIN = Schema((Column("/margin", "number"),))
_NEGATORS = Limit(
    lambda value: (
        isinstance(value, tuple | list)
        and all(
            isinstance(each, str) and words(each) == each.split(" ") and each.count(" ") < 2
            for each in value
        )
    ),
    "a list of words, or of pairs of words with a blank between them, in lower case",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NgramOptions:
    """Settings of a linear model of n-grams.

    Parameters
    ----------
    smoothing : float
        Added to each count before the ratio of the classes is taken, > 0.
    word_freedom, character_freedom : float
        Inverse of the penalty on the weights, > 0.
    shortest, longest : int
        Characters of a run, in [2, 12].
    negators : sequence of str
        Words, and pairs of words, that turn round the three words behind them, up to a
        punctuation mark or "but": these count as their opposite. English by default; () for none.
    """

    smoothing: Annotated[float, POSITIVE] = 0.3
    word_freedom: Annotated[float, POSITIVE] = 0.3
    character_freedom: Annotated[float, POSITIVE] = 0.03
    shortest: Annotated[int, integer(2, 12)] = 4
    longest: Annotated[int, integer(2, 12)] = 7
    negators: Annotated[Sequence[str], _NEGATORS] = NEGATORS

    def __post_init__(self) -> None:
        check_parameters(self)
        if self.shortest > self.longest:
            raise ParameterError(
                f"NgramOptions: 'shortest' must be at most 'longest', {self.longest}. "
                f"Got {self.shortest}."
            )


@dataclass(frozen=True, slots=True)
class TextFeatures:
    """What a model of texts reads: one column.

    Parameters
    ----------
    schema : Schema
        Of the text column alone.
    """

    schema: Schema


class NgramScorer(ABC):
    """What words and characters have in common: counts, ratios of the classes, one linear model.

    The count of each n-gram is multiplied by the logarithm of the ratio of its frequencies in
    the two classes, and a logistic regression is fitted to the products. What a negation turns
    round counts -1, and for the frequencies of the other class.

    Parameters
    ----------
    schema : Schema
        With one text column.
    options : NgramOptions

    References
    ----------
    Wang and Manning 2012, "Baselines and bigrams: simple, good sentiment and topic
    classification", https://aclanthology.org/P12-2018. The linear model here is a logistic
    regression in place of the support vector machine, and counts are not made binary.
    """

    freedom: ClassVar[str]

    def __init__(self, schema: Schema, options: NgramOptions) -> None:
        self.column = text_column(schema)
        self.features = TextFeatures(Schema((self.column,)))
        self.options = options

    def fit(self, train: Labelled, validation: Labelled | None) -> None:
        """Learn a weight for each n-gram; validation data are not needed."""
        del validation
        counts = self._count(train.arrays[self.column.name].tolist())
        self._learn(counts, np.arange(len(train.target)), train.target)

    def cross_fit(self, rows: Labelled, parts: Sequence[Fold]) -> NDArray[np.float64]:
        """Learn from all rows; their margins [rows] are by models of the other folds.

        The texts are counted once.
        """
        counts = self._count(rows.arrays[self.column.name].tolist())
        margin = np.empty(len(rows.target))
        for known, held_out in tracked(parts, "learning folds"):
            weights, columns, bias = self._weighed(counts, known, rows.target)
            every = np.zeros(counts.matrix.shape[1])
            every[columns] = self._as_written(weights)
            margin[held_out] = counts.matrix[held_out] @ every + bias
        self._learn(counts, np.arange(len(rows.target)), rows.target)
        return margin

    def _learn(
        self, counts: NgramCounts, known: NDArray[np.intp], target: NDArray[np.bool_]
    ) -> None:
        weights, columns, self.bias_ = self._weighed(counts, known, target)
        told = self._as_written(weights) != 0
        names = counts.names(columns[told])
        self._keep(dict(zip(names, weights[told].tolist(), strict=True)))
        self.graph_ = WrittenGraph(self.features.schema, self._write_margin, _MARGIN)

    def _weighed(
        self, counts: NgramCounts, known: NDArray[np.intp], target: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.intp], float]:
        matrix, columns = counts.part(known)
        freedom = getattr(self.options, self.freedom)
        weights, bias = _weights(matrix, target[known], self.options.smoothing, freedom)
        return weights, columns, bias

    def refit(self, every: Labelled) -> None:
        """Learn again from more data."""
        self.fit(every, None)

    def margin(self, arrays: Arrays) -> NDArray[np.float64]:
        """Score texts with the graph that the file has -> [rows]."""
        (found,) = self.graph_.run(arrays)
        return found[:, 0].astype(np.float64)

    def _write_margin(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        return {"/margin": self.write(builder, inputs)}

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append the model to a graph -> tensor [batch, 1]."""
        total = self._write(builder, inputs[self.column.name])
        return builder.node("Add", total, builder.constant(np.float32(self.bias_)))

    def thresholds(self) -> dict[str, list[float]]:
        """None: a text has no values on which the routing turns."""
        return {}

    @abstractmethod
    def _count(self, texts: Sequence[str]) -> NgramCounts: ...

    @abstractmethod
    def _as_written(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weights as the graph has them."""

    @abstractmethod
    def _keep(self, weights: Mapping[str, float]) -> None: ...

    @abstractmethod
    def _write(self, builder: GraphBuilder, text: str) -> str: ...


class WordScorer(NgramScorer):
    """Words and pairs of neighbours."""

    freedom = "word_freedom"

    def _count(self, texts: Sequence[str]) -> NgramCounts:
        return count_words(texts, self.options.negators)

    def _as_written(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return weights.astype(np.float32).astype(np.float64)

    def _keep(self, weights: Mapping[str, float]) -> None:
        self.weights_ = WordWeights.of(weights, tuple(self.options.negators))

    def _write(self, builder: GraphBuilder, text: str) -> str:
        _, each = self.weights_.write(builder, text)
        return builder.node("ReduceSum", each, builder.constant(np.array([1])))


class CharacterScorer(NgramScorer):
    """Runs of some characters: they see the stems and endings of words never seen."""

    freedom = "character_freedom"

    def _count(self, texts: Sequence[str]) -> NgramCounts:
        options = self.options
        return count_characters(texts, options.shortest, options.longest, options.negators)

    def _as_written(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        step = step_of(float(np.abs(weights).max()))
        return np.round(weights / step) * step

    def _keep(self, weights: Mapping[str, float]) -> None:
        self.weights_ = CharacterWeights.of(weights, tuple(self.options.negators))

    def _write(self, builder: GraphBuilder, text: str) -> str:
        return self.weights_.write(builder, text)


def text_column(schema: Schema) -> Column:
    """The one text column of a schema.

    Raises
    ------
    SchemaError
        There is none, or several.
    """
    texts = [column for column in schema if column.kind == "text"]
    if len(texts) != 1:
        raise SchemaError(
            f"A model of texts reads one text column; there are {[c.name for c in texts]}. "
            "Name the one that is meant, or join them."
        )
    return texts[0]


def _weights(
    counts: Any, target: NDArray[np.bool_], smoothing: float, freedom: float
) -> tuple[NDArray[np.float64], float]:
    """Weight of each n-gram [grams], of counts [rows, grams], and what is added to every text."""
    from sklearn.linear_model import LogisticRegression

    if not counts.shape[1]:
        raise TrainingError("No text has any word to learn from. Give texts that are not empty.")
    size = counts.shape[1]
    yes = np.repeat(target, np.diff(counts.indptr)) == (counts.data > 0)
    positive, negative = (
        np.bincount(counts.indices[side], np.abs(counts.data[side]), size) + smoothing
        for side in (yes, ~yes)
    )
    ratio = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
    model: Any = LogisticRegression(
        C=freedom, solver="liblinear", dual=True, max_iter=1_000, random_state=0
    )
    counts.data *= ratio[counts.indices]  # they are many, and not needed again
    model.fit(counts, target)
    return model.coef_[0] * ratio, float(model.intercept_[0])
