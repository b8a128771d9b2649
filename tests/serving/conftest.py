"""Servers that several files of tests use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from industry_apps.runtime.zoo import zoo
from tests.serving.running import Running, running


@pytest.fixture(scope="package")
def all_models() -> Iterator[Running]:
    """Every file of the zoo, over HTTP and gRPC."""
    with running({name: name for name in zoo()}, grpc=0) as found:
        yield found
