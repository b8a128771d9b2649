"""One application of windows of series on trial: asked with long tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.data.datasets import Dataset
from industry_apps.export.edges import Moment, edge_windows
from industry_apps.runtime.series.long_tables import WindowRule, long_schema
from industry_apps.runtime.series.windows import Panel, history_of
from industry_apps.schema import Schema
from industry_apps.testing.assertions import assert_that
from industry_apps.testing.trial import PARTS, Trial, Way, spread

#: Series whose windows are made difficult.
_EDGE_SERIES = 5
#: Series from which a model is learned for one check alone.
_SERIES = 6


class SeriesTrial(Trial):
    """An application that answers windows of series, as :class:`Trial` has one of records.

    Parameters
    ----------
    application_class : type of Application
    data : Dataset, optional
        Instead of the sample.
    make : callable, optional
        Gives the application that is trained; by default ``fast()`` of the class.
    """

    @cached_property
    def rule(self) -> WindowRule:
        """How the file makes windows of a long table."""
        rule = self.model.windows
        assert_that(rule is not None, "The class answers windows of series, and its file does not.")
        assert rule is not None  # for the type checker
        return rule

    @cached_property
    def inputs(self) -> Schema:
        """The columns that the file reads; whose row it is, and of when, is never missing."""
        keys = (self.rule.series, self.rule.time)
        columns = long_schema(self.model.schema, self.rule)
        return Schema(
            tuple(replace(c, nullable=c.nullable and c.name not in keys) for c in columns)
        )

    @cached_property
    def part(self) -> Dataset:
        """Some series of the data, with all of their rows."""
        names = self.names(self.everything)
        kept = [names[place] for place in spread(len(names), _SERIES)]
        parts: dict[str, Any] = {
            name: part[np.isin(self.owners(part), kept)].reset_index(drop=True)
            for name, part in self.untouched.items()
        }
        return replace(self.data, **parts)

    @cached_property
    def everything(self) -> pd.DataFrame:
        """All parts of the data, one after the other."""
        parts = [getattr(self.data, name) for name in PARTS]
        return pd.concat([part for part in parts if len(part)], ignore_index=True)

    @cached_property
    def table(self) -> pd.DataFrame:
        """The last table that can be asked about: of a forecast, history ends a horizon earlier."""
        if not self.rule.horizon:
            return self.everything
        return self.upto(self.everything, self.moments(self.everything)[-self.rule.horizon - 1])

    @property
    def asked(self) -> pd.DataFrame:
        """What the application is asked of the test part, with all that it needs."""
        return self.table if self.rule.horizon else self.data.test

    @cached_property
    def asked_moments(self) -> list[int]:
        """The moments of the test part at which it can be asked, in order."""
        tested, horizon = self.moments(self.data.test), self.rule.horizon
        if not horizon:
            return tested
        every = self.moments(self.everything)
        first = every.index(tested[0])
        return every[max(first - 1, 0) : -horizon]

    def owners(self, table: pd.DataFrame) -> NDArray[np.object_]:
        """Whose each row is."""
        return self.inputs[self.rule.series].to_array(table[self.rule.series])

    def seconds(self, table: pd.DataFrame) -> NDArray[np.int64]:
        """Of when each row is, in seconds since 1970 UTC."""
        return self.inputs[self.rule.time].to_array(table[self.rule.time])

    def names(self, table: pd.DataFrame) -> list[str]:
        """The series of a table, sorted: one answer for each."""
        return sorted(set(self.owners(table).tolist()))

    def moments(self, table: pd.DataFrame) -> list[int]:
        """The moments of a table, in order."""
        return sorted(set(self.seconds(table).tolist()))

    def upto(self, table: pd.DataFrame, moment: int) -> pd.DataFrame:
        """A table as it was once a moment was known, with what is known of the horizon."""
        seconds = self.seconds(table)
        if not self.rule.horizon:
            return table[seconds <= moment]
        after = [m for m in self.moments(table) if m > moment][: self.rule.horizon]
        known = table[seconds <= max([moment, *after])].copy()
        names = known.columns.intersection(history_of(self.model.schema))
        known.loc[self.seconds(known) > moment, names] = np.nan
        return known

    def window(self, table: pd.DataFrame) -> pd.DataFrame:
        """The last steps of a table, as many as a window and its horizon have."""
        steps = self.rule.length + self.rule.horizon
        if self.rule.own_clocks:
            return table[self.rows_behind(table) < steps]
        return table[self.seconds(table) >= self.moments(table)[-steps:][0]]

    def rows_of(self, table: pd.DataFrame) -> NDArray[np.int64]:
        """How many rows each series has, [series]."""
        return np.unique(self.owners(table), return_counts=True)[1]

    def rows_behind(self, table: pd.DataFrame) -> NDArray[np.int64]:
        """How many later rows of its series there are behind each row."""
        seconds = pd.Series(self.seconds(table))
        ranks = seconds.groupby(self.owners(table)).rank(method="first", ascending=False)
        return ranks.to_numpy().astype(np.int64) - 1

    def latest(self, table: pd.DataFrame) -> int:
        """The last moment of a table of which history is known."""
        names = table.columns.intersection(history_of(self.model.schema))
        told = table[names].notna().any(axis=1) if self.rule.horizon else slice(None)
        return self.moments(table[told])[-1]

    def records(self, rows: int) -> pd.DataFrame:
        """The last windows of some series, as a table that gets ``rows`` answers."""
        window = self.window(self.table)
        names = self.names(window)
        kept = np.isin(self.owners(window), [names[place] for place in spread(len(names), rows)])
        return window[kept].reset_index(drop=True)

    def edges(self) -> tuple[pd.DataFrame, ...]:
        """Tables of windows made to be difficult."""
        return tuple(self._edges())

    def framed(self, answers: Any, frame: pd.DataFrame) -> pd.DataFrame:
        """Answers to a table, given in another form, as a frame."""
        del frame
        table = pd.DataFrame(answers)
        if self.rule.horizon:  # where answers are JSON, times are texts
            table[self.rule.time] = pd.to_datetime(table[self.rule.time]).astype("datetime64[s]")
        return table.set_index(self.rule.keys)

    def ways(self) -> tuple[Way, ...]:
        """All ways to ask; they have to agree."""
        return tuple(way for way in super().ways() if not way.one_by_one)

    def _edges(self) -> Iterator[pd.DataFrame]:
        schema, rule = self.model.schema, self.rule
        panel = Panel.read(self.records(_EDGE_SERIES), schema, rule)
        steps, history = rule.length + rule.horizon, history_of(schema)
        times = np.array(self.moments(self.table)[-steps:])
        required = [column.name for column in self.inputs if not column.nullable]
        for moment in edge_windows(panel, schema, rule):
            laid = _laid_out(moment, times, [rule.series, rule.time])
            table = laid.to_frame(rule).dropna(subset=required)
            told = len(table) and (not rule.horizon or table[history].notna().any(axis=None))
            if told:  # without any history there is no moment to forecast from
                yield table.reset_index(drop=True)


def _laid_out(moment: Moment, times: NDArray[np.int64], keys: Sequence[str]) -> Panel:
    """Inputs of a model as the panel that they are made of; what is no window is repeated."""
    columns = {}
    for name, values in moment.feeds.items():
        if name in keys:
            continue
        if 1 < values.shape[1] < len(times):  # a history, which ends before the horizon
            behind = ((0, 0), (0, len(times) - values.shape[1]))
            values = np.pad(values, behind, constant_values=np.nan)  # noqa: PLW2901
        columns[name] = np.broadcast_to(values.T, (len(times), len(moment.series)))
    return Panel(times, moment.series, columns)
