"""A mixin of applications that watch a plant: what they answer, beside the file."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Self

import pandas as pd
from numpy.typing import NDArray

from industry_apps.energy.plant.table import Feeds, PlantTable
from industry_apps.errors import ParameterError, SchemaError
from industry_apps.evaluation import Report
from industry_apps.export import Exportable
from industry_apps.features import GraphBuilder
from industry_apps.limits import NAMES, POSITIVE
from industry_apps.recipes.column_mapping import OwnNames
from industry_apps.recipes.sensors.graph import WINDOWS_A_RUN

__all__ = ["HoldsPlant"]

#: At so many ages of the runs of a table a file is proven.
_MOMENTS = 40


@dataclass(kw_only=True, eq=False, repr=False)
class HoldsPlant(OwnNames):
    """A mixin of applications whose model is a :class:`PlantTable`, which they give.

    The class declares the columns ``run``, ``time`` and ``fault``.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of the class -> names in the data.
    """

    @abstractmethod
    def _plant(self, train: pd.DataFrame) -> PlantTable:
        """What learns from a table, not fitted."""

    def trajectories(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Answer each reading of a table, from what was known then.

        Parameters
        ----------
        frame : DataFrame
            As for ``predict``.

        Returns
        -------
        DataFrame
            The outputs, on an index of run and time, in order.

        Raises
        ------
        SchemaError, NotFittedError
        """
        self._check_fitted()  # type: ignore[attr-defined]
        return self.plant_.trajectories(frame)

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """What a bias of each tag alone would explain of the score of each run.

        Parameters
        ----------
        frame : DataFrame
            As for ``predict``.

        Returns
        -------
        DataFrame
            A column for each tag, of a limit of 1, below 0 where it reads too low; on the sorted
            names of the runs.

        Raises
        ------
        SchemaError, NotFittedError
        """
        self._check_fitted()  # type: ignore[attr-defined]
        return self.plant_.contributions(frame)

    def plot_contributions(self, frame: pd.DataFrame, run: str) -> Any:
        """Draw the contributions to the score of one run, as of its last reading.

        Parameters
        ----------
        frame : DataFrame
            As for ``predict``.
        run : str

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        SchemaError
            The table has no such run.
        """
        from industry_apps.energy.plant.plots import contribution_plot

        found = self.contributions(frame)
        if run not in found.index:
            raise SchemaError(
                f"Column {self._name('run')!r} has no row of the run {run!r}. The table has "
                f"{', '.join(map(repr, found.index[:5]))}; name one of these."
            )
        changes = dict(found.T[run])
        return contribution_plot(run, list(map(str, changes)), list(changes.values()))

    def stuck_tags(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Tags that read the same for twice as long as ever in training, five readings at least.

        Parameters
        ----------
        frame : DataFrame
            As for ``predict``.

        Returns
        -------
        DataFrame
            A row for each: the run, ``tag``, ``equal`` readings up to the last one, and the
            ``most_in_training``.

        Raises
        ------
        SchemaError, NotFittedError
        """
        self._check_fitted()  # type: ignore[attr-defined]
        return self.plant_.stuck(frame)

    def nearest_normal(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The normal reading of training that is most like the last one of each run.

        Parameters
        ----------
        frame : DataFrame
            As for ``predict``.

        Returns
        -------
        DataFrame
            On the sorted names of the runs: ``normal_run`` and ``normal_time`` of that reading (by
            the names of your columns), and ``difference``, the root mean squared one of the tags
            in their standard deviations; missing where a tag is.

        Raises
        ------
        SchemaError, NotFittedError
        """
        self._check_fitted()  # type: ignore[attr-defined]
        return self.plant_.nearest_normal(frame)

    def updated(
        self,
        frame: pd.DataFrame,
        tags: tuple[str, ...],
        *,
        memory: float = 500.0,
        bound: float = 1.0,
    ) -> Self:
        """A detector whose named tags have followed a plant that moves slowly.

        Mean and standard deviation of these tags follow the readings that raise no alarm; all
        other tags are frozen as training has found them, and limits, scorer and diagnosis stay.
        Nothing moves unless this is asked for; this detector is left as it was. Export the new one
        to serve it.

        Parameters
        ----------
        frame : DataFrame
            New readings, as for ``predict``.
        tags : tuple of str
            Those that may move.
        memory : float
            Readings in which the weight of one falls by a factor of e, at least 1.
        bound : float
            How far a mean may move from that of training, in its standard deviations, > 0; these
            change by a factor of 1 + bound at most. It holds for all updates together.

        Returns
        -------
        PlantFaultDetector
            With ``moved_``, a table of the tags: shift of the mean in standard deviations, ratio
            of these, whether the bound has held it, and whether it was stuck and not moved.

        Raises
        ------
        ParameterError
            A tag is not watched, or a number outside its limits.
        SchemaError, NotFittedError
        """
        self._check_fitted()  # type: ignore[attr-defined]
        if not NAMES.holds(tags):
            raise ParameterError(
                f"The 'tags' parameter of {type(self).__name__}.updated must be {NAMES.words}. "
                f"Got {tags!r}."
            )
        for name, value, least in (("memory", memory, 1.0), ("bound", bound, 0.0)):
            if not (POSITIVE.holds(value) and value >= least):
                raise ParameterError(
                    f"The {name!r} parameter of {type(self).__name__}.updated must be "
                    f"{POSITIVE.words if not least else 'a finite number >= 1'}. Got {value!r}."
                )
        found = copy(self)
        found.plant_, told = self.plant_.moved(frame, tags, memory, bound)
        found.moved_ = pd.DataFrame(told)
        return found

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        held = self.plant_ = self._plant(train).fit(train, validation)
        self.moved_ = pd.DataFrame()
        self.schema_, self.windows_ = held.used, held.windows
        self.check_ = held.check_
        self.split_: Mapping[str, Mapping[str, Any]] = held.split_

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        self.plant_.fit_baselines(train, validation)

    def _indexed(self, frame: pd.DataFrame) -> tuple[dict[str, NDArray[Any]], pd.Index]:
        feeds, index = self.plant_.asked(frame)
        return self._answers(feeds), index

    def _answers(self, frame: Feeds) -> dict[str, NDArray[Any]]:
        return self.plant_.model_.answer(frame)

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        return self.plant_.model_.write(builder, inputs)

    def _exportable(self, precision: str = "float32") -> Exportable:
        found: Exportable = super()._exportable(precision)  # type: ignore[misc]
        return replace(found, moments=_MOMENTS, rows_a_run=WINDOWS_A_RUN)

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        return self.plant_.evaluate(frame)

    def _facts(self) -> dict[str, Any]:
        return self.plant_.facts()
