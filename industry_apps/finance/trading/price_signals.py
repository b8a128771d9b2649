"""What daily prices and volumes are known to tell about the days that follow.

Sources of the single signals stand at their classes in :mod:`industry_apps.features.signals`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from industry_apps.features import (
    Adjusted,
    Between,
    Change,
    Drawdown,
    GraphBuilder,
    Illiquidity,
    LevelChannel,
    LevelRatio,
    OfChanges,
    RatioChannel,
    Signal,
)
from industry_apps.features import window_nodes as nodes
from industry_apps.features.series import Channel
from industry_apps.features.signals import Inputs, step_ratios

#: Trading days.
YEAR, HALF_YEAR, QUARTER, MONTH, WEEK = 252, 126, 63, 21, 5
#: Days without a change of the price and without known volume after which nothing is traded.
FROZEN = 30
#: Ratios of splits below 2 to 1, and how near to these or to a whole number a jump over night is
#: one. Of 108 592 nights of 87 large stocks two lie as near to 5 to 4 and none to 3 to 2.
FRACTIONS, NEAR = (1.25, 1.5), 0.03


class PriceColumns(NamedTuple):
    """Names of the columns of daily prices.

    Parameters
    ----------
    open, high, low, close : str
        As traded, or free of splits.
    adjusted_close : str
        Free of splits and dividends.
    volume : str
    """

    open: str
    high: str
    low: str
    close: str
    adjusted_close: str
    volume: str

    @property
    def adjusted_open(self) -> Adjusted:
        """The open price, free of splits and dividends."""
        return Adjusted(self.open, self.adjusted_close, self.close)


def momentum(columns: PriceColumns) -> Change:
    """The return of months 12 to 1.

    Parameters
    ----------
    columns : PriceColumns
    """
    return Change(columns.adjusted_close, YEAR, MONTH)


@dataclass(frozen=True)
class Tradable(Signal):
    """0 where the prices of late can be relied on, else missing.

    They cannot where today's or last month's price is not known, where the price has been frozen
    without a known volume for 30 days, or where it jumps over night as at a split.

    Parameters
    ----------
    prices : PriceColumns
    check_splits : bool
        Whether a jump in the last quarter counts.
    """

    prices: PriceColumns
    check_splits: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        """Raw columns that it reads."""
        prices = self.prices
        return tuple(
            dict.fromkeys((prices.open, prices.close, prices.adjusted_close, prices.volume))
        )

    @property
    def history(self) -> int:
        """How many of the last steps it reads."""
        return QUARTER + 1

    def write(self, builder: GraphBuilder, inputs: Inputs) -> str:
        """Write the nodes; return a [batch, 1] float tensor."""
        node, prices = builder.node, self.prices
        axis = builder.constant(np.array([1]))
        change = Change(prices.adjusted_close, MONTH).write(builder, inputs)
        close, volume = (
            nodes.last(builder, inputs[name], FROZEN)
            for name in (prices.adjusted_close, prices.volume)
        )
        known = nodes.fill(builder, volume, 0)  # of a price that stands still, none is told of
        none, nothing = builder.constant(np.float32(np.nan)), builder.constant(np.float32(0))
        high, low, sold = (
            node(op, tensor, axis, attributes={"keepdims": 1})
            for op, tensor in (("ReduceMax", close), ("ReduceMin", close), ("ReduceSum", known))
        )
        frozen = node("And", node("Equal", high, low), node("Equal", sold, nothing))
        priced = node("Mul", change, nothing)  # NaN stays
        found = node("Where", frozen, none, priced)
        if not self.check_splits:
            return found
        night = step_ratios(
            builder, inputs, prices.adjusted_close, prices.adjusted_open, 1, QUARTER
        )
        jump = node("Exp", node("Abs", night))
        whole = node("Max", node("Round", jump), builder.constant(np.float32(2)))
        near = [node("Div", jump, whole)]
        near += [node("Div", jump, builder.constant(np.float32(each))) for each in FRACTIONS]
        gaps = [node("Abs", node("Sub", each, builder.constant(np.float32(1)))) for each in near]
        limit = builder.constant(np.float32(NEAR))
        splits = [builder.cast(node("Less", gap, limit), np.float32) for gap in gaps]
        any_ = node("ReduceMax", builder.concat(splits), axis, attributes={"keepdims": 1})
        return node("Where", node("Greater", any_, nothing), none, found)


def price_signals(columns: PriceColumns) -> tuple[Signal, ...]:
    """Reversal, momentum, risk, lotteries, volume, illiquidity, night and day.

    Parameters
    ----------
    columns : PriceColumns
    """
    close, volume = columns.adjusted_close, columns.volume
    return (
        *(Change(close, days) for days in (1, WEEK, MONTH)),
        Change(close, HALF_YEAR, MONTH),
        momentum(columns),
        OfChanges(close, QUARTER, "volatility"),
        OfChanges(close, QUARTER, "own_volatility"),
        OfChanges(close, MONTH, "largest"),
        OfChanges(close, QUARTER, "skewness"),
        OfChanges(close, HALF_YEAR, "beta"),
        Drawdown(close, YEAR),
        LevelRatio(volume, WEEK, QUARTER),
        Illiquidity(close, columns.close, volume, MONTH),
        Between(columns.low, columns.high, steps=MONTH),
        Between(close, columns.adjusted_open, lag=1, steps=MONTH),
        Between(columns.open, columns.close, steps=MONTH),
    )


def price_channels(columns: PriceColumns) -> tuple[Channel, ...]:
    """What a temporal network reads of each day: return, night, range, volume.

    Parameters
    ----------
    columns : PriceColumns
    """
    close = columns.adjusted_close
    return (
        RatioChannel(close, close, lag=1, scale=0.02),
        RatioChannel(close, columns.adjusted_open, lag=1, scale=0.01),
        RatioChannel(columns.low, columns.high, scale=0.02),
        LevelChannel(columns.volume, scale=0.5),
    )
