"""RDKit, asked for in one place, and molecules as it reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from industry_apps.errors import require


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
