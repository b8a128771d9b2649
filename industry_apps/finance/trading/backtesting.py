"""The back-test of daily positions: next-open execution, costs, halts and delistings.

Letters: T days, A assets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import numpy.typing as npt
import pandas as pd

from industry_apps.errors import SchemaError
from industry_apps.finance.trading.performance import TRADING_DAYS, drawdown
from industry_apps.limits import NOT_NEGATIVE, check_parameters

__all__ = ["Backtest", "TradingCosts", "backtest"]

_BASIS_POINT = 1e-4

_Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingCosts:
    """What trading and short positions cost.

    Parameters
    ----------
    fee_bp : float, default 5.0
        Fee in basis points (1/100 %) of the traded value, for each buy and each sale; >= 0.
    slippage_bp : float, default 0.0
        Loss against the open price, in the same unit; >= 0.
    borrow_rate : float, default 0.0
        Cost of a short position, as a share of its value a year of 252 days; >= 0.

    Raises
    ------
    ParameterError
        When a cost is negative or not finite.

    Examples
    --------
    >>> TradingCosts(slippage_bp=2.0)
    TradingCosts(fee_bp=5.0, slippage_bp=2.0, borrow_rate=0.0)
    """

    fee_bp: Annotated[float, NOT_NEGATIVE] = 5.0
    slippage_bp: Annotated[float, NOT_NEGATIVE] = 0.0
    borrow_rate: Annotated[float, NOT_NEGATIVE] = 0.0

    def __post_init__(self) -> None:
        check_parameters(self)


@dataclass(frozen=True, eq=False, kw_only=True)
class Backtest:
    """What a strategy would have earned; every series is [T], one value per day.

    Day t lasts from its open to the next open; the last day ends at its close.

    Parameters
    ----------
    net_return, gross_return : ndarray of shape (T,)
        Return of each day after and before costs, as a share of the equity at its open.
    weights : ndarray of shape (T, A)
        Positions after the trades at the open, as shares of the equity before them.
    trades : ndarray of shape (T, A)
        Bought (> 0) or sold (< 0) at the open, in the same shares.
    costs : TradingCosts
        What was charged.
    """

    net_return: _Floats = field(repr=False)
    gross_return: _Floats = field(repr=False)
    weights: _Floats = field(repr=False)
    trades: _Floats = field(repr=False)
    costs: TradingCosts

    @property
    def equity(self) -> _Floats:
        """Equity at the end of each day, as a multiple of the start capital."""
        return (1 + self.net_return).cumprod()

    @property
    def drawdown(self) -> _Floats:
        """Loss at the end of each day since the highest equity so far, in [0, 1]."""
        return drawdown(self.net_return)

    @property
    def turnover(self) -> _Floats:
        """Traded value of each day, buys and sales added, as a share of equity."""
        return np.abs(self.trades).sum(axis=1)

    @property
    def short_exposure(self) -> _Floats:
        """Value of the short positions, as a share of equity; >= 0."""
        return np.maximum(-self.weights, 0).sum(axis=1)


def backtest(
    positions: npt.ArrayLike,
    open_price: npt.ArrayLike,
    close_price: npt.ArrayLike,
    costs: TradingCosts,
) -> Backtest:
    """Trade target positions at the next open and account for every day.

    The target of day t, decided with what is known at its close, is traded at the open of
    day t + 1 and earns from there to the open of day t + 2. Between trades positions drift
    with the prices. The first day therefore earns nothing, and the last target is never
    traded. Cash earns nothing; costs are paid in cash.

    - Not traded at the open (NaN): the position cannot be changed that day and is valued
      at the last price, open or close, that is known.
    - Never traded again: the position is closed at that last price, at the usual costs, on
      the first day without one. (That a delisting is final is public when it happens; in
      the table it shows in later days. It is the only thing read from them.)
    - A day that loses all equity ends the test: its return is -1, later ones are 0.

    Parameters
    ----------
    positions : array-like of float, shape (T, A)
        Target share of the equity before costs in each asset; negative is short.
    open_price, close_price : array-like of float, shape (T, A)
        Adjusted for splits and dividends, > 0; NaN where an asset does not trade.
    costs : TradingCosts
        Charged on traded value per side, and per day on short value.

    Returns
    -------
    Backtest

    Raises
    ------
    SchemaError
        When shapes differ, a position is not finite, or a price is zero, negative or
        infinite.

    Examples
    --------
    One asset, held all the time: it earns from the second open on.

    >>> opens, closes = [[10.0], [10.0], [11.0]], [[10.0], [11.0], [12.1]]
    >>> result = backtest([[1.0], [1.0], [1.0]], opens, closes, TradingCosts(fee_bp=0.0))
    >>> result.net_return.round(6)
    array([0. , 0.1, 0.1])
    """
    target, opens, closes = _checked(positions, open_price, close_price)
    growth = _growth(opens, closes)
    target, tradable = _orders(target, opens, closes)
    net, gross = np.zeros((2, len(target)))
    weights, trades = np.zeros((2, *target.shape))
    side = (costs.fee_bp + costs.slippage_bp) * _BASIS_POINT
    held = np.zeros(target.shape[1])  # [A], share of the equity at the open, before trades
    for t in range(len(target)):
        weights[t] = np.where(tradable[t], target[t], held)
        trades[t] = weights[t] - held
        gross[t] = weights[t] @ (growth[t] - 1)
        short = np.maximum(-weights[t], 0).sum()
        paid = side * np.abs(trades[t]).sum() + costs.borrow_rate / TRADING_DAYS * short
        net[t] = max(gross[t] - paid, -1.0)
        if net[t] == -1.0:
            break
        held = weights[t] * growth[t] / (1 + net[t])
    return Backtest(net_return=net, gross_return=gross, weights=weights, trades=trades, costs=costs)


def _checked(
    positions: npt.ArrayLike, open_price: npt.ArrayLike, close_price: npt.ArrayLike
) -> tuple[_Floats, _Floats, _Floats]:
    target, opens, closes = (
        np.asarray(each, dtype=np.float64) for each in (positions, open_price, close_price)
    )
    if target.ndim != 2 or target.size == 0 or not target.shape == opens.shape == closes.shape:
        raise SchemaError(
            "positions, open_price and close_price must all have the shape [days, assets] and not "
            f"be empty. Got {target.shape}, {opens.shape} and {closes.shape}."
        )
    _refuse("position", target, ~np.isfinite(target), "a finite number; 0 where nothing is wanted")
    for name, prices in (("open_price", opens), ("close_price", closes)):
        wrong = (prices <= 0) | np.isinf(prices)
        _refuse(name, prices, wrong, "a finite number > 0, or NaN where the asset does not trade")
    return target, opens, closes


def _refuse(name: str, values: _Floats, wrong: _Bools, expected: str) -> None:
    if wrong.any():
        day, asset = np.argwhere(wrong)[0]
        raise SchemaError(
            f"{name} must be {expected}. Day {day}, asset {asset} (counted from 0) holds "
            f"{values[day, asset]} ({wrong.sum()} such values)."
        )


def _growth(opens: _Floats, closes: _Floats) -> _Floats:
    """Value at the end of each day over value at its open [T, A]; 1 before a first price."""
    prices = np.stack([opens, closes], axis=1).reshape(-1, opens.shape[1])  # [2 T, A], by time
    known = pd.DataFrame(prices).ffill().to_numpy()
    marks = np.vstack([known[::2], known[-1:]])  # [T + 1, A]
    return np.nan_to_num(marks[1:] / marks[:-1], nan=1.0)


def _orders(target: _Floats, opens: _Floats, closes: _Floats) -> tuple[_Floats, _Bools]:
    """Targets by the day of their trade, and whether an asset can be traded, both [T, A]."""
    orders, tradable = np.zeros_like(target), np.isfinite(opens)
    orders[1:] = target[:-1]
    priced = tradable | np.isfinite(closes)
    gone = ~np.logical_or.accumulate(priced[::-1])[::-1]  # no price on this day nor later
    orders[gone] = 0.0
    tradable[1:] |= gone[1:]  # at the last price; after the first such day nothing is held
    return orders, tradable
