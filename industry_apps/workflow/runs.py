"""One run of an application: from data to a model file that is measured and proven."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import pandas as pd
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed

from industry_apps.application import Application
from industry_apps.data import Dataset, Split, card, catalogue, load
from industry_apps.data.time_columns import Units
from industry_apps.errors import SuspectedLeakError, UnknownNameError, unknown_name
from industry_apps.evaluation import Report, merged
from industry_apps.evaluation.repeats import over_seeds
from industry_apps.evaluation.sections import spaced
from industry_apps.export.model_file import check_ending
from industry_apps.export.parity import Certificate
from industry_apps.runtime.csv_rows import form_of
from industry_apps.runtime.progress import progress
from industry_apps.workflow.cores import cores
from industry_apps.workflow.own_tables import own_table

#: The name under which every application's embedded sample is asked for.
SAMPLE = "sample"


@dataclass(frozen=True, eq=False, kw_only=True)
class Run:
    """A trained application, what it was judged on, and its file.

    Parameters
    ----------
    application : Application
        Fitted, evaluated and exported.
    data : Dataset or Split
    report : Report
        Of the test part, with the certificate.
    certificate : Certificate
        Parity on the whole test part.
    path : Path
        The model file.
    seconds : float
        From the first step of training to the written file; of the last one, where the data
        are split many times.
    seeds : tuple of int
        Of training; one for each repeat.
    """

    application: Application
    data: Dataset | Split
    report: Report
    certificate: Certificate
    path: Path
    seconds: float
    seeds: tuple[int, ...]


def run(
    application: Application,
    data: Dataset | Split,
    path: Path,
    *,
    unit: Units = None,
    told: Callable[[str], object] = str,
    accept: bool = True,
) -> Run:
    """Train, evaluate once on the test part, and export with parity on all of it.

    Parameters
    ----------
    application : Application
    data : Dataset or Split
        As :func:`data_of` makes it.
    path : Path
        The model file to write, ends in .onnx.
    unit : str or mapping of str to str, optional
        As for :func:`data_of`; the file takes numbers as times in it, too.
    told : callable
        Gets a few words before each step, for whoever waits.
    accept : bool
        Whether to go on where a column alone tells the outcome.

    Raises
    ------
    SchemaError, ParameterError, LeakageError, TrainingError, ParityError, ModelFileError
    SuspectedLeakError
        A column alone tells the outcome, and that is not accepted; nothing is written.
    """
    check_ending(path)
    started = time.perf_counter()
    told(f"Training {type(application).__name__} on {spaced(len(data.train))} records")
    data = prepared(application, data)
    application.fit(data, unit=unit)
    suspected = "; ".join(map(str, getattr(application, "separating_", ())))
    if suspected and not accept:
        raise SuspectedLeakError(suspected)
    told(f"Measuring it and its baselines on {spaced(len(data.test))} records")
    report = application.evaluate(data.test)
    told(f"Writing {path.name} and comparing its answers with the trained model's")
    application.export(path, check=data.test)
    certificate: Certificate = application.parity_
    return Run(
        application=application,
        data=data,
        report=replace(report, parity=certificate.to_dict()),
        certificate=certificate,
        path=path,
        seconds=time.perf_counter() - started,
        seeds=(_seed(application),),
    )


@runtime_checkable
class Prepared(Protocol):
    """An application that makes columns, which its file reads, of others."""

    def prepare(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a table with more columns."""


def prepared(application: Application, data: Dataset | Split) -> Dataset | Split:
    """The data with the columns that the file reads."""
    if not isinstance(application, Prepared):
        return data
    train, validation, test = map(application.prepare, (data.train, data.validation, data.test))
    if isinstance(data, Split):
        return Split(train, validation, test)
    return replace(data, train=train, validation=validation, test=test)


