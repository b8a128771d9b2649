"""Questions about a line of parts: what a split that leaks would have promised, and how fast it is.

Letters: N parts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnxruntime as ort
import pandas as pd
from sklearn.base import clone

from industry_apps.application import Application
from industry_apps.data import Dataset
from industry_apps.errors import ParameterError, ParityError
from industry_apps.evaluation.sections import Section
from industry_apps.manufacturing.defects.baselines import KnownBaselines
from industry_apps.manufacturing.defects.metrics import KnownAnswers
from industry_apps.manufacturing.defects.options import DefectOptions

__all__ = ["leaking_split", "line_speed"]

_BATCHES = (1, 16)
_REPEATS = 9
#: Windows of the one epoch for which a network is trained whose speed is measured.
_DRAWS = 64
_SHIPPED = "is_test"


def leaking_split(detector: Application, data: Dataset) -> Section:
    """Measure the nearest neighbour on the split that comes with the data, and on that of the card.

    Parameters
    ----------
    detector : DefectDetector
        Its parameters are used; it is trained for a moment, to read the tables.
    data : Dataset
        With a column ``is_test``, "train" or "test", and parts of several photographs.

    Raises
    ------
    ParameterError
        The data have no such split, or no parts.
    """
    every = pd.concat([data.train, data.validation, data.test], ignore_index=True)
    part = detector._name("part")
    if _SHIPPED not in every or part not in every:
        raise ParameterError(
            f"The data come with no split of their own: there is no column {_SHIPPED!r}, or no "
            f"{part!r}. Ask magnetic_tile."
        )
    reader = clone(detector)._reader_of(every)
    shipped = (every[every[_SHIPPED] == name] for name in ("train", "test"))
    ours = pd.concat([data.train, data.validation]), data.test
    rows: list[tuple[object, ...]] = [
        ("split", "leaks", "parts on both sides", "accuracy", "macro_f1 of the nearest neighbour")
    ]
    for name, (learned, judged), leaks in (
        ("shipped with the files", tuple(shipped), "yes"),
        ("by part, as on the card", ours, "no"),
    ):
        shared = len(set(learned[part]) & set(judged[part]))
        found = _nearest(reader.read(learned), reader.read(judged), len(reader.types) + 1)
        estimates = found.bootstrap().estimates()
        rows.append((name, leaks, shared, estimates["accuracy"], estimates["macro_f1"]))
    text = (
        "A nearest neighbour of pixels knows nothing of defects. Where photographs of one part lie "
        "on both sides of a split, it finds the other photograph of the same part: figures on such "
        "a split are worth nothing."
    )
    return Section("The split that comes with the data leaks", text, rows)


def _nearest(learned: Any, judged: Any, classes: int) -> KnownAnswers:
    from industry_apps.evaluation.costs import Costs

    likely = KnownBaselines(classes, 0).fit_nearest(learned).nearest(judged)
    return KnownAnswers(
        types=judged.types,
        said=likely.argmax(axis=1),
        score=1 - likely[:, 0],
        alarm=likely[:, 0] < 1,
        groups=np.arange(len(judged)),
        costs=Costs(),
    )


def line_speed(detector: Application, data: Dataset) -> Section:
    """Count the images a second of the trained network, and of its files in float32 and int8.

    Parameters
    ----------
    detector : DefectDetector
        Its parameters are used, for a network that is trained for one epoch: how fast it answers
        does not depend on what it has learned.
    data : Dataset

    Raises
    ------
    SchemaError, ParameterError, TrainingError
    """
    options = detector.options or DefectOptions()
    brief = replace(options, draws=_DRAWS, training=options.training.for_epochs(1))
    fitted = clone(detector).set_params(options=brief).fit(data)
    header = ("answers with", *(f"images a second, batch of {count}" for count in _BATCHES))
    with TemporaryDirectory() as folder:
        files = {}
        for precision in ("float32", "int8"):
            path = Path(folder) / f"{precision}.onnx"
            try:
                fitted.export(path, precision=precision, check=data)
                files[precision] = path
            except ParityError:
                continue  # what the file would lose is said by the export, and no row stands here
        found = _by_turns(fitted, files, data.test)
    rows = [(name, *speeds) for name, speeds in found.items()]
    text = (
        "Side by side on this machine, from bytes to the answer, one thread; torch is given pixels "
        "that are normalised already. A precision that may not be written has no row."
    )
    return Section("Speed of the line", text, [header, *rows])


def _by_turns(fitted: Any, files: dict[str, Path], test: pd.DataFrame) -> dict[str, list[float]]:
    """Images a second of each, measured by turns, so that what else is done slows all alike."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    sessions = {name: ort.InferenceSession(str(path), options) for name, path in files.items()}
    arrays = fitted.schema_.to_arrays(test)
    sizes = [image.shape for image in arrays[fitted.schema_.names[0]]]
    usual = [row for row, size in enumerate(sizes) if size == max(set(sizes), key=sizes.count)]
    found: dict[str, list[float]] = {name: [] for name in ("torch", *sessions)}
    for count in _BATCHES:
        rows = np.resize(usual, count)
        feeds = {name: np.stack(values[rows].tolist()) for name, values in arrays.items()}
        pixels = fitted.recipe_.pixels({name: values[rows] for name, values in arrays.items()})
        asked: dict[str, Callable[[], Any]] = {"torch": partial(fitted.recipe_.forward, pixels)}
        asked |= {name: partial(each.run, None, feeds) for name, each in sessions.items()}
        seconds: dict[str, list[float]] = {name: [] for name in asked}
        for _ in range(_REPEATS):
            for name, ask in asked.items():
                started = time.perf_counter()
                ask()
                seconds[name].append(time.perf_counter() - started)
        for name, each in seconds.items():
            found[name].append(round(count / median(each), 1))
    return found
