"""Converted models answer as the trained ones do, on the very values where they turn too."""

from __future__ import annotations

from collections.abc import Sequence

import lightgbm as lgb
import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from industry_apps.export.convert import (
    network_to_onnx,
    split_thresholds,
    trees_to_onnx,
    with_float32_thresholds,
)

OPTIONS = {"verbosity": -1, "num_threads": 1, "num_leaves": 15, "min_data_in_leaf": 5}


def train(
    seed: int, *, holes: Sequence[int] = (), rounds: int = 15, **options: object
) -> tuple[lgb.Booster, NDArray[np.float32]]:
    """Trees of five columns, of which `holes` have missing values in training."""
    random = np.random.default_rng(seed)
    rows = random.normal(0, 10.0 ** random.integers(-3, 6, 5), (400, 5)).astype(np.float32)
    rows[:, 3] = random.integers(-2, 3, 400)  # few values, zero among them
    rows[:, 4] = np.abs(rows[:, 4])
    for column in holes:
        rows[random.random(400) < 0.2, column] = np.nan
    score = np.nan_to_num(rows / np.nanstd(rows, axis=0)).sum(axis=1)
    target = score + random.normal(0, 0.5, 400) > 0
    data = lgb.Dataset(rows, target, params={"verbosity": -1})
    return lgb.train({**OPTIONS, "objective": "binary", **options}, data, rounds), rows


