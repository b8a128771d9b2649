"""The repair of outputs: exported, it keeps the digits that large grids need."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import torch

from industry_apps.backbones import DispatchNetwork, GridArrays
from industry_apps.export.convert import network_to_onnx


def test_levels_of_a_large_grid_keep_their_digits_in_the_file() -> None:
    # Between levels that differ by half a MW of 60 000 a small unit goes from nothing to its most.
    grid = GridArrays(
        least=np.zeros(3),
        most=np.array([40_000.0, 40_000.0, 1.0]),
        on_output=np.array([[1.0, 0.0, 0.0]]),
        on_load=np.array([[0.0]]),
        flow=np.zeros(1),
        low=np.array([-31_000.0]),
        high=np.array([31_000.0]),
        further=0.123,
        levels=np.array([60_000.1, 60_000.6]),
        safe=np.array([[30_000.0, 30_000.0, 0.0], [30_000.0, 30_000.0, 1.0]]),
        square=np.full(3, 1e-3),
        slope=np.ones(3),
        constant=0.1,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = DispatchNetwork(
            grid, np.array([60_000.0]), np.ones(1), np.array([39_000.0, 21_000.0, 0.0]), width=4
        ).double()
    loads = torch.linspace(60_000.0, 60_000.7, 40)[:, None]
    model = network_to_onnx(
        network, (torch.zeros(2, 1),), ["load"], dynamo=False, output_names=list("abcd")
    )
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, {"load": loads.numpy()})
    with torch.inference_mode():
        expected = [part.numpy() for part in network(loads)]
    assert expected[0][:, 2].max() > 0.1  # the small unit runs
    for ours, theirs in zip(expected, found, strict=True):
        np.testing.assert_allclose(theirs, ours, atol=1e-6, rtol=1e-9)
