"""How a detector of plant faults is judged: faults found, false alarms, delay, and diagnosis.

Letters in shapes: R readings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from industry_apps.evaluation.intervals import BootstrapResult, bootstrap
from industry_apps.evaluation.problems import Metric, Problem

__all__ = ["PLANT_FAULTS", "Alarms", "JudgedReadings"]

_Floats = NDArray[np.float64]
_Bools = NDArray[np.bool_]

PLANT_FAULTS = Problem(
    name="plant faults",
    metrics=(
        Metric("mean_detection_rate", "mean over faults of the readings that raise an alarm"),
        Metric("false_alarm_rate", "share of the normal readings that raise an alarm", "low"),
        Metric(
            "detection_rate_at_1_percent",
            "the first, had the threshold been set at 1 % false alarms of this test",
        ),
        Metric("mean_detection_rate_apart", "the first, of the faults that are reported apart"),
        Metric(
            "median_delay",
            "readings from the begin of a fault to its first alarm, or to its end",
            "low",
            0,
        ),
        Metric("macro_f1", "mean over faults of F1 of the likeliest fault, by reading"),
    ),
    trivial=("never",),
)

#: Share of false alarms at which detectors are compared whose thresholds promise different ones.
_RATE = 0.01


@dataclass(frozen=True, eq=False)
class Alarms:
    """What one detector said of some readings.

    Parameters
    ----------
    score : ndarray of float64, shape [R]
        As a share of its threshold: an alarm from 1 on.
    likely : ndarray of str, shape [R], or None
        The likeliest fault, where it tells one.
    """

    score: _Floats
    likely: NDArray[np.object_] | None = None

    @property
    def raised(self) -> _Bools:
        """Which readings raise an alarm."""
        return self.score >= 1


@dataclass(frozen=True, eq=False, kw_only=True)
class JudgedReadings:
    """Readings to judge detectors on, in order of run and time.

    Parameters
    ----------
    run : ndarray of int64, shape [R]
    fault : ndarray of str, shape [R]
    normal : str
        Of the readings without a fault.
    apart : tuple of str
        Faults that are reported apart.
    learned : tuple of str
        Faults that the diagnosis knows.
    """

    run: NDArray[np.int64]
    fault: NDArray[np.object_]
    normal: str
    apart: tuple[str, ...] = ()
    learned: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """Faults that occur, sorted."""
        return tuple(sorted(set(self.fault.tolist()) - {self.normal}))

    @property
    def usual(self) -> _Bools:
        """Which readings are normal."""
        return self.fault == self.normal

    def bootstrap(self, alarms: Alarms) -> BootstrapResult:
        """Metrics of a detector, resampling runs."""
        rows = {name: self.fault == name for name in self.faults}
        main = [each for name, each in rows.items() if name not in self.apart]
        hard = [each for name, each in rows.items() if name in self.apart]
        raised, usual = alarms.raised.astype(np.float64), self.usual
        metrics: dict[str, Callable[[_Floats], float]] = {
            "mean_detection_rate": lambda weight: _mean_rate(raised, main, weight),
            "false_alarm_rate": lambda weight: _rate(raised, usual, weight),
            "detection_rate_at_1_percent": lambda weight: _at_rate(
                alarms.score, usual, main, weight
            ),
        }
        if hard:
            metrics["mean_detection_rate_apart"] = lambda weight: _mean_rate(raised, hard, weight)
        delays = self.delays(alarms)
        first = np.array([begin for begin, _, _ in delays], dtype=np.int64)
        waited = np.array([float(delay) for _, delay, _ in delays])
        metrics["median_delay"] = lambda weight: _median(waited, weight[first])
        told = [name for name in self.faults if name in self.learned]
        if alarms.likely is not None and told:
            known = np.isin(self.fault, told)
            pairs = [(rows[name], known & (alarms.likely == name)) for name in told]
            metrics["macro_f1"] = lambda weight: float(
                np.nanmean([_f1(came, answered, weight) for came, answered in pairs])
            )
        return bootstrap(metrics, self.run, len(self.run))

    def delays(self, alarms: Alarms) -> list[tuple[int, int, bool]]:
        """Of each fault of a run: its first reading, the delay, and whether it was found.

        The delay is of readings until the first alarm; of a fault that was never found, all.
        """
        label = np.where(self.usual, "", self.fault)
        changes = (np.roll(label, 1) != label) | (np.roll(self.run, 1) != self.run)
        changes[:1] = True
        begins = np.flatnonzero(changes)
        found = []
        for begin, end in zip(begins, np.append(begins[1:], len(label)), strict=True):
            if label[begin]:
                raised = np.flatnonzero(alarms.raised[begin:end])
                delay = int(raised[0]) if len(raised) else int(end - begin)
                found.append((int(begin), delay, len(raised) > 0))
        return found

    def by_fault(self, alarms: Alarms) -> list[list[object]]:
        """Fault, readings, share that raises an alarm, delay, and F1 of the diagnosis."""
        waits: dict[str, list[float]] = {name: [] for name in self.faults}
        for begin, delay, found in self.delays(alarms):
            waits[str(self.fault[begin])].append(float(delay) if found else np.inf)
        rows: list[list[object]] = []
        for name in self.faults:
            mine = self.fault == name
            f1 = None
            if alarms.likely is not None and name in self.learned:
                among = np.isin(self.fault, self.learned)
                f1 = _f1(mine, among & (alarms.likely == name), np.ones(len(mine)))
            wait = float(np.median(waits[name]))
            share = float(alarms.raised[mine].mean())
            rows.append([name, int(mine.sum()), share, wait if np.isfinite(wait) else None, f1])
        return rows


def _at_rate(score: _Floats, usual: _Bools, faults: list[_Bools], weight: _Floats) -> float:
    """The mean detection rate at the threshold that the normal readings of a test give."""
    places = np.flatnonzero(usual & (weight > 0))
    order = places[np.argsort(-score[places], kind="stable")]
    if not len(order):
        return float("nan")
    allowed = np.cumsum(weight[order]) <= _RATE * weight[order].sum()
    limit = score[order[min(int(allowed.sum()), len(order) - 1)]]
    return _mean_rate((score > limit).astype(np.float64), faults, weight)


def _rate(raised: _Floats, chosen: _Bools, weight: _Floats) -> float:
    total = float(weight[chosen].sum())
    return float(weight[chosen] @ raised[chosen]) / total if total else float("nan")


def _mean_rate(raised: _Floats, faults: list[_Bools], weight: _Floats) -> float:
    rates = np.array([_rate(raised, chosen, weight) for chosen in faults])
    known = rates[~np.isnan(rates)]
    return float(known.mean()) if len(known) else float("nan")


def _median(values: _Floats, weight: _Floats) -> float:
    """The weighted median."""
    order = np.argsort(values)
    passed = np.cumsum(weight[order])
    if not len(values) or not passed[-1]:
        return float("nan")
    return float(values[order][int(np.searchsorted(passed, passed[-1] / 2))])


def _f1(came: _Bools, told: _Bools, weight: _Floats) -> float:
    both, either = float(weight @ (came & told)), float(weight @ came + weight @ told)
    return 2 * both / either if float(weight @ came) else float("nan")
