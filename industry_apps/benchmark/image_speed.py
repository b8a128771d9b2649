"""How many times faster an int8 file answers images than the trained network does in float32.

OpenVINO's build of onnxruntime takes the place of the plain one, so it is measured in another
Python, which the environment variable INDUSTRY_APPS_OPENVINO_PYTHON names.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.benchmark.speed import Measure, alternating, bare_session, drawn, threads
from industry_apps.errors import ParityError

#: Names the Python that has onnxruntime-openvino.
OPENVINO_PYTHON = "INDUSTRY_APPS_OPENVINO_PYTHON"

_BATCH, _REPEATS = 64, 15
#: Pixels of a batch of large images.
_PIXELS = 2_000_000
_TARGET, _OPENVINO_TARGET = 4.0, 15.0

_TIME_IT = """
import json, sys, time
import numpy, onnxruntime as ort
path, feeds, repeats, threads = sys.argv[1], dict(numpy.load(sys.argv[2])), *map(int, sys.argv[3:])
settings = {"device_type": "CPU", **({"num_of_threads": str(threads)} if threads else {})}
session = ort.InferenceSession(path, providers=[("OpenVINOExecutionProvider", settings)])
assert session.get_providers()[0] == "OpenVINOExecutionProvider", session.get_providers()
seconds = []
for _ in range(repeats + 2):
    started = time.perf_counter()
    session.run(None, feeds)
    seconds.append(time.perf_counter() - started)
json.dump(sorted(seconds[2:])[repeats // 2], sys.stdout)
"""


def of_images(application: Application, rows: pd.DataFrame) -> list[Measure]:
    """Compare the int8 file with the network in torch, float32, at batches of up to 64 images.

    The file does everything, from bytes to the answer; the network begins with pixels that
    are resized and normalised already.

    Parameters
    ----------
    application : Application
        Fitted; holds a recipe with networks of images. Others have nothing to compare.
    rows : DataFrame
        Labelled records to export with, and to draw from.
    """
    recipe: Any = getattr(application, "recipe_", None)
    if "int8" not in application.traits.precisions or not hasattr(recipe, "forward"):
        return []
    arrays = application.schema_.to_arrays(drawn(rows, _BATCH))
    largest = max(image.size for image in next(iter(arrays.values())))
    count = max(1, min(_BATCH, _PIXELS // largest))
    some = {name: values[:count] for name, values in arrays.items()}
    feeds = {name: np.stack(values.tolist()) for name, values in some.items()}
    pixels = recipe.pixels(some)
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = application.export(Path(folder) / "int8.onnx", precision="int8", check=rows)
        except ParityError as error:
            return [Measure(name="int8_vs_torch", value=f"not exported: {error}")]
        session = bare_session(path)
        seconds = alternating(
            {
                "torch": lambda: recipe.forward(pixels),
                "int8": lambda: session.run(None, feeds),
            },
            _REPEATS,
        )
        torch = median(seconds["torch"])
        openvino = _on_openvino(path, feeds, folder)
    ratio: float | str = torch / openvino if isinstance(openvino, float) else openvino
    return [
        Measure(name="int8_vs_torch", value=torch / median(seconds["int8"]), target=_TARGET),
        Measure(name="openvino_int8_vs_torch", value=ratio, target=_OPENVINO_TARGET),
    ]


def _on_openvino(path: Path, feeds: Mapping[str, NDArray[Any]], folder: str) -> float | str:
    """Seconds of one run, or why there are none."""
    python = os.environ.get(OPENVINO_PYTHON)
    if not python:
        return f"not measured: {OPENVINO_PYTHON} names no Python with onnxruntime-openvino"
    stored = Path(folder) / "feeds.npz"
    arrays: dict[str, Any] = dict(feeds)
    np.savez(stored, **arrays)
    arguments = [str(path), str(stored), str(_REPEATS), str(threads() or 0)]
    done = subprocess.run(
        [python, "-c", _TIME_IT, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return f"not measured: {done.stderr.strip().splitlines()[-1]}"
    return float(json.loads(done.stdout))
