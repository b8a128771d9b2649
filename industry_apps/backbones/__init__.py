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
    "TabularMLP",
    "TemporalConvNet",
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
        "TabularMLP": "tabular",
        "TemporalConvNet": "temporal",
        "VariationalAutoencoder": "autoencoder",
    },
)
