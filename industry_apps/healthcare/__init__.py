"""Healthcare: drug discovery, molecule generation."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["MoleculeGenerator", "PropertyPredictor"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "MoleculeGenerator": "molecule_generation",
        "PropertyPredictor": "drug_discovery",
    },
)
