"""Forecasts of parts and totals that add up.

Letters in shapes: B bottom series, U upper series (groups and the total), H moments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, SchemaError, unknown_name
from industry_apps.recipes.forecasting.newsvendor import level_of

Method = Literal["bottom_up", "ols", "wls"]
METHODS: tuple[Method, ...] = ("bottom_up", "ols", "wls")
#: The name of the series that is the sum of all.
TOTAL = "total"

_Floats = NDArray[np.float64]


def groups_of(members: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """The sums of a hierarchy: which bottom series each upper one adds up.

    Parameters
    ----------
    members : mapping of str to sequence of str
        Upper series -> its bottom series; the total of all is added.

    Returns
    -------
    DataFrame of bool
        Upper series by bottom series.

    Examples
    --------
    >>> groups_of({"north": ["A", "B"], "south": ["C"]}).astype(int).values.tolist()
    [[1, 1, 0], [0, 0, 1], [1, 1, 1]]
    """
    bottom = sorted({each for group in members.values() for each in group})
    rows = {name: [each in set(group) for each in bottom] for name, group in members.items()}
    rows[TOTAL] = [True] * len(bottom)
    return pd.DataFrame.from_dict(rows, orient="index", columns=bottom)


def reconcile(
    bottom: pd.DataFrame,
    sums: pd.DataFrame,
    upper: pd.DataFrame | None = None,
    *,
    method: Method = "wls",
) -> pd.DataFrame:
    """Make forecasts of parts and of their totals add up.

    The medians add up exactly afterwards. ``"bottom_up"`` adds the parts. ``"ols"`` and
    ``"wls"`` take own forecasts of the totals too and move all of them to the nearest ones
    that add up: by equal weights, or each weighed by the variance that its quantiles speak of
    (WLS with the variances of the base forecasts, the diagonal form of MinT).

    Quantiles of the parts move along with their medians, so their intervals keep their
    width. Those of totals lie about the sum: as wide as their own forecast says, where there
    is one, otherwise as if the errors of the parts did not depend on each other, which is
    too narrow where they go together. Strictly the medians of parts do not add up to the
    median of a total, means do; for distributions that are not very skewed they are close.

    Parameters
    ----------
    bottom : DataFrame
        What ``predict`` returns of the parts: indexed by series and time, columns such as
        ``quantity_p50``, that one among them.
    sums : DataFrame of bool
        From :func:`groups_of`: upper series by bottom series.
    upper : DataFrame, optional
        Forecasts of the upper series, in the same form; needed by all but ``"bottom_up"``.
    method : {"bottom_up", "ols", "wls"}

    Returns
    -------
    DataFrame
        Upper and bottom series in one table of the same form.

    Raises
    ------
    ParameterError
        There is no such method, or it needs forecasts of the totals.
    SchemaError
        A series of the hierarchy has no forecast, there is no median, or totals and parts are
        forecast of different moments.

    References
    ----------
    Hyndman, R. et al. (2011). Optimal combination forecasts for hierarchical time series.
    CSDA 55, 2579-2589, doi:10.1016/j.csda.2011.03.006. Wickramasuriya, S., Athanasopoulos, G.
    and Hyndman, R. (2019). Optimal forecast reconciliation for hierarchical and grouped time
    series through trace minimization. JASA 114, 804-819, doi:10.1080/01621459.2018.1448825.
    """
    if method not in METHODS:
        raise ParameterError(
            f"The 'method' parameter of reconcile: {unknown_name('method', method, METHODS)}"
        )
    if method != "bottom_up" and upper is None:
        raise ParameterError(
            f"The method {method!r} needs forecasts of the totals too. Give them, or take "
            "method='bottom_up'."
        )
    median = _median_of(bottom)
    parts = _cube(bottom, list(sums.columns), "bottom")  # {column: [B, H]}
    own = None if upper is None else _cube(upper, list(sums.index), "upper")
    if upper is not None and not _times(upper).equals(_times(bottom)):
        raise SchemaError(
            f"The totals are forecast from {_times(upper).min()} on, and their parts from "
            f"{_times(bottom).min()}: most parts of the last moments may not have reported yet. "
            "Forecast both from the same moment, cutting the history at the earlier one."
        )
    matrix = sums.to_numpy(dtype=np.float64)  # [U, B]
    point = parts[median]
    if method != "bottom_up" and own is not None:
        variance = _variances(parts, own) if method == "wls" else np.ones(len(point) + len(matrix))
        point = np.maximum(_projected(point, own[median], matrix, variance), 0)
    totals = matrix @ point
    found = {}
    for name in bottom.columns:
        lower = np.maximum(point + parts[name] - parts[median], 0)
        found[name] = np.concatenate([_about(name, totals, parts, own, matrix, median), lower])
    names = [*sums.index, *sums.columns]
    times = _times(bottom)
    index = pd.MultiIndex.from_product([names, times], names=bottom.index.names)
    return pd.DataFrame({name: values.ravel() for name, values in found.items()}, index=index)


def _about(
    name: str,
    totals: _Floats,
    parts: Mapping[str, _Floats],
    own: Mapping[str, _Floats] | None,
    matrix: _Floats,
    median: str,
) -> _Floats:
    """A quantile of the totals [U, H]: the sum and a width beside it."""
    if own is not None:
        width = own[name] - own[median]
    else:
        apart = parts[name] - parts[median]
        side = np.sign((level_of(name) or 0.5) - 0.5)
        width = side * np.sqrt(matrix @ apart**2)
    return np.maximum(totals + width, 0)


def _projected(point: _Floats, upper: _Floats, matrix: _Floats, variance: _Floats) -> _Floats:
    """The bottom series [B, H] whose sums are nearest to all forecasts, by their variances."""
    every = np.concatenate([matrix, np.eye(matrix.shape[1])])  # [U + B, B]
    weighed = every / variance[:, None]
    forecasts = np.concatenate([upper, point])
    solved: _Floats = np.linalg.solve(weighed.T @ every, weighed.T @ forecasts)
    return solved


def _variances(parts: Mapping[str, _Floats], own: Mapping[str, _Floats]) -> _Floats:
    """Variance of each series [U + B], by the distance of its outer quantiles."""
    levels = sorted((level_of(name) or 0.5, name) for name in parts)
    low, high = levels[0][1], levels[-1][1]
    both = [np.mean((each[high] - each[low]) ** 2, axis=1) for each in (own, parts)]
    width = np.concatenate(both)
    if not width.any():  # a single level says nothing of variances
        return np.ones(len(width))
    return np.maximum(width, 1e-6 * width.max())


def _median_of(frame: pd.DataFrame) -> str:
    for name in frame.columns:
        if level_of(str(name)) == 0.5:
            return str(name)
    raise SchemaError(
        f"The forecast has no median, such as 'quantity_p50': it has "
        f"{', '.join(map(str, frame.columns))}. Forecast with 0.5 among the quantiles."
    )


def _times(frame: pd.DataFrame) -> pd.Index:
    return frame.index.get_level_values(1).unique().sort_values()


def _cube(frame: pd.DataFrame, names: list[str], which: str) -> dict[str, _Floats]:
    """Each column as a table of series by times."""
    have = set(frame.index.get_level_values(0))
    absent = [name for name in names if name not in have]
    if absent:
        raise SchemaError(
            f"The {which} series {absent[0]!r} of the hierarchy has no forecast ({len(absent)} "
            "have none). Forecast it, or leave it out of the groups."
        )
    found = {}
    for name in frame.columns:
        table = frame[name].unstack(level=1).loc[names, _times(frame)]  # noqa: PD010 - of an index
        if table.isna().any(axis=None):
            raise SchemaError(
                f"Not every {which} series has a value of {name!r} at each time. Forecast all of "
                "them from the same moment."
            )
        found[str(name)] = table.to_numpy(dtype=np.float64)
    return found
