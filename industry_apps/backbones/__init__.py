"""Networks without domain words, loss or loop: tables, series, sequences, autoencoders."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "DenoisingAutoencoder",
    "FTTransformer",
    "FusionTransformer",
    "HierarchicalInterpolation",
    "HorizonNetwork",
    "MessagePassing",
    "NetworkSize",
    "NetworkSpec",
    "PatchTransformer",
    "ReconstructionError",
    "RecurrentWriter",
    "ReversibleInstanceNorm",
    "RisingQuantiles",
    "SequenceEncoder",
    "SequenceLikelihood",
    "SequenceScorer",
    "TabularMLP",
    "TemporalConvNet",
    "TextCNN",
    "TextTransformer",
    "TwoTowers",
    "VariationalAutoencoder",
    "build_forecaster",
]
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "DenoisingAutoencoder": "autoencoder",
        "FTTransformer": "tabular",
        "FusionTransformer": "forecasters",
        "HierarchicalInterpolation": "forecasters",
        "HorizonNetwork": "forecasters",
        "MessagePassing": "graph",
        "NetworkSize": "window_spec",
        "NetworkSpec": "window_spec",
        "PatchTransformer": "temporal",
        "ReconstructionError": "autoencoder",
        "RecurrentWriter": "recurrent",
        "ReversibleInstanceNorm": "temporal",
        "SequenceEncoder": "transformer",
        "SequenceLikelihood": "recurrent",
        "SequenceScorer": "next_code",
        "RisingQuantiles": "forecasters",
        "TabularMLP": "tabular",
        "TemporalConvNet": "temporal",
        "TextCNN": "text",
        "TextTransformer": "text",
        "TwoTowers": "next_code",
        "VariationalAutoencoder": "autoencoder",
        "build_forecaster": "forecasters",
    },
)
