"""Networks of lower precision: int8, calibrated on training rows, and bfloat16."""

from __future__ import annotations

import copy
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as _errors

from industry_apps.errors import ParameterError
from industry_apps.export.convert import network_to_onnx
from industry_apps.features.builder import IR_VERSION

if TYPE_CHECKING:
    import torch

__all__ = ["speed_of", "to_bfloat16", "to_int8"]

_ROWS_A_BATCH = 64
_RUNS = 7


def to_int8(model: onnx.ModelProto, rows: Mapping[str, NDArray[Any]]) -> onnx.ModelProto:
    """Quantise weights and activations to 8 bits, with ranges seen on training rows.

    Weights have a scale for each channel and are of 7 bits; quantising and dequantising stand
    in the graph as nodes (QDQ), which onnxruntime and OpenVINO fuse into integer kernels.

    Parameters
    ----------
    model : onnx.ModelProto
        Of a network, float32.
    rows : mapping of str to ndarray of shape [rows, ...]
        Inputs of the network to calibrate on: some hundreds.

    References
    ----------
    Jacob et al. (2018), Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference, arXiv:1712.05877.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder:
        plain, ready, small = (Path(folder) / f"{name}.onnx" for name in ("a", "b", "c"))
        onnx.save_model(model, plain)
        quant_pre_process(plain, ready, skip_symbolic_shape=True)
        quantize_static(
            ready,
            small,
            _Reader(rows),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            # Products of 8 and 8 bits overflow where a processor adds two of them in 16 bits
            # (AVX2, AVX-512 without VNNI); with weights of 7 bits all processors answer alike.
            reduce_range=True,
        )
        made = onnx.load_model(small)
    made.ir_version = IR_VERSION
    return made


def to_bfloat16(
    network: torch.nn.Module, example: torch.Tensor, input_name: str, output_names: Sequence[str]
) -> onnx.ModelProto:
    """Convert a network to bfloat16, with float32 inputs and outputs.

    Parameters
    ----------
    network : torch.nn.Module
        Returns a tuple of tensors; not changed.
    example : torch.Tensor of shape [batch, ...]
    input_name : str
    output_names : sequence of str

    Raises
    ------
    ParameterError
        The onnxruntime of this machine cannot run it.
    """
    import torch

    class Narrow(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = copy.deepcopy(network).bfloat16()

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return tuple(found.float() for found in self.inner(x.bfloat16()))

    model = network_to_onnx(Narrow(), (example,), [input_name], output_names=output_names)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    try:
        ort.InferenceSession(
            model.SerializeToString(), options, providers=ort.get_available_providers()
        )
    except (_errors.NotImplemented, _errors.InvalidGraph) as error:
        raise ParameterError(
            f"onnxruntime {ort.__version__} cannot run this network in bfloat16 on this machine "
            f"({str(error).partition('Type Error:')[2].strip() or error}). Export in float32 or "
            "int8; in training bfloat16 is used where the processor has it."
        ) from error
    return model


def speed_of(
    models: Mapping[str, onnx.ModelProto], rows: Mapping[str, NDArray[Any]]
) -> dict[str, Any]:
    """Measure on this machine in which precision a network answers faster.

    Integers are no gain everywhere: narrow networks, and processors without instructions for
    products of bytes, may take longer than in float32.

    Parameters
    ----------
    models : mapping of str to onnx.ModelProto
        Precision -> the network in it, float32 first.
    rows : mapping of str to ndarray of shape [rows, ...]
        One batch.

    Returns
    -------
    dict
        ``faster``, the precision; ``times_as_fast``, precision -> how many times as fast as in
        float32 it is; ``rows``, of the batch.
    """
    options = ort.SessionOptions()
    options.log_severity_level = 4
    sessions = {
        name: ort.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        for name, model in models.items()
    }
    seconds: dict[str, list[float]] = {name: [] for name in sessions}
    for _ in range(_RUNS):  # by turns, so that what else the machine does slows both
        for name, session in sessions.items():
            started = time.perf_counter()
            session.run(None, dict(rows))
            seconds[name].append(time.perf_counter() - started)
    least = {name: min(found) for name, found in seconds.items()}
    plain = least[next(iter(models))]
    return {
        "faster": min(least, key=lambda name: least[name]),
        "times_as_fast": {name: round(plain / found, 2) for name, found in least.items()},
        "rows": len(next(iter(rows.values()))),
    }


class _Reader:
    """Hands rows to the calibration, a batch at a time."""

    def __init__(self, rows: Mapping[str, NDArray[Any]]) -> None:
        self._batches = self._cut(rows)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        return next(self._batches, None)

    @staticmethod
    def _cut(rows: Mapping[str, NDArray[Any]]) -> Iterator[dict[str, NDArray[Any]]]:
        count = len(next(iter(rows.values())))
        for start in range(0, count, _ROWS_A_BATCH):
            yield {
                name: np.ascontiguousarray(values[start : start + _ROWS_A_BATCH])
                for name, values in rows.items()
            }
