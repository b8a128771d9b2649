"""Networks of a time to an event: DeepSurv's log-risk, and hazards in discrete time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.export.convert import network_to_onnx
from industry_apps.features import FeatureGraph, GraphBuilder, dense_encoders
from industry_apps.recipes.scorers import Arrays
from industry_apps.recipes.survival.curve import lived_and_ended
from industry_apps.recipes.survival.models import Followed
from industry_apps.schema import Schema
from industry_apps.training import TrainingOptions

if TYPE_CHECKING:
    import torch

#: Width, depth and dropout of the networks: tables of patients are small.
_SIZE: dict[str, Any] = {"width": 64, "depth": 2, "dropout": 0.3}
#: Rows of one forward pass outside training.
_ROWS_A_PASS = 16_384


class _FollowedNetwork:
    """A tabular network of some outputs over the features of records."""

    def __init__(self, schema: Schema, options: TrainingOptions, outputs: int) -> None:
        self.plan = self.features = FeatureGraph(schema, dense_encoders(schema))
        self.options = options
        self.outputs = outputs

    def fit(
        self,
        parts: tuple[Followed, Followed | None],
        targets: tuple[tuple[NDArray[Any], ...], tuple[NDArray[Any], ...] | None],
        objective: Any,
        start: NDArray[np.float64],
    ) -> None:
        """Learn from records and their targets; the second of each decides when to stop.

        The network starts from the same answer for everybody, `start` of shape [outputs]:
        what is learned from few rows then departs from what is known of all, and not from
        chance.
        """
        import torch

        from industry_apps.backbones import TabularMLP
        from industry_apps.training import fit_network, seeded

        self.features = self.plan.learn(parts[0].arrays)
        with seeded(self.options.seed):
            self.network = TabularMLP(len(self.features.names), [], outputs=self.outputs, **_SIZE)
        torch.nn.init.zeros_(self.network.head.weight)
        self.network.head.bias.data = torch.from_numpy(start.astype(np.float32))
        rows = [
            None if part is None or target is None else (*self.tensors(part.arrays), *target)
            for part, target in zip(parts, targets, strict=True)
        ]
        history = fit_network(self.network, rows[0], rows[1], objective, self.options)
        self.best_epoch = history.best_epoch

    def tensors(self, arrays: Arrays) -> tuple[NDArray[Any], NDArray[Any]]:
        numeric = self.features.run(arrays)["numeric"]
        return numeric, np.empty((len(numeric), 0), dtype=np.int64)

    def answer(self, arrays: Arrays) -> NDArray[np.float64]:
        """Outputs of the network -> [rows, outputs]."""
        import torch

        tensors = [torch.from_numpy(each) for each in self.tensors(arrays)]
        rows = len(tensors[0])
        with torch.inference_mode():
            passes = [
                self.network(*(t[start : start + _ROWS_A_PASS] for t in tensors))
                for start in range(0, max(rows, 1), _ROWS_A_PASS)
            ]
        found: NDArray[np.float64] = torch.cat(passes).double().numpy()
        return found

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append features and network to a graph -> tensor [batch, outputs]."""
        import torch

        example = (
            torch.zeros(2, len(self.features.names)),
            torch.zeros(2, 0, dtype=torch.int64),
        )
        model = network_to_onnx(self.network, example, ["numeric", "codes"])
        numeric = self.features.write(builder, inputs)["numeric"]
        none = builder.cast(builder.part(numeric, 0, 0), np.int64)
        return builder.append(model, {"numeric": numeric, "codes": none})["output"]


