"""Estimates with an interval, and the bootstrap that makes them.

Letters: N rows, G groups, R resamples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from time import monotonic

import numpy as np
import numpy.typing as npt
import pandas as pd

from industry_apps.errors import ParameterError, SchemaError

__all__ = [
    "BootstrapResult",
    "Estimate",
    "bootstrap",
    "digits_of",
    "group_codes",
    "resampled",
    "rounded",
]

PROGRESS_AFTER_S = 2.0
_DIGITS_WITHOUT_WIDTH = 3
_MOST_DIGITS = 7  # more zeros than this are hard to count
_NO_WIDTH = 1e-13  # of the size of the ends: no more than rounding errors
_TAILS = (2.5, 97.5)  # percent: a 95 % interval

_Floats = npt.NDArray[np.float64]


def digits_of(low: float, high: float) -> int:
    """Return the decimals to print so that precision is never finer than the interval.

    The last printed place is the first one in which the half-width of the interval
    differs from zero.

    Parameters
    ----------
    low, high : float
        Ends of the interval. An interval without width (but for rounding errors), or with an
        end that is not finite, gives 3.

    Returns
    -------
    int
        Decimals for :func:`round`; negative for tens, hundreds, ...

    Examples
    --------
    >>> digits_of(0.697, 0.723), digits_of(1180.0, 1292.0)
    (2, -1)
    """
    if not _has_width(low, high):
        return _DIGITS_WITHOUT_WIDTH
    return _first_place((high - low) / 2)


def _has_width(low: float, high: float) -> bool:
    """Tell whether the ends are further apart than rounding errors."""
    return math.isfinite(high - low) and high - low > _NO_WIDTH * max(1.0, abs(low), abs(high))


def _first_place(size: float) -> int:
    """Decimals up to the first digit of a number that is not zero."""
    return -math.floor(math.log10(size) + 1e-9)  # 0.01 stored as 0.00999... keeps its place


def rounded(value: float, digits: int) -> str:
    """Write a number with `digits` decimals (negative: rounded to tens, hundreds, ...).

    Parameters
    ----------
    value : float
    digits : int
        After the decimal point; negative for tens, hundreds.

    Examples
    --------
    >>> rounded(0.7126, 2), rounded(1234.0, -1), rounded(4.2e-9, 9)
    ('0.71', '1230', '4.2e-09')
    """
    if not math.isfinite(value):
        return "undefined"
    if digits > _MOST_DIGITS:
        return f"{value:.1e}"
    return f"{round(value, digits) + 0.0:.{max(digits, 0)}f}"  # + 0.0 turns -0.0 into 0.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric and its 95 % interval.

    Parameters
    ----------
    value : float
        The metric on the rows as they are.
    low, high : float
        Ends of the percentile-bootstrap interval; NaN where no resample gave a value.

    Examples
    --------
    >>> print(Estimate(0.7104, 0.6975, 0.7235))
    0.71 [0.70, 0.72]
    >>> print(Estimate(0.3012, -0.9187, 1.5211))
    0.30 [-0.92, 1.5]
    """

    value: float
    low: float
    high: float

    @property
    def digits(self) -> int:
        """Decimals with which the estimate may be printed."""
        return digits_of(self.low, self.high)

    def written(self, number: float) -> str:
        """Write a number of this metric, no finer than the interval.

        The last place is that of :func:`digits_of`. Where this leaves even the largest of value,
        low and high with a single digit, as for 0.3 in [-0.9, 1.5], a number is written with two
        significant digits, yet at most two places further.
        """
        places = self.digits
        largest = max(abs(self.low), abs(self.high))
        if _has_width(self.low, self.high) and places <= _first_place(largest):
            wanted = _first_place(abs(number)) + 1 if number else places + 1
            places = min(max(places, wanted), places + 2)
        return rounded(number, places)

    def __str__(self) -> str:
        value, low, high = (self.written(x) for x in (self.value, self.low, self.high))
        return f"{value} [{low}, {high}]" if math.isfinite(self.low) else f"{value} (no interval)"

    def to_dict(self) -> dict[str, float | None]:
        """Return value, low and high; what is not finite becomes None, as JSON has no NaN."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return {name: float(x) if math.isfinite(x) else None for name, x in numbers.items()}


@dataclass(frozen=True, eq=False)
class BootstrapResult:
    """Metrics on the rows as they are and on every resample.

    Parameters
    ----------
    values : mapping of str to float
        Metric name -> value on all rows.
    draws : mapping of str to ndarray of shape (R,)
        Metric name -> value on each resample; NaN where the resample leaves it undefined
        (for instance only one class drawn). Those are left out of the interval.
    """

    values: Mapping[str, float]
    draws: Mapping[str, _Floats] = field(repr=False)

    def estimates(self) -> dict[str, Estimate]:
        """Return every metric with its 95 % percentile interval.

        The interval is widened to contain the value where a metric that folds errors to
        their absolute size (calibration error) is larger on resamples than on the rows.
        """
        return {name: _estimate(value, self.draws[name]) for name, value in self.values.items()}

    def minus(self, other: BootstrapResult) -> dict[str, Estimate]:
        """Return the paired difference to another system, for every metric they share.

        Both must come from the same rows, groups and seed: then resample by resample they
        saw the same rows, and the interval of the difference is far narrower than the two
        intervals suggest.

        Raises
        ------
        ParameterError
            When the numbers of resamples differ.
        """
        margins = {}
        for name in (name for name in self.values if name in other.values):
            mine, theirs = self.draws[name], other.draws[name]
            if len(mine) != len(theirs):
                raise ParameterError(
                    f"Metric {name!r} was resampled {len(mine)} times here and {len(theirs)} times "
                    "there; a paired difference needs the same rows, groups, resamples and seed."
                )
            margins[name] = _estimate(self.values[name] - other.values[name], mine - theirs)
        return margins

    def joined(self, other: BootstrapResult) -> BootstrapResult:
        """Return the metrics of both as one result."""
        return BootstrapResult({**self.values, **other.values}, {**self.draws, **other.draws})


def _estimate(value: float, draws: _Floats) -> Estimate:
    known = draws[~np.isnan(draws)]
    if known.size == 0:
        return Estimate(value, math.nan, math.nan)
    low, high = np.percentile(known, _TAILS)
    return Estimate(value, min(float(low), value), max(float(high), value))


def wilson(share: _Floats, rows: npt.NDArray[np.intp]) -> tuple[_Floats, _Floats]:
    """Intervals of 95 % for shares of so many rows each.

    Parameters
    ----------
    share : ndarray of float, shape (N,)
        In [0, 1].
    rows : ndarray of int, shape (N,)
        > 0.

    Returns
    -------
    low, high : ndarray of float, shape (N,)

    References
    ----------
    Wilson (1927), "Probable inference, the law of succession, and statistical inference",
    doi:10.1080/01621459.1927.10502953.
    """
    z = 1.96
    middle = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    return middle - half, middle + half


def bootstrap(
    metrics: Mapping[str, Callable[[_Floats], float]],
    groups: npt.ArrayLike | None,
    n_rows: int,
    *,
    resamples: int = 400,
    seed: int = 0,
) -> BootstrapResult:
    """Resample rows, or whole groups of rows, and compute every metric on each resample.

    A resample is a vector of whole weights: how often each row was drawn. All metrics, and
    a second call with the same groups and seed, see the same resamples.

    Parameters
    ----------
    metrics : mapping of str to callable
        Metric name -> function from weights [N] to a number; NaN means undefined there.
    groups : array-like of shape (N,), optional
        Rows with the same value depend on each other and are drawn together; None: no row
        depends on another. Fewer than about 30 groups give intervals that are too narrow.
    n_rows : int
        N.
    resamples : int, default 400
        R, at least 1.
    seed : int, default 0
        Same seed, same resamples.

    Raises
    ------
    ParameterError, SchemaError
        When there are fewer than two groups, or not one per row.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, doi:10.1201/9780429246593.
    Field and Welsh (2007), Bootstrapping clustered data, doi:10.1111/j.1467-9868.2007.00593.x.

    Examples
    --------
    >>> x = np.arange(100.0)
    >>> result = bootstrap({"mean": lambda weight: float(weight @ x / weight.sum())}, None, 100)
    >>> print(result.estimates()["mean"])
    50 [44, 55]
    """
    drawn = resampled(groups, n_rows, resamples=resamples, seed=seed)
    values = {name: metric(np.ones(n_rows)) for name, metric in metrics.items()}
    draws = {name: np.full(resamples, np.nan) for name in metrics}
    for r, weight in enumerate(drawn):
        for name, metric in metrics.items():
            draws[name][r] = metric(weight)
    return BootstrapResult(values, draws)


def resampled(
    groups: npt.ArrayLike | None, n_rows: int, *, resamples: int = 400, seed: int = 0
) -> Iterator[_Floats]:
    """The resamples of :func:`bootstrap`, for metrics that take several of them at once.

    Parameters
    ----------
    groups, n_rows, resamples, seed
        As in :func:`bootstrap`, and as soon checked.

    Returns
    -------
    iterator of ndarray of shape (N,)
        How often each row was drawn.

    Raises
    ------
    ParameterError, SchemaError
        When there are fewer than two groups, or not one per row.
    """
    codes = np.arange(n_rows) if groups is None else group_codes("groups", groups, n_rows)
    n_groups = int(codes.max(initial=-1)) + 1
    if n_groups < 2 or resamples < 1:
        raise ParameterError(
            f"An interval needs two rows of different groups (such as patients), and a resample. "
            f"Got {n_groups} groups and {resamples} resamples. Give more rows."
        )
    rng = np.random.default_rng(seed)
    return (
        np.bincount(rng.integers(n_groups, size=n_groups), minlength=n_groups).astype(np.float64)[
            codes
        ]  # [G] -> [N]
        for _ in _with_progress(resamples)
    )


def group_codes(name: str, values: npt.ArrayLike, n_rows: int) -> npt.NDArray[np.intp]:
    """Number the distinct values in sorted order, so that the order of rows does not matter.

    Parameters
    ----------
    name : str
        What the values are called in the error.
    values : array-like of shape (N,)
        Anything that sorts; missing values are one group.
    n_rows : int
        N.

    Returns
    -------
    ndarray of int, shape (N,)
        In 0 .. G - 1.

    Raises
    ------
    SchemaError
        When there is not one value per row.
    """
    labels = np.asarray(values)
    if labels.shape != (n_rows,):
        raise SchemaError(
            f"{name} must hold one value per row, shape ({n_rows},). Got shape {labels.shape}."
        )
    return pd.factorize(labels, sort=True, use_na_sentinel=False)[0]


def _with_progress(count: int) -> Iterator[int]:
    """Count up, with a bar on a terminal once it has taken longer than two seconds."""
    start, done = monotonic(), 0
    while done < count and monotonic() - start <= PROGRESS_AFTER_S:
        yield done
        done += 1
    rest = range(done, count)
    if not rest or find_spec("rich") is None:
        yield from rest
        return
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(
        rest,
        "Intervals",
        total=count,
        completed=done,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def share_estimate(part: int, whole: int) -> Estimate:
    """A share, with its 95 % interval (:func:`wilson`); 0, and nothing known, of none.

    Parameters
    ----------
    part, whole : int
        ``0 <= part <= whole``.

    Examples
    --------
    >>> print(share_estimate(5, 10))
    0.50 [0.24, 0.76]
    """
    if not whole:
        return Estimate(0.0, 0.0, 1.0)
    share = part / whole
    low, high = wilson(np.array([share]), np.array([whole]))
    return Estimate(
        share, max(min(float(low[0]), share), 0.0), min(max(float(high[0]), share), 1.0)
    )
