"""One estimator on the sample, fitted and exported once for all tests."""

from __future__ import annotations

import pytest

from industry_apps.manufacturing import RemainingLifeEstimator
from industry_apps.runtime import Model


@pytest.fixture(scope="session")
def machines():
    return RemainingLifeEstimator.sample()


@pytest.fixture(scope="session")
def estimator(machines):
    return RemainingLifeEstimator.fast().fit(machines)


@pytest.fixture(scope="session")
def life_file(estimator, machines, tmp_path_factory):
    path = tmp_path_factory.mktemp("life") / "life.onnx"
    return Model(estimator.export(path, check=machines))
