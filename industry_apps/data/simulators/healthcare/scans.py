"""Simulated grey images in which something may be seen, with the mask of what it is."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import ParameterError

__all__ = ["grey_scans"]

_FINDINGS = ("clear", "spot", "band")
_SHARES = (0.5, 0.3, 0.2)
#: Standard deviation of the noise, in steps of 1 of 255.
_NOISE = 14.0
#: How much brighter than its surroundings a finding is.
_FAINTEST, _BRIGHTEST = 25.0, 70.0


def grey_scans(images: int = 4_000, size: int = 32, seed: int = 0) -> pd.DataFrame:
    """Simulate grey images: uneven ground and noise, and in half of them a spot or a band.

    Parameters
    ----------
    images : int
        At least 1.
    size : int
        Pixels of both sides, at least 8.
    seed : int

    Returns
    -------
    pandas.DataFrame
        ``image`` (uint8 [size, size]), ``finding`` ("clear", "spot" or "band"), ``mask`` (uint8
        [size, size], 255 where the finding lies and 0 elsewhere).

    Examples
    --------
    >>> frame = grey_scans(images=3, size=16)
    >>> frame["image"][0].shape, frame["finding"].isin(["clear", "spot", "band"]).all()
    ((16, 16), np.True_)
    """
    if images < 1 or size < 8:
        raise ParameterError(
            f"Images are simulated in numbers >= 1 and sizes >= 8; got {images} and {size}."
        )
    draw = np.random.default_rng(seed)
    findings = draw.choice(np.array(_FINDINGS, dtype=object), images, p=_SHARES)
    rows, columns = np.indices((size, size)) / size  # in [0, 1)
    pixels, masks = [], []
    for finding in findings:
        mask = _mask(finding, rows, columns, draw)
        ground = 90 + 40 * np.sin(draw.uniform(0, 6.3) + 3 * rows + 2 * columns * draw.normal())
        brighter = draw.uniform(_FAINTEST, _BRIGHTEST) * mask
        grey = ground + brighter + draw.normal(0, _NOISE, (size, size))
        pixels.append(np.clip(grey, 0, 255).astype(np.uint8))
        masks.append(((mask > 0.5) * 255).astype(np.uint8))
    return pd.DataFrame({"image": pixels, "finding": findings, "mask": masks})


def _mask(
    finding: str, rows: NDArray[np.float64], columns: NDArray[np.float64], draw: np.random.Generator
) -> NDArray[np.float64]:
    """How much of the finding each place holds, from 0 to 1."""
    if finding == "clear":
        return np.zeros_like(rows)
    centre = draw.uniform(0.25, 0.75, 2)
    if finding == "spot":
        distance = np.hypot(rows - centre[0], columns - centre[1])
        return 1 / (1 + np.exp(40 * (distance - draw.uniform(0.08, 0.16))))
    angle = draw.uniform(0, np.pi)
    across = (rows - centre[0]) * np.cos(angle) + (columns - centre[1]) * np.sin(angle)
    return 1 / (1 + np.exp(60 * (np.abs(across) - draw.uniform(0.03, 0.06))))
