"""What several commands take, and how it is read; what they exit with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from industry_apps.application import Application

CHECK_FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130

Name = Annotated[str, typer.Argument(metavar="APPLICATION", help="A name of the command list.")]
Data = Annotated[str, typer.Option(help="Id of a data set, 'sample', or a CSV or Parquet file.")]
File = Annotated[str, typer.Argument(metavar="MODEL", help="A model file, or a zoo name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Html = Annotated[Path | None, typer.Option(help="Write the report as one page, too.")]
Fast = Annotated[bool, typer.Option("--fast", help="Parameters of a fit of seconds, for a try.")]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="OURS=THEIRS", help="Your name of a column; repeatable."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A constructor parameter; repeatable."),
]


def kind_of(name: str) -> type[Application]:
    """Import the class of an application."""
    from industry_apps.registry import application

    return cast("type[Application]", application(name))


def settings_of(settings: Sequence[str] | None, columns: Sequence[str] | None) -> dict[str, str]:
    """Read the options --set and --column: parameter -> text."""
    from industry_apps.workflow.parameters import pairs_of

    found = pairs_of(settings or (), "--set NAME=VALUE")
    if columns:
        found["columns"] = json.dumps(columns_of(columns))
    return found


def columns_of(columns: Sequence[str] | None) -> dict[str, str]:
    """Read the option --column: names of ours -> names of theirs."""
    from industry_apps.workflow.parameters import pairs_of

    return pairs_of(columns or (), "--column OURS=THEIRS")
