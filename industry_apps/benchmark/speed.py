"""Ratios of speed, each of two things timed in turn in the same process.

A ratio says how many times faster the exported file answers than what stands beside it,
or, where its name says so, how many times longer something takes. On a machine with other
work the seconds wander; ratios of alternating runs do so far less.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnxruntime as ort
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Dataset, Split
from industry_apps.features import GraphBuilder
from industry_apps.runtime import Model, TransactionState
from industry_apps.runtime.inputs import slices
from industry_apps.runtime.records import RecordReader
from industry_apps.schema import Schema

#: Records that take turns, so that no single one decides.
_RECORDS = 32
#: Calls with one record before it is the turn of the next.
_BLOCK = 20
#: Share and most of the records of a batch that say how long it takes; seconds that it may take.
_SHARE, _FIRST, _SECONDS = 0.05, 1_000, 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measured figure and what it should be.

    Parameters
    ----------
    name : str
    value : float or str
        A word where the machine cannot measure it.
    unit : str
        Empty for a ratio.
    target : float, optional
    at_least : bool
        Whether the target is a lower limit; else it is an upper one.
    """

    name: str
    value: float | str
    unit: str = ""
    target: float | None = None
    at_least: bool = True

    @property
    def key(self) -> str:
        """Name in JSON, with the unit.

        Examples
        --------
        >>> Measure(name="import", value=0.02, unit="s").key
        'import_s'
        """
        return f"{self.name}_{self.unit.lower()}" if self.unit else self.name

    @property
    def holds(self) -> bool | None:
        """Whether the target is met; None where there is none, or nothing was measured."""
        if self.target is None or isinstance(self.value, str):
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target

    def wanted(self) -> str:
        """The target in words.

        Examples
        --------
        >>> Measure(name="import", value=0.02, unit="s", target=0.1, at_least=False).wanted()
        '<= 0.1 s'
        """
        if self.target is None:
            return ""
        return f"{'>=' if self.at_least else '<='} {self.target:g} {self.unit}".rstrip()

    def found(self) -> str:
        """The value with two significant digits: a timing has no more.

        Examples
        --------
        >>> Measure(name="import", value=0.02345, unit="s").found()
        '0.023 s'
        """
        if isinstance(self.value, str):
            return self.value
        text = f"{self.value:.0f}" if self.value >= 100 else f"{self.value:.2g}"
        return f"{text} {self.unit}".rstrip()


