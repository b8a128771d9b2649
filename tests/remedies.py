"""Errors and what they advise: each case does what was wrong, then what the error says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from industry_apps.errors import IndustryAppsError

#: What the error says of the remedy, what is wrong, and the same with the remedy.
Remedy = tuple[str, Callable[[], Any], Callable[[], Any]]


def each_remedy(cases: list[Remedy]) -> Any:
    """Parametrize a test by cases, under the words of each remedy."""
    names = ("says", "wrong", "mended")
    return pytest.mark.parametrize(names, cases, ids=[says for says, _, _ in cases])


def check_remedy(says: str, wrong: Callable[[], Any], mended: Callable[[], Any]) -> None:
    """The error names the remedy, and with it the same call ends well."""
    with pytest.raises(IndustryAppsError) as error:
        wrong()
    assert says in str(error.value)
    mended()
