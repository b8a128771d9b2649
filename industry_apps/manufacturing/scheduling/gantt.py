"""Schedules as Gantt charts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from industry_apps.errors import require
from industry_apps.whole_file import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from industry_apps.manufacturing.scheduling.schedule import Schedule

#: Jobs up to which each has a colour of its own in the legend.
_NAMED = 20
_BAR = 0.8
#: A name is written into a bar that is at least this share of the chart wide for each letter.
_LETTER = 0.011


def draw(schedule: Schedule, path: str | Path | None, title: str) -> Figure:
    """Draw a schedule, and write it to a file where one is named.

    Parameters
    ----------
    schedule : Schedule
    path : str or Path, optional
    title : str
    """
    figures = require("matplotlib.figure", extra="train", needed_by="A Gantt chart")
    machines = list(schedule.shop.machines)
    height = 1.6 + 0.34 * len(machines)
    figure: Figure = figures.Figure(figsize=(11, min(max(height, 3.0), 24)), layout="constrained")
    axes = figure.add_subplot()
    _closed(schedule, axes, machines)
    _bars(schedule, axes, machines)
    axes.set_yticks(range(len(machines)), machines)
    axes.set_ylim(len(machines) - 0.4, -0.6)
    axes.set_xlim(0, schedule.makespan * 1.01 or 1)
    axes.set_xlabel("time")
    axes.set_ylabel("machine")
    axes.set_title(title or str(schedule), fontsize=10, loc="left")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if path is not None:
        with whole_file(Path(path)) as aside:
            figure.savefig(aside, format=Path(path).suffix.lstrip(".") or "png", dpi=120)
    return figure


def _closed(schedule: Schedule, axes: Axes, machines: list[str]) -> None:
    """Hatched: closed; light: a break."""
    for place, name in enumerate(machines):
        calendar = schedule.shop.machines[name].calendar
        for times, look in (
            (calendar.closed, {"facecolor": "0.9", "edgecolor": "0.7", "hatch": "///"}),
            (calendar.breaks, {"facecolor": "0.9", "edgecolor": "none"}),
        ):
            spans = [(start, end - start) for start, end in times]
            axes.broken_barh(spans, (place - 0.5, 1.0), linewidth=0, zorder=0, **look)


def _bars(schedule: Schedule, axes: Axes, machines: list[str]) -> None:
    import matplotlib as mpl

    names = [job.name for job in schedule.shop.jobs]
    palette = mpl.colormaps["tab20" if len(names) <= _NAMED else "turbo"]
    shade = {
        name: palette(n % _NAMED) if len(names) <= _NAMED else palette(n / (len(names) - 1))
        for n, name in enumerate(names)
    }
    letters = _LETTER * schedule.makespan
    for row in schedule.table.itertuples():
        place, calendar = machines.index(row.machine), schedule.shop.machines[row.machine].calendar
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
            dark = sum(shade[row.job][:3]) < 1.5
            axes.text(
                (start + end) / 2,
                place,
                row.job,
                ha="center",
                va="center",
                fontsize=7,
                color="white" if dark else "black",
            )


def _parts(
    start: int, end: int, breaks: tuple[tuple[int, int], ...]
) -> list[tuple[int, int]]:
    """The times in which an operation runs."""
    found = []
    for begin, stop in breaks:
        if start < begin < end:
            found.append((start, begin))
            start = stop
    return [*found, (start, end)]
