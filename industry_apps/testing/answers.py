"""Checks of the answers: the file gives them as the trained model does, wherever, however."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import require
from industry_apps.export.parity import Answers, certify
from industry_apps.schema import Schema
from industry_apps.testing.assertions import (
    ROUNDING,
    assert_outputs,
    assert_same,
    assert_that,
    values_of,
)
from industry_apps.testing.trial import PARTS, Trial

#: What a serving machine does not have.
TRAINING_LIBRARIES = (
    "torch",
    "lightning",
    "sklearn",
    "lightgbm",
    "onnx",
    "onnxscript",
    "scipy",
    "matplotlib",
    "pandas",
)

_SERVE = """
import json, sys
sys.modules.update(dict.fromkeys(sys.argv[2:]))  # None there: importing it raises ImportError
from industry_apps.runtime import Model
model = Model(sys.argv[1])
json.dump([model.predict(table) for table in json.load(sys.stdin)], sys.stdout)
"""


def export_parity(trial: Trial) -> None:
    """The file answers as the trained model, on the test part and on edge rows."""

    def native(frame: pd.DataFrame) -> Answers:
        return arrays_of(trial.fitted.predict(frame))

    def exported(frame: pd.DataFrame) -> Answers:
        return arrays_of(trial.model.predict(frame))

    found = certify(native, exported, trial.data.test, pd.concat(trial.edges()))
    stated = trial.fitted.parity_
    assert_that(found.holds and stated.holds, f"Found {found}, the file states {stated}.")
    assert_that(
        stated.rows == len(trial.data.test) and stated.edge_rows > 0,
        f"Exported with the test part as check, the certificate is of other rows: {stated}.",
    )


def runs_without_training_libraries(trial: Trial) -> None:
    """A process that cannot import the training libraries gives the same answers."""
    tables = [trial.records(100), *trial.edges()]
    records = [
        table[[name for name in trial.inputs.names if name in table]].to_dict("records")
        for table in tables
    ]
    done = subprocess.run(
        [sys.executable, "-c", _SERVE, str(trial.path), *TRAINING_LIBRARIES],
        input=json.dumps(records, default=_plain),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert_that(done.returncode == 0, f"The process failed: {done.stderr[-2000:]}")
    for table, answers in zip(tables, json.loads(done.stdout), strict=True):
        theirs = trial.framed(answers, table)
        assert_same(trial.fitted.predict(table), theirs, "Trained model and bare process")


def declared_outputs_only(trial: Trial) -> None:
    """Trained model and file give the declared outputs, of their types, within limits."""
    outputs = trial.application_class.outputs
    assert_that(
        trial.model.outputs == outputs,
        f"The file declares {trial.model.outputs.names}, the class {outputs.names}.",
    )
    for frame in (trial.asked, *trial.edges()):
        assert_outputs(outputs, trial.fitted.predict(frame), "Trained model")
        assert_outputs(outputs, trial.model.predict(frame), "File")


def file_describes_itself(trial: Trial) -> None:
    """The file names the application, and a JSON description can be made of it."""
    described = trial.model.describe()
    json.dumps(described)
    assert_that(
        described["application"] == trial.application_class.name,
        f"The file names {described['application']!r} as its application.",
    )


def same_seed_same_answers(trial: Trial) -> None:
    """A second fit on the same data gives the same answers, bit by bit."""
    again = trial.application_class.fast().fit(trial.data)
    ours, theirs = (model.predict(trial.asked) for model in (trial.fitted, again))
    assert_same(ours, theirs, "Two fits with the same seed", tolerance=0)


def one_record_equals_batch(trial: Trial) -> None:
    """A record is answered alone as it is among others."""
    frame = pd.concat([trial.records(30), *trial.edges()], ignore_index=True)
    for way in trial.ways():
        alone = pd.concat([way.ask(frame.iloc[[row]]) for row in range(len(frame))])
        assert_same(way.ask(frame), alone, f"Batch and one record, {way.name},", tolerance=ROUNDING)


def row_order_does_not_matter(trial: Trial) -> None:
    """Shuffled records get the answers that they got before."""
    frame = trial.data.test
    shuffled = frame.iloc[np.random.default_rng(0).permutation(len(frame))]
    for ask in (trial.fitted.predict, trial.model.predict):
        assert_same(
            ask(frame), ask(shuffled).loc[frame.index], "Ordered and shuffled", tolerance=ROUNDING
        )


def column_order_does_not_matter(trial: Trial) -> None:
    """Columns are found by name."""
    frame = trial.records(50)
    turned = frame[frame.columns[::-1]]
    for way in trial.ways():
        assert_same(way.ask(frame), way.ask(turned), f"Column orders, {way.name},", tolerance=0)


def further_columns_do_not_matter(trial: Trial) -> None:
    """The columns that the file reads are enough, and others change nothing."""
    frame = trial.records(50)
    only = frame[[name for name in trial.inputs.names if name in frame]]
    more = frame.assign(unknown_to_the_model=pd.Series([object()] * len(frame)))
    for way in trial.ways():
        answer = way.ask(only)
        for other in (frame, more):
            assert_same(answer, way.ask(other), f"Further columns, {way.name},", tolerance=0)


def files_are_answered_as_frames(trial: Trial) -> None:
    """A CSV or Parquet file of records is answered as they are in memory, alone or beside them."""
    frame = trial.records(60)
    frame = frame[[name for name in trial.inputs.names if name in frame]]
    expected = trial.model.predict(frame)
    with TemporaryDirectory() as folder:
        for kind in ("csv", "parquet"):
            asked, answered = (Path(folder) / f"{name}.{kind}" for name in ("asked", "answered"))
            _write(frame, asked, trial.inputs)
            assert_same(expected, trial.model.predict(asked), f"Frame and {kind} file")
            rows = trial.model.predict(asked, to=answered)
            written = _read(answered)
            assert_that(
                rows == len(expected) == len(written),
                f"{kind}: {len(expected)} answers, said {rows}, written {len(written)}.",
            )
            lost = [name for name in expected if name not in written]
            assert_that(not lost, f"{kind}: the answers {lost} are not in the file.")


def index_is_kept(trial: Trial) -> None:
    """Answers come on the index of the records, whatever it is."""
    frame = trial.records(6)
    for index in (list("fedcba"), [7] * 6, pd.date_range("2020-01-01", periods=6)):
        for way in trial.ways()[:2]:
            frame.index = pd.Index(index, name="key")
            answer = way.ask(frame)
            assert_that(
                answer.index.identical(frame.index),
                f"{way.name}: asked with {frame.index}, answered with {answer.index}.",
            )


def inputs_are_not_mutated(trial: Trial) -> None:
    """Fit, predict, evaluate and export leave the tables as they were."""
    asked = trial.asked.copy()
    for name in asked.select_dtypes(object):
        asked[name] = asked[name].map(deepcopy)  # images and lists, too
    trial.model.predict(asked)
    trial.fitted.predict(asked)
    pd.testing.assert_frame_equal(asked, trial.asked)
    assert_that(bool(trial.report.metrics), "The report has no metrics.")
    for name in PARTS:
        pd.testing.assert_frame_equal(getattr(trial.data, name), trial.untouched[name])


def sample_repeats(trial: Trial) -> None:
    """``sample()`` gives equal tables each time."""
    again = trial.application_class.sample()
    for name in PARTS:
        pd.testing.assert_frame_equal(getattr(again, name), trial.untouched[name])


def beats_trivial_baseline(trial: Trial) -> None:
    """The metric that decides lies beyond the trivial baseline's, where the problem has one."""
    report, problem = trial.report, trial.application_class.problem
    metric = problem.decisive(report.metrics)
    if not problem.trivial:
        return
    baseline = problem.trivial_of(report.baselines)
    assert_that(baseline is not None, f"Of {problem.trivial}, no baseline is in the report.")
    margin = report.margins[str(baseline)][metric]
    lead = margin.low if problem.sign(metric) > 0 else -margin.high
    assert_that(lead > 0, f"{metric} less that of {baseline!r} is {margin}.")


