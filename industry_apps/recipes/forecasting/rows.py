"""Windows of single series to the rows of a model that answers each step of a horizon.

A row is one series and one step ahead. Its features are lags and means in phase with that
step, all relative to a base and in units of a scale that follow from the window alone; so
one model answers series of any size, and its answer times the scale plus the base is in
units again. The graph that makes the training rows stands at the head of the exported file.

Letters in shapes: S series (the batch), L steps of history, H steps of the horizon.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from industry_apps.features.builder import GraphBuilder
from industry_apps.features.sources import Part, TimePart
from industry_apps.recipes.forecasting import nodes
from industry_apps.recipes.forecasting.nodes import known_mean, taken

#: The scale is at least this share of the mean size of the values: a constant series has one.
_LEAST_SCALE = 1e-3
#: The scale of a series of zeros, in units; of series smaller than one, as a share of their size.
SMALLEST_SCALE = 1e-6
#: Periods of a season that are lags of their own; further ones enter means only.
_LAGS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizonPlan:
    """What a forecast of windows is made from.

    Parameters
    ----------
    target : str
        The column that is forecast.
    length, horizon : int
        Steps of history and steps ahead.
    seasons : tuple of int
        Lengths of cycles in steps, the shortest first, at least one.
    periods : tuple of int
        So many of the latest periods of each season are looked at, as far as the length
        goes.
    base_periods : int
        The base of a step is the mean of so many of the latest values in phase with it; 0:
        the mean of the latest whole season, whatever the phase.
    means : tuple of int
        So many of the last steps are averaged.
    latest : int
        So many of the last values are looked at one by one.
    past, known : tuple of str
        Further columns whose history, and whose future too, is known.
    time : str
        The column of moments, where the calendar is looked at.
    calendar : tuple of {"hour", "weekday", "day", "month"}
        Parts of the moment of a step.
    """

    target: str
    length: int
    horizon: int
    seasons: tuple[int, ...]
    periods: tuple[int, ...]
    base_periods: int = 0
    means: tuple[int, ...] = ()
    latest: int = 6
    past: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    time: str = ""
    calendar: tuple[Part, ...] = ()

    def in_phase(self, season: int, periods: int, back: int = 0) -> np.ndarray:
        """Places in the window in phase with each step ahead, the latest first -> [H, J].

        Parameters
        ----------
        season : int
        periods : int
            At most; fewer where the window is too short.
        back : int
            Steps before these places.
        """
        ahead = np.arange(self.horizon)[:, None] % season
        count = min(periods, (self.length - back) // season)
        return self.length - back - season * np.arange(1, count + 1) + ahead


class Levelled(NamedTuple):
    """Where the values of a window lie, as tensors of a graph.

    Parameters
    ----------
    base : str
        [S, H]: what a step ahead is compared with.
    scale : str
        [S, 1], > 0: mean size of a change over a season.
    level : str
        [S, 1]: mean of the latest season.
    """

    base: str
    scale: str
    level: str


def levelled(
    builder: GraphBuilder, history: str, plan: HorizonPlan, typical: float, smallest: float
) -> Levelled:
    """Write base, scale and level of a window; all are finite.

    Parameters
    ----------
    builder : GraphBuilder
    history : str
        The target, tensor [S, L].
    plan : HorizonPlan
    typical : float
        Level of a series without any history.
    smallest : float
        Scale of a series of zeros, > 0.
    """
    season, length = plan.seasons[0], plan.length
    anywhere = known_mean(builder, history, 1)  # [S, 1]
    usual = builder.constant(np.float32(typical))
    anywhere = nodes.where_known(builder, anywhere, usual)
    latest = builder.part(history, -min(plan.seasons[-1], length), length)
    level = nodes.where_known(builder, known_mean(builder, latest, 1), anywhere)
    if plan.base_periods:
        lags = taken(builder, history, plan.in_phase(season, plan.base_periods))
        base = nodes.reshaped(builder, known_mean(builder, lags, 2), 0, -1)
        base = nodes.where_known(builder, base, level)
    else:
        base = nodes.reshaped(
            builder,
            nodes.wide(builder, nodes.reshaped(builder, level, 0, 1, 1), plan.horizon),
            0,
            -1,
        )
    size = known_mean(builder, builder.node("Abs", history), 1)
    size = nodes.where_known(builder, size, builder.node("Abs", usual))
    change = size
    if length > season:
        later, earlier = (
            builder.part(history, *ends) for ends in ((season, length), (0, length - season))
        )
        apart = builder.node("Abs", builder.node("Sub", later, earlier))
        change = nodes.where_known(builder, known_mean(builder, apart, 1), size)
    least = builder.node("Mul", size, builder.constant(np.float32(_LEAST_SCALE)))
    least = builder.node("Add", least, builder.constant(np.float32(smallest)))
    return Levelled(base, builder.node("Max", change, least), level)


class HorizonRows:
    """Writes the rows of a tree model, and knows the names of their columns.

    Parameters
    ----------
    plan : HorizonPlan
    """

    def __init__(self, plan: HorizonPlan) -> None:
        self.plan = plan
        self.names: tuple[str, ...] = ()

    def write(
        self,
        builder: GraphBuilder,
        inputs: Mapping[str, str],
        where: Levelled,
        static: Mapping[str, str] | None = None,
    ) -> str:
        """Append the nodes to a graph.

        Parameters
        ----------
        builder : GraphBuilder
        inputs : mapping of str to str
            Column -> tensor: [S, L] of the target and the past, [S, L + H] of what is known
            and of the time.
        where : Levelled
        static : mapping of str to str, optional
            What does not change with the step -> float32 tensor [S, 1].

        Returns
        -------
        str
            Tensor [S x H, features].
        """
        made = _Made(builder, self.plan, where)
        made.lags(inputs[self.plan.target])
        made.shape_of(inputs[self.plan.target])
        for name in self.plan.past:
            made.past(name, inputs[name])
        for name in self.plan.known:
            made.known(name, inputs[name], inputs[self.plan.target])
        for part in self.plan.calendar:
            made.calendar(part, inputs[self.plan.time])
        for name, tensor in (static or {}).items():
            made.flat(name, nodes.reshaped(builder, tensor, 0, 1, 1))
        self.names = tuple(made.names)
        return made.rows()


class _Made:
    """Features made so far: [S, H, K] each, of one builder."""

    def __init__(self, builder: GraphBuilder, plan: HorizonPlan, where: Levelled) -> None:
        self.builder, self.plan = builder, plan
        self.names: list[str] = []
        self._parts: list[str] = []
        self._base = nodes.reshaped(builder, where.base, 0, -1, 1)  # [S, H, 1]
        self._scale = nodes.reshaped(builder, where.scale, 0, 1, 1)
        self._level = nodes.reshaped(builder, where.level, 0, 1, 1)

    def rows(self) -> str:
        """All features as rows [S x H, features]; infinity is missing."""
        together = self.builder.node("Concat", *self._parts, attributes={"axis": 2})
        return nodes.finite(
            self.builder, nodes.reshaped(self.builder, together, -1, len(self.names))
        )

    def add(self, name: str, x: str, count: int = 1) -> None:
        """A feature [S, H, K] for itself."""
        self.names += [name] if count == 1 else [f"{name} {k + 1}" for k in range(count)]
        self._parts.append(x)

    def flat(self, name: str, x: str, count: int = 1) -> None:
        """A feature [S, 1, K] that is the same at every step."""
        self.add(name, nodes.wide(self.builder, x, self.plan.horizon), count)

    def _relative(self, x: str) -> str:
        """[S, H or 1, K] less the base, in units of the scale -> [S, H, K]."""
        return self._scaled(self.builder.node("Sub", x, self._base))

    def _scaled(self, x: str) -> str:
        return self.builder.node("Div", x, self._scale)

    def lags(self, history: str) -> None:
        """Values in phase with the step, and their means and spread."""
        b, plan = self.builder, self.plan
        for season, periods in zip(plan.seasons, plan.periods, strict=True):
            places = plan.in_phase(season, periods)
            count = places.shape[1]
            values = taken(b, history, places)  # [S, H, J]
            lags = min(count, _LAGS)
            if lags:
                latest = b.part(values, 0, lags, 2)
                self.add(f"lag of {season} x", self._relative(latest), lags)
            for few in (3, 7, 14, 28):
                if 1 < few < count or few == count > 1:
                    self._mean_in_phase(season, values, few)
            if count > 2:
                self.add(f"spread of {season}", self._scaled(nodes.known_spread(b, latest, 2)))
            if season != plan.seasons[0]:
                self._steps_of_longer(history, season, values, count)

    def _mean_in_phase(self, season: int, values: str, few: int) -> None:
        latest = self.builder.part(values, 0, few, 2)
        mean = known_mean(self.builder, latest, 2)
        self.add(f"mean of {few} x {season}", self._relative(mean))

    def _steps_of_longer(self, history: str, season: int, values: str, count: int) -> None:
        """How a value a longer season ago differed from those of the shorter one before it."""
        b, short = self.builder, self.plan.seasons[0]
        for k in range(1, count + 1):
            back = season * k
            if self.plan.length - back < short:
                break
            ahead = np.arange(self.plan.horizon)[:, None] % short
            before = taken(b, history, self.plan.length - back - short + ahead)
            step = b.node("Sub", b.part(values, k - 1, k, 2), before)
            self.add(f"step of {season} {k}", self._scaled(step))

    def shape_of(self, history: str) -> None:
        """What the window looks like as a whole, and how it ends."""
        b, plan = self.builder, self.plan
        self._latest(history)
        for steps in plan.means:
            self._means(history, steps)
        longest = min(plan.seasons[-1], plan.length)
        latest = b.part(history, plan.length - longest, plan.length)
        self.flat("spread", self._scaled(self._one(nodes.known_spread(b, latest, 1))))
        self.flat("level", self._scaled(self._level))
        self.add("base", self._scaled(b.node("Sub", self._base, self._level)))
        for word, op in (("least", "ReduceMin"), ("largest", "ReduceMax")):
            extreme = self._one(nodes.known_extreme(b, latest, 1, op))
            self.add(word, self._relative(extreme))
        changes = b.node(
            "Sub",
            b.part(history, 1, plan.length),
            b.part(history, 0, plan.length - 1),
        )
        size = known_mean(b, b.node("Abs", changes), 1)
        self.flat("change", self._scaled(self._one(size)))
        self._shares(history)
        ahead = np.arange(1, plan.horizon + 1, dtype=np.float32).reshape(1, -1, 1)
        still = b.node("Mul", self._base, nodes.zero(b))  # lends its shape
        self.add("steps ahead", b.node("Add", still, b.constant(ahead)))

    def _shares(self, history: str) -> None:
        b = self.builder
        self.flat("known share", self._one(known_mean(b, nodes.known(b, history), 1)))
        nothing = b.cast(b.node("Equal", history, nodes.zero(b)), np.float32)
        nothing = b.node("Add", nothing, b.node("Mul", history, nodes.zero(b)))  # NaN stays
        self.flat("share of zeros", self._one(known_mean(b, nothing, 1)))

    def _latest(self, history: str) -> None:
        """The last values: as they are, and less the usual value of their phase."""
        b, plan, season = self.builder, self.plan, self.plan.seasons[0]
        back = np.arange(1, min(plan.latest, plan.length) + 1)
        last = taken(b, history, plan.length - back)  # [S, k]
        first = min(3, len(back))
        values = nodes.reshaped(b, b.part(last, 0, first), 0, 1, -1)
        self.add("last", self._relative(values), first)
        count = min(plan.base_periods or 1, (plan.length - len(back)) // season)
        if count > 0:
            places = plan.length - back[:, None] - season * np.arange(1, count + 1)
            usual = nodes.reshaped(b, known_mean(b, taken(b, history, places), 2), 0, -1)
            rest = nodes.reshaped(b, b.node("Sub", last, usual), 0, 1, -1)
            self.flat("last over usual", self._scaled(rest), len(back))

    def _means(self, history: str, steps: int) -> None:
        """The mean of the last steps, and by how much it changed over each season."""
        b, plan = self.builder, self.plan
        last = b.part(history, plan.length - steps, plan.length)
        mean = self._one(known_mean(b, last, 1))
        self.add(f"mean of {steps}", self._relative(mean))
        self.flat(f"mean of {steps} over level", self._scaled(b.node("Sub", mean, self._level)))
        for season in plan.seasons:
            if plan.length >= steps + season:
                start = plan.length - season - steps
                before = b.part(history, start, start + steps)
                change = known_mean(b, b.node("Sub", last, before), 1)
                self.flat(f"change of {steps} over {season}", self._scaled(self._one(change)))

    def _one(self, x: str) -> str:
        """[S, 1] -> [S, 1, 1]."""
        return nodes.reshaped(self.builder, x, 0, 1, 1)

    def past(self, name: str, history: str) -> None:
        """A column known up to now: its latest values beside its usual ones."""
        b, plan = self.builder, self.plan
        usual, spread = known_mean(b, history, 1), nodes.known_spread(b, history, 1)
        apart = b.node("Div", b.node("Sub", history, usual), spread)  # [S, L]
        last = b.part(apart, plan.length - 1, plan.length)
        self.flat(f"{name}, last", self._one(last))
        season = plan.seasons[0]
        if plan.length >= season:
            latest = b.part(apart, plan.length - season, plan.length)
            self.flat(f"{name}, mean of {season}", self._one(known_mean(b, latest, 1)))
            before = taken(b, apart, plan.in_phase(season, 1))
            self.add(f"{name}, {season} before", before)

    def known(self, name: str, values: str, target: str) -> None:
        """A column known in advance: at the step, beside its past, and what it usually does."""
        b, plan = self.builder, self.plan
        length, end = plan.length, plan.length + plan.horizon
        past, ahead = b.part(values, 0, length), b.part(values, length, end)
        ahead = nodes.reshaped(b, ahead, 0, -1, 1)
        self.add(name, ahead)
        usual = known_mean(b, past, 1)
        self.add(f"{name} over usual", b.node("Sub", ahead, self._one(usual)))
        last = self._one(b.part(past, length - 1, length))
        self.add(f"{name} over last", b.node("Sub", ahead, last))
        lags = taken(b, past, plan.in_phase(plan.seasons[0], max(plan.base_periods, 1)))
        self.add(f"{name} over lags", b.node("Sub", ahead, known_mean(b, lags, 2)))
        # The slope of the target on the column within the window, times the step's distance.
        both = b.node("Add", b.node("Mul", target, nodes.zero(b)), past)  # NaN where either is
        centre = known_mean(b, both, 1)
        apart = b.node("Sub", both, centre)
        along = b.node("Sub", target, known_mean(b, target, 1))
        slope = b.node(
            "Div",
            known_mean(b, b.node("Mul", apart, along), 1),
            known_mean(b, b.node("Mul", apart, apart), 1),
        )
        effect = b.node("Mul", self._one(slope), b.node("Sub", ahead, self._one(centre)))
        self.add(f"effect of {name}", self._scaled(effect))

    def calendar(self, part: Part, time: str) -> None:
        """A part of the moment of the step, in UTC."""
        b, plan = self.builder, self.plan
        ahead = b.part(time, plan.length, plan.length + plan.horizon)
        values = TimePart(plan.time, part, nullable=False).write(b, {plan.time: ahead})
        self.add(part, nodes.reshaped(b, values, 0, -1, 1))
