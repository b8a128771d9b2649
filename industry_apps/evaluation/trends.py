"""How a share changes over time, for several things at once, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from industry_apps.errors import SchemaError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["share_trend", "trend_plot"]

#: Quantile of the normal distribution for 95 %.
_Z = 1.959964


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
        interval of 95 % for the share.

    Raises
    ------
    SchemaError
        There is no such period.

    References
    ----------
    Wilson 1927, "Probable inference, the law of succession, and statistical inference",
    doi:10.1080/01621459.1927.10502953.

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
    count, share = found["size"].to_numpy(dtype=np.float64), found["mean"].to_numpy()
    centre = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    spread = np.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    half = _Z * spread / (1 + _Z**2 / count)
    return pd.DataFrame(
        {"rows": found["size"], "share": share, "low": centre - half, "high": centre + half}
    )


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
