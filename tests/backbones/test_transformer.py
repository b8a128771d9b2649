"""The sequence transformer: blind to padding and to the future, alike in ONNX, able to learn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from industry_apps.backbones import SequenceEncoder
from industry_apps.errors import ParameterError
from industry_apps.export.convert import network_to_onnx
from industry_apps.training import TrainingOptions, fit_network, seeded

CODES, LENGTH = 12, 9


def encoder(*, causal: bool = False, dropout: float = 0.2) -> SequenceEncoder:
    with seeded(0):
        return SequenceEncoder(
            CODES, width=16, heads=2, length=LENGTH, dropout=dropout, causal=causal
        )


def sequences(count: int, length: int = LENGTH, seed: int = 0) -> Tensor:
    """Codes with padding at the end; the first sequence is padding only."""
    rng = np.random.default_rng(1000 * seed + count)
    codes = rng.integers(1, CODES, (count, length))
    filled = rng.integers(0, length + 1, count)
    filled[0] = 0
    codes[np.arange(length) >= filled[:, None]] = 0
    return torch.from_numpy(codes)


@pytest.mark.parametrize("causal", [False, True])
def test_gradient_reaches_every_parameter(causal: bool) -> None:
    network = encoder(causal=causal)
    network.pool(sequences(64)).square().sum().backward()
    grads = {name: p.grad for name, p in network.named_parameters()}
    assert not [name for name, grad in grads.items() if grad is None or not grad.any()]


@pytest.mark.parametrize("causal", [False, True])
def test_padding_is_seen_by_no_code(causal: bool) -> None:
    network = encoder(causal=causal).eval()
    codes = sequences(20)
    with torch.no_grad():
        wide, pooled = network(codes), network.pool(codes)
        assert torch.isfinite(wide).all()
        for row, filled in enumerate((codes != 0).sum(dim=1).tolist()):
            if filled:
                short = codes[row : row + 1, :filled]
                torch.testing.assert_close(network(short)[0], wide[row, :filled])
                torch.testing.assert_close(network.pool(short)[0], pooled[row])
    assert not pooled[0].any()


@settings(max_examples=25, deadline=None)
@given(length=st.integers(2, LENGTH), data=st.data())
def test_a_causal_code_depends_on_no_later_one(length: int, data: st.DataObject) -> None:
    step = data.draw(st.integers(1, length - 1))
    codes = torch.randint(1, CODES, (2, length), generator=torch.Generator().manual_seed(length))
    other = codes.clone()
    other[:, step:] = 1 + codes[:, step:] % (CODES - 1)
    causal, both = encoder(causal=True).eval(), encoder().eval()
    with torch.no_grad():
        torch.testing.assert_close(
            causal(codes)[:, :step], causal(other)[:, :step], atol=1e-6, rtol=0
        )
        assert (causal(codes)[:, step] - causal(other)[:, step]).abs().max() > 1e-3
        assert (both(codes)[:, 0] - both(other)[:, 0]).abs().max() > 1e-4


def test_the_order_of_codes_counts() -> None:
    network = encoder().eval()
    codes = torch.tensor([[1, 2, 3, 4]])
    assert (network.pool(codes) - network.pool(codes.flip(1))).abs().max() > 1e-3


@pytest.mark.parametrize("causal", [False, True])
def test_exported_graph_equals_torch_for_any_batch(causal: bool) -> None:
    network = encoder(causal=causal).eval()
    model = network_to_onnx(network, (sequences(2),), ["codes"])
    session = onnxruntime.InferenceSession(model.SerializeToString())
    for count in (1, 2, 300):
        codes = sequences(count)
        (got,) = session.run(None, {"codes": codes.numpy()})
        with torch.no_grad():
            np.testing.assert_allclose(got, network(codes).numpy(), atol=1e-5, rtol=0)


def test_eval_mode_repeats_itself_row_by_row_and_training_drops_out() -> None:
    network, codes = encoder().eval(), sequences(7)
    with torch.no_grad():
        answer = network(codes)
        assert torch.equal(answer, network(codes))
        torch.testing.assert_close(answer[2:3], network(codes[2:3]), atol=1e-6, rtol=1e-5)
    assert not torch.equal(network.train()(codes), answer)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SequenceEncoder(1), "'cardinality' .* SequenceEncoder must be an int >= 2. Got 1"),
        (lambda: SequenceEncoder(9, depth=0), "'depth' .* Got 0"),
        (lambda: SequenceEncoder(9, width=15), "'width' .* a multiple of the 2 heads. Got 15"),
        (lambda: SequenceEncoder(9, heads=0), "'heads' .* an int >= 1. Got 0"),
        (lambda: SequenceEncoder(9, length=0), "'length' .* Got 0"),
        (lambda: SequenceEncoder(9, dropout=1), r"'dropout' .* in \[0, 1\). Got 1"),
        (lambda: SequenceEncoder(9, causal=1), "'causal' .* True or False. Got 1"),  # type: ignore[arg-type]
    ],
)
def test_impossible_parameters_are_refused(build: Callable[[], nn.Module], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        build()


@pytest.mark.parametrize("shape", [(2, LENGTH + 1), (2, 0), (4,), (1, 2, 3)])
def test_sequences_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ParameterError, match=rf"'codes' .* \[sequences, 1 to {LENGTH} codes\]"):
        encoder()(torch.zeros(shape, dtype=torch.int64))


class Next(nn.Module):
    """Scores of the code that follows each."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = SequenceEncoder(CODES, width=32, length=LENGTH, dropout=0.0, causal=True)

    def forward(self, codes: Tensor) -> Tensor:
        return self.encoder(codes) @ self.encoder.embed.weight.T


def cross_entropy(network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    scores = network(batch[0][:, :-1])
    return functional.cross_entropy(scores.flatten(0, 1), batch[0][:, 1:].flatten())


def test_a_rule_of_two_steps_is_learned() -> None:
    """The next code is the sum of the last two: the last alone does not tell it."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, CODES - 1, (1500, 8))
    for step in range(2, 8):
        codes[:, step] = (codes[:, step - 1] + codes[:, step - 2]) % (CODES - 1)
    codes += 1
    with seeded(0):
        network = Next()
    options = TrainingOptions(
        max_epochs=40,
        batch_size=64,
        learning_rate=3e-3,
        precision="float32",
        device="cpu",
        progress=False,
    )
    fit_network(network, (codes[:1000],), (codes[1000:],), cross_entropy, options)
    with torch.no_grad():
        best = network(torch.from_numpy(codes[1000:, :-1])).argmax(dim=2).numpy()
    assert (best[:, 1:] == codes[1000:, 2:]).mean() > 0.9
