"""Networks of what a user takes next, trained on windows of histories.

Letters: N windows, T items of a window, C items and "", A attributes of an item.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, ParityError
from industry_apps.export.convert import network_to_onnx
from industry_apps.features import FeatureGraph, dense_encoders
from industry_apps.retail.ranking.interactions import Interactions
from industry_apps.retail.ranking.parts import Encoded
from industry_apps.schema import Schema, infer_columns
from industry_apps.training import TrainingOptions

if TYPE_CHECKING:
    import torch

    from industry_apps.backbones.next_code import NextCode

#: Latest items that a network looks at.
LENGTH = 50
#: Each training step scores every item; beyond this many it would not fit.
MOST_SCORED = 20_000
#: Torch and onnxruntime add up in another order.
_TOLERANCE = 1e-3

Windows = tuple[NDArray[np.int64], NDArray[np.int64]]


def attributes_of(items: NDArray[np.object_], table: pd.DataFrame) -> NDArray[np.float32]:
    """Numbers [C, A] that describe items; A is 0 where nothing is known of them.

    Parameters
    ----------
    items : ndarray of str, shape [C]
    table : DataFrame
        Attributes, on an index of items. Texts that hold several names, joined by "|", are
        read as such.
    """
    known = table.reindex(items[1:]).reset_index(drop=True)
    for name in known:
        if known[name].dtype == object:
            known[name] = known[name].map(
                lambda value: value.replace("|", " ") if isinstance(value, str) else value
            )
    columns = []
    for column in infer_columns(known):
        listed = (
            known[column.name].dtype == object
            and table[column.name].astype(str).str.contains("|", regex=False).any()
        )
        columns.append(replace(column, kind="text", role="feature") if listed else column)
    schema = Schema(tuple(c for c in columns if c.role != "identifier"))
    if not len(schema):
        return np.zeros((len(items), 0), dtype=np.float32)
    arrays = schema.to_arrays(known)
    made = FeatureGraph(schema, dense_encoders(schema, [])).learn(arrays).run(arrays)["numeric"]
    return np.concatenate([np.zeros((1, made.shape[1]), dtype=np.float32), made])


class NextItem:
    """A network of the latest items of a user.

    Parameters
    ----------
    kind : {"sasrec", "two_tower"}
        A causal transformer; or towers of the history, without its order, and of items.
    options : TrainingOptions
    """

    def __init__(self, kind: Literal["sasrec", "two_tower"], options: TrainingOptions) -> None:
        self.kind = kind
        self.options = options

    def fit(
        self,
        found: Interactions,
        held_out: Interactions | None,
        attributes: NDArray[np.float32],
    ) -> NextItem:
        """Learn; what is held out decides when to stop.

        Raises
        ------
        ParameterError
            There are too many items.
        TrainingError
        """
        from industry_apps.training import fit_network, seeded

        if len(found.items) > MOST_SCORED:
            raise ParameterError(
                f"The 'model' parameter: {self.kind!r} scores every item at each step of its "
                f"training, so it takes {MOST_SCORED} items at the most; the data have "
                f"{len(found.items) - 1}. Use model='als'."
            )
        with seeded(self.options.seed):
            self.network_ = self._network(len(found.items), attributes)
        validation = None if held_out is None else next_windows(found, held_out)
        self.history_ = fit_network(
            self.network_, windows(found), validation, _cross_entropy, self.options
        )
        return self

    def refit(self, found: Interactions, attributes: NDArray[np.float32]) -> NextItem:
        """Learn again from more data, for as many epochs as were found good."""
        options = self.options.for_epochs(self.history_.best_epoch)
        return NextItem(self.kind, options).fit(found, None, attributes)

    def part(self) -> Encoded:
        """Convert the network, once it is proven to answer as torch does.

        Raises
        ------
        ParityError
        """
        import torch

        table, bias = self.network_.candidates()
        items = torch.cat([table, bias.unsqueeze(1)], dim=1).detach().numpy().astype(np.float64)
        items[0] = 0.0
        network = _last_of(self.network_)
        example = torch.ones(2, LENGTH, dtype=torch.int64)
        model = network_to_onnx(network, (example,), ["codes"])
        part = Encoded(model, items, LENGTH, longest=float(np.sqrt(items.shape[1])))
        self._prove(network, part, len(items))
        return part

    def _prove(self, network: torch.nn.Module, part: Encoded, items: int) -> None:
        import torch

        draw = np.random.default_rng(0)
        codes = draw.integers(1, items, (64, LENGTH))
        codes[np.arange(LENGTH) >= draw.integers(0, LENGTH + 1, 64)[:, None]] = 0
        with torch.inference_mode():
            ours = network(torch.from_numpy(codes)).numpy()
        apart = float(np.abs(ours - part.factors(codes)).max())
        if apart > _TOLERANCE:
            raise ParityError(
                f"The converted network differs from the trained one by {apart:.2g} in what it "
                "makes of a history. A converter is wrong for it: choose another model."
            )

    def _network(self, codes: int, attributes: NDArray[np.float32]) -> NextCode:
        import torch

        from industry_apps.backbones import SequenceScorer, TwoTowers

        if self.kind == "sasrec":
            return SequenceScorer(codes, length=LENGTH)
        return TwoTowers(torch.from_numpy(attributes))


def windows(found: Interactions) -> Windows:
    """Items [N, T] of each user and what came after each [N, T]; 0 behind the end.

    A long history is cut into windows that overlap by half, the last ending with it.
    """
    rows = []
    for start, count in zip(found.starts, found.counts, strict=True):
        items = found.item[start : start + count]
        for stop in range(len(items), 1, -(LENGTH // 2)):
            rows.append(items[max(0, stop - LENGTH - 1) : stop])
            if stop <= LENGTH + 1:
                break
    filled = np.zeros((len(rows), LENGTH + 1), dtype=np.int64)
    for place, row in enumerate(rows):
        filled[place, : len(row)] = row
    return np.ascontiguousarray(filled[:, :-1]), np.ascontiguousarray(filled[:, 1:])


def next_windows(found: Interactions, later: Interactions) -> Windows:
    """The latest items [users, T] of each user, and the first of the later ones [users, T]."""
    asked = np.flatnonzero((found.counts > 0) & (later.counts > 0))
    items = np.zeros((len(asked), LENGTH), dtype=np.int64)
    after = np.zeros_like(items)
    for row, user in enumerate(asked):
        start, count = found.starts[user], found.counts[user]
        latest = found.item[start : start + count][-LENGTH:]
        items[row, : len(latest)] = latest
        after[row, len(latest) - 1] = later.item[later.starts[user]]
    return items, after


def _cross_entropy(network: torch.nn.Module, batch: tuple[Any, ...]) -> torch.Tensor:
    from torch.nn.functional import cross_entropy

    codes, after = batch
    scores = network(codes).flatten(0, 1).float()
    return cross_entropy(scores, after.flatten(), ignore_index=0)


def _last_of(network: NextCode) -> torch.nn.Module:
    import torch

    class Last(torch.nn.Module):
        """What stands for a sequence, as a module of its own."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, codes: torch.Tensor) -> torch.Tensor:
            return self.network.last(codes)

    return Last().eval()
