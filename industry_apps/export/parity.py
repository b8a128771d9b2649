"""The parity certificate: the exported file answers as the trained model does.

Compared on every row of the test data and on edge rows made for the purpose. One changed
decision, or one number that moves beyond the tolerance, and there is no file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, ParityError
from industry_apps.runtime.inputs import Feeds
from industry_apps.runtime.long_tables import WindowRule, moment_of
from industry_apps.runtime.model import TOLERANCE
from industry_apps.runtime.windows import Panel, history_of
from industry_apps.schema import Column, Schema

Answers = Mapping[str, NDArray[Any]]


class Moment(NamedTuple):
    """What a model of windows answers in one run.

    Parameters
    ----------
    label : str
        The moment, or what is difficult about it.
    series : ndarray of str, shape [series]
    feeds : dict of str to ndarray
        Inputs of the model: [series, length] of history columns, [series, 1] of others.
    """

    label: str
    series: NDArray[np.object_]
    feeds: Feeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """How far the exported file is from the trained model.

    Parameters
    ----------
    rows, edge_rows : int
        Rows of data, and rows made to be difficult, that were compared.
    changed_decisions : int
        Rows in which a decision differs.
    beyond_tolerance : int
        Rows in which a number differs by more than the tolerance.
    largest_difference : float
        Of a number beyond 1, as a share of it.
    tolerance : float
    """

    rows: int
    edge_rows: int
    changed_decisions: int
    beyond_tolerance: int
    largest_difference: float
    tolerance: float = TOLERANCE

    @property
    def holds(self) -> bool:
        """Nothing changed, nothing moved beyond the tolerance."""
        return self.changed_decisions == 0 and self.beyond_tolerance == 0

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """One certificate for several files: what was compared in all, the worst of each.

        Parameters
        ----------
        parts : sequence of Certificate
            At least one.
        """
        return cls(
            rows=sum(part.rows for part in parts),
            edge_rows=sum(part.edge_rows for part in parts),
            changed_decisions=sum(part.changed_decisions for part in parts),
            beyond_tolerance=sum(part.beyond_tolerance for part in parts),
            largest_difference=max(part.largest_difference for part in parts),
            tolerance=max(part.tolerance for part in parts),
        )


def certify(
    native: Callable[[pd.DataFrame], Answers],
    exported: Callable[[pd.DataFrame], Answers],
    frame: pd.DataFrame,
    edges: pd.DataFrame,
) -> Certificate:
    """Compare two models on data and on edge rows.

    Parameters
    ----------
    native, exported : callable
        Frame -> {output: array of shape [rows]}, the same outputs.
    frame, edges : DataFrame

    Raises
    ------
    ParityError
        A decision changed, or a number moved beyond the tolerance; the message shows the
        first such row.
    """
    largest = 0.0
    for part in (frame, edges):
        if part.empty:
            continue
        found = _compare(native(part), exported(part), partial(_describe_record, part))
        largest = max(largest, found)
    return _certificate(len(frame), len(edges), largest)


def certify_windows(
    native: Callable[[Feeds], Answers],
    exported: Callable[[Feeds], Answers],
    moments: Iterable[Moment],
    edges: Iterable[Moment],
) -> Certificate:
    """Compare two models of windows; a row is one series at one moment.

    Parameters
    ----------
    native, exported : callable
        Feeds of one moment -> {output: array of shape [series]}, the same outputs.
    moments, edges : iterable of Moment
        Real ones, and such as :func:`edge_windows` makes.

    Raises
    ------
    ParityError
        A decision changed, or a number moved beyond the tolerance; the message names the
        first such series and moment.
    """
    largest, rows = 0.0, [0, 0]
    for position, part in enumerate((moments, edges)):
        for moment in part:
            ours, theirs = native(moment.feeds), exported(moment.feeds)
            largest = max(largest, _compare(ours, theirs, partial(_describe_series, moment)))
            rows[position] += len(moment.series)
    return _certificate(rows[0], rows[1], largest)


def _describe_record(part: pd.DataFrame, row: int) -> str:
    return str(part.iloc[row].to_dict())


def _describe_series(moment: Moment, row: int) -> str:
    return f"series {moment.series[row]!r}, {moment.label}"


def _certificate(rows: int, edge_rows: int, largest: float) -> Certificate:
    """What is certified when nothing was refused."""
    return Certificate(
        rows=rows,
        edge_rows=edge_rows,
        changed_decisions=0,
        beyond_tolerance=0,
        largest_difference=largest,
    )


def _compare(ours: Answers, theirs: Answers, describe: Callable[[int], str]) -> float:
    """Largest difference of a number; refuses the first row that differs too much."""
    difference, differs = _differences(ours, theirs)
    wrong = np.flatnonzero(differs | ~(difference <= TOLERANCE))
    if len(wrong):
        row = int(wrong[0])
        first = ({name: values[row] for name, values in each.items()} for each in (ours, theirs))
        raise ParityError(
            f"The exported file answers differently in {len(wrong)} of {len(differs)} rows, so it "
            f"was not written. First: {describe(row)[:500]}; trained model {next(first)}, exported "
            f"file {next(first)}. "
            "A converter is wrong for this model: choose another detector or report the case."
        )
    return float(difference.max())


def _differences(
    native: Answers, exported: Answers
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Largest difference of the numbers of each row, and whether a decision differs."""
    if set(native) != set(exported):
        raise ParityError(
            f"The file has the outputs {sorted(exported)}, the model {sorted(native)}."
        )
    rows = len(next(iter(native.values())))
    difference = np.zeros(rows)
    differs = np.zeros(rows, dtype=bool)
    for name, ours in native.items():
        theirs = exported[name]
        if np.asarray(ours).dtype.kind == "f":
            exact = ours.astype(np.float64)
            gap = np.abs(exact - theirs.astype(np.float64)) / np.fmax(1, np.abs(exact))
            both_missing = np.isnan(ours) & np.isnan(theirs)
            difference = np.maximum(difference, np.where(both_missing, 0.0, gap))
        else:
            differs |= np.asarray(ours) != np.asarray(theirs)
    return difference, differs


