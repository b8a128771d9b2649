"""Samples of persons: what a verifier learns from, is judged on, and answers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from industry_apps.data import Dataset, Split, split_by_group
from industry_apps.errors import SchemaError
from industry_apps.evaluation import Report
from industry_apps.evaluation.sections import Section
from industry_apps.evaluation.variants import Question
from industry_apps.features import GraphBuilder
from industry_apps.limits import OPEN_SHARE, integer
from industry_apps.recipes.equal_rows import EqualRows
from industry_apps.recipes.subjects import OfSubjects
from industry_apps.recipes.verification.assessment import assessed, check_judged, described
from industry_apps.recipes.verification.metrics import VERIFICATION
from industry_apps.recipes.verification.recipe import (
    EMBEDDING,
    QUALITY,
    Describer,
    EmbeddingOptions,
    EmbeddingRecipe,
    Samples,
)
from industry_apps.runtime.answers import no_answers, shaped
from industry_apps.schema import Column, Schema

#: Whose a sample is, in training.
PERSON = Column(
    "person",
    "category",
    "Who it is, in training",
    role="identifier",
    nullable=False,
    required=False,
)


class Baselines(Protocol):
    """What embeddings are compared with."""

    def fit(self, samples: NDArray[Any], person: NDArray[np.intp]) -> Baselines:
        """Learn from samples [N] of persons [N]."""

    def embeddings(self, samples: NDArray[Any]) -> Mapping[str, NDArray[np.floating]]:
        """Samples [N] -> {baseline: embeddings [N, D]}."""


@dataclass(kw_only=True, eq=False, repr=False)
class OfPersons(OfSubjects):
    """A mixin of applications that tell by two samples whether both are of one person.

    ``described_by`` says in words by what, ``intended_use`` what the model is for, in its card.
    """

    subject: ClassVar[str] = "person"
    outputs: ClassVar[Schema] = Schema((EMBEDDING, QUALITY))
    problem = VERIFICATION
    described_by: ClassVar[str]
    intended_use: ClassVar[str]
    defaults: ClassVar[Mapping[str, Any]]

    false_accept_rate: Annotated[float, OPEN_SHARE] = 0.01
    options: EmbeddingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @abstractmethod
    def _column(self, train: pd.DataFrame) -> Column:
        """The column of samples, under its name."""

    @abstractmethod
    def _describer(self, column: Column, options: Any) -> Describer:
        """What samples are described by, with the options of this model."""

    @abstractmethod
    def _rivals(self) -> Baselines:
        """What the fitted model is compared with."""

    def split(self, frame: pd.DataFrame) -> Split:
        """Split samples of yours at random, all those of a person into one part.

        Parameters
        ----------
        frame : DataFrame
            With ``person``.
        """
        return split_by_group(frame, group=self._name("person"), seed=self.seed)

    def studies(self) -> Mapping[str, Question]:
        """Whether revoked templates are linked, and how long a search among a million takes."""
        from industry_apps.recipes.verification.studies import linked_templates, search_time

        def linking(data: Dataset) -> tuple[Section, ...]:
            _, found = self._fitted(data)
            return (linked_templates(found.values, found.person),)

        def search(data: Dataset) -> tuple[Section, ...]:
            fitted, found = self._fitted(data)
            return (search_time(found.values, fitted.recipe_.threshold_),)

        return {"linking": linking, "search": search}

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        others = train.head(0) if validation is None else validation
        self.persons_ = self._check_subjects(self._subjects(train), others)
        self.column_ = self._column(train)
        self.schema_ = Schema((self.column_,))
        parts = {"train": train} if validation is None else {"train": train, "validation": others}
        samples = {name: self._samples(part) for name, part in parts.items()}
        self.split_: Mapping[str, Mapping[str, Any]] = {
            name: described(part.person) for name, part in samples.items()
        }
        self.rows_ = EqualRows(*map(_seen, samples.values()))
        options = self.options or self.defaults["options"]
        self.recipe_ = EmbeddingRecipe(
            self.column_,
            self._describer(self.column_, options),
            options,
            self.false_accept_rate,
            self.seed,
        ).fit(samples["train"], samples.get("validation"))
        self.baselines_: Baselines | None = None
        self.check_ = train if validation is None else validation

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        del validation
        known = self._samples(train)
        self.baselines_ = self._rivals().fit(known.values, known.person)

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        samples = self.schema_.to_arrays(frame)[self.column_.name]
        if not len(samples):
            return no_answers(self.outputs)
        return shaped(self.outputs, self.recipe_.answer(samples))

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        self._check_subjects(self.persons_, frame)
        judged = self._samples(frame)
        check_judged(self._name("person"), judged.person)
        found = shaped(self.outputs, self.recipe_.answer(judged.values))
        return assessed(
            f"{self.described_by}, whitened within persons, {found['embedding'].shape[1]} values",
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
        return {"verification": self.recipe_.facts(), "intended_use": self.intended_use}

    def _fitted(self, data: Dataset) -> tuple[Any, Samples]:
        """A fresh application that has learned from data, and embeddings of the test part."""
        fitted = clone(self).fit(data)
        judged = fitted._samples(data.test)
        return fitted, Samples(fitted.recipe_.answer(judged.values)[0], judged.person)

    def _samples(self, frame: pd.DataFrame) -> Samples:
        """Samples and the numbers of their persons, who have to be told."""
        if frame.empty:
            raise SchemaError("The table has no rows. Give some samples with their person.")
        label = Column(self._name("person"), "category", nullable=False)
        names = Schema((label,)).to_arrays(frame)[label.name]
        values = self.schema_.to_arrays(frame)[self.column_.name]
        return Samples(values, np.unique(names.astype(str), return_inverse=True)[1])


def _seen(part: Samples) -> pd.DataFrame:
    return pd.DataFrame({"sample": list(part.values), "person": part.person})
