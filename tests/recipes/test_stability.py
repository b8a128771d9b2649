from __future__ import annotations

import numpy as np
import pytest

from industry_apps.recipes.stability import unstable_columns
from industry_apps.schema import Column, Schema

SCHEMA = Schema(
    (
        Column(name="turned", kind="category"),
        Column(name="steady", kind="category"),
        Column(name="number", kind="number"),
        Column(name="kept", kind="number", role="state"),
    )
)
ROWS = 12_000


def arrays(seed: int) -> tuple[dict, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    time = np.arange(ROWS)
    turned, steady = random.integers(0, 4, (2, ROWS))
    number = random.normal(size=ROWS)
    early = time < ROWS / 2
    chance = 0.1 + 0.2 * np.where(early, turned == 0, turned == 1) + 0.1 * (steady == 2)
    chance += 0.4 * np.where(early, number > 1, number < -1)
    target = random.random(ROWS) < chance
    names = np.array(["a", "b", "c", "d"], dtype=object)
    values = {"turned": names[turned], "steady": names[steady]}
    return values | {"number": np.float32(number), "kept": np.float32(number)}, target, time


@pytest.mark.parametrize("seed", range(5))
def test_columns_whose_effect_turned_are_found_and_no_others(seed: int) -> None:
    found = unstable_columns(SCHEMA, *arrays(seed))
    assert [each.column for each in found] == ["turned", "number"]
    assert all(each.statistic > 10 and each.p_value < 1e-6 for each in found)


def test_nothing_is_found_where_nothing_can_be_compared() -> None:
    values, target, time = arrays(0)
    one_level = {**values, "turned": np.full(ROWS, "a", dtype=object)}
    found = unstable_columns(SCHEMA.without(["number"]), one_level, target, time)
    assert not found


def test_missing_numbers_are_a_level() -> None:
    values, target, time = arrays(0)
    values["number"] = np.full(ROWS, np.nan, dtype=np.float32)
    assert [each.column for each in unstable_columns(SCHEMA, values, target, time)] == ["turned"]
