"""What is true of trading strategies alone; the rest is in the conformance suite."""

from __future__ import annotations

import re
from functools import partial
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from industry_apps.data import Dataset, load
from industry_apps.data.simulators import daily_prices
from industry_apps.errors import LeakageError, ParameterError, SchemaError
from industry_apps.finance import TradingStrategy
from industry_apps.finance.trading import strategies
from industry_apps.finance.trading.backtesting import TradingCosts
from industry_apps.finance.trading.positions import PositionRule
from industry_apps.runtime import Model
from tests.finance.trading_days import (
    COLUMNS,
    DAYS,
    EVERY,
    FIRST,
    PRICES,
    Seen,
    before,
    quick,
    since,
)

STOCKNET = "finance_stocknet_prices"
#: A case that fails is told as it is found: to look for a simpler one would take minutes.
FEW = settings(max_examples=4, phases=(Phase.generate,))
HORIZON, EMBARGO = 5, 4


@pytest.fixture(scope="module", autouse=True)
def _few_resamples():
    """Intervals are tested where they are made."""
    quickly = partial(strategies.performance_bootstrap, resamples=60)
    with mock.patch.object(strategies, "performance_bootstrap", quickly):
        yield


@pytest.fixture(scope="module")
def fitted() -> TradingStrategy:
    return quick().fit(before(FIRST))


@pytest.fixture(scope="module")
def sample() -> Dataset:
    return TradingStrategy.sample()


@pytest.fixture(scope="module")
def on_sample(sample: Dataset) -> TradingStrategy:
    strategy = TradingStrategy.fast().fit(sample)
    strategy.evaluate(sample)
    return strategy


# No look-ahead.


@pytest.fixture(scope="module")
def walking() -> tuple[TradingStrategy, Seen]:
    strategy = quick(embargo_days=EMBARGO, check_splits=False).fit(before(FIRST))
    return strategy, Seen(strategy, since(FIRST))


def with_another_future(day: int, seed: int, gone: float) -> pd.DataFrame:
    """All prices and volumes after a day moved, and some of the rows gone."""
    prices, random = PRICES.astype(dict.fromkeys(COLUMNS, float)), np.random.default_rng(seed)
    later = (prices["date"] > DAYS[day]).to_numpy()
    prices.loc[later, COLUMNS] *= np.exp(random.normal(0, 0.2, (later.sum(), 6)))
    return prices[~(later & (random.random(len(prices)) < gone))].reset_index(drop=True)


@FEW
@given(st.integers(FIRST, 298), st.integers(0, 10**6), st.sampled_from([0.0, 0.2]))
def test_later_prices_change_no_forecast_position_or_model(walking, day, seed, gone):
    strategy, known = walking
    other = Seen(strategy, since(FIRST, with_another_future(day, seed, gone)))
    upto = day - FIRST + 1
    assert len(known.forecasts) == 3  # trees, linear, momentum
    for name in ("forecasts", "positions"):
        for ours, theirs in zip(getattr(known, name), getattr(other, name), strict=True):
            assert_array_equal(ours[:upto], theirs[:upto])
    refits, blocks = (day - FIRST) // EVERY + 1, -(-(len(DAYS) - FIRST) // EVERY)
    assert len(known.models) == 2 * blocks  # linear and trees
    for start in (0, blocks):
        for number in range(start, start + refits):
            assert_array_equal(known.models[number], other.models[number])


def test_the_embargo_keeps_what_ends_in_it_from_being_learned(walking):
    strategy, known = walking
    refit = FIRST + EVERY
    blocks = len(known.models) // 2
    inside = Seen(strategy, since(FIRST, with_another_future(refit - EMBARGO - 1, 0, 0.0)))
    just_before = Seen(strategy, since(FIRST, with_another_future(refit - EMBARGO - 2, 0, 0.0)))
    for model in (1, blocks + 1):  # the second ones, linear and trees
        assert_array_equal(known.models[model], inside.models[model])
        assert not np.array_equal(known.models[model], just_before.models[model])


def test_what_is_evaluated_is_what_one_is_told_day_by_day(walking):
    """A strategy fitted on all but the embargo answers as the evaluation of the days after."""
    _, known = walking
    told = quick(check_splits=False).fit(before(FIRST - EMBARGO))
    for day in (FIRST, FIRST + 7, FIRST + EVERY - 1):
        answers = told.predict(before(day + 1))
        found = known.forecasts[0][day - FIRST] * told.dispersion_
        assert_allclose(found, answers["expected_return"], atol=1e-9)
    first = told.predict(before(FIRST + 1))
    assert_allclose(known.positions[-1][0], first["position"], atol=1e-7)


@FEW
@given(st.integers(FIRST, 298), st.integers(0, 10**6))
def test_later_prices_change_no_answer(fitted, day, seed):
    asked = before(day + 1, with_another_future(day, seed, 0.2))
    pd.testing.assert_frame_equal(fitted.predict(asked), fitted.predict(before(day + 1)))


