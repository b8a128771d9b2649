"""Each raw column of an application, given odd values in each form: right, or refused by name.

What is right is the answer to the value typed by hand, bit for bit, asked in the same way; the
ways agree on it within rounding. What is refused leaves everything as it was.
"""

from __future__ import annotations

import copy
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime as ort
import pandas as pd

from industry_apps.errors import IndustryAppsError, SchemaError
from industry_apps.runtime import TransactionState, inputs
from industry_apps.runtime.answers import of_one
from industry_apps.schema import Column
from industry_apps.schema.images import one_by_one
from industry_apps.schema.spellings import MISSING_TOKENS, aliases, spellings
from industry_apps.testing.raw_values import NOTHING, Case, cases
from industry_apps.testing.trial import Trial, assert_same, assert_that, spread

Record = dict[str, Any]
Answer = pd.DataFrame | None

#: The first two are what should be.
VERDICTS = ("right", "named", "unnamed", "wrong", "hung", "left over")
NONE_OF = VERDICTS[2:]

#: Of the records that are sent, the one that is changed.
_ROW = 1
#: Of the cases of a column, the suite takes one in so many, others for the next column.
_ONE_IN = 20
#: Levels of a column of which all spellings are asked.
_MOST_LEVELS = 3


class LeftOverError(Exception):
    """Something is not as it was, though the value was refused."""


class Form(NamedTuple):
    """One form in which records are handed over.

    Parameters
    ----------
    name : str
    ask : callable
        Records -> answers; None where the form cannot hold them.
    like : str
        The form whose answer to the value typed by hand is the right one, bit for bit.
    is_file : bool
        Holds texts; is asked what was accepted in memory.
    """

    name: str
    ask: Callable[[list[Record]], Answer]
    like: str
    is_file: bool = False


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
        """What becomes of each value, and then of the good records."""
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
            outcomes = {}
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
        for form in self.forms.values():
            yield Found(column.name, "good again", form.name, *self._as_before(form))

    def with_value(self, column: Column, value: object) -> list[Record]:
        """The records, one of them with another value in a column."""
        cell = [value] * (column.size or 1) if column.is_list else value
        changed = {**self.records[self.row], column.name: cell}
        return [*self.records[: self.row], changed, *self.records[self.row + 1 :]]

    def _typed(self, column: Column, plain: object) -> dict[str, Any]:
        """Answers, or errors, to a value typed by hand, in each form that others are like."""
        records, found = self.with_value(column, plain), {}
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
            try:
                assert_same(first, other.set_axis(first.index), "Forms")
            except AssertionError as error:
                yield "wrong", str(error)

    def _said(
        self, column: Column, case: Case, form: Form, expected: Any
    ) -> tuple[str, str] | None:
        if case.is_typed and form.like == form.name:
            return ("right", "") if isinstance(expected, pd.DataFrame) else _told(column, expected)
        try:
            answer = form.ask(self.with_value(column, case.value))
        except IndustryAppsError as error:
            return _told(column, error)
        except TimeoutError as error:
            return "hung", str(error)
        except LeftOverError as error:
            return "left over", str(error)
        except Exception as error:  # noqa: BLE001 - whatever comes is the verdict
            return "unnamed", f"{type(error).__name__}: {error}"
        if answer is None:
            return None
        if not isinstance(expected, pd.DataFrame):
            return "wrong", f"answered; typed by hand it is nothing, or refused: {expected}"
        try:
            assert_same(expected, answer, "Typed and given", tolerance=0)
        except AssertionError as error:
            return "wrong", str(error)
        return "right", ""

    def _as_before(self, form: Form) -> tuple[str, str]:
        before, again = self.good[form.name], form.ask(self.records)
        if before is None or again is None:
            return "right", ""
        try:
            assert_same(before, again, "Good records before and after", tolerance=0)
        except AssertionError as error:
            return "left over", str(error)
        return "right", ""


