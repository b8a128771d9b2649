r"""Notations of molecules, told apart by their form.

A model of one notation cannot read the other, or reads another molecule: ``[C][C][O]`` is ethanol
in SELFIES, and in SMILES three atoms of which two carbon atoms have no hydrogen. What is of neither
notation is left to the model, which says that it is not readable.

Sources: Weininger 1988 (doi:10.1021/ci00057a005) for SMILES; Krenn et al. 2020
(doi:10.1088/2632-2153/aba947) for SELFIES.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from numpy.typing import NDArray

from industry_apps.schema.values import UnfitError

#: What the texts of a column are written in; "" is any.
Notation = Literal["", "smiles", "selfies"]

_SYMBOL = r"\[[^\[\]\s]+\]"
_SYMBOLS = re.compile(rf"(?:\.?{_SYMBOL})++")
#: Symbols that SELFIES alone has: a bond within the brackets, branches, rings, nothing.
_OF_SELFIES = re.compile(r"\[(?:[=#/\\]\d*[A-Z][^\[\]]*|[-=#/\\]{0,2}(?:Branch|Ring)\d|nop)\]")
#: Atoms to which SELFIES adds hydrogens and SMILES does not, of more bonds than a chain has.
_BARE = re.compile(r"\[[BCNP]\]")
#: Pieces of a SMILES other than atoms in lower case, which have a ring closure somewhere.
_PIECE = rf"{_SYMBOL}|Br|Cl|[BCNOPSFI*]|[0-9%()=#:/\\.$~<>-]"
_SMILES = re.compile(rf"(?=[^0-9()])(?:(?=\D*\d)(?:{_PIECE}|[bcnops])++|(?:{_PIECE})++)")

_EXPECTED = {
    "smiles": (
        "a SMILES, as 'CCO' is for '[C][C][O]'",
        "Write SELFIES as SMILES with selfies.decoder of the package selfies.",
    ),
    "selfies": (
        "SELFIES, as '[C][C][O]' is for 'CCO'",
        "Write SMILES as SELFIES with selfies.encoder of the package selfies.",
    ),
}


def check_notation(notation: Notation, texts: NDArray[Any]) -> None:
    """Raise where a text is of the other notation.

    Parameters
    ----------
    notation : {"", "smiles", "selfies"}
        The one that is expected; of "" nothing is checked.
    texts : ndarray of str, shape [rows]

    Raises
    ------
    UnfitError
    """
    if not notation:
        return
    is_other = is_selfies if notation == "smiles" else is_smiles
    for row, text in enumerate(texts.tolist()):
        if is_other(text):
            raise UnfitError(*_EXPECTED[notation], row)


def remedy_of(notation: Notation, name: str) -> str:
    """What to do with a column that is called after the other notation; "" of another name.

    Parameters
    ----------
    notation : {"", "smiles", "selfies"}
        The one that is expected.
    name : str
    """
    other = {"smiles": "selfies", "selfies": "smiles"}.get(notation)
    return _EXPECTED[notation][1] if other and name.casefold() == other else ""


def is_selfies(text: str) -> bool:
    """Tell SELFIES that is no SMILES, or that no one means as one.

    Parameters
    ----------
    text : str
        A name may stand behind the molecule.

    Examples
    --------
    >>> [is_selfies(text) for text in ("[C][=O]", "[C][C][O]", "[CH3][CH3]", "[Na+].[Cl-]", "C")]
    [True, True, False, False, False]
    """
    word = _first_word(text)
    if not word.startswith("[") or not _SYMBOLS.fullmatch(word):
        return False
    return bool(_OF_SELFIES.search(word) or (word.count("[") > 1 and _BARE.search(word)))


def is_smiles(text: str) -> bool:
    """Tell what is written as a SMILES and is no SELFIES, whether or not it is a molecule.

    Parameters
    ----------
    text : str
        A name may stand behind the molecule.

    Examples
    --------
    >>> [is_smiles(text) for text in ("CCO", "c1ccccc1 benzene", "[C][C][O]", "No name", "")]
    [True, True, False, False, False]
    """
    word = _first_word(text)
    return not _SYMBOLS.fullmatch(word) and bool(_SMILES.fullmatch(word))


def _first_word(text: str) -> str:
    return (text.split(None, 1) or [""])[0]
