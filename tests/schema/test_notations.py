"""Columns of molecules tell SMILES from SELFIES, in a record as in a table."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.errors import SchemaError
from industry_apps.runtime.records import RecordReader
from industry_apps.schema import Column, Schema

SMILES = Column("molecule", "text", notation="smiles")
SELFIES = Column("molecule", "text", notation="selfies")

#: Of ethanol, benzoic acid, a salt, an alkyne, a long chain; the last is of one symbol.
OF_SELFIES = [
    "[C][C][O]",
    "[O][=C][Branch1][C][O][C][=C][C][=C][C][=C][Ring1][=Branch1]",
    "[Na+1].[O-1][C][=O]",
    "[C][#C]",
    "[C]" * 500,
    "[=C]",
    "[C][/C][=C][\\C]",
    "[N][N]",
]
OF_SMILES = [
    "CCO",
    "c1ccccc1C(=O)O",
    "CCO ethanol",
    " CCO ",
    "C" * 500,
    "[CH3][C](=[O])[OH]",
    "[Na+].[Cl-].O",
    "C1=CC=CC=C1",
    "Br",
    "O",
    "C/C=C\\C",
    "C[C@@H](N)C(=O)O",
]
#: Texts that both notations read alike, or that are of neither: they are answered, if only by
#: ``readable`` false.
OF_BOTH_OR_NONE = [
    *("", "?!", "hello", "word 字 😀", "[Xx]", "[hello]", "No data", "On hold", "In stock"),
    *("[Na+1].[Cl-1]", "[H][H]", "[CH4]", "[CH3][CH2][OH]", "[O][O]", "[C]", "[C", "]["),
    *("[]", "x" * 1_000_000, "[x]" * 300_000, "[", "C" * 1_000_000 + "!"),
]


@pytest.mark.parametrize(
    ("column", "texts", "told"),
    [
        (SMILES, OF_SELFIES, r"expected a SMILES, .*selfies\.decoder"),
        (SELFIES, OF_SMILES, r"expected SELFIES, .*selfies\.encoder"),
    ],
)
def test_the_other_notation_is_refused_in_every_form_of_a_record(column, texts, told):
    for text in texts:
        found = set()
        for ask in (
            lambda text=text: Schema((column,)).to_arrays({"molecule": np.array([text], object)}),
            lambda text=text: RecordReader(Schema((column,)))({"molecule": text}),
        ):
            with pytest.raises(SchemaError, match=told) as refused:
                ask()
            found.add(str(refused.value))
        (message,) = found
        assert message.startswith("Column 'molecule', row 0: got ")


@pytest.mark.parametrize(("column", "texts"), [(SMILES, OF_SMILES), (SELFIES, OF_SELFIES)])
def test_its_own_notation_and_what_is_none_are_read(column, texts):
    every = [*texts, *OF_BOTH_OR_NONE]
    assert column.to_array(every).tolist() == every
    for text in every:
        assert RecordReader(Schema((column,)))({"molecule": text})["molecule"].item() == text


def test_the_row_of_the_other_notation_is_named():
    with pytest.raises(SchemaError, match=r"row 2: got '\[C\]\[=O\]'"):
        SMILES.to_array(["CCO", None, "[C][=O]", "[C][C]"])


def test_the_remedy_works():
    selfies = pytest.importorskip("selfies")
    for text in ("CCO", "c1ccccc1C(=O)O", "C#N"):
        written = selfies.encoder(text)
        assert SELFIES.to_array([written]).tolist() == [written]
        again = selfies.decoder(written)
        assert SMILES.to_array([again]).tolist() == [again]


def test_only_texts_have_a_notation_that_there_is():
    with pytest.raises(SchemaError, match="'molecule' of kind 'category' has the notation"):
        Column("molecule", "category", notation="smiles")
    with pytest.raises(SchemaError, match="notation 'inchi'; expected one of"):
        Column("molecule", "text", notation="inchi")


@pytest.mark.parametrize(
    ("here", "there", "remedy"),
    [("smiles", "selfies", "selfies.decoder"), ("selfies", "smiles", "selfies.encoder")],
)
def test_a_column_of_the_other_notation_is_not_to_be_renamed(here, there, remedy):
    schema = Schema((Column(here, "text", notation=here),))
    with pytest.raises(SchemaError, match=f"Column '{here}' .* is missing.*{remedy}") as wrong:
        schema.check_names({there: ["C"]})
    assert "Did you mean" not in str(wrong.value)
