"""What else one should know of a method, beside the benchmark's figures: it takes long."""

from __future__ import annotations

import time
from typing import Any

from industry_apps.application import Application
from industry_apps.benchmark.hardware import machine
from industry_apps.benchmark.runs import data_of
from industry_apps.data import Dataset
from industry_apps.errors import ParameterError
from industry_apps.export.model_file import library_versions


def study(application: Application, source: str) -> dict[str, Any]:
    """Let an application answer the questions that it has on some data.

    Parameters
    ----------
    application : Application
        Not fitted; its method ``study`` answers.
    source : str
        Id of a data set, or ``"sample"``.

    Returns
    -------
    dict
        JSON values: ``application``, ``data``, ``study`` (title -> ``text`` and ``table``),
        ``seconds``, ``versions``, ``machine``.

    Raises
    ------
    UnknownNameError, DataNotFoundError, ChecksumError
    ParameterError
        The application has no questions, or the data are a table of one's own.
    SchemaError, TrainingError, MissingExtraError
    """
    data = data_of(application, source)
    if not isinstance(data, Dataset):
        raise ParameterError(f"A study needs data that are split already. Got {source!r}.")
    started = time.perf_counter()
    found = application.study(data)
    if not found:
        raise ParameterError(f"{application.name} has no study. See its benchmark.")
    return {
        "application": application.name,
        "data": source,
        "study": {each.title: {"text": each.text, "table": each.records()} for each in found},
        "seconds": round(time.perf_counter() - started, 1),
        "versions": library_versions(),
        "machine": machine(),
    }
