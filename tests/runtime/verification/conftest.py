"""A small file of a verifier, and persons to enrol."""

from __future__ import annotations

from datetime import date

import pytest

from industry_apps.cybersecurity import FaceVerifier
from industry_apps.runtime import Model
from industry_apps.runtime.verification import Consent

TODAY = date(2026, 3, 1)


@pytest.fixture(scope="session")
def sample():
    return FaceVerifier.sample()


@pytest.fixture(scope="session")
def fitted(sample):
    return FaceVerifier.fast().fit(sample)


@pytest.fixture(scope="session")
def path(fitted, tmp_path_factory):
    return fitted.export(tmp_path_factory.mktemp("verifier") / "faces.onnx")


@pytest.fixture(scope="session")
def model(path):
    return Model(path)


@pytest.fixture(scope="session")
def people(sample, fitted):
    """Person -> samples of usual quality, of persons not learned from."""
    usual = fitted.predict(sample.test)["quality"].to_numpy() >= 1
    groups = sample.test[usual].groupby("person")["image"]
    return {name: [{"image": image} for image in images] for name, images in groups}


@pytest.fixture
def consent():
    return Consent(purpose="test", given=date(2026, 1, 1), keep_until=date(2026, 12, 31))
