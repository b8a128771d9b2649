"""A space of molecules: a variational autoencoder over the tokens of SMILES or SELFIES.

Letters: N molecules, L numbers of a point.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.healthcare.molecules.tokens import BEGIN, END, MoleculeTokens
from industry_apps.healthcare.molecules.writer import LENGTH, NEVER, learned_codes
from industry_apps.recipes.scorers import Arrays
from industry_apps.schema import Schema

if TYPE_CHECKING:
    import torch

    from industry_apps.training import TrainingOptions

_MOLECULES_A_PASS = 1_024


class SequenceSpace:
    """Turn molecules in one notation into points, and points into molecules.

    Parameters
    ----------
    schema : Schema
        With one text column, that says its notation.
    units : int
        Of a recurrent layer.
    latent : int
        L.
    divergence : float
        Weight of the Kullback-Leibler divergence from the normal distribution.
    options : TrainingOptions
    """

    def __init__(
        self,
        schema: Schema,
        units: int,
        latent: int,
        divergence: float,
        options: TrainingOptions,
    ) -> None:
        (column,) = schema
        self.column, self.units, self.latent = column.name, units, latent
        self.divergence, self.options = divergence, options
        self.tokens = MoleculeTokens(schema, LENGTH)

    def fit(self, train: Arrays, validation: Arrays) -> Self:
        """Learn; validation data decide when to stop.

        Raises
        ------
        TrainingError
        """
        from industry_apps.backbones import SequenceVAE
        from industry_apps.training import fit_network, seeded

        self.tokens, kept, held_out = learned_codes(self.tokens, train, validation)
        with seeded(self.options.seed):
            self.network_: Any = SequenceVAE(
                self.tokens.cardinality, units=self.units, latent=self.latent, hidden=0.0
            )
        # Of few molecules batches of one length teach less; here there are many spellings.
        lengths = (kept[0] > 0).sum(axis=1)
        self.history_ = fit_network(
            self.network_, kept, held_out, self._bound, self.options, lengths=lengths
        )
        points = self._points(kept[0])
        self.center_, self.spread_ = points.mean(axis=0), points.std(axis=0)
        return self

    def points(self, arrays: Arrays) -> NDArray[np.float32]:
        """The points [N, L]; NaN of what has a token that training seldom had, or too many."""
        found = self.tokens.run(arrays)
        readable = found["readable"][:, 0]
        points = np.full((len(readable), self.latent), np.nan, dtype=np.float32)
        points[readable] = self._points(found["codes"][readable])
        return points

    def smiles(self, points: NDArray[np.float32]) -> list[str]:
        """The likeliest molecule of each point [N, L]."""
        import torch

        from industry_apps.training.reinforcement import WriterCodes, write

        codes = WriterCodes(BEGIN, END, LENGTH, NEVER)
        texts: list[str] = []
        with torch.inference_mode():
            for part in _passes(points):
                state = self.network_.state(torch.from_numpy(part))
                written = write(self.network_.writer, len(part), codes, state=state)
                texts += self.tokens.spelled(written.tolist())
        return texts

    def _points(self, codes: NDArray[np.integer]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            parts = [self.network_.encode(torch.from_numpy(part))[0] for part in _passes(codes)]
        return torch.cat(parts).numpy() if parts else np.zeros((0, self.latent), np.float32)

    def _bound(self, network: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Negative evidence lower bound of a token, with the weight of the divergence."""
        from torch.nn.functional import cross_entropy

        from industry_apps.backbones.autoencoder import divergence

        (codes,) = batch
        codes = codes[:, : int((codes > 0).sum(dim=1).max())].long()
        scores, mean, log_variance = network(codes)
        follows = codes[:, 1:]
        told = cross_entropy(scores.transpose(1, 2), follows, ignore_index=0, reduction="sum")
        nats = told + self.divergence * divergence(mean, log_variance).sum()
        return nats / (follows > 0).sum()


def _passes(rows: NDArray[Any]) -> Iterator[NDArray[Any]]:
    for start in range(0, len(rows), _MOLECULES_A_PASS):
        yield rows[start : start + _MOLECULES_A_PASS]
