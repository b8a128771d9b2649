"""Boxes around what a mask marks: numpy alone, and as an independent labelling finds them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from industry_apps.errors import SchemaError
from industry_apps.runtime import RegionBoxes
from industry_apps.runtime.boxes import Box, regions


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (40, 57)])
@pytest.mark.parametrize("share", [0.1, 0.45, 0.8])
def test_regions_are_those_of_scipy(shape, share):
    mask = (np.random.default_rng(0).random(shape) < share).astype(np.uint8)
    expected, _ = ndimage.label(mask, np.ones((3, 3)))
    assert np.array_equal(regions(mask), expected)


def test_a_long_region_is_one():
    mask = np.zeros((41, 41), dtype=np.uint8)
    mask[::4] = 1
    mask[2::8, -1] = mask[1::8, -1] = mask[3::8, -1] = 1
    mask[5::8, 0] = mask[6::8, 0] = mask[7::8, 0] = 1  # a band that goes to and fro
    assert regions(mask).max() == 1


def test_values_side_by_side_are_regions_of_their_own():
    mask = np.random.default_rng(0).integers(0, 3, (30, 30))
    expected = sum(ndimage.label(mask == value, np.ones((3, 3)))[1] for value in (1, 2))
    assert regions(mask).max() == expected


def test_boxes_come_with_type_and_score_the_surest_first():
    mask = np.zeros((6, 8), dtype=np.uint8)
    mask[1:3, 1:4], mask[4, 6] = 1, 2
    heat = np.where(mask == 1, 200, 255).astype(np.uint8)
    heat[1, 1] = 100
    assert RegionBoxes(types=("open", "short")).of(mask, heat) == [
        Box(6, 4, 7, 5, "short", 1.0),
        Box(1, 1, 4, 3, "open", 200 / 255),
    ]
    few = RegionBoxes(types=("open", "short"), least_score=0.9)
    assert [box.type for box in few.of(mask, heat)] == ["short"]
    large = RegionBoxes(types=("open", "short"), least_pixels=2)
    assert [box.type for box in large.of(mask.tolist(), heat.tolist())] == ["open"]


def test_touching_pixels_are_one_box_of_the_type_of_most():
    mask = np.zeros((6, 8), dtype=np.uint8)
    mask[1:4, 1:5] = 2
    mask[1, 1] = 1
    (box,) = RegionBoxes(types=("open", "short")).of(mask, (mask > 0) * 255)
    assert box == Box(1, 1, 5, 4, "short", 1.0)


def test_nothing_marked_has_no_boxes():
    assert RegionBoxes(types=("open",)).of(np.zeros((3, 4)), np.zeros((3, 4))) == []


def test_what_does_not_fit_together_is_refused():
    boxes = RegionBoxes(types=("open",))
    with pytest.raises(SchemaError, match=r"mask of shape \(2, 3\) and a map of shape \(3, 2\)"):
        boxes.of(np.zeros((2, 3)), np.zeros((3, 2)))
    with pytest.raises(SchemaError, match="value 2, and there are 1 types"):
        boxes.of(np.full((2, 2), 2), np.zeros((2, 2)))
    with pytest.raises(SchemaError, match="marks no regions"):
        RegionBoxes.of_file({"application": "finance.fraud_detection"})
