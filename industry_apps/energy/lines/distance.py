"""How far a fault is: impedances first, a learned residual after them, an interval that holds.

Letters: N records, F numbers of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.energy.lines.quantities import KINDS, METHODS, PLACE
from industry_apps.errors import TrainingError
from industry_apps.features import GraphBuilder
from industry_apps.recipes.trees import TreeOptions, check_grown, grown, write_mean_margin

if TYPE_CHECKING:
    import lightgbm as lgb

#: The impedance method that the residual is added to: the nearest on validation records.
_BASE = METHODS.index("load_compensated")
_KIND = PLACE.index("kind")
#: Numbers this share of their range beyond what training has seen are not unusual yet.
_SLACK = 0.05
#: Records of faults, at least.
_FEWEST = 100

_Floats = NDArray[np.float32]


class Shares(NamedTuple):
    """Where faults lie, as shares of the length [N]: the middle estimate, and its interval."""

    middle: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


class DistanceModel:
    """Place of a fault as a share of the length, with an interval.

    The interval is a conformalised quantile regression: of new faults of each kind, like those it
    was calibrated on, the share ``coverage`` lies inside. A kind of which there are too few to know
    shares what holds for all faults together.

    Parameters
    ----------
    trees : TreeOptions
        Of the residuals' quantiles.
    coverage : float
        In (0, 1).

    References
    ----------
    Romano, Patterson, Candes (2019), Conformalized quantile regression, arXiv:1905.03222; by kind:
    Vovk (2012), Conditional validity of inductive conformal predictors, arXiv:1209.2673.
    """

    def __init__(self, trees: TreeOptions, coverage: float) -> None:
        self.trees, self.coverage = trees, coverage

    def fit(self, numbers: _Floats, share: NDArray[np.float64]) -> Self:
        """Learn the residual of the impedance method.

        Parameters
        ----------
        numbers : ndarray of shape [N, F]
            Of faults, as :func:`write_place` gives them for the true types.
        share : ndarray of shape [N]
            In [0, 1].

        Raises
        ------
        TrainingError
        """
        import lightgbm as lgb

        if len(share) < _FEWEST:
            raise TrainingError(
                f"There are {len(share)} training records of faults; expected {_FEWEST} at least. "
                "Give more."
            )
        outside = (1 - self.coverage) / 2
        data = lgb.Dataset(numbers, share - numbers[:, _BASE], params={"verbosity": -1})
        self.boosters_: list[lgb.Booster] = [
            grown(data, self.trees, {"objective": "quantile", "alpha": level})
            for level in (0.5, outside, 1 - outside)
        ]
        check_grown(self.boosters_, self.trees, len(share))
        return self

    def calibrate(self, numbers: _Floats, share: NDArray[np.float64]) -> Self:
        """Widen or narrow the interval so that it holds.

        Parameters
        ----------
        numbers : ndarray of shape [N, F]
            Of faults that were not learned from, for the types that were answered.
        share : ndarray of shape [N]

        Raises
        ------
        TrainingError
            The records are too few for the coverage.
        """
        raw = self._quantiles(numbers)
        missed = np.maximum(raw.low - share, share - raw.high)
        of_all = self._widening(missed)
        if of_all is None:
            fewest = int(np.ceil(self.coverage / (1 - self.coverage)))
            raise TrainingError(
                f"{len(share)} faults that were not learned from are too few for intervals that "
                f"hold {self.coverage:.0%} of them; expected {fewest} at least. Give more "
                "validation records, or a lower coverage."
            )
        kinds = numbers[:, _KIND].astype(np.intp)
        own = [self._widening(missed[kinds == kind]) for kind in range(len(KINDS))]
        self.widening_ = np.array([of_all if each is None else each for each in own])
        return self

    def _widening(self, missed: NDArray[np.float64]) -> float | None:
        """What the intervals lack to hold, by how far faults lie outside; None of too few."""
        place = int(np.ceil((len(missed) + 1) * self.coverage))
        return float(np.sort(missed)[place - 1]) if place <= len(missed) else None

    def answer(self, numbers: _Floats) -> Shares:
        """Numbers [N, F] -> shares of the length [N]."""
        middle, low, high = self._quantiles(numbers)
        wider = self.widening_[numbers[:, _KIND].astype(np.intp)]
        low, high = np.minimum(low - wider, middle), np.maximum(high + wider, middle)
        return Shares(*(np.clip(each, 0, 1) for each in (middle, low, high)))

    def write(self, builder: GraphBuilder, numbers: str) -> list[str]:
        """Append what :meth:`answer` gives: tensor [batch, F] -> three tensors [batch, 1]."""
        node = builder.node
        base = builder.part(numbers, _BASE, _BASE + 1)
        middle, low, high = (
            node("Add", base, write_mean_margin(builder, [booster], numbers))
            for booster in self.boosters_
        )
        kind = builder.cast(builder.part(numbers, _KIND, _KIND + 1), np.int64)
        known = builder.constant(self.widening_.astype(np.float32))
        wider = node("Gather", known, kind)
        low = node("Min", node("Sub", node("Min", low, middle), wider), middle)
        high = node("Max", node("Add", node("Max", high, middle), wider), middle)
        ends = [builder.constant(np.float32(end)) for end in (0, 1)]
        return [node("Clip", each, *ends) for each in (middle, low, high)]

    def _quantiles(self, numbers: _Floats) -> Shares:
        """As learned, the ends not on the wrong side of the middle."""
        base = numbers[:, _BASE].astype(np.float64)
        middle, low, high = (base + booster.predict(numbers) for booster in self.boosters_)
        return Shares(middle, np.minimum(low, middle), np.maximum(high, middle))


class Known:
    """The range of each number in training: beyond it, a model is not to be believed.

    Parameters
    ----------
    numbers : ndarray of shape [N, F]
        Of the training records.
    """

    def __init__(self, numbers: _Floats) -> None:
        low, high = numbers.min(axis=0), numbers.max(axis=0)
        self.low, self.high = low - _SLACK * (high - low), high + _SLACK * (high - low)

    def lacks(self, numbers: _Floats) -> NDArray[np.bool_]:
        """Whether some number of each record [N, F] lies beyond -> [N]."""
        return ~((numbers >= self.low) & (numbers <= self.high)).all(axis=1)

    def write(self, builder: GraphBuilder, numbers: str) -> str:
        """Append the same: tensor [batch, F] -> [batch, 1] of truth values."""
        low = builder.node("GreaterOrEqual", numbers, builder.constant(self.low))
        high = builder.node("LessOrEqual", numbers, builder.constant(self.high))
        inside = builder.cast(builder.node("And", low, high), np.float32)
        every = builder.node("ReduceMin", inside, builder.constant(np.array([1])))
        return builder.node("Less", every, builder.constant(np.float32(0.5)))
