"""Voice verification: is this the person they say they are, whatever they say.

Asked where somebody calls back who has agreed to be known again. Two recordings are compared by the
cosine of their embeddings: cepstra of mel bands (Davis and Mermelstein 1980), their deviation and
slopes, from which what differs between recordings of one person, above all the words, is taken out
(Hatch et al. 2006). Enrolment, templates and search are
:class:`industry_apps.runtime.verification.Verifier`, with numpy and the file alone.

Not for access control without a check of liveness.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Self

import pandas as pd

from industry_apps.application import Application
from industry_apps.limits import integer
from industry_apps.recipes.verification.baselines import DescribedBaselines
from industry_apps.recipes.verification.cepstra import Cepstra
from industry_apps.recipes.verification.persons import PERSON, OfPersons
from industry_apps.recipes.verification.voices import VoiceClips, VoiceOptions
from industry_apps.schema import Column, Schema, Traits
from industry_apps.schema.sounds import LARGEST, LEAST

#: Bands and coefficients of the usual description of voices, which the model is compared with.
_USUAL_BANDS, _USUAL_COEFFICIENTS = 26, 13


class VoiceVerifier(OfPersons, Application):
    """Embedding of a voice, whose cosine with another tells whether both are of one person.

    Not for access control without a check of liveness: a recording passes as the voice.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"samples": "clip", "person": "caller"}``.
    false_accept_rate : float
        Wanted share of pairs of two persons that the threshold accepts, in (0, 1): chosen on
        persons whom the embedding has not learned from. The file holds it, with its interval.
    options : VoiceOptions, optional
        Bands, changes and length.
    seed : int
    rate : int
        Samples a second of all recordings, in [8000, 48000]; the file holds it.

    Notes
    -----
    A recording is a list or array of whole numbers of 16 bits, one channel, or the bytes of such a
    WAV file, of 0.2 to 60 seconds. Refused by name are another sample rate (a WAV file tells it, a
    list does not), floats, missing samples, silence (less than 256 steps of 65 536 between the
    least and the largest sample) and clipping (more than 1 % of the samples at either end). How
    loud a recording is does not count. Recordings that are unlike those of training, and such of
    which less repeats itself than of a voice, as noise, get a ``quality`` below 1, and so do about
    one in twenty that are not; a ``Verifier`` refuses them. Two voices at once are not told from
    one, nor a recording that was clipped and then made quieter from one that was not.

    Errors differ between groups of people, languages and microphones: measure on yours before you
    rely on it. Embeddings are biometric data (GDPR, article 9; Illinois BIPA): a ``Verifier`` asks
    for consent, purpose and retention at enrolment, keeps templates sealed, and searches among all
    (1:N) only where it is told to.

    Persons are never on both sides of a split; ``fit`` and ``evaluate`` refuse those who are. Of
    three persons in training, the threshold is chosen on each pair by what one person teaches, and
    tells little.

    Examples
    --------
    >>> import numpy as np
    >>> from industry_apps.cybersecurity import VoiceVerifier
    >>> data = VoiceVerifier.sample()
    >>> verifier = VoiceVerifier.fast().fit(data)
    >>> embeddings = np.array(verifier.predict(data.test.head(2))["embedding"].tolist())
    >>> bool(embeddings[0] @ embeddings[1] > verifier.recipe_.threshold_)
    True
    """

    name = "cybersecurity.voice_verification"
    question = "Are these two recordings of one person?"
    simulator = "cybersecurity_voice_simulator"
    schema = Schema(
        (
            Column(
                "samples",
                "number",
                "One voice: 16 bits, one channel",
                low=LEAST,
                high=LARGEST,
                nullable=False,
                size=None,
                whole=True,
                rate=8000,
            ),
            PERSON,
        ),
    )
    traits = Traits(inputs=("number",))
    described_by = "cepstra of a voice"
    intended_use = (
        "Verification of people who have agreed to it. Not for access control without a check of "
        "liveness. Errors by group of people, language and microphone are not known: measure them "
        "on yours. Embeddings are biometric data (GDPR, article 9; Illinois BIPA)."
    )
    defaults = MappingProxyType({"options": VoiceOptions()})

    options: VoiceOptions | None = None
    rate: Annotated[int, integer(8000, 48_000)] = 8000

    @classmethod
    def fast(cls) -> Self:
        """Few bands, heard as they are: a fit of seconds."""
        return cls(options=VoiceOptions(bands=20, length=40, copies=0))

    def _column(self, train: pd.DataFrame) -> Column:
        column = replace(self._own_schema()[self._name("samples")], rate=self.rate)
        Schema((column,)).check_names(train)
        return column

    def _describer(self, column: Column, options: VoiceOptions) -> VoiceClips:
        return VoiceClips(self.rate, options)

    def _rivals(self) -> DescribedBaselines:
        usual = Cepstra(self.rate, _USUAL_BANDS, _USUAL_COEFFICIENTS)
        return DescribedBaselines(self.column_, {"mfcc": usual.write})
