"""The checks of raw columns and of spellings find the mistakes that they are there for."""

from __future__ import annotations

import pytest

from industry_apps.finance import FraudDetector
from industry_apps.runtime import TransactionState
from industry_apps.testing import yield_checks
from tests.conformance.parcel_delay import ParcelDelay


class ReadsWhatIsNoNumber(ParcelDelay):
    def _answers(self, frame):
        weight = frame["weight"].map(lambda value: value if type(value) is float else None)
        return super()._answers(frame.assign(weight=weight))


class KnowsOneSpelling(ParcelDelay):
    _slow = property(lambda self: [self.slow])


class TrimsTooMuch(ParcelDelay):
    _slow = property(lambda self: [*super()._slow, f"{self.slow}?"])


MISTAKES = [
    (ReadsWhatIsNoNumber, "raw_values_are_right_or_refused", "^weight, .*'wrong'"),
    (KnowsOneSpelling, "spellings_are_levels_or_unseen", "carrier: .*'slow', the level it spells"),
    (TrimsTooMuch, "spellings_are_levels_or_unseen", r"carrier: 'slow\?' and a level never seen"),
]


@pytest.mark.parametrize(
    ("kind", "name", "message"), MISTAKES, ids=[f"{kind.__name__}" for kind, *_ in MISTAKES]
)
def test_a_mistake_is_found(kind, name, message):
    with pytest.raises(AssertionError, match=message):
        dict(yield_checks(kind))[name]()


def test_a_state_that_takes_in_what_a_table_does_not_is_found(monkeypatch):
    monkeypatch.setattr(TransactionState, "_positive", lambda self, value: int(value is True))
    with pytest.raises(AssertionError, match=r"is_fraud, .* form='update', verdict='wrong'"):
        dict(yield_checks(FraudDetector))["refused_values_leave_the_state"]()
