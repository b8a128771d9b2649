"""Checks of hostile records: a correct answer or the documented error, nothing between.

What a column must answer and what it must refuse follows from its kind and its limits in
the schema of the file. The sample is widened first, so that a column of each kind that
the application declares is among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from industry_apps.data.datasets import Dataset
from industry_apps.errors import LeakageError, SchemaError, TrainingError
from industry_apps.schema import Column
from industry_apps.schema.images import LARGEST_SIDE
from industry_apps.schema.values import Kind
from industry_apps.testing.assertions import assert_outputs, assert_same, assert_that
from industry_apps.testing.structure import assert_unfitted
from industry_apps.testing.trial import Trial, cell, changed

_ROW = 1  # of the three records that are sent, the one that is changed

_MISSING: dict[Kind, tuple[object, ...]] = {
    "number": (None, np.nan, pd.NA),
    "boolean": (None, np.nan, pd.NA),
    "category": (None, np.nan, pd.NA, ""),
    "text": (None, np.nan, pd.NA, ""),
    "datetime": (None, pd.NaT, pd.NA),
    "image": (None, np.nan, pd.NA),
}
_OF_ANOTHER_TYPE: dict[Kind, tuple[object, ...]] = {
    "number": ("twelve", b"12", pd.Timestamp("2020-01-01")),
    "boolean": ("perhaps", 2),
    "category": (b"bytes", frozenset({"a"})),
    "text": (3.5, b"bytes"),
    "datetime": ("not a time", True),
    "image": (
        "no such file.png",
        b"\x89PNG\r\n\x1a\n",
        3.5,
        np.zeros((8, 8)),
        np.zeros((8, 8, 13), dtype=np.uint8),
        np.zeros((0, 8), dtype=np.uint8),
        np.zeros((1, LARGEST_SIDE + 1), dtype=np.uint8),
    ),
}
_MILLION = 1_000_000


def takes_the_kinds_it_declares(trial: Trial) -> None:
    """A column of each kind in ``traits.inputs`` is read by a file trained with it."""
    declared = set(trial.application_class.traits.inputs)
    read = {column.kind for column in trial.widened.model.schema.inputs()}
    assert_that(
        declared == read, f"Declared are the kinds {sorted(declared)}, read are {sorted(read)}."
    )


def missing_values(trial: Trial) -> None:
    """A missing value is answered where the schema allows it, and refused elsewhere."""
    for wide, frame, column in _columns(trial):
        answers = []
        for value in _MISSING[column.kind]:
            sent, what = changed(frame, column, _ROW, value), f"{column.name} = {value!r}"
            if column.nullable:
                answers.append(wide.answered(sent, what))
            else:
                wide.refused(sent, what, column=column.name, row=_ROW)
        for other in answers[1:]:
            assert_same(answers[0], other, f"{column.name}: ways to be missing", tolerance=0)


def infinite_numbers(trial: Trial) -> None:
    """Infinity, and what float32 cannot hold, is refused."""
    _refused(trial, lambda column: (np.inf, -np.inf, 1e300), kind="number")


def numbers_out_of_range(trial: Trial) -> None:
    """A number outside the declared limits is refused; one at a limit is answered."""

    def outside(column: Column) -> Iterator[float]:
        if column.low is not None:
            yield column.low - 1
        if column.high is not None:
            yield column.high + 1

    _refused(trial, outside, kind="number")
    for wide, frame, column in _columns(trial, "number"):
        for limit in (column.low, column.high):
            if limit is not None:
                sent = changed(frame, column, _ROW, cell(column, limit))
                wide.answered(sent, f"{column.name} = {limit}")


def unseen_categories(trial: Trial) -> None:
    """A category that was never seen is answered, or refused where all are declared."""
    _strings(trial, "category", ("never seen before", "слово 字 😀", " "))


def million_characters(trial: Trial) -> None:
    """A string of a million characters is a string like others."""
    _strings(trial, "category", ("x" * _MILLION,))
    _strings(trial, "text", ("x" * _MILLION, "word " * (_MILLION // 5)))


def values_of_another_type(trial: Trial) -> None:
    """A value of another type is refused, and so is a whole column of them."""
    _refused(trial, lambda column: _OF_ANOTHER_TYPE[column.kind])
    for wide, frame, column in _columns(trial):
        value = _OF_ANOTHER_TYPE[column.kind][0]
        sent = frame.assign(**{column.name: pd.Series([cell(column, value)] * len(frame))})
        wide.refused(sent, f"{column.name}, all {value!r}", column=column.name, row=0)


def missing_columns(trial: Trial) -> None:
    """A required column has to be there; an optional one that is not is all missing."""
    for wide, frame, column in _columns(trial):
        sent, what = frame.drop(columns=column.name), f"without {column.name}"
        if column.required:
            wide.refused(sent, what, column=column.name, row=None)
        else:
            answer = wide.answered(sent, what)
            empty = frame.assign(**{column.name: None})
            assert_same(answer, wide.answered(empty, what), f"{what} and empty", tolerance=0)


def empty_table(trial: Trial) -> None:
    """No records, no answers: the declared outputs with no rows."""
    frame = trial.data.test.head(0)
    for way in trial.ways()[:2]:
        answer = way.ask(frame)
        assert_that(len(answer) == 0, f"{way.name}: {len(answer)} answers to no records.")
        assert_outputs(trial.application_class.outputs, answer, way.name)


def empty_training_data_is_refused(trial: Trial) -> None:
    """``fit`` on no records raises a documented error, and leaves the application unfitted."""
    data = trial.data
    fit_refused(trial, replace(data, train=data.train.head(0)), "no training records")


def missing_target_is_refused(trial: Trial) -> None:
    """``fit`` without the target raises SchemaError that names it."""
    data = trial.data
    parts: dict[str, Any] = {
        name: getattr(data, name).drop(columns=data.target) for name in ("train", "validation")
    }
    error = fit_refused(trial, replace(data, **parts), "no target")
    assert_that(
        isinstance(error, SchemaError) and repr(data.target) in str(error),
        f"The error does not name the target {data.target!r}: {error!r}",
    )


def single_class_is_refused(trial: Trial) -> None:
    """``fit`` on records of one class raises a documented error."""
    data = trial.data
    parts: dict[str, Any] = {
        name: getattr(data, name).assign(**{data.target: False}) for name in ("train", "validation")
    }
    fit_refused(trial, replace(data, **parts), "a single class")


def fit_refused(trial: Trial, data: Dataset, what: str) -> Exception:
    """``fit`` on such data raises a documented error, and leaves the application unfitted."""
    application = trial.application_class.fast()
    try:
        application.fit(data)
    except (SchemaError, TrainingError, LeakageError) as error:
        assert_unfitted(application, trial, f"After a fit refused for {what}")
        return error
    raise AssertionError(f"{what}: fit raised nothing.")


def _columns(
    trial: Trial, kind: Kind | None = None
) -> Iterator[tuple[Trial, pd.DataFrame, Column]]:
    """The widened trial, three of its records, and each column that its file reads."""
    wide = trial.widened
    frame = wide.records(3)
    absent = [column.name for column in wide.inputs if column.name not in frame]
    frame = frame.assign(**dict.fromkeys(absent))
    for column in wide.inputs:
        if kind in (None, column.kind):
            yield wide, frame, column


def _refused(
    trial: Trial,
    values: Callable[[Column], Iterator[object] | tuple[object, ...]],
    kind: Kind | None = None,
) -> None:
    for wide, frame, column in _columns(trial, kind):
        for value in values(column):
            sent = changed(frame, column, _ROW, cell(column, value))
            what = f"{column.name} = {value!r}"
            wide.refused(sent, what, column=column.name, row=_ROW)


def _strings(trial: Trial, kind: Kind, values: tuple[str, ...]) -> None:
    for wide, frame, column in _columns(trial, kind):
        for value in values:
            sent = changed(frame, column, _ROW, cell(column, value))
            what = f"{column.name} = {value[:20]!r}"
            if column.categories:
                wide.refused(sent, what, column=column.name, row=_ROW)
            else:
                wide.answered(sent, what)


CHECKS = (
    takes_the_kinds_it_declares,
    missing_values,
    infinite_numbers,
    numbers_out_of_range,
    unseen_categories,
    million_characters,
    values_of_another_type,
    missing_columns,
    empty_training_data_is_refused,
)

#: Of applications that answer record by record.
OF_RECORDS = (empty_table, missing_target_is_refused)
