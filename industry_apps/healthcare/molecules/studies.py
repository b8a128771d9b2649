"""Questions about networks that write molecules: which writes best, and whether a search helps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
from sklearn.base import clone

from industry_apps.application import Application
from industry_apps.data import Dataset
from industry_apps.evaluation import compare_variants
from industry_apps.evaluation.sections import Section
from industry_apps.healthcare.molecules.notations import SMILES
from industry_apps.healthcare.molecules.scores import drug_likeness, likeness
from industry_apps.healthcare.molecules.space import MoleculeSpace
from industry_apps.healthcare.molecules.writer import RECURRENT, TRANSFORMER
from industry_apps.healthcare.molecules.written import canonical, mean_estimate
from industry_apps.runtime.progress import tracked

__all__ = ["compared_networks", "compared_search", "studied_space"]

#: Widths with which the networks have about as many parameters, and an epoch takes as long.
_UNITS = {RECURRENT: 384, TRANSFORMER: 128}
_FEWEST_SAMPLES = 50
_BEST = 100


def compared_networks(
    generator: Application, data: Dataset, units: dict[str, int] | None = None
) -> Section:
    """Train both networks alike, and ask how well each foretells molecules it has not seen.

    Parameters
    ----------
    generator : MoleculeGenerator
        Its parameters are used, but for the network, its width and the fine-tuning.
    data : Dataset
    units : dict of str to int, optional
        Network -> width; by default such that both have about as many parameters.

    Returns
    -------
    Section
        See :func:`industry_apps.evaluation.compare_variants`; ``nll`` is the mean negative
        log-likelihood of a molecule in nats.

    Raises
    ------
    SchemaError, ParameterError, TrainingError, MissingExtraError
    """
    variants = {
        f"{network}, {width} units": {"network": network, "units": width}
        for network, width in (units or _UNITS).items()
    }
    brief = clone(generator).set_params(tuning=None, samples=_FEWEST_SAMPLES)
    return compare_variants(brief, variants, data, "nll", title="Networks that write molecules")


def studied_space(seed: int, data: Dataset) -> tuple[Section, Section]:
    """Ask what comes back from a space of molecules, and whether searching it helps.

    Parameters
    ----------
    seed : int
    data : Dataset

    Raises
    ------
    SchemaError, ParameterError, TrainingError, MissingExtraError
    """
    space = MoleculeSpace(seed=seed).fit(data)
    return space.report(data), compared_search(space, data.test[SMILES].tolist())


def compared_search(
    space: MoleculeSpace,
    molecules: Sequence[str],
    *,
    targets: int = 20,
    repeats: int = 10,
    steps: int = 20,
    population: int = 100,
) -> Section:
    """Ask whether searching a space finds better molecules than as many random draws from it.

    Toward drug-likeness, and toward each of some molecules that the space has not learned.

    Parameters
    ----------
    space : MoleculeSpace
        Fitted.
    molecules : sequence of str
        SMILES that were not learned: the first are the targets, the others are begun with.
    targets, repeats : int
        Searches toward molecules, and toward drug-likeness.
    steps, population : int
        See :meth:`MoleculeSpace.optimise`.

    Returns
    -------
    Section
        One row a goal: what the search found, what draws found, the difference.

    Raises
    ------
    ParameterError, NotFittedError, MissingExtraError
    """
    budget = steps * population
    given = list(molecules)
    start = given[targets : targets + population]
    known = space.known_ | set(canonical(start))
    drawn = [set(canonical(space.sample(budget, seed=n))) - known - {None} for n in range(repeats)]
    drug_like, alike = [], []
    for seed in tracked(range(repeats), "searches toward drug-likeness"):
        found = space.optimise(start, steps=steps, population=population, seed=seed)
        drug_like.append(_best(found, drawn[seed], drug_likeness, _BEST))
    for place in tracked(range(targets), "searches toward molecules"):
        score = likeness(given[place])
        found = space.optimise(start, score, steps=steps, population=population, seed=place)
        alike.append(_best(found, drawn[place % repeats], score, 1))
    goals = {
        f"QED, mean of the best {_BEST}": np.array(drug_like),
        "likeness to a molecule, the best": np.array(alike),
    }
    rows = [
        [goal, *map(mean_estimate, (found[:, 0], found[:, 1], found[:, 0] - found[:, 1]))]
        for goal, found in goals.items()
    ]
    text = (
        f"{budget} molecules are written by each search, from {len(start)} test molecules, and "
        "drawn at random from the space; of both those count that are different and new. "
        f"{repeats} searches toward QED, and one toward each of "
        f"{targets} other test molecules; an interval covers 95 %, over the searches."
    )
    header = ["goal", "search", "random_draws", "search_less_draws"]
    return Section("Searching the space", text, [header, *rows])


def _best(
    found: pd.DataFrame, drawn: Iterable[str | None], score: Callable[[str], float], count: int
) -> tuple[float, float]:
    """Mean of the best scores of what a search wrote, and of what was drawn."""
    written = found["score"][found["step"] > 0]  # without what it began with
    others = pd.Series([score(each) for each in drawn if each])
    return written.nlargest(count).mean(), others.nlargest(count).mean()
