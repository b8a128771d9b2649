"""The contract that every application keeps: fit, predict, evaluate, export, sample."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from industry_apps import __version__
from industry_apps.data import Dataset, Split, card, catalogue
from industry_apps.errors import ParameterError, SchemaError
from industry_apps.evaluation import Report
from industry_apps.export import Exportable, export_model
from industry_apps.export.model_file import frame_sha256
from industry_apps.limits import Limit, check_limits, wrong_parameter
from industry_apps.runtime.answers import cells
from industry_apps.schema import Schema, Traits


class Application(BaseEstimator, ABC):
    """A model for one business problem, from raw records to the decision.

    ``__init__`` of a leaf stores its parameters and nothing else; ``fit`` checks them and
    learns attributes that end in an underscore. A leaf fills in the abstract methods, and declares
    what stands below: ``defaults`` are the options of a parameter that is None, ``known_failures``
    {check: reason} of the conformance suite.
    """

    name: ClassVar[str]
    schema: ClassVar[Schema]
    outputs: ClassVar[Schema]
    traits: ClassVar[Traits]
    limits: ClassVar[Mapping[str, Limit]] = {}
    defaults: ClassVar[Mapping[str, Any]] = {}
    known_failures: ClassVar[Mapping[str, str]] = {}

    def fit(
        self, train: pd.DataFrame | Dataset | Split, validation: pd.DataFrame | None = None
    ) -> Self:
        """Learn from training data; choose what can be chosen on validation data.

        Parameters
        ----------
        train : DataFrame, Dataset or Split
            Raw records with the target; of a data set or split its training and validation
            parts.
        validation : DataFrame, optional
            Later records, where they have a time; by default some of ``train``.

        Raises
        ------
        SchemaError, ParameterError, LeakageError, TrainingError
        """
        train, validation = _tables(type(self).__name__, train, validation)
        check_limits(self, self.limits)
        self.__dict__.pop("data_", None)  # a fit that fails leaves nothing that looks fitted
        self._fit(train, validation)
        self.data_ = train.attrs.get("data") or {"id": "own data", "sha256": frame_sha256(train)}
        return self

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Answer records with the trained model: the declared outputs, on the same index.

        An application of windows takes a long table, and answers each series as of the last
        moment of the table, on an index of the sorted names of the series; a forecast answers
        the moments behind the history, on an index of series and time.

        Raises
        ------
        SchemaError, NotFittedError
        """
        self._check_fitted()
        return pd.DataFrame(cells(self._answers(frame)), index=self._index(frame))

    def evaluate(self, data: pd.DataFrame | Dataset | Split) -> Report:
        """Measure on records the model has not seen, beside baselines, with intervals.

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
        report = self._evaluate(data.test if isinstance(data, Dataset | Split) else data)
        name = self.data_["id"]
        published = card(name).published if name in catalogue() else ()
        self.report_ = replace(report, application=self.name, data=name, published=published)
        return self.report_

    def export(
        self,
        path: str | Path,
        *,
        precision: str = "float32",
        check: pd.DataFrame | Dataset | Split | None = None,
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
        model = self._exportable().of_precision(precision)
        facts = {
            "application": self.name,
            "summary": (type(self).__doc__ or "").partition("\n")[0],
            "version": __version__,
            "data": self.data_,
            "parameters": _parameters(self),
            "metrics": _metrics(self),
            **model.facts,
        }
        self.parity_ = export_model(replace(model, facts=facts), Path(path), frame)
        return Path(path)

    @classmethod
    @abstractmethod
    def sample(cls) -> Dataset:
        """A small data set for a first try, with no network."""

    @classmethod
    @abstractmethod
    def fast(cls) -> Self:
        """An instance whose ``fit`` on the sample takes seconds."""

    @abstractmethod
    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None: ...

    @abstractmethod
    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]: ...

    def _index(self, frame: pd.DataFrame) -> pd.Index:
        """Whose the answers are; a leaf that answers windows of series names the series."""
        return frame.index

    @abstractmethod
    def _evaluate(self, frame: pd.DataFrame) -> Report: ...

    @abstractmethod
    def _exportable(self) -> Exportable: ...

    def _check_fitted(self) -> None:
        if not hasattr(self, "data_"):
            raise NotFittedError(
                f"This {type(self).__name__} is not fitted yet. Call fit(train, validation) first."
            )


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
        if part is not None and part.empty:
            raise SchemaError(f"The {name} data have no rows. Give at least some hundreds.")
    return train, validation