def reports_intervals_and_baselines(trial: Trial) -> None:
    """Metrics have intervals, the one that decides among them, beside two baselines or more."""
    report, problem = trial.report, trial.application_class.problem
    unsaid = [name for name in report.metrics if not problem.metric(name).meaning]
    assert_that(not unsaid, f"Of {problem.name!r}, no meaning is declared of {unsaid}.")
    metric = problem.decisive(report.metrics)
    for name, found in report.metrics.items():
        known = found.low <= found.value <= found.high or not np.isfinite(found.value)
        assert_that(known, f"The metric {name!r} lies in no interval: {found}.")
    decisive = report.metrics[metric]
    assert_that(decisive.low < decisive.high, f"The interval of {metric!r} has no width.")
    assert_that(len(report.baselines) >= 2, f"Too few baselines: {sorted(report.baselines)}.")


def explains_each_column(trial: Trial) -> None:
    """Each column that the file reads has a finite contribution, one record or many asked."""
    frame = trial.records(20)
    table = trial.model.explain(frame)
    alone: list[Any] = [trial.model.explain(record) for record in frame.to_dict("records")]
    assert_that(
        set(trial.inputs.names) <= set(table),
        f"Explained are {sorted(table)}, read are {sorted(trial.inputs.names)}.",
    )
    assert_that(trial.model.explain(frame.to_dict("records")) == alone, "Records and each differ.")
    assert_that(trial.model.explain(frame.head(0)).empty, "No records have an explanation.")
    assert_same(table, pd.DataFrame(alone, index=table.index)[list(table)], "Many and one record")
    assert_that(bool(np.isfinite(table.to_numpy()).all()), f"Not finite: {table}")
    assert_that(bool(table.to_numpy().any()), "No column contributes anything.")


