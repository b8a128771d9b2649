"""Prices that are not as they should be: what a trading strategy answers or refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from industry_apps.data.simulators import daily_prices
from industry_apps.errors import (
    LeakageError,
    ParameterError,
    SchemaError,
    TrainingError,
    UnlikeTrainingWarning,
)
from industry_apps.finance import TradingStrategy
from industry_apps.runtime import Model
from tests.finance.trading_days import COLUMNS, DAYS, FIRST, PRICES, Seen, before, quick, since


@pytest.fixture(scope="module")
def fitted() -> TradingStrategy:
    return quick().fit(before(FIRST))


@pytest.mark.parametrize("column", ["open", "low", "close", "adjusted_close"])
@pytest.mark.parametrize("value", [0.0, -3.0])
def test_a_price_that_is_not_positive_is_refused(fitted, column, value):
    wrong = PRICES.copy()
    wrong.loc[7, column] = value
    for call in (quick().fit, fitted.predict, fitted.evaluate):
        with pytest.raises(SchemaError, match=rf"'{column}', row 7: got .*{value}"):
            call(wrong)


@pytest.mark.filterwarnings("ignore::industry_apps.errors.UnlikeTrainingWarning")
def test_a_gap_is_answered_and_the_position_kept(fitted):
    held = PRICES.assign(held=0.01)
    last, month_ago = PRICES["date"] == DAYS[-1], PRICES["date"] == DAYS[-22]
    own = PRICES["ticker"] == "SIM003"
    for gap in (own & last, own & month_ago):
        answers = fitted.predict(held[~gap])
        assert not answers.loc["SIM003", "is_tradable"]
        assert answers.loc["SIM003", "position"] == pytest.approx(0.01)
        assert np.isnan(answers.loc["SIM003", "expected_return"])
        assert answers.drop(index=["SIM003", "SIM010"])["is_tradable"].all()
    unpriced = held.copy()
    unpriced.loc[own & last, [*COLUMNS, "held"]] = [np.nan] * 6 + [0.03]
    assert fitted.predict(unpriced).loc["SIM003", "position"] == pytest.approx(0.03)
    elsewhere = fitted.predict(held[~(own & (PRICES["date"] == DAYS[-9]))])
    assert elsewhere.loc["SIM003", "is_tradable"]


def test_gaps_late_listings_and_delistings_are_evaluated(fitted):
    later = since(FIRST)
    random = np.random.default_rng(0)
    later = later[random.random(len(later)) > 0.05]
    later = later[~((later["ticker"] == "SIM001") & (later["date"] > DAYS[275]))]  # ends early
    new = later[(later["ticker"] == "SIM002") & (later["date"] > DAYS[270])].assign(ticker="NEW")
    report = fitted.evaluate(pd.concat([later, new]))
    assert np.isfinite(report.metrics["sharpe"].value)
    assert report.metrics["max_drawdown"].value < 0.2
    seen = Seen(fitted, pd.concat([later, new]))
    gone = list(sorted({*PRICES["ticker"], "NEW"})).index("SIM001")
    assert all((w[276 - FIRST :, gone] == 0).all() for w in seen.weights if w.shape[1] > 1)


def split_prices(day: int = 200, ratio: float = 2.0) -> pd.DataFrame:
    prices = PRICES.astype(dict.fromkeys(COLUMNS, float))
    late = (prices["ticker"] == "SIM004") & (prices["date"] >= DAYS[day])
    jump = prices.loc[late, "open"].iloc[0] / prices.loc[late, "close"].iloc[0]
    prices.loc[late, COLUMNS[:5]] /= ratio * jump  # so that no movement hides it
    prices.loc[late, "open"] *= jump
    return prices


@pytest.mark.parametrize(("ratio", "words"), [(1.5, "3 to 2"), (1.25, "5 to 4"), (4.0, "4 to 1")])
def test_smaller_splits_are_refused_too(ratio, words):
    with pytest.raises(SchemaError, match=f"'SIM004'.*a split of {words}"):
        quick().fit(split_prices(ratio=ratio))


def test_an_asset_that_split_or_froze_of_late_is_not_tradable(fitted, tmp_path):
    served = Model(fitted.export(tmp_path / "trading.onnx", check=PRICES))
    usual = fitted.predict(PRICES)["is_tradable"]
    assert usual["SIM004"]
    frozen = PRICES.astype(dict.fromkeys(COLUMNS, float))
    late = (frozen["ticker"] == "SIM004") & (frozen["date"] >= DAYS[-30])
    frozen.loc[late, COLUMNS[:5]] = frozen.loc[late, COLUMNS[:5]].iloc[0].to_numpy()
    frozen.loc[late, "volume"] = 0.0
    untold = frozen.assign(volume=frozen["volume"].where(~late))
    split = [split_prices(len(DAYS) - 20, ratio) for ratio in (4.0, 1.5)]
    for wrong in (*split, frozen, untold):
        for answers in (fitted.predict(wrong), served.predict(wrong)):
            assert not answers.loc["SIM004", "is_tradable"]
            others = answers["is_tradable"].drop(index="SIM004")
            assert others.equals(usual.drop(index="SIM004"))
    traded = frozen.assign(volume=frozen["volume"].where(~late, 10.0))
    assert served.predict(traded).loc["SIM004", "is_tradable"]


def test_assets_without_a_row_of_the_last_day_are_named(fitted, tmp_path):
    served = Model(fitted.export(tmp_path / "trading.onnx", check=PRICES))
    gap = (PRICES["ticker"] == "SIM003") & (PRICES["date"] == DAYS[-1])
    for predict in (fitted.predict, served.predict):
        with pytest.warns(UnlikeTrainingWarning, match=r"'ticker' have no row.*'SIM003'"):
            predict(PRICES[~gap])
        unpriced = PRICES.assign(adjusted_close=PRICES["adjusted_close"].where(~gap))
        with pytest.warns(UnlikeTrainingWarning, match=r"have no 'adjusted_close'.*SIM003"):
            predict(unpriced)


def test_a_split_that_was_not_adjusted_for_is_refused(fitted):
    with pytest.raises(SchemaError) as caught:
        quick().fit(split_prices())
    day = str(DAYS[200])[:10]
    for part in ("'SIM004'", day, "2 to 1", "Adjust", "check_splits=False"):
        assert part in str(caught.value)
    assert len(quick(check_splits=False).fit(split_prices()).predict(PRICES)) == 12
    # A split that the adjusted prices know of is none: SIM000 is split in the middle.
    halved = PRICES[PRICES["ticker"] == "SIM000"]["close"].pct_change().min()
    assert halved < -0.4


def test_a_split_in_the_test_is_refused():
    strategy = quick().fit(before(150))
    with pytest.raises(SchemaError, match="'SIM004'"):
        strategy.evaluate(since(150, split_prices()))


def test_a_day_twice_is_refused_by_name(fitted):
    twice = pd.concat([PRICES, PRICES.iloc[[40]]])
    ticker, day = PRICES.loc[40, "ticker"], str(PRICES.loc[40, "date"])[:10]
    for call in (quick().fit, fitted.predict, fitted.evaluate):
        with pytest.raises(SchemaError, match=f"'{ticker}' has 2 rows of {day}"):
            call(twice)


def test_two_times_of_one_day_are_refused():
    """Most likely two time zones, without their names."""
    late = PRICES["date"] + pd.Timedelta(hours=5)
    mixed = PRICES.assign(date=PRICES["date"].where(PRICES["ticker"] != "SIM001", late))
    with pytest.raises(SchemaError, match=r"several times of 2015-01-02.*the same date"):
        quick().fit(mixed)


def test_time_zones_that_differ_are_refused_and_one_is_not(fitted):
    zoned = PRICES.assign(date=PRICES["date"].dt.tz_localize("America/New_York"))
    assert_array_equal(fitted.predict(zoned)["position"], fitted.predict(PRICES)["position"])
    mixed = PRICES.assign(date=PRICES["date"].astype(object))
    mixed.loc[9, "date"] = zoned.loc[9, "date"]
    for call in (quick().fit, fitted.predict):
        with pytest.raises(SchemaError, match=r"'date', row 9.*'SIM009'.*one time zone"):
            call(mixed)


@pytest.mark.parametrize("days", [1, 2, 21, 40])
@pytest.mark.parametrize("model", ["trees", "network"])
def test_a_history_too_short_is_refused(days, model):
    with pytest.raises(TrainingError, match=r"500 are needed\. Give a longer history or more"):
        quick(model=model).fit(before(days))


def test_too_little_for_the_default_trees_says_what_to_change():
    small = PRICES[PRICES["ticker"].isin(["SIM001", "SIM002", "SIM003"])]
    with pytest.raises(TrainingError, match="min_child_samples"):
        TradingStrategy().fit(small)


def test_a_single_stock_is_not_learned_from_and_gets_no_position(fitted):
    one = daily_prices(assets=3, days=800)
    one = one[one["ticker"] == "SIM000"]
    with pytest.raises(TrainingError, match="more series"):
        quick().fit(one)
    answer = fitted.predict(one)
    assert answer.index.tolist() == ["SIM000"]
    assert answer["position"].tolist() == [0.0]
    assert answer["is_tradable"].all()


def test_days_that_were_learned_from_are_not_evaluated(fitted):
    for day in (100, FIRST - 1):
        with pytest.raises(LeakageError, match=str(DAYS[FIRST - 1])[:10]):
            fitted.evaluate(since(day))


@pytest.mark.parametrize("days", [1, 2, 20])
def test_few_days_are_not_evaluated(fitted, days):
    with pytest.raises(SchemaError, match=f"^{days} days .* 21 or more"):
        fitted.evaluate(since(len(DAYS) - days))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("horizon", 0),
        ("horizon", 64),
        ("model", "lstm"),
        ("refit_days", 0),
        ("embargo_days", -1),
        ("trials", 0),
        ("columns", {"price": "close"}),
        ("costs", 5.0),
    ],
)
def test_a_wrong_parameter_is_named(name, value):
    with pytest.raises(ParameterError, match="price" if name == "columns" else name):
        quick(**{name: value}).fit(PRICES)
