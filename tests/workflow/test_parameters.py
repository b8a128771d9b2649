"""Parameters that somebody typed: lists with commas, and what is none."""

from __future__ import annotations

import pytest

from industry_apps.errors import ParameterError
from industry_apps.finance import CreditScorer
from industry_apps.healthcare import SurvivalPredictor
from industry_apps.workflow.parameters import configured


@pytest.mark.parametrize(
    ("kind", "setting", "text", "value"),
    [
        (CreditScorer, "ignore", "a,b", ("a", "b")),
        (CreditScorer, "ignore", "a, b ,", ("a", "b")),
        (CreditScorer, "ignore", "a", ("a",)),
        (CreditScorer, "ignore", "7", ("7",)),  # the name of a column
        (CreditScorer, "ignore", '["a,b"]', ("a,b",)),
        (CreditScorer, "ignore", "", ()),
        (CreditScorer, "missing", "?,-9", ("?", "-9")),
        (CreditScorer, "missing", '{"income": [-9]}', {"income": [-9]}),
        (CreditScorer, "positive", "2", "2"),
        (SurvivalPredictor, "horizons", "90,365.5", (90.0, 365.5)),
        (SurvivalPredictor, "horizons", "365", (365.0,)),
    ],
)
def test_lists_are_typed_with_commas_or_in_json(kind, setting, text, value):
    assert getattr(configured(kind, {setting: text}), setting) == value


@pytest.mark.parametrize(
    ("kind", "setting", "text"),
    [
        (SurvivalPredictor, "horizons", "soon,365"),
        (CreditScorer, "ratios", "a,b"),  # pairs
        (CreditScorer, "ignore", '{"a": 1}'),
    ],
)
def test_what_is_no_such_list_is_named(kind, setting, text):
    with pytest.raises(ParameterError, match=f"{setting!r} parameter must be a list, with commas"):
        configured(kind, {setting: text})
