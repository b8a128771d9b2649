"""Operators on windows [batch, length] of series, as nodes of a graph.

A missing value is NaN and makes missing whatever reads it.
"""

from __future__ import annotations

import numpy as np

from industry_apps.features.builder import GraphBuilder

#: Mean squares below this are the rounding of float32 changes, not movement.
STILL = 1e-12

_END = np.iinfo(np.int64).max


def last(builder: GraphBuilder, x: str, steps: int, skip: int = 0) -> str:
    """Keep the last ``steps`` columns before the last ``skip``."""
    return builder.part(x, -steps - skip, -skip if skip else _END)  # [batch, steps]


def above(builder: GraphBuilder, x: str, least: float = 0.0) -> str:
    """Keep what is above a number; the rest becomes missing."""
    enough = builder.node("Greater", x, builder.constant(np.float32(least)))
    return builder.node("Where", enough, x, builder.constant(np.float32(np.nan)))


def log_ratio(builder: GraphBuilder, numerator: str, denominator: str) -> str:
    """Logarithm of a ratio; missing where either is not above 0.

    The ratio is taken first: the difference of two logarithms in float32 would lose the
    last digits of a small change.
    """
    numerator, denominator = above(builder, numerator), above(builder, denominator)
    return builder.node("Log", builder.node("Div", numerator, denominator))


def mean(builder: GraphBuilder, x: str, axis: int = 1) -> str:
    """Mean over an axis, which is kept with length 1."""
    return builder.node("ReduceMean", x, builder.constant(np.array([axis])))


def total(builder: GraphBuilder, x: str, axis: int = 1) -> str:
    """Sum over an axis, which is kept with length 1."""
    return builder.node("ReduceSum", x, builder.constant(np.array([axis])))


def mean_product(builder: GraphBuilder, x: str, y: str) -> str:
    """Mean over the steps of x times y: [batch, 1]."""
    return mean(builder, builder.node("Mul", x, y))


def centred(builder: GraphBuilder, x: str) -> str:
    """Subtract the mean over the steps."""
    return builder.node("Sub", x, mean(builder, x))


def largest(builder: GraphBuilder, x: str) -> str:
    """Maximum over the steps; what ReduceMax answers to NaN is not defined."""
    highest = builder.node("ReduceMax", x, builder.constant(np.array([1])))
    summed = total(builder, x)
    return builder.node("Where", builder.node("IsNaN", summed), summed, highest)


def on_batch_mean(builder: GraphBuilder, x: str) -> tuple[str, str]:
    """Regress each row on the mean of the rows.

    Parameters
    ----------
    builder : GraphBuilder
    x : str
        Tensor of shape [batch, steps]. The mean of a step is over the rows that have it.

    Returns
    -------
    slope : str
        Tensor of shape [batch, 1]; missing when the mean stands still.
    rest : str
        Tensor of shape [batch, steps]: what the slope leaves, with mean 0.
    """
    known, filled = known_and_filled(builder, x)
    common = builder.node("Div", total(builder, filled, 0), total(builder, known, 0))
    common = centred(builder, common)  # [1, steps]
    own = centred(builder, x)
    variance = above(builder, mean_product(builder, common, common), STILL)
    slope = builder.node("Div", mean_product(builder, own, common), variance)
    return slope, builder.node("Sub", own, builder.node("Mul", slope, common))


def cross_rank(builder: GraphBuilder, x: str) -> str:
    """Rank of each row among the rows of the batch, from -0.5 (lowest) to 0.5 (highest).

    Ties share the mean of their ranks; a missing value stays missing and is not counted; a
    value alone is 0. Every row is compared with every other: meant for batches of up to
    about a thousand.

    Parameters
    ----------
    builder : GraphBuilder
    x : str
        Tensor of shape [batch, 1].

    Returns
    -------
    str
        Tensor of shape [batch, 1].
    """
    known, filled = known_and_filled(builder, x)
    across = builder.node("Transpose", filled)  # [1, batch]
    sign = builder.node("Sign", builder.node("Sub", filled, across))  # [batch, batch]
    margin = builder.node("MatMul", sign, known)  # lower rows less higher ones: [batch, 1]
    one = builder.constant(np.float32(1))
    others = builder.node("Max", builder.node("Sub", total(builder, known, 0), one), one)
    span = builder.node("Mul", others, builder.constant(np.float32(2)))
    # 0 / 0 is what a missing row gets.
    return builder.node("Div", builder.node("Mul", margin, known), builder.node("Mul", span, known))


def fill(builder: GraphBuilder, x: str, value: float) -> str:
    """Put a number where a value is missing."""
    return builder.node("Where", builder.node("IsNaN", x), builder.constant(np.float32(value)), x)


def known_and_filled(builder: GraphBuilder, x: str) -> tuple[str, str]:
    """1 where there is a value, else 0; and the values, 0 where there is none."""
    known = builder.cast(builder.node("Not", builder.node("IsNaN", x)), np.float32)
    return known, fill(builder, x, 0.0)
