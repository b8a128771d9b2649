"""Executables by the user's labels: from a folder to the answers of a model file."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from industry_apps.cybersecurity import ExecutableClassifier, ExecutableFeatures
from industry_apps.data.simulators.cybersecurity.executables import simulated_executables
from industry_apps.errors import LeakageError, SchemaError
from industry_apps.runtime import Model
from industry_apps.runtime.executables.columns import FEATURES_VERSION, FILE_COLUMNS
from tests.cli.shell import run


@pytest.fixture(scope="module")
def data():
    return ExecutableClassifier.sample()


@pytest.fixture(scope="module")
def classifier(data):
    return ExecutableClassifier.fast().fit(data)


@pytest.fixture(scope="module")
def model(classifier, data, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "files.onnx"
    return Model(classifier.export(path, check=data))


@pytest.fixture
def folder(tmp_path):
    """Files that no training has seen."""
    for file in simulated_executables(4, seed=99):
        path = tmp_path / "files" / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
    return tmp_path / "files"


def test_a_folder_is_answered_by_the_file_as_by_the_classifier(classifier, model, folder):
    table = ExecutableFeatures().read(folder)
    assert len(table) == 12
    expected = classifier.predict(table)
    answers = model.predict(table)
    assert answers["is_flagged"].tolist() == expected["is_flagged"].tolist()
    assert answers["flag_probability"].to_numpy() == pytest.approx(
        expected["flag_probability"].to_numpy(), abs=1e-5
    )
    row = ExecutableFeatures().row((folder / table["file"][0]).read_bytes())
    one = model.predict(row)
    assert one["flag_probability"] == pytest.approx(expected["flag_probability"][0], abs=1e-5)


@pytest.mark.parametrize("name", ["table.csv", "table.parquet"])
def test_the_table_goes_through_the_command_line(model, folder, tmp_path, name):
    table = ExecutableFeatures().read(folder)
    path, answered = tmp_path / name, tmp_path / "answers.csv"
    if name.endswith("csv"):
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path, index=False)
    done = run("predict", str(model.path), str(path), str(answered))
    assert done.exit_code == 0, done.output
    kept = pd.read_csv(answered)
    assert kept["file"].tolist() == table["file"].tolist()
    expected = model.predict(table)["flag_probability"].to_numpy()
    assert kept["flag_probability"].to_numpy() == pytest.approx(expected, abs=1e-6)


def test_columns_of_another_version_are_refused(classifier, model, data):
    assert model.describe()["features_version"] == FEATURES_VERSION
    other = data.test.head(3).assign(features_version=[1.0, 1.0, 2.0])
    for answer in (classifier.predict, model.predict):
        with pytest.raises(SchemaError, match=r"'features_version', row 2: got 2.*as training did"):
            answer(other)
    with pytest.raises(SchemaError, match="features_version"):
        model.predict(data.test.head(3).drop(columns="features_version"))


def test_builds_of_a_program_are_in_one_part(data):
    table = pd.concat([data.train, data.test])
    parts = ExecutableClassifier().split(table)
    programs = [set(part["program"]) for part in parts]
    assert not programs[0] & programs[1]
    assert not programs[0] & programs[2]
    twice = pd.concat([table, table]).drop(columns="program").reset_index(drop=True)
    digests = [set(part["sha256"]) for part in ExecutableClassifier().split(twice)]
    assert not digests[0] & digests[2]


def overlap(parts, name):
    return set(parts.train[name].dropna()) & set(parts.test[name].dropna())


def test_equal_files_are_in_one_part_whichever_program_is_named(data):
    every = pd.concat([data.train, data.test], ignore_index=True)
    renamed = every.assign(program="copy of " + every["program"])
    unnamed = every.assign(program=None)
    for other in (renamed, unnamed):
        parts = ExecutableClassifier().split(pd.concat([every, other], ignore_index=True))
        assert not overlap(parts, "sha256")
        assert not overlap(parts, "program")
        assert sum(map(len, parts)) == 2 * len(every)
        assert list(parts.train) == list(every)


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_files_without_a_program_are_files_of_their_own(data, share):
    unnamed = data.train.copy()
    unnamed.loc[: int(share * len(unnamed)), "program"] = None
    parts = ExecutableClassifier().split(unnamed)
    assert 0.1 < len(parts.test) / len(unnamed) < 0.3
    assert not overlap(parts, "sha256")
    with pytest.raises(SchemaError, match="program"):
        ExecutableClassifier().split(unnamed.drop(columns=["program", "sha256"]))


def test_equal_bytes_that_were_learned_from_are_no_test(data):
    loose = ExecutableClassifier.fast().set_params(false_positive_rate=0.1)
    fitted = loose.fit(data.train.assign(program=None))
    with pytest.raises(LeakageError, match="sha256"):
        fitted.evaluate(data.train.head(40).assign(program="another"))


def test_lists_of_a_csv_file_are_texts_and_the_remedy_works(classifier, data, tmp_path):
    data.test.head(3).to_csv(tmp_path / "kept.csv", index=False)
    table = pd.read_csv(tmp_path / "kept.csv")
    with pytest.raises(SchemaError, match=r"table\['byte_shares'\]\.map\(json\.loads\)"):
        classifier.predict(table)
    for name in ("byte_shares", "entropy_shares", "import_bins"):
        table[name] = table[name].map(json.loads)
    assert len(classifier.predict(table)) == 3


def test_files_that_were_learned_from_are_no_test(classifier, data):
    with pytest.raises(LeakageError, match="program"):
        classifier.evaluate(data.train.head(40))


def test_own_names_of_columns(data):
    own = {"is_flagged": "packed", "program": "package", "entropy": "bits_a_byte"}
    table = pd.concat([data.train, data.validation]).rename(columns=own)
    fitted = ExecutableClassifier.fast().set_params(columns=own).fit(table)
    assert "bits_a_byte" in fitted.schema_
    assert "packed" not in fitted.schema_
    assert fitted.split_["train"]["rows"] < len(table)


# The report is on few files; what is asked is that the rule is in it.
@pytest.mark.filterwarnings("ignore::industry_apps.errors.LeakageWarning")
def test_a_threshold_on_entropy_is_among_the_baselines(classifier, data):
    report = classifier.evaluate(data)
    assert set(report.baselines) == {
        "prevalence",
        "logistic_regression",
        "lightgbm_default",
        "entropy_alone",
    }
    alone = report.baselines["entropy_alone"]["auroc"].value
    assert 0.7 < alone < report.metrics["auroc"].value


def test_simulated_files_are_whole_and_equal_each_time():
    files = list(simulated_executables(12, seed=3))
    assert [f.data for f in files] == [f.data for f in simulated_executables(12, seed=3)]
    assert sum(file.packed for file in files) == 12
    table = ExecutableFeatures().table({file.name: file.data for file in files})
    assert not table.filter(like="faults_").to_numpy().any()
    assert set(table["format"]) == {"elf", "pe"}
    assert (table["entry_executable"] == 1).mean() > 0.7
    FILE_COLUMNS.to_arrays(table)
