"""The hours of a plan as one problem: balance, lines, units, reserve, and what is not met.

Economic dispatch has one balance and no lines; DC optimal power flow a balance for each bus, angles
and lines (section 6.1 of the MATPOWER manual); unit commitment adds the states of the units, in the
formulation of three variables (Garver 1962; Morales-España, Latorre and Ramos 2013,
doi:10.1109/TPWRS.2013.2251373) with minimum times by sums of starts (Rajan and Takriti 2005).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from industry_apps.energy.grid.cases import Case, Floats, Whole
from industry_apps.energy.grid.network import Network
from industry_apps.energy.grid.programs import Matrix, ProgramBuilder
from industry_apps.energy.grid.reserve import Reserve
from industry_apps.energy.grid.units import UnitLimits, UnitState

#: Tangents of a cost within the limits of a unit, in commitment.
_TANGENTS = 8


@dataclass(frozen=True, eq=False, kw_only=True)
class Prices:
    """What is paid for what cannot be kept.

    Parameters
    ----------
    shedding : float
        In $/MWh of load that is not served: the value of lost load.
    surplus : float
        In $/MWh that is generated and cannot be used.
    reserve : float
        In $/MW of reserve that is lacking.
    """

    shedding: float
    surplus: float
    reserve: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Hours:
    """What is asked of some hours.

    Parameters
    ----------
    network : Network
    loads : ndarray of shape [hours, buses]
        In MW.
    prices : Prices
    lines : bool
        Whether the grid is looked at; else all buses are one.
    units : UnitLimits, optional
        Units start and stop; else all in service run.
    state : UnitState, optional
        With ``units``: what they did before. Without it the first hour is free.
    reserve : Reserve, optional
    reserve_hours : float
        Within which reserve has to be there, by the ramps of the units.
    """

    network: Network
    loads: Floats
    prices: Prices
    lines: bool = True
    units: UnitLimits | None = None
    state: UnitState | None = None
    reserve: Reserve | None = None
    reserve_hours: float = 1.0

    @property
    def case(self) -> Case:
        """The grid."""
        return self.network.case

    @cached_property
    def count(self) -> int:
        """How many hours."""
        return len(self.loads)

    def of(self, number: int) -> Hours:
        """One of the hours by itself."""
        part = slice(number, number + 1)
        reserve = None if self.reserve is None else self.reserve.of(part)
        return replace(self, loads=self.loads[part], reserve=reserve)

    def each(self, matrix: Matrix) -> Matrix:
        """A matrix of one hour, for each of them."""
        return sparse.kron(sparse.eye(self.count), matrix, format="csr")

    def eye(self, scale: Floats) -> Matrix:
        """A diagonal matrix for all hours, of values for each generator."""
        return sparse.diags(np.tile(scale, self.count))


def problem_of(hours: Hours, *, slack: bool, tangents: bool) -> ProgramBuilder:
    """Write the problem of some hours.

    Parameters
    ----------
    hours : Hours
    slack : bool
        Whether load may be shed and output be left over, at their prices.
    tangents : bool
        Square costs are replaced by tangents, for the mixed problem.
    """
    builder = ProgramBuilder()
    _outputs(builder, hours, tangents)
    _balance(builder, hours, slack)
    if hours.lines:
        _limits(builder, hours)
    if hours.units is not None:
        _states(builder, hours, hours.units)
        _ramps(builder, hours, hours.units)
    if hours.reserve is not None:
        _reserve(builder, hours, hours.reserve)
    return builder


def _outputs(builder: ProgramBuilder, hours: Hours, tangents: bool) -> None:
    """Outputs within their limits, and what they cost."""
    gens, shape = hours.case.generators, (hours.count, len(hours.case.generators))
    costs, stops = gens.costs, hours.units is not None
    least = np.minimum(gens.least, 0) if stops else gens.least
    most = np.maximum(gens.most, 0) if stops else gens.most
    square = np.zeros(len(gens)) if tangents else costs.quadratic
    linear = costs.linear * (~(tangents & (costs.quadratic > 0)))
    builder.columns("output", shape, least=least, most=most, cost=linear, square=square)
    if stops:
        builder.columns("running", shape, most=1.0, cost=costs.constant, whole=True)
        for name, sign, limit in (("least", 1.0, gens.least), ("most", -1.0, gens.most)):
            blocks = {
                "output": hours.eye(np.full(len(gens), sign)),
                "running": hours.eye(-sign * limit),
            }
            builder.rows(name, shape, blocks, 0.0, np.inf)
    _segments(builder, hours, tangents)


def _segments(builder: ProgramBuilder, hours: Hours, tangents: bool) -> None:
    """Costs that lie above lines: segments of the case, and tangents of squares."""
    gens = hours.case.generators
    for name, lines in (("segments", gens.costs.segments), ("tangents", _tangents(hours))):
        if name == "tangents" and not tangents:
            continue
        owner = np.repeat(np.arange(len(gens)), list(map(len, lines)))
        if not len(owner):
            continue
        slope, offset = np.concatenate([part for part in lines if len(part)]).T
        number = np.arange(len(owner))
        shape = (len(owner), len(gens))
        on_output = sparse.csr_matrix((-slope, (number, owner)), shape=shape)
        on_cost = sparse.csr_matrix((np.ones(len(owner)), (number, owner)), shape=shape)
        builder.columns(f"{name} cost", (hours.count, len(gens)), least=-np.inf, cost=1.0)
        idle = np.array([not len(part) for part in lines])
        blocks = {"output": hours.each(on_output), f"{name} cost": hours.each(on_cost)}
        low = offset
        if "running" in builder:
            on_running = sparse.csr_matrix((-offset, (number, owner)), shape=shape)
            blocks["running"] = hours.each(on_running)
            low = np.zeros(len(offset))
        builder.rows(f"above {name}", (hours.count, len(owner)), blocks, low, np.inf)
        nothing = hours.each(sparse.diags(idle.astype(float)))
        builder.rows(f"no {name}", (hours.count, len(gens)), {f"{name} cost": nothing}, 0.0, 0.0)


def _tangents(hours: Hours) -> list[Floats]:
    """Slope and value at 0 of tangents of the variable part of each square cost."""
    gens = hours.case.generators
    found = []
    for square, slope, low, high in zip(
        gens.costs.quadratic, gens.costs.linear, gens.least, gens.most, strict=True
    ):
        at = np.linspace(low, high, _TANGENTS) if square > 0 else np.zeros(0)
        found.append(np.column_stack([slope + 2 * square * at, -square * at**2]))
    return found


def _balance(builder: ProgramBuilder, hours: Hours, slack: bool) -> None:
    """What is fed in is taken out: at each bus, or in all."""
    net, count = hours.network, len(hours.case.buses)
    joined = sparse.eye(count) if hours.lines else sparse.csr_matrix(np.ones((1, count)))
    blocks = {"output": hours.each(joined @ net.feeding)}
    demand = hours.loads + hours.case.shunt
    if hours.lines:
        demand = demand + net.shift_export
        free = np.isin(np.arange(count), net.references, invert=True)
        far = np.where(free, np.inf, 0.0)
        builder.columns("angle", (hours.count, count), least=-far, most=far)
        blocks["angle"] = hours.each(-net.export)
    if slack:
        most = np.maximum(hours.loads, 0.0) @ joined.T
        one = sparse.eye(most.size)
        builder.columns("shed", most.shape, most=most, cost=hours.prices.shedding)
        builder.columns("surplus", most.shape, cost=hours.prices.surplus)
        blocks |= {"shed": one, "surplus": -one}
    demand = demand @ joined.T
    builder.rows("balance", demand.shape, blocks, demand, demand)


def _limits(builder: ProgramBuilder, hours: Hours) -> None:
    """Ratings of lines, and limits of the angles across them."""
    branches, net = hours.case.branches, hours.network
    rated = np.isfinite(branches.limit)
    if rated.any():
        shape = (hours.count, int(rated.sum()))
        limit, shift = branches.limit[rated], net.shift_flow[rated]
        blocks = {"angle": hours.each(net.flow[rated])}
        builder.rows("flow", shape, blocks, -limit - shift, limit - shift)
    held = np.isfinite(branches.angle_low) | np.isfinite(branches.angle_high)
    if held.any():
        shape = (hours.count, int(held.sum()))
        blocks = {"angle": hours.each(net.incidence[held])}
        builder.rows("across", shape, blocks, branches.angle_low[held], branches.angle_high[held])


def _states(builder: ProgramBuilder, hours: Hours, units: UnitLimits) -> None:
    """Starts and stops, minimum times, and what was before."""
    count, gens = hours.count, len(units.up)
    shape = (count, gens)
    before = hours.state
    first = np.ones((count, gens))
    if before is None:  # the first hour is free: nothing starts or stops in it
        first[0] = 0.0
    builder.columns("starts", shape, most=first, cost=units.start_cost)
    builder.columns("stops", shape, most=first)
    eye = sparse.eye(count * gens, format="csr")
    step = eye - sparse.eye(count * gens, k=-gens)
    was = np.zeros(shape)
    if before is not None:
        was[0] = before.running
    keep = slice(gens if before is None else 0, None)
    blocks = {"running": step[keep], "starts": -eye[keep], "stops": eye[keep]}
    told = was.ravel()[keep]
    builder.rows("changes", told.shape, blocks, told, told)
    for name, times, sign in (("starts", units.up, 1.0), ("stops", units.down, -1.0)):
        window = _window(times, count)
        high = 0.0 if sign > 0 else 1.0
        blocks = {name: window, "running": -sign * eye}
        builder.rows(f"{name} held", shape, blocks, -np.inf, high)
    if before is not None:
        least, most = _forced(units, before, count)
        builder.rows("kept", shape, {"running": eye}, least, most)


def _window(times: Whole, count: int) -> Matrix:
    """Sums over the hours up to each, as many as ``times`` says: [hours * units] squared."""
    gens = len(times)
    rows, columns = [], []
    for unit, length in enumerate(times):
        for hour in range(count):
            for back in range(max(1, int(length))):
                if hour - back >= 0:
                    rows.append(hour * gens + unit)
                    columns.append((hour - back) * gens + unit)
    shape = (count * gens, count * gens)
    return sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)


def _forced(units: UnitLimits, before: UnitState, count: int) -> tuple[Floats, Floats]:
    """Limits of the states that minimum times of before leave, [hours, units]."""
    left = np.where(before.running, units.up, units.down) - before.hours
    bound = np.arange(count)[:, None] < left  # [hours, units]
    held = (bound & before.running).astype(np.float64)
    return held, 1.0 - (bound & ~before.running).astype(np.float64)


def _ramps(builder: ProgramBuilder, hours: Hours, units: UnitLimits) -> None:
    """Outputs change by the ramp at most; a unit comes and goes at its least output, or ramp."""
    gens, count = hours.case.generators, hours.count
    held = np.flatnonzero(np.isfinite(units.ramp))
    if not len(held):
        return
    ramp = units.ramp[held]
    edge = np.maximum(gens.least[held], np.minimum(ramp, gens.most[held]))
    total = count * len(gens)
    eye = sparse.eye(total, format="csr")
    back = sparse.eye(total, k=-len(gens), format="csr")
    begin = 1 if hours.state is None else 0
    pick = np.concatenate([hour * len(gens) + held for hour in range(begin, count)])
    ramps, edges = np.tile(ramp, count - begin), np.tile(edge, count - begin)
    was_running, was_output = np.zeros(len(pick)), np.zeros(len(pick))
    if hours.state is not None:
        was_running[: len(held)] = hours.state.running[held]
        was_output[: len(held)] = hours.state.output[held]
    rise = {
        "output": (eye - back)[pick],
        "running": -sparse.diags(ramps) @ back[pick],
        "starts": -sparse.diags(edges) @ eye[pick],
    }
    fall = {
        "output": (back - eye)[pick],
        "running": -sparse.diags(ramps) @ eye[pick],
        "stops": -sparse.diags(edges) @ eye[pick],
    }
    builder.rows("rise", (len(pick),), rise, -np.inf, was_output + ramps * was_running)
    builder.rows("fall", (len(pick),), fall, -np.inf, -was_output)
    _edges(builder, hours, units, edge, held)


def _edges(
    builder: ProgramBuilder, hours: Hours, units: UnitLimits, edge: Floats, held: NDArray[np.intp]
) -> None:
    """A unit that has just come, or is about to go, gives no more than at its edge.

    This follows from the ramps; said once more, it brings the bound of the mixed problem nearer. A
    unit that runs two hours at least does not come and go in the same, and one row says both.
    """
    gens, count = hours.case.generators, hours.count
    total = count * len(gens)
    eye = sparse.eye(total, format="csr")
    ahead = sparse.eye(total, k=len(gens), format="csr")
    lost = np.zeros(len(gens))
    lost[held] = np.maximum(gens.most[held] - edge, 0.0)
    long = np.zeros(len(gens))
    long[held] = units.up[held] >= 2
    comes, goes = hours.eye(lost) @ eye, hours.eye(lost) @ ahead
    base = {"output": -eye, "running": hours.eye(gens.most)}
    both = {**base, "starts": -comes, "stops": -(hours.eye(long) @ goes)}
    builder.rows("edge", (total,), both, 0.0, np.inf)
    if (lost * (1 - long)).any():
        builder.rows(
            "last", (total,), {**base, "stops": -(hours.eye(1 - long) @ goes)}, 0.0, np.inf
        )


def _reserve(builder: ProgramBuilder, hours: Hours, reserve: Reserve) -> None:
    """Room that units keep, as far as they can use it in time, and what is lacking."""
    gens = hours.case.generators
    shape = (hours.count, len(gens))
    ramp = np.full(len(gens), np.inf) if hours.units is None else hours.units.ramp
    most = np.minimum(np.maximum(gens.most - gens.least, 0), ramp * hours.reserve_hours)
    one = np.ones(len(gens))
    total = hours.each(sparse.csr_matrix(np.ones((1, len(gens)))))
    for name, sign, limit, needed in (
        ("up", -1.0, gens.most, reserve.up),
        ("down", 1.0, gens.least, reserve.down),
    ):
        builder.columns(f"reserve {name}", shape, most=most)
        builder.columns(f"lacking {name}", (hours.count,), cost=hours.prices.reserve)
        blocks = {"output": hours.eye(sign * one), f"reserve {name}": -hours.eye(one)}
        low = sign * limit
        if "running" in builder:
            blocks["running"] = hours.eye(-sign * limit)
            low = np.zeros(len(gens))
        builder.rows(f"room {name}", shape, blocks, low, np.inf)
        enough = {f"reserve {name}": total, f"lacking {name}": sparse.eye(hours.count)}
        builder.rows(f"enough {name}", (hours.count,), enough, needed, np.inf)
