"""Tables in odd shapes are read as they are meant, or refused by name, for serving and training.

Beside the kinds that were once wrong, a sample of ``tests/hostile/tables.py``: one application.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from industry_apps.data import read_table
from industry_apps.errors import SchemaError
from industry_apps.runtime.files import TableWriter, chunks
from industry_apps.schema import Column, Schema
from tests.hostile.table_shapes import SHAPES, Shape, flipped, parquet
from tests.hostile.tables import NONE_OF, Judge

PAIR = Schema((Column("a", "number"), Column("b", "category", required=False)))
ZIPPED = gzip.compress(b"a,b\n" + b"1,2\n" * 40, mtime=0)
PLAIN = parquet(pa.table({"a": [1.0, 2.0], "b": ["x", "y"]}), compression="none")
CHECKED = parquet(
    pa.table({"a": [1.0, 2.0]}),
    compression="none",
    use_dictionary=False,
    write_statistics=False,
    write_page_checksum=True,
)
VALUE = CHECKED.rindex(np.float64(2.0).tobytes())


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("judged"))  # which is left for other folders
        yield Judge("finance.credit_scoring", tmp_path_factory.mktemp("images"))


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_shape_is_read_as_it_is_meant_or_refused_by_name(judge: Judge, shape: Shape) -> None:
    found = [each for each in judge.verdicts(shape) if each[1]]
    assert not [each for each in found if each[1] in NONE_OF]


def read(path: Path) -> None:
    list(chunks(path, PAIR, only=True))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("in.csv.gz", flipped(ZIPPED, 11, 3), r"'in\.csv\.gz' cannot be read: Error -3"),
        ("in.parquet", PLAIN.replace(b"\x00\x15\x02", b"\xff\x15\x02"), "cannot be read"),
        (
            "in.parquet",
            flipped(CHECKED, VALUE, 0),
            "cannot be read: .*checksum verification failed",
        ),
        (
            "in.parquet",
            parquet(pa.table([[1.0], [2], [3]], ["a", "more", "more"])),
            "Column 'more' appears twice",
        ),
    ],
)
def test_what_is_damaged_is_named_by_both_readers(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    for reader in (read, read_table):
        with pytest.raises(SchemaError, match=message):
            reader(tmp_path / name)


@pytest.mark.parametrize("name", ["IN.CSV", "In.Csv.Gz", "IN.PARQUET"])
def test_the_ending_of_a_name_may_be_in_capitals(tmp_path: Path, name: str) -> None:
    content = b"a,b\n1,x\n"
    content = gzip.compress(content) if name.endswith("Gz") else content
    content = parquet(pa.table({"a": [1.0], "b": ["x"]})) if name == "IN.PARQUET" else content
    (tmp_path / name).write_bytes(content)
    ((frame, _),) = chunks(tmp_path / name, PAIR, only=True)
    for found in (frame, read_table(tmp_path / name)):
        assert found.to_dict("list") == {"a": [1.0], "b": ["x"]}
    if name.endswith("Gz"):
        with pytest.raises(SchemaError, match=r"must end in \.csv or \.parquet"):
            TableWriter(tmp_path / name, tmp_path / name, PAIR, Schema(()))
        return
    with TableWriter(tmp_path / name, tmp_path / name, PAIR, Schema(())) as writer:
        writer.write(frame, {"y": np.ones(1, dtype=np.float32)})
    assert read_table(tmp_path / name)["y"].tolist() == [1.0]


def test_an_index_that_has_a_name_is_learned_from_and_no_other(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    frame.set_index("a").to_parquet(tmp_path / "in.parquet")
    assert read_table(tmp_path / "in.parquet").to_dict("list") == frame.to_dict("list")
    frame.set_axis([7, 3]).to_parquet(tmp_path / "in.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "in.parquet"), frame)


def test_lists_that_answer_no_rows_are_written(tmp_path: Path) -> None:
    with TableWriter(tmp_path / "out.parquet", Path(), PAIR, Schema(())) as writer:
        writer.write(pd.DataFrame(), {"items": np.zeros((0, 3), dtype=np.float32)})
    assert pd.read_parquet(tmp_path / "out.parquet")["items"].tolist() == []
