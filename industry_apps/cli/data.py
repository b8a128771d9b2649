"""The commands ``industry-apps data``: list, fetch, verify."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from industry_apps.cli.options import AsJson
from industry_apps.cli.printing import print_json, show

_FACTS = ("id", "title", "kind", "applications", "licence", "source")

commands = typer.Typer(
    no_args_is_help=True, help="Data sets: list them, show one, get its files, check them."
)


@commands.command("list")
def list_data(as_json: AsJson = False) -> None:
    """List the data sets: the id that other commands take, and what it holds."""
    from industry_apps.data import card, catalogue

    found = [{key: getattr(card(name), key) for key in _FACTS} for name in catalogue()]
    rows = [[each["id"], each["title"]] for each in found]
    show(found, ["data set", "what it holds"], rows, as_json)


@commands.command("show")
def show_data(name: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False) -> None:
    """Print what is known of a data set: licence, source, which applications use it."""
    from industry_apps.data import card

    found = {key: getattr(card(name), key) for key in (*_FACTS, "caveats")}
    rows = [[key, text] for key, value in found.items() for text in _texts(value)]
    show(found, ["fact", "value"], rows, as_json)


@commands.command("fetch")
def fetch_data(name: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False) -> None:
    """Get the files of a data set, from a mirror or the internet; print where they lie."""
    from industry_apps.data import fetch

    _print_files(fetch(name), as_json)


@commands.command("verify")
def verify_data(
    name: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False
) -> None:
    """Check the files of a data set on this machine against their published checksums."""
    from industry_apps.data import verify

    _print_files(verify(name), as_json)


def _print_files(paths: Sequence[Path], as_json: bool) -> None:
    if as_json:
        print_json([str(path) for path in paths])
    else:
        typer.echo("\n".join(map(str, paths)) or "This data set is simulated: it has no files.")


def _texts(value: object) -> Sequence[str]:
    return value if isinstance(value, list | tuple) else [str(value)]
