"""Answers about an event in time beside protected groups, where some rows are censored.

To leave out who is censored would keep the early events of a group and not those who lived on:
a group that is followed for a shorter time would seem to fare worse. Letters: N rows, R resamples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.evaluation.fairness.answers import GroupedAnswers, set_apart
from industry_apps.evaluation.fairness.parts import group_parts
from industry_apps.evaluation.fairness.report import GroupFigures, GroupReport
from industry_apps.evaluation.fairness.tallies import percentiles
from industry_apps.evaluation.intervals import Estimate, wilson
from industry_apps.recipes.survival.metrics import FollowUp, SurvivalAt

__all__ = ["CensoredAnswers"]

_Floats = NDArray[np.float64]

_FEWEST_ROWS, _RESAMPLES = 30, 400
#: Weights of resamples that are held at once.
_CELLS = 2**22
_SUMMARY = ("demographic_parity_ratio", "equalized_odds_difference")


@dataclass(frozen=True, eq=False, kw_only=True)
class CensoredAnswers(GroupedAnswers):
    """What a system answered about an event by a horizon, and to whom.

    To be flagged is favourable: it brings attention.

    Parameters
    ----------
    target : ndarray of bool of shape [rows]
        The event is known to have come by the horizon.
    probability, decision, groups, favourable
        As in :class:`GroupedAnswers`, of the event by the horizon.
    time : ndarray of shape [rows]
        Follow-up as a share of the horizon.

    References
    ----------
    Heagerty, Lumley and Pepe (2000), Time-dependent ROC curves for censored survival data and a
    diagnostic marker, doi:10.1111/j.0006-341X.2000.00337.x, for rates by Kaplan and Meier.
    """

    time: _Floats
    favourable: bool = True

    @classmethod
    def of(
        cls,
        follow_up: FollowUp,
        horizon: float,
        risk: _Floats,
        flagged: NDArray[np.bool_],
        groups: Mapping[str, Any],
    ) -> CensoredAnswers:
        """Answers about the event by a horizon.

        Parameters
        ----------
        follow_up : FollowUp
        horizon : float
            In the unit of the follow-up.
        risk : ndarray of shape [rows]
        flagged : ndarray of bool of shape [rows]
        groups : mapping of str to sequence of shape [rows]
        """
        return cls(
            target=follow_up.event & (follow_up.time <= horizon),
            probability=risk,
            decision=flagged,
            groups=groups,
            time=follow_up.time / horizon,
        )

    def joined(self, others: Sequence[Self]) -> Self:
        """These rows, and behind them those of other runs.

        Parameters
        ----------
        others : sequence of CensoredAnswers
        """
        time = np.concatenate([part.time for part in (self, *others)])
        return replace(super().joined(others), time=time)

    def report(self) -> GroupReport:
        """Compare the groups, attribute by attribute, by Kaplan and Meier within each.

        ``observed_rate`` is the share that had the event; the rates among those who had it, and
        who had it not, follow from it among the flagged and the others. Intervals are
        percentiles of a bootstrap within each group; of the selection rate Wilson's.
        """
        found = {}
        for attribute, labels in set_apart(self.groups).items():
            parts, pooled = group_parts(attribute, pd.Categorical(labels), _FEWEST_ROWS)
            generator = np.random.default_rng(0)
            drawn = {group: self._drawn(rows, generator) for group, rows in parts.items()}
            rows = {group: int(chosen.sum()) for group, chosen in parts.items()}
            events = {group: int(self.target[chosen].sum()) for group, chosen in parts.items()}
            large = [group for group, count in rows.items() if count >= _FEWEST_ROWS]
            found[attribute] = GroupFigures(
                rows=rows,
                positives=events,
                groups={group: _figures(each, rows[group]) for group, each in drawn.items()},
                summary=_spread([drawn[group] for group in large]),
                compared=tuple(large),
                pooled=pooled,
            )
        return GroupReport(found, self.favourable, _FEWEST_ROWS)

    def _drawn(
        self, chosen: NDArray[np.bool_], generator: np.random.Generator
    ) -> dict[str, _Floats]:
        """Figures of the rows of a group as they are and of resamples: [1 + R] each."""
        follow_up = FollowUp(self.time[chosen], self.target[chosen])
        risk, flagged = self.probability[chosen], self.decision[chosen].astype(float)
        rows = len(follow_up)
        survival = SurvivalAt(follow_up, 1.0)
        found = []
        draws = chain([np.arange(rows)], _resamples(rows, generator))
        while block := list(islice(draws, max(1, _CELLS // rows))):
            weight = np.stack([np.bincount(each, minlength=rows) for each in block]).astype(float)
            happened = [1 - survival(weight * part) for part in (flagged, 1 - flagged, 1.0)]
            found.append(np.stack([*happened, weight @ flagged / rows, weight @ risk / rows]))
        caught, missed, observed, alarms, mean = np.concatenate(found, axis=1)
        hits, quiet = alarms * caught, (1 - alarms) * (1 - missed)
        with np.errstate(invalid="ignore"):
            return {
                "selection_rate": alarms,
                "true_positive_rate": hits / (hits + (1 - alarms) * missed),
                "false_positive_rate": alarms * (1 - caught) / (alarms * (1 - caught) + quiet),
                "observed_rate": observed,
                "mean_probability": mean,
                "calibration_gap": mean - observed,
            }


def _resamples(rows: int, generator: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Numbers of the rows of each resample."""
    return (generator.integers(rows, size=rows) for _ in range(_RESAMPLES))


def _figures(drawn: Mapping[str, _Floats], rows: int) -> dict[str, Estimate]:
    share = drawn["selection_rate"][:1]
    low, high = wilson(share, np.array([rows]))
    return {**percentiles(drawn), "selection_rate": Estimate(float(share[0]), low[0], high[0])}


def _spread(drawn: Sequence[Mapping[str, _Floats]]) -> dict[str, Estimate]:
    """How far the groups lie apart; undefined where fewer than two are compared."""
    if len(drawn) < 2:
        return dict.fromkeys(_SUMMARY, Estimate(np.nan, np.nan, np.nan))
    chosen, *rates = (
        np.array([each[name] for each in drawn])
        for name in ("selection_rate", "true_positive_rate", "false_positive_rate")
    )
    with np.errstate(invalid="ignore"):
        ratio = chosen.min(axis=0) / chosen.max(axis=0)
    spread = np.maximum(*(np.ptp(each, axis=0) for each in rates))
    return percentiles(dict(zip(_SUMMARY, (ratio, spread), strict=True)))
