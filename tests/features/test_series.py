"""Signals, ranks and channels of windows against plain numpy."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from scipy.stats import rankdata, skew

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.features import (
    Adjusted,
    Between,
    Change,
    Drawdown,
    GraphBuilder,
    Illiquidity,
    Latest,
    LevelChannel,
    LevelRatio,
    OfChanges,
    RatioChannel,
    SequenceGraph,
    SeriesGraph,
    Signal,
    cross_rank,
)

Windows = dict[str, NDArray[Any]]

LENGTH = 14
OPEN = Adjusted("open", by="adjusted", of="close")


def changes(w: Windows, steps: int) -> NDArray[Any]:
    return np.diff(np.log(w["adjusted"]), axis=1)[:, -steps:]


def regression(w: Windows) -> tuple[NDArray[Any], NDArray[Any]]:
    own = changes(w, 8)
    market = np.nanmean(own, axis=0)
    slopes = np.array([np.cov(row, market)[0, 1] / np.var(market, ddof=1) for row in own])
    own_part = own - own.mean(1, keepdims=True) - slopes[:, None] * (market - market.mean())
    return slopes, own_part.std(1)


def overnight(w: Windows) -> NDArray[Any]:
    opened = w["open"] * w["adjusted"] / w["close"]
    return np.log(opened[:, -3:] / w["adjusted"][:, -4:-1]).mean(1)


def illiquidity(w: Windows) -> NDArray[Any]:
    traded = w["close"] * w["volume"]
    return np.log(np.mean(np.abs(changes(w, 5)) / traded[:, -5:], axis=1))


#: Each signal, and the same number by numpy.
CASES: list[tuple[Signal, Callable[[Windows], NDArray[Any]]]] = [
    (Change("adjusted", 5), lambda w: np.log(w["adjusted"][:, -1] / w["adjusted"][:, -6])),
    (Change("adjusted", 9, skip=2), lambda w: np.log(w["adjusted"][:, -3] / w["adjusted"][:, -10])),
    (Between("low", "high", steps=4), lambda w: np.log(w["high"] / w["low"])[:, -4:].mean(1)),
    (Between("adjusted", OPEN, lag=1, steps=3), overnight),
    (
        LevelRatio("volume", 2, 7),
        lambda w: np.log(w["volume"][:, -2:].mean(1) / w["volume"][:, -7:].mean(1)),
    ),
    (
        Drawdown("adjusted", 9),
        lambda w: np.log(w["adjusted"][:, -1] / w["adjusted"][:, -9:].max(1)),
    ),
    (OfChanges("adjusted", 8), lambda w: changes(w, 8).std(1)),
    (OfChanges("adjusted", 8, "largest"), lambda w: changes(w, 8).max(1)),
    (OfChanges("adjusted", 8, "skewness"), lambda w: skew(changes(w, 8), axis=1)),
    (OfChanges("adjusted", 8, "beta"), lambda w: regression(w)[0]),
    (OfChanges("adjusted", 8, "own_volatility"), lambda w: regression(w)[1]),
    (Illiquidity("adjusted", "close", "volume", 5), illiquidity),
]
SIGNALS = [signal for signal, _ in CASES]
RAW = SeriesGraph(SIGNALS, ranked=False)
RANKED = SeriesGraph(SIGNALS)
CHANNELS = [
    RatioChannel("adjusted", "adjusted", lag=1, scale=0.02),
    RatioChannel("adjusted", OPEN, lag=1, scale=0.01),
    LevelChannel("volume", scale=0.5),
]


def market(seed: int, batch: int, level: float = 50.0) -> Windows:
    """Prices that move by about 2 % a day, splits among them, and volumes."""
    rng = np.random.default_rng(seed)
    shape = (batch, LENGTH)
    adjusted = level * np.exp(np.cumsum(rng.normal(0, 0.02, shape), axis=1))
    split = np.where(np.arange(LENGTH) < rng.integers(0, LENGTH, (batch, 1)), 2.0, 1.0)
    close = adjusted * split
    opened = close * np.exp(rng.normal(0, 0.01, shape))
    high = np.maximum(opened, close) * np.exp(rng.exponential(0.01, shape))
    low = np.minimum(opened, close) * np.exp(-rng.exponential(0.01, shape))
    volume = np.exp(rng.normal(12, 1, shape))
    columns = {"open": opened, "high": high, "low": low, "close": close}
    return columns | {"adjusted": adjusted, "volume": volume}


markets = st.builds(
    market, st.integers(0, 10**6), st.integers(1, 6), st.sampled_from([0.01, 50.0, 1e6])
)


@given(markets)
def test_signals_equal_numpy(windows: Windows) -> None:
    found = RAW.run(windows)
    assert found.dtype == np.float32
    for column, (signal, reference) in enumerate(CASES):
        assert_allclose(
            found[:, column], reference(windows), rtol=2e-3, atol=2e-6, err_msg=signal.name
        )


@given(markets, st.floats(0.05, 20))
def test_prices_have_no_scale(windows: Windows, factor: float) -> None:
    scaled = {name: x * (1 if name == "volume" else factor) for name, x in windows.items()}
    change = RAW.run(scaled) - RAW.run(windows)
    change[:, -1] += np.log(factor)  # illiquidity is per money: it shifts, and its ranks do not
    assert_allclose(change, 0, atol=3e-3)
    assert_allclose(
        SequenceGraph(CHANNELS, 5).run(scaled), SequenceGraph(CHANNELS, 5).run(windows), atol=1e-3
    )


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
def test_only_the_history_matters(signal: Signal) -> None:
    windows = market(3, 4)
    graph = SeriesGraph([signal], ranked=False)
    before = {name: x.copy() for name, x in windows.items()}
    for x in before.values():
        x[:, : LENGTH - signal.history] = np.nan
    assert_array_equal(graph.run(before), graph.run(windows))
    shortest = {name: x[:, -signal.history :] for name, x in windows.items()}
    assert_array_equal(graph.run(shortest), graph.run(windows))
    first = {name: x.copy() for name, x in shortest.items()}
    for x in first.values():
        x[:, 0] = np.nan
    assert np.isnan(graph.run(first)).all()  # the history is no longer than it must be


@given(st.sampled_from(sorted(market(0, 1))), st.integers(0, 3), st.integers(0, LENGTH - 1))
def test_missing_values_make_missing_signals(column: str, row: int, step: int) -> None:
    windows = market(5, 4)
    windows[column][row, step] = np.nan
    found = RAW.run(windows)
    expected = np.column_stack([reference(windows) for _, reference in CASES])
    assert_array_equal(np.isnan(found), np.isnan(expected))
    assert_allclose(found, expected, rtol=2e-3, atol=2e-6)
    assert np.isfinite(np.delete(found, row, axis=0)).all()  # the others are not touched
    ranked = RANKED.run(windows)
    assert_array_equal(np.isnan(ranked), np.isnan(found))
    filled = SeriesGraph(SIGNALS, missing=0.0).run(windows)
    assert_array_equal(filled, np.nan_to_num(ranked))


@given(st.sampled_from(["open", "high", "low", "close", "adjusted"]), st.integers(0, LENGTH - 1))
def test_a_price_that_is_not_positive_is_missing(column: str, step: int) -> None:
    answers = []
    for value in (np.nan, 0.0, -1.0):
        windows = market(5, 4)
        windows[column][2, step] = value
        answers.append(RAW.run(windows))
    assert_array_equal(answers[1], answers[0])
    assert_array_equal(answers[2], answers[0])


def test_without_movement_or_trade_there_is_no_signal_and_no_warning() -> None:
    windows = {name: np.full((2, LENGTH), 10.0) for name in RAW.columns}
    windows["volume"][:] = 0
    found = dict(zip(RAW.names, RAW.run(windows).T, strict=True))
    for name in ("levelratio", "skewness", "beta", "own_volatility", "illiquidity"):
        assert np.isnan(next(x for key, x in found.items() if key.startswith(name))).all()
    assert_array_equal(found["volatility(adjusted, 8)"], 0)


@given(markets, st.randoms(use_true_random=False))
def test_order_of_the_batch_does_not_matter(windows: Windows, random: Any) -> None:
    order = list(range(len(windows["close"])))
    random.shuffle(order)
    shuffled = {name: x[order] for name, x in windows.items()}
    # The mean over the batch is summed in another order, so its last digits may differ.
    assert_allclose(RAW.run(shuffled), RAW.run(windows)[order], rtol=1e-2, atol=1e-5)
    exact = SeriesGraph([s for s in SIGNALS if "beta" not in s.name and "own" not in s.name])
    assert_array_equal(exact.run(shuffled), exact.run(windows)[order])


few = st.sampled_from([np.nan, 0.0, 1.0, -1e30, 1e30, 1e-30])


@given(st.lists(few | st.floats(-1e6, 1e6, width=32), min_size=1, max_size=8))
def test_the_latest_value_is_taken_as_it_is(values: list[float]) -> None:
    told = np.column_stack([np.full((len(values), 3), 7.0), np.array(values)])
    raw = SeriesGraph([Latest("told")], ranked=False)
    assert_array_equal(raw.run({"told": told})[:, 0], told[:, -1].astype(np.float32))
    ranked = SeriesGraph([Latest("told")], missing=0.0).run({"told": told})
    assert_allclose(ranked[:, 0], np.nan_to_num(ranks(told[:, -1])), atol=1e-6)


def test_the_latest_value_needs_one_step_and_is_named() -> None:
    signal = Latest("told")
    assert (signal.history, signal.columns, signal.name) == (1, ("told",), "latest(told)")
    both = SeriesGraph([Change("adjusted", 5), signal])
    assert both.columns == ("adjusted", "told")
    assert both.history == 6


def test_batch_of_one() -> None:
    windows = market(0, 1)
    found = dict(zip(RAW.names, RAW.run(windows)[0], strict=True))
    assert found["beta(adjusted, 8)"] == pytest.approx(1, abs=1e-4)
    assert found["own_volatility(adjusted, 8)"] == pytest.approx(0, abs=1e-6)
    assert_array_equal(RANKED.run(windows), 0)


def ranks(values: NDArray[Any]) -> NDArray[Any]:
    builder = GraphBuilder()
    tensor = cross_rank(builder, builder.input("x", np.float32))
    builder.output(tensor, "rank", np.float32)
    session = ort.InferenceSession(builder.model().SerializeToString())
    return np.asarray(session.run(None, {"x": values.astype(np.float32)[:, None]})[0][:, 0])


@settings(max_examples=60)
@given(st.lists(few | st.floats(-1e6, 1e6, width=32), min_size=1, max_size=30))
def test_ranks(values: list[float]) -> None:
    x = np.array(values, dtype=np.float32)
    expected = np.full(len(x), np.nan)
    known = ~np.isnan(x)
    if known.any():
        expected[known] = (rankdata(x[known]) - 1) / max(known.sum() - 1, 1) - 0.5
        if known.sum() == 1:
            expected[known] = 0
    assert_allclose(ranks(x), expected, atol=1e-6)


def test_ranks_of_a_thousand() -> None:
    x = np.random.default_rng(0).permutation(1000)
    assert_allclose(ranks(x), x / 999 - 0.5, atol=1e-6)


@given(markets)
def test_channels_equal_numpy(windows: Windows) -> None:
    graph = SequenceGraph(CHANNELS, steps=5)
    log, adjusted, volume = np.log, windows["adjusted"], windows["volume"][:, -5:]
    opened = windows["open"] * adjusted / windows["close"]
    expected = np.stack(
        [
            np.diff(log(adjusted))[:, -5:] / 0.02,
            log(opened[:, -5:] / adjusted[:, -6:-1]) / 0.01,
            log(volume / volume.mean(1, keepdims=True)) / 0.5,
        ],
        axis=2,
    ).clip(-5, 5)
    assert graph.history == 6
    assert_allclose(graph.run(windows), expected, rtol=1e-3, atol=1e-3)


def test_channels_are_bounded_and_never_missing() -> None:
    windows = market(1, 3)
    windows["adjusted"][0, -1] = np.nan
    windows["volume"][1, -1] = 0
    windows["volume"][2] = 0
    found = SequenceGraph(CHANNELS, 5).run(windows)
    assert found.shape == (3, 5, 3)
    assert np.isfinite(found).all()
    assert_array_equal(found[0, -1, :2], 0)
    assert found[1, -1, 2] == -5
    assert_array_equal(found[2, :, 2], 0)


def test_names_and_columns() -> None:
    signal = Between("adjusted", OPEN, lag=1)
    assert signal.name == "between(adjusted, adjusted open, 1, 1)"
    assert signal.columns == ("adjusted", "open", "close")
    assert signal.history == 2
    assert RAW.history == 10
    assert len(set(RAW.names)) == len(CASES)


def test_a_graph_survives_pickling() -> None:
    windows = market(0, 2)
    expected = RANKED.run(windows)
    assert_array_equal(pickle.loads(pickle.dumps(RANKED)).run(windows), expected)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Change("x", 0), "steps"),
        (lambda: Change("x", 5, skip=5), "skip"),
        (lambda: LevelRatio("x", 5, 5), "long"),
        (lambda: OfChanges("x", 1), "steps"),
        (lambda: OfChanges("x", 5, "median"), "statistic"),
        (lambda: RatioChannel("x", "x", scale=0.0), "scale"),
        (lambda: SequenceGraph(CHANNELS, 0), "steps"),
        (lambda: SeriesGraph([]), "at least one"),
    ],
)
def test_wrong_parameters_are_named(make: Callable[[], object], word: str) -> None:
    with pytest.raises(ParameterError, match=word):
        make()


@pytest.mark.parametrize(
    ("windows", "word"),
    [
        ({"y": np.ones((2, 9))}, "lack the columns"),
        ({"x": np.ones((2, 5))}, "at least 6 steps"),
        ({"x": np.ones(9)}, "shape"),
    ],
)
def test_wrong_windows_are_named(windows: Windows, word: str) -> None:
    with pytest.raises(SchemaError, match=word):
        SeriesGraph([Change("x", 5)]).run(windows)
