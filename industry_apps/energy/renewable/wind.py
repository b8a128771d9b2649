"""What is known of wind turbines before their errors are: a power curve, and persistence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from industry_apps.energy.renewable.power_curve import UNKNOWN, PowerCurve
from industry_apps.features import GraphBuilder
from industry_apps.features.formulas import Formula
from industry_apps.recipes.power.recipe import Terms, View
from industry_apps.recipes.power.records import Arrays
from industry_apps.schema import Schema

WEATHER, RECENT, CLIMATOLOGY = "weather", "recent output", "climatology"
_MOST_LEADS = 12
_DAY = 86_400


@dataclass(eq=False, kw_only=True)
class WindPhysics:
    """Expected output by the wind, and without it by the best mix of the last output and the mean.

    Parameters
    ----------
    schema : Schema
    cut_out : float
        Wind beyond which the output is 0, m/s.
    longest : float
        Minutes of lead time up to which recent output tells more than the mix.
    capacity : float
    """

    schema: Schema
    cut_out: float
    longest: float
    capacity: float
    curve: PowerCurve = field(init=False)
    mean: float = 0.5
    leads: tuple[float, ...] = (0.0, 1.0)
    shares: tuple[float, ...] = (1.0, 1.0)

    views = (WEATHER, RECENT, CLIMATOLOGY)

    @property
    def groups(self) -> int:
        """Lead times that are calibrated by themselves."""
        return len(self.leads) - 1

    def learn(self, arrays: Arrays, share: NDArray[np.float64]) -> None:
        """Learn the power curve, the mean, and what is left of an anomaly after a lead time."""
        speed, told = arrays["wind_speed"].astype(np.float64), ~np.isnan(share)
        self.mean = float(share[told].mean())
        blows = told & ~np.isnan(speed)
        self.curve = PowerCurve.learned(speed, share) if blows.any() else UNKNOWN
        lead = arrays["lead_minutes"].astype(np.float64)
        recent = arrays["recent_power"].astype(np.float64) / self.capacity
        fine = told & ~np.isnan(recent) & ~np.isnan(lead)
        # Beyond the longest lead time that is learned from nothing is left of an anomaly.
        self.longest = min(self.longest, float(lead[fine].max(initial=0.0)))
        quantiles = np.linspace(0, 1, _MOST_LEADS + 1)
        edges = np.unique(np.quantile(lead[fine], quantiles)) if fine.any() else np.zeros(1)
        place = np.abs(lead[fine, None] - edges).argmin(axis=1)
        x, y = recent[fine] - self.mean, share[fine] - self.mean
        above, below = (np.bincount(place, each, len(edges)) for each in (x * y, x * x))
        used = below > 0
        kept = np.clip(above[used] / below[used], 0, 1) if used.any() else np.zeros(1)
        edges = edges[used] if used.any() else np.zeros(1)
        self.leads, self.shares = (*edges.tolist(), float(edges[-1]) + 1), (*kept.tolist(), 0.0)

    def kept(self, lead: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of an anomaly of the output that is left after minutes [N]."""
        return np.interp(lead, self.leads, self.shares)

    def mix(self, arrays: Arrays) -> NDArray[np.float64]:
        """The best mix of the last output and the mean, as shares of the capacity [N]."""
        recent = arrays["recent_power"].astype(np.float64) / self.capacity
        lead = arrays["lead_minutes"].astype(np.float64)
        mixed = self.mean + self.kept(lead) * (recent - self.mean)
        return np.where(np.isnan(mixed), self.mean, mixed)

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> Terms:
        """Append to a graph."""
        speed, lead = (Formula(builder, inputs[name]) for name in ("wind_speed", "lead_minutes"))
        recent = Formula(builder, inputs["recent_power"]) / self.capacity
        left = lead.read_off(self.leads, self.shares)
        mixed = self.mean + left * (recent - self.mean)
        ones = mixed * 0
        ones = ones.where(ones <= 0, 0.0) + 1
        expected = self.curve.write(speed)
        known = builder.node("Not", speed.is_missing())
        fresh = builder.node("And", builder.node("Not", mixed.is_missing()), lead <= self.longest)
        past = self._recent(builder, inputs, recent, mixed)
        middles = [(a * b) ** 0.5 for a, b in pairwise(self.leads[:-1])]
        passed = [builder.cast(lead > middle, np.int64) for middle in middles]
        none = builder.cast((ones * 0).tensor, np.float32)
        group = builder.node("Sum", none, *(builder.cast(x, np.float32) for x in passed))
        calm = {
            "speed": speed,
            "curve": expected,
            "direction": Formula(builder, inputs["wind_direction"]),
        }
        return Terms(
            ceiling=(ones * 0).where(speed > self.cut_out, ones),
            group=builder.cast(group, np.int64),
            judged=ones,
            views={
                WEATHER: View(known, expected, {**calm, **past}),
                RECENT: View(fresh, mixed, past),
                CLIMATOLOGY: View(ones > 0, mixed.filled(self.mean), {}),
            },
        )

    def _recent(
        self, builder: GraphBuilder, inputs: Mapping[str, str], recent: Formula, mixed: Formula
    ) -> dict[str, Formula]:
        hour, day = (
            Formula(builder, inputs[name]) / self.capacity for name in ("hour_power", "day_power")
        )
        speed = Formula(builder, inputs["recent_wind_speed"])
        seconds = Formula(builder, builder.cast(inputs["time"], np.float64), np.float64)
        days = seconds / _DAY
        return {
            "mixed": mixed,
            "recent": recent,
            "rise": recent - hour,
            "day": day,
            "recent_speed": speed,
            "shortfall": recent - self.curve.write(speed),
            "lead": Formula(builder, inputs["lead_minutes"]),
            "hour": (24 * (days - days.floor())).as_type(np.float32),
            "recent_direction": Formula(builder, inputs["recent_wind_direction"]),
        }
