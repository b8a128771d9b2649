"""What holds for every backbone: a new one is one more row in CASES."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from industry_apps.backbones import (
    ConvolutionalVAE,
    Denoiser,
    DenoisingAutoencoder,
    FTTransformer,
    ReconstructionError,
    TabularMLP,
    UNet,
)
from industry_apps.errors import ParameterError

CARDINALITIES = (3, 7)


@dataclass(frozen=True)
class Case:
    """A backbone, how to make N rows of its input, and the shapes that it documents."""

    build: Callable[[], nn.Module]
    inputs: Callable[[int], tuple[Tensor, ...]]
    outputs: tuple[tuple[int, ...], ...]  # without N
    features: int | None


def table(numeric: int, cardinalities: tuple[int, ...]) -> Callable[[int], tuple[Tensor, ...]]:
    def rows(count: int) -> tuple[Tensor, ...]:
        generator = torch.Generator().manual_seed(count)
        codes = [torch.randint(size, (count, 1), generator=generator) for size in cardinalities]
        empty = torch.zeros((count, 0), dtype=torch.int64)
        return torch.randn(count, numeric, generator=generator), torch.cat([empty, *codes], dim=1)

    return rows


def rows_only(count: int) -> tuple[Tensor, ...]:
    return (torch.randn(count, 6, generator=torch.Generator().manual_seed(count)),)


def images(*classes: int) -> Callable[[int], tuple[Tensor, ...]]:
    """Images whose sides are odd, and what is said about each."""

    def rows(count: int) -> tuple[Tensor, ...]:
        generator = torch.Generator().manual_seed(count)
        told = [torch.randint(size, (count,), generator=generator) for size in classes]
        return torch.randn(count, 2, 11, 7, generator=generator), *told

    return rows


def mlp(numeric: int, cardinalities: tuple[int, ...]) -> Callable[[], nn.Module]:
    return lambda: TabularMLP(numeric, cardinalities, width=16, depth=1, outputs=2)


def transformer(numeric: int, cardinalities: tuple[int, ...]) -> Callable[[], nn.Module]:
    return lambda: FTTransformer(numeric, cardinalities, width=16, heads=4, depth=1, outputs=2)


CASES = {
    f"{name}-{numeric}-{len(codes)}": Case(
        build(numeric, codes), table(numeric, codes), ((2,),), 16
    )
    for name, build in {"mlp": mlp, "transformer": transformer}.items()
    for numeric, codes in [(4, CARDINALITIES), (0, CARDINALITIES), (4, ())]
} | {
    "denoising": Case(lambda: DenoisingAutoencoder(6, latent=3), rows_only, ((6,),), 3),
    "denoising-error": Case(
        lambda: ReconstructionError(DenoisingAutoencoder(6)), rows_only, ((),), None
    ),
    "unet": Case(lambda: UNet(2, 3, width=4, depth=2), images(), ((3, 11, 7),), None),
    "unet-of-blocks": Case(
        lambda: UNet(2, width=4, depth=1, block=2), images(), ((1, 11, 7),), None
    ),
    "denoiser": Case(lambda: Denoiser(2, 3, width=8, steps=5), images(5, 3), ((2, 11, 7),), None),
    "image-variational": Case(
        lambda: ConvolutionalVAE(11, 7, channels=2, classes=3, filters=4, latent=3),
        images(3),
        ((2, 11, 7), (3,), (3,)),
        None,
    ),
}


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    torch.manual_seed(0)
    return CASES[request.param]


def answers(network: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    result = network(*inputs)
    return result if isinstance(result, tuple) else (result,)


def test_shapes_are_as_documented(case: Case) -> None:
    network = case.build()
    for count in (1, 5):
        shapes = tuple(tuple(answer.shape) for answer in answers(network, case.inputs(count)))
        assert shapes == tuple((count, *shape) for shape in case.outputs)
        if case.features is not None:
            features = network.forward_features(*case.inputs(count))
            assert features.shape == (count, case.features)


@pytest.mark.usefixtures("torch_convolves")
def test_gradient_reaches_every_parameter(case: Case) -> None:
    network = case.build().train()
    # Many rows, so that every category occurs; squares, so that no sum over outputs is constant.
    loss = sum(answer.square().sum() for answer in answers(network, case.inputs(64)))
    loss.backward()
    grads = {name: p.grad for name, p in network.named_parameters() if p.numel()}
    assert all(torch.isfinite(grad).all() for grad in grads.values() if grad is not None)
    assert not [name for name, grad in grads.items() if grad is None or not grad.any()]


def test_eval_mode_is_deterministic_and_row_by_row(case: Case) -> None:
    network = case.build().eval()
    inputs = case.inputs(7)
    first, second = answers(network, inputs), answers(network, inputs)
    alone = answers(network, tuple(part[2:3] for part in inputs))
    for a, b, c in zip(first, second, alone, strict=True):
        assert torch.equal(a, b)
        torch.testing.assert_close(a[2:3], c, atol=1e-6, rtol=1e-5)


def test_weights_survive_a_round_trip(case: Case) -> None:
    network, other = case.build().eval(), case.build().eval()
    other.load_state_dict(copy.deepcopy(network.state_dict()))
    for a, b in zip(answers(network, case.inputs(3)), answers(other, case.inputs(3)), strict=True):
        assert torch.equal(a, b)


@pytest.mark.filterwarnings("ignore:.isinstance.treespec:FutureWarning")  # torch's own, torch 2.13
def test_exported_graph_equals_torch_for_any_batch(case: Case) -> None:
    network = case.build().eval()
    inputs = case.inputs(3)
    program = torch.onnx.export(
        network,
        inputs,
        dynamo=True,
        dynamic_shapes=tuple({0: torch.export.Dim.DYNAMIC} for _ in inputs),
        verbose=False,
    )
    session = onnxruntime.InferenceSession(program.model_proto.SerializeToString())
    for count in (1, 3, 7, 64):
        rows = case.inputs(count)
        feeds = dict(zip((i.name for i in session.get_inputs()), rows, strict=True))
        got = session.run(None, {name: part.numpy() for name, part in feeds.items()})
        with torch.no_grad():
            expected = answers(network, rows)
        for a, b in zip(got, expected, strict=True):
            np.testing.assert_allclose(a, b.numpy(), atol=1e-5, rtol=1e-5)


def test_codes_of_different_columns_do_not_share_embeddings() -> None:
    torch.manual_seed(0)
    network = TabularMLP(0, (3, 4), width=8, depth=1).eval()
    codes = torch.cartesian_prod(torch.arange(3), torch.arange(4))
    answer = network(torch.zeros(12, 0), codes)
    assert len(torch.unique(answer)) == 12


def test_an_autoencoder_is_noisy_in_training_only() -> None:
    torch.manual_seed(0)
    autoencoder = CASES["denoising"].build().train()
    (x,) = rows_only(5)
    first, second = answers(autoencoder, (x,))[0], answers(autoencoder, (x,))[0]
    assert not torch.equal(first, second)
    error = autoencoder.reconstruction_error(x)
    assert torch.equal(error, autoencoder.eval().reconstruction_error(x))
    restored = answers(autoencoder, (x,))[0]
    torch.testing.assert_close(error, (x - restored).square().mean(dim=1))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: TabularMLP(0, ()), "'numeric' parameter of TabularMLP .* Got 0 instead"),
        (lambda: TabularMLP(-1, (3,)), "Got -1 instead"),
        (lambda: FTTransformer(1, (3, 0)), r"'cardinalities' .* Got \[3, 0\] instead"),
        (lambda: FTTransformer(1, (), width=30, heads=8), "a multiple of heads=8. Got 30"),
        (lambda: UNet(depth=0), "'depth' parameter of UNet .* Got 0 instead"),
        (lambda: ConvolutionalVAE(28, 28, latent=-1), "'latent' .* Got -1 instead"),
        (lambda: Denoiser(width=20), "'width' .* a multiple of 8.* Got 20 instead"),
    ],
)
def test_impossible_sizes_are_refused(build: Callable[[], nn.Module], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        build()
