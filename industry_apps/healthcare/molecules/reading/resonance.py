"""Double bonds and aromaticity of rings, which do not depend on how a molecule is written.

Atoms that need a double bond in a ring must be paired by one: a perfect matching of them. Give
every bond between them a number x, and the matrix A of these atoms the entries x and -x (Tutte
1947, doi:10.1112/jlms/s1-22.2.107). There is a matching where A is not singular, and a bond is
double in one of them where the inverse of A is not 0 at its atoms (Rabin and Vazirani 1989,
doi:10.1016/0196-6774(89)90005-9). So it is known of each bond whether it is double always, never,
or in some of the Kekulé forms, without writing these down.

Aromatic are the bonds of a ring of up to ten atoms with 4 n + 2 electrons, all of whose atoms
have some to share, as in RDKit's model (The RDKit Book), where two fused rings are tried also as
one. What differs: rings of more than ten atoms are not tried, and a bond that is double in some
forms only and in no such ring counts as an aromatic one.

Letters: B molecules, N atoms of the largest, E bonds, M atoms that need a double bond in a ring,
P paths.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from industry_apps.healthcare.molecules.reading import valences
from industry_apps.healthcare.molecules.reading.operators import Ends, Operators
from industry_apps.healthcare.molecules.reading.reader import Written
from industry_apps.healthcare.molecules.reading.smiles import (
    AROMATIC,
    DOUBLE,
    SINGLE,
    TRIPLE,
)

#: Atoms of the smallest ring, and of the largest that is tried.
_SMALLEST, _LARGEST = 3, 10
#: A sum of an inverse above this is that of a singular matrix, and a share below is 0.
_SINGULAR, _NOTHING = 1e9, 1e-6


class Rings(NamedTuple):
    """What is known of the rings of molecules.

    Parameters
    ----------
    kind : str
        Of each bond [B, E]: single, double, triple or aromatic; 0 where there is none.
    aromatic : str
        1 of an atom in an aromatic ring, [B, N].
    wrong : str
        Whether atoms are left that find no partner, bool [B, 1].
    """

    kind: str
    aromatic: str
    wrong: str


def write_resonance(
    op: Operators, ends: Ends, written: Written, takes_one: str, hydrogens: str, degree: str
) -> Rings:
    """Write molecules as they are written -> kinds of their bonds, and aromatic atoms.

    Parameters
    ----------
    op : Operators
    ends : Ends
    written : Written
        Without hydrogens that are atoms.
    takes_one : str
        Whether an atom that is written as aromatic needs a double bond in a ring, bool [B, N].
    hydrogens, degree : str
        Of each atom [B, N].
    """
    ring = op.positive(written.in_ring)
    double, triple = (op.equal(written.kind, kind) for kind in (DOUBLE, TRIPLE))
    # Of an atom with two double bonds in rings, as in C=C=C, these stay where they are.
    in_ring = op.number(op.node("And", ring, double))
    count = ends.summed(in_ring)
    alone = op.number(op.node("Equal", ends.of_atoms(count), ends.of_bonds(in_ring)))
    moves = op.node("And", op.equal(ends.to_bonds(alone), 2), op.positive(in_ring))
    has_one = op.positive(ends.summed(op.number(moves)))
    needs, two = op.node("Or", takes_one, has_one), op.node("And", takes_one, has_one)
    stays = op.node("And", op.node("Or", double, triple), op.node("Not", moves))
    usable = op.node("And", ring, op.node("Not", triple))
    edges, possible, wrong = _paired(op, ends, op.number(needs), usable)
    given = _electrons(op, ends, written, (op.number(needs), stays, ring), (hydrogens, degree))
    aromatic = _aromatic_bonds(op, ends, given, usable)
    # Double where it is so in all forms; aromatic in such a ring, or in some forms only.
    choices = op.at(ends.summed(op.number(possible)), written.begin)
    some = op.node("Where", op.equal(choices, 1), op.whole(DOUBLE), op.whole(AROMATIC))
    kind = op.node("Where", possible, some, op.whole(SINGLE))
    free = op.node("Or", edges, op.equal(written.kind, AROMATIC))
    kind = op.node("Where", free, kind, written.kind)
    kind = op.node("Where", op.positive(aromatic), op.whole(AROMATIC), kind)
    wrong = op.node("Or", wrong, op.any_in(two))
    return Rings(kind, op.number(op.positive(ends.summed(aromatic))), wrong)


class _Matrices:
    """Square matrices [B, size, size] with a cell for either end of the bonds between some atoms.

    Parameters
    ----------
    op : Operators
    ends : Ends
    places : str
        Row and column of each atom [B, N].
    size : str
    allowed : str
        Which bonds have cells, bool [B, E].
    """

    def __init__(self, op: Operators, ends: Ends, places: str, size: str, allowed: str) -> None:
        self.op, self.size = op, size
        row, column = (ends.of_atoms(places, other=other) for other in (False, True))
        cells = op.node("Add", op.node("Mul", row, size), column)
        self._behind = op.node("Mul", size, size)
        self._cells = op.node("Where", ends.of_bonds(allowed), cells, self._behind)
        self._rows = op.node("Shape", allowed, attributes={"end": 1})

    def filled(self, values: str, zero: np.generic) -> str:
        """Matrices with values [B, 2 E] in their cells, and a zero in all others."""
        op = self.op
        shape = op.shape(self._rows, op.node("Add", self._behind, op.whole(1)))
        empty = op.node("Expand", op.constant(zero.reshape(1, 1)), shape)
        filled = op.node("ScatterElements", empty, self._cells, values, attributes={"axis": 1})
        stop = op.shape(self._behind)
        filled = op.node("Slice", filled, op.whole([0]), stop, op.whole([1]))
        return op.node("Reshape", filled, op.shape(-1, self.size, self.size))

    def at_bonds(self, cells: str) -> str:
        """What cells [B, size size] hold at either end of the bonds; of others, anything."""
        last = self.op.node("Sub", self._behind, self.op.whole(1))
        return self.op.at(cells, self.op.node("Min", self._cells, last))


def _paired(op: Operators, ends: Ends, needs: str, usable: str) -> tuple[str, str, str]:
    """Bonds between atoms that need a double bond, those that may be one, and whether none fit.

    Of the first two bool [B, E], of the last [B, 1].
    """
    edges = op.node("And", usable, op.equal(ends.to_bonds(ends.of_atoms(needs)), 2))
    total = op.total(needs)  # [B, 1]
    rank = op.node("Mul", op.node("Sub", op.cumulated(needs), op.whole(1)), needs)
    size = op.node("Max", op.node("ReduceMax", total, attributes={"keepdims": 0}), op.whole(1))
    matrices = _Matrices(op, ends, rank, size, edges)
    # Numbers in [1, 2) that have nothing to do with each other.
    place = op.places(op.node("Shape", usable), axis=1)
    drawn = op.node("Mod", op.node("Mul", place, op.whole(40_503)), op.whole(65_536))
    drawn = op.builder.cast(op.node("Add", drawn, op.whole(65_536)), np.float64)
    number = op.node("Div", drawn, op.constant(np.float64(65_536)))
    number = op.node("Mul", number, op.builder.cast(edges, np.float64))
    signed = op.builder.concat([number, op.node("Neg", number)])
    place = op.node("Range", op.whole(0), size, op.whole(1))
    diagonal = op.node("Equal", op.node("Unsqueeze", place, op.whole([1])), place)
    beyond = op.node("GreaterOrEqual", place, op.wide(total, 2))  # [B, 1, M]
    filling = op.builder.cast(op.node("And", diagonal, beyond), np.float64)
    matrix = op.node("Add", matrices.filled(signed, np.float64(0)), filling)
    inverse = op.node("Inverse", matrix, domain="com.microsoft")
    inverse = op.node("Reshape", inverse, op.whole([0, -1]))
    # The share of all forms in which a bond is double; the inverse is skew as the matrix is.
    share = op.node("Abs", op.node("Mul", signed, matrices.at_bonds(inverse)))
    some = op.node("Greater", share, op.constant(np.float64(_NOTHING)))
    possible = op.node("And", op.positive(ends.to_bonds(op.number(some))), edges)
    whole = op.node("ReduceSum", op.node("Abs", inverse), op.whole([1]))  # [B, 1]
    # Not less, rather than greater: of a singular matrix it may be no number.
    wrong = op.node("Not", op.node("Less", whole, op.constant(np.float64(_SINGULAR))))
    return edges, possible, wrong


def _electrons(
    op: Operators,
    ends: Ends,
    written: Written,
    bonds: tuple[str, str, str],
    neighbours: tuple[str, str],
) -> str:
    """One more than the electrons that each atom gives to a ring, 0 of one that cannot [B, N]."""
    needs, stays, ring = bonds
    table = valences.electrons()
    more = op.node("Mul", op.number(stays), op.node("Sub", written.kind, op.whole(1)))
    double = op.node("Add", ends.summed(more), needs)
    outer = ends.of_bonds(op.number(op.node("And", stays, op.node("Not", ring))))
    draws = op.looked_up(table.draws, written.number)
    away = op.node("Less", ends.of_atoms(draws), ends.of_atoms(draws, other=True))
    outer = op.node("Mul", outer, op.node("Add", op.number(away), op.whole(1)))
    inner = op.node("Add", ends.summed(op.number(op.node("And", stays, ring))), needs)
    limit = op.whole(valences.LARGEST_IN_RING)
    charge = op.node("Max", op.node("Add", written.charge, limit), op.whole(0))
    return op.looked_up(
        table.given,
        op.looked_up(table.of_element, written.number),
        op.node("Min", charge, op.whole(2 * valences.LARGEST_IN_RING)),
        op.node("Min", op.node("Add", *neighbours), op.whole(valences.MOST_NEIGHBOURS)),
        op.node("Min", double, op.whole(valences.MOST_DOUBLE)),
        op.node("Min", ends.to_atoms(outer), op.whole(2)),
        op.node("Min", inner, op.whole(1)),
    )


def _aromatic_bonds(op: Operators, ends: Ends, given: str, usable: str) -> str:
    """1 of a bond in a ring of 4 n + 2 electrons, [B, E]."""
    shared = op.number(op.positive(given))
    edges = op.node("And", usable, op.equal(ends.to_bonds(ends.of_atoms(shared)), 2))
    shape = op.node("Shape", given)
    atoms = op.node("Gather", shape, op.whole(1))
    place = op.places(shape, axis=1)
    zeros = op.node("Mul", given, op.whole(0))
    matrices = _Matrices(op, ends, op.node("Add", zeros, place), atoms, edges)
    joined = matrices.filled(op.bytes(ends.of_bonds(edges)), np.uint8(0))
    pairs = _walked(op, joined, given, place, atoms)
    marks = op.node("Reshape", op.node("Mul", joined, op.constant(np.uint8(0))), op.whole([-1]))
    ones = op.bytes(op.node("Equal", pairs, pairs))
    marks = op.node("ScatterElements", marks, pairs, ones, attributes={"axis": 0})
    rows = op.node("Shape", given, attributes={"end": 1})
    marks = op.node("Reshape", marks, op.shape(rows, -1))
    marked = ends.to_bonds(op.builder.cast(matrices.at_bonds(marks), np.int64))
    return op.number(op.node("And", op.positive(marked), edges))


def _walked(op: Operators, joined: str, given: str, place: str, atoms: str) -> str:
    """Cells of the pairs of atoms [B N N] that follow each other in an aromatic ring.

    All paths are walked, each from the first of its atoms, so that a ring is met in either
    direction. Atoms are numbered through the batch.
    """
    near = op.builder.cast(op.node("Reshape", joined, op.shape(-1, atoms)), np.bool_)
    found = op.node("NonZero", given)  # [2, P]
    owner, start = (op.node("Gather", found, op.whole(row)) for row in (0, 1))
    base = op.node("Mul", owner, atoms)
    end = op.node("Add", base, start)
    column = op.constant(np.arange(_LARGEST)[None, :])
    path = op.node("Expand", op.wide(end, 1), op.whole([1, _LARGEST]))
    free = op.node("Greater", place, op.wide(start, 1))  # [P, N]
    paths, lasts = [], []
    for size in range(2, _LARGEST + 1):
        following = op.node("NonZero", op.node("And", op.node("Gather", near, end), free))
        from_, to = (op.node("Gather", following, op.whole(row)) for row in (0, 1))
        base, path, free = (op.node("Gather", each, from_) for each in (base, path, free))
        end = op.node("Add", base, to)
        path = op.node("Where", op.equal(column, size - 1), op.wide(end, 1), path)
        free = op.node("And", free, op.node("Not", op.node("Equal", place, op.wide(to, 1))))
        if size >= _SMALLEST:
            paths.append(path)
            lasts.append(end)
    path, end = (op.node("Concat", *each, attributes={"axis": 0}) for each in (paths, lasts))
    first = op.node("Mod", op.builder.part(path, 0, 1), atoms)
    cell = op.node("Add", op.node("Mul", op.wide(end, 1), atoms), first)
    closed = op.node("Gather", op.node("Reshape", joined, op.whole([-1])), cell)
    path = _chosen(op, path, op.builder.cast(closed, np.bool_))
    # Behind its last atom a path holds its first again, which counts once.
    first, rest = op.builder.part(path, 0, 1), op.builder.part(path, 1, _LARGEST)
    known = op.node("Reshape", op.node("Sub", given, op.whole(1)), op.whole([-1]))
    again = op.node("Equal", rest, first)
    others = op.node("Where", again, op.whole(0), op.node("Gather", known, rest))
    total = op.node("Add", op.total(others), op.node("Gather", known, first))
    path = _chosen(op, path, op.equal(op.node("Mod", total, op.whole(4)), 2))
    after = op.builder.concat([op.builder.part(path, 1, _LARGEST), op.builder.part(path, 0, 1)])
    pairs = op.node("Add", op.node("Mul", path, atoms), op.node("Mod", after, atoms))
    return op.node("Reshape", pairs, op.whole([-1]))


def _chosen(op: Operators, rows: str, condition: str) -> str:
    """Rows [P, n] for which a condition [P, 1] holds."""
    flat = op.node("Reshape", condition, op.whole([-1]))
    return op.node("Compress", rows, flat, attributes={"axis": 0})
