"""Runs of one record after the other, by threads that share a session."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import onnxruntime as ort
from numpy.typing import NDArray

from industry_apps.runtime.records import Buffers, Plain, RecordReader


class BoundSession:
    """Runs single records through arrays that are made once for each thread.

    To hand over a score of small arrays takes longer than a small model. A session reads arrays
    of numbers where they are, if it is told so beforehand; strings it takes anew each time.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
    reader : RecordReader
        Of plain values.
    outputs : sequence of str
    in_place : bool
        The session runs on the processor, and may read numbers where they are.
    """

    def __init__(
        self,
        session: ort.InferenceSession,
        reader: RecordReader,
        outputs: Sequence[str],
        *,
        in_place: bool,
    ) -> None:
        self._session = session
        self._reader = reader
        self._outputs = outputs
        types = {each.name: each.type for each in session.get_outputs()}
        answers_texts = any(types[name] == "tensor(string)" for name in outputs)
        # A bound session takes no strings, and ends the process where it is to give some.
        self._in_place = in_place and not (reader.texts or answers_texts)
        self._local = threading.local()

    def run(self, plain: Plain) -> list[NDArray[Any]]:
        """Values of one record -> each output [1, ...], to be read before the next run."""
        bound: _Bound | None = getattr(self._local, "bound", None)
        if bound is None:
            bound = self._local.bound = self._bind()
        bound.buffers.hold(plain)
        found: list[NDArray[Any]]
        if bound.binding is None:
            found = self._session.run(self._outputs, bound.buffers.feeds)
        else:
            self._session.run_with_iobinding(bound.binding)
            found = bound.binding.copy_outputs_to_cpu()
        return found

    def _bind(self) -> _Bound:
        buffers = Buffers(self._reader)
        if not self._in_place:
            return _Bound(buffers, None)
        binding = self._session.io_binding()
        for name, value in buffers.feeds.items():
            binding.bind_ortvalue_input(name, ort.OrtValue.ortvalue_from_numpy(value))
        for name in self._outputs:
            binding.bind_output(name)
        return _Bound(buffers, binding)


@dataclass(frozen=True, slots=True)
class _Bound:
    buffers: Buffers
    binding: ort.IOBinding | None
