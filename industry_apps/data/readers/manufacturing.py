"""Files of manufacturing that have a form of their own; cards name these as ``reader``."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

from industry_apps.data.arrays import read_arrays
from industry_apps.data.rules import Reading
from industry_apps.errors import SchemaError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

#: Every so-many-th training engine is set aside for validation.
_VALIDATION_ENGINE = 5
#: Of magnetic tiles: a number that is further from the one before is of another tile.
_SAME_TILE = 200
_PCB_TYPES = ("open", "short", "mousebite", "spur", "copper", "pin-hole")


def matpower_cases(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Case files of grids as they are, a row each; all of them a test."""
    import pandas as pd

    del reading
    (path,) = paths.values()
    with zipfile.ZipFile(path) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    return pd.DataFrame(
        {"case": [Path(name).stem for name in texts], "text": list(texts.values()), "part": "test"}
    )


def cmapss(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Engines of C-MAPSS: the training file runs to failure, the others are a test that is cut off.

    Engines are named by file and number. The cycles that are left follow from the last cycle of
    an engine of training, and from the third file for one of the test. Where there is a test, the
    column ``part`` says where an engine belongs: every fifth one of training is for validation.
    """
    import numpy as np
    import pandas as pd

    train, *official = list(paths.values())
    tables = {"train": _engines(train, reading, np.zeros(1))}
    if official:
        test, left = official
        tables["test"] = _engines(test, reading, np.loadtxt(left, ndmin=1))
    frame = pd.concat(tables.values(), ignore_index=True)
    names = [np.repeat(name, len(table)) for name, table in tables.items()]
    part = np.concatenate(names).astype(object)
    number = frame["machine"].to_numpy(dtype=np.int64)
    frame["machine"] = [f"{p} {n:03d}" for p, n in zip(part, number, strict=True)]
    if official:
        part[(part == "train") & (number % _VALIDATION_ENGINE == 0)] = "validation"
        frame["part"] = part
    return frame


def _engines(path: Path, reading: Reading, left: np.ndarray) -> pd.DataFrame:
    """A file of engines, with the cycles that are left: so many behind the last, by engine."""
    import pandas as pd

    frame = pd.read_csv(path, sep=r"\s+", header=None, names=list(reading.header))
    last = frame.groupby("machine")["cycle"].transform("max")
    behind = left[frame["machine"].to_numpy() - 1] if len(left) > 1 else left[0]
    return frame.assign(remaining_life=(last - frame["cycle"] + behind).astype(float))


def jsplib(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Job shops as a row for each operation, with the best makespans known; all of them a test.

    Those of which no makespan is known are left out.
    """
    import pandas as pd

    del reading
    facts = json.loads(paths["instances.json"].read_text(encoding="utf-8"))
    rows = []
    with ZipFile(paths["instances.zip"]) as archive:
        for each in facts:
            bounds = each.get("bounds") or {}
            best = each["optimum"] or bounds.get("upper")
            if best:
                bound = each["optimum"] or bounds.get("lower")
                text = archive.read(each["path"]).decode()
                known = {"best_known": best, "known_bound": bound, "part": "test"}
                rows += [{"instance": each["name"], **row, **known} for row in _operations(text)]
    return pd.DataFrame(rows)


def _operations(text: str) -> Iterator[dict[str, Any]]:
    """Operations of one job shop: after jobs and machines a line for each job, in pairs."""
    lines = [line.split() for line in text.splitlines() if line.strip() and line[0] != "#"]
    jobs = int(lines[0][0])
    for job, line in enumerate(lines[1 : jobs + 1]):
        for position, (machine, duration) in enumerate(zip(line[::2], line[1::2], strict=True)):
            yield {
                "job": f"J{job}",
                "position": position,
                "machine": f"M{machine}",
                "duration": int(duration),
            }


def stockpyl_instances(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Inventory problems, a row for each, with their inputs as JSON; all of them a test."""
    import pandas as pd

    del reading
    (path,) = paths.values()
    found = json.loads(path.read_text(encoding="utf-8"))["instances"]
    rows = [
        {
            "name": each["name"],
            "description": each["description"],
            "inputs": json.dumps(each["data"]),
            "part": "test",
        }
        for each in found
    ]
    return pd.DataFrame(rows)


def supplygraph_orders(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Daily sales orders in units, a row for each product and day."""
    import pandas as pd

    (path,) = paths.values()
    with ZipFile(path) as archive, archive.open(reading.entry) as file:
        wide = pd.read_csv(file)
    long = wide.melt(id_vars="Date", var_name="item", value_name="quantity")
    time = pd.to_datetime(long["Date"]).astype("datetime64[s]")
    # Orders are whole units, a few of them with the rounding errors of a sum.
    return long.assign(time=time, quantity=long["quantity"].round(6))[["item", "time", "quantity"]]


def magnetic_tiles(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Photographs beside the tile that each is of, which their names tell.

    A name is expE_num_N: exposure E, and N, which rises with time. Sorted by N, a new tile begins
    where E does not rise or N jumps by more than 200.
    """
    import numpy as np

    (path,) = paths.values()
    if reading.arrays is None:
        raise SchemaError("The card of magnetic tiles names no arrays. Name those of its columns.")
    frame = read_arrays(path, reading.arrays)
    found = frame["name"].astype(str).str.extract(r"exp(\d+)_num_(\d+)").astype(np.int64)
    found.columns = ["exposure", "number"]
    taken = found.sort_values(["number", "exposure"])
    begins = ~(taken["exposure"].diff() > 0) | (taken["number"].diff() > _SAME_TILE)
    return frame.assign(part=begins.cumsum().reindex(frame.index)).drop(columns="name")


def deeppcb(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Boards, each with its template and the boxes of its defects, from a zip of PNG images."""
    import pandas as pd

    del reading
    (path,) = paths.values()
    rows = []
    with ZipFile(path) as archive:
        for name in sorted(n for n in archive.namelist() if n.endswith("_test.png")):
            stem = name.removesuffix("_test.png")
            told = archive.read(f"{stem}.txt").decode("ascii").split("\n")
            numbers = [list(map(int, line.split())) for line in told if line.strip()]
            rows.append(
                {
                    "image": archive.read(name),
                    "reference": archive.read(f"{stem}_temp.png"),
                    "boxes": [(*box[:4], _PCB_TYPES[box[4] - 1]) for box in numbers],
                    "is_test": stem.partition("/")[0],
                }
            )
    return pd.DataFrame(rows)
