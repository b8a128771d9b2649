"""The benchmark's figures as one JSON object, the only source of every published table."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from industry_apps.application import Application
from industry_apps.benchmark.catalogue_speed import large_catalogue
from industry_apps.benchmark.fit_speed import fit_time
from industry_apps.benchmark.hardware import machine, peak_memory_mb
from industry_apps.benchmark.image_speed import of_images
from industry_apps.benchmark.overhead import fit_vs_bare_estimator, predict_vs_bare_model
from industry_apps.benchmark.resources import import_times, scoring_memory, training_step
from industry_apps.benchmark.searches import measure_search, search_of
from industry_apps.benchmark.series_speed import (
    backtest_time,
    history,
    many_moments,
    one_moment,
)
from industry_apps.benchmark.speed import Measure, batch, model_alone, one_record, raw_record
from industry_apps.export.model_file import library_versions
from industry_apps.whole_file import whole_file
from industry_apps.workflow.runs import Run, data_of, run, run_all

#: What the record of a certificate holds.
_PARITY = ("rows", "edge_rows", "changed_decisions", "beyond_tolerance", "largest_difference")

#: Sizes of the thorough measurement of speed, and of the short one in every record.
BATCH, SHORT_BATCH = 1_000_000, 100_000
REPETITIONS, SHORT_REPETITIONS = 4_000, 1_000
FILE_ROWS = 5_000_000
#: The same for images, each of which is as long as thousands of other values.
IMAGES, SHORT_IMAGES = 10_000, 2_000
#: The same for models of windows, which are given a long table for each call.
MOMENTS, SHORT_MOMENTS = 1_000, 100
CALLS, SHORT_CALLS = 200, 50
#: Fits beside plain ones, of applications whose whole run takes longer than so many seconds.
LONG_SECONDS, LONG_FITS, SHORT_FITS = 60, 1, 3


def benchmark(application: Application, source: str, *, full: bool = False) -> dict[str, Any]:
    """Measure one application on one data set.

    It is trained with the parameters it has, evaluated once on the test part, exported with
    parity on all of that part, and timed beside what it replaces. Data that are split many
    times are so treated for each split, and timed on the last.

    Parameters
    ----------
    application : Application
        Not fitted.
    source : str
        Id of a data set, ``"sample"``, or the path of a table.
    full : bool
        With the thorough measurement of speed, as :func:`measure_speed`, and on all splits that
        the card knows; where a solver is measured, on all instances.

    Returns
    -------
    dict
        JSON values: ``application``, ``data``, ``split``, ``model``, ``seeds``, ``metrics``,
        ``baselines``, ``comparisons``, ``published``, ``sections``, ``parity``, ``speed``,
        ``absolute`` (timings with a unit), ``seconds`` (of training, evaluation and export),
        ``peak_memory_mb`` (of this process), ``headline``, ``notes``, ``versions``, ``machine``.
        Of a solver, which has no file, ``parity`` is None, and there is no ``speed``.
    """
    if search := search_of(application, source):
        return measure_search(application, source, search, full=full)
    with tempfile.TemporaryDirectory() as folder:
        done = run_all(application, source, Path(folder) / "model.onnx", full=full)
        peak = peak_memory_mb()
        measures = _thorough(done) if full else _short(done)
    facts = done.report.to_dict()
    parity = done.certificate.to_dict()
    return {
        **{key: facts[key] for key in ("application", "data", "split", "model")},
        "seeds": list(done.seeds),
        **{key: facts[key] for key in ("metrics", "baselines", "comparisons", "published")},
        "sections": facts["sections"],
        "parity": {key: parity[key] for key in _PARITY},
        **timings(measures),
        "seconds": round(done.seconds, 1),
        "peak_memory_mb": round(peak),
        "headline": done.report.headline(),
        "notes": facts["notes"],
        "versions": library_versions(),
        "machine": machine(),
    }


def measure_speed(application: Application, source: str) -> dict[str, Any]:
    """Train, export, and measure everything that has to do with speed and memory.

    Parameters
    ----------
    application, source
        As for :func:`benchmark`.

    Returns
    -------
    dict
        JSON values: ``application``, ``data``, ``model``, ``speed``, ``absolute``,
        ``measures`` (each in words, beside its target), ``versions``, ``machine``.
    """
    with tempfile.TemporaryDirectory() as folder:
        done = run(application, data_of(application, source), Path(folder) / "model.onnx")
        measures = _thorough(done)
    return {
        "application": application.name,
        "data": done.report.data,
        "model": done.report.model,
        **timings(measures),
        "measures": [
            {
                "name": measure.name,
                "found": measure.found(),
                "wanted": measure.wanted(),
                "holds": measure.holds,
            }
            for measure in measures
        ],
        "versions": library_versions(),
        "machine": machine(),
    }


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record, whole or not at all.

    Parameters
    ----------
    path : Path
    record : mapping
        JSON values.
    """
    with whole_file(path) as aside:
        text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
        aside.write_text(text + "\n", encoding="utf-8")


