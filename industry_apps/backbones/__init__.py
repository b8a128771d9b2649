"""Networks without domain words, loss or loop: tables, series, sequences, autoencoders."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "ConvNet",
    "DenoisingAutoencoder",
    "FTTransformer",
    "FusionTransformer",
    "HierarchicalInterpolation",
    "HorizonNetwork",
    "NetworkSize",
    "NetworkSpec",
    "PatchTransformer",
    "ReconstructionError",
    "ReversibleInstanceNorm",
    "RisingQuantiles",
    "SequenceEncoder",
    "SequenceScorer",
    "TabularMLP",
    "TemporalConvNet",
    "TextCNN",
    "TextTransformer",
    "TwoTowers",
    "VariationalAutoencoder",
    "build_forecaster",
    "convnet",
]
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "ConvNet": "convolutional",
        "DenoisingAutoencoder": "autoencoder",
        "FTTransformer": "tabular",
        "FusionTransformer": "forecasters",
        "HierarchicalInterpolation": "forecasters",
        "HorizonNetwork": "forecasters",
        "NetworkSize": "window_spec",
        "NetworkSpec": "window_spec",
        "PatchTransformer": "temporal",
        "ReconstructionError": "autoencoder",
        "ReversibleInstanceNorm": "temporal",
        "SequenceEncoder": "transformer",
        "SequenceScorer": "next_code",
        "RisingQuantiles": "forecasters",
        "TabularMLP": "tabular",
        "TemporalConvNet": "temporal",
        "TextCNN": "text",
        "TextTransformer": "text",
        "TwoTowers": "next_code",
        "VariationalAutoencoder": "autoencoder",
        "build_forecaster": "forecasters",
        "convnet": "convolutional",
    },
)
