"""Arrays of npz files as tables, and simulated images."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.data import load, sample
from industry_apps.data.hashing import hashable
from industry_apps.data.rules import ArraysRule, Reading
from industry_apps.data.shapes import read_files
from industry_apps.errors import SchemaError

RULE = ArraysRule(
    columns={"image": "{part}_images", "finding": "{part}_labels"},
    parts={"train": "train", "val": "validation"},
)


@pytest.fixture
def path(tmp_path):
    arrays = {
        f"{word}_{name}": values
        for word, rows in (("train", 3), ("val", 2))
        for name, values in {
            "images": np.full((rows, 4, 5), rows, np.uint8),
            "labels": np.arange(rows)[:, None],
        }.items()
    }
    np.savez(tmp_path / "some.npz", **arrays)
    return tmp_path / "some.npz"


def test_arrays_of_parts_stand_below_each_other(path):
    frame = read_files({"some.npz": path}, Reading(arrays=RULE))
    assert frame["part"].tolist() == ["train"] * 3 + ["validation"] * 2
    assert frame["finding"].tolist() == [0, 1, 2, 0, 1]
    assert frame["image"][4].shape == (4, 5)
    assert (frame["image"][4] == 2).all()


def test_an_absent_array_is_named(path):
    rule = ArraysRule(columns={"image": "pictures"})
    with pytest.raises(SchemaError, match="no array 'pictures'"):
        read_files({"some.npz": path}, Reading(arrays=rule))


def test_arrays_in_cells_are_told_apart_by_their_content():
    ones, zeros = np.ones((2, 3), np.uint8), np.zeros((2, 3), np.uint8)
    cells = hashable(pd.DataFrame({"a": [ones, zeros, ones.T, ones.astype(np.int8), ones]}))["a"]
    assert cells[0] == cells[4]
    assert cells.nunique() == 4


def test_simulated_images_repeat():
    one, two = sample("healthcare_scan_simulator"), sample("healthcare_scan_simulator")
    pd.testing.assert_frame_equal(one.train, two.train)
    assert one.sha256 == two.sha256
    marked = one.train["mask"].map(np.max) > 0
    assert ((one.train["finding"] != "clear") == marked).all()


@pytest.mark.real_data("pneumoniamnist")
def test_pneumoniamnist_is_split_officially():
    data = load("pneumoniamnist")
    parts = (data.train, data.validation, data.test)
    assert [len(part) for part in parts] == [4708, 524, 624]
    assert [int((part["finding"] == "normal").sum()) for part in parts] == [1214, 135, 234]
    seen = {image.tobytes() for image in data.train["image"]}
    assert sum(image.tobytes() in seen for image in data.validation["image"]) == 8
    assert not any(image.tobytes() in seen for image in data.test["image"])
