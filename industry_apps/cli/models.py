"""The commands ``industry-apps models``: list, show, verify."""

from __future__ import annotations

from typing import Annotated

import typer

from industry_apps.cli.options import CHECK_FAILED, AsJson
from industry_apps.cli.printing import show

commands = typer.Typer(no_args_is_help=True, help="The model zoo: list, show, verify.")

_ZOO = ("name", "file", "description", "licence")


@commands.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the models that travel with the package."""
    from industry_apps.runtime.zoo import zoo

    found = [{"name": name, **facts} for name, facts in zoo().items()]
    rows = [[str(each.get(key, "")) for key in _ZOO] for each in found]
    show(found, list(_ZOO), rows, as_json)


@commands.command("show")
def show_model(name: str, as_json: AsJson = False) -> None:
    """Print the zoo's entry of a model."""
    from industry_apps.runtime.zoo import verify, zoo

    entry = {"name": name, "path": str(verify(name)), **zoo()[name]}
    show(entry, ["entry", "value"], [[key, str(value)] for key, value in entry.items()], as_json)


@commands.command("verify")
def verify_models(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...")] = None,
    as_json: AsJson = False,
) -> None:
    """Check zoo files (all by default): sha256, and the self-test on this machine."""
    from industry_apps.errors import ModelFileError
    from industry_apps.runtime import Model
    from industry_apps.runtime.zoo import verify, zoo

    found = []
    for name in names or zoo():
        try:
            found.append({"name": name, "path": str(Model(verify(name)).path), "error": ""})
        except ModelFileError as error:
            found.append({"name": name, "path": "", "error": str(error)})
    rows = [[each["name"], each["error"] or "ok"] for each in found]
    show(found, ["model", "verdict"], rows, as_json)
    if any(each["error"] for each in found):
        raise typer.Exit(CHECK_FAILED)
