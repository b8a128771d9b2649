"""Strategies traded on past prices: forecasts to positions, positions to returns, and judged.

Letters in shapes: T days, A assets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import cached_property, partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import LeakageError, SchemaError
from industry_apps.evaluation.intervals import BootstrapResult
from industry_apps.evaluation.report import Report
from industry_apps.evaluation.sections import Section
from industry_apps.finance.trading.backtesting import Backtest, TradingCosts, backtest
from industry_apps.finance.trading.forecast_skill import (
    daily_information_coefficient,
    mean_of_known,
)
from industry_apps.finance.trading.performance import sharpe, sharpe_standard_error
from industry_apps.finance.trading.performance_intervals import StrategyDays, performance_bootstrap
from industry_apps.finance.trading.performance_plots import (
    drawdown_plot,
    equity_plot,
    rolling_sharpe_plot,
)
from industry_apps.finance.trading.positions import PositionRule
from industry_apps.finance.trading.price_signals import FRACTIONS, NEAR, PriceColumns
from industry_apps.runtime import Panel

_Floats = NDArray[np.float64]

#: After so many days without a price an asset counts as gone.
_GONE = 10
#: No daily signal of one day's knowledge ranks the returns of many stocks as well.
_LARGEST_SKILL = 0.2
#: Standard errors above 0 that a skill must have before it is no accident of few days.
_NO_ACCIDENT = 5.0

#: Days between two closes with a holiday between them.
_LONGEST_NIGHT = 5


@dataclass(frozen=True, eq=False, kw_only=True)
class Market:
    """Prices of assets, free of splits and dividends.

    Parameters
    ----------
    days : ndarray of datetime64[D] of shape [T]
    opens, closes : ndarray of shape [T, A]
        Adjusted prices; NaN where an asset does not trade.
    traded_value : ndarray of shape [T, A]
        What changed hands, in currency.
    """

    days: NDArray[np.datetime64]
    opens: _Floats
    closes: _Floats
    traded_value: _Floats

    @classmethod
    def of(cls, panel: Panel, columns: PriceColumns) -> Self:
        """Take the prices out of a panel.

        Parameters
        ----------
        panel : Panel
        columns : PriceColumns

        Raises
        ------
        SchemaError
            Two moments lie in one day.
        """
        days = panel.times.astype("datetime64[s]").astype("datetime64[D]")
        twice = days[1:][days[1:] == days[:-1]]
        if twice.size:
            raise SchemaError(
                f"The table has several times of {twice[0]}, but prices are daily. Give all rows "
                "of a day the same date."
            )
        opens, close, adjusted, volume = (
            panel.columns[name].astype(np.float64)
            for name in (columns.open, columns.close, columns.adjusted_close, columns.volume)
        )
        return cls(
            days=days,
            opens=opens * adjusted / close,
            closes=adjusted,
            traded_value=close * volume,
        )

    def since(self, first: int) -> Market:
        """The days from one on."""
        return Market(**{each.name: getattr(self, each.name)[first:] for each in fields(self)})

    @cached_property
    def log_returns(self) -> _Floats:
        """From close to close, [T, A]; NaN where one of the two is not known."""
        first = np.full((1, self.closes.shape[1]), np.nan)
        return np.concatenate([first, np.diff(np.log(self.closes), axis=0)])

    def check_splits(self, names: NDArray[np.object_]) -> None:
        """Refuse prices that jump as at a split, from one close to the next open.

        Parameters
        ----------
        names : ndarray of str of shape [A]

        Raises
        ------
        SchemaError
            Names the asset, the day and the ratio.
        """
        last = _filled(self.closes)
        jump = np.ones(self.opens.shape)
        jump[1:] = self.opens[1:] / last[:-1]
        ratio = np.fmax(jump, 1 / jump)
        kinds = np.stack([np.fmax(np.round(ratio), 2), *(0 * ratio + f for f in FRACTIONS)])
        gap = np.abs(ratio / kinds - 1)
        near = gap < NEAR
        # Over days without a price much may happen.
        one_night = np.diff(self.days) <= np.timedelta64(_LONGEST_NIGHT, "D")
        near[1:, 1:] &= one_night[:, None] & ~np.isnan(self.closes[:-1])
        suspect = near.any(axis=0)
        if suspect.any():
            day, asset = (int(each[0]) for each in np.nonzero(suspect))
            before, after = last[day - 1, asset], self.opens[day, asset]
            kind = Fraction(kinds[gap[:, day, asset].argmin(), day, asset])
            raise SchemaError(
                f"The adjusted price of {names[asset]!r} goes from {before:g} at the last close to "
                f"{after:g} on {self.days[day]}, as at a split of "
                f"{kind.numerator} to {kind.denominator}. "
                "Adjust the earlier prices, or, if it was no split, set check_splits=False."
            )

    def describe(self) -> dict[str, Any]:
        """Days, assets and period, as JSON values."""
        (first, last), assets = self.days[[0, -1]].astype(str), self.closes.shape[1]
        return {"days": len(self.days), "assets": assets, "first": first, "last": last}

    def outcome(self, horizon: int) -> _Floats:
        """Log return from the next open over some days, [T, A]; NaN where it is not known.

        Parameters
        ----------
        horizon : int
            Days, > 0.
        """
        found = np.full(self.opens.shape, np.nan)
        opens = np.log(self.opens)
        if len(opens) > horizon + 1:
            found[: -horizon - 1] = opens[horizon + 1 :] - opens[1:-horizon]
        return found


def check_look_ahead(name: str, signal: NDArray[Any], market: Market, horizon: int) -> None:
    """Refuse a signal that knows too well what comes after it.

    Daily rank correlations with the later return are a few hundredths for signals that
    are known to work; a mean far above tells that the signal was made of later prices. The
    next day is looked at by itself, since in the return of many days it hardly shows.

    Parameters
    ----------
    name : str
    signal : ndarray of shape [T, A]
    market : Market
    horizon : int
        Days that are forecast.

    Raises
    ------
    LeakageError
    """
    returns = market.log_returns
    for days, outcome in (
        (1, np.concatenate([returns[1:], np.full_like(returns[:1], np.nan)])),
        (1, market.outcome(1)),
        (horizon, market.outcome(horizon)),
    ):
        skill, error = _skill(signal.astype(np.float64), outcome, days)
        if abs(skill) > max(_LARGEST_SKILL, _NO_ACCIDENT * error):
            raise LeakageError(
                f"The signal {name!r} has a rank correlation of {skill:.2f} with the return of "
                f"the next {days} days; what is known at the close hardly reaches "
                f"{_LARGEST_SKILL}. It was made of later prices: give each day only what is "
                "known at its close."
            )


def _skill(signal: _Floats, outcome: _Floats, days: int) -> tuple[float, float]:
    """Mean rank correlation, and its standard error for a signal that tells nothing.

    Outcomes of ``days`` days overlap, and a signal may hardly change: so many days count
    as one.
    """
    daily = daily_information_coefficient(signal, outcome, rank=True)
    known = ~np.isnan(daily)
    pairs = (~np.isnan(signal) & ~np.isnan(outcome))[known].sum()
    freedom = max(float(pairs - known.sum()), 1.0)  # of each day one less than the assets
    return mean_of_known(daily), (days / freedom) ** 0.5


def positions_of(rule: PositionRule, forecast: _Floats, market: Market, *, window: int) -> _Floats:
    """Target positions day by day, each with what is held from the day before.

    As in the back-test, an asset that does not open is not traded that day.

    Parameters
    ----------
    rule : PositionRule
    forecast : ndarray of shape [t, A]
        Of the last t days of the market; NaN where an asset cannot be traded.
    market : Market
    window : int
        Days of returns from which volatility is taken.

    Returns
    -------
    ndarray of shape [t, A]
    """
    first = len(market.days) - len(forecast)
    # Days before the first count as unknown, as in a window that is too short.
    returns = np.pad(market.log_returns, ((window - 1, 0), (0, 0)), constant_values=np.nan)
    opened = ~np.isnan(market.opens)
    before = np.roll(_filled(market.closes), 1, axis=0)  # the first row is not read
    growth = np.nan_to_num(market.closes / np.where(opened, market.opens, before), nan=1.0)
    positions = np.zeros(forecast.shape)
    held = np.zeros((forecast.shape[1], 1))
    for step, scores in enumerate(forecast):
        day = first + step
        seen = returns[day : day + window]  # the last is that of this day
        gone = np.isnan(market.closes[max(day - _GONE, 0) : day + 1]).all(axis=0)
        held[gone] = 0.0
        target = rule.apply(scores[:, None], seen.T, held)
        positions[step] = target[:, 0]
        if day + 1 < len(growth):
            bought = np.where(opened[day + 1], target[:, 0], held[:, 0])
            moved = bought * growth[day + 1]
            held = (moved / (1 + moved.sum() - bought.sum()))[:, None]
    return positions


def bought_and_held(market: Market, costs: TradingCosts) -> Backtest:
    """Equal parts of all assets that trade on the first day, never traded again.

    Parameters
    ----------
    market : Market
    costs : TradingCosts
    """
    start = market.opens[1]
    there = ~np.isnan(start)
    basket = [
        (_filled(prices[:, there]) / start[there]).mean(axis=1, keepdims=True)
        for prices in (market.opens, market.closes)
    ]
    opens, closes = basket
    return backtest(np.ones_like(opens), opens, closes, costs)


def equal_weights(market: Market) -> _Floats:
    """The same position in every asset that trades, each day anew -> [T, A]."""
    trading = ~np.isnan(market.closes)
    return trading / np.maximum(trading.sum(axis=1, keepdims=True), 1)


@dataclass(frozen=True, eq=False, kw_only=True)
class Traded:
    """A strategy that was traded on past prices.

    Parameters
    ----------
    test : Backtest
    forecast : ndarray of shape [T, A], optional
        What it went by.
    """

    test: Backtest
    forecast: _Floats | None = None


def judge(
    strategy: Traded,
    others: Mapping[str, Traded],
    market: Market,
    *,
    horizon: int,
    trials: int,
    model: str,
    split: Mapping[str, Mapping[str, Any]],
) -> Report:
    """Compare a strategy with others on the same days.

    Parameters
    ----------
    strategy : Traded
    others : mapping of str to Traded
        The baselines.
    market : Market
        Of the days that were traded.
    horizon : int
        Days that a forecast speaks of.
    trials : int
        Strategies that were tried before this one was chosen.
    model : str
    split : mapping
        As in :class:`Report`.
    """
    outcome = market.outcome(horizon)

    def measured(each: Traded) -> BootstrapResult:
        known = each.test.trades.shape == market.traded_value.shape
        days = StrategyDays(
            returns=each.test.net_return,
            trades=each.test.trades,
            traded_value=np.nan_to_num(market.traded_value) if known else None,
            forecast=each.forecast,
            outcome=None if each.forecast is None else outcome,
        )
        return performance_bootstrap(days, trials=trials)

    ours = measured(strategy)
    theirs = {name: measured(each) for name, each in others.items()}
    report = Report(
        application="",
        data="",
        model=model,
        metrics=ours.estimates(),
        split=split,
        baselines={name: found.estimates() for name, found in theirs.items()},
        margins={name: ours.minus(found) for name, found in theirs.items()},
        sections=_sections({"strategy": strategy, **others}, market.days),
    )
    return _with_verdict(report, trials)


def _sections(systems: Mapping[str, Traded], days: NDArray[np.datetime64]) -> tuple[Section, ...]:
    returns = {name: each.test.net_return for name, each in systems.items()}
    header = ["system", "Sharpe", "standard error", "gross Sharpe", "costs a year"]
    rows = [
        [
            name,
            sharpe(each.test.net_return),
            sharpe_standard_error(each.test.net_return),
            sharpe(each.test.gross_return),
            float((each.test.gross_return - each.test.net_return).mean() * 252),
        ]
        for name, each in systems.items()
    ]
    return (
        Section(
            "Sharpe ratios",
            "Net of costs; the standard error allows for skewness and fat tails (Opdyke 2007).",
            [header, *rows],
        ),
        Section(
            "Equity",
            "Grown from 1, net of costs, out of sample.",
            figures=(
                partial(equity_plot, returns, days),
                partial(drawdown_plot, returns, days),
                partial(rolling_sharpe_plot, returns, days),
            ),
        ),
    )


def _with_verdict(report: Report, trials: int) -> Report:
    """Say in words whether the strategy is worth its trouble."""
    verdicts: dict[str, list[str]] = {"beats": [], "cannot be told apart from": [], "trails": []}
    for name, margins in report.margins.items():
        least, most = margins["sharpe"].low, margins["sharpe"].high
        verdict = "beats" if least > 0 else "trails" if most < 0 else "cannot be told apart from"
        verdicts[verdict].append(name.replace("_", " "))
    told = [f"it {verdict} {', '.join(names)}" for verdict, names in verdicts.items() if names]
    chance = report.metrics["deflated_sharpe"].value
    if np.isnan(chance):
        return replace(report, headline_text="It took no position: there is nothing to judge.")
    words = (
        f"Sharpe ratio {report.metrics['sharpe']} net of costs: {'; '.join(told)}. With "
        f"probability {chance:.0%} the true one is above what the best of {trials} strategies "
        "without skill would show."
    )
    return replace(report, headline_text=words)


def _filled(prices: _Floats) -> _Floats:
    """Prices [T, A] with the last known one where there is none."""
    steps = np.where(np.isnan(prices), 0, np.arange(len(prices))[:, None])
    return np.take_along_axis(prices, np.maximum.accumulate(steps, axis=0), axis=0)
