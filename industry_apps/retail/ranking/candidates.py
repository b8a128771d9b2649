"""Models that are compared on held-out interactions, and the users who decide between them.

Where random interactions are held out, they are so several times: on one draw alone, half of
what tells two good models apart is chance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from industry_apps.retail.ranking.history import Histories, Requests
from industry_apps.retail.ranking.interactions import Interactions
from industry_apps.retail.ranking.metrics import ndcg_of
from industry_apps.retail.ranking.parts import Part, blended
from industry_apps.retail.ranking.rules import Rules, Wishes

#: Users who decide between models, and of whom recommendations are judged: more tell no more.
_MOST_JUDGED = 2_000


#: Weights and what was fitted: a model.
Parts = tuple[tuple[float, Part], ...]


class Candidate(NamedTuple):
    """A model that was fitted on parts of the interactions, and how to fit it on all of them.

    Parameters
    ----------
    name : str
    fitted : list of Parts
        On what is known of each fold.
    refit : callable
        Interactions -> the same, fitted on them.
    settings : mapping of str to JSON value
    score : float
        On the held-out interactions.
    """

    name: str
    fitted: list[Parts]
    refit: Callable[[Interactions], Parts]
    settings: Mapping[str, Any]
    score: float = float("nan")


def mixed(first: Candidate, second: Candidate, weight: float) -> Candidate:
    """Two models, of which the second counts by a weight > 0."""

    def weighed(parts: Parts) -> Parts:
        return tuple((weight * own, part) for own, part in parts)

    settings = dict(first.settings) if first.name == "blend" else {first.name: first.settings}
    return Candidate(
        "blend",
        [a + weighed(b) for a, b in zip(first.fitted, second.fitted, strict=True)],
        lambda every: first.refit(every) + weighed(second.refit(every)),
        {**settings, second.name: {**second.settings, "weight": weight}},
    )


class Folds(NamedTuple):
    """Interactions that models are fitted on, and those held out from each, by which they are told.

    Parameters
    ----------
    known, held_out : list of Interactions
    judges : list of Judged
    """

    known: list[Interactions]
    held_out: list[Interactions]
    judges: list[Judged]

    @classmethod
    def of(cls, pairs: list[tuple[Interactions, Interactions]], seed: int) -> Folds:
        """Of pairs of what is known and what is held out."""
        known, held_out = (list(each) for each in zip(*pairs, strict=True))
        return cls(known, held_out, [Judged.of(*pair, seed) for pair in pairs])

    def candidate(
        self, name: str, learn: Callable[[Interactions], Part], settings: Mapping[str, Any]
    ) -> Candidate:
        """A model of one part, fitted on each fold and scored."""

        def refit(every: Interactions) -> Parts:
            return ((1.0, learn(every)),)

        return self.scored(Candidate(name, [refit(each) for each in self.known], refit, settings))

    def scored(self, candidate: Candidate) -> Candidate:
        """The same with its score, the mean over the folds."""
        if not np.isnan(candidate.score):
            return candidate
        found = [j.ndcg(parts) for j, parts in zip(self.judges, candidate.fitted, strict=True)]
        return candidate._replace(score=float(np.mean(found)))


class Judged(NamedTuple):
    """Users on whose held-out interactions models are compared.

    Parameters
    ----------
    asked : Requests
    taken : ndarray of int64, shape [users, T]
    later : list of set of int
        What each took later.
    rules : Rules
    """

    asked: Requests
    later: list[set[int]]
    rules: Rules

    @classmethod
    def of(cls, known: Interactions, held_out: Interactions, seed: int) -> Judged:
        """Take users who have both, at most some thousands."""
        users = np.flatnonzero((known.counts > 0) & (held_out.counts > 0))
        if len(users) > _MOST_JUDGED:
            chosen = np.random.default_rng(seed).choice(users, _MOST_JUDGED, replace=False)
            users = np.sort(chosen)
        later: dict[int, set[int]] = {user: set() for user in users.tolist()}
        for user, item in zip(held_out.user.tolist(), held_out.item.tolist(), strict=True):
            if user in later:
                later[user].add(item)
        nothing = np.zeros((len(users), 1), dtype=np.int64)
        asked = Histories.of(known).joined(users, nothing)
        return cls(asked, list(later.values()), Rules(known.items, 10).padded())

    def ndcg(self, parts: Parts) -> float:
        """Mean nDCG@10 of a model; 0 where nobody can be judged."""
        if not self.later:
            return 0.0
        fixed, _ = blended(parts)
        found = []
        for part in slices_of(len(self.later), 512):
            user, codes, age, strength, new = self.asked
            asked = Requests(user[part], codes[part], age[part], strength[part], new[part])
            scores = np.sum([each.scores(asked) for each in fixed], axis=0)
            wishes = Wishes(np.full((len(asked.user), 1), "", dtype=object))
            width = len(self.rules.items) - scores.shape[1]
            best, _ = self.rules.best(np.pad(scores, ((0, 0), (0, width))), asked.codes, wishes)
            found.append(ndcg_of(best, self.later[part]))
        return float(np.concatenate(found).mean())


def slices_of(rows: int, most: int) -> list[slice]:
    """Cut so many rows into slices of at most so many."""
    return [slice(start, start + most) for start in range(0, max(rows, 1), most)]
