"""Checks of columns that are not what their names say: misspelt, coded anew, or exchanged.

Each is refused or, on a table of 100 rows, named by a warning. Not seen is what looks like
training: a flag turned round, a text under another name of a text, numbers of one column that
could be those of the other, and the unit of the history of a series, whose scale is its own.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import SchemaError, UnlikeTrainingWarning
from industry_apps.schema import Column
from industry_apps.testing.assertions import assert_same, assert_that
from industry_apps.testing.trial import Trial

#: Rows of a table of which half a column is looked at.
_ROWS = 200
#: Shorter names differ by one letter from too many others.
_FEWEST_LETTERS = 5
#: Of columns that are exchanged: all of 25 columns.
_MOST_PAIRS = 300
#: What values of one kind are refused as, whatever they are.
_REFUSED = {
    "number": ("category", "text", "datetime"),
    "boolean": ("category", "text", "datetime"),
    "datetime": ("number", "boolean", "category", "text"),
    "text": ("number", "boolean", "datetime"),
}


def misspelt_columns_are_named(trial: Trial) -> None:
    """A column in capitals, without its ``_`` or one letter short is refused by its name."""
    frame = trial.records(3)
    for column in trial.inputs:
        whole = frame if column.name in frame else frame.assign(**{column.name: None})
        for slip in _slips(column.name):
            found = _answered(trial, whole.rename(columns={column.name: slip}))
            assert_that(
                isinstance(found, SchemaError) and repr(column.name) in str(found),
                f"{column.name!r} renamed {slip!r}: expected an error that names it, got {found}.",
            )


def columns_under_other_names_are_missed(trial: Trial) -> None:
    """A column under a name of its own is refused, or taken as missing; its absence is told."""
    frame = _table(trial)
    for column in _columns(trial):
        what = f"{column.name!r} under another name"
        sent = frame.rename(columns={column.name: "something else"})
        if (
            column.required
            or len(trial.inputs) == 1
            or trial.seen.get(column.name, {}).get("complete")
        ):
            _assert_named(trial, sent, [column], what)
        else:
            empty = trial.model.predict(frame.assign(**{column.name: None}))
            assert_same(empty, trial.model.predict(sent), f"{what} and empty", tolerance=0)


def columns_coded_anew_are_named(trial: Trial) -> None:
    """Other levels, numbers in another unit and times as numbers are refused or warned of."""
    frame = _table(trial)
    for column in _columns(trial):
        for what, values in _recoded(trial, column, frame[column.name]):
            sent = frame.assign(**{column.name: values})
            _assert_named(trial, sent, [column], f"{column.name!r} {what}")


def exchanged_columns_are_named(trial: Trial) -> None:
    """Two columns whose contents are exchanged are refused or warned of, where they differ.

    Of many columns some pairs are tried, the same ones each time.
    """
    frame = _table(trial)
    learned = trial.untouched["train"]
    plain = [each for each in _columns(trial) if each.name in learned and not each.is_list]
    pairs = list(combinations(plain, 2))
    if len(pairs) > _MOST_PAIRS:
        pairs = random.Random(0).sample(pairs, _MOST_PAIRS)
    for one, other in pairs:
        if _is_strange(trial, one, other) or _is_strange(trial, other, one):
            sent = frame.assign(**{one.name: frame[other.name], other.name: frame[one.name]})
            what = f"{one.name!r} and {other.name!r} exchanged"
            _assert_named(trial, sent, [one, other], what)


def _table(trial: Trial) -> pd.DataFrame:
    """Records that are answered, at least 100 rows; lists that are absent hold known levels."""
    frame = trial.asked if trial.application_class.traits.windows else trial.records(_ROWS)
    if len(frame) < _ROWS / 2:
        frame = pd.concat([frame] * (_ROWS // len(frame)), ignore_index=True)
    absent = {column.name: column for column in trial.inputs if column.name not in frame}
    lists = {
        name: [trial.seen[name]["levels"][:3]] * len(frame)
        for name, column in absent.items()
        if column.is_list and "levels" in trial.seen.get(name, {})
    }
    return frame.assign(**{**dict.fromkeys(absent), **lists})


def _columns(trial: Trial) -> list[Column]:
    """The columns that are read, but for the one that says whose a row of a series is."""
    windows = trial.model.windows
    return [column for column in trial.inputs if windows is None or column.name != windows.series]


def _slips(name: str) -> Iterator[str]:
    """What else a hasty hand may write for a name."""
    slips = [name.upper(), name.title(), name.replace("_", " ")]
    if len(name) >= _FEWEST_LETTERS and name[-1].isalpha():
        slips += [name[:-1], name[:-2] + name[:-3:-1]]  # the last two letters turned round
    yield from dict.fromkeys(slip for slip in slips if slip != name)


def _learned(trial: Trial, column: Column) -> NDArray[Any]:
    """The values that training had."""
    values = column.to_array(trial.untouched["train"][column.name])
    return values[~column.is_missing(values)]


def _recoded(trial: Trial, column: Column, values: pd.Series) -> Iterator[tuple[str, Any]]:
    told = trial.seen.get(column.name, {})
    if "levels" in told and column.is_list:
        lists = [[f"x_{each}" for each in v] if isinstance(v, list) else None for v in values]
        yield "with other levels", lists
    elif "levels" in told or column.categories:
        yield "with other levels", "x_" + values.astype(str)
    elif "range" in told and not column.is_list:
        learned = _learned(trial, column)
        low, high, middle = learned.min(), learned.max(), float(np.median(values.dropna()))
        yield "beyond all of training", values.abs() + 2.0 * max(abs(low), abs(high)) + 1
        for times in (1000, 0.001):
            if not low <= middle * times <= high:
                yield f"multiplied by {times}", values * times
    elif column.kind == "boolean":
        yield "as 1 and 2", values.map({False: 1, True: 2})
        yield "as texts", values.map({False: "no", True: "yes"})
    elif column.kind == "datetime":
        moments = pd.to_datetime(values)
        yield "in milliseconds", moments.astype("datetime64[ms]").astype("int64")
        yield "a century later", moments.astype("datetime64[s]") + pd.Timedelta(days=36_525)


def _is_strange(trial: Trial, column: Column, other: Column) -> bool:
    """Whether most values of another column are none of this one."""
    if other.kind in _REFUSED.get(column.kind, ()):
        return True
    told = trial.seen.get(column.name, {})
    if "levels" not in told and "range" not in told:
        return False
    ours, theirs = _learned(trial, column), _learned(trial, other)
    if "levels" in told:
        known = set(map(str, ours.tolist()))
        return float(np.mean([str(each) not in known for each in theirs.tolist()])) > 0.6
    return not ours.min() <= np.median(theirs) <= ours.max()


def _answered(trial: Trial, frame: pd.DataFrame) -> SchemaError | list[str]:
    """How a file refuses a table, or the warnings that it answers with."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            trial.model.predict(frame)
        except SchemaError as error:
            return error
    return [str(each.message) for each in caught if each.category is UnlikeTrainingWarning]


def _assert_named(trial: Trial, frame: pd.DataFrame, columns: list[Column], what: str) -> None:
    found = _answered(trial, frame)
    said = [str(found)] if isinstance(found, SchemaError) else found
    assert_that(
        any(repr(column.name) in text for text in said for column in columns),
        f"{what}: neither refused nor warned of by name; said was {said}.",
    )


CHECKS = (
    misspelt_columns_are_named,
    columns_under_other_names_are_missed,
    columns_coded_anew_are_named,
    exchanged_columns_are_named,
)
