"""Files that are whole or not there: what stays, what is swept, and what a full disk says."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pooch
import pytest
import torch

from industry_apps.data import files
from industry_apps.data.cards import DataFile
from industry_apps.errors import FileWriteError
from industry_apps.evaluation import Estimate, Report
from industry_apps.export import export_model
from industry_apps.runtime import Model, TransactionState
from industry_apps.training.checkpoint import TrainingState, write_checkpoint
from industry_apps.whole_file import whole_file
from tests.tiny_model import Served

WRITING = """
import sys
from pathlib import Path
from industry_apps.whole_file import whole_file
with whole_file(Path(sys.argv[1])) as aside:
    aside.write_text("half")
    aside.with_suffix(".part").write_text("more")
    print("writing", flush=True)
    sys.stdin.read()
"""


def writer_of(path: Path) -> subprocess.Popen[str]:
    """A process that is in the midst of writing a file."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    run = subprocess.Popen([sys.executable, "-c", WRITING, str(path)], text=True, **pipes)
    assert run.stdout is not None
    assert run.stdout.readline() == "writing\n"
    return run


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_what_a_killed_run_left_is_swept_by_the_next(tmp_path: Path, how: int) -> None:
    run = writer_of(tmp_path / "answers.csv")
    run.send_signal(how)
    run.communicate()
    assert len(list(tmp_path.iterdir())) == 2
    stranger = tmp_path / f".{'0' * 32}.answers.csv"
    stranger.write_text("not ours")
    with whole_file(tmp_path / "other.csv") as aside:
        aside.write_text("whole")
    assert sorted(tmp_path.iterdir()) == [stranger, tmp_path / "other.csv"]


def test_what_goes_on_is_not_swept(tmp_path: Path) -> None:
    run = writer_of(tmp_path / "answers.csv")
    with whole_file(tmp_path / "answers.csv") as aside:
        aside.write_text("mine")
    assert (tmp_path / "answers.csv").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 3
    run.communicate("")
    assert run.returncode == 0
    assert (tmp_path / "answers.csv").read_text() == "half"


@pytest.mark.parametrize("mode", [0o600, 0o444, 0o755])
def test_the_mode_of_an_old_file_stays(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "answers.csv"
    path.write_text("old")
    path.chmod(mode)
    with whole_file(path) as aside:
        aside.write_text("new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_new_file_has_the_usual_mode(tmp_path: Path) -> None:
    with whole_file(tmp_path / "ours") as aside:
        aside.write_text("new")
    (tmp_path / "usual").write_text("new")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_symbolic_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "shelf").mkdir()
    target, link = tmp_path / "shelf" / "v1.csv", tmp_path / "latest.csv"
    target.write_text("old")
    link.symlink_to(Path("shelf") / "v1.csv")
    for text in ("new", "newer"):
        with whole_file(link) as aside:
            aside.write_text(text)
            assert aside.parent == target.parent  # which may be another disk than that of the link
        assert link.is_symlink()
        assert target.read_text() == text
        target.unlink()  # where it is not there any more, it is made


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "round").symlink_to(tmp_path / "round")
    os.mkfifo(tmp_path / "pipe")
    for name, words in (
        ("folder", "is a folder"),
        ("pipe", "no regular file"),
        ("round", "leads to itself"),
    ):
        with pytest.raises(FileWriteError, match=words) as error, whole_file(tmp_path / name):
            pass
        assert str(tmp_path / name) in str(error.value)
        assert "Write to another name." in str(error.value)


def test_a_long_name_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 250 + ".csv")
    with whole_file(path) as aside:
        aside.write_text("all")
        assert aside.suffix == ".csv"
    assert path.read_text() == "all"


def test_the_folder_reaches_the_disk_after_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, done = tmp_path / "answers.csv", []
    sync = os.fsync

    def synced(opened: int) -> None:
        there = path.exists()
        done.append("folder" if stat.S_ISDIR(os.fstat(opened).st_mode) else "file")
        assert there == (done[-1] == "folder")
        sync(opened)

    monkeypatch.setattr(os, "fsync", synced)
    with whole_file(path) as aside:
        aside.write_text("all")
    assert done == ["file", "folder"]


@contextmanager
def no_room(size: int) -> Iterator[None]:
    """No file may grow beyond a size: what writes it is told as by a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def answers(path: Path, served: Served) -> None:
    table = served.path.parent / "asked.parquet"
    if not table.exists():
        served.frame.to_parquet(table)
    Model(served.path, threads=1).predict(table, to=path)


def model_file(path: Path, served: Served) -> None:
    export_model(served.exportable, path)


def page(path: Path, _: Served) -> None:
    Report(model="trees", metrics={"auroc": Estimate(1.0, 1.0, 1.0)}).to_html(path)


def numbers(path: Path, _: Served) -> None:
    Report(model="trees", metrics={}, notes=("much" * 2000,)).to_json(path)


def state(path: Path, served: Served) -> None:
    frame = pd.DataFrame({"customer": range(2000), "terminal": "T", "time": 0, "amount": 1.0})
    stream = TransactionState()
    stream.enrich(frame.astype({"customer": str}))
    stream.snapshot(path)


def checkpoint(path: Path, _: Served) -> None:
    write_checkpoint(path, TrainingState("float32", weights={"w": torch.zeros(5000)}), {})


def data(path: Path, _: Served) -> None:
    with pytest.MonkeyPatch.context() as patch:
        content = b"row\n" * 4000
        name, url = path.name, "https://example.org/table.csv"
        made = DataFile(name, url, hashlib.sha256(content).hexdigest(), len(content))
        get = lambda _, to, __: Path(to).write_bytes(content)  # noqa: E731
        patch.setattr(pooch, "HTTPDownloader", lambda **_: get)
        patch.setattr(files, "card", lambda _: SimpleNamespace(files=(made,), folder=""))
        patch.setenv("INDUSTRY_APPS_CACHE", str(path.parent.parent))
        patch.setenv("INDUSTRY_APPS_DATA", "")
        path.unlink(missing_ok=True)
        files.fetch(path.parent.name)


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (answers, "answers.csv"),
        (answers, "answers.parquet"),
        (model_file, "model.onnx"),
        (page, "report.html"),
        (numbers, "report.json"),
        (state, "state.npz"),
        (checkpoint, "last.pt"),
        (data, "table.csv"),
    ],
)
def test_a_full_disk_names_the_file_and_leaves_the_old_one(
    tmp_path: Path, served: Served, write: Callable[[Path, Served], None], name: str
) -> None:
    path = tmp_path / name
    write(path, served)
    old = path.read_bytes()
    assert len(old) > 2000
    with no_room(2000), pytest.raises(FileWriteError) as error:
        write(path, served)
    assert f"{path} was not written: there is no room for it" in str(error.value)
    assert "Make room in its folder, or write to another one." in str(error.value)
    left = [] if write is data else [(path, old)]  # a download writes where there is nothing
    assert [(each, each.read_bytes()) for each in tmp_path.iterdir()] == left
    write(path, served)
