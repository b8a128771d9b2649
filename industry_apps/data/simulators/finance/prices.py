"""Simulated daily prices of stocks that do not exist, with one thing to be found in them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from industry_apps.data.simulators.limits import check_at_least

__all__ = ["daily_prices"]

_SECTORS = 5
_NIGHT, _DAY = 0.3, 0.7  # shares of a day's variance
_DIVIDEND_DAYS, _DIVIDEND = 63, 0.005  # a quarter of a year; share of the price
_HALF_LIFE = 20  # days that momentum remembers

_Floats = npt.NDArray[np.float64]


def daily_prices(
    *,
    assets: int = 30,
    days: int = 750,
    start: str = "2015-01-02",
    momentum: float = 0.05,
    seed: int = 0,
) -> pd.DataFrame:
    """Simulate daily prices and volumes of stocks, with a weak momentum to be found.

    A log return is the sum of a market's, a sector's (five sectors) and the asset's own.
    Each of the three has a volatility that clusters (the logarithm of its variance is an
    autoregression), and moves partly overnight, partly by day. One thing can be predicted:
    the mean of an asset's own return, in units of its volatility that day, is `momentum`
    times a number of unit variance, the decaying sum (half-life 20 days) of its own past
    shocks. So momentum of what market and sector leave over is the best forecast, and its
    correlation with the own return of the next day is about `momentum`. The default is weak
    for a day, yet more than a market offers: before costs it is worth a Sharpe ratio of
    about 3 a year.

    - Every second asset pays a dividend of 0.5 % each 63 days: the price falls by as much,
      ``adjusted_close`` does not.
    - Asset 0 is split two for one in the middle: its price halves, its volume doubles.
    - The last asset is listed after a third of the days, the last but one delisted after
      two thirds. They have no rows outside that time.

    Parameters
    ----------
    assets : int, default 30
        At least 3.
    days : int, default 750
        Business days, at least 9.
    start : str, default "2015-01-02"
        First day, or the business day after it.
    momentum : float, default 0.05
        Strength of what can be predicted, >= 0; with 0 there is nothing to find.
    seed : int, default 0
        Not negative. Same seed, same table.

    Returns
    -------
    pandas.DataFrame
        Sorted by date, then ticker, with the columns ``ticker`` (str, ``"SIM007"``),
        ``date`` (datetime64[ns]), ``open``, ``high``, ``low``, ``close`` (float64, cents
        precision, at least 0.01), ``adjusted_close`` (float64, for splits and dividends;
        equal to ``close`` on an asset's last day) and ``volume`` (int64, shares).

    Raises
    ------
    ParameterError
        When a parameter is outside its limits.

    References
    ----------
    Taylor, S. (1994). Modeling stochastic volatility: a review and comparative study.
    Mathematical Finance 4, 183-204, doi:10.1111/j.1467-9965.1994.tb00057.x.
    Blitz, D., Huij, J. and Martens, M. (2011). Residual momentum. Journal of Empirical
    Finance 18, 506-521, doi:10.1016/j.jempfin.2011.01.003.

    Examples
    --------
    >>> frame = daily_prices(assets=3, days=9)
    >>> list(frame.columns)
    ['ticker', 'date', 'open', 'high', 'low', 'close', 'adjusted_close', 'volume']
    >>> frame["ticker"].value_counts().to_dict()
    {'SIM000': 9, 'SIM001': 6, 'SIM002': 6}
    """
    check_at_least(
        {"assets": (assets, 3), "days": (days, 9), "momentum": (momentum, 0), "seed": (seed, 0)}
    )
    rng = np.random.default_rng(seed)
    night, day = _log_returns(rng, assets, days, momentum)
    listed = np.ones((days, assets), dtype=bool)
    listed[: days // 3, -1] = False
    listed[2 * days // 3 :, -2] = False
    left = np.ones((days, assets))  # of the price, by dividends and the split
    left[_DIVIDEND_DAYS::_DIVIDEND_DAYS, ::2] -= _DIVIDEND
    left[days // 2, 0] /= 2
    first = rng.uniform(20, 200, assets)
    close = first * np.exp(np.cumsum(night + day, axis=0)) * np.cumprod(left, axis=0)
    columns = _cents(rng, close / np.exp(day), close)
    # What would come after a delisting adjusts nothing.
    after = np.cumprod(np.where(listed, left, 1.0)[::-1], axis=0)[::-1] / left
    volume = rng.lognormal(13, 1, assets) * np.exp(rng.normal(0, 0.3, (days, assets)))
    volume *= np.exp(20 * np.abs(night + day))  # much is traded when much happens
    volume[days // 2 :, 0] *= 2
    columns |= {"adjusted_close": columns["close"] * after, "volume": volume.astype(np.int64)}
    names = np.array([f"SIM{i:03d}" for i in range(assets)], dtype=object)
    dates = pd.bdate_range(start, periods=days).to_numpy("datetime64[ns]")
    frame = pd.DataFrame({"ticker": np.tile(names, days), "date": np.repeat(dates, assets)})
    frame = frame.assign(**{name: table.ravel() for name, table in columns.items()})
    return frame[listed.ravel()].reset_index(drop=True)


def _log_returns(
    rng: np.random.Generator, assets: int, days: int, momentum: float
) -> tuple[_Floats, _Floats]:
    """Return the log returns of each night and each day, both [days, assets]."""
    part = np.array([_NIGHT, _DAY]).reshape(2, 1, 1)

    def shocks(series: int) -> _Floats:
        return rng.normal(size=(2, days, series)) * np.sqrt(part)

    def volatility(usual: float, series: int) -> _Floats:
        return usual * np.exp(0.35 * _autoregression(rng.normal(size=(days, series)), 0.97))

    own = shocks(assets)
    before = np.vstack([np.zeros((1, assets)), own.sum(axis=0)[:-1]])
    own += part * momentum * _autoregression(before, 0.5 ** (1 / _HALF_LIFE))
    sector = rng.integers(_SECTORS, size=assets)
    market = rng.uniform(0.6, 1.4, assets) * volatility(0.008, 1) * (shocks(1) + 0.03 * part)
    sectors = volatility(0.004, _SECTORS) * shocks(_SECTORS)
    night, day = market + sectors[:, :, sector] + volatility(0.012, assets) * own
    return night, day


def _autoregression(shocks: _Floats, decay: float) -> _Floats:
    """Sum shocks of unit variance, decaying from row to row, to unit variance."""
    state, found = np.zeros(shocks.shape[1]), np.empty_like(shocks)
    for t, shock in enumerate(shocks):
        state = decay * state + np.sqrt(1 - decay**2) * shock
        found[t] = state
    return found


def _cents(rng: np.random.Generator, opens: _Floats, close: _Floats) -> dict[str, _Floats]:
    reach = np.exp(np.abs(rng.normal(0, 0.004, (2, *close.shape))))
    exact = {
        "open": opens,
        "high": np.maximum(opens, close) * reach[0],
        "low": np.minimum(opens, close) / reach[1],
        "close": close,
    }
    # Rounding keeps the order of the four.
    return {name: np.maximum(prices.round(2), 0.01) for name, prices in exact.items()}
