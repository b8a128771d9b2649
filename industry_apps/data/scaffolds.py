"""Splits of molecules by their scaffold: what is tested has a core that was never seen.

Method: Bemis and Murcko 1996, doi:10.1021/jm9602928, for the scaffold; the assignment to the
parts is that of MoleculeNet (Wu et al. 2018, doi:10.1039/C7SC02664A), so that figures compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from industry_apps.data.chemistry import molecule_of, rdkit
from industry_apps.data.rules import Scaffolds
from industry_apps.data.splits import Split
from industry_apps.errors import SchemaError

if TYPE_CHECKING:
    import pandas as pd


def scaffold_of(smiles: str) -> str:
    """Rings of a molecule and what links them, as SMILES; "" of a molecule without rings.

    Parameters
    ----------
    smiles : str

    Raises
    ------
    SchemaError
        The SMILES is not one; empty text is none.
    MissingExtraError

    Examples
    --------
    >>> scaffold_of("CCc1ccccc1")
    'c1ccccc1'
    """
    # What RDKit refuses for its valences has a skeleton all the same.
    molecule = molecule_of(smiles, sound=False)
    if molecule is None:
        raise SchemaError(f"{smiles!r} is no SMILES that RDKit reads. Correct it or leave it out.")
    chem = rdkit()
    # As RDKit's MurckoScaffold does, which would check the valences again.
    core = chem.MurckoDecompose(molecule)
    core.ClearComputedProps()
    core.UpdatePropertyCache(strict=False)
    chem.GetSymmSSSR(core)
    found: str = chem.MolToSmiles(core, isomericSmiles=False)
    return found


def split_scaffolds(frame: pd.DataFrame, rule: Scaffolds) -> Split:
    """Fill training, validation and test with whole scaffolds, the most frequent first.

    Parameters
    ----------
    frame : pandas.DataFrame
    rule : Scaffolds

    Raises
    ------
    SchemaError
        The column is not there, or holds what is no SMILES.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"smiles": ["Cc1ccccc1"] * 8 + ["C1CC1", "CC"]})
    >>> [len(part) for part in split_scaffolds(frame, Scaffolds("smiles", 0.8, 0.1))]
    [8, 1, 1]
    """
    if rule.column not in frame:
        have = ", ".join(map(str, frame))
        raise SchemaError(f"Column {rule.column!r} is missing. The table has: {have}.")
    members: dict[str, list[int]] = {}
    for row, smiles in enumerate(frame[rule.column]):
        try:
            scaffold = scaffold_of(smiles if isinstance(smiles, str) else "")
        except SchemaError as error:
            raise SchemaError(f"Column {rule.column!r}, row {row}: {error}") from None
        members.setdefault(scaffold, []).append(row)
    # MoleculeNet's order: the largest first; of equal ones that which is met last.
    groups = sorted(members.values(), key=lambda rows: (len(rows), rows[0]), reverse=True)
    parts = _filled(groups, len(frame), rule)
    return Split(*(frame.iloc[rows].reset_index(drop=True) for rows in parts))


def _filled(groups: Sequence[list[int]], rows: int, rule: Scaffolds) -> list[list[int]]:
    train: list[int] = []
    validation: list[int] = []
    test: list[int] = []
    first, second = rule.train * rows, (rule.train + rule.validation) * rows
    for group in groups:
        if len(train) + len(group) <= first:
            train += group
        elif len(train) + len(validation) + len(group) <= second:
            validation += group
        else:
            test += group
    return [train, validation, test]
