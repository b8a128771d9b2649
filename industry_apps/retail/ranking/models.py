"""Models of who takes what, without a network: neighbours in closed form, and factors.

Methods: Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019, arXiv:1905.03375;
Hu, Koren and Volinsky, Collaborative Filtering for Implicit Feedback Datasets, ICDM 2008,
doi:10.1109/ICDM.2008.22; Rendle et al., BPR: Bayesian Personalized Ranking from Implicit
Feedback, UAI 2009, arXiv:1205.2618. Factors are learned by the package implicit.

Items taken in one sitting go together, as those of one basket do: Linden, Smith and York,
Amazon.com Recommendations, IEEE Internet Computing 2003, doi:10.1109/MIC.2003.1167344. Here two
of them count by the time between them.

What differs from the paper of EASE: users with long histories count less, and items are scaled
by their popularity before the regression and back after it. Both powers were chosen on parts of
the training data of MovieLens 100K.

Letters: C items and "", D factors.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, require
from industry_apps.retail.ranking.interactions import Interactions
from industry_apps.retail.ranking.parts import Factors, Neighbours
from industry_apps.schema.values import MISSING_TIME

#: A table of all pairs is not made of more items; of a larger catalogue one of the most frequent.
MOST_PAIRED, FREQUENT = 8_000, 4_000
#: Items of which the similarities are found in one pass.
_ITEMS_A_PASS = 1_000
#: A user with n interactions counts by n to this power.
_USER_POWER = -0.5
#: An item is scaled by its popularity to this power.
_ITEM_POWER = -0.25
#: An item is told by what was taken near it: so many before and after.
_MOST_NEAR = 50
#: Popularity of the item that tells, and of the one that is told, to these powers divide. Chosen
#: as the powers above.
_TELLS, _TOLD, _SHRINK = 0.75, 0.25, 10.0
#: Interactions older than those that count less than this are not kept apart.
_FADED = 1 / 32
#: Numbers that are learned for each user and each item.
_FACTORS = 64
#: How much more an interaction counts than none, in the regressions of ALS.
_CONFIDENCE = 8.0
_ROUNDS = 15


def fading_of(pace: float | None) -> NDArray[np.float32]:
    """What an interaction counts by its age, [ages]: falling to 1/e in so many; 1 without."""
    if pace is None:
        return np.ones(1, dtype=np.float32)
    ages = np.arange(int(np.ceil(-pace * np.log(_FADED))) + 1)
    return np.append(np.exp(-ages / pace), 0.0).astype(np.float32)


def ease(found: Interactions, *, penalty: float, pace: float | None = None) -> Neighbours:
    """Regress each item on all others, in closed form.

    Parameters
    ----------
    found : Interactions
    penalty : float
        Of the squares of the weights, > 0, in interactions.
    pace : float, optional
        Interactions after which one counts 1/e; all count alike without it.
    """
    items, place = paired(found)
    taken = found.matrix()[:, items]
    weight = np.maximum(found.counts, 1.0) ** _USER_POWER
    weight /= weight[1:].mean()
    rows = sp.diags_array(np.sqrt(weight)) @ taken
    together = np.asarray((rows.T @ rows).todense())  # [C, C]
    scale = np.maximum(found.popularity[items], 1.0) ** _ITEM_POWER
    scaled = together * scale * scale[:, None]
    penalty *= float(np.trace(scaled) / max(np.trace(together), 1e-12))
    inverse = np.linalg.inv(scaled + penalty * np.eye(len(items)))
    weights = -inverse / np.diag(inverse)  # [from, to]
    np.fill_diagonal(weights, 0.0)
    weights *= scale[:, None] / scale
    weights[0] = weights[:, 0] = 0.0
    return Neighbours.of(weights, fading_of(pace), place)


def paired(found: Interactions) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Codes [S] of the items that a table of pairs holds, and the row of each item [C] in it.

    Of catalogues up to 8 000 items these are all, of larger ones the 4 000 most frequent.
    """
    every = np.arange(len(found.items))
    if len(every) <= MOST_PAIRED:
        return every, every
    most = np.argsort(-found.popularity[1:], kind="stable")[:FREQUENT] + 1
    items = np.append(0, np.sort(most))
    place = np.zeros(len(every), dtype=np.int64)
    place[items] = np.arange(len(items))
    return items, place


def usual_gap(found: Interactions) -> float:
    """Seconds between an interaction and the next of the same user: the median of those above 0."""
    gaps = np.diff(found.time)[np.diff(found.user) == 0]
    return float(np.median(gaps[gaps > 0])) if (gaps > 0).any() else 1.0