def test_later_dividends_change_nothing(fitted):
    """They scale the adjusted prices of all days before them."""
    scaled = PRICES.copy()
    scaled["adjusted_close"] *= 2.0 ** -(scaled["ticker"].str[-1].astype(int) % 4)
    pd.testing.assert_frame_equal(fitted.predict(scaled), fitted.predict(PRICES), rtol=1e-5)


def with_signal(shift: int, prices: pd.DataFrame = PRICES) -> pd.DataFrame:
    """The return of one day, as if it were known so many days before."""
    prices = prices.sort_values(["ticker", "date"])
    returns = prices.groupby("ticker")["adjusted_close"].pct_change(fill_method=None)
    return prices.assign(tip=returns.groupby(prices["ticker"]).shift(-shift))


@pytest.mark.parametrize("horizon", [1, 5, 21])
def test_a_planted_look_ahead_is_refused_by_name(horizon):
    with pytest.raises(LeakageError, match=r"'tip'.*give each day only what is known"):
        quick(signals=("tip",), horizon=horizon).fit(with_signal(1))


@pytest.mark.parametrize("model", ["trees", "linear"])
def test_an_honest_signal_is_learned_and_exported(tmp_path, model):
    prices = with_signal(0)
    strategy = quick(signals=("tip",), model=model).fit(before(FIRST, prices))
    served = Model(strategy.export(tmp_path / "own.onnx", check=since(FIRST, prices)))
    assert "tip" in served.schema.names
    pd.testing.assert_frame_equal(
        served.predict(prices), strategy.predict(prices), check_dtype=False, atol=1e-6
    )
    with pytest.raises(SchemaError, match="tip"):
        strategy.predict(PRICES)
    others = strategy.predict(prices.assign(tip=-prices["tip"]))
    assert (others["expected_return"] != strategy.predict(prices)["expected_return"]).any()


