"""Properties of molecules: ensembles over fingerprints or over atoms and bonds.

Members differ by seed, and of trees by the rows and columns that they see; how far their
answers lie apart says how uncertain they are (Lakshminarayanan et al. 2017, arXiv:1612.01474).

Letters: B molecules, M members, T targets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from industry_apps.export.convert import network_to_onnx, trees_to_onnx
from industry_apps.features import GraphBuilder
from industry_apps.healthcare.molecules.graph import MoleculeGraph
from industry_apps.healthcare.molecules.reading.smiles import ELEMENTS
from industry_apps.recipes.scorers import Arrays
from industry_apps.recipes.trees import SEEDS_APART, TreeOptions, grown
from industry_apps.runtime.parts import LEFT_OUT, NONE
from industry_apps.schema import Schema
from industry_apps.training import TrainingOptions

if TYPE_CHECKING:
    import torch

Task = Literal["regression", "classification"]
MoleculeModel = Literal["trees", "network", "blend"]

#: Cardinalities of the facts of an atom and of a bond that a network reads.
_ATOM_FACTS, _BOND_FACTS = (120, 15, 12, 14, 4, 4), (5, 4)
#: Molecules of one forward pass outside training.
_ROWS_A_PASS = 512


@dataclass(frozen=True, slots=True)
class Measured:
    """Molecules with what was measured of them.

    Parameters
    ----------
    arrays : mapping of str to ndarray of shape [B]
        The SMILES.
    target : ndarray of float64, shape [B, T]
        NaN where it was not measured; 0 or 1 of a class.
    """

    arrays: Arrays
    target: NDArray[np.float64]


class Members(Protocol):
    """One kind of model, several times."""

    def fit(self, train: Measured, validation: Measured) -> None:
        """Learn; validation data decide when to stop."""
        ...

    def predict(self, arrays: Arrays) -> NDArray[np.float64]:
        """Answer as the trained models do -> [M, B, T]; margins of classes."""
        ...

    def write(self, builder: GraphBuilder, tensors: Mapping[str, str]) -> list[str]:
        """Append the models behind the tensors of molecules -> M tensors [batch, T]."""
        ...


class MoleculeEnsemble:
    """Mean and spread of what the members answer; probabilities where classes are asked.

    Parameters
    ----------
    schema : Schema
        With one text column, of SMILES.
    task : {"regression", "classification"}
    model : {"trees", "network", "blend"}
        The last takes the members of both.
    members : int
        Of each kind.
    trees : TreeOptions
    training : TrainingOptions
    """

    def __init__(
        self,
        schema: Schema,
        *,
        task: Task,
        model: MoleculeModel,
        members: int,
        trees: TreeOptions,
        training: TrainingOptions,
    ) -> None:
        self.graph = MoleculeGraph(schema)
        self.task = task
        kinds: dict[str, Members] = {
            "trees": MoleculeTrees(self.graph, task, replace(trees, bags=members)),
            "network": MoleculeNetworks(self.graph, task, members, training),
        }
        self.kinds = [each for name, each in kinds.items() if model in (name, "blend")]

    def fit(self, train: Measured, validation: Measured) -> MoleculeEnsemble:
        """Learn; validation data decide when to stop."""
        for kind in self.kinds:
            kind.fit(train, validation)
        return self

    def predict(self, arrays: Arrays) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean and standard deviation of the members [B, T], as the trained models say."""
        found = np.concatenate([kind.predict(arrays) for kind in self.kinds])
        if self.task == "classification":
            found = 1 / (1 + np.exp(-found))
        return found.mean(axis=0).astype(np.float32), found.std(axis=0).astype(np.float32)

    def of_atoms(self, smiles: str) -> tuple[list[str], NDArray[np.float32]]:
        """Symbol of each atom of a molecule, and what each adds to the mean [atoms, T].

        An atom adds the answer less the answer to the molecule without it (:data:`LEFT_OUT`).
        """
        column = self.graph.column
        found = self.graph.run({column: np.array([smiles], dtype=object)}, ("atoms",))
        numbers = found["atoms"][0, : int(found["size"][0, 0]), 0]
        texts = np.full(len(numbers) + 1, smiles, dtype=object)
        arrays = {column: texts, LEFT_OUT: np.arange(NONE, len(numbers))}
        mean, _ = self.predict(arrays)
        return [ELEMENTS[number - 1] for number in numbers], mean[0] - mean[1:]

    def write(self, builder: GraphBuilder, tensors: Mapping[str, str]) -> tuple[str, str]:
        """Append the members to a graph -> mean and standard deviation [batch, T]."""
        members = [each for kind in self.kinds for each in kind.write(builder, tensors)]
        if self.task == "classification":
            members = [builder.node("Sigmoid", each) for each in members]
        axis = builder.constant(np.array([0]))
        wide = [builder.node("Unsqueeze", each, axis) for each in members]
        every = builder.node("Concat", *wide, attributes={"axis": 0})  # [M, batch, T]
        mean = builder.node("ReduceMean", every, axis)  # [1, batch, T]
        gap = builder.node("Sub", every, mean)
        variance = builder.node("ReduceMean", builder.node("Mul", gap, gap), axis)
        return tuple(
            builder.node("Squeeze", each, axis) for each in (mean, builder.node("Sqrt", variance))
        )


