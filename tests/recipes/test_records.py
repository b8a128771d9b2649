"""Records with and without a time, and columns under names of their owner."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import LeakageError, ParameterError, SchemaError
from industry_apps.recipes import Records
from industry_apps.recipes.column_mapping import under_names
from industry_apps.recipes.records import with_moments, without_clock
from industry_apps.schema import Column, Schema

SCHEMA = Schema((Column(name="amount", kind="number", low=0),))
FRAME = pd.DataFrame(
    {
        "amount": [1.0, 2.0, 3.0],
        "late": [True, False, True],
        "when": pd.to_datetime(["2024-01-01 10:00", "2024-01-03 00:00", "2024-01-02 23:59"]),
    }
)
TIMELESS = Records(schema=SCHEMA, target="late")
DATED = Records(schema=SCHEMA, target="late", time="when")


def test_records_without_a_time():
    rows = TIMELESS.labelled(FRAME)
    assert rows.target.tolist() == [True, False, True]
    assert rows.arrays["amount"].tolist() == [1, 2, 3]
    assert rows.weight is None
    assert TIMELESS.describe(FRAME) == {"rows": 3, "positives": 2}


def test_records_with_a_time():
    assert DATED.describe(FRAME) == {
        "rows": 3,
        "positives": 2,
        "first": "2024-01-01T10:00:00",
        "last": "2024-01-03T00:00:00",
    }
    assert np.diff(DATED.days(FRAME)).tolist() == [2, -1]


def test_later_records_are_told_from_those_of_training():
    learned = {"train": DATED.describe(FRAME)}
    later = FRAME.assign(when=FRAME["when"] + pd.Timedelta(days=10))
    DATED.check_later(later, learned, delay=0)
    DATED.check_later(later, learned, delay=7)
    with pytest.raises(LeakageError, match=r"'when'.*9 days later"):
        DATED.check_later(later, learned, delay=9)
    with pytest.raises(LeakageError, match="'when'"):
        DATED.check_later(FRAME, learned, delay=0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (FRAME.drop(columns="late"), "'late'.*is missing"),
        (FRAME.assign(late=[True, None, False]), "'late', row 1"),
        (FRAME.assign(late=["yes", "no", "perhaps"]), "'late', row"),
        (FRAME.assign(amount=[1, -2, 3]), "'amount', row 1: got .*-2"),
    ],
)
def test_wrong_records_are_named(wrong, message):
    with pytest.raises(SchemaError, match=message):
        TIMELESS.labelled(wrong)


OF_PATIENTS = Records(schema=SCHEMA, target="late", subject="patient")


def of(*patients):
    count = len(patients)
    frame = pd.DataFrame({"amount": np.ones(count), "late": [True] * count})
    return frame.assign(patient=list(patients))


def test_a_patient_is_the_same_whether_a_table_has_gaps_or_not():
    with pytest.raises(LeakageError, match="'patient'"):
        OF_PATIENTS.check_apart(OF_PATIENTS.subjects_apart(of(1, 2, 3)), of(1, 2, None))
    assert OF_PATIENTS.subjects(of(1, 2, None)).tolist() == ["1", "2", ""]


def test_each_unknown_patient_is_somebody_else():
    assert len(set(OF_PATIENTS.people(of(7, None, 7, None)))) == 3
    train, aside = OF_PATIENTS.split_off_subjects(of(*[None] * 10))
    assert (len(train), len(aside)) == (8, 2)
    assert OF_PATIENTS.subjects_apart(of("a"), FRAME) == {"a"}


def test_columns_under_names_of_their_owner():
    found = under_names(SCHEMA, {"amount": "AMT"}, "Scorer")
    assert found.names == ["AMT"]
    assert found["AMT"].low == 0
    assert under_names(SCHEMA, None, "Scorer") == SCHEMA
    with pytest.raises(ParameterError, match=r"'columns' parameter of Scorer.*mean 'amount'"):
        under_names(SCHEMA, {"amont": "AMT"}, "Scorer")
    twice = SCHEMA.extended([Column(name="income", kind="category")])
    with pytest.raises(SchemaError, match="'income' is declared twice"):
        under_names(twice, {"amount": "income"}, "Scorer")


def test_one_column_may_have_two_roles():
    who = Column("who", "category", role="identifier", required=False)
    sex = Column("sex", "category", protected=True)
    found = under_names(Schema((who, sex)), {"who": "sex"}, "Scorer")
    assert found.names == ["sex"]
    assert found["sex"].role == "feature"
    assert found["sex"].protected
    assert found["sex"].required
    limit = Column("limit", "number", low=-5, high=9, required=False)
    both = under_names(SCHEMA.extended([limit]), {"amount": "limit"}, "Scorer")
    assert both.names == ["limit"]
    assert (both["limit"].low, both["limit"].high, both["limit"].required) == (0, 9, True)
    with pytest.raises(SchemaError, match="'amount' is declared twice"):  # no label is a feature
        under_names(SCHEMA.extended([Column.label("late")]), {"late": "amount"}, "Scorer")


def test_moments_of_any_form_are_datetimes():
    texts = FRAME.assign(when=FRAME["when"].astype(str))
    pd.testing.assert_series_equal(with_moments(texts, "when")["when"], FRAME["when"])
    assert not without_clock(FRAME["when"])
    assert without_clock(FRAME["when"].dt.normalize())
