from __future__ import annotations

import dataclasses
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from industry_apps.errors import ParameterError
from industry_apps.training import (
    TrainingOptions,
    choose_device,
    choose_precision,
    measure_precisions,
    options,
    seeded,
)


@pytest.mark.parametrize(
    ("name", "value", "expectation"),
    [
        ("max_epochs", 0, "an int >= 1"),
        ("max_epochs", True, "an int >= 1"),
        ("batch_size", 2.5, "an int >= 1"),
        ("learning_rate", 0, "a finite number > 0"),
        ("learning_rate", float("nan"), "a finite number > 0"),
        ("weight_decay", -0.1, "a finite number >= 0"),
        ("patience", 0, "an int >= 1"),
        ("seed", -1, "an int >= 0"),
        ("precision", "float16", "one of ('auto', 'float32', 'bfloat16')"),
        ("device", ["cpu"], "one of ('auto', 'cpu', 'cuda', 'mps')"),
        ("progress", 1, "True or False"),
        ("checkpoint", "last.pt", "a pathlib.Path or None"),
        ("gradient_clip", float("inf"), "a finite number > 0"),
    ],
)
def test_each_limit_names_itself(name: str, value: Any, expectation: str) -> None:
    with pytest.raises(ParameterError) as caught:
        TrainingOptions(**{name: value})
    assert str(caught.value) == (
        f"The '{name}' parameter of TrainingOptions must be {expectation}. Got {value!r} instead."
    )


def test_every_option_has_a_limit() -> None:
    assert {one.name for one in dataclasses.fields(TrainingOptions)} == set(options._LIMITS)


def test_options_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainingOptions().seed = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_takes_the_fastest_device(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device(TrainingOptions()) == expected
    assert choose_device(TrainingOptions(device="cpu")) == "cpu"


def test_absent_device_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ParameterError, match=r"this machine has \(cpu\). Got 'cuda' instead"):
        choose_device(TrainingOptions(device="cuda"))


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.5, "bfloat16"), (0.95, "float32"), (3.0, "float32")]
)
def test_amx_uses_bfloat16_only_where_it_is_measured_faster(
    monkeypatch: pytest.MonkeyPatch, seconds: float, expected: str
) -> None:
    monkeypatch.setattr(options, "_has_amx_bf16", lambda: True)
    measured = {"float32": 1.0, "bfloat16": seconds}
    assert choose_precision(TrainingOptions(), "cpu", lambda: measured) == expected


def test_nothing_is_measured_where_it_cannot_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure() -> dict[str, float]:
        raise AssertionError("measured")

    monkeypatch.setattr(options, "_has_amx_bf16", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert choose_precision(TrainingOptions(), "cpu", measure) == "float32"
    assert choose_precision(TrainingOptions(), "mps", measure) == "float32"
    assert choose_precision(TrainingOptions(), "cuda", measure) == "bfloat16"
    assert choose_precision(TrainingOptions(precision="bfloat16"), "cpu", measure) == "bfloat16"
    monkeypatch.setattr(options, "_has_amx_bf16", lambda: True)
    assert choose_precision(TrainingOptions(precision="float32"), "cpu", measure) == "float32"


def test_amx_is_read_from_the_flags(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("flags\t: fpu amx_bf16 avx512f amx_tile\n")
    assert options._has_amx_bf16(cpuinfo)
    cpuinfo.write_text("flags\t: fpu avx512_bf16 amx_tile\n")
    assert not options._has_amx_bf16(cpuinfo)
    assert not options._has_amx_bf16(tmp_path / "none")


def test_measuring_leaves_network_and_generator_alone() -> None:
    network = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1)).eval()
    before = {name: part.clone() for name, part in network.state_dict().items()}
    dtypes = []

    def objective(net: nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        answer = net(*batch)
        dtypes.append(answer.dtype)
        return answer.float().mean()

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    seconds = measure_precisions(network, (torch.ones(16, 4),), objective, steps=2)
    assert torch.equal(torch.rand(3), expected)
    assert set(seconds) == {"float32", "bfloat16"}
    assert min(seconds.values()) > 0
    assert dtypes == [torch.float32, torch.bfloat16] * 5  # side by side, three not timed
    assert not network.training
    assert all(torch.equal(part, before[name]) for name, part in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters())


def test_seeded_blocks_in_threads_do_not_disturb_each_other() -> None:
    def draw(results: list[torch.Tensor]) -> None:
        with seeded(7):
            results.append(torch.cat([torch.rand(1) for _ in range(200)]))

    state = torch.get_rng_state()
    results: list[torch.Tensor] = []
    threads = [threading.Thread(target=draw, args=(results,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(torch.equal(results[0], other) for other in results)
    assert torch.equal(torch.get_rng_state(), state)


def test_learning_again_takes_the_epochs_that_were_found_good():
    few = TrainingOptions(max_epochs=4, batch_size=10, least_steps=400)
    assert few.for_rows(50).max_epochs == 80
    assert few.for_epochs(9).for_rows(50).max_epochs == 9
