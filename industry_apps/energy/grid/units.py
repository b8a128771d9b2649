"""What the case format does not say of generating units: ramps, minimum times, start-ups.

The table of the IEEE Reliability Test System is from C. Grigg et al. (1999), "The IEEE Reliability
Test System-1996", IEEE Trans. Power Systems 14(3):1010-1020, doi:10.1109/59.780914: minimum up and
down times and ramp rates of each unit group, the heat of a cold start, and the prices of fuel per
heat that the paper assumes. A start costs its heat at that price. For the hydro units (U50) the
paper has no limits and no heat, and for the nuclear units (U400) no heat: their starts cost nothing
here. The case file has 1 500 $ for every start instead, whatever the unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from industry_apps.energy.grid.cases import Case, Floats
from industry_apps.energy.grid.reading.fields import Reader, keep_checked, numbers
from industry_apps.errors import SchemaError, unknown_name
from industry_apps.schema import Column, Schema


class UnitGroup(NamedTuple):
    """A kind of unit of the Reliability Test System.

    Parameters
    ----------
    megawatts : float
        Capacity, by which units are recognised.
    up, down : int
        Least hours that it runs, and stands still.
    ramp : float
        In MW/min.
    heat : float
        Of a cold start in MBtu.
    fuel : float
        Price in $/MBtu: oil no. 6 2.30, oil no. 2 3.00, coal 1.20, nuclear 0.60.
    """

    megawatts: float
    up: int
    down: int
    ramp: float
    heat: float
    fuel: float


#: Name of the unit group -> its data.
RTS96: dict[str, UnitGroup] = {
    "U12": UnitGroup(12, 4, 2, 1, 68, 2.30),
    "U20": UnitGroup(20, 1, 1, 3, 5, 3.00),
    "U50": UnitGroup(50, 0, 0, np.inf, 0, 0.00),
    "U76": UnitGroup(76, 8, 4, 2, 596, 1.20),
    "U100": UnitGroup(100, 8, 8, 7, 566, 2.30),
    "U155": UnitGroup(155, 8, 8, 3, 953, 1.20),
    "U197": UnitGroup(197, 12, 10, 3, 775, 2.30),
    "U350": UnitGroup(350, 24, 48, 4, 4468, 1.20),
    "U400": UnitGroup(400, 1, 1, 20, 0, 0.60),
}


#: Minimum times are at most so long: a year.
_MOST_HOURS = 8760


@dataclass(frozen=True, eq=False, kw_only=True)
class UnitLimits:
    """How units start, stop and ramp; one value for each generator of a case.

    Parameters
    ----------
    up, down : ndarray of int, shape [generators]
        Least hours that a unit runs once started, and stands still once stopped, in [0, 8760].
    ramp : ndarray of shape [generators]
        Most MW by which its output changes within an hour, > 0; infinite where it is not limited.
    start_cost : ndarray of shape [generators]
        In $, >= 0.

    Examples
    --------
    >>> from industry_apps.energy.grid.example import example_case
    >>> table = pd.DataFrame({
    ...     "generator": ["g1", "g2", "g3", "g4", "g5"],
    ...     "min_up_h": [8, 6, 2, 2, 1],
    ...     "min_down_h": [8, 6, 2, 2, 1],
    ...     "ramp_mw_per_h": [60, 50, 70, 80, float("inf")],
    ...     "start_cost": [2000, 1200, 300, 250, 50],
    ... })
    >>> UnitLimits.from_table(table, example_case()).up.tolist()
    [8, 6, 2, 2, 1]
    """

    up: NDArray[np.int64]
    down: NDArray[np.int64]
    ramp: Floats
    start_cost: Floats

    def __post_init__(self) -> None:
        times = {name: numbers(name, np.int64, high=_MOST_HOURS) for name in ("up", "down")}
        cost = numbers("start_cost")
        keep_checked(self, "generator", **times, ramp=_ramps_of("ramp"), start_cost=cost)

    @classmethod
    def from_table(cls, table: pd.DataFrame, case: Case) -> Self:
        """Read a table of units.

        Parameters
        ----------
        table : DataFrame
            A row for each generator in service: ``generator`` (as ``g3``, the row in the case),
            ``min_up_h``, ``min_down_h``, ``ramp_mw_per_h`` (``inf`` for a unit without a limit),
            ``start_cost``.
        case : Case

        Raises
        ------
        SchemaError
            A value is missing: a missing ramp is neither 0 nor no limit.
        UnknownNameError
            There is no such generator.
        """
        frame = table.copy()
        _TABLE.check_names(frame)
        ramps = _ramps_of("ramp_mw_per_h")(frame["ramp_mw_per_h"])
        frame["ramp_mw_per_h"] = ramps
        _TABLE.validate(frame.assign(ramp_mw_per_h=np.where(np.isinf(ramps), 1.0, ramps)))
        names = case.generator_names
        for name in frame["generator"]:
            if name not in names:
                raise unknown_name("generator", str(name), names)
        told = frame["generator"].tolist()
        for name in names:
            if told.count(name) != 1:
                raise SchemaError(
                    f"Column 'generator': {name!r} is there {told.count(name)} times, expected "
                    "once. Give a row for each generator in service."
                )
        frame = frame.set_index("generator").loc[names]
        return cls(
            up=frame["min_up_h"].to_numpy(),
            down=frame["min_down_h"].to_numpy(),
            ramp=frame["ramp_mw_per_h"].to_numpy(),
            start_cost=frame["start_cost"].to_numpy(),
        )

    @classmethod
    def from_case(cls, case: Case, *, up: ArrayLike, down: ArrayLike) -> Self:
        """Take ramps and start-up costs from the case; the minimum times are not in it.

        Parameters
        ----------
        case : Case
        up, down : array-like of shape [generators]
            In hours.

        Raises
        ------
        SchemaError
            The case has no ramp of a generator, or a value cannot be.
        """
        generators = case.generators
        missing = np.isnan(generators.ramp)
        if missing.any():
            raise SchemaError(
                f"Column 'ramp_agc' of the generators of {case.name!r} is empty or 0 in row "
                f"{generators.row[missing][0]}, and in {int(missing.sum())} of {len(missing)}. A "
                "missing ramp is not 0. Give a table by UnitLimits.from_table, with inf where a "
                "unit has no limit."
            )
        return cls(
            up=up,  # type: ignore[arg-type]
            down=down,  # type: ignore[arg-type]
            ramp=generators.ramp * 60,
            start_cost=generators.start_cost,
        )


#: The table of :meth:`UnitLimits.from_table`; ramps without a limit are taken out before.
_TABLE = Schema(
    (
        Column("generator", "category", nullable=False),
        *(
            Column(name, "number", unit="h", low=0, high=_MOST_HOURS, whole=True, nullable=False)
            for name in ("min_up_h", "min_down_h")
        ),
        Column("ramp_mw_per_h", "number", unit="MW/h", low=0, nullable=False),
        Column("start_cost", "number", unit="$", low=0, nullable=False),
    )
)


def _ramps_of(name: str) -> Reader:
    """What reads ramps of a name; a missing one and 0 are refused."""

    def read(values: ArrayLike) -> Floats:
        given = pd.Series(values, dtype=object)  # as which dates are no numbers
        ramps = pd.to_numeric(given, errors="coerce").to_numpy(np.float64)
        wrong = ~(ramps > 0)
        if wrong.any():
            row = int(wrong.argmax())
            raise SchemaError(
                f"Column {name!r}, row {row}: got {given.tolist()[row]!r}, expected MW/h > 0. A "
                "missing ramp is neither 0 nor no limit: find it, or give inf for a unit that has "
                "no limit."
            )
        return ramps

    return read


def rts96_units(case: Case) -> UnitLimits:
    """Limits of the units of ``case24_ieee_rts``, recognised by their capacities.

    Parameters
    ----------
    case : Case
        Each generator has the capacity of a unit group of the Reliability Test System, or 0 MW (a
        synchronous condenser).

    Raises
    ------
    SchemaError
        A capacity is none of these.

    Examples
    --------
    >>> RTS96["U350"].heat * RTS96["U350"].fuel
    5361.599999999999
    """
    groups = {group.megawatts: group for group in RTS96.values()}
    groups[0.0] = UnitGroup(0, 0, 0, np.inf, 0, 0)
    found = []
    for row, most in zip(case.generators.row, case.generators.most, strict=True):
        if float(most) not in groups:
            raise SchemaError(
                f"Table 'gen', row {row}: no unit of the Reliability Test System has {most:g} MW; "
                f"they have {sorted(groups)}. Give a table by UnitLimits.from_table."
            )
        found.append(groups[float(most)])
    return UnitLimits(
        up=np.array([g.up for g in found], dtype=np.int64),
        down=np.array([g.down for g in found], dtype=np.int64),
        ramp=np.array([g.ramp * 60 for g in found]),
        start_cost=np.array([g.heat * g.fuel for g in found]),
    )


#: Hours since the last start or stop are at most so many.
_LONGEST = 10**9
#: Outputs of a solver are as exact as this.
NEGLIGIBLE_MW = 1e-3
_RUNNING = Column("running", "boolean", nullable=False)


@dataclass(frozen=True, eq=False, kw_only=True)
class UnitState:
    """What units do at the end of an hour, from which the next one goes on.

    Parameters
    ----------
    running : ndarray of bool, shape [generators]
    hours : ndarray of int, shape [generators]
        Since the last start or stop, >= 1.
    output : ndarray of shape [generators]
        In MW; 0 of those that stand still.
    """

    running: NDArray[np.bool_]
    hours: NDArray[np.int64]
    output: Floats

    def __post_init__(self) -> None:
        keep_checked(
            self,
            "generator",
            running=lambda values: _RUNNING.to_array(values).astype(bool),
            hours=numbers("hours", np.int64, low=1, high=_LONGEST),
            output=numbers("output", low=None),
        )
        wrong = ~self.running & (np.abs(self.output) > NEGLIGIBLE_MW)
        if wrong.any():
            row = int(wrong.argmax())
            raise SchemaError(
                f"Column 'output', row {row}: got {self.output[row]:g} MW of a generator that "
                "stands still, expected 0. Correct one of 'output' and 'running'."
            )

    def after(self, running: NDArray[np.bool_], output: Floats) -> UnitState:
        """The state some hours later.

        Parameters
        ----------
        running : ndarray of bool, shape [hours, generators]
        output : ndarray of shape [hours, generators]
        """
        was, hours = self.running, self.hours
        for now in running:
            hours = np.where(now == was, hours + 1, 1)
            was = now
        return UnitState(running=was, hours=hours, output=output[-1])
