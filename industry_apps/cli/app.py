"""The command ``industry-apps``: each command one call into the layers below.

Exit codes: 0 all is well, 1 a check failed, 2 the input cannot be used, 3 a column alone
tells the outcome, and neither --yes nor 'ignore' says what to think of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from warnings import catch_warnings, simplefilter

import typer
from typer.core import TyperGroup

from industry_apps import __version__
from industry_apps.cli import data, measure, models, serve, versions
from industry_apps.cli.options import (
    BAD_INPUT,
    CHECK_FAILED,
    INTERRUPTED,
    NAMES,
    SUSPECTED_LEAK,
    AsJson,
    Columns,
    Data,
    Fast,
    File,
    Html,
    Name,
    Settings,
    Unit,
    Yes,
    columns_of,
    kind_of,
    settings_of,
    unit_of,
)
from industry_apps.cli.printing import print_json, print_table, step
from industry_apps.errors import (
    ChecksumError,
    IndustryAppsError,
    LeakageWarning,
    ParameterError,
    ParityError,
    SuspectedLeakError,
)

if TYPE_CHECKING:
    from industry_apps.evaluation import Report


_ACCEPT = (
    "No file was written. Set a parameter with --set, as in --set ignore=NAME, or go on with --yes."
)


class _Commands(TyperGroup):
    """Turns errors made on purpose into one sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (ParityError, ChecksumError) as error:
            raise _failure(error, CHECK_FAILED) from error
        except SuspectedLeakError as error:
            raise _failure(f"{error} {_ACCEPT}", SUSPECTED_LEAK) from error
        except (IndustryAppsError, OSError) as error:
            raise _failure(error, BAD_INPUT) from error
        except KeyboardInterrupt as error:
            raise _failure("interrupted", INTERRUPTED) from error


