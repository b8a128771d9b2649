"""What each piece of a SMILES means, as tables: symbols, hydrogens, charges, bonds, rings.

The grammar is that of Weininger 1988 (doi:10.1021/ci00057a005) and OpenSMILES, less what is
rare in tables of molecules: wild and quadruple bonds; ring closures behind a branch, with unlike
bonds at their ends or beyond %99; double bonds written between atoms in lower case in a ring; and
charges beyond 15. Chirality and the numbers of atom maps are read and have no effect.
"""

from __future__ import annotations

from dataclasses import dataclass

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
_UNBRACKETED = ("B", "C", "N", "O", "P", "S", "F", "Cl", "Br", "I", "*")
_AROMATIC = ("b", "c", "n", "o", "p", "s", "se", "as", "te", "si")

#: Kinds of bonds; 0 is none. Dative ones, from the first atom or from the second, are written only.
SINGLE, DOUBLE, TRIPLE, AROMATIC, TO_SECOND, TO_FIRST = range(1, 7)
_BONDS = {
    "-": SINGLE,
    "/": SINGLE,
    "\\": SINGLE,
    "=": DOUBLE,
    "#": TRIPLE,
    ":": AROMATIC,
    "->": TO_SECOND,
    "<-": TO_FIRST,
}
#: The largest charge, in either direction.
MOST_CHARGE = 15

_BOND = r"(?:->|<-|[-=#:/\\])"
_RING = r"(?:%[0-9][0-9]|[0-9])"
_CHARGE = r"(?:\+\+|--|[+-](?:1[0-5]|[0-9])?)"
_SYMBOL = r"(?:[A-Z][a-z]?|[a-z][a-z]?|\*)"
#: Arrangements about an atom beside @ and @@, and how many there are of each.
_CLASSES = {"TH": 2, "AL": 2, "SP": 3, "TB": 20, "OH": 30}
_CLASS = rf"@(?:{'|'.join(_CLASSES)})[0-9]{{1,2}}"
_BRACKET = (
    rf"\[(?:0|[1-9][0-9]*)?{_SYMBOL}(?:@{{0,2}}|{_CLASS})(?:H[0-9]?)?{_CHARGE}?(?::[0-9]+)?\]"
)
_PLAIN = r"Br|Cl|[BCNOPSFIbcnops*]"
#: What stands before a blank; a name may stand behind it.
FIRST_WORD = r"\S+"
#: One atom with the bond before it, its ring closures, and the branches that it begins and ends.
ATOM = rf"[.(]?{_BOND}?(?:{_BRACKET}|{_PLAIN})(?:{_BOND}?{_RING}){{0,12}}\){{0,200}}"
#: The same, or one character that belongs to none. Of RE2, the longest match.
ATOMS = rf"{ATOM}|(?s:.)"
#: The pieces of one such atom; what stands in brackets is one of them.
PIECES = rf"\[[^\]]*\]|{_PLAIN}|{_BOND}?{_RING}|{_BOND}|[().]"
#: What stands in brackets, and the pieces of that which have an effect; of a mass the first digit.
IN_BRACKETS = r"\[[^\]]*\]"
PIECES_IN_BRACKETS = rf"\[[0-9]?|{_CLASS}|[A-Z][a-z]?|[a-z][a-z]?|\*|H[0-9]?|{_CHARGE}|\]"


@dataclass(frozen=True, slots=True)
class Piece:
    """What one piece says of the atom that it stands in; all are numbers that add up.

    Parameters
    ----------
    symbol, number, lower : int
        1 for a symbol other than H, its atomic number, 1 where it is in lower case.
    hydrogen, hydrogens : int
        1 for the piece of an H, and how many it names.
    charge, isotope, bracket : int
        Of the atom: its charge, 1 where its mass is written, and 1 for what closes a bracket.
    opens, closes, dot : int
        1 for a branch that begins, one that ends, and a new fragment.
    bond : int
        Kind of the bond to the atom before.
    ring, ring_bond : int
        Number of a ring closure, from 1, and the kind of its bond, if one is written.
    """

    symbol: int = 0
    number: int = 0
    lower: int = 0
    hydrogen: int = 0
    hydrogens: int = 0
    charge: int = 0
    isotope: int = 0
    bracket: int = 0
    opens: int = 0
    closes: int = 0
    dot: int = 0
    bond: int = 0
    ring: int = 0
    ring_bond: int = 0


#: A piece in brackets that has no meaning: an atom has one symbol.
UNKNOWN = Piece(symbol=2)
#: Their names, in the order of the columns of the table.
FACTS = tuple(Piece.__dataclass_fields__)


def pieces() -> dict[str, Piece]:
    """Every piece outside of brackets that has a meaning.

    Examples
    --------
    >>> pieces()["=%12"].ring, pieces()["Cl"].number, pieces()["-"].bond
    (13, 17, 1)
    """
    found = {s: Piece(symbol=1, number=NUMBER[s]) for s in _UNBRACKETED}
    found |= {s: _lower(s) for s in _AROMATIC if s.upper() in _UNBRACKETED}
    found |= {"(": Piece(opens=1), ")": Piece(closes=1), ".": Piece(dot=1)}
    found |= {text: Piece(bond=kind) for text, kind in _BONDS.items()}
    for text, kind in (("", 0), *_BONDS.items()):
        found |= {f"{text}%{n:02d}": Piece(ring=n + 1, ring_bond=kind) for n in range(100)}
        found |= {f"{text}{n}": Piece(ring=n + 1, ring_bond=kind) for n in range(10)}
    return found


def pieces_in_brackets() -> dict[str, Piece]:
    """Every piece within brackets that has a meaning.

    Examples
    --------
    >>> pieces_in_brackets()["-2"].charge, pieces_in_brackets()["-"].charge
    (-2, -1)
    """
    found = {s: Piece(symbol=1, number=n) for s, n in NUMBER.items() if s != "H"}
    found |= {symbol: _lower(symbol) for symbol in _AROMATIC}
    found["H"] = Piece(hydrogen=1, hydrogens=1)
    found |= {f"H{n}": Piece(hydrogen=1, hydrogens=n) for n in range(10)}
    for name, most in _CLASSES.items():  # they have no effect; any other is unknown
        found |= {f"@{name}{n}": Piece() for n in range(1, most + 1)}
    found["]"] = Piece(bracket=1)
    found |= {"[": Piece(), **{f"[{digit}": Piece(isotope=1) for digit in range(10)}}
    for sign, unit in (("+", 1), ("-", -1)):
        found |= {sign: Piece(charge=unit), 2 * sign: Piece(charge=2 * unit)}
        found |= {f"{sign}{n}": Piece(charge=n * unit) for n in range(MOST_CHARGE + 1)}
    return found


def _lower(symbol: str) -> Piece:
    return Piece(symbol=1, number=NUMBER[symbol.capitalize()], lower=1)
