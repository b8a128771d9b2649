"""Checks of the parameters of a class: what lies outside its limits is refused by ``fit``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from industry_apps.errors import ParameterError
from industry_apps.limits import Limit, is_number, limits_of
from industry_apps.testing.assertions import assert_that
from industry_apps.testing.trial import Trial

_INF = math.inf
#: Sent as any parameter that does not say that it may be so.
_VALUES = (
    *(None, True, False, "", "nonsense", b"bytes", (), [0], {"a": 0}, 1j),
    *(-1, 0, 1, -0.5, 1.5, 2**70, -(2**70), math.nan, _INF, -_INF),
)
_NUMBER = re.compile(r"an? (?P<finite>finite )?(?P<kind>int|number)\b")
_BETWEEN = re.compile(r"in (?P<open>[\[(])(?P<low>\S+), (?P<high>\S+?)(?P<close>[\])])")
_ABOVE = re.compile(r"(?P<sign>>=?) (?P<low>-?[\d.]+)")


def bad_parameters_are_refused(trial: Trial) -> None:
    """``fit`` raises ParameterError, with its name, for a parameter that makes no sense."""
    names = [field.name for field in fields(trial.application_class)]
    wrong = [found for name in names if (found := _sent(trial, name, _Nonsense()))]
    assert_that(not wrong, f"Nonsense as a parameter, no ParameterError: {'; '.join(wrong)}.")


def limits_are_kept(trial: Trial) -> None:
    """``fit`` refuses what a limit refuses, and a limit lets through what its words say."""
    wrong: list[str] = []
    for name, limit in limits_of(trial.application_class).items():
        allowed = _by_words(limit)
        values = [*_VALUES, *_at_the_edge(limit.words)]
        for value in values:
            if allowed is not None and limit.holds(value) != allowed(value):
                verb = "takes" if limit.holds(value) else "refuses"
                wrong.append(f"{name}={value!r} (its limit, {limit.words!r}, {verb} it)")
            elif not limit.holds(value) and (found := _sent(trial, name, value)):
                wrong.append(f"{name}={value!r}, which is not {limit.words}: {found}")
    assert_that(not wrong, f"Limits that are not kept: {'; '.join(wrong)}")


def _sent(trial: Trial, name: str, value: object) -> str:
    """What is wrong with how ``fit`` took a value that it has to refuse."""
    application = trial.application_class.fast().set_params(**{name: value})
    try:
        application.fit(trial.data)
    except ParameterError as error:
        return "" if repr(name) in str(error) else f"{name} (not named in: {error})"
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        return f"{name} ({type(error).__name__}: {error})"
    return f"{name} (accepted)"


def _by_words(limit: Limit) -> Callable[[Any], bool] | None:
    """The limit of a number, as its words say it; None where they say another thing."""
    if not (told := _NUMBER.match(limit.words)):
        return None
    whole, optional = told["kind"] == "int", limit.words.endswith("or None")

    def allowed(value: Any) -> bool:
        if value is None:
            return optional
        if not is_number(value) or (whole and not isinstance(value, int)):
            return False
        largest = 2**63 if whole else _INF
        return abs(value) < largest and _inside(limit.words, value)

    return allowed


def _inside(words: str, value: float) -> bool:
    if found := _BETWEEN.search(words):
        low, high = float(found["low"]), float(found["high"])
        above = value >= low if found["open"] == "[" else value > low
        return above and (value <= high if found["close"] == "]" else value < high)
    if found := _ABOVE.search(words):
        low = float(found["low"])
        return value >= low if found["sign"] == ">=" else value > low
    return True


def _at_the_edge(words: str) -> list[Any]:
    """Numbers at the ends that words name, and beyond them."""
    if not _NUMBER.match(words):
        return []
    found, after = _BETWEEN.search(words), _ABOVE.search(words)
    ends = [found["low"], found["high"]] if found else [after["low"]] if after else []
    whole = " int" in words
    edges = [int(end) if whole else float(end) for end in ends]
    step = 1 if whole else 1e-9
    return [value for edge in edges for value in (edge - step, edge, edge + step)]


class _Nonsense:
    """Of no type that a parameter may have."""

    def __repr__(self) -> str:
        return "nonsense"


CHECKS = (bad_parameters_are_refused, limits_are_kept)
