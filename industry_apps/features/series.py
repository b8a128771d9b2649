"""Windows of many series, all of one moment, to the inputs of a model.

The graph that makes the training rows is the graph that stands at the head of the exported
file. Each raw column is one tensor [batch, length], oldest value first, NaN where a value
is missing; the batch holds all series of one moment, since ranks compare them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.features import window_nodes as nodes
from industry_apps.features.builder import GraphBuilder
from industry_apps.features.running import RunsItsGraph
from industry_apps.features.signals import Inputs, Reader, Series, Signal, read, step_ratios
from industry_apps.limits import POSITIVE, check_limits, integer

#: Standardised steps are cut here, so that one shock does not blind a network.
WIDEST_STEP = 5.0


@dataclass(frozen=True)
class RatioChannel(Reader):
    """A channel: the logarithm of second[t] over first[t - lag] at each step, over a scale.

    Parameters
    ----------
    first, second : str or Adjusted
        Values > 0; others count as missing.
    lag : int
        At least 0.
    scale : float
        A usual size of the logarithm, > 0.
    """

    first: Series
    second: Series
    lag: int = 0
    scale: float = 1.0

    def __post_init__(self) -> None:
        check_limits(self, {"lag": integer(0), "scale": POSITIVE})

    def write(self, builder: GraphBuilder, inputs: Inputs, steps: int) -> str:
        """Write the nodes; return a [batch, steps] float tensor."""
        ratios = step_ratios(builder, inputs, self.first, self.second, self.lag, steps)
        return builder.node("Div", ratios, builder.constant(np.float32(self.scale)))


@dataclass(frozen=True)
class LevelChannel(Reader):
    """A channel: the logarithm of the value over the mean of the steps, over a scale.

    Parameters
    ----------
    column : str or Adjusted
        Values >= 0; 0 is taken for the lowest value that a step may have.
    scale : float
        A usual size of the logarithm, > 0.
    """

    column: Series
    scale: float = 1.0

    def __post_init__(self) -> None:
        check_limits(self, {"scale": POSITIVE})

    @property
    def lag(self) -> int:
        """How many steps before the first it reads."""
        return 0

    def write(self, builder: GraphBuilder, inputs: Inputs, steps: int) -> str:
        """Write the nodes; return a [batch, steps] float tensor."""
        values = nodes.last(builder, read(builder, inputs, self.column), steps)
        level = builder.node("Div", values, nodes.mean(builder, values))
        scale = builder.constant(np.float32(self.scale))
        return builder.node("Div", builder.node("Log", level), scale)


Channel = RatioChannel | LevelChannel


class _WindowGraph(RunsItsGraph):
    """What both graphs share: which columns, how far back, and a session to run them."""

    def __init__(self, readers: Sequence[Reader], history: int) -> None:
        if not readers:
            raise ParameterError(f"{type(self).__name__} needs at least one thing to read.")
        self.names = tuple(reader.name for reader in readers)
        self.columns = tuple(dict.fromkeys(name for each in readers for name in each.columns))
        self.history = history

    @abstractmethod
    def write(self, builder: GraphBuilder, inputs: Inputs) -> str:
        """Append the nodes to a graph."""

    def run(self, windows: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Compute the answer of :meth:`write` with onnxruntime.

        Parameters
        ----------
        windows : mapping of str to ndarray of shape [batch, length]
            The columns, at least ``history`` long, all series of one moment; further
            columns are ignored.

        Returns
        -------
        ndarray of float32
            Shaped as :meth:`write` says.

        Raises
        ------
        SchemaError
            A column is absent, not of two dimensions, too short, or of another shape.
        """
        absent = sorted(set(self.columns) - set(windows))
        if absent:
            raise SchemaError(f"The windows lack the columns {absent}; given: {sorted(windows)}.")
        shape = np.shape(windows[self.columns[0]])
        for name in self.columns:
            found = np.shape(windows[name])
            if len(found) != 2 or found[1] < self.history or found != shape:
                raise SchemaError(
                    f"The window of column {name!r} has shape {found}. Expected [series, steps], "
                    f"at least {self.history} steps and the same for all columns."
                )
        feeds = {name: np.asarray(windows[name], dtype=np.float32) for name in self.columns}
        return np.asarray(self._session.run(None, feeds)[0])

    def _declare(self, builder: GraphBuilder) -> None:
        inputs = {name: builder.input(name, np.float32, None) for name in self.columns}
        builder.output(self.write(builder, inputs), "/answer", np.float32, None)


