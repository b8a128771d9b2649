"""Benchmarks of what is searched for anew each time: there is nothing to learn, and no file."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeAlias, runtime_checkable

from industry_apps.application import Application
from industry_apps.benchmark.hardware import machine, peak_memory_mb
from industry_apps.data import Dataset, load
from industry_apps.evaluation import Report
from industry_apps.export.model_file import library_versions

#: Data, and whether all of them are asked for -> what was found on their test part.
Search: TypeAlias = Callable[[Dataset, bool], Report]


@runtime_checkable
class Searching(Protocol):
    """An application beside which stands a solver without a model file."""

    def searches(self) -> Mapping[str, Search]:
        """Id of a data set -> what measures the solver on it."""


def search_of(application: Application, source: str) -> Search | None:
    """What measures a solver on a data set; None where the application itself is measured.

    Parameters
    ----------
    application : Application
    source : str
    """
    return application.searches().get(source) if isinstance(application, Searching) else None


def measure_search(
    application: Application, source: str, search: Search, *, full: bool
) -> dict[str, Any]:
    """Measure a solver on a data set.

    Parameters
    ----------
    application : Application
    source : str
        Id of the data set.
    search : callable
    full : bool
        All of the data, and not only those that are usually measured.

    Returns
    -------
    dict
        As :func:`industry_apps.benchmark.benchmark`, without parity (None) and ratios of speed.
    """
    data = load(source)
    started = time.perf_counter()
    report = search(data, full)
    report = replace(
        report,
        application=application.name,
        data=source,
        problem=application.problem,
        published=data.card.published,
    )
    facts = report.to_dict()
    return {
        **{key: facts[key] for key in ("application", "data", "split", "model")},
        "seeds": [application.get_params(deep=False).get("seed", 0)],
        **{key: facts[key] for key in ("metrics", "baselines", "comparisons", "published")},
        "sections": facts["sections"],
        "parity": None,
        "speed": {},
        "absolute": {},
        "seconds": round(time.perf_counter() - started, 1),
        "peak_memory_mb": round(peak_memory_mb()),
        "headline": report.headline(),
        "notes": facts["notes"],
        "versions": library_versions(),
        "machine": machine(),
    }