class MoleculeTrees:
    """Gradient-boosted trees over counts and fingerprints; a booster for each target and member.

    Parameters
    ----------
    graph : MoleculeGraph
    task : {"regression", "classification"}
    options : TreeOptions
        ``bags`` is the number of members.
    """

    def __init__(self, graph: MoleculeGraph, task: Task, options: TreeOptions) -> None:
        self.graph, self.task, self.options = graph, task, options

    def fit(self, train: Measured, validation: Measured) -> None:
        """Learn; validation data decide when to stop, if patience is not 0."""
        parts = [(self._rows(part.arrays), part.target) for part in (train, validation)]
        self.boosters_ = [
            [self._booster(options, parts, target) for target in range(train.target.shape[1])]
            for options in self.options.bagged()
        ]

    def predict(self, arrays: Arrays) -> NDArray[np.float64]:
        """Answer as the trained models do -> [M, B, T]."""
        rows = self._rows(arrays)
        return np.array(
            [
                np.stack([each.predict(rows, raw_score=True) for each in member], axis=1)
                for member in self.boosters_
            ]
        )

    def write(self, builder: GraphBuilder, tensors: Mapping[str, str]) -> list[str]:
        """Append the boosters to a graph -> M tensors [batch, T]."""
        return [
            builder.concat(
                [
                    builder.append(trees_to_onnx(each), {"features": tensors["numeric"]})["margin"]
                    for each in member
                ]
            )
            for member in self.boosters_
        ]

    def _rows(self, arrays: Arrays) -> NDArray[np.float32]:
        return self.graph.run(arrays)["numeric"]

    def _booster(
        self,
        options: TreeOptions,
        parts: Sequence[tuple[NDArray[np.float32], NDArray[np.float64]]],
        target: int,
    ) -> Any:
        import lightgbm as lgb

        known = [~np.isnan(answers[:, target]) for _, answers in parts]
        train, held_out = (
            lgb.Dataset(rows[use], answers[use, target], params={"verbosity": -1})
            for (rows, answers), use in zip(parts, known, strict=True)
        )
        held_out.set_reference(train)
        stop = options.patience and known[1].any()
        objective = "regression" if self.task == "regression" else "binary"
        return grown(train, options, {"objective": objective}, held_out=held_out if stop else None)


