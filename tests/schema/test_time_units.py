"""Numbers as times: units that are said, and those that numbers look like."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import SchemaError
from industry_apps.runtime.records import RecordReader
from industry_apps.schema import Column, Schema
from industry_apps.schema.time_units import TIME_UNITS, unit_of

MOMENTS = pd.date_range("2021-03-01", periods=40, freq="D").as_unit("s")


def numbers(unit: str) -> np.ndarray:
    if unit == "YYYYMMDD":
        return MOMENTS.strftime("%Y%m%d").astype(np.int64).to_numpy()
    if unit == "sheet":
        return (MOMENTS - pd.Timestamp("1899-12-30")).days.to_numpy().astype(np.int64)
    return MOMENTS.as_unit(unit).asi8


@pytest.mark.parametrize("unit", TIME_UNITS)
def test_numbers_in_a_unit_are_times(unit: str):
    column, given = Column("time", "datetime", unit=unit), numbers(unit)
    expected = MOMENTS.asi8.tolist()
    for values in (given, given.tolist(), [*map(int, given)], pd.Series(given).astype("Int64")):
        assert column.to_array(values).tolist() == expected
    assert column.to_array([*map(str, given)]).tolist() == expected  # as in a CSV file
    read = RecordReader(Schema((column,)))
    assert read({"time": int(given[0])})["time"].tolist() == [expected[:1]]
    missing = column.to_array([None, int(given[0])])
    assert missing[1] == expected[0]
    assert column.is_missing(missing).tolist() == [True, False]


@pytest.mark.parametrize("unit", TIME_UNITS)
def test_numbers_look_like_their_unit(unit: str):
    assert unit_of(numbers(unit)) == unit


def test_a_day_of_a_sheet_has_a_time():
    column = Column("time", "datetime", unit="sheet")
    assert column.to_array([44256.5, None])[0] == pd.Timestamp("2021-03-01 12:00").timestamp()


@pytest.mark.parametrize("given", [10**18, -(10**18), 253_402_300_800, "9" * 18, 1_614_556_800_000])
def test_no_year_beyond_9999_in_a_record_or_a_batch(given: object):
    column = Column("time", "datetime")
    read = RecordReader(Schema((column,)))
    for ask in (
        lambda: column.to_array([given]),
        lambda: column.to_array([given, None]),
        lambda: column.to_array(np.array([given])),
        lambda: read({"time": given}),
    ):
        with pytest.raises(SchemaError, match=r"'time', row 0: got .* of the years 1 to 9999"):
            ask()


def test_dates_that_are_none_are_refused():
    with pytest.raises(SchemaError, match="row 1: got 20210231"):
        Column("time", "datetime", unit="YYYYMMDD").to_array([20210228, 20210231])


def test_a_period_is_kept_by_records_and_batches():
    low, high = (int(pd.Timestamp(day).timestamp()) for day in ("2020-01-01", "2050-01-01"))
    column = Column("time", "datetime", low=low, high=high)
    read = RecordReader(Schema((column,)))
    for given in ("2019-12-31", "2050-01-02", low - 1, pd.Timestamp("2204-01-01")):
        for ask in (lambda value: column.to_array([value]), lambda value: read({"time": value})):
            with pytest.raises(SchemaError, match=r"a time from 2020-01-01T.* to 2050-01-01T"):
                ask(given)
    for given in ("2020-01-01", high, None, pd.Timestamp("2049-12-31")):
        assert read({"time": given})["time"][0].tolist() == column.to_array([given]).tolist()
