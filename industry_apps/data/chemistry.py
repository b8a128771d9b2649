"""RDKit, asked for in one place, and molecules as it reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from industry_apps.errors import ParameterError, require

_RADIUS, _BITS = 2, 1_024


def rdkit(module: str = "Chem") -> Any:
    """A module of RDKit.

    Parameters
    ----------
    module : str, default "Chem"
        Its name below ``rdkit``.

    Raises
    ------
    MissingExtraError

    Examples
    --------
    >>> rdkit("Chem.QED").__name__
    'rdkit.Chem.QED'
    """
    return require(f"rdkit.{module}", extra="healthcare", needed_by="work with molecules")


def fingerprints() -> Any:
    """RDKit's generator of Morgan fingerprints of 1 024 bits, of what lies within two bonds.

    Rogers and Hahn 2010, doi:10.1021/ci100050t.

    Raises
    ------
    MissingExtraError

    Examples
    --------
    >>> fingerprints().GetFingerprint(molecule_of("CCO")).GetNumOnBits()
    6
    """
    made = rdkit("Chem.rdFingerprintGenerator")
    return made.GetMorganGenerator(radius=_RADIUS, fpSize=_BITS)


def molecule_of(smiles: str, *, sound: bool = True) -> Any | None:
    """The molecule that RDKit reads, without a word on stderr; None of what is none.

    Empty text is no molecule here, though RDKit makes one without atoms of it.

    Parameters
    ----------
    smiles : str
    sound : bool, default True
        Without, atoms may have more bonds than RDKit allows them.

    Raises
    ------
    MissingExtraError

    Examples
    --------
    >>> molecule_of("CCO").GetNumAtoms()
    3
    >>> [molecule_of(text) is None for text in ("", "C(", "CN(C)(C)C")]
    [True, True, True]
    >>> molecule_of("CN(C)(C)C", sound=False).GetNumAtoms()
    5
    """
    chem, base = rdkit(), rdkit("rdBase")
    with base.BlockLogs():
        found = chem.MolFromSmiles(smiles) if smiles else None
        if found is None and smiles and not sound:
            found = chem.MolFromSmiles(smiles, sanitize=False)
            if found is not None:
                found.UpdatePropertyCache(strict=False)
                chem.GetSymmSSSR(found)
    return found


def likeness(molecule: str) -> Callable[[str], float]:
    """A function of a SMILES: how similar it is to this molecule, in [0, 1]; 0 of none.

    The Tanimoto similarity of Morgan fingerprints (Rogers and Hahn 2010, doi:10.1021/ci100050t).

    Parameters
    ----------
    molecule : str
        SMILES of a molecule.

    Raises
    ------
    ParameterError
        It is no molecule.
    MissingExtraError

    Examples
    --------
    >>> score = likeness("CCO")
    >>> score("OCC"), score("C("), 0 < score("CCCO") < 1
    (1.0, 0.0, True)
    """
    structures, make = rdkit("DataStructs"), fingerprints()
    read = molecule_of(molecule)
    if read is None:
        raise ParameterError(f"{molecule!r} is no molecule. Give a SMILES to be similar to.")
    known = make.GetFingerprint(read)

    def score(smiles: str) -> float:
        found = molecule_of(smiles)
        if found is None:
            return 0.0
        return float(structures.TanimotoSimilarity(known, make.GetFingerprint(found)))

    return score


def respelled(smiles: Iterable[str], count: int, seed: int) -> list[str]:
    """Write molecules in further SMILES, whose atoms are in a random order.

    Parameters
    ----------
    smiles : iterable of str
        What is no molecule is left out.
    count : int
        Of each, at least 0.
    seed : int

    Raises
    ------
    MissingExtraError

    References
    ----------
    Bjerrum (2017), SMILES enumeration as data augmentation for neural network modeling of
    molecules, arXiv:1703.07076.

    Examples
    --------
    >>> sorted(set(respelled(["CCO", "C("], 20, 1)))
    ['C(C)O', 'C(O)C', 'CCO', 'OCC']
    """
    if not count:
        return []
    chem = rdkit()
    molecules = map(molecule_of, smiles)
    return [
        text
        for number, molecule in enumerate(molecules)
        if molecule is not None
        for text in chem.MolToRandomSmilesVect(molecule, count, seed + number)
    ]
