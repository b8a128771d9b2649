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
from industry_apps.healthcare.molecules.reading.operators import FAR, Operators
from industry_apps.healthcare.molecules.reading.smiles import (
    AROMATIC,
    ATOMS,
    FACTS,
    FIRST_WORD,
    IN_BRACKETS,
    NUMBER,
    PIECES,
    PIECES_IN_BRACKETS,
    SINGLE,
    TO_FIRST,
    TO_SECOND,
    UNKNOWN,
    Piece,
    pieces,
    pieces_in_brackets,
)

#: Atoms of the largest molecule that is read, with the hydrogens that are written as atoms.
MOST_ATOMS = 500
#: Behind the number of every atom.
FAR_ATOM = 2 * MOST_ATOMS


@dataclass(frozen=True, slots=True)
class Written:
    """Tensors of molecules as they are written, int64 unless said.

    Parameters
    ----------
    number, charge, hydrogens, bracket, lower, isotope : str
        Of each atom [B, N]: atomic number (0 where there is no atom), charge, hydrogens that its
        bracket names; 1 of an atom in brackets, in lower case, with a mass.
    begin, end, kind, in_ring : str
        Of each bond [B, N + R]: its atoms, its kind (0 where there is no bond), 1 in a ring.
    fragments : str
        Parts that no bond joins [B, 1].
    wrong : str
        Whether the text is no SMILES, bool [B, 1].
    """

    number: str
    charge: str
    hydrogens: str
    bracket: str
    lower: str
    isotope: str
    begin: str
    end: str
    kind: str
    in_ring: str
    fragments: str
    wrong: str


def read_written(builder: GraphBuilder, text: str) -> Written:
    """Write SMILES [batch, 1] -> tensors of the molecules as they are written.

    A bond that is not written, between atoms in lower case, is aromatic in a ring and single
    outside of it. Blanks around a SMILES, and a name behind one, have no effect.
    """
    return _Reader(builder).read(text)


