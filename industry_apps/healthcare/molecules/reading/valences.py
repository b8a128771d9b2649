"""Tables of how many bonds atoms have, and how many electrons they give to a ring.

The rules are those of RDKit's sanitising, written from its documentation (The RDKit Book) and
what it answers: an ion has the valences of the element with as many electrons; an aromatic bond
counts one and a half. Bonds are counted in halves here, so that all numbers are whole.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.healthcare.molecules.reading.smiles import ELEMENTS, MOST_CHARGE, NUMBER

#: Valences of elements, rising; of those that are not named, any. The last may be exceeded where
#: ``_OPEN`` has the element.
_VALENCES: dict[str, tuple[int, ...]] = (
    dict.fromkeys(("He", "Ne", "Ar", "Kr", "Rn"), (0,))
    | dict.fromkeys(("H", "F", "Cl", "Br", "Cs", "Fr", "Li", "Na", "K", "Rb"), (1,))
    | dict.fromkeys(("Be", "O", "Mg", "Ca", "Sr", "Ba", "Ra"), (2,))
    | dict.fromkeys(("B", "N", "Al", "Ga", "In"), (3,))
    | dict.fromkeys(("C", "Si", "Ge"), (4,))
    | dict.fromkeys(("Sn", "Pb"), (2, 4))
    | dict.fromkeys(("P", "As", "Sb", "Bi"), (3, 5))
    | dict.fromkeys(("S", "Se", "Te", "Po"), (2, 4, 6))
    | {"I": (1, 3, 5), "At": (1, 3, 5), "Xe": (0, 2, 4, 6)}
)
_OPEN = ("Li", "Na", "K", "Rb", "Mg", "Ca", "Sr", "Ba", "Ra")
#: Ions of these keep the valences of the element itself, however negative.
_HYPERVALENT = {"P": 16, "S": 16, "As": 34, "Se": 34}
#: Outer electrons of the elements that may be part of an aromatic ring.
_OUTER = {"B": 3, "C": 4, "N": 5, "O": 6, "Al": 3, "Si": 4, "P": 5, "S": 6, "Se": 6, "Te": 6}
_NONE, _ANY = -1, 99
#: Half bonds that are told apart, and whole ones.
MOST_HALVES, MOST_VALENCE = 32, 16
CHARGES = 2 * MOST_CHARGE + 1
#: An atom in an aromatic ring has a smaller charge, and fewer neighbours and double bonds.
LARGEST_IN_RING, MOST_NEIGHBOURS, MOST_DOUBLE = 4, 4, 2
#: What a table holds for the class of an atom, whether it is aromatic, and its half bonds.
IMPLIED, BONDS, FITS = range(3)


class Classes(NamedTuple):
    """Atoms that have the same valences; tables of bytes, since a file holds them.

    Parameters
    ----------
    of_atom, ring_of_atom : ndarray of shape [elements, charges]
        Class of an atomic number, from 0, and a charge, from the most negative; and the class of
        what it is in an aromatic ring.
    by_bonds : ndarray of shape [classes, 2, halves, 3]
        For an atom that is not aromatic and one that is: hydrogens that an atom without brackets
        has beside its bonds, -1 where it has too many; bonds that the halves stand for; 1 where
        an atom in brackets may have them.
    in_ring : ndarray of shape [classes, valences]
        What the bonds and hydrogens of an aromatic atom come to with the double bond that it may
        have, by the valence without one; 0 where it has none.
    lowest : ndarray of shape [classes]
        The smallest valence of the ion.
    """

    of_atom: NDArray[np.int8]
    ring_of_atom: NDArray[np.int8]
    by_bonds: NDArray[np.int8]
    in_ring: NDArray[np.int8]
    lowest: NDArray[np.int8]


def classes() -> Classes:
    """Find the classes of all atoms, and their tables.

    Examples
    --------
    >>> found = classes()
    >>> carbon = found.of_atom[6, MOST_CHARGE]
    >>> int(found.by_bonds[carbon, 0, 2 * 3, IMPLIED])
    1
    """
    ions: dict[tuple[tuple[int, ...], int], int] = {}
    rings: dict[tuple[int, ...], int] = {}
    of_atom = np.zeros((2, len(ELEMENTS) + 1, CHARGES), dtype=np.int8)
    for number in range(len(ELEMENTS) + 1):
        for charge in range(-MOST_CHARGE, MOST_CHARGE + 1):
            ion, ring = _of_ion(number, charge), _of_ring(number, charge)
            places = ions.setdefault(ion, len(ions)), rings.setdefault(ring, len(rings))
            of_atom[:, number, charge + MOST_CHARGE] = places
    by_bonds = [
        [
            [_by_bonds(*ion, aromatic, half) for half in range(MOST_HALVES + 1)]
            for aromatic in (False, True)
        ]
        for ion in ions
    ]
    in_ring = [[_in_ring(ring, bonds) for bonds in range(MOST_VALENCE + 1)] for ring in rings]
    lowest = [valences[0] if valences else _ANY for valences, _ in ions]
    return Classes(*of_atom, *(np.array(each, np.int8) for each in (by_bonds, in_ring, lowest)))


def _of_ion(number: int, charge: int) -> tuple[tuple[int, ...], int]:
    """Valences of an ion, and the most that it may have."""
    symbol = ELEMENTS[number - 1] if number else "*"
    own = _VALENCES.get(symbol, ())
    same = number - charge if own else number
    if own and not 0 <= same < NUMBER["*"]:
        return (), _NONE
    alike = ELEMENTS[same - 1] if same else "*"
    valences = _VALENCES.get(alike, ())
    most = valences[-1] if valences and not {symbol, alike} & set(_OPEN) else _ANY
    if symbol in _HYPERVALENT and same > _HYPERVALENT[symbol]:
        most = own[-1] + charge
    if symbol == "H" and charge == -1:
        most = 2
    return valences, most


def _of_ring(number: int, charge: int) -> tuple[int, ...]:
    """Valences that an atom with a charge may have in an aromatic ring."""
    symbol = ELEMENTS[number - 1] if number else "*"
    if symbol not in _OUTER and symbol != "As":  # which has a Kekulé form, but is not aromatic
        return ()
    # A charge takes a bond from boron and carbon, and gives one to nitrogen and what follows.
    shift = -abs(charge) if symbol in ("C", "Si") else -charge if symbol in ("B", "Al") else charge
    return tuple(max(each + shift, 0) for each in _VALENCES[symbol])


def _by_bonds(
    valences: tuple[int, ...], most: int, aromatic: bool, halves: int
) -> tuple[int, int, int]:
    bonds = halves / 2
    if valences and aromatic and bonds > valences[0]:
        reached = max(each for each in valences if each <= bonds)
        bonds = reached if bonds - reached <= 1.5 else bonds
    whole = int(bonds + 0.6)  # 2.5 bonds stand for three
    fits = whole <= most
    allowed = valences[:1] if aromatic else valences
    free = [each - whole for each in allowed if each >= whole]
    if not valences or (aromatic and whole in valences):
        free = free or [0]
    return (free[0] if free and fits else -1), whole, int(fits)


def _in_ring(valences: tuple[int, ...], bonds: int) -> int:
    """The valence of an atom whose bonds come to a number: the first that holds them."""
    if not valences:
        return 0
    return next((each for each in valences if each >= bonds), valences[-1])


class Electrons(NamedTuple):
    """What atoms bring to an aromatic ring.

    Parameters
    ----------
    of_element, draws : ndarray of shape [elements]
        Place of an element in ``given``; and a number that is larger the more it draws electrons.
    given : ndarray of shape [places, charges, neighbours, double bonds, outer, inner]
        One more than the electrons, 0 of an atom that cannot be part of such a ring. Neighbours
        are with hydrogens; bonds of a higher order count as often as that; an outer bond is a
        multiple one out of the ring, 2 where its other atom draws electrons more; an inner one
        is a multiple one in a ring. The charge is counted from ``-LARGEST_IN_RING``.
    """

    of_element: NDArray[np.int8]
    draws: NDArray[np.int64]
    given: NDArray[np.int8]


def electrons() -> Electrons:
    """Find what atoms bring to an aromatic ring, by RDKit's model.

    Examples
    --------
    >>> found = electrons()
    >>> nitrogen = found.of_element[NUMBER["N"]]
    >>> found.given[nitrogen, LARGEST_IN_RING, 2:4, 0, 0, 0].tolist()  # pyridine: one; pyrrole: two
    [2, 3]
    """
    of_element = np.zeros(len(ELEMENTS) + 1, dtype=np.int8)
    draws = np.zeros(len(ELEMENTS) + 1, dtype=np.int64)
    for symbol, outer in (_OUTER | dict.fromkeys(("F", "Cl", "Br", "I"), 7)).items():
        draws[NUMBER[symbol]] = 1_000 * outer - NUMBER[symbol]
    shape = (len(_OUTER) + 1, 2 * LARGEST_IN_RING + 1, MOST_NEIGHBOURS + 1, MOST_DOUBLE + 1, 3, 2)
    given = np.zeros(shape, dtype=np.int8)
    for place, symbol in enumerate(_OUTER, start=1):
        of_element[NUMBER[symbol]] = place
        for charge, *others in np.ndindex(*shape[1:]):
            held = _given(symbol, charge - LARGEST_IN_RING, *others)
            given[(place, charge, *others)] = 0 if held is None else held + 1
    return Electrons(of_element, draws, given)


def _given(
    symbol: str, charge: int, neighbours: int, double: int, outer: int, inner: int
) -> int | None:
    """Electrons that an atom gives to a ring; None where it cannot be part of one."""
    valences, _ = _of_ion(NUMBER[symbol], charge)
    beyond = not valences or neighbours + double > valences[0]
    if beyond or neighbours > 3 or double > 1 or abs(charge) == LARGEST_IN_RING:
        return None
    valence = _VALENCES[symbol][0]
    free = valence - neighbours + max(_OUTER[symbol] - valence - charge, 0)
    if free < 0:
        return None
    if free > 1:
        return 2 - (free - (outer == 2)) % 2
    if outer:
        return free if outer == 1 else 0
    if inner:
        return 1
    return 0 if free == 1 and charge == 1 else None  # an empty place, as of tropylium
