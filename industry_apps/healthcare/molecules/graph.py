"""SMILES to the tensors that models of molecules read, written once and run in training too.

Letters: B molecules, N atoms of the largest, R closures of rings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.features.builder import GraphBuilder
from industry_apps.features.running import RunsItsGraph
from industry_apps.healthcare.molecules.fingerprints import Fingerprint, MoleculeCounts
from industry_apps.healthcare.molecules.reading.perception import without_atom, write_molecules
from industry_apps.healthcare.molecules.reading.smiles import NUMBER
from industry_apps.runtime.inputs import feeds_of
from industry_apps.runtime.parts import LEFT_OUT, NONE
from industry_apps.schema import Schema

#: Molecules of one run of a file: pairs of atoms are compared, of which there may be many.
MOLECULES_A_RUN = 64
#: Characters of the SMILES of one run: pairs of atoms are compared.
_CHARACTERS_A_RUN = 20_000


class MoleculeGraph(RunsItsGraph):
    """SMILES to tensors, as an ONNX graph that training runs and the file holds.

    Its outputs: ``numeric`` float32 [B, columns] (counts, shares and log P of the molecule,
    then its fingerprint), ``atoms`` int64 [B, N, 6] and ``bonds`` int64 [B, N + R, 4] for a
    network, ``readable`` bool [B, 1], ``fragments`` and ``size`` (atoms) float32 [B, 1].

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
    >>> found["readable"].ravel().tolist(), found["size"].ravel().tolist()
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
        """Append the graph to a builder -> its outputs.

        An input that a run may leave out is the place of an atom to leave out of each molecule.
        """
        left_out = builder.optional_input(LEFT_OUT, np.array([[NONE]]))
        molecules = write_molecules(builder, inputs[self.column])
        node = builder.node
        each = node("Expand", left_out, node("Shape", molecules.fragments))  # [B, 1]
        molecules = without_atom(builder, molecules, each)
        numeric = builder.concat(
            [self.counts.write(builder, molecules), self.fingerprint.write(builder, molecules)]
        )
        bonds = (molecules.begin, molecules.end, molecules.kind, molecules.ring_bond)
        real = node("Greater", molecules.number, builder.constant(np.int64(0)))
        axes = builder.constant(np.array([1]))
        atoms = node("ReduceSum", builder.cast(real, np.int64), axes)  # [B, 1]
        return {
            "numeric": numeric,
            "atoms": _stacked(builder, molecules.atom_columns),
            "bonds": _stacked(builder, bonds),
            "readable": molecules.readable,
            "fragments": builder.cast(molecules.fragments, np.float32),
            "size": builder.cast(atoms, np.float32),
        }

    def symbols(self, builder: GraphBuilder, atoms: str) -> str:
        """Append the symbols of the atoms that :meth:`write` has made [B, N], "" of none."""
        number = builder.node("Gather", atoms, builder.constant(0), attributes={"axis": 2})
        named = {
            "keys_int64s": list(NUMBER.values()),
            "values_strings": list(NUMBER),
            "default_string": "",
        }
        return builder.node("LabelEncoder", number, domain="ai.onnx.ml", attributes=named)

    def run(
        self, arrays: Mapping[str, NDArray[Any]], names: Sequence[str] = ("numeric",)
    ) -> dict[str, NDArray[Any]]:
        """Compute tensors with onnxruntime, molecules of like length together.

        Parameters
        ----------
        arrays : mapping of str to ndarray of shape [rows]
            The SMILES; and, as ``LEFT_OUT``, the place of an atom that is left out of each.
        names : sequence of str
            Outputs that are asked for, with ``readable``, ``fragments`` and ``size``.

        Returns
        -------
        dict of str to ndarray of shape [rows, ...]
            Filled up with zeros to the largest molecule.
        """
        feeds = feeds_of(arrays, self.schema)
        texts = feeds[self.column]
        left_out = np.asarray(arrays.get(LEFT_OUT, np.full(len(texts), NONE)), np.int64)[:, None]
        asked = list(dict.fromkeys((*names, "readable", "fragments", "size")))
        lengths = np.array([len(text) for text in texts[:, 0]], dtype=np.int64)
        order = np.argsort(lengths, kind="stable")
        parts = [
            (
                rows,
                self._session.run(
                    [f"/{name}" for name in asked],
                    {self.column: texts[rows], LEFT_OUT: left_out[rows]},
                ),
            )
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
