"""The model zoo's side of an export: the card beside the file, and the index."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from industry_apps.data.datasets import data_name
from industry_apps.errors import ModelFileError
from industry_apps.runtime.metadata import printable
from industry_apps.runtime.model import Model
from industry_apps.whole_file import whole_file


def publish(path: Path, folder: Path, *, variant: str = "") -> Path:
    """Put a model file into a zoo: the file under its application's name, its card, the index.

    Parameters
    ----------
    path : Path
        A file written by ``Application.export``.
    folder : Path
        The zoo, such as ``onnx_models``.
    variant : str
        Tells a second model of an application from the first: ``<application>.<variant>``.

    Returns
    -------
    Path
        The file in the zoo.

    Raises
    ------
    ModelFileError
        The licence of the training data does not allow to publish models of it, or the
        file does not load.
    """
    metadata = Model(path).metadata
    data, name = metadata["data"], ".".join(filter(None, (metadata["application"], variant)))
    if not data.get("models_may_be_published", False):
        raise ModelFileError(
            f"{path.name} was trained on {data_name(data)!r}, whose licence does not say that "
            "models of it may be published. Train on data that may."
        )
    if not re.fullmatch(r"\w[\w.-]*", name, re.ASCII):
        raise ModelFileError(
            f"{path.name} would be called {name!r}, expected letters, digits, '_', '-' and '.'. "
            "Rename the application or the variant."
        )
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.onnx"
    if path.resolve() != target.resolve():
        with whole_file(target) as aside:
            shutil.copyfile(path, aside)
    with whole_file(folder / f"{name}.md") as aside:
        aside.write_text(render_card(metadata), encoding="utf-8")
    index_path = folder / "index.json"
    index = json.loads(index_path.read_text("utf-8")) if index_path.is_file() else {}
    index[name] = {
        "file": target.name,
        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
        "bytes": target.stat().st_size,
        "description": f"{metadata['application']}, {metadata['model']}, trained on "
        f"{data_name(data)}",
        "licence": "Apache-2.0",
    }
    with whole_file(index_path) as aside:
        aside.write_text(json.dumps(dict(sorted(index.items())), indent=2) + "\n", "utf-8")
    return target


def render_card(metadata: Mapping[str, Any]) -> str:
    """Write the model card of a file as Markdown, from nothing but its own metadata.

    References
    ----------
    Mitchell et al. 2019, "Model cards for model reporting", doi:10.1145/3287560.3287596.
    """
    metadata = printable(metadata)  # cards are shown by terminals
    data, parity = metadata["data"], metadata["parity"]
    lines = [
        f"# {metadata['application']}",
        "",
        metadata.get("summary", ""),
        "",
        f"Model: {metadata['model']}. Written by industry_apps {metadata['version']}; runs with "
        "nothing but onnxruntime.",
        "",
        *_use(metadata.get("intended_use", "")),
        "## Training data",
        "",
        f"`{data_name(data)}`, sha256 `{data['sha256']}`. Licence: "
        f"{data.get('licence', 'not stated')}",
        *(["", f"Source: {data['citation']}"] if "citation" in data else []),
        "",
        *_parts(metadata["split"]),
        "",
        "## Measured on the test part",
        "",
        *_table(
            ("metric", "value and 95 % interval"),
            [(name, m["text"]) for name, m in metadata["metrics"].items()],
        ),
        "",
        *_decision(metadata.get("decision", {})),
        "## Parity with the trained model",
        "",
        f"{parity['rows']} rows of data and {parity['edge_rows']} edge rows: "
        f"{parity['changed_decisions']} changed decisions, {parity['beyond_tolerance']} rows "
        f"beyond {parity['tolerance']:g}, largest difference {parity['largest_difference']:.1e}.",
        *_loss(metadata.get("loss", {})),
        *_speed(metadata.get("speed", {})),
        "",
        "## Columns",
        "",
        *_columns(metadata),
        "",
        "## Limits",
        "",
        *[f"- {text}" for text in (*metadata.get("notes", []), *data.get("caveats", []))],
        "- Train on your own records before you rely on an answer.",
    ]
    return "\n".join(lines) + "\n"


def _use(words: str) -> list[str]:
    return ["## Intended use", "", words, ""] if words else []


def _loss(stated: Mapping[str, Any]) -> list[str]:
    """What a file of lower precision loses."""
    if not stated:
        return []
    return [
        "",
        f"In this precision {stated['metric']} is {stated['file']:.4f} in place of "
        f"{stated['trained']:.4f}; {stated['most']:g} may be lost.",
    ]


def _speed(stated: Mapping[str, Any]) -> list[str]:
    """Which precision was the faster one where the file was written."""
    if not stated:
        return []
    told = [f"{times:g} times in {name}" for name, times in stated["times_as_fast"].items()]
    return [
        "",
        f"Where it was written it answered {stated['rows']} rows as fast as in float32 "
        f"{', '.join(told[1:])}: {stated['faster']} is faster there.",
    ]


def _columns(metadata: Mapping[str, Any]) -> list[str]:
    inputs = [
        (c["name"], c["kind"], c["unit"], _limits(c), c["description"]) for c in metadata["schema"]
    ]
    outputs = [(c["name"], c["kind"], c["description"]) for c in metadata["outputs"]]
    return [
        *_table(("input", "kind", "unit", "limits", "meaning"), inputs),
        "",
        *_table(("output", "kind", "meaning"), outputs),
        *_spelling(metadata),
    ]


def _spelling(metadata: Mapping[str, Any]) -> list[str]:
    """How texts are to come to whoever runs the file without this package."""
    if not any(c["kind"] in ("category", "text") for c in metadata["schema"]):
        return []
    return [
        "",
        "`industry_apps.runtime` reads texts with their accents composed (Unicode NFC); a session "
        "of onnxruntime alone takes them as they come. A level of a category is found in "
        "another case, with a blank before or behind it, and as 3 or 3.0.",
    ]


def _table(header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[str]:
    ruled = "|".join(["---"] * len(header))
    return [
        f"| {' | '.join(header)} |",
        f"|{ruled}|",
        *(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows),
    ]


def _parts(split: Mapping[str, Mapping[str, Any]]) -> list[str]:
    keys = list(dict.fromkeys(key for part in split.values() for key in part))
    rows = [(name, *(part.get(key, "") for key in keys)) for name, part in split.items()]
    return _table(("part", *keys), rows)


def _decision(rule: Mapping[str, Any]) -> list[str]:
    known = {key: value for key, value in rule.items() if value is not None}
    lines = [f"- {key.replace('_', ' ')}: {_number(value)}" for key, value in known.items()]
    return ["## Decision", "", *lines, ""] if lines else []


def _number(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _limits(column: Mapping[str, Any]) -> str:
    is_time, codes = column["kind"] == "datetime", column.get("codes", ())
    told = [
        f"{sign} {np.datetime64(int(limit), 's')}" if is_time else f"{sign} {limit:g}"
        for sign, limit in ((">=", column["low"]), ("<=", column["high"]))
        if limit is not None
    ]
    if column.get("window"):
        low, high = map(_number, column["window"])
        told.append(f"{low} becomes 0 and {high} becomes 255 before they enter the graph")
    if codes:
        told.append(f"missing: {', '.join(map(_number, codes))}")
    return " ".join(told)
