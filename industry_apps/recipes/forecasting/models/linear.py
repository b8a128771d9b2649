"""Ridge regression of the steps ahead on the last values: the same weights for all series.

Letters in shapes: N windows, L steps of history, H steps of the horizon, K numbers of a step: what
is known of it in advance, and was of the same phase before; the latest values of further columns;
Q quantiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TrainingError
from industry_apps.features import GraphBuilder
from industry_apps.recipes.forecasting.models.periodic import periodic_weights
from industry_apps.recipes.forecasting.models.scaled import (
    ScaledWindows,
    check_outcomes,
    pinball_of,
)
from industry_apps.recipes.forecasting.windows import nodes

#: Penalties that are tried, as shares of the mean square of the inputs.
_PENALTIES = (1e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0)
#: The same beside weights by what was in phase, which are penalised by one of the second.
_PENALTIES_APART = (1e-2, 1e-1, 1.0, 3.0, 10.0, 30.0)
_PENALTIES_IN_PHASE = (0.1, 0.3, 1.0, 2.0)
#: Steps of the horizon on which the penalty is chosen.
_STEPS_TRIED = 6
#: Channels of the past that are the target: its values, and where they are known.
_OWN = 2
#: Windows that are multiplied at a time, in double precision.
_ROWS = 8_192

_Floats = NDArray[np.float32]
_Doubles = NDArray[np.float64]


class RidgeQuantiles:
    """Each step ahead as a linear function of the history and of what is known of that step.

    Of further columns of the past the latest values are read, of categories none.

    The last value is subtracted from the window, so a series that lies higher is answered higher.
    One solution of the normal equations serves all series; quantiles are the median answer and
    the errors in training, step by step.

    Parameters
    ----------
    quantiles : sequence of float
    seasons : sequence of int
        Lengths of cycles in steps: what was known in advance of the same phase of the latest is
        read, too, such as whether yesterday was a holiday.
    periodic : bool
        Whether weights are not drawn to zero, but to those that all phases of the shortest season
        share (:func:`industry_apps.recipes.forecasting.models.periodic.periodic_weights`). What
        is known of a step is then drawn to zero as strongly.

    Attributes
    ----------
    penalty_ : _Penalty
        As shares of the mean square of the inputs, chosen on the windows held out.

    References
    ----------
    Hoerl and Kennard (1970), Ridge Regression: Biased Estimation for Nonorthogonal Problems,
    doi:10.1080/00401706.1970.10488634. That linear models with the last value subtracted keep up
    with transformers: Zeng, Chen, Zhang and Xu (2023), Are Transformers Effective for Time Series
    Forecasting?, AAAI, arXiv:2205.13504; in closed form: Toner and Darlow (2024), An Analysis of
    Linear Time Series Forecasting Models, ICML, arXiv:2403.14587.
    """

    def __init__(
        self, quantiles: Sequence[float], seasons: Sequence[int] = (), *, periodic: bool = False
    ) -> None:
        self.quantiles = tuple(quantiles)
        self.seasons = tuple(seasons)
        self.periodic = periodic

    def fit(self, train: ScaledWindows, held_out: ScaledWindows) -> None:
        """Learn; the windows held out choose the penalty."""
        moments = _Moments.of(train, self.seasons)
        steps = np.unique(np.linspace(0, moments.horizon - 1, _STEPS_TRIED).astype(int))
        windows = ScaledWindows(
            inputs=held_out.inputs, target=held_out.target[:, steps], weight=held_out.weight
        )
        losses = {}
        for penalty, toward in self._tried(moments):
            weights, bias = moments.solved(penalty, steps, toward)
            found = self._answered(held_out.inputs, weights, bias, steps)
            losses[penalty] = pinball_of(found[:, :, None], windows, (0.5,))
        self.penalty_ = min(losses, key=losses.__getitem__)
        self._learn(train, moments)

    def _tried(self, moments: _Moments) -> Iterator[tuple[_Penalty, _Doubles | None]]:
        """Penalties, and the weights that they draw to."""
        if not self.periodic:
            yield from ((_Penalty(each), None) for each in _PENALTIES)
            return
        for in_phase in _PENALTIES_IN_PHASE:
            toward = moments.in_phase(self.seasons[0], in_phase)
            yield from ((_Penalty(each, in_phase), toward) for each in _PENALTIES_APART)

    def refit(self, every: ScaledWindows) -> None:
        """Learn again from all windows, with the penalty that was found good."""
        self._learn(every, _Moments.of(every, self.seasons))

    def _learn(self, train: ScaledWindows, moments: _Moments) -> None:
        steps = np.arange(moments.horizon)
        self._channels = train.inputs["past"].shape[2]
        in_phase = self.penalty_.in_phase
        toward = None if in_phase is None else moments.in_phase(self.seasons[0], in_phase)
        self._weights, self._bias = moments.solved(self.penalty_, steps, toward)
        error = train.target - self._answered(train.inputs, self._weights, self._bias, steps)
        self._spread = np.nanquantile(error, self.quantiles, axis=0).T.astype(np.float32)  # [H, Q]

    def forecast(self, inputs: Mapping[str, NDArray[Any]]) -> _Floats:
        """Scaled quantiles -> [N, H, Q]."""
        steps = np.arange(len(self._bias))
        point = self._answered(inputs, self._weights, self._bias, steps)
        found: _Floats = point[:, :, None] + self._spread
        return found

    def _answered(
        self,
        inputs: Mapping[str, NDArray[Any]],
        weights: tuple[_Floats, _Floats],
        bias: _Floats,
        steps: NDArray[Any],
    ) -> _Floats:
        """The median of some steps ahead, [N, steps], added up in double precision."""
        own, ahead = (each.astype(np.float64) for each in weights)
        past, known = inputs["past"], inputs["known"]
        found = np.empty((len(past), len(steps)), dtype=np.float32)
        for rows in _slices(np.arange(len(past))):
            told = _told(past[rows], known[rows], self.seasons)[:, steps]  # [N, steps, K]
            summed = np.einsum("nhk,kh->nh", told.astype(np.float64), ahead)
            found[rows] = _apart(past[rows]).astype(np.float64) @ own + summed + bias
        return found

    def write(self, builder: GraphBuilder, tensors: Mapping[str, str]) -> str:
        """Append the regression to a graph -> tensor [batch, H, Q]."""
        past, known = tensors["past"], tensors["known"]
        own, ahead = self._weights  # [L, H], [K, H]
        length, horizon = own.shape
        values = _channel(builder, past, 0)  # [batch, L]
        last = builder.part(values, length - 1, length)
        apart = builder.node("Sub", values, last)
        wide = partial(builder.cast, dtype=np.float64)
        point = builder.node("MatMul", wide(apart), wide(builder.constant(own)))
        parts = [
            nodes.taken(builder, known, places) for places in _places(length, horizon, self.seasons)
        ]
        if further := self._channels - _OWN:
            latest = builder.part(builder.part(past, length - 1, length), _OWN, _OWN + further, 2)
            parts.append(nodes.wide(builder, latest, horizon))
        told = builder.node("Concat", *parts, attributes={"axis": 2})  # [batch, H, K]
        of_step = builder.node("Mul", wide(told), wide(builder.constant(ahead.T.copy())))
        axis = builder.constant(np.array([2]))
        summed = builder.node("ReduceSum", of_step, axis, attributes={"keepdims": 0})
        bias = wide(builder.constant(self._bias[None]))
        point = builder.cast(
            builder.node("Add", builder.node("Add", point, summed), bias), np.float32
        )
        point = builder.node("Unsqueeze", point, axis)
        return builder.node("Add", point, builder.constant(self._spread[None]))


class _Penalty(NamedTuple):
    """Of the weights; of those in phase, where others are drawn to them."""

    apart: float
    in_phase: float | None = None


class _Moments:
    """Sums of products of the inputs and the target: all that the normal equations need.

    Windows of which a step is not known are left out.
    """

    def __init__(self, length: int, horizon: int, known: int) -> None:
        self.horizon = horizon
        self.rows = 0.0
        self._own = np.zeros((length, length))
        self._cross = np.zeros((horizon, length, known + 1))
        self._ahead = np.zeros((horizon, known + 1, known + 1))
        self._own_target = np.zeros((length, horizon))
        self._ahead_target = np.zeros((horizon, known + 1))

    @classmethod
    def of(cls, windows: ScaledWindows, seasons: Sequence[int]) -> _Moments:
        """Add up the windows.

        Raises
        ------
        TrainingError
            Hardly any window is known to the end of its horizon.
        """
        past, known = windows.inputs["past"], windows.inputs["known"]
        length, horizon = past.shape[1], windows.target.shape[1]
        check_outcomes(int((~np.isnan(windows.target)).sum()))
        whole = np.asarray(~np.isnan(windows.target).any(axis=1))
        if whole.sum() < 2:
            raise TrainingError(
                f"Of {len(whole)} windows, {int(whole.sum())} are known at each of {horizon} steps "
                "ahead, and ridge regression learns from such alone. Give a history with fewer "
                "gaps, a shorter horizon, or another model."
            )
        numbers = known.shape[2] * len(_places(length, horizon, seasons)) + past.shape[2] - _OWN
        moments = cls(length, horizon, numbers)
        for rows in _slices(np.flatnonzero(whole)):
            moments._add(
                _apart(past[rows]).astype(np.float64),
                _told(past[rows], known[rows], seasons).astype(np.float64),
                windows.target[rows].astype(np.float64),
                windows.weight[rows],
            )
        return moments

    def _add(
        self,
        own: NDArray[np.float64],
        ahead: NDArray[np.float64],
        target: NDArray[np.float64],
        weight: NDArray[np.float64],
    ) -> None:
        """Windows [N, L], [N, H, K], [N, H], [N]."""
        weighed = own * weight[:, None]
        one = np.ones((*ahead.shape[:2], 1))
        ahead = np.concatenate([ahead, one], axis=2)
        self.rows += float(weight.sum())
        self._own += weighed.T @ own
        self._own_target += weighed.T @ target
        for step in range(self.horizon):
            told = ahead[:, step]
            self._cross[step] += weighed.T @ told
            self._ahead[step] += (told * weight[:, None]).T @ told
            self._ahead_target[step] += told.T @ (weight * target[:, step])

    def in_phase(self, season: int, penalty: float) -> _Doubles:
        """Weights of the history that all phases of a season share, [L, H]."""
        return periodic_weights(self._own, self._own_target, season, penalty)

    def solved(
        self, penalty: _Penalty, steps: NDArray[Any], toward: _Doubles | None
    ) -> tuple[tuple[_Floats, _Floats], _Floats]:
        """Weights of the history [L, steps], of what is known ahead [K, steps], and the bias."""
        length, count = len(self._own), self._ahead.shape[1]
        own = self._own.copy()
        own[np.diag_indices(length)] += penalty.apart * max(
            np.trace(own) / length, 1e-9 * self.rows
        )
        factor = np.linalg.inv(own)  # the same for all steps: what is known ahead borders it
        before = np.zeros((length, len(steps))) if toward is None else toward[:, steps]
        left = self._own_target[:, steps] - self._own @ before
        found = np.empty((length, len(steps)))
        ahead = np.empty((count, len(steps)))
        for place, step in enumerate(steps):
            through = factor @ self._cross[step]  # [L, K + 1]
            square = self._ahead[step] - self._cross[step].T @ through
            # A column that is constant at a step tells nothing beside the bias.
            square[np.diag_indices(count)] += 1e-6 * self.rows
            if toward is not None:
                known = np.arange(count - 1)
                square[known, known] += penalty.apart * self._ahead[step][known, known]
            rest = self._ahead_target[step] - self._cross[step].T @ before[:, place]
            rest = rest - through.T @ left[:, place]
            ahead[:, place] = np.linalg.solve(square, rest)
            found[:, place] = factor @ left[:, place] - through @ ahead[:, place]
        weights = (found + before).astype(np.float32), ahead[:-1].astype(np.float32)
        return weights, ahead[-1].astype(np.float32)


def _apart(past: _Floats) -> _Floats:
    """The scaled target less its last value, [N, L]."""
    values = past[:, :, 0]
    return values - values[:, -1:]


def _told(past: _Floats, known: _Floats, seasons: Sequence[int]) -> _Floats:
    """What is told of each step ahead, [N, H, K]."""
    length = past.shape[1]
    horizon = known.shape[1] - length
    parts = [known[:, places] for places in _places(length, horizon, seasons)]
    return np.concatenate([*parts, np.repeat(past[:, -1:, _OWN:], horizon, axis=1)], axis=2)


def _places(length: int, horizon: int, seasons: Sequence[int]) -> list[NDArray[np.int64]]:
    """Of each step ahead its own place, and that of the same phase of the latest season."""
    ahead = np.arange(horizon)
    latest = [length - season + ahead % season for season in seasons if season <= length]
    return [length + ahead, *latest]


def _slices(rows: NDArray[Any]) -> Iterator[NDArray[Any]]:
    for start in range(0, len(rows), _ROWS):
        yield rows[start : start + _ROWS]


def _channel(builder: GraphBuilder, x: str, place: int) -> str:
    """One channel of [batch, L, channels] -> [batch, L]."""
    return builder.node("Gather", x, builder.constant(np.int64(place)), attributes={"axis": 2})
