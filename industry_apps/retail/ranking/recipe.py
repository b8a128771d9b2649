"""Ranking of items for users: models compared on held-out interactions, then one graph.

Letters: B requests, W items of a request's history, A items that it allows, C items and "".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.features import GraphBuilder
from industry_apps.limits import check_parameters, integer
from industry_apps.retail.ranking.candidates import Candidate, Folds, mixed, slices_of
from industry_apps.retail.ranking.history import Histories
from industry_apps.retail.ranking.interactions import Interactions, check_enough
from industry_apps.retail.ranking.models import (
    cooccurrence,
    ease,
    factors,
    paired,
    usual_gap,
)
from industry_apps.retail.ranking.networks import MOST_SCORED, NextItem, attributes_of
from industry_apps.retail.ranking.parts import Part, blended
from industry_apps.retail.ranking.rules import Rules, Wishes
from industry_apps.training import TrainingOptions

Model = Literal["ease", "cooccurrence", "als", "bpr", "two_tower", "sasrec", "blend"]
Choice = Literal["auto", "ease", "cooccurrence", "als", "bpr", "two_tower", "sasrec", "blend"]

#: What is tried on the held-out interactions. MovieLens 100K lies within these.
_EASE_PENALTIES = (50.0, 200.0, 400.0, 800.0)
_ALS_PENALTIES = (5.0, 20.0, 60.0, 120.0)
_BPR_PENALTIES = (0.001, 0.01, 0.1)
#: Times the usual gap between interactions.
_SPANS = (1.0, 4.0, 16.0)
_PACES = {"ease": (10.0, 20.0, 50.0), "cooccurrence": (3.0, 10.0, 20.0)}
_BLENDS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
#: Times that random interactions are held out, where these are few enough for more than once.
_DRAWS, _FEW = 3, 1_000_000
_TRAINING = TrainingOptions(
    max_epochs=60, batch_size=64, learning_rate=2e-3, weight_decay=1e-2, patience=8
)
#: Bytes of the tensors of one run, and how many as wide as the catalogue it holds.
_BYTES_A_RUN, _WIDE_TENSORS = 400_000_000, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingOptions:
    """How items are ranked.

    Parameters
    ----------
    model : {"auto", "ease", "cooccurrence", "als", "bpr", "two_tower", "sasrec", "blend"}
        "auto" takes what ranks best on the held-out interactions.
    size : int
        Items that are recommended, in [1, 100].
    ordered : bool
        Whether the order of interactions tells what comes next: then the latest are held out,
        older ones may count less, and a model of sequences is tried.
    training : TrainingOptions
        Of the networks.
    seed : int
    """

    model: Choice = "auto"
    size: Annotated[int, integer(1, 100)] = 10
    ordered: bool = True
    training: TrainingOptions = field(default_factory=lambda: _TRAINING)
    seed: Annotated[int, integer(0)] = 0

    def __post_init__(self) -> None:
        check_parameters(self)


class RankingRecipe:
    """Learns who takes what, answers requests, and writes itself into a graph.

    Parameters
    ----------
    options : RankingOptions
    """

    def __init__(self, options: RankingOptions) -> None:
        self.options = options

    def fit(
        self,
        train: Interactions,
        validation: Interactions | None,
        items: pd.DataFrame,
        category: str = "",
    ) -> RankingRecipe:
        """Choose a model on held-out interactions, then learn from all of them.

        Parameters
        ----------
        train, validation : Interactions
            Without the second, a quarter of the interactions of each user is held out: the
            latest, or without an order random ones, three times.
        items : DataFrame
            Attributes, on an index of items.
        category : str
            Which of them a cap is about; "" without.

        Raises
        ------
        SchemaError, ParameterError, TrainingError, MissingExtraError
        """
        check_enough(train)
        every = train if validation is None else train.joined(validation)
        self.is_ordered_ = self.options.ordered and every.is_ordered
        self._attributes = attributes_of(every.items, items)
        self._folds = self._held_out(train, validation)
        tried = list(self._candidates())
        best = max(tried, key=lambda each: each.score)
        self.validation_ = {each.name: round(each.score, 4) for each in tried}
        self.model_, self.settings_ = best.name, dict(best.settings)
        self.hold(every, best.refit(every), items[category] if category else None)
        self.left_out_ = tuple(self._left_out(every))
        del self._folds, self._attributes
        return self

    def _held_out(self, train: Interactions, validation: Interactions | None) -> Folds:
        seed = self.options.seed
        if validation is not None:
            pairs = [(train, validation)]
        elif self.is_ordered_:
            pairs = [train.hold_out(seed, latest=True)]
        else:
            times = _DRAWS if len(train) <= _FEW else 1
            pairs = [train.hold_out(seed + 1_000 * n, latest=False) for n in range(times)]
        return Folds.of(pairs, seed)

    def hold(
        self,
        known: Interactions,
        parts: tuple[tuple[float, Part], ...],
        categories: pd.Series | None = None,
    ) -> RankingRecipe:
        """Answer by parts that are fitted already.

        Parameters
        ----------
        known : Interactions
            What is stored of each user, and not recommended again.
        parts : tuple of (float, Part)
            Weights, and what was fitted.
        categories : Series of str, optional
            What a cap is about, on an index of items.
        """
        self.parts_, self.unit_ = blended(parts)
        self.histories_ = Histories.of(known)
        self.popularity_ = known.popularity
        kinds = None
        if categories is not None:
            names = categories.reindex(known.items).fillna("").astype(str)
            kinds = pd.factorize(names.mask(names == ""))[0].astype(np.int64) + 1
        self.rules_ = Rules(known.items, self.options.size, kinds).padded()
        return self

    def answer(
        self, users: NDArray[Any], histories: NDArray[Any], wishes: Wishes, size: int | None = None
    ) -> tuple[NDArray[np.object_], NDArray[np.float32]]:
        """Names [B, K] of the best items and their scores [B, K]; "" and NaN behind the end.

        Parameters
        ----------
        users : ndarray of str, shape [B]
        histories : ndarray of str, shape [B, W]
        wishes : Wishes
        size : int, optional
            K; by default that of the options.
        """
        rules = self.rules_ if size is None else self.rules_.resized(size)
        found = [
            self._answer(users[part], histories[part], wishes.part(part), rules)
            for part in slices_of(len(users), self.rows_a_run)
        ]
        names, scores = (np.concatenate(each) for each in zip(*found, strict=True))
        return names, scores

    def _answer(
        self, users: NDArray[Any], histories: NDArray[Any], wishes: Wishes, rules: Rules
    ) -> tuple[NDArray[np.object_], NDArray[np.float32]]:
        asked = self.histories_.read(users, histories)
        scores = np.zeros((len(users), len(rules.items)), dtype=np.float32)
        scores[:, : len(self.popularity_)] = sum(part.scores(asked) for part in self.parts_)
        nothing = ~(asked.codes > 0).any(axis=1)
        scores[nothing] = self._popular(len(rules.items))
        best, found = rules.best(scores, asked.codes, wishes)
        return rules.items[best], found * np.float32(self.unit_)

    def write(
        self, builder: GraphBuilder, user: str, history: str, wishes: Wishes
    ) -> tuple[str, str]:
        """Append the same to a graph, from names [B, 1], [B, W] and [B, A] -> [B, K] each."""
        node, constant = builder.node, builder.constant
        asked = self.histories_.write(builder, user, history)
        scores, *others = (part.write(builder, asked) for part in self.parts_)
        for other in others:
            scores = node("Add", scores, other)
        width, names = len(self.popularity_), len(self.rules_.items)
        if names > width:
            ends = constant(np.array([0, 0, 0, names - width]))
            scores = node("Pad", scores, ends)
        axis = constant(np.array([1]))
        newest = node("ReduceMax", asked.codes, axis, attributes={"keepdims": 1})
        nothing = node("Equal", newest, constant(np.int64(0)))
        popular = constant(self._popular(names)[None])
        scores = node("Where", nothing, popular, scores)
        best, found = self.rules_.write(builder, scores, asked, wishes)
        return best, node("Mul", found, constant(np.float32(self.unit_)))

    @property
    def rows_a_run(self) -> int:
        """Requests that one run may hold."""
        width = len(self.rules_.items) * _WIDE_TENSORS * 4
        return int(np.clip(_BYTES_A_RUN // width, 16, 16_384))

    def facts(self) -> dict[str, Any]:
        """What was chosen, and how, as JSON values."""
        return {
            "model": self.model_,
            "settings": self.settings_,
            "validation_ndcg_at_10": self.validation_,
            "is_ordered": self.is_ordered_,
            "users": len(self.histories_.users) - 1,
            "items": len(self.histories_.items) - 1,
            "score_unit": self.unit_,
            "notes": list(self.left_out_),
        }

    def _popular(self, width: int) -> NDArray[np.float32]:
        """Scores [width] by popularity: the share of the most popular item, in units."""
        share = self.popularity_ / max(int(self.popularity_.max(initial=0)), 1)
        scores = np.zeros(width, dtype=np.float32)
        scores[: len(share)] = np.rint(share * min(1 / self.unit_, 2.0**23))
        return scores

    def _left_out(self, every: Interactions) -> Iterator[str]:
        """What the size of the catalogue rules out, in words."""
        names, (held, _) = " ".join([self.model_, *self.settings_]), paired(every)
        if len(held) < len(every.items) and any(n in names for n in ("ease", "cooccurrence")):
            yield (
                f"Of {len(every.items) - 1} items, EASE and what was taken close in time tell the "
                f"{len(held) - 1} most frequent."
            )
        if self.options.model == "auto" and self.is_ordered_ and len(every.items) > MOST_SCORED:
            yield f"A transformer of sequences is not tried on more than {MOST_SCORED} items."

    def _candidates(self) -> Iterator[Candidate]:
        """Models as asked for, each with the settings that rank best."""
        model, known = self.options.model, self._folds.known[0]
        if model != "auto":
            yield self._of(model)
            return
        names: list[Model] = ["ease", "als"]
        names += ["cooccurrence"] if known.is_ordered else []
        if self.is_ordered_ and len(known.items) <= MOST_SCORED:
            names.append("sasrec")
        found = [self._of(name) for name in names]
        yield from found
        if len(found) > 1:
            yield self._blend(found)

    def _of(self, model: Model) -> Candidate:
        match model:
            case "blend":
                return self._blend([self._of("ease"), self._of("als")])
            case "ease":
                return self._best(model, ease, self._paced(model, "penalty", _EASE_PENALTIES))
            case "cooccurrence":
                gap = usual_gap(self._folds.known[0])
                grid = self._paced(model, "span", [times * gap for times in _SPANS])
                return self._best(model, cooccurrence, grid)
            case "als" | "bpr":
                penalties = _ALS_PENALTIES if model == "als" else _BPR_PENALTIES
                learn = partial(factors, kind=model, seed=self.options.seed)
                return self._best(model, learn, [{"penalty": each} for each in penalties])
            case "sasrec" | "two_tower":
                return self._network(model)

    def _paced(self, name: str, setting: str, values: Sequence[float]) -> list[dict[str, Any]]:
        """All pairs of a setting and a pace at which interactions fade, where order counts."""
        paces = (None, *(_PACES[name] if self.is_ordered_ else ()))
        return [{setting: value, "pace": pace} for value in values for pace in paces]

    def _best(
        self, name: str, learn: Callable[..., Part], grid: Sequence[dict[str, Any]]
    ) -> Candidate:
        tried = [self._folds.candidate(name, partial(learn, **each), each) for each in grid]
        return max(tried, key=lambda each: each.score)

    def _network(self, kind: Literal["sasrec", "two_tower"]) -> Candidate:
        attributes = self._attributes
        learners = [
            NextItem(kind, self.options.training).fit(known, held_out, attributes)
            for known, held_out in zip(self._folds.known, self._folds.held_out, strict=True)
        ]
        candidate = Candidate(
            kind,
            [((1.0, learner.part()),) for learner in learners],
            lambda every: ((1.0, learners[0].refit(every, attributes).part()),),
            {"epochs": learners[0].history_.best_epoch},
        )
        return self._folds.scored(candidate)

    def _blend(self, candidates: list[Candidate]) -> Candidate:
        """The best and each of the others after it, with the weight that ranks best."""
        best, *others = sorted(candidates, key=lambda each: -each.score)
        for other in others:
            tried = [self._folds.scored(mixed(best, other, weight)) for weight in _BLENDS]
            best = max([best, *tried], key=lambda each: each.score)
        return best
