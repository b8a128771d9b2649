"""Files that are whole or not there: what stays, what is swept, and what a full disk says."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from industry_apps.errors import FileWriteError
from industry_apps.whole_file import whole_file

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


FULL = """
import resource, sys
from pathlib import Path
import numpy as np, pandas as pd
from industry_apps.errors import FileWriteError
from industry_apps.runtime.files import TableWriter
from industry_apps.schema import Column, Schema
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
path = Path(sys.argv[1])
frame = pd.DataFrame({"x": np.random.default_rng(0).random(100_000)})
try:
    with TableWriter(path, Path("of.csv"), Schema((Column("x", "number"),)), Schema(())) as writer:
        writer.write(frame, {})
except FileWriteError as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["answers.csv", "answers.parquet"])
def test_a_full_disk_names_the_file_and_leaves_the_old_one(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("old")
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True
    )
    assert f"{path} was not written: there is no room for it" in done.stdout
    assert "Make room in its folder, or write to another one." in done.stdout
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert path.read_text() == "old"
