"""What a molecule is, whichever way it is written: hydrogens, charges, bonds, aromatic rings.

Hydrogens that are written as atoms are counted where they are bonded. Where double bonds lie in
rings follows from which atoms must have one, not from where they are written, so that Kekulé
forms and the aromatic form of a molecule are one.

Letters: B molecules, N atoms of the largest, R closures of rings, E bonds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from industry_apps.features.builder import GraphBuilder
from industry_apps.healthcare.molecules import valences
from industry_apps.healthcare.molecules.operators import FAR, Operators
from industry_apps.healthcare.molecules.reader import Written, read_written
from industry_apps.healthcare.molecules.resonance import Resonance
from industry_apps.healthcare.molecules.smiles import (
    AROMATIC,
    DOUBLE,
    MOST_CHARGE,
    NUMBER,
    SINGLE,
    TRIPLE,
)

_HALOGENS = ("Cl", "Br", "I")


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

    Readable is what RDKit's sanitising lets pass. Atoms stand in the order of the SMILES, without
    the hydrogens that are counted where they are bonded.
    """
    return _Perception(builder).write(read_written(builder, text))


class _Perception:
    """Writes what follows from the written molecule step by step."""

    def __init__(self, builder: GraphBuilder) -> None:
        self.builder = builder
        self.op = Operators(builder)
        self.classes = valences.classes()

    def write(self, written: Written) -> Molecules:
        """Write the whole perception."""
        op = self.op
        found, folded = self._without_hydrogens(written)
        found = self._charges_apart(found, folded)
        exists = op.positive(found.kind)
        degree = op.spread(found.begin, found.end, op.number(exists), found.number)
        in_ring = op.spread(found.begin, found.end, found.in_ring, found.number)
        in_ring = op.number(op.positive(in_ring))
        marked = self._marked(found)
        hydrogens, bonds, wrong = self._hydrogens(found, folded, marked)
        wrong = op.node("Or", wrong, self._alone(found, in_ring))
        takes_one = self._takes_double_bond(found, marked, hydrogens, bonds)
        resonance = Resonance(self.builder, found, takes_one, hydrogens, degree)
        readable = op.node("Not", op.any_of(found.wrong, op.any_in(wrong), resonance.wrong))
        keep = op.number(readable)  # [B, 1]
        kept = {
            "number": found.number,
            "charge": found.charge,
            "hydrogens": hydrogens,
            "aromatic": resonance.aromatic,
            "in_ring": in_ring,
            "degree": degree,
            "begin": found.begin,
            "end": found.end,
            "kind": resonance.kind,
            "ring_bond": found.in_ring,
            "fragments": found.fragments,
        }
        kept = {name: op.node("Mul", tensor, keep) for name, tensor in kept.items()}
        return Molecules(**kept, readable=readable)

    def _without_hydrogens(self, written: Written) -> tuple[Written, str]:
        """The molecule without the hydrogens that have one bond, and how many each atom had.

        Kept are those with a charge or a mass, and those of a hydrogen molecule.
        """
        op = self.op
        exists = op.number(op.positive(written.kind))
        degree = op.spread(written.begin, written.end, exists, written.number)
        plain = op.all_of(
            op.node("Equal", written.number, op.whole(NUMBER["H"])),
            *(
                op.node("Equal", each, op.whole(0))
                for each in (written.charge, written.isotope, written.hydrogens)
            ),
            op.node("Equal", degree, op.whole(1)),
        )
        light = op.number(plain)
        heavy = op.number(
            op.node(
                "And",
                op.node("Greater", written.number, op.whole(NUMBER["H"])),
                op.node("Less", written.number, op.whole(NUMBER["*"])),
            )
        )
        single = op.number(op.node("Equal", written.kind, op.whole(SINGLE)))
        removed, counted = [], []
        for light_end, heavy_end in ((written.begin, written.end), (written.end, written.begin)):
            ends = op.node("Mul", op.at(light, light_end), op.at(heavy, heavy_end))
            bond = op.node("Mul", ends, single)
            removed.append((light_end, bond))
            counted.append(op.scattered(heavy_end, bond, written.number))
        gone = op.node("Add", *(op.scattered(*pair, written.number) for pair in removed))
        keep = op.node("And", op.positive(written.number), op.node("Equal", gone, op.whole(0)))
        remains = op.node("Sub", exists, op.node("Add", *(bond for _, bond in removed)))
        folded = op.node("Add", *counted)
        return self._packed(written, op.number(keep), remains, folded)

    def _packed(
        self, written: Written, keep: str, remains: str, folded: str
    ) -> tuple[Written, str]:
        """Move the atoms that are kept to the front, in their order."""
        op = self.op
        place = op.places(op.node("Shape", keep), axis=1)
        gone = op.node("Mul", op.node("Sub", op.whole(1), keep), op.whole(FAR))
        most = op.node("ReduceMax", op.total(keep), attributes={"keepdims": 0})
        count = op.node("Reshape", op.node("Max", most, op.whole(1)), op.whole([1]))
        _, order = self.builder.smallest(op.node("Add", gone, place), count)
        atoms = {
            name: op.at(op.node("Mul", tensor, keep), order)
            for name, tensor in {
                "number": written.number,
                "charge": written.charge,
                "hydrogens": written.hydrogens,
                "bracket": written.bracket,
                "lower": written.lower,
                "folded": folded,
            }.items()
        }
        moved = op.node("Sub", op.cumulated(keep), op.whole(1))
        folded = atoms.pop("folded")
        bonds = {
            name: op.node("Mul", op.at(moved, tensor), remains)
            for name, tensor in (("begin", written.begin), ("end", written.end))
        }
        bonds |= {"kind": op.node("Mul", written.kind, remains)}
        return replace(written, **atoms, **bonds), folded

    def _halves(self, found: Written, folded: str) -> str:
        """Half bonds of each atom and twice the hydrogens that are written, [B, N]."""
        op = self.op
        worth = op.looked_up(np.array([0, 2, 4, 6, 3], dtype=np.int8), found.kind)
        bonds = op.spread(found.begin, found.end, worth, found.number)
        light = op.node("Add", found.hydrogens, folded)
        return op.node("Add", bonds, op.node("Mul", light, op.whole(2)))

    def _charges_apart(self, found: Written, folded: str) -> Written:
        """Nitrogen of five bonds, as of N(=O)=O and N=N#N, and Cl(=O)(=O)=O, with charges."""
        op = self.op
        halves = self._halves(found, folded)
        neutral = op.node("Equal", found.charge, op.whole(0))
        nitrogen = op.node("Equal", found.number, op.whole(NUMBER["N"]))
        oxygen = op.node("Equal", found.number, op.whole(NUMBER["O"]))
        five = op.any_of(*(op.node("Equal", halves, op.whole(n)) for n in (9, 10)))
        exists = op.number(op.positive(found.kind))
        others = self._told(found, op.node("Sub", op.whole(1), op.number(oxygen)), exists)
        halogen = op.all_of(
            op.any_of(
                *(op.node("Equal", found.number, op.whole(NUMBER[each])) for each in _HALOGENS)
            ),
            op.any_of(*(op.node("Equal", halves, op.whole(n)) for n in (6, 10, 14))),
            op.node("Equal", others, op.whole(0)),
        )
        centre = op.number(op.all_of(neutral, five, nitrogen))
        centres = op.number(op.node("And", neutral, halogen))
        takes = op.number(op.node("And", neutral, oxygen))
        takes_triple = op.number(op.node("And", neutral, nitrogen))
        double, triple = (
            op.number(op.node("Equal", found.kind, op.whole(kind))) for kind in (DOUBLE, TRIPLE)
        )
        place = op.places(op.node("Shape", found.kind), axis=1)
        far = op.node("Add", op.node("Mul", found.number, op.whole(0)), op.whole(FAR))
        ways = []
        for here, there in ((found.begin, found.end), (found.end, found.begin)):
            to_oxygen = op.node("Mul", double, op.at(takes, there))
            to_nitrogen = op.node("Mul", triple, op.at(takes_triple, there))
            some = op.node("Add", to_oxygen, to_nitrogen)
            fits = op.positive(op.node("Mul", op.at(centre, here), some))
            many = op.node("Mul", op.at(centres, here), to_oxygen)
            ways.append((here, there, fits, many))
            far = op.node(
                "ScatterElements",
                far,
                here,
                op.node("Where", fits, place, op.whole(FAR)),
                attributes={"axis": 1, "reduction": "min"},
            )
        charge, kind = found.charge, found.kind
        for here, there, fits, many in ways:
            first = op.node("And", fits, op.node("Equal", op.at(far, here), place))
            parted = op.node("Add", op.number(first), many)
            charge = op.node("Add", charge, op.scattered(here, parted, charge))
            charge = op.node("Sub", charge, op.scattered(there, parted, charge))
            kind = op.node("Sub", kind, parted)
        return replace(found, charge=charge, kind=kind)

    def _told(self, found: Written, code: str, weight: str) -> str:
        """Sum over the neighbours of an atom of a code [B, N], by the weights of the bonds."""
        op = self.op
        both = (
            op.scattered(here, op.node("Mul", op.at(code, there), weight), found.number)
            for here, there in ((found.begin, found.end), (found.end, found.begin))
        )
        return op.node("Add", *both)

    def _marked(self, found: Written) -> str:
        """1 of an atom that is written as aromatic, in lower case or by the bond ``:``."""
        op = self.op
        bonds = op.number(op.node("Equal", found.kind, op.whole(AROMATIC)))
        some = op.spread(found.begin, found.end, bonds, found.number)
        return op.number(op.node("Or", op.positive(found.lower), op.positive(some)))

    def _hydrogens(self, found: Written, folded: str, marked: str) -> tuple[str, str, str]:
        """Hydrogens of each atom, its bonds with those that are written, and where too many."""
        op = self.op
        charge = op.node("Add", found.charge, op.whole(MOST_CHARGE))
        kind = op.looked_up(self.classes.of_atom, found.number, charge)
        halves = op.node("Min", self._halves(found, folded), op.whole(valences.MOST_HALVES))
        implied, bonds, fits = (
            op.looked_up(self.classes.by_bonds[..., fact], kind, marked, halves)
            for fact in (valences.IMPLIED, valences.BONDS, valences.FITS)
        )
        bracket = op.positive(found.bracket)
        lack = op.node("Where", bracket, op.node("Sub", fits, op.whole(1)), implied)
        wrong = op.node("And", op.node("Less", lack, op.whole(0)), op.positive(found.number))
        own = op.node("Where", bracket, found.hydrogens, op.node("Max", implied, op.whole(0)))
        bonds = op.node("Where", bracket, bonds, op.node("Add", bonds, implied))
        return op.node("Add", own, folded), bonds, wrong

    def _alone(self, found: Written, in_ring: str) -> str:
        """Where an atom in lower case is in no ring."""
        op = self.op
        outside = op.node("Equal", in_ring, op.whole(0))
        return op.node("And", op.positive(found.lower), outside)

    def _takes_double_bond(
        self, found: Written, marked: str, hydrogens: str, bonds: str
    ) -> str:
        """Whether an atom that is written as aromatic needs a double bond in its ring."""
        op = self.op
        charge = op.node("Add", found.charge, op.whole(MOST_CHARGE))
        kind = op.looked_up(self.classes.ring_of_atom, found.number, charge)
        reached = op.node("Min", bonds, op.whole(valences.MOST_VALENCE))
        valence = op.looked_up(self.classes.in_ring, kind, reached)
        order = op.looked_up(np.array([0, 1, 2, 3, 1], dtype=np.int8), found.kind)
        orders = op.spread(found.begin, found.end, order, found.number)
        free = op.node("Sub", valence, op.node("Add", orders, hydrogens))
        radical = op.all_of(
            op.positive(found.bracket), op.node("Equal", free, op.whole(2))
        )
        one = op.node("Or", op.node("Equal", free, op.whole(1)), radical)
        return op.node("And", one, op.positive(marked))
