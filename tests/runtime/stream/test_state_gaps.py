"""A transaction whose date lies too far behind the others."""

from __future__ import annotations

import pandas as pd
import pytest

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.runtime.stream.state import TransactionState


def one_at(time: str) -> dict[str, object]:
    return {"customer": "C", "terminal": "T", "time": time, "amount": 1.0}


def test_a_transaction_of_another_century_is_refused_and_leaves_no_trace():
    state, other = TransactionState(), TransactionState()
    for each in (state, other):
        each.update(one_at("2024-03-01 10:00"))
    match = r"row 0: got 2204-.*more than 730 days behind .*2024-03-01T.*'longest_gap' .* 65743"
    with pytest.raises(SchemaError, match=match):
        state.update(one_at("2204-03-01 10:00"))
    table = pd.DataFrame([one_at("2024-03-02"), one_at("2204-03-01"), one_at("2024-03-03")])
    with pytest.raises(SchemaError, match=r"row 1: got 2204-03-01T.* 2024-03-03T"):
        state.enrich(table)
    assert state.size == other.size
    for time in ("2024-03-01 11:00", "2024-03-04"):
        assert state.update(one_at(time)) == other.update(one_at(time))
    state.longest_gap = 65_743
    assert state.update(one_at("2204-03-01 10:00"))["customer_count_1d"] == 1


def test_a_first_table_is_judged_by_itself():
    state = TransactionState()
    with pytest.raises(SchemaError, match="row 0: got 2204"):
        state.enrich(pd.DataFrame([one_at("2204-03-01"), one_at("2024-03-02")]))
    assert state.update(one_at("2024-03-02"))["customer_count_1d"] == 1


def test_a_longer_gap_can_be_declared():
    state = TransactionState(longest_gap=65_744)
    assert state.settings["longest_gap"] == 65_744
    state.update(one_at("2024-03-01 10:00"))
    assert state.update(one_at("2204-03-01 10:00"))["customer_count_1d"] == 1
    with pytest.raises(ParameterError, match="'longest_gap' parameter"):
        TransactionState(longest_gap=0)


def test_settings_of_an_old_file_have_the_usual_gap():
    old = {k: v for k, v in TransactionState().settings.items() if k != "longest_gap"}
    assert TransactionState(**old).longest_gap == 730
