"""The evaluation of remaining life: model and baselines at the same readings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import SchemaError
from industry_apps.evaluation.report import Report
from industry_apps.evaluation.sections import Section
from industry_apps.recipes.sensors.baselines import LifeBaselines
from industry_apps.recipes.sensors.lives import Lives
from industry_apps.recipes.sensors.metrics import Judged, by_life_left
from industry_apps.recipes.sensors.recipe import LifeRecipe

_Floats = NDArray[np.float64]

#: Machines that are drawn.
_DRAWN = 3


def assess_lives(
    recipe: LifeRecipe,
    baselines: LifeBaselines | None,
    lives: Lives,
    *,
    split: Mapping[str, Mapping[str, Any]],
    notes: tuple[str, ...] = (),
) -> Report:
    """Evaluate an estimate of remaining life beside its baselines.

    Parameters
    ----------
    recipe : LifeRecipe
        Fitted.
    baselines : LifeBaselines or None
        Fitted; None where they could not be learned.
    lives : Lives
        Machines that were not learned from.
    split, notes
        As in :class:`Report`.

    Raises
    ------
    SchemaError
        The life that was left is known of fewer than two machines.
    """
    ends = np.flatnonzero(~np.isnan(lives.life))
    _check_several(lives, ends)
    judged = Judged(life=lives.life[ends], machine=lives.owner[ends], cap=recipe.options.cap)
    found = recipe.answer_at(lives, ends)
    # A reading before which nothing is known is answered by nothing; it is judged as a new machine.
    ours = np.nan_to_num(found["remaining_life"], nan=judged.cap)
    interval = tuple(
        np.nan_to_num(found[f"remaining_life_{end}"], nan=usual)
        for end, usual in (("low", 0.0), ("high", judged.cap))
    )
    others = {} if baselines is None else baselines.answers(lives, ends)
    silent = int(np.isnan(lives.life).sum())
    if silent:
        notes = (*notes, f"{silent} readings without a known life are left out.")
    over = int((judged.life[judged.last] > judged.cap).sum())
    machines = len(np.unique(judged.machine))
    return Report.beside(
        recipe.options.model,
        judged.bootstrap(ours, (interval[0], interval[1])),
        {name: judged.bootstrap(answer) for name, answer in others.items()},
        split=split,
        sections=_sections(recipe, lives, judged, ends, {"model": ours, **others}, found),
        notes=(
            *notes,
            f"{over} of {machines} machines have more than {judged.cap:g} left at their last "
            "reading: a model that answers up to the cap cannot be right about them where lives "
            "are taken as they are.",
        ),
        headline_text=(
            f"{machines} machines at their last reading, and {len(ends)} readings in all; "
            "intervals by resampling whole machines."
        ),
    )


def _check_several(lives: Lives, ends: NDArray[np.int64]) -> None:
    machines = len(np.unique(lives.owner[ends]))
    if machines < 2:
        raise SchemaError(
            f"The remaining life is known of {machines} machines of the test part; an interval "
            "needs two or more. Give more machines, with the life that was left at their readings."
        )


def _sections(
    recipe: LifeRecipe,
    lives: Lives,
    judged: Judged,
    ends: NDArray[np.int64],
    answers: Mapping[str, _Floats],
    found: Mapping[str, NDArray[Any]],
) -> tuple[Section, ...]:
    low, high = found["remaining_life_low"], found["remaining_life_high"]
    inside = (low <= judged.capped) & (judged.capped <= high)
    _, whose = np.unique(judged.machine, return_inverse=True)
    counts = np.bincount(whose)
    shares = np.bincount(whose, inside) / counts
    quantiles = [0.0, 0.1, 0.25, 0.5, 0.75, 1.0]
    held = [[name, error] for name, error in recipe.errors_.items()]
    return (
        Section(
            "Error by the life left",
            "Mean absolute error of all readings, lives up to the cap.",
            by_life_left(judged, answers),
        ),
        Section(
            "Coverage by machine",
            f"Share of the readings of one machine inside the interval of "
            f"{recipe.options.coverage:.0%}: quantiles over machines.",
            [["quantile", "share"], *([q, float(np.quantile(shares, q))] for q in quantiles)],
        ),
        Section(
            "Models on machines held out in training",
            "Root mean squared error, lives up to the cap; by it models are weighed.",
            [["model", "rmse"], *held],
        ),
        Section(
            "Trajectories",
            "Machines of the largest, a middle and the smallest error.",
            figures=tuple(
                partial(_figure, lives, judged, ends, found, place)
                for place in _drawn(answers["model"] - judged.capped, whose)
            ),
        ),
    )


def _drawn(error: _Floats, whose: NDArray[np.int64]) -> list[int]:
    mean = np.bincount(whose, np.abs(error)) / np.bincount(whose)
    order = np.argsort(-mean)
    chosen = order[np.unique(np.linspace(0, len(order) - 1, _DRAWN).astype(int))]
    return [int(each) for each in chosen]


def _figure(
    lives: Lives,
    judged: Judged,
    ends: NDArray[np.int64],
    found: Mapping[str, NDArray[Any]],
    place: int,
) -> Any:
    from industry_apps.recipes.sensors.plots import trajectory_plot

    machine = np.unique(judged.machine)[place]
    rows = judged.machine == machine
    return trajectory_plot(
        str(lives.machines[machine]),
        lives.times[ends[rows]],
        {name: values[rows] for name, values in found.items()},
        judged.life[rows],
    )
