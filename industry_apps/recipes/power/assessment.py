"""A forecast of power beside its baselines: on all records, and by what is known and lead time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.evaluation import Report
from industry_apps.evaluation.intervals import BootstrapResult
from industry_apps.evaluation.sections import Section
from industry_apps.recipes.power.metrics import PowerAnswers

#: Mean and quantiles of records [N, 1 + Q], once with the weather and once without.
Answers = NDArray[np.float64]
_FEWEST, _RESAMPLES = 30, 200


class Asked(NamedTuple):
    """Records on which systems are judged.

    Parameters
    ----------
    came : ndarray of shape [N]
        Output as a share of the capacity.
    day : ndarray of int64, shape [N]
    lead : ndarray of shape [N]
        Lead times.
    levels : sequence of float
    lead_unit : str
    """

    came: NDArray[np.float64]
    day: NDArray[np.int64]
    lead: NDArray[np.float64]
    levels: Sequence[float]
    lead_unit: str


def assess_power(
    asked: Asked,
    given: Mapping[str, Answers],
    withheld: Mapping[str, Answers],
    **found: Any,
) -> Report:
    """Judge systems, of which "model" is the model.

    Parameters
    ----------
    asked : Asked
    given : mapping of str to ndarray of shape [N, 1 + Q]
        System -> answers to the records as they are.
    withheld : mapping of str to ndarray of shape [N, 1 + Q]
        The same where no weather is known at the time that is asked about.
    **found
        Other fields of the report.
    """
    judged = {
        name: PowerAnswers(answers=x, levels=asked.levels, came=asked.came, day=asked.day)
        for name, x in given.items()
    }
    without = {
        name: PowerAnswers(answers=x, levels=asked.levels, came=asked.came, day=asked.day)
        for name, x in withheld.items()
    }
    ours = judged["model"].bootstrap()
    others = {name: each.bootstrap() for name, each in judged.items() if name != "model"}
    section = Section(
        "By what is known and lead time",
        "Errors are % of the capacity; the margin is that of the RMSE to the best baseline, paired "
        "by day. Where weather is as measured it stands for a perfect forecast.",
        table=[
            _HEADER,
            *_rows("weather as given", judged, asked),
            *_rows("weather withheld", without, asked),
        ],
    )
    return Report.beside(
        found.pop("model"), ours, others, **{**found, "sections": (section, *found["sections"])}
    )


_HEADER = ["known", "lead", "records", "RMSE", "MAE", "coverage", "best baseline", "RMSE of it"]
_HEADER += ["margin"]


def _rows(known: str, systems: Mapping[str, PowerAnswers], asked: Asked) -> list[list[object]]:
    leads = np.unique(asked.lead[~np.isnan(asked.lead)])
    rows = []
    for lead in leads:
        chosen = asked.lead == lead
        if chosen.sum() < _FEWEST or len(np.unique(asked.day[chosen])) < 2:
            continue
        results = {name: each.rows(chosen).bootstrap(_RESAMPLES) for name, each in systems.items()}
        ours = results.pop("model")
        best = _best(results)
        told = ours.estimates()
        coverage = next(told[name] for name in told if name.startswith("coverage"))
        rows.append(
            [
                known,
                f"{lead:g} {asked.lead_unit}",
                int(chosen.sum()),
                told["rmse"],
                told["mae"],
                coverage,
                best,
                results[best].estimates()["rmse"] if best else None,
                ours.minus(results[best])["rmse"] if best else None,
            ]
        )
    return rows


def _best(results: Mapping[str, BootstrapResult]) -> str | None:
    return min(results, key=lambda name: results[name].values["rmse"], default=None)
