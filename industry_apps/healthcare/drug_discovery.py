"""Drug discovery: what a molecule will do, before anybody makes it.

Asked by medicinal chemists and toxicologists who choose which of many molecules to make and
measure next. Circular fingerprints with boosted trees are hard to beat on some thousands of
molecules (Jiang et al. 2021, doi:10.1186/s13321-020-00479-8); networks that pass messages along
bonds (Gilmer et al. 2017, arXiv:1704.01212) stand beside them. New molecules have new cores, so
a split by scaffold (Bemis and Murcko 1996) says more than a random one. For research: nothing
here replaces a measurement or says what to give to a patient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Split, split_scaffolds
from industry_apps.data.rules import Scaffolds
from industry_apps.data.splits import set_aside
from industry_apps.errors import ParameterError, SchemaError, TrainingError
from industry_apps.evaluation import Report, compare_variants
from industry_apps.evaluation.variants import Question
from industry_apps.export import Exportable
from industry_apps.features import GraphBuilder
from industry_apps.healthcare.intended_use import INTENDED_USE
from industry_apps.healthcare.molecules.baselines import MoleculeBaselines
from industry_apps.healthcare.molecules.graph import MOLECULES_A_RUN, MoleculeGraph
from industry_apps.healthcare.molecules.properties import (
    PROPERTIES,
    agreement,
    binary_bootstrap,
    each_property,
    number_bootstrap,
)
from industry_apps.healthcare.molecules.recipe import Measured, MoleculeEnsemble, MoleculeModel
from industry_apps.healthcare.molecules.spellings import compared_spellings
from industry_apps.limits import Limit, integer
from industry_apps.recipes import TreeOptions
from industry_apps.recipes.column_mapping import OwnNames
from industry_apps.runtime.answers import no_answers
from industry_apps.runtime.parts import PARTS
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions

PropertyTask = Literal["regression", "classification"]

_NAMES = Limit(
    lambda value: (
        isinstance(value, tuple | list)
        and len(value) > 0
        and all(isinstance(name, str) and name for name in value)
        and len(set(value)) == len(value)
    ),
    "a sequence of distinct names of columns, at least one",
)
_FEWEST = 20
_TREES = TreeOptions(
    rounds=1_500,
    learning_rate=0.03,
    num_leaves=16,
    min_child_samples=5,
    feature_fraction=0.2,
    bagging_fraction=0.8,
    patience=60,
)
#: What a file says of its explanations; see :meth:`PropertyPredictor.explain_atoms`.
_BY_ATOMS = {
    "part": "atom",
    "method": (
        "The answer less the answer without the atom and its bonds; all others stay what they are: "
        "in a ring, aromatic, with as many hydrogens."
    ),
    "reference": "the molecule without the atom",
    "unit": "that of each answer",
}
_TRAINING = TrainingOptions(max_epochs=40, batch_size=32, patience=8, precision="float32")


def _answers_of(targets: tuple[str, ...]) -> list[Column]:
    """Columns of a prediction and its spread for each target."""
    columns = []
    for name in targets:
        columns.append(Column(name, "number", "Predicted; the probability of a class"))
        told = "Standard deviation of the members of the ensemble"
        columns.append(Column(f"{name}_std", "number", told, low=0))
    return columns


class PropertyPredictor(OwnNames, Application):
    """What a molecule will do in a test, from its SMILES, and how far models agree on it.

    The SMILES is read inside the exported file, and however a molecule is written, it gets one
    answer: hydrogens as atoms or not, aromatic or as a Kekulé form, in any order, with a name
    behind it. One that cannot be read is answered with ``readable`` false and no prediction: it
    does not parse, an atom has too many bonds, a ring has no Kekulé form, or more than 500 atoms
    are written, hydrogens among them. Of several fragments (salts) all are read, as they were in
    training, and ``fragments`` says how many there are.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"smiles": "structure"}``; ``targets`` are
        your names already.
    task : {"regression", "classification"}
        Numbers, or classes of yes and no.
    targets : sequence of str
        Columns to predict; a molecule may lack some of them.
    model : {"trees", "network", "blend"}
        Boosted trees over fingerprints, networks over atoms and bonds, or both. Blended they
        were best where it was tried on held-out training data; networks take minutes for each
        thousand molecules, so that trees alone serve tens of thousands.
    members : int
        Of each kind in the ensemble, in [2, 20].
    trees : TreeOptions, optional
        ``bags`` is set by ``members``.
    training : TrainingOptions, optional
        Of the networks.
    seed : int

    Notes
    -----
    Stereochemistry, masses and the numbers of atom maps are read and have no effect, but that a
    hydrogen with a mass, ``[2H]``, is an atom of its own: ``atoms`` counts it, a lone hydrogen, and
    wild atoms. Not read are wild and quadruple bonds; ring closures behind a branch, beyond ``%99``
    or with unlike bonds, ``C=1CC-1``; rings that close across a dot more than once; wild atoms in
    aromatic rings, and double bonds written in these, ``c1=cc=cc=c1``; charges beyond 15. SELFIES
    are refused by an error. A standard deviation says how far the members lie apart, not how far
    the truth lies.

    Examples
    --------
    >>> from industry_apps.healthcare import PropertyPredictor
    >>> data = PropertyPredictor.sample()
    >>> predictor = PropertyPredictor.fast().fit(data)
    >>> predictor.predict(pd.DataFrame({"smiles": ["CCO", "CC("]}))["readable"].tolist()
    [True, False]
    """

    name = "healthcare.drug_discovery"
    question = "What will this molecule do in a test?"
    simulator = "healthcare_molecule_simulator"
    schema = Schema(
        (
            Column("smiles", "text", "The molecule", notation="smiles"),
            Column("value", "number", role="identifier", required=False),
        )
    )
    outputs = Schema(
        (
            *_answers_of(("value",)),
            Column("readable", "boolean", nullable=False),
            Column("atoms", "number", "Heavy ones", low=0, nullable=False),
            Column("fragments", "number", low=0, nullable=False),
        )
    )
    traits = Traits(inputs=("text",))
    problem = PROPERTIES
    defaults: ClassVar[Mapping[str, Any]] = {"training": _TRAINING}

    task: PropertyTask = "regression"
    targets: Annotated[tuple[str, ...], _NAMES] = ("value",)
    model: MoleculeModel = "blend"
    members: Annotated[int, integer(2, 20)] = 5
    trees: TreeOptions | None = None
    training: TrainingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def fast(cls) -> Self:
        """Few small trees: a fit of seconds."""
        trees = TreeOptions(rounds=60, learning_rate=0.15, num_leaves=12)
        return cls(model="trees", members=2, trees=trees)

    def split(self, frame: pd.DataFrame) -> Split:
        """Split molecules of yours by scaffold, eight tenths for training.

        Rows that cannot be read, as those of an empty cell, are added to the training part, where
        ``fit`` leaves them out and counts them.

        Parameters
        ----------
        frame : DataFrame
            With ``smiles``.

        Raises
        ------
        SchemaError, MissingExtraError
        """
        readable = self._readable(MoleculeGraph(self._molecule), frame)
        parts = split_scaffolds(frame[readable], Scaffolds(self._name("smiles"), 0.8, 0.1))
        train = pd.concat([parts.train, frame[~readable]], ignore_index=True)
        return parts._replace(train=train)

    def explain_atoms(self, smiles: str) -> pd.DataFrame:
        """What each atom of a molecule adds to the prediction, as the file's ``explain`` says too.

        That is the answer less the answer without the atom and its bonds, where all others stay
        what they are: in a ring, aromatic, with as many hydrogens. Contributions of atoms that act
        together overlap, so they need not add up to the answer.

        Parameters
        ----------
        smiles : str

        Returns
        -------
        DataFrame
            A row for each atom in the order of the SMILES, without hydrogens that have one bond:
            ``symbol``, and a column for each target, in its unit or as a probability.

        Raises
        ------
        SchemaError
            It cannot be read.
        NotFittedError

        Examples
        --------
        >>> predictor = PropertyPredictor.fast().fit(PropertyPredictor.sample())
        >>> predictor.explain_atoms("CCO")["symbol"].tolist()
        ['C', 'C', 'O']
        """
        self._check_fitted()
        self._readable(self.ensemble_.graph, pd.DataFrame({self._name("smiles"): [smiles]}))
        symbols, added = self.ensemble_.of_atoms(smiles)
        return pd.DataFrame({"symbol": symbols, **dict(zip(self.targets, added.T, strict=True))})

    def studies(self) -> Mapping[str, Question]:
        """Which kind of model predicts best, and whether other spellings change an answer."""
        variants = {name: {"model": name} for name in get_args(MoleculeModel)}
        metric = "rmse" if self.task == "regression" else "auroc"
        title = f"Kinds of models, {self.members} members of each"
        return {
            "models": lambda data: (compare_variants(self, variants, data, metric, title=title),),
            "spellings": lambda data: compared_spellings(self, data),
        }

    @property
    def _molecule(self) -> Schema:
        """The column that is read, under its own name."""
        if "value" in (self.columns or {}):
            raise ParameterError(
                "'columns' names the molecule alone; the columns to predict are named by "
                f"'targets'. Leave 'value' out of it, and set targets=({self._name('value')!r},)."
            )
        return Schema((self._own_schema()[self._name("smiles")],))

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        self.schema_ = self._molecule
        ensemble = MoleculeEnsemble(
            self.schema_,
            task=self.task,
            model=self.model,
            members=self.members,
            trees=replace(self.trees or _TREES, seed=self.seed),
            training=replace(self.training or self.defaults["training"], seed=self.seed),
        )
        train, validation = self._parts(train, validation)
        self.ensemble_ = ensemble
        parts = {"train": self._measured(train), "validation": self._measured(validation)}
        self.split_ = {name: facts for name, (_, facts) in parts.items()}
        known = {name: part for name, (part, _) in parts.items()}
        self._check_learnable(known["train"])
        ensemble.fit(known["train"], known["validation"])
        self.baselines_ = MoleculeBaselines(self._name("smiles"), self.task)
        self.check_ = validation

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        self.baselines_.fit(self._measured(self._parts(train, validation)[0])[0])

    def _parts(
        self, train: pd.DataFrame, validation: pd.DataFrame | None
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Molecules to learn from, and those that say when to stop."""
        return set_aside(train, 0.1, seed=self.seed) if validation is None else (train, validation)

    @property
    def outputs_(self) -> Schema:
        """With the targets that are asked for."""
        return Schema((*_answers_of(tuple(self.targets)), *list(self.outputs)[2:]))

    def _check_learnable(self, train: Measured) -> None:
        for name, values in zip(self.targets, train.target.T, strict=True):
            known = values[~np.isnan(values)]
            if len(known) < _FEWEST or len(np.unique(known)) < 2:
                raise TrainingError(
                    f"Target {name!r} has {len(known)} measured molecules with "
                    f"{len(np.unique(known))} different values in training; expected {_FEWEST} "
                    "and 2 at least. Leave the target out or give more molecules."
                )

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        arrays = self.schema_.to_arrays(frame)
        if not len(frame):
            return no_answers(self.outputs_)
        read = self.ensemble_.graph.run(arrays)
        mean, spread = self.ensemble_.predict(arrays)
        readable = read["readable"][:, 0]
        answers: dict[str, NDArray[Any]] = {}
        for place, name in enumerate(self.targets):
            for column, found in ((name, mean), (f"{name}_std", spread)):
                answers[column] = np.where(readable, found[:, place], np.nan).astype(np.float32)
        sizes = {"atoms": read["size"][:, 0], "fragments": read["fragments"][:, 0]}
        return {**answers, "readable": readable, **sizes}

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        if frame.empty:
            raise SchemaError("The table has no rows. Give some molecules that were measured.")
        rows, facts = self._measured(frame)
        measure = number_bootstrap if self.task == "regression" else binary_bootstrap
        mean, spread = self.ensemble_.predict(rows.arrays)
        ours = measure(rows.target, mean.astype(np.float64))
        predicted = self.baselines_.predict(rows.arrays[self._name("smiles")])
        others = {name: measure(rows.target, found) for name, found in predicted.items()}
        sections = [agreement(np.abs(rows.target - mean), spread)]
        if len(self.targets) > 1:
            systems = {self.model: mean.astype(np.float64), **predicted}
            classes = self.task == "classification"
            sections.append(each_property(self.targets, rows.target, systems, classes=classes))
        return Report.beside(
            self.model,
            ours,
            others,
            split={**self.split_, "test": facts},
            sections=tuple(sections),
            headline_text=self._headline(ours.values, facts["rows"]),
            notes=_notes(len(self.targets), facts["unreadable"]),
        )

    def _headline(self, values: Mapping[str, float], rows: int) -> str:
        if self.task == "regression":
            return f"{rows} molecules are predicted with an error (rmse) of {values['rmse']:.3g}."
        return f"An active of {rows} molecules is ranked first in {values['auroc']:.1%} of pairs."

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        read = self.ensemble_.graph.write(builder, inputs)
        missing = builder.constant(np.float32(np.nan))
        found = self.ensemble_.write(builder, read)
        kept = [builder.node("Where", read["readable"], each, missing) for each in found]
        answers = {
            column: builder.part(tensor, place, place + 1)
            for place, name in enumerate(self.targets)
            for column, tensor in zip((name, f"{name}_std"), kept, strict=True)
        }
        sizes = {"atoms": read["size"], "fragments": read["fragments"]}
        symbols = self.ensemble_.graph.symbols(builder, read["atoms"])
        return {**answers, "readable": read["readable"], **sizes, PARTS: symbols}

    def _facts(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "decision": {"task": self.task, "members": self.members},
            "explanation": {"answers": list(self.targets), **_BY_ATOMS},
            "intended_use": INTENDED_USE,
        }

    def _exportable(self, precision: str = "float32") -> Exportable:
        return replace(super()._exportable(precision), rows_a_run=MOLECULES_A_RUN)

    def _measured(self, frame: pd.DataFrame) -> tuple[Measured, dict[str, int]]:
        """Molecules that can be read, and how many those are that cannot."""
        columns = Schema(tuple(self._target_column(name) for name in self.targets))
        target = np.stack([*columns.to_arrays(frame).values()], axis=1).astype(np.float64)
        readable = self._readable(self.ensemble_.graph, frame)
        facts = {"rows": int(readable.sum()), "unreadable": int((~readable).sum())}
        texts = self.schema_.to_arrays(frame)[self._name("smiles")][readable]
        return Measured({self._name("smiles"): texts}, target[readable]), facts

    def _readable(self, graph: MoleculeGraph, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Which molecules can be read; most of them have to."""
        arrays, name = graph.schema.to_arrays(frame), self._name("smiles")
        readable = graph.run(arrays)["readable"].astype(np.bool_).reshape(-1)
        if 2 * readable.sum() < len(readable):
            row = int(np.argmin(readable))
            raise SchemaError(
                f"Column {name!r}, row {row}: got {arrays[name][row]!r:.80}, expected a SMILES "
                f"that can be read; {int((~readable).sum())} of {len(readable)} cannot. Is it the "
                "right column?"
            )
        return readable

    def _target_column(self, name: str) -> Column:
        return Column(name=name, kind="number" if self.task == "regression" else "boolean")


def _notes(targets: int, unreadable: int) -> tuple[str, ...]:
    notes = []
    if targets > 1:
        notes.append(f"Metrics are means over {targets} targets.")
    if unreadable:
        notes.append(f"{unreadable} molecules of the test could not be read and are left out.")
    return tuple(notes)
