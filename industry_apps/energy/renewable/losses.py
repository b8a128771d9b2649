"""What a turbine did not feed in although the wind blew, and why."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.energy.renewable.power_curve import PowerCurve

#: Of the capacity: output up to the first is standstill where at least the second is expected.
_STILL, _EXPECTED = 0.01, 0.05
#: A curtailed turbine holds its output within the first share of the capacity for so many steps
#: while the wind would allow more by the second.
_HELD, _STEPS, _SHORT = 0.02, 3, 0.10
#: What lies below the curve by more than so many times its usual spread is lost in operation.
_UNUSUAL = 3.0
CAUSES = ("standstill", "curtailment", "underperformance")

Floats = NDArray[np.float64]


def causes_of(curve: PowerCurve, speed: Floats, share: Floats) -> NDArray[np.object_]:
    """Why the output was below the curve, of steps in order of time -> [N], "" where it was not.

    Parameters
    ----------
    curve : PowerCurve
    speed, share : ndarray of shape [N]
        Wind, and output as a share of the capacity; NaN where not known.
    """
    expected = curve.of(speed)
    short = expected - share
    still = (share <= _STILL) & (expected >= _EXPECTED)
    running = pd.Series(np.where(still, np.nan, share))
    window = running.rolling(_STEPS)
    flat = ((window.max() - window.min()) <= _HELD).to_numpy(copy=True)
    held = flat.copy()
    for back in range(1, _STEPS):
        held[:-back] |= flat[back:]
    rated = curve.share[-1] - _HELD
    curtailed = held & (short > _SHORT) & ~still & (share < rated)
    usual = np.interp(speed, curve.speed, curve.spread)
    weak = (short > np.maximum(_UNUSUAL * usual, _EXPECTED)) & ~still & ~curtailed
    return np.select([still, curtailed, weak], list(CAUSES), "").astype(object)


def lost_energy(
    causes: NDArray[np.object_], short: Floats, output: Floats, hours: float
) -> pd.DataFrame:
    """Energy that was lost, by cause.

    Parameters
    ----------
    causes : ndarray of shape [N]
        As of :func:`causes_of`.
    short, output : ndarray of shape [N]
        Expected output less that which came, and the latter, in a unit of power.
    hours : float
        Of a step.

    Returns
    -------
    DataFrame
        ``cause``, ``hours``, ``energy`` (unit of power times hours), ``share`` of what was fed in.
    """
    fed = float(np.nansum(output) * hours)
    rows = []
    for cause in CAUSES:
        chosen = causes == cause
        energy = float(np.nansum(short[chosen]) * hours)
        rows.append((cause, float(chosen.sum() * hours), energy, energy / fed if fed else np.nan))
    return pd.DataFrame(rows, columns=["cause", "hours", "energy", "share"])
