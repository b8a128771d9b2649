"""From scores to target positions, as arrays and as graph nodes.

The rule has two forms beside each other: ``apply`` on arrays and ``write`` into a graph.
Both read float32 and compute in float64, so that they agree and no threshold lies between
them. Letters: A assets (the batch axis: the assets of one day), W days of the window.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto

from industry_apps.features.builder import GraphBuilder
from industry_apps.features.window_nodes import centred, mean_product, total
from industry_apps.limits import POSITIVE, SHARE, check_parameters

__all__ = ["PositionRule"]

_DAYS_A_YEAR = 252
#: Standardised scores beyond this count as this much: one outlier must not take the book.
_SCORE_LIMIT = 3.0
#: Scores whose spread is below this share of the largest one differ by rounding only.
_SAME = 1e-6
#: An asset counts as at least this share of the mean volatility; else one that hardly
#: moved in the window would take the book.
_LEAST_VOLATILITY = 0.25
#: A log return beyond this is a wrong price, and counts as unknown.
_LARGEST_MOVE = 10.0
#: Assets of less volatility a day stand still; what is seen of it is rounding.
_STILL = 1e-6
_FINITE = float(np.finfo(np.float32).max)
_TINY = 1e-30  # the least that is divided by

_Floats = NDArray[np.float64]
_Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRule:
    """How scores of one day become target positions, as shares of the equity.

    1. Scores are standardised across the tradable assets (those with a finite score) and
       cut at 3 standard deviations.
    2. Each is divided by the volatility of its asset over the window, so that equal scores
       carry equal risk. An asset without two known returns counts as one of mean
       volatility, and none as less than a quarter of the mean.
    3. Market neutral: the mean is subtracted, so that longs and shorts are equal. Long
       only: what is below zero becomes zero.
    4. The absolute positions are scaled to the sum `gross`, and each is cut at `max_weight`.
       They are not scaled up again: a book of few assets stays below `gross`, and a
       neutral one may keep a small net position after the cut.
    5. Where the book would have been more volatile than `volatility_target` over the window
       (missing returns count as 0), it is made smaller; it is never made larger.
    6. The share `pace` of the trade from the held to the target positions is made, scaled
       down to `turnover_limit`.

    An asset that is not tradable keeps its held position, which steps 1 to 6 leave out of
    account. Equal scores carry no order: their targets are 0, as is that of a single asset.

    Parameters
    ----------
    gross : float, default 1.0
        Sum of the absolute target positions before the cuts, > 0; 1 is the whole equity.
    volatility_target : float or None, default 0.10
        Highest standard deviation of the book's return in a year of 252 days; > 0.
    pace : float, default 1.0
        Share of the way to the target that is traded in a day, in (0, 1]: costs make it
        worth trading slowly (Garleanu and Pedersen 2013).
    turnover_limit : float or None, default 0.2
        Most that is traded in a day, buys and sales added, as a share of equity; > 0.
    max_weight : float, default 0.05
        Largest absolute target of one asset, in (0, 1].
    long_only : bool, default False
        No short positions, instead of a market-neutral book.

    Raises
    ------
    ParameterError
        When a parameter is outside its limits.

    References
    ----------
    Garleanu, N. and Pedersen, L. (2013). Dynamic trading with predictable returns and
    transaction costs. Journal of Finance 68, 2309-2340, doi:10.1111/jofi.12080.
    Moreira, A. and Muir, T. (2017). Volatility-managed portfolios. Journal of Finance 72,
    1611-1644, doi:10.1111/jofi.12513.

    Examples
    --------
    >>> rule = PositionRule(volatility_target=None, turnover_limit=None, max_weight=1.0)
    >>> returns = np.tile([0.01, -0.01], (3, 10))
    >>> rule.apply([[3.0], [2.0], [1.0]], returns, np.zeros((3, 1))).ravel()
    array([ 0.5,  0. , -0.5])
    """

    gross: Annotated[float, POSITIVE] = 1.0
    volatility_target: Annotated[float, POSITIVE] | None = 0.10
    pace: Annotated[float, SHARE] = 1.0
    turnover_limit: Annotated[float, POSITIVE] | None = 0.2
    max_weight: Annotated[float, SHARE] = 0.05
    long_only: bool = False

    def __post_init__(self) -> None:
        check_parameters(self)

    def apply(self, scores: ArrayLike, returns: ArrayLike, held: ArrayLike) -> _Floats:
        """Size the positions of one day.

        Parameters
        ----------
        scores : array-like of shape [A, 1]
            Higher is better; NaN where the asset cannot be traded.
        returns : array-like of shape [A, W]
            Daily log returns up to that day; NaN where unknown.
        held : array-like of shape [A, 1]
            Positions before the trade, as shares of equity; NaN is 0.

        Returns
        -------
        ndarray of shape [A, 1]
            Target positions.
        """
        score, moves, before = (_single(each) for each in (scores, returns, held))
        tradable = np.abs(score) <= _FINITE  # NaN is not
        before = np.where(np.isnan(before), 0.0, before)
        weight = _standardised(score, tradable) / _volatility(moves, tradable)  # [A, 1]
        if self.long_only:
            weight = np.maximum(weight, 0.0)
        else:
            weight = np.where(tradable, weight - _mean(weight, tradable), 0.0)
        weight = weight * (self.gross / np.maximum(np.abs(weight).sum(), _TINY))
        weight = np.clip(weight, -self.max_weight, self.max_weight)
        if self.volatility_target is not None:
            gains = np.where(np.abs(moves) <= _LARGEST_MOVE, np.exp(moves) - 1, 0.0)
            earned = (weight * gains).sum(axis=0)  # [W]
            daily = self.volatility_target / _DAYS_A_YEAR**0.5
            weight = weight * np.minimum(1.0, daily / np.maximum(earned.std(), _TINY))
        trade = np.where(tradable, self.pace * (weight - before), 0.0)
        if self.turnover_limit is not None:
            traded = np.maximum(np.abs(trade).sum(), _TINY)
            trade = trade * np.minimum(1.0, self.turnover_limit / traded)
        return before + trade

    def write(self, builder: GraphBuilder, scores: str, returns: str, held: str) -> str:
        """Write what :meth:`apply` computes.

        Parameters
        ----------
        builder : GraphBuilder
        scores : str
            Tensor of float32 of shape [batch, 1]; the batch is the assets of one day.
        returns : str
            Tensor of float32 of shape [batch, W].
        held : str
            Tensor of float32 of shape [batch, 1].

        Returns
        -------
        str
            Tensor of float32 of shape [batch, 1].
        """
        node, number = builder.node, _numbers(builder)
        score, moves, before = (_double(builder, each) for each in (scores, returns, held))
        tradable = node("LessOrEqual", node("Abs", score), number(_FINITE))
        before = node("Where", node("IsNaN", before), number(0), before)
        weight = node(
            "Div",
            _write_standardised(builder, score, tradable),
            _write_volatility(builder, moves, tradable),
        )  # [batch, 1]
        if self.long_only:
            weight = node("Max", weight, number(0))
        else:
            weight = node("Sub", weight, _write_mean(builder, weight, tradable))
            weight = node("Where", tradable, weight, number(0))
        absolute = node("Max", total(builder, node("Abs", weight), 0), number(_TINY))
        weight = node("Mul", weight, node("Div", number(self.gross), absolute))
        weight = node("Clip", weight, number(-self.max_weight), number(self.max_weight))
        if self.volatility_target is not None:
            known = node("LessOrEqual", node("Abs", moves), number(_LARGEST_MOVE))
            gains = node("Sub", node("Exp", moves), number(1))
            gains = node("Where", known, gains, number(0))
            earned = total(builder, node("Mul", weight, gains), 0)  # [1, W]
            spread = node("Sqrt", mean_product(builder, *[centred(builder, earned)] * 2))
            daily = number(self.volatility_target / _DAYS_A_YEAR**0.5)
            weight = node("Mul", weight, _write_share(builder, daily, spread))
        trade = node("Mul", number(self.pace), node("Sub", weight, before))
        trade = node("Where", tradable, trade, number(0))
        if self.turnover_limit is not None:
            traded = total(builder, node("Abs", trade), 0)
            limit = number(self.turnover_limit)
            trade = node("Mul", trade, _write_share(builder, limit, traded))
        return builder.cast(node("Add", before, trade), np.float32)


def _single(values: ArrayLike) -> _Floats:
    """Values as the file reads them, to compute with in float64."""
    with np.errstate(over="ignore"):  # beyond float32 is infinite, as in the file
        return np.asarray(values).astype(np.float32).astype(np.float64)


def _mean(values: _Floats, mask: _Bools, axis: int = 0) -> _Floats:
    """Mean over an axis, which is kept, of what the mask takes; 0 where that is nothing."""
    count = np.maximum(mask.sum(axis=axis, keepdims=True), 1)
    return np.where(mask, values, 0.0).sum(axis=axis, keepdims=True) / count


def _standardised(score: _Floats, tradable: _Bools) -> _Floats:
    centred_score = score - _mean(score, tradable)
    spread = np.sqrt(_mean(centred_score**2, tradable))
    differ = tradable & (spread > _SAME * np.sqrt(_mean(score**2, tradable)))
    limited = np.clip(centred_score / np.maximum(spread, _TINY), -_SCORE_LIMIT, _SCORE_LIMIT)
    return np.where(differ, limited, 0.0)


def _volatility(moves: _Floats, tradable: _Bools) -> _Floats:
    """Standard deviation of each asset's returns [A, 1], as the rule counts it; > 0."""
    known = np.abs(moves) <= _LARGEST_MOVE
    own = np.sqrt(_mean((moves - _mean(moves, known, 1)) ** 2, known, 1))
    enough = known.sum(axis=1, keepdims=True) >= 2
    usual = np.maximum(_mean(own, tradable & enough), _STILL)
    return np.where(enough, np.maximum(own, _LEAST_VOLATILITY * usual), usual)


