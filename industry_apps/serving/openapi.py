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
from industry_apps.serving.operations import operation, operations, operations_of
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
    >>> amount = document["components"]["schemas"]["record.credit"]["properties"]["amount"]
    >>> amount["type"], next(iter(document["paths"]))
    (['number', 'null'], '/models/credit/predict')
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
        # A name that begins otherwise is that of no model.
        schemas[f"record.{name}"] = record = object_of(loaded.batches.table_schema)
        schemas[f"answer.{name}"] = answer = object_of(answers_of(loaded))
        paths[f"/models/{name}/predict"] = {"post": _predict(name, loaded)}
        if loaded.explains:
            paths[f"/models/{name}/explain"] = {"post": _explain(name, loaded)}
        stream = served.streams.get(name)
        if stream is not None:
            paths |= operations_of(name, stream, record, answer, _example(loaded))
    paths |= operations([*served.slots])
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
    record = {"$ref": f"#/components/schemas/record.{name}"}
    one = {"$ref": f"#/components/schemas/answer.{name}"}
    many = {"type": "array", "items": one}
    asked: dict[str, Any] = {"type": "array", "items": record, "minItems": 1}
    told: dict[str, Any] = many
    if loaded.is_of_records:
        asked, told = {"oneOf": [record, asked]}, {"oneOf": [one, many]}
    summary = loaded.model.metadata.get("summary") or loaded.model.metadata["application"]
    return operation(f"predict_{name}", summary, told, asked, _example(loaded))


def _explain(name: str, loaded: Loaded) -> dict[str, Any]:
    record = {"$ref": f"#/components/schemas/record.{name}"}
    asked = {"oneOf": [record, {"type": "array", "items": record, "minItems": 1}]}
    summary = "What each column adds to the answer, the largest first."
    one = {"type": "object", "additionalProperties": True}
    told = {"oneOf": [one, {"type": "array", "items": one}]}
    return operation(f"explain_{name}", summary, told, asked, _example(loaded))


def _example(loaded: Loaded) -> Any:
    """What the file proves itself on, or a raw record, where it is short enough to be looked at."""
    if loaded.model.completion is not None:
        return loaded.model.completion.example
    records = loaded.model.metadata["self_test"]["records"]
    rule = loaded.model.windows
    # Of windows: the rows of one series, as long as it is.
    example = (
        records[0]
        if rule is None
        else [row for row in records if row[rule.series] == records[0][rule.series]]
    )
    return example if len(str(example)) <= _MOST_EXAMPLE else None
