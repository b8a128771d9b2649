"""Answers of a session, in the form in which people asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ModelFileError
from industry_apps.schema import Column, Schema
from industry_apps.schema.images import are_images, changed_pixels, one_by_one, unpack

Answers = dict[str, NDArray[Any]]


def shaped(outputs: Schema, found: Sequence[NDArray[Any]]) -> Answers:
    """Name what a session answered; one value a row where the column holds one.

    Parameters
    ----------
    outputs : Schema
    found : sequence of ndarray of shape [rows, values]
        In the order of the outputs.

    Returns
    -------
    dict of str to ndarray
        Of shape [rows], of list columns [rows, size], of arrays [rows, *shape]; of images
        [rows], of arrays [height, width] that may differ in size.
    """
    return {
        column.name: _in_form(column, answer) for column, answer in zip(outputs, found, strict=True)
    }


def of_one(column: Column, answer: NDArray[Any]) -> Any:
    """The answer to one record, as JSON knows it.

    Parameters
    ----------
    column : Column
    answer : ndarray of shape [1, ...]
    """
    several = column.kind == "image" or column.is_list
    if not several:
        return answer.item()
    found = answer[0].tolist()
    return _ended(found) if _is_ragged(column) else found


def _in_form(column: Column, answer: NDArray[Any]) -> NDArray[Any]:
    if column.kind == "image":
        return one_by_one(answer)
    return answer if column.is_list else answer.reshape(-1)


def no_answers(outputs: Schema) -> Answers:
    """The answers to no rows."""
    return {
        column.name: column.missing(0).astype(bool)
        if column.kind == "boolean"
        else column.missing(0)
        for column in outputs
    }


def cells(answers: Mapping[str, NDArray[Any]], outputs: Schema) -> dict[str, Any]:
    """Answers as columns of a table: a list is one cell, and as long as there are texts in it.

    Parameters
    ----------
    answers : mapping of str to ndarray of shape [rows] or [rows, ...]
    outputs : Schema
    """
    ragged = {column.name for column in outputs if _is_ragged(column)}
    return {
        name: values
        if values.ndim == 1
        else one_by_one(map(_ended, values.tolist()))
        if name in ragged
        else one_by_one(row.tolist() for row in values)
        for name, values in answers.items()
    }


def _is_ragged(column: Column) -> bool:
    """Whether an answer is a list of texts of any length, side by side in arrays."""
    return column.size is None and column.kind == "category"


def _ended(texts: list[str]) -> list[str]:
    """A list without the empty texts at its end."""
    return texts[: next((n for n in range(len(texts), 0, -1) if texts[n - 1]), 0)]


def like(data: Any, answers: Answers, keys: Sequence[str], outputs: Schema) -> Any:
    """Answers in the form that the data came in; of arrays, lists are filled up with "".

    Parameters
    ----------
    data : DataFrame, Arrow table, sequence of records, or mapping of arrays
    answers : dict of str to ndarray of shape [rows] or [rows, size]
    keys : sequence of str
        Names of the answers that become the index of a frame; without them the answers are
        on the index of the data.
    outputs : Schema
    """
    if hasattr(data, "iloc"):
        import pandas as pd

        if keys:
            return pd.DataFrame(cells(answers, outputs)).set_index(list(keys))
        return pd.DataFrame(cells(answers, outputs), index=data.index)
    if hasattr(data, "column_names"):
        import pyarrow as pa

        return pa.table(cells({n: _plain(values) for n, values in answers.items()}, outputs))
    if isinstance(data, Sequence):
        told = cells({name: _plain(values) for name, values in answers.items()}, outputs)
        columns = (each if isinstance(each, list) else each.tolist() for each in told.values())
        return [dict(zip(answers, row, strict=True)) for row in zip(*columns, strict=True)]
    return answers


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    """Times as text in ISO 8601 and images as lists, as records of JSON have them."""
    if are_images(values):
        return one_by_one(image.tolist() for image in values)
    return values.astype(str) if values.dtype.kind == "M" else values


def differs(
    found: NDArray[Any], expected: Any, tolerance: float, offset: float | None = None
) -> NDArray[np.bool_]:
    """In which rows an answer is not the expected one.

    Parameters
    ----------
    found : ndarray of shape [rows] or [rows, ...]
    expected : nested list
        JSON values, null for a missing number, images packed.
    tolerance : float
        Of a number; of one beyond 1, as a share of it. Of an image the share of its pixels that
        may differ by more than this share of white: one on the threshold may go either way on
        another processor.
    offset : float, optional
        Of the column: the share is one of what lies beyond it.

    Returns
    -------
    ndarray of bool, shape [rows]
    """
    if are_images(found):
        pairs = zip(found, expected, strict=True)
        greys = max(1.0, 255 * tolerance)
        return np.array(
            [changed_pixels(i, unpack(packed), greys) > tolerance * i.size for i, packed in pairs]
        )
    if found.dtype.kind == "O":
        same = found == np.asarray(expected, dtype=object).reshape(found.shape)
    else:
        wanted = np.asarray(expected, dtype=np.float64).reshape(found.shape)
        slack = tolerance * np.fmax(1, np.abs(wanted - (offset or 0.0)))
        same = np.isclose(found, wanted, rtol=0, atol=slack, equal_nan=True)
    return ~same if same.ndim == 1 else ~same.reshape(len(same), -1).all(axis=1)


def replayed(
    file: str, answers: Answers, expected: Mapping[str, Any], outputs: Schema, tolerance: float
) -> None:
    """Check the answers to the records of a self-test.

    Parameters
    ----------
    file : str
        Its name.
    answers : dict of str to ndarray of shape [rows] or [rows, ...]
    expected : mapping of str to list
        What the file holds, for each output.
    outputs : Schema
    tolerance : float
        As of :func:`differs`.

    Raises
    ------
    ModelFileError
        There are more or fewer, they hold more or fewer values, or are others.
    """
    for name, told in expected.items():
        found, column = answers[name], outputs[name]
        size = column.size
        if len(found) != len(told):
            raise ModelFileError(
                f"{file} is damaged: its self-test has {len(told)} answers for {len(found)} "
                "records. Export the model again."
            )
        if size not in (None, 1) and found.shape[1:] != (size,):
            raise ModelFileError(
                f"{file} is damaged: its output {name!r} is declared to hold {size} values, and "
                f"holds {found.shape[1:]}. Export the model again."
            )
        wrong = differs(found, told, tolerance, column.offset)
        if wrong.any():
            row = int(wrong.argmax())
            raise ModelFileError(
                f"{file} does not answer its self-test on this machine: row {row}, output "
                f"{name!r}, got {found[row]}, expected {told[row]}. Try provider='cpu', or export "
                "the model again."
            )


def widened(array: NDArray[Any], width: int, empty: Any) -> NDArray[Any]:
    """Lists [rows, values] made longer by values that are none."""
    return np.pad(array, ((0, 0), (0, width - array.shape[1])), constant_values=empty)
