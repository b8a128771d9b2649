"""Runs that are killed while they write: the file is the old one, the new one or none.

Each task is started, and killed by SIGKILL or SIGTERM after a moment, 20 of them; then the file
is read, and the task runs to its end, after which nothing else may lie in the folder::

    python tests/hostile/killed_runs.py [--moments 20]

Counts, of which ``make hostile`` wants the last three to be 0: whole (the file is there and can
be read), none (there is no file yet), damaged, hung, left over (after the next run).
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from industry_apps.errors import IndustryAppsError
from industry_apps.runtime import Model, TransactionState
from industry_apps.runtime.zoo import verify
from industry_apps.whole_file import whole_file

#: Seconds within which a run is killed, and after which one that should end hangs.
LATEST, PATIENCE = 0.6, 120.0
VERDICTS = ("whole", "none", "damaged", "hung", "left over")
NONE_OF = VERDICTS[2:]

_FRAUD = "finance.fraud_detection"


def _records(folder: Path) -> Path:
    """A table of 20 000 records, made of those of a self-test."""
    path = folder / "records.csv"
    stored = Model(_FRAUD, threads=1).metadata["self_test"]["records"]
    pd.DataFrame(stored * 1250).to_csv(path, index=False)
    return path


def predict(source: Path, to: Path) -> None:
    """Answer a table, chunk by chunk."""
    Model(_FRAUD, threads=1).predict(source, to=to)


def snapshot(source: Path, to: Path) -> None:
    """Write the state of a stream."""
    state, day = TransactionState(), np.datetime64("2024-03-01T00:00:00")
    times = day + np.arange(20_000) * np.timedelta64(60, "s")
    names = [f"C{row % 500}" for row in range(len(times))]
    state.enrich(pd.DataFrame({"customer": names, "terminal": names, "time": times, "amount": 1.5}))
    state.snapshot(to)


def export(source: Path, to: Path) -> None:
    """Write a model file and load it, as an export does at its end."""
    content = verify(_FRAUD).read_bytes()
    with whole_file(to) as aside:
        with aside.open("wb") as file:
            for start in range(0, len(content), 4096):
                file.write(content[start : start + 4096])
        Model(aside, threads=1)


def checkpoint(source: Path, to: Path) -> None:
    """Write the state of a training."""
    import torch

    from industry_apps.training.checkpoint import TrainingState, write_checkpoint

    weights = {"weights": torch.arange(300_000, dtype=torch.float32)}
    write_checkpoint(to, TrainingState("float32", weights=weights), {})


def _read_checkpoint(path: Path) -> Any:
    from industry_apps.training.checkpoint import read_checkpoint

    return read_checkpoint(path, {})


#: A task, the name of its file, and what reads it.
TASKS: list[tuple[Callable[[Path, Path], None], str, Callable[[Path], Any]]] = [
    (predict, "answers.csv", lambda path: _all_rows(pd.read_csv(path))),
    (predict, "answers.parquet", lambda path: _all_rows(pd.read_parquet(path))),
    (snapshot, "state.npz", TransactionState.restore),
    (export, "model.onnx", lambda path: Model(path, threads=1)),
    (checkpoint, "last.pt", _read_checkpoint),
]


def _all_rows(frame: pd.DataFrame) -> None:
    if len(frame) != 20_000 or frame["is_fraud"].isna().any():
        raise ValueError(f"{len(frame)} rows")


def _again(task: Callable[[Path, Path], None], source: Path, to: Path) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    while True:
        task(source, to)


def killed(task: Any, source: Path, to: Path, how: signal.Signals, moment: float) -> None:
    """Start a task, which begins anew when it ends, and kill it after some seconds."""
    run = get_context("fork").Process(target=_again, args=(task, source, to))
    run.start()
    time.sleep(moment)
    os.kill(run.pid or 0, how)
    run.join()


def judged(task: Any, source: Path, to: Path, read: Any) -> list[str]:
    """What a killed run has left, before and after the next one."""
    found = ["whole" if to.exists() else "none"]
    try:
        if to.exists():
            read(to)
    except (IndustryAppsError, ValueError, OSError) as error:
        print(f"  {task.__name__}, {to.name}: {error}")
        found = ["damaged"]
    run = get_context("fork").Process(target=task, args=(source, to))
    run.start()
    run.join(PATIENCE)
    if run.is_alive():
        run.kill()
        run.join()
        found.append("hung")
    left = sorted(each.name for each in to.parent.iterdir() if each != to)
    if left or run.exitcode:
        print(f"  {task.__name__}, {to.name}: left {left}, ended with {run.exitcode}")
        found.append("left over")
    return found


def main() -> int:
    """Print the counts; 1 where one of the last three is not 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--moments", type=int, default=20)
    moments = parser.parse_args().moments
    total: Counter[str] = Counter()
    print(f"{'task':24} {'signal':8}", *(f"{each:>9}" for each in VERDICTS))
    with tempfile.TemporaryDirectory() as place:
        source = _records(Path(place))
        for number, (task, name, read) in enumerate(TASKS):
            for how in (signal.SIGKILL, signal.SIGTERM):
                folder = Path(place) / f"{number}-{how.name}"
                folder.mkdir()
                counts: Counter[str] = Counter()
                for moment in np.linspace(0.02, LATEST, moments):
                    killed(task, source, folder / name, how, float(moment))
                    counts.update(judged(task, source, folder / name, read))
                total.update(counts)
                line = (f"{counts[each]:>9}" for each in VERDICTS)
                print(f"{task.__name__ + ', ' + name:24} {how.name:8}", *line, flush=True)
    print(f"{'all':33}", *(f"{total[each]:>9}" for each in VERDICTS))
    return int(any(total[each] for each in NONE_OF))


if __name__ == "__main__":
    sys.exit(main())
