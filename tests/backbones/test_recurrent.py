"""The recurrent writer: whole sequences and single steps agree."""

from __future__ import annotations

import pytest
import torch

from industry_apps.backbones import RecurrentWriter, SequenceLikelihood
from industry_apps.errors import ParameterError


@pytest.mark.parametrize("depth", [1, 2])
def test_steps_are_the_sequence(depth):
    torch.manual_seed(0)
    network = RecurrentWriter(9, width=6, units=8, depth=depth).eval()
    codes = torch.randint(1, 9, (3, 7))
    state, told = torch.zeros(3, network.state_size), []
    for place in range(7):
        scores, state = network.step(codes[:, place : place + 1], state)
        told.append(scores)
    torch.testing.assert_close(torch.stack(told, dim=1), network(codes), rtol=1e-4, atol=1e-5)


def test_gradients_reach_every_parameter():
    network = RecurrentWriter(9, width=6, units=8)
    SequenceLikelihood(network)(torch.randint(1, 9, (3, 7))).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_padding_counts_nothing():
    torch.manual_seed(0)
    likelihood = SequenceLikelihood(RecurrentWriter(9, units=8).eval())
    codes = torch.tensor([[2, 5, 6, 3]])
    padded = torch.nn.functional.pad(codes, (0, 4))
    torch.testing.assert_close(likelihood(codes), likelihood(padded))


def test_wrong_sizes_are_refused():
    with pytest.raises(ParameterError, match="'units'"):
        RecurrentWriter(9, units=0)
