"""Sentiment: what customers think of a product, from what they write.

Asked by product managers, buyers and customer service of reviews, surveys and mails. On short
texts and some thousand of them, a linear model of words and pairs, weighed by how much each
tells the classes apart, is hard to beat (Wang and Manning 2012, https://aclanthology.org/P12-2018);
runs of characters add what words never seen have in common with others. What a negation turns
round ("not bad") counts as its opposite. Networks trained from scratch (Kim 2014,
arXiv:1408.5882) stand beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Split, split_latest, split_random
from industry_apps.errors import SchemaError
from industry_apps.evaluation import Report
from industry_apps.evaluation.labels import LABELS, label_bootstrap
from industry_apps.evaluation.sections import Section, spaced
from industry_apps.evaluation.variants import Question
from industry_apps.features import GraphBuilder
from industry_apps.features.running import WrittenGraph
from industry_apps.features.text import words as split_words
from industry_apps.limits import Limit, integer, is_number
from industry_apps.recipes import DecisionOptions, DecisionRecipe, NgramOptions, Records
from industry_apps.recipes.equal_rows import EqualRows
from industry_apps.recipes.labels import OwnLabels
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
#: Characters of the texts up to which a stack counts runs of them: some million runs.
_MOST_CHARACTERS = 8_000_000
_side = partial(Column, kind="category", categories=SIDES[1:])


def _aspect_columns(names: tuple[str, ...]) -> list[Column]:
    return [
        _side(f"{name}_sentiment", description=f"Near words about the {name}; else missing")
        for name in names
    ]


class SentimentAnalyzer(OwnLabels, Application):
    """Whether a text is positive, which words say so, and what it says of price, delivery, ...

    The text is read as it is: words are found, counted and weighed inside the exported file. A
    text without any word (empty, or of emoji only) is neutral. A text of any length is read
    whole by the words and characters, its first 64 words by the networks.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"text": "review"}``.
    positive : str, int or float, optional
        The label that means yes, where labels are two values of your own, as "Bad" or 2.
    model : {"stack", "words", "characters", "text_cnn", "text_transformer"}
        A linear model of words and pairs, one of runs of 4 to 7 characters, a convolutional
        network, a transformer; or words and characters, weighed on texts they have not seen (of
        more than 8 million characters words alone, which the report then says).
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
    which pairs contribute by halves; of the other models it is the reading of that model. A word
    that a negation turns round is named alone: "bad" of "not bad" speaks for a positive text. The
    networks are not told of negations.

    Examples
    --------
    >>> from industry_apps.retail import SentimentAnalyzer
    >>> data = SentimentAnalyzer.sample()
    >>> analyzer = SentimentAnalyzer.fast().fit(data)
    >>> analyzer.predict(pd.DataFrame({"text": ["Great value, fast delivery."]}))["sentiment"][0]
    'positive'
    """

    name = "retail.sentiment"
    question = "Is this text positive, and why?"
    simulator = "retail_review_simulator"
    schema = Schema(
        (
            Column("text", "text", "What somebody wrote"),
            Column.label("is_positive"),
            Column("product", "category", role="identifier", required=False),
            Column("time", "datetime", role="identifier", required=False),
        )
    )
    outputs = Schema(
        (
            _side("sentiment", description="Of the whole text", nullable=False),
            Column.probability("positive_probability", "Calibrated"),
            Column(
                "words", "category", "That speak most for the answer, the first most", size=None
            ),
            *_aspect_columns(tuple(_ASPECTS)),
        )
    )
    traits = Traits(inputs=("text",), explains=True)
    problem = LABELS
    label = "is_positive"

    model: Literal["stack", "words", "characters", "text_cnn", "text_transformer"] = "stack"
    neutral_band: Annotated[float, _BAND] = 0.1
    aspects: Annotated[Mapping[str, tuple[str, ...]], _ASPECT_MAP] | None = None
    ngrams: NgramOptions | None = None
    training: TrainingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def fast(cls) -> Self:
        """Words alone: a fit of a second."""
        return cls(model="words")

    def split(self, frame: pd.DataFrame) -> Split:
        """Split texts of yours: the latest are the test, or random ones without a time.

        Parameters
        ----------
        frame : DataFrame
            With the label ``is_positive``.
        """
        time = self._name("time")
        if time in frame:
            return split_latest(frame, time=time)
        return split_random(frame, target=self._name("is_positive"), seed=self.seed)

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

    def studies(self) -> Mapping[str, Question]:
        """How texts are answered whose side turns on a negation."""
        from industry_apps.retail.negation_study import judged_negations

        plain = replace(self.ngrams or NgramOptions(), negators=())
        variants = {
            self.model: {},
            f"{self.model}, negations not read": {"ngrams": plain},
            "words, negations not read": {"ngrams": plain, "model": "words"},
        }
        return {"negation": lambda data: (judged_negations(self, variants, data),)}

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
        target, time = self._name("is_positive"), self._name("time")
        self.records_ = Records(
            schema=self.schema_,
            target=target,
            time=time if time in train else "",
            told=self.labels_of(train),
        )
        parts = {"train": train}
        if validation is not None:
            parts["validation"] = validation
        known = {name: self._labelled(part) for name, part in parts.items()}
        self.split_ = {name: self.records_.describe(part) for name, part in parts.items()}
        self.rows_ = EqualRows(*map(self.records_.seen, parts.values()))
        options = DecisionOptions(
            model=self.model,
            members=self._members(known["train"]),
            ngrams=self.ngrams or NgramOptions(),
            training=replace(self.training or TrainingOptions(max_epochs=8), seed=self.seed),
        )
        self.recipe_ = DecisionRecipe(self.schema_, options).fit(
            known["train"], known.get("validation")
        )
        self.reasons_ = WordReasons(self._word_weights(known["train"], options), _WORDS)
        self.baselines_ = TextBaselines(self._name("text"))
        said = Schema((Column("text", "text"), Column("said", "number")))
        self.graph_ = WrittenGraph(said, self._write_said, self.outputs_)
        self.check_ = train if validation is None else validation

    def _members(self, train: Labelled) -> tuple[Literal["words", "characters"], ...]:
        """What a stack is of: runs of characters are too many in long texts, and tell less."""
        size = sum(map(len, train.arrays[self._name("text")]))
        self.left_out_ = ""
        if self.model == "stack" and size > _MOST_CHARACTERS:
            self.left_out_ = (
                f"The texts hold {spaced(size)} characters, more than {spaced(_MOST_CHARACTERS)}: "
                "the stack is of words alone. Set model='characters' to count runs of them."
            )
            return ("words",)
        return ("words", "characters")

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        self.baselines_.fit(self._labelled(train))

    @property
    def outputs_(self) -> Schema:
        """With the aspects that are asked for."""
        return Schema((*list(self.outputs)[:3], *_aspect_columns(tuple(self._aspects()))))

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

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        probability = self.recipe_.write(builder, inputs)["probability"]
        return self._write_answers(builder, inputs[self._name("text")], probability)

    def _write_said(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        return self._write_answers(builder, inputs["text"], inputs["said"])

    def _write_answers(self, builder: GraphBuilder, text: str, probability: str) -> dict[str, str]:
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
        return {
            "sentiment": node("Where", wordless, neutral, side),
            "positive_probability": probability,
            "words": words,
            **{f"{name}_sentiment": tensor for name, tensor in sides.items()},
        }

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        rows = self._labelled(frame)
        if self.records_.time:
            self.records_.check_later(frame, self.split_, delay=0)
        probability = self.recipe_.probability(rows.arrays)
        ours = label_bootstrap(rows.target, probability)
        others = {
            name: label_bootstrap(rows.target, found)
            for name, found in self.baselines_.probabilities(
                rows.arrays[self._name("text")]
            ).items()
        }
        right = (probability >= 0.5) == rows.target
        sure = np.abs(probability - 0.5) > self.neutral_band
        return Report.beside(
            self.model,
            ours,
            others,
            split={**self.split_, "test": self.records_.describe(frame)},
            sections=(_band_section(right, sure, self.neutral_band),),
            headline_text=f"{right.mean():.1%} of {len(right)} texts are classified correctly.",
            notes=(
                "Accuracy counts the likelier side of every text, neutral or not.",
                *self.rows_.shared(self.records_.seen(frame)),
                *filter(None, [self.left_out_]),
            ),
        )

    def _facts(self) -> dict[str, Any]:
        decision = {"threshold": 0.5, "neutral_band": self.neutral_band}
        notes = {"notes": [self.left_out_]} if self.left_out_ else {}
        return {"model": self.model, "decision": decision, **notes}

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
