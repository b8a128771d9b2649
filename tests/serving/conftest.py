"""Servers that several files of tests use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from industry_apps.export import export_model
from industry_apps.runtime.zoo import zoo
from industry_apps.versions import Store
from tests.serving.running import Running, running
from tests.serving.versions import store_of
from tests.tiny_model import fitted, records


@pytest.fixture(scope="package")
def all_models() -> Iterator[Running]:
    """Every file of the zoo, over HTTP and gRPC."""
    with running({name: name for name in zoo()}, grpc=0) as found:
        yield found


@pytest.fixture(scope="package")
def files(served, tmp_path_factory) -> list[Path]:
    """Two versions of a model, which answer differently."""
    other = tmp_path_factory.mktemp("other") / "other.onnx"
    export_model(fitted(records(800, seed=3))[0], other)
    return [served.path, other]


@pytest.fixture(scope="package")
def rows(served) -> list[dict[str, Any]]:
    """Records as clients send them."""
    return json.loads(served.frame.head(40).to_json(orient="records", date_format="iso"))


@pytest.fixture
def store(tmp_path, files) -> Store:
    """Both versions, the first one in production."""
    return store_of(tmp_path / "store", *files)
