"""A network that writes molecules token by token: trained, fine-tuned, written into files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, TrainingError
from industry_apps.export.convert import network_to_onnx
from industry_apps.features import GraphBuilder
from industry_apps.healthcare.molecules.tokens import (
    BEGIN,
    END,
    PADDING,
    UNKNOWN,
    MoleculeTokens,
)
from industry_apps.limits import wrong_parameter
from industry_apps.recipes.networks import forward
from industry_apps.recipes.scorers import Arrays
from industry_apps.runtime.writer import WRITER, SequenceWriter
from industry_apps.schema import Schema

if TYPE_CHECKING:
    import torch

    from industry_apps.training import ReinforceOptions, TrainingOptions

#: Tokens that are read and written, begin and end included.
LENGTH = 120
#: Codes that are not written.
NEVER = (PADDING, UNKNOWN, BEGIN)

#: The networks that there are.
RECURRENT, TRANSFORMER = "recurrent", "transformer"
#: Of the transformer; of each head the width.
_DEPTH, _HEAD, _DROPOUT = 4, 32, 0.1
#: Scores from which on a molecule is remembered, and its scaffold counted.
_REWARDED = 0.4

Score = Callable[[str], float]


class MoleculeWriter:
    """A network over the tokens of SMILES or SELFIES.

    Parameters
    ----------
    schema : Schema
        With one text column, that says its notation.
    network : {"recurrent", "transformer"}
    units : int
        Of the one recurrent layer, or the width of the transformer's four blocks: a multiple
        of 32 then.
    options : TrainingOptions
    """

    def __init__(self, schema: Schema, network: str, units: int, options: TrainingOptions) -> None:
        (column,) = schema
        self.column, self.notation, self.network = column.name, column.notation, network
        self.units, self.options = units, options
        self.tokens = MoleculeTokens(schema, LENGTH)
        self.scores_: tuple[float, ...] = ()
        self._session: SequenceWriter | None = None

    def fit(self, train: Arrays, validation: Arrays) -> MoleculeWriter:
        """Learn; validation data decide when to stop."""
        from industry_apps.training import fit_network, seeded

        self.tokens, *rows = learned_codes(self.tokens, train, validation)
        with seeded(self.options.seed):
            self.network_: Any = _network(self.network, self.tokens.cardinality, self.units)
        self.history_ = fit_network(self.network_, rows[0], rows[1], _surprise, self.options)
        self._session = None
        return self

    def answers(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """``log_likelihood``, ``tokens`` and ``readable`` of molecules [rows]."""
        from industry_apps.backbones import SequenceLikelihood

        found = self.tokens.run(arrays)
        told = forward(SequenceLikelihood(self.network_).eval(), (found["codes"],))
        readable = found["readable"][:, 0]
        likely = np.where(readable, told, np.nan).astype(np.float32)
        count = (found["count"][:, 0] - 2).astype(np.float32)
        return {"log_likelihood": likely, "tokens": count, "readable": readable}

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        """Append all to a graph -> the tensors of :meth:`answers`."""
        import torch

        from industry_apps.backbones import SequenceLikelihood

        codes, count = self.tokens.write(builder, inputs[self.column])
        readable = self.tokens.readable(builder, codes, count)
        example = torch.full((2, LENGTH), BEGIN)
        # The exporter that follows a run keeps the recurrent operator whole.
        model = network_to_onnx(
            SequenceLikelihood(self.network_),
            (example,),
            ["codes"],
            dynamo=self.network != RECURRENT,
        )
        told = builder.append(model, {"codes": codes})["output"]
        missing = builder.constant(np.float32(np.nan))
        likely = builder.node("Where", readable, told, missing)
        tokens = builder.node("Sub", count, builder.constant(np.int64(2)))
        tokens = builder.cast(tokens, np.float32)
        return {"log_likelihood": likely, "tokens": tokens, "readable": readable}

    def step_model(self) -> bytes:
        """The step model as a file's content: what :class:`SequenceWriter` reads."""
        import torch

        from industry_apps.backbones import WriterStep

        recurrent = self.network == RECURRENT
        size = self.network_.state_size
        # That of a transformer grows, and must not look like a constant.
        example = (torch.full((2, 1), BEGIN), torch.zeros(2, size if recurrent else 3 * size))
        state = {0: "batch"} if recurrent else {0: "batch", 1: "size"}
        model = network_to_onnx(
            WriterStep(self.network_),
            example,
            ["code", "state"],
            axes=[{0: "batch"}, state],
        )
        facts = {
            "notation": self.notation,
            "tokens": ["", "", "", "", *self.tokens.vocabulary],
            "begin": BEGIN,
            "end": END,
            "length": LENGTH,
            "never": list(NEVER),
            "state": size,
        }
        onnx.helper.set_model_props(model, {WRITER: json.dumps(facts)})
        return model.SerializeToString()

    def writer(self) -> SequenceWriter:
        """The step model, run by onnxruntime."""
        if self._session is None:
            self._session = SequenceWriter(self.step_model())
        return self._session

    def sample(self, count: int, *, temperature: float, seed: int) -> list[str]:
        """Write molecules at random by the step model, and return their SMILES."""
        return self.tokens.smiles(self.writer().sample(count, temperature=temperature, seed=seed))

    def toward(self, score: Score, options: ReinforceOptions) -> MoleculeWriter:
        """A copy that is fine-tuned toward a score of SMILES; see :func:`reinforce`."""
        from industry_apps.training.reinforcement import ReinforceOptions, WriterCodes, reinforce

        if not callable(score):
            raise ParameterError(
                f"The score must be a function of a SMILES. Got {score!r} instead."
            )
        if not isinstance(options, ReinforceOptions):
            raise ParameterError(f"The options must be ReinforceOptions. Got {options!r} instead.")
        rewarded = DiverseScore(score, options.of_a_kind)

        def of_codes(codes: NDArray[np.int64]) -> NDArray[np.float64]:
            return np.array([rewarded(text) for text in self.tokens.spelled(codes.tolist())])

        codes = WriterCodes(BEGIN, END, LENGTH, NEVER)
        tuned = MoleculeWriter(self.tokens.schema, self.network, self.units, self.options)
        tuned.tokens, tuned.history_ = self.tokens, self.history_
        tuned.network_, tuned.scores_ = reinforce(self.network_, of_codes, codes, options)
        return tuned

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_session": None}


