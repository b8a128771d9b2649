"""Metrics of masks by hand and by definition; the baselines where they must be right."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.errors import SchemaError
from industry_apps.recipes.imaging.mask_baselines import GreyThreshold, empty_mask, otsu_mask
from industry_apps.recipes.imaging.mask_metrics import (
    MaskCounts,
    dice_optimal_threshold,
    mask_bootstrap,
)


def masks(seed: int, sizes: list[tuple[int, int]], share: float) -> list[np.ndarray]:
    draw = np.random.default_rng(seed)
    return [draw.random(size) < share for size in sizes]


SIZES = [(8, 8), (5, 9), (8, 8), (3, 3)]


def test_pooled_metrics_are_those_of_all_pixels_in_one_row():
    truth, marked = masks(0, SIZES, 0.3), masks(1, SIZES, 0.4)
    found = mask_bootstrap(MaskCounts.of(truth, marked)).values
    one, other = (np.concatenate([m.ravel() for m in each]) for each in (truth, marked))
    both = (one & other).sum()
    assert found["dice"] == pytest.approx(2 * both / (one.sum() + other.sum()))
    assert found["iou"] == pytest.approx(both / (one | other).sum())
    assert found["dice"] == pytest.approx(2 * found["iou"] / (1 + found["iou"]))


def test_a_perfect_answer_is_one_and_an_empty_one_zero():
    truth = [*masks(0, SIZES, 0.3), np.zeros((4, 4), bool)]
    perfect = mask_bootstrap(MaskCounts.of(truth, truth)).values
    nothing = mask_bootstrap(MaskCounts.of(truth, [np.zeros_like(m) for m in truth])).values
    best = {"dice": 1, "iou": 1, "dice_by_image": 1, "detection_rate": 1, "false_alarm_rate": 0}
    assert perfect == best
    assert nothing == dict.fromkeys(best, 0)


def test_marks_in_clean_images_count_against_the_pooled_dice_only():
    truth = [np.eye(4, dtype=bool), np.zeros((4, 4), bool)]
    found = mask_bootstrap(MaskCounts.of(truth, [truth[0], np.ones((4, 4), bool)])).values
    assert found["dice"] == pytest.approx(2 * 4 / (4 + 4 + 16))
    assert found["dice_by_image"] == 1
    assert found["false_alarm_rate"] == 1


def test_what_is_flagged_may_be_said_apart_from_the_pixels():
    truth = [np.eye(4, dtype=bool), np.zeros((4, 4), bool)]
    counts = MaskCounts.of(truth, truth, np.array([False, True]))
    found = mask_bootstrap(counts).values
    assert (found["detection_rate"], found["false_alarm_rate"]) == (0, 1)


def test_intervals_resample_images_and_leave_out_what_is_undefined():
    truth = masks(0, [(8, 8)] * 12, 0.2)
    counts = MaskCounts.of(truth, masks(1, [(8, 8)] * 12, 0.2))
    result = mask_bootstrap(counts, resamples=50)
    dice = result.estimates()["dice"]
    assert dice.low < dice.value < dice.high
    assert np.isnan(result.draws["false_alarm_rate"]).all()  # no image without a region
    together = mask_bootstrap(counts, groups=[0] * 6 + [1] * 6, resamples=50)
    assert len(np.unique(together.draws["dice"])) <= 3


@pytest.mark.parametrize(
    ("marked", "message"),
    [([], "1 true masks and 0 others"), ([np.zeros((2, 3), bool)], r"Image 0: .*\(2, 2\)")],
)
def test_masks_that_do_not_belong_together_are_refused(marked, message):
    with pytest.raises(SchemaError, match=message):
        MaskCounts.of([np.zeros((2, 2), bool)], marked)


def test_no_threshold_of_the_grid_is_better_than_the_chosen_one():
    draw = np.random.default_rng(0)
    truth = masks(0, SIZES, 0.3)
    scores = [0.5 * draw.random(m.shape) + 0.3 * m for m in truth]
    threshold, dice = dice_optimal_threshold(scores, truth)
    counts = {
        t: mask_bootstrap(MaskCounts.of(truth, [s >= t for s in scores]), resamples=1).values
        for t in np.linspace(0.01, 0.8, 80)
    }
    assert dice == pytest.approx(max(found["dice"] for found in counts.values()))
    assert dice == pytest.approx(counts[min(counts, key=lambda t: abs(t - threshold))]["dice"])


def test_no_threshold_without_a_region():
    with pytest.raises(SchemaError, match="No pixel of the validation masks is marked"):
        dice_optimal_threshold([np.ones((2, 2))], [np.zeros((2, 2), bool)])


def spot(inside: int, outside: int) -> tuple[np.ndarray, np.ndarray]:
    truth = np.zeros((20, 20), bool)
    truth[4:8, 6:11] = True
    grey = np.where(truth, inside, outside) + np.random.default_rng(0).integers(-3, 4, (20, 20))
    return grey.astype(np.uint8)[:, :, None], truth


@pytest.mark.parametrize(("inside", "outside"), [(40, 150), (200, 90)])
def test_thresholds_find_a_spot_that_differs_in_grey(inside, outside):
    image, truth = spot(inside, outside)
    assert np.array_equal(otsu_mask(image), truth)
    chosen = GreyThreshold.chosen([image], [truth])
    assert np.array_equal(chosen.mask(image), truth)
    assert chosen.score.startswith("darker" if inside < outside else "brighter")


def test_constant_images_have_nothing_to_mark():
    image = np.full((5, 4, 3), 7, np.uint8)
    assert not otsu_mask(image).any()
    assert empty_mask(image).shape == (5, 4)


def test_metrics_of_classes_are_those_of_each_and_their_mean():
    truth, marked = (masks(seed, SIZES, 0.4) for seed in (0, 1))
    counts = {"a": MaskCounts.of(truth, marked), "b": MaskCounts.of(marked, [~m for m in truth])}
    found = mask_bootstrap(counts, resamples=3).values
    alone = {name: mask_bootstrap(each, resamples=3).values for name, each in counts.items()}
    for metric, value in found.items():
        name = metric.rpartition("_of_")[2]
        if name in counts:
            assert value == alone[name][metric.removesuffix(f"_of_{name}")]
        elif metric != "false_alarm_rate":  # which no image tells
            assert value == pytest.approx((alone["a"][metric] + alone["b"][metric]) / 2)
    assert mask_bootstrap({"a": counts["a"]}, resamples=3).values == pytest.approx(
        alone["a"], nan_ok=True
    )


def test_a_class_without_a_pixel_in_a_resample_is_left_out_of_its_mean():
    empty = MaskCounts.of([np.zeros((2, 2), bool)] * 2, [np.zeros((2, 2), bool)] * 2)
    half = MaskCounts.of([np.eye(2, dtype=bool)] * 2, [np.ones((2, 2), bool)] * 2)
    found = mask_bootstrap({"none": empty, "half": half}, resamples=3).values
    assert found["dice"] == pytest.approx(2 * 2 / (2 + 4))
    assert np.isnan(found["dice_of_none"])