def test_a_signal_whose_digits_float32_loses_is_refused_and_the_remedy_works():
    prices = with_signal(0).eval("tip = 1_700_000_000 + 100 * tip")
    middle = float(prices["tip"].dropna().sort_values().iloc[prices["tip"].count() // 2])
    with pytest.raises(ParameterError, match=re.escape(f"Subtract {middle!r} from it")):
        quick(signals=("tip",)).fit(prices)
    quick(signals=("tip",)).fit(prices.assign(tip=prices["tip"] - middle))


def test_a_signal_cannot_be_a_column_that_is_there():
    with pytest.raises(SchemaError, match="'open' is declared twice"):
        quick(signals=("open",)).fit(PRICES)


# Export.


@pytest.mark.parametrize(
    ("model", "start", "moments"),
    [("trees", 0, 6), ("linear", 0, 6), ("network", 150, 8), ("transformer", 150, 8)],
)
def test_one_file_answers_as_the_model_does(tmp_path, model, start, moments):
    rule = PositionRule(turnover_limit=0.05)
    strategy = quick(model=model, positions=rule).fit(since(start, before(FIRST)))
    path = strategy.export(tmp_path / "strategy.onnx", check=since(FIRST, before(FIRST + 8)))
    parity = strategy.parity_
    assert (parity.changed_decisions, parity.beyond_tolerance) == (0, 0)
    assert parity.largest_difference < 2e-6  # positions are thousandths
    assert parity.rows == 12 * moments  # those with a full window, 253 or 65 days
    assert parity.edge_rows > 0
    served = Model(path)
    assert served.schema.inputs().names == [*COLUMNS, "held"]
    answers = served.predict(PRICES)
    assert list(answers) == ["expected_return", "position", "is_tradable"]
    assert answers.index.name == "ticker"
    assert answers.index.tolist() == sorted(PRICES["ticker"].unique())
    assert np.abs(answers["position"]).sum() == pytest.approx(0.05, abs=1e-6)
    assert not answers.loc["SIM010", "is_tradable"]  # delisted
    held = pd.Series(np.linspace(-0.05, 0.05, 12), index=answers.index)
    asked = PRICES.assign(held=PRICES["ticker"].map(held))
    native, answers = strategy.predict(asked), served.predict(asked)
    pd.testing.assert_frame_equal(answers, native, check_dtype=False, atol=1e-6)
    traded = answers["position"] - held
    assert np.abs(traded).sum() <= 0.05 + 1e-6
    assert traded["SIM010"] == pytest.approx(0, abs=1e-8)
    facts = served.describe()
    assert facts["model"] == model
    assert facts["horizon"] == HORIZON


def test_a_strategy_exports_with_no_more_than_it_was_fitted_on(on_sample, tmp_path):
    """Its validation part is shorter than a window of a year."""
    served = Model(on_sample.export(tmp_path / "sample.onnx"))
    assert served.describe()["metrics"]["sharpe"]["text"]


def test_own_names_of_columns(tmp_path):
    names = {"ticker": "symbol", "date": "day", "adjusted_close": "adjusted", "held": "have"}
    own = PRICES.rename(columns=names)
    strategy = quick(columns=names, model="linear").fit(own)
    same = quick(model="linear").fit(PRICES).predict(PRICES)
    answers = Model(strategy.export(tmp_path / "own.onnx")).predict(own.assign(have=0.0))
    assert answers.index.name == "symbol"
    assert_allclose(answers["position"], same["position"], atol=1e-6)


# The report.


def test_the_report_tells_all_that_was_asked_for(on_sample, tmp_path):
    report = on_sample.report_
    asked = {
        "rank_ic",
        "information_coefficient",
        "annual_return",
        "annual_volatility",
        "sharpe",
        "deflated_sharpe",
        "max_drawdown",
        "turnover",
        "capacity",
    }
    assert asked <= set(report.metrics)
    for name in asked:
        found = report.metrics[name]
        assert found.low <= found.value <= found.high, name
    assert list(report.baselines) == ["equal_weight", "buy_and_hold", "momentum_12_1", "linear"]
    for name, metrics in report.baselines.items():
        assert {"sharpe", "annual_return", "max_drawdown", "turnover"} <= set(metrics), name
    assert {"rank_ic"} <= set(report.baselines["linear"]) & set(report.baselines["momentum_12_1"])
    ratios, equity = report.sections
    assert ratios.table[0][:3] == ["system", "Sharpe", "standard error"]
    assert [row[0] for row in ratios.table[1:]] == ["strategy", *report.baselines]
    assert ratios.table[1][1] == pytest.approx(report.metrics["sharpe"].value)
    labels = [draw().axes[0].get_ylabel() for draw in equity.figures]
    assert any("Equity" in label for label in labels)
    assert any("Loss since the highest" in label for label in labels)
    page = tmp_path / "report.html"
    report.to_html(page)
    assert "Sharpe" in page.read_text()


def test_the_headline_says_who_is_not_beaten(on_sample):
    words = on_sample.report_.headline_text
    assert "net of costs" in words
    named = {"beats": "low", "trails": "high"}
    for name, margins in on_sample.report_.margins.items():
        sign = {each: getattr(margins["sharpe"], side) for each, side in named.items()}
        told = "beats" if sign["beats"] > 0 else "trails" if sign["trails"] < 0 else "told apart"
        (part,) = (
            each for each in words.split(":")[1].split(";") if name.replace("_", " ") in each
        )
        assert told in part


def test_trials_deflate_and_costs_cost(fitted):
    later = since(FIRST)
    free, usual = fitted.evaluate(later), None
    fitted.set_params(trials=5000, costs=TradingCosts(fee_bp=5.0, slippage_bp=20.0))
    try:
        usual = fitted.evaluate(later)
    finally:
        fitted.set_params(trials=366, costs=None)
    assert usual.metrics["sharpe"].value < free.metrics["sharpe"].value
    assert usual.metrics["deflated_sharpe"].value < free.metrics["deflated_sharpe"].value
    assert usual.metrics["rank_ic"] == free.metrics["rank_ic"]
    assert "best of 50" in usual.headline_text


def test_what_can_be_found_is_found():
    """With a momentum as strong as no market's the forecast must be worth something."""
    prices = daily_prices(assets=30, days=400, momentum=0.3, seed=2)
    days = np.sort(prices["date"].unique())
    strategy = quick(horizon=1, positions=PositionRule()).fit(prices[prices["date"] < days[320]])
    report = strategy.evaluate(prices[prices["date"] >= days[320]])
    assert report.metrics["rank_ic"].low > 0.05
    assert report.metrics["sharpe"].value > 3


# Real prices; nothing after August 2015 is looked at, which is the test.


@pytest.mark.real_data(STOCKNET)
def test_real_prices(tmp_path):
    train = load(STOCKNET).train
    some = sorted(train["ticker"].unique())[:8]
    train = train[train["ticker"].isin(some)]
    assert train["date"].max() < pd.Timestamp("2015-09-01")
    parts = quick().split(train)
    strategy = quick(refit_days=100).fit(pd.concat([parts.train, parts.validation]))
    report = strategy.evaluate(parts.test)
    assert report.split["test"]["last"] < "2015-09-01"
    assert abs(report.metrics["rank_ic"].value) < 0.2
    assert 0.05 < report.baselines["equal_weight"]["annual_volatility"].value < 0.4
    last = parts.test[parts.test["date"] > parts.test["date"].unique()[9]]
    served = Model(strategy.export(tmp_path / "real.onnx", check=parts.test.drop(last.index)))
    pd.testing.assert_frame_equal(
        served.predict(train), strategy.predict(train), check_dtype=False, atol=1e-6
    )
    assert strategy.parity_.changed_decisions == 0
