"""What a forecast of the output of a plant answers."""

from __future__ import annotations

from dataclasses import replace

from industry_apps.schema import Column, Schema

LEVELS = (0.1, 0.5, 0.9)


def outputs_of(power: Column, bases: tuple[str, ...]) -> Schema:
    """The answers: mean, quantiles, and what they are based on.

    Parameters
    ----------
    power : Column
    bases : tuple of str
        Names of the views.
    """
    told = replace(power, nullable=False, role="feature", required=True)
    names = (f"{power.name}_p{round(100 * level)}" for level in LEVELS)
    return Schema(
        (
            replace(told, description="Expected output"),
            *(
                replace(told, name=name, description=f"Not exceeded in {level:.0%} of cases")
                for name, level in zip(names, LEVELS, strict=True)
            ),
            Column(
                "basis",
                "category",
                "What the answer is based on",
                categories=bases,
                nullable=False,
            ),
        )
    )
