from __future__ import annotations

import hashlib
import io
import math
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from industry_apps.errors import TrainingError
from industry_apps.training import TrainingHistory, TrainingOptions, fit_network, seeded
from industry_apps.training.checkpoint import _FIRST_LINE, _read, read_checkpoint
from industry_apps.training.loop import _rate_factor

OPTIONS = TrainingOptions(
    max_epochs=5, batch_size=64, learning_rate=0.01, precision="float32", device="cpu"
)


def make_network() -> nn.Module:
    with seeded(1):  # dropout, so that the noise of training counts
        return nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1))


def make_rows(count: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 3)).astype(np.float32)
    return x, (x[:, :1] - x[:, 1:2] + 0.1 * rng.normal(size=(count, 1))).astype(np.float32)


def squared_error(network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    x, y = batch
    return (network(x) - y).square().mean()


def fit(options: TrainingOptions = OPTIONS) -> tuple[dict[str, Tensor], TrainingHistory]:
    network = make_network()
    history = fit_network(network, make_rows(), make_rows(100, 1), squared_error, options)
    return network.state_dict(), history


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert all(torch.equal(part, other[name]) for name, part in one.items())


class Interrupter:
    """An objective that does something at its n-th training step."""

    def __init__(self, at: int, act) -> None:
        self.at, self.act, self.steps = at, act, 0

    def __call__(self, network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        self.steps += network.training
        if network.training and self.steps == self.at:
            return self.act(network, batch)
        return squared_error(network, batch)


def kill(network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("survived")


def interrupt(network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    raise KeyboardInterrupt


def not_a_number(network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    return squared_error(network, batch) * math.nan


def train_until_killed(checkpoint: str) -> None:
    """Run in a process of its own: dies in the middle of the fourth epoch of five steps."""
    options = replace(OPTIONS, checkpoint=Path(checkpoint))
    fit_network(make_network(), make_rows(), make_rows(100, 1), Interrupter(18, kill), options)


def interrupted(checkpoint: Path, at: int = 18) -> None:
    """Leave the checkpoint of an interrupted training."""
    options = replace(OPTIONS, checkpoint=checkpoint)
    with pytest.raises(KeyboardInterrupt):
        fit_network(
            make_network(), make_rows(), make_rows(100, 1), Interrupter(at, interrupt), options
        )
    assert checkpoint.exists()


def test_network_learns_and_comes_back_ready() -> None:
    network = make_network().train()
    history = fit_network(
        network,
        make_rows(),
        make_rows(100, 1),
        squared_error,
        replace(OPTIONS, max_epochs=30, learning_rate=0.03),
    )
    assert history.validation_loss[-1] < 0.2 * history.validation_loss[0]
    assert len(history.train_loss) == len(history.validation_loss)
    assert (history.device, history.precision) == ("cpu", "float32")
    assert history.seconds > 0
    assert not any(module.training for module in network.modules())
    assert all(p.grad is None and p.requires_grad for p in network.parameters())


def test_best_weights_return_and_patience_ends_training() -> None:
    network = make_network()
    # A validation that contradicts the training rows: the best epoch is an early one.
    x, y = make_rows(100, 1)
    history = fit_network(
        network, make_rows(), (x, -y), squared_error, replace(OPTIONS, max_epochs=40, patience=3)
    )
    best = min(history.validation_loss)
    assert history.validation_loss.index(best) == history.best_epoch - 1
    assert len(history.validation_loss) == history.best_epoch + 3 < 40
    loss = squared_error(network, (torch.from_numpy(x), torch.from_numpy(-y))).item()
    assert loss == pytest.approx(best, rel=1e-5)


def test_validation_loss_is_the_mean_over_rows_of_unequal_batches() -> None:
    rows = make_rows(100, 1)
    network = make_network()
    history = fit_network(
        network, make_rows(), rows, squared_error, replace(OPTIONS, max_epochs=1, batch_size=33)
    )
    loss = squared_error(network, tuple(map(torch.from_numpy, rows))).item()
    assert history.validation_loss[0] == pytest.approx(loss, rel=1e-5)


def test_without_validation_all_epochs_run() -> None:
    network = make_network()
    history = fit_network(network, make_rows(), None, squared_error, replace(OPTIONS, patience=1))
    assert len(history.train_loss) == history.best_epoch == 5
    assert history.validation_loss == ()


def test_a_single_step_is_a_training() -> None:
    history = fit_network(
        make_network(), make_rows(1), None, squared_error, replace(OPTIONS, max_epochs=1)
    )
    assert len(history.train_loss) == 1


def test_seed_decides() -> None:
    (first, history), (second, again) = fit(), fit()
    other, _ = fit(replace(OPTIONS, seed=1))
    assert_same(first, second)
    assert history.train_loss == again.train_loss
    assert any(not torch.equal(part, other[name]) for name, part in first.items())


def test_callers_generators_are_left_alone() -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    fit(replace(OPTIONS, max_epochs=1))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()  # noqa: NPY002


def test_threads_train_as_if_alone() -> None:
    results: list[dict[str, Tensor]] = []
    threads = [threading.Thread(target=lambda: results.append(fit()[0])) for _ in range(2)]
    for act in (threading.Thread.start, threading.Thread.join):
        list(map(act, threads))
    assert len(results) == 2
    assert_same(fit()[0], results[0])
    assert_same(results[0], results[1])


def test_silent_and_without_traces(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fit()
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_progress_bar_goes_to_the_terminal(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", terminal)
    quiet, _ = fit(replace(OPTIONS, progress=False))
    assert terminal.getvalue() == ""
    shown, _ = fit()
    assert "Epoch" in terminal.getvalue()
    assert capfd.readouterr().out == ""
    assert_same(quiet, shown)
    monkeypatch.setattr(terminal, "isatty", lambda: False)  # a log gets lines
    monkeypatch.setattr("industry_apps.runtime.progress._WAIT_SECONDS", -1.0)
    fit()
    assert terminal.getvalue().endswith("training: 100%\n")


def test_bfloat16_is_mixed_precision() -> None:
    dtypes = set()

    def objective(network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        answer = network(batch[0])
        dtypes.add(answer.dtype)
        return (answer.float() - batch[1]).square().mean()

    network = make_network()
    options = replace(OPTIONS, precision="bfloat16")
    history = fit_network(network, make_rows(), make_rows(100, 1), objective, options)
    assert history.precision == "bfloat16"
    assert dtypes == {torch.bfloat16}
    assert all(part.dtype == torch.float32 for part in network.state_dict().values())
    assert history.train_loss[-1] < history.train_loss[0]


def test_arrays_of_many_kinds() -> None:
    x, y = make_rows()
    x.flags.writeable = False
    network = make_network()
    fit_network(network, (x, torch.from_numpy(y)), None, squared_error, OPTIONS)
    wide = make_network()
    fit_network(wide, [x.astype(np.float64), y.astype(np.float64)], None, squared_error, OPTIONS)
    assert_same(network.state_dict(), wide.state_dict())


@pytest.mark.parametrize(
    ("train", "validation", "message"),
    [
        ((np.zeros((3, 3)), np.zeros((2, 1))), None, r"arrays of train .* Got \[3, 2\] rows"),
        ((), None, r"arrays of train .* Got \[\] rows"),
        (make_rows(), (np.zeros((0, 3)), np.zeros((0, 1))), r"arrays of validation"),
        (make_rows(), (np.zeros((2, 3)),), "must hold the same arrays. Got 2 and 1"),
    ],
)
def test_arrays_that_do_not_fit(train, validation, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        fit_network(make_network(), train, validation, squared_error, OPTIONS)


def test_training_loss_that_is_not_finite() -> None:
    network = make_network()
    with pytest.raises(TrainingError) as caught:
        fit_network(network, make_rows(), None, Interrupter(12, not_a_number), OPTIONS)
    message = str(caught.value)
    assert message.startswith("The training loss is nan at step 2 of epoch 3 of 5 (learning rate ")
    assert "lower learning_rate (0.01)" in message
    two_epochs = make_network()
    with pytest.raises(TrainingError):
        fit_network(two_epochs, make_rows(), None, Interrupter(11, not_a_number), OPTIONS)
    assert_same(network.state_dict(), two_epochs.state_dict())  # both: the end of epoch 2
    assert not network.training


def test_validation_loss_that_is_not_finite() -> None:
    x, y = make_rows(50, 1)
    x[3, 1] = np.nan
    network = make_network()
    before = {name: part.clone() for name, part in network.state_dict().items()}
    with pytest.raises(TrainingError, match="validation loss is nan of epoch 1 of 5"):
        fit_network(network, make_rows(), (x, y), squared_error, OPTIONS)
    assert_same(network.state_dict(), before)


def test_weights_that_are_not_finite() -> None:
    def hidden(network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        loss = squared_error(network, batch)  # finite, with a gradient that is not
        return loss + (network[0].weight * 0).sum().sqrt()

    network = make_network()
    with pytest.raises(TrainingError, match="weight is not finite"):
        fit_network(network, make_rows(60), None, hidden, OPTIONS)
    assert all(part.isfinite().all() for part in network.state_dict().values())


def test_killed_training_resumes_as_if_nothing_had_happened(tmp_path: Path) -> None:
    checkpoint = tmp_path / "deep" / "last.pt"
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); "
        f"import test_loop; test_loop.train_until_killed({str(checkpoint)!r})"
    )
    process = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()
    assert [path.name for path in checkpoint.parent.iterdir()] == ["last.pt"]
    stored = torch.load(io.BytesIO(_read(checkpoint)), weights_only=True)
    assert len(stored["state"]["train_loss"]) == 3

    counted = Interrupter(0, kill)  # never acts: counts the steps
    network = make_network()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()  # the weights come from the file
    history = fit_network(
        network,
        make_rows(),
        make_rows(100, 1),
        counted,
        replace(OPTIONS, checkpoint=checkpoint),
    )
    assert counted.steps == 2 * 5
    weights, uninterrupted = fit()
    assert_same(network.state_dict(), weights)
    assert history.train_loss == uninterrupted.train_loss
    assert history.validation_loss == uninterrupted.validation_loss
    assert history.best_epoch == uninterrupted.best_epoch
    assert not checkpoint.exists()


def test_keyboard_interrupt_reaches_the_caller_and_leaves_the_signal(tmp_path: Path) -> None:
    handler = signal.getsignal(signal.SIGINT)
    interrupted(tmp_path / "last.pt")
    assert signal.getsignal(signal.SIGINT) is handler


def test_killed_after_the_last_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = replace(OPTIONS, checkpoint=tmp_path / "last.pt")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        weights, history = fit(options)
    assert options.checkpoint.exists()
    again = make_network()
    resumed = fit_network(again, make_rows(), make_rows(100, 1), Interrupter(1, kill), options)
    assert_same(again.state_dict(), weights)
    assert resumed == history


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"learning_rate": 0.02}, r"options.learning_rate \(0.01 there, 0.02 here\)"),
        ({"train": make_rows(seed=2)}, "different: train"),
        ({"validation": None}, "different: validation"),
        ({"network": nn.Linear(3, 1)}, "different: network"),
    ],
)
def test_checkpoint_of_another_training_is_refused(
    tmp_path: Path, change: dict, named: str
) -> None:
    checkpoint = tmp_path / "last.pt"
    interrupted(checkpoint, at=6)
    given = {"train": make_rows(), "validation": make_rows(100, 1), "network": make_network()}
    given |= {key: value for key, value in change.items() if key in given}
    rate = change.get("learning_rate", OPTIONS.learning_rate)
    options = replace(OPTIONS, checkpoint=checkpoint, learning_rate=rate)
    with pytest.raises(TrainingError, match=f"{named}.*remove the file"):
        fit_network(given["network"], given["train"], given["validation"], squared_error, options)
    assert checkpoint.exists()


class Malicious:
    def __reduce__(self):
        return os.abort, ()


@pytest.mark.parametrize("content", ["damaged", "code", "foreign"])
def test_checkpoint_that_cannot_be_read(tmp_path: Path, content: str) -> None:
    checkpoint = tmp_path / "last.pt"
    if content == "damaged":
        interrupted(checkpoint, at=6)
        checkpoint.write_bytes(checkpoint.read_bytes()[:-200])
    else:
        packed = io.BytesIO()
        torch.save({"identity": {}, "state": Malicious()} if content == "code" else {}, packed)
        digest = hashlib.sha256(packed.getvalue()).hexdigest().encode()
        checkpoint.write_bytes(_FIRST_LINE + packed.getvalue() + digest)
    with pytest.raises(TrainingError, match=r"cannot be read .* Remove the file"):
        fit(replace(OPTIONS, checkpoint=checkpoint))


def test_damaged_checkpoint_never_resumes(tmp_path: Path) -> None:
    """Of 200 with a changed bit, 71 once resumed with other weights."""
    checkpoint = tmp_path / "last.pt"
    interrupted(checkpoint, at=6)
    content, random = checkpoint.read_bytes(), np.random.default_rng(0)
    for place in random.integers(0, 8 * len(content), 200).tolist():
        changed = bytearray(content)
        changed[place // 8] ^= 1 << place % 8
        checkpoint.write_bytes(changed)
        with pytest.raises(TrainingError, match=r"cannot be read .* Remove the file"):
            read_checkpoint(checkpoint, {})
    checkpoint.write_bytes(content)
    assert read_checkpoint(checkpoint, {}).epoch > 0


@given(steps=st.integers(1, 2000))
def test_learning_rate_rises_to_its_peak_and_falls_to_zero(steps: int) -> None:
    factors = [_rate_factor(step, steps) for step in range(steps + 1)]
    peak = factors.index(max(factors))
    assert factors[peak] == 1
    assert peak <= max(1, 0.1 * steps + 1)
    assert factors == sorted(factors[:peak]) + sorted(factors[peak:], reverse=True)
    assert min(factors[:-1]) > 0
    assert factors[-1] == pytest.approx(0, abs=1e-9) or steps == 1
