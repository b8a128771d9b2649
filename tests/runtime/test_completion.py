"""Raw records of files that read columns made of them: in every form, right or refused."""

from __future__ import annotations

import json

import onnx
import pandas as pd
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from industry_apps.cli.app import app
from industry_apps.cybersecurity import UrlThreatDetector
from industry_apps.errors import ModelFileError, SchemaError
from industry_apps.runtime import Model
from industry_apps.runtime.addresses.lexical import url_columns
from industry_apps.runtime.batches import RecordBatches

URLS = ["http://river.test.login9.example/a.php?b=1", "table.example/news/house"]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    data = UrlThreatDetector.sample()
    folder = tmp_path_factory.mktemp("urls")
    return UrlThreatDetector.fast().fit(data).export(folder / "urls.onnx", check=data)


@pytest.fixture(scope="module")
def model(path):
    return Model(path)


@pytest.fixture(scope="module")
def expected(model):
    made = url_columns(URLS)
    del made["owner"]
    return model.predict(made)["phishing_probability"].tolist()


def forms(tmp_path):
    frame = pd.DataFrame({"id": [7, 8], "url": URLS})
    frame.to_csv(tmp_path / "urls.csv", index=False)
    frame.to_parquet(tmp_path / "urls.parquet")
    yield frame
    yield frame[["url"]].to_dict("list")
    yield pa.Table.from_pandas(frame)
    yield tmp_path / "urls.csv"
    yield tmp_path / "urls.parquet"


def test_raw_tables_are_answered_in_every_form(model, expected, tmp_path):
    for form in forms(tmp_path):
        answers = model.predict(form)
        found = answers["phishing_probability"]
        found = found.to_pylist() if isinstance(answers, pa.Table) else found.tolist()
        assert found == pytest.approx(expected, abs=1e-6), type(form)


def test_raw_records_are_answered_alone_together_and_beside_read_ones(model, expected):
    made = {name: values[0] for name, values in url_columns(URLS[:1]).items() if name != "owner"}
    records = [{"url": url} for url in URLS]
    assert [model.predict(each)["phishing_probability"] for each in records] == pytest.approx(
        expected, abs=1e-6
    )
    found = model.predict([made, records[1]])
    assert [each["phishing_probability"] for each in found] == pytest.approx(expected, abs=1e-6)
    batches = RecordBatches(model)
    found = batches.run([batches.read(each) for each in records])
    assert [each["phishing_probability"] for each in found] == pytest.approx(expected, abs=1e-6)
    assert batches.table_schema.names == ["url"]
    assert model.explain(records[0]).keys() == model.explain(made).keys()


def test_answers_stand_beside_the_raw_columns_of_a_file(model, expected, tmp_path):
    list(forms(tmp_path))
    assert model.predict(tmp_path / "urls.csv", to=tmp_path / "answers.csv") == 2
    written = pd.read_csv(tmp_path / "answers.csv")
    assert written.columns[:2].tolist() == ["id", "url"]
    assert "address" not in written
    assert written["phishing_probability"].tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"ulr": URLS[0]}, "Column 'url' is missing: got 'ulr'. Rename"),
        ({"url": None}, "Column 'url', row 0: got None; expected a text"),
        ([{"url": URLS[0]}, {"url": "mailto:x"}], "Column 'url', row 1: got 'mailto:x'"),
        ([{"url": URLS[0]}, {"ulr": URLS[0]}], "Row 1: column 'url' is missing: got 'ulr'"),
        (pd.DataFrame({"url": [URLS[0], None]}), "Column 'url', row 1: got None"),
        (pd.DataFrame({"u": URLS}), "Column 'url' is missing: got 'u'"),
        (pa.table({"u": URLS}), "Column 'url' is missing: got 'u'"),
    ],
)
def test_what_cannot_be_read_is_named(model, data, message):
    with pytest.raises(SchemaError, match=message):
        model.predict(data)


def test_own_names_go_through_the_file_the_shell_and_the_server(tmp_path):
    data, names = UrlThreatDetector.sample(), {"url": "link", "is_phishing": "bad"}
    own = [part[["url", "is_phishing"]].rename(columns=names) for part in (data.train, data.test)]
    detector = UrlThreatDetector.fast().set_params(columns=names).fit(own[0])
    file = detector.export(tmp_path / "own.onnx", check=own[1])
    expected = detector.predict(own[1])["phishing_probability"].tolist()
    found = Model(file).predict(own[1].to_dict("records"))
    assert [each["phishing_probability"] for each in found] == pytest.approx(expected, abs=1e-5)
    own[1].to_csv(tmp_path / "own.csv", index=False)
    out = tmp_path / "out.csv"
    done = CliRunner().invoke(app, ["predict", str(file), str(tmp_path / "own.csv"), str(out)])
    assert done.exit_code == 0, done.output
    assert pd.read_csv(out)["phishing_probability"].tolist() == pytest.approx(expected, abs=1e-5)
    shown = Model(file).completion.example  # by a server, as what to send
    assert list(shown) == ["link"]
    assert "phishing_probability" in Model(file).predict(shown)


@pytest.mark.parametrize("version", [1, 999])
def test_another_version_of_the_reader_is_refused(path, tmp_path, version):
    graph = onnx.load(path)
    for entry in graph.metadata_props:
        if entry.key == "completion":
            entry.value = json.dumps({**json.loads(entry.value), "version": version})
    onnx.save(graph, tmp_path / "other.onnx")
    with pytest.raises(ModelFileError):
        Model(tmp_path / "other.onnx")


def test_an_unknown_reader_is_named():
    from industry_apps.runtime.completion import completion_of
    from industry_apps.schema import Schema

    facts = {"reader": "molecule", "version": 1, "column": {"name": "smiles", "kind": "text"}}
    with pytest.raises(ModelFileError, match="by the reader 'molecule' of version 1"):
        completion_of({"completion": facts}, Schema(()), "a.onnx")


def test_rows_are_numbered_through_a_file_that_is_read_in_parts(model, tmp_path, monkeypatch):
    from industry_apps.runtime import files

    monkeypatch.setattr(files, "ROWS_A_CHUNK", 2)
    frame = pd.DataFrame({"url": [*URLS, URLS[0], "mailto:x"]})
    frame.to_csv(tmp_path / "long.csv", index=False)
    with pytest.raises(SchemaError, match="Column 'url', row 3: got 'mailto:x'"):
        model.predict(tmp_path / "long.csv")


def test_the_command_line_takes_raw_columns_and_misses_nothing(path, tmp_path):
    list(forms(tmp_path))
    done = CliRunner().invoke(
        app, ["predict", str(path), str(tmp_path / "urls.csv"), str(tmp_path / "out.csv")]
    )
    assert done.exit_code == 0
    assert "missing" not in done.output
