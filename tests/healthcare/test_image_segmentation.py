"""What is particular to masks: sizes, channels, truth values, patients, and what is refused."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

from industry_apps.data import load, read_images, sample
from industry_apps.errors import LeakageError, SchemaError, TrainingError
from industry_apps.healthcare import ImagingSegmenter
from industry_apps.recipes.imaging.masks import MaskValues
from industry_apps.runtime import Model
from industry_apps.schema.images import unpack
from industry_apps.schema.values import UnfitError


@pytest.fixture(scope="module")
def data():
    return sample("healthcare_mask_simulator")


@pytest.fixture(scope="module")
def segmenter(data):
    return ImagingSegmenter.fast().fit(data)


@pytest.fixture(scope="module")
def path(segmenter, data, tmp_path_factory):
    return segmenter.export(tmp_path_factory.mktemp("masks") / "masks.onnx", check=data)


def test_regions_are_found_far_better_than_by_their_grey(segmenter, data):
    report = segmenter.evaluate(data)
    assert report.metrics["dice"].low > 0.6
    assert report.margins["grey_threshold"]["dice"].low > 0.3
    assert report.baselines["empty_mask"]["dice"].value == 0
    assert any("Not measured on medical masks" in note for note in report.notes)


def test_no_pixel_changes_in_the_file(segmenter, path, data):
    assert segmenter.parity_.changed_decisions == 0
    ours, theirs = segmenter.predict(data.test), Model(path).predict(data.test)
    assert all(map(np.array_equal, ours["mask"], theirs["mask"]))
    assert list(ours["found"]) == list(theirs["found"])


def test_masks_have_the_size_of_their_image_and_agree_with_the_share(path):
    images = [np.full(size, 90, np.uint8) for size in ((24, 24), (7, 31), (100, 60), (24, 24))]
    answers = Model(path).predict(pd.DataFrame({"image": images}))
    for image, mask, share in zip(images, answers["mask"], answers["region_share"], strict=True):
        assert mask.shape == image.shape
        assert set(np.unique(mask)) <= {0, 255}
        assert share == pytest.approx((mask > 0).mean())


def test_an_image_that_is_enlarged_keeps_its_region(path, data):
    row = int(np.argmax([mask.sum() for mask in data.test["mask"]]))
    image = data.test["image"].iloc[row]
    twice = image.repeat(2, axis=0).repeat(2, axis=1)
    small, large = (Model(path).predict({"image": each}) for each in (image, twice))
    assert np.shape(large["mask"]) == (48, 48)
    assert large["region_share"] == pytest.approx(small["region_share"], abs=0.03)


def test_one_record_is_answered_as_json_knows_it(path):
    answer = Model(path).predict({"image": np.zeros((1, 1), np.uint8)})
    assert answer["mask"] in ([[0]], [[255]])
    assert isinstance(answer["found"], bool)


def test_answers_to_files_and_arrow_tables_hold_the_mask(path, tmp_path):
    Image.fromarray(np.full((9, 5), 80, np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "list.csv").write_text(f"image\n{tmp_path / 'a.png'}\n")
    model = Model(path)
    assert model.predict(tmp_path / "list.csv", to=tmp_path / "out.csv") == 1
    packed = pd.read_csv(tmp_path / "out.csv")["mask"][0]
    assert unpack(json.loads(packed)).shape == (9, 5)
    table = pa.table({"image": [(tmp_path / "a.png").read_bytes()]})
    assert len(model.predict(table)["mask"][0].as_py()) == 9


def test_masks_may_be_truth_values_under_another_name(data):
    frames = [
        part.assign(region=[mask > 0 for mask in part["mask"]])
        .drop(columns="mask")
        .rename(columns={"image": "scan"})
        for part in (data.train, data.validation, data.test)
    ]
    segmenter = ImagingSegmenter.fast().set_params(columns={"image": "scan", "mask": "region"})
    segmenter.fit(*frames[:2])
    assert segmenter.evaluate(frames[2]).metrics["dice"].value > 0.6
    assert list(segmenter.predict(frames[2].head(2)).columns) == ["mask", "region_share", "found"]


def test_colour_and_patients(data):
    frame = data.train.head(60).assign(
        image=[np.stack([i, 255 - i, i], axis=2) for i in data.train["image"].head(60)],
        patient=[f"P{row // 3}" for row in range(60)],
    )
    split = ImagingSegmenter().split(frame)
    assert not set(split.train["patient"]) & set(split.test["patient"])
    segmenter = ImagingSegmenter.fast().fit(split.train, split.validation)
    assert segmenter.schema_["image"].channels == 3
    assert segmenter.evaluate(split.test).metrics["dice"].value > 0.2
    with pytest.raises(LeakageError, match=r"Column 'patient'.*to learn from"):
        segmenter.evaluate(split.validation)
    with pytest.raises(LeakageError, match=r"Column 'patient'.*to learn from"):
        ImagingSegmenter.fast().fit(split.train, frame)
    with pytest.raises(SchemaError, match="not one of 1 channels"):
        segmenter.predict(data.test.head(1))


def test_what_does_not_fit_is_refused(segmenter, data):
    frame = data.train.head(60)
    small = frame.assign(mask=[mask[:10] for mask in frame["mask"]])
    with pytest.raises(SchemaError, match=r"'mask', row 0: a mask of 10 x 24 .* image of 24 x 24"):
        ImagingSegmenter.fast().fit(small, data.validation)
    empty = frame.assign(mask=[np.zeros_like(mask) for mask in frame["mask"]])
    with pytest.raises(TrainingError, match="No training image has a region"):
        ImagingSegmenter.fast().fit(empty, data.validation)
    with pytest.raises(SchemaError, match="No pixel of the validation masks is marked"):
        ImagingSegmenter.fast().fit(frame, empty)
    with pytest.raises(SchemaError, match=r"'image', row 1.*float64"):
        segmenter.predict(pd.DataFrame({"image": [frame["image"].iloc[0], np.zeros((4, 4))]}))
    with pytest.raises(SchemaError, match="8192 pixels a side"):
        segmenter.predict(pd.DataFrame({"image": [np.zeros((1, 8193), np.uint8)]}))


@pytest.mark.real_data("magnetic_tile")
def test_the_tiles_are_split_as_their_card_says():
    tiles = load("magnetic_tile_masks")
    parts = tiles.train, tiles.validation, tiles.test
    assert [len(part) for part in parts] == [746, 288, 310]
    shown = [set(part["part"]) for part in parts]
    assert not shown[0] & shown[1]
    assert not (shown[0] | shown[1]) & shown[2]
    again = load("magnetic_tile_masks")
    assert all(map(np.array_equal, tiles.validation["image"], again.validation["image"]))
    marked = [mask.any() for mask in tiles.test["mask"]]
    assert sum(marked) <= (tiles.test["defect"] != "good").sum()


def test_images_that_were_learned_from_are_counted(segmenter, data):
    without = data.train.drop(columns="patient", errors="ignore")
    twice = pd.concat([data.test, without.head(3)], ignore_index=True)
    before, after = (segmenter.evaluate(table).notes for table in (data.test, twice))
    assert not any("equal a record" in note for note in before)
    assert any(note.startswith(f"3 of {len(twice)} records") for note in after)


GREY_MASK = np.array([[0, 0, 1], [0, 1, 1]], np.uint8)
REGION = GREY_MASK > 0
RED, GREEN = (200, 0, 0), (0, 200, 0)
COLOURS = np.array([[(0, 0, 0), RED, GREEN]] * 2, np.uint8)


def encoded(mask: Image.Image) -> bytes:
    content = io.BytesIO()
    mask.save(content, "PNG")
    return content.getvalue()


@pytest.mark.parametrize(
    ("mask", "region", "expected"),
    [
        (GREY_MASK, None, REGION),
        (GREY_MASK * 255, None, REGION),
        (REGION, None, REGION),
        (REGION.astype(np.float64), None, REGION),
        (GREY_MASK.astype(np.uint16) * 700, None, REGION),
        (GREY_MASK.tolist(), None, REGION),
        (np.stack([GREY_MASK * 255] * 3, axis=2), None, REGION),
        (np.array(RED, np.uint8) * REGION[:, :, None], None, REGION),
        (encoded(Image.fromarray(REGION)), None, REGION),
        (encoded(Image.fromarray(GREY_MASK * 255).convert("P")), None, REGION),
        (encoded(Image.fromarray(COLOURS).quantize(3)), (RED,), [[0, 1, 0]] * 2),
        (COLOURS, (RED, GREEN), [[0, 1, 1]] * 2),
        (GREY_MASK + 1, (2,), REGION),  # the background is 1
        (255 - GREY_MASK * 255, (0,), REGION),  # and here 255
        (GREY_MASK * 3 + np.array([0, 0, 1], np.uint8), (4,), [[0, 0, 1], [0, 0, 1]]),
        (None, None, None),
        (np.nan, None, None),
    ],
)
def test_masks_of_all_forms_mean_the_same(mask, region, expected):
    masks = [GREY_MASK * 0, mask]
    found = MaskValues.learned(masks, region).read(masks)[1]
    assert found is None if expected is None else np.array_equal(found, np.array(expected) > 0)


THREE = np.array([[0, 1, 2], [0, 1, 2]], np.uint8)


@pytest.mark.parametrize(
    ("mask", "region"),
    [
        (THREE, {"a": 1, "b": 2}),
        (THREE.astype(np.float32), {"a": 1, "b": 2}),
        (THREE.tolist(), {"a": (1,), "b": [2]}),
        (THREE.astype(np.uint16) * 700, {"a": 700, "b": 1400}),
        (THREE + 3, {"background": 3, "a": 4, "b": 5}),
        (2 - THREE, {"a": 1, "b": 0, "background": 2}),
        (np.array([[0, 1, 3], [4, 2, 3]]), {"a": (1, 2), "b": 3, "background": (0, 4)}),
        (COLOURS, {"a": (RED,), "b": (GREEN,)}),
        (COLOURS, {"a": [list(RED)], "b": [list(GREEN)]}),
        (encoded(Image.fromarray(COLOURS).quantize(3)), {"a": (RED,), "b": (GREEN,)}),
        (encoded(Image.fromarray(THREE * 100)), {"a": 100, "b": 200}),
    ],
)
def test_masks_of_several_classes_mean_the_same_in_all_forms(mask, region):
    (found, none) = MaskValues.learned([mask], region).read([mask, None])
    assert none is None
    assert found.dtype == np.uint8
    assert np.array_equal(found, THREE)


def test_masks_in_files_beside_a_table_keep_their_colours_and_may_be_absent(tmp_path):
    Image.fromarray(COLOURS).quantize(3).save(tmp_path / "mask.png")
    Image.fromarray(COLOURS).save(tmp_path / "image.png")
    (tmp_path / "table.csv").write_text("image,mask\nimage.png,mask.png\nimage.png,\n")
    masks = read_images(tmp_path / "table.csv", columns=("image", "mask"))["mask"]
    first, none = MaskValues.learned(masks, {"a": (RED,), "b": (GREEN,)}).read(masks)
    assert np.array_equal(first, THREE)
    assert none is None


@pytest.mark.parametrize(
    ("mask", "region", "words"),
    [
        (THREE, {"a": 1}, r"0, 1, not 2$"),
        (THREE, {"a": 1, "b": 2, "background": 3}, r"1, 2, 3, not 0$"),
        (REGION, {"a": 1}, r"0, 1, not 255$"),
        (COLOURS, {"a": RED}, r"not \(0, 200, 0\), \(200, 0, 0\)$"),
        (np.array([[0.0, 0.4, 1.0]]), {"a": 1}, r"0, 1, not 0.4$"),
    ],
)
def test_values_of_no_class_are_refused(mask, region, words):
    with pytest.raises(UnfitError) as refused:
        MaskValues.learned([mask], region).read(
            [THREE * 0 + (3 if "background" in region else 0), mask]
        )
    assert refused.value.row == 1
    assert re.search(words, refused.value.expected)


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (GREY_MASK * 3 + np.array([0, 0, 1], np.uint8), "not of 3, 4: several classes"),
        (COLOURS, r"not of \(0, 200, 0\), \(200, 0, 0\)"),
        (np.array([[0.0, 0.4, 1.0]]), "greys that smoothing or a JPEG has made"),
        (GREY_MASK + 1, "a background that is not 0"),
        (np.where(REGION, 1, np.nan), "expected finite values. Write a number"),
        (np.moveaxis(np.zeros((9, 9, 3), np.uint8), -1, 0), "channels last"),
        ("mask.png", "beneath a folder"),
    ],
)
def test_masks_that_may_mean_two_things_are_refused(data, mask, words):
    frame = data.train.head(2).assign(mask=[GREY_MASK * 0, mask])
    with pytest.raises(SchemaError, match=f"Column 'mask', row 1.*{words}"):
        ImagingSegmenter().split(frame)


def test_a_background_that_is_not_0_and_strange_values_are_refused():
    with pytest.raises(UnfitError, match="a background of 0"):
        MaskValues.learned([GREY_MASK * 0 + 255])
    with pytest.raises(UnfitError, match="learned from, 0, 1, not 255"):
        MaskValues.learned([GREY_MASK]).read([GREY_MASK * 255])


def test_masks_that_are_the_wrong_way_round_are_not_learned_in_silence():
    small = np.zeros((9, 9), np.uint8)
    small[4, 4:6] = 255
    with pytest.raises(UnfitError, match="255 is most of 4 of 4 masks") as refused:
        MaskValues.learned([255 - small] * 4)
    assert "region=(0,), or region=(255,)" in refused.value.remedy
    for region, share in (((0,), 2 / 81), ((255,), 79 / 81)):
        (found,) = MaskValues.learned([255 - small] * 4, region).read([255 - small])
        assert found.mean() == pytest.approx(share)


def test_a_region_that_no_mask_has_is_refused_with_the_values_that_they_have():
    with pytest.raises(UnfitError, match="of the region, 1: they have 0, 255"):
        MaskValues.learned([GREY_MASK * 255], (1,))
    assert MaskValues.learned([GREY_MASK * 0], (1,)).known == {0.0}


def test_an_image_without_a_mask_has_no_region(data):
    none = [None if not mask.any() else mask for mask in data.train["mask"]]
    parts = ImagingSegmenter().split(data.train.assign(mask=none))
    segmenter = ImagingSegmenter.fast()
    segmenter.schema_ = ImagingSegmenter.schema.inputs()
    segmenter.values_, _ = segmenter._masks(parts.train, anew=True)
    known = segmenter._masked(parts.train)
    assert [mask.any() for mask in known.masks] == [m is not None for m in parts.train["mask"]]
