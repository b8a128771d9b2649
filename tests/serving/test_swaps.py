"""Versions are swapped without a gap, and refused where they do not fit."""

from __future__ import annotations

import json
import stat
import threading
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from industry_apps.errors import ParameterError
from industry_apps.runtime import Model
from industry_apps.runtime.batches import RecordBatches
from industry_apps.runtime.zoo import verify
from industry_apps.serving.bodies import written
from industry_apps.serving.keys import new_key
from industry_apps.serving.served import Served
from industry_apps.serving.settings import Settings
from industry_apps.versions import Store
from tests.hostile.model_files import changed, changes
from tests.serving.running import Running, running, until
from tests.serving.versions import altered

PREDICT = "/models/tiny/predict"


def answers_of(files: list[Path], rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Version -> its answers, as JSON."""
    found = {}
    for file in files:
        model = Model(file, threads=1)
        told = [json.loads(written(model.predict(row))) for row in rows]
        found[sha256(file.read_bytes()).hexdigest()[:12]] = told
    return found


class Load:
    """Clients that ask until they are stopped, and compare each answer with its version's."""

    def __init__(self, server: Running, rows: list[Any], wanted: dict[str, list[Any]]) -> None:
        self._server, self._rows, self._wanted = server, rows, wanted
        self._stop = threading.Event()
        self.asked, self.wrong = 0, []
        self._threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(3)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _ask(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        while not self._stop.is_set():
            row = int(random.integers(len(self._rows)))
            found = self._server.post(PREDICT, self._rows[row])
            wanted = self._wanted.get(found.headers.get("x-model-version", ""), {})
            if found.status != 200 or found.told != wanted[row]:
                self.wrong.append(found)
            self.asked += 1


def test_swaps_under_load_lose_no_request(store, files, rows):
    wanted = answers_of(files, rows)
    one, two = store.versions
    with running({"tiny": store.folder}) as server, Load(server, rows, wanted) as load:
        for turn in range(10):
            version = (two, one)[turn % 2]
            found = server.post("/models/tiny/promote", {"version": version, "why": str(turn)})
            assert found.status == 200, found.told
            back = server.post("/models/tiny/rollback", {"why": "to see"})
            assert back.status == 200, back.told
            again = server.post("/models/tiny/promote", {"version": version})
            assert again.status == 200, again.told
        until(lambda: load.asked > 50)
    assert not load.wrong
    assert store.production == server.served.slot("tiny").current.sha256
    entries = [e.action for e in store.entries() if e.action != "add"]
    assert entries == ["promote", *["promote", "rollback", "promote"] * 10]
    assert store.check() == len(store.entries())


def test_a_file_is_replaced_and_read_again(tmp_path, files, rows):
    path = tmp_path / "model.onnx"
    path.write_bytes(files[0].read_bytes())
    with running({"tiny": path}) as server:
        assert server.post(PREDICT, rows[0]).status == 200
        same = server.post("/models/tiny/reload")
        assert (same.status, "already. Replace the file" in same.told["error"]) == (409, True)
        path.write_bytes(files[1].read_bytes())
        found = server.post("/models/tiny/reload", {"why": "new"})
        assert found.status == 200
        assert found.told["replay"]["requests"] == 1
        assert server.post(PREDICT, rows[0]).headers["x-model-version"] == found.told["version"]
        other = server.post("/models/tiny/promote", {"version": "abcdef"})
        assert (other.status, "has no versions such as" in other.told["error"]) == (409, True)
        for wrong, words in (({"version": 3}, "object of texts"), ({"x": ""}, "Unknown 'x'")):
            assert words in server.post("/models/tiny/promote", wrong).told["error"]
        assert "names no 'version'" in server.post("/models/tiny/promote", {}).told["error"]
        path.unlink()
        assert server.post("/models/tiny/reload").status == 422
        assert server.post(PREDICT, rows[0]).status == 200
        assert server.post("/models/tiny/rollback").status == 200


def test_damaged_files_are_refused_and_the_old_one_answers(tmp_path, files, rows):
    """Some of the changes of ``make hostile``, which tries 2 000."""
    path = tmp_path / "model.onnx"
    content = files[0].read_bytes()
    path.write_bytes(content)
    wanted = json.loads(written(Model(path, threads=1).predict(rows[0])))
    chosen = [each for each in changes(content, 30, 15, seed=7) if each[0] != "reseal"]
    with running({"tiny": path}) as server:
        for change in chosen:
            path.write_bytes(changed(content, change))
            found = server.post("/models/tiny/reload")
            assert found.status == 422, (change, found)
            assert "model.onnx" in found.told["error"]
            assert server.post(PREDICT, rows[0]).told == wanted
        assert server.get("/ready").status == 200
        text = server.get("/metrics").told
        line = f'swaps_total{{model="tiny",outcome="refused"}} {len(chosen)}'
        assert f"industry_apps_{line}" in text


def columns(path: Path, key: str, name: str, **change: Any) -> list[dict[str, Any]]:
    """The columns of a file, one of them another one."""
    told = Model(path).metadata[key]
    return [{**each, **(change if each["name"] == name else {})} for each in told]


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("amount", {"nullable": False}, "'amount' may not be missing any more"),
        ("amount", {"low": 1.0}, "'amount' has narrower limits"),
        ("amount", {"high": None, "unit": "USD"}, "'amount' is in another unit"),
        ("amount", {"whole": True}, "'amount' takes whole numbers only"),
        ("channel", {"categories": ["web"]}, "'channel' takes fewer categories"),
        ("member", {"required": True}, "'member' has to be there now"),
    ],
)
def test_a_version_that_takes_less_is_refused(tmp_path, files, rows, name, change, words):
    path = tmp_path / "model.onnx"
    path.write_bytes(files[0].read_bytes())
    with running({"tiny": path}) as server:
        fits = {"amount": 2.0, "channel": "web", "member": True}
        reference = Model(files[0]).metadata["reference"] | fits
        schema = columns(files[0], "schema", name, **change)
        test = Model(files[0]).metadata["self_test"]
        rows_ = [{**r, **fits} for r in test["records"]]
        model = Model(files[0], threads=1)
        batches = RecordBatches(model)
        answers = batches.one_by_one([batches.read(r) for r in rows_])
        told = {n: [each[n] for each in answers] for n in model.outputs.names}
        made = {"records": rows_, "answers": told}
        altered(files[0], path, {"schema": schema, "self_test": made, "reference": reference})
        found = server.post("/models/tiny/reload")
        assert found.status == 422
        assert words in found.told["error"], found.told


