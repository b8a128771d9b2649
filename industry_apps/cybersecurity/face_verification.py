"""Face verification: is this the person they say they are.

Asked where somebody returns who has agreed to be known again. Two photographs are compared by the
cosine of their embeddings: oriented edges (Dalal and Triggs 2005) from which what differs between
photographs of one person is taken out (Hatch et al. 2006; the idea of Fisherfaces, Belhumeur et al.
1997), which on few persons errs less than networks that learn from as few. Enrolment, templates
and search are :class:`industry_apps.runtime.verification.Verifier`, with numpy and the file alone.

Not for access control without a check of liveness.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Split, split_by_group
from industry_apps.errors import SchemaError
from industry_apps.evaluation import Report
from industry_apps.features import GraphBuilder
from industry_apps.limits import OPEN_SHARE, integer
from industry_apps.recipes.equal_rows import EqualRows
from industry_apps.recipes.imaging.columns import OfImages
from industry_apps.recipes.verification.assessment import assessed, check_judged, described
from industry_apps.recipes.verification.baselines import FaceBaselines
from industry_apps.recipes.verification.faces import FaceImages, FaceOptions
from industry_apps.recipes.verification.metrics import VERIFICATION
from industry_apps.recipes.verification.recipe import (
    EMBEDDING,
    QUALITY,
    EmbeddingRecipe,
    Samples,
)
from industry_apps.runtime.answers import no_answers, shaped
from industry_apps.schema import Column, Schema, Traits

#: In the card, under "Intended use".
_INTENDED_USE = (
    "Verification of people who have agreed to it. Not for access control without a check of "
    "liveness. Errors by group of people are not known: measure them on yours. Embeddings are "
    "biometric data (GDPR, article 9; Illinois BIPA)."
)


class FaceVerifier(OfImages, Application):
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
    >>> from industry_apps.cybersecurity import FaceVerifier
    >>> data = FaceVerifier.sample()
    >>> verifier = FaceVerifier.fast().fit(data)
    >>> embeddings = np.array(verifier.predict(data.test.head(2))["embedding"].tolist())
    >>> bool(embeddings[0] @ embeddings[1] > verifier.recipe_.threshold_)
    True
    """

    name = "cybersecurity.face_verification"
    question = "Are these two photographs of one person?"
    simulator = "cybersecurity_pattern_simulator"
    subject = "person"
    schema = Schema(
        (
            Column("image", "image", "One face, from the front", nullable=False),
            Column(
                "person",
                "category",
                "Who it is, in training",
                role="identifier",
                nullable=False,
                required=False,
            ),
        )
    )
    outputs = Schema((EMBEDDING, QUALITY))
    traits = Traits(inputs=("image",))
    problem = VERIFICATION
    defaults = MappingProxyType({"options": FaceOptions()})

    false_accept_rate: Annotated[float, OPEN_SHARE] = 0.01
    options: FaceOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def fast(cls) -> Self:
        """Small images, seen as they are: a fit of seconds."""
        return cls(options=FaceOptions(size=20, length=64, copies=0))

    def split(self, frame: pd.DataFrame) -> Split:
        """Split photographs of yours at random, all those of a person into one part.

        Parameters
        ----------
        frame : DataFrame
            With ``person``.
        """
        return split_by_group(frame, group=self._name("person"), seed=self.seed)

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        others = train.head(0) if validation is None else validation
        self.persons_ = self._check_subjects(self._subjects(train), others)
        self.column_ = self._image_column(train)
        self.schema_ = Schema((self.column_,))
        parts = {"train": train} if validation is None else {"train": train, "validation": others}
        samples = {name: self._samples(part) for name, part in parts.items()}
        self.split_ = {name: described(part.person) for name, part in samples.items()}
        self.rows_ = EqualRows(*map(_seen, samples.values()))
        options = self.options or self.defaults["options"]
        self.recipe_ = EmbeddingRecipe(
            self.column_,
            FaceImages(self.column_.name, options),
            options,
            self.false_accept_rate,
            self.seed,
        ).fit(samples["train"], samples.get("validation"))
        self.baselines_: FaceBaselines | None = None
        self.check_ = train if validation is None else validation

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        del validation
        known = self._samples(train)
        self.baselines_ = FaceBaselines(self.schema_).fit(known.values, known.person)

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        images = self.schema_.to_arrays(frame)[self.column_.name]
        if not len(images):
            return no_answers(self.outputs)
        return shaped(self.outputs, self.recipe_.answer(images))

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        self._check_subjects(self.persons_, frame)
        judged = self._samples(frame)
        check_judged(self._name("person"), judged.person)
        found = shaped(self.outputs, self.recipe_.answer(judged.values))
        return assessed(
            f"oriented edges, whitened within persons, {found['embedding'].shape[1]} values",
            (found["embedding"], found["quality"]),
            judged.person,
            self.recipe_,
            baselines=self.baselines_.embeddings(judged.values) if self.baselines_ else {},
            split={**self.split_, "test": described(judged.person)},
            notes=self.rows_.shared(_seen(judged)),
        )

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> Mapping[str, str]:
        return self.recipe_.write(builder, inputs)

    def _facts(self) -> dict[str, Any]:
        return {"verification": self.recipe_.facts(), "intended_use": _INTENDED_USE}

    def _samples(self, frame: pd.DataFrame) -> Samples:
        """Images and the numbers of their persons, who have to be told."""
        if frame.empty:
            raise SchemaError("The table has no rows. Give some photographs with their person.")
        label = Column(self._name("person"), "category", nullable=False)
        names = Schema((label,)).to_arrays(frame)[label.name]
        images = self.schema_.to_arrays(frame)[self.column_.name]
        return Samples(images, np.unique(names.astype(str), return_inverse=True)[1])


def _seen(part: Samples) -> pd.DataFrame:
    return pd.DataFrame({"image": list(part.values), "person": part.person})
