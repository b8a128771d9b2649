"""Wind forecasting: how much a turbine or a wind farm feeds in, from minutes to days ahead.

Asked by plant operators, traders and grid operators. With a wind forecast, a monotone power curve
says what it yields; trees learn what is left, as standstill that goes on, and the site. Without
one, the output is the best mix of the last output and its mean, which trees improve upon for some
hours; beyond these nothing but calibrated climatology is honest, and the answer says so (Giebel and
Kariniotakis 2017, doi:10.1016/B978-0-08-100504-0.00003-2). Wind beyond the cut-out is exactly 0,
and nothing exceeds the capacity.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Self, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data.power_records import Label, wind_records
from industry_apps.data.time_shifts import TimeShift, find_time_shifts
from industry_apps.energy.renewable.losses import (
    causes_of,
    check_unit,
    expected_of,
    lost_energy,
    steps_of,
)
from industry_apps.energy.renewable.wind import CLIMATOLOGY, RECENT, WEATHER, WindPhysics
from industry_apps.errors import SchemaError
from industry_apps.evaluation.sections import Section
from industry_apps.limits import POSITIVE, Limit, is_number
from industry_apps.recipes import TreeOptions
from industry_apps.recipes.power.baselines import alone
from industry_apps.recipes.power.metrics import POWER
from industry_apps.recipes.power.outputs import LEVELS, outputs_of
from industry_apps.recipes.power.records import Arrays
from industry_apps.recipes.power.table import HoldsPower
from industry_apps.schema import Column, Schema, Traits

_POWER = Column("power", "number", "Mean of the interval", unit="that of the capacity")
_AC = Column("power", "number", unit="that of the capacity", low=0)
_CURVE = Limit(
    lambda v: (
        isinstance(v, tuple | list)
        and all(isinstance(p, tuple | list) and len(p) == 2 and all(map(is_number, p)) for p in v)
        and all(a[0] < b[0] for a, b in pairwise(v))
        and len(v) != 1
    ),
    "pairs of wind (rising, m/s) and power, two or more, or ()",
)
#: Shifts of less than so many minutes are those of gusts on their way to the turbine.
_LEAST_MINUTES = 30
_NEARLY_RATED = 13.0  # m/s, beyond which output hardly rises


def _speed(name: str, meaning: str) -> Column:
    return Column(name, "number", meaning, unit="m/s", low=0, high=100, required=False)


def _direction(name: str, meaning: str) -> Column:
    return Column(name, "number", meaning, unit="degrees", low=0, high=360, required=False)


class WindForecaster(HoldsPower, Application):
    """Expected output of a wind turbine or farm and its quantiles, by target time and lead time.

    A record is a time to come: the wind forecast for it, where there is one, and what was known of
    the plant when the forecast is issued. :meth:`records` makes records of a series.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"power": "LV ActivePower (kW)"}``.
    model : {"trees", "physics"}
        Curve and mix with what trees learn of their errors, or with their usual errors alone.
    capacity : float, optional
        Rated power, > 0, in the unit of ``power``; by default learned, as what the plant reaches
        again and again.
    time_shifts : {"refuse", "correct", "accept"}
        What ``fit`` does where the output moves before or behind the wind by half an hour or more:
        an error; a note in the report; or nothing.
    trees : TreeOptions, optional
    cut_out : float
        Wind beyond which the output is 0, > 0 in m/s.
    recent_minutes : float
        Lead time up to which recent output tells more than the climatology, > 0.
    makers_curve : tuple of (float, float)
        Wind in m/s and power of the maker's curve, to compare with.

    Examples
    --------
    >>> from industry_apps.energy import WindForecaster
    >>> data = WindForecaster.sample()
    >>> forecaster = WindForecaster.fast().fit(data)
    >>> blind = data.test.head(4).assign(wind_speed=float("nan"))
    >>> forecaster.predict(blind)["basis"].tolist()
    ['recent output', 'recent output', 'recent output', 'climatology']
    """

    name = "energy.wind_forecasting"
    question = "How much will a wind plant feed in?"
    simulator = "energy_wind_simulator"
    schema = Schema(
        (
            Column("time", "datetime", "That is asked about", nullable=False),
            Column("lead_minutes", "number", "From the issue", unit="min", low=0, nullable=False),
            _speed("wind_speed", "At the height of the hub"),
            _direction("wind_direction", "From which it comes"),
            Column("recent_power", "number", "The last one known at the issue", required=False),
            Column("hour_power", "number", "Mean of the last hour known", required=False),
            Column("day_power", "number", "Mean of the last 24 hours known", required=False),
            _speed("recent_wind_speed", "The last one known at the issue"),
            _direction("recent_wind_direction", "The last one known at the issue"),
            _POWER,
        )
    )
    outputs = outputs_of(_AC, (WEATHER, RECENT, CLIMATOLOGY))
    traits = Traits(inputs=("number", "datetime"))
    problem = POWER
    lead, lead_unit = "lead_minutes", "min"
    weather = ("wind_speed", "wind_direction")
    persists = "recent_power"
    recent = ("recent_power", "hour_power", "day_power")

    cut_out: Annotated[float, POSITIVE] = 25.0
    recent_minutes: Annotated[float, POSITIVE] = 240.0
    makers_curve: Annotated[tuple[tuple[float, float], ...], _CURVE] = ()

    @classmethod
    def fast(cls) -> Self:
        """Few trees: a fit of seconds."""
        return cls(trees=TreeOptions(rounds=30, learning_rate=0.15))

    @staticmethod
    def records(
        series: pd.DataFrame,
        *,
        lead_minutes: Sequence[int] = (10, 60, 240, 1440),
        step: int | None = None,
        label: Label = "left",
    ) -> pd.DataFrame:
        """Make records of a series; see :func:`industry_apps.data.power_records.wind_records`."""
        return wind_records(series, lead_minutes=lead_minutes, step=step, label=label)

    def losses(self, series: pd.DataFrame) -> pd.DataFrame:
        """Find standstill, curtailment and underperformance, and the energy that was lost.

        Parameters
        ----------
        series : DataFrame
            A row for each step of an hour or less, each moment once: ``time``, ``wind_speed`` and
            ``power``, in the unit of training. Of gaps nothing is counted.

        Returns
        -------
        DataFrame
            ``cause``, ``hours``, ``energy`` (the unit of ``power`` times hours), ``share`` of what
            was fed in.

        Raises
        ------
        SchemaError, NotFittedError
        """
        self._check_fitted()
        if not self._known.curve.known:
            raise SchemaError(
                f"Column {self._name('wind_speed')!r}: got none in training, from which what the "
                "wind should have yielded is learned. Fit on records with their wind."
            )
        arrays = self._arrays(series, ("time", "wind_speed", "power"))
        power = arrays["power"].astype(np.float64)
        expected = expected_of(self._known.curve, arrays["wind_speed"], self.cut_out)
        check_unit(expected, power / self.capacity_, self._name("power"))
        return self._lost(arrays, power)

    def _lost(self, arrays: Arrays, power: NDArray[np.float64]) -> pd.DataFrame:
        order = np.argsort(arrays["time"], kind="stable")
        hours, places = steps_of(arrays["time"][order], self._name("time"))
        speed, output = np.full((2, places[-1] + 1), np.nan)  # a gap is no step
        speed[places], output[places] = arrays["wind_speed"][order], power[order]
        share = output / self.capacity_
        causes = causes_of(self._known.curve, speed, share, self.cut_out)
        short = expected_of(self._known.curve, speed, self.cut_out) - share
        return lost_energy(causes, short * self.capacity_, output, hours)

    def _physics(self, arrays: Arrays, power: NDArray[np.float64]) -> WindPhysics:
        del arrays, power
        return WindPhysics(
            schema=Schema(tuple(c for c in self.schema if c.name != "power")),
            cut_out=self.cut_out,
            longest=self.recent_minutes,
            capacity=self.capacity_,
        )

    def _clock_shifts(self, arrays: Arrays, power: NDArray[np.float64]) -> list[TimeShift]:
        speed = arrays["wind_speed"].astype(np.float64)
        time = pd.Series(arrays["time"].astype("datetime64[s]"), name="time")
        found = find_time_shifts(time, power, np.minimum(speed, _NEARLY_RATED))
        return [shift for shift in found if abs(shift.minutes) >= _LEAST_MINUTES]

    @property
    def _known(self) -> WindPhysics:
        return cast(WindPhysics, self.recipe_.physics)

    def _further_baselines(
        self, arrays: Arrays, usual: NDArray[np.float64]
    ) -> dict[str, NDArray[np.float64]]:
        found = {"persistence and mean": alone(self._known.mix(arrays), LEVELS)}
        speed = arrays["wind_speed"].astype(np.float64)
        if self.makers_curve and not np.isnan(speed).all():
            knots, powers = np.array(self.makers_curve).T
            told = np.interp(speed, knots, powers / self.capacity_)
            found["maker's curve"] = alone(np.where(np.isnan(speed), usual, told), LEVELS)
        return found

    def _sections(self, arrays: Arrays, power: NDArray[np.float64]) -> tuple[Section, ...]:
        _, first = np.unique(arrays["time"], return_index=True)
        once = {name: x[first] for name, x in arrays.items()}
        blind = not self._known.curve.known or np.isnan(once["wind_speed"]).all()
        if blind:
            return ()
        text = "Energy that the learned curve expects of the measured wind and that did not come."
        try:
            lost = self._lost(once, power[first])
        except SchemaError:  # records that are no series of steps tell nothing of it
            return ()
        return (Section("Lost energy by cause", text, lost),)
