"""Networks in eight bits answer nearly as in float32, on every processor."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import numpy_helper
from torch import nn

from industry_apps.export.convert import network_to_onnx
from industry_apps.export.precision import to_int8


def test_eight_bits_are_close_and_weights_leave_room_for_sums():
    torch.manual_seed(0)
    # Bright images and weights of one sign: the sums of products are as large as they get.
    network = nn.Sequential(nn.Conv2d(8, 16, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3)).eval()
    rows = np.random.default_rng(0).uniform(0.8, 1, (256, 8, 9, 9)).astype(np.float32)
    network(torch.tensor(rows[:1]))
    with torch.no_grad():
        network[0].weight.abs_()
    small = to_int8(network_to_onnx(network, (torch.tensor(rows[:2]),), ["x"]), {"x": rows})
    weights = [
        numpy_helper.to_array(each)
        for each in small.graph.initializer
        if each.data_type == onnx.TensorProto.INT8 and len(each.dims) > 1
    ]
    assert weights
    assert max(np.abs(each.astype(int)).max() for each in weights) <= 64
    (answer,) = ort.InferenceSession(small.SerializeToString()).run(None, {"x": rows})
    with torch.inference_mode():
        wanted = network(torch.tensor(rows)).numpy()
    np.testing.assert_allclose(answer, wanted, atol=0.03 * np.abs(wanted).max())
