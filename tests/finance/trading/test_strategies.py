"""Strategies on past prices: no day knows a later one, and the accounts add up."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from industry_apps.errors import LeakageError, SchemaError
from industry_apps.finance.trading.backtesting import TradingCosts, backtest
from industry_apps.finance.trading.performance import sharpe
from industry_apps.finance.trading.positions import PositionRule
from industry_apps.finance.trading.strategies import (
    Market,
    Traded,
    bought_and_held,
    check_look_ahead,
    equal_weights,
    judge,
    positions_of,
)

FREE = TradingCosts(fee_bp=0.0)
PLAIN = PositionRule(volatility_target=None, turnover_limit=None, max_weight=1.0)
NAMES = np.array(["A", "B", "C", "D", "E", "F", "G", "H"], dtype=object)
FEW = settings(max_examples=15)


def market(seed: int = 0, days: int = 60, assets: int = 8, gaps: float = 0.0) -> Market:
    """Prices that nobody can foresee; by day and by night the same movement."""
    random = np.random.default_rng(seed)
    night, day = random.normal(0, 0.01, (2, days, assets))
    closes = 50 * np.exp(np.cumsum(night + day, axis=0))
    opens = closes / np.exp(day)
    missing = random.random((days, assets)) < gaps
    missing[-1] = False  # what ends before the last day is delisted, which is another test
    opens[missing] = closes[missing] = np.nan
    return Market(
        days=np.datetime64("2020-01-01") + np.arange(days),
        opens=opens,
        closes=closes,
        traded_value=np.where(missing, np.nan, 1e7),
    )


def delisted(found: Market, asset: int, day: int) -> Market:
    opens, closes = found.opens.copy(), found.closes.copy()
    opens[day:, asset] = closes[day:, asset] = np.nan
    return replace(found, opens=opens, closes=closes)


# Alignment: decided at the close of t, traded at the open of t + 1.


@FEW
@given(st.integers(0, 99), st.integers(1, 7), st.integers(1, 12))
def test_the_outcome_runs_from_the_next_open(seed: int, horizon: int, days: int) -> None:
    found = market(seed, days=days, assets=3, gaps=0.1)
    outcome = found.outcome(horizon)
    assert outcome.shape == found.opens.shape
    for t in range(days):
        for asset in range(3):
            end = t + 1 + horizon
            known = end < days
            expected = (
                np.log(found.opens[end, asset] / found.opens[t + 1, asset]) if known else np.nan
            )
            assert_allclose(outcome[t, asset], expected, atol=1e-12)


def foreseen(found: Market, shift: int) -> Any:
    """Trade on the outcome itself, or on that of a neighbouring day."""
    forecast = np.roll(np.nan_to_num(found.outcome(1)), shift, axis=0)
    positions = positions_of(PLAIN, forecast, found, window=20)
    return positions, backtest(positions, found.opens, found.closes, FREE)


def test_who_foresees_the_outcome_earns_it() -> None:
    found = market(days=250)
    positions, result = foreseen(found, 0)
    moved = found.opens[2:] / found.opens[1:-1] - 1  # what a position of day t earns on t + 1
    assert_allclose(result.gross_return[1:-1], (positions[:-2] * moved).sum(axis=1), atol=1e-9)
    assert (result.gross_return[1:-1] > 0).all()
    assert result.gross_return[0] == 0


@pytest.mark.parametrize("shift", [-2, -1, 1, 2])
def test_who_is_a_day_off_earns_nothing(shift: int) -> None:
    _, result = foreseen(market(days=600), shift)
    right = foreseen(market(days=600), 0)[1]
    assert abs(sharpe(result.gross_return)) < 2
    assert sharpe(right.gross_return) > 20


def test_the_night_before_the_trade_is_not_earned() -> None:
    """Tomorrow's open cannot be traded at today's close."""
    found = market(days=600)
    night = np.vstack([np.log(found.opens[1:] / found.closes[:-1]), np.zeros(8)])
    positions = positions_of(PLAIN, night, found, window=20)
    result = backtest(positions, found.opens, found.closes, FREE)
    assert abs(sharpe(result.gross_return)) < 2


# Positions day by day.


def held_at_the_close(found: Market, weights: NDArray[Any], t: int) -> NDArray[Any]:
    """Shares of equity at the close of day t, by plain arithmetic."""
    worth, equity = np.zeros(weights.shape[1]), 1.0
    for asset, weight in enumerate(weights[t]):
        start = found.opens[t, asset]
        if np.isnan(start):
            known = found.closes[:t, asset][~np.isnan(found.closes[:t, asset])]
            start = known[-1] if len(known) else np.nan
        ratio = found.closes[t, asset] / start
        worth[asset] = weight * (1.0 if np.isnan(ratio) else ratio)
        equity += worth[asset] - weight
    return worth / equity


@FEW
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.1]), st.integers(1, 40))
def test_positions_follow_from_what_the_back_test_holds(seed: int, gaps: float, ago: int) -> None:
    found = market(seed, days=50, gaps=gaps)
    rule = PositionRule(pace=0.3, max_weight=0.3)
    random = np.random.default_rng(seed)
    forecast = random.normal(size=(ago, 8))
    forecast[np.isnan(found.closes[-ago:])] = np.nan
    positions = positions_of(rule, forecast, found, window=20)
    traded = found.since(50 - ago)
    result = backtest(positions, traded.opens, traded.closes, FREE)
    closes = found.closes
    for t in range(ago):
        day = 50 - ago + t
        before = np.log(closes[max(day - 20, 0) : day + 1])
        returns = np.diff(before, axis=0)
        returns = np.vstack([np.full((20 - len(returns), 8), np.nan), returns])
        held = held_at_the_close(traded, result.weights, t) if t else np.zeros(8)
        expected = rule.apply(forecast[t][:, None], returns.T, held[:, None])
        # What halted assets weigh leaves the nights of the others out of account.
        assert_allclose(positions[t], expected[:, 0], atol=1e-3 if gaps else 1e-6)


def test_a_delisted_asset_is_closed_and_forgotten() -> None:
    found = delisted(market(days=60), asset=2, day=30)
    forecast = np.where(np.isnan(found.closes), np.nan, np.arange(8.0))
    positions = positions_of(PLAIN, forecast, found, window=20)
    result = backtest(positions, found.opens, found.closes, FREE)
    assert positions[29, 2] != 0
    assert (positions[45:, 2] == 0).all()
    assert (result.weights[30:, 2] == 0).all()  # sold at the last price
    assert np.abs(result.gross_return).max() < 0.1


def test_an_asset_listed_late_is_first_bought_when_it_is_there() -> None:
    found = market(days=60)
    opens, closes = found.opens.copy(), found.closes.copy()
    opens[:40, 1] = closes[:40, 1] = np.nan
    late = replace(found, opens=opens, closes=closes)
    forecast = np.where(np.isnan(closes), np.nan, np.arange(8.0))
    positions = positions_of(PLAIN, forecast, late, window=20)
    result = backtest(positions, opens, closes, FREE)
    assert (positions[:40, 1] == 0).all()
    assert positions[40, 1] != 0
    assert (result.trades[:41, 1] == 0).all()
    assert result.trades[41, 1] != 0


@FEW
@given(st.integers(0, 10**6), st.integers(0, 38))
def test_later_prices_change_no_position(seed: int, day: int) -> None:
    found = market(seed, days=40, gaps=0.05)
    random = np.random.default_rng(seed + 1)
    later = (np.arange(40) > day)[:, None]
    factor = np.where(later, np.exp(random.normal(0, 0.3, (40, 8))), 1.0)
    other = replace(found, opens=found.opens * factor, closes=found.closes * factor)
    forecast = random.normal(size=(30, 8))
    before = positions_of(PositionRule(), forecast, found, window=20)
    after = positions_of(PositionRule(), forecast, other, window=20)
    known = max(day - 10 + 1, 0)
    assert_array_equal(before[:known], after[:known])


# What it is measured against.


def test_buy_and_hold_is_the_mean_of_the_growths() -> None:
    found = delisted(market(days=50), asset=3, day=20)
    last = found.closes[-1].copy()
    last[3] = found.closes[19, 3]  # the last price at which it could be sold
    result = bought_and_held(found, FREE)
    assert result.equity[-1] == pytest.approx((last / found.opens[1]).mean())
    assert result.net_return[0] == 0
    costly = bought_and_held(found, TradingCosts(fee_bp=10.0))
    assert costly.equity[-1] == pytest.approx(result.equity[-1] * (1 - 0.001), rel=1e-4)


@given(st.integers(0, 99))
def test_equal_weights_are_equal_and_one_in_all(seed: int) -> None:
    found = market(seed, days=20, assets=4, gaps=0.4)
    weights = equal_weights(found)
    trading = ~np.isnan(found.closes)
    assert_allclose(weights.sum(axis=1), trading.any(axis=1))
    assert (weights[~trading] == 0).all()
    for row in weights:
        assert len(np.unique(row[row > 0])) <= 1


# Refusals.


@pytest.mark.parametrize("ratio", [2.0, 3.0, 10.0, 1 / 2, 1 / 7, 2.04])
@pytest.mark.parametrize("gap", [0, 3])
def test_a_split_is_found_also_behind_a_gap(ratio: float, gap: int) -> None:
    found = market(days=30)
    # A night without movement, so that only the split is seen.
    opens, closes = found.opens.copy(), found.closes.copy()
    opens[12:, 4] *= closes[11 - gap, 4] / opens[12, 4] / ratio
    closes[12:, 4] = opens[12:, 4]
    opens[12 - gap : 12, 4] = closes[12 - gap : 12, 4] = np.nan
    with pytest.raises(SchemaError) as caught:
        replace(found, opens=opens, closes=closes).check_splits(NAMES)
    words = str(caught.value)
    whole = round(max(ratio, 1 / ratio))
    for part in ("'E'", "2020-01-13", f"{whole} to 1", "Adjust", "check_splits=False"):
        assert part in words


@pytest.mark.parametrize("ratio", [1.0, 1.7, 1 / 1.7, 1.8, 2.4])
def test_other_jumps_are_accepted(ratio: float) -> None:
    found = market(days=30)
    opens, closes = found.opens.copy(), found.closes.copy()
    opens[12:, 4] *= closes[11, 4] / opens[12, 4] / ratio
    closes[12:, 4] = opens[12:, 4]
    replace(found, opens=opens, closes=closes).check_splits(NAMES)


def ahead(found: Market, what: str) -> NDArray[Any]:
    closes, opens = found.closes, found.opens
    later = {
        "the next return": closes[1:] / closes[:-1],
        "the next day": closes[1:] / opens[1:],
        "the next night": opens[1:] / closes[:-1],
        "the next close": closes[1:] / closes[:-1] + 0.01 * np.sin(np.arange(8)),
    }[what]
    return np.vstack([later, np.full((1, 8), np.nan)])


@pytest.mark.parametrize("horizon", [1, 5, 21, 63])
@pytest.mark.parametrize(
    "what", ["the next return", "the next day", "the next night", "the next close"]
)
def test_a_signal_of_tomorrow_is_refused_at_every_horizon(what: str, horizon: int) -> None:
    found = market(days=300)
    for sign in (1, -1):
        with pytest.raises(LeakageError, match=r"'tip'.*known at its close"):
            check_look_ahead("tip", sign * ahead(found, what), found, horizon)


@pytest.mark.parametrize("horizon", [5, 21])
def test_a_signal_of_the_whole_horizon_is_refused(horizon: int) -> None:
    found = market(days=300)
    with pytest.raises(LeakageError, match="'tip'"):
        check_look_ahead("tip", found.outcome(horizon), found, horizon)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from([1, 5, 21]), st.sampled_from([3, 8]))
def test_a_signal_of_today_is_accepted(seed: int, horizon: int, assets: int) -> None:
    found = market(seed, days=120, assets=assets)
    noise = np.random.default_rng(seed + 1).normal(size=found.closes.shape)
    for signal in (noise, np.cumsum(noise, axis=0), found.closes, np.tile(noise[0], (120, 1))):
        check_look_ahead("mine", signal, found, horizon)


# The judgement.


@cache
def judged(returns: float, trials: int = 1, costs: TradingCosts = FREE) -> Any:
    """A book that holds two assets, one of which drifts; beside equal weights."""
    found = market(days=300)
    drift = np.exp(np.cumsum(np.full(300, returns)))[:, None] * np.ones((1, 8))
    drift[:, 4:] = 1 / drift[:, 4:]
    found = replace(found, opens=found.opens * drift, closes=found.closes * drift)
    forecast = np.tile(np.where(np.arange(8) < 4, 1.0, -1.0), (300, 1))
    forecast += np.random.default_rng(1).normal(0, 0.1, forecast.shape)
    positions = positions_of(PLAIN, forecast, found, window=20)
    test = backtest(positions, found.opens, found.closes, costs)
    equal = backtest(equal_weights(found), found.opens, found.closes, costs)
    return judge(
        Traded(test=test, forecast=forecast),
        {"equal_weight": Traded(test=equal), "buy_and_hold": bought_and_held_of(found, costs)},
        found,
        horizon=5,
        trials=trials,
        model="trees",
        split={},
    )


def bought_and_held_of(found: Market, costs: TradingCosts) -> Traded:
    return Traded(test=bought_and_held(found, costs))


def test_the_verdict_says_who_is_beaten_in_words() -> None:
    assert "it beats equal weight, buy and hold" in judged(0.003).headline_text
    assert "it trails equal weight, buy and hold" in judged(-0.003).headline_text
    assert "it cannot be told apart from" in judged(0.0).headline_text


def test_trials_deflate_and_costs_cost() -> None:
    one, many = judged(0.0), judged(0.0, trials=100)
    dear = judged(0.0, costs=TradingCosts(slippage_bp=20.0))
    assert many.metrics["deflated_sharpe"].value < one.metrics["deflated_sharpe"].value
    assert many.metrics["sharpe"] == one.metrics["sharpe"]
    assert dear.metrics["sharpe"].value < one.metrics["sharpe"].value
    assert "best of 100" in many.headline_text


def test_a_strategy_that_never_trades_is_told_so() -> None:
    found = market(days=60)
    idle = Traded(test=backtest(np.zeros((60, 8)), found.opens, found.closes, FREE))
    others = {"buy_and_hold": bought_and_held_of(found, FREE)}
    report = judge(idle, others, found, horizon=5, trials=1, model="trees", split={})
    assert "nan" not in report.headline_text
    assert "no position" in report.headline_text
