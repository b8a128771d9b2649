"""The graph as a whole: one record is the batch, whatever the columns hold."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from industry_apps.errors import ParameterError
from industry_apps.features import (
    Category,
    FeatureGraph,
    Missing,
    QuantileNormal,
    Ratio,
    Raw,
    Standard,
    TimePart,
    Tokens,
    Value,
    WordCounts,
    dense_encoders,
    network_encoders,
    plain_encoders,
    tree_encoders,
)
from industry_apps.runtime import inputs
from industry_apps.schema import Column, Schema

SCHEMA = Schema(
    (
        Column(name="id", kind="category", role="identifier"),
        Column(name="amount", kind="number"),
        Column(name="member", kind="boolean"),
        Column(name="country", kind="category"),
        Column(name="time", kind="datetime"),
        Column(name="note", kind="text"),
    )
)
PLANS = [tree_encoders, network_encoders, dense_encoders, plain_encoders]
Plan = Callable[[Schema], list[Any]]


def table(rows: int, seed: int = 0) -> dict[str, list[Any]]:
    random = np.random.default_rng(seed)

    def some(values: list[Any]) -> list[Any]:
        return [values[n] for n in random.integers(0, len(values), rows)]

    return {
        "id": [str(n) for n in range(rows)],
        "amount": some([None, 0.0, 1.5, -3.0, 1e6, 1e-6]),
        "member": some([None, True, False]),
        "country": some([None, "DE", "FR", "Côte d'Ivoire", "XX"]),
        "time": some([None, *pd.date_range("1999-12-30", periods=9, freq="7h")]),
        "note": some([None, "", "all is well", "naïve 字", "well well"]),
    }


def tensors(graph: FeatureGraph, arrays: dict[str, np.ndarray]) -> np.ndarray:
    return np.hstack([tensor.astype(np.float64) for tensor in graph.run(arrays).values()])


def graph_of(plan: Plan, rows: int = 200) -> FeatureGraph:
    return FeatureGraph(SCHEMA, plan(SCHEMA)).learn(SCHEMA.to_arrays(table(rows)))


@pytest.mark.parametrize("plan", PLANS)
def test_one_record_is_the_batch_in_any_order(plan: Plan) -> None:
    graph, arrays = graph_of(plan), SCHEMA.to_arrays(table(60, seed=1))
    whole = tensors(graph, arrays)
    singly = [tensors(graph, {k: v[[row]] for k, v in arrays.items()}) for row in range(60)]
    # Sine and cosine of a processor's wide and narrow registers differ in the last bit; what
    # trees split on has to be the same.
    allowed = 2e-7 if plan in (network_encoders, dense_encoders) else 0
    assert_allclose(np.vstack(singly), whole, rtol=0, atol=allowed)
    order = np.random.default_rng(2).permutation(60)
    shuffled = tensors(graph, {k: v[order] for k, v in arrays.items()})
    assert_allclose(shuffled, whole[order], rtol=0, atol=allowed)


@pytest.mark.parametrize("plan", PLANS)
def test_names_and_cardinalities_are_those_of_the_tensors(plan: Plan) -> None:
    graph = graph_of(plan)
    found = graph.run(SCHEMA.to_arrays(table(300, seed=3)))
    assert len(set(graph.names)) == len(graph.names) == found["numeric"].shape[1]
    assert found["numeric"].dtype == np.float32
    assert len(graph.cardinalities) == found.get("codes", np.empty((0, 0))).shape[1]
    if graph.cardinalities:
        assert (found["codes"].max(axis=0) < graph.cardinalities).all()
        assert found["codes"].min() >= 0


@pytest.mark.parametrize("plan", [network_encoders, dense_encoders])
def test_what_networks_are_given_is_finite_and_small(plan: Plan) -> None:
    found = graph_of(plan).run(SCHEMA.to_arrays(table(300, seed=4)))["numeric"]
    assert np.abs(found).max() <= 10


@pytest.mark.parametrize("plan", PLANS)
def test_every_column_but_the_identifier_has_an_effect(plan: Plan) -> None:
    graph, frame = graph_of(plan), table(300)
    before = tensors(graph, SCHEMA.to_arrays(frame))
    for column in SCHEMA:
        shuffled = frame | {column.name: frame[column.name][::-1]}
        after = tensors(graph, SCHEMA.to_arrays(shuffled))
        changed = not np.array_equal(after, before, equal_nan=True)
        assert changed == (column.role != "identifier"), column.name
    assert graph.schema.names == [name for name in SCHEMA.names if name != "id"]


@pytest.mark.parametrize("plan", PLANS)
def test_no_rows(plan: Plan) -> None:
    graph = graph_of(plan)
    none, one = (graph.run(SCHEMA.to_arrays(table(rows))) for rows in (0, 1))
    assert {k: (v.shape[1], v.dtype) for k, v in none.items()} == {
        k: (v.shape[1], v.dtype) for k, v in one.items()
    }
    assert all(len(tensor) == 0 for tensor in none.values())


@pytest.mark.parametrize("plan", PLANS)
def test_nothing_to_learn_from_still_runs(plan: Plan) -> None:
    missing = SCHEMA.to_arrays({name: [None] * 12 for name in SCHEMA.names})
    constant = SCHEMA.to_arrays({name: values * 30 for name, values in table(1, seed=8).items()})
    for arrays in (missing, constant):
        graph = FeatureGraph(SCHEMA, plan(SCHEMA)).learn(arrays)
        found = graph.run(SCHEMA.to_arrays(table(50)))
        assert found["numeric"].shape == (50, len(graph.names))
        if plan in (network_encoders, dense_encoders):
            assert np.isfinite(found["numeric"]).all()


@pytest.mark.parametrize("plan", PLANS)
def test_a_pickled_graph_answers_alike(plan: Plan) -> None:
    graph, arrays = graph_of(plan), SCHEMA.to_arrays(table(50, seed=5))
    before = tensors(graph, arrays)  # the session exists, and is left behind
    copy = pickle.loads(pickle.dumps(graph))
    assert copy.encoders == graph.encoders
    assert_array_equal(tensors(copy, arrays), before)


@pytest.mark.parametrize("rows", [1, 7, 8, 9, 16, 17])
def test_runs_join_at_their_borders(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, arrays = graph_of(tree_encoders), SCHEMA.to_arrays(table(rows, seed=6))
    whole = tensors(graph, arrays)
    monkeypatch.setattr(inputs, "ROWS_A_RUN", 8)
    assert_array_equal(tensors(graph, arrays), whole)


def test_learning_uses_all_rows_beyond_one_run() -> None:
    values = np.arange(inputs.ROWS_A_RUN + 3, dtype=np.float32)
    graph = FeatureGraph(SCHEMA, [Standard(Value("amount"))]).learn({"amount": values})
    (encoder,) = graph.encoders
    assert isinstance(encoder, Standard)
    assert encoder.median == np.median(values)
    assert_allclose(graph.run({"amount": values})["numeric"].mean(), 0, atol=1e-5)


def test_learning_leaves_the_specification_as_it_was() -> None:
    graph = FeatureGraph(SCHEMA, tree_encoders(SCHEMA))
    before = graph.encoders
    graph.learn(SCHEMA.to_arrays(table(50)))
    assert graph.encoders == before


@given(st.permutations(["amount", "member", "country", "time", "note"]))
def test_the_order_of_encoders_does_not_change_their_columns(order: list[str]) -> None:
    encoder = {
        "amount": Standard(Value("amount")),
        "member": Raw(Value("member")),
        "country": Category("country", "onehot"),
        "time": Raw(TimePart("time", "hour")),
        "note": WordCounts("note", min_count=1),
    }
    arrays = SCHEMA.to_arrays(table(40))
    graph = FeatureGraph(SCHEMA, [encoder[name] for name in order]).learn(arrays)
    found = dict(zip(graph.names, graph.run(arrays)["numeric"].T, strict=True))
    assert_array_equal(found["country="], [x is None for x in table(40)["country"]])
    assert_array_equal(found["member"], arrays["member"])
    assert_array_equal(found["note:naïve"], [x == "naïve 字" for x in table(40)["note"]])


def test_tokens_and_codes_have_tensors_of_their_own() -> None:
    arrays = SCHEMA.to_arrays(table(30))
    encoders = [Tokens("note", length=3, min_count=1), Category("country"), Category("id")]
    found = FeatureGraph(SCHEMA, encoders).learn(arrays).run(arrays)
    assert {name: tensor.shape for name, tensor in found.items()} == {
        "codes": (30, 2),
        "tokens": (30, 3),
    }


@pytest.mark.parametrize(
    "name",
    ["numeric", "codes", "tokens", "constant_1", "isnan_4", "part_1/x", "a b", "ß", "x" * 999],
)
def test_a_column_may_have_any_name(name: str) -> None:
    schema = Schema((Column(name=name, kind="number"), Column(name="c", kind="category")))
    encoders = [Standard(Value(name)), Missing(Value(name)), Category("c")]
    arrays = schema.to_arrays({name: [-1.0, 1.0, None], "c": ["a", "b", None]})
    found = FeatureGraph(schema, encoders).learn(arrays).run(arrays)
    assert found["numeric"][:, 0].tolist() == [0, 0, 1]
    assert found["codes"][:, 0].tolist() == [2, 3, 1]


def test_infinite_ratios_are_extremes_and_taught_to_nobody() -> None:
    schema = Schema((Column(name="a", kind="number"), Column(name="b", kind="number")))
    numerators, divisors = [1.0, 2.0, 3.0, 4.0, -1.0, 0.0], [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    arrays = schema.to_arrays({"a": numerators, "b": divisors})
    ratio = Ratio("a", "b")
    graph = FeatureGraph(schema, [Standard(ratio), QuantileNormal(ratio), Missing(ratio)])
    found = graph.learn(arrays).run(arrays)["numeric"]
    assert np.isfinite(found).all()
    missing, quantile, standard = found.T
    assert missing.tolist() == [0, 0, 0, 0, 0, 1]
    assert standard[3] == -standard[4] == 10
    assert quantile[3] == quantile.max()
    assert quantile[4] == quantile.min()


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"reads \['amuont'\], not among"):
        FeatureGraph(SCHEMA, [Raw(Value("amuont"))])


def test_a_graph_of_nothing_is_refused() -> None:
    arrays = {"amount": np.ones(3, dtype=np.float32)}
    with pytest.raises(ParameterError, match="Nothing can be learned"):
        FeatureGraph(SCHEMA, [Missing(Value("amount"))]).learn(arrays)


def test_columns_remember_what_an_equal_graph_made_of_them(monkeypatch):
    schema = Schema((Column(name="x", kind="number"), Column(name="y", kind="number")))
    runs = []
    run = FeatureGraph._tensors

    def told(graph, arrays):
        runs.append(graph.schema.names)
        return run(graph, arrays)

    monkeypatch.setattr(FeatureGraph, "_tensors", told)
    arrays = schema.to_arrays({"x": [1.0, 2.0], "y": [3.0, 4.0]})
    first, again, other = (FeatureGraph(schema, [Raw(Value(name))]) for name in "xxy")
    found = [graph.run(arrays)["numeric"].ravel().tolist() for graph in (first, again, other)]
    assert found == [[1, 2], [1, 2], [3, 4]]
    assert runs == [["x"], ["y"]]
    arrays["x"] = np.array([5.0, 6.0], dtype=np.float32)
    assert first.run(arrays)["numeric"].ravel().tolist() == [5, 6]
    for _ in range(2):
        first.run(dict(arrays))  # which has no place to remember anything
    assert runs == [["x"], ["y"], ["x"], ["x"], ["x"]]
