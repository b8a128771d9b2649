"""What several commands take, and how it is read; what they exit with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from industry_apps.application import Application

CHECK_FAILED, BAD_INPUT, SUSPECTED_LEAK, INTERRUPTED = 1, 2, 3, 130

NAMES = "A name that `industry-apps list` shows."
Name = Annotated[str, typer.Argument(metavar="APPLICATION", help=NAMES)]
Data = Annotated[str, typer.Option(help="CSV or Parquet file, id of a data set, or 'sample'.")]
File = Annotated[
    str, typer.Argument(metavar="MODEL", help="Model file, or a name that `models list` shows.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Html = Annotated[Path | None, typer.Option(help="Also write the report as a web page.")]
Fast = Annotated[
    bool, typer.Option("--fast", help="Train a small model in seconds, to try it out.")
]
Yes = Annotated[
    bool,
    typer.Option("--yes", help="Go on where a column alone tells the outcome: it is known before."),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="OURS=THEIRS",
        help="What your table calls a column, as in time=booked_at; repeatable.",
    ),
]
Unit = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[COLUMN=]UNIT",
        help="What numbers as times are: s, ms, us, ns, YYYYMMDD or sheet; repeatable.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="Any other parameter, as in delay_days=3; repeatable."
    ),
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


def unit_of(units: Sequence[str] | None) -> str | dict[str, str] | None:
    """Read the option --unit, as `fit` takes it: one of all columns, or column -> unit."""
    from industry_apps.workflow.parameters import pairs_of

    if units and len(units) == 1 and "=" not in units[0]:
        return units[0]
    return pairs_of(units or (), "--unit UNIT for all columns, or --unit COLUMN=UNIT") or None


def columns_of(columns: Sequence[str] | None) -> dict[str, str]:
    """Read the option --column: names of ours -> names of theirs."""
    from industry_apps.workflow.parameters import pairs_of

    return pairs_of(columns or (), "--column OURS=THEIRS")
