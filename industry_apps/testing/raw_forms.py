"""The forms in which raw records are handed over: to a file, to its application, to a state."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime as ort
import pandas as pd

from industry_apps.runtime import TransactionState, inputs
from industry_apps.runtime.answers import of_one
from industry_apps.schema import Column
from industry_apps.schema.images import one_by_one
from industry_apps.testing.trial import Trial

Record = dict[str, Any]
Answer = pd.DataFrame | None

#: Of the records that are sent, the one that is changed.
ROW = 1


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


class OfModel:
    """The forms in which a file and its trained application are asked.

    Parameters
    ----------
    trial : Trial

    Attributes
    ----------
    records : list of dict
        Good ones, of plain Python values; one of them has a value in each column that knows any.
    forms : list of Form
    """

    def __init__(self, trial: Trial) -> None:
        self.trial, self.model = trial, trial.model
        self.is_series = trial.application_class.traits.windows
        self.session = ort.InferenceSession(str(trial.path), providers=["CPUExecutionProvider"])

        frame = trial.records(3)
        names = [name for name in trial.inputs.names if name in frame]
        others = {c.name: _value_of(trial, c) for c in trial.inputs if c.name not in frame}
        self.records = [
            {**others, **dict(zip(names, map(_plain, row), strict=True))}
            for row in frame[names].to_numpy(object)
        ]
        for column in trial.inputs:
            if _is_empty(self.records[ROW][column.name]):
                self.records[ROW][column.name] = _value_of(trial, column)
        self.forms = list(self._forms())

    def _forms(self) -> Iterator[Form]:
        fitted, model = self.trial.fitted, self.model
        yield Form("frame", lambda rows: model.predict(table_of_objects(rows)), "frame")
        yield Form("trained", lambda rows: fitted.predict(table_of_objects(rows)), "trained")
        yield Form("batch", lambda rows: self._framed(model.predict(rows)), "frame")
        yield Form("columns", self._columns, "frame")
        alone = "frame" if self.is_series else "record"
        if not self.is_series:
            yield Form("record", self._record, "record")
            yield Form("session", self._session, "record")
            yield Form("row of its type", self._row, "record")
        if not any(column.kind == "image" for column in self.trial.inputs):
            yield Form("csv", self._csv, alone, is_file=True)
            yield Form("parquet", self._parquet, alone, is_file=True)

    def _framed(self, answers: Any) -> pd.DataFrame:
        rows = len(answers) if isinstance(answers, list) else len(next(iter(answers.values())))
        return self.trial.framed(answers, pd.DataFrame(index=range(rows)))

    def _columns(self, records: list[Record]) -> Answer:
        table = {name: [record[name] for record in records] for name in records[0]}
        return self._framed(self.model.predict(table))

    def _record(self, records: list[Record]) -> Answer:
        record = records[ROW]
        answer = self.model.predict(record)
        # Of a model of one column, a list is a column, and so is whatever else holds values.
        return self._framed([answer]) if inputs.is_record(record, self.trial.inputs) else None

    def _session(self, records: list[Record]) -> Answer:
        columns = self.trial.inputs
        arrays = {c.name: c.to_array([records[ROW][c.name]]) for c in columns}
        feeds = {
            c.name: arrays[c.name][0][None] if c.kind == "image" else arrays[c.name].reshape(1, -1)
            for c in columns
        }
        outputs = self.model.outputs
        found = zip(outputs, self.session.run(outputs.names, feeds), strict=True)
        return self._framed([{c.name: of_one(c, answer) for c, answer in found}])

    def _one(self, records: list[Record]) -> list[Record]:
        return records if self.is_series else [records[ROW]]

    def _row(self, records: list[Record]) -> Answer:
        table = _of_own_types(self._one(records))
        return None if table is None else self.model.predict(table)

    def _csv(self, records: list[Record]) -> Answer:
        def write(path: Path) -> None:
            table = table_of_objects(self._one(records))
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


def of_state(trial: Trial) -> tuple[list[Column], Record, list[Form]]:
    """The columns that the state of a stream reads, a good record, and the forms to give it in."""
    state = TransactionState(**trial.model.metadata["state"])
    names = [state.entity, state.place, state.time, state.amount, state.label]
    frame = trial.data.test.sort_values(state.time).head(4)[names]
    records = [dict(zip(names, map(_plain, row), strict=True)) for row in frame.to_numpy(object)]
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
        return to.enrich(table_of_objects([record])).iloc[0].to_dict()

    forms = [
        Form("update", lambda rows: taken(rows, TransactionState.update), "update"),
        Form("enrich", lambda rows: taken(rows, enriched), "update"),
    ]
    return [state._columns[name] for name in names], latest, forms


def _value_of(trial: Trial, column: Column) -> Any:
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


def table_of_objects(records: Sequence[Record]) -> pd.DataFrame:
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
