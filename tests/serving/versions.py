"""Versions of one small model, for tests that swap them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx

from industry_apps.runtime.loading import seal
from industry_apps.versions import Store


def altered(source: Path, target: Path, change: Mapping[str, Any]) -> Path:
    """A model file with other metadata, and a right digest."""
    model = onnx.load(source)
    for prop in model.metadata_props:
        if prop.key in change:
            prop.value = json.dumps(change[prop.key])
        if prop.key == "sha256":
            prop.value = json.dumps("0" * 64)
    target.write_bytes(seal(model.SerializeToString()))
    return target


def store_of(folder: Path, *files: Path) -> Store:
    """A store of some files, the first of them in production."""
    store = Store(folder)
    for file in files:
        store.add(file, who="release")
    store.promote(store.versions[0], who="release")
    return store
