"""The autoencoder of sequences, and the recurrent writer that is told a context."""

from __future__ import annotations

import pytest
import torch

from industry_apps.backbones import RecurrentWriter, SequenceVAE
from industry_apps.errors import ParameterError


@pytest.fixture
def network():
    torch.manual_seed(0)
    return SequenceVAE(9, units=8, latent=3).eval()


@pytest.mark.parametrize("depth", [1, 2])
def test_steps_from_a_state_are_the_sequence(depth):
    torch.manual_seed(0)
    writer = RecurrentWriter(9, width=6, units=8, depth=depth, context=3).eval()
    codes, first = torch.randint(1, 9, (4, 7)), torch.randn(4, 8 * depth + 3)
    state, told = first, []
    for place in range(7):
        scores, state = writer.step(codes[:, place : place + 1], state)
        told.append(scores)
    torch.testing.assert_close(torch.stack(told, dim=1), writer(codes, first), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(state[:, -3:], first[:, -3:])
    zeros = torch.zeros_like(first)
    torch.testing.assert_close(writer(codes), writer(codes, zeros))


def test_what_is_written_depends_on_the_context(network):
    codes = torch.randint(1, 9, (1, 7)).expand(2, -1)
    told = network.writer(codes, network.state(torch.tensor([[1.0, 0, 0], [-1.0, 0, 0]])))
    assert (told[0] - told[1]).abs().min(dim=1).values.max() > 1e-4


def test_padding_changes_no_latent_code(network):
    codes = torch.tensor([[2, 5, 6, 3]])
    padded = torch.nn.functional.pad(codes, (0, 5))
    for one, other in zip(network.encode(codes), network.encode(padded), strict=True):
        torch.testing.assert_close(one, other)


def test_the_code_is_drawn_in_training_only(network):
    codes = torch.randint(1, 9, (3, 7))
    torch.testing.assert_close(network(codes)[0], network(codes)[0])
    network.train()
    assert not torch.equal(network(codes)[0], network(codes)[0])


def test_gradients_reach_every_parameter(network):
    sum(part.square().sum() for part in network.train()(torch.randint(1, 9, (3, 7)))).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_wrong_sizes_are_refused():
    with pytest.raises(ParameterError, match="'latent'"):
        SequenceVAE(9, latent=0)
    with pytest.raises(ParameterError, match="'hidden'"):
        SequenceVAE(9, hidden=1.0)
    with pytest.raises(ParameterError, match="'context'"):
        RecurrentWriter(9, context=-1)
