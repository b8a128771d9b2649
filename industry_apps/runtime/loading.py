"""How a model file becomes a session and what it says of itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import onnxruntime as ort

from industry_apps.errors import MissingExtraError, ModelFileError, ParameterError

Provider = Literal["cpu", "openvino", "cuda"]

_PROVIDERS: dict[str, str] = {
    "cpu": "CPUExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "cuda": "CUDAExecutionProvider",
}
_REQUIRED = ("application", "schema", "outputs", "parity", "reference", "self_test")


def open_session(path: Path, provider: str, threads: int | None) -> ort.InferenceSession:
    if provider not in _PROVIDERS:
        raise ParameterError(f"Unknown provider {provider!r}; choose from {list(_PROVIDERS)}.")
    if _PROVIDERS[provider] not in ort.get_available_providers():
        raise MissingExtraError(
            f"The installed onnxruntime cannot run on {provider!r} (it has "
            f"{ort.get_available_providers()}). Install onnxruntime-"
            f"{'gpu' if provider == 'cuda' else provider} instead of onnxruntime."
        )
    options = ort.SessionOptions()
    options.log_severity_level = 4
    if threads is not None:
        options.intra_op_num_threads = threads
    order = list(dict.fromkeys([_PROVIDERS[provider], _PROVIDERS["cpu"]]))
    try:
        session = ort.InferenceSession(str(path), options, providers=order)
    except Exception as error:
        raise ModelFileError(
            f"{path.name} cannot be loaded by onnxruntime {ort.__version__}: {error}. "
            "The file may be damaged; fetch or export it again."
        ) from error
    if order[0] not in session.get_providers():  # onnxruntime falls back without an error
        raise MissingExtraError(
            f"The installed onnxruntime has {provider!r}, but cannot start it on this machine. "
            "Install its drivers, or use provider='cpu'."
        )
    return session


def read_metadata(session: ort.InferenceSession, path: Path) -> dict[str, Any]:
    stored = session.get_modelmeta().custom_metadata_map
    absent = [key for key in _REQUIRED if key not in stored]
    if absent:
        raise ModelFileError(
            f"{path.name} was not written by industry_apps: its metadata lacks "
            f"{', '.join(absent)}. Run it with onnxruntime, or export it with an application."
        )
    try:
        return {key: json.loads(value) for key, value in stored.items()}
    except json.JSONDecodeError as error:
        raise ModelFileError(f"The metadata of {path.name} are damaged: {error}.") from error
