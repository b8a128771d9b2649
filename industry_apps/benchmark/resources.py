"""Memory, import times and training steps: what one process cannot tell of itself."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow.parquet import ParquetWriter

import industry_apps
from industry_apps.benchmark.hardware import has_amx
from industry_apps.benchmark.speed import Measure, alternating, drawn

#: Said in place of a ratio where the processor has no bfloat16 matrix unit.
NO_AMX = "no AMX"

_ROWS_A_DRAW = 250_000
_BATCH = 512

_PEAK = """
import sys
from industry_apps.runtime import Model
rows = Model(sys.argv[1]).predict(sys.argv[2], to=sys.argv[3])
assert rows == int(sys.argv[4]), rows
from industry_apps.benchmark.hardware import peak_memory_mb
print(peak_memory_mb())
"""

_IMPORT = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"


def scoring_memory(path: Path, rows: pd.DataFrame, *, count: int = 5_000_000) -> Measure:
    """Peak memory of a fresh process that scores a long Parquet file with a model file.

    Parameters
    ----------
    path : Path
        The model file.
    rows : DataFrame
        Drawn from with replacement.
    count : int
        Rows of the Parquet file.
    """
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "rows.parquet"
        schema = pa.Schema.from_pandas(rows, preserve_index=False)
        with ParquetWriter(table, schema) as writer:
            for start in range(0, count, _ROWS_A_DRAW):
                part = drawn(rows, min(_ROWS_A_DRAW, count - start), seed=start)
                writer.write_table(pa.Table.from_pandas(part, schema, preserve_index=False))
        peak = peak_of_scoring(path, table, count)
    return Measure(
        name="scoring_file_peak_memory", value=peak, unit="MB", target=1024, at_least=False
    )


def peak_of_scoring(path: Path, table: Path, count: int) -> float:
    """Peak memory (MB) of a fresh process that answers a table with a model file.

    Parameters
    ----------
    path : Path
        The model file.
    table : Path
        CSV or Parquet.
    count : int
        Its rows.
    """
    with tempfile.TemporaryDirectory() as folder:
        scored = Path(folder) / "scored.parquet"
        return _fresh(_PEAK, str(path.resolve()), str(table), str(scored), str(count))


def import_times(repeats: int = 7) -> list[Measure]:
    """Time imports in fresh processes, the median of several each."""
    statements = (
        "import industry_apps",
        "from industry_apps.runtime import Model",
        "import onnxruntime",
    )
    seconds: dict[str, list[float]] = {statement: [] for statement in statements}
    for _ in range(repeats):
        for statement, times in seconds.items():
            times.append(_fresh(_IMPORT.format(statement)))
    package, runtime, bare = (median(seconds[statement]) for statement in statements)
    return [
        Measure(name="import", value=package, unit="s", target=0.1, at_least=False),
        Measure(
            name="import_runtime_vs_onnxruntime", value=runtime / bare, target=1.3, at_least=False
        ),
    ]


def training_step(
    numeric: int = 30, cardinalities: Sequence[int] = (20,) * 4, *, steps: int = 50
) -> Measure:
    """How many times faster a step of the default network is in bfloat16 than in float32.

    Parameters
    ----------
    numeric, cardinalities
        Size of the network's inputs; see :class:`industry_apps.backbones.TabularMLP`.
    steps : int
        Timed steps in each precision, in turn.
    """
    name = "training_step_float32_vs_bfloat16"
    if not has_amx():
        return Measure(name=name, value=NO_AMX)
    import torch

    from industry_apps.backbones import TabularMLP

    draw = np.random.default_rng(0)
    codes = np.stack([draw.integers(0, size, _BATCH) for size in cardinalities], axis=1)
    rows = (
        torch.from_numpy(draw.standard_normal((_BATCH, numeric), dtype=np.float32)),
        torch.from_numpy(codes),
    )

    network = TabularMLP(numeric, cardinalities)

    def step(*, mixed: bool) -> None:
        network.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            loss = network(*rows).square().mean()
        torch.autograd.backward(loss)

    calls = {"float32": partial(step, mixed=False), "bfloat16": partial(step, mixed=True)}
    seconds = alternating(calls, steps)
    return Measure(name=name, value=median(seconds["float32"]) / median(seconds["bfloat16"]))


def _fresh(code: str, *arguments: str) -> float:
    """Run code in a process of its own; return the number that it prints."""
    package = str(Path(industry_apps.__file__).parents[1])
    paths = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(done.stdout)
