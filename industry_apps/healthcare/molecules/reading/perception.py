"""What a molecule is, whichever way it is written: hydrogens, charges, bonds, aromatic rings.

Hydrogens that are written as atoms are counted where they are bonded. Where double bonds lie in
rings follows from which atoms must have one, not from where they are written, so that Kekulé
forms and the aromatic form of a molecule are one.

Letters: B molecules, N atoms of the largest, E bonds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from industry_apps.features.builder import GraphBuilder
from industry_apps.healthcare.molecules.reading import valences
from industry_apps.healthcare.molecules.reading.operators import FAR, Ends, Operators
from industry_apps.healthcare.molecules.reading.reader import Written, read_written
from industry_apps.healthcare.molecules.reading.resonance import write_resonance
from industry_apps.healthcare.molecules.reading.smiles import (
    AROMATIC,
    DOUBLE,
    MOST_CHARGE,
    NUMBER,
    SINGLE,
    TRIPLE,
)


@dataclass(frozen=True, slots=True)
class Molecules:
    """Tensors of molecules, int64 unless said; of one that cannot be read, atoms 0 throughout.

    Parameters
    ----------
    number, charge, hydrogens, aromatic, in_ring, degree : str
        Of each atom [B, N]: atomic number (0 where there is no atom), charge, hydrogens that
        are not atoms of their own, 1 in an aromatic ring, 1 in a ring, bonds to other atoms.
    begin, end, kind, ring_bond : str
        Of each bond [B, E]: its atoms, its kind (0 where there is no bond), 1 in a ring.
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

    Readable is what RDKit's sanitising lets pass, but for what the module ``smiles`` says is not
    read. Atoms stand in the order of the SMILES, without the hydrogens that are counted where they
    are bonded.
    """
    op = Operators(builder)
    written, folded = _without_hydrogens(op, read_written(builder, text))
    ends = Ends(op, written.begin, written.end, written.number)
    written = _charges_apart(op, ends, written, folded)
    marked = _marked(op, ends, written)
    atoms = _Valences(op, ends, written, folded, marked)
    degree = ends.summed(op.number(op.positive(written.kind)))
    in_ring = op.number(op.positive(ends.summed(written.in_ring)))
    kind = np.array([0, SINGLE, DOUBLE, TRIPLE, AROMATIC, SINGLE, SINGLE], dtype=np.int8)
    written = replace(written, kind=op.looked_up(kind, written.kind))
    rings = write_resonance(op, ends, written, atoms.takes_double_bond, atoms.hydrogens, degree)
    outside = op.node("Greater", written.lower, in_ring)  # in lower case, and in no ring
    wrong = op.any_in(op.node("Or", atoms.wrong, outside))
    readable = op.node("Not", op.any_of(written.wrong, wrong, rings.wrong))
    kept = {
        "number": written.number,
        "charge": written.charge,
        "hydrogens": atoms.hydrogens,
        "aromatic": rings.aromatic,
        "in_ring": in_ring,
        "degree": degree,
        "begin": written.begin,
        "end": written.end,
        "kind": rings.kind,
        "ring_bond": written.in_ring,
        "fragments": written.fragments,
    }
    keep = op.number(readable)  # [B, 1]
    masked = {name: op.node("Mul", tensor, keep) for name, tensor in kept.items()}
    return Molecules(**masked, readable=readable)


def without_atom(builder: GraphBuilder, molecules: Molecules, place: str) -> Molecules:
    """Leave out the atom at a place [B, 1], with its bonds; -1 leaves out none.

    The other atoms stay what they are: in a ring, aromatic, with as many hydrogens.
    """
    op = Operators(builder)
    places = op.places(op.node("Shape", molecules.number), axis=1)
    keep = op.number(op.node("Not", op.node("Equal", places, place)))  # [B, N]
    ends = [op.at(keep, atoms) for atoms in (molecules.begin, molecules.end)]
    bonds = op.node("Mul", *ends)
    of_atoms = ("number", "charge", "hydrogens", "aromatic", "in_ring", "degree")
    of_bonds = ("kind", "ring_bond")
    kept = {
        name: op.node("Mul", getattr(molecules, name), weight)
        for names, weight in ((of_atoms, keep), (of_bonds, bonds))
        for name in names
    }
    return replace(molecules, **kept)


def _without_hydrogens(op: Operators, written: Written) -> tuple[Written, str]:
    """The molecule without the hydrogens that have one bond, and how many each atom had.

    Kept are those with a charge or a mass, and those of a hydrogen molecule. The atoms that are
    kept move to the front, in their order.
    """
    ends = Ends(op, written.begin, written.end, written.number)
    exists = op.number(op.positive(written.kind))
    own = op.node("Add", written.hydrogens, written.isotope)
    plain = op.all_of(
        op.equal(written.number, NUMBER["H"]),
        op.equal(written.charge, 0),
        op.equal(own, 0),
        op.equal(ends.summed(exists), 1),
    )
    heavy = op.node(
        "And",
        op.node("Greater", written.number, op.whole(NUMBER["H"])),
        op.node("Less", written.number, op.whole(NUMBER["*"])),
    )
    single = op.number(op.equal(written.kind, SINGLE))
    light = op.node(
        "Mul", ends.of_atoms(op.number(plain)), ends.of_atoms(op.number(heavy), other=True)
    )
    light = op.node("Mul", light, ends.of_bonds(single))  # [B, 2 E]
    real = op.number(op.positive(written.number))
    keep = op.node("Sub", real, ends.to_atoms(light))
    remains = op.node("Sub", exists, ends.to_bonds(light))
    place = op.places(op.node("Shape", keep), axis=1)
    behind = op.node("Mul", op.node("Sub", op.whole(1), keep), op.whole(FAR))
    most = op.node("ReduceMax", op.total(keep), attributes={"keepdims": 0})
    count = op.node("Reshape", op.node("Max", most, op.whole(1)), op.whole([1]))
    _, order = op.builder.smallest(op.node("Add", behind, place), count)
    names = ("number", "charge", "hydrogens", "bracket", "lower")
    told = {name: getattr(written, name) for name in names}
    told["folded"] = ends.to_atoms(light, other=True)
    atoms = {name: op.at(op.node("Mul", each, keep), order) for name, each in told.items()}
    folded = atoms.pop("folded")
    moved = op.node("Sub", op.cumulated(keep), op.whole(1))
    bonds = {
        name: op.node("Mul", op.at(moved, getattr(written, name)), remains)
        for name in ("begin", "end")
    }
    kind = op.node("Mul", written.kind, remains)
    return replace(written, **atoms, **bonds, kind=kind), folded


def _halves(op: Operators, ends: Ends, written: Written, folded: str) -> str:
    """Half bonds of each atom and twice the hydrogens that are written, [B, N]."""
    worth = [
        op.looked_up(np.array([0, 2, 4, 6, 3, *dative], dtype=np.int8), written.kind)
        for dative in ((0, 2), (2, 0))  # which count for the atom that takes the electrons
    ]
    bonds = ends.to_atoms(op.builder.concat(worth))
    light = op.node("Add", written.hydrogens, folded)
    return op.node("Add", bonds, op.node("Mul", light, op.whole(2)))


def _charges_apart(op: Operators, ends: Ends, written: Written, folded: str) -> Written:
    """Nitrogen of five bonds, as of N(=O)=O and N=N#N, and Cl(=O)(=O)=O, with charges."""
    halves = _halves(op, ends, written, folded)
    neutral = op.equal(written.charge, 0)
    table = np.zeros((NUMBER["*"] + 1, 2), dtype=np.int8)
    table[[NUMBER["N"], NUMBER["O"]], 0] = 1, 2
    table[[NUMBER[each] for each in ("Cl", "Br", "I")], 0] = 3
    table[:, 1] = table[:, 0] != 2
    element = op.looked_up(table[:, 0], written.number)
    exists = ends.of_bonds(op.number(op.positive(written.kind)))
    not_oxygen = ends.of_atoms(op.looked_up(table[:, 1], written.number), other=True)
    others = ends.to_atoms(op.node("Mul", not_oxygen, exists))
    # Nitrogen of 4.5 bonds, all aromatic, stands for one of five.
    five = op.any_of(op.equal(halves, 9), op.equal(halves, 10))
    odd = op.any_of(*(op.equal(halves, 2 * bonds) for bonds in (3, 5, 7)))
    nitrogen = op.all_of(neutral, op.equal(element, 1), five)
    halogen = op.all_of(neutral, op.equal(element, 3), odd, op.equal(others, 0))
    partner = op.node("Mul", op.number(neutral), element)
    to = ends.of_atoms(partner, other=True)
    kind = ends.of_bonds(written.kind)
    to_oxygen = op.node("And", op.equal(kind, DOUBLE), op.equal(to, 2))
    to_nitrogen = op.node("And", op.equal(kind, TRIPLE), op.equal(to, 1))
    fits = op.node(
        "And",
        op.positive(ends.of_atoms(op.number(nitrogen))),
        op.node("Or", to_oxygen, to_nitrogen),
    )
    place = op.places(op.node("Shape", kind), axis=1)
    first = op.node(
        "ScatterElements",
        op.node("Add", op.node("Mul", halves, op.whole(0)), op.whole(FAR)),
        ends.here,
        op.node("Where", fits, place, op.whole(FAR)),
        attributes={"axis": 1, "reduction": "min"},
    )
    one = op.node("Equal", ends.of_atoms(first), place)  # of two oxygens, one
    each = op.node("And", op.positive(ends.of_atoms(op.number(halogen))), to_oxygen)
    parted = op.number(op.node("Or", one, each))
    given = op.node("Sub", ends.to_atoms(parted), ends.to_atoms(parted, other=True))
    return replace(
        written,
        charge=op.node("Add", written.charge, given),
        kind=op.node("Sub", written.kind, ends.to_bonds(parted)),
    )


