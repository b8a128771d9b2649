"""Circular fingerprints, counts and shares of molecules, as numbers of a table.

Method: Rogers and Hahn, Extended-connectivity fingerprints, J. Chem. Inf. Model. 2010,
doi:10.1021/ci100050t. Written from the paper. What differs: codes are hashed by arithmetic
modulo a prime that ONNX has, so bits are not those of other programs; environments that hold
the same bonds count each; stereochemistry is left out.

Letters: B molecules, N atoms of the largest, R closures of rings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from industry_apps.features.builder import GraphBuilder
from industry_apps.healthcare.molecules.lipophilicity import write_logp
from industry_apps.healthcare.molecules.reading.perception import Molecules
from industry_apps.healthcare.molecules.reading.smiles import AROMATIC, ELEMENTS, NUMBER, SINGLE

#: Below 2**31, so that no product of two codes leaves an int64.
_PRIME = 2**31 - 1
_FACTORS = (1_103_515_245, 69_069, 1_664_525, 1_597_334_677)
_LAST = {"axis": 1}
_LARGEST_CHARGE, _MOST_HYDROGENS = 15, 15

#: Elements that are counted one by one.
_COUNTED = ("C", "N", "O", "F", "P", "S", "Cl", "Br", "I")
#: Counts that are told for each heavy atom too: trees are slow to divide.
_SHARED = (
    *("weight", "hydrogens", "aromatic_atoms", "ring_atoms", "donors", "acceptors"),
    *("branched_atoms", "C_atoms", "double_bonds", "rotatable_bonds"),
)
#: Standard atomic weights (IUPAC 2021, abridged) of what drugs are made of; others weigh twice
#: their atomic number.
_WEIGHTS = {
    "H": 1.008, "B": 10.81, "C": 12.011, "N": 14.007, "O": 15.999, "F": 18.998, "Na": 22.99,
    "Si": 28.085, "P": 30.974, "S": 32.06, "Cl": 35.45, "K": 39.098, "Se": 78.971, "Br": 79.904,
    "I": 126.904,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Counts of the surroundings of every atom, folded to a number of columns.

    Parameters
    ----------
    radius : int
        Bonds that a surrounding reaches; 2 is what is called ECFP4.
    size : int
        Columns.
    """

    radius: int = 2
    size: int = 2048

    def write(self, builder: GraphBuilder, molecules: Molecules) -> str:
        """Write molecules -> counts, float32 [batch, size]."""
        node, constant = builder.node, builder.constant
        one = constant(np.int64(1))
        real = builder.cast(node("Greater", molecules.number, constant(np.int64(0))), np.int64)
        code = _mixed(builder, _invariants(builder, molecules), 0)
        found = [code]
        for step in range(1, self.radius + 1):
            code = self._around(builder, molecules, code, step)
            found.append(code)
        size = constant(np.int64(self.size))
        # What is no atom falls into a column of its own, which is cut off.
        places = [
            node(
                "Where",
                builder.cast(real, np.bool_),
                node("Mod", each, size),
                size,
            )
            for each in found
        ]
        place = builder.concat(places)  # [B, (radius + 1) N]
        rows = node("Shape", place, attributes={"end": 1})
        width = constant(np.array([self.size + 1]))
        shape = node("Concat", rows, width, attributes={"axis": 0})
        none = node("Expand", constant(np.zeros((1, 1), dtype=np.float32)), shape)
        counts = node(
            "ScatterElements",
            none,
            place,
            builder.cast(node("Add", node("Mul", place, constant(np.int64(0))), one), np.float32),
            attributes={"axis": 1, "reduction": "add"},
        )
        return builder.part(counts, 0, self.size)

    def _around(self, builder: GraphBuilder, molecules: Molecules, code: str, step: int) -> str:
        """Codes [B, N] of surroundings that reach one bond further."""
        node, constant = builder.node, builder.constant
        bonds = node("Mul", molecules.kind, constant(np.int64(_FACTORS[1])))
        exists = builder.cast(node("Greater", molecules.kind, constant(np.int64(0))), np.int64)
        around = node("Mul", code, constant(np.int64(0)))
        for here, there in (
            (molecules.begin, molecules.end),
            (molecules.end, molecules.begin),
        ):
            other = node("GatherElements", code, there, attributes={"axis": 1})
            told = _mixed(builder, node("Add", other, bonds), step)
            around = node(
                "ScatterElements",
                around,
                here,
                node("Mul", told, exists),
                attributes={"axis": 1, "reduction": "add"},
            )
        around = node("Mod", around, constant(np.int64(_PRIME)))
        own = node("Mul", code, constant(np.int64(_FACTORS[2])))
        both = node("Add", node("Mod", own, constant(np.int64(_PRIME))), around)
        return _mixed(builder, both, step)