def _numbers(builder: GraphBuilder) -> Callable[[float], str]:
    return lambda value: builder.constant(np.float64(value))


def _double(builder: GraphBuilder, tensor: str) -> str:
    return builder.node("Cast", tensor, attributes={"to": TensorProto.DOUBLE})


def _write_mean(builder: GraphBuilder, values: str, mask: str, axis: int = 0) -> str:
    node, number = builder.node, _numbers(builder)
    count = node("Max", total(builder, _double(builder, mask), axis), number(1))
    return node("Div", total(builder, node("Where", mask, values, number(0)), axis), count)


def _write_share(builder: GraphBuilder, limit: str, found: str) -> str:
    """Share of what was found that keeps to a limit, at most 1."""
    node, number = builder.node, _numbers(builder)
    return node("Min", number(1), node("Div", limit, node("Max", found, number(_TINY))))


def _write_standardised(builder: GraphBuilder, score: str, tradable: str) -> str:
    node, number = builder.node, _numbers(builder)
    centred_score = node("Sub", score, _write_mean(builder, score, tradable))
    squares = node("Mul", centred_score, centred_score)
    spread = node("Sqrt", _write_mean(builder, squares, tradable))
    size = node("Sqrt", _write_mean(builder, node("Mul", score, score), tradable))
    differ = node("Greater", spread, node("Mul", number(_SAME), size))
    limited = node(
        "Clip",
        node("Div", centred_score, node("Max", spread, number(_TINY))),
        number(-_SCORE_LIMIT),
        number(_SCORE_LIMIT),
    )
    return node("Where", node("And", tradable, differ), limited, number(0))


def _write_volatility(builder: GraphBuilder, moves: str, tradable: str) -> str:
    node, number = builder.node, _numbers(builder)
    known = node("LessOrEqual", node("Abs", moves), number(_LARGEST_MOVE))
    gap = node("Sub", moves, _write_mean(builder, moves, known, 1))
    own = node("Sqrt", _write_mean(builder, node("Mul", gap, gap), known, 1))
    count = total(builder, _double(builder, known), 1)
    enough = node("GreaterOrEqual", count, number(2))
    usual = _write_mean(builder, own, node("And", tradable, enough))
    usual = node("Max", usual, number(_STILL))
    least = node("Max", own, node("Mul", number(_LEAST_VOLATILITY), usual))
    return node("Where", enough, least, usual)
