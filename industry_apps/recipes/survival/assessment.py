"""The evaluation of survival: model and baselines on the same rows, with paired margins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import require
from industry_apps.evaluation.net_benefit import decision_curve_section
from industry_apps.evaluation.report import Report
from industry_apps.evaluation.sections import Section
from industry_apps.features import FeatureGraph, dense_encoders
from industry_apps.recipes.scorers import Arrays
from industry_apps.recipes.survival.metrics import (
    FollowUp,
    SurvivalAnswers,
    SurvivalScale,
    calibration_groups,
    greenwood,
    kaplan_meier,
    survival_bootstrap,
)
from industry_apps.recipes.survival.models import Followed
from industry_apps.recipes.survival.recipe import SurvivalRecipe
from industry_apps.schema import Schema

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Trees of the forest, and rows of a leaf of it at least, as in scikit-survival's guide.
_FOREST = {"n_estimators": 100, "min_samples_split": 10, "min_samples_leaf": 15}


class SurvivalBaselines:
    """What a model has to beat, fitted on the same rows and the same feature matrix.

    ``kaplan_meier``: one curve for everybody. ``cox`` and ``random_survival_forest``: those of
    scikit-survival.

    Parameters
    ----------
    schema : Schema
    seed : int

    References
    ----------
    Ishwaran et al. 2008, "Random survival forests", doi:10.1214/08-AOAS169; Pölsterl 2020,
    "scikit-survival", JMLR 21(212).
    """

    def __init__(self, schema: Schema, *, seed: int = 0) -> None:
        self._plan = FeatureGraph(schema, dense_encoders(schema))
        self._seed = seed
        self.models_: dict[str, Any] = {}

    def fit(self, rows: Followed) -> SurvivalBaselines:
        """Learn from followed records.

        Raises
        ------
        MissingExtraError
        """
        linear, ensemble, util = (
            require(f"sksurv.{name}", extra="healthcare", needed_by="the baselines of survival")
            for name in ("linear_model", "ensemble", "util")
        )
        self._features = self._plan.learn(rows.arrays)
        matrix = self._matrix(rows.arrays)
        target = util.Surv.from_arrays(rows.follow_up.event, rows.follow_up.time)
        self.models_ = {
            # The small penalty makes columns that repeat one another harmless.
            "cox": linear.CoxPHSurvivalAnalysis(alpha=0.1).fit(matrix, target),
            "random_survival_forest": ensemble.RandomSurvivalForest(
                **_FOREST, random_state=self._seed, n_jobs=-1
            ).fit(matrix, target),
        }
        self.everybody_ = kaplan_meier(rows.follow_up)
        return self

    def answers(self, arrays: Arrays, scale: SurvivalScale) -> dict[str, SurvivalAnswers]:
        """Raw columns [rows] -> {baseline: what the metrics ask for}; none unless fitted."""
        if not self.models_:
            return {}
        matrix = self._matrix(arrays)
        rows = len(matrix)
        found = {
            "kaplan_meier": SurvivalAnswers(
                np.zeros(rows),
                np.tile(self.everybody_.at(scale.times), (rows, 1)),
                np.tile(self.everybody_.at(scale.horizons), (rows, 1)),
            )
        }
        for name, model in self.models_.items():
            curves = model.predict_survival_function(matrix, return_array=True)
            at_times, at_horizons = (
                _at(curves, model.unique_times_, times)
                for times in (scale.times, np.array(scale.horizons))
            )
            risk = model.predict(matrix)
            found[name] = SurvivalAnswers(risk, at_times, at_horizons)
        return found

    def _matrix(self, arrays: Arrays) -> NDArray[np.float64]:
        return self._features.run(arrays)["numeric"].astype(np.float64)


def _at(
    curves: NDArray[np.float64], known: NDArray[np.float64], times: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Step curves [rows, known] at times [T]; 1 before the first step."""
    place = np.searchsorted(known, times, side="right")
    return np.column_stack([np.ones(len(curves)), curves])[:, place]


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
    mine, others = recipe.answers(rows.arrays, scale), baselines.answers(rows.arrays, scale)
    metrics = partial(survival_bootstrap, rows.follow_up, scale=scale, groups=rows.people())
    found = metrics(mine)
    theirs = {name: metrics(answers) for name, answers in others.items()}
    last = scale.horizons[-1]
    risks = {
        name: 1 - answers.horizons[:, -1] for name, answers in {"model": mine, **others}.items()
    }
    risks.pop("kaplan_meier", None)
    scores = ", ".join(f"{name} {value:.4f}" for name, value in recipe.scores_.items())
    shares = ", ".join(f"{name} {weight:.0%}" for name, weight in recipe.blend_.weights.items())
    best = found.estimates()["c_index"]
    return Report(
        application="",
        data="",
        model=recipe.model_,
        metrics=found.estimates(),
        split=split,
        baselines={name: other.estimates() for name, other in theirs.items()},
        margins={name: found.minus(other) for name, other in theirs.items()},
        sections=(
            calibration_section(mine.horizons, rows.follow_up, scale.horizons),
            decision_curve_section(risks, cases_by(rows.follow_up, last)),
        ),
        headline_text=(
            f"Of two patients, the one with the higher risk has the event first in {best} of the "
            "pairs."
        ),
        notes=(
            f"Horizons: {', '.join(f'{h:g}' for h in scale.horizons)}, in the unit of the "
            "follow-up.",
            f"Curves: {shares}, weighed by the integrated Brier score on rows of training and "
            f"validation data that the models had not learned from, though some stopped by them "
            f"({scores}).",
        ),
    )


def cases_by(follow_up: FollowUp, horizon: float) -> Callable[[NDArray[np.bool_]], float]:
    """Share of rows that had the event by a horizon, by Kaplan and Meier, of a mask of rows."""
    return lambda mask: 1 - float(kaplan_meier(follow_up.part(mask)).at(horizon))


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