def _failure(error: object, code: int) -> typer.Exit:
    typer.echo(f"error: {' '.join(str(error).split())}", err=True)
    return typer.Exit(code)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    epilog="Begin with `industry-apps demo`, then `industry-apps list`.",
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _top(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Train models that answer questions of an industry, each written as one ONNX file.

    The file takes the raw record, such as a transaction, and returns the decision.
    """


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for model file and report.")] = Path(
        "demo_output"
    ),
    application: Annotated[str, typer.Option(help=NAMES)] = "finance.fraud_detection",
    serving: Annotated[
        bool, typer.Option("--serving", help="Serve it, promote a version under load, roll back.")
    ] = False,
) -> None:
    """See it work: train on simulated data, check and use the model file, write a report."""
    from industry_apps.cli.demo import demonstrate, two_versions

    if serving:
        from industry_apps.cli.demo_serving import demonstrate_serving

        one, two = two_versions(kind_of(application), out)
        for line in demonstrate_serving(one, two, out / "versions"):
            typer.echo(line)
        return
    for line in demonstrate(kind_of(application)(), out):
        typer.echo(line)


@app.command("list")
def list_applications(as_json: AsJson = False) -> None:
    """List the applications and the question that each answers."""
    from industry_apps.registry import applications

    found = [_facts(name) for name in applications()]
    if as_json:
        print_json(found)
        return
    rows = [[each["name"], each["question"]] for each in found]
    print_table(["application", "question"], rows)


def _facts(name: str) -> dict[str, Any]:
    """What is known of an application without training it."""
    from dataclasses import asdict

    kind = kind_of(name)
    summary = (kind.__doc__ or "").strip().partition("\n")[0]
    return {
        "name": name,
        "class": f"{kind.__module__.rpartition('.')[0]}.{kind.__name__}",
        "question": kind.question or summary,
        "summary": summary,
        "traits": asdict(kind.traits),
    }


@app.command()
def train(  # noqa: PLR0913, PLR0917 - each is an option
    application: Name,
    data: Data,
    out: Annotated[Path, typer.Option(help="The model file to write; ends in .onnx.")],
    model: Annotated[str | None, typer.Option(help="Kind of model, such as trees.")] = None,
    alerts_per_day: Annotated[str | None, typer.Option(help="Cases checked in a day.")] = None,
    false_alarm_cost: Annotated[str | None, typer.Option(help="Cost of a false alarm.")] = None,
    missed_cost: Annotated[str | None, typer.Option(help="Cost of a missed case.")] = None,
    seed: Annotated[str | None, typer.Option(help="Number that starts random choices.")] = None,
    settings: Settings = None,
    column: Columns = None,
    unit: Unit = None,
    fast: Fast = False,
    yes: Yes = False,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Train a model, measure it on the test part of the data, and write the model file.

    The file is written only if it answers as the trained model does. Example:

    `industry-apps train finance.fraud_detection --data transactions.csv --out fraud.onnx`
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
    with catch_warnings():
        simplefilter("ignore", LeakageWarning)  # an error, or a note of the report, says it
        units = unit_of(unit)
        found = data_of(trained, data, unit=units)
        done = run(trained, found, out, unit=units, told=step, accept=yes)
    _print_report(done.report, html, as_json, path=done.path)


@app.command()
def evaluate(
    model: File,
    data: Data,
    column: Columns = None,
    unit: Unit = None,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Measure a model file on the test part of a data set, or on a table of yours.

    Of the table that the model was trained on, only the test part is used; of any other, all rows.
    """
    from industry_apps.runtime import Model
    from industry_apps.workflow.parameters import as_trained
    from industry_apps.workflow.runs import data_of
    from industry_apps.workflow.scoring import score

    loaded = Model(model)
    facts = loaded.metadata
    step(f"Measuring {loaded.path.name} on {data}")
    author = as_trained(kind_of(facts["application"]), facts, columns_of(column))
    learned = facts["data"].get("sha256", "")
    units = unit_of(unit) or facts.get("units")
    judged = score(loaded, author, data_of(author, data, unit=units, learned=learned))
    _print_report(judged, html, as_json, path=loaded.path)


@app.command()
def predict(
    model: File,
    table: Annotated[Path, typer.Argument(metavar="IN", help="CSV or Parquet file of records.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="CSV or Parquet file to write.")],
    enrich: Annotated[
        bool, typer.Option("--enrich", help="First compute what the stream of records tells.")
    ] = False,
    short_rows: Annotated[
        str, typer.Option(help="Rows with fewer cells than the header: 'refuse' or 'missing'.")
    ] = "refuse",
    as_json: AsJson = False,
) -> None:
    """Answer every record of a table; write its columns and the answers.

    A column that has the name of an answer is replaced. A model of series, such as prices, answers
    each series once, for its latest time.
    """
    from tempfile import TemporaryDirectory

    from industry_apps.runtime import Model
    from industry_apps.runtime.files import names_of
    from industry_apps.workflow.scoring import enriched

    if out.resolve() == table.resolve():
        raise ParameterError(f"{out} is the file to answer. Write to another one.")
    loaded = Model(model)
    with TemporaryDirectory() as folder:
        form: Any = short_rows  # checked where it is used
        source = enriched(loaded, table, Path(folder), form) if enrich else table
        rows = loaded.predict(source, to=out, short_rows=form)
        names = names_of(source)
    raw = loaded.completion is not None and loaded.completion.is_raw(names)
    asked = [] if raw else loaded.schema.inputs().names
    missing = [name for name in asked if name not in names]
    replaced = [name for name in loaded.outputs.names if name in names and not loaded.windows]
    if as_json:
        print_json({"rows": rows, "path": str(out), "missing": missing, "replaced": replaced})
        return
    typer.echo(f"Answered {rows} {'series' if loaded.windows else 'records'}. Written: {out}")
    if missing:
        typer.echo(f"Taken as missing, not in {table.name}: {', '.join(missing)}.", err=True)
    if replaced:
        typer.echo(f"Columns that the answers replaced: {', '.join(replaced)}.", err=True)


@app.command()
def describe(model: File, as_json: AsJson = False) -> None:
    """Print the model card of a file: training data, figures, columns, limits."""
    from industry_apps.export.model_card import render_card
    from industry_apps.runtime import Model

    loaded = Model(model)
    if as_json:
        print_json(loaded.describe())
    else:
        typer.echo(render_card(loaded.metadata))


app.command()(measure.benchmark)
app.command()(serve.serve)
app.command()(serve.key)
app.add_typer(models.commands, name="models")
app.add_typer(data.commands, name="data")
app.add_typer(versions.commands, name="versions")


def _print_report(report: Report, html: Path | None, as_json: bool, path: Path) -> None:
    if html is not None:
        report.to_html(html)
    if as_json:
        print_json({**report.to_dict(), "path": str(path)})
        return
    typer.echo(report)
    typer.echo(f"\nModel file: {path}" + (f"\nReport: {html}" if html else ""))


def main() -> None:
    """Run the command line."""
    app(prog_name="industry-apps")


if __name__ == "__main__":
    main()
