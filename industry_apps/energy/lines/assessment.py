"""How a locator of faults is judged: types, distances, and intervals; and what it has to beat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.data.simulators.energy.line_faults import FAULT_TYPES
from industry_apps.energy.lines.locator import FaultModel, Faults, Located
from industry_apps.energy.lines.quantities import KINDS, KINDS_OF_TYPES, METHODS
from industry_apps.energy.lines.rivals import LineRivals
from industry_apps.evaluation import Report
from industry_apps.evaluation.classes import class_bootstrap, confusion
from industry_apps.evaluation.intervals import BootstrapResult, bootstrap
from industry_apps.evaluation.problems import Metric, Problem
from industry_apps.evaluation.sections import Section

Chosen = NDArray[np.bool_]
Floats = NDArray[np.float64]

#: Percent of the length within which a fault counts as found.
NEAR = 2.0

#: Type and place of a fault on a line.
LINE_FAULTS = Problem(
    name="line faults",
    metrics=(
        Metric(
            "distance_error",
            "mean distance from the fault, in % of the length, where one is given",
            "low",
        ),
        Metric("median_distance_error", "median of the same", "low"),
        Metric("near", f"share of these faults located within {NEAR:g} % of the length"),
        Metric("interval_coverage", "share of these faults inside their interval", "near"),
        Metric("interval_width", "mean, in % of the length", "low"),
        Metric("not_located", "share of all faults that get no distance", "low"),
        Metric("false_alarms", "share of records without a fault that get a distance", "low"),
        Metric("macro_f1", "mean over the types of the balance of precision and recall"),
        Metric("accuracy", "share of records whose type is right", best=1),
        Metric("calibration_error", "of the probability of the likeliest type", "low"),
    ),
    trivial=("prior",),
)
_OF_TYPES = ("macro_f1", "accuracy", "calibration_error")


def judged(model: FaultModel, rivals: LineRivals, faults: Faults) -> Report:
    """Set a model beside impedance methods and baselines, on the same records.

    Parameters
    ----------
    model : FaultModel
    rivals : LineRivals
    faults : Faults

    Raises
    ------
    SchemaError
        A type does not occur among the records.
    """
    found = model.locate(faults.arrays)
    ends = found.shares.low, found.shares.high
    ours = distance_bootstrap(faults.share, found.shares.middle, ends)
    ours = ours.joined(
        class_bootstrap(faults.kind, found.probabilities, found.kind, only=_OF_TYPES)
    )
    shown = np.where(np.isnan(found.shares.middle)[:, None], np.nan, found.methods)
    others = {
        name: distance_bootstrap(faults.share, shown[:, place])
        for place, name in enumerate(METHODS)
    }
    for name, (probability, share) in rivals.answers(faults).items():
        kind = probability.argmax(axis=1)
        types = class_bootstrap(faults.kind, probability, kind, only=_OF_TYPES)
        if share is not None:
            types = distance_bootstrap(faults.share, share).joined(types)
        others[name] = types
    right, error = (ours.values[name] for name in ("accuracy", "distance_error"))
    return Report.beside(
        "physics and trees",
        ours,
        others,
        sections=(
            by_kind(found, faults),
            confusion("fault_type", FAULT_TYPES, faults.kind, found.kind),
        ),
        headline_text=(
            f"{right:.1%} of {len(faults.kind)} types are right, and faults are located to "
            f"{error:.2f} % of the length of the line on average."
        ),
    )


def distance_bootstrap(
    share: Floats, middle: Floats, ends: tuple[Floats, Floats] | None = None
) -> BootstrapResult:
    """Judge distances.

    Parameters
    ----------
    share : ndarray of shape [records]
        Where the fault is, in [0, 1]; NaN where there is none.
    middle : ndarray of shape [records]
        The answer; NaN where none is given.
    ends : tuple of ndarray, optional
        Of the intervals.

    Examples
    --------
    >>> nan = float("nan")
    >>> found = distance_bootstrap(np.array([0.5, 0.2, nan]), np.array([0.51, nan, nan]))
    >>> round(found.values["distance_error"], 3), found.values["not_located"]
    (1.0, 0.5)
    """
    fault, given = ~np.isnan(share), ~np.isnan(middle)
    both = fault & given
    error = np.where(both, 100 * np.abs(middle - share), 0.0)

    def mean(values: NDArray[Any], where: NDArray[np.bool_]) -> Callable[[Floats], float]:
        def over(weight: Floats) -> float:
            chosen = weight * where
            return float(chosen @ values / chosen.sum()) if chosen.any() else float("nan")

        return over

    def median(weight: Floats) -> float:
        every = np.repeat(error[both], weight[both].astype(np.intp))
        return float(np.median(every)) if len(every) else float("nan")

    metrics = {
        "distance_error": mean(error, both),
        "median_distance_error": median,
        "near": mean(error <= NEAR, both),
        "not_located": mean(~given, fault),
        "false_alarms": mean(given, ~fault),
    }
    if ends is not None:
        low, high = ends
        inside = (share >= low) & (share <= high)
        metrics["interval_coverage"] = mean(inside, both)
        metrics["interval_width"] = mean(np.where(both, 100 * (high - low), 0.0), both)
    return bootstrap(metrics, None, len(share))


class Errors(NamedTuple):
    """Of some faults: mean errors, in % of the length, and shares."""

    #: Of the model and of each of ``METHODS``; NaN where no fault gets a distance.
    model: Floats
    inside: float
    width: float
    largest: float
    right: float
    lost: float


def located_errors(found: Located, faults: Faults, chosen: Chosen | None = None) -> Errors:
    """Measure distances of faults.

    Parameters
    ----------
    found : Located
    faults : Faults
    chosen : ndarray of bool of shape [records], optional
        Which of the records; all by default.

    Returns
    -------
    Errors
        ``inside`` is the share inside the interval, ``width`` its mean width, ``largest`` the 95th
        percentile of the errors of the model, ``right`` the share of right types among the chosen
        records, ``lost`` the share of the faults without a distance.
    """
    every = np.ones(len(faults.kind), dtype=bool) if chosen is None else chosen
    fault = every & (faults.kind > 0)
    given = fault & ~np.isnan(found.shares.middle)
    right = float((found.kind == faults.kind)[every].mean())
    lost = 1 - float(given.sum() / max(fault.sum(), 1))
    if not given.any():
        none = float("nan")
        return Errors(np.full(1 + len(METHODS), none), none, none, none, right, lost)
    true, (middle, low, high) = faults.share[given], (each[given] for each in found.shares)
    systems = np.column_stack([middle, found.methods[given]])
    errors = 100 * np.abs(systems - true[:, None])
    inside = float(((true >= low) & (true <= high)).mean())
    width, largest = float(100 * (high - low).mean()), float(np.quantile(errors[:, 0], 0.95))
    return Errors(errors.mean(axis=0), inside, width, largest, right, lost)


def by_kind(found: Located, faults: Faults) -> Section:
    """Table of errors by the kind of fault, beside impedance methods.

    Parameters
    ----------
    found : Located
    faults : Faults
    """
    names = [name.replace("_", " ") for name in METHODS]
    rows: list[tuple[object, ...]] = [
        ("fault", "records", "model", *names, "model, 95th percentile", "inside interval", "width")
    ]
    for number, kind in enumerate(KINDS):
        chosen = (KINDS_OF_TYPES[faults.kind] == number) & (faults.kind > 0)
        one = located_errors(found, faults, chosen)
        figures = (*one.model, one.largest, one.inside, one.width)
        rows.append((kind, int(chosen.sum()), *(round(float(each), 3) for each in figures)))
    text = (
        "Mean distance from the fault in % of the length, of the faults that get a distance. The "
        "impedance methods take the type that the model answers; what they put beyond an end of "
        "the line counts as at that end."
    )
    return Section("Distance by kind of fault", text, rows)
