"""Metrics of molecules that a model wrote: sound, different from each other, and new.

As in MOSES (Polykovskiy et al. 2020, doi:10.3389/fphar.2020.565644): uniqueness among the valid
ones, novelty among the unique ones, internal diversity by similarity of fingerprints.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from industry_apps.data.chemistry import molecule_of, rdkit
from industry_apps.evaluation.intervals import Estimate, wilson

__all__ = ["WrittenMolecules", "canonical", "drug_likeness", "restored_estimates"]

_PAIRS = 4_000
_SIZE, _RADIUS = 1_024, 2


def canonical(smiles: Sequence[str]) -> list[str | None]:
    """RDKit's canonical SMILES of each molecule, None of what is none.

    Parameters
    ----------
    smiles : sequence of str

    Raises
    ------
    MissingExtraError

    Examples
    --------
    >>> canonical(["OCC", "C("])
    ['CCO', None]
    """
    chem = rdkit()
    return [
        None if each is None else str(chem.MolToSmiles(each)) for each in map(molecule_of, smiles)
    ]


@dataclass(frozen=True, eq=False)
class WrittenMolecules:
    """What a model wrote, as RDKit reads it.

    Parameters
    ----------
    smiles : sequence of str
        As they were written.
    known : collection of str
        Canonical SMILES of the training molecules.
    """

    smiles: Sequence[str]
    known: Collection[str]

    def estimates(self) -> dict[str, Estimate]:
        """Validity, uniqueness, novelty, internal diversity, mean QED, with 95 % intervals.

        Shares of what does not occur are 0.
        """
        chem, qed = rdkit(), rdkit("Chem.QED")
        valid = [each for each in map(molecule_of, self.smiles) if each is not None]
        unique = {str(chem.MolToSmiles(each)) for each in valid}
        new = [each for each in unique if each not in self.known]
        shares = {
            "validity": (len(valid), len(self.smiles)),
            "uniqueness": (len(unique), len(valid)),
            "novelty": (len(new), len(unique)),
        }
        metrics = {name: _share(*counts) for name, counts in shares.items()}
        metrics["internal_diversity"] = _mean(_distances(valid))
        metrics["qed"] = _mean(np.array([float(qed.qed(each)) for each in valid]))
        return metrics


def drug_likeness(smiles: str) -> float:
    """QED of a molecule (Bickerton et al. 2012, doi:10.1038/nchem.1243), in [0, 1]; 0 of none.

    Parameters
    ----------
    smiles : str

    Raises
    ------
    MissingExtraError

    Examples
    --------
    >>> round(drug_likeness("CC(=O)Oc1ccccc1C(=O)O"), 2)
    0.55
    """
    qed = rdkit("Chem.QED")
    molecule = molecule_of(smiles)
    return 0.0 if molecule is None else float(qed.qed(molecule))


def restored_estimates(molecules: Sequence[str], restored: Sequence[str]) -> dict[str, Estimate]:
    """How many molecules came back as they were, and how similar, with 95 % intervals.

    Parameters
    ----------
    molecules : sequence of str
        SMILES of molecules.
    restored : sequence of str
        SMILES of what came back, in the same order; what is none is similar to nothing.

    Raises
    ------
    MissingExtraError

    Examples
    --------
    >>> found = restored_estimates(["CCO", "CCN"], ["OCC", "C("])
    >>> found["reconstruction"].value, found["similarity"].value
    (0.5, 0.5)
    """
    structures = rdkit("DataStructs")
    pairs = list(zip(map(molecule_of, molecules), map(molecule_of, restored), strict=True))
    same = [
        one == other for one, other in zip(canonical(molecules), canonical(restored), strict=True)
    ]
    make = _fingerprints()
    similar = [
        0.0
        if other is None
        else structures.TanimotoSimilarity(make.GetFingerprint(one), make.GetFingerprint(other))
        for one, other in pairs
    ]
    return {
        "reconstruction": _share(sum(same), len(same)),
        "similarity": _mean(np.array(similar)),
    }


def _fingerprints() -> Any:
    return rdkit("Chem.rdFingerprintGenerator").GetMorganGenerator(radius=_RADIUS, fpSize=_SIZE)


def _distances(valid: Sequence[Any]) -> npt.NDArray[np.float64]:
    """1 less the similarity of pairs of molecules, drawn at random."""
    structures = rdkit("DataStructs")
    if len(valid) < 2:
        return np.zeros(0)
    make = _fingerprints()
    draw = np.random.default_rng(0)
    pairs = draw.integers(0, len(valid), (min(_PAIRS, len(valid) ** 2), 2))
    prints = {row: make.GetFingerprint(valid[row]) for row in np.unique(pairs)}
    return np.array(
        [
            1 - structures.TanimotoSimilarity(prints[one], prints[other])
            for one, other in pairs.tolist()
            if one != other
        ]
    )


def _share(part: int, whole: int) -> Estimate:
    if not whole:
        return Estimate(0.0, 0.0, 1.0)
    share = part / whole
    low, high = wilson(np.array([share]), np.array([whole]))
    return Estimate(share, min(float(low[0]), share), max(float(high[0]), share))


def _mean(values: npt.NDArray[np.float64]) -> Estimate:
    if len(values) < 2:
        return Estimate(0.0, 0.0, 1.0)
    half = 1.96 * float(values.std(ddof=1)) / np.sqrt(len(values))
    mean = float(values.mean())
    return Estimate(mean, mean - half, mean + half)
