"""The Open Inference Protocol over HTTP: Triton's client, every file of the zoo, every kind."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import numpy as np
import pytest

from industry_apps.runtime.zoo import zoo
from tests.serving.running import running
from tests.serving.triton import expected, inputs_of, records_of, same, tensors_of

triton = pytest.importorskip("tritonclient.http")
FRAUD = "finance.fraud_detection"


@pytest.fixture(scope="module")
def client(all_models):
    """Triton's client of all models."""
    with triton.InferenceServerClient(f"127.0.0.1:{all_models.port}") as found:
        yield found


@pytest.mark.parametrize("in_bytes", [True, False])
@pytest.mark.parametrize("name", zoo())
def test_tritons_client_gets_the_answers_of_every_file(client, all_models, name, in_bytes):
    model = all_models.served.slot(name).current.model
    metadata = client.get_model_metadata(name)
    records = records_of(model)
    sizes = (1, len(records)) if model.windows is None else (len(records),)
    for size in sizes:
        part = records[:size]
        tensors = tensors_of(model, part)
        asked = inputs_of(triton.InferInput, tensors, metadata["inputs"], in_bytes)
        outputs = [
            triton.InferRequestedOutput(each["name"], binary_data=in_bytes)
            for each in metadata["outputs"]
        ]
        found = client.infer(name, asked, outputs=outputs, request_id="7")
        assert found.get_response()["id"] == "7"
        for output, wanted in expected(model, part).items():
            assert same(found.as_numpy(output), wanted), output


def test_what_the_client_asks_beside(client, all_models):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(FRAUD)
    assert not client.is_model_ready("other")
    version = all_models.served.slot(FRAUD).current.version
    assert client.is_model_ready(FRAUD, version)
    assert client.get_server_metadata()["name"] == "industry_apps"
    assert {each["name"] for each in client.get_model_repository_index()} == set(zoo())
    told = client.get_model_metadata(FRAUD, version)
    assert told["versions"] == [version]
    assert {"name": "time", "datatype": "INT64", "shape": [-1, 1]} in told["inputs"]
    with pytest.raises(Exception, match=r"Unknown version of 'finance.fraud_detection' '9'"):
        client.get_model_metadata(FRAUD, "9")


def body_of(server: Any, name: str = FRAUD, rows: int = 1) -> dict[str, Any]:
    """A request in JSON, as by hand."""
    told = server.get(f"/v2/models/{name}").told["inputs"]
    model = server.served.slot(name).current.model
    records = model.metadata["self_test"]["records"][:rows]
    types = {each["name"]: each["datatype"] for each in told}
    return {
        "inputs": [
            {
                "name": column,
                "datatype": types[column],
                "shape": list(array.shape),
                "data": [None if v != v else v for v in array.ravel().tolist()],  # noqa: PLR0124
            }
            for column, array in tensors_of(model, records).items()
        ]
    }


def infer(server: Any, body: Any, name: str = FRAUD, **headers: str) -> Any:
    return server.post(f"/v2/models/{name}/infer", body, **headers)


@pytest.mark.parametrize("rows", [1, 4])
def test_requested_outputs_and_ids_are_heeded(all_models, rows):
    body = body_of(all_models, rows=rows)
    whole = infer(all_models, body).told
    assert "id" not in whole
    assert [each["name"] for each in whole["outputs"]] == ["fraud_probability", "is_fraud"]
    assert "id" not in infer(all_models, {**body, "id": None}).told
    asked = {**body, "id": "a", "outputs": [{"name": "is_fraud"}]}
    part = infer(all_models, asked).told
    assert part["id"] == "a"
    assert part["outputs"] == [whole["outputs"][1]]
    assert part["outputs"][0]["shape"] == [rows, 1]


def test_nested_and_flat_values_are_the_same(all_models):
    body = body_of(all_models, rows=3)
    nested = json.loads(json.dumps(body))
    for each in nested["inputs"]:
        each["data"] = [[value] for value in each["data"]]
    vector = json.loads(json.dumps(body))
    for each in vector["inputs"]:
        each["shape"] = [3]
    found = infer(all_models, body).told
    assert infer(all_models, nested).told == infer(all_models, vector).told == found