class DiverseScore:
    """A score that a molecule gets once, and a scaffold some times, where it is not low.

    Scores below 0.4 are told as often as asked for: what is hardly worth anything must not use
    up what its scaffold may earn.

    Parameters
    ----------
    score : callable
        SMILES -> number in [0, 1]; called with what RDKit reads only.
    of_a_scaffold : int
        Molecules of one scaffold that are rewarded; further ones get nothing.

    References
    ----------
    Blaschke et al. 2020, doi:10.1186/s13321-020-00473-0.
    """

    def __init__(self, score: Score, of_a_scaffold: int) -> None:
        self.score = score
        self.of_a_scaffold = of_a_scaffold
        self.molecules: set[str] = set()
        self.scaffolds: Counter[str] = Counter()

    def __call__(self, smiles: str) -> float:
        """Score a SMILES; 0 of none, of one that was rewarded, and of a crowded scaffold."""
        from industry_apps.data.scaffolds import scaffold_of
        from industry_apps.healthcare.molecules.written import canonical

        (found,) = canonical([smiles])
        if found is None or found in self.molecules:
            return 0.0
        core = scaffold_of(found)
        if self.scaffolds[core] >= self.of_a_scaffold:
            return 0.0
        value = float(self.score(found))
        if not 0 <= value <= 1:  # nor NaN
            raise ParameterError(
                f"The score of {found!r} is {value:g}; expected a number in [0, 1]. Bring the "
                "score into these limits, and give 0 where it is not known."
            )
        if value >= _REWARDED:
            self.molecules.add(found)
            self.scaffolds[core] += 1
        return value


def learned_codes(
    tokens: MoleculeTokens, train: Arrays, validation: Arrays
) -> tuple[MoleculeTokens, tuple[NDArray[np.int16]], tuple[NDArray[np.int16]]]:
    """Tokens with the vocabulary of the training molecules, and the codes of both parts.

    Raises
    ------
    TrainingError
        No molecule of a part can be read.
    """
    learned = tokens.learn(train[tokens.column].tolist())
    parts = [learned.codes(part).astype(np.int16) for part in (train, validation)]
    if not all(map(len, parts)):
        raise TrainingError(
            "No molecule of the training or of the validation data is made of tokens that "
            f"occur often, at most {tokens.length - 2} of them. Give more molecules."
        )
    return learned, (parts[0],), (parts[1],)


def _network(kind: str, cardinality: int, units: int) -> torch.nn.Module:
    from industry_apps.backbones import RecurrentWriter, SequenceScorer

    if kind == RECURRENT:
        return RecurrentWriter(cardinality, units=units)
    if units % _HEAD:
        words = f"a multiple of {_HEAD} for a transformer"
        raise wrong_parameter(MoleculeWriter.__name__, "units", words, units)
    return SequenceScorer(
        cardinality,
        width=units,
        depth=_DEPTH,
        heads=units // _HEAD,
        length=LENGTH,
        dropout=_DROPOUT,
    )


def _surprise(network: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Mean negative log-likelihood of a token."""
    from industry_apps.backbones import SequenceLikelihood

    (codes,) = batch
    longest = int((codes > 0).sum(dim=1).max())
    codes = codes[:, :longest]
    return -SequenceLikelihood(network)(codes).sum() / (codes[:, 1:] > 0).sum()
