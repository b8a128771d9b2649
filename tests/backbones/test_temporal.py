"""The temporal backbones: causal, alike for any batch and in ONNX, able to learn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from industry_apps.backbones import (
    AttentiveGRU,
    PatchTransformer,
    ReversibleInstanceNorm,
    TemporalConvNet,
)
from industry_apps.errors import ParameterError
from industry_apps.export.convert import network_to_onnx
from industry_apps.training import TrainingOptions, fit_network, seeded

CHANNELS, LENGTH = 3, 21

NETWORKS: dict[str, Callable[[int], nn.Module]] = {
    "tcn": lambda outputs: TemporalConvNet(CHANNELS, outputs, width=8, levels=3),
    "gru": lambda outputs: AttentiveGRU(CHANNELS, outputs, units=8),
    "patches": lambda outputs: PatchTransformer(
        CHANNELS, LENGTH, outputs, patch=6, stride=4, width=16, depth=2
    ),
    "normalised": lambda outputs: ReversibleInstanceNorm(
        TemporalConvNet(CHANNELS, outputs, width=8, levels=3), series=2
    ),
}


def windows(count: int, length: int = LENGTH, seed: int = 0) -> Tensor:
    return torch.randn(
        count, length, CHANNELS, generator=torch.Generator().manual_seed(1000 * seed + count)
    )


@pytest.fixture(params=list(NETWORKS))
def build(request: pytest.FixtureRequest) -> Callable[[int], nn.Module]:
    torch.manual_seed(0)
    return NETWORKS[request.param]


@pytest.mark.parametrize("outputs", [1, 12])
def test_windows_give_their_outputs(build: Callable[[int], nn.Module], outputs: int) -> None:
    for count in (1, 5):
        assert build(outputs)(windows(count)).shape == (count, outputs)


def test_gradient_reaches_every_parameter(build: Callable[[int], nn.Module]) -> None:
    network = build(2).train()
    network(windows(64)).square().sum().backward()
    grads = {name: p.grad for name, p in network.named_parameters()}
    assert not [name for name, grad in grads.items() if grad is None or not grad.any()]


def test_eval_mode_repeats_itself_row_by_row(build: Callable[[int], nn.Module]) -> None:
    network, x = build(2).eval(), windows(7)
    with torch.no_grad():
        answer = network(x)
        assert torch.equal(answer, network(x))
        torch.testing.assert_close(answer[2:3], network(x[2:3]), atol=1e-6, rtol=1e-5)
    assert not torch.equal(network.train()(x), answer)  # dropout


def test_weights_survive_a_round_trip(build: Callable[[int], nn.Module]) -> None:
    network, other, x = build(2).eval(), build(2).eval(), windows(3)
    assert not torch.equal(network(x), other(x))
    other.load_state_dict(network.state_dict())
    assert torch.equal(network(x), other(x))


@pytest.mark.parametrize(
    ("name", "outputs"), [("tcn", 1), ("gru", 2), ("patches", 12), ("normalised", 12)]
)
def test_exported_graph_equals_torch_for_any_batch(name: str, outputs: int) -> None:
    torch.manual_seed(0)
    network = NETWORKS[name](outputs).eval()
    model = network_to_onnx(network, (windows(2),), ["x"], dynamo=name != "gru")
    session = onnxruntime.InferenceSession(model.SerializeToString())
    for count in (1, 2, 300):
        x = windows(count)
        (got,) = session.run(None, {"x": x.numpy()})
        assert np.array_equal(got, session.run(None, {"x": x.numpy()})[0])
        with torch.no_grad():
            np.testing.assert_allclose(got, network(x).numpy(), atol=1e-5, rtol=0)


@settings(max_examples=25, deadline=None)
@given(length=st.integers(1, 40), data=st.data(), kernel_size=st.integers(2, 4))
def test_no_step_depends_on_a_later_one(length: int, data: st.DataObject, kernel_size: int) -> None:
    torch.manual_seed(0)
    network = TemporalConvNet(CHANNELS, width=8, levels=3, kernel_size=kernel_size).eval()
    step = data.draw(st.integers(0, length - 1))
    x = windows(2, length)
    other = x.clone()
    other[:, step:] += 1e3
    with torch.no_grad():
        before, after = network.forward_steps(x), network.forward_steps(other)
    assert torch.equal(before[:, :step], after[:, :step])
    assert (before[:, step] != after[:, step]).any()


@settings(max_examples=25, deadline=None)
@given(length=st.integers(1, 70), levels=st.integers(1, 5), kernel_size=st.integers(2, 4))
def test_the_answer_is_that_of_the_last_of_all_steps(
    length: int, levels: int, kernel_size: int
) -> None:
    """The short way to the last step computes what the dilated convolutions do."""
    torch.manual_seed(0)
    network = TemporalConvNet(CHANNELS, width=8, levels=levels, kernel_size=kernel_size).eval()
    x = windows(3, length)
    with torch.no_grad():
        torch.testing.assert_close(
            network.forward_features(x), network.forward_steps(x)[:, -1], atol=1e-5, rtol=1e-5
        )


@pytest.mark.parametrize(("levels", "kernel_size"), [(1, 2), (3, 3), (4, 2)])
def test_the_receptive_field_is_as_documented(levels: int, kernel_size: int) -> None:
    torch.manual_seed(0)
    network = TemporalConvNet(CHANNELS, levels=levels, kernel_size=kernel_size, dropout=0).double()
    x = windows(4, 80).double().requires_grad_()
    network(x).sum().backward()
    reached = x.grad.abs().sum(dim=(0, 2)).nonzero().flatten()  # type: ignore[union-attr]
    assert 80 - reached.min() == network.receptive_field


@given(length=st.integers(1, 60), data=st.data())
def test_patches_cover_every_step_and_end_at_the_last(length: int, data: st.DataObject) -> None:
    patch = data.draw(st.integers(1, length))
    stride = data.draw(st.integers(1, patch))
    network = PatchTransformer(1, length, patch=patch, stride=stride, width=16, depth=1)
    steps = network.steps
    assert steps.shape == (1 - (patch - length) // stride, patch)
    assert set(steps.flatten().tolist()) == set(range(length))
    assert steps[:, -1].tolist() == list(range(length - 1, -1, -stride))[: len(steps)][::-1]


def test_every_step_and_the_order_of_patches_count() -> None:
    torch.manual_seed(0)
    network = PatchTransformer(CHANNELS, 24, patch=6, stride=6, width=16).eval()
    x = windows(2, 24).requires_grad_()
    network(x).sum().backward()
    assert x.grad.abs().sum(dim=2).all()  # type: ignore[union-attr]
    assert not torch.allclose(network(x), network(x.roll(6, dims=1)), atol=1e-4)


class Window(nn.Module):
    """Answers with what it was shown: the first channel."""

    def forward(self, x: Tensor) -> Tensor:
        return x[..., 0]


def test_instance_norm_is_reversed_in_the_units_of_the_first_channel() -> None:
    x = windows(4) * torch.tensor([50.0, 3.0, 1.0]) + torch.tensor([1e5, -7.0, 0.0])
    torch.testing.assert_close(ReversibleInstanceNorm(Window())(x), x[..., 0])


@given(level=st.floats(-1e6, 1e6, width=32), scale=st.floats(0.5, 1e3, width=32))
def test_instance_norm_hides_level_and_scale_of_series_only(level: float, scale: float) -> None:
    seen = []

    def show(module: nn.Module, inputs: tuple[Tensor]) -> None:
        seen.append(inputs[0])

    inner = Window()
    inner.register_forward_pre_hook(show)
    network = ReversibleInstanceNorm(inner, series=2)
    x = windows(4).double()
    network(x)
    network(torch.cat([level + scale * x[..., :2], x[..., 2:]], dim=2))
    torch.testing.assert_close(seen[0], seen[1], atol=1e-3, rtol=0)
    torch.testing.assert_close(seen[0][..., :2].mean(dim=1), torch.zeros(4, 2).double())
    assert torch.equal(seen[0][..., 2], x[..., 2])


@pytest.mark.parametrize("level", [0.0, 0.1, 1e6])
def test_a_constant_series_is_answered_with_its_level(level: float) -> None:
    x = torch.full((2, LENGTH, 1), level)
    assert torch.equal(ReversibleInstanceNorm(Window())(x), x[..., 0])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: TemporalConvNet(0), "'channels' .* TemporalConvNet must be an int >= 1. Got 0"),
        (lambda: TemporalConvNet(1, levels=21), r"'levels' .* in \[1, 20\]. Got 21"),
        (lambda: TemporalConvNet(1, kernel_size=1), "'kernel_size' .* an int >= 2. Got 1"),
        (lambda: TemporalConvNet(1, dropout=1), r"'dropout' .* in \[0, 1\). Got 1"),
        (lambda: PatchTransformer(1, 0), "'length' .* Got 0"),
        (lambda: PatchTransformer(1, 12), r"'patch' .* PatchTransformer .* in \[1, 12\]. Got 16"),
        (lambda: PatchTransformer(1, 32, stride=17), r"'stride' .* in \[1, 16\]. Got 17"),
        (lambda: PatchTransformer(1, 32, width=40), "'width' .* a multiple of 16. Got 40"),
        (lambda: ReversibleInstanceNorm(Window(), series=0), "'series' .* >= 1. Got 0"),
    ],
)
def test_impossible_parameters_are_refused(build: Callable[[], nn.Module], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        build()


@pytest.mark.parametrize(
    ("network", "shape", "words"),
    [
        (TemporalConvNet(3), (2, 9, 4), r"\[windows, steps, 3\]. Got \(2, 9, 4\)"),
        (TemporalConvNet(3), (2, 3), r"\[windows, steps, 3\]. Got \(2, 3\)"),
        (TemporalConvNet(3), (2, 0, 3), r"\[windows, steps, 3\]. Got \(2, 0, 3\)"),
        (PatchTransformer(3, 16), (2, 17, 3), r"\[windows, 16, 3\]. Got \(2, 17, 3\)"),
        (PatchTransformer(3, 16), (2, 16, 1), r"\[windows, 16, 3\]. Got \(2, 16, 1\)"),
    ],
)
def test_windows_of_another_shape_are_refused(
    network: nn.Module, shape: tuple[int, ...], words: str
) -> None:
    with pytest.raises(ParameterError, match=rf"'x' .* {type(network).__name__} .* {words}"):
        network(torch.zeros(shape))


def squared_error(network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    return (network(batch[0]) - batch[1]).square().mean()


@pytest.mark.parametrize(
    "build",
    [
        lambda: TemporalConvNet(2, 7, width=16, levels=3),
        lambda: PatchTransformer(2, 28, 7, patch=7, stride=7, width=16, depth=1),
    ],
    ids=["tcn", "patches"],
)
def test_a_season_of_unknown_phase_is_learned(build: Callable[[], nn.Module]) -> None:
    rng = np.random.default_rng(0)
    phase = rng.uniform(0, 2 * np.pi, (768, 1))
    series = np.sin(2 * np.pi * np.arange(35) / 7 + phase) + 0.1 * rng.normal(size=(768, 35))
    x = np.stack([series[:, :28], rng.normal(size=(768, 28))], axis=2).astype(np.float32)
    y = series[:, 28:].astype(np.float32)
    with seeded(0):
        network = build()
    options = TrainingOptions(
        max_epochs=15,
        batch_size=64,
        learning_rate=5e-3,
        precision="float32",
        device="cpu",
        progress=False,
    )
    history = fit_network(network, (x[:512], y[:512]), (x[512:], y[512:]), squared_error, options)
    assert min(history.validation_loss) < 0.2 * y[512:].var()
