"""The feature graph: learned from the training table, written once, run everywhere.

The graph that makes the training matrix is the graph that stands at the head of the
exported file. Two implementations of preprocessing cannot drift apart when there is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import is_
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError
from industry_apps.features.builder import Columns, GraphBuilder
from industry_apps.features.elements import write_side_by_side
from industry_apps.features.image import Pixels
from industry_apps.features.ranges import LogRange
from industry_apps.features.running import RunsItsGraph
from industry_apps.features.sources import (
    IsCode,
    Source,
    Value,
    write_less_offset,
    write_without_codes,
)
from industry_apps.features.steps import LevelSteps, NumberSteps
from industry_apps.features.tabular import (
    Category,
    Cyclic,
    Missing,
    QuantileNormal,
    Raw,
    Standard,
)
from industry_apps.features.text import Tokens, WordCounts
from industry_apps.runtime.inputs import feeds_of, run_in_slices
from industry_apps.schema import Schema
from industry_apps.schema.codes import without_codes
from industry_apps.schema.table import Arrays

NumberEncoder = Raw | Cyclic | Missing | Standard | QuantileNormal | LogRange | NumberSteps
ColumnEncoder = Category | LevelSteps | WordCounts | Tokens | Pixels
Encoder = NumberEncoder | ColumnEncoder

#: Bytes of tensors that are kept beside the columns that they were made of.
_MOST_KEPT = 2**28

_TENSORS = (Tokens, Pixels)  # encoders that write a tensor of their own
_FIXED = (Raw, Cyclic, NumberSteps)  # those of a number that have nothing to learn
_LEARN_NUMBERS = (Missing, Standard, QuantileNormal, LogRange)
_NUMBERS = (*_FIXED, *_LEARN_NUMBERS)


class FeatureGraph(RunsItsGraph):
    """Raw columns to tensors, as an ONNX graph.

    It has up to four outputs: ``numeric`` [batch, features] float32, ``codes``
    [batch, categories] int64 for embeddings, ``tokens`` [batch, length] int64 for texts,
    ``pixels`` [batch, channels, height, width] float32 for images.

    Parameters
    ----------
    schema : Schema
        Kinds of the raw columns.
    encoders : sequence of encoder
        What to learn and write, in any order.

    Examples
    --------
    >>> from industry_apps.features import Category, Standard, Value
    >>> from industry_apps.schema import Column
    >>> schema = Schema((Column(name="amount", kind="number"),
    ...                  Column(name="country", kind="category")))
    >>> graph = FeatureGraph(schema, [Standard(Value("amount")), Category("country")])
    >>> arrays = schema.to_arrays({"amount": [1.0, 3.0], "country": ["DE", None]})
    >>> {name: tensor.tolist() for name, tensor in graph.learn(arrays).run(arrays).items()}
    {'numeric': [[-1.0], [1.0]], 'codes': [[2], [1]]}
    """

    def __init__(self, schema: Schema, encoders: Sequence[Encoder]) -> None:
        # Grouped by class, so that a group is written with vectorised operators.
        self._encoders = sorted(encoders, key=lambda encoder: type(encoder).__name__)
        used = {name for encoder in encoders for name in _columns(encoder)}
        unknown = used - set(schema.names)
        if unknown:
            raise ParameterError(
                f"The feature graph reads {sorted(unknown)}, not among {schema.names}."
            )
        self.schema = Schema(tuple(column for column in schema if column.name in used))

    @property
    def encoders(self) -> tuple[Encoder, ...]:
        """The encoders; fitted ones after :meth:`learn`."""
        return tuple(self._encoders)

    @property
    def names(self) -> list[str]:
        """Names of the columns of ``numeric``."""
        return [
            name
            for encoder in self._encoders
            if not (isinstance(encoder, _TENSORS) or _is_code(encoder))
            for name in encoder.names
        ]

    @property
    def origins(self) -> list[str]:
        """The raw column that each column of ``numeric`` is read from, the first of several."""
        return [
            _columns(encoder)[0]
            for encoder in self._encoders
            if not (isinstance(encoder, Tokens) or _is_code(encoder))
            for _ in encoder.names
        ]

    @property
    def cardinalities(self) -> list[int]:
        """Number of codes of each column of ``codes``."""
        return [e.cardinality for e in self._encoders if isinstance(e, Category) and _is_code(e)]

    def learn(self, arrays: Mapping[str, NDArray[Any]]) -> FeatureGraph:
        """Return a graph that has learned from the training columns.

        Parameters
        ----------
        arrays : mapping of str to ndarray of shape [rows]
            As made by :meth:`Schema.to_arrays`.

        Raises
        ------
        ParameterError
            No encoder found anything to write.
        """
        numbers = self._numbers(arrays)
        fitted = [
            e
            if isinstance(e, _FIXED)
            else e.learn(numbers[e.source] if isinstance(e, _NUMBERS) else self._known(arrays, e))
            for e in self._encoders
        ]
        kept = [e for e in fitted if isinstance(e, _TENSORS) or len(e.names)]
        if not kept:
            raise ParameterError(
                f"Nothing can be learned from the columns {self.schema.names}: no value is "
                "missing and no word frequent enough. Give further columns."
            )
        return FeatureGraph(self.schema, kept)

    def _known(self, arrays: Mapping[str, NDArray[Any]], encoder: ColumnEncoder) -> NDArray[Any]:
        return without_codes(self.schema[encoder.column], arrays[encoder.column])

    def _numbers(self, arrays: Mapping[str, NDArray[Any]]) -> dict[Source, NDArray[Any]]:
        """The numbers [rows] that some encoder learns from, by one run of one graph."""
        asked = {e.source for e in self._encoders if isinstance(e, _LEARN_NUMBERS)}
        sources = sorted(asked, key=lambda source: source.name)
        if not sources:
            return {}
        table = FeatureGraph(self.schema, [Raw(source) for source in sources]).run(arrays)
        columns = np.ascontiguousarray(table["numeric"].T)
        return dict(zip(sources, columns, strict=True))

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        """Append the graph to a builder.

        Parameters
        ----------
        builder : GraphBuilder
        inputs : mapping of str to str
            Raw column -> tensor of shape [batch, 1].

        Returns
        -------
        dict of str to str
            "numeric", "codes", "tokens", "pixels" -> tensor; only those that have columns.
        """
        known = {c.name: write_without_codes(builder, c, inputs[c.name]) for c in self.schema}
        near = {c.name: write_less_offset(builder, c, known[c.name]) for c in self.schema}
        # A ratio is one of the numbers themselves, of which it needs no more digits than it has.
        rounded = {
            c.name: known[c.name] if c.offset is None else builder.cast(known[c.name], np.float32)
            for c in self.schema
        }

        def read(encoder: NumberEncoder) -> Mapping[str, str]:
            if _reads_codes(encoder):
                return inputs
            return near if isinstance(encoder.source, Value) else rounded

        parts: dict[str, list[str]] = {"numeric": [], "codes": [], "tokens": [], "pixels": []}
        for (kind, _), members in groupby(self._encoders, key=_group_of):
            group: list[Any] = list(members)
            if issubclass(kind, _NUMBERS):
                values = write_side_by_side(builder, [(e.source, read(e)) for e in group])
                parts["numeric"].append(kind.write(builder, group, values))
                continue
            for encoder in group:
                tensor = encoder.write(builder, known[encoder.column])
                parts[_output_of(encoder)].append(tensor)
        return {name: builder.concat(tensors) for name, tensors in parts.items() if tensors}

    def run(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Compute the tensors with onnxruntime.

        Parameters
        ----------
        arrays : mapping of str to ndarray of shape [rows]
            As made by :meth:`Schema.to_arrays`, they remember what an equal graph made of them.

        Returns
        -------
        dict of str to ndarray
            The outputs that the graph has; not to be changed.
        """
        if not isinstance(arrays, Arrays):
            return self._tensors(arrays)
        read = [arrays[name] for name in self.schema.names]
        for made in arrays.computed:
            if isinstance(made, _Made) and made.fits(self, read):
                return dict(made.tensors)
        tensors = self._tensors(arrays)
        if sum(tensor.nbytes for tensor in tensors.values()) <= _MOST_KEPT:
            arrays.computed.append(_Made(self.schema, self.encoders, read, tensors))
        return dict(tensors)

    def _tensors(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        rows = len(arrays[self.schema.names[0]])
        if not rows:  # operators on texts refuse a batch of no rows: take none of one
            arrays = {column.name: column.missing(1) for column in self.schema}
        feeds = feeds_of(arrays, self.schema)
        names = [output.name for output in self._session.get_outputs()]
        found = run_in_slices(self._session, names, feeds, self.schema)
        return {
            name.removeprefix("/"): tensor[:rows] for name, tensor in zip(names, found, strict=True)
        }

    def _declare(self, builder: GraphBuilder) -> None:
        for name, tensor in self.write(builder, builder.inputs(self.schema)).items():
            dtype = np.float32 if name in ("numeric", "pixels") else np.int64
            inner: Columns = (None, None, None) if name == "pixels" else None
            builder.output(tensor, f"/{name}", dtype, inner)  # a column may have that name


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """What a graph made of some columns."""

    schema: Schema
    encoders: tuple[Encoder, ...]
    read: Sequence[NDArray[Any]]
    tensors: Mapping[str, NDArray[Any]]

    def fits(self, graph: FeatureGraph, read: Sequence[NDArray[Any]]) -> bool:
        """Whether an equal graph read the same arrays, none of which was replaced since."""
        return (
            self.schema == graph.schema
            and all(map(is_, self.read, read))
            and self.encoders == graph.encoders
        )


def _columns(encoder: Encoder) -> tuple[str, ...]:
    return encoder.source.columns if isinstance(encoder, _NUMBERS) else (encoder.column,)


def _group_of(encoder: Encoder) -> tuple[type, bool]:
    """What is written at once: encoders of one class, on numbers of one type."""
    return type(encoder), isinstance(encoder, NumberSteps) and encoder.double


def _reads_codes(encoder: NumberEncoder) -> bool:
    """Whether codes of missing values mean something to an encoder, or are missing to it.

    Such an encoder reads the numbers themselves, in double precision where they have an offset.
    """
    return isinstance(encoder.source, IsCode) or (
        isinstance(encoder, NumberSteps) and isinstance(encoder.source, Value)
    )


def _is_code(encoder: Encoder) -> bool:
    return isinstance(encoder, Category) and encoder.form == "code"


def _output_of(encoder: ColumnEncoder) -> str:
    if isinstance(encoder, Pixels):
        return "pixels"
    if isinstance(encoder, Tokens):
        return "tokens"
    return "codes" if _is_code(encoder) else "numeric"