def test_a_file_of_another_application_is_refused(tmp_path, files):
    path = tmp_path / "model.onnx"
    path.write_bytes(files[0].read_bytes())
    with running({"tiny": path}) as server:
        path.write_bytes(verify("finance.credit_scoring.scorecard").read_bytes())
        found = server.post("/models/tiny/reload")
        assert "it is of finance.credit_scoring, expected one of" in found.told["error"]


def test_a_replay_that_is_refused_tells_no_value(store, rows, monkeypatch):
    with running({"tiny": store.folder}) as server:
        asked = {**rows[0], "note": "Erika Mustermann"}
        assert server.post(PREDICT, asked).status == 200
        predict = Model.predict

        def narrow(self: Model, data: Any, **how: Any) -> Any:
            if self.path.name.startswith(store.versions[1]) and data == asked:
                raise self.schema["note"].error([data["note"]], 0, "a number", "Correct it.")
            return predict(self, data, **how)

        monkeypatch.setattr(Model, "predict", narrow)
        found = server.post("/models/tiny/promote", {"version": store.versions[1]})
        told = "it refuses one of the latest 1 requests (its column 'note')"
        assert (found.status, told in found.told["error"]) == (422, True)
        (line,) = [line for line in server.lines if '"refused"' in line]
        assert "Erika" not in found.told["error"] + line


