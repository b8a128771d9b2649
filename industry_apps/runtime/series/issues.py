"""Forecasts of covariates as they were issued: at each origin those that were out by then.

A measured temperature is no forecast of it. A model that learns from what was measured trusts it
more than it should trust what it is given in service; so the windows of training hold, of each
origin, the latest forecast that was issued by then.

Letters in shapes: N forecasts, S series, K moments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import SchemaError
from industry_apps.runtime.series.long_tables import WindowRule
from industry_apps.runtime.series.row_keys import Keys, check_zone, to_local
from industry_apps.schema.values import MISSING_TIME, is_missing


@dataclass(frozen=True, eq=False, kw_only=True)
class Issues:
    """Forecasts of some columns: of which series and moment each is, and when it was issued.

    Parameters
    ----------
    series : ndarray of str, shape [N]
    times, issued : ndarray of int64, shape [N]
        Seconds since 1970, by the clock of the panel; in order of the time, then of the issue.
    columns : mapping of str to ndarray of shape [N]
        NaN where a row holds no forecast of a column.
    """

    series: NDArray[np.object_]
    times: NDArray[np.int64]
    issued: NDArray[np.int64]
    columns: Mapping[str, NDArray[Any]]

    @classmethod
    def read(
        cls, table: Any, arrays: Mapping[str, NDArray[Any]], keys: Keys, rule: WindowRule
    ) -> Self:
        """The rows of a long table that hold forecasts: those with a moment of issue.

        Parameters
        ----------
        table : DataFrame or mapping of str to sequence of shape [rows]
        arrays : mapping of str to ndarray of shape [rows]
            Its columns, converted.
        keys : Keys
            Places of all of its rows.
        rule : WindowRule
            With ``issued``.

        Raises
        ------
        SchemaError
            A forecast was issued after the moment that it is of, or twice at one moment; a row
            holds what is no forecast beside one; or moments of issue are in another zone.
        """
        theirs = arrays[rule.issued] != MISSING_TIME
        check_zone(table[rule.issued], replace(rule, time=rule.issued))
        seconds = np.where(theirs, arrays[rule.issued], 0)
        issued = to_local(table[rule.issued], seconds, rule.zone, rule.issued)
        times = keys.times[keys.cells // len(keys.series)]
        owners = keys.series[keys.cells % len(keys.series)]
        _check_alone(arrays, theirs, rule)
        late = theirs & (issued > times)
        if late.any():
            row = int(late.argmax())
            raise SchemaError(
                f"Column {rule.issued!r}, row {row} (series {owners[row]!r}): got "
                f"{rule.written(issued[row])}, expected a moment at or before "
                f"{rule.written(times[row])}, which is forecast. Correct one of the two."
            )
        order = np.flatnonzero(theirs)
        order = order[np.lexsort((owners[order].astype(str), issued[order], times[order]))]
        found = cls(
            series=owners[order],
            times=times[order],
            issued=issued[order],
            columns={name: arrays[name][order] for name in rule.forecasts},
        )
        found._check_once(order, rule)
        return found

    def _check_once(self, rows: NDArray[np.intp], rule: WindowRule) -> None:
        """No series has two forecasts of one moment that were issued at the same time."""
        keys = (self.times, self.issued, self.series)
        same = np.logical_and.reduce([each[1:] == each[:-1] for each in keys])
        if same.any():
            place = int(same.argmax())
            raise SchemaError(
                f"Series {self.series[place]!r} has two forecasts of "
                f"{rule.written(self.times[place])} issued at {rule.written(self.issued[place])} "
                f"(rows {rows[place]}, {rows[place + 1]}), expected one in the column "
                f"{rule.issued!r}. Keep the one that is right."
            )

    def at(
        self, name: str, origin: int, moments: NDArray[np.int64], series: NDArray[np.object_]
    ) -> NDArray[Any]:
        """The latest forecasts that were out at an origin -> [S, K]; NaN where there is none.

        Parameters
        ----------
        name : str
            Of the column.
        origin : int
            Forecasts that were issued at or before it are out.
        moments : ndarray of int64, shape [K]
            Increasing: those that are asked about.
        series : ndarray of str, shape [S]
            Sorted names.
        """
        first, last = np.searchsorted(self.times, [moments[0], moments[-1] + 1])
        rows = np.arange(first, last)
        rows = rows[(self.issued[rows] <= origin) & ~np.isnan(self.columns[name][rows])]
        steps = np.searchsorted(moments, self.times[rows])
        place = {name: k for k, name in enumerate(series.tolist())}
        owners = np.array([place.get(name, -1) for name in self.series[rows]], dtype=np.intp)
        asked = (owners >= 0) & (moments[steps] == self.times[rows])
        found = np.full((len(series), len(moments)), np.nan, dtype=self.columns[name].dtype)
        # In order of the issue: of several the latest is written last, and stays.
        found[owners[asked], steps[asked]] = self.columns[name][rows[asked]]
        return found

    def joined(self, later: Issues) -> Self:
        """These and others of the same columns, in order."""
        times, issued, series = (
            np.concatenate([getattr(part, name) for part in (self, later)])
            for name in ("times", "issued", "series")
        )
        order = np.lexsort((issued, times))
        columns = {
            name: np.concatenate([values, later.columns[name]])[order]
            for name, values in self.columns.items()
        }
        return replace(
            self, times=times[order], issued=issued[order], series=series[order], columns=columns
        )

    def rows(self, rule: WindowRule) -> dict[str, NDArray[Any]]:
        """As columns of a long table."""
        shown = {rule.time: self.times, rule.issued: self.issued}
        times = {name: rule.calendar.shown(values) for name, values in shown.items()}
        return {rule.series: self.series, **times, **self.columns}

    def within(self, first: int, last: int, origin: int, series: NDArray[np.object_]) -> Self:
        """Those of some series and of the moments from one to another, out at an origin.

        Parameters
        ----------
        first, last : int
            Moments, both counted in.
        origin : int
        series : ndarray of str
        """
        kept = (self.times >= first) & (self.times <= last) & (self.issued <= origin)
        kept &= np.isin(self.series.astype(str), series.astype(str))
        return replace(
            self,
            times=self.times[kept],
            issued=self.issued[kept],
            series=self.series[kept],
            columns={name: values[kept] for name, values in self.columns.items()},
        )


def _check_alone(
    arrays: Mapping[str, NDArray[Any]], theirs: NDArray[np.bool_], rule: WindowRule
) -> None:
    """Rows of forecasts hold nothing else: what is measured or certain has rows of its own."""
    for name, values in arrays.items():
        if name in (rule.series, rule.time, rule.issued, *rule.forecasts):
            continue
        wrong = theirs & ~np.array([is_missing(each) for each in values.tolist()])
        if wrong.any():
            row = int(wrong.argmax())
            raise SchemaError(
                f"Column {name!r}, row {row}: got {values[row]!r} in a row with a moment of issue "
                f"in {rule.issued!r}, expected none: such rows hold forecasts of "
                f"{', '.join(map(repr, rule.forecasts))} alone. Move it to a row of that moment "
                f"with {rule.issued!r} left empty."
            )
