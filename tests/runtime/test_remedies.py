"""What the errors of models, files and streams advise, done."""

from __future__ import annotations

import hashlib
import pickle
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from industry_apps.errors import SchemaError
from industry_apps.export import export_model
from industry_apps.runtime import Model, TransactionState, WindowRule
from tests.remedies import check_remedy
from tests.tiny_model import Served

HEADER, ROW = "amount,time,country\n", "1,2024-01-01,DE\n"
EVENT = {"customer": "C", "terminal": "T", "time": "2024-03-01 10:00", "amount": 1.0}


@dataclass(frozen=True)
class Desk:
    """A model, and a folder to write files in."""

    served: Served
    model: Model
    folder: Path

    def file(self, text: str | bytes, name: str = "in.csv") -> Path:
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def answer(self, text: str | bytes, name: str = "in.csv", **form: Any) -> Any:
        return self.model.predict(self.file(text, name), **form)

    @property
    def records(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.served.frame.head(3).to_dict("records")
        return found


@pytest.fixture
def desk(served: Served, model: Model, tmp_path: Path) -> Desk:
    return Desk(served, model, tmp_path)


def every_form(desk: Desk) -> None:
    frame = desk.served.frame.head(3)
    frame.to_parquet(desk.folder / "a.parquet")
    frame.to_csv(desk.folder / "a.csv", index=False)
    arrays = {name: frame[name].to_numpy() for name in frame}
    paths = [desk.folder / "a.parquet", desk.folder / "a.csv"]
    for form in (desk.records, frame, arrays, pa.Table.from_pandas(frame), *paths):
        assert len(desk.model.predict(form)) == 3 or isinstance(form, dict)
    assert desk.model.predict(desk.records[0])


def streamed(*times: str, **settings: Any) -> TransactionState:
    state = TransactionState(**settings)
    for time in times:
        state.update({**EVENT, "time": time})
    return state


def gap_that_the_error_names(_: Desk) -> None:
    times = ("2024-03-01", "2028-03-01")
    with pytest.raises(SchemaError) as error:
        streamed(*times)
    (days,) = re.findall(r"'longest_gap' of the state to (\d+) or more", str(error.value))
    streamed(*times, longest_gap=int(days))
    with pytest.raises(SchemaError):
        streamed(*times, longest_gap=int(days) - 1)


def snapshot(desk: Desk) -> Path:
    path = desk.folder / "state.npz"
    streamed("2024-03-01").snapshot(path)
    return path


def pickled_after_a_change(desk: Desk) -> bytes:
    path = desk.file(desk.served.path.read_bytes(), "m.onnx")
    model = Model(path, threads=1)
    path.write_bytes(Model("finance.fraud_detection").path.read_bytes())
    return pickle.dumps(model)


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def rule(**further: Any) -> WindowRule:
    return WindowRule("series", "time", 3, **further)


CASES = [
    (
        "Close it, or double it.",
        lambda d: d.answer(f'{HEADER}1,"2024-01-01,DE\n{ROW}'),
        lambda d: [d.answer(f"{HEADER}1,2024-01-01,{c}\n{ROW}") for c in ('"DE"', '"D""E"')],
    ),
    (
        "Rename or drop one of them.",
        lambda d: d.answer("amount,time,country,amount\n1,2024-01-01,DE,2\n"),
        lambda d: [
            d.answer("amount,time,country,more\n1,2024-01-01,DE,2\n"),
            d.answer(HEADER + ROW),
        ],
    ),
    ("Name them.", lambda d: d.answer(f",,\n{ROW}"), lambda d: d.answer(HEADER + ROW)),
    (
        "take what it lacks as missing with short_rows='missing'",
        lambda d: d.answer(f"{HEADER}1,2024-01-01\n"),
        lambda d: d.answer(f"{HEADER}1,2024-01-01\n", short_rows="missing"),
    ),
    (
        "Complete the row",
        lambda d: d.answer(f"{HEADER}1,2024-01-01\n"),
        lambda d: d.answer(f"{HEADER}1,2024-01-01,\n"),
    ),
    (
        'Put a value that holds a comma between quotation marks ("7,910"), write numbers without',
        lambda d: d.answer(f"{HEADER}1,2024-01-01,DE,FR\n"),
        lambda d: [
            d.answer(f'{HEADER}1,2024-01-01,"DE,FR"\n'),
            d.answer(f"{HEADER}7910,2024-01-01,DE\n"),
            d.answer(f"amount,time,country,note\n{ROW[:-1]},FR\n"),
        ],
    ),
    (
        "Write commas between the values of a row, not ';'.",
        lambda d: d.answer(
            (HEADER + "1,5;2024-01-01;DE\n").replace("amount,time,country", "amount;time;country")
        ),
        lambda d: d.answer(f"{HEADER}1.5,2024-01-01,DE\n"),
    ),
    (
        "Check the path.",
        lambda d: d.model.predict(d.folder / "inn.csv"),
        lambda d: d.answer(HEADER + ROW),
    ),
    (
        "neither .csv, .csv.gz nor .parquet. Convert it.",
        lambda d: d.answer(HEADER + ROW, "in.txt"),
        lambda d: d.answer(HEADER + ROW, "in.csv"),
    ),
    (
        "cannot be read",
        lambda d: d.answer((HEADER + ROW).replace("DE", "é").encode("latin-1")),
        lambda d: d.answer((HEADER + ROW).replace("DE", "é")),
    ),
    (
        "the name must end in .csv or .parquet",
        lambda d: d.answer(HEADER + ROW, to=d.folder / "out.txt"),
        lambda d: [
            d.answer(HEADER + ROW, to=d.folder / f"out.{end}") for end in ("csv", "parquet")
        ],
    ),
    (
        "choose 'refuse' or 'missing'",
        lambda d: d.answer(HEADER + ROW, short_rows="fill"),
        lambda d: [d.answer(HEADER + ROW, short_rows=each) for each in ("refuse", "missing")],
    ),
    (
        "Give a dict, a list of dicts, a DataFrame, a dict of arrays, an Arrow table, or the path",
        lambda d: d.model.predict(7),
        every_form,
    ),
    (
        "Convert each record to a dict.",
        lambda d: d.model.predict([tuple(record.items()) for record in d.records]),
        lambda d: d.model.predict([dict(tuple(record.items())) for record in d.records]),
    ),
    (
        "Add it, as None where its value is not known.",
        lambda d: d.model.predict(
            [{k: v for k, v in r.items() if k != "country"} for r in d.records]
        ),
        lambda d: d.model.predict([{**record, "country": None} for record in d.records]),
    ),
    (
        "Write the answer yourself.",
        lambda d: d.model.predict(d.served.frame, to=d.folder / "out.csv"),
        lambda d: d.model.predict(d.served.frame).to_csv(d.folder / "out.csv"),
    ),
    (
        "choose from ",
        lambda d: Model(d.served.path, provider="gpu"),
        lambda d: Model(d.served.path, provider="cpu"),
    ),
    (
        "or give the sha256 of the file that you mean",
        lambda d: Model(d.served.path, sha256="0" * 64),
        lambda d: Model(d.served.path, sha256=sha256_of(d.served.path)),
    ),
    (
        "Load it again.",
        pickled_after_a_change,
        lambda d: pickle.dumps(Model(d.file(d.served.path.read_bytes(), "m.onnx"), threads=1)),
    ),
    (
        "Fetch or export it again.",
        lambda d: Model(d.file(d.served.path.read_bytes()[:-100], "m.onnx")),
        lambda d: [
            Model(d.file(d.served.path.read_bytes(), "m.onnx")),
            export_model(d.served.exportable, d.folder / "m.onnx"),
            Model(d.folder / "m.onnx"),
        ],
    ),
    (
        "Feed transactions in order of time, or leave late ones out.",
        lambda _: streamed("2024-03-02", "2024-03-01"),
        lambda _: [streamed("2024-03-01", "2024-03-02"), streamed("2024-03-02")],
    ),
    (
        "Correct the date; if it is right, set the 'longest_gap'",
        lambda _: streamed("2024-03-01", "2204-03-02"),
        lambda d: [streamed("2024-03-01", "2024-03-02"), gap_that_the_error_names(d)],
    ),
    (
        "name yours when you make it, for example TransactionState(entity='account')",
        lambda _: TransactionState().update(
            {"account": "A", "terminal": "T", "time": 0, "amount": 1}
        ),
        lambda _: TransactionState(entity="account").update({"account": "A", **EVENT}),
    ),
    (
        "Write one with TransactionState.snapshot, or start anew from a table with enrich.",
        lambda d: TransactionState.restore(d.file(b"no state", "state.npz")),
        lambda d: [
            TransactionState.restore(snapshot(d)),
            TransactionState().enrich(pd.DataFrame([EVENT])),
        ],
    ),
    (
        "must be increasing whole numbers of days, at least 1",
        lambda _: TransactionState(windows=(7, 1)),
        lambda _: TransactionState(windows=(1, 7)),
    ),
    (
        "must be whole and at least 1 day",
        lambda _: TransactionState(delay=0),
        lambda _: TransactionState(delay=1),
    ),
    ("needs a 'step'", lambda _: rule(horizon=2), lambda _: rule(horizon=2, step="day")),
    (
        "needs an 'anchor': (1, 15, 0) for the first and the 15th",
        lambda _: rule(step="half-month"),
        lambda _: rule(step="half-month", anchor=(1, 15, 0)),
    ),
    (
        "must have 1 ints for the step 'day'",
        lambda _: rule(step="day", anchor=(1, 2)),
        lambda _: rule(step="day", anchor=(0,)),
    ),
    (
        "are for steps of a day with an 'anchor'",
        lambda _: rule(step="week", anchor=(0,), weekdays=(1,)),
        lambda _: rule(step="day", anchor=(0,), weekdays=(1,)),
    ),
]


@pytest.mark.parametrize(("says", "wrong", "mended"), CASES, ids=[case[0] for case in CASES])
def test_what_an_error_advises_works(desk: Desk, says: str, wrong: Any, mended: Any) -> None:
    check_remedy(says, lambda: wrong(desk), lambda: mended(desk))
