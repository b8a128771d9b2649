"""Names that load their module on first use (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from industry_apps.errors import MissingExtraError


def lazy_names(
    package: str, table: Mapping[str, str], extra: str = "train"
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make ``__getattr__`` and ``__dir__`` of a package from a table of names.

    Parameters
    ----------
    package : str
        ``__name__`` of the package.
    table : mapping of str to str
        Public name -> submodule that defines it.
    extra : str
        The extra of this package that has what the submodules need.

    Returns
    -------
    tuple of callables
        To be assigned to ``__getattr__`` and ``__dir__``.
    """

    def load(name: str) -> Any:
        if name not in table:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            module = import_module(f"{package}.{table[name]}")
        except ModuleNotFoundError as error:
            raise _missing(error, f"{package}.{name}", extra) from error
        value = getattr(module, name)
        setattr(sys.modules[package], name, value)
        return value

    def listing() -> list[str]:
        return sorted(table)

    return load, listing


def _missing(
    error: ModuleNotFoundError, needed_by: str, extra: str
) -> ModuleNotFoundError | MissingExtraError:
    module = (error.name or "").partition(".")[0]
    if module in ("", "industry_apps"):
        return error
    return MissingExtraError(
        f"{needed_by} needs the package {module!r}, which is not installed. "
        f"Run: pip install 'industry-apps[{extra}]'"
    )
