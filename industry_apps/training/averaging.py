"""Weights averaged along the way: what a network answers with is the mean of what it was.

Polyak and Juditsky (1992), Acceleration of stochastic approximation by averaging,
doi:10.1137/0330046; Izmailov et al. (2018), Averaging weights leads to wider optima and better
generalization, arXiv:1803.05407. Here the mean is exponential, and taken at every step.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

__all__ = ["AveragedNetwork"]


class AveragedNetwork(nn.Module):
    """A network in training mode, the running mean of its weights in eval mode.

    The training loop needs to know nothing of it: the validation loss, the best epoch and a
    checkpoint are those of the mean.

    Parameters
    ----------
    network : torch.nn.Module
    decay : float
        In [0, 1): how much less the weights of a step count than those of the step after it; 0
        keeps no memory. Before the first step is no step: the weights that a network begins
        with are not in the mean.

    Examples
    --------
    >>> averaged = AveragedNetwork(nn.Linear(1, 1), 0.5)
    >>> for value in (1.0, 4.0):
    ...     _ = nn.init.constant_(averaged.network.weight, value)
    ...     _ = averaged(torch.zeros(1, 1))
    >>> averaged.average.weight.item()  # (0.5 * 1 + 4) / (0.5 + 1)
    3.0
    """

    steps: Tensor

    def __init__(self, network: nn.Module, decay: float) -> None:
        super().__init__()
        self.network = network
        self.average = copy.deepcopy(network).requires_grad_(False)
        self.decay = decay
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    def forward(self, x: Tensor) -> Tensor:
        """Answer, and in training take the weights as they are into the mean."""
        if not self.training:
            return self.average(x)
        self._take()
        return self.network(x)

    @torch.no_grad()
    def _take(self) -> None:
        self.steps += 1
        # Divided by the sum of what all steps count: Kingma and Ba 2015, arXiv:1412.6980, sec. 3.
        share = (1 - self.decay) / (1 - self.decay ** int(self.steps))
        now = self.network.state_dict()
        for name, mean in self.average.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(now[name], share)
            else:  # how many batches a norm has seen
                mean.copy_(now[name])
