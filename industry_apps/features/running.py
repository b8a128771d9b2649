"""What writes a graph runs it beside training, in a session of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from industry_apps.features.builder import GraphBuilder
from industry_apps.runtime.inputs import feeds_of, run_in_slices
from industry_apps.schema import Schema


class RunsItsGraph(ABC):
    """Makes the session of what it writes on first use; pickles without it."""

    @abstractmethod
    def _declare(self, builder: GraphBuilder) -> None:
        """Declare inputs and outputs, and write what lies between them."""

    @cached_property
    def _session(self) -> ort.InferenceSession:
        builder = GraphBuilder()
        self._declare(builder)
        return builder.session()

    def __getstate__(self) -> dict[str, Any]:
        # A session cannot be pickled; it is made again where it is needed.
        return {key: value for key, value in self.__dict__.items() if key != "_session"}


class WrittenGraph(RunsItsGraph):
    """Nodes that are written once and run in training as they will be in the file.

    Parameters
    ----------
    schema : Schema
        Columns that are read.
    write : callable
        Builder, {column: tensor} -> {output: tensor}.
    outputs : Schema
    """

    def __init__(
        self,
        schema: Schema,
        write: Callable[[GraphBuilder, Mapping[str, str]], Mapping[str, str]],
        outputs: Schema,
    ) -> None:
        self.schema, self.outputs = schema, outputs
        self._write = write

    def run(self, arrays: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Columns [rows] -> each output [rows, values]; [0, 1] of no rows."""
        if not len(arrays[self.schema.names[0]]):
            return [np.empty((0, 1), dtype=np.float32) for _ in self.outputs]
        feeds = feeds_of(arrays, self.schema)
        return run_in_slices(self._session, self.outputs.names, feeds, self.schema)

    def _declare(self, builder: GraphBuilder) -> None:
        tensors = self._write(builder, builder.inputs(self.schema))
        builder.outputs(tensors, self.outputs)
