"""The benchmark: its record, its ratios, its table."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from industry_apps.application import Application
from industry_apps.benchmark import (
    benchmark_all,
    configured,
    data_of,
    machine,
    pairs,
    record,
    resources,
    section,
    speed,
    write_results,
)
from industry_apps.benchmark.machine import peak_memory_mb
from industry_apps.benchmark.parameters import parsed
from industry_apps.benchmark.runs import Run, run
from industry_apps.benchmark.speed import Measure
from industry_apps.errors import ParameterError, UnknownNameError
from industry_apps.finance import FraudDetector
