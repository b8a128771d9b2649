"""Grid dispatch: which power plants run, how much each feeds in, and what it costs.

Asked by dispatchers, traders and planners, each day for the next one and each hour for what is left
of it. Economic dispatch looks at costs and limits of generators; DC optimal power flow at the lines
too, and gives a price for each bus (Schweppe et al. 1988, Spot Pricing of Electricity); unit
commitment at starts, minimum times and ramps (Padhy 2004, doi:10.1109/TPWRS.2003.821611). Demand
that cannot be met is shed at a price, bus by bus, and the answer says what stands in the way; an
error names limits of the grid that contradict each other, whatever is shed. Every answer is
measured against the conditions of optimality before it is given. Reactive power, voltages and
losses are not looked at: that is the DC model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from industry_apps.energy.grid.cases import Case, Floats, checked_loads
from industry_apps.energy.grid.conflicts import conflict
from industry_apps.energy.grid.dispatch import dispatch
from industry_apps.energy.grid.hours import Hours, Prices
from industry_apps.energy.grid.network import Network
from industry_apps.energy.grid.plans import DispatchPlan
from industry_apps.energy.grid.reading.load_tables import check_hours, numbers_in
from industry_apps.energy.grid.reserve import Reserve
from industry_apps.energy.grid.units import NEGLIGIBLE_MW, UnitLimits, UnitState
from industry_apps.errors import InfeasibleError, ParameterError, SchemaError
from industry_apps.limits import (
    BOOLEAN,
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    check_parameters,
    instance,
    integer,
)

Loads = pd.DataFrame | pd.Series | Mapping[int, float] | ArrayLike

_DAY = integer(1)


@dataclass(kw_only=True, eq=False)
class GridDispatcher:
    """Plans what generators do at least cost, and says what cannot be served.

    Parameters
    ----------
    case : Case
        The grid, as :func:`industry_apps.energy.read_case` reads it.
    units : UnitLimits, optional
        Then units start and stop, with minimum times and ramps, and hours are planned together.
        Without it all generators in service run, and each hour stands for itself.
    lines : bool
        Whether lines limit flows (DC optimal power flow), or all buses are one (economic dispatch).
    shedding_price : float
        In $/MWh of load that is not served: the value of lost load, > 0.
    surplus_price : float
        In $/MWh of output that nobody can use, >= 0.
    reserve_price : float
        In $/MW of reserve that is lacking, >= 0.
    reserve_hours : float
        Within which reserve has to be there by the ramps of ``units``, > 0.
    gap : float
        With ``units``: share of the cost at which the search for what runs stops, in (0, 1].
    seconds : float
        With ``units``: most seconds of that search, > 0; the answer says what gap is left.

    Notes
    -----
    Islands, as lines out of service make them, are balanced each for itself. The least outputs of
    generators that have to run may lie above the load: what is too much is in ``plan.surplus()``.
    Reserve is kept by all units together, without a look at lines that may be full when it is used.

    Examples
    --------
    >>> from industry_apps.energy.grid.example import example_case
    >>> from industry_apps.energy import GridDispatcher
    >>> plan = GridDispatcher(case=example_case()).plan()
    >>> plan.to_frame().round(1).values.tolist()
    [[257.0, 48.5, 15.7, 73.6, 25.1]]
    >>> print(plan.costs()["total"].round(2).tolist(), len(plan.shedding()))
    [9341.81] 0
    """

    case: Annotated[Case, instance(Case)]
    units: UnitLimits | None = None
    lines: Annotated[bool, BOOLEAN] = True
    shedding_price: Annotated[float, POSITIVE] = 10_000.0
    surplus_price: Annotated[float, NOT_NEGATIVE] = 1_000.0
    reserve_price: Annotated[float, NOT_NEGATIVE] = 1_000.0
    reserve_hours: Annotated[float, POSITIVE] = 1.0
    gap: Annotated[float, SHARE] = 0.002
    seconds: Annotated[float, POSITIVE] = 120.0

    def plan(
        self,
        loads: Loads | None = None,
        *,
        reserve: Reserve | None = None,
        state: UnitState | None = None,
    ) -> DispatchPlan:
        """Plan some hours.

        Parameters
        ----------
        loads : DataFrame, Series, mapping or array-like, optional
            In MW: a table of hours with a column for each bus number; a series of the total of each
            hour, which is spread over the buses as in the case; of one hour {bus number: MW} of all
            buses that have a load in the case, or an array in the order of ``case.buses``, of
            several hours an array [hours, buses]. By default the loads of the case. A row is an
            hour: an index of times has them an hour apart with ``units``, and at least so without.
        reserve : Reserve, optional
            What is to be kept free in each hour.
        state : UnitState, optional
            With ``units``: what they did before, as ``plan.state`` of the plan before; without it
            the first hour is free, and costs no starts.

        Raises
        ------
        SchemaError
            Names bus, hour and value that are missing or wrong.
        UnknownNameError
            A bus that the case does not have.
        ParameterError, SolverError
        """
        check_parameters(self)
        return self._planned(*self._loads(loads), reserve, state)

    def plan_days(
        self,
        loads: Loads,
        *,
        hours: int = 24,
        reserve: Reserve | None = None,
        state: UnitState | None = None,
    ) -> Iterator[DispatchPlan]:
        """Plan day after day, each going on from what units did at the end of the one before.

        Parameters
        ----------
        loads : DataFrame, Series, mapping or array-like
            As of :meth:`plan`, of all days.
        hours : int
            Of a day, >= 1.
        reserve : Reserve, optional
            As of :meth:`plan`, of all days.
        state : UnitState, optional
            Before the first day.

        Yields
        ------
        DispatchPlan

        Raises
        ------
        SchemaError, UnknownNameError, ParameterError, SolverError
            As of :meth:`plan`.
        """
        check_parameters(self)
        if not _DAY.holds(hours):
            raise ParameterError(
                f"The 'hours' parameter of {type(self).__name__}.plan_days must be {_DAY.words}. "
                f"Got {hours!r} instead."
            )
        array, index = self._loads(loads)
        self._check(array, reserve, state)
        for start in range(0, len(array), hours):
            day = slice(start, start + hours)
            part = None if reserve is None else reserve.of(day)
            plan = self._planned(array[day], index[day], part, state)
            state = plan.state
            yield plan

    def _planned(
        self, array: Floats, index: pd.Index, reserve: Reserve | None, state: UnitState | None
    ) -> DispatchPlan:
        self._check(array, reserve, state)
        hours = Hours(
            network=self._network,
            loads=array,
            prices=Prices(
                shedding=self.shedding_price,
                surplus=self.surplus_price,
                reserve=self.reserve_price,
            ),
            lines=self.lines,
            units=self.units,
            state=state,
            reserve=reserve,
            reserve_hours=self.reserve_hours,
        )
        try:
            found = dispatch(hours, gap=self.gap, seconds=self.seconds)
        except InfeasibleError as error:
            raise InfeasibleError(conflict(hours, index.tolist())) from error
        after = None if self.units is None else _after(state, found.running, found.output)
        return DispatchPlan(hours=hours, found=found, index=index, state=after)

    @cached_property
    def _network(self) -> Network:
        return Network(self.case)

    def _loads(self, loads: Loads | None) -> tuple[Floats, pd.Index]:
        """Loads of shape [hours, buses] and the names of the hours."""
        if loads is None:
            loads = self.case.load
        if isinstance(loads, pd.DataFrame | pd.Series):
            check_hours(loads.index, joined=self.units is not None)
        if isinstance(loads, pd.DataFrame):
            return checked_loads(self._columns(loads), self.case), loads.index
        if isinstance(loads, pd.Series):
            return checked_loads(self._totals(loads), self.case), loads.index
        if isinstance(loads, Mapping):
            loads = self._columns(pd.DataFrame([dict(loads)]))
        array = np.atleast_2d(checked_loads(loads, self.case))
        return array, pd.RangeIndex(len(array), name="hour")

    def _columns(self, frame: pd.DataFrame) -> Floats:
        """The columns of a table, in the order of the buses; those without a load may be absent."""
        if frame.empty:
            raise SchemaError("The table of loads has no rows. Give an hour at least.")
        found = np.zeros((len(frame), len(self.case.buses)))
        told = np.zeros(len(self.case.buses), dtype=bool)
        for position, name in enumerate(frame.columns):
            place = self.case.place_of(name, f"Column {name!r} of the loads")
            if told[place]:
                raise SchemaError(f"Column {name!r} of the loads is there twice. Add the two up.")
            told[place] = True
            where = f"Column {str(name)!r} of the loads"
            found[:, place] = numbers_in(frame.iloc[:, position], where)
        lacking = self.case.buses[~told & (self.case.load != 0)]
        if len(lacking):
            raise SchemaError(
                f"Column '{lacking[0]}' is missing from the loads, and {len(lacking) - 1} others "
                "whose buses have a load in the case. Give 0 where there is none."
            )
        return found

    def _totals(self, totals: pd.Series) -> Floats:
        """Totals spread over the buses as in the case."""
        if totals.empty:
            raise SchemaError("The series of loads has no values. Give an hour at least.")
        total = self.case.load.sum()
        if total <= 0:
            raise SchemaError(
                f"The loads of {self.case.name!r} sum to {total:g} MW, so that a total cannot be "
                "spread by them. Give a table with a column for each bus."
            )
        return np.outer(numbers_in(totals, "Series of loads"), self.case.load / total)

    def _check(self, loads: Floats, reserve: Reserve | None, state: UnitState | None) -> None:
        gens = len(self.case.generators)
        if self.units is not None and len(self.units.up) != gens:
            raise SchemaError(
                f"The limits of units are of {len(self.units.up)} units, the case has {gens} in "
                "service. Make them of this case."
            )
        if reserve is not None and len(reserve.up) != len(loads):
            raise SchemaError(
                f"Reserve is given for {len(reserve.up)} hours, loads for {len(loads)}. Give both "
                "for the same hours."
            )
        if state is None:
            return
        if self.units is None:
            raise SchemaError(
                "A state is given, and no limits of units, without which nothing depends on it. "
                "Give units to the dispatcher, or leave the state out."
            )
        if len(state.running) != gens:
            raise SchemaError(
                f"The state is of {len(state.running)} generators, the case has {gens} in service. "
                "Take the state of a plan of this case."
            )
        self._check_reach(self.units, state)

    def _check_reach(self, units: UnitLimits, state: UnitState) -> None:
        """Refuse outputs of before from which no ramp leads into the limits of a generator."""
        gens = self.case.generators
        low = np.where(units.up > state.hours, gens.least - state.output, 0.0)  # others may stop
        far = np.maximum(state.output - gens.most, low)
        wrong = state.running & (far > units.ramp + NEGLIGIBLE_MW)
        if wrong.any():
            at = int(wrong.argmax())
            raise SchemaError(
                f"The state, column 'output', row {at} ({self.case.generator_names[at]}): got "
                f"{state.output[at]:g} MW, expected {gens.least[at]:g} to {gens.most[at]:g} MW, or "
                f"as near as {units.ramp[at]:g} MW, its ramp. Correct it, or leave the state out."
            )


def _after(state: UnitState | None, running: np.ndarray, output: Floats) -> UnitState:
    """The state at the end of a plan; what ran in a free first hour has just begun."""
    if state is not None:
        return state.after(running, output)
    first = UnitState(
        running=running[0], hours=np.ones(running.shape[1], dtype=np.int64), output=output[0]
    )
    return first.after(running[1:], output[-1:]) if len(running) > 1 else first
