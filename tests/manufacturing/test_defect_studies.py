"""Studies of defects: a split that leaks, and the speed of the line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import ParameterError
from industry_apps.manufacturing import DefectDetector


@pytest.fixture(scope="module")
def data():
    return DefectDetector.sample()


def test_a_nearest_neighbour_is_at_home_on_a_split_that_leaks(data):
    draw = np.random.default_rng(0)
    frames = []
    for name in ("train", "validation", "test"):
        part = getattr(data, name).drop(columns="reference")
        again = part.copy()  # another photograph of the same part, as noise would change it
        again["image"] = [
            np.clip(i + draw.normal(0, 2, i.shape), 0, 255).astype(np.uint8) for i in part["image"]
        ]
        named = [f"{name} {row}" for row in range(len(part))]
        told = [(part, "train"), (again, "test")]
        frames.append(
            pd.concat(
                [each.assign(part=named, is_test=side) for each, side in told], ignore_index=True
            )
        )
    doubled = replace(data, train=frames[0], validation=frames[1], test=frames[2])
    study = DefectDetector.fast().studies()["shipped_split"]
    (section,) = study(doubled)
    shipped, ours = section.records()
    score = "macro_f1 of the nearest neighbour"
    assert shipped["parts on both sides"] == 400
    assert ours["parts on both sides"] == 0
    assert shipped[score]["value"] > 0.95
    assert ours[score]["value"] < 0.6
    with pytest.raises(ParameterError, match="no split of their own"):
        study(data)


def test_torch_and_both_files_are_timed_side_by_side(data):
    (section,) = DefectDetector.fast().studies()["line_speed"](data)
    rows = {row["answers with"]: row for row in section.records()}
    assert {"torch", "float32"} <= set(rows) <= {"torch", "float32", "int8"}
    for row in rows.values():
        assert all(value > 0 for name, value in row.items() if name != "answers with")
