"""Rows in memory, and the batches drawn from them."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from industry_apps.errors import TrainingError

#: Arrays of equally many rows.
Arrays = Sequence[NDArray[Any] | Tensor]


class Batches:
    """Rows of tensors in the given order, in batches of equal size, give or take one row.

    A DataLoader would fetch and collate row by row; here a batch is one indexing operation.

    Parameters
    ----------
    tensors : tuple of torch.Tensor
        Each of N rows.
    order : torch.Tensor of shape (N,)
        Row numbers.
    size : int
        Largest number of rows in a batch.
    lengths : torch.Tensor of shape (N,), optional
        Of each row: those of near lengths then share a batch, so that little is computed on
        padding. In each batch, and among rows of one length, the given order holds.
    """

    def __init__(
        self,
        tensors: tuple[Tensor, ...],
        order: Tensor,
        size: int,
        lengths: Tensor | None = None,
    ) -> None:
        self.tensors = tensors
        if lengths is not None:
            order = order[lengths[order].argsort(stable=True)]
        # No rest batch: a few rows alone would weigh as much as a full batch.
        self.parts = order.tensor_split(math.ceil(len(order) / size))

    def shuffled(self, generator: torch.Generator) -> Batches:
        """The same batches, one after the other in a random order."""
        found = copy.copy(self)
        turns = torch.randperm(len(self.parts), generator=generator).tolist()
        found.parts = tuple(self.parts[turn] for turn in turns)
        return found

    def __len__(self) -> int:
        return len(self.parts)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        for rows in self.parts:
            yield tuple(part[rows] for part in self.tensors)


def to_tensors(name: str, arrays: Arrays) -> tuple[Tensor, ...]:
    """Make tensors of arrays; float64 becomes float32.

    Parameters
    ----------
    name : str
        What the arrays are, for the error.
    arrays : sequence of array or torch.Tensor
        Memory is shared where type and layout allow it.

    Raises
    ------
    TrainingError
        When the numbers of rows differ or are zero.
    """
    tensors = [_to_tensor(array) for array in arrays]
    counts = [len(tensor) for tensor in tensors]
    if not counts or min(counts) == 0 or len(set(counts)) > 1:
        raise TrainingError(
            f"The arrays of {name} must have the same number of rows, at least one. "
            f"Got {counts} rows."
        )
    return tuple(tensors)


def _to_tensor(array: NDArray[Any] | Tensor) -> Tensor:
    if isinstance(array, np.ndarray) and not array.flags.writeable:
        array = array.copy()  # torch has no read-only tensors, and warns
    tensor = torch.as_tensor(array)
    return tensor.float() if tensor.dtype == torch.float64 else tensor
