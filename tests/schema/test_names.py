"""Names that are not meant are refused, and those that no column has are passed over."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import SchemaError
from industry_apps.schema import Column, Schema
from industry_apps.schema.names import Names

OPTIONAL = Schema(
    tuple(
        Column(name=name, kind="number", required=False)
        for name in ("debt ratio", "history", "balance_1", "age")
    )
)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Debt_Ratio", "debt ratio"),
        ("DEBT-RATIO", "debt ratio"),
        ("debtratio", "debt ratio"),
        ("histroy", "history"),
        ("hstory", "history"),
        ("histories", None),
        ("historyy", "history"),
        ("Balance 1", "balance_1"),
        ("balance_2", None),  # another column of the kind, not a slip
        ("balance_12", None),
        ("aeg", "age"),
        ("ago", None),  # of short names most differ by a letter only
        ("customer", None),
    ],
)
def test_a_name_that_all_but_equals_an_absent_column_is_refused(
    name: str, meant: str | None
) -> None:
    names = Names(OPTIONAL)
    have = [*[each for each in OPTIONAL.names if each != meant][:3], name]
    if meant is None:
        names.check([*have, "anything"])
        return
    with pytest.raises(SchemaError, match=f"Column '{name}' is not known.*mean '{meant}'"):
        names.check(have)
    names.check([*OPTIONAL.names, name])  # the column is there: this is another


def test_what_holds_no_column_is_refused_unless_that_is_answered() -> None:
    for have in ([], ["a;b"], ["1", "2"], [3, None]):
        with pytest.raises(SchemaError, match=r"None of the columns is known.*'debt ratio'"):
            Names(OPTIONAL, answers_empty=bool(have)).check(have)
    Names(OPTIONAL, answers_empty=True).check([])
    with pytest.raises(SchemaError, match="mean 'history'"):
        Names(OPTIONAL, answers_empty=True).check(["histroy"])


def test_a_column_that_never_lacked_a_value_is_required_as_trained() -> None:
    full = pd.DataFrame({"debt ratio": [1.0, 2], "history": [1.0, None], "age": [1, 2]})
    later = pd.DataFrame({"debt ratio": [1.0, 2], "history": [1.0, 2], "age": [1, np.nan]})
    required = {c.name for c in OPTIONAL.as_trained(full) if c.required}
    assert required == {"debt ratio", "age"}
    assert {c.name for c in OPTIONAL.as_trained(full, later) if c.required} == {"debt ratio"}
    assert OPTIONAL.as_trained(full.head(0)) == OPTIONAL
    text = Schema((Column(name="word", kind="category", required=False),))
    assert text.as_trained(pd.DataFrame({"word": ["a", ""]})) == text
