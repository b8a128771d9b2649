"""Molecule generation: new molecules like known ones, or with a property that is asked for.

Asked by medicinal chemists who look for ideas. A recurrent network that writes SMILES token by
token is simple and hard to beat (Segler et al. 2018, doi:10.1021/acscentsci.7b00512; Flam-Shepherd
et al. 2022, doi:10.1038/s41467-022-30839-x); reinforcement turns it toward a score (Olivecrona et
al. 2017, doi:10.1186/s13321-017-0235-x). For research: nobody has made these molecules, and
nothing says that they can be made, work, or do no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Dataset, sample
from industry_apps.errors import SchemaError
from industry_apps.evaluation import Estimate, Report
from industry_apps.evaluation.generation import WrittenMolecules, canonical, drug_likeness
from industry_apps.evaluation.intervals import BootstrapResult, bootstrap
from industry_apps.evaluation.sections import Section
from industry_apps.export import Exportable
from industry_apps.features import GraphBuilder
from industry_apps.features.smiles_tokens import BEGIN, END, FIRST_TOKEN
from industry_apps.healthcare.intended_use import INTENDED_USE
from industry_apps.limits import POSITIVE, Limit, instance, integer
from industry_apps.recipes.ngram_writer import NgramWriter
from industry_apps.recipes.writers import LENGTH, MoleculeWriter
from industry_apps.runtime.answers import no_answers
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import ReinforceOptions, TrainingOptions
from industry_apps.whole_file import whole_file

_TRAINING = TrainingOptions(max_epochs=16, batch_size=128, learning_rate=2e-3, patience=4)
#: Tokens before that the baseline counts.
_ORDERS = {"unigram": 0, "ngram": 6}
#: Rows of one run: 120 steps of a wide state each.
_MOLECULES_A_RUN = 1_024


class MoleculeGenerator(Application):
    """New molecules like those it learned from, and how typical a molecule is of them.

    :meth:`sample_molecules` writes SMILES by a step model in onnxruntime, without torch;
    :meth:`export_writer` saves that model for :class:`industry_apps.runtime.SequenceWriter`.
    The file of :meth:`export` says how likely the generator is to write a given SMILES.

    Parameters
    ----------
    units : int
        Of the recurrent layer, in [8, 4096].
    temperature : float
        > 0; below 1 molecules are sounder and more alike. Used by ``evaluate``, and where
        ``sample_molecules`` is given none.
    samples : int
        Molecules that ``evaluate`` writes, at least 50.
    training : TrainingOptions, optional
    seed : int

    Notes
    -----
    A SMILES with a token that training seldom had, an empty one, or one of more than 118 tokens
    (a molecule of 500 atoms among them) is answered with ``readable`` false and no likelihood;
    whether it parses is not looked at, nor does the generator promise that what it writes does:
    ``validity`` says how often. Fragments are tokens like others.

    Examples
    --------
    >>> from industry_apps.healthcare import MoleculeGenerator
    >>> data = MoleculeGenerator.sample()
    >>> generator = MoleculeGenerator.fast().fit(data)
    >>> len(generator.sample_molecules(5, seed=1))
    5
    """

    name = "healthcare.molecule_generation"
    schema = Schema((Column(name="smiles", kind="text", description="A molecule"),))
    outputs = Schema(
        (
            Column(
                name="log_likelihood",
                kind="number",
                unit="nats",
                high=0,
                description="Of the SMILES as it is written; the nearer to 0 the more typical",
            ),
            Column(name="tokens", kind="number", low=0, nullable=False),
            Column(name="readable", kind="boolean", nullable=False),
        )
    )
    traits = Traits(task="generation", inputs=("text",))
    limits: ClassVar[Mapping[str, Limit]] = {
        "units": integer(8, 4096),
        "temperature": POSITIVE,
        "samples": integer(50),
        "training": instance(TrainingOptions).or_none(),
        "seed": integer(0),
    }

    def __init__(
        self,
        *,
        units: int = 384,
        temperature: float = 1.0,
        samples: int = 2_000,
        training: TrainingOptions | None = None,
        seed: int = 0,
    ) -> None:
        self.units = units
        self.temperature = temperature
        self.samples = samples
        self.training = training
        self.seed = seed

    @classmethod
    def sample(cls) -> Dataset:
        """Simulated molecules put together from pieces, with no network."""
        return sample("healthcare_smiles_simulator")

    @classmethod
    def fast(cls) -> Self:
        """A small network and few epochs: a fit of seconds."""
        options = TrainingOptions(
            max_epochs=20, batch_size=32, learning_rate=1e-2, progress=False, precision="float32"
        )
        return cls(units=64, samples=200, training=options)

    def sample_molecules(
        self, count: int, *, temperature: float | None = None, seed: int = 0
    ) -> list[str]:
        """Write SMILES at random, by the step model in onnxruntime.

        Parameters
        ----------
        count : int
        temperature : float, optional
            > 0; that of the generator by default.
        seed : int
            Same seed, same molecules.

        Raises
        ------
        ParameterError, NotFittedError
        """
        self._check_fitted()
        chosen = self.temperature if temperature is None else temperature
        return self.writer_.writer().sample(count, temperature=chosen, seed=seed)

    def export_writer(self, path: str | Path) -> Path:
        """Save the step model, for :class:`industry_apps.runtime.SequenceWriter`.

        Parameters
        ----------
        path : str or Path
            Ends in .onnx.

        Raises
        ------
        NotFittedError
        """
        self._check_fitted()
        with whole_file(Path(path)) as aside:
            aside.write_bytes(self.writer_.step_model())
        return Path(path)

    def toward(
        self,
        score: Callable[[str], float] = drug_likeness,
        options: ReinforceOptions | None = None,
    ) -> Self:
        """Fine-tune a copy so that what it writes scores high, and stays diverse.

        Parameters
        ----------
        score : callable
            Canonical SMILES -> number in [0, 1]; by default QED.
        options : ReinforceOptions, optional

        Returns
        -------
        MoleculeGenerator
            Its ``scores_`` are the mean scores of the steps.

        Raises
        ------
        NotFittedError, TrainingError, MissingExtraError

        Notes
        -----
        A molecule is rewarded once and a scaffold 25 times, so that no favourite crowds out the
        others (Blaschke et al. 2020).
        """
        self._check_fitted()
        tuned = copy(self)
        chosen = options or ReinforceOptions(seed=self.seed)
        tuned.writer_ = self.writer_.toward(score, chosen)
        tuned.scores_ = tuned.writer_.scores_
        return tuned

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        self.schema_ = self.schema
        if validation is None:
            held_out = np.random.default_rng(self.seed).permutation(len(train))
            held_out = np.sort(held_out[: max(len(train) // 20, 1)])
            train, validation = train.drop(train.index[held_out]), train.iloc[held_out]
        arrays = [self.schema_.to_arrays(part) for part in (train, validation)]
        options = replace(self.training or _TRAINING, seed=self.seed)
        self.writer_ = MoleculeWriter(self.schema_, self.units, options)
        self.writer_.fit(*arrays)
        codes = self.writer_.codes(arrays[0])
        self.split_ = {"train": {"rows": len(codes)}, "validation": {"rows": len(validation)}}
        cardinality = self.writer_.tokens.cardinality
        self.baselines_ = {
            name: NgramWriter(order, cardinality).fit(codes) for name, order in _ORDERS.items()
        }
        self.molecules_ = arrays[0]["smiles"].tolist()
        self.check_ = validation

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        arrays = self.schema_.to_arrays(frame)
        return self.writer_.answers(arrays) if len(frame) else no_answers(self.outputs)

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        if frame.empty:
            raise SchemaError("The table has no rows. Give some molecules of the same kind.")
        arrays = self.schema_.to_arrays(frame)
        codes = self.writer_.codes(arrays)
        told = self.writer_.answers(arrays)
        ours = _surprise(-told["log_likelihood"][told["readable"]])
        others = {
            name: _surprise(-baseline.likelihood(codes))
            for name, baseline in self.baselines_.items()
        }
        known = {each for each in canonical(self.molecules_) if each is not None}
        written = WrittenMolecules(self.sample_molecules(self.samples, seed=self.seed), known)
        reference = WrittenMolecules(arrays["smiles"].tolist(), known)
        beside = {
            name: WrittenMolecules(self._by_counting(baseline), known).estimates()
            for name, baseline in self.baselines_.items()
        }
        estimates, real = written.estimates(), reference.estimates()
        return Report(
            application="",
            data="",
            model="recurrent",
            metrics=ours.estimates() | estimates,
            split={**self.split_, "test": {"rows": len(codes)}},
            baselines={name: other.estimates() | beside[name] for name, other in others.items()},
            margins={name: ours.minus(other) for name, other in others.items()},
            sections=(_reference_section(estimates, real),),
            headline_text=f"{estimates['validity']} of {self.samples} molecules are valid.",
            notes=(
                f"Written at temperature {self.temperature:g}.",
                "Research use: nobody has made these molecules.",
            ),
        )

    def _by_counting(self, baseline: NgramWriter) -> list[str]:
        rows = baseline.sample(self.samples, BEGIN, END, LENGTH, seed=self.seed)
        tokens = self.writer_.tokens.vocabulary
        return ["".join(tokens[c - FIRST_TOKEN] for c in row if c >= FIRST_TOKEN) for row in rows]

    def _exportable(self) -> Exportable:
        builder = GraphBuilder()
        self.writer_.write(builder, builder.inputs(self.schema_))
        return Exportable(
            graph=builder.model(self.name),
            native=self._answers,
            schema=self.schema_,
            outputs=self.outputs,
            check=self.check_,
            thresholds={},
            facts={
                "model": "recurrent",
                "decision": {"units": self.units},
                "split": self.split_,
                "intended_use": INTENDED_USE,
            },
            rows_a_run=_MOLECULES_A_RUN,
        )


def _surprise(nats: NDArray[Any]) -> BootstrapResult:
    """Mean negative log-likelihood of a molecule."""
    values = nats.astype(np.float64)
    metrics = {"nll": lambda weight: float(weight @ values / weight.sum())}
    return bootstrap(metrics, None, len(values))


def _reference_section(ours: Mapping[str, Estimate], real: Mapping[str, Estimate]) -> Section:
    rows: Sequence[Sequence[object]] = [
        (name, ours[name].value, real[name].value) for name in ("internal_diversity", "qed")
    ]
    text = "What was written beside real molecules of the test part."
    return Section("Beside real molecules", text, [("metric", "written", "real"), *rows])
