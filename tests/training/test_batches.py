"""Batches: every row once, of equal size, of near lengths where that is asked for."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from industry_apps.training import TrainingOptions, fit_network
from industry_apps.training.batches import Batches


@given(rows=st.integers(1, 400), size=st.integers(1, 64))
def test_batches_hold_every_row_once_and_are_of_equal_size(rows: int, size: int) -> None:
    batches = Batches((torch.arange(rows),), torch.randperm(rows), size)
    parts = [part for (part,) in batches]
    assert sorted(torch.cat(parts).tolist()) == list(range(rows))
    sizes = [len(part) for part in parts]
    assert max(sizes) <= size
    assert max(sizes) - min(sizes) <= 1
    assert len(parts) == len(batches) == math.ceil(rows / size)


@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=200), size=st.integers(1, 64))
def test_rows_of_near_lengths_share_a_batch(lengths: list[int], size: int) -> None:
    given_lengths = torch.tensor(lengths)
    rows = torch.arange(len(lengths))
    batches = Batches((rows,), torch.randperm(len(rows)), size, given_lengths)
    shuffled = batches.shuffled(torch.Generator().manual_seed(0))
    parts = [part for (part,) in shuffled]
    assert sorted(torch.cat(parts).tolist()) == rows.tolist()
    ends = sorted((given_lengths[p].min().item(), given_lengths[p].max().item()) for p in parts)
    assert all(longest <= least for (_, longest), (least, _) in pairwise(ends))
    assert sorted(map(len, parts)) == sorted(len(part) for (part,) in batches)


def test_batches_of_near_lengths_come_in_another_order_each_epoch() -> None:
    seen: list[float] = []

    def noted(network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        seen.append(batch[0].mean().item())
        return network(batch[0]).square().mean()

    rows = np.arange(32, dtype=np.float32)[:, None]
    options = TrainingOptions(max_epochs=2, batch_size=8, precision="float32", device="cpu")
    fits = []
    for _ in range(2):
        fit_network(nn.Linear(1, 1), (rows,), None, noted, options, lengths=rows[:, 0])
        fits.append(seen.copy())
        seen.clear()
    (first, again) = fits
    assert first == again
    assert sorted(first[:4]) == sorted(first[4:]) == [3.5, 11.5, 19.5, 27.5]
    assert first[:4] != first[4:]
