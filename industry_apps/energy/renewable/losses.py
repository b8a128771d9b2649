"""What a turbine did not feed in although the wind blew, and why."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.energy.renewable.power_curve import PowerCurve
from industry_apps.errors import SchemaError
from industry_apps.recipes.power.checks import by_a_thousand

#: Of the capacity: output up to the first is standstill where at least the second is expected.
_STILL, _EXPECTED = 0.01, 0.05
#: A curtailed turbine holds its output within the first share of the capacity for so many steps
#: while the wind would allow more by the second.
_HELD, _STEPS, _SHORT = 0.02, 3, 0.10
#: What lies below the curve by more than so many times its usual spread is lost in operation.
_UNUSUAL = 3.0
#: Seconds of the longest step, and how far off it, as a share, a moment may lie.
_LONGEST, _JITTER = 3_600, 0.1
#: Output in another unit moves with the wind all the same, in so many steps.
_FOLLOWS, _FEWEST = 0.5, 6
CAUSES = ("standstill", "curtailment", "underperformance")

Floats = NDArray[np.float64]


def steps_of(time: NDArray[np.int64], column: str) -> tuple[float, NDArray[np.int64]]:
    """Hours of a step, and which step each moment is.

    Parameters
    ----------
    time : ndarray of shape [N]
        Seconds, rising.
    column : str
        What the user calls it.

    Raises
    ------
    SchemaError
        Fewer than two moments, one that comes twice, steps that are long or irregular.
    """
    apart = np.diff(time)
    if not len(apart) or not apart.all():
        raise SchemaError(
            f"Column {column!r}: expected two moments or more, each once. Give the "
            "series, not its records of several lead times."
        )
    step = float(np.median(apart))
    if step > _LONGEST:
        raise SchemaError(
            f"Column {column!r}: most rows lie {step / 3600:g} hours apart, expected steps of an "
            "hour or less, over which a curtailed turbine is told. Give the series with all steps."
        )
    steps = (time - time[0]) / step
    places = np.rint(steps).astype(np.int64)
    off = np.abs(steps - places) > _JITTER
    off[1:] |= np.diff(places) == 0
    if off.any():
        moment = time[off.argmax()].astype("datetime64[s]")
        raise SchemaError(
            f"Column {column!r}: got {moment} UTC, expected steps of {step:g} s from "
            f"{time[0].astype('datetime64[s]')} on. Take means of regular steps."
        )
    return step / 3600, places


def check_unit(expected: Floats, share: Floats, column: str) -> None:
    """Refuse output that follows the wind a thousand times, or a thousandth, of what is expected.

    Parameters
    ----------
    expected, share : ndarray of shape [N]
        Of the capacity.
    column : str
        What the user calls the output.

    Raises
    ------
    SchemaError
    """
    running = (expected >= _EXPECTED) & (share > 0)
    if running.sum() < _FEWEST or np.ptp(share[running]) == 0 or np.ptp(expected[running]) == 0:
        return
    ratio = float(np.median(share[running] / expected[running]))
    follows = np.corrcoef(expected[running], share[running])[0, 1] > _FOLLOWS
    if follows and by_a_thousand(ratio):
        raise SchemaError(
            f"Column {column!r}: values are {ratio:.3g} times those that the wind yields, expected "
            "the unit of training: MW for kW, or kW for MW? Convert them."
        )


def expected_of(curve: PowerCurve, speed: Floats, cut_out: float) -> Floats:
    """Shares of the capacity that a turbine yields, 0 of wind beyond its cut-out.

    Parameters
    ----------
    curve : PowerCurve
    speed : ndarray of shape [N]
        NaN where not known.
    cut_out : float
        m/s.
    """
    return np.where(speed > cut_out, 0.0, curve.of(speed))


def causes_of(
    curve: PowerCurve, speed: Floats, share: Floats, cut_out: float = np.inf
) -> NDArray[np.object_]:
    """Why the output was below the curve, of steps in order of time -> [N], "" where it was not.

    Parameters
    ----------
    curve : PowerCurve
    speed, share : ndarray of shape [N]
        Wind, and output as a share of the capacity; NaN where not known, as in a gap.
    cut_out : float
        Wind beyond which nothing is expected, m/s.
    """
    expected = expected_of(curve, speed, cut_out)
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
