"""Options of a training, and the choice of device and precision."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from industry_apps.limits import (
    NOT_NEGATIVE,
    POSITIVE,
    check_parameters,
    integer,
    wrong_parameter,
)

if TYPE_CHECKING:
    import torch
    from torch import nn

#: Network and one batch -> mean loss over the rows of the batch, a scalar.
Objective = Callable[["nn.Module", tuple["torch.Tensor", ...]], "torch.Tensor"]

Precision = Literal["float32", "bfloat16"]

# torch's generator is one for the whole process, so seeded work takes turns.
_GENERATOR_LOCK = threading.RLock()


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingOptions:
    """How a network is trained.

    Parameters
    ----------
    max_epochs : int, default=50
        Largest number of passes over the training rows; the learning rate falls to zero over it.
    least_steps : int, default=0
        Where rows are so few that ``max_epochs`` has fewer steps, there are as many epochs as
        have these, and the patience grows alike.
    batch_size : int, default=512
        Largest number of rows in a batch; batches of one epoch are of equal size, give or take
        one row.
    learning_rate : float, default=1e-3
        Peak learning rate of AdamW; reached after a tenth of the steps.
    weight_decay : float, default=1e-4
        Decoupled weight decay of matrices; biases and scales are not decayed.
    patience : int, default=6
        Training stops after so many epochs without a better validation loss.
    seed : int, default=0
        Fixes the order of rows and all noise in training. Precision ``"auto"`` may differ from
        machine to machine: name one where two machines must agree.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        "bfloat16" is mixed precision: weights stay float32. See :func:`choose_precision`.
    device : {"auto", "cpu", "cuda", "mps"}, default="auto"
        See :func:`choose_device`.
    progress : bool, default=True
        Show a progress bar on stderr when that is a terminal.
    checkpoint : pathlib.Path or None, default=None
        File that holds the state after every epoch. A training that was interrupted goes on
        from it as if nothing had happened; it is removed when the training is complete.
    gradient_clip : float, default=1.0
        Largest Euclidean norm of the gradient.

    Raises
    ------
    ParameterError
        When a value is outside its limits.

    Examples
    --------
    >>> TrainingOptions(max_epochs=5).batch_size
    512
    >>> TrainingOptions(patience=0)
    Traceback (most recent call last):
    ...
    industry_apps.errors.ParameterError: The 'patience' parameter of TrainingOptions must be an
    int >= 1. Got 0 instead.
    """

    max_epochs: Annotated[int, integer(1)] = 50
    least_steps: Annotated[int, integer(0)] = 0
    batch_size: Annotated[int, integer(1)] = 512
    learning_rate: Annotated[float, POSITIVE] = 1e-3
    weight_decay: Annotated[float, NOT_NEGATIVE] = 1e-4
    patience: Annotated[int, integer(1)] = 6
    seed: Annotated[int, integer(0)] = 0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    progress: bool = True
    checkpoint: Path | None = None
    gradient_clip: Annotated[float, POSITIVE] = 1.0

    def __post_init__(self) -> None:
        check_parameters(self)

    def for_rows(self, rows: int) -> TrainingOptions:
        """With the epochs and the patience that ``least_steps`` asks for with so many rows.

        Examples
        --------
        >>> few = TrainingOptions(max_epochs=4, patience=2, batch_size=10, least_steps=80)
        >>> few.for_rows(50).max_epochs, few.for_rows(50).patience, few.for_rows(500).max_epochs
        (16, 8, 4)
        """
        steps_an_epoch = math.ceil(rows / self.batch_size)
        epochs = max(self.max_epochs, math.ceil(self.least_steps / steps_an_epoch))
        patience = math.ceil(self.patience * epochs / self.max_epochs)
        return replace(self, max_epochs=epochs, patience=patience, least_steps=0)

    def for_epochs(self, epochs: int) -> TrainingOptions:
        """With so many epochs and no more, however few rows there are.

        Parameters
        ----------
        epochs : int
        """
        return replace(self, max_epochs=epochs, least_steps=0)


def choose_device(options: TrainingOptions) -> Literal["cpu", "cuda", "mps"]:
    """Choose where to train: for ``"auto"``, CUDA, else MPS, else the CPU.

    Parameters
    ----------
    options : TrainingOptions

    Raises
    ------
    ParameterError
        When the device that the options name is not there.

    Examples
    --------
    >>> choose_device(TrainingOptions(device="cpu"))
    'cpu'
    """
    import torch

    available: dict[Literal["cpu", "cuda", "mps"], bool] = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    there = [name for name, is_there in available.items() if is_there]
    if options.device == "auto":
        return there[0]
    if options.device not in there:
        raise wrong_parameter(
            "TrainingOptions",
            "device",
            f"'auto' or one that this machine has ({', '.join(there)})",
            options.device,
        )
    return options.device


def choose_precision(options: TrainingOptions, device: str) -> Precision:
    """Choose the precision of training, by what the hardware is and not by how busy it is.

    For ``"auto"``: bfloat16 on CUDA where the hardware has it, and on a CPU that multiplies
    bfloat16 matrices (AMX); float32 otherwise. So two runs of one seed on one machine agree.

    Parameters
    ----------
    options : TrainingOptions
        Its ``precision`` is taken unless it is ``"auto"``.
    device : {"cpu", "cuda", "mps"}
        Where the training runs.

    Examples
    --------
    >>> choose_precision(TrainingOptions(), "mps")
    'float32'
    """
    if options.precision != "auto":
        return options.precision
    if device == "cuda":
        import torch

        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    return "bfloat16" if device == "cpu" and _has_amx_bf16() else "float32"


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's generators inside the block, and give the caller's state back after it.

    Threads take turns: the generators are one for the whole process.

    Parameters
    ----------
    seed : int
        At least 0.

    Yields
    ------
    None

    Examples
    --------
    >>> import torch
    >>> with seeded(3):
    ...     first = torch.rand(2)
    >>> with seeded(3):
    ...     print(torch.equal(first, torch.rand(2)))
    True
    """
    import torch

    with _GENERATOR_LOCK, torch.random.fork_rng(range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


def multiplies_bfloat16() -> bool:
    """Tell whether the CPU multiplies bfloat16 in hardware: by matrices (AMX) or by vectors.

    Convolutions gain from either; small dense layers from matrices alone.
    """
    return _has_amx_bf16() or _has_flag("avx512_bf16")


def _has_amx_bf16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Tell whether the CPU multiplies bfloat16 matrices in hardware (told by Linux only)."""
    return _has_flag("amx_bf16", cpuinfo)


def _has_flag(flag: str, cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    try:
        return flag in cpuinfo.read_text(encoding="utf-8").split()
    except OSError:
        return False
