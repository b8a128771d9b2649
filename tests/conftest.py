"""What tests of several folders share."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("tests", deadline=None, max_examples=40)
settings.load_profile("tests")
