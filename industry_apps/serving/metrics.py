"""What a server counts, in the text format of Prometheus, summed over its workers.

References
----------
https://prometheus.io/docs/instrumenting/exposition_formats
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

#: (name, labels as pairs) -> value; JSON-like, so that workers can send it.
Samples = list[tuple[str, list[tuple[str, str]], float]]

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_STATM = Path("/proc/self/statm")
_PREFIX = "industry_apps_"
_KINDS = {
    "requests_total": ("counter", "Requests answered, by model, route and status of HTTP."),
    "request_seconds": ("histogram", "Seconds from the head of a request to its answer."),
    "records_total": ("counter", "Records answered."),
    "batch_records": ("histogram", "Records that shared a run."),
    "swaps_total": ("counter", "Versions swapped, by model and how it went."),
    "in_flight": ("gauge", "Requests that are being answered."),
    "model_workers": ("gauge", "Workers that answer with a version of a model."),
    "memory_bytes": ("gauge", "Memory of all workers that is in use."),
    "cpu_seconds_total": ("counter", "Seconds of processor time of all workers."),
}


class Metrics:
    """Counts of one worker."""

    def __init__(self) -> None:
        # Model, route and status -> requests by the bounds of seconds, their sum, their records.
        self._requests: dict[tuple[str, str, int], list[float]] = {}
        self._swaps: dict[tuple[str, str], int] = defaultdict(int)

    def request(self, model: str, route: str, status: int, seconds: float, records: int) -> None:
        """Count one request.

        Parameters
        ----------
        model : str
            Empty where it asked for none, or for one that is not there.
        route : str
        status : int
        seconds : float
        records : int
            That were answered.
        """
        key = model, route, status
        found = self._requests.get(key)
        if found is None:
            found = self._requests[key] = [0.0] * (len(_BOUNDS) + 3)
        found[bisect_left(_BOUNDS, seconds)] += 1
        found[-2] += seconds
        found[-1] += records

    def swap(self, model: str, outcome: str) -> None:
        """Count a swap that was tried."""
        self._swaps[model, outcome] += 1

    def samples(self) -> Samples:
        """All counts of this worker."""
        found: Samples = [("cpu_seconds_total", [], time.process_time())]
        if _STATM.is_file():  # of Linux
            pages = int(_STATM.read_text().split()[1])
            found.append(("memory_bytes", [], float(pages * os.sysconf("SC_PAGE_SIZE"))))
        for (model, route, status), cells in self._requests.items():
            labels = [("model", model), ("route", route), ("status", str(status))]
            found.append(("requests_total", labels, sum(cells[:-2])))
            found += _histogram("request_seconds", labels, _BOUNDS, cells[:-2], cells[-2])
            found.append(("records_total", labels, cells[-1]))
        for (model, outcome), count in self._swaps.items():
            found.append(("swaps_total", [("model", model), ("outcome", outcome)], count))
        return found


def batch_samples(model: str, sizes: dict[int, int]) -> Samples:
    """How many records shared the runs of a model.

    Parameters
    ----------
    model : str
    sizes : dict of int to int
        Number of records -> runs.
    """
    cells = [0.0] * (len(_SIZES) + 1)
    for size, runs in sizes.items():
        cells[bisect_left(_SIZES, size)] += runs
    total = float(sum(size * runs for size, runs in sizes.items()))
    return _histogram("batch_records", [("model", model)], _SIZES, cells, total)


def _histogram(
    name: str,
    labels: list[tuple[str, str]],
    bounds: Iterable[float],
    cells: list[float],
    total: float,
) -> Samples:
    found: Samples = []
    count = 0.0
    for bound, cell in zip([f"{b:g}" for b in bounds] + ["+Inf"], cells, strict=True):
        count += cell
        found.append((f"{name}_bucket", [*labels, ("le", bound)], count))
    return [*found, (f"{name}_sum", labels, total), (f"{name}_count", labels, count)]


def rendered(workers: Iterable[Samples]) -> str:
    """The counts of all workers, added up, as Prometheus reads them.

    Parameters
    ----------
    workers : iterable of Samples

    Examples
    --------
    >>> one = [("in_flight", [("model", "a")], 1.0)]
    >>> [line for line in rendered([one, one]).splitlines() if "{" in line]
    ['industry_apps_in_flight{model="a"} 2']
    """
    sums: dict[tuple[str, tuple[tuple[str, str], ...]], float] = defaultdict(float)
    for samples in workers:
        for name, labels, value in samples:
            sums[name, tuple((key, text) for key, text in labels)] += value
    lines = []
    for kind, (form, text) in _KINDS.items():
        lines += [f"# HELP {_PREFIX}{kind} {text}", f"# TYPE {_PREFIX}{kind} {form}"]
        ends = ("", "_bucket", "_sum", "_count") if form == "histogram" else ("",)
        named = {kind + end for end in ends}
        lines += [_line(*key, value) for key, value in sums.items() if key[0] in named]
    return "\n".join([*lines, ""])


def _line(name: str, labels: tuple[tuple[str, str], ...], value: float) -> str:
    told = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    return f"{_PREFIX}{name}{{{told}}} {value:.12g}" if told else f"{_PREFIX}{name} {value:.12g}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
