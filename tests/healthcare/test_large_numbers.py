"""Numbers of which float32 holds too few digits: seconds since 1970, in every form of a record."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from industry_apps.errors import ModelFileError, SchemaError, UnlikeTrainingWarning
from industry_apps.healthcare import OutcomePredictor
from industry_apps.runtime import Model
from industry_apps.runtime.loading import seal
from industry_apps.runtime.metadata import read_metadata

START, LAST = 1_700_000_000, 1_700_000_100


def stays(rows: int, seed: int) -> pd.DataFrame:
    """Records of which a second decides."""
    rng = np.random.default_rng(seed)
    admitted = START + rng.integers(0, 200, rows)
    table = pd.DataFrame({"admitted": admitted, "level": rng.normal(size=rows).round(3)})
    return table.assign(outcome=admitted > LAST)


@pytest.fixture(scope="module")
def fitted() -> OutcomePredictor:
    predictor = OutcomePredictor.fast()
    predictor.missing = {"admitted": (-8, -9)}
    known = stays(2000, 0).astype({"admitted": object})
    known.loc[::40, "admitted"] = -9
    known.loc[::50, "admitted"] = -8
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it separates the outcomes, as it is meant to
        return predictor.fit(known.infer_objects(), stays(500, 4))


@pytest.fixture(scope="module")
def path(fitted: OutcomePredictor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fitted.export(tmp_path_factory.mktemp("large") / "model.onnx")


def test_a_second_tells(fitted, path):
    model, asked = Model(path), stays(800, 1)
    risk = model.predict(asked)["risk"]
    assert roc_auc_score(asked["outcome"], risk) > 0.999
    np.testing.assert_allclose(risk, fitted.predict(asked)["risk"], atol=1e-5)
    before, after = (
        model.predict({"admitted": second, "level": 0.0})["risk"] for second in (LAST, LAST + 1)
    )
    assert after > before


def test_every_form_of_a_record_answers_alike(path, tmp_path):
    model, asked = Model(path), stays(300, 2).drop(columns="outcome")
    asked = asked.astype({"admitted": float})
    asked.loc[:3, "admitted"] = [np.nan, -8, -9, START + 0.5]
    batch = model.predict(asked)["risk"].to_numpy()
    asked.to_csv(tmp_path / "asked.csv", index=False)
    asked.to_parquet(tmp_path / "asked.parquet")
    for each in ("asked.csv", "asked.parquet"):
        np.testing.assert_array_equal(model.predict(tmp_path / each)["risk"], batch)
    records = [model.predict(row)["risk"] for row in asked.to_dict("records")]
    np.testing.assert_allclose(records, batch, atol=1e-6)
    session = ort.InferenceSession(path)
    types = {each.name: each.type for each in session.get_inputs()}
    assert types == {"admitted": "tensor(double)", "level": "tensor(float)"}
    feeds = {
        "admitted": asked[["admitted"]].to_numpy(np.float64),
        "level": asked[["level"]].to_numpy(np.float32),
    }
    np.testing.assert_array_equal(session.run(["risk"], feeds)[0][:, 0], batch)


def test_codes_and_missing_values_are_told_apart(path):
    model = Model(path)
    asked = ({"admitted": value, "level": 0.0} for value in (-9, -8, START, None))
    found = [model.predict(each)["risk"] for each in asked]
    assert max(found[:2]) > found[2]  # of the codes half have the outcome
    with pytest.raises(SchemaError, match="'admitted', row 0: got '-7', expected a number"):
        model.predict({"admitted": "-7", "level": 0.0})


def test_what_the_file_tells_of_itself_keeps_the_digits(path):
    model = Model(path)
    reference = model.metadata["reference"]["admitted"]
    assert START < reference < START + 200
    assert reference == int(reference)
    tested = {row["admitted"] for row in model.metadata["self_test"]["records"]}
    assert len(tested) > 5
    far = START + 199 if reference <= LAST else START
    assert next(iter(model.explain({"admitted": far, "level": 0.0}))) == "admitted"


def test_a_column_that_is_missing_in_service_is_named(path):
    asked = stays(200, 3).assign(admitted=np.nan)
    with pytest.warns(UnlikeTrainingWarning, match="'admitted': 100% of 200 rows are missing"):
        Model(path).predict(asked)


@pytest.mark.parametrize("offset", [None, 0.5])
def test_a_file_whose_graph_and_columns_differ_in_type_is_refused(path, tmp_path, offset):
    model = onnx.load(path)
    (schema,) = (each for each in model.metadata_props if each.key == "schema")
    told = {"admitted": None, "level": offset}
    schema.value = json.dumps([{**c, "offset": told[c["name"]]} for c in json.loads(schema.value)])
    other = tmp_path / "other.onnx"
    other.write_bytes(seal(model.SerializeToString(deterministic=True)))
    with pytest.raises(ModelFileError, match=r"other\.onnx"):
        Model(other)


@pytest.mark.parametrize("offset", ["1.7e9", True, 1e999, [1]])
def test_an_offset_that_is_no_number_is_refused(path, offset):
    stored = ort.InferenceSession(path).get_modelmeta().custom_metadata_map
    columns = json.loads(stored["schema"])
    stored["schema"] = json.dumps([{**column, "offset": offset} for column in columns])
    with pytest.raises(ModelFileError, match=r"'schema', column 0, offset|is no number of JSON"):
        read_metadata({key: value.encode() for key, value in stored.items()}, "a.onnx")
