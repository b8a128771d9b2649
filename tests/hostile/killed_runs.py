"""Runs that are killed while they write: each file is right, or not there.

Each task is run once and timed; then it is started, and killed by SIGKILL or SIGTERM at one of 20
moments of that time, in an empty folder and over the files of the run before in turn. What lies
there is read, and the task runs to its end, after which all its files are right and nothing else
may lie in the folder::

    python tests/hostile/killed_runs.py [--moments 20] [--tasks predict ...]

Counts, of which ``make hostile`` wants the last three to be 0: right (all files are there, and
equal those of a run that nobody killed), none (some are not there yet, the others are right),
damaged, hung, left over (after the next run: a file too many, or one that is not right).
"""

from __future__ import annotations

import argparse
import hashlib
import os
import pickle
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any
from zipfile import ZipFile

import numpy as np
import pandas as pd
import torch

from industry_apps.cli.app import app
from industry_apps.data import files
from industry_apps.data.cards import DataFile
from industry_apps.finance import CreditScorer
from industry_apps.runtime import Model, TransactionState
from industry_apps.training import TrainingOptions, fit_network
from industry_apps.whole_file import whole_file

#: Seconds after which a run that should end hangs.
PATIENCE = 300.0
VERDICTS = ("right", "none", "damaged", "hung", "left over")
NONE_OF = VERDICTS[2:]

_FRAUD = "finance.fraud_detection"
_SERVED = {f"/part{n}.csv": np.random.default_rng(n).bytes(400_000).hex() for n in range(3)}


def predict(source: Path, folder: Path, *, ending: str) -> None:
    """Answer a table, chunk by chunk."""
    to = folder / f"answers.{ending}"
    Model(_FRAUD, threads=1).predict(source / "records.csv", to=to)


def snapshot(source: Path, folder: Path) -> None:
    """Write the state of a stream, three times."""
    state = TransactionState()
    for each in range(3):
        times = np.datetime64("2024-03-01T00:00:00") + np.arange(20_000) * np.timedelta64(60, "s")
        names = [f"C{row % 500}" for row in range(len(times))]
        table = {"customer": names, "terminal": names, "time": times, "amount": 1.5}
        state.enrich(pd.DataFrame(table).assign(time=times + np.timedelta64(20 * each, "D")))
        state.snapshot(folder / f"state{each}.npz")


def export(source: Path, folder: Path) -> None:
    """Prove a trained model and write its file."""
    scorer = pickle.loads((source / "scorer.pickle").read_bytes())
    scorer.export(folder / "model.onnx")


def train(source: Path, folder: Path) -> None:
    """Train a network, from the checkpoint where there is one, and write its weights."""
    x = torch.linspace(-1, 1, 4_000)[:, None]
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(1, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1))
    fit_network(
        network,
        (x, x.sin()),
        (x, x.sin()),
        lambda net, batch: (net(batch[0]) - batch[1]).square().mean(),
        TrainingOptions(
            max_epochs=12, patience=12, progress=False, checkpoint=folder / "checkpoint.pt"
        ),
    )
    with whole_file(folder / "weights.pt") as aside:
        torch.save(network.state_dict(), aside)


def download(source: Path, folder: Path) -> None:
    """Get the two files of a data set, one of them a zip of several, into the cache."""
    url = (source / "url.txt").read_text()
    names = [name[1:] for name in _SERVED]
    packed = hashlib.sha256()
    for name, content in zip(names, _SERVED.values(), strict=True):
        packed.update(files._border(name, len(content)) + content.encode())
    one = next(iter(_SERVED.values())).encode()
    size = sum(map(len, _SERVED.values()))
    members = tuple(names)
    made = (
        DataFile("one.csv", f"{url}/part0.csv", hashlib.sha256(one).hexdigest(), len(one)),
        DataFile("all.zip", url + "/{member}", packed.hexdigest(), size, members),
    )
    os.environ |= {files.CACHE: str(folder.parent), files.MIRRORS: ""}
    files.card = lambda name: SimpleNamespace(folder="", files=made)  # type: ignore[assignment]
    files.fetch(folder.name)


def command(source: Path, folder: Path) -> None:
    """Train from the command line; write model and report."""
    given = ("--data", source / "loans.csv", "--html", folder / "report.html", "--fast")
    words = ["train", "finance.credit_scoring", "--out", folder / "model.onnx", *given]
    app(list(map(str, words)), standalone_mode=False)


def _answers(path: Path) -> str:
    model = Model(path, threads=1)
    return str([model.predict(record) for record in model.metadata["self_test"]["records"][:20]])


def _members(path: Path) -> dict[str, bytes]:
    with ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _state(path: Path) -> bytes:
    TransactionState.restore(path)
    return path.read_bytes()


@dataclass(frozen=True)
class Task:
    """What runs, and what reads each of the files that it writes, by its ending."""

    run: Callable[[Path, Path], None]
    files: tuple[str, ...]

    def __str__(self) -> str:
        return getattr(self.run, "__name__", f"predict, {self.files[0]}")

    def read(self, path: Path) -> Any:
        """The content of a file, to compare; raises where it is damaged."""
        readers: dict[str, Callable[[Path], Any]] = {
            ".parquet": lambda path: pd.read_parquet(path).to_csv(),
            ".npz": _state,
            ".onnx": _answers,
            ".zip": _members,
            ".pt": lambda path: str(torch.load(path)),
        }
        return readers.get(path.suffix, Path.read_bytes)(path)