class _Reader:
    """Writes the reading step by step; ``wrong`` collects what makes a molecule unreadable."""

    def __init__(self, builder: GraphBuilder) -> None:
        self.builder = builder
        self.op = Operators(builder)

    def read(self, text: str) -> Written:
        """Write the whole reading."""
        facts, rings = self._pieces(text)
        wrong = [self.op.any_in(self._wrong_atoms(facts))]
        real = self.op.positive(facts["present"])  # [B, N]
        parent, has_parent, after = self._tree(facts, real, wrong)
        closures = self._closures(rings, wrong)
        wrong.append(self._joined_twice(parent, has_parent, closures))
        across = self._across_dots(facts, closures, wrong)  # [B, R]
        in_ring = self.op.node("Sub", closures["real"], across)
        crossed = self._crossed(after, closures, in_ring)  # [B, N]
        bonds = self._bonds(facts, parent, has_parent, crossed, closures, in_ring)
        lone = self._lone_hydrogen(facts)
        number = self.op.node("Mul", lone, self.op.whole(NUMBER["H"]))
        first = self.op.node("And", real, self.op.node("Not", has_parent))
        parts = self.op.total(self.op.number(first))
        return Written(
            number=self.op.node("Add", facts["number"], number),
            hydrogens=self.op.node("Sub", facts["hydrogens"], lone),
            **{name: facts[name] for name in ("charge", "bracket", "lower", "isotope")},
            **bonds,
            fragments=self.op.node("Sub", parts, self.op.total(across)),
            wrong=self._wrong(facts, wrong),
        )

    def _pieces(self, text: str) -> tuple[dict[str, str], dict[str, str]]:
        """Facts of each atom [B, N], and number, bond and atom of each ring closure [B, N K]."""
        flat = self.op.node("Reshape", text, self.op.whole([-1]))
        words = self.op.padded_texts(self.op.tokens(flat, FIRST_WORD))
        word = self.op.node("Gather", words, self.op.whole(0), attributes={"axis": 1})  # [B]
        atoms = self.op.padded_texts(self.op.tokens(word, ATOMS))  # [B, N]
        atoms = self.builder.part(atoms, 0, MOST_ATOMS + 1)
        alone = self.op.node("Reshape", atoms, self.op.whole([-1]))
        rows = self.op.node("Shape", atoms)  # B, N
        bracket = self.op.padded_texts(self.op.tokens(alone, IN_BRACKETS))
        bracket = self.op.node("Gather", bracket, self.op.whole(0), attributes={"axis": 1})
        outer, inner = pieces(), pieces_in_brackets()
        known = [Piece(), *outer.values(), *inner.values(), UNKNOWN]
        outside = self._codes(alone, PIECES, outer, 1)
        inside = self._codes(bracket, PIECES_IN_BRACKETS, inner, 1 + len(outer), len(known) - 1)
        table = np.array([[getattr(piece, name) for name in FACTS] for piece in known])
        shape = self.op.node("Concat", rows, self.op.whole([-1]), attributes={"axis": 0})
        codes = self.op.node("Reshape", self.builder.concat([outside, inside]), shape)
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
        outside = self.op.node("Reshape", outside, shape)
        rings = {
            name: self.op.node("Gather", self.op.constant(table[:, FACTS.index(name)]), outside)
            for name in ("ring", "ring_bond")
        }
        empty = self.op.node("Equal", atoms, self.op.constant(np.array("", dtype=object)))
        facts["present"] = self.op.number(self.op.node("Not", empty))
        place = self.op.places(rows, axis=1)  # [N]
        owner = self.op.node("Unsqueeze", place, self.op.whole([1]))  # [N, 1]
        rings["owner"] = self.op.node(
            "Add", self.op.node("Mul", rings["ring"], self.op.whole(0)), owner
        )
        return facts, rings

    def _codes(
        self, texts: str, expression: str, known: Mapping[str, Piece], first: int, other: int = 0
    ) -> str:
        """Codes of the pieces of texts [n] from a first on; 0 behind the last: [n, K]."""
        attributes = {
            "keys_strings": ["", *known],
            "values_int64s": [0, *range(first, first + len(known))],
            "default_int64": other,
        }
        found = self.op.padded_texts(self.op.tokens(texts, expression))
        return self.op.node("LabelEncoder", found, domain="ai.onnx.ml", attributes=attributes)

    def _wrong_atoms(self, facts: Mapping[str, str]) -> str:
        """Where an atom is none: it has not exactly one symbol."""
        symbols = self.op.node("Add", facts["symbol"], self._lone_hydrogen(facts))
        return self.op.node("Not", self.op.node("Equal", symbols, facts["present"]))

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
        even: dict[str, list[str]] = {}
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
        # Written at the second atom, a dative bond is so the other way round.
        around = np.arange(TO_FIRST + 1, dtype=np.int8)
        around[[TO_SECOND, TO_FIRST]] = TO_FIRST, TO_SECOND
        right = self.op.looked_up(around, right)
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

    def _across_dots(
        self, facts: Mapping[str, str], closures: Mapping[str, str], wrong: list[str]
    ) -> str:
        """1 for a closure that joins what dots part, [B, R]; wrong where these close a ring.

        They close none where their incidence matrix C has full rank: where the determinant of
        C C', a whole number, is not 0.
        """
        op = self.op
        part = op.cumulated(facts["dot"])
        begin, end = (op.at(part, closures[name]) for name in ("begin", "end"))
        differ = op.node("Not", op.node("Equal", begin, end))
        across = op.node("Mul", op.number(differ), closures["real"])

        def same(one: str, other: str) -> str:
            return op.number(op.node("Equal", op.wide(one, 2), op.wide(other, 1)))  # [B, R, R]

        alike = op.node("Add", same(begin, begin), same(end, end))
        apart = op.node("Add", same(begin, end), same(end, begin))
        both = op.node("Mul", op.wide(across, 2), op.wide(across, 1))
        product = op.node("Mul", op.node("Sub", alike, apart), both)
        place = op.places(op.node("Shape", across), axis=1)
        diagonal = op.node("Equal", op.node("Unsqueeze", place, op.whole([1])), place)
        others = op.node("Equal", op.wide(across, 2), op.whole(0))
        filled = op.number(op.node("And", others, diagonal))
        matrix = self.builder.cast(op.node("Add", product, filled), np.float32)
        determinant = op.wide(op.node("Det", matrix), 1)  # [B, 1]
        wrong.append(op.node("Less", determinant, op.constant(np.float32(0.5))))
        return across

    def _crossed(self, after: str, closures: Mapping[str, str], in_ring: str) -> str:
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
        count = self.op.node("Mul", leaves, self.op.wide(in_ring, 1))
        total = self.op.node("ReduceSum", count, self.op.whole([2]), attributes={"keepdims": 0})
        return self.op.number(self.op.positive(total))

    def _bonds(
        self,
        facts: Mapping[str, str],
        parent: str,
        has_parent: str,
        crossed: str,
        closures: Mapping[str, str],
        in_ring: str,
    ) -> dict[str, str]:
        """Atoms and kind of every bond [B, N + R]: those of the chain, then those of rings."""
        place = self.op.places(self.op.node("Shape", parent), axis=1)
        child = self.op.node("Add", self.op.node("Mul", parent, self.op.whole(0)), place)
        tree = self.op.number(has_parent)
        pairs = ((parent, closures["begin"]), (child, closures["end"]))
        exists = self.builder.concat([tree, closures["real"]])
        # Where there is no bond, atoms 0 and 0: a place that every tensor has.
        begin, end = (
            self.op.node("Mul", self.builder.concat(list(pair)), exists) for pair in pairs
        )
        ring = self.op.node("Mul", self.builder.concat([crossed, in_ring]), exists)
        written = self.builder.concat([facts["bond"], closures["bond"]])
        lower = [self.op.at(facts["lower"], atom) for atom in (begin, end)]
        implied = self.op.node("Mul", *lower)  # 1 of an aromatic one
        aromatic = self.op.node(
            "Or",
            self.op.node("Equal", written, self.op.whole(AROMATIC)),
            self.op.node(
                "And",
                self.op.positive(implied),
                self.op.node("Equal", written, self.op.whole(0)),
            ),
        )
        plain = self.op.node(
            "Where",
            self.op.node("Or", aromatic, self.op.node("Equal", written, self.op.whole(0))),
            self.op.whole(SINGLE),
            written,
        )
        within = self.op.node("And", aromatic, self.op.positive(ring))
        kind = self.op.node("Where", within, self.op.whole(AROMATIC), plain)
        return {
            "begin": begin,
            "end": end,
            "kind": self.op.node("Mul", kind, exists),
            "in_ring": ring,
        }

    def _wrong(self, facts: Mapping[str, str], wrong: list[str]) -> str:
        atoms = self.op.total(facts["present"])
        none = self.op.node("Equal", atoms, self.op.whole(0))
        many = self.op.node("Greater", atoms, self.op.whole(MOST_ATOMS))
        return self.op.any_of(none, many, *wrong)
