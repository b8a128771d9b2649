"""Cybersecurity: threats among addresses and flows, and whether somebody is who they claim."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "AllowList",
    "DomainThreatDetector",
    "ExecutableClassifier",
    "ExecutableFeatures",
    "FaceVerifier",
    "FalseAlarms",
    "FingerprintVerifier",
    "FlowState",
    "FollowedThreshold",
    "NetworkAnomalyDetector",
    "UrlThreatDetector",
    "VoiceVerifier",
    "read_suricata",
    "read_zeek",
    "rejoined",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "AllowList": "threats",
        "DomainThreatDetector": "domain_threats",
        "ExecutableClassifier": "executable_files",
        "ExecutableFeatures": "executable_files",
        "FaceVerifier": "face_verification",
        "FalseAlarms": "threats",
        "FingerprintVerifier": "fingerprint_verification",
        "FlowState": "network_anomaly",
        "FollowedThreshold": "network_anomaly",
        "NetworkAnomalyDetector": "network_anomaly",
        "UrlThreatDetector": "url_threats",
        "VoiceVerifier": "voice_verification",
        "read_suricata": "flows.suricata",
        "read_zeek": "flows.zeek",
        "rejoined": "flows.rejoined",
    },
)
