"""Operators on windows that reach to a horizon, as nodes of a graph; NaN is no value.

Letters in shapes: S series (the batch), L steps of history, H steps of the horizon, K values.
"""

from __future__ import annotations

import numpy as np

from industry_apps.features.builder import GraphBuilder
from industry_apps.features.window_nodes import fill, total

_END = np.iinfo(np.int64).max
#: Behind all steps of a history.
_LATE = 1e6


def known_mean(builder: GraphBuilder, x: str, axis: int) -> str:
    """Mean over an axis of what is known, the axis kept with length 1; NaN where nothing is."""
    count = total(builder, known(builder, x), axis)
    return builder.node("Div", total(builder, fill(builder, x, 0.0), axis), count)


def known(builder: GraphBuilder, x: str) -> str:
    """1 where there is a value, else 0, as float32."""
    return builder.cast(builder.node("Not", builder.node("IsNaN", x)), np.float32)


def known_spread(builder: GraphBuilder, x: str, axis: int) -> str:
    """Standard deviation over an axis of what is known, the axis kept with length 1."""
    apart = builder.node("Sub", x, known_mean(builder, x, axis))
    return builder.node("Sqrt", known_mean(builder, builder.node("Mul", apart, apart), axis))


def known_extreme(builder: GraphBuilder, x: str, axis: int, op: str) -> str:
    """Least or largest of what is known over an axis, by the operator; NaN where nothing is."""
    beyond = np.finfo(np.float32).max
    filled = fill(builder, x, float(-beyond if op == "ReduceMax" else beyond))
    found = builder.node(op, filled, builder.constant(np.array([axis])))
    empty = builder.node("Equal", total(builder, known(builder, x), axis), zero(builder))
    return builder.node("Where", empty, builder.constant(np.float32(np.nan)), found)


def zero(builder: GraphBuilder) -> str:
    """The number 0."""
    return builder.constant(np.float32(0))


def taken(builder: GraphBuilder, x: str, places: np.ndarray) -> str:
    """The steps of [S, L] at some places, which may be a table -> [S, *places.shape]."""
    return builder.node(
        "Gather", x, builder.constant(places.astype(np.int64)), attributes={"axis": 1}
    )


def reshaped(builder: GraphBuilder, x: str, *shape: int) -> str:
    """The same values in another shape; 0 keeps an axis, -1 is what is left."""
    return builder.node("Reshape", x, builder.constant(np.array(shape, dtype=np.int64)))


def wide(builder: GraphBuilder, x: str, horizon: int) -> str:
    """Repeat [S, 1, K] over the horizon -> [S, H, K]."""
    shape = builder.constant(np.array([1, horizon, 1], dtype=np.int64))
    return builder.node("Expand", x, shape)


def where_known(builder: GraphBuilder, first: str, *others: str) -> str:
    """The first of several tensors that has a value, element by element."""
    for other in others:
        first = builder.node("Where", builder.node("IsNaN", first), other, first)
    return first


def finite(builder: GraphBuilder, x: str) -> str:
    """Infinity, as of a division by 0, becomes missing."""
    endless = builder.node("IsInf", x)
    return builder.node("Where", endless, builder.constant(np.float32(np.nan)), x)


def flat(builder: GraphBuilder, x: str, steps: int) -> str:
    """Where a value of [S, L] belongs to a run of so many equal ones or more, as booleans.

    A gap ends no run: what is missing is neither equal nor another value.

    Parameters
    ----------
    builder : GraphBuilder
    x : str
    steps : int
        At least 2, and at most L.
    """
    missing = builder.cast(builder.node("IsNaN", x), np.float32)
    late = builder.node("Mul", missing, builder.constant(np.float32(_LATE)))
    ones = builder.node("Add", known(builder, x), missing)
    place = builder.node("CumSum", ones, builder.constant(np.int64(1)))
    length = builder.part(builder.node("Shape", x), 1, 2, 0)
    _, order = builder.smallest(builder.node("Add", place, late), length)  # what is known first
    along = {"axis": 1}
    x = builder.node("GatherElements", x, order, attributes=along)
    later, earlier = builder.part(x, 1, _END), builder.part(x, 0, -1)
    differs = builder.cast(builder.node("Not", builder.node("Equal", later, earlier)), np.float32)
    differs = builder.node("Unsqueeze", differs, builder.constant(np.array([1])))  # [S, 1, L - 1]
    any_differs = _widest(builder, differs, steps - 1)  # from each step on, over a run
    whole = builder.node("Sub", builder.constant(np.float32(1)), any_differs)
    inside = _widest(builder, whole, steps, pad=steps - 1)  # [S, 1, L]
    found = builder.node("Squeeze", inside, builder.constant(np.array([1])))
    back = builder.node("ScatterElements", missing, order, found, attributes=along)
    return builder.cast(back, np.bool_)


def _widest(builder: GraphBuilder, x: str, steps: int, pad: int = 0) -> str:
    """The largest of so many steps from each on."""
    shape = {"kernel_shape": [steps], "strides": [1], "pads": [pad, pad]}
    return builder.node("MaxPool", x, attributes=shape)
