"""Reserve: what may be needed beyond the expected load, from the forecast's own uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from industry_apps.energy.grid.cases import Floats
from industry_apps.errors import SchemaError


@dataclass(frozen=True, eq=False, kw_only=True)
class Reserve:
    """What generators keep free, upwards and downwards, in each hour.

    Parameters
    ----------
    up, down : ndarray of shape [hours]
        In MW, >= 0.

    Examples
    --------
    >>> reserve = Reserve.from_quantiles(low=[90, 95], middle=[100, 110], high=[115, 130])
    >>> reserve.up.tolist(), reserve.down.tolist()
    ([15.0, 20.0], [10.0, 15.0])
    """

    up: Floats
    down: Floats

    @classmethod
    def from_quantiles(cls, *, low: ArrayLike, middle: ArrayLike, high: ArrayLike) -> Self:
        """Reserve that covers the load between two quantiles of its forecast.

        With the quantiles .05 and .95, up and down suffice in 95 hours of 100 each, as far as the
        forecast is calibrated; the load is net of wind and sun where these are forecast too.

        Parameters
        ----------
        low, middle, high : array-like of shape [hours]
            Quantiles of the net load in MW; the plan is made for ``middle``.

        Raises
        ------
        SchemaError
            They differ in length, are missing, or cross.
        """
        given = {"low": low, "middle": middle, "high": high}
        found = {name: np.asarray(values, dtype=np.float64) for name, values in given.items()}
        for name, values in found.items():
            if values.shape != found["middle"].shape or values.ndim != 1:
                raise SchemaError(
                    f"Quantile {name!r} has shape {values.shape}, expected one value an hour as in "
                    f"'middle', {found['middle'].shape}. Give all for the same hours."
                )
            if not np.isfinite(values).all():
                row = int(np.flatnonzero(~np.isfinite(values))[0])
                raise SchemaError(
                    f"Quantile {name!r}, row {row}: got {values[row]}, expected MW. Forecast it; "
                    "reserve for an hour without a forecast is not 0."
                )
        for below, above in (("low", "middle"), ("middle", "high")):
            wrong = found[below] > found[above]
            if wrong.any():
                row = int(wrong.argmax())
                raise SchemaError(
                    f"Quantile {below!r}, row {row}: got {found[below][row]:g} MW, above "
                    f"{above!r}, {found[above][row]:g}. Quantiles rise; sort them."
                )
        return cls(up=found["high"] - found["middle"], down=found["middle"] - found["low"])
