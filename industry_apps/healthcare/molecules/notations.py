"""Molecules in two notations: SMILES, and SELFIES, in which whatever is written is a molecule.

Method: Krenn et al., Self-referencing embedded strings (SELFIES), Machine Learning: Science and
Technology 2020, doi:10.1088/2632-2153/aba947, by the authors' package ``selfies``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from industry_apps.errors import require

#: The notations that there are.
SMILES, SELFIES = "smiles", "selfies"
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
