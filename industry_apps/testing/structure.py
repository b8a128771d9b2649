"""Checks of the class: its parameters, its limits, its documentation."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from functools import partial

from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import estimator_checks_generator

from industry_apps.application import Application
from industry_apps.errors import ParameterError
from industry_apps.testing.assertions import assert_that
from industry_apps.testing.trial import Trial

#: Checks of scikit-learn that ask nothing of the data: the others send nameless arrays.
SCIKIT_LEARN = (
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_estimators_unfitted",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
)


def parameters_are_explicit(trial: Trial) -> None:
    """``__init__`` takes keyword-only parameters with immutable defaults, and stores them."""
    application_class = trial.application_class
    made = application_class()
    for name, parameter in _parameters(application_class).items():
        assert_that(
            parameter.kind is inspect.Parameter.KEYWORD_ONLY
            and parameter.default is not inspect.Parameter.empty,
            f"The parameter {name!r} is not keyword-only, or has no default.",
        )
        assert_that(_is_immutable(parameter.default), f"The default of {name!r} can be changed.")
        assert_that(
            getattr(made, name, made) is parameter.default, f"{name!r} is not stored as given."
        )


def fit_keeps_parameters(trial: Trial) -> None:
    """``fit`` changes no parameter; what it learns ends in an underscore."""
    fresh, fitted = trial.application_class.fast(), trial.fitted
    names = set(_parameters(trial.application_class))
    for name in names:
        assert_that(
            getattr(fitted, name) == getattr(fresh, name), f"fit has changed the parameter {name!r}"
        )
    learned = {name for name in vars(fitted) if not name.startswith("_")} - names
    odd = sorted(name for name in learned if not name.endswith("_"))
    assert_that(not odd, f"Learned attributes that do not end in an underscore: {odd}.")


def unknown_precision_is_refused(trial: Trial) -> None:
    """``export`` raises ParameterError for a precision that the class does not declare."""
    path = trial.path.with_name("refused.onnx")
    try:
        trial.fitted.export(path, precision="nonsense")
    except ParameterError:
        assert_that(not path.exists(), "A file was written all the same.")
    else:
        raise AssertionError("The precision 'nonsense' was accepted.")


def asks_to_be_fitted(trial: Trial) -> None:
    """``predict``, ``evaluate`` and ``export`` before ``fit`` raise NotFittedError."""
    assert_unfitted(trial.application_class.fast(), trial, "Before fit")


def is_documented(trial: Trial) -> None:
    """The docstring of the class describes every parameter and has an example."""
    text = inspect.getdoc(trial.application_class) or ""
    assert_that(
        re.search(r"^Examples\n-+\n(.*\n)*?>>> ", text, re.MULTILINE) is not None,
        "The docstring of the class has no section 'Examples' with '>>>'.",
    )
    described = set(re.findall(r"\w+", " ".join(re.findall(r"^(\S.*) : ", text, re.MULTILINE))))
    described |= set(re.findall(r"^\w+$", text, re.MULTILINE))
    absent = sorted(set(_parameters(trial.application_class)) - described)
    assert_that(not absent, f"The docstring of the class does not describe {absent}.")


def scikit_learn_checks(
    application_class: type[Application],
) -> Iterator[tuple[str, Callable[[Trial], None]]]:
    """Yield those checks of scikit-learn that hold for estimators of frames, by name."""
    found = estimator_checks_generator(application_class.fast(), legacy=True)
    for estimator, check in found:
        name = getattr(check, "func", check).__name__
        if name in SCIKIT_LEARN:
            yield name.replace("check_", "scikit_learn_", 1), partial(_ask, check, estimator)


def assert_unfitted(application: Application, trial: Trial, when: str) -> None:
    """All that needs a fitted application raises NotFittedError, and writes nothing."""
    path = trial.path.with_name("unfitted.onnx")
    records = trial.data.test
    verbs: dict[str, Callable[[], object]] = {
        "predict": lambda: application.predict(records),
        "evaluate": lambda: application.evaluate(records),
        "export": lambda: application.export(path),
    }
    for name, verb in verbs.items():
        try:
            verb()
        except NotFittedError:
            continue
        except AttributeError as error:
            raise AssertionError(f"{when}, {name} raised {error!r}, no NotFittedError.") from error
        raise AssertionError(f"{when}, {name} raised nothing.")
    assert_that(not path.exists(), f"{when}, export wrote a file all the same.")


def _ask(check: Callable[[object], None], estimator: object, trial: Trial) -> None:
    del trial
    check(estimator)


def _parameters(application_class: type[Application]) -> dict[str, inspect.Parameter]:
    found = dict(inspect.signature(application_class.__init__).parameters)
    del found["self"]
    return found


def _is_immutable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


CHECKS = (
    parameters_are_explicit,
    fit_keeps_parameters,
    unknown_precision_is_refused,
    asks_to_be_fitted,
    is_documented,
)
