"""Sampling from a step model: one token after the other, with numpy and onnxruntime only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ModelFileError, ParameterError
from industry_apps.runtime.loading import check, open_session, read_file, refused

#: Key of the metadata of a step model.
WRITER = "industry_apps_writer"
#: Sequences that are written side by side.
_SIDE_BY_SIDE = 1_024
#: Steps of a sequence, and numbers of a state.
_LARGEST = 1_000_000


class SequenceWriter:
    """Writes sequences of tokens by a model of the next one.

    Parameters
    ----------
    path : str or Path or bytes
        A step model: ``code`` int64 [batch, 1] and ``state`` float32 [batch, size] -> ``output``,
        scores and the next state side by side; tokens and sizes stand in its metadata. The
        state may grow from step to step.

    Attributes
    ----------
    notation : str
        What is written: "smiles", or "selfies", of which ``selfies.decoder`` makes SMILES.
    tokens : list of str
        By their codes.

    Raises
    ------
    ModelFileError
        The file is not there, or is no step model.
    """

    def __init__(self, path: str | Path | bytes) -> None:
        name = "The step model" if isinstance(path, bytes) else Path(path).name
        content = path if isinstance(path, bytes) else read_file(Path(path))
        checked = check(content, name)
        if WRITER not in checked.stored:
            raise ModelFileError(
                "The file is no step model: its metadata lack the tokens. Write one with "
                "export_writer."
            )
        self._session = open_session(content, name, "cpu", None)
        with refused(name):
            self._take(json.loads(checked.stored[WRITER]))
            code = np.full((1, 1), self._begin, dtype=np.int64)
            self.step(code, np.zeros((1, self._state), dtype=np.float32))

    def _take(self, facts: dict[str, Any]) -> None:
        """What the file says of itself; a ValueError where that cannot be."""
        self.notation: str = facts["notation"]
        self.tokens: list[str] = facts["tokens"]
        self._begin, self._end, self._state = facts["begin"], facts["end"], facts["state"]
        self._length, self._never = facts["length"], np.array(facts["never"], dtype=np.int64)
        codes = [self._begin, self._end, *self._never.tolist()]
        texts = type(self.tokens) is list and {type(each) for each in self.tokens} == {str}
        if not texts or type(self.notation) is not str:
            raise ValueError("its notation and tokens are no texts")
        if not all(type(code) is int and 0 <= code < len(self.tokens) for code in codes):
            raise ValueError(f"it has {len(self.tokens)} tokens, and codes {codes}")
        for size in (self._length, self._state):
            if type(size) is not int or not 1 <= size <= _LARGEST:
                raise ValueError(f"it has a size of {size!r:.40}, expected 1 to {_LARGEST}")

    def sample(self, count: int, *, temperature: float = 1.0, seed: int = 0) -> list[str]:
        """Write sequences at random.

        Parameters
        ----------
        count : int
            At least 0.
        temperature : float
            > 0. Below 1 likely tokens are taken more often than the model says, and sequences
            are sounder and more alike.
        seed : int
            Same seed, same sequences.

        Raises
        ------
        ParameterError
        """
        if count < 0 or not temperature > 0 or seed < 0:
            raise ParameterError(
                "sample needs count >= 0, temperature > 0 and seed >= 0. Got "
                f"{count!r}, {temperature!r} and {seed!r} instead."
            )
        draw = np.random.default_rng(seed)
        found: list[str] = []
        while len(found) < count:
            rows = min(_SIDE_BY_SIDE, count - len(found))
            found += self._written(self._sampled(rows, temperature, draw))
        return found

    def best(self, width: int = 16) -> list[tuple[str, float]]:
        """Write the likeliest sequences by beam search -> (sequence, log-likelihood), falling.

        Parameters
        ----------
        width : int
            Sequences that are kept at each step, and returned at most; at least 1.

        Raises
        ------
        ParameterError
        """
        if width < 1:
            raise ParameterError(f"best needs a width of at least 1. Got {width!r} instead.")
        codes = np.full((1, 1), self._begin, dtype=np.int64)
        state = np.zeros((1, self._state), dtype=np.float32)
        score = np.zeros(1)
        done: list[tuple[NDArray[np.int64], float]] = []
        for _ in range(self._length - 1):
            told, state = self.step(codes[:, -1:], state)
            total = score[:, None] + told  # [beams, tokens]
            total[:, self._never] = -np.inf
            ended = total[:, self._end]
            done += [(codes[row, 1:], float(ended[row])) for row in range(len(codes))]
            total[:, self._end] = -np.inf
            best = np.argsort(-total, axis=None, kind="stable")[:width]
            best = best[np.isfinite(total.ravel()[best])]
            if not len(best):
                break
            row, code = np.unravel_index(best, total.shape)
            codes = np.concatenate([codes[row], code[:, None]], axis=1)
            state, score = state[row], total[row, code]
            done = sorted(done, key=lambda each: -each[1])[:width]
            if len(done) == width and done[-1][1] >= score.max():
                break  # what is not ended can only lose
        return [(self._text(codes), score) for codes, score in done]

    def step(
        self, code: NDArray[np.int64], state: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Log-probabilities [rows, tokens] of what follows a code [rows, 1], and the next state."""
        (found,) = self._session.run(None, {"code": code, "state": state})
        scores = found[:, : len(self.tokens)].astype(np.float64)
        scores -= scores.max(axis=1, keepdims=True)
        told = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return told, found[:, len(self.tokens) :]

    def _sampled(
        self, rows: int, temperature: float, draw: np.random.Generator
    ) -> NDArray[np.int64]:
        code = np.full((rows, 1), self._begin, dtype=np.int64)
        state = np.zeros((rows, self._state), dtype=np.float32)
        going = np.ones(rows, dtype=bool)
        written = np.full((rows, self._length - 1), self._end, dtype=np.int64)
        for place in range(self._length - 1):
            told, state = self.step(code, state)
            told[:, self._never] = -np.inf
            # Gumbel's trick: the largest of noisy scores is a draw from their distribution.
            noise = draw.gumbel(size=told.shape)
            code = np.argmax(told / temperature + noise, axis=1)[:, None]
            code[~going] = self._end
            written[:, place] = code[:, 0]
            going &= code[:, 0] != self._end
            if not going.any():
                break
        return written

    def _written(self, codes: NDArray[np.int64]) -> list[str]:
        return [self._text(row) for row in codes]

    def _text(self, codes: NDArray[np.int64]) -> str:
        ends = np.flatnonzero(codes == self._end)
        stop = int(ends[0]) if len(ends) else len(codes)
        return "".join(self.tokens[code] for code in codes[:stop])
