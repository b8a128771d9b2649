"""Convolutional networks: shapes, gradients, export, and maps that add up to the answer."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
import torch

from industry_apps.backbones.convolutional import BLOCKS, ConvNet, MappedNetworks, convnet
from industry_apps.export.convert import network_to_onnx
from industry_apps.training import seeded


def some(name: str, *, squeeze: bool, size: int = 28) -> ConvNet:
    with seeded(0):
        return convnet(name, 2, 3, width=8, squeeze=squeeze, size=size)


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
    model = network_to_onnx(both, (example,), ["x"], output_names=("odds", "maps", "seen"))
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    x = torch.randn(5, 2, 24, 24)
    with torch.inference_mode():
        wanted = both(x)
    for ours, theirs in zip(wanted, session.run(None, {"x": x.numpy()}), strict=True):
        assert np.allclose(ours.numpy(), theirs, atol=1e-4)


def test_maps_add_up_to_the_answer():
    network = some("resnet10", squeeze=False).eval()
    odds, maps, seen = MappedNetworks([network]).eval()(torch.randn(3, 2, 24, 24))
    assert torch.allclose(network.head(seen), odds, atol=1e-5)
    assert torch.allclose(maps.mean((2, 3)) + network.head.bias, odds, atol=1e-5)


def test_the_stem_of_large_images_makes_them_smaller():
    large, small = (some("resnet10", squeeze=False, size=size) for size in (224, 64))
    x = torch.zeros(1, 2, 64, 64)
    assert large.forward_features(x).shape[2] * 4 == small.forward_features(x).shape[2]


@pytest.mark.usefixtures("torch_convolves")
@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("size", [24, 28, 32, 64, 65, 96, 111, 112, 128, 200, 224, 300])
def test_maps_have_six_cells_a_side_or_more_and_seven_of_large_images(name, size):
    network = convnet(name, 1, 2, width=4, size=size).eval()
    with torch.inference_mode():
        assert network.forward_features(torch.zeros(1, 1, size, size)).shape[2] >= (
            7 if size > 64 else 6
        )


@pytest.mark.usefixtures("torch_convolves")
@pytest.mark.parametrize("size", [64, 96, 128, 224])
def test_a_place_sees_what_lies_around_its_stride(size):
    network = convnet("resnet10", 1, 2, width=4, size=size).eval()
    for part in network.parameters():
        torch.nn.init.constant_(part, 0.01)  # so that no pixel counts against another
    pixels = torch.ones(1, 1, 256, 256, requires_grad=True)
    place = 128 // network.stride
    network.forward_features(pixels)[0, :, place, place].sum().backward()
    seen = pixels.grad[0, 0].sum(dim=0)
    middle = float((seen * torch.arange(256)).sum() / seen.sum())
    assert middle == pytest.approx(place * network.stride, abs=2.5)


def test_cells_of_convnext_lie_side_by_side():
    assert some("convnext", squeeze=False).stride is None
