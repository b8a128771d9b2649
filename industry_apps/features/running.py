"""What writes a graph runs it beside training, in a session of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

import onnxruntime as ort

from industry_apps.features.builder import GraphBuilder


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
