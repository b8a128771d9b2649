"""The contract that every application keeps: fit, predict, evaluate, export, split, sample."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self, TypeAlias, dataclass_transform

import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from industry_apps import __version__
from industry_apps.data import Dataset, Split, card, catalogue, sample
from industry_apps.data.datasets import data_name
from industry_apps.data.learned_tables import LearnedTables
from industry_apps.data.time_columns import (
    Units,
    check_units,
    times_of,
    units_of,
    with_ranges,
    with_times,
    within_ranges,
)
from industry_apps.errors import LeakageWarning, ParameterError, SchemaError
from industry_apps.evaluation import Problem, Report
from industry_apps.export import Exportable, assemble, export_model
from industry_apps.features import GraphBuilder
from industry_apps.limits import check_parameters, wrong_parameter
from industry_apps.recipes.column_mapping import OwnNames
from industry_apps.runtime import Panel, WindowRule
from industry_apps.runtime.answers import cells
from industry_apps.runtime.series.forecasts import warn_of_absent
from industry_apps.runtime.series.long_tables import long_schema
from industry_apps.runtime.watch import seen_in
from industry_apps.schema import Schema, Traits
from industry_apps.schema.names import Names

Data: TypeAlias = pd.DataFrame | Dataset | Split


@dataclass_transform(kw_only_default=True, eq_default=False)
class Application(BaseEstimator, ABC):
    """A model for one business problem, from raw records to the decision.

    A leaf declares its parameters as fields, each with its type, limit and default, as in
    ``delay_days: Annotated[int, integer(1, 365)] = 7``: it is a dataclass, whose ``__init__``
    stores them and does nothing else. ``fit`` checks them and learns attributes that end in an
    underscore. ``question`` is what the application answers, in the words of whoever asks;
    ``simulator`` is the card of its sample; ``defaults`` are the options of a parameter that is
    None, ``known_failures`` {check: reason} of the conformance suite.
    """

    name: ClassVar[str]
    question: ClassVar[str] = ""
    simulator: ClassVar[str] = ""
    schema: ClassVar[Schema]
    outputs: ClassVar[Schema]
    traits: ClassVar[Traits]
    problem: ClassVar[Problem]
    defaults: ClassVar[Mapping[str, Any]] = {}
    known_failures: ClassVar[Mapping[str, str]] = {}

    #: What ``_fit`` of each leaf learns: the columns that the file reads, records to prove it on,
    #: and the parts of the data in words. A model of windows has a rule and a history, too.
    schema_: Schema
    check_: pd.DataFrame
    split_: Mapping[str, Mapping[str, Any]]
    windows_: WindowRule | None = None
    history_: Panel | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        words = cls.__doc__
        dataclass(kw_only=True, eq=False, repr=False)(cls)
        cls.__doc__ = words  # where there are none, a dataclass would make some up

    def fit(
        self, train: Data, validation: pd.DataFrame | None = None, *, unit: Units = None
    ) -> Self:
        """Learn from training data; choose what can be chosen on validation data.

        The tables are kept, not copied, until baselines are learned from them by the first
        ``evaluate``; a pickle holds no tables.

        Parameters
        ----------
        train : DataFrame, Dataset or Split
            Raw records with the target; of a data set or split its training and validation
            parts.
        validation : DataFrame, optional
            Later records, where they have a time; by default some of ``train``.
        unit : {"s", "ms", "us", "ns", "YYYYMMDD", "sheet"} or {column: unit}, optional
            What numbers as times are, here and in service; else they are seconds since 1970.

        Raises
        ------
        SchemaError, ParameterError, LeakageError, TrainingError
        """
        train, validation = _tables(type(self).__name__, train, validation)
        check_parameters(self)
        self.__dict__.pop("data_", None)  # a fit that fails leaves nothing that looks fitted
        train, validation, self.units_ = _timed(self, train, validation, unit)
        self.seen_: dict[str, dict[str, Any]] = {}
        self._fit(train, validation)
        self.schema_ = with_ranges(self.schema_, (train, validation), self.units_, self.windows_)
        _read_off(self, [part for part in (train, validation) if part is not None])
        self.tables_ = LearnedTables(train, validation)
        self.data_ = train.attrs.get("data") or {"id": "own data", "sha256": self.tables_.sha256}
        return self

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Answer records with the trained model: the declared outputs, on the same index.

        An application of windows takes a long table, and answers each series as of the last
        moment of the table, or as of its own last row where its rule says so
        (``WindowRule.as_of``), on an index of the sorted names of the series; a forecast answers
        the moments behind the history, on an index of series and time.

        Raises
        ------
        SchemaError, NotFittedError
        """
        self._check_fitted()
        _check_names(self, frame)
        answers, index = self._indexed(within_ranges(frame, self.schema_, self.units_))
        return pd.DataFrame(cells(answers, self.outputs_), index=index)

    def evaluate(self, data: Data) -> Report:
        """Measure on records the model has not seen, beside baselines, with intervals.

        The first call learns the baselines, from the tables that ``fit`` was given.

        Parameters
        ----------
        data : DataFrame, Dataset or Split
            Of the latter the test part. Whether a table was learned from is seen where its
            records name an entity or a time, and is up to you where they name neither.

        Raises
        ------
        SchemaError, NotFittedError, LeakageError
        """
        self._check_fitted()
        data = with_times(data, self.units_)
        given = data if isinstance(data, Dataset | Split) else None
        lacking = self.tables_.once(self._fit_baselines, given)
        report = self._evaluate(data if isinstance(data, pd.DataFrame) else data.test)
        name = data_name(self.data_)
        report = replace(
            report,
            application=self.name,
            data=name,
            problem=self.problem,
            published=card(name).published if name in catalogue() else (),
            notes=(*report.notes, *lacking),
        )
        if separated := report.separated():
            warnings.warn(separated, LeakageWarning, stacklevel=2)
            report = replace(report, notes=(*report.notes, separated))
        self.report_ = report
        return report

    def export(
        self, path: str | Path, *, precision: str = "float32", check: Data | None = None
    ) -> Path:
        """Write one ONNX file, once it is proven to answer as the trained model does.

        Parameters
        ----------
        path : str or Path
            Ends in .onnx.
        precision : str
            One of ``traits.precisions``.
        check : DataFrame, Dataset or Split, optional
            Records to prove it on (of the latter, the test part), beside the edge rows;
            by default the validation records.

        Raises
        ------
        ParityError
            It would answer otherwise, or lose more than it may; nothing is written.
        ParameterError, NotFittedError
        """
        self._check_fitted()
        if precision not in self.traits.precisions:
            owner, words = f"{type(self).__name__}.export", f"one of {self.traits.precisions}"
            raise wrong_parameter(owner, "precision", words, precision)
        frame = check.test if isinstance(check, Dataset | Split) else check
        model = self._exportable(precision)
        model = replace(model, facts={**_facts_of_all(self), **model.facts})
        self.parity_ = export_model(model, Path(path), frame)
        return Path(path)

    @abstractmethod
    def split(self, frame: pd.DataFrame) -> Split:
        """Split a table of yours so that nothing leaks: by time, by subject, or at random.

        Raises
        ------
        SchemaError, LeakageError
        """

    @classmethod
    def sample(cls) -> Dataset:
        """A small data set for a first try, with no network: a simulation, and called so."""
        return sample(cls.simulator)

    @classmethod
    @abstractmethod
    def fast(cls) -> Self:
        """An instance whose ``fit`` on the sample takes seconds."""

    @abstractmethod
    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        """Learn the model, and nothing that only a report needs."""

    @abstractmethod
    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        """Learn what the model is compared with, from the tables that it has learned from."""

    @abstractmethod
    def _answers(self, frame: Any) -> dict[str, NDArray[Any]]:
        """The declared outputs, by the trained model: of windows, from the feeds of a moment."""

    @abstractmethod
    def _evaluate(self, frame: pd.DataFrame) -> Report: ...

    @abstractmethod
    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> Mapping[str, str]:
        """Append the model to a graph: {column: tensor} -> {output: tensor}."""

    def _facts(self) -> dict[str, Any]:
        """What decides, as JSON values for the file."""
        return {}

    def _thresholds(self) -> dict[str, list[float]]:
        """Columns and the values on which an answer turns, for the proof of parity."""
        return {}

    @property
    def outputs_(self) -> Schema:
        """The outputs of this model, where its parameters change those that are declared."""
        return self.outputs

    def _indexed(self, frame: pd.DataFrame) -> tuple[dict[str, NDArray[Any]], pd.Index]:
        """The answers, and whose they are."""
        if self.windows_ is not None:
            return _of_series(self, frame, self.windows_)
        return self._answers(frame), frame.index

    def _exportable(self, precision: str = "float32") -> Exportable:
        del precision  # a leaf that offers several makes use of it
        facts = {**self._facts(), "split": self.split_}
        return assemble(self, self._write, facts, thresholds=self._thresholds())

    def _check_fitted(self) -> None:
        if not hasattr(self, "data_"):
            raise NotFittedError(
                f"This {type(self).__name__} is not fitted yet. Call fit(train, validation) first."
            )


