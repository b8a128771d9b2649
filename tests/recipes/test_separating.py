"""Columns that alone tell the outcome: which are named, and which are not."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.recipes.scorers import Labelled
from industry_apps.recipes.separating import WHEN, separating_columns, telling_columns
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


HOURS = RNG.exponential(100, ROWS)


def told_of(values, kind="number", hours=HOURS):
    schema = Schema((Column("told", kind),))
    return telling_columns(schema, schema.to_arrays({"told": values}), [hours], WHEN)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (1.01 * HOURS + RNG.normal(0, 1, ROWS), "number"),
        (1 / HOURS, "number"),  # falling, in a curve
        (np.where(BAD, HOURS, np.nan), "number"),  # known of some only
        (np.datetime64("2024-01-01") + (HOURS * 3600).astype("timedelta64[s]"), "datetime"),
    ],
)
def test_a_number_that_goes_with_the_outcome_is_named(values, kind):
    (leak,) = told_of(values, kind)
    assert leak.column == "told"
    assert "Column 'told' alone tells when the event comes" in str(leak)


@pytest.mark.parametrize(
    "values",
    [
        HOURS + RNG.normal(0, 50, ROWS),
        np.full(ROWS, 7.0),
        np.where(np.arange(ROWS) < 49, 1.0, np.nan),
    ],
)
def test_a_number_that_does_not_is_not(values):
    assert told_of(values) == ()
    assert told_of(values, hours=np.full(ROWS, np.nan)) == ()


WORDS = RNG.choice(["the", "loan", "of", "a", "buyer", "with", "late", "bills"], (ROWS, 20))
TEXTS = [" ".join(words) for words in WORDS]


@pytest.mark.parametrize(
    "told",
    [
        lambda text, bad: f"{text[:40]} {'Charged-off' if bad else ''} {text[40:]}",
        lambda text, bad: f"{text} {RNG.choice(['defaulted', 'unpaid']) if bad else 'paid'}",
        lambda text, bad: "" if bad else text,
        lambda _, bad: f"score {RNG.integers(500, 700) if bad else RNG.integers(300, 500)}",
        lambda _, bad: f"申请人的说明{'已核销' if bad else ''}其他的内容",
    ],
)
def test_a_text_that_tells_the_outcome_is_named(told):
    (leak,) = found([told(text, bad) for text, bad in zip(TEXTS, BAD, strict=True)], "text")
    assert leak.column == "told"


def test_a_text_that_does_not_is_not():
    weak = [
        f"{t} {'sued' if b and RNG.random() < 0.8 else ''}"
        for t, b in zip(TEXTS, BAD, strict=False)
    ]
    assert found(weak, "text") == found(TEXTS, "text") == found([""] * ROWS, "text") == ()
