from __future__ import annotations

import pytest
import torch


@pytest.fixture
def torch_convolves(monkeypatch: pytest.MonkeyPatch) -> None:
    """What trains a network by itself does it without oneDNN, as the training loop may."""
    monkeypatch.setattr(torch.backends.mkldnn, "enabled", False)