class MoleculeNetworks:
    """Message-passing networks of different seeds, all targets at once.

    Parameters
    ----------
    graph : MoleculeGraph
    task : {"regression", "classification"}
    members : int
    options : TrainingOptions
    """

    def __init__(
        self, graph: MoleculeGraph, task: Task, members: int, options: TrainingOptions
    ) -> None:
        self.graph, self.task, self.members, self.options = graph, task, members, options

    def fit(self, train: Measured, validation: Measured) -> None:
        """Learn; validation data decide when to stop."""
        from industry_apps.backbones import MessagePassing
        from industry_apps.training import fit_network, seeded

        targets = train.target.shape[1]
        self.shift_, self.scale_ = np.zeros(targets), np.ones(targets)
        if self.task == "regression":
            self.shift_ = np.nanmean(train.target, axis=0)
            self.scale_ = np.maximum(np.nanstd(train.target, axis=0), 1e-6)
        parts = [
            (*self._tensors(p.arrays), ((p.target - self.shift_) / self.scale_).astype(np.float32))
            for p in (train, validation)
        ]
        objective = _squared if self.task == "regression" else _cross_entropy
        self.networks_ = []
        for member in range(self.members):
            options = replace(self.options, seed=self.options.seed + SEEDS_APART * member)
            with seeded(options.seed):
                network = MessagePassing(_ATOM_FACTS, _BOND_FACTS, outputs=targets)
            fit_network(network, parts[0], parts[1], objective, options)
            self.networks_.append(network)

    def predict(self, arrays: Arrays) -> NDArray[np.float64]:
        """Answer as the trained models do -> [M, B, T]."""
        import torch

        tensors = [torch.from_numpy(part) for part in self._tensors(arrays)]
        rows = len(tensors[0])
        order = np.argsort((tensors[0][:, :, 0] > 0).sum(dim=1).numpy(), kind="stable")
        found = np.zeros((self.members, rows, len(self.shift_)))
        with torch.inference_mode():
            for start in range(0, rows, _ROWS_A_PASS):
                chosen = order[start : start + _ROWS_A_PASS]
                part = cropped(*(tensor[chosen] for tensor in tensors))
                for place, network in enumerate(self.networks_):
                    found[place, chosen] = network(*part).double().numpy()
        return found * self.scale_ + self.shift_

    def write(self, builder: GraphBuilder, tensors: Mapping[str, str]) -> list[str]:
        """Append the networks to a graph -> M tensors [batch, T]."""
        import torch

        example = (
            torch.ones(2, 7, len(_ATOM_FACTS), dtype=torch.int64),
            torch.zeros(2, 9, 2 + len(_BOND_FACTS), dtype=torch.int64),
        )
        axes = ({0: "batch", 1: "atoms"}, {0: "batch", 1: "bonds"})
        found = []
        for network in self.networks_:
            model = network_to_onnx(network, example, ["atoms", "bonds"], axes=axes)
            answer = builder.append(model, {name: tensors[name] for name in ("atoms", "bonds")})
            scaled = builder.node(
                "Mul", answer["output"], builder.constant(self.scale_.astype(np.float32))
            )
            found.append(
                builder.node("Add", scaled, builder.constant(self.shift_.astype(np.float32)))
            )
        return found

    def _tensors(self, arrays: Arrays) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        found = self.graph.run(arrays, ("atoms", "bonds"))
        return found["atoms"].astype(np.int16), found["bonds"].astype(np.int16)


def cropped(atoms: torch.Tensor, bonds: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Without the columns that no molecule of a batch fills: [B, N, ..], [B, E, ..]."""
    last = (atoms[:, :, 0] > 0).any(dim=0).nonzero().max(dim=0).values if atoms.any() else 0
    used = (bonds[:, :, 2] > 0).any(dim=0)
    return atoms[:, : int(last) + 1], bonds[:, used] if used.any() else bonds[:, :1]


def _squared(network: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    atoms, bonds, target = batch
    known = ~target.isnan()
    gap = network(*cropped(atoms, bonds)) - target.nan_to_num()
    return (gap.square() * known).sum() / known.sum().clamp(min=1)


def _cross_entropy(network: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    from torch.nn.functional import binary_cross_entropy_with_logits

    atoms, bonds, target = batch
    known = ~target.isnan()
    loss = binary_cross_entropy_with_logits(
        network(*cropped(atoms, bonds)), target.nan_to_num(), reduction="none"
    )
    return (loss * known).sum() / known.sum().clamp(min=1)
