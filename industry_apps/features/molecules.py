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
from industry_apps.features.smiles import (
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
_FAR = 2**40


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
    """Short names for the operators that are used again and again."""

    def __init__(self, builder: GraphBuilder) -> None:
        self.builder = builder
        self.node, self.constant = builder.node, builder.constant

    def read(self, text: str) -> Molecules:
        """Write the whole reading."""
        facts, rings = self._pieces(text)
        wrong = [self._any(self._wrong_atoms(facts))]
        real = self.node("Greater", facts["present"], self._int(0))  # [B, N]
        parent, has_parent, after = self._tree(facts, real, wrong)
        closures = self._closures(rings, wrong)
        crossed = self._crossed(after, closures)  # [B, N]
        bonds = self._bonds(facts, parent, has_parent, crossed, closures)
        atoms = self._atoms(facts, bonds, wrong)
        readable = self._readable(facts, wrong)
        keep = self._number(readable)  # [B, 1]
        kept = {name: self.node("Mul", tensor, keep) for name, tensor in (atoms | bonds).items()}
        first = self.node("And", real, self.node("Not", has_parent))
        fragments = self.node("Mul", self._total(self._number(first)), keep)
        return Molecules(**kept, readable=readable, fragments=fragments)

    def _pieces(self, text: str) -> tuple[dict[str, str], dict[str, str]]:
        """Facts of each atom [B, N], and number, bond and atom of each ring closure [B, N K]."""
        flat = self.node("Reshape", text, self._int([-1]))
        atoms = self._padded_texts(self._tokens(flat, ATOMS))  # [B, N]
        atoms = self.builder.part(atoms, 0, MOST_ATOMS + 1)
        alone = self.node("Reshape", atoms, self._int([-1]))
        found = self._padded_texts(self._tokens(alone, PIECES))  # [B N, K]
        rows = self.node("Shape", atoms)  # B, N
        shape = self.node("Concat", rows, self._int([-1]), attributes={"axis": 0})
        known = {"": Piece(present=0), **pieces()}
        codes = self.node(
            "LabelEncoder",
            self.node("Reshape", found, shape),  # [B, N, K]
            domain="ai.onnx.ml",
            attributes={
                "keys_strings": list(known),
                "values_int64s": list(range(len(known))),
                "default_int64": len(known),
            },
        )
        meanings = [*known.values(), Piece(known=0)]
        table = np.array([[getattr(p, name) for name in FACTS] for p in meanings], dtype=np.int64)
        added = self.node(
            "ReduceSum",
            self.node("Gather", self.constant(table), codes),  # [B, N, K, facts]
            self._int([2]),
            attributes={"keepdims": 0},
        )  # [B, N, facts]
        facts = {
            name: self.node("Gather", added, self._int(place), attributes={"axis": 2})
            for place, name in enumerate(FACTS)
        }
        rings = {
            name: self.node("Gather", self.constant(table[:, FACTS.index(name)]), codes)
            for name in ("ring", "ring_bond")
        }
        place = self._places(rows, axis=1)  # [N]
        owner = self.node("Unsqueeze", place, self._int([1]))  # [N, 1]
        rings["owner"] = self.node("Add", self.node("Mul", rings["ring"], self._int(0)), owner)
        return facts, rings

    def _wrong_atoms(self, facts: Mapping[str, str]) -> str:
        """Where an atom is not one: an unknown piece, no symbol, two branches at once."""
        symbols = self.node("Add", facts["symbol"], self._lone_hydrogen(facts))
        present = self._number(self.node("Greater", facts["present"], self._int(0)))
        conditions = (
            self.node("Less", facts["known"], facts["present"]),
            self.node("Not", self.node("Equal", symbols, present)),
            self.node("Greater", facts["opens"], self._int(1)),
            self.node("Greater", facts["dot"], self._int(1)),
        )
        return self._or(*conditions)

    def _lone_hydrogen(self, facts: Mapping[str, str]) -> str:
        """1 where the atom is a hydrogen, [B, N]."""
        none = self.node("Equal", facts["symbol"], self._int(0))
        named = self.node("Greater", facts["hydrogen"], self._int(0))
        return self._number(self.node("And", none, named))

    def _tree(self, facts: Mapping[str, str], real: str, wrong: list[str]) -> tuple[str, str, str]:
        """The atom before each in the chain [B, N], whether there is one, and the atom that is
        the first behind all that hangs on it."""
        total = self._cumulated
        ended = self.node("Sub", total(facts["closes"]), facts["closes"])
        depth = self.node("Sub", total(facts["opens"]), ended)  # [B, N]
        joins = self.node("Sub", depth, facts["opens"])  # depth of the chain that it goes on
        rows = self.node("Shape", depth)
        place = self._places(rows, axis=1)
        earlier = self.node("Less", place, self.node("Unsqueeze", place, self._int([1])))  # [N, N]
        same = self.node("Equal", self._wide(joins, 2), self._wide(depth, 1))
        before = self._bytes(self.node("And", same, earlier))  # [B, N, N]
        parent = self.node(
            "ArgMax", before, attributes={"axis": 2, "keepdims": 0, "select_last_index": 1}
        )
        found = self._found(before)
        dots = self.node("Greater", facts["dot"], self._int(0))
        # The first of all has none before it; any other is bonded, or behind a dot.
        start = self.node("Equal", place, self._int(0))
        lost = self._or(found, dots, start)
        wrong.append(self._any(self.node("And", real, self.node("Not", lost))))
        begin = self.node("And", start, self.node("Or", dots, self._positive(facts["opens"])))
        wrong.append(self._any(begin))
        bonded = self.node("Greater", facts["bond"], self._int(0))
        loose = self.node("Or", start, dots)
        wrong.append(self._any(self.node("And", bonded, loose)))
        open_at_end = self.node("Sub", self._total(facts["opens"]), self._total(facts["closes"]))
        wrong.append(self.node("Not", self.node("Equal", open_at_end, self._int(0))))
        has = self._and(found, self.node("Not", dots), real)
        lower = self.node("Less", self._wide(joins, 1), self._wide(depth, 2))
        later = self.node("Less", self.node("Unsqueeze", place, self._int([1])), place)
        leaves = self._bytes(self.node("And", lower, later))
        end = self.node("ArgMax", leaves, attributes={"axis": 2, "keepdims": 0})
        after = self.node("Where", self._found(leaves), end, self._int(_FAR))
        return parent, has, after

    def _closures(self, rings: Mapping[str, str], wrong: list[str]) -> dict[str, str]:
        """Closures of rings in pairs of equal numbers: begin, end, bond, real [B, R]."""
        flat = self._int([0, -1])
        shape = {name: self.node("Reshape", tensor, flat) for name, tensor in rings.items()}
        # One pair at least, so that there always is something to sort.
        pads = self._int([0, 0, 0, 2])
        ring, bond, owner = (
            self.node("Pad", shape[name], pads) for name in ("ring", "ring_bond", "owner")
        )
        real = self.node("Greater", ring, self._int(0))
        place = self._places(self.node("Shape", ring), axis=1)
        width = self.node("Shape", ring, attributes={"start": 1})
        key = self.node("Add", self.node("Mul", ring, width), place)
        key = self.node("Where", real, key, self._int(_FAR))
        most = self.node(
            "ReduceMax",
            self.node("ReduceSum", self._number(real), self._int([1])),
            self._int([0, 1]),
            attributes={"keepdims": 0},
        )
        pairs = self.node("Add", self.node("Div", most, self._int(2)), self._int(1))
        count = self.node("Reshape", self.node("Mul", pairs, self._int(2)), self._int([1]))
        count = self.node("Min", count, width)
        _, order = self.builder.smallest(key, count)
        even = {}
        for name, tensor in (("ring", ring), ("bond", bond), ("owner", owner)):
            sorted_ = self.node("GatherElements", tensor, order, attributes={"axis": 1})
            even[name] = [
                self.node(
                    "Slice",
                    sorted_,
                    self._int([first]),
                    self._int([_FAR]),
                    self._int([1]),
                    self._int([2]),
                )
                for first in (0, 1)
            ]
        (one, other), (left, right), (begin, end) = even["ring"], even["bond"], even["owner"]
        closed = self.node("Greater", one, self._int(0))
        wrong.append(self._any(self.node("Not", self.node("Equal", one, other))))
        wrong.append(self._any(self.node("And", closed, self.node("Equal", begin, end))))
        both = self._and(self._positive(left), self._positive(right))
        differ = self.node("Not", self.node("Equal", left, right))
        wrong.append(self._any(self.node("And", both, differ)))
        return {
            "begin": begin,
            "end": end,
            "bond": self.node("Max", left, right),
            "real": self._number(closed),
        }

    def _crossed(self, after: str, closures: Mapping[str, str]) -> str:
        """1 where a ring runs over the bond to the atom before: it leaves what hangs on it."""
        place = self._places(self.node("Shape", after), axis=1)
        place = self.node("Unsqueeze", place, self._int([1]))  # [N, 1]
        inside = []
        for name in ("begin", "end"):
            atom = self._wide(closures[name], 1)  # [B, 1, R]
            behind = self.node("GreaterOrEqual", atom, place)
            inside.append(self.node("And", behind, self.node("Less", atom, self._wide(after, 2))))
        leaves = self._number(self.node("Xor", *inside))  # [B, N, R]
        count = self.node("Mul", leaves, self._wide(closures["real"], 1))
        total = self.node("ReduceSum", count, self._int([2]), attributes={"keepdims": 0})
        return self._number(self._positive(total))

    def _bonds(
        self,
        facts: Mapping[str, str],
        parent: str,
        has_parent: str,
        crossed: str,
        closures: Mapping[str, str],
    ) -> dict[str, str]:
        """Atoms and kind of every bond [B, N + R]: those of the chain, then those of rings."""
        place = self._places(self.node("Shape", parent), axis=1)
        child = self.node("Add", self.node("Mul", parent, self._int(0)), place)
        tree = self._number(has_parent)

        def kind(written: str, begin: str, end: str, ring: str) -> str:
            ends = [self._at(facts["lower"], atom) for atom in (begin, end)]
            aromatic = self.node("Mul", self.node("Mul", *ends), ring)
            implied = self.node(
                "Add", self.node("Mul", aromatic, self._int(AROMATIC - SINGLE)), self._int(SINGLE)
            )
            return self.node("Where", self._positive(written), written, implied)

        of_tree = self.node("Mul", kind(facts["bond"], parent, child, crossed), tree)
        of_ring = self.node(
            "Mul",
            kind(closures["bond"], closures["begin"], closures["end"], closures["real"]),
            closures["real"],
        )
        return {
            "begin": self.builder.concat([parent, closures["begin"]]),
            "end": self.builder.concat([child, closures["end"]]),
            "kind": self.builder.concat([of_tree, of_ring]),
            "ring_bond": self.builder.concat([self.node("Mul", crossed, tree), closures["real"]]),
        }

    def _atoms(
        self, facts: Mapping[str, str], bonds: Mapping[str, str], wrong: list[str]
    ) -> dict[str, str]:
        """What is known of each atom [B, N]."""
        lone = self._lone_hydrogen(facts)
        number = self.node("Add", facts["number"], self.node("Mul", lone, self._int(NUMBER["H"])))
        known = self._number(self._positive(bonds["kind"]))
        is_aromatic = self._number(self.node("Equal", bonds["kind"], self._int(AROMATIC)))
        order = self.node("Gather", self._int([0, 1, 2, 3, 1]), bonds["kind"])
        degree, ring_bonds, aromatic_bonds, orders = (
            spread(self.builder, bonds["begin"], bonds["end"], each, number)
            for each in (known, bonds["ring_bond"], is_aromatic, order)
        )
        in_aromatic = self._positive(aromatic_bonds)
        aromatic = self._number(self.node("Or", self._positive(facts["lower"]), in_aromatic))
        valence = self.node("Min", self.node("Add", orders, aromatic), self._int(MOST_BONDS))
        width = MOST_BONDS + 1
        cell = self.node(
            "Add", self.node("Mul", self._known_number(number), self._int(width)), valence
        )
        plain, in_ring = (
            self.node("Gather", self.constant(table.ravel()), cell)
            for table in (hydrogens_by_valence(), hydrogens_in_rings())
        )
        implied = self.node("Where", self._positive(aromatic), in_ring, plain)
        bracket = self._positive(facts["bracket"])
        too_many = self.node("Less", implied, self._int(0))
        wrong.append(self._any(self.node("And", too_many, self.node("Not", bracket))))
        named = self.node("Sub", facts["hydrogens"], lone)
        return {
            "number": number,
            "charge": facts["charge"],
            "hydrogens": self.node("Where", bracket, named, implied),
            "aromatic": aromatic,
            "in_ring": self._number(self._positive(ring_bonds)),
            "degree": degree,
        }

    def _known_number(self, number: str) -> str:
        """A number within the table, also where pieces that do not belong together add up."""
        return self.node("Min", number, self._int(NUMBER["*"]))

    def _readable(self, facts: Mapping[str, str], wrong: list[str]) -> str:
        atoms = self._total(self._number(self._positive(facts["present"])))
        wrong.append(self.node("Equal", atoms, self._int(0)))
        wrong.append(self.node("Greater", atoms, self._int(MOST_ATOMS)))
        return self.node("Not", self._or(*wrong))

    # Operators in short.

    def _int(self, value: int | list[int]) -> str:
        return self.constant(np.array(value, dtype=np.int64))

    def _number(self, condition: str) -> str:
        return self.builder.cast(condition, np.int64)

    def _positive(self, tensor: str) -> str:
        return self.node("Greater", tensor, self._int(0))

    def _bytes(self, condition: str) -> str:
        """As small as an operator takes them: one byte for each pair of atoms."""
        return self.builder.cast(condition, np.uint8)

    def _or(self, first: str, *others: str) -> str:
        for other in others:
            first = self.node("Or", first, other)
        return first

    def _and(self, first: str, *others: str) -> str:
        for other in others:
            first = self.node("And", first, other)
        return first

    def _total(self, tensor: str) -> str:
        """[B, N] -> [B, 1]."""
        return self.node("ReduceSum", tensor, self._int([1]))

    def _any(self, condition: str) -> str:
        """[B, N] -> [B, 1]."""
        return self._positive(self._total(self._number(condition)))

    def _found(self, pairs: str) -> str:
        """Whether a row of pairs [B, N, N] has any: [B, N]."""
        most = self.node("ReduceMax", pairs, self._int([2]), attributes={"keepdims": 0})
        return self.builder.cast(most, np.bool_)

    def _cumulated(self, tensor: str) -> str:
        return self.node("CumSum", tensor, self._int(1))

    def _wide(self, tensor: str, axis: int) -> str:
        return self.node("Unsqueeze", tensor, self._int([axis]))

    def _at(self, tensor: str, atoms: str) -> str:
        return self.node("GatherElements", tensor, atoms, attributes={"axis": 1})

    def _places(self, shape: str, axis: int) -> str:
        """0, 1, ... along an axis."""
        size = self.node("Gather", shape, self._int(axis))
        return self.node("Range", self._int(0), size, self._int(1))

    def _tokens(self, texts: str, expression: str) -> str:
        return self.node(
            "Tokenizer",
            texts,
            domain="com.microsoft",
            attributes={"mark": 0, "mincharnum": 1, "pad_value": "", "tokenexp": expression},
        )

    def _padded_texts(self, texts: str) -> str:
        """Texts [rows, columns] with an empty one behind the last, so that there is one."""
        rows = self.node("Shape", texts, attributes={"end": 1})
        shape = self.node("Concat", rows, self._int([1]), attributes={"axis": 0})
        nothing = self.node("Expand", self.constant(np.array([[""]], dtype=object)), shape)
        return self.builder.concat([texts, nothing])


def spread(builder: GraphBuilder, begin: str, end: str, values: str, atoms: str) -> str:
    """Add what each bond [B, N + R] tells to both of its atoms -> [B, N], as ``atoms`` has it."""
    zero = builder.constant(np.int64(0))
    empty = builder.node("Mul", atoms, zero)
    for places in (begin, end):
        empty = builder.node(
            "ScatterElements", empty, places, values, attributes={"axis": 1, "reduction": "add"}
        )
    return empty
