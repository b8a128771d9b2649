"""Train the models that travel with the package, and write files, cards and index anew.

``make zoo`` builds all of them; named as arguments, only some. Data come from the cache, a mirror
or their address, as everywhere.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from industry_apps.export import publish
from industry_apps.registry import application
from industry_apps.workflow.parameters import configured, settings_for
from industry_apps.workflow.runs import data_of, run

ZOO = Path(__file__).resolve().parents[2] / "onnx_models"

#: Built with the parameters of a fit of seconds, since the file is to stay small.
SMALL = ("healthcare.image_segmentation",)
#: Name in the zoo -> data, and parameters that are not the defaults. Not in it is what would be
#: taken for more than it is: no verifier of persons but of simulated data, since no model of faces,
#: voices or fingers of people is published, whatever a licence says; and no classifier of
#: executable files, since there are no harmful ones to learn from.
MODELS: dict[str, tuple[str, dict[str, str]]] = {
    "cybersecurity.domain_threats": ("sample", {}),
    "cybersecurity.network_anomaly": ("sample", {}),
    "cybersecurity.url_threats": ("sample", {}),
    "energy.dispatch_proxy": ("sample", {}),
    "energy.fault_detection": ("sample", {}),
    "energy.line_faults": ("energy_line_fault_simulator", {}),
    "energy.load_forecasting": ("energy_load_simulator", {"model": "periodic", "baselines": "[]"}),
    "energy.solar_forecasting": ("energy_solar_pvdaq50", {}),
    "energy.wind_forecasting": ("sample", {}),
    "finance.credit_scoring": ("finance_taiwan_default", {}),
    "finance.credit_scoring.scorecard": ("finance_german_credit", {"model": "scorecard"}),
    "finance.fraud_detection": ("finance_card_simulator", {}),
    "healthcare.drug_discovery": ("sample", {"model": "trees"}),
    "healthcare.image_segmentation": ("sample", {}),
    "healthcare.medical_imaging": ("pneumoniamnist", {}),
    "healthcare.molecule_generation": ("sample", {"units": "128"}),
    "healthcare.predictive_analytics": ("health_diabetes130", {}),
    "healthcare.survival": ("health_support2", {"model": "trees"}),
    "manufacturing.failure_alarm": ("sample", {"model": "trees"}),
    "manufacturing.machine_life": ("sample", {}),
    "manufacturing.predictive_maintenance": ("manufacturing_cmapss_fd001", {}),
    "retail.demand_forecasting": ("sample", {}),
    "retail.recommendation": ("sample", {"model": "ease"}),
    "retail.sentiment": ("sample", {}),
}


def build(name: str) -> Path:
    """Train one model and publish it."""
    source, settings = MODELS[name]
    known, variant = ".".join(name.split(".")[:2]), ".".join(name.split(".")[2:])
    author = configured(
        application(known), {**settings_for(source), **settings}, fast=name in SMALL
    )
    with tempfile.TemporaryDirectory() as folder:
        done = run(author, data_of(author, source), Path(folder) / "model.onnx")
        return publish(done.path, ZOO, variant=variant)


if __name__ == "__main__":
    for each in sys.argv[1:] or MODELS:
        print(f"{each}: {build(each)}", flush=True)
