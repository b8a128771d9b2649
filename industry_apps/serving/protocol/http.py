"""The protocol over HTTP, its values in JSON or behind it as bytes."""

from __future__ import annotations

from typing import Any

from industry_apps.errors import RequestError
from industry_apps.serving.bodies import parsed, written
from industry_apps.serving.calls import Call, Reply, content_of
from industry_apps.serving.protocol.inference import Inference
from industry_apps.serving.protocol.tensors import (
    Tensor,
    from_bytes,
    from_json,
    head_of,
    to_bytes,
    to_json,
)

_LENGTH = b"inference-header-content-length"
_BINARY = b"application/octet-stream"
_IGNORED = ("priority", "timeout", "binary_data_output")


class HttpRoutes:
    """Handlers of the protocol.

    Parameters
    ----------
    inference : Inference
    """

    def __init__(self, inference: Inference) -> None:
        self._inference = inference
        self._served = inference.served
        self._depth = self._served.settings.limits.depth

    async def infer(self, call: Call) -> Reply:
        """Answer tensors."""
        name, version = call.parameters["name"], call.parameters.get("version", "")
        slot, loaded = self._inference.of(name, version)
        call.model = slot.name
        told, behind = self._content(call)
        given = told.get("id")
        if not isinstance(given, str | None):
            raise RequestError(f"The 'id' is {given!r:.80}, expected a text or null. Correct it.")
        in_bytes = _parameters(told, "The request").get("binary_data_output") is True
        asked = _requested(told.get("outputs"), in_bytes)
        inputs = told.get("inputs")
        record = None if behind else self._inference.signature(loaded).record(inputs)
        tensors = record or _tensors(inputs, behind)
        found = await self._inference.infer(slot, loaded, tensors, list(asked), call)
        answer: dict[str, Any] = {"model_name": slot.name, "model_version": loaded.version}
        if given is not None:
            answer["id"] = given
        return _reply(answer, found, {t.name: asked.get(t.name, in_bytes) for t in found})

    async def server(self, call: Call) -> Reply:
        """What the server is."""
        return Reply.json(self._inference.server())

    async def model(self, call: Call) -> Reply:
        """What a model takes and gives."""
        name, version = call.parameters["name"], call.parameters.get("version", "")
        return Reply.json(self._inference.model(name, version))

    async def model_ready(self, call: Call) -> Reply:
        """Whether a model answers."""
        name, version = call.parameters["name"], call.parameters.get("version", "")
        self._inference.of(name, version)
        ready = self._served.is_ready
        return Reply.json({"name": name, "ready": ready}, 200 if ready else 503)

    async def index(self, call: Call) -> Reply:
        """The models by name."""
        return Reply.json(
            [
                {"name": name, "version": slot.current.version, "state": "READY", "reason": ""}
                for name, slot in self._served.slots.items()
            ]
        )

    def _content(self, call: Call) -> tuple[dict[str, Any], bytes]:
        """The JSON of a request, and the bytes behind it."""
        length = call.headers.get(_LENGTH)
        if length is None:
            told, behind = content_of(call, self._depth), b""
        else:
            if not length.isdigit() or not 0 < int(length) <= len(call.body):
                raise RequestError(
                    f"The header {_LENGTH.decode()} is {length.decode('latin-1')!r:.40}, expected "
                    f"a whole number from 1 to {len(call.body)}, the length of the body. Correct "
                    "it."
                )
            told = parsed(call.body[: int(length)], self._depth)
            behind = call.body[int(length) :]
        if type(told) is not dict:
            raise RequestError(
                f"The body is {type(told).__name__}, expected an object with 'inputs'. Send one."
            )
        return told, behind


def _parameters(told: dict[str, Any], where: str) -> dict[str, Any]:
    found = told.get("parameters") or {}
    if type(found) is not dict:
        raise RequestError(f"{where}: its 'parameters' are no object. Correct them.")
    return found


def _requested(told: Any, in_bytes: bool) -> dict[str, bool]:
    """Output -> whether its values go behind the JSON; none for all outputs."""
    if told is None:
        return {}
    if type(told) is not list:
        raise RequestError("The 'outputs' are no list. Send a list of objects with a name.")
    found: dict[str, bool] = {}
    for each in told:
        if type(each) is not dict or type(each.get("name")) is not str:
            raise RequestError("An output has no name. Send a list of objects with a name.")
        name = each["name"]
        parameters = _parameters(each, f"Output {name!r:.120}")
        if name in found:
            raise RequestError(f"Output {name!r:.120} is asked for twice. Ask once.")
        _check_known(parameters, ("binary_data",), f"Output {name!r:.120}")
        found[name] = bool(parameters.get("binary_data", in_bytes))
    return found


def _tensors(told: Any, behind: bytes) -> list[Tensor]:
    if type(told) is not list or not told:
        raise RequestError("The request has no 'inputs'. Send a list of tensors.")
    found = []
    place = 0
    for each in told:
        parameters = each.get("parameters") if type(each) is dict else None
        if not parameters:
            found.append(from_json(each))
            continue
        name, datatype, shape = head_of(each)
        where = f"Input {name!r:.120}"
        _check_known(_parameters(each, where), ("binary_data_size",), where)
        size = parameters["binary_data_size"]
        if type(size) is not int or not 0 <= size <= len(behind) - place or "data" in each:
            raise RequestError(
                f"{where} says that {size!r:.40} bytes of it come behind the JSON, expected 0 to "
                f"{len(behind) - place}, and no 'data'. Send them in the order of the inputs."
            )
        found.append(from_bytes(name, datatype, shape, behind[place : place + size]))
        place += size
    if place != len(behind):
        raise RequestError(
            f"{len(behind) - place} bytes behind the JSON belong to no input. Say the "
            "binary_data_size of each."
        )
    return found


def _check_known(parameters: dict[str, Any], known: tuple[str, ...], where: str) -> None:
    unknown = [name for name in parameters if name not in (*known, *_IGNORED)]
    if unknown:
        raise RequestError(
            f"{where} has the parameter {unknown[0]!r:.80}, which this server does not have. Leave "
            "it out."
        )


def _reply(answer: dict[str, Any], found: list[Tensor], in_bytes: dict[str, bool]) -> Reply:
    outputs, behind = [], []
    for tensor in found:
        told: dict[str, Any] = {
            "name": tensor.name,
            "datatype": tensor.datatype,
            "shape": list(tensor.shape),
        }
        if in_bytes[tensor.name]:
            behind.append(to_bytes(tensor))
            told["parameters"] = {"binary_data_size": len(behind[-1])}
        else:
            told["data"] = to_json(tensor)
        outputs.append(told)
    head = written({**answer, "outputs": outputs})
    if not behind:
        return Reply(head)
    headers = [(b"content-type", _BINARY), (_LENGTH, b"%d" % len(head))]
    return Reply(b"".join([head, *behind]), headers=headers)
