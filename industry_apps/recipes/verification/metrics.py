"""Errors of one-to-one comparison: two samples of one person or of two, and a score for each pair.

Terms are those of ISO/IEC 19795-1: a false match takes two persons for one, a false non-match one
person for two.

Letters: N samples, P pairs, D values of an embedding, G persons.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import SchemaError
from industry_apps.evaluation.intervals import BootstrapResult, bootstrap
from industry_apps.evaluation.problems import Metric, Problem
from industry_apps.runtime.verification.scoring import unit

__all__ = ["ENROLLED", "Pairs", "all_pairs", "pair_bootstrap"]

_Floats = NDArray[np.float64]

#: Samples of which a template is made where figures speak of several.
ENROLLED = 3
#: The rate of false matches at which that of false non-matches is told.
FALSE_MATCHES = 0.01

#: Whether two samples are of one person.
VERIFICATION = Problem(
    name="verification",
    metrics=(
        Metric("eer", "errors at the threshold where both kinds are as frequent", "low", best=0),
        Metric("fnmr_at_1_percent_fmr", "refused of one person at 1 % of others accepted", "low"),
        Metric("three_enrolled_eer", "the same with three samples in each template", "low"),
        Metric("three_enrolled_fnmr_at_1_percent_fmr", "the same at 1 % of others accepted", "low"),
        Metric("false_match_rate", "others accepted at the threshold of the file", "near"),
        Metric("false_non_match_rate", "refused of one person at that threshold", "low"),
    ),
    trivial=("chance",),
)


class Pairs:
    """Scores of pairs, by falling score.

    Parameters
    ----------
    score : ndarray of shape [P]
    same : ndarray of bool, shape [P]
        Whether both are of one person.
    first, second : ndarray of int, shape [P]
        Rows of the two samples: whose weights a pair has.

    Raises
    ------
    SchemaError
        A score is not finite, or pairs of one person or of two are missing.
    """

    def __init__(
        self,
        score: _Floats,
        same: NDArray[np.bool_],
        first: NDArray[np.intp],
        second: NDArray[np.intp],
    ) -> None:
        if not np.isfinite(score).all():
            raise SchemaError("A score of a pair is not finite. Check the samples.")
        if same.all() or not same.any():
            raise SchemaError(
                f"All {len(same)} pairs are of {'one person' if same.all() else 'two'}, so no "
                "error can be told. Give two persons or more, and two samples or more of one."
            )
        order = np.argsort(-score, kind="stable")
        self.score, self.same = score[order], same[order]
        self._first, self._second = first[order], second[order]
        self._ends = np.flatnonzero(np.append(np.diff(self.score) != 0, True))  # of equal scores
        self._known: tuple[_Floats, tuple[_Floats, _Floats]] | None = None

    def eer(self, weight: _Floats) -> float:
        """Equal error rate, linear between the two thresholds around it; NaN where undefined.

        Parameters
        ----------
        weight : ndarray of shape [N]
            How often each sample counts; those of a person alike.
        """
        accepted, refused = self._curves(weight)
        if np.isnan(accepted[-1] + refused[-1]):
            return float("nan")
        place = int((accepted >= refused).argmax())
        before = refused[place - 1] - accepted[place - 1]  # > 0: all are refused at first
        after = accepted[place] - refused[place]
        share = before / (before + after)
        return float(accepted[place - 1] + share * (accepted[place] - accepted[place - 1]))

    def refused_at(self, rate: float) -> Callable[[_Floats], float]:
        """The rate of false non-matches at the lowest threshold with no more false matches."""

        def metric(weight: _Floats) -> float:
            accepted, refused = self._curves(weight)
            if np.isnan(accepted[-1] + refused[-1]):
                return float("nan")
            return float(refused[np.searchsorted(accepted, rate + 1e-12, side="right") - 1])

        return metric

    def rates_at(self, threshold: float) -> dict[str, Callable[[_Floats], float]]:
        """Rates of false matches and of false non-matches at a threshold; it is accepted."""
        place = int(np.searchsorted(-self.score[self._ends], -threshold, side="right"))
        return {
            "false_match_rate": lambda weight: float(self._curves(weight)[0][place]),
            "false_non_match_rate": lambda weight: float(self._curves(weight)[1][place]),
        }

    def threshold_at(self, rate: float) -> float:
        """The lowest threshold at which no larger share of the pairs of two persons is accepted.

        Parameters
        ----------
        rate : float
            In (0, 1).
        """
        others = self.score[~self.same]  # falling
        return float(np.nextafter(others[int(rate * len(others))], np.inf))

    def _curves(self, weight: _Floats) -> tuple[_Floats, _Floats]:
        """Rates of false matches and false non-matches, from the highest threshold to the lowest.

        A person drawn twice is one person still: pairs of one count as often as the person, pairs
        of two as often as both.
        """
        if self._known and self._known[0] is weight:  # several metrics ask of one resample
            return self._known[1]
        one, two = weight[self._first], weight[self._second]
        genuine = np.cumsum(np.where(self.same, one, 0.0))[self._ends]
        others = np.cumsum(np.where(self.same, 0.0, one * two))[self._ends]
        with np.errstate(invalid="ignore"):
            accepted, found = others / others[-1], genuine / genuine[-1]
        self._known = weight, (np.append(0.0, accepted), np.append(1.0, 1 - found))
        return self._known[1]


def all_pairs(
    embedding: NDArray[np.floating],
    person: NDArray[np.intp],
    model: NDArray[np.intp] | None = None,
) -> Pairs:
    """Every pair of samples, by the cosine of their embeddings.

    Parameters
    ----------
    embedding : ndarray of shape [N, D]
    person : ndarray of int, shape [N]
    model : ndarray of int, shape [N], optional
        Which model has made each embedding, where they are several: only those of one compare.

    Examples
    --------
    >>> pairs = all_pairs(np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]]), np.array([0, 0, 1]))
    >>> pairs.eer(np.ones(3)), round(pairs.threshold_at(0.01), 3)
    (0.0, 0.1)
    """
    units = unit(embedding)
    first, second = np.triu_indices(len(person), 1)
    if model is not None:
        comparable = model[first] == model[second]
        first, second = first[comparable], second[comparable]
    score = (units @ units.T)[first, second]
    return Pairs(score, person[first] == person[second], first, second)


def enrolled_pairs(
    embedding: NDArray[np.floating], person: NDArray[np.intp], samples: int = ENROLLED
) -> Pairs | None:
    """Every further sample against the template of each person: the mean of its first samples.

    Parameters
    ----------
    embedding : ndarray of shape [N, D]
    person : ndarray of int, shape [N]
        0 to G - 1, each occurs.
    samples : int
        Of a template.

    Returns
    -------
    Pairs or None
        None where somebody has no further sample.
    """
    units = unit(embedding)
    rows = [np.flatnonzero(person == number) for number in range(person.max() + 1)]
    if min(map(len, rows)) <= samples:
        return None
    templates = unit(np.array([units[each[:samples]].mean(axis=0) for each in rows]))  # [G, D]
    probes = np.concatenate([each[samples:] for each in rows])
    score = units[probes] @ templates.T
    same = person[probes][:, None] == np.arange(len(rows))
    first = np.broadcast_to(probes[:, None], same.shape)
    second = np.broadcast_to([each[0] for each in rows], same.shape)
    return Pairs(score.ravel(), same.ravel(), first.ravel(), second.ravel())


def pair_bootstrap(
    embedding: NDArray[np.floating],
    person: NDArray[np.intp],
    *,
    threshold: float | None = None,
    seed: int = 0,
) -> BootstrapResult:
    """Compute the metrics of verification, and keep resamples of persons.

    Parameters
    ----------
    embedding : ndarray of shape [N, D]
    person : ndarray of int, shape [N]
        0 to G - 1, each occurs.
    threshold : float, optional
        Of the file, for the rates there.
    seed : int
        Of the bootstrap.

    Returns
    -------
    BootstrapResult
        Those with three enrolled samples only where everybody has four.

    Notes
    -----
    Fewer than about 30 persons give intervals that are too narrow.
    """
    single, several = all_pairs(embedding, person), enrolled_pairs(embedding, person)
    metrics: dict[str, Callable[[_Floats], float]] = dict(_rates(single))
    if several is not None:
        metrics |= {f"three_enrolled_{name}": each for name, each in _rates(several).items()}
    if threshold is not None:
        metrics |= single.rates_at(threshold)
    return bootstrap(metrics, person, len(person), seed=seed)


def _rates(pairs: Pairs) -> Mapping[str, Callable[[_Floats], float]]:
    return {"eer": pairs.eer, "fnmr_at_1_percent_fmr": pairs.refused_at(FALSE_MATCHES)}
