"""Images changed at random, and weights averaged along the way."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from industry_apps.errors import ParameterError
from industry_apps.training import (
    Augmentation,
    AveragedNetwork,
    TrainingOptions,
    fit_network,
    seeded,
)
from industry_apps.training.augmentation import augmented, mixed

STILL = {
    name: 0 for name in ("rotation", "shift", "scale", "contrast", "brightness", "noise", "mixup")
}


def images(rows: int = 64) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).normal(size=(rows, 2, 12, 12))).float()


def test_nothing_changes_without_changes():
    x = images()
    assert augmented(x, Augmentation(mirror=False, **STILL)) is x


def test_a_mirror_exchanges_sides_in_some():
    x = images()
    with seeded(0):
        found = augmented(x, Augmentation(mirror=True, **STILL))
    kept = torch.isclose(found, x, atol=1e-4).flatten(1).all(1)
    turned = torch.isclose(found, x.flip(3), atol=1e-4).flatten(1).all(1)
    assert (kept ^ turned).all()
    assert 16 < int(turned.sum()) < 48


def test_a_shift_moves_no_further_than_it_may():
    x = torch.zeros(32, 1, 21, 21)
    x[:, :, 10, 10] = 1
    with seeded(1):
        found = augmented(x, Augmentation(mirror=False, **{**STILL, "shift": 0.2}))
    places = found.flatten(1).argmax(1)
    down, across = places // 21, places % 21
    assert (down - 10).abs().max() <= 5
    assert (across - 10).abs().max() <= 5
    assert len(set(places.tolist())) > 10


@pytest.mark.parametrize("name", ["contrast", "brightness", "noise", "rotation", "scale"])
def test_each_change_changes_and_repeats(name):
    x, change = (
        images(),
        Augmentation(mirror=False, **{**STILL, name: 0.5 if name != "rotation" else 20}),
    )
    with seeded(2):
        first = augmented(x, change)
    with seeded(2):
        second = augmented(x, change)
    assert torch.equal(first, second)
    assert not torch.allclose(first, x, atol=1e-3)


def test_mixup_mixes_targets_as_it_mixes_images():
    x, target = torch.eye(8)[:, :, None, None], torch.eye(8)
    with seeded(3):
        pixels, shares = mixed(x, target, 1.0)
    assert torch.allclose(pixels[:, :, 0, 0], shares)
    assert torch.allclose(shares.sum(1), torch.ones(8))


@pytest.mark.parametrize("wrong", [{"shift": 1.0}, {"rotation": -1}, {"mirror": 1}, {"mixup": "a"}])
def test_changes_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        Augmentation(**wrong)


def test_the_mean_of_the_weights_is_what_is_validated_and_kept():
    x = np.linspace(-1, 1, 64, dtype=np.float32)[:, None]
    with seeded(0):
        network = nn.Sequential(nn.Linear(1, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))
    averaged = AveragedNetwork(network, 0.9)

    def loss(net, batch):
        return (net(batch[0]) - batch[1]).square().mean()

    options = TrainingOptions(
        max_epochs=5, batch_size=16, patience=5, progress=False, precision="float32"
    )
    history = fit_network(averaged, (x, 2 * x), (x, 2 * x), loss, options)
    with torch.inference_mode():
        kept = loss(averaged.average, (torch.from_numpy(x), torch.from_numpy(2 * x)))
    assert np.isclose(kept, min(history.validation_loss), rtol=1e-5)
    first = averaged.average[0].weight
    assert not torch.equal(first, averaged.network[0].weight)
    assert not first.requires_grad


def test_the_weights_a_network_begins_with_are_not_in_the_mean():
    averaged = AveragedNetwork(nn.Linear(1, 1), 0.99)
    nn.init.constant_(averaged.network.weight, 7.0)
    averaged(torch.zeros(1, 1))
    assert averaged.average.weight.item() == pytest.approx(7.0)


def test_few_rows_are_seen_as_often_as_the_least_steps_ask():
    x = np.linspace(-1, 1, 20, dtype=np.float32)[:, None]
    options = TrainingOptions(
        max_epochs=2, patience=2, batch_size=10, least_steps=11, learning_rate=1e-5, progress=False
    )
    with seeded(0):
        network = nn.Linear(1, 1)
    history = fit_network(network, (x,), None, lambda net, batch: net(batch[0]).mean(), options)
    assert len(history.train_loss) == 6
