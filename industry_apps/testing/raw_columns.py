"""Each raw column of an application, given odd values in each form: right, or refused by name.

What is right is the answer to the value typed by hand, bit for bit, asked in the same way; the
ways agree on it within rounding. What is refused leaves everything as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from industry_apps.errors import IndustryAppsError, SchemaError
from industry_apps.export.parity import TOLERANCE
from industry_apps.schema import Column
from industry_apps.schema.spellings import MISSING_TOKENS, aliases, spellings
from industry_apps.testing.assertions import assert_same, assert_that
from industry_apps.testing.raw_forms import (
    ROW,
    Form,
    LeftOverError,
    OfModel,
    Record,
    of_state,
    table_of_objects,
)
from industry_apps.testing.raw_values import NOTHING, Case, cases
from industry_apps.testing.trial import Trial, cell, spread

#: The first two are what should be.
VERDICTS = ("right", "named", "unnamed", "wrong", "hung", "left over")
NONE_OF = VERDICTS[2:]

#: Cases of an application that the suite asks, and the fewest of a column; each column others.
_CASES, _FEWEST = 60, 3
#: Levels of a column of which all spellings are asked.
_MOST_LEVELS = 3


class Found(NamedTuple):
    """What came of one value of one column in one form."""

    column: str
    case: str
    form: str
    verdict: str
    text: str = ""


class Asked:
    """Something that answers records, in several forms.

    Parameters
    ----------
    records : list of dict
        Good ones, of plain Python values.
    row : int
        The one that is changed.
    forms : list of Form
        Those that others are like answer themselves; they have to agree.
    """

    def __init__(self, records: list[Record], row: int, forms: Sequence[Form]) -> None:
        self.records, self.row = records, row
        self.forms = {form.name: form for form in forms}
        self.good = {form.name: form.ask(records) for form in forms}

    def cases(self, column: Column) -> list[Case]:
        """All cases of a column; of a list column they are put in lists."""
        good = self.records[self.row][column.name]
        return list(cases(column.kind, good[0] if column.is_list and good else good))

    def judged(self, column: Column, chosen: Iterable[Case]) -> Iterator[Found]:
        """What becomes of each value."""
        known: dict[Any, dict[str, Any]] = {}
        for case in chosen:
            found = partial(Found, column.name, case.name)
            expected: dict[str, Any] = {}
            if case.plain is not NOTHING:
                key = type(case.plain), case.plain
                if key not in known:
                    known[key] = self._typed(column, case.plain)
                    yield from (found("typed", *said) for said in self._agree(known[key]))
                expected = known[key]
            outcomes: dict[str, str] = {}
            for form in self.forms.values():
                if form.is_file and ("named" in outcomes.values() or not _fits(form, column, case)):
                    continue
                said = self._said(column, case, form, expected.get(form.like))
                if said is not None:
                    outcomes[form.name] = said[0]
                    yield found(form.name, *said)
            memory = {v for name, v in outcomes.items() if not self.forms[name].is_file}
            if {"right", "named"} <= memory:
                yield found("all", "wrong", f"forms differ: {outcomes}")

    def after(self) -> Iterator[Found]:
        """What becomes of the good records then."""
        for form in self.forms.values():
            yield Found("none", "good records", form.name, *self._as_before(form))

    def with_value(self, column: Column, value: object) -> list[Record]:
        """The records, one of them with another value in a column."""
        changed = {**self.records[self.row], column.name: cell(column, value)}
        return [*self.records[: self.row], changed, *self.records[self.row + 1 :]]

    def _typed(self, column: Column, plain: object) -> dict[str, Any]:
        """Answers, or errors, to a value typed by hand, in each form that others are like."""
        records = self.with_value(column, plain)
        found: dict[str, Any] = {}
        for name in dict.fromkeys(form.like for form in self.forms.values()):
            try:
                found[name] = self.forms[name].ask(records)
            except IndustryAppsError as error:
                found[name] = error
        return found

    def _agree(self, typed: dict[str, Any]) -> Iterator[tuple[str, str]]:
        frames = [each for each in typed.values() if isinstance(each, pd.DataFrame)]
        if 0 < len(frames) < len(typed):
            yield "wrong", f"answered and refused: {typed}"
        for other in frames[1:]:
            first = frames[0] if len(other) == len(frames[0]) else frames[0].iloc[[self.row]]
            yield _compared(first, other.set_axis(first.index), "wrong", tolerance=TOLERANCE)

    def _said(
        self, column: Column, case: Case, form: Form, expected: Any
    ) -> tuple[str, str] | None:
        answer: Any
        if case.is_typed and form.like == form.name:
            answer = expected
        else:
            try:
                answer = form.ask(self.with_value(column, case.value))
            except Exception as error:  # noqa: BLE001 - whatever comes is judged
                answer = error
        if answer is None:
            return None
        if isinstance(answer, Exception):
            return _told(column, answer)
        if not isinstance(expected, pd.DataFrame):
            return "wrong", f"answered; typed by hand it is nothing, or refused: {expected}"
        return _compared(expected, answer, "wrong")

    def _as_before(self, form: Form) -> tuple[str, str]:
        before, again = self.good[form.name], form.ask(self.records)
        if before is None or again is None:
            return "right", ""
        return _compared(before, again, "left over")


def _compared(
    expected: pd.DataFrame, answer: pd.DataFrame, otherwise: str, *, tolerance: float = 0
) -> tuple[str, str]:
    try:
        assert_same(expected, answer, "What is right and the answer", tolerance=tolerance)
    except AssertionError as error:
        return otherwise, str(error)
    return "right", ""


def _told(column: Column, error: Exception) -> tuple[str, str]:
    """What an error is: one of ours that names the column, the row or the file, or another."""
    verdict = {TimeoutError: "hung", LeftOverError: "left over"}.get(type(error), "unnamed")
    names = rf"{re.escape(repr(column.name))}|\brows? \d|'asked\.(csv|parquet)'"
    if isinstance(error, IndustryAppsError) and re.search(names, str(error)):
        verdict = "named"
    return verdict, f"{type(error).__name__}: {error}"


def _fits(form: Form, column: Column, case: Case) -> bool:
    """Whether a file can hold a value, and holds what it is.

    A CSV file knows texts: "NA" is missing there, and a float as a name has a point.
    """
    if case.own or case.plain is NOTHING:
        return False
    is_float = column.kind == "category" and isinstance(case.value, float | np.floating)
    is_token = isinstance(case.value, str) and case.value in MISSING_TOKENS
    return form.name != "csv" or not (is_token or is_float)


def of_model(trial: Trial) -> tuple[Sequence[Column], Asked]:
    """The columns of a file, and the file and its trained application to be asked."""
    found = OfModel(trial)
    return trial.inputs.columns, Asked(found.records, ROW, found.forms)


def of_stream(trial: Trial) -> tuple[Sequence[Column], Asked]:
    """The columns of the state of a stream, and the state to be asked; none without a state."""
    if trial.model.metadata.get("state") is None:  # none, or one that the file does not know
        return (), Asked([], 0, [])
    columns, record, forms = of_state(trial)
    return columns, Asked([record], 0, forms)


def raw_values_are_right_or_refused(trial: Trial) -> None:
    """Odd values of each column are answered as typed by hand, or refused by name, in each form."""
    _check(*of_model(trial.widened))


def refused_values_leave_the_state(trial: Trial) -> None:
    """A state takes in odd values as a table's, and one that it refuses leaves it as it was."""
    _check(*of_stream(trial))


