"""What else one should know of a method, beside the benchmark's figures: it takes long."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from industry_apps.application import Application
from industry_apps.benchmark.hardware import machine
from industry_apps.data import Dataset
from industry_apps.errors import ParameterError, unknown_name
from industry_apps.evaluation.variants import Question
from industry_apps.export.model_file import library_versions
from industry_apps.workflow.runs import data_of


@runtime_checkable
class Studied(Protocol):
    """An application that answers what else one should know of its method."""

    def studies(self) -> Mapping[str, Question]:
        """Name -> what measures it on data, whose test part is for figures alone."""


def study(application: Application, question: str, source: str) -> dict[str, Any]:
    """Let an application answer one of the questions that it has on some data.

    Parameters
    ----------
    application : Application
        Not fitted; one that is :class:`Studied`.
    question : str
        One of those that it names.
    source : str
        Id of a data set, or ``"sample"``.

    Returns
    -------
    dict
        JSON values: ``application``, ``data``, ``question``, ``study`` (title -> ``text`` and
        ``table``), ``seconds``, ``versions``, ``machine``.

    Raises
    ------
    UnknownNameError, DataNotFoundError, ChecksumError
    ParameterError
        The application has no questions, or the data are a table of one's own.
    SchemaError, TrainingError, MissingExtraError
    """
    if not isinstance(application, Studied):
        raise ParameterError(f"{application.name} has no study. See its benchmark.")
    questions = application.studies()
    if question not in questions:
        raise unknown_name("study", question, questions)
    data = data_of(application, source)
    if not isinstance(data, Dataset):
        raise ParameterError(f"A study needs data that are split already. Got {source!r}.")
    started = time.perf_counter()
    found = questions[question](data)
    return {
        "application": application.name,
        "data": source,
        "question": question,
        "study": {each.title: {"text": each.text, "table": each.records()} for each in found},
        "seconds": round(time.perf_counter() - started, 1),
        "versions": library_versions(),
        "machine": machine(),
    }
