"""Errors and what they advise: done, it ends well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from industry_apps.errors import IndustryAppsError


def check_remedy(says: str, wrong: Callable[[], Any], mended: Callable[[], Any]) -> None:
    """What is wrong raises an error that names the remedy, and what it says ends well.

    Parameters
    ----------
    says : str
        What the error says of the remedy.
    wrong, mended : callable
        The same without and with the remedy.
    """
    with pytest.raises(IndustryAppsError) as error:
        wrong()
    assert says in str(error.value)
    mended()
