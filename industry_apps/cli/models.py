"""The commands ``industry-apps models``: list, show, verify."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from industry_apps.cli.options import CHECK_FAILED, AsJson
from industry_apps.cli.printing import show

commands = typer.Typer(
    no_args_is_help=True, help="Models that come with the package: list them, show one, check them."
)

#: Of a table of models in a terminal of 80 columns.
_DATA_WIDTH, _FIGURE_WIDTH = 20, 12


@commands.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the models that come with the package: size, training data, main figure."""
    from industry_apps.runtime.zoo import zoo

    found = [_entry(name) for name in zoo()]
    rows = [
        [each["name"], _size(each["bytes"]), _data(each["data"]), _figure(each["metrics"])]
        for each in found
    ]
    show(found, ["model", "size", "trained on", "measured"], rows, as_json)


@commands.command("show")
def show_model(
    name: Annotated[str, typer.Argument(metavar="NAME")], as_json: AsJson = False
) -> None:
    """Print the facts of a model that comes with the package."""
    from industry_apps.runtime.zoo import verify

    path = verify(name)
    entry = {**_entry(name), "path": str(path)}
    told = {**entry, "metrics": ", ".join(f"{k} {m['text']}" for k, m in entry["metrics"].items())}
    show(entry, ["fact", "value"], [[key, str(value)] for key, value in told.items()], as_json)


def _entry(name: str) -> dict[str, Any]:
    """What index and file say of a model; data and metrics are empty if the file is damaged."""
    from industry_apps.data.datasets import data_name
    from industry_apps.errors import ModelFileError
    from industry_apps.runtime import Model
    from industry_apps.runtime.zoo import verify, zoo

    try:
        path = verify(name)
        facts, size = Model(path).metadata, path.stat().st_size
    except ModelFileError:
        facts, size = {"data": {"id": "damaged: see models verify"}, "metrics": {}}, 0
    told = {"data": data_name(facts["data"]), "metrics": facts["metrics"]}
    return {"name": name, "bytes": size, **zoo()[name], **told}


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def _data(name: str) -> str:
    """What a line has room for: a long name without the industry that it begins with."""
    if name.endswith("(sample)"):
        return "simulated sample"
    short = name.partition("_")[2]
    return short if short and len(name) > _DATA_WIDTH else name


def _figure(metrics: dict[str, Any]) -> str:
    """The first metric that a line has room for, without its interval: ndcg@10 0.16."""
    figures = [
        f"{name.replace('_at_', '@')} {found['text'].partition(' ')[0]}"
        for name, found in metrics.items()
    ]
    return next((each for each in figures if len(each) <= _FIGURE_WIDTH), "-")


@commands.command("verify")
def verify_models(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME...")] = None,
    as_json: AsJson = False,
) -> None:
    """Check that models (by default all) are undamaged and answer rightly on this machine."""
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
