"""Cepstra of a voice as nodes: what shapes its spectrum, by its mean and how it moves.

Cepstral coefficients of mel bands (Davis and Mermelstein 1980, doi:10.1109/TASSP.1980.1163420) with
their slopes over five frames (Furui 1986, doi:10.1109/TASSP.1986.1164788), of the frames that are
less than 30 dB below the loudest: mean, deviation, and the size of the slopes. The mean of the
first, how loud the recording is, is left out: it tells of the microphone.

All is computed in double precision: sums over a recording alone and over one that is padded to a
longer one beside it are of another order.

Letters: B recordings, T samples, R frames, W samples of one, M bands, K coefficients, F features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import GraphBuilder
from industry_apps.recipes.verification.harmonics import repeating

_Floats = NDArray[np.float64]

#: Seconds of a frame, and from the start of one to that of the next.
_FRAME, _STEP = 0.032, 0.01
#: Of the sample before, what is taken off each: voices have little energy at high frequencies.
_EMPHASIS = 0.97
#: Hz from which on bands are laid.
_LOWEST = 60.0
#: Share of the loudest frame's energy from which on a frame is voice: -30 dB.
_VOICED = 1e-3
#: Share of it that is added to each band: what is fainter is noise of the microphone.
_FLOOR = 1e-7
#: Energy of a frame that is silent, of samples from -1 to 1.
_SILENT = 1e-12
#: Frames on either side over which a slope is taken.
_SLOPE = 2


@dataclass(frozen=True, slots=True)
class Cepstra:
    """What recordings are described by.

    Parameters
    ----------
    rate : int
        Samples a second.
    bands : int
        M.
    coefficients : int
        K, at most as many as bands.

    Examples
    --------
    >>> Cepstra(8000, bands=40, coefficients=40).length
    119
    """

    rate: int
    bands: int
    coefficients: int

    @property
    def length(self) -> int:
        """F."""
        return 3 * self.coefficients - 1

    def write(self, builder: GraphBuilder, samples: str) -> str:
        """Write [B, T] float32, NaN behind the end of each -> [B, F] float32."""
        return self.heard(builder, samples)[0]

    def heard(self, builder: GraphBuilder, samples: str) -> tuple[str, str]:
        """Write the same, and the share of the sound that repeats itself [B, 1] float32."""
        node, constant = builder.node, builder.constant
        known = node("Not", node("IsNaN", samples))
        count = node("ReduceSum", builder.cast(known, np.int64), constant(np.array([1])))
        exact = builder.cast(node("Where", known, samples, constant(np.float32(0))), np.float64)
        scaled = node("Mul", exact, constant(np.float64(2.0**-15)))
        squares, place = self._squares(builder, scaled)
        energy, total = self._energies(builder, squares)
        behind = node("Sub", count, constant(np.array([self._size])))
        frames = node("Add", node("Div", behind, constant(np.array([self._step]))), _one(builder))
        frames = node("Max", frames, _one(builder))  # [B, 1]
        there = node("Less", place, frames)  # [B, R]
        loud = node("Where", there, total, constant(np.float64(0)))
        loudest = node("ReduceMax", loud, constant(np.array([1])))
        loudest = node("Max", loudest, constant(np.float64(_SILENT)))  # [B, 1]
        least = node("Mul", loudest, constant(np.float64(_VOICED)))
        voiced = node("And", there, node("GreaterOrEqual", total, least))
        floor = node("Mul", loudest, constant(np.float64(_FLOOR)))
        wide = node("Unsqueeze", floor, constant(np.array([2])))  # [B, 1, 1]
        bands = node("Log", node("Add", energy, wide))
        cepstra = node("MatMul", bands, constant(_cosines(self.bands, self.coefficients).T))
        moving = _slopes(builder, cepstra, there, voiced)
        mean, deviation = _moments(builder, cepstra, voiced)
        shape = builder.part(mean, 1, self.coefficients)
        described = builder.cast(builder.concat([shape, deviation, moving]), np.float32)
        whole, again = (
            _mean(builder, each, voiced)
            for each in repeating(builder, squares, self.rate, np.hanning(self._size - 1))
        )
        share = node("Div", again, node("Max", whole, constant(np.float64(_SILENT))))
        share = node("Max", share, constant(np.float64(0)))  # A click may have less, by rounding.
        return described, builder.cast(share, np.float32)

    @property
    def _size(self) -> int:
        """W: samples of a frame, and the one before it."""
        return round(_FRAME * self.rate) + 1

    @property
    def _step(self) -> int:
        return round(_STEP * self.rate)

    def _squares(self, builder: GraphBuilder, scaled: str) -> tuple[str, str]:
        """Squares of cosines and sines of frames [B, R, 2 * frequencies], and their numbers [R]."""
        node, constant = builder.node, builder.constant
        least = np.array([0, 0, 0, self._size + 2 * _SLOPE * self._step])  # a frame, whatever T
        padded = node("Pad", scaled, constant(least))
        samples = node("Shape", padded, attributes={"start": 1})
        last = node("Sub", samples, constant(np.array([self._size - 1])))
        scalar = constant(np.array(0))
        stop = node("Squeeze", last)
        start = node("Range", scalar, stop, constant(np.array(self._step)))  # [R]
        column = node("Unsqueeze", start, constant(np.array([1])))
        within = node("Add", column, constant(np.arange(self._size)))  # [R, W]
        frames = node("Gather", padded, within, attributes={"axis": 1})  # [B, R, W]
        waves = node("MatMul", frames, constant(self._waves()))
        return node("Mul", waves, waves), node("Div", start, constant(np.array(self._step)))

    def _energies(self, builder: GraphBuilder, squares: str) -> tuple[str, str]:
        """Energies of bands [B, R, M] and of whole frames [B, R]."""
        both = builder.node("MatMul", squares, builder.constant(self._weights()))  # [B, R, M + 1]
        bands = builder.part(both, 0, self.bands, axis=2)
        whole = builder.part(both, self.bands, self.bands + 1, axis=2)
        return bands, builder.node("Squeeze", whole, builder.constant(np.array([2])))

    def _waves(self) -> _Floats:
        """Samples [W] -> cosines and sines, once they are emphasised and windowed."""
        size = self._size - 1
        points = _points(size)
        turns = 2 * np.pi * np.arange(points // 2 + 1) * np.arange(size)[:, None] / points
        both = np.hstack([np.cos(turns), np.sin(turns)]) * np.hanning(size)[:, None]
        found = np.zeros((self._size, both.shape[1]))
        found[1:] += both
        found[:-1] -= _EMPHASIS * both
        return found

    def _weights(self) -> _Floats:
        """Squares of cosines and sines -> energies of the bands, and of all frequencies."""
        points = _points(self._size - 1)
        hertz = np.arange(points // 2 + 1) * self.rate / points
        lowest, highest = _mel(np.array([_LOWEST, self.rate / 2])).tolist()
        edges = _hertz(np.linspace(lowest, highest, self.bands + 2))
        low, middle, high = edges[:-2], edges[1:-1], edges[2:]
        rising = (hertz[:, None] - low) / (middle - low)
        falling = (high - hertz[:, None]) / (high - middle)
        triangles = np.maximum(0, np.minimum(rising, falling))
        return np.tile(np.hstack([triangles, np.ones((len(hertz), 1))]), (2, 1))


def _slopes(builder: GraphBuilder, cepstra: str, there: str, voiced: str) -> str:
    """Root of the mean square of slopes over five frames that are all there: [B, K]."""
    node, constant = builder.node, builder.constant
    most, wide = int(np.iinfo(np.int64).max), 2 * _SLOPE
    squares = sum(shift**2 for shift in range(-_SLOPE, _SLOPE + 1))
    slope = ""
    for place in range(wide + 1):
        weight = constant(np.float64((place - _SLOPE) / squares))
        part = node("Mul", builder.part(cepstra, place, place - wide or most), weight)
        slope = node("Add", slope, part) if slope else part  # [B, R - 4, K]
    middle = builder.part(voiced, _SLOPE, -_SLOPE)
    inside = node("And", middle, builder.part(there, wide, most))
    mean = _mean(builder, node("Mul", slope, slope), inside)
    return node("Sqrt", mean)


def _moments(builder: GraphBuilder, values: str, chosen: str) -> tuple[str, str]:
    """Mean and deviation [B, K] of values [B, R, K] in the chosen frames [B, R]."""
    node = builder.node
    mean = _mean(builder, values, chosen)
    apart = node("Sub", values, node("Unsqueeze", mean, builder.constant(np.array([1]))))
    return mean, node("Sqrt", _mean(builder, node("Mul", apart, apart), chosen))


def _mean(builder: GraphBuilder, values: str, chosen: str) -> str:
    """Mean [B, K] of values [B, R, K] in the chosen frames [B, R]; 0 where there are none."""
    node, constant = builder.node, builder.constant
    weight = builder.cast(chosen, np.float64)
    count = node("ReduceSum", weight, constant(np.array([1])))  # [B, 1]
    each = node("Unsqueeze", chosen, constant(np.array([2])))
    kept = node("Where", each, values, constant(np.float64(0)))
    total = node("ReduceSum", kept, constant(np.array([1])), attributes={"keepdims": 0})
    return node("Div", total, node("Max", count, constant(np.float64(1))))


def _points(size: int) -> int:
    """Points of the Fourier transform: the next power of two."""
    return 1 << (size - 1).bit_length()


def _mel(hertz: _Floats) -> _Floats:
    found: _Floats = 2595 * np.log10(1 + hertz / 700)
    return found


def _hertz(mel: _Floats) -> _Floats:
    found: _Floats = 700 * (10 ** (mel / 2595) - 1)
    return found


def _cosines(bands: int, coefficients: int) -> _Floats:
    """The orthonormal cosine transform of bands [K, M]."""
    turns = np.pi * np.arange(coefficients)[:, None] * (np.arange(bands) + 0.5) / bands
    found: _Floats = np.sqrt(2 / bands) * np.cos(turns)
    found[0] /= np.sqrt(2)
    return found


def _one(builder: GraphBuilder) -> str:
    return builder.constant(np.array([1]))
