"""Simulated recordings of persons who do not exist: a source of pulses through formants.

Fant (1960), Acoustic Theory of Speech Production; the resonators are Klatt's (1980,
doi:10.1121/1.383940), the formants of vowels about those of Peterson and Barney (1952,
doi:10.1121/1.1906875).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import ParameterError

__all__ = ["spoken_clips"]

_Floats = NDArray[np.float64]

#: Three formants of five vowels of a tract of usual length, Hz.
_VOWELS = np.array(
    [[730, 1090, 2440], [270, 2290, 3010], [300, 870, 2240], [530, 1840, 2480], [570, 840, 2410]]
)
#: Widths of the formants, and the place and width of a fourth that tells persons apart, Hz.
_WIDTHS, _FOURTH = np.array([80.0, 100.0, 140.0, 200.0]), 3400.0
#: From one recording of a person to another: of pitch, of all formants, of each.
_PITCH, _SHIFT, _EACH = 0.05, 0.01, 0.015
_LEAST_PEAK, _LARGEST_PEAK = 2_000, 24_000


@dataclass(frozen=True, slots=True)
class _Voice:
    """What is a person's own.

    Parameters
    ----------
    pitch : float
        Hz.
    places : ndarray of shape [5, 4]
        Formants of each vowel, Hz.
    tilt : float
        Of the source: what is left of a pulse a sample later.
    breath : float
        Share of noise in the source.
    """

    pitch: float
    places: _Floats
    tilt: float
    breath: float

    @classmethod
    def drawn(cls, draw: np.random.Generator) -> _Voice:
        high = draw.random() < 0.5
        pitch = np.exp(draw.normal(np.log(200 if high else 115), 0.13))
        tract = np.exp(draw.normal(0.07 if high else -0.07, 0.05))
        usual = np.hstack([_VOWELS, np.full((len(_VOWELS), 1), _FOURTH)]) * tract
        own = np.exp(draw.normal(0, 0.05, usual.shape) + draw.normal(0, 0.06, 4))
        return cls(pitch, usual * own, draw.uniform(0.75, 0.93), draw.uniform(0.01, 0.12))


def spoken_clips(
    persons: int = 40, clips: int = 8, rate: int = 8000, seed: int = 0
) -> pd.DataFrame:
    """Simulate short recordings of voices, several of each person, who do not say the same.

    Each person has a pitch, formants, a tilt and a breath of their own; each recording says three
    to five vowels, at another pitch and level, with noise. No voice was used.

    Parameters
    ----------
    persons : int
        At least 2.
    clips : int
        Of each person, at least 1.
    rate : int
        Samples a second, at least 8000.
    seed : int

    Returns
    -------
    pandas.DataFrame
        ``samples`` (int16 arrays of 0.3 to 0.9 seconds), ``person`` ("P001" and so on), in the
        order of persons.

    Examples
    --------
    >>> frame = spoken_clips(persons=2, clips=3)
    >>> frame["samples"][0].dtype, frame["person"].value_counts().to_dict()
    (dtype('int16'), {'P001': 3, 'P002': 3})
    """
    if persons < 2 or clips < 1 or rate < 8000:
        raise ParameterError(
            "Voices are simulated of 2 persons or more, 1 recording or more of each, and 8000 "
            f"samples a second or more; got {persons}, {clips} and {rate}."
        )
    draw = np.random.default_rng(seed)
    rows = []
    for number in range(1, persons + 1):
        voice = _Voice.drawn(draw)
        for _ in range(clips):
            rows.append({"samples": _clip(voice, rate, draw), "person": f"P{number:03d}"})
    return pd.DataFrame(rows)


def _clip(voice: _Voice, rate: int, draw: np.random.Generator) -> NDArray[np.int16]:
    """One recording: vowels that follow one another, silence around them, noise under all."""
    pitch = voice.pitch * np.exp(draw.normal(0, _PITCH))
    shift = np.exp(draw.normal(0, _SHIFT))
    parts = []
    for vowel in draw.choice(len(_VOWELS), draw.integers(3, 6), replace=False):
        places = voice.places[vowel] * shift * np.exp(draw.normal(0, _EACH, 4))
        size = int(draw.uniform(0.1, 0.15) * rate)
        source = _source(voice, pitch * np.exp(draw.normal(0, 0.03)), size, rate, draw)
        parts.append(_through(source, places, rate) * np.hanning(size) ** 0.5)
    quiet = [np.zeros(int(draw.uniform(0.02, 0.06) * rate)) for _ in range(2)]
    sound = np.concatenate([quiet[0], *parts, quiet[1]])
    sound = sound / np.abs(sound).max()
    noise = draw.normal(size=len(sound)) * 10 ** draw.uniform(-2.4, -1.6)
    peak = np.exp(draw.uniform(np.log(_LEAST_PEAK), np.log(_LARGEST_PEAK)))
    found = np.rint((sound + noise) * peak).clip(-32_000, 32_000)
    return found.astype(np.int16)


def _source(
    voice: _Voice, pitch: float, size: int, rate: int, draw: np.random.Generator
) -> _Floats:
    """Pulses at the pitch, each a little off its time, and breath between them [size]."""
    from scipy.signal import lfilter

    gaps = rate / pitch * np.exp(draw.normal(0, 0.01, int(2 * size * pitch / rate) + 2))
    times = gaps.cumsum().astype(int)
    pulses = np.zeros(size)
    pulses[times[times < size]] = 1
    noise = draw.normal(size=size) * voice.breath
    found: _Floats = lfilter([1, -1], [1, -2 * voice.tilt, voice.tilt**2], pulses + noise)
    return found


def _through(source: _Floats, places: _Floats, rate: int) -> _Floats:
    """A source through resonators one behind another [size]."""
    from scipy.signal import lfilter

    for place, width in zip(places, _WIDTHS, strict=True):
        radius = np.exp(-np.pi * width / rate)
        turn = 2 * np.pi * min(place, 0.48 * rate) / rate
        poles = [1, -2 * radius * np.cos(turn), radius**2]
        source = lfilter([sum(poles)], poles, source)
    return source
