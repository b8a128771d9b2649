"""Networks of defects: shapes, gradients, pairs, and what is remembered."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from industry_apps.backbones.defects import AnomalyNet, DefectNet, PatchMemory, surest
from industry_apps.manufacturing.defects.memory import coreset


def test_every_parameter_learns():
    network = DefectNet(1, 2, width=4, depth=2)
    pixels, part, _ = network(torch.randn(4, 1, 16, 24))
    (pixels.square().mean() + part.square().mean()).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_at_first_hardly_a_pixel_is_defective():
    network = DefectNet(1, 3, width=4, depth=2, block=2).eval()
    pixels, _, _ = network(torch.zeros(1, 1, 16, 16))
    assert pixels[:, 0].sigmoid().mean() < 0.1


def test_an_image_that_equals_its_reference_shows_no_difference():
    network = DefectNet(2, 1, width=4, depth=2, block=1, pairs=True).eval()
    seen = []
    network.unet.down[0].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    image = torch.randn(1, 2, 16, 16)
    network(torch.cat([image, image], dim=1))
    network(torch.cat([image, image + 1], dim=1))
    assert seen[0].shape[1] == 6
    assert seen[0][:, 4:].abs().max() == 0
    assert seen[1][:, 4:].min() == pytest.approx(1, abs=1e-6)


def test_distances_are_those_of_the_nearest_remembered_patch():
    draw = np.random.default_rng(0)
    patches, seen = draw.normal(size=(20, 5)), draw.normal(size=(3, 5, 4, 6))
    centre, scale = draw.normal(size=5), draw.uniform(0.5, 2, 5)
    numbers = [torch.tensor(each, dtype=torch.float32) for each in (centre, scale, patches)]
    found = PatchMemory(*numbers)(torch.tensor(seen, dtype=torch.float32))
    rows = (np.moveaxis(seen, 1, -1) - centre) * scale
    apart = np.linalg.norm(rows[..., None, :] - patches, axis=-1).min(axis=-1)
    assert found.shape == (3, 1, 4, 6)
    np.testing.assert_allclose(found[:, 0], np.sqrt(apart**2 + 1e-2), rtol=1e-4)


def test_a_memory_of_all_patches_is_no_surprise_and_a_strange_one_is_far():
    patches = torch.randn(30, 4)
    memory = PatchMemory(torch.zeros(4), torch.ones(4), patches)
    known = patches.T.reshape(1, 4, 5, 6)
    assert memory(known).max() == pytest.approx(0.1, abs=5e-3)
    assert memory(known + 50).min() > 50


def test_a_coreset_covers_better_than_chance():
    draw = np.random.default_rng(0)
    points = np.concatenate([draw.normal(size=(500, 2)), [[30, 30]]]).astype(np.float32)
    chosen = coreset(points, 12, seed=0)
    apart = np.linalg.norm(points[:, None] - chosen, axis=2).min(axis=1).max()
    others = np.linalg.norm(points[:, None] - points[:12], axis=2).min(axis=1).max()
    assert len(chosen) == 12
    assert apart < others / 10  # which lack the one that lies apart
    assert len(coreset(points[:3], 12, seed=0)) == 3


@pytest.mark.parametrize(("by_network", "scorers"), [(True, 2), (False, 1)])
def test_scorers_stand_side_by_side(by_network, scorers):
    """A map of each; of the memory two scores, the furthest places and how unevenly all lie."""
    network = DefectNet(1, 1, width=4, depth=2).eval()
    features = network(torch.zeros(1, 1, 16, 16))[2].shape[1]
    memory = PatchMemory(*(torch.zeros(features) for _ in range(2)), torch.zeros(3, features))
    maps, scores = AnomalyNet(network, memory, by_network=by_network).eval()(
        torch.ones(2, 1, 9, 21)
    )
    assert maps.shape == (2, scorers, 9, 21)
    assert scores.shape == (2, scorers + 1)


def test_the_surest_places_are_the_largest():
    assert surest(torch.tensor([[[[1.0, 5.0], [3.0, 2.0]]]]), 2).item() == 4.0
