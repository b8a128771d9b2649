"""From what networks see of a part to what is answered, written as nodes.

The same nodes run in training as in the file. Letters: B parts, H height, W width, T types,
K = T + 1 classes, the first of them "good".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import GraphBuilder
from industry_apps.recipes.anomaly.threshold import AlarmThreshold

__all__ = ["KnownDefects", "MapDefects", "UnknownDefects"]

_WHITE = 255.0
_Floats = NDArray[np.float64]
#: A defect of a pair of images is as sure as the surest square of so many pixels a side.
_SQUARE = 3
#: Standard deviations over which a map of scores goes from half of white to three quarters.
_SLOPE = 4.0
#: Of scores of good parts, as a share of their median.
_LEAST_SPREAD = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDefects:
    """How log-odds of pixels and of the part become an answer, where defects were learned.

    Parameters
    ----------
    classes : tuple of str
        K names, the first that of good parts.
    scale, shift : float
        The log-odds of the part are multiplied by the first; to those of all types the second is
        then added. Both are calibrated on validation parts.
    threshold : AlarmThreshold
        Of the probability of a defect.
    pixel : float
        A pixel is marked where it is defective with this probability.
    """

    classes: tuple[str, ...]
    scale: float
    shift: float
    threshold: AlarmThreshold
    pixel: float

    def write(self, builder: GraphBuilder, image: str, pixels: str, part: str) -> dict[str, str]:
        """Append what is answered.

        Parameters
        ----------
        builder : GraphBuilder
        image : str
            Tensor [B, H, W, C] of bytes.
        pixels, part : str
            Tensors [B, 1 + T, H, W] and [B, K] of log-odds.

        Returns
        -------
        dict of str to str
            Output -> tensor.
        """
        shift = np.array([[0.0] + [self.shift] * (len(self.classes) - 1)], dtype=np.float32)
        scaled = builder.node("Mul", part, builder.constant(np.float32(self.scale)))
        odds = builder.node("Add", scaled, builder.constant(shift))
        likely = builder.node("Softmax", odds, attributes={"axis": 1})  # [B, K]
        types = _sliced(builder, likely, 1, len(self.classes))
        bad = builder.node("ReduceSum", types, builder.constant(np.array([1])))  # [B, 1]
        return {
            **_decided(builder, image, bad, types, self.classes, self.threshold),
            "probabilities": likely,
            **_marked(builder, pixels, self.pixel),
        }

    def probabilities(self, odds: _Floats) -> _Floats:
        """Log-odds of parts [rows, K] -> probabilities [rows, K], in training."""
        return _calibrated(odds, self.scale, self.shift)

    @staticmethod
    def calibration(odds: _Floats, types: NDArray[np.intp]) -> tuple[float, float]:
        """Learn scale and shift of the least log-loss.

        Two numbers, and not one for each type: of a rare one there are few parts to tell by.

        Parameters
        ----------
        odds : ndarray of shape [rows, K]
            Of parts that were not learned from.
        types : ndarray of int, shape [rows]

        References
        ----------
        Guo et al. (2017), On calibration of modern neural networks, arXiv:1706.04599.
        """
        from scipy.optimize import minimize

        def loss(numbers: _Floats) -> float:
            likely = _calibrated(odds, float(np.exp(numbers[0])), float(numbers[1]))
            true = np.take_along_axis(likely, types[:, None], axis=1)
            return float(-np.log(np.maximum(true, 1e-12)).mean() + 1e-3 * (numbers**2).sum())

        found = minimize(loss, np.zeros(2), method="Nelder-Mead").x
        return float(np.exp(found[0])), float(found[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class MapDefects:
    """How log-odds of pixels alone become an answer: of pairs of images.

    Parameters
    ----------
    classes, threshold, pixel
        As for :class:`KnownDefects`.
    """

    classes: tuple[str, ...]
    threshold: AlarmThreshold
    pixel: float

    def write(self, builder: GraphBuilder, image: str, pixels: str, part: str) -> dict[str, str]:
        """Append what is answered, as :meth:`KnownDefects.write` does."""
        del part  # what a whole board is follows from its places
        node, constant = builder.node, builder.constant
        bad = node("Sigmoid", _sliced(builder, pixels, 0, 1))  # [B, 1, H, W]
        settings = {"kernel_shape": [_SQUARE] * 2, "pads": [_SQUARE // 2] * 4}
        smooth = node("AveragePool", bad, attributes={**settings, "count_include_pad": 0})
        sides = constant(np.array([2, 3]))
        surest = node("Squeeze", node("ReduceMax", smooth, sides), sides)  # [B, 1]
        kinds = node(
            "Softmax", _sliced(builder, pixels, 1, len(self.classes)), attributes={"axis": 1}
        )
        areas = node("Squeeze", node("ReduceMean", node("Mul", kinds, bad), sides), sides)  # [B, T]
        total = node("ReduceSum", areas, constant(np.array([1])))
        shares = node("Div", areas, node("Max", total, constant(np.float32(1e-12))))
        types = node("Mul", shares, surest)
        good = node("Sub", constant(np.float32(1)), surest)
        return {
            **_decided(builder, image, surest, types, self.classes, self.threshold),
            "probabilities": node("Concat", good, types, attributes={"axis": 1}),
            **_marked(builder, pixels, self.pixel),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparable:
    """What makes the scores of several scorers comparable: their mean is the answer.

    Parameters
    ----------
    centres, spreads : tuple of float
        Of each scorer: median and standard deviation of its scores of good validation parts.
    """

    centres: tuple[float, ...]
    spreads: tuple[float, ...]

    @classmethod
    def learned(cls, scores: _Floats) -> Self:
        """Learn from scores of good parts [rows, scorers] that were not learned from.

        Parameters
        ----------
        scores : ndarray of shape [rows, scorers]
        """
        centres, spreads = np.median(scores, axis=0), scores.std(axis=0)
        # What hardly varies among good parts says little: it is not drawn out, nor is its rounding.
        least = np.maximum(spreads, _LEAST_SPREAD * np.maximum(1, np.abs(centres)))
        return cls(centres=tuple(map(float, centres)), spreads=tuple(map(float, least)))

    def mean(self, scores: _Floats) -> _Floats:
        """Scores [rows, scorers] -> one score [rows], in training."""
        found: _Floats = ((scores - self.centres) / np.array(self.spreads)).mean(axis=1)
        return found

    def write(self, builder: GraphBuilder, tensor: str, axes: int) -> str:
        """Append the mean over the scorers of a tensor [B, scorers, ...] of so many axes."""
        shape = (1, -1, *(1,) * (axes - 2))
        scale = (1 / np.array(self.spreads) / len(self.spreads)).astype(np.float32)
        centre = builder.constant(np.array(self.centres, dtype=np.float32).reshape(shape))
        apart = builder.node("Sub", tensor, centre)
        scaled = builder.node("Mul", apart, builder.constant(scale.reshape(shape)))
        return builder.node("ReduceSum", scaled, builder.constant(np.array([1])))


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownDefects:
    """How scores become an answer where no defect was ever seen.

    Parameters
    ----------
    scores, places : Comparable
        Of parts, and of the largest score of any place of a part.
    threshold : AlarmThreshold
        Of the mean score of a part.
    place : float
        A pixel is marked where its mean score is as large.
    """

    scores: Comparable
    places: Comparable
    threshold: AlarmThreshold
    place: float

    @classmethod
    def learned(
        cls,
        scores: _Floats,
        maps: NDArray[np.object_],
        *,
        groups: NDArray[Any],
        rate: float,
        threshold: float | None,
    ) -> Self:
        """Learn from good parts that no scorer has learned from.

        Parameters
        ----------
        scores : ndarray of shape [rows, scorers]
        maps : ndarray of object, shape [rows]
            Each [maps, H, W].
        groups : ndarray of shape [rows]
            Photographs of one part have the same value.
        rate : float
            Wanted share of false alarms, and of good parts of which any pixel is marked.
        threshold : float, optional
            The user's own, of parts.
        """
        of_parts = Comparable.learned(scores)
        means = of_parts.mean(scores)
        most = np.array([each.max(axis=(1, 2)) for each in maps], dtype=np.float64)
        of_places = Comparable.learned(most)
        largest = [
            of_places.mean(each.reshape(len(each), -1).T.astype(np.float64)).max() for each in maps
        ]
        own = None if threshold is None else AlarmThreshold.given(threshold, means, groups)
        return cls(
            scores=of_parts,
            places=of_places,
            threshold=own or AlarmThreshold.at_rate(means, rate, groups),
            place=AlarmThreshold.at_rate(np.array(largest), rate).value,
        )

    def write(self, builder: GraphBuilder, image: str, maps: str, scores: str) -> dict[str, str]:
        """Append what is answered.

        Parameters
        ----------
        builder : GraphBuilder
        image : str
            Tensor [B, H, W, C] of bytes.
        maps, scores : str
            Tensors [B, maps, H, W] and [B, scorers].
        """
        node, constant = builder.node, builder.constant
        score = self.scores.write(builder, scores, 2)  # [B, 1]
        places = self.places.write(builder, maps, 4)  # [B, 1, H, W]
        least = constant(np.float32(self.place))
        alarm = node("GreaterOrEqual", score, constant(np.float32(self.threshold.value)))
        apart = node("Mul", node("Sub", places, least), constant(np.float32(1 / _SLOPE)))
        # Half of white at the threshold, and never quite white: nothing is cut off.
        heat = node("Mul", node("Sigmoid", apart), constant(np.float32(_WHITE)))
        marked = builder.cast(node("GreaterOrEqual", places, least), np.float32)
        return {
            "anomaly_score": score,
            "is_defect": node("Or", alarm, _is_flat(builder, image)),
            "mask": _bytes(builder, marked),
            "heat_map": _bytes(builder, heat),
        }


def decision_facts(decision: KnownDefects | MapDefects | UnknownDefects) -> dict[str, Any]:
    """What decides, as JSON values for the model file."""
    facts = decision.threshold.facts()
    if isinstance(decision, UnknownDefects):
        return {**facts, "pixel_threshold": decision.place}
    return {**facts, "pixel_threshold": decision.pixel}


def _decided(
    builder: GraphBuilder,
    image: str,
    bad: str,
    types: str,
    classes: tuple[str, ...],
    threshold: AlarmThreshold,
) -> Mapping[str, str]:
    """Probability of a defect [B, 1], decision, and the likeliest type of what is one."""
    node, constant = builder.node, builder.constant
    flat, one = _is_flat(builder, image), constant(np.ones((1, 1), dtype=np.float32))
    # The sum of the types is 1 and a rounding where all of them are likely.
    least = node("Min", bad, one)
    # A single shade is no photograph of a part: it is not let through.
    sure = node("Where", flat, one, least)
    alarm = node("GreaterOrEqual", sure, constant(np.float32(threshold.value)))
    stop = node("Or", alarm, flat)
    number = node("ArgMax", types, attributes={"axis": 1})  # [B, 1]
    shifted = node("Add", number, constant(np.array(1)))
    chosen = node("Mul", shifted, builder.cast(stop, np.int64))
    return {
        "defect_probability": sure,
        "is_defect": stop,
        "defect_type": node("Gather", constant(np.array(classes, dtype=object)), chosen),
    }


def _marked(builder: GraphBuilder, pixels: str, least: float) -> Mapping[str, str]:
    """Mask of types and map of probabilities [B, H, W] of log-odds [B, 1 + T, H, W]."""
    node = builder.node
    bad = node("Sigmoid", _sliced(builder, pixels, 0, 1))
    kinds = _sliced(builder, pixels, 1, 2**31)
    number = builder.cast(node("ArgMax", kinds, attributes={"axis": 1}), np.float32)
    marked = node("GreaterOrEqual", bad, builder.constant(np.float32(least)))
    one = builder.constant(np.float32(1))
    mask = node("Mul", builder.cast(marked, np.float32), node("Add", number, one))
    return {
        "mask": _bytes(builder, mask),
        "heat_map": _bytes(builder, node("Mul", bad, builder.constant(np.float32(_WHITE)))),
    }


def _bytes(builder: GraphBuilder, planes: str) -> str:
    """Numbers [B, 1, H, W] rounded to bytes [B, H, W]."""
    plane = builder.node("Squeeze", builder.node("Round", planes), builder.constant(np.array([1])))
    return builder.cast(plane, np.uint8)


def _is_flat(builder: GraphBuilder, image: str) -> str:
    """Whether an image [B, H, W, C] is of a single shade [B, 1]."""
    numbers = builder.cast(image, np.float32)
    settings = {"keepdims": 0}
    sides = builder.constant(np.array([1, 2, 3]))
    most = builder.node("ReduceMax", numbers, sides, attributes=settings)
    least = builder.node("ReduceMin", numbers, sides, attributes=settings)
    flat = builder.node("Equal", most, least)
    return builder.node("Unsqueeze", flat, builder.constant(np.array([1])))


def _sliced(builder: GraphBuilder, tensor: str, first: int, end: int) -> str:
    """Channels of a tensor [B, channels, ...]."""
    limits = (builder.constant(np.array([each])) for each in (first, end, 1))
    return builder.node("Slice", tensor, *limits)


def _calibrated(odds: _Floats, scale: float, shift: float) -> _Floats:
    from scipy.special import softmax

    shifts = np.append(0.0, np.full(odds.shape[1] - 1, shift))
    found: _Floats = softmax(odds * scale + shifts, axis=1)
    return found
