"""Each encoder of numbers and categories against a plain numpy or Python oracle."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from industry_apps.features import (
    Category,
    Cyclic,
    FeatureGraph,
    Missing,
    QuantileNormal,
    Raw,
    Standard,
    Value,
)
from industry_apps.features.tabular import natural_order
from industry_apps.schema import Column, Schema

NUMBERS = Schema((Column(name="x", kind="number"),))
CATEGORIES = Schema((Column(name="c", kind="category"),))

finite = st.floats(-1e6, 1e6, width=32, allow_subnormal=False)
numbers = st.lists(st.none() | finite, min_size=1, max_size=40)
levels = st.lists(st.none() | st.sampled_from(["a", "b", "C", "10", "9", "ß", "字", "a b"]))


def learned(encoder: Any, values: list[Any]) -> FeatureGraph:
    schema = CATEGORIES if isinstance(encoder, Category) else NUMBERS
    (name,) = schema.names
    return FeatureGraph(schema, [encoder]).learn(schema.to_arrays({name: values}))


def run(graph: FeatureGraph, values: list[Any]) -> np.ndarray:
    (name,) = graph.schema.names
    (tensor,) = graph.run(graph.schema.to_arrays({name: values})).values()
    return tensor


def filled(values: list[float | None], like: list[float | None]) -> np.ndarray:
    """Values with the median of others where missing, in float64."""
    known = [x for x in like if x is not None]
    median = np.float32(np.median(known)) if known else 0.0
    return np.array([median if x is None else x for x in values], dtype=np.float64)


@given(numbers, numbers)
def test_standard(train: list[float | None], test: list[float | None]) -> None:
    learnt = filled(train, train)
    mean, deviation = learnt.mean(), learnt.std()
    if deviation <= 1e-7 * max(1e-5, abs(mean)):
        deviation = 1.0
    values = filled(test, train)
    expected = np.clip((values - mean) / deviation, -10, 10)
    found = run(learned(Standard(Value("x")), train), test)[:, 0]
    # Graph and oracle differ by the rounding of values, mean and deviation to float32.
    rounding = 1e-6 * (1 + np.abs(expected)) + 1e-7 * (np.abs(values) + abs(mean)) / deviation
    assert (np.abs(found - expected) <= rounding).all()


@given(finite, st.integers(1, 40))
def test_a_constant_column_is_standardised_to_zero(value: float, rows: int) -> None:
    found = run(learned(Standard(Value("x")), [value] * rows), [value, None])
    assert_allclose(found, 0, atol=1e-6)


def test_standard_takes_infinity_and_all_missing() -> None:
    graph = learned(Standard(Value("x")), [1.0, 2.0, 3.0])
    infinite = {"x": np.array([np.inf, -np.inf, np.nan], dtype=np.float32)}
    assert_array_equal(graph.run(infinite)["numeric"][:, 0], [10, -10, 0])
    assert_array_equal(run(learned(Standard(Value("x")), [None, None]), [None, 3.0]), [[0], [3]])


@given(numbers, numbers, st.integers(3, 40))
def test_quantile_normal_interpolates_its_knots(
    train: list[float | None], test: list[float | None], count: int
) -> None:
    graph = learned(QuantileNormal(Value("x"), count=count), train)
    encoder = graph.encoders[0]
    assert isinstance(encoder, QuantileNormal)
    knots, scores = np.array(encoder.knots), np.array(encoder.scores)
    assert len(knots) == len(scores) >= 2
    assert (np.diff(knots.astype(np.float32)) > 0).all()
    assert (np.diff(scores) >= 0).all()
    assert knots[0] == filled(train, train).min()
    values = filled(test, train)
    expected = np.interp(values, knots, scores)
    # A step between neighbouring floats turns their rounding into a difference.
    slopes = np.append(np.diff(scores) / np.diff(knots), 0).max()
    found = run(graph, test)[:, 0]
    assert (np.abs(found - expected) <= 1e-5 + 2e-7 * slopes * np.abs(values)).all()


@given(finite, st.integers(1, 40))
def test_a_constant_column_has_the_score_zero(value: float, rows: int) -> None:
    found = run(learned(QuantileNormal(Value("x")), [value] * rows), [value, None, 2 * value])
    assert_array_equal(found, 0)


def test_quantile_normal_makes_a_skewed_column_normal() -> None:
    values = np.sort(np.random.default_rng(0).lognormal(3, 2, 20_000)).tolist()
    found = run(learned(QuantileNormal(Value("x"), count=200), values), values)[:, 0]
    assert (np.diff(found) >= -1e-6).all()
    assert abs(found.mean()) < 0.02
    assert abs(found.std() - 1) < 0.02
    assert abs(found[10_000]) < 0.01
    assert found[19_544] == pytest.approx(2, abs=0.05)  # 97.7 % lie below two deviations


def test_outermost_scores_stay_monotone_with_few_rows() -> None:
    for rows in (1, 2, 3, 10, 31, 33):
        encoder = learned(QuantileNormal(Value("x")), [float(x) for x in range(rows)]).encoders[0]
        assert isinstance(encoder, QuantileNormal)
        assert list(encoder.scores) == sorted(encoder.scores)


@given(numbers)
def test_raw_and_missing(values: list[float | None]) -> None:
    column = NUMBERS.to_arrays({"x": values})["x"]
    assert_array_equal(run(learned(Raw(Value("x")), values), values)[:, 0], column)
    both = FeatureGraph(NUMBERS, [Raw(Value("x")), Missing(Value("x"))]).learn({"x": column})
    absent = [x is None for x in values]
    assert both.names == (["x.missing", "x"] if any(absent) else ["x"])
    if any(absent):
        assert_array_equal(both.run({"x": column})["numeric"][:, 0], absent)


@given(numbers, st.floats(1, 100), st.floats(-10, 10))
def test_cyclic(values: list[float | None], period: float, start: float) -> None:
    values = [None if x is None else x / 1000 for x in values]
    found = run(learned(Cyclic(Value("x"), period, start), values), values)
    x = NUMBERS.to_arrays({"x": values})["x"].astype(np.float64)
    angle = 2 * np.pi * (x - start) / period
    expected = np.nan_to_num(np.column_stack([np.sin(angle), np.cos(angle)]), nan=0.0)
    assert (np.abs(found - expected) <= 1e-5 + 1e-6 * np.abs(np.nan_to_num(angle))[:, None]).all()


def test_groups_are_interleaved_as_their_names_say() -> None:
    schema = Schema(tuple(Column(name=name, kind="number") for name in "ab"))
    graph = FeatureGraph(schema, [Cyclic(Value("a"), 4.0), Cyclic(Value("b"), 4.0)])
    found = graph.run(schema.to_arrays({"a": [1.0], "b": [2.0]}))["numeric"]
    assert graph.names == ["a.sin", "a.cos", "b.sin", "b.cos"]
    assert_allclose(found, [[1, 0, 0, -1]], atol=1e-6)


def kept_levels(train: list[str | None], min_count: int, max_levels: int) -> list[str]:
    counts = Counter(x for x in train if x)
    ranked = sorted(counts, key=lambda level: (-counts[level], level))
    return [level for level in ranked if counts[level] >= min_count][:max_levels]


@given(levels, levels, st.integers(1, 3), st.integers(0, 5))
def test_codes(
    train: list[str | None], test: list[str | None], min_count: int, max_levels: int
) -> None:
    assume(train)
    graph = learned(Category("c", "code", min_count=min_count, max_levels=max_levels), train)
    encoder = graph.encoders[0]
    assert isinstance(encoder, Category)
    kept = kept_levels(train, min_count, max_levels)
    assert sorted(encoder.levels) == sorted(kept)
    code = {None: 1} | {level: 2 + n for n, level in enumerate(encoder.levels)}
    found = run(graph, [*test, "never seen"])
    assert found.dtype == np.int64
    assert found[:, 0].tolist() == [*(code.get(x, 0) for x in test), 0]
    assert graph.cardinalities == [2 + len(kept)]
    assert graph.names == []


@given(levels, levels, st.integers(1, 3), st.integers(0, 5))
def test_one_hot(
    train: list[str | None], test: list[str | None], min_count: int, max_levels: int
) -> None:
    assume(train)
    graph = learned(Category("c", "onehot", min_count=min_count, max_levels=max_levels), train)
    kept = kept_levels(train, min_count, max_levels)
    assert sorted(graph.names) == sorted(f"c={level}" for level in ("", *kept))
    found = run(graph, [*test, "never seen"])
    expected = [[float(name == f"c={x or ''}") for name in graph.names] for x in test]
    assert found.tolist() == [*expected, [0.0] * len(graph.names)]


def test_ordinal_keeps_the_natural_order_and_missing_is_nan() -> None:
    bands = ["8 to 15", "more than 30", "less than 8", None, "15 to 30"]
    found = run(learned(Category("c", "ordinal"), bands), [*bands, "unseen"])[:, 0]
    assert_array_equal(found, [3, 5, 2, np.nan, 4, 0])


@pytest.mark.parametrize(
    ("train", "form"),
    [
        (["1 year", "2 years", "3 years", "new"], "ordinal"),  # most hold a number
        (["yes", "no"], "ordinal"),
        (["red", "green", "blue"], "onehot"),
        ([f"town {chr(65 + n)}" for n in range(21)], "ordinal"),  # too many for columns
        ([None], "ordinal"),
    ],
)
def test_auto_chooses_by_the_levels(train: list[str | None], form: str) -> None:
    encoder = learned(Category("c", "auto"), train).encoders[0]
    assert isinstance(encoder, Category)
    assert encoder.form == form


def test_a_very_long_value_is_a_level_like_others() -> None:
    book = "x" * 1_000_000
    graph = learned(Category("c"), [book, "a", "a", *["b"] * 500])
    assert run(graph, [book, book[:-1], "a"])[:, 0].tolist() != [0, 0, 0]
    assert run(graph, [book[:-1]]).item() == 0


@pytest.mark.parametrize(
    ("given_order", "expected"),
    [
        (["10", "9", "1.5"], ["1.5", "9", "10"]),
        (["over 5", "5", "under 5", ">5"], ["under 5", "5", ">5", "over 5"]),
        (["more than 69000", "less than 20000", "20000 to 29000"], None),
    ],
)
def test_natural_order(given_order: list[str], expected: list[str] | None) -> None:
    expected = expected or ["less than 20000", "20000 to 29000", "more than 69000"]
    assert sorted(given_order, key=natural_order) == expected


@given(st.lists(st.text("0123456789. <>lesmorthan", max_size=20)))
def test_natural_order_is_total(texts: list[str]) -> None:
    assert sorted(sorted(texts), key=natural_order) == sorted(texts[::-1], key=natural_order)


@pytest.mark.parametrize("form", ["code", "ordinal", "onehot"])
def test_a_level_is_found_in_whichever_spelling_it_comes(form: Any) -> None:
    train = ["3", "3", "true", "US", "é", "250", "250.0"]
    graph = learned(Category("c", form), train)
    sent: list[Any] = [
        3,
        3.0,
        "3.0",
        " 3",
        True,
        "TRUE",
        " US",
        "us",
        "\uff35\uff33",
        "e\u0301",
        "É",
    ]
    same = ["3", "3", "3", "3", "true", "true", "US", "US", "US", "é", "é"]
    assert_array_equal(run(graph, sent), run(graph, same))
    apart = run(graph, ["250", "250.0", "03", "3.00"])
    assert len({tuple(row) for row in apart.tolist()}) == 3  # the two, and what is unseen


def test_a_bare_session_finds_the_level_too() -> None:
    graph = learned(Category("c"), ["é", "true", "7"])
    session = graph._session
    sent = np.array([["e\u0301"], ["True"], ["7.0"], [" 7 "]], dtype=object)
    same = np.array([["é"], ["true"], ["7"], ["7"]], dtype=object)
    found, expected = (session.run(None, {"c": texts})[0] for texts in (sent, same))
    assert found.tolist() == expected.tolist()


def test_what_training_had_as_a_rare_value_stays_one() -> None:
    graph = learned(Category("c", min_count=2), ["b", "b", "B", "a", "a"])
    assert run(graph, ["B", "b", "A"])[:, 0].tolist() == [0, 3, 2]
