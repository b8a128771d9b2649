"""Which numbers need double precision, and what a column of them takes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from industry_apps.errors import SchemaError
from industry_apps.schema import Column, Schema
from industry_apps.schema.codes import without_codes
from industry_apps.schema.offsets import less_offset, offset_of, plus_offset

SECONDS = Column("seen", "number", low=1.6e9, high=1.8e9, codes=(-8, -9), offset=1_700_000_000.0)


@pytest.mark.parametrize(
    "numbers",
    [
        1_700_000_000 + np.arange(600.0),
        1_700_000_000 + np.arange(0, 31_536_000, 1_577.0),  # of a year
        np.append(np.zeros(30), 1_700_000_000 + np.arange(600.0)),  # 0: not known
        4_000_000_000 + np.arange(1000.0),  # identifiers by number
        1e9 + np.linspace(-1, 1, 999),
        47 + np.arange(0, 0.9, 0.001234),  # degrees of latitude
    ],
)
def test_large_numbers_that_lie_close_together_get_an_offset(numbers):
    offset = offset_of(numbers)
    assert offset in numbers
    assert len(np.unique(less_offset(numbers, offset))) == len(np.unique(numbers))


@pytest.mark.parametrize(
    "numbers",
    [
        np.array([]),
        np.full(9, np.nan),
        np.full(9, 0.1),
        np.arange(0, 1, 0.001),
        np.random.default_rng(0).uniform(size=100_000),
        np.random.default_rng(0).uniform(35, 41, 10_000),  # degrees of a body
        np.round(np.random.default_rng(0).lognormal(5, 3, 10_000)),  # cents
        np.arange(2.0**24),
        np.random.default_rng(0).integers(0, 10**10, 1000).astype(float),
    ],
)
def test_other_numbers_do_not(numbers):
    assert offset_of(numbers) is None


@given(
    st.floats(-1e12, 1e12),
    st.lists(st.floats(-1e6, 1e6) | st.integers(-(10**9), 10**9), min_size=2, max_size=40),
)
@example(1.7e9, [0, 1, 2])
@example(0.0, [0.1, 0.2])
def test_each_training_value_is_told_to_within_a_millionth_of_the_range(base, around):
    numbers = base + np.array(around, dtype=np.float64)
    spread = numbers.max() - numbers.min()
    assume(spread > 1e-30)  # below, float32 has no digits at all
    offset = offset_of(numbers)
    exact = numbers - (offset or 0.0)
    rounded = np.abs(exact - less_offset(numbers, offset).astype(np.float32))
    if offset is not None:
        assert (rounded <= 2.0**-24 * spread).all()
    assert (rounded <= 2.0**-20 * spread).all()


def test_arrays_keep_every_digit_and_their_limits():
    found = SECONDS.to_array([1_700_000_001, None, 1_700_000_002.5])
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [1_700_000_001, np.nan, 1_700_000_002.5])
    near = less_offset(found, SECONDS.offset)
    assert near.dtype == np.float32
    np.testing.assert_array_equal(near, np.array([1, np.nan, 2.5], np.float32))
    np.testing.assert_array_equal(plus_offset(near, SECONDS.offset), found)
    assert SECONDS.missing(2).dtype == np.float64
    with pytest.raises(SchemaError, match=r"row 1: got 1800000001, expected a number <= 1.8e\+09"):
        SECONDS.to_array([1_700_000_000, 1_800_000_001])
    with pytest.raises(SchemaError, match=r"got 1e\+39, expected a finite number"):
        Column("seen", "number", offset=0.0).to_array([1e39])


def test_codes_are_missing_and_outside_the_limits():
    found = SECONDS.to_array([-8, -9, 1_700_000_000])
    np.testing.assert_array_equal(without_codes(SECONDS, found), [np.nan, np.nan, 1_700_000_000])


def test_codes_do_not_count_when_an_offset_is_learned():
    rows = np.append(1_700_000_000 + np.arange(100), [-9] * 200)
    told = Schema((Column("seen", "number", low=0, codes=(-9,)), Column("word", "category")))
    learned = told.with_offsets({"seen": rows, "word": ["a"] * 300})
    assert learned["seen"].offset == 1_700_000_050
    assert learned["word"].offset is None
    assert learned.with_offsets({"seen": rows + 7, "word": ["a"] * 300}) == learned
    assert Schema.from_json(learned.to_json()) == learned


@pytest.mark.parametrize("further", [{"kind": "category"}, {"kind": "number", "size": None}])
def test_only_single_numbers_have_an_offset(further):
    with pytest.raises(SchemaError, match="is no single number"):
        Column("seen", offset=1.0, **further)
