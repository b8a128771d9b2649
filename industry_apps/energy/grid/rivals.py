"""What a learned dispatch has to beat: a scaled base dispatch, the nearest record, a ridge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.energy.grid.cases import Floats
from industry_apps.energy.grid.network import Network
from industry_apps.energy.grid.stand_in import optima

if TYPE_CHECKING:
    from industry_apps.backbones import LineRepair

#: Training records that are solved for the rivals, which learn from optima.
_SOLVED = 300
_PENALTIES = np.logspace(-4, 4, 17)


class DispatchRivals:
    """Baselines, all but the first repaired in the way of the network.

    The first is the optimum of the mean loads, each output scaled with the total load and balanced,
    lines not looked at.

    Parameters
    ----------
    network : Network
    repair : LineRepair
        That of the network that they are compared with.
    """

    def __init__(self, network: Network, repair: LineRepair) -> None:
        self.network, self.repair = network, repair

    def fit(self, loads: NDArray[np.float32]) -> Self:
        """Learn from loads of shape [records, buses]."""
        from sklearn.linear_model import RidgeCV

        some = loads[:: max(1, len(loads) // _SOLVED)][:_SOLVED].astype(np.float64)
        mean = loads.mean(axis=0, dtype=np.float64)
        solved = optima(self.network, np.vstack([mean, some]), "optimal dispatch for baselines")
        self.base_, self.mean_ = solved[0], mean
        known = ~np.isnan(solved[1:, 0])
        self.loads_, self.outputs_ = some[known], solved[1:][known]
        if np.isnan(self.base_).any():  # the mean loads cannot be served: the nearest that can
            far = np.linalg.norm(self.loads_ - mean, axis=1)
            self.base_ = self.outputs_[int(far.argmin())]
        self.ridge_ = RidgeCV(alphas=_PENALTIES).fit(self.loads_ / self._scale, self.outputs_)
        return self

    def answers(self, loads: NDArray[np.float32]) -> dict[str, tuple[Floats, Floats, Floats]]:
        """Cost, largest overload and unserved load of each: rival -> three arrays [records].

        Nothing where they have not learned.
        """
        if not hasattr(self, "base_"):
            return {}
        exact = loads.astype(np.float64)
        scaled = self.base_ * (exact.sum(axis=1, keepdims=True) / self.mean_.sum())
        squared = (exact**2).sum(axis=1)[:, None] + (self.loads_**2).sum(axis=1)
        nearest = (squared - 2 * exact @ self.loads_.T).argmin(axis=1)
        ridge = self.ridge_.predict(exact / self._scale)
        return {
            "base dispatch, scaled": self._judged(scaled, exact, lines=False),
            "base dispatch, scaled, repaired": self._judged(scaled, exact),
            "nearest record, repaired": self._judged(self.outputs_[nearest], exact),
            "ridge, repaired": self._judged(ridge, exact),
        }

    @property
    def _scale(self) -> float:
        return float(np.abs(self.mean_).mean()) or 1.0

    def _judged(
        self, wish: Floats, loads: Floats, *, lines: bool = True
    ) -> tuple[Floats, Floats, Floats]:
        """Outputs brought within limits, and judged."""
        import torch

        gens = self.network.case.generators
        inside = torch.from_numpy(np.clip(wish, gens.least, gens.most))
        with torch.inference_mode():
            found = self.repair(inside, torch.from_numpy(loads), lines=lines)
        cost, overload, unserved = found.cost, found.overload, found.unserved
        return cost[:, 0].numpy(), overload[:, 0].numpy(), unserved[:, 0].numpy()
