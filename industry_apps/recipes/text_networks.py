"""Networks that read the words or the characters of a text, trained from scratch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TrainingError
from industry_apps.export.convert import network_to_onnx
from industry_apps.features import FeatureGraph, GraphBuilder
from industry_apps.features.text import Tokens
from industry_apps.recipes.networks import forward
from industry_apps.recipes.scorers import Arrays, Labelled
from industry_apps.recipes.text_linear import text_column
from industry_apps.schema import Schema
from industry_apps.training import TrainingOptions

if TYPE_CHECKING:
    import torch

TextBackbone = Literal["cnn", "transformer", "character_cnn"]
#: Model of a decision -> its network.
TEXT_NETWORKS: Mapping[str, TextBackbone] = {
    "text_cnn": "cnn",
    "text_transformer": "transformer",
    "character_cnn": "character_cnn",
}
#: Words, and characters, that a network reads of a text.
_WORDS, _CHARACTERS = 64, 256


class TextNetworkScorer:
    """A network over the first words or characters of a text; the margin is the log-odds.

    It reads 64 words; or as many characters as the longest text of training has, at most 256.

    Parameters
    ----------
    schema : Schema
        With one text column.
    backbone : {"cnn", "transformer", "character_cnn"}
        The last reads characters.
    options : TrainingOptions
    """

    def __init__(self, schema: Schema, backbone: TextBackbone, options: TrainingOptions) -> None:
        column = text_column(schema)
        self._tokens = Tokens(column.name, length=_WORDS)
        if backbone == "character_cnn":
            self._tokens = Tokens(column.name, length=_CHARACTERS, unit="character")
        self._schema = Schema((column,))
        self.features = FeatureGraph(self._schema, [self._tokens])
        self.backbone = backbone
        self.options = options

    def fit(self, train: Labelled, validation: Labelled | None) -> None:
        """Learn; validation data decide when to stop."""
        from industry_apps.training import fit_network, seeded

        if self._tokens.unit == "character":  # padding that no text needs takes time
            longest = max(map(len, train.arrays[self._tokens.column]), default=1)
            self._tokens = replace(self._tokens, length=min(max(longest, 1), _CHARACTERS))
        self.features = FeatureGraph(self._schema, [self._tokens]).learn(train.arrays)
        (tokens,) = self.features.encoders
        if not isinstance(tokens, Tokens) or not tokens.vocabulary:
            raise TrainingError(
                f"No {self._tokens.unit} occurs in two texts, so a network has nothing to learn. "
                "Give more texts."
            )
        with seeded(self.options.seed):
            self.network_ = self._network(tokens.cardinality)
        parts = [
            None
            if part is None
            else (self.features.run(part.arrays)["tokens"], part.target.astype(np.float32))
            for part in (train, validation)
        ]
        self.history_ = fit_network(self.network_, parts[0], parts[1], _cross_entropy, self.options)

    def refit(self, every: Labelled) -> None:
        """Learn again from more data, for as many epochs as were found good."""
        self.options = self.options.for_epochs(self.history_.best_epoch)
        self.fit(every, None)

    def margin(self, arrays: Arrays) -> NDArray[np.float64]:
        """Score texts as the trained model does -> [rows]."""
        return forward(self.network_, (self.features.run(arrays)["tokens"],))

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append features and model to a graph -> tensor [batch, 1]."""
        import torch

        example = torch.zeros(2, self._tokens.length, dtype=torch.int64)
        model = network_to_onnx(self.network_, (example,), ["tokens"])
        tokens = self.features.write(builder, inputs)["tokens"]
        return builder.append(model, {"tokens": tokens})["output"]

    def thresholds(self) -> dict[str, list[float]]:
        """None: a network has no split thresholds."""
        return {}

    def _network(self, cardinality: int) -> torch.nn.Module:
        from industry_apps.backbones import TextCNN, TextTransformer

        if self.backbone == "transformer":
            return TextTransformer(cardinality, length=self._tokens.length)
        if self.backbone == "cnn":
            return TextCNN(cardinality)
        return TextCNN(cardinality, width=16, filters=96, dropout=0.2, word_dropout=0.02)


def _cross_entropy(network: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    from torch.nn.functional import binary_cross_entropy_with_logits

    codes, target = batch
    return binary_cross_entropy_with_logits(network(codes)[:, 0], target)
