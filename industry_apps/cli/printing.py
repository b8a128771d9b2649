"""What commands print: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer


def show(found: Any, header: Sequence[str], rows: Iterable[Sequence[str]], as_json: bool) -> None:
    """Print what was found as JSON, or its rows as a table."""
    if as_json:
        print_json(found)
    else:
        print_table(header, rows)


def print_json(value: Any) -> None:
    """Print a value as JSON; numbers that JSON does not know are an error."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False, default=str))


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table as wide as the terminal; the first column is never broken."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    for position, name in enumerate(header):
        table.add_column(name, no_wrap=position == 0)
    for row in rows:
        table.add_row(*row)
    Console().print(table, markup=False)


def in_words(value: Any) -> str:
    """Return a value of JSON as people read it: what is true or full by name, the rest not.

    Examples
    --------
    >>> in_words({"online": True, "windows": False, "inputs": ["table", "text"]})
    'online, inputs table, text'
    """
    if isinstance(value, Mapping):
        told = {name: in_words(each) for name, each in value.items() if each}
        return ", ".join(f"{name} {each}".strip() for name, each in told.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(in_words, value))
    if value is True:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
