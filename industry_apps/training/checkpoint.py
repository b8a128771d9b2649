"""The state of a training after each epoch, and the file that an interrupted one resumes from."""

from __future__ import annotations

import hashlib
import io
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from industry_apps.errors import TrainingError
from industry_apps.training.options import Precision, TrainingOptions
from industry_apps.whole_file import whole_file

# A line before the content of a checkpoint, and its sha256 behind: a changed weight can be read.
_FIRST_LINE = b"industry_apps checkpoint 1\n"
_DIGEST = 64  # hexadecimal digits

# Where and how loudly a training runs does not make it another training.
_NOT_COMPARED = ("checkpoint", "device", "progress")


@dataclass(slots=True)
class TrainingState:
    """Everything that the next epoch depends on, as tensors, numbers and strings.

    Parameters
    ----------
    precision : {"float32", "bfloat16"}
        Chosen once, so that a resumed training does not measure again.
    train_loss, validation_loss : list of float
        Mean loss of each complete epoch.
    best_epoch : int
        Epoch of the best weights, counted from 1; 0 before the first.
    best_weights : dict of str to torch.Tensor
        On the CPU; those of the start before the first epoch.
    weights : dict of str to torch.Tensor
        After the last complete epoch.
    optimizer, schedule : dict
        State dictionaries of both.
    seconds : float
        Spent on complete epochs.
    """

    precision: Precision
    train_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    best_epoch: int = 0
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    weights: dict[str, Tensor] = field(default_factory=dict)
    optimizer: dict[str, Any] = field(default_factory=dict)
    schedule: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def epoch(self) -> int:
        """Number of complete epochs."""
        return len(self.train_loss)

    @property
    def best_loss(self) -> float:
        """Validation loss of the best epoch; infinite before the first."""
        return self.validation_loss[self.best_epoch - 1] if self.best_epoch else math.inf


def identify(
    network: nn.Module,
    train: tuple[Tensor, ...],
    validation: tuple[Tensor, ...],
    options: TrainingOptions,
) -> dict[str, str]:
    """Describe a training by what its result depends on, for the comparison with a checkpoint."""
    layout = [(name, tuple(part.shape)) for name, part in network.state_dict().items()]
    return {
        "network": hashlib.sha256(repr(layout).encode()).hexdigest(),
        "train": _digest(train),
        "validation": _digest(validation),
    } | {
        f"options.{name}": repr(value)
        for name, value in asdict(options).items()
        if name not in _NOT_COMPARED
    }


def write_checkpoint(path: Path, state: TrainingState, identity: dict[str, str]) -> None:
    """Write the state aside and rename it, so that the file is whole or not there."""
    content = {one.name: getattr(state, one.name) for one in fields(state)}
    packed = io.BytesIO()
    torch.save({"identity": identity, "state": content}, packed)
    with whole_file(path) as aside, aside.open("wb") as file:
        file.write(_FIRST_LINE)
        file.write(packed.getbuffer())
        file.write(hashlib.sha256(packed.getbuffer()).hexdigest().encode())


def read_checkpoint(path: Path, identity: dict[str, str]) -> TrainingState:
    """Read the state back.

    Raises
    ------
    TrainingError
        When the file cannot be read, or belongs to another training.
    """
    try:
        # weights_only: a checkpoint is data, and no code in it is ever run.
        content = torch.load(io.BytesIO(_read(path)), map_location="cpu", weights_only=True)
        found, state = content["identity"], TrainingState(**content["state"])
        if type(found) is not dict:
            raise TypeError("it does not say of what training it is")
    except Exception as error:  # whatever a file can do wrong that is cut short, foreign, or code
        raise TrainingError(
            f"The checkpoint {path} cannot be read ({type(error).__name__}: {error!s:.200}). "
            "Remove the file to train from the start."
        ) from error
    different = [
        f"{key} ({found.get(key)} there, {value} here)" if key.startswith("options.") else key
        for key, value in identity.items()
        if found.get(key) != value
    ]
    if different:
        raise TrainingError(
            f"The checkpoint {path} belongs to another training; different: "
            f"{', '.join(different)}. Train with what it was written for, "
            "or remove the file to train from the start."
        )
    return state


def _read(path: Path) -> bytes:
    """The content of a checkpoint, which is as it was written."""
    stored = path.read_bytes()
    if not stored.startswith(_FIRST_LINE):
        raise ValueError("it is no checkpoint, or one of an earlier version")
    content, digest = stored[len(_FIRST_LINE) : -_DIGEST], stored[-_DIGEST:]
    if hashlib.sha256(content).hexdigest().encode() != digest:
        raise ValueError("it is damaged: its sha256 is not the one behind it")
    return content


def _digest(tensors: tuple[Tensor, ...]) -> str:
    digest = hashlib.sha256()
    for part in tensors:
        digest.update(f"{part.dtype}{tuple(part.shape)}".encode())
        digest.update(part.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
