"""An encoder of sizes as shares of the range that they have in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.features.builder import GraphBuilder
from industry_apps.features.sources import Source
from industry_apps.features.tabular import filled_values, write_filled


@dataclass(frozen=True, slots=True)
class LogRange:
    """The logarithm of a size, as a share of the range that it has in training; median if missing.

    The size of x is sign(x) log(1 + abs(x)), so that a share keeps its spread, and bytes and
    seconds lose their long tail. What lies beyond the range goes on, up to one range more.

    Parameters
    ----------
    source : Source
    median, least, span : float
        Learned; least and span of the logarithms.
    """

    source: Source
    median: float = 0.0
    least: float = 0.0
    span: float = 1.0

    @property
    def names(self) -> list[str]:
        """Names of the columns that it writes."""
        return [self.source.name]

    def learn(self, values: NDArray[np.float32]) -> Self:
        """Learn median and range of values of shape [rows]."""
        median, filled = filled_values(values)
        sizes = np.sign(filled) * np.log1p(np.abs(filled))
        least, span = float(sizes.min()), float(np.ptp(sizes))
        return replace(self, median=median, least=least, span=span if span > 1e-6 else 1.0)

    @staticmethod
    def write(builder: GraphBuilder, group: Sequence[LogRange], values: str) -> str:
        """Write [batch, group] -> [batch, group]."""
        node, constant = builder.node, builder.constant
        least = np.array([encoder.least for encoder in group], dtype=np.float32)
        span = np.array([encoder.span for encoder in group], dtype=np.float32)
        filled = write_filled(builder, group, values)
        size = node("Log", node("Add", node("Abs", filled), constant(np.float32(1))))
        signed = node("Mul", node("Sign", filled), size)
        share = node("Div", node("Sub", signed, constant(least)), constant(span))
        return node("Clip", share, constant(np.float32(-1)), constant(np.float32(2)))
