"""A level is answered alike in every spelling, form and file, and by a session alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest

from industry_apps.export.model_file import export_model
from industry_apps.runtime import Model
from industry_apps.schema import Column
from tests.tiny_model import SCHEMA, fitted, records

LEVELS = ("3", "true", "US", "NA", "0.0", "Österreich")


@pytest.fixture(scope="module")
def coded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file whose column ``country`` has levels that are written in several ways."""
    frame = records(2_000, 3)
    frame["country"] = np.random.default_rng(0).choice([*LEVELS, "FR", "FR", "FR"], len(frame))
    schema = SCHEMA.as_trained(frame)
    exportable, _, _ = fitted(frame, schema)
    path = tmp_path_factory.mktemp("coded") / "coded.onnx"
    export_model(exportable, path)
    return path


@pytest.mark.parametrize(
    ("given", "level"),
    [
        (3, "3"),
        (3.0, "3"),
        ("3.0", "3"),
        (True, "true"),
        ("True", "true"),
        ("TRUE", "true"),
        (" US", "US"),
        ("us", "US"),
        ("\uff35\uff33", "US"),
        (0, "0.0"),
        (0.0, "0.0"),
        ("NA", "NA"),
        ("O\u0308sterreich", "Österreich"),
        ("ÖSTERREICH", "Österreich"),
    ],
)
def test_each_spelling_is_answered_as_the_level(
    coded: Path, tmp_path: Path, given: Any, level: str
) -> None:
    model = Model(coded)
    usual = {"amount": 55.0, "time": "2024-02-03T03:00", "note": "urgent"}
    expected = model.predict({**usual, "country": level})
    record = {**usual, "country": given}
    assert model.predict(record) == expected
    assert model.predict([record, record]) == [expected] * 2
    frame = pd.DataFrame([record])
    frame.to_csv(tmp_path / "in.csv", index=False)
    frame.to_parquet(tmp_path / "in.parquet", index=False)
    for data in (frame, tmp_path / "in.csv", tmp_path / "in.parquet"):
        assert model.predict(data).to_dict("records") == [pytest.approx(expected, abs=1e-7)]
    session = ort.InferenceSession(str(coded), providers=["CPUExecutionProvider"])
    feeds = {c.name: c.missing(1).reshape(1, 1) for c in SCHEMA}
    columns = {c.name: c for c in SCHEMA if c.name in usual}
    feeds |= {name: c.to_array([usual[name]]).reshape(1, 1) for name, c in columns.items()}
    feeds["country"] = np.array([[str(given)]], dtype=object)
    assert session.run(["risk"], feeds)[0].item() == pytest.approx(expected["risk"], abs=1e-7)


def test_the_levels_have_answers_of_their_own(coded: Path) -> None:
    model = Model(coded)
    trained = [column for column in model.schema if isinstance(column, Column)]
    assert {c.name: c.tokens for c in trained}["country"] == ("NA",)
    answers = model.predict([{"amount": 1.0, "time": None, "country": x} for x in ("FR", "US")])
    assert answers[0] != answers[1]
