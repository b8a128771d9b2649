"""Step functions: numpy, the graph, and the definition agree on every kind of value."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from industry_apps.errors import ParameterError
from industry_apps.features import FeatureGraph, LevelSteps, NumberSteps, Ratio, Value
from industry_apps.schema import Column, Schema
from industry_apps.schema.spellings import aliases

COLUMNS = Schema(
    (
        Column(name="x", kind="number"),
        Column(name="y", kind="number"),
        Column(name="c", kind="category"),
    )
)
LARGEST = float(np.finfo(np.float32).max)

finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
values = st.floats(-1e4, 1e4, width=32)
texts = st.sampled_from(["a", "b", "B", "a ", "10", "ß", "字", "😀"]) | st.text(max_size=3)


@st.composite
def number_steps(draw: st.DrawFn, column: str) -> NumberSteps:
    edges = sorted(draw(st.sets(finite, max_size=6)))
    count = len(edges) + 1
    found = draw(st.lists(values, min_size=count, max_size=count))
    return NumberSteps(Value(column), tuple(edges), tuple(found), draw(values))


def difficult_numbers(*encoders: NumberSteps) -> list[float]:
    edges = np.array([edge for e in encoders for edge in e.edges], dtype=np.float32)
    with np.errstate(over="ignore", under="ignore"):  # beyond the largest is infinity
        around = [np.nextafter(edges, np.float32(side)) for side in (-np.inf, np.inf)]
    fixed = [np.nan, np.inf, -np.inf, LARGEST, -LARGEST, 0.0, -0.0, 1e-45]
    return [*np.concatenate([edges, *around]).tolist(), *fixed]


@settings(max_examples=60)
@given(number_steps("x"), number_steps("y"), st.lists(finite, max_size=5))
@example(*(NumberSteps(Value(x), (-LARGEST, 1e-45, LARGEST), (0, 1, 2, 3), 4) for x in "xy"), [])
def test_numbers_find_their_interval(x: NumberSteps, y: NumberSteps, more: list[float]) -> None:
    numbers = np.array([*difficult_numbers(x, y), *more], dtype=np.float32)
    graph = FeatureGraph(COLUMNS, [x, y])  # groups have edges of different counts
    found = graph.run({"x": numbers, "y": numbers})["numeric"]
    assert graph.names == ["x", "y"]
    for column, steps in zip(found.T, (x, y), strict=True):
        oracle = [
            steps.missing if math.isnan(n) else steps.values[sum(n >= edge for edge in steps.edges)]
            for n in numbers.tolist()
        ]
        assert_array_equal(column, np.array(oracle, dtype=np.float32))
        assert_array_equal(steps.apply(numbers), column)


@settings(max_examples=60)
@given(
    st.dictionaries(texts.filter(bool), values, max_size=6),
    values,
    values,
    st.lists(texts, max_size=6),
)
def test_levels_find_their_value(
    table: dict[str, float], other: float, missing: float, more: list[str]
) -> None:
    steps = LevelSteps("c", tuple(table), tuple(table.values()), other, missing)
    column = COLUMNS["c"].to_array([*table, *more, "", "never seen"])
    known = table | {same: table[level] for same, level in aliases(tuple(table)).items()}
    oracle = [missing if text == "" else known.get(text, other) for text in column]
    found = FeatureGraph(COLUMNS, [steps]).run({"c": column})["numeric"][:, 0]
    assert_array_equal(found, np.array(oracle, dtype=np.float32))
    assert_array_equal(steps.apply(column), found)


def test_a_derived_number_and_both_kinds_beside_each_other() -> None:
    ratio = NumberSteps(Ratio("x", "y"), (1.0,), (1.0, 2.0), missing=3.0)
    level = LevelSteps("c", ("a",), (5.0,), other=6.0, missing=7.0)
    graph = FeatureGraph(COLUMNS, [ratio, level])
    arrays = COLUMNS.to_arrays({"x": [1, 0, 3, None], "y": [2, 0, 0, 1], "c": ["a", "b", None, ""]})
    assert graph.names == ["c", "x/y"]
    expected = [[5, 1], [6, 3], [7, 2], [7, 3]]  # 0 / 0 is missing, 3 / 0 infinite
    assert_array_equal(graph.run(arrays)["numeric"], expected)
    assert_array_equal(graph.learn(arrays).run(arrays)["numeric"], expected)


def test_mapped_changes_every_value() -> None:
    number = NumberSteps(Value("x"), (0.0,), (1.0, 2.0), 3.0).mapped(lambda value: -value)
    assert (number.values, number.missing, number.edges) == ((-1.0, -2.0), -3.0, (0.0,))
    level = LevelSteps("c", ("a",), (1.0,), 2.0, 3.0).mapped(lambda value: -value)
    assert (level.values, level.other, level.missing) == ((-1.0,), -2.0, -3.0)


@pytest.mark.parametrize(
    ("edges", "count"),
    [
        ((1.0, 1.0), 3),
        ((2.0, 1.0), 3),
        ((1.0, 1.0 + 1e-12), 3),  # one number as float32
        ((math.inf,), 2),
        ((math.nan,), 2),
        ((1.0,), 3),
        ((), 0),
    ],
)
def test_wrong_edges_are_refused(edges: tuple[float, ...], count: int) -> None:
    with pytest.raises(ParameterError, match="'x'"):
        NumberSteps(Value("x"), edges, (0.0,) * count)


@pytest.mark.parametrize("levels", [("a", "a"), ("a", ""), ("a",)])
def test_wrong_levels_are_refused(levels: tuple[str, ...]) -> None:
    with pytest.raises(ParameterError, match="'c'"):
        LevelSteps("c", levels, (0.0, 1.0))


def test_a_level_has_its_value_in_whichever_spelling_it_comes() -> None:
    steps = LevelSteps("c", ("3", "true", "US"), (1.0, 2.0, 3.0), other=9.0)
    sent = np.array(["3.0", "True", " us", "03"], dtype=object)
    assert steps.apply(sent).tolist() == [1, 2, 3, 9]
    schema = Schema((Column("c", "category"),))
    graph = FeatureGraph(schema, [steps])
    assert graph.run({"c": sent})["numeric"][:, 0].tolist() == [1, 2, 3, 9]
