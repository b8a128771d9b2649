"""Cybersecurity: whether somebody is who they say they are."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["FaceVerifier"]

__getattr__, __dir__ = lazy_names(__name__, {"FaceVerifier": "face_verification"})
