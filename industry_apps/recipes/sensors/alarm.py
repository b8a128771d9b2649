"""When to replace a machine: a threshold on its remaining life, and what policies cost.

A machine is replaced a lead time after its alarm, for a planned cost; one that fails before costs
more. Costs are those of providing one mean life of running: total cost over total life used, the
rate of a renewal process, times the mean life (Barlow and Hunter 1960, "Optimum preventive
maintenance policies", doi:10.1287/opre.8.1.90, where the interval of fixed replacement is chosen
by the same rate).

Letters in shapes: M machines, N readings, K thresholds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import SchemaError, TrainingError
from industry_apps.evaluation.intervals import BootstrapResult, bootstrap
from industry_apps.evaluation.problems import Metric, Problem
from industry_apps.evaluation.report import Report
from industry_apps.evaluation.sections import Section
from industry_apps.recipes.sensors.lives import Lives, spans

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

#: Thresholds that are tried, and neighbours whose costs are averaged: one machine decides less.
_TRIED, _NEIGHBOURS = 200, 5
#: Ages of replacement that are tried.
_INTERVALS = 400

FAILURE_ALARM = Problem(
    name="failure alarm",
    metrics=(
        Metric("cost_per_life", "cost of one mean life of running", "low"),
        Metric("missed_failures", "share of machines that fail before they are replaced", "low", 0),
        Metric("wasted_life", "mean share of the life that is left at replacement", "low", 0),
        Metric("cost_over_foresight", "cost per life beyond that of perfect foresight", "low", 0),
    ),
    trivial=("run_to_failure",),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmCosts:
    """What replacement and failure cost, and how long a replacement takes to come.

    Parameters
    ----------
    failure, replacement : float
        Of a machine that fails, and of one that is replaced before; the first is the larger.
    lead : float
        Life that passes from the alarm to the replacement, in the unit of the lives, >= 0.
    """

    failure: float
    replacement: float
    lead: float


@dataclass(frozen=True, eq=False)
class Records:
    """Machines from their first reading to their failure, one after the other.

    Parameters
    ----------
    life : ndarray of float64, shape [N]
        The life that was left at each reading.
    starts : ndarray of int64, shape [M + 1]
        Where the readings of each begin, and the end of the last.
    """

    life: _Floats
    starts: _Ints

    @property
    def lives(self) -> _Floats:
        """The whole life of each, from its first reading on, [M]."""
        return self.life[self.starts[:-1]]

    def __len__(self) -> int:
        return len(self.starts) - 1


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a policy, machine by machine.

    Parameters
    ----------
    cost, used : ndarray of float64, shape [M]
        What each cost, and the life that was used of it.
    failed : ndarray of bool, shape [M]
    lives : ndarray of float64, shape [M]
    """

    cost: _Floats
    used: _Floats
    failed: NDArray[np.bool_]
    lives: _Floats

    @classmethod
    def of(cls, left: _Floats, lives: _Floats, costs: AlarmCosts) -> Outcome:
        """What comes of replacing each machine when so much life is left; NaN: never."""
        failed = ~(left >= 0)
        return cls(
            cost=np.where(failed, costs.failure, costs.replacement),
            used=np.where(failed, lives, lives - np.nan_to_num(left)),
            failed=failed,
            lives=lives,
        )

    def per_life(self, weight: _Floats | None = None) -> float:
        """Cost of one mean life of running."""
        count = np.ones(len(self.cost)) if weight is None else weight
        used = float(count @ self.used)
        mean = float(count @ self.lives / count.sum())
        return float(count @ self.cost) * mean / used if used > 0 else np.inf

    def bootstrap(self, costs: AlarmCosts) -> BootstrapResult:
        """The metrics, resampling machines."""
        wasted = 1 - self.used / self.lives
        metrics: dict[str, Callable[[_Floats], float]] = {
            "cost_per_life": self.per_life,
            "missed_failures": lambda weight: float(weight @ self.failed / weight.sum()),
            "wasted_life": lambda weight: float(weight @ wasted / weight.sum()),
            "cost_over_foresight": lambda weight: self.per_life(weight) - costs.replacement,
        }
        return bootstrap(metrics, None, len(self.cost))


def whole_records(lives: Lives, ends: _Ints) -> tuple[Records, NDArray[np.bool_]]:
    """The machines whose record ends with failure, and which of some readings are theirs.

    Parameters
    ----------
    lives : Lives
    ends : ndarray of int64, shape [N]
        Readings whose life is known, in order.
    """
    life = lives.life[ends]
    first, last = spans(lives.owner[ends])
    readings = np.maximum(last - first, 1)
    step = (life[first] - life[last]) / readings
    # The last reading lies within a step of the failure; another one has a life of its own.
    whole = (life[last] <= step) & (life[first] > 0)
    chosen = np.repeat(whole, last - first + 1)
    counts = (last - first + 1)[whole]
    return Records(life[chosen], np.append(0, np.cumsum(counts))), chosen


def left_at_replacement(
    answer: _Floats, threshold: float, records: Records, lead: float
) -> _Floats:
    """The life that is left when each machine is replaced, [M]; NaN where there is no alarm.

    Parameters
    ----------
    answer : ndarray of float64, shape [N]
        Remaining life as it was answered at each reading.
    threshold : float
        The first answer up to it is the alarm.
    records : Records
    lead : float
        Of it so much passes until the replacement; below 0 the machine has failed before.
    """
    raised = np.append(answer <= threshold, True)
    places = np.flatnonzero(raised)
    first = places[np.searchsorted(places, records.starts[:-1])]
    alarm = first < records.starts[1:]
    left = np.append(records.life, np.nan)[first] - lead
    return np.where(alarm, left, np.nan)