def alternating(
    calls: Mapping[str, Callable[[], object]], repetitions: int, block: int = 1
) -> dict[str, list[float]]:
    """Time several things in turn.

    Parameters
    ----------
    calls : mapping of str to callable
    repetitions : int
        Of each, after one that is not timed.
    block : int
        Calls of one before it is the turn of the next: short calls are timed as they are
        in steady work, not as they are after something else has filled the caches.

    Returns
    -------
    dict of str to list of float
        Seconds of every call.

    Examples
    --------
    >>> {name: len(times) for name, times in alternating({"a": list, "b": dict}, 3).items()}
    {'a': 3, 'b': 3}
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for start in range(0, repetitions, block):
        for name, call in calls.items():
            for _ in range(min(block, repetitions - start)):
                started = time.perf_counter()
                call()
                seconds[name].append(time.perf_counter() - started)
    return seconds


def one_record(
    application: Application, path: Path, rows: pd.DataFrame, *, repetitions: int = 2000
) -> list[Measure]:
    """Compare one record through the file with the training path and with a bare session.

    Parameters
    ----------
    application : Application
        Fitted.
    path : Path
        Its exported file.
    rows : DataFrame
        Records to take in turn; 32 of them are used.
    repetitions : int
        Alternating calls of the file and of the bare session; the training path, which is
        slower by far, is called a tenth as often.
    """
    model = Model(path, threads=threads())
    session = bare_session(path)
    names = model.outputs.names
    some = unmarked(rows).iloc[np.linspace(0, len(rows) - 1, _RECORDS).astype(int)]
    records = _records(some)
    read = RecordReader(model.schema.inputs())
    frames = cycle([some.iloc[[row]] for row in range(len(some))])
    dicts, feeds = cycle(records), cycle([read(record) for record in records])
    bare = alternating(
        {
            "file": lambda: model.predict(next(dicts)),
            "bare": lambda: session.run(names, next(feeds)),
        },
        repetitions,
        _BLOCK,
    )
    training = alternating(
        {
            "training": lambda: application.predict(next(frames)),
            "file": lambda: model.predict(next(dicts)),
        },
        max(1, repetitions // 10),
        _BLOCK,
    )
    return [
        Measure(
            name="one_record_vs_training_path",
            value=median(training["training"]) / median(training["file"]),
            target=40,
        ),
        Measure(
            name="one_record_vs_bare_session",
            value=median(bare["file"]) / median(bare["bare"]),
            target=2,
            at_least=False,
        ),
        Measure(name="one_record", value=1e3 * median(bare["file"]), unit="ms"),
    ]


def raw_record(
    application: Application, path: Path, data: Dataset | Split, *, repetitions: int = 300
) -> list[Measure]:
    """Compare one record as it comes in, before the stream has told anything about it.

    Both sides keep a state, which has seen the training data: the training path adds its
    columns to a table of one row, the serving path to a dict. Only for files that ask for
    state columns; for others there is nothing to say.

    Parameters
    ----------
    application : Application
        Fitted.
    path : Path
        Its exported file.
    data : Dataset or Split
        The test part gives the records, in order of time.
    repetitions : int
        Records to take.
    """
    model = Model(path, threads=threads())
    settings = model.metadata.get("state")
    if not settings:
        return []
    states = [TransactionState(**settings) for _ in range(2)]
    for state in states:
        state.enrich(data.train.drop(columns=list(state.columns)))
    rows = unmarked(data.test).sort_values(settings["time"]).drop(columns=list(states[0].columns))
    rows = rows.head(repetitions + 1)
    frames = iter([rows.iloc[[row]] for row in range(len(rows))])
    records = iter(_records(rows))
    seconds = alternating(
        {
            "training": lambda: application.predict(states[0].enrich(next(frames))),
            "file": lambda: model.predict(states[1].update(next(records))),
        },
        len(rows) - 1,
        _BLOCK,
    )
    ratio = median(seconds["training"]) / median(seconds["file"])
    return [Measure(name="raw_record_vs_training_path", value=ratio)]


def batch(
    application: Application, path: Path, rows: pd.DataFrame, *, count: int, repeats: int = 3
) -> list[Measure]:
    """Compare a batch through the file with the training path, best of several each.

    Parameters
    ----------
    application : Application
        Fitted.
    path : Path
        Its exported file.
    rows : DataFrame
        Drawn from with replacement.
    count : int
        Size of the batch, at most: less where the file would take longer than 20 seconds.
    repeats : int
        Alternating runs of each.
    """
    model = Model(path, threads=threads())
    first = drawn(rows, min(max(1, int(_SHARE * count)), _FIRST))
    started = time.perf_counter()
    model.predict(first)
    possible = int(_SECONDS * len(first) / (time.perf_counter() - started))
    count = min(count, max(possible, len(first)))
    frame = drawn(rows, count)
    seconds = alternating(
        {
            "training": lambda: application.predict(frame),
            "file": lambda: model.predict(frame),
        },
        repeats,
    )
    return [
        Measure(
            name="batch_vs_training_path",
            value=min(seconds["training"]) / min(seconds["file"]),
            target=1.5,
        ),
        Measure(name="batch_of_1000", value=1e6 * min(seconds["file"]) / count, unit="ms"),
    ]


def model_alone(
    application: Application, rows: pd.DataFrame, *, count: int, repeats: int = 3
) -> list[Measure]:
    """Compare the trained model with its ONNX form, both on features that are ready.

    Only for applications whose recipe holds scorers; for others there is nothing to say.

    Parameters
    ----------
    application, rows, count, repeats
        As for :func:`batch`.
    """
    scorers = getattr(getattr(application, "recipe_", None), "scorers_", ())
    if not scorers:
        return []
    arrays = application.recipe_.used_columns().to_arrays(drawn(rows, count))
    native: list[Callable[[], object]] = []
    exported: list[Callable[[], object]] = []
    for scorer in scorers:
        ready = copy(scorer)
        tensors = scorer.features.run(arrays)
        ready.features = ReadyFeatures(scorer.features, tensors)
        native.append(partial(ready.margin, {}))
        exported.append(_session_alone(ready, tensors))
    seconds = alternating(
        {
            "native": lambda: [call() for call in native],
            "exported": lambda: [call() for call in exported],
        },
        repeats,
    )
    ratio = min(seconds["native"]) / min(seconds["exported"])
    return [Measure(name="batch_vs_native_model", value=ratio, target=1.5)]


def drawn(rows: pd.DataFrame, count: int, seed: int = 0) -> pd.DataFrame:
    """Rows drawn with replacement, in a frame of their own."""
    chosen = np.random.default_rng(seed).integers(0, len(rows), count)
    return unmarked(rows).iloc[chosen].reset_index(drop=True)


def unmarked(rows: pd.DataFrame) -> pd.DataFrame:
    """The same rows without attributes, which pandas copies at each access to a column."""
    plain = rows.copy(deep=False)
    plain.attrs = {}
    return plain


class ReadyFeatures:
    """Stands in for a feature graph whose tensors have been computed already.

    Parameters
    ----------
    features : FeatureGraph
    tensors : mapping of str to ndarray
        What it made.
    """

    def __init__(self, features: Any, tensors: Mapping[str, NDArray[Any]]) -> None:
        self._tensors = tensors
        self.names, self.cardinalities = features.names, features.cardinalities

    def run(self, _arrays: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """The tensors, whatever is asked."""
        return self._tensors

    def write(self, builder: GraphBuilder, _inputs: Mapping[str, str]) -> dict[str, str]:
        """Declare the tensors as inputs of a graph."""
        return {
            name: builder.input(name, array.dtype.type, array.shape[1])
            for name, array in self._tensors.items()
        }


def _session_alone(ready: Any, tensors: Mapping[str, NDArray[Any]]) -> Callable[[], object]:
    builder = GraphBuilder()
    builder.output(ready.write(builder, {}), "margin", np.float32)
    session = bare_session(builder.model("model").SerializeToString())
    parts = list(slices(dict(tensors), Schema(())))
    return lambda: [session.run(["margin"], part) for part in parts]


def bare_session(model: Path | bytes) -> ort.InferenceSession:
    """A session of onnxruntime on a file, with nothing of ours around it."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads() or 0
    source = model if isinstance(model, bytes) else str(model)
    return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def threads() -> int | None:
    """As many threads as the trained model takes: all, or what OpenMP is told."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdigit() and int(told) else None


def _records(frame: pd.DataFrame) -> Sequence[Mapping[str, Any]]:
    """Records as a service holds them once it has parsed a message: Python's own types."""
    return [dict(_plain(record)) for record in frame.to_dict("records")]


def _plain(record: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        yield str(name), value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
