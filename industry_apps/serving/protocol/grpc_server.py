"""The protocol over gRPC, in the event loop of the server: both share runs, keys and limits."""

from __future__ import annotations

import math
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from industry_apps.errors import IndustryAppsError, ParameterError, RequestError, require
from industry_apps.serving.calls import OURS, Call, note, status_of, trace_of
from industry_apps.serving.protocol.descriptors import SERVICE, messages
from industry_apps.serving.protocol.inference import Inference
from industry_apps.serving.protocol.tensors import Tensor, from_bytes, head_of, to_bytes, to_json

if TYPE_CHECKING:
    from industry_apps.serving.served import Served
    from industry_apps.serving.settings import Binding

# Status of HTTP -> name of the status of gRPC.
_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "FAILED_PRECONDITION",
    413: "INVALID_ARGUMENT",
    422: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}
# Datatype -> the field of typed contents that holds its values.
_CONTENTS = {
    "BOOL": "bool_contents",
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    "INT64": "int64_contents",
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
# Metadata that a request is asked for.
_HEARD = ("authorization", "traceparent", "tracestate")
_KNOWN = ("priority", "timeout", "binary_data_output", "binary_data", "binary_data_size")

Method = Callable[[Any, Call], Awaitable[Any]]


class GrpcMethods:
    """The methods of the service.

    Parameters
    ----------
    served : Served
    """

    def __init__(self, served: Served) -> None:
        self._served, self._inference = served, Inference(served)
        self._messages = messages()

    def handlers(self) -> Any:
        """What a server of gRPC is given."""
        grpc = _grpc()
        table: dict[str, tuple[Method, str | None]] = {
            "ServerLive": (self._live, None),
            "ServerReady": (self._ready, None),
            "ModelReady": (self._model_ready, None),
            "ServerMetadata": (self._server, "read"),
            "ModelMetadata": (self._model, "read"),
            "RepositoryIndex": (self._index, "read"),
            "ModelInfer": (self._infer, "predict"),
        }
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                name: grpc.unary_unary_rpc_method_handler(
                    self._guarded(name, method, needs),
                    request_deserializer=self._messages[f"{name}Request"].FromString,
                    response_serializer=self._messages[f"{name}Response"].SerializeToString,
                )
                for name, (method, needs) in table.items()
            },
        )

    def _guarded(self, name: str, method: Method, needs: str | None) -> Any:
        async def answer(request: Any, context: Any) -> Any:
            began = perf_counter()
            metadata = context.invocation_metadata() or ()
            call = Call({"headers": [(k.encode(), v.encode()) for k, v in metadata if k in _HEARD]})
            context.set_trailing_metadata([(k.decode(), v.decode()) for k, v in trace_of(call)])
            status, told = 200, ""
            try:
                found = await self._let_in(request, context, call, method, needs)
            except IndustryAppsError as error:
                status, told = status_of(error), str(error)
            except Exception as error:  # noqa: BLE001 - the client is told, but not of our code
                self._served.journal.failure(error, route=name, model=call.model)
                status, told = 500, OURS
            note(self._served, call, f"grpc {name}", status, perf_counter() - began)
            if status != 200:
                code = getattr(_grpc().StatusCode, _CODES.get(status, "INTERNAL"))
                await context.abort(code, told)
            return found

        return answer

    async def _let_in(
        self, request: Any, context: Any, call: Call, method: Method, needs: str | None
    ) -> Any:
        if needs is None:
            return await method(request, call)
        gate = self._served.gate
        call.key = gate.holder(call.header(b"authorization"), needs)
        if needs != "predict":
            return await method(request, call)
        gate.check(call.key, str(context.peer()).rpartition(":")[0])
        gate.enter()
        try:
            return await method(request, call)
        finally:
            gate.leave()

    async def _live(self, request: Any, call: Call) -> Any:
        return self._messages["ServerLiveResponse"](live=True)

    async def _ready(self, request: Any, call: Call) -> Any:
        return self._messages["ServerReadyResponse"](ready=self._served.is_ready)

    async def _model_ready(self, request: Any, call: Call) -> Any:
        self._inference.of(request.name, request.version)
        return self._messages["ModelReadyResponse"](ready=self._served.is_ready)

    async def _server(self, request: Any, call: Call) -> Any:
        return self._messages["ServerMetadataResponse"](**self._inference.server())

    async def _model(self, request: Any, call: Call) -> Any:
        told = self._inference.model(request.name, request.version)
        return self._messages["ModelMetadataResponse"](**told)

    async def _index(self, request: Any, call: Call) -> Any:
        found = [
            {"name": name, "version": slot.current.version, "state": "READY"}
            for name, slot in self._served.slots.items()
        ]
        return self._messages["RepositoryIndexResponse"](models=found)

    async def _infer(self, request: Any, call: Call) -> Any:
        slot, loaded = self._inference.of(request.model_name, request.model_version)
        call.model = slot.name
        names = [each.name for each in request.outputs]
        for each in (request, *request.inputs, *request.outputs):
            unknown = [key for key in each.parameters if key not in _KNOWN]
            if unknown:
                raise RequestError(
                    f"The request has the parameter {unknown[0]!r:.80}, which this server does not "
                    "have. Leave it out."
                )
        in_bytes = bool(request.raw_input_contents)
        tensors = _raw(request) if in_bytes else list(map(_typed, request.inputs))
        found = await self._inference.infer(slot, loaded, tensors, names, call)
        answer = self._messages["ModelInferResponse"](
            model_name=slot.name, model_version=loaded.version, id=request.id
        )
        for tensor in found:
            output = answer.outputs.add(
                name=tensor.name, datatype=tensor.datatype, shape=tensor.shape
            )
            if in_bytes:
                answer.raw_output_contents.append(to_bytes(tensor))
            else:
                getattr(output.contents, _CONTENTS[tensor.datatype]).extend(_told(tensor))
        return answer


