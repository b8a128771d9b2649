"""Fine-tuning of a network that writes sequences toward a score, by reinforcement.

Methods: Olivecrona et al., Molecular de-novo design through deep reinforcement learning, J.
Cheminformatics 2017, doi:10.1186/s13321-017-0235-x, for the augmented likelihood; Blaschke et
al., Memory-assisted reinforcement learning for diverse molecular de novo design, J.
Cheminformatics 2020, doi:10.1186/s13321-020-00473-0, for the filter that keeps what is written
diverse (the score's part); Thomas et al., Augmented Hill-Climb increases reinforcement learning
efficiency for language-based de novo molecule generation, J. Cheminformatics 2022,
doi:10.1186/s13321-022-00646-z, for learning from the better part of a batch. Written from the
papers.

What differs from the last: what scores 0, which is what the filter refuses, is learned from too,
so that it gets rarer.

Letters: B sequences, T codes, C codes that there are.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from industry_apps.backbones import SequenceLikelihood
from industry_apps.errors import TrainingError
from industry_apps.limits import POSITIVE, SHARE, check_parameters, integer
from industry_apps.training.options import seeded


@dataclass(frozen=True, kw_only=True, slots=True)
class ReinforceOptions:
    """How a writer is fine-tuned.

    Parameters
    ----------
    steps : int, default=180
        Batches that are written and learned from.
    batch_size : int, default=64
    learning_rate : float, default=3e-4
    sigma : float, default=60
        Weight of the score, in nats of likelihood.
    best : float, default=0.5
        Share of a batch, of the highest scores, that is learned from, in (0, 1]; what scores 0
        is learned from besides.
    of_a_kind : int, default=5
        Sequences of one kind that are rewarded, for scores that tell kinds apart: molecules of
        one scaffold. More where there are few kinds.
    seed : int, default=0

    Raises
    ------
    ParameterError
    """

    steps: Annotated[int, integer(1)] = 180
    batch_size: Annotated[int, integer(1)] = 64
    learning_rate: Annotated[float, POSITIVE] = 3e-4
    sigma: Annotated[float, POSITIVE] = 60.0
    best: Annotated[float, SHARE] = 0.5
    of_a_kind: Annotated[int, integer(1)] = 5
    seed: Annotated[int, integer(0)] = 0

    def __post_init__(self) -> None:
        check_parameters(self)


@dataclass(frozen=True, slots=True)
class WriterCodes:
    """The codes that have a meaning of their own, and how long a sequence may be.

    Parameters
    ----------
    begin, end, length : int
    never : tuple of int
        Codes that are not written.
    """

    begin: int
    end: int
    length: int
    never: tuple[int, ...]


def reinforce(
    network: Any,
    score: Callable[[NDArray[np.int64]], NDArray[np.float64]],
    codes: WriterCodes,
    options: ReinforceOptions,
) -> tuple[nn.Module, tuple[float, ...]]:
    """Fine-tune a copy of a writer, so that what it writes scores high and stays likely.

    Parameters
    ----------
    network : torch.nn.Module
        With ``forward(codes)``, ``step(code, state)`` and ``state_size``; it is not changed.
    score : callable
        Sequences [B, T], begin and end left out and 0 behind them, -> scores [B] in [0, 1].
    codes : WriterCodes
    options : ReinforceOptions

    Returns
    -------
    network : torch.nn.Module
        In eval mode.
    scores : tuple of float
        Mean score of each step.

    Raises
    ------
    TrainingError
        The loss is not finite.
    """
    prior, agent = network.eval(), copy.deepcopy(network).eval()
    likely_before, likely_now = SequenceLikelihood(prior), SequenceLikelihood(agent)
    optimizer = torch.optim.Adam(agent.parameters(), lr=options.learning_rate)
    history = []
    with seeded(options.seed):
        for step in range(options.steps):
            written = write(agent, options.batch_size, codes)
            reached = torch.from_numpy(score(_inner(written, codes))).float()
            history.append(float(reached.mean()))
            kept = (reached >= torch.quantile(reached, 1 - options.best)) | (reached == 0)
            written, reached = written[kept], reached[kept]
            with torch.no_grad():
                wanted = likely_before(written)[:, 0] + options.sigma * reached
            loss = (wanted - likely_now(written)[:, 0]).square().mean()
            if not torch.isfinite(loss):
                raise TrainingError(
                    f"The loss of step {step + 1} is not finite. Lower learning_rate "
                    f"({options.learning_rate:g}) or sigma ({options.sigma:g})."
                )
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 1.0)
            optimizer.step()
    return agent, tuple(history)


@torch.no_grad()
def write(network: Any, rows: int, codes: WriterCodes, *, state: Tensor | None = None) -> Tensor:
    """Write sequences -> int64 [B, T], from begin to end, 0 behind it.

    Parameters
    ----------
    network : torch.nn.Module
    rows : int
    codes : WriterCodes
    state : Tensor, optional
        To begin from, [B, S]; the likeliest code is then taken at each step, so that equal
        states write equal sequences. Without one, zeros, and codes at random.
    """
    code = torch.full((rows, 1), codes.begin)
    likeliest = state is not None
    if state is None:
        state = torch.zeros(rows, network.state_size)
    going = torch.ones(rows, dtype=torch.bool)
    written = [code]
    for _ in range(codes.length - 1):
        scores, state = network.step(code, state)
        scores[:, list(codes.never)] = -torch.inf
        code = (
            scores.argmax(dim=1, keepdim=True)
            if likeliest
            else torch.multinomial(scores.softmax(dim=1), 1)
        )
        written.append(torch.where(going[:, None], code, 0))
        going &= code[:, 0] != codes.end
        if not going.any():
            break
    return torch.cat(written, dim=1)


def _inner(written: Tensor, codes: WriterCodes) -> NDArray[np.int64]:
    inner = written[:, 1:].numpy().copy()
    inner[inner == codes.end] = 0
    return inner
