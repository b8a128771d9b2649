"""The tables of applications: literal names, nothing imported to list them."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from industry_apps.errors import unknown_name

#: Name -> "module:Class". Packages of yours add to it by the entry point group of this name.
APPLICATIONS: dict[str, str] = {
    "finance.algorithmic_trading": "industry_apps.finance.algorithmic_trading:TradingStrategy",
    "finance.credit_scoring": "industry_apps.finance.credit_scoring:CreditScorer",
    "finance.fraud_detection": "industry_apps.finance.fraud_detection:FraudDetector",
    "healthcare.drug_discovery": "industry_apps.healthcare.drug_discovery:PropertyPredictor",
    "healthcare.image_segmentation": "industry_apps.healthcare.image_segmentation:ImagingSegmenter",
    "healthcare.medical_imaging": "industry_apps.healthcare.medical_imaging:ImagingClassifier",
    "healthcare.molecule_generation": (
        "industry_apps.healthcare.molecule_generation:MoleculeGenerator"
    ),
    "healthcare.predictive_analytics": (
        "industry_apps.healthcare.predictive_analytics:OutcomePredictor"
    ),
    "healthcare.survival": "industry_apps.healthcare.survival:SurvivalPredictor",
    "retail.demand_forecasting": "industry_apps.retail.demand_forecasting:DemandForecaster",
    "retail.recommendation": "industry_apps.retail.recommendation:Recommender",
    "retail.sentiment": "industry_apps.retail.sentiment:SentimentAnalyzer",
}

#: Name -> the question that it answers, in the words of whoever asks; fits a line of a terminal.
QUESTIONS: dict[str, str] = {
    "finance.algorithmic_trading": "Which stocks should I hold tomorrow?",
    "finance.credit_scoring": "Will this applicant pay back?",
    "finance.fraud_detection": "Is this transaction or claim fraudulent?",
    "healthcare.drug_discovery": "What will this molecule do in a test?",
    "healthcare.image_segmentation": "Where in this image is the lesion or defect?",
    "healthcare.medical_imaging": "What does this image show, and where?",
    "healthcare.molecule_generation": "Which new molecules are like these?",
    "healthcare.predictive_analytics": "Will this patient be back within 30 days?",
    "healthcare.survival": "How long until an event for this patient?",
    "retail.demand_forecasting": "How much of each product will we sell?",
    "retail.recommendation": "What will this customer take next?",
    "retail.sentiment": "Is this text positive, and what says so?",
}

ENTRY_POINT_GROUP = "industry_apps.applications"


def applications() -> dict[str, str]:
    """All applications by name, those of installed plug-ins included.

    Examples
    --------
    >>> applications()["finance.fraud_detection"]
    'industry_apps.finance.fraud_detection:FraudDetector'
    """
    plugged = {point.name: point.value for point in entry_points(group=ENTRY_POINT_GROUP)}
    return dict(sorted({**plugged, **APPLICATIONS}.items()))


def application(name: str) -> type:
    """Import the class of an application.

    Raises
    ------
    UnknownNameError
        Names the nearest and all.
    """
    known = applications()
    if name not in known:
        raise unknown_name("application", name, known)
    module, _, attribute = known[name].partition(":")
    found: type = getattr(import_module(module), attribute)
    return found
