"""Short benchmarks, for tests of several files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from industry_apps.benchmark import benchmark
from industry_apps.benchmark import record as record_module
from industry_apps.benchmark.series_speed import backtest_time
from industry_apps.workflow.runs import Run, data_of, run

#: What DESIGN.md asks of the record, and what else it holds.
KEYS = {
    "application", "data", "split", "model", "seeds", "metrics", "baselines", "comparisons",
    "published", "sections", "parity", "speed", "absolute", "seconds", "peak_memory_mb", "headline",
    "notes", "versions", "machine",
}  # fmt: skip
RATIOS = {"one_record_vs_training_path", "one_record_vs_bare_session", "batch_vs_training_path"}
#: Sizes of the short measurement in these tests.
SIZES = {"SHORT_BATCH": 500, "SHORT_REPETITIONS": 20, "SHORT_CALLS": 2, "SHORT_MOMENTS": 3}


def on_sample(application: Any, folder: Path) -> Run:
    """A run on the embedded sample."""
    return run(application, data_of(application, "sample"), folder / "model.onnx")


def recorded(done: Run) -> Mapping[str, Any]:
    """The record of a short benchmark, as JSON gives it back."""
    with pytest.MonkeyPatch.context() as patch:
        for name, size in SIZES.items():
            patch.setattr(record_module, name, size)
        patch.setattr(record_module, "backtest_time", partial(backtest_time, 5, 30))
        patch.setattr(record_module, "run_all", lambda *_, **__: done)
        found = benchmark(done.application, "sample")
    return json.loads(json.dumps(found, allow_nan=False))
