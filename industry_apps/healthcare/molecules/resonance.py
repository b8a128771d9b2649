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

import numpy as np

from industry_apps.features.builder import GraphBuilder
from industry_apps.healthcare.molecules import valences
from industry_apps.healthcare.molecules.operators import Operators
from industry_apps.healthcare.molecules.reader import Written
from industry_apps.healthcare.molecules.smiles import (
    AROMATIC,
    DOUBLE,
    MOST_CHARGE,
    SINGLE,
    TRIPLE,
)

#: Atoms of the smallest ring, and of the largest that is tried.
_RING_SIZES = range(3, 11)
#: A sum of an inverse above this is that of a singular matrix, and a share below is 0.
_SINGULAR, _NOTHING = 1e9, 1e-6
_DRAWS, _ELEMENTS, _LONE_PAIRS, _VALENCE = 3, 0, 2, 1


class Resonance:
    """Appends what is known of the rings of molecules.

    Parameters
    ----------
    builder : GraphBuilder
    found : Written
        Without hydrogens that are atoms.
    takes_one : str
        Whether an atom that is written as aromatic needs a double bond in a ring, bool [B, N].
    hydrogens, degree : str
        Of each atom [B, N].

    Attributes
    ----------
    kind : str
        Of each bond [B, E]: single, double, triple or aromatic.
    aromatic : str
        1 of an atom in an aromatic ring, [B, N].
    wrong : str
        Whether atoms are left that find no partner, bool [B, 1].
    """

    def __init__(
        self, builder: GraphBuilder, found: Written, takes_one: str, hydrogens: str, degree: str
    ) -> None:
        self.builder, self.op = builder, Operators(builder)
        self.begin, self.end, self.written = found.begin, found.end, found.kind
        self.found, self.hydrogens, self.degree = found, hydrogens, degree
        self.ring = self.op.positive(found.in_ring)
        needs, fixed = self._needs_double_bond(takes_one)
        possible, edges, self.wrong = self._matched(needs)
        shared, electrons = self._electrons(needs, fixed)
        ring_bonds = self._aromatic_bonds(shared, electrons)
        self.aromatic = self.op.number(self.op.positive(self._around(ring_bonds)))
        self.kind = self._kinds(possible, edges, ring_bonds)

    def _around(self, values: str) -> str:
        """Sum of a number of each bond [B, E] over the bonds of each atom [B, N]."""
        return self.op.spread(self.begin, self.end, values, self.found.number)

    def _is(self, kind: int) -> str:
        return self.op.node("Equal", self.written, self.op.whole(kind))

    def _needs_double_bond(self, takes_one: str) -> tuple[str, str]:
        """Whether an atom needs a double bond in a ring [B, N], and which bonds stay [B, E].

        Of an atom with two written ones, as in C=C=C, these stay where they are.
        """
        op = self.op
        double = op.number(op.node("And", self.ring, self._is(DOUBLE)))
        count = self._around(double)
        once = op.all_of(
            op.positive(double),
            *(op.node("Equal", op.at(count, end), op.whole(1)) for end in (self.begin, self.end)),
        )
        written = op.positive(self._around(op.number(once)))
        multiple = op.node("Or", self._is(DOUBLE), self._is(TRIPLE))
        return op.node("Or", takes_one, written), op.node("And", multiple, op.node("Not", once))

    def _matched(self, needs: str) -> tuple[str, str, str]:
        """Bonds that may be double, those that are asked [B, E], and whether some atom is left."""
        op = self.op
        needed = op.number(needs)
        edges = op.all_of(
            self.ring,
            op.node("Not", self._is(TRIPLE)),
            *(op.positive(op.at(needed, end)) for end in (self.begin, self.end)),
        )
        total = op.total(needed)  # [B, 1]
        rank = op.node("Mul", op.node("Sub", op.cumulated(needed), op.whole(1)), needed)
        size = op.node("Max", op.node("ReduceMax", total, attributes={"keepdims": 0}), op.whole(1))
        begin, end = op.at(rank, self.begin), op.at(rank, self.end)
        outside = op.node("Mul", size, size)  # a cell behind the matrix
        there = op.node("Add", op.node("Mul", begin, size), end)
        back = op.node("Add", op.node("Mul", end, size), begin)
        there, back = (op.node("Where", edges, each, outside) for each in (there, back))
        place = op.places(op.node("Shape", self.written), axis=1)
        spread = op.node("Mod", op.node("Mul", place, op.whole(40_503)), op.whole(65_536))
        spread = self.builder.cast(op.node("Add", spread, op.whole(65_536)), np.float64)
        weight = op.node("Div", spread, op.constant(np.float64(65_536)))  # in [1, 2)
        weight = op.node("Mul", weight, self.builder.cast(edges, np.float64))
        flat = op.node("Reshape", op.node("Add", outside, op.whole(1)), op.whole([1]))
        rows = op.node("Shape", self.written, attributes={"end": 1})
        shape = op.node("Concat", rows, flat, attributes={"axis": 0})
        cells = op.node("Expand", op.constant(np.zeros((1, 1))), shape)
        for cell, value in ((there, weight), (back, op.node("Neg", weight))):
            cells = op.node("ScatterElements", cells, cell, value, attributes={"axis": 1})
        cells = op.node(
            "Slice", cells, op.whole([0]), op.node("Sub", flat, op.whole(1)), op.whole([1])
        )
        side = op.node("Reshape", size, op.whole([1]))
        square = op.node("Concat", rows, side, side, attributes={"axis": 0})
        matrix = op.node("Add", op.node("Reshape", cells, square), self._filling(total, size))
        inverse = op.node("Inverse", matrix, domain="com.microsoft")
        flat_inverse = op.node("Reshape", inverse, op.whole([0, -1]))
        inside = op.node("Where", edges, back, op.whole(0))
        share = op.node("Mul", weight, op.at(flat_inverse, inside))  # [B, E], of all forms
        possible = op.node("Greater", op.node("Abs", share), op.constant(np.float64(_NOTHING)))
        sum_ = op.node("ReduceSum", op.node("Abs", flat_inverse), op.whole([1]))  # [B, 1]
        # Not less, rather than greater: of a singular matrix it may be no number.
        wrong = op.node("Not", op.node("Less", sum_, op.constant(np.float64(_SINGULAR))))
        return op.node("And", possible, edges), edges, wrong

    def _filling(self, total: str, size: str) -> str:
        """1 on the diagonal where a molecule has no more atoms, float64 [B, M, M]."""
        op = self.op
        place = op.node("Range", op.whole(0), size, op.whole(1))
        diagonal = op.node("Equal", op.node("Unsqueeze", place, op.whole([1])), place)
        beyond = op.node("GreaterOrEqual", place, op.wide(total, 2))  # [B, 1, M]
        return self.builder.cast(op.node("And", diagonal, beyond), np.float64)

    def _kinds(self, possible: str, edges: str, ring_bonds: str) -> str:
        """Double where it is so in all forms; aromatic in such a ring, or in some forms only."""
        op = self.op
        choices = self._around(op.number(possible))
        only = op.node("Equal", op.at(choices, self.begin), op.whole(1))
        some = op.node("Where", only, op.whole(DOUBLE), op.whole(AROMATIC))
        kind = op.node("Where", possible, some, op.whole(SINGLE))
        kind = op.node("Where", op.node("Or", edges, self._is(AROMATIC)), kind, self.written)
        return op.node("Where", op.positive(ring_bonds), op.whole(AROMATIC), kind)

    def _electrons(self, needs: str, fixed: str) -> tuple[str, str]:
        """Whether an atom may be part of an aromatic ring, and its electrons there [B, N]."""
        op = self.op
        number = self.found.number
        table = valences.electrons()
        allowed, valence, lone, draws = (
            op.looked_up(table[:, fact].astype(np.int64), number) for fact in range(4)
        )
        in_ring = op.number(needs)
        order = op.node("Sub", self.written, op.whole(1))
        fixed_count = op.number(fixed)
        unsaturated = op.node(
            "Add", self._around(op.node("Mul", order, fixed_count)), in_ring
        )
        multiple = op.node("Add", self._around(fixed_count), in_ring)
        outer = op.node("And", fixed, op.node("Not", self.ring))
        inner = op.node("And", fixed, self.ring)
        exocyclic = op.positive(self._around(op.number(outer)))
        cyclic = op.node("Or", needs, op.positive(self._around(op.number(inner))))
        taken = op.positive(self._taken(draws, outer))
        neighbours = op.node("Add", self.degree, self.hydrogens)
        charge = op.node("Add", self.found.charge, op.whole(MOST_CHARGE))
        found = valences.classes()
        lowest = op.looked_up(found.lowest, op.looked_up(found.of_atom, number, charge))
        held = op.node("Add", neighbours, unsaturated)
        pair = op.node("Max", op.node("Sub", lone, self.found.charge), op.whole(0))
        free = op.node("Add", op.node("Sub", valence, neighbours), pair)
        triple = op.node("Greater", unsaturated, op.whole(1))
        free = op.node("Where", triple, op.node("Min", free, op.whole(1)), free)
        less = op.node("Sub", free, op.number(taken))
        odd = op.node("Mod", less, op.whole(2))
        several = op.node("Sub", op.whole(2), odd)
        positive = op.node("Equal", self.found.charge, op.whole(1))
        none = op.node("And", exocyclic, op.node("Less", less, op.whole(1)))
        zero = op.node("Equal", free, op.whole(0))
        one = op.node("Equal", free, op.whole(1))
        # An atom with one electron that shares it in no double bond has an empty place.
        empty = op.all_of(one, positive, op.node("Not", op.node("Or", exocyclic, cyclic)))
        lonely = op.node(
            "And", op.node("LessOrEqual", free, op.whole(1)), op.node("Or", none, empty)
        )
        count = op.node(
            "Where", op.node("Greater", free, op.whole(1)), several, op.whole(1)
        )
        count = op.node("Where", lonely, op.whole(0), count)
        bonded = op.any_of(
            op.node("Greater", free, op.whole(1)),
            exocyclic,
            cyclic,
            op.node("And", one, positive),
        )
        shared = op.all_of(
            op.positive(allowed),
            op.node("LessOrEqual", neighbours, op.whole(3)),
            op.node("GreaterOrEqual", free, op.whole(0)),
            bonded,
            op.node("LessOrEqual", held, lowest),
            op.node("LessOrEqual", multiple, op.whole(1)),
        )
        del zero
        return shared, count

    def _taken(self, draws: str, outer: str) -> str:
        """Bonds out of a ring to an atom that draws electrons more, [B, N]."""
        op = self.op
        begin, end = op.at(draws, self.begin), op.at(draws, self.end)
        both = []
        for here, less, more in ((self.begin, begin, end), (self.end, end, begin)):
            drawn = op.number(op.node("And", outer, op.node("Less", less, more)))
            both.append(op.scattered(here, drawn, self.found.number))
        return op.node("Add", *both)

    def _aromatic_bonds(self, shared: str, electrons: str) -> str:
        """1 of a bond in a ring of 4 n + 2 electrons, [B, E]: walks along all paths."""
        op = self.op
        shape = op.node("Shape", shared)
        atoms = op.node("Gather", shape, op.whole(1))
        place = op.places(shape, axis=1)
        inner = op.number(shared)
        edges = op.all_of(
            self.ring,
            op.node("Not", self._is(TRIPLE)),
            *(op.positive(op.at(inner, end)) for end in (self.begin, self.end)),
        )
        width = op.node("Mul", atoms, atoms)
        there, back = (
            op.node("Add", op.node("Mul", one, atoms), other)
            for one, other in ((self.begin, self.end), (self.end, self.begin))
        )
        flat = op.node("Reshape", width, op.whole([1]))
        rows = op.node("Shape", shared, attributes={"end": 1})
        size = op.node("Concat", rows, op.node("Add", flat, op.whole(1)), attributes={"axis": 0})
        cells = op.node("Expand", op.constant(np.zeros((1, 1), dtype=np.uint8)), size)
        for cell in (there, back):
            cell = op.node("Where", edges, cell, width)
            cells = op.node(
                "ScatterElements", cells, cell, op.bytes(edges), attributes={"axis": 1}
            )
        cells = op.node("Slice", cells, op.whole([0]), flat, op.whole([1]))
        joined = op.node("Reshape", cells, op.whole([-1]))  # [B N N]
        side = op.node("Reshape", atoms, op.whole([1]))
        square = op.node("Concat", op.whole([-1]), side, attributes={"axis": 0})
        near = self.builder.cast(op.node("Reshape", joined, square), np.bool_)  # [B N, N]
        marks = self._walked(shared, electrons, near, joined, place, atoms)
        begins = op.node("Add", op.node("Mul", place, op.whole(0)), op.whole(0))
        del begins
        found = op.node("Reshape", marks, op.node("Concat", rows, flat, attributes={"axis": 0}))
        return op.node("Mul", op.at(found, there), op.number(edges))

    def _walked(
        self, shared: str, electrons: str, near: str, joined: str, place: str, atoms: str
    ) -> str:
        """1 for each pair of atoms [B N N] that follow each other in an aromatic ring.

        Paths begin at the first of their atoms, so that each ring is found once in each direction.
        """
        op = self.op

        def row(tensor: str, places: str) -> str:
            return op.node("Gather", tensor, places)

        def cell(owner: str, atom: str) -> str:
            return op.node("Add", op.node("Mul", owner, atoms), atom)

        known = op.node("Reshape", electrons, op.whole([-1]))
        owner, start = self._both(op.node("NonZero", shared))
        end, path = start, op.wide(start, 1)
        free = op.node("Greater", place, path)  # [P, N]
        total = row(known, cell(owner, start))
        pairs = []
        for size in range(2, _RING_SIZES.stop):
            following = op.node("And", row(near, cell(owner, end)), free)
            from_, end = self._both(op.node("NonZero", following))
            owner, start, total, path, free = (
                row(tensor, from_) for tensor in (owner, start, total, path, free)
            )
            path = op.node("Concat", path, op.wide(end, 1), attributes={"axis": 1})
            free = op.node("And", free, op.node("Not", op.node("Equal", place, op.wide(end, 1))))
            total = op.node("Add", total, row(known, cell(owner, end)))
            if size not in _RING_SIZES:
                continue
            closed = self.builder.cast(row(joined, cell(cell(owner, end), start)), np.bool_)
            two = op.node("Equal", op.node("Mod", total, op.whole(4)), op.whole(2))
            ring = op.node("And", closed, two)
            chosen = op.node("Compress", path, ring, attributes={"axis": 0})
            of = op.wide(op.node("Compress", owner, ring, attributes={"axis": 0}), 1)
            first = self.builder.part(chosen, 0, 1)
            rest = self.builder.part(chosen, 1, size)
            after = self.builder.concat([rest, first])
            pairs.append(op.node("Reshape", cell(cell(of, chosen), after), op.whole([-1])))
        marked = op.node("Concat", *pairs, attributes={"axis": 0})
        zeros = op.node("Mul", self.builder.cast(joined, np.int64), op.whole(0))
        ones = op.node("Add", op.node("Mul", marked, op.whole(0)), op.whole(1))
        return op.node("ScatterElements", zeros, marked, ones, attributes={"axis": 0})

    def _both(self, places: str) -> tuple[str, str]:
        """The rows of places [2, P]."""
        first, second = (
            self.op.node("Gather", places, self.op.whole(row)) for row in (0, 1)
        )
        return first, second
