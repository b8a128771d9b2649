from __future__ import annotations

import dataclasses
import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from industry_apps.errors import ParameterError
from industry_apps.limits import limits_of
from industry_apps.training import (
    TrainingOptions,
    choose_device,
    choose_precision,
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
        ("checkpoint", "last.pt", "a Path, or None"),
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
    assert {one.name for one in dataclasses.fields(TrainingOptions)} == set(
        limits_of(TrainingOptions)
    )


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


def test_the_processor_decides_on_the_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    for amx, expected in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(options, "_has_amx_bf16", lambda there=amx: there)
        assert choose_precision(TrainingOptions(), "cpu") == expected
        assert choose_precision(TrainingOptions(), "mps") == "float32"
        assert choose_precision(TrainingOptions(precision="float32"), "cpu") == "float32"
        assert choose_precision(TrainingOptions(precision="bfloat16"), "cpu") == "bfloat16"
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert choose_precision(TrainingOptions(), "cuda") == "bfloat16"
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert choose_precision(TrainingOptions(), "cuda") == "float32"


def test_amx_is_read_from_the_flags(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("flags\t: fpu amx_bf16 avx512f amx_tile\n")
    assert options._has_amx_bf16(cpuinfo)
    cpuinfo.write_text("flags\t: fpu avx512_bf16 amx_tile\n")
    assert not options._has_amx_bf16(cpuinfo)
    assert not options._has_amx_bf16(tmp_path / "none")


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