def cooccurrence(found: Interactions, *, span: float, pace: float | None = None) -> Neighbours:
    """Count which items the same user took close in time.

    Parameters
    ----------
    found : Interactions
        All with a moment.
    span : float
        Seconds between two interactions in which what they tell of each other falls to 1/e, > 0.
    pace : float, optional
        Interactions after which one counts 1/e; all count alike without it.

    Raises
    ------
    ParameterError
        An interaction has no moment.
    """
    if (found.time == MISSING_TIME).any():
        raise ParameterError(
            "The 'model' parameter: 'cooccurrence' needs the moment of every interaction. Give a "
            "column of times, or use model='ease'."
        )
    items, place = paired(found)
    row = place[found.item]
    near = sp.csr_matrix((len(items), len(items)))
    for lag in range(1, _MOST_NEAR + 1):
        same = np.flatnonzero(found.user[lag:] == found.user[:-lag])
        weight = np.exp(-(found.time[same + lag] - found.time[same]) / span)
        pairs = row[same], row[same + lag]
        near += sp.csr_matrix((weight, pairs), shape=near.shape)
    count = found.popularity[items] + _SHRINK
    both = np.asarray((near + near.T).todense())
    table = both / (count[:, None] ** _TELLS * count**_TOLD)
    np.fill_diagonal(table, 0.0)
    table[0] = table[:, 0] = 0.0
    # In the unit of EASE, whose scores are a regression of what was taken.
    taken = found.matrix(np.ones(len(found)))[:, items]
    scores = np.asarray(taken @ table)
    table *= scores[found.user, row].sum() / max(float(np.square(scores).sum()), 1e-12)
    return Neighbours.of(table, fading_of(pace), place)


def item_knn(found: Interactions, neighbours: int = 200, shrink: float = 10.0) -> sp.csr_matrix:
    """Cosine similarity of items, of each the nearest only: the classical baseline.

    Parameters
    ----------
    found : Interactions
    neighbours : int
        For each item.
    shrink : float
        Added to the length: rare items are less sure.

    Returns
    -------
    csr_matrix of shape [C, C]
        From the item of a row to the item of a column.
    """
    taken = found.matrix(np.ones(len(found))).tocsc()
    count = found.popularity.astype(np.float64)
    columns: list[Any] = []
    for first in range(0, taken.shape[1], _ITEMS_A_PASS):
        together = (taken.T @ taken[:, first : first + _ITEMS_A_PASS]).tocsc()
        for item, (start, stop) in enumerate(pairwise(together.indptr), start=first):
            others, shared = together.indices[start:stop], together.data[start:stop]
            near = shared / (np.sqrt(count[others] * count[item]) + shrink)
            near[others == item] = 0.0
            kept = np.argsort(-near, kind="stable")[:neighbours]
            columns.append((others[kept], near[kept]))
    ends = np.cumsum([0, *(len(others) for others, _ in columns)])
    rows, values = (np.concatenate(each) for each in zip(*columns, strict=True))
    return sp.csc_matrix((values, rows, ends), shape=(len(count), len(count))).tocsr()


def factors(
    found: Interactions, kind: Literal["als", "bpr"], *, penalty: float, seed: int = 0
) -> Factors:
    """Learn factors of users and items.

    Parameters
    ----------
    found : Interactions
    kind : {"als", "bpr"}
        Alternating least squares, or pairwise ranking by gradient descent.
    penalty : float
        Of the squares of the factors, >= 0.
    seed : int

    Raises
    ------
    MissingExtraError
        implicit is not installed.
    """
    require("implicit", extra="retail", needed_by=f"model='{kind}'")
    from threadpoolctl import threadpool_limits

    taken = found.matrix()[1:, 1:].astype(np.float32)
    with threadpool_limits(1, "blas"):  # implicit's own threads are faster; one repeats itself
        model = _implicit(kind, penalty, seed)
        model.fit(taken, show_progress=False)
    users, items = (_behind_nobody(each) for each in (model.user_factors, model.item_factors))
    if kind == "bpr":
        users[np.append(True, found.counts[1:] == 0)] = 0.0
    return Factors.of(users, _folds(found, users, items), items)


def _implicit(kind: Literal["als", "bpr"], penalty: float, seed: int) -> Any:
    if kind == "bpr":
        from implicit.bpr import BayesianPersonalizedRanking

        return BayesianPersonalizedRanking(
            factors=_FACTORS,
            regularization=penalty,
            learning_rate=0.05,
            iterations=150,
            random_state=seed,
            num_threads=1,
        )
    from implicit.als import AlternatingLeastSquares

    return AlternatingLeastSquares(
        factors=_FACTORS,
        regularization=penalty,
        alpha=_CONFIDENCE,
        iterations=_ROUNDS,
        random_state=seed,
        num_threads=1,
        use_cg=False,
        dtype=np.float64,
    )


def _behind_nobody(rows: NDArray[Any]) -> NDArray[np.float64]:
    return np.concatenate([np.zeros((1, rows.shape[1])), np.asarray(rows, dtype=np.float64)])


def _folds(
    found: Interactions, users: NDArray[np.float64], items: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What each item [C, D] in a history says about the factors of its user, by regression."""
    told = found.matrix(np.ones(len(found))) @ items  # [users + 1, D]
    square = told.T @ told
    ridge = 1e-3 * max(float(np.trace(square)) / len(square), 1e-12)
    map_ = np.linalg.solve(square + ridge * np.eye(len(square)), told.T @ users)
    folds: NDArray[np.float64] = items @ map_
    return folds
