"""One application on trial: fitted once and exported once, for all checks to share."""

from __future__ import annotations

import pickle
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self
from weakref import finalize

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data.datasets import Dataset
from industry_apps.data.splits import Split
from industry_apps.errors import SchemaError
from industry_apps.evaluation.report import Report
from industry_apps.export.edges import edge_rows
from industry_apps.runtime.answers import cells
from industry_apps.runtime.model import Model
from industry_apps.runtime.watch import seen_in
from industry_apps.schema import Column, Schema
from industry_apps.testing.assertions import assert_outputs, assert_same, assert_that
from industry_apps.testing.light import light

PARTS = ("train", "validation", "test")

#: Rows of a part of the data from which a model is learned for one check alone.
_PART = {"train": 600, "validation": 300, "test": 150}

#: Records that are sent one by one, as a stream.
_STREAM = 1000

#: A column that says which row of the raw table a row is.
ROW = "row of the raw table"
TIME = "datetime"


class Way(NamedTuple):
    """One way to ask for answers; ``one_by_one`` when it sends single records."""

    name: str
    ask: Callable[[pd.DataFrame], pd.DataFrame]
    one_by_one: bool = False


class Apart(NamedTuple):
    """A model and the split it has learned from.

    Parameters
    ----------
    split : Split
    rows : tuple of array
        Of each part, which rows of the raw table it holds.
    fitted : Application
    pickled : bytes
        The same, before it was evaluated.
    early : bool
        Whether ``fit`` has learned the baselines.
    """

    split: Split
    rows: tuple[NDArray[np.int64], ...]
    fitted: Application
    pickled: bytes
    early: bool


