"""The one training loop, over Lightning's Trainer."""

from __future__ import annotations

import logging
import math
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import LambdaCallback, RichProgressBar
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from industry_apps.errors import TrainingError
from industry_apps.runtime.progress import Steps
from industry_apps.training.batches import Arrays, Batches, to_tensors
from industry_apps.training.checkpoint import (
    TrainingState,
    identify,
    read_checkpoint,
    write_checkpoint,
)
from industry_apps.training.options import (
    Objective,
    Precision,
    TrainingOptions,
    choose_device,
    choose_precision,
    seeded,
)

_WARM_UP = 0.1  # share of all steps in which the learning rate rises


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingHistory:
    """What happened in a training.

    Parameters
    ----------
    train_loss : tuple of float
        Mean training loss of each epoch, taken while the weights change.
    validation_loss : tuple of float
        Mean validation loss after each epoch; empty without validation rows.
    best_epoch : int
        Epoch, counted from 1, whose weights the network has.
    precision : {"float32", "bfloat16"}
        Precision of the forward and backward passes.
    device : {"cpu", "cuda", "mps"}
        Where the training ran.
    seconds : float
        Time of all epochs, those before an interruption included.
    """

    train_loss: tuple[float, ...]
    validation_loss: tuple[float, ...]
    best_epoch: int
    precision: Precision
    device: str
    seconds: float


def fit_network(
    network: nn.Module,
    train: Arrays,
    validation: Arrays | None,
    objective: Objective,
    options: TrainingOptions | None = None,
    *,
    lengths: NDArray[Any] | None = None,
) -> TrainingHistory:
    """Train a network in place; it comes back on the CPU, in eval mode, with its best weights.

    AdamW; the learning rate rises over the first tenth of the steps of ``max_epochs`` and falls
    to zero along a cosine over the rest. The order of rows and all noise follow from
    ``options.seed``; initial weights are the caller's (see
    :func:`industry_apps.training.seeded`), and torch's generators are left as they were.

    Parameters
    ----------
    network : torch.nn.Module
        Trained in place.
    train : sequence of array or torch.Tensor
        Arrays of N rows each: what the objective gets, a batch of rows at a time, in this
        order. Targets and row weights are arrays like any other. float64 becomes float32.
    validation : sequence of array or torch.Tensor, or None
        The same for other rows. Training stops when their loss no longer falls, and the best
        weights return. With None, all epochs run, and the last weights stay.
    objective : callable
        Takes the network and one batch (a tuple of tensors), returns the mean loss over the
        batch. Called in training mode for training and in eval mode for validation.
    options : TrainingOptions, optional
        Default: ``TrainingOptions()``.
    lengths : array of shape (N,), optional
        Of the training rows, where they are sequences with padding: those of near lengths come
        in one batch, and an objective that cuts a batch to its longest computes little padding.

    Returns
    -------
    TrainingHistory
        Losses, best epoch, precision, device and time.

    Raises
    ------
    TrainingError
        When the arrays do not fit together, when a loss or weight is no longer finite (the
        network keeps its last good weights), or when the checkpoint belongs to another training.
    ParameterError
        When the device in the options is not there.

    References
    ----------
    Loshchilov and Hutter (2019), Decoupled Weight Decay Regularization, arXiv:1711.05101.
    Loshchilov and Hutter (2017), SGDR: Stochastic Gradient Descent with Warm Restarts,
    arXiv:1608.03983.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 64, dtype=np.float32)[:, None]
    >>> with seeded(0):
    ...     network = nn.Linear(1, 1)
    >>> history = fit_network(
    ...     network, (x, 2 * x), (x, 2 * x),
    ...     lambda net, batch: (net(batch[0]) - batch[1]).square().mean(),
    ...     TrainingOptions(max_epochs=30, batch_size=16, learning_rate=0.1, progress=False),
    ... )
    >>> round(network.weight.item(), 1)
    2.0
    """
    rows = to_tensors("train", train)
    options = (options or TrainingOptions()).for_rows(len(rows[0]))
    held_out = to_tensors("validation", validation) if validation is not None else ()
    if held_out and len(held_out) != len(rows):
        raise TrainingError(
            f"train and validation must hold the same arrays. Got {len(rows)} and {len(held_out)}."
        )
    device = choose_device(options)
    with seeded(options.seed):
        loop = _Loop(network, objective, options, (rows, held_out), lengths)
        loop.state = _begin(loop, device)
        try:
            _run(loop, device)
        finally:
            network.to("cpu").eval().zero_grad(set_to_none=True)
            network.load_state_dict(loop.state.best_weights)
    if options.checkpoint is not None:
        options.checkpoint.unlink(missing_ok=True)
    return TrainingHistory(
        train_loss=tuple(loop.state.train_loss),
        validation_loss=tuple(loop.state.validation_loss),
        best_epoch=loop.state.best_epoch,
        precision=loop.state.precision,
        device=device,
        seconds=loop.state.seconds,
    )


