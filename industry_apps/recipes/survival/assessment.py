"""The evaluation of survival: model and baselines on the same rows, with paired margins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.evaluation.net_benefit import decision_curve_section
from industry_apps.evaluation.report import Report
from industry_apps.evaluation.sections import Section
from industry_apps.recipes.survival.baselines import SurvivalBaselines
from industry_apps.recipes.survival.metrics import (
    FollowUp,
    SurvivalAt,
    SurvivalScale,
    calibration_groups,
    greenwood,
    kaplan_meier,
    survival_bootstrap,
)
from industry_apps.recipes.survival.models import Followed
from industry_apps.recipes.survival.recipe import SurvivalRecipe

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SurvivalBaselines", "assess_survival", "calibration_section", "cases_by"]

#: Resamples of an interval; of many rows fewer, as each takes longer.
_RESAMPLES, _RESAMPLES_OF_MANY = 400, 100
#: Rows from which on they are many.
_MANY_ROWS = 20_000


def assess_survival(
    recipe: SurvivalRecipe,
    baselines: SurvivalBaselines,
    rows: Followed,
    learned: FollowUp,
    split: Mapping[str, Mapping[str, Any]],
) -> Report:
    """Evaluate a fitted recipe and its baselines on the same rows.

    Parameters
    ----------
    recipe : SurvivalRecipe
        Fitted.
    baselines : SurvivalBaselines
        Fitted.
    rows : Followed
    learned : FollowUp
        Of the rows that the models learned from: censoring is estimated there.
    split : mapping
        As in :class:`Report`.

    Returns
    -------
    Report
        Names of application and data are left for the caller to fill in.
    """
    scale = SurvivalScale.of(learned, recipe.horizons_)
    resamples = _RESAMPLES if len(rows.follow_up) <= _MANY_ROWS else _RESAMPLES_OF_MANY
    metrics = partial(
        survival_bootstrap,
        rows.follow_up,
        scale=scale,
        groups=rows.people(),
        resamples=resamples,
    )
    mine = recipe.answers(rows.arrays, scale)
    found = metrics(mine)
    last = scale.horizons[-1]
    horizons, theirs = mine.horizons.copy(), {}
    risks = {"model": 1 - horizons[:, -1]}
    del mine  # with its curves
    for name, answers in baselines.answers(rows.arrays, scale):
        theirs[name] = metrics(answers)
        risks[name] = 1 - answers.horizons[:, -1]
    risks.pop("kaplan_meier", None)
    scores = ", ".join(f"{name} {value:.4f}" for name, value in recipe.scores_.items())
    shares = ", ".join(f"{name} {weight:.0%}" for name, weight in recipe.blend_.weights.items())
    best = found.estimates()["c_index"]
    return Report.beside(
        recipe.model_,
        found,
        theirs,
        split=split,
        sections=(
            calibration_section(horizons, rows.follow_up, scale.horizons),
            decision_curve_section(risks, cases_by(rows.follow_up, last)),
        ),
        headline_text=(
            f"Of two patients, the one with the higher risk has the event first in {best} of the "
            "pairs."
        ),
        notes=(
            f"Horizons: {', '.join(f'{h:g}' for h in scale.horizons)}, in the unit of the "
            "follow-up.",
            f"Curves: {shares}, weighed by how they predict and rank on rows of training and "
            "validation data that the models had not learned from, though some stopped by them "
            f"(integrated Brier score: {scores}).",
            "Patients are ranked by risk_score, 1 less the mean of the curve.",
            _interval_note(rows, resamples),
            *_one_sided(recipe, horizons, rows.follow_up),
            *baselines.notes(),
        ),
    )


def _interval_note(rows: Followed, resamples: int) -> str:
    drawn = "rows" if rows.patient is None else "patients"
    return f"Intervals: percentiles of a bootstrap with {resamples} resamples of the {drawn}."


def _one_sided(
    recipe: SurvivalRecipe, survival: NDArray[np.float64], follow_up: FollowUp
) -> Iterator[str]:
    """Say why intervals begin or end at their estimate, by horizon."""
    low, high = recipe.band_.apply(survival)
    share = ((low == survival) | (high == survival)).mean(axis=0)
    for horizon, each in zip(recipe.horizons_, share, strict=True):
        if each:
            beyond = int((follow_up.time > horizon).sum())
            yield (
                f"At {horizon:g} the interval of {each:.0%} of the rows begins or ends at its "
                "estimate: the survival that was observed of such predictions lies on one side of "
                f"it. {beyond or 'No'} rows were followed for longer."
            )


def cases_by(follow_up: FollowUp, horizon: float) -> Callable[[NDArray[np.bool_]], float]:
    """Share of rows that had the event by a horizon, by Kaplan and Meier, of a mask of rows.

    Parameters
    ----------
    follow_up : FollowUp
    horizon : float
    """
    return partial(_cases_of, SurvivalAt(follow_up, horizon))


def _cases_of(at_horizon: SurvivalAt, mask: NDArray[np.bool_]) -> float:
    return 1 - float(at_horizon(mask[None])[0])


def calibration_section(
    survival: NDArray[np.float64], follow_up: FollowUp, horizons: tuple[float, ...]
) -> Section:
    """Predicted and observed survival of groups of rows, by horizon.

    Parameters
    ----------
    survival : ndarray of shape [rows, horizons]
        Predicted.
    follow_up : FollowUp
    horizons : tuple of float
    """
    table: list[list[object]] = [["horizon", "rows", "predicted", "observed", "low", "high"]]
    for place, horizon in enumerate(horizons):
        for rows in calibration_groups(survival[:, place]):
            part = follow_up.part(rows)
            observed = float(kaplan_meier(part).at(horizon))
            predicted = float(survival[rows, place].mean())
            table.append([horizon, len(rows), predicted, observed, *greenwood(part, horizon)])
    return Section(
        "Calibration at horizons",
        "Rows in groups of equal size by predicted survival: the mean prediction, beside Kaplan "
        "and Meier's estimate with its interval of 95 %.",
        table,
        (partial(_calibration_plot, table),),
    )


def _calibration_plot(table: list[list[Any]]) -> Figure:
    from industry_apps.evaluation.plots import GRID, blank_figure, label_axes

    figure, (axes,) = blank_figure()
    axes.plot([0, 1], [0, 1], color=GRID, ls="--")
    for horizon in dict.fromkeys(row[0] for row in table[1:]):
        cells = np.array([row for row in table[1:] if row[0] == horizon], dtype=float)
        predicted, observed = cells[:, 2], cells[:, 3]
        bars = np.abs(cells[:, 4:].T - observed)
        axes.errorbar(predicted, observed, bars, fmt="o-", capsize=2, label=f"at {horizon:g}")
    label_axes(axes, "Predicted survival", "Observed survival")
    figure.set_label("On the dashed line predicted and observed survival are equal.")
    return figure
