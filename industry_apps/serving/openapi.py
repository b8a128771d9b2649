"""What a server takes and gives, as an OpenAPI document that is read from the model files.

References
----------
https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from industry_apps import __version__
from industry_apps.schema import Column, Schema
from industry_apps.schema.values import Kind
from industry_apps.serving.calls import Call, Reply
from industry_apps.serving.loaded import Loaded
from industry_apps.serving.served import Served

_HTML = [
    (b"content-type", b"text/html; charset=utf-8"),
    # All that the page needs is in it; nothing else may be loaded or run.
    (b"content-security-policy", b"default-src 'self' 'unsafe-inline'"),
]
_TYPES: dict[Kind, dict[str, Any]] = {
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "category": {"type": "string"},
    "text": {"type": "string"},
    "datetime": {"type": "string", "format": "date-time"},
    "image": {
        "oneOf": [
            {"type": "array", "items": {"type": "array"}},
            {"type": "object", "required": ["shape", "zlib"]},
        ],
        "description": "Rows of pixels, of colours each a list of channels; or their shape and "
        "their bytes, compressed by zlib, in base 64.",
    },
}
_REFUSALS = {
    "400": "The records cannot be answered; the error names column, value, expectation, remedy.",
    "401": "No key, or one that is unknown or has expired.",
    "403": "The key may not do this.",
    "404": "There is no such model.",
    "408": "The request did not come in time.",
    "413": "Too many bytes or records, or nested too deep.",
    "429": "Too many requests in a second, or at a time.",
    "503": "The server has too much to do.",
}
_MOST_EXAMPLE = 20_000  # characters


class PageRoutes:
    """Handlers of the document and of the page that shows it.

    Parameters
    ----------
    served : Served
    """

    def __init__(self, served: Served) -> None:
        self._served = served
        self._page = files("industry_apps.serving").joinpath("page.html").read_bytes()

    async def document(self, call: Call) -> Reply:
        """The document."""
        return Reply.json(document_of(self._served))

    async def page(self, call: Call) -> Reply:
        """A page that shows the document and tries it out, without anything from elsewhere."""
        return Reply(self._page, headers=_HTML)


def document_of(served: Served) -> dict[str, Any]:
    """The OpenAPI document of a server.

    Parameters
    ----------
    served : Served

    Examples
    --------
    >>> document = document_of(Served({"credit": "finance.credit_scoring.scorecard"}))
    >>> amount = document["components"]["schemas"]["credit"]["properties"]["amount"]
    >>> amount["type"], sorted(document["paths"])[0]
    (['number', 'null'], '/models/credit/explain')
    """
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {
        "Error": {
            "type": "object",
            "properties": {"error": {"type": "string"}},
            "required": ["error"],
        }
    }
    for name, slot in served.slots.items():
        loaded = slot.current
        schemas[name] = object_of(loaded.batches.table_schema)
        schemas[f"{name}.answer"] = object_of(answers_of(loaded))
        paths[f"/models/{name}/predict"] = {"post": _predict(name, loaded)}
        if loaded.is_of_records:
            paths[f"/models/{name}/explain"] = {"post": _explain(name, loaded)}
    security: list[dict[str, list[str]]] = [] if served.settings.keys is None else [{"key": []}]
    return {
        "openapi": "3.1.0",
        "info": {"title": "industry_apps", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": security,
    }


def object_of(schema: Schema) -> dict[str, Any]:
    """The columns of a schema as a JSON schema of a record.

    Parameters
    ----------
    schema : Schema
    """
    return {
        "type": "object",
        "properties": {column.name: _property(column) for column in schema},
        "required": [column.name for column in schema if column.required],
    }


def answers_of(loaded: Loaded) -> Schema:
    """The columns of an answer: of series those that say whose it is go first."""
    rule = loaded.model.windows
    keys = () if rule is None else tuple(loaded.batches.table_schema[name] for name in rule.keys)
    return Schema((*keys, *loaded.model.outputs))


def _property(column: Column) -> dict[str, Any]:
    one = dict(_TYPES[column.kind])
    if column.kind == "number":
        one |= {"minimum": column.low} if column.low is not None else {}
        one |= {"maximum": column.high} if column.high is not None else {}
        one |= {"type": "integer"} if column.whole else {}
    if column.categories:
        one["enum"] = list(column.categories)
    if column.nullable and column.kind != "image":
        one["type"] = [one["type"], "null"]
        if "enum" in one:
            one["enum"] = [*one["enum"], None]
    if column.is_list:
        sizes = {} if column.size is None else {"minItems": column.size, "maxItems": column.size}
        one = {"type": ["array", "null"] if column.nullable else "array", "items": one, **sizes}
    told = [column.description] if column.description else []
    told += [f"Unit: {column.unit}."] if column.unit else []
    if told:
        one["description"] = " ".join(told)
    return one


def _predict(name: str, loaded: Loaded) -> dict[str, Any]:
    record, answer = {"$ref": f"#/components/schemas/{name}"}, f"#/components/schemas/{name}.answer"
    one = {"$ref": answer}
    many = {"type": "array", "items": one}
    asked: dict[str, Any] = {"type": "array", "items": record, "minItems": 1}
    told: dict[str, Any] = many
    if loaded.is_of_records:
        asked, told = {"oneOf": [record, asked]}, {"oneOf": [one, many]}
    summary = loaded.model.metadata.get("summary") or loaded.model.metadata["application"]
    return _operation(f"predict_{name}", summary, asked, told, _example(loaded))


def _explain(name: str, loaded: Loaded) -> dict[str, Any]:
    record = {"$ref": f"#/components/schemas/{name}"}
    asked = {"oneOf": [record, {"type": "array", "items": record, "minItems": 1}]}
    summary = "What each column adds to the answer, the largest first."
    told = {"type": "object", "additionalProperties": True}
    return _operation(f"explain_{name}", summary, asked, told, _example(loaded))


def _operation(name: str, summary: str, asked: Any, told: Any, example: Any) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": asked}
    if example is not None:
        content["example"] = example
    wrong = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    refusals = {
        status: {"description": text, "content": wrong} for status, text in _REFUSALS.items()
    }
    return {
        "operationId": name,
        "summary": summary,
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {
            "200": {
                "description": "The answer.",
                "content": {"application/json": {"schema": told}},
            },
            **refusals,
        },
    }


def _example(loaded: Loaded) -> Any:
    """What the file proves itself on, or a raw record, where it is short enough to be looked at."""
    if loaded.model.completion is not None:
        return loaded.model.completion.example
    records = loaded.model.metadata["self_test"]["records"]
    example = records[0] if loaded.is_of_records else records
    return example if len(str(example)) <= _MOST_EXAMPLE else None
