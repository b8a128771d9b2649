"""The repair of outputs: exported, it keeps the digits that large grids need."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import torch

from industry_apps.backbones import DispatchNetwork, GridArrays
from industry_apps.export.convert import network_to_onnx


def test_levels_of_a_large_grid_keep_their_digits_in_the_file() -> None:
    # Over nine levels about 60 000 MW a small unit goes from nothing to its most.
    share = np.linspace(0.0, 1.0, 9)
    grid = GridArrays(
        least=np.zeros(3),
        most=np.array([40_000.0, 40_000.0, 1.0]),
        on_output=np.array([[1.0, 0.0, 0.0]]),
        on_load=np.array([[0.0]]),
        flow=np.zeros(1),
        low=np.array([-31_000.0]),
        high=np.array([31_000.0]),
        further=0.0,
        levels=np.linspace(59_000.0, 61_000.3, 9),
        safe=np.column_stack([np.full(9, 30_000.0), np.full(9, 30_000.0), share]),
        square=np.full(3, 1e-3),
        slope=np.ones(3),
        constant=0.1,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = DispatchNetwork(
            grid, np.array([6e4]), np.array([1e9]), np.array([39_000.0, 21_000.0, 0.0]), width=4
        ).double()
    loads = torch.linspace(58_999.5, 61_000.8, 40)[:, None]
    model = network_to_onnx(
        network, (torch.zeros(2, 1),), ["load"], dynamo=False, output_names=list("abcd")
    )
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, {"load": loads.numpy()})
    with torch.inference_mode():
        expected = [part.numpy() for part in network(loads)]
    assert expected[0][:, 2].max() > 0.1  # the small unit runs
    for ours, theirs in zip(expected, found, strict=True):
        np.testing.assert_allclose(theirs, ours, atol=5e-7, rtol=2e-7)