class Trial:
    """An application, its sample, and what was made of them; each on first use.

    Parameters
    ----------
    application_class : type of Application
    data : Dataset, optional
        Instead of the sample.
    make : callable, optional
        Gives the application that is trained; by default ``fast()`` of the class.
    """

    def __init__(
        self,
        application_class: type[Application],
        data: Dataset | None = None,
        make: Callable[[], Application] | None = None,
    ) -> None:
        self.application_class = application_class
        self._data, self._make = data, make or application_class.fast

    def forget(self) -> None:
        """Let go of what was made; it is made anew on its next use."""
        for name in list(vars(self)):
            if isinstance(getattr(type(self), name, None), cached_property):
                del vars(self)[name]

    @property
    def data(self) -> Dataset:
        """What it is fitted on."""
        return self._parts[0]

    @property
    def untouched(self) -> dict[str, pd.DataFrame]:
        """Copies of the parts of the data, made before anything was done with them."""
        return self._parts[1]

    @cached_property
    def _parts(self) -> tuple[Dataset, dict[str, pd.DataFrame]]:
        data = self.application_class.sample() if self._data is None else self._data
        return data, {name: getattr(data, name).copy() for name in PARTS}

    @cached_property
    def fitted(self) -> Application:
        """The application, trained."""
        return self.fresh().fit(self.data)

    @cached_property
    def part(self) -> Dataset:
        """Some rows of the data, evenly spread over each part."""
        parts: dict[str, Any] = {
            name: _spread(part, _PART[name]) for name, part in self.untouched.items()
        }
        return replace(self.data, **parts)

    @cached_property
    def raw(self) -> pd.DataFrame:
        """The part as one table, as it was before a stream told of its records.

        Subjects that the class knows of and the sample lacks are made up, three records of each.
        """
        frame = self._raw(self.part)
        lacking = [
            column.name
            for column in self.application_class.schema
            if column.role == "identifier" and column.kind == "category" and not column.required
        ]
        whose = np.random.default_rng(0).permutation(len(frame)) // 3
        names = pd.Series([f"nr. {number}" for number in whose], index=frame.index, dtype=object)
        return frame.assign(**{name: names for name in lacking if name not in frame})

    @cached_property
    def stream(self) -> pd.DataFrame:
        """All records as they come, in order of time, before a stream told of them."""
        times = [column.name for column in self.application_class.schema if column.kind == TIME]
        return self._raw(self.data).sort_values(times, kind="stable").tail(_STREAM)

    def _raw(self, data: Dataset) -> pd.DataFrame:
        told = [column.name for column in self.fitted.schema_ if column.role == "state"]
        every = pd.concat([getattr(data, name) for name in PARTS], ignore_index=True)
        return self._read(every).drop(columns=told)

    def _read(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A table without the raw column, of which columns that a check changes would be made."""
        made = self.fitted._facts().get("completion")
        return frame if made is None else frame.drop(columns=made["column"]["name"])

    @cached_property
    def apart(self) -> Apart:
        """A model that has learned little, from the parts into which the raw table is split."""
        application, calls = light(self.fresh()), []
        parts = application.split(self.raw.assign(**{ROW: np.arange(len(self.raw))}))
        rows = tuple(part[ROW].to_numpy() for part in parts)
        split = Split(*(part.drop(columns=ROW) for part in parts))
        learn = application._fit_baselines

        def spied(train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
            calls.append(len(train))
            learn(train, validation)

        application._fit_baselines = spied  # type: ignore[method-assign]
        application.fit(split)
        del application._fit_baselines
        return Apart(split, rows, application, pickle.dumps(application), bool(calls))

    def fresh(self) -> Application:
        """The application, not trained."""
        return self._make()

    @cached_property
    def path(self) -> Path:
        """The exported file; it is removed with the trial."""
        folder = tempfile.mkdtemp(prefix="industry_apps_")
        finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return self.fitted.export(Path(folder) / "model.onnx", check=self.data)

    @cached_property
    def model(self) -> Model:
        """The exported file, loaded as a server would."""
        return Model(self.path)

    @cached_property
    def report(self) -> Report:
        """The evaluation on the test part."""
        report: Report = self.fitted.evaluate(self.data)
        return report

    @property
    def inputs(self) -> Schema:
        """The columns that the file reads."""
        return self.model.schema.inputs()

    @cached_property
    def seen(self) -> dict[str, dict[str, Any]]:
        """What training had of each column; as the file tells it where no table has the column."""
        train, told = self.untouched["train"], self.model.metadata["seen"]
        complete = not self.application_class.traits.answers_empty
        rule = self.model.windows
        ranges = rule is None or rule.own_clocks
        found = seen_in(train, self.inputs, complete=complete, ranges=ranges)
        return {name: each for name, each in told.items() if name not in train} | found

    @cached_property
    def widened(self) -> Self:
        """A trial of the same application on data with a column of each kind it takes."""
        kinds = {column.kind for column in self.model.schema.inputs()}
        lacking = [kind for kind in self.application_class.traits.inputs if kind not in kinds]
        if not lacking:
            return self
        data = self.data
        wider: dict[str, Any] = {
            name: _widened(part, lacking) for name, part in self.untouched.items()
        }
        return type(self)(self.application_class, replace(data, **wider))

    @property
    def asked(self) -> pd.DataFrame:
        """What the application is asked of the test part, with all that it needs."""
        return self._read(self.data.test)

    def records(self, rows: int) -> pd.DataFrame:
        """Some records of the test part, spread over it, under a plain index."""
        return _spread(self.asked, rows)

    def edges(self) -> tuple[pd.DataFrame, ...]:
        """Tables made to be difficult, one column at a time."""
        return (edge_rows(self.inputs, self.data.test, {}),)

    def framed(self, answers: Any, frame: pd.DataFrame) -> pd.DataFrame:
        """Answers to a table, given in another form, as a frame."""
        table = cells(answers, self.model.outputs) if isinstance(answers, dict) else answers
        return pd.DataFrame(table, index=frame.index)

    def ways(self) -> tuple[Way, ...]:
        """All ways to ask; they have to agree."""
        model = self.model

        def records(frame: pd.DataFrame) -> pd.DataFrame:
            return self.framed(model.predict(frame.to_dict("records")), frame)

        def arrays(frame: pd.DataFrame) -> pd.DataFrame:
            table = {name: frame[name].to_numpy() for name in frame}
            return self.framed(model.predict(table), frame)

        def single(frame: pd.DataFrame) -> pd.DataFrame:
            answers = [model.predict(record) for record in frame.to_dict("records")]
            return self.framed(answers, frame)

        return (
            Way("trained model", self.fitted.predict),
            Way("file, asked with a frame", model.predict),
            Way("file, asked with a list of records", records),
            Way("file, asked with a dict of arrays", arrays),
            Way("file, asked record by record", single, one_by_one=True),
        )

    def answered(self, frame: pd.DataFrame, what: str) -> pd.DataFrame:
        """Ask in all ways; they must agree, within the declared outputs."""
        first, *others = self.ways()
        answer = first.ask(frame)
        assert_outputs(self.model.outputs, answer, f"{what}, {first.name}")
        for way in others:
            assert_same(answer, way.ask(frame), f"{what}: {first.name} and {way.name}")
        return answer

    def refused(self, frame: pd.DataFrame, what: str, *, column: str, row: int | None) -> None:
        """Ask in all ways; each must raise SchemaError that names the column (and row)."""
        for way in self.ways():
            try:
                way.ask(frame)
            except SchemaError as error:
                named = [repr(column)]
                if row is not None:
                    named.append("row 0" if way.one_by_one else f"row {row}")
                for name in named:
                    assert_that(
                        name in str(error), f"{what}, {way.name}: the error lacks {name}: {error}"
                    )
            else:
                raise AssertionError(f"{what}, {way.name}: answered; expected SchemaError.")


def changed(frame: pd.DataFrame, column: Column, row: int, value: object) -> pd.DataFrame:
    """Records in which one value is replaced."""
    present = frame[column.name] if column.name in frame else [None] * len(frame)
    values = pd.Series(present, index=frame.index, dtype=object, copy=True)
    values.iloc[row] = value  # one cell, also where the value is a list
    return frame.assign(**{column.name: values})


def cell(column: Column, value: object) -> object:
    """The value of a record; of a list column a list with it, of a recording one tone behind it."""
    if column.rate is not None:
        return [value, *(100 * (place % 80) for place in range(column.rate))]
    return [value] * (column.size or 1) if column.is_list else value


def spread(size: int, count: int) -> NDArray[np.intp]:
    """At most ``count`` places of ``size``, evenly spread, the first and the last among them."""
    return np.unique(np.linspace(0, size - 1, count).round().astype(np.intp))


def _spread(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    return frame.iloc[spread(len(frame), rows)].reset_index(drop=True)


def _widened(frame: pd.DataFrame, kinds: Sequence[str]) -> pd.DataFrame:
    """Further columns that tell nothing, one of each kind."""
    draw = np.random.default_rng(len(frame))
    rows = len(frame)
    words = np.array(["paid", "twice", "today", "abroad", "parcel", "refund"])
    columns: dict[str, Any] = {
        "number": draw.normal(size=rows).round(3),
        "boolean": draw.random(rows) < 0.5,
        "category": draw.choice(np.array(["north", "south", "east", "west", None]), rows),
        "text": [" ".join(row) for row in draw.choice(words, (rows, 5))],
        "datetime": np.datetime64("2020-01-01", "ns")
        + draw.integers(0, 10**8, rows).astype("timedelta64[s]"),
    }
    return frame.assign(**{f"further {kind}": columns[kind] for kind in kinds})
