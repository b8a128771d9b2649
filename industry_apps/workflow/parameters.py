"""An application from parameters that somebody typed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from industry_apps.application import Application
from industry_apps.data import card, catalogue
from industry_apps.errors import ParameterError, unknown_name

#: Stands for "this alternative does not fit".
_NO = object()


def configured(
    kind: type[Application], settings: Mapping[str, str], *, fast: bool = False
) -> Application:
    """Make an application with some of its parameters given as text.

    Parameters
    ----------
    kind : type
        The class of the application.
    settings : mapping of str to str
        Constructor parameter -> value: a string, or JSON (``5``, ``true``, ``null``,
        ``["a"]``, ``{"a": "b"}``); of a list also its values with commas (``a,b``). A dot leads
        into the options of a parameter that holds options, as in ``trees.rounds``.
    fast : bool
        Start from ``kind.fast()``, the parameters of a fit of seconds.

    Raises
    ------
    UnknownNameError
        There is no such parameter; names the nearest and all.
    ParameterError
        The value is of another type than the parameter.

    Examples
    --------
    >>> from industry_apps.finance import FraudDetector
    >>> detector = configured(FraudDetector, {"seed": "3", "trees.rounds": "50"})
    >>> detector.seed, detector.trees.rounds
    (3, 50)
    """
    model = kind.fast() if fast else kind()
    hints = get_type_hints(kind)
    for setting, text in settings.items():
        name, _, inner = setting.partition(".")
        present = model.get_params(deep=False)
        if name not in present:
            raise unknown_name(f"parameter of {kind.__name__}", name, present)
        if inner:
            options = present[name] or kind.defaults.get(name)
            value = _with_option(hints[name], options, setting, text)
        else:
            value = parsed(hints[name], name, text)
        model.set_params(**{name: value})
    return model


def as_trained(
    kind: type[Application], facts: Mapping[str, Any], columns: Mapping[str, str]
) -> Application:
    """Make an application with the parameters that a model file was trained with.

    Its tables are then read, and split, as they were in training.

    Parameters
    ----------
    kind : type
        The class of the application.
    facts : mapping
        The metadata of the file.
    columns : mapping of str to str
        Names of the class -> names in the table at hand, where these are others.

    Raises
    ------
    ParameterError
    """
    usual = kind().get_params(deep=False)
    given = facts.get("parameters", {}).items()
    stored = {name: value for name, value in given if value != usual.get(name, value)}
    if columns:
        stored["columns"] = {**(stored.get("columns") or {}), **columns}
    texts = {n: v if isinstance(v, str) else json.dumps(v) for n, v in stored.items()}
    return configured(kind, texts)


def settings_for(source: str) -> dict[str, str]:
    """The parameters that a data set needs, by its card; none for a table of one's own.

    Parameters
    ----------
    source : str
        As for :func:`industry_apps.workflow.runs.data_of`.

    Examples
    --------
    >>> settings_for("retail_movielens_100k")["ordered"]
    'false'
    """
    return dict(card(source).settings) if source in catalogue() else {}


def missed_cost_of(kind: type[Application]) -> str:
    """The parameter that says what a missed case costs; each domain names the case.

    Examples
    --------
    >>> from industry_apps.finance import FraudDetector
    >>> missed_cost_of(FraudDetector)
    'missed_fraud_cost'
    """
    names = kind().get_params(deep=False)
    return next((n for n in names if n.startswith("missed") and n.endswith("cost")), "missed_cost")


def pairs_of(texts: Iterable[str], form: str) -> dict[str, str]:
    """Split texts at the first equals sign.

    Parameters
    ----------
    texts : iterable of str
    form : str
        What was expected, for the error.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> pairs_of(["seed=3", "columns={}"], "--set NAME=VALUE")
    {'seed': '3', 'columns': '{}'}
    """
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise ParameterError(f"Got {text!r}, expected {form}.")
        found[name] = value
    return found


def parsed(hint: Any, name: str, text: str) -> Any:
    """Read the text of a value as the type that a parameter declares.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> parsed(float | None, "alerts_per_day", "50")
    50.0
    """
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    alternatives = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    for alternative in alternatives:
        found = _fitting(alternative, value, text)
        if found is not _NO:
            return found
    wanted = " or ".join(map(_in_words, alternatives))
    raise ParameterError(f"The {name!r} parameter must be {wanted}. Got {text!r} instead.")


def _with_option(hint: Any, present: Any, setting: str, text: str) -> Any:
    """Options with one of them replaced; made anew where there are none so far."""
    name, _, inner = setting.partition(".")
    kind = next((each for each in (hint, *get_args(hint)) if is_dataclass(each)), None)
    if not isinstance(kind, type):
        raise ParameterError(f"The {name!r} parameter has no options, so {setting!r} is unknown.")
    hints = get_type_hints(kind)
    known = [field.name for field in fields(kind)]
    if inner not in known:
        raise unknown_name(f"option of {name!r}", inner, known)
    return replace(present or kind(), **{inner: parsed(hints[inner], setting, text)})


def _fitting(kind: Any, value: Any, text: str) -> Any:
    """The value as this type has it, or ``_NO``."""
    origin = get_origin(kind) or kind
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    found: Any = _NO
    if origin is Literal:
        found = text if text in get_args(kind) else _NO
    elif origin is NoneType:
        found = None if value is None else _NO
    elif origin is float:
        found = float(value) if is_number else _NO
    elif origin is int:
        found = value if is_number and isinstance(value, int) else _NO
    elif origin is str:
        found = text
    elif origin is tuple:
        found = _listed(kind, value, text)
    elif isinstance(origin, type) and isinstance(value, origin):  # bool, Mapping
        found = value
    return found


def _listed(kind: Any, value: Any, text: str) -> Any:
    """A tuple of what JSON or a text with commas lists."""
    if isinstance(value, list):
        return tuple(value)
    inner = (*get_args(kind), str)[0]
    if get_origin(inner) is tuple or isinstance(value, Mapping | bool | NoneType):
        return _NO
    each = [part.strip() for part in text.split(",") if part.strip()]
    if inner is str:
        return tuple(each)
    kinds = get_args(inner) if get_origin(inner) in (Union, UnionType) else (inner,)
    found = tuple(_first_fitting(kinds, part) for part in each)
    return _NO if _NO in found else found


def _first_fitting(kinds: tuple[Any, ...], text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    fitting = (_fitting(kind, value, text) for kind in kinds)
    return next((found for found in fitting if found is not _NO), _NO)


def _in_words(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return f"one of {get_args(kind)}"
    if get_origin(kind) is tuple:
        return "a list, with commas or in JSON"
    if kind is NoneType:
        return "null"
    return str(getattr(kind, "__name__", kind))
