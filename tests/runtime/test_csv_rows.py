"""Rows of a CSV file, for serving and for training: as wide as the header, or refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest

from industry_apps.data import read_table
from industry_apps.errors import ParameterError, SchemaError
from industry_apps.runtime import Model
from industry_apps.runtime.files import chunks
from industry_apps.schema import Column, Schema
from tests.tiny_model import Served


def read_in(path: Path, schema: Schema, *, only: bool = False) -> pd.DataFrame:
    ((frame, _),) = chunks(path, schema, only=only)
    return frame


PAIR = Schema(tuple(Column(name=name, kind="number") for name in "ab"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n7,910,3\n", r"'in\.csv', line 3: got 3 cells, expected 2 .*'3'.*quotation"),
        ('a,b\n"1",2,x\n', r"line 2: got 3 cells, expected 2 .*'x'"),
        ("a,b,\n1,2,\n3,4,5\n", r"line 3: got 3 cells, expected 2 .*'5'"),
        ("a,b\n\n1\n", r"line 3: got 1 cell, expected 2 .*none for 'b'.*short_rows='missing'"),
        ('a,b\n"1\n2"\n', r"line 3: got 1 cell, expected 2"),
        ("a;b\n1,5;2,5\n", r"line 2: got 3 cells, .*commas between the values of a row, not ';'"),
        ("a,b,a\n1,2,3\n", "Column 'a' appears twice"),
        (",\n1,2\n", "line 1: the header names no column"),
        ("a,b\n1,2\na,b\n3,4\n", r"line 3: the header stands there again\. Drop the line"),
        ("a,b\n1,2\0\n", r"line 2: there is a character of the code 0 in '1,2\\x00'.*UTF-8"),
        ("a,b\n1,2\n3,4\0" + "5\n", "line 3: there is a character of the code 0"),
        ('a,b\n1,2\n3,"4\n\0"\n', "line 4: there is a character of the code 0"),
    ],
)
@pytest.mark.parametrize("name", ["in.csv", "in.csv.gz"])
def test_rows_of_another_width_are_refused(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(content.encode()) if path.suffix == ".gz" else content.encode())
    for read in (lambda: read_in(path, PAIR), lambda: read_in(path, PAIR, only=True)):
        with pytest.raises(SchemaError, match=message.replace(r"in\.csv'", rf"{name}'")):
            read()
    with pytest.raises(SchemaError, match=message.replace(r"in\.csv'", rf"{name}'")):
        read_table(path)


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2\n3,4\n",
        "a,b\n1,2,\n3,4,\n",
        "a,b\n1,2\n3,4,,\n",
        "a,b,\n1,2,\n3,4\n",
        "a,b,,\n1,2\n3,4,\n",
        "\n\na,b\n\n1,2\n  \n3,4\n\n",
        '"a","b"\r\n"1",2,\r\n3,"4"\r\n',
        "\ufeffa,b\n1,2\n3,4",
    ],
)
def test_rows_of_which_nothing_is_lost_are_read(tmp_path: Path, content: str) -> None:
    (tmp_path / "in.csv").write_text(content, encoding="utf-8", newline="")
    expected = {"a": [1, 3], "b": [2, 4]}
    for only in (True, False):
        assert read_in(tmp_path / "in.csv", PAIR, only=only).to_dict("list") == expected
    assert read_table(tmp_path / "in.csv").to_dict("list") == expected


def test_blanks_are_a_text_where_there_is_one_column(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text('a\nx\n \n\n""\n  \ny\n')
    expected = ["x", " ", None, "  ", "y"]
    found = read_in(tmp_path / "in.csv", Schema((Column(name="a", kind="text"),)))
    assert found["a"].astype(object).where(found["a"].notna(), None).tolist() == expected
    assert len(read_table(tmp_path / "in.csv")) == len(expected)


def test_a_short_row_is_filled_where_that_is_asked_for(
    model: Model, served: Served, tmp_path: Path
) -> None:
    frame = served.frame.head(3)[["amount", "time", "country"]]
    whole = tmp_path / "a.csv"
    frame.assign(country=[frame["country"].iloc[0], None, None]).to_csv(whole, index=False)
    short = tmp_path / "b.csv"
    short.write_text(whole.read_text().replace(",\n", "\n"))
    with pytest.raises(SchemaError, match=r"'b\.csv', line 3"):
        model.predict(short)
    expected = model.predict(whole)
    pd.testing.assert_frame_equal(model.predict(short, short_rows="missing"), expected)
    assert model.predict(short, to=tmp_path / "c.csv", short_rows="missing") == 3
    assert len(read_table(short, short_rows="missing")) == 3
    with pytest.raises(ParameterError, match=r"short_rows is 'drop'"):
        model.predict(short, short_rows="drop")  # type: ignore[call-overload]


def test_a_value_that_is_called_as_its_column_is_read_in_quotes(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("text\ngood\ntext\n")
    with pytest.raises(SchemaError, match=r"line 3: .*between quotation marks"):
        read_table(path)
    path.write_text('text\ngood\n"text"\n')
    assert read_table(path)["text"].tolist() == ["good", "text"]


def test_a_cell_may_be_as_long_as_it_likes(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text('a,b\n1,"' + "x" * 200_000 + '"\n')
    schema = Schema((Column(name="b", kind="text"),))
    assert read_in(tmp_path / "in.csv", schema)["b"].str.len().tolist() == [200_000]
