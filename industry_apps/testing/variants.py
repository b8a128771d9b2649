"""Every model and every precision that a class offers, each exported and compared.

A parameter whose type is a ``Literal`` chooses a model, and so does one of the options of a
parameter (``options.network``). Each of its values is trained for one epoch or a few rounds on a
part of the sample: what is learned does not matter here, only that the file answers alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass, replace
from functools import partial
from typing import Any, Literal, cast, get_args, get_origin

from industry_apps.application import Application
from industry_apps.data.datasets import Dataset
from industry_apps.errors import ParameterError, SchemaError
from industry_apps.runtime.model import Model
from industry_apps.testing.answers import arrays_of
from industry_apps.testing.assertions import assert_outputs, assert_that
from industry_apps.testing.light import bare_hints, light
from industry_apps.testing.trial import PARTS, Trial
from industry_apps.training import TrainingOptions
from industry_apps.workflow.runs import prepared

Parity = Callable[[Any], None]


def variants_of(application_class: type[Application]) -> dict[str, dict[str, Any]]:
    """Find the values of ``Literal`` parameters that ``fast()`` does not have.

    Parameters
    ----------
    application_class : type of Application

    Returns
    -------
    dict of str to dict
        ``"model=network"`` -> the parameter that it sets.
    """
    usual = application_class.fast()
    found: dict[str, dict[str, Any]] = {}
    for name, hint in bare_hints(application_class).items():
        given = getattr(usual, name)
        for value in _literals(hint):
            if value != given:
                found[f"{name}={value}"] = {name: value}
        if not isinstance(hint, type) or not is_dataclass(hint) or hint is TrainingOptions:
            continue  # how a network is trained is no other model
        options = hint() if given is None else given
        for inner, inner_hint in bare_hints(hint).items():
            for value in _literals(inner_hint):
                if value != getattr(options, inner):
                    found[f"{name}.{inner}={value}"] = {name: replace(options, **{inner: value})}
    return found


def variant_checks(
    application_class: type[Application], trial: Trial, parity: Parity
) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield one check for each variant, and one for each further precision.

    Parameters
    ----------
    application_class : type of Application
    trial : Trial
        Whose sample is taken, and whose trained model is exported in further precisions.
    parity : callable
        The check of a trial that compares trained model and file.
    """
    for name, parameters in variants_of(application_class).items():
        yield f"export_parity[{name}]", partial(_variant, trial, parameters, parity)
    for precision in application_class.traits.precisions:
        if precision != "float32":
            yield f"export_parity[precision={precision}]", partial(_precision, trial, precision)


def _variant(trial: Trial, parameters: Mapping[str, Any], parity: Parity) -> None:
    """The file of a variant answers as the variant does."""

    def made() -> Application:
        return light(trial.application_class.fast().set_params(**parameters))

    data = cast(Dataset, prepared(made(), trial.part))
    asked = type(trial)(trial.application_class, data, made)
    try:
        fitted = asked.fitted
    except SchemaError as error:
        if repr(trial.data.target) not in str(error):
            raise
        # It answers classes where the target of the sample is a number: those above the median.
        asked = type(trial)(trial.application_class, _halved(data), made)
        fitted = asked.fitted
    for name, value in parameters.items():
        assert_that(
            is_dataclass(value) or getattr(fitted, name) == value,
            f"Trained with {name}={value!r}, it says {getattr(fitted, name)!r}.",
        )
    parity(asked)


def _precision(trial: Trial, precision: str) -> None:
    """The file in another precision says so and loses no more than it states, or is refused."""
    fitted, test = trial.fitted, trial.data.test
    path = trial.path.with_name(f"{precision}.onnx")
    try:
        fitted.export(path, precision=precision, check=trial.data)
    except ParameterError as error:
        # onnxruntime has kernels of some precisions for some machines only.
        told = precision in str(error) and "machine" in str(error) and not path.exists()
        assert_that(told, f"The declared precision {precision!r} was refused: {error}")
        return
    model = Model(path)
    stated = model.metadata.get("precision", "float32")
    assert_that(stated == precision, f"Exported in {precision}, the file says {stated}.")
    answer = model.predict(test)
    assert_outputs(fitted.outputs_, answer, f"File in {precision}")
    loss = fitted._exportable(precision).loss
    if loss is None:
        certified = fitted.parity_.holds
        assert_that(certified, f"In {precision} the file answers otherwise: {fitted.parity_}.")
    else:
        loss.state(test, arrays_of(fitted.predict(test)), arrays_of(answer), precision)


def _halved(data: Dataset) -> Dataset:
    """A data set whose target says which values of it lie above the median."""
    middle = data.train[data.target].median()
    parts: dict[str, Any] = {
        name: getattr(data, name).assign(
            **{data.target: (getattr(data, name)[data.target] > middle).astype(object)}
        )
        for name in PARTS
    }
    return replace(data, **parts)


def _literals(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) is Literal else ()