def test_missing_values_are_null_for_every_datatype(served, tmp_path):
    row = {"amount": None, "time": None, "country": None, "member": None, "note": None}
    types = {"amount": "FP32", "time": "INT64", "country": "BYTES", "member": "FP32"}
    types["note"] = "BYTES"
    with running({"tiny": served.path}) as server:
        wanted = server.post("/models/tiny/predict", row).told
        told = [
            {"name": n, "datatype": t, "shape": [1, 1], "data": [None]} for n, t in types.items()
        ]
        found = infer(server, {"inputs": told}, "tiny").told
        assert [each["data"][0] for each in found["outputs"]] == list(wanted.values())
        empty = {"FP32": b"\0\0\xc0\x7f", "INT64": b"\0" * 7 + b"\x80", "BYTES": b"\0" * 4}
        head = {
            "inputs": [
                {
                    "name": n,
                    "datatype": t,
                    "shape": [1, 1],
                    "parameters": {"binary_data_size": len(empty[t])},
                }
                for n, t in types.items()
            ]
        }
        text = json.dumps(head).encode()
        behind = b"".join(empty[t] for t in types.values())
        length = {"inference_header_content_length": str(len(text))}
        assert infer(server, text + behind, "tiny", **length).told == found
        metadata = server.get("/v2/models/tiny").told
        assert {each["name"]: each["datatype"] for each in metadata["inputs"]} == {
            **types,
            "channel": "BYTES",
        }


def test_answers_that_are_no_numbers_are_null(all_models):
    name = "healthcare.drug_discovery"
    body = {"inputs": [{"name": "smiles", "datatype": "BYTES", "shape": [1], "data": ["CC("]}]}
    found = infer(all_models, body, name).told
    values = {each["name"]: each["data"][0] for each in found["outputs"]}
    alone = all_models.post(f"/models/{name}/predict", {"smiles": "CC("}).told
    assert values == alone
    assert not any(isinstance(v, float) and math.isnan(v) for v in values.values())


def changed(body: dict[str, Any], **change: Any) -> dict[str, Any]:
    """A request whose first input is another one."""
    first, *others = body["inputs"]
    return {**body, "inputs": [{**first, **change}, *others]}


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"datatype": "FP32"}, 400, "has the datatype FP32, expected INT64"),
        ({"datatype": "FP33"}, 400, "has the datatype 'FP33', expected one of"),
        ({"shape": [1, 2]}, 400, "has 1 values, expected 2 of shape [1, 2]"),
        ({"shape": [1, 1, 1]}, 400, "has the shape [1, 1, 1], expected [-1, 1]"),
        ({"shape": [-1]}, 400, "expected a list of whole numbers"),
        ({"shape": "1"}, 400, "expected a list of whole numbers"),
        ({"shape": [2, 1], "data": [1, 2]}, 400, "has 1 rows, expected 2"),
        ({"shape": [0, 1], "data": []}, 400, "rows"),
        ({"shape": []}, 400, "has 0 dimensions"),
        ({"data": [1.5]}, 400, "got 1.5, expected a value of INT64"),
        ({"data": [True]}, 400, "got True, expected a value of INT64"),
        ({"data": [[1], [2]]}, 400, "not nested as its shape"),
        ({"data": None}, 400, "has no list 'data'"),
        ({"data": [10**15]}, 400, "Column 'time'"),
        ({"data": [None]}, 400, "Column 'time'"),
        ({"name": "tim"}, 400, "Unknown input 'tim'. Did you mean 'time'?"),
        ({"name": 3}, 400, "expected a text"),
        ({"name": "amount", "datatype": "FP32", "data": [1]}, 400, "'amount' is there twice"),
        ({"parameters": {"shared_memory_region": "x"}}, 400, "'shared_memory_region', which this"),
        ({"parameters": {"binary_data_size": 8}}, 400, "8 bytes of it come behind the JSON"),
        ({"parameters": []}, 400, ""),
    ],
)
def test_tensors_that_are_refused(all_models, change, status, words):
    found = infer(all_models, changed(body_of(all_models), **change))
    if words:
        assert found.status == status, found.told
        assert words in found.told["error"], found.told


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"inputs": []}, "has no 'inputs'"),
        ({"inputs": [3]}, "An input is int"),
        ({"inputs": None}, "has no 'inputs'"),
        ({"id": 7}, "The 'id' is 7"),
        ({"outputs": [{"name": "fraud"}]}, "Unknown output 'fraud'"),
        ({"outputs": [{"name": "is_fraud"}] * 2}, "asked for twice"),
        ({"outputs": {}}, "no list"),
        ({"outputs": [{}]}, "has no name"),
        (
            {"outputs": [{"name": "is_fraud", "parameters": {"classification": 3}}]},
            "classification",
        ),
        ({"parameters": 3}, "no object"),
    ],
)
def test_requests_that_are_refused(all_models, change, words):
    found = infer(all_models, {**body_of(all_models), **change})
    assert found.status == 400, found.told
    assert words in found.told["error"]


