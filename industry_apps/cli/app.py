"""The command ``industry-apps``: each command one call into the layers below.

Exit codes: 0 all is well, 1 a check failed, 2 the input cannot be used.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from industry_apps import __version__
from industry_apps.cli import data, measure, models
from industry_apps.cli.options import (
    BAD_INPUT,
    CHECK_FAILED,
    INTERRUPTED,
    AsJson,
    Columns,
    Data,
    Fast,
    File,
    Html,
    Name,
    Settings,
    columns_of,
    kind_of,
    settings_of,
)
from industry_apps.cli.printing import in_words, print_json, show
from industry_apps.errors import ChecksumError, IndustryAppsError, ParameterError, ParityError

if TYPE_CHECKING:
    from industry_apps.evaluation import Report


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
app.add_typer(data.commands, name="data")
app.add_typer(models.commands, name="models")
app.command()(measure.benchmark)


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
        kind = kind_of(name)
        summary = (kind.__doc__ or "").strip().partition("\n")[0]
        found.append({"name": name, "summary": summary, "traits": asdict(kind.traits)})
    rows = [list(map(in_words, each.values())) for each in found]
    show(found, ["application", "what it answers", "traits"], rows, as_json)


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
    from industry_apps.workflow.parameters import configured, missed_cost_of, settings_for
    from industry_apps.workflow.runs import data_of, run

    kind = kind_of(application)
    named = {
        "model": model,
        "alerts_per_day": alerts_per_day,
        "false_alarm_cost": false_alarm_cost,
        missed_cost_of(kind): missed_cost,
        "seed": seed,
    }
    given = settings_for(data) | {name: v for name, v in named.items() if v is not None}
    trained = configured(kind, {**given, **settings_of(settings, column)}, fast=fast)
    done = run(trained, data_of(trained, data), out)
    _print_report(done.report, html, as_json, path=done.path)


@app.command()
def evaluate(
    model: File, data: Data, column: Columns = None, html: Html = None, as_json: AsJson = False
) -> None:
    """Measure a model file on the test part of a data set, or on a table it has not learned from.

    Of the very file that the model learned from, the test part is judged; of any other, all rows.
    """
    from industry_apps.runtime import Model
    from industry_apps.workflow.parameters import as_trained
    from industry_apps.workflow.runs import data_of
    from industry_apps.workflow.scoring import score

    loaded = Model(model)
    facts = loaded.metadata
    author = as_trained(kind_of(facts["application"]), facts, columns_of(column))
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

    from industry_apps.runtime import Model
    from industry_apps.runtime.files import names_of
    from industry_apps.workflow.scoring import enriched

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


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the model file and the report.")] = Path(
        "demo_output"
    ),
    application: Annotated[str, typer.Option(help="As in the list.")] = "finance.fraud_detection",
) -> None:
    """Train on an embedded sample, export, prove parity, measure, write a report."""
    from industry_apps.cli.demo import demonstrate

    for line in demonstrate(kind_of(application)(), out):
        typer.echo(line)


def _print_report(report: Report, html: Path | None, as_json: bool, path: Path) -> None:
    if html is not None:
        report.to_html(html)
    if as_json:
        print_json({**report.to_dict(), "path": str(path)})
        return
    typer.echo(report)
    typer.echo(f"\nmodel file: {path}" + (f"\nreport: {html}" if html else ""))


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
