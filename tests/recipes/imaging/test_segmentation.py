"""The parts of the recipe of masks, each on cases that can be reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from industry_apps.errors import ParameterError
from industry_apps.features import GraphBuilder
from industry_apps.recipes.imaging.mask_decision import MaskDecision, mask_outputs
from industry_apps.recipes.imaging.mask_training import region_objective
from industry_apps.recipes.imaging.segmentation import (
    MaskedImages,
    MaskOptions,
    _best_cut,
    _with_more_regions,
)
from industry_apps.schema import Column, Schema
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


class SayingOfClasses(torch.nn.Module):
    """Says that a pixel is of the class whose channel of the image is bright."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        self.shown = image
        return 20 * (torch.cat([1 - image.sum(1, keepdim=True), image], dim=1) - 0.5)


def test_of_several_classes_a_right_answer_costs_nothing_and_an_exchange_of_two_much():
    number = torch.randint(0, 3, (4, 1, 8, 8))
    region = torch.cat([number == 1, number == 2], dim=1).float()
    objective, network = region_objective(Augmentation(), turned=True), SayingOfClasses().eval()
    assert objective(network, (region, region)).item() == pytest.approx(0, abs=1e-3)
    assert objective(network, (region.flip(1), region)).item() > 5


def test_image_and_masks_of_several_classes_are_moved_alike():
    torch.manual_seed(0)
    region = torch.zeros(16, 2, 12, 12)
    region[:, 0, 2:5, 1:9] = 1
    region[:, 1, 7:9, 2:4] = 1
    # Mirrored and turned alone, so that pixels stay whole.
    still = Augmentation(rotation=0, shift=0, scale=0, contrast=0, brightness=0, noise=0)
    objective, network = region_objective(still, turned=True), SayingOfClasses().train()
    assert objective(network, (region, region)).item() == pytest.approx(0, abs=1e-3)
    assert not torch.equal(network.shown, region)


ONE = Schema(
    (
        Column("mask", "image", channels=1, nullable=False),
        Column.probability("share"),
        Column("found", "boolean", nullable=False),
    )
)


def test_a_pixel_is_of_the_class_that_exceeds_its_threshold_the_most():
    decision = MaskDecision({"a": 0.5, "b": 0.1, "c": 0.3}, {"a": 0.3, "b": 0.3, "c": 0.1})
    outputs = mask_outputs(ONE, tuple(decision.thresholds), maps=True)
    # Of a alone, of b though a is likelier, of none, of c at its very threshold.
    a, b, c = [0.6, 0.5, 0.4, 0.1], [0.05, 0.2, 0.05, 0.09], [0.2, 0.1, 0.2, 0.3]
    maps = np.array([a, b, c], np.float32).reshape(1, 3, 2, 2)
    builder = GraphBuilder()
    builder.outputs(
        decision.write(builder, builder.input("maps", np.float32, (3, None, None)), outputs),
        outputs,
    )
    mask, share, found, *drawn = builder.session().run(None, {"maps": maps})
    assert mask[0].tolist() == [[85, 170], [0, 255]]
    assert share.tolist() == [[0.25, 0.25, 0.25]]
    assert found.tolist() == [[False, False, True]]
    assert np.array_equal(np.stack(drawn, axis=1), np.rint(255 * maps))
