"""The error of plans that cannot be: it names what stands in their way."""

from __future__ import annotations

from industry_apps.errors import ParameterError


class InfeasiblePlanError(ParameterError):
    """No plan keeps all constraints; the message names those that bind, and by how much."""
