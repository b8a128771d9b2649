"""The evaluation of a plant detector: model and baselines at the same readings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.energy.plant.baselines import PlantBaselines
from industry_apps.energy.plant.metrics import Alarms, JudgedReadings
from industry_apps.energy.plant.model import NEW, PlantModel
from industry_apps.energy.plant.runs import Runs
from industry_apps.errors import SchemaError
from industry_apps.evaluation.report import Report
from industry_apps.evaluation.sections import Section

__all__ = ["answers_at", "assess_plant"]

_WINDOWS_A_PASS = 2_048


def assess_plant(
    model: PlantModel,
    baselines: PlantBaselines | None,
    runs: Runs,
    *,
    name: str,
    apart: tuple[str, ...],
    split: Mapping[str, Mapping[str, Any]],
    notes: tuple[str, ...] = (),
) -> Report:
    """Evaluate a detector beside its baselines.

    Parameters
    ----------
    model : PlantModel
    baselines : PlantBaselines or None
        None where they could not be learned.
    runs : Runs
        That were not learned from.
    name : str
        Of the model.
    apart : tuple of str
        Faults that are reported apart.
    split, notes
        As in :class:`Report`.

    Raises
    ------
    SchemaError
        Normal rows, rows of faults, or runs are missing.
    """
    usual = runs.fault == model.normal
    _check_both(runs, usual)
    twice = runs.seen_before(usual)
    found = answers_at(model, runs)
    others = {} if baselines is None else _in_passes(baselines.scores, runs, baselines.length)
    silent = np.isnan(found["score"])
    for each in others.values():
        silent |= np.isnan(each)
    kept = ~(silent | twice)
    learned = model.diagnosis.faults_ if model.diagnosis else ()
    judged = JudgedReadings(
        run=runs.owner[kept],
        fault=runs.fault[kept],
        normal=model.normal,
        apart=apart,
        learned=learned,
    )
    likely = found["likely_fault"][kept] if learned else None
    ours = Alarms(found["score"][kept].astype(np.float64), likely)
    beside = {each: Alarms(score[kept]) for each, score in others.items()}
    return Report.beside(
        name,
        judged.bootstrap(ours),
        {each: judged.bootstrap(alarms) for each, alarms in beside.items()},
        split=split,
        sections=_sections(model, judged, ours, found["state"][kept]),
        notes=(
            *notes,
            f"{int((silent & ~twice).sum())} readings whose window is not whole are left out, and "
            f"{int(twice.sum())} normal ones that are those of another run, value by value, are "
            "counted once.",
        ),
        headline_text=(
            f"{len(judged.faults)} faults in {len(runs.machines)} runs; intervals by resampling "
            "whole runs."
        ),
    )


def answers_at(model: PlantModel, runs: Runs) -> dict[str, NDArray[Any]]:
    """The answers of a model as of each reading.

    Parameters
    ----------
    model : PlantModel
    runs : Runs
    """
    return _in_passes(model.answer, runs, model.length)


def _in_passes(
    answer: Callable[[dict[str, NDArray[Any]]], Mapping[str, NDArray[Any]]], runs: Runs, length: int
) -> dict[str, NDArray[Any]]:
    """Answers to the windows up to each reading, laid out a part at a time."""
    starts = range(0, max(len(runs), 1), _WINDOWS_A_PASS)
    places = np.arange(len(runs))
    parts = [answer(runs.windows(places[s : s + _WINDOWS_A_PASS], length)) for s in starts]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _check_both(runs: Runs, usual: NDArray[np.bool_]) -> None:
    for there, words in ((usual, "normal row"), (~usual, "row at which a fault was active")):
        if not there.any():
            raise SchemaError(
                f"The test part has no {words}: alarms cannot be judged. Give rows of both."
            )
    if len(runs.machines) < 2:
        raise SchemaError(
            "The test part has one run; an interval needs two or more. Give more runs."
        )


def _sections(
    model: PlantModel, judged: JudgedReadings, ours: Alarms, state: NDArray[np.object_]
) -> tuple[Section, ...]:
    from industry_apps.energy.plant.plots import delay_plot

    rows = judged.by_fault(ours)
    detection = model.detection
    tried = [[lags, smoothing, share] for lags, smoothing, share in detection.tried_]
    by_fault = Section(
        "Faults",
        "Share of the readings at which a fault was active that raise an alarm, readings from its "
        "begin to the first alarm (median over runs), and F1 of the likeliest fault.",
        [["fault", "readings", "detected", "delay", "f1"], *rows],
        figures=(partial(delay_plot, rows),),
    )
    sections = [
        by_fault,
        detection.threshold_.section(ours.raised, ~judged.usual),
        Section(
            "Chosen on planted faults",
            "Rows of a window, rows whose mean score is taken, and the share of rows behind a "
            "fault planted into normal rows that raise an alarm: by it they are chosen, and no "
            "fault that happened is looked at.",
            [["lags", "smoothing", "found"], *tried],
        ),
    ]
    if judged.learned:
        new = judged.fault[~np.isin(judged.fault, [judged.normal, *judged.learned])]
        sections.append(_unseen(judged, ours, state, tuple(sorted(set(new.tolist())))))
    return tuple(sections)


def _unseen(
    judged: JudgedReadings, ours: Alarms, state: NDArray[np.object_], new: tuple[str, ...]
) -> Section:
    rows: list[list[object]] = []
    for title, chosen in (
        ("learned faults", np.isin(judged.fault, judged.learned)),
        *((name, judged.fault == name) for name in new),
    ):
        raised = chosen & ours.raised
        share = float((state[raised] == NEW).mean()) if raised.any() else None
        rows.append([title, int(raised.sum()), share])
    return Section(
        "States never seen",
        f"Share of alarms that are said to be of a state {NEW}: few of faults that were learned, "
        "many of others.",
        [["of", "alarms", "share"], *rows],
    )
