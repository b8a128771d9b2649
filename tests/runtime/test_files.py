"""Files in chunks: no value depends on its chunk, and an output is whole or absent."""

from __future__ import annotations

import gzip
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from industry_apps.errors import DataNotFoundError, ParameterError, SchemaError
from industry_apps.runtime import Model, files
from industry_apps.runtime.files import TableWriter, chunks
from industry_apps.runtime.inputs import table_of
from industry_apps.runtime.progress import progress
from industry_apps.schema import Column, Schema
from tests.tiny_model import SCHEMA, Served


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ROWS_A_CHUNK", 64)


def write(frame: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    return path


FORMATS = ["in.csv", "in.csv.gz", "in.parquet"]


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("name", FORMATS)
def test_a_file_is_answered_as_its_frame(
    model: Model, served: Served, tmp_path: Path, name: str
) -> None:
    path = write(served.frame, tmp_path / name)
    found = model.predict(path)
    pd.testing.assert_frame_equal(found, model.predict(served.frame).reset_index(drop=True))
    pd.testing.assert_frame_equal(model.predict(str(path)), found)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("to", ["out.csv", "out.parquet"])
def test_answers_are_written_beside_all_columns(
    model: Model, served: Served, tmp_path: Path, name: str, to: str
) -> None:
    frame = served.frame.assign(number=np.arange(400), code=[f"{n:05}" for n in range(400)])
    path, out = write(frame, tmp_path / name), tmp_path / "new" / to
    assert model.predict(path, to=out) == 400
    read = pd.read_parquet(out) if to == "out.parquet" else pd.read_csv(out, dtype={"code": str})
    assert list(read) == [*frame, "risk", "refuse"]
    expected = model.predict(served.frame)
    np.testing.assert_allclose(read["risk"], expected["risk"], rtol=1e-6)
    assert read["refuse"].astype(bool).tolist() == expected["refuse"].tolist()
    assert read["code"].tolist() == frame["code"].tolist()  # 00042 is not 42
    assert read["number"].astype(int).tolist() == frame["number"].tolist()
    np.testing.assert_array_equal(read["amount"], frame["amount"])
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.usefixtures("small_chunks")
def test_types_of_a_parquet_file_are_kept(model: Model, served: Served, tmp_path: Path) -> None:
    rows = len(served.frame)
    late = [None] * (rows - 1)  # nothing is known of them in the first chunks
    table = pa.Table.from_pandas(served.frame, preserve_index=False)
    for name, column in {
        "large": pa.array([*late, 2**60 + 1], pa.int64()),
        "name": pa.array([*late, "late"], pa.string()),
        "level": pa.array([*late, "late"]).dictionary_encode(),
        "price": pa.array([*late, 1], pa.decimal128(9, 2)),
        "day": pa.array([*late, 1], pa.date32()),
        "when": pa.array([*late, 1], pa.timestamp("us", tz="UTC")),
        "nested": pa.array([*late, [1, 2]], pa.list_(pa.int64())),
        "yes": pa.array([*late, True], pa.bool_()),
    }.items():
        table = table.append_column(name, column)
    pq.write_table(table, tmp_path / "in.parquet")
    model.predict(tmp_path / "in.parquet", to=tmp_path / "out.parquet")
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.select(table.column_names).cast(table.schema).equals(table)
    assert found.schema.field("large").type == pa.int64()
    assert found.schema.field("risk").type == pa.float32()


@pytest.mark.usefixtures("small_chunks")
def test_types_may_differ_between_chunks_of_a_csv_file(
    model: Model, served: Served, tmp_path: Path
) -> None:
    frame = served.frame.assign(
        amount=[*range(200), *[None] * 100, *np.linspace(0.5, 9, 100)],
        member=[*[True] * 100, *[None] * 200, *[False] * 100],
        country=[*[7] * 200, *["DE"] * 200],
        channel=None,
        later=[*[None] * 399, "a word"],
    )
    path = write(frame, tmp_path / "in.csv")
    model.predict(path, to=tmp_path / "out.parquet")
    found = pd.read_parquet(tmp_path / "out.parquet")
    np.testing.assert_array_equal(found["amount"], frame["amount"].astype(float))
    assert found["later"].iloc[-1] == "a word"
    np.testing.assert_allclose(found["risk"], model.predict(frame)["risk"], rtol=1e-6)


@pytest.mark.usefixtures("small_chunks")
def test_a_category_of_digits_does_not_depend_on_its_neighbours(tmp_path: Path) -> None:
    schema = Schema((Column(name="code", kind="category"), Column(name="x", kind="number")))
    codes = [*["007", "7", "7.0"] * 40, *["A7", "007", ""] * 40]
    path = write(pd.DataFrame({"code": codes, "x": range(240)}), tmp_path / "in.csv")
    arrays = [schema.to_arrays(chunk)["code"] for chunk, _ in chunks(path, schema, only=True)]
    assert np.concatenate(arrays).tolist() == codes


@pytest.mark.parametrize("name", ["in.csv", "in.parquet"])
def test_no_rows(model: Model, served: Served, tmp_path: Path, name: str) -> None:
    path = write(served.frame.head(0), tmp_path / name)
    found = model.predict(path)
    assert found.dtypes.to_dict() == {"risk": np.float32, "refuse": bool}
    assert len(found) == 0
    for out in (tmp_path / "out.csv", tmp_path / "out.parquet"):
        out.write_bytes(b"of yesterday")
        assert model.predict(path, to=out) == 0
        read = pd.read_csv(out) if out.suffix == ".csv" else pd.read_parquet(out)
        assert list(read) == [*SCHEMA.names, "risk", "refuse"]
        assert len(read) == 0


def test_an_index_that_pandas_stored_is_a_column(
    model: Model, served: Served, tmp_path: Path
) -> None:
    path = write(served.frame.set_index("time"), tmp_path / "in.parquet")
    pd.testing.assert_frame_equal(
        model.predict(path), model.predict(served.frame).reset_index(drop=True)
    )


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("name", ["in.csv", "in.parquet"])
@pytest.mark.parametrize("to", [None, "out.csv", "out.parquet"])
def test_a_wrong_value_names_its_row_and_leaves_no_output(
    model: Model, served: Served, tmp_path: Path, name: str, to: str | None
) -> None:
    frame = served.frame.copy()
    frame.loc[100, "amount"] = -5
    path, out = write(frame, tmp_path / name), None if to is None else tmp_path / to
    with pytest.raises(SchemaError, match=r"'amount', row 36 \(index 100\): got .*-5\.0.*>= 0 EUR"):
        model.predict(path, to=out)
    assert list(tmp_path.iterdir()) == [path]
    if out is not None:
        out.write_bytes(b"of yesterday")
        with pytest.raises(SchemaError):
            model.predict(path, to=out)
        assert out.read_bytes() == b"of yesterday"


KILLED = """
import sys, time
from industry_apps.runtime import Model, files
files.ROWS_A_CHUNK = 64
model = Model(sys.argv[1], threads=1)
answer = model._predict_table
def slowly(*given, **named):
    print("chunk", flush=True)
    time.sleep(0.2)
    return answer(*given, **named)
model._predict_table = slowly
model.predict(sys.argv[2], to=sys.argv[3])
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_killed_half_way_leaves_no_output(
    served: Served, tmp_path: Path, how: signal.Signals
) -> None:
    path, out = write(served.frame, tmp_path / "in.csv"), tmp_path / "out.csv"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(served.path), str(path), str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    for _ in range(3):
        assert process.stdout.readline() == b"chunk\n"
    process.send_signal(how)
    process.stdout.close()
    assert process.wait(timeout=60) != 0
    assert not out.exists()
    if how == signal.SIGINT:
        assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("in.csv", b"", r"'in\.csv' cannot be read: No columns"),
        ("in.csv", b'amount,time\n1,"2\n', r"'in\.csv' cannot be read"),
        ("in.csv", b"amount,time,country\n1,2020-01-01,\xff\xfe\n", r"'in\.csv' cannot be read"),
        ("in.csv.gz", b"no archive", r"'in\.csv\.gz' cannot be read"),
        (
            "in.csv.gz",
            gzip.compress(b"amount\n" + b"1\n" * 9999, mtime=0)[:-20],
            r"'in\.csv\.gz' cannot be read",
        ),
        ("in.parquet", b"no parquet", r"'in\.parquet' cannot be read"),
        ("in.xlsx", b"", r"'in\.xlsx' is neither \.csv, \.csv\.gz nor \.parquet"),
        ("in.csv", b"amount,country\n1,DE\n", "Column 'time' .* is missing"),
        ("in.csv", b"amount,time,country\nmuch,,DE\n", "'amount', row 0: got 'much', expected a n"),
    ],
)
def test_a_damaged_file_gets_one_readable_sentence(
    model: Model, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    for to in (None, tmp_path / "out.csv"):
        with pytest.raises(SchemaError, match=message):
            model.predict(tmp_path / name, to=to)
    assert not (tmp_path / "out.csv").exists()


def test_names_of_files_are_checked(model: Model, served: Served, tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match="There is no file"):
        model.predict(tmp_path / "absent.csv")
    path = write(served.frame.head(3), tmp_path / "in.csv")
    with pytest.raises(SchemaError, match=r"Cannot write 'out\.json'"):
        model.predict(path, to=tmp_path / "out.json")
    with pytest.raises(ParameterError, match="goes with the path of a file"):
        model.predict(served.frame, to=tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_may_be_replaced_by_its_own_answers(
    model: Model, served: Served, tmp_path: Path
) -> None:
    for name in ("in.csv", "in.parquet"):
        path = write(served.frame, tmp_path / name)
        assert model.predict(path, to=path) == 400
        assert model.predict(path, to=path) == 400  # answers replace earlier answers
        read = pd.read_csv(path) if name == "in.csv" else pd.read_parquet(path)
        assert list(read) == [*SCHEMA.names, "risk", "refuse"]


def test_without_columns_of_the_schema(tmp_path: Path) -> None:
    optional = Schema((Column(name="a", kind="number", required=False),))
    for name in ("in.csv", "in.parquet"):
        path = write(pd.DataFrame({"b": [1, 2, 3]}), tmp_path / name)
        (frame,) = [frame for frame, _ in chunks(path, optional, only=True)]
        assert len(optional.to_arrays(frame)["a"]) == 3


def test_the_share_done_rises_to_one(served: Served, tmp_path: Path) -> None:
    for name in FORMATS:
        path = write(served.frame, tmp_path / name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(files, "ROWS_A_CHUNK", 150)
            shares = [done for _, done in chunks(path, SCHEMA, only=False)]
        assert len(shares) == 3
        assert shares == sorted(shares)
        assert shares[-1] == 1


def test_a_writer_that_is_left_by_an_error_takes_its_traces_along(tmp_path: Path) -> None:
    frame, schema = pd.DataFrame({"a": [1.0]}), Schema((Column(name="a", kind="number"),))
    for name in ("out.csv", "out.parquet"):
        writer = TableWriter(tmp_path / name, tmp_path / "in.csv", schema, Schema(())).__enter__()
        writer.write(frame, {"b": np.array([1.0])})
        assert len(list(tmp_path.iterdir())) == 1
        writer.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert list(tmp_path.iterdir()) == []


class Terminal:
    """A standard error that says whether people look at it."""

    def __init__(self, looked_at: bool) -> None:
        self.text, self.looked_at = "", looked_at

    def isatty(self) -> bool:
        return self.looked_at

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None: ...


@pytest.mark.parametrize(
    ("looked_at", "seconds", "shown"),
    [
        (True, 3, f"\rscoring [{'#' * 15:<30}]  50%\rscoring [{'#' * 30}] 100%\n"),
        (True, 1, ""),
        (False, 3, "scoring: 50%\nscoring: 100%\n"),
        (False, 1, ""),
    ],
)
def test_progress_is_shown_to_people_who_wait(
    monkeypatch: pytest.MonkeyPatch, looked_at: bool, seconds: float, shown: str
) -> None:
    terminal, clock = Terminal(looked_at), iter([0.0, *[seconds] * 9])
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    items: list[tuple[Any, float]] = [("a", 0.5), ("b", 1.0)]
    assert list(progress(items, "scoring")) == ["a", "b"]
    assert terminal.text == shown


NAMES = Schema((Column(name="code", kind="category"), Column(name="x", kind="number")))


def table_in(path: Path, schema: Schema, **given: bool) -> pd.DataFrame:
    ((frame, _),) = chunks(path, schema, **{"only": False, **given})
    return frame


def test_texts_that_pandas_takes_for_missing_stay_where_no_model_reads_them(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("code,x,note\nNA,NA,NA\nA,1,None\n")
    frame = table_in(tmp_path / "in.csv", NAMES)
    assert frame["note"].tolist() == ["NA", "None"]
    assert frame.isna()["code"].tolist() == frame.isna()["x"].tolist() == [True, False]


def test_one_bad_cell_is_the_one_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("code,x\nA,1\nA,2\nA,oops\nA,\nA,4\n")
    with pytest.raises(SchemaError, match=r"'x', row 2: got 'oops'"):
        NAMES.to_arrays(table_in(tmp_path / "in.csv", NAMES))
    flags = Schema((Column(name="yes", kind="boolean"), Column(name="x", kind="number")))
    long = "1" + "0" * 29
    (tmp_path / "in.csv").write_text(f"yes,x\nTrue,{long}\n0,2\nfalse,\n")
    found = flags.to_arrays(table_in(tmp_path / "in.csv", flags))
    assert found["yes"].tolist() == [1, 0, 0]
    np.testing.assert_allclose(found["x"], [1e29, 2, np.nan], rtol=1e-6)


def test_a_column_that_appears_twice_is_named(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("code,x,x\nA,1,2\n")
    with pytest.raises(SchemaError, match=r"^Column 'x' appears twice"):
        table_in(tmp_path / "in.csv", NAMES)


def test_names_that_are_whole_numbers_keep_their_digits_beside_a_null(tmp_path: Path) -> None:
    table = pa.table({"code": [2**53 + 1, None], "x": [1.0, 2.0]})
    pq.write_table(table, tmp_path / "in.parquet")
    for only in (True, False):
        frame = table_in(tmp_path / "in.parquet", NAMES, only=only)
        assert NAMES.to_arrays(frame)["code"].tolist() == ["9007199254740993", ""]
    assert NAMES.to_arrays(table_of(table, NAMES))["code"].tolist() == ["9007199254740993", ""]


@pytest.mark.parametrize("name", ["in.csv", "in.parquet"])
@pytest.mark.parametrize("to", ["out.csv", "out.parquet"])
def test_lists_are_written_as_they_are_read(tmp_path: Path, name: str, to: str) -> None:
    schema = Schema((Column(name="bought", kind="category", size=None),))
    rows = [["A", "B"], None, ["C"]]
    if name.endswith(".csv"):
        texts = ['"[""A"", ""B""]"', "", '"[""C""]"']
        (tmp_path / name).write_text("bought,x\n" + "".join(f"{each},1\n" for each in texts))
    else:
        pq.write_table(pa.table({"bought": rows, "x": [1, 1, 1]}), tmp_path / name)
    frame = table_in(tmp_path / name, schema)
    with TableWriter(tmp_path / to, tmp_path / name, schema, Schema(())) as writer:
        writer.write(frame, {"y": np.zeros(3, dtype=np.float32)})
    again = table_in(tmp_path / to, schema)
    for one, other in ((frame, rows), (again, rows)):
        want = schema.to_arrays(pd.DataFrame({"bought": other}))["bought"].tolist()
        assert schema.to_arrays(one)["bought"].tolist() == want


def test_moments_are_written_to_parquet(tmp_path: Path) -> None:
    keys = pd.DataFrame({"time": pd.to_datetime(["2024-01-01", "2024-01-02"]).astype("M8[s]")})
    schema = Schema((Column(name="time", kind="datetime"),))
    with TableWriter(tmp_path / "out.parquet", Path(), schema, Schema(())) as writer:
        writer.write(keys, {"quantity": np.ones(2, dtype=np.float32)})
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert found["time"].tolist() == keys["time"].tolist()


def test_a_token_of_missing_that_was_a_value_in_training_is_one(tmp_path: Path) -> None:
    """Namibia."""
    frame = pd.DataFrame({"code": ["NA", "DE", None], "x": [1.0, 2.0, 3.0]})
    (tmp_path / "in.csv").write_text("code,x\nNA,NA\nDE,1\nnull,2\n,3\n")
    schema = NAMES.as_trained(frame)
    for only in (True, False):
        arrays = schema.to_arrays(table_in(tmp_path / "in.csv", schema, only=only))
        assert arrays["code"].tolist() == ["NA", "DE", "", ""]
        assert np.isnan(arrays["x"][0])
    without = NAMES.to_arrays(table_in(tmp_path / "in.csv", NAMES))["code"]
    assert without.tolist() == ["", "DE", "", ""]
