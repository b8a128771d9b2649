"""Places of lists of numbers are features, read at once where they stand together."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal

from industry_apps.features import FeatureGraph, GraphBuilder, Raw, Value, plain_encoders
from industry_apps.features.elements import Element, write_side_by_side
from industry_apps.features.plans import network_encoders, range_encoders, tree_encoders
from industry_apps.schema import Column, Schema

SCHEMA = Schema(
    (
        Column("a", "number"),
        Column("shares", "number", size=3, nullable=False),
        Column("b", "number"),
        Column("one", "number", size=1, listed=True),
    )
)
ARRAYS = SCHEMA.to_arrays(
    {
        "a": [1.0, 2.0],
        "shares": [[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]],
        "b": [5, None],
        "one": [[7.0], [8.0]],
    }
)


def test_each_place_is_a_feature_of_its_column():
    graph = FeatureGraph(SCHEMA, tree_encoders(SCHEMA)).learn(ARRAYS)
    assert graph.names == ["a", "shares[0]", "shares[1]", "shares[2]", "b", "one"]
    assert graph.origins == ["a", "shares", "shares", "shares", "b", "one"]
    expected = np.column_stack([ARRAYS["a"], ARRAYS["shares"], ARRAYS["b"], ARRAYS["one"]])
    assert_array_equal(graph.run(ARRAYS)["numeric"], expected)


def test_places_in_another_order_and_some_of_them():
    encoders = [Raw(Element("shares", place, 3)) for place in (2, 0)]
    graph = FeatureGraph(SCHEMA, [*encoders, Raw(Value("a")), Raw(Element("shares", 1, 3))])
    expected = np.column_stack([ARRAYS["shares"][:, [2, 0]], ARRAYS["a"], ARRAYS["shares"][:, 1]])
    assert_array_equal(graph.run(ARRAYS)["numeric"], expected)


def test_a_whole_list_is_no_node():
    builder = GraphBuilder()
    inputs = builder.inputs(SCHEMA)
    whole = [(Element("shares", place, 3), inputs) for place in range(3)]
    assert write_side_by_side(builder, whole) == "shares"


def test_every_plan_reads_lists():
    for plan in (plain_encoders, network_encoders, range_encoders):
        graph = FeatureGraph(SCHEMA, plan(SCHEMA)).learn(ARRAYS)
        assert sum(name.startswith("shares[") for name in graph.names) == 3
        assert graph.run(ARRAYS)["numeric"].shape[0] == 2
