"""Healthcare: drug discovery, molecule generation, predictive analytics, survival."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["MoleculeGenerator", "OutcomePredictor", "PropertyPredictor", "SurvivalPredictor"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "MoleculeGenerator": "molecule_generation",
        "OutcomePredictor": "predictive_analytics",
        "PropertyPredictor": "drug_discovery",
        "SurvivalPredictor": "survival",
    },
)
