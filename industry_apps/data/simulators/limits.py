"""The least that parameters of simulators may be."""

from __future__ import annotations

from collections.abc import Mapping

from industry_apps.errors import ParameterError


def check_at_least(limits: Mapping[str, tuple[float, float]]) -> None:
    """Refuse values that are too small.

    Parameters
    ----------
    limits : mapping of str to (float, float)
        Name of a parameter -> its value, and the least that it may be.

    Raises
    ------
    ParameterError
    """
    for name, (value, low) in limits.items():
        if not value >= low:
            raise ParameterError(f"{name} must be at least {low}, got {value}.")
