"""Remaining life of the machines of a long table: what it learns from, is judged on, and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.data import Split
from industry_apps.data.splits import split_by_group
from industry_apps.errors import LeakageError, ParameterError, SchemaError, nearest
from industry_apps.evaluation import Report
from industry_apps.export import Exportable
from industry_apps.features import GraphBuilder
from industry_apps.features.signals import Signal
from industry_apps.limits import OPEN_SHARE, POSITIVE, Limit, integer
from industry_apps.recipes.column_mapping import OwnNames
from industry_apps.recipes.sensors.assessment import assess_lives
from industry_apps.recipes.sensors.baselines import LifeBaselines
from industry_apps.recipes.sensors.graph import WINDOWS_A_RUN
from industry_apps.recipes.sensors.lives import LifeColumns, Lives, failures
from industry_apps.recipes.sensors.recipe import (
    LONGEST,
    TRAINING,
    TREES,
    LifeModelName,
    LifeOptions,
    LifeRecipe,
)
from industry_apps.recipes.trees import TreeOptions
from industry_apps.runtime import Panel, WindowRule
from industry_apps.runtime.series.long_tables import long_schema
from industry_apps.schema import Column, Schema, infer_columns
from industry_apps.training import TrainingOptions

Feeds = Mapping[str, NDArray[Any]]

SIGNALS = Limit(
    lambda v: isinstance(v, tuple) and all(isinstance(each, Signal) for each in v),
    "a tuple of signals, as industry_apps.features has them",
)
#: At so many ages of the machines of a table a file is proven.
_MOMENTS = 40
#: Shares of the machines.
_VALIDATION, _TEST = 0.2, 0.25
#: Units of life that pass in the same time, but for rounding.
_SAME_RATE = 0.05
#: Machines that are too few to be split.
_FEWEST_MACHINES = 4


@dataclass(kw_only=True)
class LifeTable:
    """Remaining life of each machine of a long table.

    Parameters
    ----------
    schema : Schema
        Sensors and settings, of the role "history"; whose a reading is, and of when.
    rule : WindowRule
        With clocks of the machines' own; its length is learned.
    names : LifeColumns
    sensors, settings : tuple of str
    options : LifeOptions
    """

    schema: Schema
    rule: WindowRule
    names: LifeColumns
    sensors: tuple[str, ...]
    settings: tuple[str, ...]
    options: LifeOptions

    def fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> LifeTable:
        """Learn from the machines of both tables, in folds."""
        self.schema = self.schema.with_offsets(train)
        lives, notes = self._labelled(train)
        self.split_ = {"train": described(lives)}
        self.check_ = train
        if validation is not None:
            others, more = self._labelled(validation)
            notes += more
            self._check_apart(lives.machines.tolist(), others.machines.tolist(), "validation")
            self.split_["validation"] = described(others)
            lives = lives.joined(others)
            self.check_ = validation
        self.notes_ = [*notes]
        self.machines_ = set(lives.machines.tolist())
        self.recipe_ = LifeRecipe(self.schema, self.sensors, self.settings, self.options).fit(lives)
        if still := self.recipe_.graph_.regimes.still:
            self.notes_.append(
                f"Constant or missing in training, and not read: {', '.join(map(repr, still))}."
            )
        self.windows = replace(self.rule, length=self.recipe_.length_)
        self.longest_runs_ = lives.longest_runs(self.used.inputs().names)
        self.baselines_: LifeBaselines | None = None
        return self

    def fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        """Learn what the model is compared with, from the same machines."""
        found = LifeBaselines(self.schema, self.sensors, self.settings, self.options)
        self.baselines_ = found.fit(self.learned(train, validation))

    def learned(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> Lives:
        """The machines of both tables, as they were learned from."""
        parts = [self._labelled(part)[0] for part in (train, validation) if part is not None]
        return parts[0] if len(parts) == 1 else parts[0].joined(parts[1])

    @property
    def used(self) -> Schema:
        """The columns that the file reads, and those that say whose a reading is, and of when."""
        keys = (self.names.machine, self.names.time)
        return Schema(tuple(self.schema[n] for n in (*keys, *self.recipe_.graph_.columns)))

    def asked(self, frame: pd.DataFrame) -> tuple[Feeds, pd.Index]:
        """The windows up to the last reading of each machine, and whose they are."""
        panel = Panel.read(frame, self.used, self.windows)
        feeds = panel.feeds(len(panel.times), self.used, self.windows)
        return feeds, pd.Index(panel.series, name=self.rule.series)

    def facts(self) -> dict[str, Any]:
        """What answers, as JSON values for the file."""
        return {
            **self.recipe_.facts(),
            "sensors": list(self.recipe_.graph_.regimes.sensors),
            "settings": list(self.recipe_.graph_.regimes.settings),
            "longest_runs": self.longest_runs_,
        }

    def trajectories(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The answers as of each reading, from what was known then.

        Returns
        -------
        DataFrame
            On an index of machine and time, in order.
        """
        lives = Lives.read(frame.drop(columns=self._told(frame)), self.used, self.rule, self.names)
        answers = self.recipe_.answer_at(lives, np.arange(len(lives)))
        keys = [lives.machines[lives.owner], lives.shown_times(self.rule)]
        index = pd.MultiIndex.from_arrays(keys, names=[self.rule.series, self.rule.time])
        return pd.DataFrame(answers, index=index)

    def evaluate(self, frame: pd.DataFrame) -> Report:
        """Judge it on machines that it has not learned from."""
        lives = self.unseen(frame)
        return assess_lives(
            self.recipe_,
            self.baselines_,
            lives,
            split={**self.split_, "test": described(lives)},
            notes=tuple(self.notes_),
        )

    def unseen(self, frame: pd.DataFrame) -> Lives:
        """Machines of a test."""
        if self.names.life not in frame:
            raise SchemaError(
                f"Column {self.names.life!r} is missing: without the life that was left there is "
                "nothing to compare answers with."
            )
        lives = Lives.read(frame, self.schema, self.rule, self.names)
        self._check_apart(sorted(self.machines_), lives.machines.tolist(), "test")
        return lives

    def _told(self, frame: pd.DataFrame) -> list[str]:
        return [name for name in (self.names.life, self.names.failed) if name in frame]

    def _check_apart(self, known: Sequence[str], others: Sequence[str], part: str) -> None:
        shared = sorted(set(known) & set(others))
        if shared:
            raise LeakageError(
                f"Machine {shared[0]!r} is in the {part} data and was learned from"
                f"{f', as are {len(shared) - 1} others' if len(shared) > 1 else ''}: its windows "
                "are all but those of training. Split by machine, before windows are cut."
            )

    def _labelled(self, frame: pd.DataFrame) -> tuple[Lives, list[str]]:
        """A table to learn from: what is known of the life that was left; and what to say of it."""
        names = self.names
        if names.life not in frame:
            raise SchemaError(
                f"Column {names.life!r} is missing. Add the life that was left at each reading; of "
                f"records that end with failure it is remaining_life(frame, machine="
                f"{names.machine!r}, time={names.time!r}, failed=True) of "
                "industry_apps.manufacturing."
            )
        lives = Lives.read(frame, self.schema, self.rule, names)
        unknown = np.isnan(lives.life)
        silent = np.unique(lives.owner[unknown])
        if not len(silent):
            return lives, []
        running = self._running(frame, lives)
        for machine in silent:
            if not running[machine]:
                raise SchemaError(
                    f"Column {names.life!r}: of machine {lives.machines[machine]!r} the life that "
                    "was left is not known at every reading, and nothing says that it has not "
                    f"failed. Say so in a column {names.failed!r} (False in its rows), fill in the "
                    "lives, or leave the machine out."
                )
        return self._with_least(lives, unknown)

    def _running(self, frame: pd.DataFrame, lives: Lives) -> NDArray[np.bool_]:
        """Which machines have not failed by the end of their record."""
        if self.names.failed not in frame:
            return np.zeros(len(lives.machines), dtype=bool)
        machine = long_schema(self.schema, self.rule)[self.rule.series]
        named = frame.assign(**{self.rule.series: machine.to_array(frame[self.rule.series])})
        ended = failures(named, self.rule.series, self.names.failed)
        return np.array([not ended[name] for name in lives.machines])

    def _with_least(self, lives: Lives, unknown: NDArray[np.bool_]) -> tuple[Lives, list[str]]:
        """Of a machine that still runs, what ran on for the cap or longer has a life of the cap."""
        left = (lives.times[lives.last][lives.owner] - lives.times) / _time_of_one(lives)
        told = unknown & (left >= self.options.cap)
        machines = len(np.unique(lives.owner[unknown]))
        words = (
            f"{machines} machines have not failed: of their readings {int(told.sum())} that ran on "
            f"for {self.options.cap:g} or longer are learned from as such, and "
            f"{int((unknown & ~told).sum())} are left out."
        )
        return replace(lives, life=np.where(told, left, lives.life)), [words]


