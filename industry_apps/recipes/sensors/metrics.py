"""How remaining life is judged: errors at the last reading of each machine, and at all of them.

Letters in shapes: R readings, M machines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from industry_apps.evaluation.intervals import BootstrapResult, bootstrap
from industry_apps.evaluation.problems import Metric, Problem

_Floats = NDArray[np.float64]

#: Units of life after which an early and a late answer cost e - 1 (Saxena et al. 2008).
EARLY, LATE = 13.0, 10.0

REMAINING_LIFE = Problem(
    name="remaining life",
    metrics=(
        Metric("rmse", "root mean squared error, last reading, lives up to the cap", "low", 0),
        Metric("mae", "mean absolute error, last reading, lives up to the cap", "low", 0),
        Metric("nasa_score", "sum over machines of the PHM 2008 score, up to the cap", "low", 0),
        Metric("rmse_uncapped", "root mean squared error, last reading, lives as they are", "low"),
        Metric("nasa_score_uncapped", "the same score on lives as they are", "low"),
        Metric("rmse_all", "root mean squared error of all readings, up to the cap", "low"),
        Metric("mae_all", "mean absolute error of all readings, up to the cap", "low"),
        Metric("rmse_all_uncapped", "root mean squared error of all readings, as they are", "low"),
        Metric("coverage", "share of all readings whose life lies in the interval", "near"),
        Metric("coverage_last", "the same of the last reading of each machine", "near"),
        Metric("width", "mean width of the interval", "low"),
    ),
    trivial=("mean_life",),
)


def nasa_score(error: _Floats) -> _Floats:
    """The score of each answer: exp(-d/13) - 1 where it is early, exp(d/10) - 1 where late.

    Parameters
    ----------
    error : ndarray of float64
        Answer less what came.

    References
    ----------
    Saxena, Goebel, Simon and Eklund 2008, "Damage propagation modeling for aircraft engine
    run-to-failure simulation", doi:10.1109/PHM.2008.4711414.

    Examples
    --------
    >>> nasa_score(np.array([-13.0, 0.0, 10.0])).round(3).tolist()
    [1.718, 0.0, 1.718]
    """
    found: _Floats = np.exp(np.where(error < 0, -error / EARLY, error / LATE)) - 1
    return found


@dataclass(frozen=True, eq=False, kw_only=True)
class Judged:
    """Readings at which the life that was left is known.

    Parameters
    ----------
    life : ndarray of float64, shape [R]
    machine : ndarray of int64, shape [R]
        A place among the machines; all readings of one stand together, in order of time.
    cap : float
    """

    life: _Floats
    machine: NDArray[np.int64]
    cap: float

    @property
    def capped(self) -> _Floats:
        """Lives up to the cap."""
        return np.minimum(self.life, self.cap)

    @property
    def last(self) -> NDArray[np.bool_]:
        """Which reading is the last of its machine."""
        return np.append(self.machine[1:] != self.machine[:-1], True)

    def bootstrap(
        self, answer: _Floats, interval: tuple[_Floats, _Floats] | None = None
    ) -> BootstrapResult:
        """The metrics of answers [R], resampling whole machines.

        Parameters
        ----------
        answer : ndarray of float64, shape [R]
        interval : pair of ndarray of float64, shape [R], optional
        """
        metrics = self._errors(answer)
        if interval is not None:
            low, high = interval
            inside = ((low <= self.capped) & (self.capped <= high)).astype(np.float64)
            metrics |= {
                "coverage": _mean(inside, np.ones(len(inside))),
                "coverage_last": _mean(inside, self.last),
                "width": _mean(high - low, np.ones(len(inside))),
            }
        return bootstrap(metrics, self.machine, len(self.life))

    def _errors(self, answer: _Floats) -> dict[str, Callable[[_Floats], float]]:
        every, last = np.ones(len(answer)), self.last
        capped, plain = answer - self.capped, answer - self.life
        return {
            "rmse": _root(capped**2, last),
            "mae": _mean(np.abs(capped), last),
            "nasa_score": _sum(nasa_score(capped), last),
            "rmse_uncapped": _root(plain**2, last),
            "nasa_score_uncapped": _sum(nasa_score(plain), last),
            "rmse_all": _root(capped**2, every),
            "mae_all": _mean(np.abs(capped), every),
            "rmse_all_uncapped": _root(plain**2, every),
        }


def _sum(values: _Floats, counted: NDArray[np.bool_] | _Floats) -> Callable[[_Floats], float]:
    chosen = np.where(counted, values, 0.0)
    return lambda weight: float(weight @ chosen)


def _mean(values: _Floats, counted: NDArray[np.bool_] | _Floats) -> Callable[[_Floats], float]:
    share = np.where(counted, 1.0, 0.0)
    chosen = values * share
    return lambda weight: float(weight @ chosen / (weight @ share))


def _root(values: _Floats, counted: NDArray[np.bool_] | _Floats) -> Callable[[_Floats], float]:
    mean = _mean(values, counted)
    return lambda weight: float(np.sqrt(mean(weight)))


def by_life_left(judged: Judged, answers: Mapping[str, _Floats]) -> list[list[object]]:
    """Mean absolute error by how much life was left, a table with its header first.

    Parameters
    ----------
    judged : Judged
    answers : mapping of str to ndarray of float64, shape [R]
        System -> its answers.
    """
    edges = np.linspace(0, judged.cap, 6)
    rows: list[list[object]] = [["life left", "readings", *answers]]
    for low, high in [*pairwise(edges), (judged.cap, np.inf)]:
        chosen = (judged.life >= low) & (judged.life < high)
        if chosen.any():
            words = f"{low:g} to {high:g}" if np.isfinite(high) else f"{low:g} and more"
            errors = [
                float(np.abs(each - judged.capped)[chosen].mean()) for each in answers.values()
            ]
            rows.append([words, int(chosen.sum()), *errors])
    return rows
