"""The evaluation of recommendations: model and baselines for the same users, paired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from industry_apps.errors import LeakageError
from industry_apps.evaluation.report import Report
from industry_apps.evaluation.sections import Section
from industry_apps.retail.ranking.history import Histories
from industry_apps.retail.ranking.interactions import (
    InteractionColumns,
    Interactions,
    code_of,
    described,
    read_interactions,
)
from industry_apps.retail.ranking.metrics import LONG, Recommended, ranking_bootstrap
from industry_apps.retail.ranking.models import item_knn
from industry_apps.retail.ranking.recipe import RankingRecipe
from industry_apps.retail.ranking.rules import Rules, Wishes

#: Requests of one pass.
_ROWS = 512


@dataclass(frozen=True, eq=False)
class RankingBaselines:
    """What a model has to beat: the most popular items, and neighbours by cosine.

    Parameters
    ----------
    histories : Histories
    popularity : ndarray of int64, shape [items + 1]
    similarity : csr_matrix of shape [items + 1, items + 1]
    """

    histories: Histories
    popularity: NDArray[np.int64]
    similarity: sp.csr_matrix

    @classmethod
    def of(cls, found: Interactions) -> RankingBaselines:
        """Learn from interactions."""
        return cls(Histories.of(found), found.popularity, item_knn(found))

    def recommended(self, users: NDArray[Any]) -> dict[str, NDArray[np.int64]]:
        """Codes of the best items [B, 20] for each baseline."""
        rules = Rules(self.histories.items, LONG).padded()
        found: dict[str, list[NDArray[np.int64]]] = {}
        for start in range(0, len(users), _ROWS):
            part = users[start : start + _ROWS]
            nothing = np.full((len(part), 1), "", dtype=object)
            asked = self.histories.read(part, nothing)
            popular = np.tile(self.popularity, (len(part), 1))
            row = np.repeat(np.arange(len(part)), asked.codes.shape[1])
            size = len(part), len(self.popularity)
            votes = sp.csr_matrix((asked.strength.ravel(), (row, asked.codes.ravel())), size)
            known = np.any(asked.codes > 0, axis=1, keepdims=True)
            near = np.where(known, (votes @ self.similarity).toarray(), popular)
            scores = {"popularity": popular, "item_knn": near}
            for name, each in scores.items():
                wide = np.pad(each, ((0, 0), (0, len(rules.items) - each.shape[1])))
                best, _ = rules.best(wide, asked.codes, Wishes(nothing))
                found.setdefault(name, []).append(best)
        return {name: np.concatenate(parts) for name, parts in found.items()}


def assess_ranking(
    recipe: RankingRecipe,
    baselines: Sequence[RankingBaselines],
    frame: pd.DataFrame,
    names: InteractionColumns,
    split: Mapping[str, Mapping[str, Any]],
) -> Report:
    """Evaluate a fitted recipe and its baselines on what users took later.

    Items that a user had taken before are no answer to what is recommended, and left out.

    Parameters
    ----------
    recipe : RankingRecipe
    baselines : sequence of RankingBaselines
        None until they are learned.
    frame : DataFrame
        Interactions.
    names : InteractionColumns
    split : mapping
        What was learned from.

    Raises
    ------
    SchemaError
    LeakageError
        Every interaction was learned from.
    """
    (later,) = read_interactions([frame], names)
    users, taken, again = _taken(later, recipe.histories_)
    if again and not taken:
        raise LeakageError(
            f"All {again} interactions to judge on were learned from. Give later ones: split does."
        )
    nothing = np.full((len(users), 1), "", dtype=object)
    answered, _ = recipe.answer(users, nothing, Wishes(nothing), size=LONG)
    found = {"model": code_of(answered, recipe.histories_.items)}
    for rivals in baselines:
        found |= rivals.recommended(users)
    results = {
        name: ranking_bootstrap(Recommended(items, taken, recipe.popularity_))
        for name, items in found.items()
    }
    model = results.pop("model")
    notes = list(recipe.left_out_)
    if again:
        notes.append(f"{again} interactions with items taken before are left out.")
    unknown = int((code_of(users, recipe.histories_.users) == 0).sum())
    if unknown:
        notes.append(f"{unknown} users are unknown to the model and get the most popular items.")
    return Report.beside(
        recipe.model_,
        model,
        results,
        split={**split, "test": {**described(later), "judged_users": len(users)}},
        headline_text=(
            f"Of ten recommended items, {_right(found['model'], taken):.2g} are taken by a user "
            "on average."
        ),
        notes=tuple(notes),
        sections=_compared(recipe),
    )


def _compared(recipe: RankingRecipe) -> tuple[Section, ...]:
    """Between which models was chosen, and by what."""
    if len(recipe.validation_) < 2:
        return ()
    best_first = sorted(recipe.validation_.items(), key=lambda each: -each[1])
    rows = [[name, score, name == recipe.model_] for name, score in best_first]
    words = (
        "Models on interactions that were held out of the training data; the best was fitted "
        "again on all of these."
    )
    header = ["model", "validation_ndcg_at_10", "chosen"]
    return (Section("Choice of the model", words, [header, *rows]),)


def _taken(
    later: Interactions, known: Histories
) -> tuple[NDArray[np.object_], list[set[int]], int]:
    """Users, what each took in codes of the model (negative: unknown to it), and repetitions."""
    codes = code_of(later.items, known.items)
    codes = np.where(codes > 0, codes, -np.arange(len(codes)))
    users, taken, again = [], [], 0
    for user, start, count in zip(later.users, later.starts, later.counts, strict=True):
        if not count:
            continue
        own = set(codes[later.item[start : start + count]].tolist())
        (place,) = code_of(np.array([user], dtype=object), known.users)
        first = known.starts[place]
        before = set(known.codes[first : first + known.counts[place]].tolist())
        again += len(own & before)
        if own - before:
            users.append(user)
            taken.append(own - before)
    return np.array(users, dtype=object), taken, again


def _right(items: NDArray[np.int64], taken: list[set[int]]) -> float:
    hits = [len(set(row[:10]) & own) for row, own in zip(items.tolist(), taken, strict=True)]
    return float(np.mean(hits))
