"""The pieces of a detector of defects: windows, pasted defects, matching of boxes, pooled folds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from industry_apps.evaluation.costs import Costs
from industry_apps.evaluation.repeats import merged
from industry_apps.evaluation.report import Report
from industry_apps.manufacturing.defects.baselines import XorBaseline
from industry_apps.manufacturing.defects.matching import box_bootstrap, matches
from industry_apps.manufacturing.defects.metrics import DEFECTS, KnownAnswers, PlaceCounts
from industry_apps.manufacturing.defects.parts import Parts
from industry_apps.manufacturing.defects.pasting import pasted
from industry_apps.manufacturing.defects.windows import UNKNOWN, Sheets
from industry_apps.runtime.boxes import Box
from industry_apps.schema.images import one_by_one


def sheets(*shapes, side=16):
    masks = [np.zeros(shape, np.uint8) for shape in shapes]
    pixels = [np.arange(np.prod(s)).reshape(1, *s).astype(np.float16) for s in shapes]
    return Sheets(pixels, masks, np.zeros(len(shapes), np.intp), side)


def test_windows_cover_every_pixel_and_lie_inside():
    known = sheets((16, 16), (40, 17), (5, 33))
    seen = [np.zeros(mask.shape, bool) for mask in known.masks]
    for number, top, left in known.windows():
        height, width = known.masks[number].shape
        assert 0 <= top <= max(0, height - 16)
        assert 0 <= left <= max(0, width - 16)
        seen[number][top : top + 16, left : left + 16] = True
    assert all(each.all() for each in seen)


def test_windows_hold_the_pixels_of_their_place_and_small_images_repeat_their_edge():
    known = sheets((20, 30), (5, 16))
    pixels, masks = known.cut(torch.tensor([[0, 4, 10], [1, 0, 0]]), moved=False)
    assert pixels.shape == (2, 1, 16, 16)
    assert masks.shape == (2, 16, 16)
    assert np.array_equal(pixels[0, 0], known.pixels[0][0, 4:20, 10:26].astype(np.float32))
    assert (pixels[1, 0, 5:] == pixels[1, 0, 4]).all()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        moved, _ = known.cut(torch.tensor([[0, 4, 10]] * 30), moved=True)
    assert len({float(each[0, 0, 0]) for each in moved}) > 10


def test_a_window_shows_what_its_pixels_are_and_what_the_image_is_where_they_are_unknown():
    known = sheets((16, 32), (16, 16))
    known.masks[0][2:9, 20:24] = 3
    known.masks[1][:] = UNKNOWN
    known.types[:] = 3, 2
    assert known.kinds(known.windows()).tolist() == [0, 3, 2]


def test_pasted_defects_differ_where_the_mask_is_and_nowhere_else():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        good = torch.randn(64, 2, 32, 32)
        bad, mask = pasted(good)
    changed = (bad != good).any(1)
    assert not changed[~mask].any()
    assert 0.3 < mask.flatten(1).any(1).float().mean() < 0.9
    assert (changed & mask).sum() > 0.9 * mask.sum()


def test_each_box_matches_once_the_surest_first_and_types_count():
    there = [Box(0, 0, 10, 10, "open", 1.0), Box(20, 0, 30, 10, "short", 1.0)]
    found = [
        Box(0, 0, 10, 9, "open", 0.6),
        Box(0, 0, 10, 10, "open", 0.9),  # the same one again
        Box(20, 0, 30, 10, "open", 0.8),  # of another type
        Box(20, 7, 30, 17, "short", 0.7),  # too little of it
    ]
    counts = matches([there, []], [found, found[:1]])
    assert counts.matched.tolist() == [1, 0]
    assert matches([there], [found], typed=False).matched.tolist() == [2]
    assert counts.f1() == pytest.approx(2 * 1 / (2 + 5))
    estimates = box_bootstrap(counts, matches([there, []], [found, []], typed=False)).values
    assert estimates["box_recall"] == 0.5
    assert estimates["box_precision"] == pytest.approx(1 / 5)
    assert all(DEFECTS.metric(name).meaning for name in estimates)


def test_exclusive_or_finds_what_differs():
    board = np.zeros((20, 20, 1), np.uint8)
    other = board.copy()
    other[3:8, 5:9] = 255
    other[15, 15] = 255  # a pixel is noise
    told = one_by_one([[Box(5, 3, 9, 8, "spur", 1.0)]])
    parts = Parts(
        {"image": one_by_one([other]), "reference": one_by_one([board])},
        np.ones(1, np.intp),
        one_by_one([None]),
        told,
        np.zeros(1, np.int64),
    )
    rule = XorBaseline().fit(parts)
    assert matches(list(told), rule.boxes(parts)).f1() == 1
    assert rule.types_[True] == "spur"


def answers(rows, seed):
    draw = np.random.default_rng(seed)
    types = np.arange(rows) % 3
    said = np.where(draw.random(rows) < 0.7, types, 0)
    return KnownAnswers(
        types=types,
        said=said,
        score=draw.random(rows),
        alarm=said > 0,
        groups=np.array([f"{seed} {row // 2}" for row in range(rows)]),
        costs=Costs(),
    )


def test_folds_are_judged_as_one():
    parts = [answers(30, seed) for seed in range(3)]
    reports = [
        Report.beside(
            "net",
            part.bootstrap(),
            {"prior": part.bootstrap()},
            pooled={"model": part, "prior": part},
        )
        for part in parts
    ]
    found = merged(reports, test_share=1 / 3, rows_once=3)
    whole = parts[0].joined(parts[1:]).bootstrap().estimates()
    assert found.metrics == whole
    assert found.margins["prior"]["macro_f1"].value == 0
    assert found.metrics["macro_f1"].value != np.mean(
        [report.metrics["macro_f1"].value for report in reports]
    )
    assert "Of the answers of 3 folds together" in found.notes[0]


def test_pixels_are_counted_by_the_value_of_the_map():
    truth = [np.array([[1, 0], [0, 0]]), None]
    heat = [np.array([[200, 10], [200, 0]], np.uint8)] * 2
    counts = PlaceCounts.of(truth, [each > 100 for each in heat], heat)
    metrics = counts.metrics()
    weight = np.ones(2)
    assert metrics["pixel_auroc"](weight) == pytest.approx(2.5 / 3)
    assert metrics["dice"](weight) == pytest.approx(2 / 3)


def test_weights_that_fit_are_taken_and_those_of_further_types_stay():
    from industry_apps.backbones.defects import DefectNet
    from industry_apps.manufacturing.defects.learning import _continue

    before, after = DefectNet(1, 1, width=4, depth=2), DefectNet(1, 3, width=4, depth=2)
    own = after.unet.head.weight.detach().clone()
    _continue(after, before)
    assert torch.equal(after.unet.down[0][0].weight, before.unet.down[0][0].weight)
    assert torch.equal(after.unet.head.weight[:4], before.unet.head.weight[:4])
    assert torch.equal(after.unet.head.weight[4:], own[4:])
