"""The document is read from the files, its examples are answered, the page needs nothing else."""

from __future__ import annotations

import re

import jsonschema
import pytest

from industry_apps.runtime.zoo import zoo


@pytest.fixture(scope="module")
def document(all_models):
    """The document of all models."""
    return all_models.get("/openapi.json").told


@pytest.mark.parametrize("name", zoo())
def test_the_example_of_a_model_is_answered_as_the_document_says(all_models, document, name):
    operation = document["paths"][f"/models/{name}/predict"]["post"]
    example = operation["requestBody"]["content"]["application/json"].get("example")
    if example is None:
        pytest.skip("its records are images or long series")
    answer = all_models.post(f"/models/{name}/predict", example)
    assert answer.status == 200
    for value, where in ((example, "requestBody"), (answer.told, "responses")):
        told = operation[where] if where == "requestBody" else operation[where]["200"]
        schema = told["content"]["application/json"]["schema"]
        whole = {**schema, "components": document["components"]}
        jsonschema.Draft202012Validator(whole).validate(value)


def test_units_and_limits_stand_in_it(document):
    credit = document["components"]["schemas"]["finance.credit_scoring.scorecard"]["properties"]
    told = [each for each in credit.values() if "Unit: " in each.get("description", "")]
    assert told
    answer = document["components"]["schemas"]["finance.credit_scoring.scorecard.answer"]
    assert answer["properties"]["default_probability"]["maximum"] == 1


def test_the_page_loads_nothing_from_elsewhere(all_models):
    page = all_models.get("/docs")
    assert page.status == 200
    assert not re.search(r"https?:|//cdn|<link|src=", page.told)
    assert "default-src 'self'" in page.headers["content-security-policy"]