def _time_of_one(lives: Lives) -> float:
    """Time in which one unit of life is used, as the machines that have failed tell.

    Infinite where they do not agree: a unit that does not go with time says nothing of the others.
    """
    known = np.flatnonzero(~np.isnan(lives.life))
    owner = lives.owner[known]
    first = known[np.append(True, owner[1:] != owner[:-1])]
    last = known[np.append(owner[1:] != owner[:-1], True)]
    used, passed = lives.life[first] - lives.life[last], lives.times[last] - lives.times[first]
    rates = passed[used > 0] / used[used > 0]
    agree = len(rates) and rates.max() <= (1 + _SAME_RATE) * rates.min()
    return float(np.median(rates)) if agree else np.inf


def described(lives: Lives) -> dict[str, Any]:
    """Machines of a part, in numbers.

    Parameters
    ----------
    lives : Lives
    """
    return {
        "machines": len(lives.machines),
        "readings": len(lives),
        "longest": int(lives.counts.max()),
    }


@dataclass(kw_only=True, eq=False, repr=False)
class HoldsLife(OwnNames):
    """A mixin of applications whose model is the remaining life of machines.

    Its parameters are those of the estimate. The class declares the columns ``machine``,
    ``time``, ``remaining_life`` and ``failed``.
    """

    sensors: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    model: LifeModelName = "blend"
    cap: Annotated[float, POSITIVE] = 125.0
    history: Annotated[int, integer(2, 2_000)] | None = None
    whole_records: bool = True
    regimes: Annotated[int, integer(1, 100)] | None = None
    features: Annotated[tuple[Signal, ...], SIGNALS] = ()
    coverage: Annotated[float, OPEN_SHARE] = 0.9
    folds: Annotated[int, integer(2, 50)] = 5
    trees: TreeOptions | None = None
    training: TrainingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    def split(self, frame: pd.DataFrame) -> Split:
        """Split a table of yours by machine: all readings of one lie in one part.

        Parameters
        ----------
        frame : DataFrame
            Long: a row for each machine and reading.
        """
        name = self._name("machine")
        if name in frame and frame[name].nunique() < _FEWEST_MACHINES:
            raise SchemaError(
                f"Column {name!r} names {frame[name].nunique()} machines, and a split by machine "
                f"needs {_FEWEST_MACHINES} or more. Give records of more machines."
            )
        return split_by_group(frame, group=name, validation=_VALIDATION, test=_TEST, seed=self.seed)

    def trajectories(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Answer each reading of a table, from what was known then.

        Parameters
        ----------
        frame : DataFrame
            As for ``predict``.

        Returns
        -------
        DataFrame
            The outputs, on an index of machine and time, in order.

        Raises
        ------
        SchemaError, NotFittedError
        """
        self._check_fitted()  # type: ignore[attr-defined]
        return self.life_.trajectories(frame)

    def plot_trajectory(self, frame: pd.DataFrame, machine: str) -> Any:
        """Draw the answers to one machine, reading by reading, beside what came if that is known.

        Parameters
        ----------
        frame : DataFrame
            As for ``predict``; with the column of the life that was left, this is drawn too.
        machine : str

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        SchemaError
            The table has no such machine.
        """
        from industry_apps.recipes.sensors.plots import trajectory_plot

        names = self._life_columns()
        own = frame[frame[names.machine].astype(str) == machine].sort_values(names.time)
        if not len(own):
            raise SchemaError(f"Column {names.machine!r} has no row of the machine {machine!r}.")
        found = self.trajectories(own)
        answers = {str(name): found[name].to_numpy() for name in found}
        life = own[names.life].to_numpy() if names.life in own else None
        return trajectory_plot(machine, found.index.get_level_values(1), answers, life)

    def _life_columns(self) -> LifeColumns:
        return LifeColumns(
            machine=self._name("machine"),
            time=self._name("time"),
            life=self._name("remaining_life"),
            failed=self._name("failed"),
        )

    def _life_table(self, train: pd.DataFrame) -> LifeTable:
        names = self._life_columns()
        keys = [names.machine, names.time, names.life, names.failed]
        own = self._own_schema()
        Schema(tuple(own[name] for name in keys[:2])).check_names(train)
        sensors, settings = self._read_columns(train, keys)
        return LifeTable(
            schema=Schema((*(own[name] for name in keys[:2]), *sensors, *settings)),
            rule=WindowRule(
                series=names.machine,
                time=names.time,
                length=1,
                step="index" if _are_numbers(train[names.time]) else "",
                as_of="series",
            ),
            names=names,
            sensors=tuple(column.name for column in sensors),
            settings=tuple(column.name for column in settings),
            options=LifeOptions(
                model=self.model,
                cap=float(self.cap),
                history=self.history,
                whole_records=self.whole_records,
                coverage=self.coverage,
                folds=self.folds,
                regimes=self.regimes,
                features=self.features,
                trees=self.trees or TREES,
                training=self.training or TRAINING,
                seed=self.seed,
            ),
        )

    def _read_columns(
        self, train: pd.DataFrame, keys: Sequence[str]
    ) -> tuple[list[Column], list[Column]]:
        """Sensors and settings: those that are named, or all further columns of numbers."""
        both = sorted(set(self.sensors) & set(self.settings))
        if both:
            raise ParameterError(
                f"The column {both[0]!r} is named among 'sensors' and 'settings'. Name it once."
            )
        for name in (*self.sensors, *self.settings):
            if name not in train or name in keys:
                near = nearest(name, [str(each) for each in train if each not in keys])
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise SchemaError(
                    f"Column {name!r} is named as a sensor or setting, and the table has none of "
                    f"that name.{hint}"
                )
        numbers = {
            column.name: Column(column.name, "number", role="history")
            for column in infer_columns(train, skip=list(keys))
            if column.kind == "number"
        }
        chosen = self.sensors or [name for name in numbers if name not in self.settings]
        found = [
            [numbers.get(name, Column(name, "number", role="history")) for name in group]
            for group in (chosen, self.settings)
        ]
        if not found[0]:
            raise SchemaError(
                f"The table has no column of numbers beside {', '.join(map(repr, keys))}: there is "
                "no sensor to learn from. Add some, or name them in 'sensors'."
            )
        return found[0], found[1]

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        held = self.life_ = self._life_table(train).fit(train, validation)
        self.schema_, self.windows_ = held.used, held.windows
        self.check_, self.split_ = held.check_, held.split_

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        self.life_.fit_baselines(train, validation)

    def _indexed(self, frame: pd.DataFrame) -> tuple[dict[str, NDArray[Any]], pd.Index]:
        feeds, index = self.life_.asked(frame)
        return self._answers(feeds), index

    def _answers(self, frame: Feeds) -> dict[str, NDArray[Any]]:
        return self.life_.recipe_.answer(frame)

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        return self.life_.recipe_.write(builder, inputs)

    def _exportable(self, precision: str = "float32") -> Exportable:
        found: Exportable = super()._exportable(precision)  # type: ignore[misc]
        return replace(found, moments=_MOMENTS, rows_a_run=WINDOWS_A_RUN)

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        return self.life_.evaluate(frame)

    def _facts(self) -> dict[str, Any]:
        return self.life_.facts()


def _are_numbers(times: pd.Series) -> bool:
    """Whether times are numbers of an index, not moments."""
    return bool(pd.api.types.is_integer_dtype(times))
