"""Tensors of records, as a client of the protocol makes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from industry_apps.runtime import Model
from industry_apps.runtime.batches import RecordBatches
from industry_apps.schema.images import are_images

TYPES = {"BYTES": np.object_, "BOOL": np.bool_, "UINT8": np.uint8, "INT64": np.int64}


def records_of(model: Model) -> list[dict[str, Any]]:
    """Records as people send them: raw ones, or those that the file proves itself on."""
    if model.completion is not None:
        return [model.completion.example] * 3
    return list(model.metadata["self_test"]["records"])


def tensors_of(model: Model, records: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Column -> values [rows, ...] of the datatype of its tensor."""
    schema = RecordBatches(model).table_schema
    found = {}
    for column in schema:
        if not any(column.name in record for record in records):
            continue
        array = column.to_array([record.get(column.name) for record in records])
        if are_images(array):
            array = np.stack(array.tolist())
        found[column.name] = array if array.ndim > 1 else array.reshape(-1, 1)
    return found


def inputs_of(
    kind: Any, tensors: dict[str, np.ndarray], metadata: Any, in_bytes: bool | None = None
) -> list[Any]:
    """The inputs of a client of Triton; NaN goes in bytes, as it would send it as no JSON."""
    types = {each["name"]: each["datatype"] for each in metadata}
    found = []
    for name, array in tensors.items():
        datatype = types[name]
        each = kind(name, list(array.shape), datatype)
        dtype = TYPES.get(datatype, np.float32 if datatype == "FP32" else np.float64)
        has_nan = array.dtype.kind == "f" and bool(np.isnan(array).any())
        how = {} if in_bytes is None else {"binary_data": in_bytes or has_nan}
        each.set_data_from_numpy(array.astype(dtype), **how)
        found.append(each)
    return found


def expected(model: Model, records: list[dict[str, Any]]) -> dict[str, Any]:
    """What the model answers to records that hold what its tensors do."""
    schema = RecordBatches(model).table_schema
    known = [{n: v for n, v in record.items() if n in schema.names} for record in records]
    table = {
        name: [record.get(name) for record in known]
        for name in schema.names
        if any(name in record for record in known)
    }
    answers = model.predict(table)
    if set(answers) == set(model.outputs.names) and model.windows is None and len(records) == 1:
        one = model.predict(known[0])
        answers = {name: np.array([value]) for name, value in one.items()}
    return dict(answers)


def same(found: np.ndarray, wanted: Any) -> bool:
    """Whether a tensor holds an answer, bit for bit."""
    wanted = np.stack(wanted.tolist()) if are_images(wanted) else np.asarray(wanted)
    if wanted.dtype.kind == "M":
        wanted = wanted.astype("datetime64[s]").astype(np.int64)
    if found.dtype.kind in "OS":
        texts = [t.decode() if isinstance(t, bytes) else t for t in found.ravel().tolist()]
        told = [t for t in np.array(wanted, dtype=object).ravel().tolist() if t]
        return [t for t in texts if t] == told
    wanted = wanted.astype(found.dtype).reshape(found.shape)
    return bool(np.array_equal(found, wanted, equal_nan=found.dtype.kind == "f"))
