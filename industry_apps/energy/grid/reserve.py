"""Reserve: what may be needed beyond the expected load, from the forecast's own uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from numpy.typing import ArrayLike

from industry_apps.energy.grid.cases import Floats
from industry_apps.energy.grid.reading.fields import checked, keep_checked, numbers
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

    def __post_init__(self) -> None:
        keep_checked(self, "hour", up=numbers("up"), down=numbers("down"))

    def of(self, hours: slice) -> Reserve:
        """The reserve of some hours."""
        return Reserve(up=self.up[hours], down=self.down[hours])

    @classmethod
    def from_quantiles(cls, *, low: ArrayLike, middle: ArrayLike, high: ArrayLike) -> Self:
        """Reserve that covers the load between two quantiles of its forecast.

        With the quantiles .05 and .95, up and down suffice in 95 hours of 100 each, as far as the
        forecast is calibrated; the load is net of wind and sun where these are forecast too.
        Quantiles of areas do not add up to those of their sum: where the load is forecast by area,
        add up the loads first, and forecast their sum as one more series.

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
        readers = {name: numbers(name, low=None) for name in given}
        found = checked("Reserve.from_quantiles", "hour", given, readers)
        for below, above in (("low", "middle"), ("middle", "high")):
            wrong = found[below] > found[above]
            if wrong.any():
                row = int(wrong.argmax())
                raise SchemaError(
                    f"Quantile {below!r}, row {row}: got {found[below][row]:g} MW, above "
                    f"{above!r}, {found[above][row]:g}. Quantiles rise; sort them."
                )
        return cls(up=found["high"] - found["middle"], down=found["middle"] - found["low"])
