"""Splits by scaffold."""

from __future__ import annotations

import pandas as pd
import pytest

from industry_apps.data import load, split_scaffolds
from industry_apps.data.rules import Scaffolds
from industry_apps.data.scaffolds import scaffold_of
from industry_apps.errors import SchemaError

pytest.importorskip("rdkit")
RULE = Scaffolds("smiles", 0.6, 0.2)


def test_no_scaffold_lies_in_two_parts():
    frame = pd.DataFrame(
        {"smiles": ["Cc1ccccc1", "CC1CCCCC1", "CCc1ccccc1", "OC1CCCCC1", "C", "CC1CC1"]}
    )
    parts = split_scaffolds(frame, RULE)
    cores = [set(part["smiles"].map(scaffold_of)) for part in parts]
    assert not cores[0] & cores[1]
    assert not (cores[0] | cores[1]) & cores[2]
    assert sorted(pd.concat(parts)["smiles"]) == sorted(frame["smiles"])


def test_frequent_scaffolds_are_in_training():
    frame = pd.DataFrame({"smiles": ["CC1CC1"] + ["Cc1ccccc1"] * 6 + ["C1CCC1", "CC1CCCC1", "C"]})
    parts = split_scaffolds(frame, RULE)
    assert set(parts.train["smiles"]) == {"Cc1ccccc1"}


@pytest.mark.parametrize("text", ["hello(", "", float("nan")])
def test_what_is_no_molecule_is_refused(text):
    with pytest.raises(SchemaError, match="no SMILES"):
        split_scaffolds(pd.DataFrame({"smiles": [text]}), RULE)


def test_too_many_bonds_leave_a_scaffold():
    aluminium = "O=C1O[Al]23(OC1=O)(OC(=O)C(=O)O2)OC(=O)C(=O)O3"
    assert scaffold_of(aluminium) == "O=C1[O][Al]23([O]C1=O)([O]C(=O)C(=O)[O]2)[O]C(=O)C(=O)[O]3"


def test_a_row_that_is_no_molecule_is_named():
    frame = pd.DataFrame({"smiles": ["CCO", "C1CC1", "junk!!"]})
    with pytest.raises(SchemaError, match=r"'smiles', row 2: 'junk!!' is no SMILES"):
        split_scaffolds(frame, Scaffolds("smiles", 0.8, 0.1))


def test_a_missing_column_is_refused():
    with pytest.raises(SchemaError, match="'smiles'"):
        split_scaffolds(pd.DataFrame({"molecule": ["C"]}), RULE)


@pytest.mark.real_data("moleculenet")
def test_the_sizes_of_the_parts_of_bbbp():
    data = load("moleculenet_bbbp")
    assert [len(part) for part in (data.train, data.validation, data.test)] == [1631, 204, 204]
