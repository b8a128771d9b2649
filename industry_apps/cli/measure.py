"""The command ``industry-apps benchmark``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from industry_apps.cli.options import (
    CHECK_FAILED,
    NAMES,
    AsJson,
    Data,
    Fast,
    Settings,
    kind_of,
    settings_of,
)
from industry_apps.cli.printing import print_json, print_table, step
from industry_apps.errors import ParameterError

#: What is served where no model is named.
_SERVED = "finance.fraud_detection"


def benchmark(  # noqa: PLR0913, PLR0917 - each is an option
    application: Annotated[str, typer.Argument(metavar="APPLICATION", help=NAMES)] = "",
    data: Data = "sample",
    every: Annotated[
        bool, typer.Option("--all", help="Measure all, up to 20 minutes an industry.")
    ] = False,
    speed: Annotated[bool, typer.Option("--speed", help="Measure speed and memory only.")] = False,
    full: Annotated[
        bool,
        typer.Option("--full", help="Also speed, memory and all splits, however long."),
    ] = False,
    scaling: Annotated[
        bool, typer.Option("--scaling", help="Measure growth with the data, at three sizes.")
    ] = False,
    serving: Annotated[
        bool, typer.Option("--serving", help="Measure a server of a model file, or of NAME.")
    ] = False,
    study: Annotated[
        str | None, typer.Option(help="Answer a further question by experiments; takes long.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Also write the JSON to this file.")] = None,
    settings: Settings = None,
    fast: Fast = False,
    as_json: AsJson = False,
) -> None:
    """Measure an application: quality beside baselines, parity, speed, memory."""
    if every:
        if fast and out is None:
            raise ParameterError("Give --out: a try is not written over the published results.")
        _benchmark_all(out or Path("notebooks/results"), fast=fast, full=full)
        return
    if serving:
        _benchmark_serving(application or _SERVED, out, as_json)
        return
    if not application:
        raise ParameterError("Name an application (see industry-apps list), or give --all.")
    from industry_apps import benchmark as measuring
    from industry_apps.workflow.parameters import configured, settings_for

    given = {**settings_for(data), **settings_of(settings, None)}
    model = configured(kind_of(application), given, fast=fast)
    step(f"Measuring {application} on {data}")
    show: Callable[[dict[str, Any]], None] = _show_section
    if speed:
        record, show = measuring.measure_speed(model, data), _show_speed
    elif scaling:
        record, show = measuring.measure_scaling(model), _show_growth
    elif study:
        record = measuring.study(model, study, data)
    else:
        record = measuring.benchmark(model, data, full=full)
    if out is not None:
        measuring.write_json(out, record)
    (print_json if as_json else show)(record)


def _benchmark_serving(model: str, out: Path | None, as_json: bool) -> None:
    from industry_apps.benchmark import benchmark_serving, write_json

    step(f"Serving {model} on this machine")
    record = benchmark_serving(model)
    if out is not None:
        write_json(out, record)
    if as_json:
        print_json(record)
        return
    rows = [[n, f"{r:.2f}", f"{record['targets'].get(n, '')}"] for n, r in record["ratios"].items()]
    print_table(["processor time, as times Model.predict", "found", "at most"], rows)


def _show_section(record: dict[str, Any]) -> None:
    from industry_apps.benchmark import section

    typer.echo(section(record))


def _show_speed(record: dict[str, Any]) -> None:
    rows = [[each["name"], each["found"], each["wanted"]] for each in record["measures"]]
    print_table(["measure", "found", "target"], rows)


def _show_growth(record: dict[str, Any]) -> None:
    from industry_apps.benchmark import growth_table

    sizes = [f"{rows} rows" for rows in record["rows"]]
    print_table(["measure", *sizes, "exponent"], growth_table(record))


def _benchmark_all(folder: Path, *, fast: bool, full: bool) -> None:
    from industry_apps.benchmark import benchmark_all, long_pairs, pairs

    later = {} if fast or full else long_pairs(folder, pairs())
    for (application, data), took in later.items():
        typer.echo(f"{application} on {data}: left for --full, it took {took / 60:.0f} minutes")
    chosen = [pair for pair in pairs() if pair not in later]
    step(f"Measuring {len(chosen)} benchmarks, each in a process of its own")
    failed = False
    for application, data, error in benchmark_all(folder, chosen, ["--fast"] if fast else []):
        typer.echo(f"{application} on {data}: {error or 'done'}", err=bool(error))
        failed = failed or bool(error)
    typer.echo(f"Results: {folder / 'README.md'}")
    if failed:
        raise typer.Exit(CHECK_FAILED)
