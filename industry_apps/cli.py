"""The command ``industry-apps``: each command one call into the layers below.

Exit codes: 0 all is well, 1 a check failed, 2 the input cannot be used.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from typer.core import TyperGroup

from industry_apps import __version__
from industry_apps.errors import ChecksumError, IndustryAppsError, ParameterError, ParityError
from industry_apps.printing import in_words, print_json, print_table, show

if TYPE_CHECKING:
    from industry_apps.application import Application
    from industry_apps.evaluation import Report

CHECK_FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130

_ZOO = ("name", "file", "description", "licence")


class _Commands(TyperGroup):
    """Turns errors made on purpose into one sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (ParityError, ChecksumError) as error:
            raise _failure(error, CHECK_FAILED) from error
        except (IndustryAppsError, OSError) as error:
            raise _failure(error, BAD_INPUT) from error
        except KeyboardInterrupt as error:
            raise _failure("interrupted", INTERRUPTED) from error


def _failure(error: object, code: int) -> typer.Exit:
    typer.echo(f"error: {' '.join(str(error).split())}", err=True)
    return typer.Exit(code)


app = typer.Typer(
    cls=_Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
data_commands = typer.Typer(no_args_is_help=True, help="Data sets: list, fetch, verify.")
model_commands = typer.Typer(no_args_is_help=True, help="The model zoo: list, show, verify.")
app.add_typer(data_commands, name="data")
app.add_typer(model_commands, name="models")

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


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _top(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print it."),
    ] = False,
) -> None:
    """Models for industry: one ONNX file takes the raw record and returns the decision."""


@app.command("list")
def list_applications(as_json: AsJson = False) -> None:
    """List the applications."""
    from dataclasses import asdict

    from industry_apps.registry import applications

    found = []
    for name in applications():
        kind = _kind(name)
        summary = (kind.__doc__ or "").strip().partition("\n")[0]
        found.append({"name": name, "summary": summary, "traits": asdict(kind.traits)})
    rows = [list(map(in_words, each.values())) for each in found]
    show(found, ["application", "what it answers", "traits"], rows, as_json)


@data_commands.command("list")
def list_data(as_json: AsJson = False) -> None:
    """List the data sets that have a card."""
    from industry_apps.data import card, catalogue

    keys = ("id", "title", "kind", "applications", "licence", "source")
    found = [{key: getattr(card(name), key) for key in keys} for name in catalogue()]
    rows = [[each["id"], each["kind"], each["title"], each["licence"]] for each in found]
    show(found, ["id", "kind", "title", "licence"], rows, as_json)


@data_commands.command("fetch")
def fetch_data(name: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False) -> None:
    """Get a data set from the cache, a mirror or its address; print where its files lie."""
    from industry_apps.data import fetch

    _print_files(fetch(name), as_json)


@data_commands.command("verify")
def verify_data(
    name: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False
) -> None:
    """Check the files of a data set on this machine against the sha256 of its card."""
    from industry_apps.data import verify

    _print_files(verify(name), as_json)


