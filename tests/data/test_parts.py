"""Tables of photographs of parts: which tile a photograph is of, boards with boxes, and folds."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from industry_apps.data import load
from industry_apps.data.readers.manufacturing import deeppcb, magnetic_tiles
from industry_apps.data.resampling import split_resampled
from industry_apps.data.rules import ArraysRule, Reading, Resampling
from industry_apps.data.simulators import part_photographs
from industry_apps.errors import ParameterError, SchemaError


def test_a_new_tile_begins_where_the_exposure_does_not_rise_or_the_number_jumps(tmp_path):
    names = ["exp1_num_10", "exp2_num_12", "exp1_num_300", "exp6_num_520", "exp2_num_30"]
    path = tmp_path / "tiles.npz"
    np.savez(path, names=np.array(names), images=np.zeros((5, 2, 2), np.uint8))
    reading = Reading(arrays=ArraysRule(columns={"image": "images", "name": "names"}))
    frame = magnetic_tiles({path.name: path}, reading)
    # Sorted by number 10 and 12 rise from exposure 1 to 2; at 30 the exposure does not rise; 300 is
    # more than 200 further, and so is 520.
    assert frame["part"].tolist() == [1, 1, 3, 4, 2]
    assert list(frame) == ["image", "part"]
    with pytest.raises(SchemaError, match="names no arrays"):
        magnetic_tiles({path.name: path}, Reading())


def test_boards_come_with_template_and_boxes(tmp_path):
    path = tmp_path / "pairs.zip"
    png = io.BytesIO()
    Image.fromarray(np.eye(4, dtype=np.uint8) * 255).save(png, "PNG")
    with zipfile.ZipFile(path, "w") as archive:
        for kind in ("temp", "test"):
            archive.writestr(f"trainval/7_{kind}.png", png.getvalue())
        archive.writestr("trainval/7.txt", "1 0 3 4 2\n0 0 1 1 6\n")
    frame = deeppcb({path.name: path}, Reading())
    assert frame["boxes"][0] == [(1, 0, 3, 4, "short"), (0, 0, 1, 1, "pin-hole")]
    assert frame["is_test"].tolist() == ["trainval"]


def test_folds_of_groups_keep_each_group_in_one_part():
    groups = np.repeat(np.arange(60), 3)
    frame = pd.DataFrame({"part": groups, "kind": groups % 3, "row": range(180)})
    rule = Resampling(repeats=1, folds=5, validation=0.25, group="part", shares="kind")
    tested = []
    for run in range(5):
        split = split_resampled(frame, rule, target="kind", run=run)
        parts = [set(part["part"]) for part in split]
        assert not parts[0] & parts[1]
        assert not (parts[0] | parts[1]) & parts[2]
        assert all(set(part["kind"]) == {0, 1, 2} for part in split)
        assert sorted(pd.concat(split)["row"]) == list(range(180))
        tested += split.test["row"].tolist()
    assert sorted(tested) == list(range(180))


def test_photographs_repeat_and_defects_are_where_the_mask_is():
    frame, again = (part_photographs(parts=60, size=32, seed=3) for _ in range(2))
    assert all(map(np.array_equal, frame["image"], again["image"]))
    for _, row in frame.iterrows():
        inside = row["mask"] > 0
        apart = np.abs(row["image"].astype(float) - row["reference"])
        assert (row["defect"] == "good") != inside.any()
        assert apart[~inside].mean() < 8  # noise of both, which deviates by 5
        if inside.any():
            assert apart[inside].mean() > 15
    with pytest.raises(ParameterError, match="sizes >= 24"):
        part_photographs(size=8)


@pytest.mark.real_data("magnetic_tile")
def test_tiles_are_259_and_none_is_on_both_sides():
    tiles = load("magnetic_tile", run=3)
    every = pd.concat([tiles.train, tiles.validation, tiles.test])
    counts = every["part"].value_counts()
    assert (len(counts), int((counts == 6).sum())) == (259, 193)
    labels, sides = (every[["part", name]].drop_duplicates() for name in ("defect", "is_test"))
    assert (labels["part"].value_counts() > 1).sum() == 20
    assert (sides["part"].value_counts() > 1).sum() == 221
    known = set(tiles.train["part"]) | set(tiles.validation["part"])
    assert not known & set(tiles.test["part"])


@pytest.mark.real_data("deeppcb")
def test_boards_are_300_with_six_types():
    boards = load("deeppcb")
    assert [len(part) for part in (boards.train, boards.validation, boards.test)] == [160, 40, 100]
    types = pd.Series([box[4] for cell in boards.test["boxes"] for box in cell]).value_counts()
    assert types.to_dict() == {
        "open": 135,
        "mousebite": 116,
        "spur": 101,
        "copper": 93,
        "pin-hole": 91,
        "short": 90,
    }
