"""The commands ``industry-apps data``: list, fetch, verify."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from industry_apps.cli.options import AsJson
from industry_apps.cli.printing import print_json, show

commands = typer.Typer(no_args_is_help=True, help="Data sets: list, fetch, verify.")


@commands.command("list")
def list_data(as_json: AsJson = False) -> None:
    """List the data sets that have a card."""
    from industry_apps.data import card, catalogue

    keys = ("id", "title", "kind", "applications", "licence", "source")
    found = [{key: getattr(card(name), key) for key in keys} for name in catalogue()]
    rows = [[each["id"], each["kind"], each["title"], each["licence"]] for each in found]
    show(found, ["id", "kind", "title", "licence"], rows, as_json)


@commands.command("fetch")
def fetch_data(name: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False) -> None:
    """Get a data set from the cache, a mirror or its address; print where its files lie."""
    from industry_apps.data import fetch

    _print_files(fetch(name), as_json)


@commands.command("verify")
def verify_data(
    name: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False
) -> None:
    """Check the files of a data set on this machine against the sha256 of its card."""
    from industry_apps.data import verify

    _print_files(verify(name), as_json)


def _print_files(paths: Sequence[Path], as_json: bool) -> None:
    if as_json:
        print_json([str(path) for path in paths])
    else:
        typer.echo("\n".join(map(str, paths)) or "Simulated: it has no files, load() makes it.")
