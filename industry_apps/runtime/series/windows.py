"""Long tables of series, and the windows of their history that models answer from.

The same code makes the windows of training, of the proof at export and of serving, so that
a model sees in service what it has learned from.

Letters in shapes: T times, S series, L steps of a window, R rows of a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from industry_apps.errors import LeakageError, ParameterError, SchemaError
from industry_apps.runtime.inputs import Feeds, run_in_slices
from industry_apps.runtime.series.grids import MISSING, is_missing_in, laid_out
from industry_apps.runtime.series.issues import Issues
from industry_apps.runtime.series.long_tables import WindowRule, long_schema, moment_of
from industry_apps.runtime.series.row_keys import measured_of, read_keys
from industry_apps.runtime.steps import Calendar
from industry_apps.schema import Schema


@dataclass(frozen=True, eq=False)
class Panel:
    """Many series side by side, at the moments of all of them.

    A step at which a series has no row, or one without any value, is missing.

    Parameters
    ----------
    times : ndarray of int64, shape [T]
        Seconds since 1970 UTC, strictly increasing; of series with clocks of their own
        (``WindowRule.as_of``) numbers of rows, all series ending with the last.
    series : ndarray of str, shape [S]
        Sorted names.
    columns : mapping of str to ndarray of shape [T, S]
        Inputs of the model in the type of their ONNX input: numbers and booleans as float32,
        as float64 those with an offset, NaN where a series has no value at a time.
    calendar : Calendar
        Which moments are steps, where there are such without a row too.
    clocks : ndarray of int64, shape [T, S], optional
        Of series with clocks of their own: when each row was.
    issues : Issues, optional
        Of columns known in advance by forecasts: these, as they were issued. ``columns`` holds
        what was measured.

    Examples
    --------
    >>> from industry_apps.schema import Column
    >>> schema = Schema((Column(name="close", kind="number", role="history"),))
    >>> rule = WindowRule(series="ticker", time="date", length=3)
    >>> table = {
    ...     "ticker": ["B", "A", "A"],
    ...     "date": ["2024-01-03", "2024-01-02", "2024-01-03"],
    ...     "close": [7.0, 1.0, 2.0],
    ... }
    >>> panel = Panel.read(table, schema, rule)
    >>> panel.window(stop=2, length=3)["close"]
    array([[nan,  1.,  2.],
           [nan, nan,  7.]], dtype=float32)
    """

    times: NDArray[np.int64]
    series: NDArray[np.object_]
    columns: Mapping[str, NDArray[Any]]
    calendar: Calendar = field(default_factory=Calendar)
    clocks: NDArray[np.int64] | None = None
    issues: Issues | None = None

    @classmethod
    def read(cls, table: Any, schema: Schema, rule: WindowRule) -> Self:
        """Check a long table and lay its series side by side.

        Parameters
        ----------
        table : DataFrame or mapping of str to sequence of shape [R]
            One row for each series and moment, in any order. Columns that neither the
            schema nor the rule names are ignored.
        schema : Schema
            Its inputs are read.
        rule : WindowRule

        Raises
        ------
        SchemaError
            There is no row, a column is missing, a value does not fit its column, a row has
            no series or no time, a series has two rows of one moment, or the times are of
            several time zones.
        """
        arrays: Mapping[str, Any] = long_schema(schema, rule).to_arrays(table)
        keys, issues, rows = read_keys(table, arrays, rule), None, measured_of(arrays, rule)
        if rule.issued:
            issues = Issues.read(table, arrays, keys, rule)
            arrays = {name: values[rows] for name, values in arrays.items()}
            keys = keys.of(rows)
        times, names, cells = keys
        shape = (len(times), len(names))
        columns = {
            column.name: laid_out(arrays[column.name], cells, shape)
            for column in schema.inputs()
            if not rule.is_clock(column)
        }
        clocks = laid_out(arrays[rule.time], cells, shape) if rule.own_clocks else None
        return cls(times, names, columns, rule.calendar, clocks, issues)

    def part(self, steps: slice = slice(None), series: Any = slice(None)) -> Self:
        """Some of the steps, one after the other, of some of the series, by their places."""
        columns = {name: grid[steps, series] for name, grid in self.columns.items()}
        clocks = None if self.clocks is None else self.clocks[steps, series]
        times, names = self.times[steps], self.series[series]
        return replace(self, times=times, series=names, columns=columns, clocks=clocks)

    def moments(self, start: int, stop: int) -> NDArray[np.int64]:
        """The moments of some steps, also of those before the first and behind the last.

        Parameters
        ----------
        start, stop : int
            The stop is left out.
        """
        return self.calendar.moments(int(self.times[0]), start, stop)

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """Where a series has any value, [T, S]."""
        return np.any([~is_missing_in(grid) for grid in self.columns.values()], axis=0)

    @cached_property
    def _latest_steps(self) -> NDArray[np.int64]:
        """The last step up to each at which a series has any value, or -1, [T, S]."""
        steps = np.where(self.present, np.arange(len(self.times))[:, None], -1)
        latest: NDArray[np.int64] = np.maximum.accumulate(steps, axis=0)
        return latest

    def window(
        self, stop: int, length: int, names: Sequence[str] | None = None
    ) -> dict[str, NDArray[Any]]:
        """The steps before ``stop``: what is known once the moment ``stop - 1`` is.

        Parameters
        ----------
        stop : int
            From 0 to T; the window ends with the step before it.
        length : int
            Steps; where there are fewer, NaN stands in front of them.
        names : sequence of str, optional
            Columns of numbers and booleans; all of them by default.

        Returns
        -------
        dict of str to ndarray of the type of the column, shape [S, L]

        Raises
        ------
        ParameterError
            ``stop`` is outside its limits.
        """
        self._check_stop(stop)
        if names is None:
            names = [name for name, grid in self.columns.items() if grid.dtype.kind == "f"]
        return {name: self._between(name, stop - length, stop) for name in names}

    def _between(self, name: str, start: int, stop: int) -> NDArray[Any]:
        """A column from one step to another, [S, stop - start]; NaN where the panel has none."""
        grid = self.columns[name]
        window = np.full((len(self.series), stop - start), np.nan, dtype=grid.dtype)
        first, last = max(start, 0), min(stop, len(self.times))
        window[:, first - start : last - start] = grid[first:last].T
        return window

    def told(self, name: str, stop: int, back: int, ahead: int) -> NDArray[Any]:
        """A column known in advance around an origin, as it was known then -> [S, back + ahead].

        Parameters
        ----------
        name : str
        stop : int
            The step ahead that comes first.
        back, ahead : int
            Steps before it, and from it on; of forecasts those issued by its moment are read.
        """
        values = self._between(name, stop - back, stop + ahead)
        if not self.issues or name not in self.issues.columns:
            return values
        values[:, back:] = np.nan
        moments = self.moments(stop - back, stop + ahead)
        out = self.issues.at(name, int(moments[back]), moments, self.series)
        return np.where(np.isnan(values), out, values)

    def latest(self, stop: int, names: Sequence[str]) -> dict[str, NDArray[Any]]:
        """The values of each series in its last row before ``stop``.

        Parameters
        ----------
        stop : int
            From 0 to T.
        names : sequence of str

        Returns
        -------
        dict of str to ndarray of shape [S]
            Missing where a series has no row yet.

        Raises
        ------
        ParameterError
            ``stop`` is outside its limits.
        """
        self._check_stop(stop)
        found = {
            name: np.full(
                len(self.series), MISSING[self.columns[name].dtype.kind], self.columns[name].dtype
            )
            for name in names
        }
        if found and stop:
            steps = self._latest_steps[stop - 1]
            (known,) = np.nonzero(steps >= 0)
            for name, values in found.items():
                values[known] = self.columns[name][steps[known], known]
        return found

    def feeds(self, stop: int, schema: Schema, rule: WindowRule) -> Feeds:
        """The inputs of a model that answers at the moment ``stop - 1``.

        Parameters
        ----------
        stop : int
            From 0 to T.
        schema : Schema
            The one that the panel was read with.
        rule : WindowRule

        Returns
        -------
        dict of str to ndarray
            Columns of the role "history" of shape [S, L], known ones of shape [S, L +
            horizon], all others of shape [S, 1]: the latest value, of a forecast also one
            that stands beside what is known in advance.
        """
        feeds: Feeds = self.window(stop, rule.length, history_of(schema))
        first, last = stop - rule.length, stop + rule.horizon
        others = []
        for column in schema.inputs():
            if rule.is_clock(column):
                moments = self.moments(first, last)
                feeds[column.name] = np.tile(moments, (len(self.series), 1))
            elif column.role == "known":
                feeds[column.name] = self.told(column.name, stop, rule.length, rule.horizon)
            elif column.name not in feeds:
                others.append(column.name)
        for name, values in self.latest(min(last, len(self.times)), others).items():
            feeds[name] = values.reshape(-1, 1)
        return {name: feeds[name] for name in schema.inputs().names}

    def upto(self, stop: int) -> Self:
        """The panel as it was once the moment ``stop - 1`` was known; all series stay.

        Parameters
        ----------
        stop : int
            From 0 to T.
        """
        self._check_stop(stop)
        return self.part(slice(stop))

    def joined(self, later: Panel) -> Self:
        """Put a later panel behind this one, for answers that need the history.

        Parameters
        ----------
        later : Panel
            Of the same columns; its series may be others.

        Returns
        -------
        Panel
            Of the series of both.

        Raises
        ------
        LeakageError
            The later panel begins before this one ends.
        SchemaError
            The columns differ.
        """
        if set(self.columns) != set(later.columns):
            raise SchemaError(
                f"The panels have the columns {sorted(self.columns)} and "
                f"{sorted(later.columns)}. Read both with the same schema."
            )
        if len(self.times) and len(later.times) and later.times[0] <= self.times[-1]:
            raise LeakageError(
                f"The history ends at {moment_of(self.times[-1])}, after what follows it begins "
                f"({moment_of(later.times[0])}). Ask about later moments, or cut the history "
                "before it."
            )
        names = np.array(sorted({*self.series, *later.series}), dtype=object)
        places = [np.searchsorted(names, part.series) for part in (self, later)]
        split, times = len(self.times), np.concatenate([self.times, later.times])
        start = split
        if self.calendar.step and split and len(later.times):
            # The steps between them belong to it too.
            first, begin, end = self.calendar.period_of(
                np.array([self.times[0], later.times[0], later.times[-1]])
            )
            times = self.moments(0, int(end - first) + 1)
            start = int(begin - first)
        total = len(times)
        columns = {}
        for name, ours in self.columns.items():
            grid = np.full((total, len(names)), MISSING[ours.dtype.kind], dtype=ours.dtype)
            grid[:split, places[0]] = ours
            grid[start:, places[1]] = later.columns[name]
            columns[name] = grid
        issues = self.issues and later.issues and self.issues.joined(later.issues)
        return replace(self, times=times, series=names, columns=columns, issues=issues)

    def to_frame(self, rule: WindowRule) -> Any:
        """The panel as a long frame, in order of time and series.

        Parameters
        ----------
        rule : WindowRule
            Names the columns of series and time.

        Returns
        -------
        pandas.DataFrame
            A row for each series and moment with any value, and one for each forecast.
        """
        import pandas as pd  # whoever wants a frame has it

        steps, owners = np.nonzero(self.present)
        columns = {name: grid[steps, owners] for name, grid in self.columns.items()}
        for name, values in columns.items():
            if values.dtype.kind == "i":  # the missing moment is NaT in both types
                columns[name] = values.astype("datetime64[s]")
        times = self.times[steps] if self.clocks is None else self.clocks[steps, owners]
        keys = {rule.series: self.series[owners], rule.time: self.calendar.shown(times)}
        frame = pd.DataFrame({**keys, **columns, **keys})
        if not self.issues:
            return frame
        return pd.concat([frame, pd.DataFrame(self.issues.rows(rule))], ignore_index=True)

    def _check_stop(self, stop: int) -> None:
        if not 0 <= stop <= len(self.times):
            raise ParameterError(
                f"The 'stop' parameter must be an int in [0, {len(self.times)}], the number of "
                f"moments. Got {stop!r} instead."
            )


def history_of(schema: Schema) -> list[str]:
    """Names of the columns that enter a model as windows.

    Parameters
    ----------
    schema : Schema
    """
    return [column.name for column in schema if column.role == "history"]


def run_windows(
    session: ort.InferenceSession,
    names: Sequence[str],
    feeds: Feeds,
    schema: Schema,
    rule: WindowRule,
) -> dict[str, NDArray[Any]]:
    """Run a session on the feeds of one moment.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
    names : sequence of str
        Outputs that are asked for.
    feeds : dict of str to ndarray
        From :meth:`Panel.feeds`.
    schema : Schema
    rule : WindowRule
        Says whether the series may be cut into several runs.

    Returns
    -------
    dict of str to ndarray of shape [S], of a forecast [S, horizon]
    """
    if rule.together:
        found = session.run(names, feeds)
    else:
        found = run_in_slices(session, names, feeds, schema.inputs())
    shape = (-1, rule.horizon) if rule.horizon else (-1,)
    return {name: answer.reshape(shape) for name, answer in zip(names, found, strict=True)}
