"""Exempt domains: what they cover, until when, and what cannot be exempt."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pandas as pd
import pytest

from industry_apps.errors import SchemaError
from industry_apps.runtime.addresses.allowed import AllowList

DAY = date(2027, 1, 31)


@pytest.mark.parametrize(
    ("address", "covered"),
    [
        ("http://example.com/login", True),
        ("HTTPS://WWW.Mail.Example.com:443", True),
        ("example.com", True),
        ("notexample.com", False),
        ("example.com.evil.test", False),
        ("http://example.com@evil.test/", False),
        ("http://evil.test/example.com", False),
        ("me.github.io/a", True),
        ("you.github.io", False),
        ("http://127.0.0.1/", False),
        ("", False),
        (None, False),
    ],
)
def test_what_is_covered(address, covered):
    allowed = AllowList({"Example.com": "2027-02-01", "me.github.io": date(2028, 1, 1)})
    assert allowed.covers([address], DAY).tolist() == [covered]


def test_leave_ends_on_its_day():
    allowed = AllowList({"example.com": DAY})
    assert not allowed.covers(["example.com"], DAY).any()
    assert allowed.expired(DAY) == ["example.com"]
    assert allowed.expired(date(2027, 1, 30)) == []


@pytest.mark.parametrize(
    ("until", "message"),
    [
        ({"com": DAY}, "'com' is one below which anybody can get a name"),
        ({"github.io": DAY}, "such as 'known.github.io'"),
        ({"a b": DAY}, "The allowed domain 'a b'"),
        ({"10.0.0.1": DAY}, "The allowed domain '10.0.0.1'"),
        ({"example.com": "31.01.2027"}, "ends on '31.01.2027'; expected a day"),
        ({"example.com": None}, "ends on None"),
        ({"example.com": pd.NaT}, "ends on NaT"),
        ({"example.com": DAY, "www.Example.com": "2030-01-01"}, "'www.Example.com' are one"),
    ],
)
def test_what_cannot_be_exempt(until, message):
    with pytest.raises(SchemaError, match=message):
        AllowList(until)


def test_moments_are_days():
    allowed = AllowList({"example.com": pd.Timestamp("2027-02-01")})
    late = datetime(2027, 1, 31, 23, 30, tzinfo=timezone(timedelta(hours=-2)))  # the next by UTC
    for on, covered in (
        (datetime(2027, 1, 31, 23, 30), True),
        ("2027-01-31", True),
        (pd.Timestamp("2027-02-01"), False),
        (late, False),
    ):
        assert allowed.covers(["example.com"], on).tolist() == [covered]
        assert bool(allowed.expired(on)) != covered
    with pytest.raises(SchemaError, match="The day to ask for is 'today'; expected a day"):
        allowed.covers(["example.com"], "today")


def test_one_address_is_no_list():
    with pytest.raises(SchemaError, match=r"Got one address, .*Put it into a list"):
        AllowList({"example.com": DAY}).covers("http://example.com", DAY)


def test_a_file_as_spreadsheets_and_editors_leave_it(tmp_path):
    path = tmp_path / "allowed.csv"
    path.write_text("domain,until\n\nexample.com,2028-01-01\n\n", encoding="utf-8-sig")
    assert AllowList.read(path).covers(["example.com"], DAY).all()


def test_files_are_read_or_refused_by_line(tmp_path):
    path = tmp_path / "allowed.csv"
    path.write_text("domain,until\nexample.com,2027-02-01\n", encoding="utf-8")
    assert AllowList.read(path).covers(["example.com"], DAY).all()
    path.write_text("domain,until\nexample.com,2027-02-01\nexample.com,2028-01-01\n")
    with pytest.raises(SchemaError, match="line 3: got"):
        AllowList.read(path)
    path.write_text("host,until\n")
    with pytest.raises(SchemaError, match=r"expected \['domain', 'until'\]"):
        AllowList.read(path)
