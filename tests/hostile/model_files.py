"""Damaged and hostile model files: what is answered rightly, what is refused, what goes wrong.

Each file of the zoo is changed in one bit, cut short, and changed in one bit and *resealed* with
a right digest, as somebody would who means harm. Each change is loaded by a process of limited
memory and time, which answers the records of the self-test of the file as it was::

    python tests/hostile/model_files.py [--files NAME ...] [--flips 2000] [--cuts 200]

Counts, of which ``make hostile`` wants the last four to be 0:

- right: loaded, and all answers are equal, bit for bit;
- named: refused by an error of this package that names the file or the column;
- other: of resealed files alone: loaded, and the answers are within the tolerance of the
  self-test. Whoever writes a digest may write another model; ``Model(path, sha256=...)`` tells;
- unnamed: any other error, or the end of the process;
- wrong: loaded, and an answer is another one;
- hung: no answer within the time;
- left over: a file in the working directory of the process.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np

from industry_apps.errors import IndustryAppsError, ModelFileError
from industry_apps.runtime import Model, inputs, loading
from industry_apps.runtime.metadata import DIGEST, FORMAT, own_facts
from industry_apps.runtime.wire import metadata_spans
from industry_apps.runtime.zoo import verify, zoo
from industry_apps.schema.images import changed_pixels

#: Bytes of memory of a process, and seconds of one file.
MEMORY, SECONDS = 6 << 30, 30.0
VERDICTS = ("right", "named", "other", "unnamed", "wrong", "hung", "left over")
NONE_OF = ("unnamed", "wrong", "hung", "left over")

#: How a file is changed, and where: the number of a bit, or of the bytes that are left.
Change = tuple[str, int]


def sealed(content: bytes) -> bytes:
    """A file of the zoo with a digest, where it is of before there was one."""
    spans = metadata_spans(content)
    if DIGEST in spans:
        return loading.seal(content)
    facts = {"format": FORMAT, "own_facts": own_facts(spans)}
    for key, value in facts.items():
        content += _property(key, json.dumps(value))
    return loading.seal(_property(DIGEST, json.dumps("0" * 64)) + content)


def changed(content: bytes, change: Change) -> bytes:
    """A file with one bit changed, or cut short, or with one bit changed and a right digest."""
    kind, place = change
    if kind == "cut":
        return content[:place]
    flipped = bytearray(content)
    flipped[place // 8] ^= 1 << place % 8
    if kind == "flip":
        return bytes(flipped)
    try:
        return loading.seal(bytes(flipped))
    except IndustryAppsError:
        return bytes(flipped)  # what has no place for a digest is refused before there is one


def changes(content: bytes, flips: int, cuts: int, seed: int = 0) -> list[Change]:
    """Changes of a file, the same each time: half of the bits are among the metadata."""
    random = np.random.default_rng(seed)
    bits = 8 * len(content)
    told = [8 * at for span in metadata_spans(content).values() for at in range(*span)]
    made: list[Change] = []
    for kind in ("flip", "reseal"):
        anywhere = random.integers(0, bits, flips - flips // 2).tolist()
        among = (random.choice(told, flips // 2) + random.integers(0, 8, flips // 2)).tolist()
        made += [(kind, place) for place in (*anywhere, *among)]
    return made + [("cut", place) for place in random.integers(0, len(content), cuts).tolist()]


class Judge:
    """Loads changed files, and compares their answers with those of the whole one.

    Parameters
    ----------
    content : bytes
        Of the whole file.
    folder : Path
        Empty; the working directory.
    """

    def __init__(self, content: bytes, folder: Path) -> None:
        self.content, self.folder = content, folder
        self.path = folder / "model.onnx"
        self.path.write_bytes(content)
        whole = Model(self.path, threads=1)
        self.records = whole.metadata["self_test"]["records"]
        self.tables = inputs.table_of(self.records, whole._table)
        self.expected = whole._predict_table(self.tables)
        self.path.unlink()

    def verdict(self, change: Change) -> tuple[str, str]:
        """What becomes of a change, and the error or the answer."""
        self.path.write_bytes(changed(self.content, change))
        try:
            found = self._answered(resealed=change[0] == "reseal")
        finally:
            self.path.unlink()
        left = sorted(path.name for path in self.folder.rglob("*"))
        return ("left over", str(left)) if left else found

    def _answered(self, *, resealed: bool) -> tuple[str, str]:
        try:
            model = Model(self.path, threads=1)
        except ModelFileError as error:
            text = str(error)
            return ("named" if self.path.name in text else "unnamed"), text
        except BaseException as error:  # noqa: BLE001
            return "unnamed", f"{type(error).__name__}: {error}"
        try:
            answers = model._predict_table(inputs.table_of(self.records, model._table))
        except IndustryAppsError as error:
            return "named", str(error)
        except BaseException as error:  # noqa: BLE001
            return "unnamed", f"in predict, {type(error).__name__}: {error}"
        return self._compared(answers, resealed=resealed)

    def _compared(self, answers: Any, *, resealed: bool) -> tuple[str, str]:
        if list(answers) != list(self.expected):
            return ("named" if resealed else "wrong"), f"answers {list(answers)}"
        if all(_equal(answers[name], each) for name, each in self.expected.items()):
            return "right", ""
        near = resealed and all(_near(answers[name], each) for name, each in self.expected.items())
        return ("other" if near else "wrong"), "answers differ"


def _equal(found: Any, expected: Any) -> bool:
    if found.dtype != expected.dtype or found.shape != expected.shape:
        return False
    if found.dtype.kind == "O":
        return all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))
    return found.tobytes() == expected.tobytes()


def _near(found: Any, expected: Any) -> bool:
    """Within what the self-test accepts: of numbers 1e-4 of them, of images of their pixels."""
    if found.dtype != expected.dtype or found.shape != expected.shape:
        return False
    if found.dtype.kind != "f":
        return _equal(found, expected) or (
            found.dtype.kind == "O" and all(map(_few_pixels, found, expected))
        )
    slack = 1e-4 * np.fmax(1, np.abs(expected))
    return bool(np.isclose(found, expected, rtol=0, atol=slack, equal_nan=True).all())


def _few_pixels(found: Any, expected: Any) -> bool:
    if not isinstance(found, np.ndarray) or found.shape != expected.shape:
        return False
    return bool(changed_pixels(found, expected) <= 1e-4 * found.size)


def _property(key: str, value: str) -> bytes:
    """One entry of the metadata of a model, in the wire format."""
    inner = b"".join(
        bytes([tag]) + _varint(len(text)) + text
        for tag, text in ((0x0A, key.encode()), (0x12, value.encode()))
    )
    return b"\x72" + _varint(len(inner)) + inner


def _varint(number: int) -> bytes:
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*made, number])


def _work(content: bytes, pipe: Connection) -> None:
    """A process: judge one change after the other."""
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)
    loading.SECONDS = SECONDS / 3
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        judge = Judge(content, Path(folder))
        pipe.send("ready")
        while (change := pipe.recv()) is not None:
            pipe.send(judge.verdict(change))


class Worker:
    """A process that judges, made anew where it ends or hangs."""

    def __init__(self, content: bytes) -> None:
        context = get_context("fork")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=_work, args=(content, other), daemon=True)
        self.process.start()
        other.close()
        if self.pipe.recv() != "ready":
            raise RuntimeError("the whole file does not load")
        self.change: Change | None = None
        self.since = 0.0

    def give(self, change: Change) -> None:
        self.change, self.since = change, time.monotonic()
        self.pipe.send(change)

    def take(self) -> tuple[str, str] | None:
        """The verdict, where there is one; a process that ended or hangs is one, too."""
        if self.pipe.poll():
            try:
                found: tuple[str, str] = self.pipe.recv()
                return found
            except EOFError:
                self.process.join()
                return "unnamed", f"the process ended with {self.process.exitcode}"
        if time.monotonic() - self.since > SECONDS:
            return "hung", f"no answer within {SECONDS:g} s"
        return None

    @property
    def is_usable(self) -> bool:
        return self.process.is_alive() and time.monotonic() - self.since <= SECONDS

    def end(self) -> None:
        self.process.kill()
        self.process.join()


def judged(
    content: bytes, asked: list[Change], processes: int
) -> Iterator[tuple[Change, str, str]]:
    """Verdicts of many changes of a file, by several processes."""
    left, workers = list(reversed(asked)), [Worker(content) for _ in range(processes)]
    try:
        while left or any(worker.change for worker in workers):
            for place, worker in enumerate(workers):
                if worker.change is not None:
                    found = worker.take()
                    if found is None:
                        continue
                    yield (worker.change, *found)
                    worker.change = None
                    if not worker.is_usable:
                        worker.end()
                        workers[place] = Worker(content)
                if left:
                    workers[place].give(left.pop())
            wait([worker.pipe for worker in workers if worker.change], timeout=1)
    finally:
        for worker in workers:
            worker.end()


def counted(
    name: str, content: bytes, asked: list[Change], processes: int
) -> dict[str, Counter[str]]:
    """Verdicts by kind of change; those that are none of the good ones are printed."""
    found: dict[str, Counter[str]] = {}
    for change, verdict, text in judged(content, asked, processes):
        found.setdefault(change[0], Counter())[verdict] += 1
        if verdict in NONE_OF:
            print(f"  {name}, {change[0]} at {change[1]}: {verdict}, {text!r:.300}", flush=True)
    return found


def main() -> int:
    """Print the counts; 1 where one of the last four is not 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--files", nargs="*", default=sorted(zoo()), help="names of the zoo")
    parser.add_argument("--flips", type=int, default=2000)
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--processes", type=int, default=max(1, len(os.sched_getaffinity(0))))
    chosen = parser.parse_args()
    total: dict[str, Counter[str]] = {}
    print(f"{'file':42} {'change':7}", *(f"{each:>9}" for each in VERDICTS))
    for name in chosen.files:
        content = sealed(verify(name).read_bytes())
        found = counted(
            name, content, changes(content, chosen.flips, chosen.cuts), chosen.processes
        )
        for kind, counts in found.items():
            _show(name, kind, counts)
            total.setdefault(kind, Counter()).update(counts)
    for kind, counts in total.items():
        _show("all", kind, counts)
    return int(any(counts[verdict] for counts in total.values() for verdict in NONE_OF))


def _show(name: str, kind: str, counts: Counter[str]) -> None:
    print(f"{name:42} {kind:7}", *(f"{counts[each]:>9}" for each in VERDICTS), flush=True)


if __name__ == "__main__":
    sys.exit(main())
