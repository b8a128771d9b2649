"""Tables in hostile shapes: what is answered rightly, what is refused, what goes wrong.

Some good records of each application are written as CSV and Parquet files in many shapes, and
asked for by path: of the model file alone, with its answers written beside the records, and of
the trained model, which reads files as training does::

    python tests/hostile/tables.py [--applications NAME ...] [--shapes WORD ...]

Counts, of which ``make hostile`` wants the last four to be 0:

- right: the answers are those to the table that the file means, bit for bit;
- named: refused by an error of this package that names the column, the line or the file;
- unnamed: any other error, or the end of the process;
- wrong: other answers, or a table that is refused though nothing is wrong with it;
- hung: no answer within the time;
- left over: a file beside those that were asked for.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from industry_apps.data import read_images, read_table
from industry_apps.errors import IndustryAppsError
from industry_apps.registry import APPLICATIONS, application
from industry_apps.runtime.files import TableWriter
from industry_apps.testing.assertions import values_of
from industry_apps.testing.series_trial import SeriesTrial
from industry_apps.testing.trial import Trial
from tests.hostile import csv_shapes, parquet_shapes
from tests.hostile.table_shapes import SHAPES, NoSuchColumnError, Shape, Table

#: Bytes of memory of a process, and seconds of one question.
MEMORY, SECONDS = 12 << 30, 60.0
VERDICTS = ("right", "named", "unnamed", "wrong", "hung", "left over")
NONE_OF = VERDICTS[2:]
SOURCES = (csv_shapes, parquet_shapes)  # which tell the shapes when they are imported
WAYS = ("alone", "to CSV", "to Parquet", "trained")

#: Records of a table, of images and of series.
_RECORDS, _FEW = 12, 3


class Judge:
    """Asks one application for files in each shape.

    Parameters
    ----------
    name : str
        Of an application.
    folder : Path
        Of the images of the records, which lie beside no table.
    """

    def __init__(self, name: str, folder: Path) -> None:
        kind = application(name)
        self.trial = (SeriesTrial if kind.traits.windows else Trial)(kind)
        self.folder = folder
        schema = self.trial.inputs
        few = kind.traits.windows or any(column.kind == "image" for column in schema)
        frame = self.trial.records(_FEW if few else _RECORDS)
        frame = frame[[column for column in schema.names if column in frame]]
        for column in schema:
            if column.kind == "image":
                frame[column.name] = [self._png(*each) for each in frame[column.name].items()]
        self.table = Table(frame, schema)

    def _png(self, row: Any, image: Any) -> str:
        from PIL import Image

        path = self.folder / f"{row}.png"
        Image.fromarray(np.squeeze(image)).save(path)
        return str(path)

    @cached_property
    def _ways(self) -> dict[str, Callable[[Path, Path, Shape], pd.DataFrame]]:
        fitted = self.trial.fitted
        predict = partial(self.trial.model.predict, paths=self.folder)

        def written(path: Path, to: Path, shape: Shape) -> pd.DataFrame:
            predict(path, to=to, **shape.options)
            return self._read(to)

        return {
            "alone": lambda path, _, shape: self._flat(predict(path, **shape.options)),
            "to CSV": written,
            "to Parquet": written,
            "trained": lambda path, _, shape: self._flat(
                fitted.predict(self._opened(read_table(path, **shape.options)))
            ),
        }

    def _opened(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A table with its images in place of their paths."""
        images = [column.name for column in self.trial.inputs if column.kind == "image"]
        here = [name for name in images if name in frame]
        return read_images(frame, columns=here, paths=self.folder) if here else frame

    def verdicts(self, shape: Shape) -> Iterator[tuple[str, str, str]]:
        """Of each way to ask, what becomes of it, and the error or the answer.

        Before each comes the way alone, with no verdict yet.
        """
        try:
            means = {way: self._expected(shape, way) for way in WAYS}
            with tempfile.TemporaryDirectory() as folder:
                shape.write(self.table, Path(folder) / shape.file)
        except NoSuchColumnError:
            return
        for way in WAYS:
            yield way, "", ""
            with tempfile.TemporaryDirectory() as folder:
                yield (way, *self._judged(shape, way, Path(folder), *means[way]))

    def _judged(
        self, shape: Shape, way: str, folder: Path, expected: dict[str, Any], has_to: bool
    ) -> tuple[str, str]:
        path, to = folder / shape.file, folder / f"out.{way.split()[-1].lower()}"
        shape.write(self.table, path)
        os.chdir(folder)
        asked = {path.name}
        try:
            found = self._ways[way](path, to, shape)
        except IndustryAppsError as error:
            text = str(error)
            welcome = has_to and (len(next(iter(expected.values()))) or way != "trained")
            verdict = "wrong" if welcome else "named" if _names(text, path) else "unnamed"
        except BaseException as error:  # noqa: BLE001
            verdict, text = "unnamed", f"{type(error).__name__}: {error}"
        else:
            asked.add(to.name)
            wanted: Any = self._written(expected, to) if way.startswith("to") else expected
            verdict = "right" if _equal(found, wanted) else "wrong"
            text = f"answers {found[:3].to_dict('list')}"
        left = sorted(each.name for each in folder.iterdir() if each.name not in asked)
        return ("left over", str(left)) if left else (verdict, text)

    def _expected(self, shape: Shape, way: str) -> tuple[dict[str, Any], bool]:
        """The answers to the table that a shape means, and whether it has to be answered.

        What means none may be answered as if nothing had been done to it: semicolons in a table
        of one column do nothing.
        """
        try:
            return self._asked(
                self.table.frame if shape.means is None else shape.means(self.table), way
            ), shape.means is not None
        except IndustryAppsError:
            return self._asked(self.table.frame, way), False

    def _asked(self, frame: pd.DataFrame, way: str) -> dict[str, Any]:
        """Answers, and whose they are, by name."""
        frame = self._opened(frame)
        if way == "trained":
            answers = self._flat(self.trial.fitted.predict(frame))
            return {str(name): answers[name] for name in answers}
        return self.trial.model.predict({name: frame[name] for name in frame})

    def _flat(self, answers: pd.DataFrame) -> pd.DataFrame:
        """Answers in columns, beside what says whose they are."""
        return answers.reset_index(drop=self.trial.model.windows is None)

    def _written(self, answers: dict[str, Any], path: Path) -> pd.DataFrame:
        """Answers as a file of them has them."""
        to, outputs = path.with_stem("expected"), self.trial.model.outputs.names
        keys = {name: values for name, values in answers.items() if name not in outputs}
        rows = range(len(answers[outputs[0]]))
        with TableWriter(to, Path(), self.trial.inputs, self.trial.model.outputs) as writer:
            writer.write(pd.DataFrame(keys, rows), {name: answers[name] for name in outputs})
        found = self._read(to)
        to.unlink()
        return found

    def _read(self, path: Path) -> pd.DataFrame:
        parquet = path.suffix == ".parquet"
        frame = pd.read_parquet(path) if parquet else pd.read_csv(path, dtype=str, na_filter=False)
        windows = self.trial.model.windows
        return frame[[*(windows.keys if windows else ()), *self.trial.model.outputs.names]]


