"""A network that answers loads with outputs of generators which keep balance and limits.

A multilayer perceptron wishes outputs within the limits of the generators; what follows has no
weights. The imbalance is shared in proportion to the room that each generator has left, which keeps
limits and balance. Outputs known to keep the lines at such a level of the load are brought within
the lines for these loads by a fixed number of projections (extrapolated parallel ones; Combettes
1997, doi:10.1109/83.563316). Then the wishes are drawn towards that point, as far as the line that
is overloaded most asks for: all constraints are linear, so the share that may stay is a ratio for
each line, as in the gauge map of Li, Kolouri and Mohammadi (2023), arXiv:2208.10611. Outputs keep
the lines wherever that point does; what is left is answered too.

Letters: N rows, B buses, G generators, L lines with a limit, K levels of the total load.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

_Floats = NDArray[np.float64]
#: Share of a limit, and MW, that are kept free, so that rounding overloads nothing.
_MARGIN = 1e-4
_TINY = 1e-9
#: Projections on the way to a point that keeps the lines, the longest of them, and how far each
#: goes beyond the lines, which is sound below 2 and chosen on validation records.
_STEPS = 24
_LONGEST = 20.0
_BEYOND = 1.9
#: Standard deviations beyond which an input is taken as this far off.
_FARTHEST = 8.0


class GridArrays(NamedTuple):
    """What the repair knows of a grid; powers in MW.

    Parameters
    ----------
    least, most : ndarray of shape [G]
        Limits of the outputs.
    on_output, on_load : ndarray of shape [L, G] and [L, B]
        Flow through a line of a MW that is fed in, and of a MW of load.
    flow : ndarray of shape [L]
        Flow without either.
    low, high : ndarray of shape [L]
        Limits of the flow.
    further : float
        Demand beside the loads.
    levels : ndarray of shape [K]
        Total loads, evenly spaced, at least two.
    safe : ndarray of shape [K, G]
        Outputs that keep the lines at such a level.
    square, slope : ndarray of shape [G]
        Cost in $/h: ``square * output**2 + slope * output``.
    constant : float
        Cost in $/h beside that.
    """

    least: _Floats
    most: _Floats
    on_output: _Floats
    on_load: _Floats
    flow: _Floats
    low: _Floats
    high: _Floats
    further: float
    levels: _Floats
    safe: _Floats
    square: _Floats
    slope: _Floats
    constant: float = 0.0


class Repaired(NamedTuple):
    """Outputs that keep balance and limits, and what they do not keep.

    Parameters
    ----------
    output : Tensor of shape [N, G]
    cost : Tensor of shape [N, 1]
        In $/h.
    overload : Tensor of shape [N, 1]
        Of the line that is overloaded most, in MW; 0 where none is.
    unserved : Tensor of shape [N, 1]
        Load less all outputs in MW; negative where these are too much.
    wished : Tensor of shape [N]
        Sum of the overloads before the lines were looked at, in MW.
    """

    output: Tensor
    cost: Tensor
    overload: Tensor
    unserved: Tensor
    wished: Tensor


class LineRepair(nn.Module):
    """Balance, limits of generators and of lines, in a fixed number of operations.

    Parameters
    ----------
    grid : GridArrays

    Notes
    -----
    In double precision: the sum of many outputs would lose the last digits.

    Examples
    --------
    >>> grid = GridArrays(
    ...     least=np.zeros(2), most=np.array([100.0, 100.0]), on_output=np.array([[1.0, 0.0]]),
    ...     on_load=np.array([[0.0]]), flow=np.zeros(1), low=np.array([-50.0]),
    ...     high=np.array([50.0]), further=0.0, levels=np.array([0.0, 200.0]),
    ...     safe=np.array([[0.0, 0.0], [40.0, 100.0]]), square=np.zeros(2), slope=np.ones(2),
    ... )
    >>> found = LineRepair(grid)(torch.tensor([[90.0, 10.0]]), torch.tensor([[100.0]]))
    >>> found.output.round(decimals=1).tolist(), float(found.overload)
    ([[50.0, 50.0]], 0.0)
    """

    least: Tensor
    most: Tensor
    on_output: Tensor
    on_load: Tensor
    flow: Tensor
    low: Tensor
    high: Tensor
    further: Tensor
    levels: Tensor
    safe: Tensor
    square: Tensor
    slope: Tensor
    constant: Tensor
    margin: Tensor
    turn: Tensor
    inverse: Tensor

    def __init__(self, grid: GridArrays) -> None:
        super().__init__()
        for name, value in grid._asdict().items():
            # Of a single number, too, an array: exported alone, it would be rounded to float32.
            self.register_buffer(name, torch.as_tensor(np.atleast_1d(value).astype(np.float64)))
        width = np.minimum(np.abs(grid.low), np.abs(grid.high))
        self.register_buffer("margin", torch.as_tensor(_MARGIN * (1 + width)))
        # The part of a line's direction that leaves the balance as it is, by its length.
        moves = grid.most > grid.least
        turn = np.where(moves, grid.on_output, 0.0)
        turn -= np.where(moves, turn.sum(axis=1, keepdims=True) / max(1, moves.sum()), 0.0)
        size = np.linalg.norm(turn, axis=1)
        inverse = np.where(size > 1e-6, 1 / np.maximum(size, 1e-6), 0.0)
        self.register_buffer("turn", torch.as_tensor(turn * inverse[:, None]))
        self.register_buffer("inverse", torch.as_tensor(inverse))

    def forward(self, wish: Tensor, load: Tensor, *, lines: bool = True) -> Repaired:
        """Wishes [N, G] within the limits, and loads [N, B]; without ``lines`` balanced alone."""
        load = load.double()
        demand = load.sum(1, keepdim=True) + self.further  # [N, 1]
        near = self.balanced(wish.double(), demand)
        outer = self.flow - load @ self.on_load.T  # [N, L]
        with torch.no_grad():
            safe = self._within(self.balanced(self._safe(demand), demand), outer, demand)
        flow, start = outer + near @ self.on_output.T, outer + safe @ self.on_output.T
        kept = self._kept(start, flow) if lines else torch.ones_like(demand)
        output = safe + kept * (near - safe)
        through = start + kept * (flow - start)
        over = torch.relu(torch.maximum(through - self.high, self.low - through))
        wished = torch.relu(torch.maximum(flow - self.high, self.low - flow)).sum(1)
        unserved = demand - output.sum(1, keepdim=True)
        return Repaired(output, self.cost(output), over.amax(1, keepdim=True), unserved, wished)

    def cost(self, output: Tensor) -> Tensor:
        """Cost in $/h of outputs [N, G]: [N, 1]."""
        each = self.square * output.square() + self.slope * output
        return each.sum(1, keepdim=True) + self.constant

    def balanced(self, wish: Tensor, demand: Tensor) -> Tensor:
        """Share the imbalance in proportion to the room left: [N, G]."""
        lack = demand - wish.sum(1, keepdim=True)
        above, below = self.most - wish, wish - self.least
        up = torch.relu(lack) / above.sum(1, keepdim=True).clamp(min=_TINY)
        down = torch.relu(-lack) / below.sum(1, keepdim=True).clamp(min=_TINY)
        return wish + up.clamp(max=1.0) * above - down.clamp(max=1.0) * below

    def _safe(self, demand: Tensor) -> Tensor:
        """Outputs that keep the lines at the level of a demand, between two levels in between."""
        first, last = self.levels[:1], self.levels[-1:]
        level = torch.minimum(torch.maximum(demand - self.further, first), last)
        step = self.levels[1:2] - first
        weight = torch.relu(1.0 - (level - self.levels).abs() / step)  # [N, K]
        return weight @ self.safe

    def _within(self, output: Tensor, outer: Tensor, demand: Tensor) -> Tensor:
        """Outputs brought within the lines by projections: [N, G]."""
        high, low = self.high - 3 * self.margin, self.low + 3 * self.margin
        for _ in range(_STEPS):
            flow = outer + output @ self.on_output.T  # [N, L]
            far = (torch.relu(flow - high) - torch.relu(low - flow)) * self.inverse
            share = far.abs() / far.abs().sum(1, keepdim=True).clamp(min=_TINY)
            step = (share * far) @ self.turn  # [N, G]
            square = step.square().sum(1, keepdim=True).clamp(min=_TINY**2)
            longer = (share * far.square()).sum(1, keepdim=True) / square
            moved = output - _BEYOND * longer.clamp(max=_LONGEST) * step
            inside = torch.minimum(torch.maximum(moved, self.least), self.most)
            output = self.balanced(inside, demand)
        return output

    def _kept(self, start: Tensor, flow: Tensor) -> Tensor:
        """Share of the way from the safe point that no line forbids: [N, 1]."""
        high = torch.maximum(self.high - 2 * self.margin, start) + self.margin
        low = torch.minimum(self.low + 2 * self.margin, start) - self.margin
        rise = (high - start) / (flow - start).clamp(min=_TINY)
        fall = (start - low) / (start - flow).clamp(min=_TINY)
        return torch.minimum(rise, fall).amin(1, keepdim=True).clamp(max=1.0)


class DispatchNetwork(nn.Module):
    """Loads to outputs that keep balance and limits.

    Parameters
    ----------
    grid : GridArrays
    mean, spread : ndarray of shape [B]
        Of the loads in training; the latter > 0.
    start : ndarray of shape [G]
        Outputs that are answered before anything is learned, within the limits.
    width : int
        Of the two hidden layers.

    Notes
    -----
    A network in double precision answers one row to the last digit as among others; it can be
    trained in single precision and made so by ``double()``.

    ``forward(load)`` takes float32 [N, B] and returns float32 outputs [N, G], their cost, the
    largest overload and what is unserved, [N, 1] each; ``repaired(load)`` the same in double
    precision, with what the loss needs.
    """

    mean: Tensor
    spread: Tensor
    start: Tensor
    room: Tensor

    def __init__(
        self,
        grid: GridArrays,
        mean: _Floats,
        spread: _Floats,
        start: _Floats,
        width: int = 128,
    ) -> None:
        super().__init__()
        self.repair = LineRepair(grid)
        for name, value in (("mean", mean), ("spread", spread)):
            self.register_buffer(name, torch.as_tensor(value, dtype=torch.float32))
        self.register_buffer("start", torch.as_tensor(start, dtype=torch.float32))
        room = torch.as_tensor(grid.most - grid.least, dtype=torch.float32)
        self.register_buffer("room", room)
        count = len(grid.least)
        # Optima are linear in the loads as long as the same limits bind: a linear part, and what
        # bends it.
        self.linear = nn.Linear(len(mean), count)
        last = nn.Linear(width, count)
        self.bent = nn.Sequential(
            nn.Linear(len(mean), width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), last
        )
        with torch.no_grad():
            for layer in (self.linear, last):
                layer.weight.mul_(0.1)
                layer.bias.zero_()

    def forward(self, load: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Answer loads [N, B] in MW."""
        found = self.repaired(load)
        return (
            found.output.float(),
            found.cost.float(),
            found.overload.float(),
            found.unserved.float(),
        )

    def repaired(self, load: Tensor) -> Repaired:
        """Answer loads [N, B] in MW, in double precision."""
        load = load.to(self.mean.dtype)
        numbers = ((load - self.mean) / self.spread).clamp(-_FARTHEST, _FARTHEST)
        wish = self.start + self.room * (self.linear(numbers) + self.bent(numbers))  # [N, G]
        repair = self.repair
        inside = torch.minimum(torch.maximum(wish.double(), repair.least), repair.most)
        if self.training:  # a wish beyond a limit still learns to come back
            inside = wish.double() + (inside - wish.double()).detach()
        return repair(inside, load)