def _marked(op: Operators, ends: Ends, written: Written) -> str:
    """1 of an atom that is written as aromatic, in lower case or by the bond ``:``."""
    some = ends.summed(op.number(op.equal(written.kind, AROMATIC)))
    return op.number(op.positive(op.node("Add", written.lower, some)))


class _Valences:
    """Hydrogens of each atom, where there are too many bonds, and where a double one is missing.

    Parameters
    ----------
    op : Operators
    ends : Ends
    written : Written
    folded : str
        Hydrogens that were atoms [B, N].
    marked : str
        1 of an atom that is written as aromatic [B, N].
    """

    def __init__(
        self, op: Operators, ends: Ends, written: Written, folded: str, marked: str
    ) -> None:
        self.op, self.ends, self.written, self.marked = op, ends, written, marked
        self.classes = valences.classes()
        self.charge = op.node("Add", written.charge, op.whole(MOST_CHARGE))
        self.kind = op.looked_up(self.classes.of_atom, written.number, self.charge)
        halves = _halves(op, ends, written, folded)
        implied, bonds, fits = (
            self._by_bonds(fact, marked, halves)
            for fact in (valences.IMPLIED, valences.BONDS, valences.FITS)
        )
        bracket = op.positive(written.bracket)
        lack = op.node("Where", bracket, op.node("Sub", fits, op.whole(1)), implied)
        own = op.node("Where", bracket, written.hydrogens, implied)
        self.hydrogens = op.node("Add", own, folded)
        self.bonds = op.node("Where", bracket, bonds, op.node("Add", bonds, implied))
        self.takes_double_bond, held = self._takes_double_bond()
        # With its double bond an aromatic atom has the bonds of one that is not aromatic.
        none = op.node("Mul", marked, op.whole(0))
        fits = self._by_bonds(valences.FITS, none, op.node("Mul", held, op.whole(2)))
        too_many = op.node("Less", lack, op.whole(0))
        self.wrong = op.node("Or", too_many, op.node("Less", fits, marked))

    def _by_bonds(self, fact: int, marked: str, halves: str) -> str:
        """A fact of the table of valences [B, N]."""
        op = self.op
        low = op.node("Max", halves, op.whole(0))
        halves = op.node("Min", low, op.whole(valences.MOST_HALVES))
        return op.looked_up(self.classes.by_bonds[..., fact], self.kind, marked, halves)

    def _takes_double_bond(self) -> tuple[str, str]:
        """Whether an atom that is written as aromatic needs a double bond; its bonds with it."""
        op, written = self.op, self.written
        kind = op.looked_up(self.classes.ring_of_atom, written.number, self.charge)
        reached = op.node(
            "Max",
            op.node("Min", self.bonds, op.whole(valences.MOST_VALENCE)),
            op.whole(0),
        )
        valence = op.looked_up(self.classes.in_ring, kind, reached)
        order = op.looked_up(np.array([0, 1, 2, 3, 1, 1, 1], dtype=np.int8), written.kind)
        held = op.node("Add", self.ends.summed(order), self.hydrogens)
        free = op.node("Sub", valence, held)
        # In brackets one more may be left, as a radical.
        radical = op.node("And", op.positive(written.bracket), op.equal(free, 2))
        one = op.node("And", op.node("Or", op.equal(free, 1), radical), op.positive(self.marked))
        return one, op.node("Add", held, op.number(one))
