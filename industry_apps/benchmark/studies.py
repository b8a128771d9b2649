"""What else one should know of a method, beside the benchmark's figures: it takes long."""

from __future__ import annotations

import time
from typing import Any, Protocol, runtime_checkable

from industry_apps.application import Application
from industry_apps.benchmark.hardware import machine
from industry_apps.benchmark.runs import data_of
from industry_apps.data import Dataset
from industry_apps.errors import ParameterError
from industry_apps.evaluation.sections import Section
from industry_apps.export.model_file import library_versions


@runtime_checkable
class Studied(Protocol):
    """An application that answers what else one should know of its method."""

    def study(self, data: Dataset) -> tuple[Section, ...]:
        """Measure on data, whose test part is for figures alone; it may take long."""


def study(application: Application, source: str) -> dict[str, Any]:
    """Let an application answer the questions that it has on some data.

    Parameters
    ----------
    application : Application
        Not fitted; one that is :class:`Studied`.
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
    if not isinstance(application, Studied):
        raise ParameterError(f"{application.name} has no study. See its benchmark.")
    data = data_of(application, source)
    if not isinstance(data, Dataset):
        raise ParameterError(f"A study needs data that are split already. Got {source!r}.")
    started = time.perf_counter()
    found = application.study(data)
    return {
        "application": application.name,
        "data": source,
        "study": {each.title: {"text": each.text, "table": each.records()} for each in found},
        "seconds": round(time.perf_counter() - started, 1),
        "versions": library_versions(),
        "machine": machine(),
    }