def _invariants(builder: GraphBuilder, molecules: Molecules) -> str:
    """One number for all that is known of an atom by itself [B, N]."""
    node, constant = builder.node, builder.constant
    charge = node("Add", molecules.charge, constant(np.int64(_LARGEST_CHARGE)))
    total = molecules.number
    for tensor, cardinality in (
        (charge, 2 * _LARGEST_CHARGE + 1),
        (node("Min", molecules.hydrogens, constant(np.int64(_MOST_HYDROGENS))), 16),
        (node("Min", molecules.degree, constant(np.int64(15))), 16),
        (molecules.aromatic, 2),
        (molecules.in_ring, 2),
    ):
        total = node("Add", node("Mul", total, constant(np.int64(cardinality))), tensor)
    return total


def _mixed(builder: GraphBuilder, code: str, step: int) -> str:
    """A code that tells nothing of the one it is made of, in [0, prime)."""
    node, constant = builder.node, builder.constant
    prime = constant(np.int64(_PRIME))
    code = node("Mod", node("Add", code, constant(np.int64(7 + step))), prime)
    for factor in (_FACTORS[0], _FACTORS[3]):
        scaled = node("Mod", node("Mul", code, constant(np.int64(factor))), prime)
        square = node("Mod", node("Mul", scaled, scaled), prime)
        code = node("Mod", node("Add", square, scaled), prime)
    return code


@dataclass(frozen=True, slots=True)
class MoleculeCounts:
    """What chemists look at first: weight, elements, rings, hydrogen bonds, solubility in fat."""

    @property
    def counted(self) -> list[str]:
        """Names of the counts among the columns."""
        return [
            *("weight", "heavy_atoms", "hydrogens", "positive_atoms", "negative_atoms"),
            *("aromatic_atoms", "ring_atoms", "donors", "acceptors", "branched_atoms"),
            *(f"{element}_atoms" for element in _COUNTED),
            *("single_bonds", "double_bonds", "triple_bonds", "aromatic_bonds", "ring_bonds"),
            *("rotatable_bonds", "rings", "fragments"),
        ]

    @property
    def names(self) -> list[str]:
        """Names of the columns that it writes."""
        return [*self.counted, *(f"{name}_share" for name in _SHARED), "logp"]

    def write(self, builder: GraphBuilder, molecules: Molecules) -> str:
        """Write molecules -> float32 [batch, names]."""
        counts = self._counts(builder, molecules)
        places = [self.counted.index(name) for name in _SHARED]
        some = builder.node("Gather", counts, builder.constant(np.array(places)), attributes=_LAST)
        place = self.counted.index("heavy_atoms")
        atoms = builder.part(counts, place, place + 1)
        atoms = builder.node("Max", atoms, builder.constant(np.float32(1)))
        return builder.concat(
            [counts, builder.node("Div", some, atoms), write_logp(builder, molecules)]
        )

    def _counts(self, builder: GraphBuilder, molecules: Molecules) -> str:
        """Molecules -> float32 [batch, counted]."""
        node = builder.node
        table = _atom_table()  # [elements, columns]
        kinds = node("Gather", builder.constant(table), molecules.number)  # [B, N, columns]
        per_atom = node(
            "ReduceSum", kinds, builder.constant(np.array([1])), attributes={"keepdims": 0}
        )
        masses, *counted = (
            builder.part(per_atom, place, place + 1) for place in range(table.shape[1])
        )
        heavy, *elements = (builder.cast(each, np.float32) for each in counted)
        total = _Totals(builder)
        hydrogens = total(molecules.hydrogens)
        axes, light = builder.constant(np.array([1])), builder.constant(np.int64(_thousandths("H")))
        light = node("Mul", node("ReduceSum", molecules.hydrogens, axes), light)
        # Whole numbers add up to the same in any order of the atoms.
        thousandths = builder.cast(node("Add", masses, light), np.float32)
        weight = node("Mul", thousandths, builder.constant(np.float32(0.001)))
        polar = _Polar(builder, molecules)
        bonds = [total.equal(molecules.kind, kind) for kind in range(SINGLE, AROMATIC + 1)]
        ring = total(molecules.ring_bond)
        fragments = builder.cast(molecules.fragments, np.float32)
        rings = node("Add", node("Sub", _sum(builder, bonds), heavy), fragments)
        return builder.concat(
            [
                *(weight, heavy, hydrogens),
                *(total.above(molecules.charge, 0), total.below(molecules.charge, 0)),
                *(total(molecules.aromatic), total(molecules.in_ring)),
                *(total(polar.donors()), total(polar.acceptors())),
                total.above(molecules.degree, 2),
                *elements,
                *bonds,
                *(ring, total(polar.rotatable()), rings, fragments),
            ]
        )


