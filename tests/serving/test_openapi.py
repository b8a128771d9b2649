"""The document is read from the files, its examples are answered, the page needs nothing else."""

from __future__ import annotations

import re

import jsonschema
import pytest

from industry_apps.runtime.zoo import zoo
from industry_apps.serving.openapi import document_of
from industry_apps.serving.served import Served
from industry_apps.serving.settings import Settings
from tests.serving.running import running

FRAUD = "finance.fraud_detection"
#: Weeks of hours, and records of all sensors, are too many to be looked at.
LONG = {"energy.load_forecasting", "manufacturing.predictive_maintenance"}


@pytest.fixture(scope="module")
def document(all_models):
    """The document of all models."""
    return all_models.get("/openapi.json").told


@pytest.mark.parametrize("name", zoo())
def test_the_example_of_a_model_is_answered_as_the_document_says(all_models, document, name):
    operation = document["paths"][f"/models/{name}/predict"]["post"]
    example = example_of(operation)
    if name in LONG:
        assert example is None
        return
    answer = all_models.post(f"/models/{name}/predict", example)
    assert answer.status == 200
    for value, where in ((example, "requestBody"), (answer.told, "responses")):
        told = operation[where] if where == "requestBody" else operation[where]["200"]
        schema = told["content"]["application/json"]["schema"]
        whole = {**schema, "components": document["components"]}
        jsonschema.Draft202012Validator(whole).validate(value)


def example_of(operation):
    return operation["requestBody"]["content"]["application/json"].get("example")


@pytest.mark.parametrize("name", zoo())
def test_a_model_that_explains_nothing_says_so_in_the_document(all_models, document, name):
    told = document["paths"].get(f"/models/{name}/explain")
    example = example_of(document["paths"][f"/models/{name}/predict"]["post"])
    answer = all_models.post(f"/models/{name}/explain", example)
    assert answer.status == (200 if told else 400), answer.told


def test_all_that_there_is_stands_in_it(tmp_path):
    with running({"fraud": FRAUD}, Settings(state=tmp_path)) as server:
        document = server.get("/openapi.json").told
        for route in server.server.config.app.routes:
            path = (
                route.path if route.path in document["paths"] else route.path.format(name="fraud")
            )
            (method,) = route.methods - {"HEAD"}
            assert method.lower() in document["paths"][path], route.path
        for what, answer in (("events", "is_fraud"), ("confirm", "confirmed")):
            told = document["paths"][f"/models/fraud/{what}"]["post"]
            found = server.post(f"/models/fraud/{what}", example_of(told))
            assert answer in found.told
            jsonschema.validate(
                example_of(told), told["requestBody"]["content"]["application/json"]["schema"]
            )
        for path in ("/live", "/ready", "/docs", "/v2/health/live", "/v2/models/{name}/ready"):
            assert document["paths"][path]["get"]["security"] == []
    names = [
        told["operationId"]
        for path in document["paths"].values()
        for told in path.values()
        if type(told) is dict
    ]
    assert len(names) == len(set(names))


def test_models_of_near_names_have_their_own_columns():
    served = Served({"m": FRAUD, "m.answer": "retail.sentiment", "Error": FRAUD})
    schemas = document_of(served)["components"]["schemas"]
    served.close()
    assert len(schemas) == 7
    assert "text" in schemas["record.m.answer"]["properties"]
    assert "is_fraud" in schemas["answer.m"]["properties"]


def test_units_and_limits_stand_in_it(document):
    credit = document["components"]["schemas"]["record.finance.credit_scoring.scorecard"][
        "properties"
    ]
    told = [each for each in credit.values() if "Unit: " in each.get("description", "")]
    assert told
    answer = document["components"]["schemas"]["answer.finance.credit_scoring.scorecard"]
    assert answer["properties"]["default_probability"]["maximum"] == 1


def test_the_page_loads_nothing_from_elsewhere(all_models):
    page = all_models.get("/docs")
    assert page.status == 200
    assert not re.search(r"https?:|//cdn|<link|src=", page.told)
    assert "default-src 'self'" in page.headers["content-security-policy"]