class OfModel:
    """The forms in which a file and its trained application are asked.

    Parameters
    ----------
    trial : Trial
    """

    def __init__(self, trial: Trial) -> None:
        self.trial, self.model = trial, trial.model
        self.is_series = trial.application_class.traits.windows
        self.session = ort.InferenceSession(str(trial.path), providers=["CPUExecutionProvider"])

    def asked(self, column: Column) -> Asked:
        """Good records, in one of which a column has a value, in all forms."""
        frame, trial = self.trial.records(3), self.trial
        names = [name for name in trial.inputs.names if name in frame]
        others = {c.name: good_value(trial, c) for c in trial.inputs if c.name not in frame}
        records = [
            {**others, **dict(zip(names, map(_plain, row), strict=True))}
            for row in frame[names].to_numpy(object)
        ]
        if _is_empty(records[_ROW][column.name]):
            records[_ROW][column.name] = good_value(trial, column)
        alone = "frame" if self.is_series else "record"
        forms = [
            Form("frame", lambda rows: self.model.predict(_table(rows)), "frame"),
            Form("trained", lambda rows: trial.fitted.predict(_table(rows)), "trained"),
            Form("batch", lambda rows: self._framed(self.model.predict(rows)), "frame"),
            Form("columns", self._columns, "frame"),
        ]
        if not self.is_series:
            forms += [
                Form("record", self._record, "record"),
                Form("session", self._session, "record"),
                Form("row of its type", self._row, "record"),
            ]
        if column.kind != "image":
            files = (("csv", self._csv), ("parquet", self._parquet))
            forms += [Form(name, ask, alone, is_file=True) for name, ask in files]
        return Asked(records, _ROW, forms)

    def _framed(self, answers: Any) -> pd.DataFrame:
        rows = len(answers) if isinstance(answers, list) else len(next(iter(answers.values())))
        return self.trial.framed(answers, pd.DataFrame(index=range(rows)))

    def _columns(self, records: list[Record]) -> Answer:
        table = {name: [record[name] for record in records] for name in records[0]}
        return self._framed(self.model.predict(table))

    def _record(self, records: list[Record]) -> Answer:
        record = records[_ROW]
        answer = self.model.predict(record)
        # Of a model of one column, a list is a column, and so is whatever else holds values.
        return self._framed([answer]) if inputs.is_record(record, self.trial.inputs) else None

    def _session(self, records: list[Record]) -> Answer:
        columns = self.trial.inputs
        arrays = {c.name: c.to_array([records[_ROW][c.name]]) for c in columns}
        feeds = {
            c.name: arrays[c.name][0][None] if c.kind == "image" else arrays[c.name].reshape(1, -1)
            for c in columns
        }
        outputs = self.model.outputs
        found = zip(outputs, self.session.run(outputs.names, feeds), strict=True)
        return self._framed([{c.name: of_one(c, answer) for c, answer in found}])

    def _one(self, records: list[Record]) -> list[Record]:
        return records if self.is_series else [records[_ROW]]

    def _row(self, records: list[Record]) -> Answer:
        table = _of_own_types(self._one(records))
        return None if table is None else self.model.predict(table)

    def _csv(self, records: list[Record]) -> Answer:
        def write(path: Path) -> None:
            table = _table(self._one(records))
            for column in self.trial.inputs:
                if column.is_list:
                    table[column.name] = [json.dumps(cell) for cell in table[column.name]]
            table.to_csv(path, index=False)

        return self._of_file("asked.csv", write)

    def _parquet(self, records: list[Record]) -> Answer:
        table = _of_own_types(self._one(records))
        return None if table is None else self._of_file("asked.parquet", table.to_parquet)

    def _of_file(self, name: str, write: Callable[[Path], object]) -> Answer:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            try:
                write(path)
            except Exception:  # noqa: BLE001 - no file holds everything
                return None
            answer: pd.DataFrame = self.model.predict(path)
            left = [each.name for each in Path(folder).iterdir() if each != path]
            if left:
                raise LeftOverError(f"{left} lie beside the file")
            return answer


def of_state(trial: Trial) -> tuple[list[Column], Asked]:
    """The state of a stream: its columns, and the forms in which it takes in a record."""
    state = TransactionState(**trial.model.metadata["state"])
    names = [state.entity, state.place, state.time, state.amount, state.label]
    frame = trial.data.test.sort_values(state.time).head(4)[names]
    records = [dict(zip(names, map(_plain, row))) for row in frame.to_numpy(object)]
    *earlier, latest = records
    for record in earlier:
        state.update(record)

    def content(of: TransactionState) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            of.snapshot(path := Path(folder) / "state.npz")
            return path.read_bytes()

    before = content(state)

    def taken(rows: list[Record], take: Callable[[TransactionState, Record], Any]) -> pd.DataFrame:
        other = copy.deepcopy(state)
        try:
            answer = take(other, rows[0])
        except Exception:
            if content(other) != before:
                raise LeftOverError("the state has changed, though the value was refused") from None
            raise
        told = {name: [float(answer[name])] for name in state.columns}
        return pd.DataFrame({**told, "state": [content(other).hex()]})

    def enriched(to: TransactionState, record: Record) -> dict[str, Any]:
        return to.enrich(_table([record])).iloc[0].to_dict()

    forms = [
        Form("update", lambda rows: taken(rows, TransactionState.update), "update"),
        Form("enrich", lambda rows: taken(rows, enriched), "update"),
    ]
    return [state._column(name) for name in names], Asked([latest], 0, forms)


