"""The messages of the protocol for gRPC, described at run time.

Code that ``protoc`` writes holds for the versions of protobuf that it was written for alone; a
description holds for all. The numbers are those of ``open_inference_grpc.proto``
(https://github.com/kserve/open-inference-protocol).
"""

from __future__ import annotations

from functools import cache
from typing import Any

from industry_apps.errors import require

#: Package and name of the service.
SERVICE = "inference.GRPCInferenceService"
_PACKAGE = "inference"
# Message -> fields as name:number:type; a message within another stands as Outer.Inner, "*" says
# that a field repeats, "|" that it is one of several, and "map" is from texts to parameters.
_MESSAGES = """
ServerLiveRequest
ServerLiveResponse live:1:bool
ServerReadyRequest
ServerReadyResponse ready:1:bool
ModelReadyRequest name:1:string version:2:string
ModelReadyResponse ready:1:bool
ServerMetadataRequest
ServerMetadataResponse name:1:string version:2:string extensions:3:string*
ModelMetadataRequest name:1:string version:2:string
ModelMetadataResponse name:1:string versions:2:string* platform:3:string
 inputs:4:.TensorMetadata* outputs:5:.TensorMetadata*
ModelMetadataResponse.TensorMetadata name:1:string datatype:2:string shape:3:int64*
RepositoryIndexRequest repository_name:1:string ready:2:bool
RepositoryIndexResponse models:1:.ModelIndex*
RepositoryIndexResponse.ModelIndex name:1:string version:2:string state:3:string reason:4:string
InferParameter bool_param:1:bool| int64_param:2:int64| string_param:3:string|
 double_param:4:double| uint64_param:5:uint64|
InferTensorContents bool_contents:1:bool* int_contents:2:int32* int64_contents:3:int64*
 uint_contents:4:uint32* uint64_contents:5:uint64* fp32_contents:6:float* fp64_contents:7:double*
 bytes_contents:8:bytes*
ModelInferRequest model_name:1:string model_version:2:string id:3:string parameters:4:map
 inputs:5:.InferInputTensor* outputs:6:.InferRequestedOutputTensor* raw_input_contents:7:bytes*
ModelInferRequest.InferInputTensor name:1:string datatype:2:string shape:3:int64*
 parameters:4:map contents:5:InferTensorContents
ModelInferRequest.InferRequestedOutputTensor name:1:string parameters:2:map
ModelInferResponse model_name:1:string model_version:2:string id:3:string parameters:4:map
 outputs:5:.InferOutputTensor* raw_output_contents:6:bytes*
ModelInferResponse.InferOutputTensor name:1:string datatype:2:string shape:3:int64*
 parameters:4:map contents:5:InferTensorContents
"""


@cache
def messages() -> dict[str, Any]:
    """Name -> class of each message, from a pool of its own.

    Raises
    ------
    MissingExtraError
        protobuf is not installed.
    """
    pools = require("google.protobuf.descriptor_pool", extra="grpc", needed_by="gRPC")
    factory = require("google.protobuf.message_factory", extra="grpc", needed_by="gRPC")
    pool = pools.DescriptorPool()  # another library may have these names in the common one
    pool.Add(_file())
    found = {}
    for line in _lines():
        name = line.split()[0]
        found[name] = factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
    return found


def _lines() -> list[str]:
    return _MESSAGES.strip().replace("\n ", " ").splitlines()


def _file() -> Any:
    described = require("google.protobuf.descriptor_pb2", extra="grpc", needed_by="gRPC")
    file = described.FileDescriptorProto(
        name="open_inference_grpc.proto", package=_PACKAGE, syntax="proto3"
    )
    made: dict[str, Any] = {}
    for line in _lines():
        name, *fields = line.split()
        outer, _, inner = name.rpartition(".")
        message = made[name] = (made[outer].nested_type if outer else file.message_type).add()
        message.name = inner
        for field in fields:
            _add_field(message, name, field)
    return file


def _add_field(message: Any, name: str, told: str) -> None:
    word, number, kind = told.split(":")
    field = message.field.add(name=word, number=int(number))
    field.label = field.LABEL_REPEATED if kind[-1] == "*" or kind == "map" else field.LABEL_OPTIONAL
    if kind[-1] == "|":
        if not message.oneof_decl:
            message.oneof_decl.add(name="parameter_choice")
        field.oneof_index = 0
    kind = kind.rstrip("*|")
    if kind == "map":
        _add_entry(message)
        kind = ".ParametersEntry"
    if kind[0] == "." or kind[0].isupper():
        field.type = field.TYPE_MESSAGE
        field.type_name = f".{_PACKAGE}.{name if kind[0] == '.' else ''}.{kind.lstrip('.')}"
        field.type_name = field.type_name.replace("..", ".")
    else:
        field.type = getattr(field, f"TYPE_{kind.upper()}")


def _add_entry(message: Any) -> None:
    """A map is a list of messages of its keys and values."""
    entry = message.nested_type.add(name="ParametersEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=9, label=1)
    value = entry.field.add(name="value", number=2, type=11, label=1)
    value.type_name = f".{_PACKAGE}.InferParameter"
