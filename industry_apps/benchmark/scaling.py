"""How time and memory of an application grow with its data: exponents at three sizes."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from industry_apps.application import Application
from industry_apps.benchmark.hardware import machine, peak_memory_mb
from industry_apps.data import sample
from industry_apps.errors import ParameterError
from industry_apps.export.model_file import library_versions
from industry_apps.runtime import Model
from industry_apps.runtime.progress import tracked

#: Sizes, as multiples of the sample.
TIMES = (2.0, 6.0, 18.0)
VERBS = ("fit", "evaluate", "export", "predict")


def measure_scaling(application: Application, times: Sequence[float] = TIMES) -> dict[str, Any]:
    """Measure fit, evaluate, export and predict on samples of several sizes.

    Each size has a process of its own, since the peak of memory is one of a process. The file
    predicts the test part.

    Parameters
    ----------
    application : Application
        Not fitted; its sample is simulated.
    times : sequence of float
        Rising sizes, as multiples of the sample; at least two.

    Returns
    -------
    dict
        JSON values: ``application``, ``data``, ``rows`` (of all parts); for each verb ``seconds``
        of the processor and ``peak_memory_mb`` by size, and ``exponents`` of both between the two
        largest sizes (1: twice the rows take twice as much); ``versions``, ``machine``.

    Raises
    ------
    ParameterError
        The sample is not simulated, so that it has one size; or there are fewer than two sizes.
    """
    facts = application.sample().card
    if facts.simulator is None or not facts.simulator.grows or len(times) < 2:
        raise ParameterError(
            f"{application.name} has a sample of one size, or {len(times)} sizes are asked for; "
            "growth is measured on simulated samples of two sizes and more."
        )
    context = get_context("spawn")
    found = []
    for size in tracked(list(times), "sizes"):
        with ProcessPoolExecutor(1, mp_context=context) as process:
            found.append(process.submit(measured, application, facts.id, size).result())
    rows = [each["rows"] for each in found]
    return {
        "application": application.name,
        "data": facts.id,
        "rows": rows,
        "verbs": {verb: _growth(rows, [each[verb] for each in found]) for verb in VERBS},
        "versions": library_versions(),
        "machine": machine(),
    }


def measured(application: Application, source: str, times: float) -> dict[str, Any]:
    """Measure one size in this process.

    Parameters
    ----------
    application : Application
        Not fitted.
    source : str
        Id of the simulated data.
    times : float
        Size, as a multiple of the sample.
    """
    data = sample(source, times=times)
    found: dict[str, Any] = {"rows": len(data.train) + len(data.validation) + len(data.test)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        verbs: Mapping[str, Callable[[], object]] = {
            "fit": lambda: application.fit(data),
            "evaluate": lambda: application.evaluate(data.test),
            "export": lambda: application.export(path),
            "predict": lambda: Model(path).predict(data.test),
        }
        for verb in VERBS:
            started = time.process_time()  # of all threads; what else runs here does not count
            verbs[verb]()
            seconds = time.process_time() - started
            found[verb] = {"seconds": round(seconds, 3), "peak_memory_mb": round(peak_memory_mb())}
    return found


def growth_table(record: Mapping[str, Any]) -> Iterator[list[str]]:
    """The rows of a record for people: seconds and memory by size, and exponents.

    Parameters
    ----------
    record : mapping
        As :func:`measure_scaling` returns it.

    Yields
    ------
    list of str
    """
    for verb, found in record["verbs"].items():
        for unit, name in (("seconds", "s"), ("peak_memory_mb", "MB")):
            values = [f"{value:.3g}" for value in found[unit]]
            yield [f"{verb} ({name})", *values, f"{found['exponents'][unit]:.2f}"]


def _growth(rows: Sequence[int], found: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    measures = {unit: [each[unit] for each in found] for unit in ("seconds", "peak_memory_mb")}
    longer = math.log(rows[-1] / rows[-2])
    exponents = {
        unit: round(math.log(max(values[-1], 1e-3) / max(values[-2], 1e-3)) / longer, 2)
        for unit, values in measures.items()
    }
    return {**measures, "exponents": exponents}
