"""What daily prices and volumes are known to tell about the days that follow.

Sources of the single signals stand at their classes in :mod:`industry_apps.features.signals`.
"""

from __future__ import annotations

from typing import NamedTuple

from industry_apps.features import (
    Adjusted,
    Between,
    Change,
    Drawdown,
    Illiquidity,
    LevelChannel,
    LevelRatio,
    OfChanges,
    RatioChannel,
    Signal,
)
from industry_apps.features.series import Channel

#: Trading days.
YEAR, HALF_YEAR, QUARTER, MONTH, WEEK = 252, 126, 63, 21, 5


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