@app.command()
def train(  # noqa: PLR0913, PLR0917 - each is an option
    application: Name,
    data: Data,
    out: Annotated[Path, typer.Option(help="The model file to write, ends in .onnx.")],
    model: Annotated[str | None, typer.Option(help="Kind of model, such as trees.")] = None,
    alerts_per_day: Annotated[str | None, typer.Option(help="Cases that can be worked.")] = None,
    false_alarm_cost: Annotated[str | None, typer.Option(help="In money.")] = None,
    missed_cost: Annotated[str | None, typer.Option(help="In money.")] = None,
    seed: Annotated[str | None, typer.Option(help="Of all that is random.")] = None,
    settings: Settings = None,
    column: Columns = None,
    fast: Fast = False,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Train on a data set, evaluate on its test part, export with proven parity.

    Any other parameter of the application goes by --set, as in --set delay_days=3 or
    --set trees.rounds=200.
    """
    from industry_apps.benchmark import configured, data_of, run, settings_for
    from industry_apps.benchmark.parameters import missed_cost_of

    kind = _kind(application)
    named = {
        "model": model,
        "alerts_per_day": alerts_per_day,
        "false_alarm_cost": false_alarm_cost,
        missed_cost_of(kind): missed_cost,
        "seed": seed,
    }
    given = settings_for(data) | {name: v for name, v in named.items() if v is not None}
    trained = configured(kind, {**given, **_settings(settings, column)}, fast=fast)
    done = run(trained, data_of(trained, data), out)
    _print_report(done.report, html, as_json, path=done.path)


@app.command()
def evaluate(
    model: File, data: Data, column: Columns = None, html: Html = None, as_json: AsJson = False
) -> None:
    """Measure a model file on the test part of a data set, or on a table it has not learned from.

    Of the very file that the model learned from, the test part is judged; of any other, all rows.
    """
    from industry_apps.benchmark import as_trained, data_of, score
    from industry_apps.runtime import Model

    loaded = Model(model)
    facts = loaded.metadata
    author = as_trained(_kind(facts["application"]), facts, _names(column))
    learned = facts["data"].get("sha256", "")
    judged = score(loaded, author, data_of(author, data, learned=learned))
    _print_report(judged, html, as_json, path=loaded.path)


@app.command()
def predict(
    model: File,
    table: Annotated[Path, typer.Argument(metavar="IN", help="A CSV or Parquet file.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A CSV or Parquet file.")],
    enrich: Annotated[bool, typer.Option("--enrich", help="Add the state columns first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Answer every record of a file; write all its columns and the answers.

    An answer takes the place of a column of its name. A model of windows answers each series
    as of the last moment of the file.
    """
    from tempfile import TemporaryDirectory

    from industry_apps.benchmark import enriched
    from industry_apps.runtime import Model
    from industry_apps.runtime.files import names_of

    if out.resolve() == table.resolve():
        raise ParameterError(f"{out} is the file to answer. Write to another one.")
    loaded = Model(model)
    with TemporaryDirectory() as folder:
        source = enriched(loaded, table, Path(folder)) if enrich else table
        rows = loaded.predict(source, to=out)
        names = names_of(source)
    missing = [name for name in loaded.schema.inputs().names if name not in names]
    replaced = [name for name in loaded.outputs.names if name in names and not loaded.windows]
    if as_json:
        print_json({"rows": rows, "path": str(out), "missing": missing, "replaced": replaced})
        return
    typer.echo(f"Answered {rows} {'series' if loaded.windows else 'records'}: {out}")
    if missing:
        typer.echo(f"Not in {table.name}, and taken as missing: {', '.join(missing)}.", err=True)
    if replaced:
        typer.echo(f"Answers stand in the place of columns: {', '.join(replaced)}.", err=True)


@app.command()
def describe(model: File, as_json: AsJson = False) -> None:
    """Print what a model file says of itself."""
    from industry_apps.export.model_card import render_card
    from industry_apps.runtime import Model

    loaded = Model(model)
    if as_json:
        print_json(loaded.describe())
    else:
        typer.echo(render_card(loaded.metadata))


@model_commands.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the models that travel with the package."""
    from industry_apps.runtime.zoo import zoo

    found = [{"name": name, **facts} for name, facts in zoo().items()]
    rows = [[str(each.get(key, "")) for key in _ZOO] for each in found]
    show(found, list(_ZOO), rows, as_json)


@model_commands.command("show")
def show_model(name: str, as_json: AsJson = False) -> None:
    """Print the zoo's entry of a model."""
    from industry_apps.runtime.zoo import verify, zoo

    entry = {"name": name, "path": str(verify(name)), **zoo()[name]}
    show(entry, ["entry", "value"], [[key, str(value)] for key, value in entry.items()], as_json)


@model_commands.command("verify")
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


@app.command()
def benchmark(  # noqa: PLR0913, PLR0917 - each is an option
    application: Annotated[str, typer.Argument(metavar="[APPLICATION]")] = "",
    data: Annotated[str, typer.Option(help="As for train.")] = "sample",
    every: Annotated[bool, typer.Option("--all", help="Each industry, 20 minutes.")] = False,
    speed: Annotated[bool, typer.Option("--speed", help="Speed and memory alone.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Speed and memory, too; all of --all.")
    ] = False,
    study: Annotated[str | None, typer.Option(help="A question beyond figures; long.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the JSON here, too.")] = None,
    settings: Settings = None,
    fast: Fast = False,
    as_json: AsJson = False,
) -> None:
    """Measure an application: quality, parity, speed, memory."""
    if every:
        if fast and out is None:
            raise ParameterError("Give --out: a try is not written over the published results.")
        _benchmark_all(out or Path("notebooks/results"), fast=fast, full=full)
        return
    if not application:
        raise ParameterError("Name an application (see industry-apps list), or give --all.")
    from industry_apps import benchmark as measuring

    given = {**measuring.settings_for(data), **_settings(settings, None)}
    model = measuring.configured(_kind(application), given, fast=fast)
    if speed:
        record = measuring.measure_speed(model, data)
        rows = [[each["name"], each["found"], each["wanted"]] for each in record["measures"]]
    elif study:
        record = measuring.study(model, study, data)
    else:
        record = measuring.benchmark(model, data, full=full)
    if out is not None:
        measuring.write_json(out, record)
    if as_json:
        print_json(record)
    elif speed:
        print_table(["measure", "found", "target"], rows)
    else:
        typer.echo(measuring.section(record))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the model file and the report.")] = Path(
        "demo_output"
    ),
    application: Annotated[str, typer.Option(help="As in the list.")] = "finance.fraud_detection",
) -> None:
    """Train on an embedded sample, export, prove parity, measure, write a report."""
    from industry_apps.demo import demonstrate

    for line in demonstrate(_kind(application)(), out):
        typer.echo(line)


