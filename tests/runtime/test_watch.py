"""A column that is not as it was in training is named by a warning; what is usual is not."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import UnlikeTrainingWarning
from industry_apps.export.model_file import export_model
from industry_apps.runtime import Model, files, metadata
from industry_apps.runtime.watch import seen_in
from industry_apps.schema import Schema
from tests.tiny_model import SCHEMA, fitted, records


def usual(rows: int) -> pd.DataFrame:
    frame = records(rows, 3)
    draw = np.random.default_rng(0)
    return frame.assign(country=draw.choice(["1", "2", "FR"], rows), member=draw.random(rows) < 0.5)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Model:
    frame = usual(2_000)
    schema = Schema(tuple(replace(column, required=False) for column in SCHEMA))
    exportable, _, _ = fitted(frame, schema)
    seen = seen_in(frame, schema)
    path = tmp_path_factory.mktemp("watched") / "watched.onnx"
    export_model(replace(exportable, facts={**exportable.facts, "seen": seen}), path)
    return Model(path)


def test_only_columns_that_training_had_are_watched(watched: Model) -> None:
    told = watched.metadata["seen"]
    assert told["country"] == {"complete": True, "levels": ["1", "2", "FR"]}
    assert told["member"] == {"complete": True}
    assert not told["amount"]["complete"]  # though what it had is known
    assert "seen" not in watched.describe()
    rare = usual(400).assign(country=[f"name {n}" for n in range(400)])
    assert "levels" not in seen_in(rare, SCHEMA)["country"]  # a few rows each: names of nobody


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"country": "code 7"}, "country"),
        ({"country": None}, "country"),
        ({"member": None}, "member"),
        ({"amount": 5e5}, "amount"),
    ],
)
@pytest.mark.parametrize("form", ["frame", "arrays", "records", "csv", "to"])
def test_a_column_that_is_unlike_training_is_named(
    watched: Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, Any],
    name: str,
    form: str,
) -> None:
    monkeypatch.setattr(files, "ROWS_A_CHUNK", 64)
    frame = usual(200).assign(**change)
    frame.to_csv(tmp_path / "in.csv", index=False)
    ways: dict[str, Any] = {
        "frame": lambda: watched.predict(frame),
        "arrays": lambda: watched.predict({n: frame[n].to_numpy() for n in frame}),
        "records": lambda: watched.predict(frame.to_dict("records")),
        "csv": lambda: watched.predict(tmp_path / "in.csv"),
        "to": lambda: watched.predict(tmp_path / "in.csv", to=tmp_path / "out.csv"),
    }
    with pytest.warns(UnlikeTrainingWarning, match=f"Column '{name}': 100% of 200 rows"):
        ways[form]()


def test_what_is_usual_passes_in_silence(watched: Model) -> None:
    frame = usual(200)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        watched.predict(frame)
        watched.predict(frame.head(99).assign(country="code 7"))  # too few to tell
        watched.predict(frame.assign(country=[*["code 7"] * 90, *[" fr"] * 110]))
        watched.predict(frame.assign(amount=np.nan))  # as training had it, now and then
        watched.predict(frame.assign(country=[1.0] * 200))


@pytest.mark.parametrize(
    ("told", "holds"),
    [
        ({"complete": True, "levels": ["DE"]}, True),
        ({"complete": False, "range": [0, 1.5]}, True),
        (["DE"], False),
        ({"complete": 1}, False),
        ({"complete": True, "levels": [3]}, False),
        ({"complete": True, "range": [0.0]}, False),
        ({"complete": True, "more": []}, False),
    ],
)
def test_what_a_file_tells_of_training_has_a_form(told: Any, holds: bool) -> None:
    assert metadata._RULES["seen"].holds({"country": told}) is holds
