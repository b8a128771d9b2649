"""The parts of the recipe of masks, each on cases that can be reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from industry_apps.errors import ParameterError
from industry_apps.recipes.imaging.mask_training import region_objective
from industry_apps.recipes.imaging.segmentation import (
    MaskedImages,
    MaskOptions,
    _best_cut,
    _with_more_regions,
)
from industry_apps.training.augmentation import Augmentation


class Saying(torch.nn.Module):
    """Says that a pixel is in a region where it is bright, and remembers what it was shown."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        self.shown = image
        return 20 * (image[:, :1] - 0.5)


def test_a_right_answer_costs_nothing_and_a_wrong_one_much():
    region = (torch.rand(4, 1, 8, 8) < 0.3).float()
    objective = region_objective(Augmentation(), turned=True)
    network = Saying().eval()
    assert objective(network, (region, region)).item() == pytest.approx(0, abs=1e-3)
    assert objective(network, (1 - region, region)).item() > 5


def test_image_and_mask_are_moved_alike_in_training_only():
    torch.manual_seed(0)
    region = torch.zeros(16, 1, 12, 12)
    region[:, :, 2:5, 1:9] = 1
    still = Augmentation(contrast=0, brightness=0, noise=0)
    objective, network = region_objective(still, turned=True), Saying().train()
    # The network says what it sees: were the mask not moved alike, it would be wrong.
    assert objective(network, (region, region)).item() < 0.3
    assert not torch.equal(network.shown, region)
    objective(network.eval(), (region, region))
    assert torch.equal(network.shown, region)


def test_images_with_a_region_are_half_of_what_is_learned_from():
    masks = np.empty(12, dtype=object)
    masks[:] = [np.full((2, 2), row < 3) for row in range(12)]
    images = np.arange(12)
    found = _with_more_regions(MaskedImages({"image": images}, masks))
    has_region = np.array([mask.any() for mask in found.masks])
    assert has_region.mean() == pytest.approx(0.5)
    assert np.array_equal(found.arrays["image"] < 3, has_region)


@pytest.mark.parametrize(
    ("shares", "has_region", "expected"),
    [
        ([0.0, 0.1, 0.2, 0.4], [False, False, True, True], 0.15),
        ([0.0, 0.0, 0.2, 0.4], [False, False, True, True], 0.1),
        ([0.0, 0.3], [True, True], 0.15),
    ],
)
def test_the_cut_lies_halfway_between_images_with_and_without_a_region(
    shares, has_region, expected
):
    assert _best_cut(np.array(shares), np.array(has_region)) == pytest.approx(expected)


def test_options_have_limits():
    with pytest.raises(ParameterError, match=r"'size' parameter of MaskOptions .* Got 8 instead"):
        MaskOptions(size=8)
