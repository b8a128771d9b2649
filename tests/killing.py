"""Processes that are killed at a chosen moment of what they write, and disks that are full.

A child counts its calls of the system that write. At the chosen one it kills itself, as ``kill -9``
would: before the call, in the middle of what is written, or behind it.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_CALLS = ("pwrite", "fsync", "replace", "ftruncate")


def die_at(moment: int) -> None:
    """From now on, count the moments of writing, and end at one of them."""
    count = 0

    def passed() -> None:
        nonlocal count
        count += 1
        if count == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def watched(name: str, call: Any) -> Any:
        def called(*arguments: Any, **named: Any) -> Any:
            passed()
            if name == "pwrite" and count + 1 == moment:
                file, content, place = arguments
                call(file, content[: len(content) // 2], place)
                passed()
            found = call(*arguments, **named)
            passed()
            return found

        return called

    for name in _CALLS:
        setattr(os, name, watched(name, getattr(os, name)))


def killed_at(
    moments: int,
    work: Callable[[Path, Callable[[str], None]], None],
    at: Path,
    source: Path | None = None,
) -> None:
    """Do some work again and again, each time in a fork that dies at a later moment.

    Parameters
    ----------
    moments : int
        From the first to this one.
    work : callable
        Takes a folder of its own, and what it calls with each thing that it has acknowledged.
    at : Path
        Folder of the folders, each with a file ``told`` of what was acknowledged.
    source : Path, optional
        What each of them begins with.
    """
    for moment in range(1, moments + 1):
        folder = at / str(moment)
        if source is None:
            folder.mkdir(parents=True)
        else:
            shutil.copytree(source, folder)
        if os.fork() == 0:
            try:
                with (folder / "told").open("w") as told:
                    die_at(moment)
                    work(folder, lambda text: print(text, file=told, flush=True))
                os._exit(0)
            except BaseException:  # noqa: BLE001 - the fork must not go on as the parent
                traceback.print_exc()
                os._exit(1)
        _, status = os.wait()
        assert status in (0, signal.SIGKILL), f"moment {moment}: {status}"


def no_room(size: int) -> None:
    """From now on, no file grows beyond some bytes: the disk is full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def child(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own; it ends within a minute."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
