"""Simulated impressions of fingers that do not exist.

As SFinGe does (Cappelli 2004, doi:10.1007/978-3-642-28273-1; Cappelli, Maio, Maltoni 2002,
doi:10.1109/ICPR.2002.1048096): the directions of the ridges follow from cores and deltas by the
zero-pole model (Sherlock and Monro 1993, doi:10.1016/0031-3203(93)90006-I), the ridges grow out of
noise by filters of Gabor along these directions, again and again, and each impression shows a part
of them, moved, turned, stretched, pressed and soiled. Classes are as frequent as in nature.

Letters: H, W pixels of the pattern, at 250 dots an inch; K directions.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import ParameterError

__all__ = ["finger_prints"]

_Floats = NDArray[np.float64]

#: Share of each class (Wilson, Candela, Watson 1994): left loop, right loop, whorl, arch, tented.
_CLASSES = ("left loop", "right loop", "whorl", "arch", "tented arch")
_SHARES = (0.338, 0.317, 0.279, 0.037, 0.029)
#: Directions of filters, rounds of filtering, and by how much a filter's answer is drawn out.
_DIRECTIONS, _ROUNDS, _GAIN = 16, 8, 3.0
#: Pixels of one ridge and valley, at 250 dots an inch: 8 to 10.5 at 500.
_PERIOD = (4.0, 5.2)
#: Pattern beyond the impression on each side, in pixels at 500 dots an inch.
_MARGIN = 48
#: Of an impression, standard deviations: degrees, and pixels at 500 dots an inch.
_TURN, _MOVE, _STRETCH = 8.0, 14.0, 2.5


def finger_prints(
    persons: int = 40, impressions: int = 6, width: int = 224, height: int = 288, seed: int = 0
) -> pd.DataFrame:
    """Simulate impressions of fingers at 500 dots an inch, one finger a person.

    Parameters
    ----------
    persons : int
        At least 2.
    impressions : int
        Of each person, at least 1.
    width, height : int
        Pixels, at least 96.
    seed : int

    Returns
    -------
    pandas.DataFrame
        ``image`` (uint8 [height, width]), ``person`` ("P001" and so on), in the order of persons.

    Examples
    --------
    >>> frame = finger_prints(persons=2, impressions=2, width=96, height=96)
    >>> frame["image"][0].shape, frame["person"].value_counts().to_dict()
    ((96, 96), {'P001': 2, 'P002': 2})
    """
    if persons < 2 or impressions < 1 or min(width, height) < 96:
        raise ParameterError(
            "Fingers are simulated of 2 persons or more, 1 impression or more of each, and 96 "
            f"pixels or more a side; got {persons}, {impressions}, {width} and {height}."
        )
    draw = np.random.default_rng(seed)
    rows = []
    for number in range(1, persons + 1):
        pattern = _pattern((height // 2 + _MARGIN, width // 2 + _MARGIN), draw)
        for _ in range(impressions):
            image = _impression(pattern, (height, width), draw)
            rows.append({"image": image, "person": f"P{number:03d}"})
    return pd.DataFrame(rows)


def _pattern(shape: tuple[int, int], draw: np.random.Generator) -> _Floats:
    """Ridges of one finger [H, W], -1 to 1."""
    angle = _directions(shape, draw)
    period = draw.uniform(*_PERIOD)
    place = np.mod(angle, np.pi) / np.pi * _DIRECTIONS
    first = np.floor(place).astype(int) % _DIRECTIONS
    share = place - np.floor(place)
    filters = _filters(shape, period)
    ridges = draw.normal(size=shape)
    for _ in range(_ROUNDS):
        spectrum = np.fft.rfft2(ridges)
        answers = np.fft.irfft2(filters * spectrum, s=shape)  # [K, H, W]
        one = np.take_along_axis(answers, first[None], axis=0)[0]
        other = np.take_along_axis(answers, ((first + 1) % _DIRECTIONS)[None], axis=0)[0]
        both = (1 - share) * one + share * other
        ridges = np.tanh(_GAIN * both / both.std())
    return ridges


def _directions(shape: tuple[int, int], draw: np.random.Generator) -> _Floats:
    """Directions of ridges [H, W], radians from the horizontal, upwards."""
    kind = draw.choice(_CLASSES, p=_SHARES)
    height, width = shape
    down, across = np.indices(shape)
    size = min(shape)
    x, y = (across - width / 2) / size, (height / 2 - down) / size  # y upwards
    x = x + _smooth(shape, draw, 0.03)
    y = y + _smooth(shape, draw, 0.03)
    off = draw.normal(0, 0.04, 8)
    if kind == "arch":
        bow = np.exp(-(((y - off[0]) / 0.4) ** 2)) * draw.uniform(0.6, 1.0)
        found: _Floats = np.arctan(-bow * np.sin(np.clip(2.6 * (x - off[1]), -np.pi, np.pi)))
        return found
    side = {"left loop": -1.0, "right loop": 1.0}.get(kind, 0.0)
    if kind == "whorl":
        apart = draw.uniform(0.06, 0.16)
        cores = [complex(off[0], 0.05 + apart), complex(off[1], 0.05 - apart)]
        wide = draw.uniform(0.34, 0.5)
        deltas = [complex(-wide + off[2], -0.42 + off[3]), complex(wide + off[4], -0.42 + off[5])]
    else:
        cores = [complex(off[0], 0.08 + off[1])]
        reach = draw.uniform(0.24, 0.42) * side
        deltas = [complex(off[0] - reach + off[2], -0.4 + off[3])]
    at = x + 1j * y
    around = np.sum([np.angle(at - core) for core in cores], axis=0)
    turns = around - np.sum([np.angle(at - delta) for delta in deltas], axis=0)
    half: _Floats = turns / 2 + draw.normal(0, 0.04)
    return half


def _filters(shape: tuple[int, int], period: float) -> _Floats:
    """Answers of Gabor filters to each frequency [K, H, W // 2 + 1], one a direction of ridges."""
    down = np.fft.fftfreq(shape[0])[:, None]
    across = np.fft.rfftfreq(shape[1])[None, :]
    spread = 0.45 / (np.pi * period)
    made = []
    for angle in np.arange(_DIRECTIONS) * np.pi / _DIRECTIONS:
        # Waves run across the ridges; rows are counted downwards.
        u, v = -np.sin(angle) / period, -np.cos(angle) / period
        near = [(across - s * u) ** 2 + (down - s * v) ** 2 for s in (1, -1)]
        made.append(sum(np.exp(-each / (2 * spread**2)) for each in near))
    return np.array(made)


def _impression(
    pattern: _Floats, shape: tuple[int, int], draw: np.random.Generator
) -> NDArray[np.uint8]:
    """One impression of a finger [height, width]."""
    from scipy.ndimage import gaussian_filter, map_coordinates

    height, width = shape
    down, across = np.indices(shape, dtype=np.float64)
    y, x = down - height / 2, across - width / 2
    angle, (dy, dx) = np.deg2rad(draw.normal(0, _TURN)), draw.normal(0, _MOVE, 2)
    turned = np.cos(angle) * y - np.sin(angle) * x, np.sin(angle) * y + np.cos(angle) * x
    rows = turned[0] + dy + _smooth(shape, draw, _STRETCH)
    columns = turned[1] + dx + _smooth(shape, draw, _STRETCH)
    places = [rows / 2 + pattern.shape[0] / 2, columns / 2 + pattern.shape[1] / 2]
    ridges = map_coordinates(pattern, places, order=1, mode="nearest")

    pressure = draw.normal(0, 0.25) + _smooth(shape, draw, 0.25)  # wide ridges, or thin ones
    dry = gaussian_filter(draw.normal(size=shape), 0.8)
    ink = 1 / (1 + np.exp(-5 * (ridges + pressure + draw.uniform(0.4, 2.0) * dry)))
    centre = draw.normal(0, 0.06, 2)
    reach = draw.uniform(0.8, 1.1)
    far = np.hypot((y / height - centre[0]) / 0.5, (x / width - centre[1]) / 0.42) / reach
    cover = 1 / (1 + np.exp(18 * (far - 1 + _smooth(shape, draw, 0.05))))
    spot = draw.uniform(-0.5, 0.5, 2)  # where the finger hardly touched
    lost = np.exp(-(((y / height - spot[0]) ** 2 + (x / width - spot[1]) ** 2) / 0.02))
    cover = cover * (1 - draw.uniform(0, 0.9) * lost)

    paper = draw.uniform(170, 235) * (1 - draw.uniform(0, 0.15) * np.hypot(y / height, x / width))
    dark = draw.uniform(0.55, 0.95)
    grey = gaussian_filter(paper * (1 - dark * ink * cover), draw.uniform(0.5, 0.9))
    noisy = grey + draw.normal(0, draw.uniform(2, 6), shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def _smooth(shape: tuple[int, int], draw: np.random.Generator, size: float) -> _Floats:
    """A smooth random surface of a standard deviation [height, width]."""
    from scipy.ndimage import zoom

    rough = draw.normal(0, size, (5, 5))
    made: _Floats = zoom(rough, (shape[0] / 5, shape[1] / 5), order=3, mode="nearest")
    return made[: shape[0], : shape[1]]
