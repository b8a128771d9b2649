"""Applications measured: quality with intervals, parity, speed, memory."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "Run",
    "as_trained",
    "benchmark",
    "benchmark_all",
    "configured",
    "data_of",
    "enriched",
    "long_pairs",
    "machine",
    "measure_speed",
    "pairs",
    "run",
    "score",
    "section",
    "settings_for",
    "study",
    "write_json",
    "write_results",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Run": "runs",
        "as_trained": "parameters",
        "benchmark": "record",
        "benchmark_all": "results",
        "configured": "parameters",
        "settings_for": "parameters",
        "data_of": "runs",
        "enriched": "answers",
        "long_pairs": "results",
        "machine": "hardware",
        "measure_speed": "record",
        "pairs": "results",
        "run": "runs",
        "score": "answers",
        "section": "results",
        "study": "studies",
        "write_json": "record",
        "write_results": "results",
    },
)
