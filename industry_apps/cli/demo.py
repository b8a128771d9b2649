"""The whole way in a minute: train on the sample, export, prove, serve, measure, report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from industry_apps.application import Application
from industry_apps.benchmark.series_speed import history, one_moment
from industry_apps.benchmark.speed import one_record
from industry_apps.cli.printing import step
from industry_apps.evaluation.sections import spaced, text_of
from industry_apps.runtime import Model
from industry_apps.workflow.parameters import configured
from industry_apps.workflow.runs import SAMPLE, data_of, run

_REPETITIONS = 300


def two_versions(kind: type[Application], out: Path) -> tuple[Path, Path]:
    """Train two small models of one application in seconds; the files they are in.

    Parameters
    ----------
    kind : type of Application
    out : Path
        Folder for the files.
    """
    paths = out / "one.onnx", out / "two.onnx"
    for seed, path in enumerate(paths):
        application = configured(kind, {"seed": str(seed)}, fast=True)
        run(application, data_of(application, SAMPLE), path, told=step)
    return paths


def demonstrate(application: Application, out: Path) -> Iterator[str]:
    """Take an application from its embedded sample to a served model file.

    Parameters
    ----------
    application : Application
        Not fitted.
    out : Path
        Folder for ``model.onnx`` and ``report.html``.

    Yields
    ------
    str
        What has just been done and found, in plain words.
    """
    name = type(application).__name__
    data = data_of(application, SAMPLE)
    yield (
        f"Made the sample of {application.name}: {spaced(len(data.train))} records to learn from, "
        f"{spaced(len(data.validation))} to choose with, {spaced(len(data.test))} to test on."
    )
    done = run(application, data, out / "model.onnx", told=step)
    first, estimate = next(iter(done.report.metrics.items()))
    yield (
        f"Trained {name} ({done.report.model}), tested it and wrote its model file in "
        f"{done.seconds:.0f} s: {first} {estimate} (95 % interval)."
    )
    if verdicts := done.report.comparisons():
        yield f"By {first} it {verdicts[0]}, the best baseline."
    proof = done.certificate
    yield (
        f"Compared the file's answers with the trained model's on {spaced(proof.rows)} test "
        f"records and {spaced(proof.edge_rows)} difficult ones: {proof.changed_decisions} changed "
        f"decisions, {proof.beyond_tolerance} answers further apart than {proof.tolerance:g}."
    )
    model = Model(done.path)
    if model.windows is None:
        asked, answer = "one record", model.predict(data.test.head(1).to_dict("records")[0])
        ratios = one_record(application, done.path, data.test, repetitions=_REPETITIONS)
    else:
        table = history(data)
        asked, answer = "the series of one moment", model.predict(table).iloc[0].to_dict()
        ratios = one_moment(application, done.path, table, repetitions=_REPETITIONS // 10)
    told = ", ".join(f"{key} {text_of(value)}" for key, value in answer.items())
    yield f"Asked the file about {asked}, with onnxruntime alone: {told}."
    yield (
        f"An answer takes {ratios[2].found()}: {ratios[0].found()} times faster than {name} in "
        f"Python, {ratios[1].found()} times as long as the bare onnxruntime session."
    )
    page = done.report.to_html(out / "report.html")
    yield f"Model file: {done.path} ({done.path.stat().st_size / 1024:.0f} kB)"
    yield f"Report:     {page}"
