"""Windows of single series as the tensors of a network: scaled, bounded, never missing.

Letters in shapes: S series (the batch), L steps of history, H steps of the horizon.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from industry_apps.features.builder import GraphBuilder
from industry_apps.features.sources import CYCLES, TimePart
from industry_apps.features.window_nodes import fill
from industry_apps.recipes.forecasting.windows import nodes
from industry_apps.recipes.forecasting.windows.levels import HorizonPlan, Levelled, usual_of
from industry_apps.recipes.forecasting.windows.nodes import known_mean, known_spread, taken

#: Scaled values are cut here, so that one shock does not blind a network.
_WIDEST = 10.0
#: Waves of a part of the calendar, where there are many steps a day: three tell weekdays apart.
_HARMONICS = {"weekday": 3, "month": 2}


class WindowScaler:
    """Writes the tensors of a network; learns the usual size of what is known in advance.

    Parameters
    ----------
    plan : HorizonPlan
    static : sequence of str
        Number columns that do not change with the step.
    """

    def __init__(self, plan: HorizonPlan, static: Sequence[str] = ()) -> None:
        self.plan = plan
        self.static = tuple(static)
        self._usual: dict[str, tuple[float, float]] = {}

    def learn(self, feeds: Mapping[str, NDArray[np.float32]]) -> WindowScaler:
        """Learn mean and spread of the columns known in advance and of those that stay.

        Parameters
        ----------
        feeds : mapping of str to ndarray
            Windows of one moment.
        """
        for name in (*self.plan.known, *self.static):
            values = feeds[name][~np.isnan(feeds[name])].astype(np.float64)
            spread = float(values.std()) if len(values) else 0.0
            mean = float(values.mean()) if len(values) else 0.0
            self._usual[name] = mean, spread or 1.0
        return self

    def past(self, builder: GraphBuilder, inputs: Mapping[str, str], where: Levelled) -> str:
        """The history: scaled target, 1 where it is known, further columns -> [S, L, channels].

        Where the target is not known, stands the usual value of the phase.

        Parameters
        ----------
        builder : GraphBuilder
        inputs : mapping of str to str
            Column -> tensor.
        where : Levelled
        """
        target = inputs[self.plan.target]
        scaled = builder.node("Div", builder.node("Sub", target, where.level), where.scale)
        if self.plan.base_periods:
            usual = builder.part(self._profile(builder, target, where), 0, self.plan.length)
            scaled = nodes.where_known(builder, scaled, usual)
        channels = [_bounded(builder, scaled), nodes.known(builder, target)]
        for name in self.plan.past:
            values = inputs[name]
            apart = builder.node("Sub", values, known_mean(builder, values, 1))
            spread = known_spread(builder, values, 1)
            apart = nodes.finite(builder, builder.node("Div", apart, spread))
            channels.append(_bounded(builder, apart))
        return _stacked(builder, channels)

    def known(self, builder: GraphBuilder, inputs: Mapping[str, str], where: Levelled) -> str:
        """What is known at every step, also ahead -> [S, L + H, channels].

        These are how far ahead a step lies, the usual value of its phase, the columns known
        in advance, the calendar, and what does not change.

        Parameters
        ----------
        builder : GraphBuilder
        inputs : mapping of str to str
            Column -> tensor.
        where : Levelled
        """
        plan = self.plan
        steps = plan.length + plan.horizon
        ahead = np.clip(np.arange(steps) - plan.length + 1, 0, None) / plan.horizon
        still = builder.node("Mul", where.level, nodes.zero(builder))  # [S, 1], lends its shape
        ramp = builder.node("Add", still, builder.constant(ahead[None].astype(np.float32)))
        channels = [ramp]
        if plan.base_periods:
            channels.append(self._profile(builder, inputs[plan.target], where))
        for name in plan.known:
            channels.append(self._standard(builder, name, inputs[name]))
        for part in plan.calendar:
            part_of = TimePart(plan.time, part, nullable=False)
            moment = part_of.write(builder, {plan.time: inputs[plan.time]})
            period, start = CYCLES[part]
            turn = builder.constant(np.float32(2 * np.pi / period))
            start_at = builder.constant(np.float32(start))
            angle = builder.node("Mul", builder.node("Sub", moment, start_at), turn)
            waves = _HARMONICS.get(part, 1) if "hour" in plan.calendar else 1
            for times in range(1, waves + 1):
                turned = builder.node("Mul", angle, builder.constant(np.float32(times)))
                channels += [builder.node("Sin", turned), builder.node("Cos", turned)]
        for name in self.static:
            value = self._standard(builder, name, inputs[name])  # [S, 1]
            nought = builder.node("Mul", ramp, nodes.zero(builder))
            channels.append(builder.node("Add", nought, value))
        return _stacked(builder, channels)

    def _profile(self, builder: GraphBuilder, target: str, where: Levelled) -> str:
        """The usual value of the phase of each step, scaled -> [S, L + H]."""
        plan, season = self.plan, self.plan.seasons[0]
        usual = usual_of(builder, target, plan, season)  # [S, season]
        apart = builder.node("Sub", usual, where.level)
        scaled = _bounded(builder, builder.node("Div", apart, where.scale))
        phases = (np.arange(plan.length + plan.horizon) - plan.length) % season
        return taken(builder, scaled, phases)

    def _standard(self, builder: GraphBuilder, name: str, x: str) -> str:
        mean, spread = self._usual.get(name, (0.0, 1.0))
        apart = builder.node("Sub", x, builder.constant(np.float32(mean)))
        return _bounded(builder, builder.node("Div", apart, builder.constant(np.float32(spread))))


def _bounded(builder: GraphBuilder, x: str) -> str:
    widest = np.float32(_WIDEST)
    filled = fill(builder, x, 0.0)
    return builder.node("Clip", filled, builder.constant(-widest), builder.constant(widest))


def _stacked(builder: GraphBuilder, channels: list[str]) -> str:
    """[S, steps] each -> [S, steps, channels]."""
    parts = [nodes.reshaped(builder, channel, 0, -1, 1) for channel in channels]
    return parts[0] if len(parts) == 1 else builder.node("Concat", *parts, attributes={"axis": 2})
