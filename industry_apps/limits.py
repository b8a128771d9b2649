"""Limits of parameters as data: what a value must satisfy, and the same in words.

A parameter is said once, where it is declared: ``days: Annotated[int, integer(1, 365)] = 7``.
Its type alone is a limit where nothing more is to be said: a ``Literal`` is one of its names, a
class an instance of it, ``| None`` lets it be left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import numpy as np

from industry_apps.errors import ParameterError


class Limit(NamedTuple):
    """What a parameter may be.

    Parameters
    ----------
    holds : callable
        Value -> whether it may be.
    words : str
        Completes "must be ...".
    """

    holds: Callable[[Any], bool]
    words: str

    def or_none(self) -> Limit:
        """The same limit, for a parameter that may be left out."""
        return Limit(lambda value: value is None or self.holds(value), f"{self.words}, or None")


def is_number(value: object) -> bool:
    """Tell a number from a truth value, which Python takes for one."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def plain(value: Any) -> Any:
    """A number of numpy as one of Python; anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def integer(low: int, high: int = 2**63 - 1) -> Limit:
    """A whole number in [low, high]."""
    words = f"an int >= {low}" if high == 2**63 - 1 else f"an int in [{low}, {high}]"
    return Limit(
        lambda value: isinstance(value, int) and is_number(value) and low <= value <= high, words
    )


def one_of(values: tuple[str, ...]) -> Limit:
    """One of some names."""
    return Limit(lambda value: isinstance(value, str) and value in values, f"one of {values}")


def instance(kind: type) -> Limit:
    """An object of a class."""
    return Limit(lambda value: isinstance(value, kind), f"a {kind.__name__}")


POSITIVE = Limit(lambda v: is_number(v) and 0 < v < math.inf, "a finite number > 0")
NOT_NEGATIVE = Limit(lambda v: is_number(v) and 0 <= v < math.inf, "a finite number >= 0")
SHARE = Limit(lambda v: is_number(v) and 0 < v <= 1, "a number in (0, 1]")
OPEN_SHARE = Limit(lambda v: is_number(v) and 0 < v < 1, "a number in (0, 1)")
DROPOUT = Limit(lambda v: is_number(v) and 0 <= v < 1, "a number in [0, 1)")
BOOLEAN = Limit(lambda v: isinstance(v, bool), "True or False")
TEXT = Limit(lambda v: isinstance(v, str), "a text")
NAMES = Limit(
    lambda v: isinstance(v, tuple | list) and all(isinstance(each, str) for each in v),
    "a tuple of names",
)
PAIRS = Limit(
    lambda v: (
        isinstance(v, tuple | list) and all(NAMES.holds(each) and len(each) == 2 for each in v)
    ),
    "a tuple of pairs of names",
)
NAME_MAP = Limit(
    lambda v: (
        isinstance(v, Mapping) and all(isinstance(each, str) for pair in v.items() for each in pair)
    ),
    "a mapping of names to names",
)
RISING_TIMES = Limit(
    lambda v: (
        isinstance(v, tuple | list) and all(map(POSITIVE.holds, v)) and list(v) == sorted(set(v))
    ),
    "a tuple of rising numbers > 0",
)
#: What it costs to miss each class.
CLASS_COSTS = Limit(
    lambda v: isinstance(v, Mapping) and all(is_number(c) and c > 0 for c in v.values()),
    "a mapping of classes to numbers > 0",
)
DIRECTIONS = Limit(
    lambda v: (
        isinstance(v, Mapping)
        and all(isinstance(name, str) and sign in (-1, 1) for name, sign in v.items())
    ),
    "a mapping of names to 1 or -1",
)


#: Types that are a limit by themselves.
_OF_TYPES: Mapping[Any, Limit] = MappingProxyType(
    {
        bool: BOOLEAN,
        int: Limit(lambda v: is_number(v) and isinstance(v, int), "an int"),
        float: Limit(lambda v: is_number(v) and math.isfinite(v), "a finite number"),
        str: TEXT,
        tuple[str, ...]: NAMES,
        tuple[tuple[str, str], ...]: PAIRS,
        Mapping[str, str]: NAME_MAP,
    }
)


def some_of(values: tuple[str, ...]) -> Limit:
    """Some of a few names, or none."""
    return Limit(
        lambda v: NAMES.holds(v) and set(v) <= set(values),
        f"a tuple of names among {values}",
    )


@cache
def limits_of(kind: type) -> Mapping[str, Limit]:
    """The limits of the fields of a dataclass, by their annotations.

    Parameters
    ----------
    kind : type
        A dataclass; each field has a type that is a limit, or is ``Annotated`` with one.

    Raises
    ------
    TypeError
        An annotation says no limit.
    """
    hints = get_type_hints(kind, include_extras=True)
    return MappingProxyType(
        {field.name: _limit_of(hints[field.name], field.name) for field in fields(kind)}
    )


def _limit_of(hint: Any, name: str) -> Limit:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return next(each for each in arguments if isinstance(each, Limit))
    if origin in (Union, UnionType) and NoneType in arguments:
        (inner,) = (each for each in arguments if each is not NoneType)
        return _limit_of(inner, name).or_none()
    if hint in _OF_TYPES:
        return _OF_TYPES[hint]
    if origin is Literal:
        return one_of(arguments)
    if origin is tuple and get_origin(arguments[0]) is Literal:
        return some_of(get_args(arguments[0]))
    if isinstance(hint, type) and origin is None:
        return instance(hint)
    raise TypeError(f"The annotation of {name!r} says no limit: {hint}.")


def check_parameters(owner: object) -> None:
    """Check all fields of an instance of a dataclass against their annotations.

    Raises
    ------
    ParameterError
        Names the parameter, its owner, what is allowed, and what was given.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Trees:
    ...     rounds: Annotated[int, integer(1)] = 100
    >>> check_parameters(Trees(rounds=0))
    Traceback (most recent call last):
        ...
    industry_apps.errors.ParameterError: The 'rounds' parameter of Trees must be an int >= 1. Got
    0 instead.
    """
    check_limits(owner, limits_of(type(owner)))  # type: ignore[arg-type]


def check_limits(owner: object, limits: Mapping[str, Limit]) -> None:
    """Check the parameters of an object, in the order of their limits.

    Parameters
    ----------
    owner : object
        Has the parameters as attributes.
    limits : mapping of str to Limit

    Raises
    ------
    ParameterError
        Names the parameter, its owner, what is allowed, and what was given.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> check_limits(SimpleNamespace(rounds=0), {"rounds": integer(1)})
    Traceback (most recent call last):
        ...
    industry_apps.errors.ParameterError: The 'rounds' parameter of SimpleNamespace must be an
    int >= 1. Got 0 instead.
    """
    for name, limit in limits.items():
        value = getattr(owner, name)
        if not limit.holds(value):
            raise wrong_parameter(type(owner).__name__, name, limit.words, value)


def wrong_parameter(owner: str, name: str, words: str, value: object) -> ParameterError:
    """Word the error for one parameter."""
    return ParameterError(
        f"The {name!r} parameter of {owner} must be {words}. Got {value!r} instead."
    )
