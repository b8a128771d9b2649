"""Schedules as Gantt charts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from industry_apps.errors import ParameterError, require
from industry_apps.manufacturing.scheduling.faults import Placed
from industry_apps.manufacturing.scheduling.jobs import Shop
from industry_apps.whole_file import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Jobs up to which each has a colour of its own in the legend.
_NAMED = 20
_BAR = 0.8
#: A name is written into a bar that is at least this share of the chart wide for each letter.
_LETTER = 0.011


def draw(shop: Shop, rows: Sequence[Placed], path: str | Path | None, title: str) -> Figure:
    """Draw a schedule, and write it to a file where one is named.

    Parameters
    ----------
    shop : Shop
    rows : sequence of Placed
    path : str or Path, optional
    title : str

    Raises
    ------
    ParameterError
        The ending of ``path`` is no format of a chart.
    """
    figures = require("matplotlib.figure", extra="train", needed_by="A Gantt chart")
    machines, end = list(shop.machines), max(row.end for row in rows)
    height = 1.6 + 0.34 * len(machines)
    figure: Figure = figures.Figure(figsize=(11, min(max(height, 3.0), 24)), layout="constrained")
    ending = "" if path is None else Path(path).suffix.lstrip(".").lower() or "png"
    formats = sorted(figure.canvas.get_supported_filetypes())
    if ending and ending not in formats:
        raise ParameterError(
            f"The chart cannot be written to {str(path)!r}: {ending!r} is no format of it. Give a "
            f"name that ends in one of .{', .'.join(formats)}."
        )
    axes = figure.add_subplot()
    _closed(shop, axes)
    _bars(shop, rows, axes)
    axes.set_yticks(range(len(machines)), machines)
    axes.set_ylim(len(machines) - 0.4, -0.6)
    axes.set_xlim(0, end * 1.01 or 1)
    axes.set_xlabel("time")
    axes.set_ylabel("machine")
    axes.set_title(title, fontsize=10, loc="left")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if path is not None:
        with whole_file(Path(path)) as aside:
            figure.savefig(aside, format=ending, dpi=120)
    return figure


def _closed(shop: Shop, axes: Axes) -> None:
    """Hatched: closed; plain grey: a break, in which operations pause."""
    looks: dict[str, dict[str, Any]] = {
        "closed": {"facecolor": "0.9", "edgecolor": "0.7", "hatch": "///"},
        "break": {"facecolor": "0.9", "edgecolor": "none"},
    }
    drawn = {}
    for place, machine in enumerate(shop.machines.values()):
        calendar = machine.calendar
        for label, times in (("closed", calendar.closed), ("break", calendar.breaks)):
            if times:
                spans = [(start, end - start) for start, end in times]
                drawn[label] = axes.broken_barh(
                    spans, (place - 0.5, 1.0), linewidth=0, zorder=0, **looks[label]
                )
    if drawn:
        names = [label for label in looks if label in drawn]
        axes.legend(
            [drawn[label] for label in names],
            names,
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=2,
            frameon=False,
            fontsize=8,
        )


def _bars(shop: Shop, rows: Sequence[Placed], axes: Axes) -> None:
    import matplotlib as mpl

    machines, names = list(shop.machines), [job.name for job in shop.jobs]
    palette = mpl.colormaps["tab20" if len(names) <= _NAMED else "turbo"]
    shade = {
        name: palette(n % _NAMED) if len(names) <= _NAMED else palette(n / (len(names) - 1))
        for n, name in enumerate(names)
    }
    letters = _LETTER * max(row.end for row in rows)
    for row in rows:
        place, calendar = machines.index(row.machine), shop.machines[row.machine].calendar
        parts = _parts(row.start, row.end, calendar.breaks)
        spans = [(start, end - start) for start, end in parts]
        axes.broken_barh(
            spans,
            (place - _BAR / 2, _BAR),
            facecolor=shade[row.job],
            edgecolor="white",
            linewidth=0.6,
        )
        start, end = max(parts, key=lambda part: part[1] - part[0])
        if end - start >= letters * (len(row.job) + 0.6):
            dark = sum(map(float, shade[row.job][:3])) < 1.5
            axes.text(
                (start + end) / 2,
                place,
                row.job,
                ha="center",
                va="center",
                fontsize=7,
                color="white" if dark else "black",
            )


def _parts(start: int, end: int, breaks: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """The times in which an operation runs."""
    found = []
    for begin, stop in breaks:
        if start < begin < end:
            found.append((start, begin))
            start = stop
    return [*found, (start, end)]
