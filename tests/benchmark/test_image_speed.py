"""Speed of int8 images: what is measured, and what is said where it cannot be."""

from __future__ import annotations

import sys

import pytest

from industry_apps.benchmark import image_speed
from industry_apps.benchmark.record import timings
from industry_apps.errors import ParityError
from industry_apps.finance import FraudDetector
from industry_apps.healthcare import ImagingClassifier


@pytest.fixture(scope="module")
def fitted():
    return ImagingClassifier.fast().fit(ImagingClassifier.sample())


def test_int8_is_timed_beside_torch(fitted, monkeypatch):
    monkeypatch.delenv(image_speed.OPENVINO_PYTHON, raising=False)
    rows = ImagingClassifier.sample().test
    found = timings(image_speed.of_images(fitted, rows))["speed"]
    assert found["int8_vs_torch"] > 0
    assert "names no Python" in found["openvino_int8_vs_torch"]


def test_a_python_without_openvino_says_so(fitted, monkeypatch):
    monkeypatch.setenv(image_speed.OPENVINO_PYTHON, sys.executable)
    rows = ImagingClassifier.sample().test
    found = timings(image_speed.of_images(fitted, rows))["speed"]
    assert str(found["openvino_int8_vs_torch"]).startswith("not measured: ")


def test_a_file_that_loses_too_much_is_not_timed(fitted, monkeypatch):
    def refused(*_args: object, **_options: object) -> None:
        raise ParityError("too much")

    monkeypatch.setattr(type(fitted), "export", refused)
    (measure,) = image_speed.of_images(fitted, ImagingClassifier.sample().test)
    assert measure.value == "not exported: too much"


def test_applications_without_images_have_nothing_to_compare():
    assert image_speed.of_images(FraudDetector(), FraudDetector.sample().test) == []