class _Totals:
    """Sums over the atoms or bonds of a molecule: [B, n] -> float32 [B, 1]."""

    def __init__(self, builder: GraphBuilder) -> None:
        self.builder = builder

    def __call__(self, tensor: str) -> str:
        axes = self.builder.constant(np.array([1]))
        return self.builder.cast(self.builder.node("ReduceSum", tensor, axes), np.float32)

    def equal(self, tensor: str, value: int) -> str:
        """How many are equal to a value."""
        return self._count("Equal", tensor, value)

    def above(self, tensor: str, value: int) -> str:
        """How many are above a value."""
        return self._count("Greater", tensor, value)

    def below(self, tensor: str, value: int) -> str:
        """How many are below a value."""
        return self._count("Less", tensor, value)

    def _count(self, comparison: str, tensor: str, value: int) -> str:
        found = self.builder.node(comparison, tensor, self.builder.constant(np.int64(value)))
        return self(self.builder.cast(found, np.int64))


class _Polar:
    """What takes part in hydrogen bonds, and what turns: 0 or 1 for each atom or bond."""

    def __init__(self, builder: GraphBuilder, molecules: Molecules) -> None:
        self.builder, self.molecules = builder, molecules
        table = np.zeros(len(ELEMENTS) + 1, dtype=np.int64)
        table[[NUMBER["N"], NUMBER["O"]]] = 1
        self.polar = builder.node("Gather", builder.constant(table), molecules.number)

    def donors(self) -> str:
        """N or O with a hydrogen."""
        some = self._where("Greater", self.molecules.hydrogens, 0)
        return self.builder.node("Mul", self.polar, some)

    def acceptors(self) -> str:
        """N or O that is not charged."""
        return self.builder.node("Mul", self.polar, self._where("Equal", self.molecules.charge, 0))

    def rotatable(self) -> str:
        """Single bonds outside of rings between atoms that have other bonds."""
        found = self.builder.node(
            "Mul",
            self._where("Equal", self.molecules.kind, SINGLE),
            self._where("Equal", self.molecules.ring_bond, 0),
        )
        for atoms in (self.molecules.begin, self.molecules.end):
            degree = self.builder.node(
                "GatherElements", self.molecules.degree, atoms, attributes={"axis": 1}
            )
            found = self.builder.node("Mul", found, self._where("Greater", degree, 1))
        return found

    def _where(self, comparison: str, tensor: str, value: int) -> str:
        held = self.builder.node(comparison, tensor, self.builder.constant(np.int64(value)))
        return self.builder.cast(held, np.int64)


def _sum(builder: GraphBuilder, tensors: Sequence[str]) -> str:
    return builder.node("Sum", *tensors)


def _thousandths(symbol: str) -> int:
    return round(1000 * _WEIGHTS.get(symbol, 2.0 * NUMBER[symbol]))


def _atom_table() -> NDArray[np.int64]:
    """Weight / 1000, 1 for an atom, and 1 for each counted element, by atomic number from 0."""
    table = np.zeros((len(ELEMENTS) + 1, 2 + len(_COUNTED)), dtype=np.int64)
    for symbol, number in NUMBER.items():
        table[number, 0] = _thousandths(symbol)
    table[1:, 1] = 1
    for place, symbol in enumerate(_COUNTED):
        table[NUMBER[symbol], 2 + place] = 1
    return table
