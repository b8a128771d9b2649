"""How a share changes over time, for several things at once, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from industry_apps.errors import SchemaError
from industry_apps.evaluation.intervals import wilson

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["share_trend", "trend_plot"]


def share_trend(
    yes: pd.Series, by: pd.Series, time: pd.Series, *, period: str = "month"
) -> pd.DataFrame:
    """Count how often the answer is yes, for each thing and period.

    Parameters
    ----------
    yes : Series of bool, shape [rows]
    by : Series, shape [rows]
        What the row is about.
    time : Series of datetimes, shape [rows]
    period : {"day", "week", "month", "quarter", "year"}

    Returns
    -------
    DataFrame
        By ``by`` and ``period`` (its first day): ``rows``, ``share``, ``low``, ``high``: an
        interval of 95 % for the share (Wilson).

    Raises
    ------
    SchemaError
        There is no such period.

    Examples
    --------
    >>> days = pd.Series(pd.to_datetime(["2024-01-03", "2024-01-09", "2024-02-01"]))
    >>> share_trend(pd.Series([True, False, True]), pd.Series(["A"] * 3), days)["share"].tolist()
    [0.5, 1.0]
    """
    codes = {"day": "D", "week": "W", "month": "M", "quarter": "Q", "year": "Y"}
    if period not in codes:
        raise SchemaError(f"Got the period {period!r}, expected one of {list(codes)}.")
    begin = pd.to_datetime(time).dt.to_period(codes[period]).dt.start_time
    rows = pd.DataFrame({str(by.name or "by"): by, "period": begin, "yes": yes.astype(float)})
    keys = list(rows.columns[:2])
    found = rows.groupby(keys)["yes"].agg(["size", "mean"])
    share = found["mean"].to_numpy()
    low, high = wilson(share, found["size"].to_numpy())
    return pd.DataFrame({"rows": found["size"], "share": share, "low": low, "high": high})


def trend_plot(trend: pd.DataFrame, *, most: int = 6, label: str = "share") -> Figure:
    """Draw a trend, the things with most rows.

    Parameters
    ----------
    trend : DataFrame
        From :func:`share_trend`.
    most : int
        Things that are drawn, at most.
    label : str
        Of the vertical axis.
    """
    from industry_apps.evaluation.plots import blank_figure, label_axes

    figure, (axes,) = blank_figure()
    name = trend.index.names[0]
    largest = trend["rows"].groupby(level=0).sum().nlargest(most).index
    for thing in largest:
        part = trend.xs(thing, level=0)
        (line,) = axes.plot(part.index, part["share"], marker="o", markersize=3, label=str(thing))
        axes.fill_between(
            part.index, part["low"], part["high"], alpha=0.15, color=line.get_color(), linewidth=0
        )
    axes.set_ylim(0, 1)
    label_axes(axes, "", label, legend_columns=2)
    figure.set_label(f"By {name}; the bands cover 95 %.")
    return figure
