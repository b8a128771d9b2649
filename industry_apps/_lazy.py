"""Names that load their module on first use (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(
    package: str, table: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make ``__getattr__`` and ``__dir__`` of a package from a table of names.

    Parameters
    ----------
    package : str
        ``__name__`` of the package.
    table : mapping of str to str
        Public name -> submodule that defines it.

    Returns
    -------
    tuple of callables
        To be assigned to ``__getattr__`` and ``__dir__``.
    """

    def load(name: str) -> Any:
        if name not in table:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{table[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    def listing() -> list[str]:
        return sorted(table)

    return load, listing
