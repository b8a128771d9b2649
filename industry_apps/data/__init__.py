"""Data sets by name: cards, verified files, leak-proof splits, simulators."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "Card",
    "Dataset",
    "Split",
    "card",
    "card_transactions",
    "catalogue",
    "check_leakage",
    "fetch",
    "load",
    "read_images",
    "read_table",
    "sample",
    "split_by_group",
    "split_by_time",
    "split_last_out",
    "split_latest",
    "split_off_latest",
    "split_official",
    "split_random",
    "split_resampled",
    "split_scaffolds",
    "verify",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Card": "cards",
        "Dataset": "datasets",
        "Split": "splits",
        "card": "cards",
        "card_transactions": "simulators",
        "catalogue": "cards",
        "check_leakage": "leakage",
        "fetch": "files",
        "load": "datasets",
        "read_images": "images",
        "read_table": "tables",
        "sample": "datasets",
        "split_by_group": "splits",
        "split_by_time": "splits",
        "split_last_out": "orders",
        "split_latest": "splits",
        "split_off_latest": "splits",
        "split_official": "splits",
        "split_random": "splits",
        "split_resampled": "resampling",
        "split_scaffolds": "scaffolds",
        "verify": "files",
    },
)