TASKS = (
    Task(partial(predict, ending="csv"), ("answers.csv",)),
    Task(partial(predict, ending="parquet"), ("answers.parquet",)),
    Task(snapshot, ("state0.npz", "state1.npz", "state2.npz")),
    Task(export, ("model.onnx",)),
    Task(train, ("weights.pt",)),
    Task(download, ("one.csv", "all.zip")),
    Task(command, ("model.onnx", "report.html")),
)


class _Slow(BaseHTTPRequestHandler):
    """Serves the parts of the data set, each in half a second."""

    def do_GET(self) -> None:
        content = _SERVED[self.path].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        for start in range(0, len(content), len(content) // 10):
            self.wfile.write(content[start : start + len(content) // 10])
            time.sleep(0.05)

    def log_message(self, *_: Any) -> None:
        """Say nothing, of a reader that was killed either."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A reader was killed."""


def _prepare(source: Path) -> None:
    """What the tasks read: records, a fitted scorer and its table, and the address of data."""
    stored = Model(_FRAUD, threads=1).metadata["self_test"]["records"]
    pd.DataFrame(stored * 600).to_csv(source / "records.csv", index=False)
    data = CreditScorer.sample()
    data.train.head(600).to_csv(source / "loans.csv", index=False)
    scorer = CreditScorer.fast().fit(data.train.head(600))
    (source / "scorer.pickle").write_bytes(pickle.dumps(scorer))


def _in_silence(task: Task, source: Path, folder: Path) -> None:
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    warnings.simplefilter("ignore")
    task.run(source, folder)


def _started(task: Task, source: Path, folder: Path) -> Any:
    run = get_context("fork").Process(target=_in_silence, args=(task, source, folder))
    run.start()
    return run


def _reference(task: Task, source: Path, folder: Path) -> tuple[dict[str, Any], float]:
    """The files of a run that nobody kills, and its seconds."""
    seconds = []
    for _ in range(2):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        began = time.perf_counter()
        run = _started(task, source, folder)
        run.join()
        seconds.append(time.perf_counter() - began)
        if run.exitcode:
            raise SystemExit(f"{task} does not work: it ended with {run.exitcode}.")
    return {name: task.read(folder / name) for name in task.files}, min(seconds)


def judged(task: Task, source: Path, folder: Path, right: dict[str, Any]) -> list[str]:
    """What a killed run has left, before and after the next one."""
    there = [name for name in task.files if (folder / name).exists()]
    found = ["right" if len(there) == len(task.files) else "none"]
    if wrong := _wrong(task, folder, right, there):
        print(f"  {task}: {wrong}")
        found = ["damaged"]
    run = _started(task, source, folder)
    run.join(PATIENCE)
    if run.is_alive():
        run.kill()
        run.join()
        found.append("hung")
    left = sorted({each.name for each in folder.iterdir()} - set(task.files))
    if left or run.exitcode or (wrong := _wrong(task, folder, right, list(task.files))):
        print(f"  {task}: the next run ended with {run.exitcode}, left {left}; wrong: {wrong}")
        found.append("left over")
    return found


def _wrong(task: Task, folder: Path, right: dict[str, Any], names: list[str]) -> list[str]:
    """Files that cannot be read, or do not hold what they should."""
    found = []
    for name in names:
        try:
            if task.read(folder / name) != right[name]:
                found.append(f"{name} is another")
        except Exception as error:  # noqa: BLE001 - whatever a part of a file does to its reader
            found.append(f"{name}: {type(error).__name__}: {error!s:.100}")
    return found


def main() -> int:
    """Print the counts; 1 where one of the last three is not 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--tasks", nargs="*", default=[str(task) for task in TASKS])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    total: Counter[str] = Counter()
    print(f"{'task':26} {'signal':8} {'seconds':>8}", *(f"{each:>9}" for each in VERDICTS))
    with tempfile.TemporaryDirectory() as place, _Server(("127.0.0.1", 0), _Slow) as server:
        source = Path(place) / "source"
        source.mkdir()
        _prepare(source)
        (source / "url.txt").write_text(f"http://127.0.0.1:{server.server_port}")
        Thread(target=server.serve_forever, daemon=True).start()
        for task in (task for task in TASKS if str(task).startswith(tuple(asked.tasks))):
            folder = Path(place) / "written"
            right, seconds = _reference(task, source, folder)
            for how in (signal.SIGKILL, signal.SIGTERM):
                counts: Counter[str] = Counter()
                for number, moment in enumerate(np.linspace(0.02, seconds, asked.moments)):
                    if number % 2 == 0 or task.run is download:  # which is done where it is there
                        shutil.rmtree(folder)
                        folder.mkdir()
                    run = _started(task, source, folder)
                    time.sleep(moment)
                    os.kill(run.pid, how)
                    run.join()
                    counts.update(judged(task, source, folder, right))
                total.update(counts)
                line = (f"{counts[each]:>9}" for each in VERDICTS)
                print(f"{task!s:26} {how.name:8} {seconds:>8.2f}", *line, flush=True)
            shutil.rmtree(folder)
        server.shutdown()
    print(f"{'all':44}", *(f"{total[each]:>9}" for each in VERDICTS))
    return int(any(total[each] for each in NONE_OF))


if __name__ == "__main__":
    sys.exit(main())
