"""What commands print: tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from shutil import get_terminal_size
from textwrap import wrap
from typing import Any

import typer

_GAP = "  "
_NARROWEST = 20  # of a last column, however narrow the terminal is


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
    """Print aligned columns; the last one is broken into lines where the terminal ends."""
    table = [list(header), *map(list, rows)]
    widths = [max(map(len, column)) for column in list(zip(*table, strict=True))[:-1]]
    indent = sum(widths) + len(_GAP) * len(widths)
    room = max(get_terminal_size().columns - indent, _NARROWEST)
    for number, (*cells, last) in enumerate(table):
        start = "".join(f"{cell:<{width}}{_GAP}" for cell, width in zip(cells, widths, strict=True))
        lines = wrap(last, room, break_long_words=False, break_on_hyphens=False) or [""]
        typer.secho((start + f"\n{' ' * indent}".join(lines)).rstrip(), bold=number == 0)


def step(words: str) -> None:
    """Say on a terminal what is done now, as it may take a while; on standard error."""
    if sys.stderr.isatty():
        typer.echo(f"{words} ...", err=True)
