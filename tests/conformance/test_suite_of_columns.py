"""The checks of columns that are not what their names say find what they are there for."""

from __future__ import annotations

import pytest

from industry_apps.runtime.watch import Watch
from industry_apps.schema.names import Names
from industry_apps.testing import yield_checks
from tests.conformance.parcel_delay import ParcelDelay


@pytest.fixture(scope="module")
def checks():
    from industry_apps.finance import CreditScorer

    return dict(yield_checks(CreditScorer))  # which share a fit


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ("columns_under_other_names_are_missed", "'years_in_job' under another name: neither"),
        ("columns_coded_anew_are_named", "'amount' beyond all of training: neither refused nor"),
        ("exchanged_columns_are_named", "'amount' and 'duration' exchanged: neither refused nor"),
    ],
)
def test_a_file_that_does_not_warn_is_found(checks, monkeypatch, check, message):
    monkeypatch.setattr(Watch, "warn", lambda self: None)
    with pytest.raises(AssertionError, match=message):
        checks[check]()


def test_a_file_that_passes_over_slips_is_found(checks, monkeypatch):
    monkeypatch.setattr(Names, "check", lambda self, names: None)
    with pytest.raises(AssertionError, match=r"'years_in_job' renamed '.*': expected an error"):
        checks["misspelt_columns_are_named"]()


class ForgetsWhatItSaw(ParcelDelay):
    def _facts(self):
        return {**super()._facts(), "seen": {}}


def test_a_file_that_knows_no_level_is_found():
    with pytest.raises(AssertionError, match="'carrier' with other levels: neither refused nor"):
        dict(yield_checks(ForgetsWhatItSaw))["columns_coded_anew_are_named"]()
