"""The commands ``industry-apps versions``: keep model files, promote one, roll back."""

from __future__ import annotations

import json
from dataclasses import asdict
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from industry_apps.cli.options import AsJson
from industry_apps.cli.printing import print_json, show
from industry_apps.errors import VersionError

if TYPE_CHECKING:
    from industry_apps.versions import Store

commands = typer.Typer(
    no_args_is_help=True,
    help="Keep the versions of a model file in a folder: add, promote, roll back, and who did it.",
)

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of the versions.")]
Version = Annotated[
    str, typer.Argument(metavar="VERSION", help="Its sha256, or the first digits of it.")
]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A model file, or a name of the zoo.")]
Who = Annotated[str, typer.Option(help="Who acts; by default who is logged in.")]
Why = Annotated[str, typer.Option(help="The reason, for the log.")]
Key = Annotated[Path | None, typer.Option(help="A private key to sign with.")]
Public = Annotated[Path | None, typer.Option(help="Public key of whoever must have signed.")]


@commands.command()
def add(folder: Folder, file: File, who: Who = "", why: Why = "", key: Key = None) -> None:
    """Check a model file on this machine, and keep it."""
    from industry_apps.runtime import Model
    from industry_apps.versions import Store

    path = Model(file).path
    version = Store(folder).add(path, who=who or getuser(), why=why, key=key)
    typer.echo(f"Added {version}")


@commands.command("list")
def list_versions(folder: Folder, as_json: AsJson = False) -> None:
    """List the versions; a star marks the one in production."""
    store = _store(folder)
    production = store.production
    found = [
        {**asdict(each), "production": each.sha256 == production}
        for each in store.entries()
        if each.action == "add"
    ]
    rows = [
        ["*" if e["production"] else "", e["sha256"][:12], e["time"][:19], e["who"], e["why"]]
        for e in found
    ]
    show(found, ["", "version", "added", "by", "why"], rows, as_json)


@commands.command("show")
def show_production(
    folder: Folder,
    at: Annotated[str, typer.Option(help="A time in ISO 8601, such as 2026-01-31T12:00.")] = "",
    log: Annotated[bool, typer.Option("--log", help="All that was done.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what is in production, or was at a time, and who put it there."""
    entries = _store(folder).entries()
    found = entries if log else [_production(folder, at or entries[-1].time)] if entries else []
    rows = [[e.time[:19], e.action, e.sha256[:12], e.who, e.why] for e in found]
    header = ["time", "action", "version", "by", "why"]
    show([asdict(each) for each in found], header, rows, as_json)


@commands.command()
def promote(
    folder: Folder, version: Version, who: Who = "", why: Why = "", public_key: Public = None
) -> None:
    """Put a version into production; a server takes it with SIGHUP, or promotes it itself."""
    entry = _store(folder).promote(version, who=who or getuser(), why=why, public_key=public_key)
    typer.echo(f"In production: {entry.sha256}")


@commands.command()
def rollback(folder: Folder, who: Who = "", why: Why = "", public_key: Public = None) -> None:
    """Put the version before this one into production."""
    entry = _store(folder).rollback(who=who or getuser(), why=why, public_key=public_key)
    typer.echo(f"In production: {entry.sha256}")


@commands.command()
def head(folder: Folder, key: Key = None) -> None:
    """Print the head of the log, signed with --key, to be kept elsewhere as a proof of it."""
    print_json(_store(folder).head(key))


@commands.command()
def check(
    folder: Folder,
    head: Annotated[Path | None, typer.Option(help="File with a head of the log.")] = None,
    public_key: Public = None,
) -> None:
    """Check log and files, and that an exported head still stands in the log.

    With a public key also that it signed the head, or without a head each version.
    """
    told = None if head is None else _head(head)
    entries = _store(folder).check(told, public_key)
    typer.echo(f"{entries} entries, each as it was written.")


@commands.command()
def key(path: Annotated[Path, typer.Argument(help="Where the private half goes.")]) -> None:
    """Make an Ed25519 key; its public half gets .pub behind the name."""
    from industry_apps.versions.signatures import new_key

    typer.echo(f"Private key: {path}\nPublic key: {new_key(path)}")


def _store(folder: Path) -> Store:
    from industry_apps.versions import Store

    return Store.existing(folder)


def _production(folder: Path, time: str) -> Any:
    entry = _store(folder).at(time)
    if entry is None:
        raise VersionError(f"Nothing of {folder} was in production at {time}. Promote a version.")
    return entry


def _head(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
        if type(found) is not dict:
            raise ValueError("it is no object")
    except (OSError, ValueError) as error:
        raise VersionError(
            f"{path} is no head of a log ({error}). Export one with versions head."
        ) from None
    return found
