"""Cybersecurity: threats among addresses and flows, and whether somebody is who they say they are."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["DomainThreatDetector", "FaceVerifier", "FalseAlarms", "UrlThreatDetector"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "DomainThreatDetector": "domain_threats",
        "FaceVerifier": "face_verification",
        "FalseAlarms": "threats",
        "UrlThreatDetector": "url_threats",
    },
)