def test_a_replay_refuses_what_answers_no_number(store, rows, monkeypatch):
    one, two = store.versions
    with running({"tiny": store.folder}) as server:
        assert server.post(PREDICT, rows[0]).status == 200
        predict = Model.predict

        def broken(self: Model, data: Any, **how: Any) -> Any:
            found = predict(self, data, **how)
            if self.path.name.startswith(two) and isinstance(data, dict) and "risk" in found:
                found["risk"] = float("nan")
            return found

        monkeypatch.setattr(Model, "predict", broken)
        found = server.post("/models/tiny/promote", {"version": two})
        assert found.status == 422
        assert "answers 'risk' with nan, expected a number, as before" in found.told["error"]
    assert store.production == one


def test_an_edited_log_is_refused_and_the_old_version_answers(store, rows):
    one, two = store.versions
    with running({"tiny": store.folder}) as server:
        log = store.folder / "log.jsonl"
        log.write_bytes(log.read_bytes().replace(b'"who":"release"', b'"who":"nobody"', 1))
        for place, told in (("promote", {"version": two}), ("reload", {})):
            found = server.post(f"/models/tiny/{place}", told)
            assert (found.status, "line 1: its hash is" in found.told["error"]) == (409, True)
        assert server.post(PREDICT, rows[0]).headers["x-model-version"] == one[:12]


def test_who_acts_stands_in_the_log_by_key_or_by_name(store, tmp_path):
    two = store.versions[1]
    with running({"tiny": store.folder}) as server:
        told = {"version": two, "who": "Ada", "why": "better"}
        assert server.post("/models/tiny/promote", told).status == 200
        assert server.post("/models/tiny/rollback", {"who": " "}).status == 200
    key = new_key(tmp_path / "keys.json", "Grace", ["admin"])
    with running({"tiny": store.folder}, Settings(keys=tmp_path / "keys.json")) as server:
        shown = {"authorization": f"Bearer {key}"}
        found = server.post("/models/tiny/promote", told, **shown)
        assert (found.status, "Unknown 'who'" in found.told["error"]) == (400, True)
        del told["who"]
        assert server.post("/models/tiny/promote", told, **shown).status == 200
    moves = [entry.who for entry in store.entries() if entry.action != "add"]
    assert moves == ["release", "Ada", "anybody", "Grace"]


@pytest.mark.parametrize("name", ["", ".", "..", "-a", ".lock", "a/b", "a b", "a" * 101])
def test_a_name_that_could_be_no_folder_is_refused(files, name):
    with pytest.raises(ParameterError, match=r"the first a letter or digit\. Choose another"):
        Served({name: files[0]})
    Served({"0-a.b_c": files[0]}).close()


def test_only_signed_versions_are_served_where_a_key_is_given(tmp_path, files):
    pytest.importorskip("cryptography")
    from industry_apps.versions.signatures import new_key

    public = new_key(tmp_path / "ada")
    store = Store(tmp_path / "store")
    signed = store.add(files[0], who="release", key=tmp_path / "ada")
    plain = store.add(files[1], who="release")
    store.promote(signed, who="release")
    with running({"tiny": store.folder}, Settings(public_key=public)) as server:
        found = server.post("/models/tiny/promote", {"version": plain})
        assert (found.status, "has no signature" in found.told["error"]) == (409, True)


def test_payloads_are_sampled_where_asked(tmp_path, files, rows):
    path = tmp_path / "payloads.jsonl"
    with running({"tiny": files[0]}, Settings(payloads=path, payload_share=1.0)) as server:
        answer = server.post(PREDICT, rows[0]).told
        time = {"name": "time", "datatype": "INT64", "shape": [1], "data": [0]}
        amount = {"name": "amount", "datatype": "FP32", "shape": [1], "data": [None]}
        country = {"name": "country", "datatype": "BYTES", "shape": [1], "data": ["DE"]}
        tensors = {"inputs": [time, amount, country]}
        assert server.post("/v2/models/tiny/infer", tensors).status == 200
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first, second = map(json.loads, path.read_text().splitlines())
    assert first["asked"] == rows[0]
    assert first["answer"] == answer
    assert second["asked"] == {"time": "1970-01-01 00:00:00", "amount": None, "country": "DE"}
