"""Simulated measurements of molecules that are put together from common pieces."""

from __future__ import annotations

import numpy as np
import pandas as pd

from industry_apps.errors import ParameterError

__all__ = ["designed_molecules"]

#: Cores with places for a group in front, inside a branch and at the end; what each adds.
_CORES = {
    "{}c1ccc({})cc1{}": -1.8,
    "{}c1cc({})cnc1{}": -0.6,
    "{}C1CCC({})CC1{}": -1.5,
    "{}c1cc({})sc1{}": -1.4,
    "{}N1CCC({})CC1{}": 0.2,
    "{}CCC({})C{}": -0.7,
    "{}c1ccc2cc({})ccc2c1{}": -3.0,
    "{}C(=O)C({})C{}": 0.3,
}
#: Groups as they are written in front, and behind; what each adds.
_GROUPS = {
    ("C", "C"): -0.5,
    ("CC", "CC"): -1.0,
    ("CC(C)", "C(C)C"): -1.4,
    ("O", "O"): 1.1,
    ("N", "N"): 0.9,
    ("F", "F"): -0.2,
    ("Cl", "Cl"): -0.8,
    ("OC(=O)", "C(=O)O"): 0.8,
    ("NC(=O)", "C(=O)N"): 0.7,
    ("CO", "OC"): 0.1,
    ("N#C", "C#N"): 0.2,
    ("FC(F)(F)", "C(F)(F)F"): -1.2,
}
_NOISE = 0.35
#: Groups that give and take hydrogens on one molecule bind to each other.
_PAIR = 0.6


def designed_molecules(molecules: int = 4_000, seed: int = 0) -> pd.DataFrame:
    """Simulate the solubility of molecules made of a core and three groups.

    Each piece adds a constant of its own, two groups that bind to each other take some of it
    away, and a measurement has an error.

    Parameters
    ----------
    molecules : int
        > 0; repeats are left out, so there may be fewer.
    seed : int
        >= 0; the same seed gives the same table.

    Returns
    -------
    pandas.DataFrame
        ``smiles``, ``value`` (log of a concentration) and ``is_soluble``.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> list(designed_molecules(100).columns)
    ['smiles', 'value', 'is_soluble']
    """
    if molecules < 1 or seed < 0:
        raise ParameterError(
            "designed_molecules needs molecules > 0 and seed >= 0. "
            f"Got {molecules!r} and {seed!r} instead."
        )
    rng = np.random.default_rng(seed)
    cores, groups = list(_CORES.items()), list(_GROUPS.items())
    found: dict[str, float] = {}
    for _ in range(molecules):
        core, value = cores[rng.integers(len(cores))]
        chosen = [groups[place] for place in rng.integers(len(groups), size=3)]
        (front, _), (_, branch), (_, end) = (names for names, _ in chosen)
        value += sum(added for _, added in chosen)
        polar = sum(added > _PAIR for _, added in chosen)
        value -= _PAIR * max(polar - 1, 0)
        found[core.format(front, branch, end)] = value + _NOISE * rng.standard_normal()
    values = np.array(list(found.values()))
    return pd.DataFrame(
        {"smiles": list(found), "value": values.round(3), "is_soluble": values > -1.0}
    )
