"""Cybersecurity: attacks among the flows of a network."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "NetworkAnomalyDetector",
    "read_suricata",
    "read_zeek",
    "rejoined",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "NetworkAnomalyDetector": "network_anomaly",
        "read_suricata": "flows.suricata",
        "read_zeek": "flows.zeek",
        "rejoined": "flows.rejoined",
    },
)