def reasons_are_explained(trial: Trial) -> None:
    """The columns named as reasons are those that contribute most, in the order of it."""
    if "reasons" not in trial.model.outputs:
        return
    frame = trial.records(100)
    named = trial.model.predict(frame)["reasons"]
    most = max(map(len, named))
    for row, reasons in enumerate(named):
        record: Any = frame.iloc[[row]].to_dict("records")[0]
        told = trial.model.explain(record)
        raising = sorted((each for each in told.values() if each > 0), reverse=True)
        assert_that(
            [told[name] for name in reasons] == raising[: len(reasons)]
            and len(reasons) in (len(raising), most),
            f"Row {row}: named are {reasons}, contributions are {told}.",
        )
    assert_that(any(map(len, named)), "No record has a reason.")


def _plain(value: Any) -> object:
    """What JSON knows, for times, missing values, images, and numpy's scalars."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if pd.isna(value):
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value.item()


def _write(frame: pd.DataFrame, path: Path, schema: Schema) -> None:
    """Write a table as others would: lists as JSON in a CSV file, images as files beside it."""
    table = frame.copy()
    for name in frame:
        column = schema[str(name)]
        if column.kind == "image":
            pillow = require("PIL.Image", extra="images", needed_by="writing PNG images")
            files = [path.parent / f"{row}.png" for row in frame.index]
            for file, image in zip(files, frame[name], strict=True):
                pillow.fromarray(np.squeeze(image)).save(file)
            table[name] = list(map(str, files))
        elif column.is_list and path.suffix == ".csv":
            table[name] = [json.dumps(list(cell), default=_plain) for cell in frame[name]]
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path, index=False)


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)


def arrays_of(frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
    """The columns of a frame as arrays."""
    return {str(name): values_of(frame[name]) for name in frame}


#: Of applications that answer record by record; parity first.
OF_RECORDS = (
    export_parity,
    one_record_equals_batch,
    row_order_does_not_matter,
    index_is_kept,
)

#: Of all, in the order in which they are made.
CHECKS = (
    runs_without_training_libraries,
    declared_outputs_only,
    file_describes_itself,
    same_seed_same_answers,
    files_are_answered_as_frames,
    column_order_does_not_matter,
    further_columns_do_not_matter,
    inputs_are_not_mutated,
    sample_repeats,
    beats_trivial_baseline,
    reports_intervals_and_baselines,
)
