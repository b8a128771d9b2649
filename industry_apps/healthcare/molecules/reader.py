"""Molecules read from SMILES inside the graph: atoms, bonds, rings, hydrogens.

A SMILES lists the atoms in the order of a walk that goes deep first, so what an atom is bonded
to follows from how many branches are open at each place, and closures of a ring are pairs of
equal numbers. Both are found for all atoms at once, by comparing places and by sorting, without
a loop over the text.

Letters: B molecules, N atoms of the largest, K pieces of an atom, R closures of rings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from industry_apps.features.builder import GraphBuilder
from industry_apps.healthcare.molecules.operators import FAR, Operators
from industry_apps.healthcare.molecules.smiles import (
    AROMATIC,
    ATOMS,
    FACTS,
    MOST_BONDS,
    NUMBER,
    PIECES,
    SINGLE,
    Piece,
    hydrogens_by_valence,
    hydrogens_in_rings,
    pieces,
)

#: Atoms of the largest molecule that is read.
MOST_ATOMS = 500
#: Behind the number of every atom.
FAR_ATOM = 2 * MOST_ATOMS


@dataclass(frozen=True, slots=True)
class Molecules:
    """Tensors of molecules, int64 unless said; of one that cannot be read, atoms 0 throughout.

    Parameters
    ----------
    number, charge, hydrogens, aromatic, in_ring, degree : str
        Of each atom [B, N]: atomic number (0 where there is no atom), charge, hydrogens that
        are not atoms of their own, 1 in an aromatic ring, 1 in a ring, bonds to other atoms.
    begin, end, kind, ring_bond : str
        Of each bond [B, N + R]: its atoms, its kind (0 where there is no bond), 1 in a ring.
    readable : str
        Whether the molecule could be read, bool [B, 1].
    fragments : str
        Parts that no bond joins [B, 1].
    """

    number: str
    charge: str
    hydrogens: str
    aromatic: str
    in_ring: str
    degree: str
    begin: str
    end: str
    kind: str
    ring_bond: str
    readable: str
    fragments: str

    @property
    def atom_columns(self) -> list[str]:
        """What is known of an atom, as a network reads it."""
        return [
            *(self.number, self.charge, self.hydrogens, self.degree),
            *(self.aromatic, self.in_ring),
        ]


def write_molecules(builder: GraphBuilder, text: str) -> Molecules:
    """Write SMILES [batch, 1] -> tensors of the molecules.

    Read are at most ``MOST_ATOMS`` atoms. Aromatic is what is written so: in lower case, or
    with the bond ``:``. A bond that is not written, between atoms in lower case, is aromatic in
    a ring and single outside of it.
    """
    return _Reader(builder).read(text)


class _Reader:
    """Writes the reading step by step; ``wrong`` collects what makes a molecule unreadable."""

    def __init__(self, builder: GraphBuilder) -> None:
        self.builder = builder
        self.op = Operators(builder)

    def read(self, text: str) -> Molecules:
        """Write the whole reading."""
        facts, rings = self._pieces(text)
        wrong = [self.op.any_in(self._wrong_atoms(facts))]
        real = self.op.node("Greater", facts["present"], self.op.whole(0))  # [B, N]
        parent, has_parent, after = self._tree(facts, real, wrong)
        closures = self._closures(rings, wrong)
        wrong.append(self._joined_twice(parent, has_parent, closures))
        crossed = self._crossed(after, closures)  # [B, N]
        bonds = self._bonds(facts, parent, has_parent, crossed, closures)
        atoms = self._atoms(facts, bonds, wrong)
        readable = self._readable(facts, wrong)
        keep = self.op.number(readable)  # [B, 1]
        kept = {name: self.op.node("Mul", tensor, keep) for name, tensor in (atoms | bonds).items()}
        first = self.op.node("And", real, self.op.node("Not", has_parent))
        fragments = self.op.node("Mul", self.op.total(self.op.number(first)), keep)
        return Molecules(**kept, readable=readable, fragments=fragments)

    def _pieces(self, text: str) -> tuple[dict[str, str], dict[str, str]]:
        """Facts of each atom [B, N], and number, bond and atom of each ring closure [B, N K]."""
        flat = self.op.node("Reshape", text, self.op.whole([-1]))
        atoms = self.op.padded_texts(self.op.tokens(flat, ATOMS))  # [B, N]
        atoms = self.builder.part(atoms, 0, MOST_ATOMS + 1)
        alone = self.op.node("Reshape", atoms, self.op.whole([-1]))
        found = self.op.padded_texts(self.op.tokens(alone, PIECES))  # [B N, K]
        rows = self.op.node("Shape", atoms)  # B, N
        shape = self.op.node("Concat", rows, self.op.whole([-1]), attributes={"axis": 0})
        known = {"": Piece(present=0), **pieces()}
        codes = self.op.node(
            "LabelEncoder",
            self.op.node("Reshape", found, shape),  # [B, N, K]
            domain="ai.onnx.ml",
            attributes={
                "keys_strings": list(known),
                "values_int64s": list(range(len(known))),
                "default_int64": len(known),
            },
        )
        meanings = [*known.values(), Piece(known=0)]
        table = np.array([[getattr(p, name) for name in FACTS] for p in meanings], dtype=np.int64)
        added = self.op.node(
            "ReduceSum",
            self.op.node("Gather", self.op.constant(table), codes),  # [B, N, K, facts]
            self.op.whole([2]),
            attributes={"keepdims": 0},
        )  # [B, N, facts]
        facts = {
            name: self.op.node("Gather", added, self.op.whole(place), attributes={"axis": 2})
            for place, name in enumerate(FACTS)
        }
        rings = {
            name: self.op.node("Gather", self.op.constant(table[:, FACTS.index(name)]), codes)
            for name in ("ring", "ring_bond")
        }
        place = self.op.places(rows, axis=1)  # [N]
        owner = self.op.node("Unsqueeze", place, self.op.whole([1]))  # [N, 1]
        rings["owner"] = self.op.node(
            "Add", self.op.node("Mul", rings["ring"], self.op.whole(0)), owner
        )
        return facts, rings

    def _wrong_atoms(self, facts: Mapping[str, str]) -> str:
        """Where an atom is not one: an unknown piece, no symbol, two branches at once."""
        symbols = self.op.node("Add", facts["symbol"], self._lone_hydrogen(facts))
        present = self.op.number(self.op.node("Greater", facts["present"], self.op.whole(0)))
        conditions = (
            self.op.node("Less", facts["known"], facts["present"]),
            self.op.node("Not", self.op.node("Equal", symbols, present)),
            self.op.node("Greater", facts["opens"], self.op.whole(1)),
            self.op.node("Greater", facts["dot"], self.op.whole(1)),
        )
        return self.op.any_of(*conditions)

    def _lone_hydrogen(self, facts: Mapping[str, str]) -> str:
        """1 where the atom is a hydrogen, [B, N]."""
        none = self.op.node("Equal", facts["symbol"], self.op.whole(0))
        named = self.op.node("Greater", facts["hydrogen"], self.op.whole(0))
        return self.op.number(self.op.node("And", none, named))

    def _tree(self, facts: Mapping[str, str], real: str, wrong: list[str]) -> tuple[str, str, str]:
        """Find the atom before each in the chain, if any, and what comes behind its branch.

        That is the first atom that does not hang on it; all [B, N].
        """
        total = self.op.cumulated
        ended = self.op.node("Sub", total(facts["closes"]), facts["closes"])
        depth = self.op.node("Sub", total(facts["opens"]), ended)  # [B, N]
        joins = self.op.node("Sub", depth, facts["opens"])  # depth of the chain that it goes on
        rows = self.op.node("Shape", depth)
        place = self.op.places(rows, axis=1)
        earlier = self.op.node(
            "Less", place, self.op.node("Unsqueeze", place, self.op.whole([1]))
        )  # [N, N]
        same = self.op.node("Equal", self.op.wide(joins, 2), self.op.wide(depth, 1))
        before = self.op.bytes(self.op.node("And", same, earlier))  # [B, N, N]
        parent = self.op.node(
            "ArgMax", before, attributes={"axis": 2, "keepdims": 0, "select_last_index": 1}
        )
        found = self.op.any_pair(before)
        dots = self.op.node("Greater", facts["dot"], self.op.whole(0))
        # The first of all has none before it; any other is bonded, or behind a dot.
        start = self.op.node("Equal", place, self.op.whole(0))
        lost = self.op.any_of(found, dots, start)
        wrong.append(self.op.any_in(self.op.node("And", real, self.op.node("Not", lost))))
        begin = self.op.node(
            "And", start, self.op.node("Or", dots, self.op.positive(facts["opens"]))
        )
        wrong.append(self.op.any_in(begin))
        bonded = self.op.node("Greater", facts["bond"], self.op.whole(0))
        loose = self.op.node("Or", start, dots)
        wrong.append(self.op.any_in(self.op.node("And", bonded, loose)))
        open_at_end = self.op.node(
            "Sub", self.op.total(facts["opens"]), self.op.total(facts["closes"])
        )
        wrong.append(self.op.node("Not", self.op.node("Equal", open_at_end, self.op.whole(0))))
        has = self.op.all_of(found, self.op.node("Not", dots), real)
        lower = self.op.node("Less", self.op.wide(joins, 1), self.op.wide(depth, 2))
        later = self.op.node("Less", self.op.node("Unsqueeze", place, self.op.whole([1])), place)
        leaves = self.op.bytes(self.op.node("And", lower, later))
        end = self.op.node("ArgMax", leaves, attributes={"axis": 2, "keepdims": 0})
        after = self.op.node("Where", self.op.any_pair(leaves), end, self.op.whole(FAR))
        return parent, has, after

    def _closures(self, rings: Mapping[str, str], wrong: list[str]) -> dict[str, str]:
        """Closures of rings in pairs of equal numbers: begin, end, bond, real [B, R]."""
        flat = self.op.whole([0, -1])
        shape = {name: self.op.node("Reshape", tensor, flat) for name, tensor in rings.items()}
        # One pair at least, so that there always is something to sort.
        pads = self.op.whole([0, 0, 0, 2])
        ring, bond, owner = (
            self.op.node("Pad", shape[name], pads) for name in ("ring", "ring_bond", "owner")
        )
        real = self.op.node("Greater", ring, self.op.whole(0))
        place = self.op.places(self.op.node("Shape", ring), axis=1)
        width = self.op.node("Shape", ring, attributes={"start": 1})
        key = self.op.node("Add", self.op.node("Mul", ring, width), place)
        key = self.op.node("Where", real, key, self.op.whole(FAR))
        most = self.op.node(
            "ReduceMax",
            self.op.node("ReduceSum", self.op.number(real), self.op.whole([1])),
            self.op.whole([0, 1]),
            attributes={"keepdims": 0},
        )
        pairs = self.op.node("Add", self.op.node("Div", most, self.op.whole(2)), self.op.whole(1))
        count = self.op.node(
            "Reshape", self.op.node("Mul", pairs, self.op.whole(2)), self.op.whole([1])
        )
        count = self.op.node("Min", count, width)
        _, order = self.builder.smallest(key, count)
        even = {}
        for name, tensor in (("ring", ring), ("bond", bond), ("owner", owner)):
            sorted_ = self.op.node("GatherElements", tensor, order, attributes={"axis": 1})
            even[name] = [
                self.op.node(
                    "Slice",
                    sorted_,
                    self.op.whole([first]),
                    self.op.whole([FAR]),
                    self.op.whole([1]),
                    self.op.whole([2]),
                )
                for first in (0, 1)
            ]
        (one, other), (left, right), (begin, end) = even["ring"], even["bond"], even["owner"]
        closed = self.op.node("Greater", one, self.op.whole(0))
        wrong.append(self.op.any_in(self.op.node("Not", self.op.node("Equal", one, other))))
        wrong.append(self.op.any_in(self.op.node("And", closed, self.op.node("Equal", begin, end))))
        both = self.op.all_of(self.op.positive(left), self.op.positive(right))
        differ = self.op.node("Not", self.op.node("Equal", left, right))
        wrong.append(self.op.any_in(self.op.node("And", both, differ)))
        return {
            "begin": begin,
            "end": end,
            "bond": self.op.node("Max", left, right),
            "real": self.op.number(closed),
        }

    def _joined_twice(self, parent: str, has_parent: str, closures: Mapping[str, str]) -> str:
        """Whether a ring closes between atoms that have a bond already, [B, 1]."""
        op, begin, end = self.op, closures["begin"], closures["end"]
        tree = op.number(has_parent)
        twice = []
        for atom, other in ((begin, end), (end, begin)):
            child = op.node("Mul", op.at(tree, atom), closures["real"])
            is_parent = op.node("Equal", op.at(parent, atom), other)
            twice.append(op.node("And", op.positive(child), is_parent))
        least, most = op.node("Min", begin, end), op.node("Max", begin, end)
        pair = op.node("Add", op.node("Mul", least, op.whole(FAR_ATOM)), most)
        same = op.node("Equal", op.wide(pair, 1), op.wide(pair, 2))  # [B, R, R]
        count = op.node("Mul", op.number(same), op.wide(closures["real"], 1))
        total = op.node("ReduceSum", count, op.whole([2]), attributes={"keepdims": 0})
        again = op.node("Greater", op.node("Mul", total, closures["real"]), op.whole(1))
        return op.any_in(op.any_of(*twice, again))

    def _crossed(self, after: str, closures: Mapping[str, str]) -> str:
        """1 where a ring runs over the bond to the atom before: it leaves what hangs on it."""
        place = self.op.places(self.op.node("Shape", after), axis=1)
        place = self.op.node("Unsqueeze", place, self.op.whole([1]))  # [N, 1]
        inside = []
        for name in ("begin", "end"):
            atom = self.op.wide(closures[name], 1)  # [B, 1, R]
            behind = self.op.node("GreaterOrEqual", atom, place)
            inside.append(
                self.op.node("And", behind, self.op.node("Less", atom, self.op.wide(after, 2)))
            )
        leaves = self.op.number(self.op.node("Xor", *inside))  # [B, N, R]
        count = self.op.node("Mul", leaves, self.op.wide(closures["real"], 1))
        total = self.op.node("ReduceSum", count, self.op.whole([2]), attributes={"keepdims": 0})
        return self.op.number(self.op.positive(total))

    def _bonds(
        self,
        facts: Mapping[str, str],
        parent: str,
        has_parent: str,
        crossed: str,
        closures: Mapping[str, str],
    ) -> dict[str, str]:
        """Atoms and kind of every bond [B, N + R]: those of the chain, then those of rings."""
        place = self.op.places(self.op.node("Shape", parent), axis=1)
        child = self.op.node("Add", self.op.node("Mul", parent, self.op.whole(0)), place)
        tree = self.op.number(has_parent)

        def kind(written: str, begin: str, end: str, ring: str) -> str:
            ends = [self.op.at(facts["lower"], atom) for atom in (begin, end)]
            aromatic = self.op.node("Mul", self.op.node("Mul", *ends), ring)
            implied = self.op.node(
                "Add",
                self.op.node("Mul", aromatic, self.op.whole(AROMATIC - SINGLE)),
                self.op.whole(SINGLE),
            )
            return self.op.node("Where", self.op.positive(written), written, implied)

        of_tree = self.op.node("Mul", kind(facts["bond"], parent, child, crossed), tree)
        of_ring = self.op.node(
            "Mul",
            kind(closures["bond"], closures["begin"], closures["end"], closures["real"]),
            closures["real"],
        )
        return {
            # Where there is no bond, atoms 0 and 0: a place that every tensor has.
            "begin": self._masked(parent, tree, closures["begin"], closures["real"]),
            "end": self._masked(child, tree, closures["end"], closures["real"]),
            "kind": self.builder.concat([of_tree, of_ring]),
            "ring_bond": self.builder.concat(
                [self.op.node("Mul", crossed, tree), closures["real"]]
            ),
        }

    def _masked(self, atom: str, exists: str, ring_atom: str, ring_exists: str) -> str:
        """Atoms of the bonds of the chain and of the rings, 0 where there is none."""
        pairs = ((atom, exists), (ring_atom, ring_exists))
        return self.builder.concat([self.op.node("Mul", *pair) for pair in pairs])

    def _atoms(
        self, facts: Mapping[str, str], bonds: Mapping[str, str], wrong: list[str]
    ) -> dict[str, str]:
        """What is known of each atom [B, N]."""
        lone = self._lone_hydrogen(facts)
        number = self.op.node(
            "Add", facts["number"], self.op.node("Mul", lone, self.op.whole(NUMBER["H"]))
        )
        known = self.op.number(self.op.positive(bonds["kind"]))
        is_aromatic = self.op.number(self.op.node("Equal", bonds["kind"], self.op.whole(AROMATIC)))
        order = self.op.node("Gather", self.op.whole([0, 1, 2, 3, 1]), bonds["kind"])
        degree, ring_bonds, aromatic_bonds, orders = (
            self.op.spread(bonds["begin"], bonds["end"], each, number)
            for each in (known, bonds["ring_bond"], is_aromatic, order)
        )
        in_aromatic = self.op.positive(aromatic_bonds)
        aromatic = self.op.number(self.op.node("Or", self.op.positive(facts["lower"]), in_aromatic))
        valence = self.op.node(
            "Min", self.op.node("Add", orders, aromatic), self.op.whole(MOST_BONDS)
        )
        width = MOST_BONDS + 1
        cell = self.op.node(
            "Add", self.op.node("Mul", self._known_number(number), self.op.whole(width)), valence
        )
        plain, in_ring = (
            self.op.node("Gather", self.op.constant(table.ravel()), cell)
            for table in (hydrogens_by_valence(), hydrogens_in_rings())
        )
        implied = self.op.node("Where", self.op.positive(aromatic), in_ring, plain)
        bracket = self.op.positive(facts["bracket"])
        too_many = self.op.node("Less", implied, self.op.whole(0))
        wrong.append(self.op.any_in(self.op.node("And", too_many, self.op.node("Not", bracket))))
        named = self.op.node("Sub", facts["hydrogens"], lone)
        return {
            "number": number,
            "charge": facts["charge"],
            "hydrogens": self.op.node("Where", bracket, named, implied),
            "aromatic": aromatic,
            "in_ring": self.op.number(self.op.positive(ring_bonds)),
            "degree": degree,
        }

    def _known_number(self, number: str) -> str:
        """A number within the table, also where pieces that do not belong together add up."""
        return self.op.node("Min", number, self.op.whole(NUMBER["*"]))

    def _readable(self, facts: Mapping[str, str], wrong: list[str]) -> str:
        atoms = self.op.total(self.op.number(self.op.positive(facts["present"])))
        wrong.append(self.op.node("Equal", atoms, self.op.whole(0)))
        wrong.append(self.op.node("Greater", atoms, self.op.whole(MOST_ATOMS)))
        return self.op.node("Not", self.op.any_of(*wrong))
