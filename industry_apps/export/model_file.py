"""The model file: graph and metadata, written whole or not at all."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import ModelFileError, ParameterError
from industry_apps.export.edges import edge_rows, edge_windows, real_windows
from industry_apps.export.exportable import Exportable
from industry_apps.export.parity import (
    Answers,
    Certificate,
    certify_windows,
    compare,
)
from industry_apps.runtime.answers import shaped
from industry_apps.runtime.inputs import Feeds, feeds_of, run_in_slices
from industry_apps.runtime.loading import seal
from industry_apps.runtime.metadata import DIGEST, FORMAT, OF_FORMAT, own_facts
from industry_apps.runtime.model import Model
from industry_apps.runtime.series.forecasts import asked_at, last_window, told_ahead
from industry_apps.runtime.series.long_tables import WindowRule, long_schema
from industry_apps.runtime.series.windows import Panel, run_windows
from industry_apps.schema import Column, Schema
from industry_apps.schema.images import are_images, pack
from industry_apps.whole_file import whole_file

Arrays = Mapping[str, NDArray[Any]]

#: Rows whose answers travel with the file and are replayed at load.
SELF_TEST_ROWS = 16
#: Images, each of which is as long as thousands of other values.
SELF_TEST_IMAGES = 4
#: Series whose last windows do, of a model of windows.
SELF_TEST_SERIES = 4

_LIBRARIES = (
    "industry-apps",
    "numpy",
    "pandas",
    "onnx",
    "onnxruntime",
    "torch",
    "lightgbm",
    "scikit-learn",
)


def export_model(model: Exportable, path: Path, check: pd.DataFrame | None = None) -> Certificate:
    """Prove that the graph answers as the trained model does, then write the file.

    Parameters
    ----------
    model : Exportable
    path : Path
    check : DataFrame, optional
        Records to prove it on.

    Raises
    ------
    ParityError, ModelFileError, ParameterError
        Nothing is written.
    """
    frame = model.check if check is None else check
    if model.windows is None:
        certificate, proven = _prove(model, frame)
    else:
        certificate, proven = _prove_windows(model, model.windows, frame)
    metadata = {
        **model.facts,
        "schema": model.schema.to_json(),
        "outputs": model.outputs.to_json(),
        "parity": certificate.to_dict(),
        **({"rows_a_run": model.rows_a_run} if model.rows_a_run else {}),
        **proven,
        "versions": library_versions(),
    }
    write_model_file(path, model.graph, metadata)
    return certificate


def _prove(model: Exportable, frame: pd.DataFrame) -> tuple[Certificate, dict[str, Any]]:
    """Certificate of a model of records, and what the file holds of them."""
    exported, schema = _answering_arrays(model), model.schema
    edges = edge_rows(schema, frame, model.thresholds)
    arrays = schema.to_arrays(frame)
    trained, found = model.native(frame), exported(arrays)
    certificate = compare(
        [
            (frame, lambda: trained, lambda: found),
            (edges, lambda: model.native(edges), lambda: exported(schema.to_arrays(edges))),
        ],
        strict=model.loss is None,
    )
    stated = {}
    if model.loss:
        stated = model.loss.state(frame, trained, found, model.precision)
    return certificate, {
        **stated,
        "reference": reference_of(arrays, schema),
        "self_test": self_test_of(arrays, found, schema),
    }


def answering(model: Exportable) -> Callable[[pd.DataFrame], Answers]:
    """Run the graph of a model of records, as its file will be run.

    Parameters
    ----------
    model : Exportable
        Without ``windows``.

    Returns
    -------
    callable
        Frame -> {output: array of shape [rows], of list columns [rows, size]}.
    """
    exported = _answering_arrays(model)
    return lambda records: exported(model.schema.to_arrays(records))


def _answering_arrays(model: Exportable) -> Callable[[Arrays], Answers]:
    """The same of columns that are converted already."""
    session = _session(model.graph)

    def answers(arrays: Arrays) -> Answers:
        feeds = feeds_of(arrays, model.schema)
        names, most = model.outputs.names, model.rows_a_run
        return shaped(model.outputs, run_in_slices(session, names, feeds, model.schema, most))

    return answers


def _prove_windows(
    model: Exportable, rule: WindowRule, frame: pd.DataFrame
) -> tuple[Certificate, dict[str, Any]]:
    """Certificate of a model of windows, and what the file holds of them."""
    session = _session(model.graph)
    panel, first = Panel.read(frame, model.schema, rule), 0
    if model.history is not None and panel.times[0] > model.history.times[-1]:
        panel, first = model.history.joined(panel), len(model.history.times)

    def exported(feeds: Feeds) -> Answers:
        return run_windows(session, model.outputs.names, feeds, model.schema, rule)

    certificate = certify_windows(
        model.native,
        exported,
        real_windows(panel, model.schema, rule, model.moments, first),
        edge_windows(panel, model.schema, rule),
        model.outputs,
    )
    return certificate, {
        "windows": rule.to_dict(),
        "reference": {},
        "self_test": _window_self_test(panel, exported, model.schema, rule),
    }


def _window_self_test(
    panel: Panel, exported: Callable[[Feeds], Answers], schema: Schema, rule: WindowRule
) -> dict[str, Any]:
    """The last window of a few series, as a long table, and the answers to it."""
    window = last_window(panel, schema, rule)
    (known,) = np.nonzero(window.present.any(axis=0) & told_ahead(window, schema, rule))
    if not len(known):
        raise ParameterError(
            "No series has a value of all that is known in advance to the end of the records that "
            "the file is proven on. Give records that have them as `check`."
        )
    chosen = known[np.unique(np.linspace(0, len(known) - 1, SELF_TEST_SERIES).astype(int))]
    frame, table = window.part(series=chosen).to_frame(rule), long_schema(schema, rule)
    read = Panel.read(frame, schema, rule)  # as the file will be
    answers = exported(read.feeds(asked_at(read, schema, rule), schema, rule))
    return {
        "records": _json_records(table.to_arrays(frame), table),
        "answers": {name: _json_list(values.reshape(-1)) for name, values in answers.items()},
    }


def _session(graph: onnx.ModelProto) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    return ort.InferenceSession(
        graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def library_versions() -> dict[str, str]:
    """Versions of Python and of the libraries that had a part in the model."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def check_ending(path: Path) -> None:
    """Check what a model file is to be called, before anything is learned for it.

    Raises
    ------
    ModelFileError
    """
    if path.suffix != ".onnx":
        raise ModelFileError(f"A model file ends in .onnx; got {path.name!r}. Rename it.")


