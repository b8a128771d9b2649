"""Molecules in two notations: SMILES, and SELFIES, in which whatever is written is a molecule.

Method: Krenn et al., Self-referencing embedded strings (SELFIES), Machine Learning: Science and
Technology 2020, doi:10.1088/2632-2153/aba947, by the authors' package ``selfies``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from industry_apps.errors import SchemaError, require
from industry_apps.healthcare.molecules.reading.smiles import ATOM

#: The notations that there are.
SMILES, SELFIES = "smiles", "selfies"
_SMILES_TEXT, _BRACKETS = re.compile(rf"(?:{ATOM})+"), re.compile(r"\[[^\]]*\]")
_NEEDED = {"extra": "healthcare", "needed_by": "the notation SELFIES"}


def to_selfies(smiles: Iterable[str | None]) -> list[str | None]:
    """Write SMILES as SELFIES; None of what is none, or has an atom of too many bonds.

    Parameters
    ----------
    smiles : iterable of str or None

    Raises
    ------
    MissingExtraError

    Examples
    --------
    >>> to_selfies(["OCC", "C(", "C11", None])
    ['[O][C][C]', None, None, None]
    """
    package = require("selfies", **_NEEDED)
    return [_encoded(package, text) for text in smiles]


def to_smiles(selfies: Iterable[str | None]) -> list[str]:
    """Write SELFIES as SMILES; "" of what is none.

    Parameters
    ----------
    selfies : iterable of str or None

    Raises
    ------
    MissingExtraError

    Examples
    --------
    >>> to_smiles(["[O][C][C]", "[C][#N][=C]", "CCO"])
    ['OCC', 'C#N', '']
    """
    package = require("selfies", **_NEEDED)
    return [_decoded(package, text) for text in selfies]


def refuse_smiles(texts: Iterable[str]) -> None:
    """Raise where a text that should be SELFIES is a SMILES.

    Parameters
    ----------
    texts : iterable of str

    Raises
    ------
    SchemaError

    Examples
    --------
    >>> refuse_smiles(["[C][C][O]", "[Na+1].[Cl-1]", "", "?!"])
    """
    for row, text in enumerate(texts):
        if _SMILES_TEXT.fullmatch(text) and any(map(str.isalpha, _BRACKETS.sub("", text))):
            raise SchemaError(
                f"Column {SELFIES!r}, row {row}: got {text!r:.60}, a SMILES, expected SELFIES, as "
                "'[C][C][O]' is for 'CCO'. Give SMILES in the column 'smiles', or write them with "
                "`selfies.encoder`."
            )


def _encoded(package: Any, smiles: str | None) -> str | None:
    if not isinstance(smiles, str) or not smiles:
        return None
    try:
        return str(package.encoder(smiles))
    except (package.EncoderError, IndexError):  # the latter of a ring of one atom
        return None


def _decoded(package: Any, selfies: str | None) -> str:
    try:
        return str(package.decoder(selfies)) if isinstance(selfies, str) else ""
    except package.DecoderError:
        return ""