class NetworkRisk:
    """A network of the log-risk, trained on Cox's partial likelihood within each batch.

    Parameters
    ----------
    schema : Schema
    options : TrainingOptions
        Small batches have small risk sets: 256 rows and more.

    References
    ----------
    Katzman et al. 2018, "DeepSurv", doi:10.1186/s12874-018-0482-1.
    """

    def __init__(self, schema: Schema, options: TrainingOptions) -> None:
        self._network = _FollowedNetwork(schema, options, 1)

    @property
    def features(self) -> FeatureGraph:
        """The fitted features."""
        return self._network.features

    def fit(self, train: Followed, validation: Followed | None) -> None:
        """Learn; validation data decide when to stop."""
        targets = tuple(None if part is None else _times(part) for part in (train, validation))
        self._network.fit((train, validation), targets, _partial_likelihood, np.zeros(1))  # type: ignore[arg-type]

    def refit(self, every: Followed) -> None:
        """Learn again from more data, for as many epochs as were found good."""
        network = self._network
        network.options = network.options.for_epochs(network.best_epoch)
        self.fit(every, None)

    def log_risk(self, arrays: Arrays) -> NDArray[np.float64]:
        """Log-risks -> [rows]."""
        return self._network.answer(arrays)[:, 0]

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append features and model to a graph -> tensor [batch, 1]."""
        return self._network.write(builder, inputs)

    def thresholds(self) -> dict[str, list[float]]:
        """None: a network has no split thresholds."""
        return {}


class DiscreteTime:
    """A network of the hazard in each interval of time: no hazards need be proportional.

    Who is censored within an interval counts for the part of it that was followed.

    Parameters
    ----------
    schema : Schema
    edges : ndarray of shape [K]
        Ends of the intervals, rising, above 0.
    options : TrainingOptions

    References
    ----------
    Gensheimer and Narasimhan 2019, "A scalable discrete-time survival model for neural
    networks", doi:10.7717/peerj.6257.
    """

    def __init__(
        self, schema: Schema, edges: NDArray[np.float64], options: TrainingOptions
    ) -> None:
        self._network = _FollowedNetwork(schema, options, len(edges))
        self.edges = edges

    @property
    def features(self) -> FeatureGraph:
        """The fitted features."""
        return self._network.features

    def fit(self, train: Followed, validation: Followed | None) -> None:
        """Learn; validation data decide when to stop."""
        targets = tuple(
            None if part is None else lived_and_ended(part.follow_up, self.edges)
            for part in (train, validation)
        )
        lived, ended = lived_and_ended(train.follow_up, self.edges)
        # Half an event and half a row more: no hazard of everybody is 0 or 1.
        odds = (ended.sum(axis=0) + 0.5) / (lived.sum(axis=0) + 0.5)
        self._network.fit((train, validation), targets, _hazard_likelihood, np.log(odds))  # type: ignore[arg-type]

    def refit(self, every: Followed) -> None:
        """Learn again from more data, for as many epochs as were found good."""
        network = self._network
        network.options = network.options.for_epochs(network.best_epoch)
        self.fit(every, None)

    def log_survival(self, arrays: Arrays) -> NDArray[np.float64]:
        """Logarithm of the survival curve at the edges -> [rows, K]."""
        return -np.logaddexp(0, self._network.answer(arrays)).cumsum(axis=1)

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append features and model to a graph -> tensor [batch, K]."""
        # The logarithm of 1 - hazard is -softplus of the logit; a product of survivals is a
        # sum of these, and all partial sums are one product with a triangle.
        triangle = -np.triu(np.ones((len(self.edges), len(self.edges)), dtype=np.float32))
        softplus = builder.node("Softplus", self._network.write(builder, inputs))
        return builder.node("MatMul", softplus, builder.constant(triangle))

    def thresholds(self) -> dict[str, list[float]]:
        """None: a network has no split thresholds."""
        return {}


def _times(rows: Followed) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    follow_up = rows.follow_up
    return follow_up.time.astype(np.float32), follow_up.event.astype(np.float32)


def _partial_likelihood(network: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    numeric, codes, time, event = batch
    order = time.argsort(descending=True)
    risk = network(numeric, codes)[order, 0].float()  # [N]
    at_risk = risk.logcumsumexp(0)
    happened = event[order]
    return -((risk - at_risk) * happened).sum() / happened.sum().clamp(min=1)


def _hazard_likelihood(network: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    from torch.nn.functional import logsigmoid

    numeric, codes, lived, event = batch
    logit = network(numeric, codes).float()  # [N, K]
    return -(lived * logsigmoid(-logit) + event * logsigmoid(logit)).sum(dim=1).mean()