def _names(text: str, path: Path) -> bool:
    """Whether an error names the file, the line or the column."""
    return (
        path.name in text or re.search(r"\bline \d|Column '|the columns is known", text) is not None
    )


def _equal(found: pd.DataFrame, expected: Mapping[str, Any]) -> bool:
    return list(found) == list(expected) and all(
        _same_values(values_of(found[name]), np.asarray(expected[name])) for name in found
    )


def _same_values(found: Any, expected: Any) -> bool:
    if len(found) != len(expected):
        return False
    if expected.dtype.kind in "OUf" or not len(found):  # lists of numbers are Python's in a frame
        return all(map(_same_cell, found, expected))
    return bool(found.dtype == expected.dtype and found.tobytes() == expected.tobytes())


def _same_cell(found: Any, expected: Any) -> bool:
    """Numbers and texts, or arrays of them, which a file of Parquet holds as arrays of arrays."""
    if isinstance(expected, list | np.ndarray):
        if len(found) < len(expected) and set(expected[len(found) :]) == {""}:
            expected = expected[: len(found)]  # arrays are filled up, lists are not
        return len(found) == len(expected) and all(map(_same_cell, found, expected))
    return found == expected or (found != found and expected != expected)  # noqa: PLR0124


def _work(name: str, shapes: list[Shape], pipe: Connection) -> None:
    """A process: judge the shapes of which it is told the numbers."""
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as folder:
        judge = Judge(name, Path(folder))
        judge.trial.path  # noqa: B018 - fitted and exported, which has a time of its own
        pipe.send(None)
        while (number := pipe.recv()) is not None:
            for found in judge.verdicts(shapes[number]):
                pipe.send(found)
            pipe.send(None)


def judged(name: str, shapes: list[Shape]) -> Iterator[tuple[Shape, str, str, str]]:
    """Verdicts of an application on shapes, by a process that is made anew where it ends."""
    context = get_context("fork")
    left = list(range(len(shapes)))
    while left:
        pipe, other = context.Pipe()
        process = context.Process(target=_work, args=(name, shapes, other), daemon=True)
        process.start()
        other.close()
        pipe.recv()
        while left:
            shape, way = shapes[left[0]], ""
            pipe.send(left.pop(0))
            lost = ""
            while True:
                try:
                    if not pipe.poll(SECONDS):
                        lost = "hung"
                        break
                    found = pipe.recv()
                except EOFError:
                    lost = "unnamed"
                    break
                if found is None:
                    break
                way = found[0]
                if found[1]:
                    yield (shape, *found)
            if lost:
                yield shape, way, lost, "the process gave no answer"
                break
        process.kill()
        process.join()


def main() -> int:
    """Print the counts; 1 where one of the last four is not 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--applications", nargs="*", default=list(APPLICATIONS))
    parser.add_argument("--shapes", nargs="*", default=[""], help="words of their names")
    chosen = parser.parse_args()
    shapes = [each for each in SHAPES if any(word in each.name for word in chosen.shapes)]
    of_shapes: dict[str, Counter[str]] = {each.name: Counter() for each in shapes}
    _show("application", dict(zip(VERDICTS, VERDICTS, strict=True)))
    for name in chosen.applications:
        counts: Counter[str] = Counter()
        for shape, way, verdict, text in judged(name, shapes):
            of_shapes[shape.name][verdict] += 1
            counts[verdict] += 1
            if verdict in NONE_OF:
                print(f"  {name}, {shape.name}, {way}: {verdict}, {text!r:.400}", flush=True)
        _show(name, counts)
    _show("shape", dict(zip(VERDICTS, VERDICTS, strict=True)))
    for name, counts in {**of_shapes, "all": sum(of_shapes.values(), Counter())}.items():
        _show(name, counts)
    return int(any(counts[each] for counts in of_shapes.values() for each in NONE_OF))


def _show(name: str, counts: Mapping[str, Any]) -> None:
    print(f"{name:34}", *(f"{counts[each]:>9}" for each in VERDICTS), flush=True)


if __name__ == "__main__":
    sys.exit(main())