class SeriesGraph(_WindowGraph):
    """Signals side by side, each ranked among the series of the moment if so wished.

    Parameters
    ----------
    signals : sequence of Signal
        At least one.
    ranked : bool
        Replace each signal by its rank among the batch, in [-0.5, 0.5].
    missing : float
        Stands for a missing signal: NaN for trees; 0, the middle rank, for other models.

    Attributes
    ----------
    names : tuple of str
        Names of the columns of the answer.
    columns : tuple of str
        Raw columns that are read.
    history : int
        How many of the last steps are read.

    Examples
    --------
    >>> from industry_apps.features import Change, SeriesGraph
    >>> graph = SeriesGraph([Change("close", 2)])
    >>> graph.run({"close": [[9.0, 1.0, 1.5, 2.0], [9.0, 4.0, 4.5, 4.0]]}).tolist()
    [[0.5], [-0.5]]
    """

    def __init__(
        self, signals: Sequence[Signal], ranked: bool = True, missing: float = np.nan
    ) -> None:
        self.signals = tuple(signals)
        self.ranked = ranked
        self.missing = missing
        super().__init__(self.signals, max((each.history for each in self.signals), default=0))

    def write(self, builder: GraphBuilder, inputs: Inputs) -> str:
        """Append the nodes to a graph.

        Parameters
        ----------
        builder : GraphBuilder
        inputs : mapping of str to str
            Column -> float32 tensor [batch, length].

        Returns
        -------
        str
            Tensor of shape [batch, signals].
        """
        tensors = [signal.write(builder, inputs) for signal in self.signals]
        if self.ranked:
            tensors = [nodes.cross_rank(builder, tensor) for tensor in tensors]
        return nodes.fill(builder, builder.concat(tensors), self.missing)


class SequenceGraph(_WindowGraph):
    """Channels of the last steps for a temporal network: standardised, bounded, never missing.

    Parameters
    ----------
    channels : sequence of RatioChannel or LevelChannel
        At least one.
    steps : int
        Length of the sequence, at least 1.

    Attributes
    ----------
    names : tuple of str
        Names of the channels.
    columns : tuple of str
        Raw columns that are read.
    history : int
        How many of the last steps are read.

    Examples
    --------
    >>> from industry_apps.features import SequenceGraph, RatioChannel
    >>> graph = SequenceGraph([RatioChannel("low", "high", scale=0.01)], steps=2)
    >>> graph.run({"low": [[1.0, 1.0]], "high": [[1.01, 2.0]]}).round(2).tolist()
    [[[1.0], [5.0]]]
    """

    def __init__(self, channels: Sequence[Channel], steps: int) -> None:
        self.channels = tuple(channels)
        self.steps = steps
        check_limits(self, {"steps": integer(1)})
        super().__init__(
            self.channels, steps + max((each.lag for each in self.channels), default=0)
        )

    def write(self, builder: GraphBuilder, inputs: Inputs) -> str:
        """Append the nodes to a graph.

        Parameters
        ----------
        builder : GraphBuilder
        inputs : mapping of str to str
            Column -> float32 tensor [batch, length].

        Returns
        -------
        str
            Tensor of shape [batch, steps, channels] in [-5, 5]; a missing step is 0.
        """
        parts = [
            builder.node(
                "Unsqueeze",
                channel.write(builder, inputs, self.steps),
                builder.constant(np.array([2])),
            )
            for channel in self.channels
        ]  # [batch, steps, 1] each
        stacked = builder.node("Concat", *parts, attributes={"axis": 2})
        widest = np.float32(WIDEST_STEP)
        bounded = builder.node("Clip", stacked, builder.constant(-widest), builder.constant(widest))
        return nodes.fill(builder, bounded, 0.0)