def _of_series(
    application: Application, frame: pd.DataFrame, rule: WindowRule
) -> tuple[dict[str, NDArray[Any]], pd.Index]:
    """The answers for each series of a long table, as of its last moment."""
    panel = Panel.read(frame, application.schema_, rule)
    warn_of_absent(panel, application.schema_, rule, calls=5)
    answers = application._answers(panel.feeds(len(panel.times), application.schema_, rule))
    return answers, pd.Index(panel.series, name=rule.series)


def _timed(
    application: Application, train: pd.DataFrame, validation: pd.DataFrame | None, unit: Units
) -> tuple[pd.DataFrame, pd.DataFrame | None, dict[str, str]]:
    """The tables with numbers as times, and the units of these."""
    own = application._own_schema() if isinstance(application, OwnNames) else application.schema
    times = times_of(own)
    units = units_of(unit, times)
    check_units((train, validation), times, units)
    return with_times(train, units), with_times(validation, units), units


def _read_off(application: Application, tables: list[pd.DataFrame]) -> None:
    """What the tables that were learned from tell about the columns that the model reads."""
    if application.traits.answers_empty:  # whose requests are no rows of these tables
        return
    application.schema_ = read = application.schema_.as_trained(*tables)
    rule = application.windows_
    if rule is not None and rule.horizon:  # in which nothing of the history is known
        read = read.without([column.name for column in read if column.role == "history"])
    application.seen_ = seen_in(tables[0], read, ranges=rule is None)