async def start_grpc(served: Served, binding: Binding) -> tuple[Any, int]:
    """Start a server of gRPC in the present event loop.

    Parameters
    ----------
    served : Served
    binding : Binding

    Returns
    -------
    tuple of grpc.aio.Server and int
        The server, and its port.

    Raises
    ------
    MissingExtraError
        grpcio is not installed.
    ParameterError
        The port is taken.
    """
    grpc = _grpc()
    most = served.settings.limits.body
    options = [
        ("grpc.max_receive_message_length", most),
        ("grpc.max_send_message_length", -1),
        ("grpc.so_reuseport", int(binding.shares_ports)),
    ]
    server = grpc.aio.server(options=options)
    server.add_generic_rpc_handlers((GrpcMethods(served).handlers(),))
    host = f"[{binding.host}]" if ":" in binding.host else binding.host
    address = f"{host}:{binding.grpc}"
    _check_free(binding)
    try:
        if binding.certificate is None or binding.key is None:
            port = server.add_insecure_port(address)
        else:
            pair = Path(binding.key).read_bytes(), Path(binding.certificate).read_bytes()
            port = server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
    except RuntimeError as error:
        raise _taken(address, error) from error
    await server.start()
    return server, port


def _check_free(binding: Binding) -> None:
    """Ask the system for the port first: gRPC itself would fill the log, and not say why."""
    if binding.shares_ports:
        return
    family = socket.AF_INET6 if ":" in binding.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((binding.host, binding.grpc))
        except OSError as error:
            raise _taken(f"{binding.host} port {binding.grpc}", error) from error


def _taken(address: str, error: Exception) -> ParameterError:
    return ParameterError(
        f"Cannot listen on {address} for gRPC ({error!s:.100}). Choose another port."
    )


def _grpc() -> Any:
    return require("grpc", extra="grpc", needed_by="gRPC")


def _head(told: Any) -> tuple[str, str, tuple[int, ...]]:
    return head_of({"name": told.name, "datatype": told.datatype, "shape": list(told.shape)})


def _raw(request: Any) -> list[Tensor]:
    if len(request.raw_input_contents) != len(request.inputs):
        raise RequestError(
            f"The request has {len(request.inputs)} inputs and {len(request.raw_input_contents)} "
            "raw contents. Send one for each."
        )
    pairs = zip(request.inputs, request.raw_input_contents, strict=True)
    return [from_bytes(*_head(told), content) for told, content in pairs]


def _typed(told: Any) -> Tensor:
    name, datatype, shape = _head(told)
    field = _CONTENTS.get(datatype)
    values = [] if field is None else list(getattr(told.contents, field))
    if len(values) != math.prod(shape):
        raise RequestError(
            f"Input {name!r} has {len(values)} values in {field}, expected {math.prod(shape)} of "
            f"shape {list(shape)}. Send all of them there, or as raw contents."
        )
    if datatype == "BYTES":
        try:
            values = [value.decode("utf-8") for value in values]
        except UnicodeDecodeError as error:
            raise RequestError(f"Input {name!r} is no UTF-8 ({error}). Encode it so.") from None
    return Tensor(name, datatype, shape, values)


def _told(tensor: Tensor) -> list[Any]:
    values = to_json(tensor)
    return [str(text).encode() for text in values] if tensor.datatype == "BYTES" else values
