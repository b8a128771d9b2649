"""Whether it matters how a molecule is written, and which molecules are read at all."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from sklearn.base import clone

from industry_apps.application import Application
from industry_apps.data import Dataset
from industry_apps.data.chemistry import molecule_of, rdkit
from industry_apps.evaluation.sections import Section

__all__ = ["compared_spellings", "spellings"]

#: A change of an answer that is no rounding.
_CHANGED = 1e-4


def spellings(smiles: str, seed: int = 0) -> dict[str, str]:
    """Ten ways in which RDKit writes a molecule; none of what it does not read.

    Parameters
    ----------
    smiles : str
    seed : int, default 0
        Of the random orders of the atoms.

    Raises
    ------
    MissingExtraError

    Examples
    --------
    >>> found = spellings("c1ccccc1")
    >>> found["Kekulé form"], found["all bonds written"]
    ('C1=CC=CC=C1', 'c1:c:c:c:c:c:1')
    """
    chem = rdkit()
    molecule = molecule_of(smiles)
    if molecule is None:
        return {}
    with_hydrogens = chem.AddHs(molecule)
    kekule, both = chem.Mol(molecule), chem.Mol(with_hydrogens)
    for each in (kekule, both):
        chem.Kekulize(each, clearAromaticFlags=True)
    first, second = chem.MolToRandomSmilesVect(molecule, 2, seed + 1)
    (hydrogens,) = chem.MolToRandomSmilesVect(with_hydrogens, 1, seed + 1)
    (mixed,) = chem.MolToRandomSmilesVect(kekule, 1, seed + 1, kekuleSmiles=True)
    every = {"allBondsExplicit": True, "allHsExplicit": True}
    return {
        "canonical": chem.MolToSmiles(molecule),
        "random order": first,
        "another random order": second,
        "all bonds written": chem.MolToSmiles(molecule, allBondsExplicit=True),
        "all atoms in brackets": chem.MolToSmiles(molecule, allHsExplicit=True),
        "hydrogens as atoms": chem.MolToSmiles(with_hydrogens),
        "hydrogens as atoms, random order": hydrogens,
        "Kekulé form": chem.MolToSmiles(kekule, kekuleSmiles=True),
        "Kekulé form, random order": mixed,
        "Kekulé form, all written": chem.MolToSmiles(both, kekuleSmiles=True, **every),
    }


def compared_spellings(predictor: Application, data: Dataset) -> tuple[Section, Section]:
    """Ask which molecules of some data are read, and whether other spellings change an answer.

    Parameters
    ----------
    predictor : PropertyPredictor
        Its parameters are used; it is not changed.
    data : Dataset

    Returns
    -------
    tuple of Section
        Reading beside RDKit's; and the share of the molecules whose answer changes in each of ten
        spellings.

    Raises
    ------
    SchemaError, TrainingError, MissingExtraError
    """
    fitted = clone(predictor).fit(data)
    parts, (column,) = (data.train, data.validation, data.test), fitted.schema_.names
    texts = [text for part in parts if part is not None for text in part[column]]
    written = [spellings(text, row) for row, text in enumerate(texts)]
    known = fitted.predict(pd.DataFrame({column: texts}))
    ours, theirs = known["readable"].to_numpy(), np.array([bool(each) for each in written])
    rows = [
        [name, int((ours & where).sum()), int((~ours & where).sum())]
        for name, where in (("RDKit reads", theirs), ("RDKit does not read", ~theirs))
    ]
    reading = Section(
        "Which molecules are read",
        f"Of {len(texts)} SMILES, those that the file reads, beside what RDKit's sanitising says.",
        [["SMILES that", "read", "not read"], *rows],
    )
    both = np.flatnonzero(ours & theirs)
    changes = [
        [name, len(both), *_changes(fitted, known.iloc[both], [written[row][name] for row in both])]
        for name in (written[both[0]] if len(both) else ())
    ]
    text = (
        f"An answer is changed where it differs by more than {_CHANGED:g} from that to the SMILES "
        "in the data, or is none."
    )
    header = ["spelling", "molecules", "changed", "largest_difference"]
    return reading, Section("Ten spellings of each molecule", text, [header, *changes])


def _changes(fitted: Application, known: pd.DataFrame, texts: Iterable[str]) -> tuple[int, float]:
    """How many answers are changed, and by how much at most."""
    (column,) = fitted.schema_.names
    found = fitted.predict(pd.DataFrame({column: list(texts)}))
    columns = [name for name in known if name != "readable"]
    gap = np.abs(found[columns].to_numpy(float) - known[columns].to_numpy(float))
    changed = ~(gap <= _CHANGED).all(axis=1)
    return int(changed.sum()), float(np.nanmax(gap, initial=0))
