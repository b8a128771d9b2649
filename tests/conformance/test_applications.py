"""Every registered application passes every check of the suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from industry_apps.registry import APPLICATIONS, application
from industry_apps.testing import yield_checks
from industry_apps.testing.trial import Trial


def cases() -> Iterator[object]:
    for name in APPLICATIONS:
        kind = application(name)
        for check_name, check in yield_checks(kind):
            reason = kind.known_failures.get(check_name)
            marks = [pytest.mark.xdist_group(name)]  # one fit, shared by all checks
            if reason:
                marks.append(pytest.mark.xfail(reason=reason, strict=True))
            yield pytest.param(check, id=f"{name}:{check_name}", marks=marks)


@pytest.fixture(scope="module")
def trials() -> list[Trial]:
    """The trials in use: one, as the checks of an application follow one another."""
    return []


@pytest.mark.parametrize("check", list(cases()))
def test_application(check, trials):
    trial = next(each for each in check.args[0].args if isinstance(each, Trial))
    for other in trials:
        if other is not trial:
            other.forget()
    trials[:] = [trial]
    check()
