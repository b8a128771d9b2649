"""The power curve of a turbine, learned monotone and without the hours in which it stood still."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TrainingError
from industry_apps.features.formulas import Formula

_WIDTH = 0.5  # m/s of a bin, as in IEC 61400-12-1
_FEWEST = 5
#: Of the capacity: less is standstill where the upper quarter of a bin is above the second.
_STILL, _RUNNING = 0.01, 0.05

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PowerCurve:
    """Output by wind speed, straight between knots and constant beyond the last.

    Parameters
    ----------
    speed, share : ndarray of shape [knots]
        m/s, strictly rising; shares of the capacity, rising.
    spread : ndarray of shape [knots]
        Half of what lies between the quartiles of the output of running turbines.

    References
    ----------
    Method of bins: IEC 61400-12-1. Medians, as curtailed hours are outliers, and made monotone by
    isotonic regression: Barlow et al. 1972, Statistical Inference under Order Restrictions.
    """

    speed: Floats
    share: Floats
    spread: Floats

    @classmethod
    def learned(cls, speed: Floats, share: Floats) -> PowerCurve:
        """Learn from wind and output [N]; NaN where not known.

        Raises
        ------
        TrainingError
            Wind and output are known together in too few records.
        """
        from sklearn.isotonic import IsotonicRegression

        known = ~np.isnan(speed) & ~np.isnan(share)
        bins = np.round(speed[known] / _WIDTH).astype(int)
        found = []
        for each in np.unique(bins):
            output, at = share[known][bins == each], speed[known][bins == each]
            if np.quantile(output, 0.75) > _RUNNING:
                output = output[output > _STILL]
            if len(output) >= _FEWEST:
                low, middle, high = np.quantile(output, [0.25, 0.5, 0.75])
                found.append((at.mean(), middle, (high - low) / 2, len(output)))
        if len(found) < 2:
            raise TrainingError(
                f"Wind and output are known together in {known.sum()} records, too few for a power "
                "curve. Give records with the wind at the time of the output, or leave it out."
            )
        at, middle, spread, count = np.array(found).T
        rising = IsotonicRegression().fit(at, middle, sample_weight=count).predict(at)
        return cls(at, np.clip(rising, 0.0, 1.0), spread)

    @property
    def known(self) -> bool:
        """Whether training had wind to learn it from."""
        return not bool(np.isnan(self.share).all())

    def of(self, speed: Floats) -> Floats:
        """Expected shares of the capacity at winds [N]."""
        found: Floats = np.interp(speed, self.speed, self.share)
        return np.where(np.isnan(speed), np.nan, found)

    def write(self, speed: Formula) -> Formula:
        """The same as nodes; NaN where the wind is not known."""
        return speed.read_off(self.speed, self.share)


#: Of a plant whose wind is not known.
UNKNOWN = PowerCurve(np.array([0.0, 1.0]), np.full(2, np.nan), np.full(2, np.nan))
