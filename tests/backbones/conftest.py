from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def torch_convolves() -> Iterator[None]:
    """Tests that train a network by themselves do it without oneDNN, as the training loop does."""
    with torch.backends.mkldnn.flags(enabled=False):
        yield
