"""The table of applications: literal names, nothing imported to list them."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from industry_apps.errors import unknown_name

#: Name -> "module:Class". Packages of yours add to it by the entry point group of this name.
APPLICATIONS: dict[str, str] = {
    "cybersecurity.domain_threats": (
        "industry_apps.cybersecurity.domain_threats:DomainThreatDetector"
    ),
    "cybersecurity.executable_files": (
        "industry_apps.cybersecurity.executable_files:ExecutableClassifier"
    ),
    "cybersecurity.face_verification": (
        "industry_apps.cybersecurity.face_verification:FaceVerifier"
    ),
    "cybersecurity.fingerprint_verification": (
        "industry_apps.cybersecurity.fingerprint_verification:FingerprintVerifier"
    ),
    "cybersecurity.network_anomaly": (
        "industry_apps.cybersecurity.network_anomaly:NetworkAnomalyDetector"
    ),
    "cybersecurity.url_threats": "industry_apps.cybersecurity.url_threats:UrlThreatDetector",
    "cybersecurity.voice_verification": (
        "industry_apps.cybersecurity.voice_verification:VoiceVerifier"
    ),
    "energy.dispatch_proxy": "industry_apps.energy.dispatch_proxy:DispatchProxy",
    "energy.fault_detection": "industry_apps.energy.fault_detection:PlantFaultDetector",
    "energy.line_faults": "industry_apps.energy.line_faults:LineFaultLocator",
    "energy.load_forecasting": "industry_apps.energy.load_forecasting:LoadForecaster",
    "energy.solar_forecasting": "industry_apps.energy.solar_forecasting:SolarForecaster",
    "energy.wind_forecasting": "industry_apps.energy.wind_forecasting:WindForecaster",
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
    "manufacturing.defect_detection": "industry_apps.manufacturing.defect_detection:DefectDetector",
    "manufacturing.failure_alarm": "industry_apps.manufacturing.failure_alarm:FailureAlarm",
    "manufacturing.machine_life": "industry_apps.manufacturing.machine_life:MachineLifePredictor",
    "manufacturing.predictive_maintenance": (
        "industry_apps.manufacturing.predictive_maintenance:RemainingLifeEstimator"
    ),
    "manufacturing.supply_chain": "industry_apps.manufacturing.supply_chain:InventoryPlanner",
    "retail.demand_forecasting": "industry_apps.retail.demand_forecasting:DemandForecaster",
    "retail.recommendation": "industry_apps.retail.recommendation:Recommender",
    "retail.sentiment": "industry_apps.retail.sentiment:SentimentAnalyzer",
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
