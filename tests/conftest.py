"""What tests of several folders share."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from industry_apps.export import export_model
from industry_apps.runtime import Model
from tests.tiny_model import Served, fitted, records

settings.register_profile("tests", deadline=None, max_examples=40)
settings.load_profile("tests")


#: Whose examples in docstrings belong to ``make generative``, as their tests do.
GENERATIVE = {"healthcare/molecules/space.py", "recipes/imaging/generation.py"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process: they share what was fitted."""
    for item in items:
        if item.path.as_posix().partition("industry_apps/")[2] in GENERATIVE:
            item.add_marker(pytest.mark.generative)
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.name))


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """One small model in a file."""
    frame = records(1500, seed=0)
    exportable, features, booster = fitted(frame)
    path = tmp_path_factory.mktemp("served") / "tiny.onnx"
    certificate = export_model(exportable, path)
    return Served(path, exportable, certificate, records(400, seed=1), features, booster)


@pytest.fixture(scope="session")
def model(served: Served) -> Model:
    """The file of `served`, loaded as on a serving machine."""
    return Model(served.path, threads=1)


@pytest.fixture
def torch_convolves(monkeypatch: pytest.MonkeyPatch) -> None:
    """What trains a network by itself does it without oneDNN, as the training loop may."""
    monkeypatch.setattr(torch.backends.mkldnn, "enabled", False)


@pytest.fixture(autouse=True, scope="module")
def _memory_goes_back() -> Iterator[None]:
    """Let go of what the tests of a file have fitted; a worker runs hundreds of files."""
    yield
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


@pytest.fixture(autouse=True)
def _real_data(request: pytest.FixtureRequest) -> None:
    """Skip what is marked as ``real_data(folder, ...)`` where no mirror has the folder."""
    mark = request.node.get_closest_marker("real_data")
    if mark is None:
        return
    if not mark.args:
        raise pytest.UsageError("Name the folders of a mirror: real_data(folder, ...).")
    mirrors = [Path(each) for each in os.environ.get("INDUSTRY_APPS_DATA", "").split(os.pathsep)]
    for folder in mark.args:
        if not any((mirror / folder).is_dir() for mirror in mirrors):
            pytest.skip(f"no mirror with {folder} is named in INDUSTRY_APPS_DATA")
    patch = request.getfixturevalue("monkeypatch")
    patch.setenv("INDUSTRY_APPS_CACHE", str(request.getfixturevalue("tmp_path")))
