"""Columns that no schema names: Python's own numbers and dates."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pandas as pd
import pytest

from industry_apps.schema import Schema, infer_columns


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([Decimal("12.50"), None, Decimal(3)], "number"),
        ([Decimal("12.50"), 3, 2.5], "number"),
        ([date(2024, 2, 29), None, date(2024, 3, 1)], "datetime"),
        ([datetime(2024, 2, 29, tzinfo=UTC), None], "datetime"),
        (["12.50", None, "x"], "category"),
        ([True, None, False], "category"),
        ([None, None], "category"),
    ],
)
def test_objects_are_what_they_are(values, kind):
    frame = pd.DataFrame({"told": pd.Series(values, dtype=object)})
    (column,) = infer_columns(frame)
    assert column.kind == kind
    Schema((column,)).validate(frame)
