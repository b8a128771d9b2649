"""How hazy the air over a place is, month by month."""

from __future__ import annotations

from industry_apps.errors import require


def linke_turbidity(latitude: float, longitude: float) -> tuple[float, ...]:
    """Linke turbidity of the twelve months, of the table that comes with pvlib.

    Parameters
    ----------
    latitude, longitude : float
        Degrees.

    References
    ----------
    Remund et al. 2003, "Worldwide Linke turbidity information", ISES Solar World Congress.
    """
    import pandas as pd

    clearsky = require("pvlib.clearsky", extra="energy", needed_by="the turbidity of a place")
    require("h5py", extra="energy", needed_by="the turbidity of a place")
    middles = pd.to_datetime([f"2023-{month:02d}-15" for month in range(1, 13)])
    found = clearsky.lookup_linke_turbidity(middles, latitude, longitude)
    return tuple(map(float, found))
