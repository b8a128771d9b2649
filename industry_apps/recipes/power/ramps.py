"""Changes of the output from one time to the next."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def ramps_of(time: NDArray[np.int64], power: NDArray[np.float64], large: float) -> pd.DataFrame:
    """Changes from each time to the next; none over a gap.

    Parameters
    ----------
    time : ndarray of shape [N]
        Seconds, rising, each once.
    power : ndarray of shape [N]
    large : float
        From which change on one is a ramp, > 0.

    Returns
    -------
    DataFrame
        ``time``, ``change`` (NaN where the time before is missing) and ``ramp``.
    """
    apart = np.diff(time)
    change = np.diff(power)
    if len(apart):
        change[apart > np.median(apart)] = np.nan
    kind = np.select([change >= large, change <= -large], ["up", "down"], "")
    when = time[1:].astype("datetime64[s]")
    return pd.DataFrame({"time": when, "change": change, "ramp": kind})
