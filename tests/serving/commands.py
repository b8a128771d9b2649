"""The command ``industry-apps serve`` in a process of its own."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.killing import ROOT


class Command:
    """A running command, and the events that it logs."""

    def __init__(self, arguments: list[str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "industry_apps", "serve", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        )
        self.lines: list[str] = []
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def next(self, event: str, seconds: float = 60) -> dict[str, Any]:
        """The next event of a kind."""
        while True:
            try:
                found = self._events.get(timeout=seconds)
            except queue.Empty:
                raise AssertionError(f"no {event!r} came: {self.lines}") from None
            if found["event"] == event:
                return found

    def end(self) -> int:
        """Ask it to end, and wait for it."""
        self.process.terminate()
        return self.process.wait(30)

    def _read(self) -> None:
        for line in self.process.stderr or ():
            self.lines.append(line)
            if line.startswith("{"):
                self._events.put(json.loads(line))


@contextmanager
def command(*arguments: object) -> Iterator[Command]:
    """Run the command on a free port; it is killed if it does not end by itself."""
    found = Command([*map(str, arguments), "--port", "0"])
    try:
        yield found
    finally:
        found.process.kill()
        found.process.wait()
        found._reader.join(10)
        if found.process.stderr is not None:
            found.process.stderr.close()
