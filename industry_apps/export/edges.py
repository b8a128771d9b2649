"""Records and windows on which parity is proven: real ones, and such as converters get wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import ParameterError
from industry_apps.runtime.inputs import Feeds
from industry_apps.runtime.series.long_tables import WindowRule, moment_of
from industry_apps.runtime.series.windows import Panel, history_of
from industry_apps.schema import Column, Schema
from industry_apps.schema.codes import read_codes
from industry_apps.schema.images import pack
from industry_apps.schema.offsets import less_offset, plus_offset
from industry_apps.schema.sounds import SHORTEST_SECONDS

#: Before all times of computers, on a leap day, and behind all plans.
_MOMENTS = [*map(pd.Timestamp, ("1901-02-28 23:59:59", "2000-02-29", "2100-12-31"))]


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
        # Images that are of one size in each record change together.
        joined = [c.name for c in schema if column.beside == c.name or c.beside == column.name]
        for position, value in enumerate(values):
            changed = dict.fromkeys((column.name, *joined), value)
            rows.append(real[position % len(real)] | changed)
    rows.append({c.name: None if c.nullable else real[0].get(c.name) for c in schema})
    made = pd.DataFrame(rows, columns=schema.names)
    return made.astype({c.name: object for c in schema})


def _edge_values(column: Column, thresholds: list[float]) -> list[Any]:
    """What is difficult in a column, and a missing value where it may have one."""
    if column.rate is not None:
        return _edge_sounds(column.rate)
    made = _edge_lists(column, thresholds) if column.is_list else _edges_of(column, thresholds)
    return [*made, *([None] if column.nullable else [])]


def _edge_lists(column: Column, thresholds: list[float]) -> list[Any]:
    values = _edges_of(column, thresholds)
    if column.size is not None:
        return [[value] * column.size for value in values]
    empty: list[list[Any]] = [] if column.least else [[]]
    return [*empty, *([value] for value in values), values, values[:1] * 1_000]


def _edges_of(column: Column, thresholds: list[float]) -> list[Any]:
    if column.kind == "boolean":
        return [True, False]
    if column.kind == "image":
        return [pack(image) for image in _edge_images(column.channels or 1)]
    if column.kind == "datetime":
        return [moment for moment in _MOMENTS if _is_within(column, moment)]
    if column.kind == "text":
        given = ["!?", "слово 字 😀", "word " * 2_000]
        return ["", *given] if column.nullable else given
    if column.kind == "category":
        return [*(column.categories or ["never seen before", "ß", "x" * 10_000]), *column.codes]
    chosen: NDArray[Any] = np.array(
        thresholds[:: max(1, len(thresholds) // 20)], dtype=column.dtype
    )
    near = less_offset(chosen, column.offset)  # where routing turns at the next float32
    around = [
        plus_offset(np.nextafter(near, np.float32(side)), column.offset)
        for side in (-np.inf, np.inf)
    ]
    low = -1e30 if column.low is None else column.low
    high = 1e30 if column.high is None else column.high
    extreme: NDArray[Any] = np.array([low, high, 0.0, 1e-30], dtype=column.dtype)
    numbers = np.concatenate([chosen, *around, extreme])
    codes = map(float, read_codes(column))
    return [*(float(x) for x in numbers if low <= x <= high), *codes]


def _is_within(column: Column, moment: pd.Timestamp) -> bool:
    """Whether a moment is in the limits of its column, where it has some."""
    seconds = moment.timestamp()
    low, high = column.low, column.high
    return (low is None or low <= seconds) and (high is None or seconds <= high)


def _edge_images(channels: int) -> list[Any]:
    """Black, white, one pixel, odd sizes, extreme aspects, noise, and a large one."""
    draw = np.random.default_rng(0)
    flat = [np.full((28, 28, channels), value, dtype=np.uint8) for value in (0, 255)]
    sizes = ((1, 1), (2, 3), (7, 13), (1, 200), (200, 1), (28, 28), (300, 501))
    noise = [draw.integers(0, 256, (*size, channels), dtype=np.uint8) for size in sizes]
    board = np.indices((64, 64)).sum(axis=0) % 2 * 255
    return [*flat, *noise, np.repeat(board[:, :, None], channels, axis=2).astype(np.uint8)]


def _edge_sounds(rate: int) -> list[Any]:
    """Noise and tones: short, long, loud, faint, off zero, high, and silent for the most part."""
    draw = np.random.default_rng(0)
    noise = draw.normal(size=3 * rate)
    beats = np.arange(rate) / rate
    tone, high = np.sin(2 * np.pi * 200 * beats), np.sin(np.pi * 0.98 * rate * beats)
    click = np.where(np.arange(rate) % (rate // 2) == rate // 4, 1.0, 0.0)
    shortest = round(SHORTEST_SECONDS * rate)
    made = [noise * 5000, noise[:shortest] * 5000, noise[:shortest] * 60, tone * 32_766]
    made += [tone * 200, tone * 3000 + 20_000, high * 9000, click * 30_000, np.sign(tone) * 32_000]
    return [np.clip(each, -32_000, 32_766).round().astype(int).tolist() for each in made]


def real_windows(
    panel: Panel, schema: Schema, rule: WindowRule, most: int | None = None, first: int = 0
) -> Iterator[Moment]:
    """Every moment that has a full window before it, or some of them, evenly spaced.

    Of a forecast, every moment behind which the panel has all steps of the horizon. Of series
    with clocks of their own every number of rows that may be cut off: the window of a young one
    is never full.

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
    if rule.horizon:  # asked where history ends, answered as far as the panel knows the future
        last = max(len(panel.times) - rule.horizon, 1)
        stops = np.arange(min(max(first, rule.length if not first else 1), last), last + 1)
    else:
        fewest = 1 if rule.own_clocks else rule.length
        stops = np.arange(max(fewest, first + 1), len(panel.times) + 1)
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
    stop = max(len(panel.times) - rule.horizon, 1)
    real = panel.feeds(stop, schema, rule)
    history = history_of(schema)
    future = [c.name for c in schema.inputs() if c.role == "known" and c.name != rule.time]
    windows = [*history, *future]
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
    for name in windows:
        yield moment(f"no {name}", {name: np.full_like(real[name], np.nan)})
    constant = {n: np.repeat(real[n][:, -1:], real[n].shape[1], axis=1) for n in windows}
    yield moment("constant", constant)
    for label, low, high in (
        ("very small", 1e-6, 1e-6),
        ("very large", 1e9, 1e9),
        ("growing from very small to very large", 1e-6, 1e9),
    ):
        lines = {n: np.geomspace(low, high, real[n].shape[1]) for n in windows}
        yield moment(label, {n: _within(schema[n], lines[n], real[n]) for n in windows})
    yield from _edge_features(moment, real, schema)
    fullest = int(np.argmax(np.sum([(~np.isnan(real[n])).mean(axis=1) for n in windows], axis=0)))
    one = {name: values[[fullest]] for name, values in real.items()}
    yield Moment("edge case: a single series", panel.series[[fullest]], one)
    early = panel.feeds(min(max(rule.length // 2, 1), stop), schema, rule)
    yield Moment("edge case: a short history", panel.series, early)


def _within(column: Column, line: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    """A line of values [length], within the limits of its column, for every series."""
    low, high = (0, 1) if column.kind == "boolean" else (column.low, column.high)
    if low is not None or high is not None:
        line = np.clip(line, low, high)
    if column.kind == "boolean":
        line = line.round()
    return np.broadcast_to(line.astype(like.dtype), like.shape).copy()


def _edge_features(
    moment: Callable[[str, Feeds], Moment], real: Feeds, schema: Schema
) -> Iterator[Moment]:
    """Moments at which columns that are not history take their edge values, series by series."""
    for column in schema.inputs():
        if column.role in ("history", "known"):
            continue
        values = column.to_array(_edge_values(column, []))
        rows = len(real[column.name])
        for start in range(0, len(values), rows):
            changed = np.resize(values[start : start + rows], rows).reshape(-1, 1)
            yield moment(f"edge values of {column.name}", {column.name: changed})
