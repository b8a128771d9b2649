"""Fingerprint verification: is this the finger of the person they say they are.

Asked where somebody returns who has agreed to be known again. Two impressions are compared by the
cosine of their embeddings: the directions of the ridges around the core (Nilsson and Bigun 2003;
Jain, Prabhakar, Hong, Pankanti 2000), from which what differs between impressions of one finger is
taken out (Hatch et al. 2006). It is learned from simulated fingers, and does not look for minutiae,
as matchers in use do, which err far less. Enrolment, templates and search are
:class:`industry_apps.runtime.verification.Verifier`, with numpy and the file alone.

Not for access control without a check of liveness.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Self

import pandas as pd

from industry_apps.application import Application
from industry_apps.recipes.imaging.columns import OfImages
from industry_apps.recipes.verification.baselines import DescribedBaselines
from industry_apps.recipes.verification.edges import OrientedEdges
from industry_apps.recipes.verification.fingers import FingerImages, FingerOptions
from industry_apps.recipes.verification.persons import PERSON, OfPersons
from industry_apps.recipes.verification.ridges import RidgeFlow
from industry_apps.schema import Column, Schema, Traits

#: Pixels of both sides of the oriented edges that the model is compared with.
_EDGES = 32


class FingerprintVerifier(OfPersons, OfImages, Application):
    """Embedding of a fingerprint, whose cosine with another tells whether both are of one finger.

    Not for access control without a check of liveness: a cast of the finger passes as the finger.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"image": "print", "person": "finger"}``.
    window : (float, float), optional
        Of images of more than 8 bits: the values that are black and white; by default the least
        and the largest of the training images. The file holds it.
    false_accept_rate : float
        Wanted share of pairs of two fingers that the threshold accepts, in (0, 1): chosen on
        fingers which the embedding has not learned from. The file holds it, with its interval.
    options : FingerOptions, optional
        Places around the core, changes and length.
    seed : int

    Notes
    -----
    An image is one impression at 500 dots an inch, dark ridges on light ground, upright within some
    45 degrees; ``person`` is the finger, so that two fingers of one hand are two. Where the core is
    not on it, or in a plain arch, which has none, the place that looks most like one is taken, and
    impressions of one finger may differ more. Images unlike those of training get a ``quality``
    below 1, and so do about one in twenty that are not; a ``Verifier`` refuses them.

    Directions of ridges tell the class of a finger and its shape, and two fingers that are alike in
    both are not told apart: a threshold that has to keep strangers out needs minutiae. A threshold
    learned from simulated fingers holds for those alone: set one on impressions of your sensor.
    Embeddings are biometric data (GDPR, article 9; Illinois BIPA): a ``Verifier`` asks for consent,
    purpose and retention at enrolment, and searches among all (1:N) only where it is told to.

    Fingers are never on both sides of a split; ``fit`` and ``evaluate`` refuse those that are.

    Examples
    --------
    >>> import numpy as np
    >>> from industry_apps.cybersecurity import FingerprintVerifier
    >>> data = FingerprintVerifier.sample()
    >>> verifier = FingerprintVerifier.fast().fit(data)
    >>> embeddings = np.array(verifier.predict(data.test.head(2))["embedding"].tolist())
    >>> bool(embeddings[0] @ embeddings[1] > 0.3)
    True
    """

    name = "cybersecurity.fingerprint_verification"
    question = "Are these two prints of one finger?"
    simulator = "cybersecurity_fingerprint_simulator"
    schema = Schema(
        (
            Column("image", "image", "One impression, 500 dots an inch", nullable=False),
            PERSON,
        ),
    )
    traits = Traits(inputs=("image",))
    described_by = "directions of ridges around the core"
    intended_use = (
        "Trials of verification of people who have agreed to it. Not for access control without a "
        "check of liveness, and not where strangers have to be kept out: no minutiae are compared. "
        "Embeddings are biometric data (GDPR, article 9; Illinois BIPA)."
    )
    defaults = MappingProxyType({"options": FingerOptions(copies=1)})

    options: FingerOptions | None = None

    @classmethod
    def fast(cls) -> Self:
        """Few places, seen as they are: a fit of seconds."""
        return cls(options=FingerOptions(places=9, length=64, copies=0))

    def _column(self, train: pd.DataFrame) -> Column:
        return self._image_column(train)

    def _describer(self, column: Column, options: FingerOptions) -> FingerImages:
        return FingerImages(column.name, options)

    def _rivals(self) -> DescribedBaselines:
        options = self.options or self.defaults["options"]
        flow = RidgeFlow(self.column_.name, options.places, options.apart)
        edges = OrientedEdges(self.column_.name, _EDGES)
        return DescribedBaselines(self.column_, {"edges": edges.write, "flow": flow.write})