def test_bytes_that_are_refused(all_models):
    head = {
        "inputs": [
            {
                "name": "text",
                "datatype": "BYTES",
                "shape": [1],
                "parameters": {"binary_data_size": 6},
            }
        ]
    }
    text = json.dumps(head).encode()
    length = {"inference_header_content_length": str(len(text))}
    for behind, words in (
        (b"\2\0\0\0ok", ""),
        (b"\2\0\0\0\xff\xff", "value 0 is no UTF-8"),
        (b"\xff\0\0\0ok", "is cut short"),
        (b"\0\0\0\0\0\0", "is cut short"),
        (b"\2\0\0\0okx", "belong to no input"),
        (b"\2\0", "expected 0 to 2"),
    ):
        found = infer(all_models, text + behind, "retail.sentiment", **length)
        assert (found.status == 200) == (not words), found.told
        assert words in str(found.told)
    for wrong in ("x", "0", str(len(text) + 100), "-1"):
        length = {"inference_header_content_length": wrong}
        found = infer(all_models, text, "retail.sentiment", **length)
        assert "expected a whole number from 1" in found.told["error"]


@pytest.mark.parametrize("text", ["1e999", "NaN", "-Infinity"])
def test_a_number_that_is_none_is_refused(all_models, text):
    body = body_of(all_models)
    for each in body["inputs"]:
        if each["name"] == "amount":
            each["data"] = [12345.5]
    found = infer(all_models, json.dumps(body).replace("12345.5", text).encode())
    words = "Column 'amount'" if "1" in text else f"holds {text}, which is no number of JSON"
    assert (found.status, words in found.told["error"]) == (400, True), found.told


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_bytes_of_an_infinite_number_are_refused(all_models, value):
    body = body_of(all_models)
    each = next(each for each in body["inputs"] if each["name"] == "amount")
    del each["data"]
    each["parameters"] = {"binary_data_size": 4}
    text = json.dumps(body).encode()
    length = {"inference_header_content_length": str(len(text))}
    found = infer(all_models, text + struct.pack("<f", value), **length)
    assert (found.status, "Column 'amount'" in found.told["error"]) == (400, True), found.told


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b'{"inputs": [', 400, "is cut short"),
        (b'{"inputs": "\xff"}', 400, "is no UTF-8"),
        (b'{"inputs": ' + b"[" * 40 + b"]" * 40 + b"}", 413, "nested deeper than 32"),
        (b"[1]", 400, "The body is list, expected an object with 'inputs'"),
    ],
)
def test_bodies_that_are_refused(all_models, body, status, words):
    found = infer(all_models, body)
    assert (found.status, words in found.told["error"]) == (status, True), found.told


def test_images_of_another_form_are_refused(all_models):
    name = "healthcare.image_segmentation"
    for shape, data, words in (
        ([1, 8, 8], [0] * 64, "expected [-1, -1, -1, 1]"),
        ([1, 8, 8, 3], [0] * 192, "expected [-1, -1, -1, 1]"),
        ([1, 8, 8, 1], [256] + [0] * 63, "holds 256, expected 0 to 255"),
        ([1, 8, 8, 1], [None] + [0] * 63, "missing pixel"),
    ):
        told = {"name": "image", "datatype": "UINT8", "shape": shape, "data": data}
        found = infer(all_models, {"inputs": [told]}, name)
        assert found.status == 400
        assert words in found.told["error"], found.told


def test_lists_of_any_length(all_models):
    name = "retail.recommendation"
    model = all_models.served.slot(name).current.model
    history = model.predict(model.metadata["self_test"]["records"][0])["items"][:2]
    wanted = model.predict({"history": history})
    told = {
        "name": "history",
        "datatype": "BYTES",
        "shape": [1, 5],
        "data": [*history, "", None, ""],
    }
    found = infer(all_models, {"inputs": [told]}, name).told["outputs"]
    assert found[0]["data"] == wanted["items"]
    assert np.allclose(found[1]["data"], wanted["scores"], rtol=0, atol=0)
