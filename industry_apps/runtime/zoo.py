"""The model zoo: exported files that travel with the package, and their index."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from industry_apps.errors import ModelFileError, UnknownNameError, unknown_name

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
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        for name, entry in index.items():
            plain = entry["file"] == Path(entry["file"]).name != ""
            if not (plain and type(entry["sha256"]) is str):
                raise ValueError(f"{name!r} names no file of the zoo")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelFileError(
            f"The index of the model zoo, {path}, is damaged ({type(error).__name__}: {error}). "
            "Install the package again."
        ) from error
    return dict(index)


def locate(model: str | Path) -> Path:
    """Find the file of a model: a path, or a name of the zoo.

    A bare word that does not end in .onnx is a name, whatever lies in the working directory; a
    file of such a name is given with its folder, as in ``./credit``.

    Raises
    ------
    ModelFileError
        There is no such file.
    UnknownNameError
        It looks like a name, and the zoo does not have it.
    """
    written, path = str(model), Path(model)
    if not _is_name(written):
        if path.is_file():
            return path
        raise ModelFileError(f"There is no model file {path}. Check the path.")
    index = zoo()
    if written in index:
        return verify(written)
    unknown = unknown_name("model", written, index)
    if path.is_file():
        raise UnknownNameError(
            f"{unknown} For the file of the working directory, give its full path: "
            f"{path.absolute()}"
        )
    raise unknown


def _is_name(written: str) -> bool:
    separators = {"/", os.sep, os.altsep or "/"}
    return not (written.endswith(".onnx") or separators & set(written))


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
