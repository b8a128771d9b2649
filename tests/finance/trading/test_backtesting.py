"""The back-test against plain share-by-share accounting, and what it must never do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.finance.trading.backtesting import Backtest, TradingCosts, backtest

Floats = NDArray[np.float64]
Market = tuple[Floats, Floats, Floats]

FREE = TradingCosts(fee_bp=0.0)
DEAR = TradingCosts(fee_bp=20.0, slippage_bp=10.0, borrow_rate=0.3)


def market(seed: int, gaps: float = 0.0) -> Market:
    """Positions, open and close prices; with gaps: halts, late listings and delistings."""
    random = np.random.default_rng(seed)
    shape = (int(random.integers(2, 25)), int(random.integers(1, 6)))
    close = 50 * np.exp(np.cumsum(random.normal(0, 0.05, shape), axis=0))
    opens = close * np.exp(random.normal(0, 0.02, shape))
    positions = random.normal(0, 0.4, shape) * (random.random(shape) < 0.8)
    for prices in (opens, close):
        prices[random.random(shape) < gaps] = np.nan
    for asset in range(shape[1]):
        if random.random() < gaps:
            first, last = sorted(random.integers(0, shape[0] + 1, 2))
            opens[:first, asset] = close[:first, asset] = np.nan
            opens[last:, asset] = close[last:, asset] = np.nan
    return positions, opens, close


def slow_returns(positions: Floats, opens: Floats, close: Floats, costs: TradingCosts) -> Floats:
    """Net returns by counting shares and cash, one asset after the other."""
    days, assets = positions.shape
    cash, shares, price = 1.0, [0.0] * assets, [np.nan] * assets  # price: the last one known
    equity_at_open, equity = [], 1.0
    for t in range(days):
        for a in range(assets):
            if not np.isnan(opens[t, a]):
                price[a] = opens[t, a]
        equity = cash + sum(s * p for s, p in zip(shares, price, strict=True) if s)
        equity_at_open.append(equity)
        paid = 0.0
        for a in range(assets):
            ended = np.isnan(opens[t:, a]).all() and np.isnan(close[t:, a]).all()
            wanted = 0.0 if t == 0 or ended else positions[t - 1, a]
            if not np.isnan(opens[t, a]) or (ended and shares[a]):
                bought = wanted * equity / price[a] - shares[a]
                shares[a] += bought
                cash -= bought * price[a]
                paid += abs(bought) * price[a] * (costs.fee_bp + costs.slippage_bp) / 10_000
            if shares[a] < 0:
                paid -= shares[a] * price[a] * costs.borrow_rate / 252
        cash -= paid
        for a in range(assets):
            if not np.isnan(close[t, a]):
                price[a] = close[t, a]
    equity_at_open.append(cash + sum(s * p for s, p in zip(shares, price, strict=True) if s))
    return np.diff(equity_at_open) / equity_at_open[:-1]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9), st.sampled_from([0.0, 0.1, 0.4]), st.sampled_from([FREE, DEAR]))
def test_equals_accounting_share_by_share(seed: int, gaps: float, costs: TradingCosts) -> None:
    found = backtest(*market(seed, gaps), costs).net_return
    assume(found.min() > -0.9)
    assert_allclose(found, slow_returns(*market(seed, gaps), costs), rtol=0, atol=1e-9)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**9), st.sampled_from([0.0, 0.3]), st.data())
def test_the_future_changes_no_return_before_it(
    seed: int, gaps: float, data: st.DataObject
) -> None:
    positions, opens, close = market(seed, gaps)
    before = backtest(positions, opens, close, DEAR)
    day = data.draw(st.integers(0, len(positions) - 2))
    random = np.random.default_rng(seed + 1)
    for prices in (opens, close):
        prices[day + 2 :] *= np.exp(random.normal(0, 0.3, prices[day + 2 :].shape))
    close[day + 1] *= 1.5  # not known either when the day ends, at its next open
    positions[day:] = random.normal(size=positions[day:].shape)  # traded from day + 1 on
    after = backtest(positions, opens, close, DEAR)
    assume(not np.isnan(opens[day + 1]).any())  # else a close is the last known price
    assert_array_equal(before.net_return[: day + 1], after.net_return[: day + 1])
    assert_array_equal(before.trades[: day + 1], after.trades[: day + 1])


@given(st.integers(0, 10**9))
def test_a_longer_table_begins_like_a_shorter_one(seed: int) -> None:
    whole = market(seed)
    days = max(2, len(whole[0]) // 2)
    short = backtest(*(part[:days] for part in whole), DEAR)
    # The last day ends at its close where the table ends, else at the next open.
    long = backtest(*whole, DEAR).net_return[: days - 1]
    assert_array_equal(short.net_return[:-1], long)


@given(st.integers(0, 10**9))
def test_no_position_earns_nothing(seed: int) -> None:
    positions, opens, close = market(seed, 0.2)
    result = backtest(0 * positions, opens, close, DEAR)
    assert not result.net_return.any()
    assert not result.turnover.any()


@given(st.integers(0, 10**9))
def test_costs_never_raise_a_return(seed: int) -> None:
    result, free = backtest(*market(seed), DEAR), backtest(*market(seed), FREE)
    assume(result.net_return.min() > -1)
    assert (result.net_return <= free.net_return).all()
    assert result.equity[-1] <= free.equity[-1]
    traded = (DEAR.fee_bp + DEAR.slippage_bp) / 10_000 * result.turnover
    paid = traded + DEAR.borrow_rate / 252 * result.short_exposure
    assert_allclose(result.gross_return - result.net_return, paid, atol=1e-12)
    assert (paid >= 0).all()


@given(st.integers(0, 10**9), st.sampled_from([0.0, 0.3]))
def test_another_currency_changes_nothing(seed: int, gaps: float) -> None:
    positions, opens, close = market(seed, gaps)
    doubled = backtest(positions, 2 * opens, 2 * close, DEAR)
    assert_array_equal(backtest(positions, opens, close, DEAR).net_return, doubled.net_return)


@given(st.integers(0, 10**9))
def test_one_asset_held_earns_its_open_to_open_return(seed: int) -> None:
    _, opens, close = market(seed)
    opens, close = opens[:, :1], close[:, :1]
    result = backtest(np.ones_like(opens), opens, close, FREE)
    marks = np.append(opens, close[-1])
    assert_allclose(result.net_return[1:], marks[2:] / marks[1:-1] - 1, atol=1e-12)
    assert result.turnover.sum() == pytest.approx(1.0)  # bought once; full weights do not drift
    assert result.drawdown == pytest.approx(
        1 - result.equity / np.maximum.accumulate(np.append(1.0, result.equity))[1:]
    )


def one_asset(opens: list[float], close: list[float], costs: TradingCosts = FREE) -> Backtest:
    return backtest(np.ones((len(opens), 1)), np.c_[opens], np.c_[close], costs)


def test_weights_drift_between_trades() -> None:
    opens = np.array([[1.0, 1.0], [1.0, 1.0], [2.0, 1.0], [2.0, 1.0]])
    result = backtest(np.full((4, 2), 0.5), opens, opens, FREE)
    # After the first doubles, they stand at 2/3 and 1/3: a sixth of the equity goes across.
    assert_allclose(result.turnover, [0, 1, 1 / 3, 0], atol=1e-12)


def test_a_halted_position_is_kept_at_its_last_price() -> None:
    nan = np.nan
    result = one_asset([10, 10, nan, 12], [10, 11, nan, 12])
    assert_allclose(result.net_return, [0, 0.1, 12 / 11 - 1, 0], atol=1e-12)
    positions = np.array([[1.0], [0.0], [0.0], [0.0]])  # wants to sell into the halt
    sold = backtest(positions, np.c_[[10, 10, nan, 12]], np.c_[[10, 11, nan, 12]], FREE)
    assert_allclose(sold.trades[:, 0], [0, 1, 0, -1], atol=1e-12)


def test_a_delisted_position_is_closed_at_its_last_price_and_costs() -> None:
    nan = np.nan
    costs = TradingCosts(fee_bp=100.0)
    result = one_asset([10, 10, nan, nan], [10, 11, nan, nan], costs)
    bought = 0.1 - 0.01
    assert_allclose(result.net_return[:2], [0, bought], atol=1e-12)
    assert result.net_return[2] == pytest.approx(-0.01 * 1.1 / (1 + bought))
    assert result.net_return[3] == 0
    assert_allclose(result.weights[2:], 0, atol=0)


def test_an_unlisted_asset_is_not_bought_before_its_first_open() -> None:
    nan = np.nan
    result = one_asset([nan, nan, nan, 10], [nan, nan, 10, 11])
    assert_allclose(result.net_return, [0, 0, 0, 0.1], atol=1e-12)


def test_a_lost_equity_ends_the_test() -> None:
    prices = np.array([[1.0], [1.0], [3.0], [1.0]])
    result = backtest(np.full((4, 1), -1.0), prices, prices, FREE)
    assert_array_equal(result.net_return, [0, -1, 0, 0])
    assert_array_equal(result.equity, [1, 0, 0, 0])
    assert_array_equal(result.drawdown, [0, 1, 1, 1])


def test_a_short_position_pays_to_borrow() -> None:
    prices = np.ones((3, 2))
    result = backtest(
        np.tile([-0.5, 0.25], (3, 1)), prices, prices, TradingCosts(fee_bp=0.0, borrow_rate=2.52)
    )
    assert_allclose(result.gross_return - result.net_return, [0, 0.005, 0.005])
    assert_allclose(result.short_exposure, [0, 0.5, 0.5])


@pytest.mark.parametrize("price", [0.0, -1.0, np.inf])
@pytest.mark.parametrize("which", [1, 2])
def test_a_price_that_cannot_be_is_named(price: float, which: int) -> None:
    tables = [np.ones((3, 2)) for _ in range(3)]
    tables[which][2, 1] = price
    name = ["positions", "open_price", "close_price"][which]
    with pytest.raises(SchemaError, match=f"{name}.* Day 2, asset 1 .*{price}"):
        backtest(*tables, FREE)


def test_positions_and_shapes_that_do_not_fit_are_refused() -> None:
    prices = np.ones((3, 2))
    with pytest.raises(SchemaError, match=r"position .*Day 1, asset 0 .*nan"):
        backtest([[0, 0], [np.nan, 0], [0, 0]], prices, prices, FREE)
    with pytest.raises(SchemaError, match=r"\(3, 2\), \(3, 1\) and \(3, 2\)"):
        backtest(prices, prices[:, :1], prices, FREE)


@pytest.mark.parametrize("name", ["fee_bp", "slippage_bp", "borrow_rate"])
@pytest.mark.parametrize("value", [-1.0, np.inf])
def test_costs_outside_their_limits_are_named(name: str, value: float) -> None:
    with pytest.raises(ParameterError, match=name):
        TradingCosts(**{name: value})
