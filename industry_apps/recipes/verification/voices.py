"""Voices as a verifier hears them: cepstra, and how another recording might have been.

Letters: N recordings, T samples of the longest, B of them in a run, F features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import GraphBuilder
from industry_apps.limits import NOT_NEGATIVE, integer
from industry_apps.recipes.verification.cepstra import Cepstra
from industry_apps.recipes.verification.recipe import DESCRIPTION, PRESENCE, EmbeddingOptions
from industry_apps.schema import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceOptions(EmbeddingOptions):
    """How voices are described, and embeddings of them learned.

    Parameters
    ----------
    length, shrinkage, copies, folds
        As for :class:`EmbeddingOptions`.
    bands : int
        Mel bands, and cepstral coefficients, in [13, 80].
    noise : float
        Decibels below the recording of the noise that is added to changed copies, at the least,
        >= 0; in each it is up to 20 lower.
    tilt : float
        Share of the sample before that is added to or taken off each in changed copies, at most,
        >= 0: another microphone.
    """

    bands: Annotated[int, integer(13, 80)] = 40
    noise: Annotated[float, NOT_NEGATIVE] = 20.0
    tilt: Annotated[float, NOT_NEGATIVE] = 0.1


@dataclass(frozen=True, slots=True)
class VoiceClips:
    """Recordings of voices: what describes them.

    Parameters
    ----------
    rate : int
        Samples a second.
    options : VoiceOptions
    """

    outputs: ClassVar[Schema] = Schema((DESCRIPTION, PRESENCE))
    rate: int
    options: VoiceOptions

    def write(self, builder: GraphBuilder, sample: str) -> Mapping[str, str]:
        """Write [B, T] float32, NaN behind the end of each -> [B, F] and [B, 1] float32."""
        bands = self.options.bands
        both = Cepstra(self.rate, bands, bands).heard(builder, sample)
        return dict(zip(self.outputs.names, both, strict=True))

    def changed(self, samples: NDArray[Any], draw: np.random.Generator) -> NDArray[Any]:
        """Recordings [N, T], each by another microphone and with noise."""
        tilt = draw.uniform(-1, 1, (len(samples), 1)) * self.options.tilt
        before = np.pad(samples[:, :-1], ((0, 0), (1, 0)))
        heard = samples + tilt * before
        size = np.sqrt(np.nanmean(np.square(heard), axis=1, keepdims=True))
        below = self.options.noise + draw.uniform(0, 20, (len(samples), 1))
        noise = draw.normal(size=samples.shape) * size * 10 ** (-below / 20)
        found: NDArray[Any] = (heard + noise).astype(np.float32)
        return found