def _told(column: Column, error: IndustryAppsError) -> tuple[str, str]:
    """Whether an error names the column, the row or the file."""
    names = rf"{re.escape(repr(column.name))}|\brows? \d|'asked\.(csv|parquet)'"
    return ("named" if re.search(names, str(error)) else "unnamed"), str(error)


def good_value(trial: Trial, column: Column) -> Any:
    """A value of a column that the test part has, or else the file's own records."""
    frame, own = trial.data.test, trial.model.metadata["self_test"]["records"]
    told = map(_plain, frame[column.name]) if column.name in frame else ()
    known = (*told, *(record.get(column.name) for record in own))
    return next((value for value in known if not _is_empty(value)), None)


def _is_empty(value: Any) -> bool:
    return value is None or (type(value) is list and not value)


def _plain(value: Any) -> Any:
    """A cell of a table of good records as plain Python has it."""
    if isinstance(value, np.ndarray | list | tuple):
        return value if getattr(value, "ndim", 1) > 1 else list(map(_plain, value))
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    return value.item() if isinstance(value, np.generic) else value


def _table(records: Sequence[Record]) -> pd.DataFrame:
    """Records as a table of objects, which pandas leaves as they are."""
    return pd.DataFrame(
        {name: pd.Series(one_by_one(r[name] for r in records), dtype=object) for name in records[0]}
    )


def _of_own_types(records: Sequence[Record]) -> Answer:
    """Records as a table whose columns have the types that pandas infers; None where it fails."""
    try:
        return pd.DataFrame({name: pd.Series([r[name] for r in records]) for name in records[0]})
    except Exception:  # noqa: BLE001 - pandas does not hold everything
        return None


def _fits(form: Form, column: Column, case: Case) -> bool:
    """Whether a file can hold a value, and holds what it is.

    A CSV file knows texts: "NA" is missing there, and a float as a name has a point.
    """
    if case.own or case.plain is NOTHING:
        return False
    is_float = column.kind == "category" and isinstance(case.value, float | np.floating)
    is_token = isinstance(case.value, str) and case.value in MISSING_TOKENS
    return form.name != "csv" or not (is_token or is_float)


def raw_values_are_right_or_refused(trial: Trial) -> None:
    """Odd values of each column are answered as typed by hand, or refused by name, in each form."""
    wide = trial.widened
    forms = OfModel(wide)
    for number, column in enumerate(wide.inputs):
        asked = forms.asked(column)
        _check(asked.judged(column, asked.cases(column)[number % _ONE_IN :: _ONE_IN]))


def refused_values_leave_the_state(trial: Trial) -> None:
    """A state takes in odd values as a table's, and one that it refuses leaves it as it was."""
    if trial.model.metadata.get("state") is None:  # a state of its own, which the file has not
        return
    columns, asked = of_state(trial)
    for number, column in enumerate(columns):
        _check(asked.judged(column, asked.cases(column)[number % _ONE_IN :: _ONE_IN]))


def spellings_are_levels_or_unseen(trial: Trial) -> None:
    """A spelling of a level is answered as the level or refused; what is none, as one unseen."""
    own = trial.model.windows.series if trial.model.windows is not None else None
    forms = OfModel(trial)
    for column in trial.inputs:
        if column.kind == "category" and column.name != own:
            _check_spellings(trial, column, forms.asked(column).records)


def _check_spellings(trial: Trial, column: Column, records: Sequence[Record]) -> None:
    def answer(text: str) -> Answer:
        cell = [text] * (column.size or 1) if column.is_list else text
        try:
            found: pd.DataFrame = trial.model.predict(
                _table([{**record, column.name: cell} for record in records])
            )
        except SchemaError as error:
            assert_that(repr(column.name) in str(error), f"{text!r} is refused: {error}")
            return None
        return found

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


def _check(found: Iterable[Found]) -> None:
    for each in found:
        assert_that(each.verdict not in NONE_OF, f"{each.column}, {each.case}: {each}")


#: Of applications with a state; the others of all.
OF_STREAMS = (refused_values_leave_the_state,)
CHECKS = (raw_values_are_right_or_refused, spellings_are_levels_or_unseen)
