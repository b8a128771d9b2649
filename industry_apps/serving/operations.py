"""What a server answers beside the records of its models, for its OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from industry_apps.serving.streams import Stream

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
_STATUS_TOO = "As a status too: 503 where it does not hold."
#: Path -> what a GET there tells; without a key, or with one that may read.
_OPEN = {
    "/live": "Whether the server turns.",
    "/ready": f"Whether all models are loaded and have answered their self-test. {_STATUS_TOO}",
    "/docs": "A page that shows this document, and tries it out.",
    "/v2/health/live": "Whether the server turns, as of Open Inference.",
    "/v2/health/ready": f"Whether all models are loaded, as of Open Inference. {_STATUS_TOO}",
    "/v2/models/{name}/ready": f"Whether a model answers. {_STATUS_TOO}",
    "/v2/models/{name}/versions/{version}/ready": f"Whether a version answers. {_STATUS_TOO}",
}
_READ = {
    "/health": "Whether the server is ready or about to end, and the version of each model.",
    "/metrics": "What was counted, as Prometheus reads it.",
    "/models": "The models by name: application and version.",
    "/models/{name}": "What the file of a model says of itself: columns, decision, figures.",
    "/openapi.json": "This document.",
    "/v2": "The server, as of Open Inference.",
    "/v2/models/{name}": "The tensors that a model takes and gives.",
    "/v2/models/{name}/versions/{version}": "The tensors that a version takes and gives.",
}
_FORMS = {"/docs": "text/html", "/metrics": "text/plain"}
_TENSOR = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "datatype": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
        "data": {"type": "array"},
    },
    "required": ["name", "datatype", "shape"],
}
_TENSORS = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "inputs": {"type": "array", "items": _TENSOR, "minItems": 1},
        "outputs": {"type": "array", "items": {"type": "object", "required": ["name"]}},
    },
    "required": ["inputs"],
}
_TEXTS = {
    "who": "Who acts, for the log, where no keys are asked for.",
    "why": "The reason, for the log.",
}
_VERSION = {"version": "Its sha256, or the first digits of it, six or more."}
#: Path -> what a POST there does, and the texts of its body.
_MOVES: dict[str, tuple[str, dict[str, str]]] = {
    "/models/{name}/reload": ("Take the file, or the version in production, as it is now.", _TEXTS),
    "/models/{name}/promote": ("Put a version of a store into production.", _VERSION | _TEXTS),
    "/models/{name}/rollback": ("Let the version before answer again.", _TEXTS),
}


def operation(
    name: str,
    summary: str,
    told: dict[str, Any],
    asked: dict[str, Any] | None = None,
    example: Any = None,
    form: str = "application/json",
) -> dict[str, Any]:
    """An operation of the document.

    Parameters
    ----------
    name, summary : str
    told : dict
        Schema of the answer.
    asked : dict, optional
        Schema of the body; None for none.
    example : object, optional
        A body.
    form : str
        Media type of the answer.
    """
    wrong = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    refusals = {
        status: {"description": text, "content": wrong} for status, text in _REFUSALS.items()
    }
    answer = {"description": "The answer.", "content": {form: {"schema": told}}}
    found = {
        "operationId": name,
        "summary": summary,
        "responses": {"200": answer, **refusals},
    }
    if asked is not None:
        content = {"schema": asked} if example is None else {"schema": asked, "example": example}
        found["requestBody"] = {"required": True, "content": {"application/json": content}}
    return found


def operations(models: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a server answers of itself, and of any of its models: path, and method -> operation.

    Parameters
    ----------
    models : sequence of str
        Names.
    """
    for path, summary in (_OPEN | _READ).items():
        form = _FORMS.get(path, "application/json")
        told = operation(_name("get", path), summary, {}, form=form)
        yield path, _placed(path, models, "get", told | ({"security": []} if path in _OPEN else {}))
    for path in ("/v2/models/{name}/infer", "/v2/models/{name}/versions/{version}/infer"):
        summary = (
            "Answer tensors, as of Open Inference (github.com/kserve/open-inference-protocol)."
        )
        told = operation(_name("post", path), summary, {"type": "object"}, _TENSORS)
        yield path, _placed(path, models, "post", told)
    path = "/v2/repository/index"
    yield path, {"post": operation(_name("post", path), "The models by name, as of Triton.", {})}
    for path, (summary, texts) in _MOVES.items():
        properties = {
            text: {"type": "string", "description": words} for text, words in texts.items()
        }
        body = {
            "type": "object",
            "properties": properties,
            "required": [each for each in _VERSION if each in texts],
            "additionalProperties": False,
        }
        told = operation(_name("post", path), summary, {"type": "object"}, body)
        yield path, _placed(path, models, "post", told)


def operations_of(
    name: str, stream: Stream, event: dict[str, Any], answer: dict[str, Any], example: Any
) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is asked of the stream of a model.

    Parameters
    ----------
    name : str
        Of the model.
    stream : Stream
    event, answer : dict
        Schemas of a record, and of its answer.
    example : dict
        A record.
    """
    state = stream.state
    texts = {state.entity: "C1", state.place: "T1", state.time: "2030-01-31T12:00:00"}
    known = {text: {"type": "string"} for text in texts}
    properties = {
        column: told
        for column, told in (
            known | {state.amount: {"type": "number"}} | event["properties"]
        ).items()
        if column not in state.columns
    }
    needed = {*texts, state.amount, *event["required"]} & {*properties}
    schema = {"type": "object", "properties": properties, "required": sorted(needed)}
    asked = {column: value for column, value in example.items() if column not in state.columns}
    asked = {**texts, state.amount: 10.0, **asked}
    summary = "Answer the next event of a stream, once it is on the disk."
    told = operation(f"event_{name}", summary, answer, schema, asked)
    yield f"/models/{name}/events", {"post": told}
    earlier = {text: texts[text] for text in (state.place, state.time)}
    body = {
        "type": "object",
        "properties": {text: known[text] for text in earlier},
        "required": [*earlier],
    }
    told = operation(
        f"confirm_{name}",
        "Tell that an earlier event was fraud.",
        {"type": "object"},
        body,
        earlier,
    )
    yield f"/models/{name}/confirm", {"post": told}


def _name(method: str, path: str) -> str:
    parts = [part.strip("{}").partition(".")[0] for part in path.split("/")[1:]]
    return "_".join([method, *parts])


def _placed(path: str, models: Sequence[str], method: str, told: dict[str, Any]) -> dict[str, Any]:
    """An operation with what its path leaves open."""
    open_ = {"name": {"type": "string", "enum": [*models]}, "version": {"type": "string"}}
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name, schema in open_.items()
        if f"{{{name}}}" in path
    ]
    return {"parameters": parameters, method: told} if parameters else {method: told}