def learn_threshold(answer: _Floats, records: Records, costs: AlarmCosts, cap: float) -> float:
    """The threshold of least cost on machines that the model has not seen.

    Parameters
    ----------
    answer : ndarray of float64, shape [N]
    records : Records
    costs : AlarmCosts
    cap : float
        Answers are no longer.

    Raises
    ------
    TrainingError
        No record ends with failure.
    """
    if len(records) < 2:
        raise TrainingError(
            f"The records of {len(records)} machines end with failure, and a threshold is chosen "
            "by what it costs on such records. Give at least two, better of twenty or more."
        )
    tried = np.linspace(0, cap, _TRIED + 1)[:-1] + cap / (2 * _TRIED)
    paid = [
        Outcome.of(
            left_at_replacement(answer, threshold, records, costs.lead), records.lives, costs
        ).per_life()
        for threshold in tried
    ]
    wide = np.pad(paid, _NEIGHBOURS // 2, mode="edge")
    smooth = np.convolve(wide, np.full(_NEIGHBOURS, 1 / _NEIGHBOURS), mode="valid")
    return float(np.float32(tried[int(np.argmin(smooth))]))


def best_interval(lives: _Floats, costs: AlarmCosts) -> float:
    """The age of replacement of least cost; infinite where it is best to wait for the failure.

    Parameters
    ----------
    lives : ndarray of float64, shape [M]
    costs : AlarmCosts
    """
    tried = np.append(np.linspace(0, lives.max(), _INTERVALS + 1)[1:], np.inf)
    paid = [Outcome.of(_left_at_age(age, lives), lives, costs).per_life() for age in tried]
    return float(tried[int(np.argmin(paid))])


def check_several(records: Records) -> None:
    """Refuse to judge an alarm by records of which hardly any ends with failure.

    Raises
    ------
    SchemaError
    """
    if len(records) < 2:
        raise SchemaError(
            f"{len(records)} records of the test part end with failure: what an alarm would have "
            "cost is known of such alone. Give two machines or more, from their first reading to "
            "their failure."
        )


def assess_alarm(
    answer: _Floats,
    records: Records,
    *,
    threshold: float,
    interval: float | None,
    costs: AlarmCosts,
    **found: Any,
) -> Report:
    """Evaluate an alarm beside fixed intervals, running to failure, and perfect foresight.

    Parameters
    ----------
    answer : ndarray of float64, shape [N]
    records : Records
        Of machines that were not learned from.
    threshold : float
    interval : float or None
        Of fixed replacement, as training chose it; None where it was not learned.
    costs : AlarmCosts
    **found
        Other fields of :class:`Report`.
    """
    lives = records.lives
    ours = Outcome.of(left_at_replacement(answer, threshold, records, costs.lead), lives, costs)
    others = {"run_to_failure": Outcome.of(np.full(len(lives), np.nan), lives, costs)}
    if interval is not None:
        others["fixed_interval"] = Outcome.of(_left_at_age(interval, lives), lives, costs)
    foresight = Outcome.of(np.zeros(len(lives)), lives, costs)
    named = {"alarm": ours, **others, "perfect_foresight": foresight}
    sections = (
        Section(
            "Policies",
            f"A failure costs {costs.failure:g}, a replacement {costs.replacement:g}, and comes "
            f"{costs.lead:g} after the alarm. The alarm is raised at {threshold:.3g} or less"
            f"{_in_words(interval)}.",
            [["policy", "cost per life", "failed", "of", "life used"], *_rows(named)],
        ),
        Section(
            "Cost by threshold",
            "Of the alarm, on these machines; the threshold was chosen on others.",
            [["threshold", "cost per life", "failed"], *_by_threshold(answer, records, costs)],
        ),
    )
    report = Report.beside(
        found.pop("model"),
        ours.bootstrap(costs),
        {name: other.bootstrap(costs) for name, other in others.items()},
        sections=sections,
        headline_text=(
            f"One life costs {ours.per_life():.3g} with the alarm, {costs.replacement:g} with "
            f"perfect foresight and {costs.failure:g} where machines run to failure; "
            f"{int(ours.failed.sum())} of {len(records)} fail before they are replaced."
        ),
        **found,
    )
    return replace(report, notes=(*report.notes, _LEFT_OUT))


_LEFT_OUT = (
    "Machines whose record does not end with failure are left out: what would have come of them is "
    "not known."
)


def _left_at_age(age: float, lives: _Floats) -> _Floats:
    return np.where(lives >= age, lives - age, np.nan)


def _in_words(interval: float | None) -> str:
    if interval is None:
        return ""
    if np.isinf(interval):
        return "; no fixed interval is better than to wait for the failure"
    return f"; fixed replacement is at the age {interval:.3g}"


def _rows(named: Mapping[str, Outcome]) -> list[list[object]]:
    return [
        [
            name.replace("_", " "),
            each.per_life(),
            int(each.failed.sum()),
            len(each.cost),
            float(each.used.sum() / each.lives.sum()),
        ]
        for name, each in named.items()
    ]


def _by_threshold(answer: _Floats, records: Records, costs: AlarmCosts) -> list[list[object]]:
    outcome = partial(Outcome.of, lives=records.lives, costs=costs)
    rows: list[list[object]] = []
    for threshold in np.linspace(0, float(answer.max(initial=0.0)), 11)[1:]:
        came = outcome(left_at_replacement(answer, threshold, records, costs.lead))
        rows.append([float(threshold), came.per_life(), int(came.failed.sum())])
    return rows
