"""The report of a verifier: errors of pairs beside baselines, and what the threshold means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import SchemaError
from industry_apps.evaluation import Report
from industry_apps.evaluation.sections import Section
from industry_apps.recipes.verification.metrics import ENROLLED, all_pairs, pair_bootstrap
from industry_apps.recipes.verification.recipe import EmbeddingRecipe

#: What every report of a verifier says.
_NOTE = (
    "Not for access control without a check of liveness: a picture or a recording of somebody "
    "passes as them. Errors differ between groups of people, and so few persons do not tell how."
)


def assessed(
    model: str,
    answers: tuple[NDArray[Any], NDArray[Any]],
    person: NDArray[np.intp],
    recipe: EmbeddingRecipe,
    *,
    baselines: Mapping[str, NDArray[np.floating]],
    split: Mapping[str, Mapping[str, Any]],
    notes: tuple[str, ...] = (),
) -> Report:
    """Judge embeddings of persons who were not learned from, every pair of samples.

    Parameters
    ----------
    model : str
        What answered.
    answers : tuple of ndarray
        Embeddings [N, D] and qualities [N] of samples.
    person : ndarray of int, shape [N]
        0 and up, each number occurs.
    recipe : EmbeddingRecipe
        Whose threshold is judged.
    baselines : mapping of str to ndarray of shape [N, D]
        Their embeddings.
    split : mapping
        The parts in words.
    notes : tuple of str
        Further ones.
    """
    embedded, quality = answers
    ours = pair_bootstrap(embedded, person, threshold=recipe.threshold_)
    others = {name: pair_bootstrap(each, person) for name, each in baselines.items()}
    pairs = all_pairs(embedded, person)
    rows = [("pairs", "number"), ("of one person", int(pairs.same.sum()))]
    rows += [("of two persons", int((~pairs.same).sum()))]
    rows += [("too unusual to be compared", int((quality < recipe.facts()["least_quality"]).sum()))]
    found = ours.estimates()
    return Report.beside(
        model,
        ours,
        others,
        split=split,
        sections=(
            Section("Pairs", "Each sample with each other, all of persons not learned from.", rows),
        ),
        headline_text=(
            f"Of {person.max() + 1} persons not learned from, {found['eer']} of the pairs are "
            "judged wrongly at the threshold where both kinds of error are as frequent."
        ),
        notes=(
            f"The threshold {recipe.threshold_:.3f} is for a false-accept rate of "
            f"{recipe.false_accept_rate:g}; on the persons it was chosen on, its interval is "
            f"{recipe.interval_.low:.4f} to {recipe.interval_.high:.4f}.",
            f"A template of {ENROLLED} samples is made of the first {ENROLLED} of each person.",
            "Intervals by person; so few persons give intervals that are too narrow.",
            _NOTE,
            *notes,
        ),
    )


def described(person: NDArray[np.intp]) -> dict[str, int]:
    """Samples and persons of a part, for a report."""
    return {"samples": len(person), "persons": int(person.max() + 1)}


def check_judged(column: str, person: NDArray[np.intp]) -> None:
    """Refuse a part in which no pair of one person or of two occurs.

    Raises
    ------
    SchemaError
    """
    counts = np.bincount(person)
    if len(counts) < 2 or counts.max() < 2:
        raise SchemaError(
            f"Column {column!r}: {len(person)} samples of {len(counts)} persons, expected two "
            "persons or more and two samples or more of one. Add samples."
        )
