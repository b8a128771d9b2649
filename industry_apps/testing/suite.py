"""The suite: named checks of one application class, and their results."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any, Literal

from industry_apps.application import Application
from industry_apps.errors import UnlikeTrainingWarning
from industry_apps.testing import (
    answers,
    columns,
    copies,
    learning,
    limits,
    parameters,
    raw_columns,
    series,
    structure,
)
from industry_apps.testing.series_trial import SeriesTrial
from industry_apps.testing.trial import Trial
from industry_apps.testing.variants import variant_checks

Status = Literal["passed", "failed", "expected failure"]

#: A check and its name.
Named = tuple[str, Callable[[], None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What came of one check.

    Parameters
    ----------
    check : str
        Its name.
    status : {"passed", "failed", "expected failure"}
    reason : str
        Why it failed, or why that was expected; empty when it passed.
    seconds : float
        What it took; the first check that needs the fitted application waits for the fit.
    """

    check: str
    status: Status
    reason: str
    seconds: float


def yield_checks(
    application_class: type[Application],
) -> Iterator[Named]:
    """Yield the checks that an application has to pass, parity first.

    An application that answers windows of series is asked with long tables, and some checks
    are then others. All checks of one call share one fitted application and one exported
    file, made when the first check needs them.

    Parameters
    ----------
    application_class : type of Application
        It is fitted as ``application_class.fast()`` on ``application_class.sample()``.

    Yields
    ------
    name : str
        Name of the check, as in ``known_failures``; of the parity of a model or precision other
        than that of ``fast()``, such as ``"export_parity[model=network]"``.
    check : callable
        Takes nothing; raises AssertionError, or whatever the application raised.

    Examples
    --------
    >>> from industry_apps.finance import FraudDetector
    >>> next(name for name, check in yield_checks(FraudDetector))
    'export_parity'
    """
    for name, check in _checks_of(application_class):
        yield name, partial(_asked_oddly, check)


def _checks_of(application_class: type[Application]) -> Iterator[Named]:
    traits = application_class.traits
    trial: Trial
    if traits.windows:
        trial = of_series = SeriesTrial(application_class)
        yield from _named(series.CHECKS, of_series)
        yield from variant_checks(application_class, trial, series.export_parity)
        chosen = [*answers.CHECKS]
    else:
        trial = Trial(application_class)
        yield from _named(answers.OF_RECORDS, trial)
        yield from variant_checks(application_class, trial, answers.export_parity)
        chosen = [*answers.CHECKS, *limits.OF_RECORDS]
        if application_class.problem.classes:
            chosen.append(limits.single_class_is_refused)
    chosen += [*learning.CHECKS, *structure.CHECKS, *parameters.CHECKS, *limits.CHECKS]
    chosen += [*columns.CHECKS, *raw_columns.CHECKS, *copies.CHECKS]
    if traits.streaming:
        chosen += [learning.stream_equals_batch, *raw_columns.OF_STREAMS]
    if traits.explains:
        chosen += [answers.explains_each_column, answers.reasons_are_explained]
    yield from _named(chosen, trial)
    for name, check in structure.scikit_learn_checks(application_class):
        yield name, partial(check, trial)


def _named(checks: Iterable[Callable[[Any], None]], trial: Trial) -> Iterator[Named]:
    for check in checks:
        yield check.__name__, partial(check, trial)


def _asked_oddly(check: Callable[[], None]) -> None:
    """Run a check, whose tables need not be like those of training."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnlikeTrainingWarning)
        check()


def check_application(
    application_class: type[Application], *, raise_failures: bool = True
) -> list[CheckResult]:
    """Check all that makes a class an application; it takes some fits of ``fast()``.

    Parameters
    ----------
    application_class : type of Application
        Its ``known_failures`` ({name of a check: reason}) are expected to fail, and one
        that does not is a failure.
    raise_failures : bool
        Raise when a check failed; else only say so in the results.

    Returns
    -------
    list of CheckResult
        In the order of the checks.

    Raises
    ------
    AssertionError
        Names all checks that failed, with their reasons.

    Examples
    --------
    >>> from industry_apps.finance import FraudDetector
    >>> results = check_application(FraudDetector)  # doctest: +SKIP
    """
    known = dict(application_class.known_failures)
    results = [
        _result(name, check, known.pop(name, "")) for name, check in yield_checks(application_class)
    ]
    results += [
        CheckResult(
            check=name,
            status="failed",
            reason="known_failures names it, and there is no such check. Remove it there.",
            seconds=0.0,
        )
        for name in known
    ]
    failed = [f"  {found.check}: {found.reason}" for found in results if found.status == "failed"]
    if failed and raise_failures:
        raise AssertionError(
            f"{application_class.__name__} fails {len(failed)} of {len(results)} checks:\n"
            + "\n".join(failed)
        )
    return results


def _result(name: str, check: Callable[[], None], expected: str) -> CheckResult:
    start = perf_counter()
    status: Status = "passed"
    reason = ""
    try:
        check()
    except Exception as error:  # noqa: BLE001 - whatever a check meets is its result
        status, reason = "failed", f"{type(error).__name__}: {error}"
        if isinstance(error, AssertionError):
            reason = str(error)
    if expected and status == "failed":
        status, reason = "expected failure", expected
    elif expected:
        status = "failed"
        reason = f"It passes, and was expected to fail ({expected}). Remove it from known_failures."
    return CheckResult(check=name, status=status, reason=reason, seconds=perf_counter() - start)
