"""Face verification: is this the person they say they are.

Asked where somebody returns who has agreed to be known again. Two photographs are compared by the
cosine of their embeddings: oriented edges (Dalal and Triggs 2005) from which what differs between
photographs of one person is taken out (Hatch et al. 2006; the idea of Fisherfaces, Belhumeur et al.
1997), which on few persons errs less than networks that learn from as few. Enrolment, templates
and search are :class:`industry_apps.runtime.verification.Verifier`, with numpy and the file alone.

Not for access control without a check of liveness.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Self

import pandas as pd

from industry_apps.application import Application
from industry_apps.recipes.imaging.columns import OfImages
from industry_apps.recipes.verification.baselines import FaceBaselines
from industry_apps.recipes.verification.faces import FaceImages, FaceOptions
from industry_apps.recipes.verification.persons import PERSON, OfPersons
from industry_apps.schema import Column, Schema, Traits


class FaceVerifier(OfPersons, OfImages, Application):
    """Embedding of a face, whose cosine with another tells whether both are of one person.

    Not for access control without a check of liveness: a photograph passes as the face.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"image": "photo", "person": "employee"}``.
    window : (float, float), optional
        Of images of more than 8 bits: the values that are black and white; by default the least
        and the largest of the training images. The file holds it.
    false_accept_rate : float
        Wanted share of pairs of two persons that the threshold accepts, in (0, 1): chosen on
        persons whom the embedding has not learned from. The file holds it, with its interval.
    options : FaceOptions, optional
        Size, changes and length.
    seed : int

    Notes
    -----
    The image is one face, from the front, cut out as those of training are: no face is looked for.
    Images that are unlike those, as without a face or with two, get a ``quality`` below 1, and so
    do about one in twenty that are not; a ``Verifier`` refuses them.

    Errors differ between groups of people, and 40 persons do not tell how: measure on yours before
    you rely on it. Embeddings are biometric data (GDPR, article 9; Illinois BIPA): a ``Verifier``
    asks for consent, purpose and retention at enrolment, keeps templates sealed, and searches
    among all (1:N) only where it is told to.

    Persons are never on both sides of a split; ``fit`` and ``evaluate`` refuse those who are.

    Examples
    --------
    >>> import numpy as np
    >>> from industry_apps.cybersecurity import FaceVerifier
    >>> data = FaceVerifier.sample()
    >>> verifier = FaceVerifier.fast().fit(data)
    >>> embeddings = np.array(verifier.predict(data.test.head(2))["embedding"].tolist())
    >>> bool(embeddings[0] @ embeddings[1] > verifier.recipe_.threshold_)
    True
    """

    name = "cybersecurity.face_verification"
    question = "Are these two photos of one person?"
    simulator = "cybersecurity_pattern_simulator"
    schema = Schema(
        (Column("image", "image", "One face, from the front", nullable=False), PERSON),
    )
    traits = Traits(inputs=("image",))
    described_by = "oriented edges"
    intended_use = (
        "Verification of people who have agreed to it. Not for access control without a check of "
        "liveness. Errors by group of people are not known: measure them on yours. Embeddings are "
        "biometric data (GDPR, article 9; Illinois BIPA)."
    )
    defaults = MappingProxyType({"options": FaceOptions()})

    options: FaceOptions | None = None

    @classmethod
    def fast(cls) -> Self:
        """Small images, seen as they are: a fit of seconds."""
        return cls(options=FaceOptions(size=20, length=64, copies=0))

    def _column(self, train: pd.DataFrame) -> Column:
        return self._image_column(train)

    def _describer(self, column: Column, options: FaceOptions) -> FaceImages:
        return FaceImages(column.name, options)

    def _rivals(self) -> FaceBaselines:
        return FaceBaselines(self.schema_)
