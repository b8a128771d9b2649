"""What is particular to networks whose answer is an image."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch

from industry_apps.backbones import ConvolutionalVAE, Denoiser, NoiseSchedule, UNet
from industry_apps.backbones.unet import padded


@pytest.mark.filterwarnings("ignore:.isinstance.treespec:FutureWarning")  # torch's own, torch 2.13
@pytest.mark.parametrize("block", [1, 2])
def test_one_exported_unet_answers_images_of_any_size(block: int) -> None:
    torch.manual_seed(0)
    network = UNet(width=4, depth=2, block=block).eval()
    any_size = torch.export.Dim.DYNAMIC
    program = torch.onnx.export(
        network,
        (torch.randn(2, 1, 18, 25),),
        dynamo=True,
        dynamic_shapes=({0: any_size, 2: any_size, 3: any_size},),
        input_names=["image"],
        verbose=False,
    )
    session = onnxruntime.InferenceSession(program.model_proto.SerializeToString())
    for shape in ((1, 1, 1, 1), (3, 1, 18, 25), (1, 1, 64, 5)):
        image = torch.randn(shape)
        (got,) = session.run(None, {"image": image.numpy()})
        assert got.shape == shape
        np.testing.assert_allclose(got, network(image).detach().numpy(), atol=1e-5)


def test_padding_repeats_the_edge() -> None:
    image = torch.arange(6.0).reshape(1, 1, 2, 3)
    wider = padded(image, 4)
    assert torch.equal(wider[0, 0, :2, :3], image[0, 0])
    assert torch.equal(wider[0, 0, :, 3], torch.tensor([2.0, 5.0, 5.0, 5.0]))


def test_a_unet_finds_an_edge_where_it_is() -> None:
    """An answer that were moved by a pixel would cost most of what can be learned here."""
    torch.manual_seed(0)
    network = UNet(width=4, depth=2)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    image = torch.randn(16, 1, 17, 19)
    target = (image > 0).float()
    for _ in range(60):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(image), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.2  # 0.69 by chance


def test_noise_grows_to_nothing_but_noise() -> None:
    schedule = NoiseSchedule(50)
    assert schedule.left[0] > 0.99
    assert schedule.left[-1] < 1e-4
    image, noise = torch.ones(2, 1, 3, 3), torch.randn(2, 1, 3, 3)
    first, last = (schedule.noisy(image, torch.full((2,), step), noise) for step in (0, 49))
    torch.testing.assert_close(first, image, atol=0.3, rtol=0)
    torch.testing.assert_close(last, noise, atol=0.02, rtol=0)


def test_a_denoiser_that_knows_the_image_leads_to_it() -> None:
    """Sampling with the true velocity of one image ends at it, from wherever it begins."""
    image = torch.linspace(-0.9, 0.9, 64).reshape(1, 1, 8, 8)

    class Knowing(Denoiser):
        def forward(self, x: torch.Tensor, step: torch.Tensor, label: torch.Tensor):
            left = self.schedule.left[step].reshape(-1, 1, 1, 1)
            noise = (x - left.sqrt() * image) / (1 - left).sqrt()
            return self.schedule.velocity(image, step, noise)

    network = Knowing(width=8, steps=50)
    start = torch.randn(3, 1, 8, 8)
    found = network.sample(start, torch.zeros(3, dtype=torch.int64), steps=10)
    torch.testing.assert_close(found, image.expand(3, 1, 8, 8), atol=1e-3, rtol=0)


def test_codes_are_drawn_in_training_and_images_follow_the_class() -> None:
    torch.manual_seed(0)
    network = ConvolutionalVAE(9, 9, classes=2, filters=4)
    image, label = torch.randn(4, 1, 9, 9), torch.zeros(4, dtype=torch.int64)
    first, second = (network(image, label)[0] for _ in range(2))
    assert not torch.equal(first, second)
    network.eval()
    assert torch.equal(network(image, label)[0], network(image, label)[0])
    assert not torch.equal(network(image, label)[0], network(image, label + 1)[0])
