"""Which columns a record, a table or a file has: the wrong ones are named, not passed over."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import pandas as pd
import pyarrow as pa
import pytest

from industry_apps.errors import SchemaError
from industry_apps.runtime import Model
from industry_apps.runtime.loading import seal
from industry_apps.schema import Schema
from tests.tiny_model import Served


@pytest.fixture(scope="module")
def paths(served: Served, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The tiny model with optional columns only, in the present format and in the first."""
    folder = tmp_path_factory.mktemp("names")
    old, new = folder / "old.onnx", folder / "new.onnx"
    file = onnx.load(served.path)
    props = {each.key: each.value for each in file.metadata_props}
    schema = Schema.from_json(json.loads(props["schema"]))
    schema = Schema(tuple(replace(column, required=False) for column in schema))
    props["schema"] = json.dumps(schema.to_json())
    onnx.helper.set_model_props(file, props)
    old.write_bytes(seal(file.SerializeToString()))
    onnx.helper.set_model_props(file, {**props, "answers_empty": "false"})
    new.write_bytes(seal(file.SerializeToString()))
    return old, new


def forms(table: dict[str, Any], folder: Path) -> list[Callable[[Model], Any]]:
    frame = pd.DataFrame([table])
    frame.to_csv(folder / "in.csv", index=False)
    frame.to_parquet(folder / "in.parquet")
    return [
        lambda model: model.predict(table),
        lambda model: model.predict([table]),
        lambda model: model.predict(frame),
        lambda model: model.predict({name: [value] for name, value in table.items()}),
        lambda model: model.predict(pa.Table.from_pandas(frame)),
        lambda model: model.predict(folder / "in.csv"),
        lambda model: model.predict(folder / "in.csv", to=folder / "out.csv"),
        lambda model: model.predict(folder / "in.parquet"),
        lambda model: model.predict(folder / "in.parquet", to=folder / "out.parquet"),
    ]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"amuont": 12.0, "country": "DE"}, "Column 'amuont' is not known.*mean 'amount'"),
        ({"Amount": 12.0, "country": "DE"}, "Column 'Amount' is not known.*mean 'amount'"),
        ({"a;b": "1;2"}, "None of the columns is known: got 'a;b', expected some of 'amount'"),
        ({"12.5": 3.0, "DE": "FR"}, "None of the columns is known"),
    ],
)
def test_every_form_refuses_names_that_are_not_meant(
    paths: tuple[Path, Path], tmp_path: Path, table: dict[str, Any], message: str
) -> None:
    old, new = map(Model, paths)
    for ask in forms(table, tmp_path):
        with pytest.raises(SchemaError, match=message):
            ask(new)
        ask(old)  # a file of the first format answers as it did


def test_other_names_are_passed_over_and_sparse_records_are_answered(
    paths: tuple[Path, Path], tmp_path: Path
) -> None:
    old, new = map(Model, paths)
    table = {"amount": 12.0, "customer": "C1", "x": 1}
    expected = new.predict({"amount": 12.0})
    assert expected == old.predict({"amount": 12.0})
    assert new.predict(table) == expected
    for ask in forms(table, tmp_path):
        ask(new)
    with pytest.raises(SchemaError, match=r"Row 1: .*'amuont'"):
        new.predict([{"amount": 1.0}, {"amuont": 1.0}])
    with pytest.raises(SchemaError, match="None of the columns is known"):
        new.predict({})