def _check_names(application: Application, frame: pd.DataFrame) -> None:
    """Check the names of a table as the file does."""
    if hasattr(application, "prepare"):  # which makes the columns that the model reads
        return
    rule, read = application.windows_, application.schema_.inputs()
    read = read if rule is None else long_schema(read, rule)
    Names(read, answers_empty=application.traits.answers_empty).check(frame)
    read.check_names(frame)


def _facts_of_all(application: Application) -> dict[str, Any]:
    """What every file says of its model, as JSON values."""
    return {
        "application": application.name,
        "summary": (type(application).__doc__ or "").partition("\n")[0],
        "version": __version__,
        "data": application.data_,
        "parameters": _parameters(application),
        "metrics": _metrics(application),
        "answers_empty": application.traits.answers_empty,
        "seen": application.seen_,
        "units": application.units_,
    }


def _parameters(application: Application) -> dict[str, Any]:
    """The parameters that JSON can hold: options with a class of their own are left out."""
    found = application.get_params(deep=False)
    return {name: value for name, value in found.items() if _is_plain(value)}


def _is_plain(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(each) for key, each in value.items())
    if isinstance(value, tuple | list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float)


def _metrics(application: Application) -> dict[str, Any]:
    found = application.report_.metrics if hasattr(application, "report_") else {}
    return {name: {**m.to_dict(), "text": str(m)} for name, m in found.items()}


def _tables(
    owner: str, train: pd.DataFrame | Dataset | Split, validation: pd.DataFrame | None
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """What to learn from and, where it is given, what to choose on."""
    if isinstance(train, Dataset | Split):
        # A data set that sets none aside leaves it to the application to cut folds.
        validation = train.validation if len(train.validation) else None
        train = train.train
    for name, part in (("training", train), ("validation", validation)):
        if not isinstance(part, pd.DataFrame | None):
            raise ParameterError(
                f"{owner}.fit takes a DataFrame, a Dataset or a Split; got {type(part).__name__}. "
                "Make a DataFrame of it."
            )
        if part is not None and not len(part):  # one without columns names what it lacks later
            raise SchemaError(f"The {name} data have no rows. Give at least some hundreds.")
    return train, validation
