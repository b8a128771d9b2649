"""Metrics of daily returns against definitions, simulations and known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.finance.trading.forecast_skill import (
    daily_information_coefficient,
    information_coefficient,
    newey_west_t,
    rank_ic,
)
from industry_apps.finance.trading.performance import (
    annual_return,
    annual_volatility,
    capacity,
    deflated_sharpe,
    drawdown,
    hit_rate,
    max_drawdown,
    probabilistic_sharpe,
    sharpe,
    sharpe_standard_error,
    turnover,
)
from industry_apps.finance.trading.performance_intervals import (
    StrategyDays,
    performance_bootstrap,
    performance_metrics,
)


def noise(*shape: int, seed: int = 0, mean: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 0.01, shape)


def test_a_year_of_equal_days() -> None:
    days = np.full(252, 1.1 ** (1 / 252) - 1)
    assert annual_return(days) == pytest.approx(0.1)
    assert annual_volatility(days) == pytest.approx(0.0, abs=1e-12)
    assert math.isnan(sharpe(days))
    assert math.isnan(deflated_sharpe(days, 10))
    assert max_drawdown(days) == 0
    assert hit_rate(days) == 1
    assert math.isnan(hit_rate(np.zeros(5)))


def test_the_sharpe_ratio_is_yearly_and_ignores_the_scale() -> None:
    days = noise(500, mean=0.001)
    assert sharpe(days) == pytest.approx(252 * days.mean() / annual_volatility(days))
    assert sharpe(3 * days) == pytest.approx(sharpe(days))


@pytest.mark.parametrize("kind", ["normal", "skewed"])
def test_the_standard_error_is_the_spread_over_samples(kind: str) -> None:
    random = np.random.default_rng(0)
    # Skewed: crashes, and a daily ratio so large that they matter.
    shape, mean = (4_000, 400), 0.5
    drawn = random.normal(size=shape) if kind == "normal" else 1 - random.exponential(size=shape)
    samples = 0.01 * (drawn + mean)
    ratios = [sharpe(sample) for sample in samples]
    claimed = np.median([sharpe_standard_error(sample) for sample in samples[:500]])
    assert claimed == pytest.approx(np.std(ratios), rel=0.06)
    lo = math.sqrt(252 * (1 + 0.5 * mean**2) / 400)
    assert (claimed == pytest.approx(lo, rel=0.03)) == (kind == "normal")


def test_probabilistic_sharpe_is_uniform_where_the_benchmark_is_true() -> None:
    true = 0.05  # a day
    found = [
        probabilistic_sharpe(sample, true * math.sqrt(252))
        for sample in noise(2_000, 300, mean=true * 0.01)
    ]
    assert stats.kstest(found, "uniform").pvalue > 0.01


def test_the_best_of_worthless_trials_deceives_the_plain_ratio_only() -> None:
    random = np.random.default_rng(1)
    plain, deflated = [], []
    for _ in range(200):
        trials = random.normal(0, 0.01, (50, 250))
        best = max(trials, key=sharpe)
        plain.append(probabilistic_sharpe(best) > 0.95)
        deflated.append(deflated_sharpe(best, 50) > 0.95)
    assert np.mean(plain) > 0.8
    assert np.mean(deflated) < 0.05


def test_deflated_sharpe_against_the_papers_formula() -> None:
    days = noise(300, seed=3, mean=0.002) ** 3 * 1e3
    expected_best = 0.5 * (
        (1 - np.euler_gamma) * stats.norm.ppf(1 - 1 / 20)
        + np.euler_gamma * stats.norm.ppf(1 - 1 / (20 * np.e))
    )
    ratio, target = days.mean() / days.std(ddof=1), expected_best / math.sqrt(252)
    skew, kurtosis = stats.skew(days), stats.kurtosis(days, fisher=False)
    spread = 1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2
    expected = stats.norm.cdf((ratio - target) * math.sqrt(299) / math.sqrt(spread))
    assert deflated_sharpe(days, 20, trial_variance=0.25) == pytest.approx(expected)
    assert deflated_sharpe(days, 1) == probabilistic_sharpe(days)
    falling = [deflated_sharpe(days, trials) for trials in (1, 2, 5, 100, 10_000)]
    assert sorted(falling, reverse=True) == falling


@given(st.lists(st.floats(-1, 3), min_size=2, max_size=40))
def test_drawdown_by_definition(returns: list[float]) -> None:
    equity = np.cumprod(np.append(1.0, 1 + np.array(returns)))
    expected = max(
        1 - low / high for i, high in enumerate(equity) for low in equity[i:] if high > 0
    )
    assert max_drawdown(returns) == pytest.approx(expected, abs=1e-9)
    assert ((drawdown(returns) >= 0) & (drawdown(returns) <= 1)).all()


def test_turnover_counts_both_sides() -> None:
    assert turnover([[0.1, -0.1], [0.0, 0.2]]) == pytest.approx(252 * 0.2)


@given(st.integers(0, 10**6), st.floats(0.01, 1), st.floats(0.01, 1))
def test_capacity_is_the_largest_equity_that_keeps_to_the_limit(
    seed: int, participation: float, exceeding: float
) -> None:
    random = np.random.default_rng(seed)
    shape = int(random.integers(2, 30)), int(random.integers(1, 5))
    trades = random.normal(size=shape) * (random.random(shape) < 0.7)
    value = random.uniform(1, 100, shape)
    found = capacity(trades, value, participation=participation, exceeding=exceeding)

    def large(equity: float) -> float:
        share = equity * np.abs(trades) / value.mean(axis=0)
        return float((share[trades != 0] > participation * (1 + 1e-9)).mean())

    if not trades.any():
        assert math.isnan(found)
    elif exceeding == 1:
        assert found == math.inf
    else:
        assert large(found) <= exceeding + 1e-9
        assert large(found * (1 + 1e-6)) > exceeding - 1e-9


def test_capacity_refuses_what_does_not_fit() -> None:
    with pytest.raises(SchemaError, match=r"\(2, 3\) and \(2, 1\)"):
        capacity(np.ones((2, 3)), np.ones((2, 1)))
    with pytest.raises(ParameterError, match="exceeding"):
        capacity(np.ones((2, 1)), np.ones((2, 1)), exceeding=0.0)


@given(st.integers(0, 10**6))
def test_daily_coefficients_are_those_of_scipy(seed: int) -> None:
    random = np.random.default_rng(seed)
    forecast, outcome = random.normal(size=(2, 6, int(random.integers(3, 9)))).round(1)
    forecast[random.random(forecast.shape) < 0.2] = np.nan
    outcome[random.random(outcome.shape) < 0.2] = np.nan
    for rank, correlate in ((False, stats.pearsonr), (True, stats.spearmanr)):
        found = daily_information_coefficient(forecast, outcome, rank=rank)
        for day in range(6):
            known = ~np.isnan(forecast[day] + outcome[day])
            made, came = forecast[day, known], outcome[day, known]
            if known.sum() < 3 or np.ptp(made) == 0 or np.ptp(came) == 0:
                assert np.isnan(found[day])
            else:
                assert found[day] == pytest.approx(correlate(made, came).statistic, abs=1e-9)


def test_mean_coefficients_skip_days_that_say_nothing() -> None:
    forecast = np.array([[1.0, 2, 3], [5, 5, 5], [1, 2, np.nan], [3, 2, 1]])
    outcome = np.tile([0.1, 0.2, 0.9], (4, 1))
    assert rank_ic(forecast, outcome) == pytest.approx(0.0)
    assert information_coefficient(forecast[:3], outcome[:3]) == pytest.approx(
        np.corrcoef(forecast[0], outcome[0])[0, 1]
    )
    assert math.isnan(rank_ic(forecast[1:3], outcome[1:3]))
    with pytest.raises(SchemaError, match=r"\(4, 3\) and \(3, 3\)"):
        rank_ic(forecast, outcome[:3])


def test_newey_west_allows_for_overlap() -> None:
    random = np.random.default_rng(0)
    horizon, found, plain = 5, [], []
    for _ in range(400):
        overlapping = np.convolve(random.normal(size=500), np.ones(horizon), "valid")
        found.append(abs(newey_west_t(overlapping, lags=2 * horizon)) > 1.96)
        plain.append(abs(newey_west_t(overlapping, lags=0)) > 1.96)
    assert np.mean(found) < 0.12
    assert np.mean(plain) > 0.3


def test_newey_west_without_lags_is_the_usual_statistic() -> None:
    days = noise(50, mean=0.002)
    usual = stats.ttest_1samp(days, 0).statistic
    assert newey_west_t(np.append(days, np.nan), lags=0) == pytest.approx(usual * (50 / 49) ** 0.5)
    assert newey_west_t(days) == newey_west_t(days, lags=3)
    assert math.isnan(newey_west_t([1.0, np.nan]))
    with pytest.raises(ParameterError, match="lags"):
        newey_west_t(days, lags=-1)


def whole(days: int = 300) -> StrategyDays:
    forecast = noise(days, 8, seed=1)
    return StrategyDays(
        returns=noise(days, mean=0.001),
        trades=noise(days, 8, seed=2),
        traded_value=np.full((days, 8), 1e6),
        forecast=forecast,
        outcome=forecast + noise(days, 8, seed=3),
    )


def test_every_metric_has_its_value_and_an_interval() -> None:
    strategy = whole()
    found = performance_metrics(strategy, trials=5, resamples=50)
    expected = {
        "annual_return": annual_return(strategy.returns),
        "annual_volatility": annual_volatility(strategy.returns),
        "sharpe": sharpe(strategy.returns),
        "deflated_sharpe": deflated_sharpe(strategy.returns, 5),
        "max_drawdown": max_drawdown(strategy.returns),
        "hit_rate": hit_rate(strategy.returns),
        "turnover": turnover(strategy.trades),
        "capacity": capacity(strategy.trades, strategy.traded_value),
        "information_coefficient": information_coefficient(strategy.forecast, strategy.outcome),
        "rank_ic": rank_ic(strategy.forecast, strategy.outcome),
    }
    assert {name: each.value for name, each in found.items()} == pytest.approx(expected)
    assert all(each.low < each.high for each in found.values())
    assert performance_metrics(strategy, trials=5, resamples=50) == found
    assert performance_metrics(strategy, trials=5, resamples=50, seed=1) != found


def test_what_is_not_given_is_not_judged() -> None:
    bare = performance_metrics(StrategyDays(returns=noise(30)), resamples=5)
    assert list(bare) == [
        *("sharpe", "deflated_sharpe", "annual_return", "annual_volatility"),
        *("max_drawdown", "hit_rate"),
    ]


def test_the_interval_of_independent_days_is_as_wide_as_the_standard_error() -> None:
    days = noise(1_000, seed=5, mean=0.0005)
    found = performance_metrics(StrategyDays(returns=days), resamples=1_000)["sharpe"]
    assert found.high - found.low == pytest.approx(3.92 * sharpe_standard_error(days), rel=0.15)


def test_blocks_keep_the_dependence_of_neighbouring_days() -> None:
    days = np.convolve(noise(1_000), np.ones(10) / 10, "same")
    single, stretches = (
        performance_metrics(StrategyDays(returns=days), block=block)["annual_return"]
        for block in (1, 50)
    )
    assert stretches.high - stretches.low > 2 * (single.high - single.low)


def test_a_paired_difference_sees_the_same_days() -> None:
    days = noise(500, mean=0.001)
    better = performance_bootstrap(StrategyDays(returns=days + 1e-4), resamples=100)
    plain = performance_bootstrap(StrategyDays(returns=days), resamples=100)
    margin = better.minus(plain)["sharpe"]
    assert 0 < margin.low < margin.high < 0.5
    assert margin.high - margin.low < 0.1  # each alone is uncertain by more than 1


def test_a_strategy_that_never_trades() -> None:
    still = np.zeros((30, 2))
    found = performance_metrics(
        StrategyDays(returns=still[:, 0], trades=still, traded_value=still + 1), resamples=5
    )
    assert found["annual_return"].value == found["turnover"].value == 0
    assert math.isnan(found["sharpe"].value)
    assert math.isnan(found["capacity"].value)
    assert found["capacity"].to_dict()["value"] is None


@pytest.mark.parametrize(
    ("returns", "words"),
    [([0.1], "at least two days"), ([0.1, np.nan], "Day 1 .* nan"), ([0.0, 0.1, -1.5], "Day 2 ")],
)
def test_returns_that_cannot_be_are_named(returns: list[float], words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        sharpe(returns)


def test_tables_and_options_that_do_not_fit_are_refused() -> None:
    returns = noise(10)
    with pytest.raises(SchemaError, match="forecast and outcome"):
        StrategyDays(returns=returns, forecast=noise(10, 2))
    with pytest.raises(SchemaError, match="trades as well"):
        StrategyDays(returns=returns, traded_value=noise(10, 2))
    with pytest.raises(SchemaError, match=r"trades .*10 days.*\(9, 2\)"):
        StrategyDays(returns=returns, trades=noise(9, 2))
    for option in ("block", "resamples"):
        with pytest.raises(ParameterError, match=option):
            performance_bootstrap(StrategyDays(returns=returns), **{option: 0})
    with pytest.raises(ParameterError, match="trials"):
        deflated_sharpe(returns, 0)
    with pytest.raises(ParameterError, match="trial_variance"):
        deflated_sharpe(returns, 2, -1.0)