def edge_rows(
    schema: Schema, frame: pd.DataFrame, thresholds: Mapping[str, list[float]]
) -> pd.DataFrame:
    """Make the rows on which converters go wrong.

    One column at a time is made missing, unseen, extreme, empty, very long, or equal to a
    split threshold and its neighbours, in otherwise real records; and once everything that
    may be missing is.

    Parameters
    ----------
    schema : Schema
    frame : DataFrame
        At least one real record.
    thresholds : mapping of str to list of float
        Column -> values on which the routing of trees turns.

    Raises
    ------
    ParameterError
        There is no real record.
    """
    if frame.empty:
        raise ParameterError("Parity needs at least one real record to be proven on; got none.")
    real = frame.iloc[:: max(1, len(frame) // 50)].head(50).to_dict("records")
    rows: list[dict[Any, Any]] = []
    for column in schema:
        values = _edge_values(column, thresholds.get(column.name, []))
        for position, value in enumerate(values):
            rows.append(real[position % len(real)] | {column.name: value})
    rows.append({c.name: None if c.nullable else real[0].get(c.name) for c in schema})
    made = pd.DataFrame(rows, columns=schema.names)
    return made.astype({c.name: object for c in schema})


def _edge_values(column: Column, thresholds: list[float]) -> list[Any]:
    missing = [None] if column.nullable else []
    if column.kind == "boolean":
        return [True, False, *missing]
    if column.kind == "datetime":
        return [*map(pd.Timestamp, ("1901-02-28 23:59:59", "2000-02-29", "2100-12-31")), *missing]
    if column.kind == "text":
        return ["", "!?", "слово 字 😀", "word " * 2_000, *missing]
    if column.kind == "category":
        return [*(column.categories or ["never seen before", "ß", "x" * 10_000]), *missing]
    chosen = np.array(thresholds[:: max(1, len(thresholds) // 20)], dtype=np.float32)
    around = [np.nextafter(chosen, np.float32(side)) for side in (-np.inf, np.inf)]
    low = -1e30 if column.low is None else column.low
    high = 1e30 if column.high is None else column.high
    extreme = np.array([low, high, 0.0, 1e-30], dtype=np.float32)
    numbers = np.concatenate([chosen, *around, extreme])
    return [*(float(x) for x in numbers if low <= x <= high), *missing]


def real_windows(
    panel: Panel, schema: Schema, rule: WindowRule, most: int | None = None, first: int = 0
) -> Iterator[Moment]:
    """Every moment that has a full window before it, or some of them, evenly spaced.

    Parameters
    ----------
    panel : Panel
    schema : Schema
    rule : WindowRule
    most : int, optional
        Moments, at least 1; all by default.
    first : int
        What lies before this moment of the panel is history only.

    Yields
    ------
    Moment

    Raises
    ------
    ParameterError
        No moment has a full window.
    """
    stops = np.arange(max(rule.length, first + 1), len(panel.times) + 1)
    if not len(stops):
        raise ParameterError(
            f"Parity needs at least one window of {rule.length} moments to be proven on; the "
            f"table has {len(panel.times)} moments. Give a longer history."
        )
    if most is not None:
        places = np.linspace(len(stops) - 1, 0, min(most, len(stops))).round().astype(int)
        stops = np.sort(stops[places])
    for stop in stops.tolist():
        label = f"at {moment_of(panel.times[stop - 1])}"
        yield Moment(label, panel.series, panel.feeds(stop, schema, rule))


def edge_windows(panel: Panel, schema: Schema, rule: WindowRule) -> Iterator[Moment]:
    """Make the windows on which converters go wrong.

    The last windows of the panel are given gaps, cut short, emptied, made constant or
    extreme, and reduced to one series; a history column at a time is made missing, and
    other columns take their edge values in turn.

    Parameters
    ----------
    panel : Panel
    schema : Schema
    rule : WindowRule

    Yields
    ------
    Moment
    """
    real = panel.feeds(len(panel.times), schema, rule)
    history = history_of(schema)
    steps = np.arange(rule.length)

    def moment(label: str, changes: Feeds) -> Moment:
        return Moment(f"edge case: {label}", panel.series, {**real, **changes})

    for label, absent in (
        ("gaps", steps % 3 == 1),
        ("no latest step", steps == steps[-1]),
        ("only the latest step", steps < steps[-1]),
        ("nothing known", steps >= 0),
    ):
        changes = {n: np.where(absent, np.float32(np.nan), real[n]) for n in history}
        yield moment(label, changes)
    first = np.arange(len(panel.series))[:, None] == 0
    unknown = {n: np.where(first, np.float32(np.nan), real[n]) for n in history}
    yield moment("a series without history", unknown)
    for name in history:
        yield moment(f"no {name}", {name: np.full_like(real[name], np.nan)})
    constant = {n: np.repeat(real[n][:, -1:], rule.length, axis=1) for n in history}
    yield moment("constant", constant)
    for label, line in (
        ("very small", np.full(rule.length, 1e-6)),
        ("very large", np.full(rule.length, 1e9)),
        ("growing from very small to very large", np.geomspace(1e-6, 1e9, rule.length)),
    ):
        yield moment(label, {n: _within(schema[n], line, real[n]) for n in history})
    yield from _edge_features(moment, real, schema)
    fullest = int(np.argmax(np.sum([~np.isnan(real[n]) for n in history], axis=(0, 2))))
    one = {name: values[[fullest]] for name, values in real.items()}
    yield Moment("edge case: a single series", panel.series[[fullest]], one)
    early = panel.feeds(min(max(rule.length // 2, 1), len(panel.times)), schema, rule)
    yield Moment("edge case: a short history", panel.series, early)


def _within(column: Column, line: NDArray[Any], like: NDArray[Any]) -> NDArray[np.float32]:
    """A line of values [length], within the limits of its column, for every series."""
    low, high = (0, 1) if column.kind == "boolean" else (column.low, column.high)
    if low is not None or high is not None:
        line = np.clip(line, low, high)
    if column.kind == "boolean":
        line = line.round()
    return np.broadcast_to(line.astype(np.float32), like.shape).copy()


def _edge_features(
    moment: Callable[[str, Feeds], Moment], real: Feeds, schema: Schema
) -> Iterator[Moment]:
    """Moments at which columns that are not history take their edge values, series by series."""
    for column in schema.inputs():
        if column.role == "history":
            continue
        values = column.to_array(_edge_values(column, []))
        rows = len(real[column.name])
        for start in range(0, len(values), rows):
            changed = np.resize(values[start : start + rows], rows).reshape(-1, 1)
            yield moment(f"edge values of {column.name}", {column.name: changed})
