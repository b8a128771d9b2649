"""Properties of molecules: what is particular to them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from industry_apps.data import load
from industry_apps.errors import ParameterError, SchemaError, TrainingError
from industry_apps.healthcare import PropertyPredictor
from industry_apps.runtime import Model
from industry_apps.training import TrainingOptions
from tests.remedies import check_remedy

pytest.importorskip("rdkit")


@pytest.fixture(scope="module")
def data():
    return PropertyPredictor.sample()


@pytest.fixture(scope="module")
def predictor(data):
    return PropertyPredictor.fast().fit(data)


@pytest.mark.parametrize("text", ["CC(", "", "hello", "C(C)(C)(C)(C)C", "C" * 501, None])
def test_what_cannot_be_read_has_no_prediction(predictor, text):
    found = predictor.predict(pd.DataFrame({"smiles": ["CCO", text]}))
    assert found["readable"].tolist() == [True, False]
    assert found[["value", "value_std"]].isna().all(axis=1).tolist() == [False, True]
    assert found["atoms"].tolist() == [3, 0]


def test_selfies_are_refused_by_the_application_and_by_its_file(predictor, tmp_path):
    file = Model(predictor.export(tmp_path / "model.onnx"))
    table = pd.DataFrame({"smiles": ["CCO", "[C][C][O]"]})
    record = {"smiles": "[C][=C][C][=C][C][=C][Ring1][=Branch1]"}
    for ask in (predictor.predict, predictor.split, file.predict):
        with pytest.raises(SchemaError, match=r"row 1: got '\[C\]\[C\]\[O\]', expected a SMILES"):
            ask(table)
    for ask in (file.predict, file.explain):
        with pytest.raises(SchemaError, match=r"row 0: got .*, expected a SMILES.*\.decoder"):
            ask(record)


def test_fragments_are_all_read_and_counted(predictor):
    found = predictor.predict(pd.DataFrame({"smiles": ["CCN", "CCN.Cl"]}))
    assert found["fragments"].tolist() == [1, 2]
    assert found["atoms"].tolist() == [3, 4]
    assert found["readable"].all()


def test_other_ways_to_write_a_molecule_get_the_same_answer(predictor, tmp_path):
    texts = ["Cc1ccc(O)cc1", "Oc1ccc(C)cc1", "CC1=CC=C(O)C=C1", "[H]Oc1ccc(C([H])[H])cc1 cresol"]
    found = predictor.predict(pd.DataFrame({"smiles": texts}))
    assert len(found.drop_duplicates()) == 1
    file = Model(predictor.export(tmp_path / "model.onnx"))
    assert len({file.predict({"smiles": text})["value"] for text in texts}) == 1


def test_each_atom_adds_to_a_prediction(predictor):
    found = predictor.explain_atoms("Cc1ccc(O)cc1")
    assert found["symbol"].tolist() == ["C", "C", "C", "C", "C", "O", "C", "C"]
    assert found["value"].iloc[5] == found["value"].max()  # what makes it soluble
    assert found["value"].iloc[2] == found["value"].iloc[7]  # by symmetry
    other = predictor.explain_atoms("[H]OC1=CC=C(C)C=C1")
    assert sorted(other["value"]) == sorted(found["value"])
    assert other["symbol"].iloc[0] == "O"
    with pytest.raises(SchemaError, match=r"row 0: got 'C\('"):
        predictor.explain_atoms("C(")


def test_the_file_explains_by_atoms_as_the_application_does(predictor, tmp_path):
    file = Model(predictor.export(tmp_path / "model.onnx"))
    stated = file.describe()["explanation"]
    assert "without the atom" in stated["method"]
    texts = ["Cc1ccc(O)cc1", "[H]OC1=CC=C(C)C=C1", "C", "CCN.Cl cresol", "N" + "C" * 99]
    for text in texts:
        found = pd.DataFrame(file.explain({"smiles": text}))
        expected = predictor.explain_atoms(text)
        pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=0, atol=1e-5)
    one, other = (file.explain({"smiles": text}) for text in texts[:2])  # two spellings
    assert sorted(zip(*one.values(), strict=True)) == sorted(zip(*other.values(), strict=True))
    assert len(set(one["value"])) > 3
    assert file.explain([{"smiles": text} for text in texts[:2]]) == [one, other]
    table = pd.DataFrame({"smiles": texts[:2]}, index=pd.Index(["a", "a"], name="id"))
    told = file.explain(table)
    assert told.index.names == ["id", "atom"]
    assert told.index.tolist()[:2] == [("a", 0), ("a", 1)]
    assert told["value"].tolist() == one["value"] + other["value"]
    assert file.explain(table.head(0)).columns.tolist() == ["symbol", "value"]
    assert file.explain([]) == []
    with pytest.raises(SchemaError, match=r"'smiles', row 1: got 'C\(', expected .* atoms"):
        file.explain([{"smiles": "CC"}, {"smiles": "C("}])
    with pytest.raises(SchemaError, match=r"'smiles', row 0: got '', expected"):
        file.explain({"smiles": None})


def test_networks_are_explained_by_atoms_too(data):
    options = TrainingOptions(max_epochs=2, batch_size=64, progress=False, precision="float32")
    model = PropertyPredictor.fast().set_params(model="network", training=options)
    model.fit(data.train.head(200), data.validation.head(60))
    one, other = (model.explain_atoms(text)["value"] for text in ("CCOc1ccccc1", "c1ccccc1OCC"))
    np.testing.assert_allclose(sorted(one), sorted(other), atol=1e-4)
    assert one.abs().min() > 0


def test_rows_without_a_molecule_are_split_as_they_are_fitted(data):
    frame = data.train.head(100).astype({"smiles": object})
    frame.iloc[[3, 5, 7], frame.columns.get_loc("smiles")] = [None, "", "C("]
    parts = PropertyPredictor().split(frame)
    assert sum(map(len, parts)) == 100
    assert parts.train["smiles"].isin(["C("]).sum() == 1
    assert not parts.test["smiles"].isna().any()
    model = PropertyPredictor.fast().fit(parts.train, parts.validation)
    assert model.split_["train"]["unreadable"] == 3


def test_spellings_are_studied(data):
    small = replace(data, train=data.train.head(120), validation=data.validation.head(20))
    reading, changes = PropertyPredictor.fast().studies()["spellings"](small)
    assert [row["not read"] for row in reading.records()] == [0, 0]
    assert len(changes.records()) == 10
    assert {row["changed"] for row in changes.records()} == {0}


def test_unreadable_training_molecules_are_counted(data):
    spoilt = data.train.copy()
    spoilt.loc[spoilt.index[:7], "smiles"] = "C("
    report = PropertyPredictor.fast().fit(spoilt, data.validation).evaluate(data.test)
    assert report.split["train"]["unreadable"] == 7


def test_a_column_that_holds_no_smiles_is_refused(data):
    wrong = data.train.assign(smiles="aspirin")
    with pytest.raises(SchemaError, match=r"'smiles', row 0.*aspirin"):
        PropertyPredictor.fast().fit(wrong, data.validation)


def test_a_constant_or_missing_target_is_refused(data):
    for value in (1.0, np.nan):
        with pytest.raises(TrainingError, match="'value'"):
            PropertyPredictor.fast().fit(data.train.assign(value=value), data.validation)
    with pytest.raises(ParameterError, match="'targets'"):
        PropertyPredictor(targets=()).fit(data)


def test_classes_with_gaps_and_several_targets(data, tmp_path):
    def table(part):
        second = (part["value"] > -2.5).astype(float).mask(part.index % 3 == 0)
        return part.assign(small=second)

    model = PropertyPredictor.fast().set_params(
        task="classification", targets=("is_soluble", "small")
    )
    model.fit(table(data.train), table(data.validation))
    report = model.evaluate(table(data.test))
    assert report.metrics["auroc"].value > 0.8
    (each,) = (section for section in report.sections if section.title == "Each property")
    assert [row["property"] for row in each.records()] == ["is_soluble", "small"]
    path = model.export(tmp_path / "classes.onnx", check=table(data.test))
    file = Model(path)
    pd.testing.assert_frame_equal(
        pd.DataFrame(file.explain({"smiles": "CCO"})),
        model.explain_atoms("CCO"),
        check_dtype=False,
        atol=1e-5,
    )
    found = file.predict({"smiles": "CCO"})
    assert 0 <= found["small"] <= 1
    assert set(found) == {
        *("is_soluble", "is_soluble_std", "small", "small_std"),
        *("readable", "atoms", "fragments"),
    }


@pytest.mark.parametrize("kind", ["network", "blend"])
def test_networks_export_what_they_answer(data, tmp_path, kind):
    options = TrainingOptions(max_epochs=2, batch_size=64, progress=False, precision="float32")
    model = PropertyPredictor.fast().set_params(model=kind, training=options)
    model.fit(data.train.head(200), data.validation.head(60))
    file = Model(model.export(tmp_path / "model.onnx", check=data.test.head(60)))
    assert model.parity_.changed_decisions == 0
    found, expected = file.explain({"smiles": "CCOc1ccccc1"}), model.explain_atoms("CCOc1ccccc1")
    np.testing.assert_allclose(found["value"], expected["value"], atol=1e-5)


def test_own_molecules_are_split_by_scaffold(data):
    from industry_apps.data.scaffolds import scaffold_of

    parts = PropertyPredictor().split(data.train.head(300))
    cores = [set(part["smiles"].map(scaffold_of)) for part in parts]
    assert not cores[0] & (cores[1] | cores[2])
    assert sum(map(len, parts)) == 300


def test_the_card_says_what_a_model_is_for(predictor, tmp_path):
    file = Model(predictor.export(tmp_path / "model.onnx"))
    assert "No diagnosis" in file.metadata["intended_use"]


@pytest.mark.real_data("moleculenet")
def test_real_solubility_is_predicted(tmp_path):
    data = load("moleculenet_esol")
    model = PropertyPredictor.fast().set_params(targets=("log_solubility",)).fit(data)
    report = model.evaluate(data)
    assert report.metrics["rmse"].value < 0.9
    model.export(tmp_path / "esol.onnx", check=data)
    assert model.parity_.changed_decisions == 0


def test_kinds_of_models_are_compared(data):
    brief = TrainingOptions(max_epochs=1, progress=False)
    predictor = PropertyPredictor.fast().set_params(training=brief)
    (section,) = predictor.studies()["models"](data)
    assert [row["model"] for row in section.records()][:3] == ["trees", "network", "blend"]
    assert section.title == "Kinds of models, 2 members of each"


def test_a_table_may_call_the_molecule_otherwise(tmp_path):
    data = PropertyPredictor.sample()
    parts = [p.rename(columns={"smiles": "structure"}) for p in (data.train, data.validation)]
    fitted = PropertyPredictor.fast().set_params(columns={"smiles": "structure"}).fit(*parts)
    asked = data.test.rename(columns={"smiles": "structure"})
    assert fitted.evaluate(asked).metrics
    model = Model(fitted.export(tmp_path / "own.onnx", check=asked))
    assert model.schema.names == ["structure"]
    usual = PropertyPredictor.fast().fit(data).predict(data.test)
    np.testing.assert_array_equal(model.predict(asked)["readable"], usual["readable"])
    assert fitted.explain_atoms("CCO")["symbol"].tolist() == ["C", "C", "O"]
    assert len(fitted.split(pd.concat(parts)).train)


def test_a_target_is_named_by_targets_and_not_by_columns(data):
    table = data.train.rename(columns={"value": "y"})
    fast = PropertyPredictor.fast
    check_remedy(
        "set targets=('y',)",
        lambda: fast().set_params(columns={"value": "y"}).fit(table),
        lambda: fast().set_params(targets=("y",)).fit(table),
    )
