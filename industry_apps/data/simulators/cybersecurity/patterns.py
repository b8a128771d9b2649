"""Simulated pictures of persons who do not exist: patterns of spots, each person with their own."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import ParameterError

__all__ = ["person_patterns"]

_SPOTS = 9
#: Spots of one picture lie off those of the pattern by so much of the side: what differs within a
#: person is of the size of what differs between two alike.
_MOVED = 0.022
_NOISE = 10.0  # standard deviation, in steps of 1 of 255


def person_patterns(
    persons: int = 60, pictures: int = 8, size: int = 48, seed: int = 0
) -> pd.DataFrame:
    """Simulate pictures of patterns: several of each person, moved, turned and lit in other ways.

    A pattern is a bright oval with dark and bright spots at places that are all people's, as eyes
    and mouth are, each a little elsewhere and of another size for each person. No face was used.

    Parameters
    ----------
    persons : int
        At least 2.
    pictures : int
        Of each person, at least 1.
    size : int
        Pixels of both sides, at least 16.
    seed : int

    Returns
    -------
    pandas.DataFrame
        ``image`` (uint8 [size, size]), ``person`` ("P001" and so on), in the order of persons.

    Examples
    --------
    >>> frame = person_patterns(persons=2, pictures=3, size=16)
    >>> frame["image"][0].shape, frame["person"].value_counts().to_dict()
    ((16, 16), {'P001': 3, 'P002': 3})
    """
    if persons < 2 or pictures < 1 or size < 16:
        raise ParameterError(
            "Patterns are simulated of 2 persons or more, 1 picture or more of each, and 16 pixels "
            f"or more; got {persons}, {pictures} and {size}."
        )
    draw = np.random.default_rng(seed)
    common = draw.uniform(-0.6, 0.6, (_SPOTS, 2))
    sign = np.where(np.arange(_SPOTS) % 3, -1.0, 1.0)
    rows = []
    for number in range(1, persons + 1):
        places = common + draw.normal(0, 0.09, common.shape)
        widths = draw.uniform(0.1, 0.24, (_SPOTS, 2))
        depths = sign * draw.uniform(25, 90, _SPOTS)
        for _ in range(pictures):
            image = _picture(places, widths, depths, size, draw)
            rows.append({"image": image, "person": f"P{number:03d}"})
    return pd.DataFrame(rows)


def _picture(
    places: NDArray[np.float64],
    widths: NDArray[np.float64],
    depths: NDArray[np.float64],
    size: int,
    draw: np.random.Generator,
) -> NDArray[np.uint8]:
    """One picture of a pattern [size, size]."""
    down, across = np.indices((size, size)) / (size - 1) * 2 - 1  # -1 to 1
    angle, scale = draw.normal(0, 0.06), np.exp(draw.normal(0, 0.05))
    shift = draw.normal(0, _MOVED * 2, 2)
    cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
    y = cosine * down - sine * across + shift[0]
    x = sine * down + cosine * across + shift[1]
    grey = 70 + 70 / (1 + np.exp(12 * (np.hypot(y / 0.95, x / 0.75) - 1)))
    moved = places + draw.normal(0, _MOVED, places.shape)
    for place, width, depth in zip(moved, widths, depths, strict=True):
        far = ((y - place[0]) / width[0]) ** 2 + ((x - place[1]) / width[1]) ** 2
        grey = grey + depth * np.exp(-far / 2)
    light = 1 + draw.normal(0, 0.15) * x + draw.normal(0, 0.15) * y
    noisy = grey * light * np.exp(draw.normal(0, 0.15)) + draw.normal(0, _NOISE, grey.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)
