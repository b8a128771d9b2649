"""What each piece of a SMILES means, as tables: symbols, hydrogens, charges, bonds, rings.

The grammar is that of Weininger 1988 (doi:10.1021/ci00057a005) and OpenSMILES, less what is
rare in tables of molecules: atom maps, wild bonds, quadruple bonds, chirality other than @
and @@ (which is read and has no effect), and ring closures behind a branch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Symbols by atomic number, from hydrogen on; the last is any atom.
ELEMENTS = (
    "H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "P", "S", "Cl",
    "Ar", "K", "Ca", "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As",
    "Se", "Br", "Kr", "Rb", "Sr", "Y", "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In",
    "Sn", "Sb", "Te", "I", "Xe", "Cs", "Ba", "La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb",
    "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Hf", "Ta", "W", "Re", "Os", "Ir", "Pt", "Au", "Hg", "Tl",
    "Pb", "Bi", "Po", "At", "Rn", "Fr", "Ra", "Ac", "Th", "Pa", "U", "Np", "Pu", "Am", "Cm", "Bk",
    "Cf", "Es", "Fm", "Md", "No", "Lr", "Rf", "Db", "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn",
    "Nh", "Fl", "Mc", "Lv", "Ts", "Og", "*",
)  # fmt: skip
NUMBER = {symbol: number for number, symbol in enumerate(ELEMENTS, start=1)}
_AROMATIC = ("b", "c", "n", "o", "p", "s", "se", "as", "te", "si")

#: Kinds of bonds; 0 is none.
SINGLE, DOUBLE, TRIPLE, AROMATIC = 1, 2, 3, 4
_BONDS = {"-": SINGLE, "/": SINGLE, "\\": SINGLE, "=": DOUBLE, "#": TRIPLE, ":": AROMATIC}
_CHARGES = 15
_ISOTOPES = 300

#: Valences that an atom without brackets may have: the smallest that holds its bonds is taken.
VALENCES = {
    "B": (3,),
    "C": (4,),
    "N": (3,),
    "O": (2,),
    "P": (3, 5, 7),
    "S": (2, 4, 6),
    "F": (1,),
    "Cl": (1,),
    "Br": (1,),
    "I": (1, 3, 5),
    "*": (12,),
}
MOST_BONDS = 12

_BOND = r"[-=#:/\\]"
_RING = r"(?:%[0-9][0-9]|[0-9])"
_BRACKET = r"\[[0-9]*(?:[A-Z][a-z]?|[a-z][a-z]?|\*)@{0,2}(?:H[0-9]?)?(?:[+-]+[0-9]*)?\]"
_ATOM = rf"(?:{_BRACKET}|Br|Cl|[BCNOPSFIbcnops*])"
#: One atom with the bond before it, its ring closures, and the branches that it begins and
#: ends; or one character that belongs to none. Of RE2, the longest match.
ATOMS = rf"[.(]{{0,2}}{_BOND}?{_ATOM}(?:{_BOND}?{_RING}){{0,12}}\){{0,200}}|(?s:.)"
#: The pieces of one such atom.
PIECES = (
    rf"\[[0-9]*|[A-Z][a-z]?|[a-z][a-z]?|H[0-9]?|\*|@{{1,2}}|[+-]+[0-9]*\]|\]|{_BOND}?{_RING}|"
    rf"{_BOND}|[().]|(?s:.)"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """What one piece says of the atom that it stands in; all are numbers that add up.

    Parameters
    ----------
    present, known : int
        1 for every piece, and 1 for a piece that this module knows.
    symbol, number, lower : int
        1 for a symbol other than H, its atomic number, 1 where it is in lower case.
    hydrogen, hydrogens : int
        1 for the piece of an H, and how many it names.
    charge, bracket : int
        Of the atom, and 1 for what opens a bracket.
    opens, closes, dot : int
        1 for a branch that begins, one that ends, and a new fragment.
    bond : int
        Kind of the bond to the atom before.
    ring, ring_bond : int
        Number of a ring closure, from 1, and the kind of its bond, if one is written.
    """

    present: int = 1
    known: int = 1
    symbol: int = 0
    number: int = 0
    lower: int = 0
    hydrogen: int = 0
    hydrogens: int = 0
    charge: int = 0
    bracket: int = 0
    opens: int = 0
    closes: int = 0
    dot: int = 0
    bond: int = 0
    ring: int = 0
    ring_bond: int = 0


#: Their names, in the order of the columns of the table.
FACTS = tuple(Piece.__dataclass_fields__)


def pieces() -> dict[str, Piece]:
    """Every piece that has a meaning.

    Examples
    --------
    >>> pieces()["=%12"].ring, pieces()["Cl"].number, pieces()["-2]"].charge
    (13, 17, -2)
    """
    found = {s: Piece(symbol=1, number=n) for s, n in NUMBER.items() if s != "H"}
    for symbol in _AROMATIC:
        found[symbol] = Piece(symbol=1, number=NUMBER[symbol.capitalize()], lower=1)
    found["H"] = Piece(hydrogen=1, hydrogens=1)
    found |= {f"H{n}": Piece(hydrogen=1, hydrogens=n) for n in range(10)}
    found |= {f"[{n}": Piece(bracket=1) for n in ("", *range(_ISOTOPES))}
    found |= {piece: Piece() for piece in ("@", "@@", "]")}
    for sign, unit in (("+", 1), ("-", -1)):
        found |= {f"{sign * n}]": Piece(charge=n * unit) for n in range(1, _CHARGES + 1)}
        found |= {f"{sign}{n}]": Piece(charge=n * unit) for n in range(_CHARGES + 1)}
    found |= {"(": Piece(opens=1), ")": Piece(closes=1), ".": Piece(dot=1)}
    found |= {text: Piece(bond=kind) for text, kind in _BONDS.items()}
    for text, kind in (("", 0), *_BONDS.items()):
        found |= {f"{text}%{n:02d}": Piece(ring=n + 1, ring_bond=kind) for n in range(100)}
        found |= {f"{text}{n}": Piece(ring=n + 1, ring_bond=kind) for n in range(10)}
    return found


def hydrogens_by_valence() -> NDArray[np.int64]:
    """Hydrogens of an atom without brackets, by [atomic number, bonds]; -1 where it has too many.

    Bonds are counted by their order, up to ``MOST_BONDS``.
    """
    table = np.zeros((len(ELEMENTS) + 1, MOST_BONDS + 1), dtype=np.int64)
    for symbol, valences in VALENCES.items():
        for bonds in range(MOST_BONDS + 1):
            fitting = [valence for valence in valences if valence >= bonds]
            table[NUMBER[symbol], bonds] = fitting[0] - bonds if fitting else -1
    table[NUMBER["*"]] = 0
    return table


def hydrogens_in_rings() -> NDArray[np.int64]:
    """The same of an aromatic atom, whose bonds and one more for the ring count: never -1."""
    table = np.zeros((len(ELEMENTS) + 1, MOST_BONDS + 1), dtype=np.int64)
    for symbol, valences in VALENCES.items():
        for bonds in range(MOST_BONDS + 1):
            table[NUMBER[symbol], bonds] = max(valences[0] - bonds, 0)
    table[NUMBER["*"]] = 0
    return table
