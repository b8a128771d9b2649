"""Masks of several classes: what is answered, judged, learned and refused, class by class."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from industry_apps.data import Dataset, sample
from industry_apps.errors import ParameterError, SchemaError, TrainingError
from industry_apps.healthcare import ImagingSegmenter
from industry_apps.recipes.imaging.mask_decision import mask_codes
from industry_apps.recipes.imaging.masks import is_region
from industry_apps.runtime import Model
from industry_apps.schema.images import changed_pixels
from industry_apps.testing import yield_checks
from industry_apps.testing.light import light

REGION = {"spot": 1, "band": 2}
CODES = {"spot": 127, "band": 254}
_NUMBERS = {"clear": 0, "spot": 1, "band": 2}


def numbered(frame: pd.DataFrame) -> pd.DataFrame:
    """The masks of the sample, with the number of what each shows in place of white."""
    pairs = zip(frame["mask"], frame["finding"], strict=True)
    masks = [(mask > 0) * np.uint8(_NUMBERS[finding]) for mask, finding in pairs]
    return frame.drop(columns="finding").assign(mask=masks)


class OfSeveralClasses(ImagingSegmenter):
    """The same application as a model of two classes, for the suite."""

    @classmethod
    def fast(cls):
        return super().fast().set_params(region=REGION, maps=True)

    @classmethod
    def sample(cls) -> Dataset:
        data = sample("healthcare_mask_simulator")
        parts = {name: numbered(getattr(data, name)) for name in ("train", "validation", "test")}
        return replace(data, **parts)


@pytest.fixture(scope="module")
def checks():
    return dict(yield_checks(OfSeveralClasses))


@pytest.fixture(scope="module")
def trial(checks):
    return checks["export_parity"].args[0].args[0]


@pytest.fixture(scope="module")
def data(trial):
    return trial.data


@pytest.fixture(scope="module")
def segmenter(trial):
    return trial.fitted


@pytest.fixture(scope="module")
def model(trial):
    return Model(trial.path)


@pytest.mark.parametrize(
    "name",
    [
        "export_parity",
        "one_record_equals_batch",
        "files_are_answered_as_frames",
        "copies_and_pickles_answer_equally",
    ],
)
def test_the_suite_holds_for_several_classes(checks, name):
    checks[name]()


def test_each_class_is_judged_beside_baselines_and_the_mean_decides(segmenter, data):
    report = segmenter.evaluate(data)
    for metric in ("dice", "iou"):
        each = [report.metrics[f"{metric}_of_{name}"].value for name in REGION]
        assert report.metrics[metric].value == pytest.approx(np.mean(each))
    for name in REGION:
        assert report.margins["grey_threshold"][f"dice_of_{name}"].low > 0.1
        assert report.baselines["empty_mask"][f"dice_of_{name}"].value == 0
        assert any(f"grey_threshold marks as {name} what" in note for note in report.notes)
    assert set(report.split["test"]) == {"images", "with_spot", "with_band"}
    sizes = next(s for s in report.sections if s.title == "Regions by size").records()
    assert {row["class"] for row in sizes} == set(REGION)


def test_patients_widen_nothing_but_are_drawn_together(segmenter, data):
    frame = data.test.assign(patient=["A"] * 40 + ["B"] * (len(data.test) - 40))
    alone, together = (segmenter.evaluate(part).metrics["dice"] for part in (data.test, frame))
    assert alone.value == together.value
    assert (alone.low, alone.high) != (together.low, together.high)


def test_the_file_says_which_grey_is_which_class_and_agrees_with_itself(model, data):
    assert model.metadata["classes"] == CODES
    rule = model.metadata["decision"]
    assert list(rule["threshold"]) == list(rule["least_region_share"]) == list(REGION)
    images = [*data.test["image"].head(20), np.full((7, 31), 90, np.uint8)]
    answers = model.predict(pd.DataFrame({"image": images}))
    names = ["mask", "region_share", "found", "probability_spot", "probability_band"]
    assert list(answers.columns) == names
    seen = set()
    for row in answers.itertuples():
        seen |= set(np.unique(row.mask))
        for place, (name, code) in enumerate(CODES.items()):
            marked = row.mask == code
            drawn = getattr(row, f"probability_{name}")
            assert drawn.shape == row.mask.shape
            assert row.region_share[place] == pytest.approx(marked.mean())
            assert row.found[place] == (marked.mean() >= rule["least_region_share"][name])
            assert (drawn[marked] >= 255 * rule["threshold"][name] - 0.5).all()
    assert seen == {0, *CODES.values()}


def test_spots_and_bands_are_told_apart(model, data):
    answers = model.predict(data.test)
    truth, marked = (
        np.concatenate([mask.ravel() for mask in masks])
        for masks in (data.test["mask"], answers["mask"])
    )
    for number, name in enumerate(REGION, 1):
        right, others = ((marked[truth == n] == CODES[name]).mean() for n in (number, 3 - number))
        assert right > 0.4
        assert others < 0.2


def test_one_record_and_no_record_have_a_value_for_each_class(model, segmenter):
    answer = model.predict({"image": np.zeros((2, 3), np.uint8)})
    assert [len(answer[name]) for name in ("region_share", "found")] == [2, 2]
    none = segmenter.predict(pd.DataFrame({"image": []}))
    assert list(none.columns) == list(answer)


def test_a_pixel_of_another_class_is_a_changed_pixel():
    codes = list(mask_codes(tuple(map(str, range(127)))).values())
    pairs = zip([0, *codes], codes, strict=False)
    assert all(changed_pixels([[one]], [[other]]) == 1 for one, other in pairs)
    assert codes[-1] <= 255


def test_a_class_with_a_name_alone_is_one_region(data):
    both = {"mark": (1, 2)}
    frame = data.train.head(80)
    named, plain = (
        light(ImagingSegmenter.fast()).set_params(**given).fit(frame, data.validation)
        for given in ({"region": both, "maps": True}, {"region": (1, 2)})
    )
    ours, theirs = (each.predict(data.test.head(20)) for each in (named, plain))
    assert list(ours.columns) == [*theirs.columns, "probability_mark"]
    assert all(map(np.array_equal, ours["mask"], theirs["mask"]))
    assert list(ours["found"]) == list(theirs["found"])
    assert named._facts()["decision"] == plain._facts()["decision"]


def fit(data: Dataset, region: object, **parts: pd.DataFrame) -> ImagingSegmenter:
    given = replace(data, **parts)
    return ImagingSegmenter.fast().set_params(region=region).fit(given)


def test_a_class_that_a_part_lacks_is_refused_by_name(segmenter, data):
    def without(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(mask=[mask * (mask != 2) for mask in frame["mask"]])

    with pytest.raises(TrainingError, match="No training image has a pixel of the class 'band'"):
        fit(data, REGION, train=without(data.train))
    with pytest.raises(SchemaError, match="validation masks is of the class 'band'"):
        fit(data, REGION, validation=without(data.validation))
    with pytest.raises(SchemaError, match=r"'mask': none of the 91 images .* pixel of 'band'"):
        segmenter.evaluate(without(data.test))


def test_a_value_of_no_class_is_refused_and_the_remedy_works(data):
    masks = [mask.copy() for mask in data.train["mask"]]
    masks[3][0, :2] = 7
    frame = data.train.assign(mask=masks)
    with pytest.raises(SchemaError) as refused:
        ImagingSegmenter(region=REGION).split(frame)
    words = r"'mask', row 3: .*the classes and of the background, 0, 1, 2, not 7\. .*"
    assert refused.match(words + r'"name": \(7,\).* "background": \(0, 7\)')
    for more in ({"scratch": (7,)}, {"background": (0, 7)}):
        ImagingSegmenter(region={**REGION, **more}).split(frame)


@pytest.mark.parametrize(
    "region",
    [
        {},
        {"": 1},
        {"background": 0},
        {"open": ()},
        {"open": "1"},
        {"open": 1, "short": (1, 2)},
        {"open": 0, "background": 0},
        {"grey": ((5, 5, 5),), "same": 5},
        {str(number): number for number in range(1, 129)},
    ],
)
def test_regions_that_mean_nothing_or_two_things_are_refused(data, region):
    assert not is_region(region)
    with pytest.raises(ParameterError, match=r"'region' parameter of ImagingSegmenter must be .*"):
        ImagingSegmenter(region=region).fit(data)
