"""Applications measured: quality with intervals, parity, speed, memory."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "benchmark",
    "benchmark_all",
    "benchmark_serving",
    "growth_table",
    "long_pairs",
    "machine",
    "measure_scaling",
    "measure_speed",
    "pairs",
    "section",
    "study",
    "write_json",
    "write_results",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "benchmark": "record",
        "benchmark_all": "results",
        "benchmark_serving": "serving",
        "long_pairs": "results",
        "machine": "hardware",
        "measure_speed": "record",
        "pairs": "results",
        "section": "sections",
        "study": "studies",
        "growth_table": "scaling",
        "measure_scaling": "scaling",
        "write_json": "record",
        "write_results": "results",
    },
)
