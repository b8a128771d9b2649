"""Questions about the watch of a plant: which way of learning normal operation finds most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.base import clone

from industry_apps.data import Dataset
from industry_apps.evaluation.sections import Section
from industry_apps.runtime.progress import tracked

__all__ = ["compared_models"]

_METRICS = ("mean_detection_rate", "false_alarm_rate", "detection_rate_at_1_percent")


def compared_models(detector: Any, data: Dataset, models: Sequence[str]) -> Section:
    """Learn normal operation in each way, with its settings chosen by planted faults.

    Parameters
    ----------
    detector : PlantFaultDetector
        Its other parameters are used; it is not changed.
    data : Dataset
    models : sequence of str
        Values of its parameter ``model``.

    Returns
    -------
    Section
        A row a model.
    """
    fault = detector._name("fault")
    normal = data.train[data.train[fault] == detector.normal]
    rows: list[list[object]] = [["model", "lags", "smoothing", "planted_found", *_METRICS]]
    for name in tracked(list(models), "models"):
        fitted = clone(detector).set_params(model=name).fit(normal, data.validation)
        detection = fitted.plant_.model_.detection
        report = fitted.plant_.evaluate(data.test)
        found = max((share for *_, share in detection.tried_), default=None)
        rows.append(
            [
                name,
                detection.scorer_.lags,
                detection.smoothing_,
                found,
                *(report.metrics[metric] for metric in _METRICS),
            ]
        )
    text = (
        "Each learns from the same normal rows; lags, smoothing and threshold come from normal "
        "rows held out. Intervals by resampling whole runs. Only the share of planted faults that "
        "are found may choose: the rest is of the test."
    )
    return Section("Ways to learn normal operation", text, rows)
