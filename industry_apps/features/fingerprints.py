"""Circular fingerprints and counts of molecules, as numbers of a table.

Method: Rogers and Hahn, Extended-connectivity fingerprints, J. Chem. Inf. Model. 2010,
doi:10.1021/ci100050t. Written from the paper. What differs: codes are hashed by arithmetic
modulo a prime that ONNX has, so bits are not those of other programs; environments that hold
the same bonds count each; stereochemistry is left out.

Letters: B molecules, N atoms of the largest, R closures of rings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.features.builder import GraphBuilder
from industry_apps.features.molecules import Molecules, write_molecules
from industry_apps.features.running import RunsItsGraph
from industry_apps.features.smiles import AROMATIC, ELEMENTS, NUMBER, SINGLE
from industry_apps.runtime.inputs import feeds_of
from industry_apps.schema import Schema

#: Below 2**31, so that no product of two codes leaves an int64.
_PRIME = 2**31 - 1
_FACTORS = (1_103_515_245, 69_069, 1_664_525, 1_597_334_677)
_LARGEST_CHARGE, _MOST_HYDROGENS = 15, 15
#: Molecules of one run of a file: the largest may have ``MOST_ATOMS`` atoms.
MOLECULES_A_RUN = 256
#: Characters of the SMILES of one run: pairs of atoms are compared.
_CHARACTERS_A_RUN = 20_000

#: Elements that are counted one by one.
_COUNTED = ("C", "N", "O", "F", "P", "S", "Cl", "Br", "I")
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
    """Counts that chemists look at first: weight, elements, rings, hydrogen bonds, ..."""

    @property
    def names(self) -> list[str]:
        """Names of the columns that it writes."""
        return [
            *("weight", "heavy_atoms", "hydrogens", "positive_atoms", "negative_atoms"),
            *("aromatic_atoms", "ring_atoms", "donors", "acceptors", "branched_atoms"),
            *(f"{element}_atoms" for element in _COUNTED),
            *("single_bonds", "double_bonds", "triple_bonds", "aromatic_bonds", "ring_bonds"),
            *("rotatable_bonds", "rings", "fragments"),
        ]

    def write(self, builder: GraphBuilder, molecules: Molecules) -> str:
        """Write molecules -> counts, float32 [batch, names]."""
        node = builder.node
        table = _atom_table()  # [elements, columns]
        kinds = node("Gather", builder.constant(table), molecules.number)  # [B, N, columns]
        per_atom = node(
            "ReduceSum", kinds, builder.constant(np.array([1])), attributes={"keepdims": 0}
        )
        weight, heavy, *elements = (
            builder.part(per_atom, place, place + 1) for place in range(table.shape[1])
        )
        total = _Totals(builder)
        hydrogens = total(molecules.hydrogens)
        masses = node("Mul", hydrogens, builder.constant(np.float32(_WEIGHTS["H"])))
        polar = _Polar(builder, molecules)
        bonds = [total.equal(molecules.kind, kind) for kind in range(SINGLE, AROMATIC + 1)]
        ring = total(molecules.ring_bond)
        fragments = builder.cast(molecules.fragments, np.float32)
        rings = node("Add", node("Sub", _sum(builder, bonds), heavy), fragments)
        return builder.concat(
            [
                *(node("Add", weight, masses), heavy, hydrogens),
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


def _atom_table() -> NDArray[np.float32]:
    """Weight, 1 for an atom, and 1 for each counted element, by atomic number from 0."""
    table = np.zeros((len(ELEMENTS) + 1, 2 + len(_COUNTED)), dtype=np.float32)
    for symbol, number in NUMBER.items():
        table[number, 0] = _WEIGHTS.get(symbol, 2.0 * number)
    table[1:, 1] = 1
    for place, symbol in enumerate(_COUNTED):
        table[NUMBER[symbol], 2 + place] = 1
    return table


class MoleculeGraph(RunsItsGraph):
    """SMILES to tensors, as an ONNX graph that training runs and the file holds.

    Its outputs: ``numeric`` float32 [B, columns] (counts of the molecule, then its
    fingerprint), ``atoms`` int64 [B, N, 6] and ``bonds`` int64 [B, N + R, 4] for a network,
    ``readable`` bool [B, 1], ``fragments`` and ``size`` (atoms) float32 [B, 1].

    Parameters
    ----------
    schema : Schema
        With one text column.
    fingerprint : Fingerprint

    Examples
    --------
    >>> from industry_apps.schema import Column
    >>> graph = MoleculeGraph(Schema((Column(name="smiles", kind="text"),)))
    >>> found = graph.run({"smiles": np.array(["CCO", "C(C"], dtype=object)})
    >>> found["readable"].tolist(), found["size"].tolist()
    ([True, False], [3.0, 0.0])
    """

    def __init__(self, schema: Schema, fingerprint: Fingerprint | None = None) -> None:
        (column,) = schema
        self.schema, self.column = Schema((column,)), column.name
        self.fingerprint = fingerprint or Fingerprint()
        self.counts = MoleculeCounts()

    @property
    def width(self) -> int:
        """Columns of ``numeric``."""
        return len(self.counts.names) + self.fingerprint.size

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        """Append the graph to a builder -> its outputs."""
        molecules = write_molecules(builder, inputs[self.column])
        node = builder.node
        numeric = builder.concat(
            [self.counts.write(builder, molecules), self.fingerprint.write(builder, molecules)]
        )
        bonds = (molecules.begin, molecules.end, molecules.kind, molecules.ring_bond)
        heavy = node("Greater", molecules.number, builder.constant(np.int64(0)))
        return {
            "numeric": numeric,
            "atoms": _stacked(builder, molecules.atom_columns),
            "bonds": _stacked(builder, bonds),
            "readable": molecules.readable,
            "fragments": builder.cast(molecules.fragments, np.float32),
            "size": _Totals(builder)(builder.cast(heavy, np.int64)),
        }

    def run(
        self, arrays: Mapping[str, NDArray[Any]], names: Sequence[str] = ("numeric",)
    ) -> dict[str, NDArray[Any]]:
        """Compute tensors with onnxruntime, molecules of like length together.

        Parameters
        ----------
        arrays : mapping of str to ndarray of shape [rows]
        names : sequence of str
            Outputs that are asked for, with ``readable``, ``fragments`` and ``size``.

        Returns
        -------
        dict of str to ndarray of shape [rows, ...]
            Filled up with zeros to the largest molecule.
        """
        feeds = feeds_of(arrays, self.schema)
        texts = feeds[self.column]
        asked = list(dict.fromkeys((*names, "readable", "fragments", "size")))
        lengths = np.array([len(text) for text in texts[:, 0]], dtype=np.int64)
        order = np.argsort(lengths, kind="stable")
        parts = [
            (rows, self._session.run([f"/{name}" for name in asked], {self.column: texts[rows]}))
            for rows in _runs(order, lengths)
        ]
        return {
            name: _filled([(rows, found[place]) for rows, found in parts], len(texts))
            for place, name in enumerate(asked)
        }

    def _declare(self, builder: GraphBuilder) -> None:
        for name, tensor in self.write(builder, builder.inputs(self.schema)).items():
            builder.output(tensor, f"/{name}", _DTYPES.get(name, np.float32), None)


_DTYPES: Mapping[str, type] = {"atoms": np.int64, "bonds": np.int64, "readable": np.bool_}


def _stacked(builder: GraphBuilder, tensors: Sequence[str]) -> str:
    """Tensors [B, n] -> [B, n, tensors]."""
    last = builder.constant(np.array([2]))
    wide = [builder.node("Unsqueeze", tensor, last) for tensor in tensors]
    return builder.node("Concat", *wide, attributes={"axis": 2})


def _runs(order: NDArray[np.intp], lengths: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """Rows in the given order, cut into runs of so many characters, one row at least."""
    cuts, start = [], 0
    for stop in range(1, len(order) + 1):
        longest = lengths[order[min(stop, len(order) - 1)]]
        if stop == len(order) or (stop + 1 - start) * longest > _CHARACTERS_A_RUN:
            cuts.append(order[start:stop])
            start = stop
    return cuts


def _filled(parts: Sequence[tuple[NDArray[np.intp], NDArray[Any]]], rows: int) -> NDArray[Any]:
    """Put what was found in runs back in the order of the rows."""
    if not parts:
        return np.zeros((0, 1), dtype=np.float32)
    widest = tuple(
        max(sizes) for sizes in zip(*(found.shape[1:] for _, found in parts), strict=True)
    )
    whole = np.zeros((rows, *widest), dtype=parts[0][1].dtype)
    for where, found in parts:
        inner: Any = tuple(slice(0, size) for size in found.shape[1:])
        whole[(where, *inner)] = found
    return whole
