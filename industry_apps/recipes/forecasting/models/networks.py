"""Networks that forecast windows of many series as quantiles: trained, run and exported alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.backbones.window_spec import NetworkSize, NetworkSpec
from industry_apps.errors import TrainingError
from industry_apps.export.convert import network_to_onnx
from industry_apps.features.builder import GraphBuilder
from industry_apps.limits import check_limits, instance, one_of
from industry_apps.training.options import TrainingOptions

if TYPE_CHECKING:
    from torch import Tensor, nn

    from industry_apps.backbones.forecasters import Kind

#: Kinds of networks, and the size of each that served best on validation data.
SIZES: dict[Kind, NetworkSize] = {
    "tft": NetworkSize(width=32, depth=1, dropout=0.1, normalise=False),
    "nhits": NetworkSize(width=128, depth=1, dropout=0.1, normalise=True),
    "patch": NetworkSize(width=64, depth=2, dropout=0.1, normalise=True),
    "tcn": NetworkSize(width=64, dropout=0.1, normalise=True),
    "dlinear": NetworkSize(normalise=True),
}
#: The sizes and the training of pytorch-forecasting's own tutorial of TemporalFusionTransformer
#: (pytorch-forecasting.readthedocs.io/en/stable/tutorials/stallion.html): the untuned baseline.
TUTORIAL_SIZE = NetworkSize(width=16, depth=1, dropout=0.1, normalise=False)
TUTORIAL_OPTIONS = TrainingOptions(
    max_epochs=50, batch_size=128, learning_rate=0.03, patience=10, gradient_clip=0.1
)
#: Steps of windows in one forward pass outside training.
_STEPS_A_PASS = 262_144


class WindowTensors(NamedTuple):
    """Windows as a network reads them, N of each.

    Parameters
    ----------
    past : ndarray of float32 of shape [N, L, P]
        Without missing values, oldest step first; channel 0 is the target, scaled.
    known : ndarray of float32 of shape [N, L+H, K]
        What is known in advance, without missing values; K may be 0.
    codes : ndarray of int64 of shape [N, C]
        Static categories, each code below its cardinality; C may be 0.
    target : ndarray of float32 of shape [N, H], optional
        What came, scaled as the past is. NaN where it is not known: not learned from.
    """

    past: NDArray[np.float32]
    known: NDArray[np.float32]
    codes: NDArray[np.int64]
    target: NDArray[np.float32] | None = None


class WindowNetwork:
    """A network that forecasts the quantiles of each step ahead, trained on the pinball loss.

    Parameters
    ----------
    kind : {"tft", "nhits", "patch", "tcn", "dlinear"}
        Temporal fusion transformer or N-HiTS of pytorch-forecasting, a transformer over
        patches of time, dilated causal convolutions, or linear layers of trend and remainder; see
        :func:`industry_apps.backbones.build_forecaster`.
    spec : NetworkSpec
        What it reads and answers.
    options : TrainingOptions, optional
    size : NetworkSize, optional
        Default: ``SIZES[kind]``.

    Attributes
    ----------
    network_ : torch.nn.Module
        ``(past, known, codes)`` -> [N, H, Q]; after ``fit``.
    history_ : TrainingHistory
        Losses and best epoch; after ``fit``.

    Raises
    ------
    ParameterError
        When a parameter is outside its limits.

    References
    ----------
    Koenker and Bassett (1978), Regression Quantiles, doi:10.2307/1913643: the pinball loss.

    Examples
    --------
    >>> waves = np.sin(np.arange(40) + np.arange(64)[:, None]).astype(np.float32)  # [N, L+H]
    >>> windows = WindowTensors(
    ...     past=waves[:, :32, None],
    ...     known=np.empty((64, 40, 0), dtype=np.float32),
    ...     codes=np.empty((64, 0), dtype=np.int64),
    ...     target=waves[:, 32:],
    ... )
    >>> options = TrainingOptions(max_epochs=40, batch_size=16, learning_rate=0.01, progress=False)
    >>> model = WindowNetwork("tcn", NetworkSpec(length=32, horizon=8), options)
    >>> model.fit(windows, None)
    >>> bool(abs(model.forecast(windows)[:, :, 1] - windows.target).mean() < 0.1)
    True
    """

    network_: nn.Module

    def __init__(
        self,
        kind: Kind,
        spec: NetworkSpec,
        options: TrainingOptions | None = None,
        *,
        size: NetworkSize | None = None,
    ) -> None:
        self.kind: Kind = kind
        self.spec = spec
        self.options = TrainingOptions() if options is None else options
        check_limits(
            self,
            {
                "kind": one_of(tuple(SIZES)),
                "spec": instance(NetworkSpec),
                "options": instance(TrainingOptions),
            },
        )
        self.size = SIZES[kind] if size is None else size
        check_limits(self, {"size": instance(NetworkSize)})

    def fit(self, train: WindowTensors, validation: WindowTensors | None) -> None:
        """Learn; validation windows decide when to stop.

        Parameters
        ----------
        train, validation : WindowTensors
            With targets. Windows of which no target is known are left out.

        Raises
        ------
        TrainingError
            The tensors are not shaped as the specification says, a value is missing, a code
            is not below its cardinality, or no target is known.
        """
        from industry_apps.backbones.forecasters import build_forecaster
        from industry_apps.training import fit_network, seeded

        parts = [
            None if windows is None else self._labelled(name, windows)
            for name, windows in (("train", train), ("validation", validation))
        ]
        with seeded(self.options.seed):
            self.network_ = build_forecaster(self.kind, self.spec, self.size)
        loss = _PinballLoss(self.spec.quantiles)
        self.history_ = fit_network(self.network_, parts[0] or (), parts[1], loss, self.options)

    def refit(self, every: WindowTensors) -> None:
        """Learn again from more windows, for as many epochs as were found good."""
        self.options = self.options.for_epochs(self.history_.best_epoch)
        self.fit(every, None)

    @property
    def rows_a_pass(self) -> int:
        """Windows that one pass of bounded memory may hold."""
        return max(1, _STEPS_A_PASS // (self.spec.length + self.spec.horizon))

    def forecast(self, windows: WindowTensors) -> NDArray[np.float32]:
        """Forecast the quantiles, scaled as the past is.

        Parameters
        ----------
        windows : WindowTensors
            Targets are not read.

        Returns
        -------
        ndarray of float32 of shape [N, H, Q]
            Rising along Q.
        """
        import torch

        self._check("windows", windows)
        rows, size = len(windows.past), self.rows_a_pass
        answers = np.empty((rows, self.spec.horizon, len(self.spec.quantiles)), dtype=np.float32)
        with torch.inference_mode():
            for start in range(0, rows, size):
                inputs = (torch.from_numpy(part[start : start + size]) for part in windows[:3])
                answers[start : start + size] = self.network_(*inputs).numpy()
        return answers

    def write(self, builder: GraphBuilder, tensors: Mapping[str, str]) -> str:
        """Append the trained network to a graph.

        Parameters
        ----------
        builder : GraphBuilder
        tensors : mapping of str to str
            "past", and "known" and "codes" unless they are empty -> tensor of the graph,
            shaped as in :class:`WindowTensors`.

        Returns
        -------
        str
            Tensor of shape [batch, H, Q].
        """
        import torch

        spec, rows = self.spec, 3  # of which a converter cannot take one for a constant
        example = {"past": torch.zeros(rows, spec.length, spec.past_channels)}
        if spec.known_channels:
            example["known"] = torch.zeros(rows, spec.length + spec.horizon, spec.known_channels)
        if spec.cardinalities:
            example["codes"] = torch.zeros(rows, len(spec.cardinalities), dtype=torch.int64)
        model = network_to_onnx(
            _given_parts(self.network_, spec),
            list(example.values()),
            list(example),
            # The temporal fusion transformer reads its sizes from a tensor of lengths.
            dynamo=self.kind != "tft",
        )
        return builder.append(model, {name: tensors[name] for name in example})["output"]

    def _labelled(self, name: str, windows: WindowTensors) -> Sequence[NDArray[Any]]:
        """Windows of which a target is known, checked."""
        self._check(name, windows)
        expected = (len(windows.past), self.spec.horizon)
        if windows.target is None or windows.target.shape != expected:
            found = None if windows.target is None else windows.target.shape
            raise TrainingError(
                f"The target of the {name} windows has shape {found}. Expected {expected}."
            )
        learned = np.asarray(np.isfinite(windows.target).any(axis=1))
        if not learned.any():
            raise TrainingError(
                f"No target of the {len(learned)} {name} windows is known. Give windows that "
                "end before the last step of their series."
            )
        return [part if learned.all() else part[learned] for part in windows if part is not None]

    def _check(self, name: str, windows: WindowTensors) -> None:
        spec, rows = self.spec, len(windows.past)
        expected = {
            "past": (rows, spec.length, spec.past_channels),
            "known": (rows, spec.length + spec.horizon, spec.known_channels),
            "codes": (rows, len(spec.cardinalities)),
        }
        for part, shape in expected.items():
            values = getattr(windows, part)
            if values.shape != shape:
                raise TrainingError(
                    f"The tensor {part!r} of the {name} windows has shape {values.shape}. "
                    f"Expected {shape}."
                )
            if not np.isfinite(values).all():
                row = int(np.argwhere(~np.isfinite(values))[0, 0])
                raise TrainingError(
                    f"The tensor {part!r} of the {name} windows has a missing or infinite value "
                    f"in row {row}. Fill gaps, and tell of them in a channel of their own."
                )
        wrong = (windows.codes < 0) | (windows.codes >= np.array(spec.cardinalities, dtype=int))
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise TrainingError(
                f"Category {column} of the {name} windows has the code "
                f"{windows.codes[row, column]} in row {row}. Expected 0 to "
                f"{spec.cardinalities[column] - 1}."
            )


class _PinballLoss:
    """Mean pinball loss over the known targets and all quantiles."""

    def __init__(self, quantiles: Sequence[float]) -> None:
        self.quantiles = tuple(quantiles)

    def __call__(self, network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        import torch

        *inputs, target = batch
        known = target.isfinite()  # [N, H]
        level = torch.tensor(self.quantiles, device=target.device)  # [Q]
        answer = network(*inputs).float()  # [N, H, Q]
        error = target.nan_to_num(posinf=0, neginf=0).unsqueeze(2) - answer  # [N, H, Q]
        loss = torch.maximum(level * error, (level - 1) * error).mean(dim=2)  # [N, H]
        # Not by a product: a masked step gives no gradient, whatever its error.
        return torch.where(known, loss, 0.0).sum() / known.sum().clamp(min=1)


def _given_parts(network: nn.Module, spec: NetworkSpec) -> nn.Module:
    """The network as a function of those of its inputs that have a column."""
    import torch

    names = ["known"] * bool(spec.known_channels) + ["codes"] * bool(spec.cardinalities)

    class GivenParts(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(
            self, past: Tensor, first: Tensor | None = None, second: Tensor | None = None
        ) -> Tensor:
            given = dict(zip(names, (first, second), strict=False))
            known, codes = given.get("known"), given.get("codes")
            if known is None:
                known = past.new_zeros(past.shape[0], spec.length + spec.horizon, 0)
            if codes is None:
                codes = past.new_zeros(past.shape[0], 0, dtype=torch.int64)
            answer: Tensor = self.network(past, known, codes)
            return answer

    return GivenParts().eval()
