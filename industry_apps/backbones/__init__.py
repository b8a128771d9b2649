"""Networks without domain words, loss or loop: tables and autoencoders."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "DenoisingAutoencoder",
    "FTTransformer",
    "ReconstructionError",
    "TabularMLP",
    "VariationalAutoencoder",
]
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "DenoisingAutoencoder": "autoencoder",
        "FTTransformer": "tabular",
        "ReconstructionError": "autoencoder",
        "TabularMLP": "tabular",
        "VariationalAutoencoder": "autoencoder",
    },
)