class _Loop(LightningModule):
    """The steps of one training as Lightning calls them."""

    state: TrainingState

    def __init__(
        self,
        network: nn.Module,
        objective: Objective,
        options: TrainingOptions,
        rows: tuple[tuple[Tensor, ...], tuple[Tensor, ...]],
        lengths: NDArray[Any] | None,
    ) -> None:
        super().__init__()
        self.lengths = None if lengths is None else torch.as_tensor(lengths)
        self.network = network
        self.objective = objective
        self.options = options
        self.train_rows, self.validation_rows = rows
        self.identity: dict[str, str] = {}
        if options.checkpoint is not None:
            self.identity = identify(network, *rows, options)
        self._sums = {"train": 0.0, "validation": 0.0}  # losses of the epoch, times their rows
        self._started = 0.0

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        parameters = [p for p in self.network.parameters() if p.requires_grad]
        groups: list[dict[str, Any]] = [
            {"params": [p for p in parameters if p.ndim > 1]},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(
            groups,
            lr=self.options.learning_rate,
            weight_decay=self.options.weight_decay,
            fused=self.device.type in ("cpu", "cuda"),
        )
        steps = self.options.max_epochs * len(self._batches("train"))
        schedule = LambdaLR(optimizer, lambda step: _rate_factor(step, steps))
        if self.state.epoch:
            optimizer.load_state_dict(self.state.optimizer)
            schedule.load_state_dict(self.state.schedule)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        # Lightning's own refuses fused optimizers, for the sake of a float16 scaler.
        nn.utils.clip_grad_norm_(self.network.parameters(), self.options.gradient_clip)

    def train_dataloader(self) -> Batches:
        return self._batches("train")  # asked for before every epoch: a new order each time

    def val_dataloader(self) -> Batches:
        return self._batches("validation")

    def on_train_epoch_start(self) -> None:
        # Seeded by epoch, the noise of a resumed training is that of an uninterrupted one.
        torch.manual_seed(_epoch_seed(self.options.seed, self.state.epoch))
        self._sums = dict.fromkeys(self._sums, 0.0)
        self._started = time.perf_counter()

    def training_step(self, batch: tuple[Tensor, ...], batch_index: int) -> Tensor:
        loss = self.objective(self.network, batch)
        value = loss.item()
        if not math.isfinite(value):
            raise self._diverged(f"The training loss is {value} at step {batch_index + 1}")
        self._sums["train"] += value * len(batch[0])
        return loss

    def validation_step(self, batch: tuple[Tensor, ...], batch_index: int) -> None:
        self._sums["validation"] += self.objective(self.network, batch).item() * len(batch[0])

    def on_train_epoch_end(self) -> None:
        """Close the epoch; validation has already run."""
        state, options = self.state, self.options
        weights = _snapshot(self.network)
        if not all(part.isfinite().all() for part in weights.values()):
            raise self._diverged("A weight is not finite")
        validation_loss = math.nan
        if self.validation_rows:
            validation_loss = self._sums["validation"] / len(self.validation_rows[0])
            if not math.isfinite(validation_loss):
                raise self._diverged(f"The validation loss is {validation_loss}")
        # Complete from here on.
        better = not self.validation_rows or validation_loss < state.best_loss
        state.train_loss.append(self._sums["train"] / len(self.train_rows[0]))
        if self.validation_rows:
            state.validation_loss.append(validation_loss)
            self.log("validation_loss", validation_loss, prog_bar=True)
        if better:
            state.best_epoch, state.best_weights = state.epoch, weights
        state.seconds += time.perf_counter() - self._started
        if options.checkpoint is not None:
            state.weights = weights
            state.optimizer = self.trainer.optimizers[0].state_dict()
            state.schedule = self.trainer.lr_scheduler_configs[0].scheduler.state_dict()
            write_checkpoint(options.checkpoint, state, self.identity)
        self.trainer.should_stop = _is_complete(state, options)

    def _batches(self, name: str) -> Batches:
        size = self.options.batch_size
        if name == "validation":
            return Batches(self.validation_rows, torch.arange(len(self.validation_rows[0])), size)
        generator = torch.Generator()
        generator.manual_seed(_epoch_seed(self.options.seed, self.state.epoch))
        order = torch.randperm(len(self.train_rows[0]), generator=generator)
        batches = Batches(self.train_rows, order, size, self.lengths)
        return batches if self.lengths is None else batches.shuffled(generator)

    def _diverged(self, what: str) -> TrainingError:
        rate = self.trainer.optimizers[0].param_groups[0]["lr"]
        return TrainingError(
            f"{what} of epoch {self.state.epoch + 1} of {self.options.max_epochs} "
            f"(learning rate {rate:.3g}). The network keeps its last good weights. Check the "
            "training rows for missing or infinite values and the loss for logarithms of zero; "
            f"if they are sound, lower learning_rate ({self.options.learning_rate:g})."
        )


def _begin(loop: _Loop, device: str) -> TrainingState:
    """Take the state from the checkpoint if there is one, else make that of the start."""
    options, network = loop.options, loop.network
    if options.checkpoint is not None and options.checkpoint.exists():
        state = read_checkpoint(options.checkpoint, loop.identity)
        network.load_state_dict(state.weights)
        return state
    return TrainingState(
        precision=choose_precision(options, device), best_weights=_snapshot(network)
    )


def _run(loop: _Loop, device: str) -> None:
    options, state = loop.options, loop.state
    if _is_complete(state, options):  # killed between the last epoch and the removal of the file
        return
    callbacks: list[Callback] = []
    if options.progress:
        bar = RichProgressBar(console_kwargs={"stderr": True})
        lines, epochs = Steps("training"), options.max_epochs
        told = LambdaCallback(on_train_epoch_end=lambda *_: lines.at((state.epoch + 1) / epochs))
        callbacks.append(bar if sys.stderr.isatty() else told)
    with _quiet(), _safe_convolutions(loop):
        trainer = Trainer(
            accelerator=device,
            devices=1,
            precision="bf16-mixed" if state.precision == "bfloat16" else "32-true",
            max_epochs=options.max_epochs - state.epoch,
            callbacks=callbacks,
            limit_val_batches=1.0 if loop.validation_rows else 0,
            plugins=[LightningEnvironment()],  # one process, also inside a cluster's job
            reload_dataloaders_every_n_epochs=1,
            num_sanity_val_steps=0,
            logger=False,
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=any(isinstance(each, RichProgressBar) for each in callbacks),
        )
        try:
            trainer.fit(loop)
        except SystemExit as stop:
            # Lightning turns Ctrl-C into the end of the process; the caller is to decide.
            if isinstance(stop.__context__, KeyboardInterrupt):
                raise stop.__context__ from None
            raise


@contextmanager
def _safe_convolutions(network: nn.Module) -> Iterator[None]:
    """Train convolutions of images inside the block so that no memory is corrupted.

    The backward pass of oneDNN in torch 2.13 writes where it must not: with several threads, and
    on processors without AVX-512 with one, where torch's own, slower convolutions take its place.
    """
    if not any(isinstance(layer, nn.Conv2d) for layer in network.modules()):
        yield
        return
    onednn: Any = torch.backends.mkldnn
    threads = torch.get_num_threads()
    enabled = onednn.enabled
    onednn.enabled = enabled and "AVX512" in torch.backends.cpu.get_cpu_capability()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        onednn.enabled = enabled
        torch.set_num_threads(threads)


def _rate_factor(step: int, steps: int) -> float:
    """Learning rate of a step, counted from 0, as a share of the peak."""
    rising = max(1, round(_WARM_UP * steps))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))


def _is_complete(state: TrainingState, options: TrainingOptions) -> bool:
    waited = state.epoch - state.best_epoch
    return state.epoch >= options.max_epochs or waited >= options.patience


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning's advice off the terminal; its errors and other warnings pass."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            # Between Lightning 2.6 and torch 2.13.
            warnings.filterwarnings("ignore", ".*LeafSpec.* is deprecated", FutureWarning)
            yield
    finally:
        logger.setLevel(level)


def _snapshot(network: nn.Module) -> dict[str, Tensor]:
    return {name: part.detach().cpu().clone() for name, part in network.state_dict().items()}


def _epoch_seed(seed: int, epoch: int) -> int:
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0])