def run_all(application: Application, source: str, path: Path, *, full: bool = False) -> Run:
    """Run an application on every split of a data set, or with every seed, and merge the results.

    They are run side by side, each in a process with its share of the cores: on few rows
    threads wait for each other more than they work.

    Parameters
    ----------
    application : Application
        Not fitted.
    source : str
        As for :func:`data_of`; data that are split once are run once.
    path : Path
        The model file to write, of the last split; ends in .onnx.
    full : bool
        On all splits that a card knows, and not only on those that are usually made.

    Returns
    -------
    Run
        Application, data and file of the last split, report and certificate of all.

    Raises
    ------
    UnknownNameError, DataNotFoundError, ChecksumError
    SchemaError, ParameterError, LeakageError, TrainingError, ParityError, ModelFileError
    """
    facts = card(source) if source in catalogue() else None
    if facts is None or facts.runs == 1:
        return run(application, data_of(application, source), path)
    started = time.perf_counter()
    rule, runs = facts.resampling, facts.most_runs if full else facts.runs
    folds = max(rule.folds, 1) if rule else 1
    asked = [(_repeated(application, n // folds), n) for n in range(runs)]
    # The last one first and in this process: its model is kept, and an error shows at once.
    done = run(asked[-1][0], load(source, run=asked[-1][1]), path)
    workers = Parallel(n_jobs=min(cores(), runs - 1), return_as="generator")
    judged = workers(delayed(_judged)(fresh, source, number) for fresh, number in asked[:-1])
    shown = progress(((each, n / runs) for n, each in enumerate(judged, start=2)), source)
    found = [*shown, (done.report, done.certificate)]
    reports, certificates = zip(*found, strict=True)
    certificate = Certificate.joined(certificates)
    report = (
        merged(reports, test_share=rule.test_share, rows_once=folds)
        if rule
        else over_seeds(reports)
    )
    return replace(
        done,
        report=replace(report, parity=certificate.to_dict()),
        certificate=certificate,
        seconds=time.perf_counter() - started,
        seeds=tuple(sorted({_seed(fresh) for fresh, _ in asked})),
    )


def _repeated(application: Application, repeat: int) -> Application:
    """The same application, not fitted, with a seed of its own for each repeat."""
    fresh: Application = clone(application)
    if "seed" in fresh.get_params(deep=False):
        fresh.set_params(seed=_seed(application) + repeat)
    return fresh


def _seed(application: Application) -> int:
    seed: int = application.get_params(deep=False).get("seed", 0)
    return seed


def _judged(application: Application, source: str, number: int) -> tuple[Report, Certificate]:
    """One of the splits, in a worker: its file is proven and thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        done = run(application, load(source, run=number), Path(folder) / "model.onnx")
    return done.report, done.certificate


def data_of(
    application: Application, source: str, *, unit: Units = None, learned: str | None = None
) -> Dataset | Split:
    """Find the data that somebody named, split so that nothing leaks.

    Parameters
    ----------
    application : Application
        Splits a table of one's own, and offers the sample.
    source : str
        Id of a data set, ``"sample"``, the path of a CSV or Parquet file, or of a folder that holds
        one folder of images for each class.
    unit : str or mapping of str to str, optional
        What numbers as times of a table of one's own are, as in ``fit``.
    learned : str, optional
        To judge a model file: the sha256 of what it has learned from. Of that very table the
        test part is what training left, of any other all rows.

    Raises
    ------
    UnknownNameError
        It is none of these; names the nearest.
    DataNotFoundError, ChecksumError, SchemaError, LeakageError, ParameterError

    Examples
    --------
    >>> from industry_apps.finance import FraudDetector
    >>> len(data_of(FraudDetector(), "sample").test) > 1000
    True
    """
    if source == SAMPLE:
        return application.sample()
    if source in catalogue():
        return load(source)
    if form_of(Path(source)) or Path(source).exists():
        return own_table(application, Path(source), unit=unit, learned=learned)
    error = unknown_name("data set", source, [*catalogue(), SAMPLE])
    raise UnknownNameError(f"{error} A table of yours is a file that ends in .csv or .parquet.")
