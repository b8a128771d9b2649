"""Options of a training that is over soon: one epoch, and a few rounds of trees."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from industry_apps.application import Application
from industry_apps.recipes.trees import TreeOptions
from industry_apps.training import TrainingOptions

_ROUNDS = 10


def light(application: Application) -> Application:
    """Limit training to one epoch and trees to a few rounds, wherever options say so.

    Parameters
    ----------
    application : Application
        It is changed, and returned.
    """
    for name, hint in bare_hints(type(application)).items():
        value = getattr(application, name)
        if value is None and hint in (TrainingOptions, TreeOptions):
            value = hint()
        if is_dataclass(value):
            application.set_params(**{name: _light(value)})
    return application


def _light(options: Any) -> Any:
    if isinstance(options, TrainingOptions):
        return replace(
            options, max_epochs=1, least_steps=0, patience=1, progress=False, precision="float32"
        )
    if isinstance(options, TreeOptions):
        return replace(options, rounds=min(options.rounds, _ROUNDS), bags=1)
    inner = {field.name: getattr(options, field.name) for field in fields(options)}
    return replace(options, **{k: _light(v) for k, v in inner.items() if is_dataclass(v)})


def bare_hints(kind: type) -> dict[str, Any]:
    """Parameter -> its type, without its limit and without None.

    Parameters
    ----------
    kind : type
        A dataclass.
    """
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: _bare(hints[field.name]) for field in fields(kind)}


def _bare(hint: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _bare(arguments[0])
    if origin in (Union, UnionType):
        told = [each for each in arguments if each is not NoneType]
        return _bare(told[0]) if len(told) == 1 else hint
    return hint