def around_thresholds(booster: lgb.Booster, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Real rows with one column at a threshold, or one float32 beside it."""
    made = []
    for column, thresholds in enumerate(split_thresholds(booster)):
        exact = np.array(thresholds, dtype=np.float32)
        beside = [np.nextafter(exact, side) for side in np.float32([-np.inf, np.inf])]
        for values in (exact, *beside):
            part = rows[np.arange(len(values)) % len(rows)].copy()
            part[:, column] = values
            made.append(part)
    return np.concatenate([rows, *made])


def answer(model: onnx.ModelProto, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found: NDArray[np.float32] = session.run(["margin"], {"features": rows})[0]
    assert found.shape == (len(rows), 1)
    return found[:, 0]


@given(st.integers(0, 10**6))
def test_rounded_thresholds_route_every_float32_alike(seed: int) -> None:
    booster, rows = train(seed, holes=[1], rounds=5)
    rounded = with_float32_thresholds(booster)
    rows = around_thresholds(booster, rows)
    assert_array_equal(rounded.predict(rows, pred_leaf=True), booster.predict(rows, pred_leaf=True))
    assert_array_equal(rounded.predict(rows, raw_score=True), booster.predict(rows, raw_score=True))
    for new, old in zip(split_thresholds(rounded), split_thresholds(booster), strict=True):
        assert_array_equal(np.float32(new), new)
        assert all(a <= b for a, b in zip(new, old, strict=True))


@given(st.integers(0, 10**6), st.sets(st.integers(0, 4)))
def test_trees_answer_alike_with_and_without_missing_values(seed: int, holes: set[int]) -> None:
    booster, rows = train(seed, holes=sorted(holes), rounds=5)
    booster = with_float32_thresholds(booster)
    rows = around_thresholds(booster, rows)
    empty = np.full((1, 5), np.nan, dtype=np.float32)
    for column in range(5):  # also where no value was missing in training
        part = rows[:50].copy()
        part[:, column] = np.nan
        rows = np.concatenate([rows, part])
    rows = np.concatenate([rows, empty, np.float32([[np.inf] * 5, [-np.inf] * 5, [0] * 5])])
    expected = booster.predict(rows, raw_score=True)
    assert_allclose(answer(trees_to_onnx(booster), rows), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"objective": "regression"},
        {"boosting": "dart"},
        {"bagging_fraction": 0.5, "bagging_freq": 1, "feature_fraction": 0.5},
        {"use_missing": False},
        {"max_depth": 1},
        {"min_data_in_leaf": 1000},  # no split at all
    ],
)
def test_trees_of_other_settings(options: dict[str, object]) -> None:
    booster, rows = train(0, holes=[0, 3], **options)
    booster = with_float32_thresholds(booster)
    rows = around_thresholds(booster, rows)
    expected = booster.predict(rows, raw_score=True)
    assert_allclose(answer(trees_to_onnx(booster), rows), expected, rtol=0, atol=1e-5)


def test_a_split_of_missing_from_all_others_has_no_threshold() -> None:
    rows = np.random.default_rng(0).normal(size=(100, 1)).astype(np.float32)
    rows[::2] = np.nan
    data = lgb.Dataset(rows, np.isnan(rows[:, 0]), params=OPTIONS)
    stumps = lgb.train({**OPTIONS, "objective": "binary", "num_leaves": 2}, data, 3)
    booster = with_float32_thresholds(stumps)
    assert booster.num_trees() == 3
    assert split_thresholds(booster) == [[]]
    rows = np.float32([[np.nan], [-3e38], [0], [3e38]])
    expected = booster.predict(rows, raw_score=True)
    assert expected[0] > expected[1] == expected[3]
    assert_allclose(answer(trees_to_onnx(booster), rows), expected, rtol=0, atol=1e-5)


def test_infinite_values_are_routed_alike() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(400, 1)).astype(np.float32)
    rows[::3], rows[1::7], rows[2::11] = np.inf, -np.inf, np.nan
    target = (rows[:, 0] == np.inf) ^ (random.random(400) < 0.1)
    data = lgb.Dataset(rows, target, params=OPTIONS)
    trained = lgb.train({**OPTIONS, "objective": "binary"}, data, 10)
    booster = with_float32_thresholds(trained)
    rows = np.concatenate([around_thresholds(booster, rows), np.float32([[3e38], [-3e38]])])
    expected = trained.predict(rows, raw_score=True)
    assert_array_equal(booster.predict(rows, raw_score=True), expected)
    assert_allclose(answer(trees_to_onnx(booster), rows), expected, rtol=0, atol=1e-5)


def test_only_the_best_trees_are_exported() -> None:
    booster, rows = train(0)
    booster.best_iteration = 4
    best = with_float32_thresholds(booster)
    assert best.num_trees() == 4
    assert_array_equal(
        best.predict(rows, raw_score=True), booster.predict(rows, raw_score=True, num_iteration=4)
    )


def test_what_cannot_be_converted_is_refused() -> None:
    random = np.random.default_rng(0)
    rows = np.column_stack([random.integers(0, 9, 500), random.normal(size=500)])
    data = lgb.Dataset(rows, rows[:, 0] % 3 == 1, categorical_feature=[0], params=OPTIONS)
    sets = lgb.train({**OPTIONS, "objective": "binary"}, data, 3)
    with pytest.raises(ValueError, match="categorical splits cannot be exported"):
        with_float32_thresholds(sets)
    zeros, _ = train(0, zero_as_missing=True)
    with pytest.raises(ValueError, match="zero_as_missing"):
        trees_to_onnx(with_float32_thresholds(zeros))


class TwoInputs(torch.nn.Module):
    """Embeddings beside numbers, with layers that behave otherwise in training."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(7, 3)
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(2 * 3 + 4, 8),
            torch.nn.BatchNorm1d(8),
            torch.nn.ReLU(),
            torch.nn.Dropout(0.5),
            torch.nn.Linear(8, 1),
        )

    def forward(self, numeric: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        embedded = self.embedding(codes).flatten(1)  # [batch, 6]
        return self.layers(torch.cat([numeric, embedded], dim=1))  # [batch, 1]


def test_a_network_takes_any_batch() -> None:
    torch.manual_seed(0)
    network = TwoInputs()
    example = (torch.zeros(2, 4), torch.zeros(2, 2, dtype=torch.int64))
    model = network_to_onnx(network, example, ["numeric", "codes"])
    assert [i.name for i in model.graph.input] == ["numeric", "codes"]
    assert not network.training
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for batch in (1, 2, 3, 1000):
        numeric, codes = torch.randn(batch, 4), torch.randint(0, 7, (batch, 2))
        feeds = {"numeric": numeric.numpy(), "codes": codes.numpy()}
        with torch.inference_mode():
            expected = network(numeric, codes)
        (found,) = session.run(["output"], feeds)
        assert found.shape == (batch, 1)
        assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("dynamo", [True, False])
def test_a_converted_network_does_not_say_where_it_was_written(dynamo: bool) -> None:
    network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU())
    content = network_to_onnx(network, (torch.zeros(2, 3),), ["x"], dynamo=dynamo)
    assert b".py" not in content.SerializeToString()
