"""The model zoo: exported files that travel with the package, and their index."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from industry_apps.errors import ModelFileError, unknown_name

_PACKAGE = Path(__file__).resolve().parents[1]


def bundled(folder: str) -> Path:
    """Find a folder that travels with the package, from a wheel or from a checkout.

    Parameters
    ----------
    folder : {"datasets", "onnx_models"}
    """
    installed = _PACKAGE / f"_{folder}"
    return installed if installed.is_dir() else _PACKAGE.parent / folder


def zoo() -> dict[str, dict[str, Any]]:
    """Index of the zoo: name -> file, sha256, bytes, licence and a line of description."""
    path = bundled("onnx_models") / "index.json"
    if not path.is_file():
        return {}
    index: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return index


def locate(model: str | Path) -> Path:
    """Find the file of a model: a path, or a name of the zoo.

    Raises
    ------
    ModelFileError
        There is no such file.
    UnknownNameError
        It looks like a name, and the zoo does not have it.
    """
    path = Path(model)
    if path.is_file():
        return path
    index = zoo()
    if str(model) in index:
        return verify(str(model))
    if path.suffix == ".onnx" or len(path.parts) > 1:
        raise ModelFileError(f"There is no model file {path}. Check the path.")
    raise unknown_name("model", str(model), index)


def verify(name: str) -> Path:
    """Check a file of the zoo against its sha256 in the index; return its path.

    Raises
    ------
    UnknownNameError, ModelFileError
        The zoo has no such name, or its file is missing or damaged.
    """
    index = zoo()
    if name not in index:
        raise unknown_name("model", name, index)
    path = bundled("onnx_models") / index[name]["file"]
    if not path.is_file():
        raise ModelFileError(f"{path.name} of the model zoo is missing. Install the package again.")
    import hashlib  # only here: it takes as long to load as all else in this package

    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != index[name]["sha256"]:
        raise ModelFileError(
            f"{path.name} of the model zoo is damaged: its sha256 is {found}, "
            f"the index says {index[name]['sha256']}. Install the package again."
        )
    return path
