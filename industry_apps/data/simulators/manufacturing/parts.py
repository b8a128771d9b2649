"""Simulated photographs of parts: brushed metal with a printed pattern, some with a defect."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import ParameterError

__all__ = ["part_photographs"]

_KINDS = ("good", "scratch", "pit", "stain")
_SHARES = (0.55, 0.15, 0.15, 0.15)
#: Standard deviation of the noise, in steps of 1 of 255.
_NOISE = 5.0
#: By how many steps a defect departs from what is around it.
_FAINTEST, _STRONGEST = 35.0, 80.0
_LEAST = 24

_Floats = NDArray[np.float64]


def part_photographs(parts: int = 2_000, size: int = 48, seed: int = 0) -> pd.DataFrame:
    """Simulate photographs of parts, each beside a photograph of a good one of the same print.

    Parameters
    ----------
    parts : int
        At least 1.
    size : int
        Pixels of the height, at least 24; the width is a quarter more.
    seed : int

    Returns
    -------
    pandas.DataFrame
        ``image`` and ``reference`` (uint8 [size, 1.25 size]), ``defect`` ("good", "scratch",
        "pit" or "stain"), ``mask`` (uint8, 255 where the defect lies and 0 elsewhere).

    Examples
    --------
    >>> frame = part_photographs(parts=3, size=24)
    >>> frame["image"][0].shape, set(frame["defect"]) <= {"good", "scratch", "pit", "stain"}
    ((24, 30), True)
    """
    if parts < 1 or size < _LEAST:
        raise ParameterError(
            f"Parts are simulated in numbers >= 1 and sizes >= {_LEAST}; got {parts} and {size}."
        )
    draw = np.random.default_rng(seed)
    kinds = draw.choice(np.array(_KINDS, dtype=object), parts, p=_SHARES)
    grid = np.indices((size, size + size // 4)).astype(np.float64)
    rows = []
    for kind in kinds:
        ground = _ground(grid, draw)
        mask = _mask(kind, grid, draw)
        sign = draw.choice([-1.0, 1.0]) if kind == "stain" else -1.0
        shade = sign * draw.uniform(_FAINTEST, _STRONGEST)
        # A stain shows through; a pit or a scratch hides what was there.
        through = 0.6 if kind == "stain" else 1.0
        images = [ground + through * shade * mask, ground]
        grey = [np.clip(each + draw.normal(0, _NOISE, each.shape), 0, 255) for each in images]
        rows.append([*(each.astype(np.uint8) for each in grey), kind, _bytes(mask)])
    return pd.DataFrame(rows, columns=["image", "reference", "defect", "mask"])


def _ground(grid: _Floats, draw: np.random.Generator) -> _Floats:
    """Brushed metal in uneven light, with two printed discs."""
    down, across = grid
    height, width = down.shape
    brushed = np.repeat(draw.normal(0, 6, (1, width)), height, axis=0)
    light = 20 * np.sin(draw.uniform(0, 6.3) + 2 * down / height + 2 * across / width)
    ground = 130 + brushed + light
    for _ in range(2):
        centre = draw.uniform(0.2, 0.8, 2) * (height, width)
        distance = np.hypot(down - centre[0], across - centre[1])
        ground = ground + 30 * (distance < draw.uniform(0.1, 0.2) * height)
    return ground


def _mask(kind: str, grid: _Floats, draw: np.random.Generator) -> _Floats:
    """1 where the defect lies and 0 elsewhere."""
    down, across = grid
    height, width = down.shape
    if kind == "good":
        return np.zeros_like(down)
    centre = draw.uniform(0.2, 0.8, 2) * (height, width)
    angle = draw.uniform(0, np.pi)
    along = (down - centre[0]) * np.cos(angle) + (across - centre[1]) * np.sin(angle)
    beside = (across - centre[1]) * np.cos(angle) - (down - centre[0]) * np.sin(angle)
    length = height * {"scratch": 0.35, "pit": 0.07, "stain": 0.22}[kind] * draw.uniform(0.8, 1.3)
    breadth = {"scratch": 1.0, "pit": length, "stain": length * draw.uniform(0.5, 0.9)}[kind]
    inside: _Floats = ((along / length) ** 2 + (beside / breadth) ** 2 <= 1).astype(np.float64)
    return inside


def _bytes(mask: _Floats) -> NDArray[np.uint8]:
    return (mask * 255).astype(np.uint8)
