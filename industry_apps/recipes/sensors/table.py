"""Remaining life of the machines of a long table: learned, judged, and answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import LeakageError, SchemaError
from industry_apps.evaluation import Report
from industry_apps.recipes.sensors.assessment import assess_lives
from industry_apps.recipes.sensors.baselines import LifeBaselines
from industry_apps.recipes.sensors.lives import LifeColumns, Lives, failures, spans
from industry_apps.recipes.sensors.recipe import (
    LifeOptions,
    LifeRecipe,
)
from industry_apps.recipes.separating import Told, telling_columns
from industry_apps.runtime import Panel, WindowRule
from industry_apps.runtime.series.long_tables import long_schema
from industry_apps.schema import Schema

Feeds = Mapping[str, NDArray[Any]]

_LEFT = Told(
    "the life that is left",
    "Leave it out of the table, or name the sensors without it in 'sensors',",
)
#: Units of life that pass in the same time, but for rounding.
_SAME_RATE = 0.05


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
        # A model learns lives up to the cap, and a column may tell them as such.
        outcomes = lives.life, np.minimum(lives.life, self.options.cap)
        self.separating_ = telling_columns(self.schema, lives.columns, outcomes, _LEFT)
        self.notes_ = [*notes, *map(str, self.separating_)]
        self.machines_ = set(lives.machines.tolist())
        self.recipe_ = LifeRecipe(self.schema, self.sensors, self.settings, self.options).fit(lives)
        if still := self.recipe_.graph_.regimes.still:
            self.notes_.append(
                f"Constant or missing in training, and not read: {', '.join(map(repr, still))}."
            )
        self.windows = replace(self.rule, length=self.recipe_.length_)
        self.longest_runs_ = lives.longest_runs(self.used.inputs().names)
        self.extremes_ = lives.extremes(self.used.inputs().names)
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
            "extremes": self.extremes_,
            "notes": [*map(str, self.separating_)],
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
    first, last = (known[places] for places in spans(lives.owner[known]))
    used, passed = lives.life[first] - lives.life[last], lives.times[last] - lives.times[first]
    rates = passed[used > 0] / used[used > 0]
    agree = len(rates) > 0 and rates.max() <= (1 + _SAME_RATE) * rates.min()
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
