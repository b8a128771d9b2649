"""The Open Inference Protocol over gRPC: Triton's client, every file of the zoo."""

from __future__ import annotations

import json
import math

import pytest

from industry_apps.runtime.zoo import zoo
from industry_apps.serving.keys import new_key
from industry_apps.serving.protocol.descriptors import SERVICE, messages
from industry_apps.serving.settings import Limits, Settings
from tests.serving.running import running
from tests.serving.triton import expected, inputs_of, records_of, same, tensors_of

triton = pytest.importorskip("tritonclient.grpc")
CREDIT = "finance.credit_scoring.scorecard"


@pytest.fixture(scope="module")
def client(all_models):
    """Triton's client of all models."""
    with triton.InferenceServerClient(all_models.grpc) as found:
        yield found


@pytest.mark.parametrize("name", zoo())
def test_tritons_client_gets_the_answers_of_every_file(client, all_models, name):
    model = all_models.served.slot(name).current.model
    metadata = client.get_model_metadata(name, as_json=True)
    records = records_of(model)
    for size in (1, len(records)) if model.windows is None else (len(records),):
        part = records[:size]
        asked = inputs_of(triton.InferInput, tensors_of(model, part), metadata["inputs"])
        found = client.infer(name, asked, request_id="7")
        assert found.get_response().id == "7"
        for output, wanted in expected(model, part).items():
            assert same(found.as_numpy(output), wanted), output
    one = [triton.InferRequestedOutput(model.outputs.names[0])]
    part_of = client.infer(name, asked, outputs=one).get_response()
    assert [each.name for each in part_of.outputs] == [model.outputs.names[0]]


def test_what_the_client_asks_beside(client, all_models):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(CREDIT)
    assert client.get_server_metadata().name == "industry_apps"
    assert {each.name for each in client.get_model_repository_index().models} == set(zoo())
    with pytest.raises(triton.InferenceServerException, match=r"NOT_FOUND.*Unknown model"):
        client.get_model_metadata("other")


def typed(server, **change):
    """A request by messages of our own, with typed contents."""
    return called(server, **change)[0]


def called(server, metadata=(), **change):
    """The same, and the call, which has what comes behind the answer."""
    grpc = pytest.importorskip("grpc")
    made = messages()
    with grpc.insecure_channel(server.grpc) as channel:
        call = channel.unary_unary(
            f"/{SERVICE}/ModelInfer",
            request_serializer=made["ModelInferRequest"].SerializeToString,
            response_deserializer=made["ModelInferResponse"].FromString,
        )
        told = {"name": "smiles", "datatype": "BYTES", "shape": [1]}
        told["contents"] = {"bytes_contents": [b"CCO"]}
        request = {"model_name": "healthcare.drug_discovery", "inputs": [{**told, **change}]}
        asked = made["ModelInferRequest"](**request)
        return call.with_call(asked, timeout=20, metadata=metadata)


def test_typed_contents_are_answered_as_such(all_models):
    found = typed(all_models)
    alone = all_models.post("/models/healthcare.drug_discovery/predict", {"smiles": "CCO"}).told
    values = {each.name: each for each in found.outputs}
    assert not found.raw_output_contents
    assert math.isclose(values["value"].contents.fp32_contents[0], alone["value"], rel_tol=1e-7)
    assert list(values["readable"].contents.bool_contents) == [True]


def test_a_trace_is_passed_on(all_models):
    grpc = pytest.importorskip("grpc")
    parent = f"00-{'a' * 32}-{'b' * 16}-01"
    sent = (("traceparent", parent), ("tracestate", "x=1"))
    back = dict(called(all_models, sent)[1].trailing_metadata())
    trace, flags = back["traceparent"].split("-")[1::2]
    assert (trace, flags, back["tracestate"]) == ("a" * 32, "01", "x=1")
    assert back["traceparent"] != parent
    with pytest.raises(grpc.RpcError) as found:
        called(all_models, sent, name="smile")
    assert dict(found.value.trailing_metadata())["traceparent"].split("-")[1] == "a" * 32
    wrong = called(all_models, (("traceparent", "garbage"), ("any-bin", b"\xff")))[1]
    assert "traceparent" not in dict(wrong.trailing_metadata())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"datatype": "FP32"}, "has 0 values in fp32_contents"),
        ({"datatype": "FP16"}, "has 0 values in None"),
        ({"shape": [2]}, "has 1 values in bytes_contents, expected 2"),
        ({"contents": {"bytes_contents": [b"\xff"]}}, "is no UTF-8"),
        ({"name": "smile"}, "Unknown input 'smile'. Did you mean 'smiles'"),
        ({"parameters": {"x": {"bool_param": True}}}, "the parameter 'x'"),
    ],
)
def test_what_is_refused(all_models, change, words):
    grpc = pytest.importorskip("grpc")
    with pytest.raises(grpc.RpcError) as found:
        typed(all_models, **change)
    assert found.value.code().name == "INVALID_ARGUMENT"
    assert words in found.value.details()


def test_keys_and_limits_hold_for_grpc_too(tmp_path):
    path = tmp_path / "keys.json"
    key, old = new_key(path, "asks", ["predict"]), new_key(path, "old", ["predict"], days=1)
    keys = json.loads(path.read_text())
    keys["keys"][1]["expires"] = "2020-01-01T00:00:00+00:00"
    path.write_text(json.dumps(keys))
    settings = Settings(keys=path, limits=Limits(body=3_000))
    with (
        running({"credit": CREDIT}, settings, grpc=0) as server,
        triton.InferenceServerClient(server.grpc) as client,
    ):
        assert client.is_server_ready()
        model = server.served.slot("credit").current.model
        told = [{"name": c.name, "datatype": "FP32"} for c in model.schema if c.kind == "number"]
        told += [{"name": c.name, "datatype": "BYTES"} for c in model.schema if c.kind != "number"]
        records = model.metadata["self_test"]["records"]
        asked = inputs_of(triton.InferInput, tensors_of(model, records[:1]), told)
        shown = {"authorization": f"Bearer {key}"}
        assert client.infer("credit", asked, headers=shown).as_numpy("score").shape == (1, 1)
        with pytest.raises(triton.InferenceServerException, match="UNAUTHENTICATED"):
            client.infer("credit", asked)
        with pytest.raises(triton.InferenceServerException, match="key of 'old' expired at 2020"):
            client.infer("credit", asked, headers={"authorization": f"Bearer {old}"})
        with pytest.raises(triton.InferenceServerException, match="PERMISSION_DENIED"):
            client.get_model_metadata("credit", headers=shown)
        long = inputs_of(triton.InferInput, tensors_of(model, records * 10), told)
        with pytest.raises(triton.InferenceServerException, match="larger than max"):
            client.infer("credit", long, headers=shown)
