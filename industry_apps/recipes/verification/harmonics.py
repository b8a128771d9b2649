"""How much of a sound repeats itself, as voiced speech does and noise does not, as nodes.

The peak of the autocorrelation of each frame over the periods of a voice (Boersma 1993, Accurate
short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled
sound), by which the energy of frames is weighed. Of frequencies that every rate has.

Letters: B recordings, R frames, P points of a Fourier transform, L periods.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import GraphBuilder

_Floats = NDArray[np.float64]
#: Hz of the voices whose periods are tried, and up to which a sound is heard.
_LOWEST, _HIGHEST, _HEARD = 70.0, 400.0, 4000.0


def repeating(builder: GraphBuilder, squares: str, rate: int, window: _Floats) -> tuple[str, str]:
    """Write the energy of each frame, and what of it repeats itself: [B, R, 1] each.

    Parameters
    ----------
    builder : GraphBuilder
    squares : str
        Squares of cosines and of sines [B, R, P + 2] of windowed frames.
    rate : int
        Samples a second.
    window : ndarray of shape [samples]
        What each frame was multiplied by.
    """
    points = 1 << (len(window) - 1).bit_length()
    turns = np.arange(points // 2 + 1) / points
    heard = (turns > 0) & (turns * rate < _HEARD)
    period = np.arange(round(rate / _HIGHEST), round(rate / _LOWEST) + 1)
    overlap = np.correlate(window, window, "full")[len(window) - 1 :][period] / (window @ window)
    waves = np.cos(2 * np.pi * turns[:, None] * period) / overlap
    weights = np.tile(heard[:, None] * np.hstack([np.ones((len(turns), 1)), waves]), (2, 1))
    both = builder.node("MatMul", squares, builder.constant(weights))  # [B, R, 1 + L]
    each = builder.part(both, 1, weights.shape[1], axis=2)
    peak = builder.node("ReduceMax", each, builder.constant(np.array([2])))
    return builder.part(both, 0, 1, axis=2), peak
