"""Records of a plant in a table: what a forecast of its output learns from, and is judged on."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.data import Split
from industry_apps.data.leakage import check_leakage
from industry_apps.data.time_shifts import TimeShift
from industry_apps.errors import SchemaError, UnlikeTrainingWarning
from industry_apps.evaluation import Report
from industry_apps.evaluation.sections import Section
from industry_apps.features import GraphBuilder
from industry_apps.features.formulas import Formula
from industry_apps.limits import POSITIVE, one_of, wrong_parameter
from industry_apps.recipes.column_mapping import OwnNames
from industry_apps.recipes.power.assessment import Asked, assess_power
from industry_apps.recipes.power.baselines import Climatology, alone, plain_trees
from industry_apps.recipes.power.checks import (
    check_once,
    check_one_unit,
    check_steps,
    corrected,
    levels_of,
    of_one_lead,
    of_other_unit,
    rated_power,
    with_output,
)
from industry_apps.recipes.power.outputs import LEVELS
from industry_apps.recipes.power.ramps import ramps_of
from industry_apps.recipes.power.recipe import (
    TREES,
    Physics,
    PowerModel,
    PowerOptions,
    PowerRecipe,
)
from industry_apps.recipes.power.records import Arrays, PowerRows
from industry_apps.recipes.trees import TreeOptions
from industry_apps.schema import Schema

#: Of a table without parts of its own: shares of the moments, the latest for the test.
_TRAIN, _VALIDATION = 0.7, 0.85
#: Output beyond so many times the capacity, or never above this share of it, is in another unit.
_MOST, _LEAST = 1.5, 0.02
#: With more of the records without weather there is nothing to compare clocks with.
_MOST_UNKNOWN = 0.5
_LEFT_OUT = "Nothing is answered by {}, of which too few records of training tell something."

_DAY = 86_400


@dataclass(kw_only=True, eq=False, repr=False)
class HoldsPower(OwnNames):
    """A mixin of applications that forecast the output of a plant."""

    name: ClassVar[str]
    schema: ClassVar[Schema]
    outputs: ClassVar[Schema]
    #: The column of the lead time and its unit; the columns of the weather, of which the first has
    #: to be known; the output that persists.
    lead: ClassVar[str]
    lead_unit: ClassVar[str]
    weather: ClassVar[tuple[str, ...]]
    persists: ClassVar[str]
    #: Columns of the output of the past.
    recent: ClassVar[tuple[str, ...]]

    model: PowerModel = "trees"
    capacity: Annotated[float, POSITIVE] | None = None
    time_shifts: Annotated[str, one_of(("refuse", "correct", "accept"))] = "refuse"
    trees: TreeOptions | None = None

    def split(self, frame: pd.DataFrame) -> Split:
        """Split a table by time: the latest 15 % of its days for the test, as many before.

        Parameters
        ----------
        frame : DataFrame

        Raises
        ------
        SchemaError
        """
        days = self._arrays(frame, ("time",))["time"] // _DAY
        told = np.unique(days)
        if len(told) < 10:
            raise SchemaError(
                f"The table has records of {len(told)} days, expected 10 or more to split by time. "
                "Give a longer table."
            )
        ends = told[[int(_TRAIN * len(told)), int(_VALIDATION * len(told))]]
        parts = (days < ends[0], (days >= ends[0]) & (days < ends[1]), days >= ends[1])
        return Split(*(frame[part].reset_index(drop=True) for part in parts))

    @abstractmethod
    def _physics(self, arrays: Arrays, power: NDArray[np.float64]) -> Physics:
        """What is known of the plant; not yet learned."""

    @abstractmethod
    def _clock_shifts(self, arrays: Arrays, power: NDArray[np.float64]) -> list[TimeShift]:
        """Of records of one lead time: when the output runs behind its weather, or before it."""

    def _weather_shifts(self, arrays: Arrays) -> list[str]:
        """Of records of one lead time: what is wrong with the clock of the weather, in words."""
        del arrays
        return []

    @abstractmethod
    def _sections(self, arrays: Arrays, power: NDArray[np.float64]) -> tuple[Section, ...]:
        """Of the report, what this kind of plant has."""

    def _further_baselines(
        self, arrays: Arrays, usual: NDArray[np.float64]
    ) -> dict[str, NDArray[np.float64]]:
        """System -> mean and quantiles as shares [N, 1 + Q], where this kind of plant has some.

        Parameters
        ----------
        arrays : mapping of str to ndarray of shape [N]
        usual : ndarray of shape [N]
            What the climatology says.
        """
        del arrays, usual
        return {}

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        if validation is None:
            parts = self.split(train)
            train, validation = parts.train, pd.concat([parts.validation, parts.test])
        self.check_ = validation
        parts_ = [self._rows(part) for part in (train, validation)]
        every = parts_[0].joined(parts_[1])
        check_once(every.arrays, self.lead, self._name("time"))
        self.levels_ = levels_of(every.arrays, self._numbers())
        most = {name: float(np.nan_to_num(every.arrays[name]).max()) for name in self.recent}
        parts_ = [with_output(each, self._name("power")) for each in parts_]
        check_one_unit(parts_[0].joined(parts_[1]), self._name("power"))
        parts_ = self._on_one_clock(parts_)
        every = parts_[0].joined(parts_[1])
        self.capacity_ = self._rated(every)
        rows = [PowerRows(each.arrays, each.share / self.capacity_) for each in parts_]
        physics = self._physics(every.arrays, every.share / self.capacity_)
        options = PowerOptions(model=self.model, quantiles=LEVELS, trees=self.trees or TREES)
        self.recipe_ = PowerRecipe(physics, self.capacity_, options).fit(*rows)
        self.notes_ = [*self.time_shifts_, *map(_LEFT_OUT.format, self.recipe_.left_out)]
        self.split_: Mapping[str, Mapping[str, Any]] = {
            name: self._told(each) for name, each in zip(("train", "validation"), rows, strict=True)
        }
        self.schema_ = self._limited(most)
        self.rivals_: dict[str, PowerRecipe] = {}
        self.climatology_: Climatology | None = None
        self.last_ = max(int(each.arrays["time"].max()) for each in rows)

    def _rows(self, frame: pd.DataFrame) -> PowerRows:
        """Columns and output in its unit."""
        arrays = self._arrays(frame, (*self._canonical(), "power"))
        return PowerRows(arrays, arrays.pop("power").astype(np.float64))

    def _limited(self, most: Mapping[str, float]) -> Schema:
        """What is read: recent output is not far above the capacity, or above all of training."""
        own, power = self._own_schema(), self._name("power")
        high = {self._name(n): max(_MOST * self.capacity_, x) for n, x in most.items()}
        read = (c for c in own if c.name != power)
        return Schema(tuple(replace(c, high=high[c.name]) if c.name in high else c for c in read))

    def _numbers(self) -> tuple[str, ...]:
        """Columns of numbers whose size tells their unit."""
        return tuple(name for name in self._canonical() if name not in ("time", self.lead))

    def _canonical(self) -> tuple[str, ...]:
        return tuple(name for name in self.schema.names if name != "power")

    def _arrays(self, frame: pd.DataFrame, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
        """Columns under the names of the class."""
        own = self._own_schema()
        wanted = Schema(tuple(own[self._name(name)] for name in names))
        arrays = wanted.to_arrays(frame)
        return {name: arrays[self._name(name)] for name in names}

    def _on_one_clock(self, parts: list[PowerRows]) -> list[PowerRows]:
        """Refuse or correct what the clocks of output and weather have not in common."""
        self.time_shifts_: list[str] = []
        every = parts[0].joined(parts[1])
        chosen = self._compared(every.arrays)
        if not len(chosen):
            return parts
        check_steps(every.arrays["time"], chosen, self._name("time"))
        arrays = {name: x[chosen] for name, x in every.arrays.items()}
        wrong = self._weather_shifts(arrays)
        shifts = self._clock_shifts(arrays, every.share[chosen])
        found = [*wrong, *(f"output is {shift}, as its weather goes" for shift in shifts)]
        if wrong or (shifts and self.time_shifts == "refuse"):
            raise SchemaError(
                f"Column {self._name('time')!r}: {'; '.join(found[:6])}. Expected one clock for "
                "output and weather. Give times of both in UTC (a meter may follow the clock on "
                "the wall), correct output by industry_apps.data.time_shifts, or set "
                'time_shifts="accept" where it is meant.'
            )
        self.time_shifts_ = [f"Corrected before learning: {each}." for each in found]
        return [corrected(part, self.lead, shifts) for part in parts] if shifts else parts

    def _compared(self, arrays: Arrays) -> NDArray[np.int64]:
        """Rows of one lead time whose clocks are compared: none without weather to compare with."""
        rows = of_one_lead(arrays, self.lead)
        unknown = np.isnan(arrays[self.weather[0]][rows]).mean()
        return rows[:0] if self.time_shifts == "accept" or unknown > _MOST_UNKNOWN else rows

    def _rated(self, rows: PowerRows) -> float:
        """The capacity, learned where it is not given; units are told from it."""
        _, first = np.unique(rows.arrays["time"], return_index=True)
        reached = rated_power(rows.share[first])
        power = self._name("power")
        if reached <= 0:
            raise SchemaError(
                f"Column {power!r}: no output above 0 is reached by more than a few records, "
                "expected the output of a plant. Give records of a time when it ran."
            )
        if self.capacity is None:
            return float(np.float32(reached))
        if not _LEAST <= reached / self.capacity <= _MOST:
            raise SchemaError(
                f"Column {power!r}: the plant reaches {reached:g}, and capacity is "
                f"{self.capacity:g}: kW for MW, or W for kW? Give both in one unit, or leave the "
                "capacity out to have it learned."
            )
        return self.capacity

    def _told(self, rows: PowerRows) -> dict[str, Any]:
        time = rows.arrays["time"].astype("datetime64[s]")
        return {"rows": len(time), "first": str(time.min()), "last": str(time.max())}

    def _indexed(self, frame: pd.DataFrame) -> tuple[dict[str, NDArray[Any]], pd.Index]:
        arrays = self._own_names(self.schema_.to_arrays(frame), len(frame))
        for words in self._doubts(arrays):
            warnings.warn(words, UnlikeTrainingWarning, stacklevel=3)  # by who calls predict
        return self._forecast(arrays), frame.index

    def _doubts(self, arrays: Arrays) -> Iterator[str]:
        """Name what is asked about as if in another unit, or at other times."""
        asked = levels_of(arrays, self._numbers())
        own = {name: self._name(name) for name in asked}
        yield from of_other_unit(asked, self.levels_, own)
        if not asked:  # of a few records nothing is told
            return
        chosen = self._compared(arrays)
        if not len(chosen):
            return
        with suppress(SchemaError):  # of times that lie on no steps nothing is told
            for each in self._weather_shifts({name: x[chosen] for name, x in arrays.items()}):
                yield (
                    f"Column {self._name('time')!r}: {each}. Are the rows of the weather shifted, "
                    "or the times in another zone? The answers rest on them: correct the rows, or "
                    "give times in UTC."
                )

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        return self._forecast(self._own_names(self.schema_.to_arrays(frame), len(frame)))

    def _forecast(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        values, chosen = self.recipe_.forecast(self.recipe_.read(arrays))
        basis = np.empty(len(arrays["time"]), dtype=object)
        for view, rows in chosen.items():
            basis[rows] = view
        names = self.outputs.names
        return {**dict(zip(names, values.T, strict=False)), names[-1]: basis}

    def _own_names(self, arrays: Arrays, rows: int) -> dict[str, NDArray[Any]]:
        """Columns under the names of the class; those that training did not have are missing."""
        blank = np.full(rows, np.nan, dtype=np.float32)
        return {name: arrays.get(self._name(name), blank) for name in self._canonical()}

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        time = inputs[self._name("time")]
        blank = Formula(builder, builder.cast(time, np.float32)) * 0 + float("nan")
        told = {n: inputs.get(self._name(n), blank.tensor) for n in self._canonical()}
        values, basis = self.recipe_.write(builder, told)
        return dict(zip(self.outputs.names, [*values, basis], strict=True))

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        parts = [train] if validation is None else [train, validation]
        rows = [self._rows(part) for part in parts]
        rows = [PowerRows(each.arrays, each.share / self.capacity_) for each in rows]
        every = rows[0] if len(rows) == 1 else rows[0].joined(rows[1])
        self.climatology_ = Climatology(LEVELS).fit(every.arrays["time"], every.share)
        schema, capacity = self.recipe_.physics.schema, self.capacity_
        options = PowerOptions(model="physics", quantiles=LEVELS)
        rivals = {"lightgbm": plain_trees(schema, self.weather, capacity, LEVELS)}
        if self.model != "physics":
            rivals["physics"] = PowerRecipe(copy(self.recipe_.physics), capacity, options)
        self.rivals_ = {name: each.fit(rows[0], rows[-1]) for name, each in rivals.items()}

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        rows = self._rows(frame)
        known = pd.DataFrame({"time": [pd.Timestamp(self.last_, unit="s")]})
        asked_ = pd.DataFrame({"time": rows.arrays["time"].astype("datetime64[s]")})
        check_leakage(known, asked_, time="time")
        read = self.recipe_.read(rows.arrays)
        share = rows.share / self.capacity_
        judged = read.judged & ~np.isnan(share)
        arrays = {name: x[judged] for name, x in rows.arrays.items()}
        share, power = share[judged], rows.share[judged]
        asked = Asked(
            came=share,
            day=arrays["time"] // _DAY,
            lead=arrays[self.lead].astype(np.float64),
            levels=LEVELS,
            lead_unit=self.lead_unit,
        )
        return assess_power(
            asked,
            self._systems(arrays, ()),
            self._systems(arrays, self.weather),
            model=self.model,
            split={**self.split_, "test": self._told(PowerRows(arrays, share))},
            sections=self._sections(arrays, power),
            notes=tuple(self.notes_),
        )

    def _systems(self, arrays: Arrays, withheld: tuple[str, ...]) -> dict[str, NDArray[np.float64]]:
        """System -> mean and quantiles as shares; without some columns."""
        known = {n: np.full_like(x, np.nan) if n in withheld else x for n, x in arrays.items()}
        answers = {
            name: each.forecast(each.read(known))[0].astype(np.float64) / self.capacity_
            for name, each in {"model": self.recipe_, **self.rivals_}.items()
        }
        if self.climatology_ is None:  # of a pickle, which holds no tables
            return answers
        usual = self.climatology_.forecast(arrays["time"])
        last = arrays[self.persists].astype(np.float64) / self.capacity_
        answers["climatology"] = usual
        answers["persistence"] = alone(np.where(np.isnan(last), usual[:, 0], last), LEVELS)
        return {**answers, **self._further_baselines(known, usual[:, 0])}

    def ramps(self, frame: pd.DataFrame, *, share: float = 0.2) -> pd.DataFrame:
        """Changes of the expected output from one time to the next, of records of one lead time.

        Parameters
        ----------
        frame : DataFrame
            Records as of :meth:`predict`.
        share : float
            A change by so much of the capacity, or more, is a ramp; > 0.

        Returns
        -------
        DataFrame
            ``time``, ``change`` in the unit of the output, ``ramp`` ("up", "down" or ""); of each
            time but the first, in order. NaN and "" behind a gap.

        Raises
        ------
        SchemaError
            A time comes twice.
        ParameterError
        """
        if not POSITIVE.holds(share):
            raise wrong_parameter(f"{type(self).__name__}.ramps", "share", POSITIVE.words, share)
        answers = self.predict(frame)  # type: ignore[attr-defined]
        time = self._arrays(frame, ("time",))["time"]
        order = np.argsort(time, kind="stable")
        twice = np.flatnonzero(np.diff(time[order]) == 0)
        if len(twice):
            moment = np.datetime64(int(time[order][twice[0]]), "s")
            raise SchemaError(
                f"Column {self._name('time')!r}: got {moment} UTC twice, expected each time once. "
                "Ask about the records of one lead time."
            )
        power = answers.iloc[order, 0].to_numpy(np.float64)
        return ramps_of(time[order], power, share * self.capacity_)

    def _facts(self) -> dict[str, Any]:
        return {"model": self.model, "capacity": float(self.capacity_)}
