"""Convolutional networks: shapes, gradients, export, and maps that add up to the answer."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
import torch

from industry_apps.backbones.convolutional import BLOCKS, ConvNet, MappedNetworks, convnet
from industry_apps.export import network_to_onnx
from industry_apps.training import seeded


def some(name: str, *, squeeze: bool, small: bool = True) -> ConvNet:
    with seeded(0):
        return convnet(name, 2, 3, width=8, squeeze=squeeze, small=small)


@pytest.mark.usefixtures("torch_convolves")
@pytest.mark.parametrize("squeeze", [False, True])
@pytest.mark.parametrize("name", BLOCKS)
def test_gradient_reaches_every_parameter(name, squeeze):
    network = some(name, squeeze=squeeze)
    answer = network(torch.randn(4, 2, 24, 20))
    assert answer.shape == (4, 3)
    answer.square().sum().backward()
    lost = [key for key, part in network.named_parameters() if part.grad is None]
    assert not lost


@pytest.mark.parametrize("name", BLOCKS)
def test_the_file_answers_as_torch(name):
    both = MappedNetworks([some(name, squeeze=True), some(name, squeeze=True)], mirrored=True)
    example = torch.randn(2, 2, 24, 24)
    model = network_to_onnx(both, (example,), ["x"], output_names=("odds", "maps"))
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    x = torch.randn(5, 2, 24, 24)
    with torch.inference_mode():
        wanted = both(x)
    for ours, theirs in zip(wanted, session.run(["odds", "maps"], {"x": x.numpy()}), strict=True):
        assert np.allclose(ours.numpy(), theirs, atol=1e-4)


def test_maps_add_up_to_the_answer():
    network = some("resnet10", squeeze=False).eval()
    odds, maps = MappedNetworks([network]).eval()(torch.randn(3, 2, 24, 24))
    assert torch.allclose(maps.mean((2, 3)) + network.head.bias, odds, atol=1e-5)


def test_the_stem_of_large_images_makes_them_smaller():
    large, small = (some("resnet10", squeeze=False, small=each) for each in (False, True))
    x = torch.zeros(1, 2, 64, 64)
    assert large.forward_features(x).shape[2] * 4 == small.forward_features(x).shape[2]
