"""Molecule generation: new molecules like known ones, or with a property that is asked for.

Asked by medicinal chemists who look for ideas. A recurrent network that writes a molecule token by
token is simple and hard to beat (Segler et al. 2018, doi:10.1021/acscentsci.7b00512; Flam-Shepherd
et al. 2022, doi:10.1038/s41467-022-30839-x), in SELFIES whatever it writes is a molecule (Krenn et
al. 2020, doi:10.1088/2632-2153/aba947), and reinforcement turns it toward a score (Olivecrona et
al. 2017, doi:10.1186/s13321-017-0235-x). For research: nobody has made these molecules, and
nothing says that they can be made, work, or do no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Dataset, Split, split_by_group
from industry_apps.data.splits import set_aside
from industry_apps.errors import SchemaError
from industry_apps.evaluation import Estimate, Report
from industry_apps.evaluation.variants import Question
from industry_apps.export import Exportable
from industry_apps.features import GraphBuilder
from industry_apps.healthcare.intended_use import INTENDED_USE
from industry_apps.healthcare.molecules.ngram_writer import NgramWriter
from industry_apps.healthcare.molecules.notations import SELFIES, SMILES, to_selfies
from industry_apps.healthcare.molecules.scores import drug_likeness
from industry_apps.healthcare.molecules.tokens import BEGIN, END
from industry_apps.healthcare.molecules.writer import LENGTH, MoleculeWriter
from industry_apps.healthcare.molecules.written import (
    GENERATION,
    WrittenMolecules,
    beside_real,
    canonical,
    in_sentences,
    surprise,
)
from industry_apps.limits import POSITIVE, integer
from industry_apps.recipes.column_mapping import OwnNames, under_names
from industry_apps.runtime.answers import no_answers
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import ReinforceOptions, TrainingOptions
from industry_apps.whole_file import whole_file

_TRAINING = TrainingOptions(max_epochs=16, least_steps=1_000, batch_size=128, learning_rate=2e-3)
#: Tokens before that the baseline counts.
_ORDERS = {"unigram": 0, "ngram": 6}
#: Rows of one run: 120 steps of a wide state each.
_MOLECULES_A_RUN = 1_024
_COLUMNS = {
    SMILES: Column(SMILES, "text", "A molecule", notation="smiles"),
    SELFIES: Column(
        SELFIES,
        "text",
        "A molecule in SELFIES, made of SMILES by selfies.encoder",
        notation="selfies",
    ),
}


class MoleculeGenerator(OwnNames, Application):
    """New molecules like those it learned from, and how typical a molecule is of them.

    :meth:`sample_molecules` writes molecules by a step model in onnxruntime, without torch;
    :meth:`export_writer` saves that model for :class:`industry_apps.runtime.SequenceWriter`.
    The file of :meth:`export` says how likely the generator is to write a given molecule.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"smiles": "structure"}``; a table may call the
        column ``selfies`` otherwise, too.
    notation : {"selfies", "smiles"}
        What the network reads and writes. Of SELFIES every sequence is a molecule; of SMILES
        many are none, and those that are look more like what was learned from. Either way
        tables hold SMILES, and molecules come back as SMILES.
    network : {"recurrent", "transformer"}
        At 128 units a transformer has about as many parameters as a recurrent layer of 384.
    units : int
        Of the recurrent layer, or the width of the transformer, a multiple of 32; in [8, 4096].
    temperature : float
        > 0; below 1 molecules are sounder and more alike. Used by ``evaluate``, and where
        ``sample_molecules`` is given none. At the default, in SELFIES, molecules differ from
        each other as much as those that were learned from do.
    samples : int
        Molecules that ``evaluate`` writes, at least 50.
    tuning : ReinforceOptions, optional
        With these ``evaluate`` also turns a copy toward drug-likeness by :meth:`toward`, which
        takes minutes, and says what that one writes; it is ``tuned_`` then.
    training : TrainingOptions, optional
    seed : int

    Notes
    -----
    The file reads the notation of the network. With "selfies" its record is the column
    ``selfies``, since no graph can turn SMILES into SELFIES; :meth:`prepare` makes it of a table
    with ``smiles``, and ``fit``, ``predict``, ``evaluate`` and ``export`` take either. The writer
    of :meth:`export_writer` writes SELFIES then, which ``selfies.decoder`` turns into SMILES. A
    molecule in the other notation is refused by an error, by the file too.

    A molecule with a token that training seldom had, an empty one, one of more than 118 tokens
    (of 500 atoms, for instance), and in SELFIES what is no SMILES, is answered with ``readable``
    false and no likelihood. In SMILES it is not looked at whether a record parses, nor does
    everything that is written: ``validity`` says how often. Fragments are tokens like others.

    Examples
    --------
    >>> from industry_apps.healthcare import MoleculeGenerator
    >>> data = MoleculeGenerator.sample()
    >>> generator = MoleculeGenerator.fast().fit(data)
    >>> len(generator.sample_molecules(5, seed=1))
    5
    """

    name = "healthcare.molecule_generation"
    question = "Which new molecules are like these?"
    simulator = "healthcare_smiles_simulator"
    schema = Schema((_COLUMNS[SMILES],))
    outputs = Schema(
        (
            Column(
                "log_likelihood",
                "number",
                "Of the molecule as it is written; the nearer to 0 the more typical",
                unit="nats",
                high=0,
            ),
            Column("tokens", "number", low=0, nullable=False),
            Column("readable", "boolean", nullable=False),
        )
    )
    traits = Traits(inputs=("text",))
    problem = GENERATION
    defaults: ClassVar[Mapping[str, Any]] = {"training": _TRAINING}

    notation: Literal["selfies", "smiles"] = "selfies"
    network: Literal["recurrent", "transformer"] = "recurrent"
    units: Annotated[int, integer(8, 4096)] = 384
    temperature: Annotated[float, POSITIVE] = 0.8
    samples: Annotated[int, integer(50)] = 2_000
    tuning: ReinforceOptions | None = None
    training: TrainingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def fast(cls) -> Self:
        """A small network over SMILES and few epochs: a fit of seconds."""
        options = TrainingOptions(
            max_epochs=20, batch_size=32, learning_rate=1e-2, progress=False, precision="float32"
        )
        return cls(notation="smiles", units=64, samples=200, training=options)

    def prepare(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Add the column ``selfies`` where that is the notation and there is only ``smiles``.

        Parameters
        ----------
        frame : DataFrame
            Not changed.

        Raises
        ------
        SchemaError, MissingExtraError

        Examples
        --------
        >>> table = pd.DataFrame({"smiles": ["CCO", "C("]})
        >>> MoleculeGenerator().prepare(table)["selfies"].tolist()
        ['[C][C][O]', None]
        """
        given, wanted = self._column(SMILES), self._column(SELFIES)
        if self.notation == SMILES or wanted.name in frame or given.name not in frame:
            return frame
        texts = to_selfies(given.to_array(frame[given.name]))
        return frame.assign(**{wanted.name: pd.Series(texts, index=frame.index, dtype=object)})

    def export(
        self,
        path: str | Path,
        *,
        precision: str = "float32",
        check: pd.DataFrame | Dataset | Split | None = None,
    ) -> Path:
        """Write the file of the likelihood, once it is proven on molecules in its notation.

        Parameters
        ----------
        path, precision, check
            As of every application; a table is prepared.
        """
        frame = check.test if isinstance(check, Dataset | Split) else check
        table = None if frame is None else self.prepare(frame)
        return super().export(path, precision=precision, check=table)

    def sample_molecules(
        self, count: int, *, temperature: float | None = None, seed: int = 0
    ) -> list[str]:
        """Write molecules at random, by the step model in onnxruntime -> SMILES.

        Parameters
        ----------
        count : int
        temperature : float, optional
            > 0; that of the generator by default.
        seed : int
            Same seed, same molecules.

        Raises
        ------
        ParameterError, NotFittedError, MissingExtraError
        """
        self._check_fitted()
        chosen = self.temperature if temperature is None else temperature
        return self.writer_.sample(count, temperature=chosen, seed=seed)

    def export_writer(self, path: str | Path) -> Path:
        """Save the step model, for :class:`industry_apps.runtime.SequenceWriter`.

        Parameters
        ----------
        path : str or Path
            Ends in .onnx.
        """
        self._check_fitted()
        with whole_file(Path(path)) as aside:
            aside.write_bytes(self.writer_.step_model())
        return Path(path)

    def split(self, frame: pd.DataFrame) -> Split:
        """Split molecules of yours at random; one that is written twice lies in one part.

        Parameters
        ----------
        frame : DataFrame
            With ``smiles``.
        """
        molecule = self._name(SMILES)
        return split_by_group(frame, group=molecule, validation=0.05, test=0.1, seed=self.seed)

    def toward(
        self,
        score: Callable[[str], float] = drug_likeness,
        options: ReinforceOptions | None = None,
    ) -> Self:
        """Fine-tune a copy so that what it writes scores high, and stays diverse.

        Parameters
        ----------
        score : callable
            Canonical SMILES -> number in [0, 1]; by default QED. Others are
            ``log_p_window``, ``predicted_window`` and ``likeness`` of this package.
        options : ReinforceOptions, optional

        Returns
        -------
        MoleculeGenerator
            Its ``scores_`` are the mean scores of the steps.

        Raises
        ------
        NotFittedError, ParameterError, TrainingError, MissingExtraError

        Notes
        -----
        A molecule is rewarded once and a scaffold ``options.of_a_kind`` times, so that none
        crowds out the others (Blaschke et al. 2020).
        """
        self._check_fitted()
        tuned = copy(self)
        tuned.tuned_ = None
        chosen = options or ReinforceOptions(seed=self.seed)
        tuned.writer_ = self.writer_.toward(score, chosen)
        tuned.scores_ = tuned.writer_.scores_
        return tuned

    def studies(self) -> Mapping[str, Question]:
        """Which network writes best; what a space of molecules restores, and a search of it finds.

        See :class:`industry_apps.healthcare.MoleculeSpace`.
        """
        from industry_apps.healthcare.molecules.studies import compared_networks, studied_space

        return {
            "networks": lambda data: (compared_networks(self, data),),
            "space": lambda data: studied_space(self.seed, data),
        }

    def _own_schema(self) -> Schema:
        return under_names(Schema(tuple(_COLUMNS.values())), self.columns, type(self).__name__)

    def _column(self, notation: str) -> Column:
        """The column of molecules in a notation, under its own name."""
        return replace(_COLUMNS[notation], name=self._name(notation))

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        self.schema_ = Schema((self._column(self.notation),))
        self.tuned_: Self | None = None
        train, validation = self._parts(train, validation)
        arrays = [self._arrays(part) for part in (train, validation)]
        options = replace(self.training or self.defaults["training"], seed=self.seed)
        self.writer_ = MoleculeWriter(self.schema_, self.network, self.units, options)
        self.writer_.fit(*arrays)
        codes = self.writer_.tokens.codes(arrays[0])
        self.split_ = {"train": {"rows": len(codes)}, "validation": {"rows": len(validation)}}
        self.baselines_: dict[str, NgramWriter] = {}
        self.molecules_ = self._smiles(arrays[0])
        self.check_ = self.prepare(validation)

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        tokens = self.writer_.tokens
        codes = tokens.codes(self._arrays(self._parts(train, validation)[0]))
        for name, order in _ORDERS.items():
            self.baselines_[name] = NgramWriter(order, tokens.cardinality).fit(codes)

    def _parts(
        self, train: pd.DataFrame, validation: pd.DataFrame | None
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        return set_aside(train, 0.05, seed=self.seed) if validation is None else (train, validation)

    def _arrays(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        return self.schema_.to_arrays(self.prepare(frame))

    def _smiles(self, arrays: dict[str, NDArray[Any]]) -> list[str]:
        """The molecules as SMILES, whatever the network reads."""
        return self.writer_.tokens.smiles(arrays[self._name(self.notation)].tolist())

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        return self.writer_.answers(self._arrays(frame)) if len(frame) else no_answers(self.outputs)

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        if frame.empty:
            raise SchemaError("The table has no rows. Give some molecules of the same kind.")
        arrays = self._arrays(frame)
        codes = self.writer_.tokens.codes(arrays)
        told = self.writer_.answers(arrays)
        ours = surprise(-told["log_likelihood"][told["readable"]])
        others = {
            name: surprise(-baseline.likelihood(codes))
            for name, baseline in self.baselines_.items()
        }
        known = {each for each in canonical(self.molecules_) if each is not None}
        written = WrittenMolecules(self.sample_molecules(self.samples, seed=self.seed), known)
        reference = WrittenMolecules(self._smiles(arrays), known)
        beside = {
            name: WrittenMolecules(self._by_counting(baseline), known).estimates()
            for name, baseline in self.baselines_.items()
        }
        estimates = written.estimates()
        shown = {"real": reference.estimates(), "written": estimates, **self._fine_tuned(known)}
        return Report(
            model=self.network,
            metrics=ours.estimates() | estimates,
            split={**self.split_, "test": {"rows": len(codes)}},
            baselines={name: other.estimates() | beside[name] for name, other in others.items()},
            margins={name: ours.minus(other) for name, other in others.items()},
            sections=(beside_real(shown),),
            headline_text=f"{estimates['validity']} of {self.samples} molecules are valid.",
            notes=(
                f"Written in {self.notation.upper()} at temperature {self.temperature:g}.",
                *in_sentences(shown),
                "Research use: nobody has made these molecules.",
            ),
        )

    def _fine_tuned(self, known: set[str]) -> dict[str, dict[str, Estimate]]:
        """What a copy writes that was turned toward QED, where that is asked for."""
        if self.tuning is None:
            return {}
        if self.tuned_ is None:
            self.tuned_ = self.toward(drug_likeness, self.tuning)
        # At the temperature at which it was tuned.
        molecules = self.tuned_.sample_molecules(self.samples, temperature=1.0, seed=self.seed)
        return {"fine_tuned": WrittenMolecules(molecules, known).estimates()}

    def _by_counting(self, baseline: NgramWriter) -> list[str]:
        rows = baseline.sample(self.samples, BEGIN, END, LENGTH, seed=self.seed)
        return self.writer_.tokens.spelled(rows)

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        return self.writer_.write(builder, inputs)

    def _facts(self) -> dict[str, Any]:
        decision = {"notation": self.notation, "units": self.units}
        return {"model": self.network, "decision": decision, "intended_use": INTENDED_USE}

    def _exportable(self, precision: str = "float32") -> Exportable:
        return replace(super()._exportable(precision), rows_a_run=_MOLECULES_A_RUN)
