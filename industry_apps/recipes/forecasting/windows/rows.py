"""Windows of single series to the rows of a model that answers each step of a horizon.

A row is one series and one step ahead. Its features are lags and means in phase with that
step, all relative to a base and in units of a scale that follow from the window alone; so
one model answers series of any size, and its answer times the scale plus the base is in
units again. The graph that makes the training rows stands at the head of the exported file.

Letters in shapes: S series (the batch), L steps of history, H steps of the horizon.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from industry_apps.features.builder import GraphBuilder
from industry_apps.features.sources import Part, TimePart
from industry_apps.recipes.forecasting.windows import nodes
from industry_apps.recipes.forecasting.windows.levels import HorizonPlan, Levelled
from industry_apps.recipes.forecasting.windows.nodes import known_mean, taken

#: Periods of a season that are lags of their own; further ones enter means only.
_LAGS = 7


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
