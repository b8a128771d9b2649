"""Metrics of recommendations: how many right ones, how high, how many different, how popular.

Letters: U users, K recommended items, I items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from industry_apps.errors import SchemaError
from industry_apps.evaluation.intervals import BootstrapResult, bootstrap
from industry_apps.evaluation.problems import Metric, Problem

#: A list of items for each user.
RANKING = Problem(
    name="ranking",
    metrics=(
        Metric(
            "ndcg_at_10",
            "gain of ten recommended items, less by their place, over the best possible",
            best=1,
        ),
        Metric("recall_at_20", "share of the items taken that are among twenty recommended"),
        Metric("map", "mean average precision of ten recommended items"),
        Metric("coverage", "share of all items that anybody is recommended"),
        Metric("novelty", "mean information of the recommended items, in bits"),
        Metric(
            "popularity_bias", "popularity of recommended items over that of items taken", "low"
        ),
    ),
    trivial=("popularity",),
)


__all__ = ["Recommended", "hits_of", "ndcg_of", "ranking_bootstrap"]

_Floats = npt.NDArray[np.float64]
_Codes = npt.NDArray[np.int64]

#: Places that nDCG and MAP look at, and those of recall.
TOP, LONG = 10, 20


@dataclass(frozen=True, eq=False)
class Recommended:
    """What users were recommended, beside what they took.

    Parameters
    ----------
    items : ndarray of int64, shape [U, K]
        Codes, the best first; 0 where there are fewer. K is at least 20.
    taken : sequence of set of int, length U
        Codes of the items that each user took; at least one.
    popularity : ndarray of int64, shape [I + 1]
        How often each item was taken before; the first is none.
    """

    items: _Codes
    taken: Sequence[set[int]]
    popularity: npt.NDArray[np.int64]


def hits_of(items: _Codes, taken: Sequence[set[int]]) -> npt.NDArray[np.bool_]:
    """Whether each recommended item [U, K] was taken.

    Parameters
    ----------
    items, taken
        As in :class:`Recommended`.
    """
    rows = [[code in own for code in row] for row, own in zip(items.tolist(), taken, strict=True)]
    return np.array(rows, dtype=bool).reshape(items.shape)


def ndcg_of(items: _Codes, taken: Sequence[set[int]], top: int = TOP) -> _Floats:
    """Normalised discounted cumulative gain of each user [U]; an item counts 1 or 0.

    Parameters
    ----------
    items, taken
        As in :class:`Recommended`.
    top : int, default 10
        Places that are looked at.

    Returns
    -------
    ndarray of shape [U]
        In [0, 1]: 1 where the first places are all of items that were taken.

    References
    ----------
    Jarvelin, K. and Kekalainen, J. (2002). Cumulated gain-based evaluation of IR techniques.
    ACM Transactions on Information Systems 20, 422-446, doi:10.1145/582415.582418.

    Examples
    --------
    >>> ndcg_of(np.array([[3, 1, 2]]), [{3, 2}], top=3).round(3)
    array([0.92])
    """
    return _ndcg(hits_of(items[:, :top], taken), np.array([len(own) for own in taken]))


def _ndcg(hits: npt.NDArray[np.bool_], count: _Codes) -> _Floats:
    gain = 1 / np.log2(np.arange(hits.shape[1]) + 2)
    best = np.append(0.0, np.cumsum(gain))[np.minimum(count, hits.shape[1])]
    ndcg: _Floats = (hits @ gain) / best
    return ndcg


def ranking_bootstrap(
    found: Recommended, *, resamples: int = 400, seed: int = 0
) -> BootstrapResult:
    """Measure recommendations, resampling users.

    ``ndcg_at_10``; ``recall_at_20``: share of what a user took among twenty items; ``map``:
    mean over users of the average precision of ten items; ``coverage``: share of the items
    that anybody is recommended among ten; ``novelty``: mean information of a recommended item,
    in bits, of the chance that an interaction is with it; ``popularity_bias``: mean popularity
    of the recommended items over that of the items that were taken, so 1 where neither is
    more popular.

    Parameters
    ----------
    found : Recommended
    resamples : int, default 400
    seed : int, default 0
        Same users and seed, same resamples: differences are paired.

    Raises
    ------
    SchemaError
        Nobody took anything.

    References
    ----------
    Castells, P., Hurley, N. and Vargas, S. (2015). Novelty and diversity in recommender systems.
    Recommender Systems Handbook, 881-918, doi:10.1007/978-1-4899-7637-6_26. Abdollahpouri, H.
    et al. (2019). The unfairness of popularity bias in recommendation. arXiv:1907.13286.

    Examples
    --------
    >>> items = np.tile(np.arange(1, 21), (2, 1))
    >>> found = Recommended(items, [{1}, {2, 50}], np.arange(60))
    >>> result = ranking_bootstrap(found)
    >>> result.values["recall_at_20"], round(result.values["ndcg_at_10"], 3)
    (0.75, 0.693)
    """
    if not found.taken:
        raise SchemaError("Nobody took anything in these interactions, so nothing can be judged.")
    per_user = _per_user(found)

    def mean_of(name: str, weight: _Floats) -> float:
        values = per_user[name]
        known = ~np.isnan(values)
        total = weight[known].sum()
        return float(weight[known] @ values[known] / total) if total else float("nan")

    def ratio(weight: _Floats) -> float:
        wished = mean_of("taken_popularity", weight)
        return mean_of("popularity", weight) / wished if wished > 0 else float("nan")

    first = found.items[:, :TOP]
    items = max(int((found.popularity > 0).sum()), 1)

    def coverage(weight: _Floats) -> float:
        return len(np.unique(first[weight > 0][first[weight > 0] > 0])) / items

    metrics = {
        name: lambda weight, name=name: mean_of(name, weight)
        for name in ("ndcg_at_10", "recall_at_20", "map", "novelty")
    }
    return bootstrap(
        {**metrics, "coverage": coverage, "popularity_bias": ratio},
        None,
        len(found.taken),
        resamples=resamples,
        seed=seed,
    )


def _per_user(found: Recommended) -> Mapping[str, _Floats]:
    """Each metric of each user [U]; NaN where it says nothing."""
    hits = hits_of(found.items, found.taken)
    count = np.array([len(own) for own in found.taken], dtype=np.int64)
    first, top = hits[:, :TOP], found.items[:, :TOP]
    precision = first.cumsum(axis=1) / (np.arange(first.shape[1]) + 1)
    share = found.popularity / max(int(found.popularity.sum()), 1)
    # An item that nobody took yet is as new as one that was taken once.
    bits = -np.log2(np.maximum(share, 1 / max(int(found.popularity.sum()), 1)))
    given = top > 0
    many = given.sum(axis=1)
    taken = [[code for code in own if code > 0] for own in found.taken]
    with np.errstate(invalid="ignore"):
        return {
            "ndcg_at_10": _ndcg(first, count),
            "recall_at_20": hits[:, :LONG].sum(axis=1) / count,
            "map": (precision * first).sum(axis=1) / np.minimum(count, TOP),
            "novelty": (bits[top] * given).sum(axis=1) / many,
            "popularity": (share[top] * given).sum(axis=1) / many,
            "taken_popularity": np.array(
                [share[own].mean() if own else np.nan for own in taken], dtype=np.float64
            ),
        }
