"""The library stockpyl and its instances, where there are both."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def path() -> str:
    mirrors = os.environ["INDUSTRY_APPS_DATA"].split(os.pathsep)
    found = [
        Path(each) / "manufacturing_stockpyl_inventory" / "stockpyl_instances.json"
        for each in mirrors
    ]
    return str(next(each for each in found if each.exists()))


@pytest.fixture(scope="module")
def instances(path):
    found = json.loads(Path(path).read_text())["instances"]
    return {each["name"]: each["data"] for each in found}


@pytest.fixture
def oracle():
    def module(name):
        reason = "stockpyl is not installed"
        return pytest.importorskip(f"stockpyl.{name}", reason=reason)

    return module
