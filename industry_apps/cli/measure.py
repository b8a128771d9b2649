"""The command ``industry-apps benchmark``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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


def benchmark(  # noqa: PLR0913, PLR0917 - each is an option
    application: Annotated[str, typer.Argument(metavar="APPLICATION", help=NAMES)] = "",
    data: Data = "sample",
    every: Annotated[
        bool, typer.Option("--all", help="Measure all, up to 20 minutes an industry.")
    ] = False,
    speed: Annotated[bool, typer.Option("--speed", help="Measure speed and memory only.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Also speed and memory; with --all, however long.")
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
    if not application:
        raise ParameterError("Name an application (see industry-apps list), or give --all.")
    from industry_apps import benchmark as measuring
    from industry_apps.workflow.parameters import configured, settings_for

    given = {**settings_for(data), **settings_of(settings, None)}
    model = configured(kind_of(application), given, fast=fast)
    step(f"Measuring {application} on {data}")
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
