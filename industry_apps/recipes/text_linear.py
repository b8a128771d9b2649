"""Linear models of the n-grams of a text, weighed by how much each tells the classes apart."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import SchemaError, TrainingError
from industry_apps.features import GraphBuilder
from industry_apps.features.ngrams import (
    CharacterWeights,
    WordWeights,
    character_grams,
    word_grams,
)
from industry_apps.features.running import WrittenGraph
from industry_apps.limits import POSITIVE, check_parameters
from industry_apps.recipes.scorers import Arrays, Labelled
from industry_apps.schema import Column, Schema

_SHORTEST, _LONGEST = 4, 7
_MARGIN = Schema((Column("/margin", "number"),))


@dataclass(frozen=True, slots=True, kw_only=True)
class NgramOptions:
    """Settings of a linear model of n-grams.

    Parameters
    ----------
    smoothing : float
        Added to each count before the ratio of the classes is taken, > 0.
    word_freedom, character_freedom : float
        Inverse of the penalty on the weights, > 0.
    """

    smoothing: Annotated[float, POSITIVE] = 0.3
    word_freedom: Annotated[float, POSITIVE] = 0.1
    character_freedom: Annotated[float, POSITIVE] = 0.01

    def __post_init__(self) -> None:
        check_parameters(self)


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
    the two classes, and a logistic regression is fitted to the products.

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
        texts = train.arrays[self.column.name]
        weights, self.bias_ = _weights(
            map(self._grams, texts.tolist()),
            train.target,
            self.options.smoothing,
            getattr(self.options, self.freedom),
        )
        self._keep(weights)
        self.graph_ = WrittenGraph(self.features.schema, self._write_margin, _MARGIN)

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
    def _grams(self, text: str) -> Iterable[str]: ...

    @abstractmethod
    def _keep(self, weights: Mapping[str, float]) -> None: ...

    @abstractmethod
    def _write(self, builder: GraphBuilder, text: str) -> str: ...


class WordScorer(NgramScorer):
    """Words and pairs of neighbours."""

    freedom = "word_freedom"

    def _grams(self, text: str) -> Iterable[str]:
        return word_grams(text)

    def _keep(self, weights: Mapping[str, float]) -> None:
        self.weights_ = WordWeights.of(weights)

    def _write(self, builder: GraphBuilder, text: str) -> str:
        _, each = self.weights_.write(builder, text)
        return builder.node("ReduceSum", each, builder.constant(np.array([1])))


class CharacterScorer(NgramScorer):
    """Runs of four to seven characters: they see the stems and endings of words never seen."""

    freedom = "character_freedom"

    def _grams(self, text: str) -> Iterable[str]:
        return character_grams(text, _SHORTEST, _LONGEST)

    def _keep(self, weights: Mapping[str, float]) -> None:
        self.weights_ = CharacterWeights.of(weights)

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
    grams: Iterable[Iterable[str]], target: NDArray[np.bool_], smoothing: float, freedom: float
) -> tuple[dict[str, float], float]:
    """Weight of each n-gram, and what is added to every text."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    counter = CountVectorizer(analyzer=_as_they_are, dtype=np.float64)
    try:
        counts = counter.fit_transform(grams)
    except ValueError as error:  # an empty vocabulary
        raise TrainingError(
            f"No text has any word to learn from ({error}). Give texts that are not empty."
        ) from error
    positive, negative = (
        np.asarray(counts[rows].sum(axis=0)).ravel() + smoothing for rows in (target, ~target)
    )
    ratio = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
    model: Any = LogisticRegression(
        C=freedom, solver="liblinear", dual=True, max_iter=1_000, random_state=0
    )
    model.fit(counts.multiply(ratio).tocsr(), target)
    weights = model.coef_[0] * ratio
    names = counter.get_feature_names_out().tolist()
    return dict(zip(names, weights.tolist(), strict=True)), float(model.intercept_[0])


def _as_they_are(grams: Iterable[str]) -> Iterable[str]:
    return grams