def spellings_are_levels_or_unseen(trial: Trial) -> None:
    """A spelling of a level is answered as the level or refused; what is none, as one unseen."""
    own = trial.model.windows.series if trial.model.windows is not None else None
    for column in trial.inputs:
        if column.kind == "category" and column.name != own:
            _check_spellings(trial, column, OfModel(trial).records)


def _check_spellings(trial: Trial, column: Column, records: Sequence[Record]) -> None:
    def answer(text: str) -> Any:
        try:
            sent = cell(column, text)
            asked = table_of_objects([{**record, column.name: sent} for record in records])
            return trial.model.predict(asked)
        except SchemaError as error:
            assert_that(repr(column.name) in str(error), f"{text!r} is refused: {error}")
            return None

    # Of lists that are made of the rows that are learned from, those that are asked.
    part = next((p for p in (trial.data.train, trial.data.test) if column.name in p), None)
    if part is None:
        return
    levels = set(column.to_array(part[column.name]).ravel()) - {""}
    unseen, joined = answer("never seen before"), aliases(tuple(sorted(levels)))
    for level in np.array(sorted(levels))[spread(len(levels), _MOST_LEVELS)].tolist():
        expected = answer(level)
        assert_that(expected is not None, f"{column.name}: the level {level!r} is refused.")
        others = {*spellings(level), f"0{level}", f"{level}.00", f"{level}0", f"{level}?"}
        for text in sorted(others - levels):
            found, what = answer(text), f"{column.name}: {text!r} and "
            if found is None:
                continue
            if joined.get(text) == level:
                assert_same(expected, found, f"{what}{level!r}, the level it spells", tolerance=0)
            elif text not in joined and text not in set(spellings(level)):
                assert_same(unseen, found, f"{what}a level never seen", tolerance=0)


def _check(columns: Sequence[Column], asked: Asked) -> None:
    for number, column in enumerate(columns):
        chosen = asked.cases(column)
        each = max(1, len(chosen) // max(_FEWEST, _CASES // len(columns)))
        for found in asked.judged(column, chosen[number % each :: each]):
            assert_that(found.verdict not in NONE_OF, f"{column.name}, {found.case}: {found}")
    for found in asked.after():
        assert_that(found.verdict not in NONE_OF, f"{found}")


#: Of applications with a state; the others of all.
OF_STREAMS = (refused_values_leave_the_state,)
CHECKS = (raw_values_are_right_or_refused, spellings_are_levels_or_unseen)