def write_model_file(path: Path, graph: onnx.ModelProto, metadata: Mapping[str, Any]) -> None:
    """Write a model file beside its place, load it as a server would, then put it in place.

    Parameters
    ----------
    path : Path
        Ends in .onnx.
    graph : onnx.ModelProto
    metadata : mapping
        JSON values by key, as :class:`industry_apps.runtime.Model` reads them.

    Raises
    ------
    ModelFileError
        The file does not load or does not answer its own self-test; ``path`` is untouched.
    """
    check_ending(path)
    model = onnx.ModelProto()
    model.CopyFrom(graph)
    facts = {key: value for key, value in metadata.items() if key not in OF_FORMAT}
    # The digest goes first: of a file that is cut short it is there, and wrong.
    stated = {DIGEST: "0" * 64, "format": FORMAT, "own_facts": own_facts(facts), **facts}
    stored = {key: json.dumps(value, allow_nan=False) for key, value in stated.items()}
    onnx.helper.set_model_props(model, stored)
    content = seal(model.SerializeToString(deterministic=True), path.name)
    with whole_file(path) as aside:
        aside.write_bytes(content)
        Model._of(aside.read_bytes(), path)


def self_test_of(arrays: Arrays, answers: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """Records and answers for the replay at load, as JSON values.

    Parameters
    ----------
    arrays : mapping of str to ndarray of shape [rows, ...]
        Records, as :meth:`Schema.to_arrays` makes them.
    answers : mapping of str to ndarray of shape [rows] or [rows, ...]
        What the exported graph answers to them.
    schema : Schema
    """
    long = any(c.kind == "image" or c.rate is not None for c in schema)
    most = SELF_TEST_IMAGES if long else SELF_TEST_ROWS
    rows = len(next(iter(arrays.values())))
    chosen = np.unique(np.linspace(0, rows - 1, most).round().astype(int))
    return {
        "records": _json_records({n: values[chosen] for n, values in arrays.items()}, schema),
        "answers": {name: _json_list(values[chosen]) for name, values in answers.items()},
    }


def reference_of(arrays: Arrays, schema: Schema) -> dict[str, Any]:
    """The typical record, for explanations: medians and most frequent values.

    Parameters
    ----------
    arrays : mapping of str to ndarray of shape [rows, ...]
        Records, as :meth:`Schema.to_arrays` makes them.
    schema : Schema
    """
    typical: dict[str, Any] = {}
    for column in schema:
        if column.kind == "image" or column.rate is not None:  # none of which is typical
            continue
        values = arrays[column.name]
        known = values[~column.is_missing(values)]
        if column.is_list and column.size and column.kind == "number" and len(known):
            middle = np.sort(known, axis=0)[len(known) // 2]  # of each place
            typical[column.name] = _json_value(column, middle)
        elif column.is_list or not len(known):
            typical[column.name] = None
        elif column.kind in ("number", "datetime"):
            typical[column.name] = _json_value(column, np.sort(known)[len(known) // 2])
        else:
            typical[column.name] = _json_value(column, Counter(known.tolist()).most_common(1)[0][0])
    return typical


def _json_records(arrays: Arrays, schema: Schema) -> list[dict[str, Any]]:
    return [
        {column.name: _json_value(column, arrays[column.name][row]) for column in schema}
        for row in range(len(next(iter(arrays.values()))))
    ]


def _json_value(column: Column, value: Any) -> Any:
    """One value as in a record of JSON: times in ISO 8601, images packed, missing as null."""
    if column.kind == "image":
        return pack(value)
    if column.is_list:
        one = column.of_each
        values = [_json_value(one, each) for each in value]
        while column.size is None and values and values[-1] is None:  # what only fills up
            values.pop()
        return values if len(values) >= column.least else None
    if column.is_missing(np.array([value]))[0]:
        return None
    if column.kind == "datetime":
        return str(np.datetime64(int(value), "s"))
    if column.kind == "boolean":
        return bool(value)
    return _json_number(column, value) if column.kind == "number" else str(value)


def _json_number(column: Column, value: Any) -> int | float:
    """The shortest number that is this one in its type; a whole one without a point."""
    return int(value) if column.whole else float(str(column.dtype(value)))


def _json_list(values: np.ndarray) -> list[Any]:
    if are_images(values):
        return [pack(image) for image in values]
    if values.ndim > 2 and values.dtype.kind == "f":  # a map, whose many digits tell nothing
        values = values.astype(np.float64).round(6)
    if values.ndim > 1:
        return [_json_list(row) for row in values]
    return [None if isinstance(v, float) and np.isnan(v) else v for v in values.tolist()]
