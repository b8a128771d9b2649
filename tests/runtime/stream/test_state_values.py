"""One value means the same to a state, in a record and in a table; a refused one leaves it."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import SchemaError
from industry_apps.runtime import TransactionState
from industry_apps.schema.images import one_by_one
from industry_apps.testing.raw_values import Liar, Raises

GOOD: dict[str, Any] = {
    "customer": "Z\u00fcrich",
    "terminal": "T",
    "time": "2024-03-01 10:00",
    "amount": 2.5,
    "is_fraud": False,
}


@pytest.fixture
def state() -> TransactionState:
    made = TransactionState()
    made.update(GOOD)
    return made


def outcome(take: Any) -> Any:
    try:
        return take()
    except SchemaError as error:
        return str(error)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("customer", "Zu\u0308rich", 2.0),  # the composed one came before
        ("customer", "\ud800", "valid Unicode"),
        ("customer", Liar, "expected a string"),
        ("time", np.datetime64("20000-01-01"), "expected a time"),
        ("time", partial(Raises, "__getattribute__"), "expected a"),
        ("amount", [2.5], "expected a number"),
        ("amount", np.array([2.5]), "expected a number"),
        ("is_fraud", "", "expected a boolean"),
        ("is_fraud", [], "expected a boolean"),
        ("is_fraud", partial(Raises, "__bool__"), "expected a boolean"),
    ],
)
def test_update_is_enrich_of_one_row(
    state: TransactionState, name: str, value: Any, expected: Any
) -> None:
    value = value() if callable(value) else value
    before, other = copy.deepcopy(state), copy.deepcopy(state)
    record = {**GOOD, name: value}
    frame = pd.DataFrame({k: pd.Series(one_by_one([v]), dtype=object) for k, v in record.items()})
    streamed = outcome(lambda: state.update(record)["customer_count_1d"])
    told = outcome(lambda: float(other.enrich(frame)["customer_count_1d"].iloc[0]))
    for found in (streamed, told):
        if isinstance(expected, str):
            assert expected in found
            assert repr(name) in found
        else:
            assert found == expected
    later = {**GOOD, "time": "2024-03-02 09:00"}
    assert state.size == other.size
    if isinstance(expected, str):
        assert state.update(later) == other.update(later) == before.update(later)
