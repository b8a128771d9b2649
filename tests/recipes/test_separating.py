"""Columns that alone tell the outcome: which are named, and which are not."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.recipes.scorers import Labelled
from industry_apps.recipes.separating import separating_columns
from industry_apps.schema import Column, Schema

ROWS = 2_000
RNG = np.random.default_rng(0)
BAD = RNG.random(ROWS) < 0.1


def found(values, kind="number", bad=BAD):
    schema = Schema((Column("told", kind),))
    return separating_columns(schema, Labelled(schema.to_arrays({"told": values}), bad))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (BAD + RNG.normal(0, 0.1, ROWS), "number"),
        (1.0 - BAD + RNG.normal(0, 0.1, ROWS), "number"),  # falling
        (np.where(BAD, RNG.integers(1, 4, ROWS) * 2, RNG.integers(0, 4, ROWS) * 2 + 1), "number"),
        (np.where(BAD, 17.0, np.nan), "number"),  # known of the bad only
        (np.where(BAD, "2024-03-01", None), "datetime"),
        (np.where(BAD, RNG.choice(["A", "B"], ROWS), "none").astype(object), "category"),
        (BAD, "boolean"),
    ],
)
def test_what_tells_the_outcome_is_named(values, kind):
    (leak,) = found(values, kind)
    assert leak.column == "told"
    assert leak.auroc >= 0.995
    assert leak.events == BAD.sum()
    assert "Column 'told' alone separates" in str(leak)
    assert "'ignore'" in str(leak)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (BAD + RNG.normal(0, 1, ROWS), "number"),
        (np.arange(ROWS).astype(str).astype(object), "category"),  # a name for each row
        (RNG.choice(["A", "B"], ROWS).astype(object), "category"),
        (np.full(ROWS, np.nan), "number"),
    ],
)
def test_what_does_not_is_not(values, kind):
    assert found(values, kind) == ()


def test_few_events_tell_too_little():
    few = np.arange(ROWS) < 49
    assert found(few.astype(float), bad=few) == ()
