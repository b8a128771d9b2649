"""Networks without domain words, loss or loop: tables, series, sequences, autoencoders."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "DenoisingAutoencoder",
    "FTTransformer",
    "PatchTransformer",
    "ReconstructionError",
    "ReversibleInstanceNorm",
    "SequenceEncoder",
    "SequenceScorer",
    "TabularMLP",
    "TemporalConvNet",
    "TwoTowers",
    "VariationalAutoencoder",
]
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "DenoisingAutoencoder": "autoencoder",
        "FTTransformer": "tabular",
        "PatchTransformer": "temporal",
        "ReconstructionError": "autoencoder",
        "ReversibleInstanceNorm": "temporal",
        "SequenceEncoder": "transformer",
        "SequenceScorer": "next_code",
        "TabularMLP": "tabular",
        "TemporalConvNet": "temporal",
        "TwoTowers": "next_code",
        "VariationalAutoencoder": "autoencoder",
    },
)
