"""The simulated prices are what their documentation says, and hold what can be found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.data.simulators import daily_prices
from industry_apps.errors import ParameterError


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return daily_prices()


def table(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    return frame.pivot_table(index="date", columns="ticker", values=column)


def test_columns_types_and_order(frame: pd.DataFrame) -> None:
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        "ticker": "object",
        "date": "datetime64[ns]",
        **dict.fromkeys(("open", "high", "low", "close", "adjusted_close"), "float64"),
        "volume": "int64",
    }
    assert frame.equals(frame.sort_values(["date", "ticker"], ignore_index=True))
    assert not frame.duplicated(["ticker", "date"]).any()
    assert frame["ticker"].nunique() == 30
    assert frame["date"].nunique() == 750
    assert frame["date"].dt.dayofweek.max() == 4


@pytest.mark.parametrize("seed", range(3))
def test_prices_are_positive_and_within_the_range_of_the_day(seed: int) -> None:
    frame = daily_prices(assets=40, days=2_000, seed=seed)
    assert (frame["low"] > 0).all()
    assert (frame["low"] <= frame[["open", "close"]].min(axis=1)).all()
    assert (frame["high"] >= frame[["open", "close"]].max(axis=1)).all()
    assert (frame["volume"] > 0).all()
    assert (frame["adjusted_close"] > 0).all()


def test_the_split_and_the_dividends_are_adjusted(frame: pd.DataFrame) -> None:
    close, adjusted = table(frame, "close"), table(frame, "adjusted_close")
    ratio = (close / adjusted).div((close / adjusted).shift())
    assert ratio["SIM000"].min() == pytest.approx(0.5)
    assert ratio["SIM000"].idxmin() == close.index[375]
    paid = ratio["SIM002"][ratio["SIM002"] < 1 - 1e-9]
    assert list(paid.index) == list(close.index[63::63])
    assert paid.to_numpy() == pytest.approx(0.995)
    assert (ratio["SIM001"].dropna() == 1).all()
    last = frame.groupby("ticker").tail(1)
    assert last["adjusted_close"].to_numpy() == pytest.approx(last["close"].to_numpy())
    assert np.log(adjusted["SIM000"]).diff().abs().max() < 0.2  # no split to be seen


def test_one_asset_comes_late_and_one_leaves_early(frame: pd.DataFrame) -> None:
    day = frame["date"].rank(method="dense").astype(int) - 1
    life = day.groupby(frame["ticker"]).agg(["min", "max", "count"])
    assert life.loc["SIM029"].tolist() == [250, 749, 500]
    assert life.loc["SIM028"].tolist() == [0, 499, 500]
    assert (life.drop(["SIM028", "SIM029"]) == [0, 749, 750]).all(axis=None)


def test_returns_share_factors_and_their_size_clusters() -> None:
    moves = np.log(table(daily_prices(days=3_000), "adjusted_close")).diff().iloc[1:]
    correlation = moves.corr().to_numpy()[np.triu_indices(30, 1)]
    assert 0.1 < correlation.mean() < 0.6
    assert correlation.std() > 0.05  # sectors
    size = moves["SIM003"].abs()
    assert size.autocorr(1) > 0.08
    assert moves["SIM003"].kurt() > 0.5
    assert 0.1 < moves["SIM003"].std() * 252**0.5 < 0.5


def momentum_correlation(momentum: float) -> float:
    """Correlation of the past and the next return beyond the mean of all assets."""
    moves = np.log(table(daily_prices(days=3_000, momentum=momentum), "adjusted_close")).diff()
    own = moves.sub(moves.mean(axis=1), axis=0)
    past = own.ewm(halflife=20).mean().iloc[50:-1]
    later = own.shift(-1).iloc[50:-1]
    return float(past.corrwith(later, axis=1).mean())


def test_momentum_can_be_found_where_there_is_some() -> None:
    assert momentum_correlation(0.05) > 0.025
    assert abs(momentum_correlation(0.0)) < 0.015


def test_the_same_seed_gives_the_same_table_and_another_seed_another() -> None:
    small = {"assets": 4, "days": 30}
    pd.testing.assert_frame_equal(daily_prices(**small), daily_prices(**small))
    assert not daily_prices(**small)["close"].equals(daily_prices(**small, seed=1)["close"])
    assert daily_prices(**small, start="2020-02-01")["date"].min() == pd.Timestamp("2020-02-03")


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("assets", 2), ("days", 8), ("momentum", -0.1), ("momentum", np.nan), ("seed", -1)],
)
def test_a_parameter_outside_its_limits_is_named(parameter: str, value: float) -> None:
    with pytest.raises(ParameterError, match=parameter):
        daily_prices(**{parameter: value})
