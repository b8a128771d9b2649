"""Molecules in SMILES and SELFIES."""

from __future__ import annotations

import random

import pytest

from industry_apps.healthcare.molecules.notations import to_selfies, to_smiles
from industry_apps.schema.notations import is_selfies, is_smiles

pytest.importorskip("selfies")
chem = pytest.importorskip("rdkit.Chem")
base = pytest.importorskip("rdkit.rdBase")

MOLECULES = [
    "Cc1ccc(F)cc1C(=O)N[C@@H]1CCC[NH2+]1",
    "O=[N+]([O-])c1ccc2[nH]ccc2c1",
    "C/C=C/C#N",
    "CC.Cl",
]


@pytest.mark.parametrize("smiles", MOLECULES)
def test_there_and_back_is_the_same_molecule(smiles):
    (again,) = to_smiles(to_selfies([smiles]))
    assert chem.CanonSmiles(again) == chem.CanonSmiles(smiles)


def test_any_sequence_of_symbols_is_a_molecule():
    selfies = pytest.importorskip("selfies")
    symbols = sorted({s for text in to_selfies(MOLECULES[:3]) for s in selfies.split_selfies(text)})
    draw = random.Random(0)
    texts = ["[C]" + "".join(draw.choices(symbols, k=20)) for _ in range(200)]
    with base.BlockLogs():
        assert all(chem.MolFromSmiles(smiles) for smiles in to_smiles(texts))


@pytest.mark.parametrize(
    "text", ["", "C(", "C1", "C11CC1", "[Xx]", "word 字 😀", "c1cccc1", None, 3.0]
)
def test_what_is_no_smiles_has_no_selfies(text):
    assert to_selfies([text]) == [None]


@pytest.mark.parametrize("text", ["", "CCO", "[Xx]", "[C][", "word 字 😀", None])
def test_what_is_no_selfies_has_no_smiles(text):
    assert to_smiles([text]) == [""]


@pytest.mark.parametrize("text", [*MOLECULES, "CCO", "[nH]1cccc1", "C.C", "CCl"])
def test_the_notations_are_told_apart(text):
    (selfies,) = to_selfies([text])
    assert (is_smiles(text), is_selfies(text)) == (True, False)
    assert (is_smiles(selfies), is_selfies(selfies)) == (False, True)
