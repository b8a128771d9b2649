"""Sentiment: what customers think of a product, from what they write.

Asked by product managers, buyers and customer service of reviews, surveys and mails. On short
texts and some thousand of them, a linear model of words and pairs, weighed by how much each
tells the classes apart, is hard to beat (Wang and Manning 2012, https://aclanthology.org/P12-2018);
runs of characters add what words never seen have in common with others. Networks trained from
scratch (Kim 2014, arXiv:1408.5882) stand beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Dataset, Split, sample, split_latest, split_random
from industry_apps.errors import SchemaError
from industry_apps.evaluation import Report
from industry_apps.evaluation.labels import label_bootstrap
from industry_apps.evaluation.sections import Section
from industry_apps.export import Exportable
from industry_apps.features import GraphBuilder
from industry_apps.features.running import WrittenGraph
from industry_apps.features.text import words as split_words
from industry_apps.limits import NAME_MAP, Limit, instance, integer, is_number, one_of
from industry_apps.recipes import DecisionOptions, DecisionRecipe, NgramOptions, Records
from industry_apps.recipes.column_mapping import OwnNames
from industry_apps.recipes.scorers import Labelled
from industry_apps.recipes.text_linear import WordScorer
from industry_apps.recipes.texts.baselines import TextBaselines
from industry_apps.recipes.texts.reasons import SIDES, WordReasons, side_of
from industry_apps.recipes.texts.trends import share_trend, trend_plot
from industry_apps.runtime.answers import no_answers, shaped
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SentimentModel = Literal["stack", "words", "characters", "text_cnn", "text_transformer"]

_WORDS = 5
#: What customers write about, by the words they use for it.
_ASPECTS: Mapping[str, tuple[str, ...]] = {
    "price": ("price", "prices", "priced", "cost", "costs", "money", "value", "cheap", "expensive"),
    "delivery": ("delivery", "delivered", "shipping", "shipped", "arrived", "parcel", "package"),
    "quality": ("quality", "material", "made", "build", "durable", "broke", "broken", "sturdy"),
    "service": ("service", "support", "staff", "seller", "refund", "return", "returned", "reply"),
}
_ASPECT_MAP = Limit(
    lambda value: (
        isinstance(value, Mapping)
        and all(isinstance(name, str) and name.isidentifier() for name in value)
        and all(
            isinstance(words, tuple | list)
            and words
            and all(isinstance(w, str) and split_words(w) == [w] for w in words)
            for words in value.values()
        )
    ),
    "a mapping of names (letters, digits, underscores) to lists of single words in lower case",
)
_BAND = Limit(lambda v: is_number(v) and 0 <= v < 0.5, "a number in [0, 0.5)")
_side = partial(Column, kind="category", categories=SIDES[1:])


def _aspect_columns(names: tuple[str, ...]) -> list[Column]:
    return [
        _side(name=f"{name}_sentiment", description=f"Near words about the {name}; else missing")
        for name in names
    ]


class SentimentAnalyzer(OwnNames, Application):
    """Whether a text is positive, which words say so, and what it says of price, delivery, ...

    The text is read as it is: words are found, counted and weighed inside the exported file. A
    text without any word (empty, or of emoji only) is neutral. A text of any length is read
    whole by the words and characters, its first 64 words by the networks.

    Parameters
    ----------
    model : {"stack", "words", "characters", "text_cnn", "text_transformer"}
        A linear model of words and pairs, one of runs of 4 to 7 characters, a convolutional
        network, a transformer; or words and characters, weighed on texts they have not seen.
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"text": "review"}``.
    neutral_band : float
        Between 0.5 less this probability and 0.5 more a text is neutral, in [0, 0.5).
    aspects : mapping of str to sequence of str, optional
        What is asked for beside the whole -> its key words; by default price, delivery, quality
        and service, in English. Words within four of a key word are taken to be about it.
    ngrams : NgramOptions, optional
    training : TrainingOptions, optional
    seed : int

    Notes
    -----
    ``words`` names the words that speak most for the answer in the linear model of words, to
    which pairs contribute by halves; of the other models it is the reading of that model.

    Examples
    --------
    >>> from industry_apps.retail import SentimentAnalyzer
    >>> data = SentimentAnalyzer.sample()
    >>> analyzer = SentimentAnalyzer.fast().fit(data)
    >>> analyzer.predict(pd.DataFrame({"text": ["Great value, fast delivery."]}))["sentiment"][0]
    'positive'
    """

    name = "retail.sentiment"
    schema = Schema(
        (
            Column(name="text", kind="text", description="What somebody wrote"),
            Column(name="is_positive", kind="boolean", role="identifier", required=False),
            Column(name="product", kind="category", role="identifier", required=False),
            Column(name="time", kind="datetime", role="identifier", required=False),
        )
    )
    outputs = Schema(
        (
            _side(name="sentiment", nullable=False, description="Of the whole text"),
            Column(
                name="positive_probability",
                kind="number",
                low=0,
                high=1,
                nullable=False,
                description="Calibrated",
            ),
            Column(
                name="words",
                kind="category",
                size=_WORDS,
                description="That speak most for the answer, the first most",
            ),
            *_aspect_columns(tuple(_ASPECTS)),
        )
    )
    traits = Traits(task="decision", inputs=("text",), explains=True)
    limits: ClassVar[Mapping[str, Limit]] = {
        "model": one_of(get_args(SentimentModel)),
        "columns": NAME_MAP.or_none(),
        "neutral_band": _BAND,
        "aspects": _ASPECT_MAP.or_none(),
        "ngrams": instance(NgramOptions).or_none(),
        "training": instance(TrainingOptions).or_none(),
        "seed": integer(0),
    }

    def __init__(
        self,
        *,
        model: SentimentModel = "stack",
        columns: Mapping[str, str] | None = None,
        neutral_band: float = 0.1,
        aspects: Mapping[str, tuple[str, ...]] | None = None,
        ngrams: NgramOptions | None = None,
        training: TrainingOptions | None = None,
        seed: int = 0,
    ) -> None:
        self.model = model
        self.columns = columns
        self.neutral_band = neutral_band
        self.aspects = aspects
        self.ngrams = ngrams
        self.training = training
        self.seed = seed

    @classmethod
    def sample(cls) -> Dataset:
        """Simulated reviews of a few products, with no network."""
        return sample("retail_review_simulator")

    @classmethod
    def fast(cls) -> Self:
        """Words alone: a fit of a second."""
        return cls(model="words")

    def split(self, texts: pd.DataFrame) -> Split:
        """Split texts of yours: the latest are the test, or random ones without a time.

        Parameters
        ----------
        texts : DataFrame
            With the label ``is_positive``.
        """
        time = self._name("time")
        if time in texts:
            return split_latest(texts, time=time)
        return split_random(texts, target=self._name("is_positive"), seed=self.seed)

    def trend(self, texts: pd.DataFrame, *, period: str = "month") -> pd.DataFrame:
        """How the share of positive texts of each product changes, with intervals.

        Parameters
        ----------
        texts : DataFrame
            With ``product`` and ``time``; a label is not needed.
        period : {"day", "week", "month", "quarter", "year"}

        Returns
        -------
        DataFrame
            See :func:`industry_apps.recipes.texts.trends.share_trend`; texts that are neutral
            are left out.

        Raises
        ------
        SchemaError, NotFittedError
        """
        self._check_fitted()
        product, time = self._name("product"), self._name("time")
        Schema(
            tuple(
                replace(column, required=True)
                for column in self._own_schema()
                if column.name in (product, time)
            )
        ).validate(texts)
        said = self.predict(texts)["sentiment"]
        told = (said != SIDES[2]).to_numpy()
        part = texts[told]
        return share_trend(said[told] == SIDES[3], part[product], part[time], period=period)

    @staticmethod
    def plot_trend(trend: pd.DataFrame) -> Figure:
        """Draw what :meth:`trend` found.

        Parameters
        ----------
        trend : DataFrame
        """
        return trend_plot(trend, label="share of positive texts")

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        named = self._own_schema()
        self.schema_ = Schema((named[self._name("text")],))
        self.records_ = Records(schema=self.schema_, target=self._name("is_positive"))
        parts = {"train": train, "validation": validation}
        known = {name: self._labelled(part) for name, part in parts.items() if part is not None}
        self.split_ = {
            name: {"rows": len(part.target), "positives": int(part.target.sum())}
            for name, part in known.items()
        }
        options = DecisionOptions(
            model=self.model,
            members=("words", "characters"),
            ngrams=self.ngrams or NgramOptions(),
            training=replace(self.training or TrainingOptions(max_epochs=8), seed=self.seed),
        )
        self.recipe_ = DecisionRecipe(self.schema_, options).fit(
            known["train"], known.get("validation")
        )
        self.reasons_ = WordReasons(self._word_weights(known["train"], options), _WORDS)
        self.baselines_ = TextBaselines(self._name("text")).fit(known["train"])
        aspects = tuple(self._aspects())
        self.outputs_ = Schema((*list(self.outputs)[:3], *_aspect_columns(aspects)))
        said = (Column(name="text", kind="text"), Column(name="said", kind="number"))
        self.graph_ = WrittenGraph(Schema(said), self._write_said, self.outputs_.names)
        self.check_ = train if validation is None else validation

    def _word_weights(self, train: Labelled, options: DecisionOptions) -> Any:
        """Of the model of words in the recipe, or of one that is learned to give reasons."""
        for scorer in self.recipe_.scorers_:
            if isinstance(scorer, WordScorer):
                return scorer.weights_
        reader = WordScorer(self.schema_, options.ngrams)
        reader.fit(train, None)
        return reader.weights_

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        arrays = self.schema_.to_arrays(frame)
        if not len(frame):
            return no_answers(self.outputs_)
        probability = self.recipe_.probability(arrays)
        feeds = {"text": arrays[self._name("text")], "said": probability.astype(np.float32)}
        return shaped(self.outputs_, self.graph_.run(feeds))

    def _write_said(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> None:
        self._write_answers(builder, inputs["text"], inputs["said"])

    def _write_answers(self, builder: GraphBuilder, text: str, probability: str) -> None:
        """What follows from the text and its probability; the same in training and in the file."""
        node, half = builder.node, builder.constant(np.float32(0.5))
        band = self.neutral_band
        positive = node("GreaterOrEqual", probability, half)
        margin = float(np.log((0.5 + band) / (0.5 - band)))
        words, wordless, sides = self.reasons_.write(
            builder, text, positive, self._aspects(), margin
        )
        never = node("Less", probability, builder.constant(np.float32(-1)))
        side = side_of(builder, node("Sub", probability, half), band, never)
        neutral = builder.constant(np.array([[SIDES[2]]], dtype=object))
        builder.output(node("Where", wordless, neutral, side), "sentiment", np.object_)
        builder.output(probability, "positive_probability", np.float32)
        builder.output(words, "words", np.object_, _WORDS)
        for name, tensor in sides.items():
            builder.output(tensor, f"{name}_sentiment", np.object_)

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        rows = self._labelled(frame)
        probability = self.recipe_.probability(rows.arrays)
        ours = label_bootstrap(rows.target, probability)
        others = {
            name: label_bootstrap(rows.target, found)
            for name, found in self.baselines_.probabilities(
                rows.arrays[self._name("text")]
            ).items()
        }
        test = {"rows": len(rows.target), "positives": int(rows.target.sum())}
        right = (probability >= 0.5) == rows.target
        sure = np.abs(probability - 0.5) > self.neutral_band
        return Report(
            application="",
            data="",
            model=self.model,
            metrics=ours.estimates(),
            split={**self.split_, "test": test},
            baselines={name: other.estimates() for name, other in others.items()},
            margins={name: ours.minus(other) for name, other in others.items()},
            sections=(_band_section(right, sure, self.neutral_band),),
            headline_text=f"{right.mean():.1%} of {len(right)} texts are told right.",
            notes=("Accuracy counts the likelier side of every text, neutral or not.",),
        )

    def _exportable(self) -> Exportable:
        builder = GraphBuilder()
        inputs = builder.inputs(self.schema_)
        probability = self.recipe_.write(builder, inputs)["probability"]
        self._write_answers(builder, inputs[self._name("text")], probability)
        return Exportable(
            graph=builder.model(self.name),
            native=self._answers,
            schema=self.schema_,
            outputs=self.outputs_,
            check=self.check_,
            thresholds={},
            facts={
                "model": self.model,
                "decision": {"threshold": 0.5, "neutral_band": self.neutral_band},
                "split": self.split_,
            },
        )

    def _labelled(self, frame: pd.DataFrame) -> Labelled:
        if frame.empty:
            raise SchemaError("The table has no rows. Give some texts with their label.")
        return self.records_.labelled(frame)

    def _aspects(self) -> Mapping[str, tuple[str, ...]]:
        return _ASPECTS if self.aspects is None else self.aspects


def _band_section(right: NDArray[np.bool_], sure: NDArray[np.bool_], band: float) -> Section:
    """How often the likelier side is right, inside and outside the neutral band."""
    rows = [
        (name, int(part.sum()), float(right[part].mean()) if part.any() else None)
        for name, part in (("positive or negative", sure), ("neutral", ~sure))
    ]
    text = f"Texts within {band:g} of the probability 0.5 are answered as neutral."
    return Section("Neutral texts", text, [("answer", "texts", "likelier side is right"), *rows])
