"""Writers turned toward a score."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from industry_apps.backbones import RecurrentWriter, SequenceScorer
from industry_apps.errors import ParameterError, TrainingError
from industry_apps.training import ReinforceOptions
from industry_apps.training.reinforcement import WriterCodes, reinforce, write

CODES = WriterCodes(begin=2, end=3, length=8, never=(0, 1, 2))


def share_of_five(rows):
    return np.array([np.mean(row[row > 0] == 5) if (row > 0).any() else 0.0 for row in rows])


@pytest.fixture(params=["recurrent", "transformer"])
def network(request):
    torch.manual_seed(0)
    if request.param == "recurrent":
        return RecurrentWriter(8, width=8, units=16).eval()
    return SequenceScorer(8, width=16, length=8).eval()


@pytest.mark.parametrize("best", [0.5, 1.0])
def test_the_score_rises_and_the_prior_stays(network, best):
    before = {name: part.clone() for name, part in network.state_dict().items()}
    options = ReinforceOptions(steps=60, batch_size=32, learning_rate=1e-2, sigma=10, best=best)
    tuned, scores = reinforce(network, share_of_five, CODES, options)
    assert len(scores) == 60
    assert np.mean(scores[-10:]) > np.mean(scores[:10]) + 0.2
    assert not tuned.training
    for name, part in network.state_dict().items():
        torch.testing.assert_close(part, before[name], rtol=0, atol=0)


def test_equal_seeds_are_equal_tunings(network):
    options = ReinforceOptions(steps=5, batch_size=8, seed=3)
    assert (
        reinforce(network, share_of_five, CODES, options)[1]
        == (reinforce(network, share_of_five, CODES, options)[1])
    )


def test_sequences_begin_end_and_hold_no_other_special_code(network):
    rows = write(network, 50, CODES)
    assert (rows[:, 0] == 2).all()
    for row in rows[:, 1:]:
        inner = row[: int((row == 3).nonzero()[0])] if (row == 3).any() else row
        assert not torch.isin(inner, torch.tensor(CODES.never)).any()


def test_a_loss_that_is_not_finite_is_an_error(network):
    def nothing(rows):
        return np.full(len(rows), np.inf)

    with pytest.raises(TrainingError, match="learning_rate"):
        reinforce(network, nothing, CODES, ReinforceOptions(steps=1, batch_size=4))


@pytest.mark.parametrize("share", [0.0, 1.5])
def test_the_share_that_is_learned_from_is_one(share):
    with pytest.raises(ParameterError, match="'best'"):
        ReinforceOptions(best=share)
