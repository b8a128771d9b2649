"""Message passing over the atoms of molecules, as plain tensor operations.

Methods: Gilmer et al., Neural Message Passing for Quantum Chemistry, ICML 2017,
arXiv:1704.01212; Hu et al., Strategies for Pre-training Graph Neural Networks, ICLR 2020,
arXiv:1905.12265, whose messages add what the bond is to what the neighbour is. Written from
the papers.

What differs from the papers: layers normalise first and add to what was there before; a
molecule is read out as the mean and the scaled sum of its atoms, since some properties grow
with it and others do not.

Letters: B molecules, N atoms, E bonds, A facts of an atom, D width.

Parameters of the defaults: 183 thousand.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from industry_apps.limits import DROPOUT, check_limits, integer

#: By which the sum of the atoms is multiplied: most molecules have some tens of them.
_SUM_SCALE = 0.05


class MessagePassing(nn.Module):
    """Answer molecules by what their atoms hear from their neighbours.

    Parameters
    ----------
    facts : sequence of int
        Cardinality of each of the A facts of an atom; larger ones are read as the largest.
    kinds : sequence of int
        The same of the facts of a bond behind its two atoms, the first of which is its kind: 0
        is no bond.
    outputs : int, default=1
        Numbers answered for each molecule, at least 1.
    width, depth : int, default=96 and 4
        Width D, and how many bonds a message passes, at least 1.
    dropout : float, default=0.1
        In [0, 1).

    Raises
    ------
    ParameterError
        When a parameter is outside its limits.

    Notes
    -----
    ``forward(atoms, bonds)`` takes whole numbers [B, N, A] and [B, E, 2 + kinds], filled up
    with zeros, the first fact of an atom being 0 where there is none, and returns float32
    [B, outputs]. Facts may be negative: they are shifted by half of their cardinality.

    Examples
    --------
    >>> network = MessagePassing([10, 5], [5, 2])
    >>> atoms = torch.tensor([[[6, 0], [8, -1]]])
    >>> bonds = torch.tensor([[[0, 1, 1, 0], [0, 0, 0, 0]]])
    >>> network(atoms, bonds).shape
    torch.Size([1, 1])
    """

    def __init__(
        self,
        facts: Sequence[int],
        kinds: Sequence[int],
        *,
        outputs: int = 1,
        width: int = 96,
        depth: int = 4,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.outputs, self.width, self.depth, self.dropout = outputs, width, depth, dropout
        check_limits(
            self, dict.fromkeys(("outputs", "width", "depth"), integer(1)) | {"dropout": DROPOUT}
        )
        self.atom = _Facts(facts, width)
        self.bond = _Facts(kinds, width)
        self.layers = nn.ModuleList(_Layer(width, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(2 * width)
        self.head = nn.Sequential(
            nn.Linear(2 * width, 2 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, outputs),
        )

    def forward(self, atoms: Tensor, bonds: Tensor) -> Tensor:
        """Return the answers [B, outputs]."""
        atoms, bonds = atoms.long(), bonds.long()
        real = atoms[:, :, 0] > 0  # [B, N]
        if self.training:
            # Most of a batch may be filling, which a file has to compute with: its shapes
            # must not depend on what the numbers are.
            owner, _ = real.nonzero(as_tuple=True)
            x = self._heard(*_packed(atoms, bonds, real))  # [1, atoms of the batch, D]
            total = x.new_zeros(len(atoms), x.shape[2]).index_add(0, owner, x[0])
        else:
            total = self._heard(atoms, bonds).sum(dim=1)  # [B, D]
        count = real.sum(dim=1, keepdim=True).clamp(min=1)
        whole = torch.cat([total / count, total * _SUM_SCALE], dim=1)  # [B, 2 D]
        answer: Tensor = self.head(self.norm(whole) + whole)
        return answer

    def _heard(self, atoms: Tensor, bonds: Tensor) -> Tensor:
        """What atoms are after all messages [B, N, D]; zeros where there is none."""
        real = (atoms[:, :, :1] > 0).to(torch.float32)  # [B, N, 1]
        exists = (bonds[:, :, 2:3] > 0).to(torch.float32)  # [B, E, 1]
        x: Tensor = self.atom(atoms) * real
        told = self.bond(bonds[:, :, 2:])  # [B, E, D]
        for layer in self.layers:
            x = layer(x, bonds[:, :, 0], bonds[:, :, 1], told, exists) * real
        return x


def _packed(atoms: Tensor, bonds: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    """The molecules of a batch as one of many fragments, without the filling."""
    place = real.flatten().cumsum(0).view_as(real) - 1  # [B, N]
    exists = bonds[:, :, 2] > 0  # [B, E]
    ends = [place.gather(1, bonds[:, :, end])[exists] for end in (0, 1)]
    kept = torch.cat([torch.stack(ends, dim=1), bonds[exists][:, 2:]], dim=1)
    return atoms[real].unsqueeze(0), kept.unsqueeze(0)


class _Facts(nn.Module):
    """The sum of an embedding for each fact: [B, n, facts] -> [B, n, D]."""

    def __init__(self, cardinalities: Sequence[int], width: int) -> None:
        super().__init__()
        self.cardinalities = list(cardinalities)
        self.tables = nn.ModuleList(nn.Embedding(count, width) for count in cardinalities)

    def forward(self, facts: Tensor) -> Tensor:
        total = None
        for place, table in enumerate(self.tables):
            count = self.cardinalities[place]
            code = facts[:, :, place] + (count // 2 if place else 0)
            found = table(code.clamp(0, count - 1))
            total = found if total is None else total + found
        assert total is not None
        return total


class _Layer(nn.Module):
    """x + MLP(Norm(x + messages)); a message is relu(neighbour + bond)."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.change = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * width, width)
        )

    def forward(
        self, x: Tensor, begin: Tensor, end: Tensor, told: Tensor, exists: Tensor
    ) -> Tensor:
        heard = torch.zeros_like(x)
        for here, there in ((begin, end), (end, begin)):
            place = here.unsqueeze(2).expand(-1, -1, x.shape[2])  # [B, E, D]
            source = there.unsqueeze(2).expand(-1, -1, x.shape[2])
            message = functional.relu(x.gather(1, source) + told) * exists
            heard = heard.scatter_add(1, place, message)
        changed: Tensor = x + self.change(self.norm(x + heard))
        return changed