def timings(measures: Sequence[Measure]) -> dict[str, dict[str, float | str]]:
    """Measures as JSON: ratios under ``speed``, what has a unit under ``absolute``."""
    return {
        "speed": {measure.key: measure.value for measure in measures if not measure.unit},
        "absolute": {measure.key: measure.value for measure in measures if measure.unit},
    }


def _short(done: Run) -> list[Measure]:
    fitted, rows = done.application, done.data.test
    if fitted.traits.windows:
        return _of_series(done, SHORT_CALLS, SHORT_MOMENTS)
    images, long = "image" in fitted.traits.inputs, _are_long(fitted)
    repetitions = SHORT_REPETITIONS // 10 if long else SHORT_REPETITIONS
    return [
        *one_record(fitted, done.path, rows, repetitions=repetitions),
        *raw_record(fitted, done.path, done.data),
        *batch(fitted, done.path, rows, count=SHORT_IMAGES if long else SHORT_BATCH),
        *(of_images(fitted, rows) if images else []),
    ]


def _thorough(done: Run) -> list[Measure]:
    fitted, rows = done.application, done.data.test
    fits = LONG_FITS if done.seconds > LONG_SECONDS else SHORT_FITS
    of_process = [*fit_time(fitted, done.data, repeats=fits), *import_times(), training_step()]
    if fitted.traits.windows:
        return [*_of_series(done, CALLS, MOMENTS), *of_process]
    if _are_long(fitted):
        return [
            *one_record(fitted, done.path, rows, repetitions=REPETITIONS),
            *batch(fitted, done.path, rows, count=IMAGES),
            *of_images(fitted, rows),
            *of_process,
        ]
    return [
        *one_record(fitted, done.path, rows, repetitions=REPETITIONS),
        *raw_record(fitted, done.path, done.data),
        *batch(fitted, done.path, rows, count=BATCH),
        *model_alone(fitted, rows, count=BATCH),
        *predict_vs_bare_model(fitted, rows, count=SHORT_BATCH),
        *fit_vs_bare_estimator(fitted, done.data),
        scoring_memory(done.path, rows, count=FILE_ROWS),
        *(large_catalogue() if fitted.problem.name == "ranking" else []),
        *of_process,
    ]


def _are_long(fitted: Application) -> bool:
    """Whether a record is as long as thousands of values: an image or a recording."""
    return any(column.kind == "image" or column.rate is not None for column in fitted.schema_)


def _of_series(done: Run, calls: int, moments: int) -> list[Measure]:
    fitted, table = done.application, history(done.data)
    return [
        *one_moment(fitted, done.path, table, repetitions=calls),
        *many_moments(fitted, done.path, table, count=moments),
        *([backtest_time()] if fitted.problem.name == "policy" else []),
    ]