def _kind(name: str) -> type[Application]:
    from industry_apps.registry import application

    return cast("type[Application]", application(name))


def _settings(settings: Sequence[str] | None, columns: Sequence[str] | None) -> dict[str, str]:
    from industry_apps.benchmark.parameters import pairs_of

    found = pairs_of(settings or (), "--set NAME=VALUE")
    if columns:
        found["columns"] = json.dumps(_names(columns))
    return found


def _names(columns: Sequence[str] | None) -> dict[str, str]:
    from industry_apps.benchmark.parameters import pairs_of

    return pairs_of(columns or (), "--column OURS=THEIRS")


def _benchmark_all(folder: Path, *, fast: bool, full: bool) -> None:
    from industry_apps.benchmark import benchmark_all, long_pairs, pairs

    later = {} if fast or full else long_pairs(folder, pairs())
    for (application, data), took in later.items():
        typer.echo(f"{application} on {data}: left for --full, it took {took / 60:.0f} minutes")
    chosen = [pair for pair in pairs() if pair not in later]
    failed = False
    for application, data, error in benchmark_all(folder, chosen, ["--fast"] if fast else []):
        typer.echo(f"{application} on {data}: {error or 'done'}", err=bool(error))
        failed = failed or bool(error)
    typer.echo(f"Table: {folder / 'README.md'}")
    if failed:
        raise typer.Exit(CHECK_FAILED)


def _print_report(report: Report, html: Path | None, as_json: bool, path: Path) -> None:
    if html is not None:
        report.to_html(html)
    if as_json:
        print_json({**report.to_dict(), "path": str(path)})
        return
    typer.echo(report)
    typer.echo(f"\nmodel file: {path}" + (f"\nreport: {html}" if html else ""))


def _print_files(paths: Sequence[Path], as_json: bool) -> None:
    if as_json:
        print_json([str(path) for path in paths])
    else:
        typer.echo("\n".join(map(str, paths)) or "Simulated: it has no files, load() makes it.")


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
