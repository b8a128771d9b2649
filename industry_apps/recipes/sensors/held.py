"""A mixin of applications on the remaining life of machines: parameters, columns, verbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import pandas as pd
from numpy.typing import NDArray

from industry_apps.data import Split
from industry_apps.data.splits import split_by_group
from industry_apps.errors import ParameterError, SchemaError, nearest
from industry_apps.evaluation import Report
from industry_apps.export import Exportable
from industry_apps.features import GraphBuilder
from industry_apps.features.signals import Signal
from industry_apps.limits import OPEN_SHARE, POSITIVE, Limit, integer
from industry_apps.recipes.column_mapping import OwnNames
from industry_apps.recipes.sensors.graph import WINDOWS_A_RUN
from industry_apps.recipes.sensors.lives import LifeColumns, life_of
from industry_apps.recipes.sensors.recipe import TRAINING, TREES, LifeModelName, LifeOptions
from industry_apps.recipes.sensors.table import Feeds, LifeTable
from industry_apps.recipes.separating import Telling, warn_of
from industry_apps.recipes.trees import TreeOptions
from industry_apps.runtime import WindowRule
from industry_apps.schema import Column, Schema, infer_columns
from industry_apps.training import TrainingOptions

SIGNALS = Limit(
    lambda v: isinstance(v, tuple) and all(isinstance(each, Signal) for each in v),
    "a tuple of signals, as industry_apps.features has them",
)
#: Where nobody says it, lives count up to this share of the usual one: what is longer is the life
#: of machines that show no wear yet.
_OF_USUAL_LIFE = 0.6
#: At so many ages of the machines of a table a file is proven.
_MOMENTS = 40
#: Shares of the machines.
_VALIDATION, _TEST = 0.2, 0.25
#: Machines that are too few to be split.
_FEWEST_MACHINES = 4


@dataclass(kw_only=True, eq=False, repr=False)
class HoldsLife(OwnNames):
    """A mixin of applications whose model is the remaining life of machines.

    Its parameters are those of the estimate. The class declares the columns ``machine``,
    ``time``, ``remaining_life`` and ``failed``.
    """

    sensors: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    model: LifeModelName = "blend"
    cap: Annotated[float, POSITIVE] | None = None
    history: Annotated[int, integer(2, 2_000)] | None = None
    whole_records: bool = True
    regimes: Annotated[int, integer(1, 100)] | None = None
    features: Annotated[tuple[Signal, ...], SIGNALS] = ()
    coverage: Annotated[float, OPEN_SHARE] = 0.9
    folds: Annotated[int, integer(2, 50)] = 5
    trees: TreeOptions | None = None
    training: TrainingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    def split(self, frame: pd.DataFrame) -> Split:
        """Split a table of yours by machine: all readings of one lie in one part.

        Parameters
        ----------
        frame : DataFrame
            Long: a row for each machine and reading.
        """
        name = self._name("machine")
        if name in frame and frame[name].nunique() < _FEWEST_MACHINES:
            raise SchemaError(
                f"Column {name!r} names {frame[name].nunique()} machines, and a split by machine "
                f"needs {_FEWEST_MACHINES} or more. Give records of more machines."
            )
        return split_by_group(frame, group=name, validation=_VALIDATION, test=_TEST, seed=self.seed)

    def trajectories(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Answer each reading of a table, from what was known then.

        Parameters
        ----------
        frame : DataFrame
            As for ``predict``.

        Returns
        -------
        DataFrame
            The outputs, on an index of machine and time, in order.

        Raises
        ------
        SchemaError, NotFittedError
        """
        self._check_fitted()  # type: ignore[attr-defined]
        return self.life_.trajectories(frame)

    def plot_trajectory(self, frame: pd.DataFrame, machine: str | int) -> Any:
        """Draw the answers to one machine, reading by reading, beside what came if that is known.

        Parameters
        ----------
        frame : DataFrame
            As for ``predict``; with the column of the life that was left, this is drawn too.
        machine : str or int
            Its name, as it stands in the table.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        SchemaError
            The table has no such machine.
        """
        from industry_apps.recipes.sensors.plots import trajectory_plot

        names = self._life_columns()
        read = Column(names.machine, "category").to_array
        known, (asked,) = read(frame[names.machine]), read([machine])
        own = frame[known == asked].sort_values(names.time)
        if not len(own):
            some = ", ".join(map(repr, sorted(set(known))[:3]))
            raise SchemaError(
                f"Column {names.machine!r} has no row of the machine {machine!r}. It names "
                f"{len(set(known))} machines, such as {some}: ask for one of them."
            )
        found = self.trajectories(own)
        answers = {str(name): found[name].to_numpy() for name in found}
        life = own[names.life].to_numpy() if names.life in own else None
        return trajectory_plot(asked, found.index.get_level_values(1), answers, life)

    def _life_columns(self) -> LifeColumns:
        return LifeColumns(
            machine=self._name("machine"),
            time=self._name("time"),
            life=self._name("remaining_life"),
            failed=self._name("failed"),
        )

    def _life_table(self, train: pd.DataFrame) -> LifeTable:
        names = self._life_columns()
        keys = [names.machine, names.time, names.life, names.failed]
        own = self._own_schema()
        Schema(tuple(own[name] for name in keys[:2])).check_names(train)
        sensors, settings = self._read_columns(train, keys)
        return LifeTable(
            schema=Schema((*(own[name] for name in keys[:2]), *sensors, *settings)),
            rule=WindowRule(
                series=names.machine,
                time=names.time,
                length=1,
                step="index" if _are_numbers(train[names.time]) else "",
                as_of="series",
            ),
            names=names,
            sensors=tuple(column.name for column in sensors),
            settings=tuple(column.name for column in settings),
            options=LifeOptions(
                model=self.model,
                cap=self._cap_of(train),
                history=self.history,
                whole_records=self.whole_records,
                coverage=self.coverage,
                folds=self.folds,
                regimes=self.regimes,
                features=self.features,
                trees=self.trees or TREES,
                training=self.training or TRAINING,
                seed=self.seed,
            ),
        )

    def _cap_of(self, train: pd.DataFrame) -> float:
        """The cap, by default a share of the life of half of the machines."""
        names = self._life_columns()
        if self.cap is not None:
            return float(self.cap)
        if names.life not in train:
            return 1.0  # of a table that is refused
        whole = pd.Series(life_of(train, names)).groupby(train[names.machine].to_numpy()).max()
        usual = float(whole.median())
        return float(f"{_OF_USUAL_LIFE * usual:.3g}") if usual > 0 else 1.0

    def _read_columns(
        self, train: pd.DataFrame, keys: Sequence[str]
    ) -> tuple[list[Column], list[Column]]:
        """Sensors and settings: those that are named, or all further columns of numbers."""
        both = sorted(set(self.sensors) & set(self.settings))
        if both:
            raise ParameterError(
                f"The column {both[0]!r} is named among 'sensors' and 'settings'. Name it once."
            )
        for name in (*self.sensors, *self.settings):
            if name not in train or name in keys:
                near = nearest(name, [str(each) for each in train if each not in keys])
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise SchemaError(
                    f"Column {name!r} is named as a sensor or setting, and the table has none of "
                    f"that name.{hint}"
                )
        numbers = {
            column.name: Column(column.name, "number", role="history")
            for column in infer_columns(train, skip=list(keys))
            if column.kind == "number"
        }
        chosen = self.sensors or [name for name in numbers if name not in self.settings]
        found = [
            [numbers.get(name, Column(name, "number", role="history")) for name in group]
            for group in (chosen, self.settings)
        ]
        if not found[0]:
            raise SchemaError(
                f"The table has no column of numbers beside {', '.join(map(repr, keys))}: there is "
                "no sensor to learn from. Add some, or name them in 'sensors'."
            )
        return found[0], found[1]

    @property
    def separating_(self) -> tuple[Telling, ...]:
        """Columns that alone tell the life that is left in the training data."""
        return self.life_.separating_

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        self._learn_lives(train, validation)
        warn_of(self.separating_)

    def _learn_lives(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        held = self.life_ = self._life_table(train).fit(train, validation)
        self.schema_, self.windows_ = held.used, held.windows
        self.check_ = held.check_
        self.split_: Mapping[str, Mapping[str, Any]] = held.split_

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        self.life_.fit_baselines(train, validation)

    def _indexed(self, frame: pd.DataFrame) -> tuple[dict[str, NDArray[Any]], pd.Index]:
        feeds, index = self.life_.asked(frame)
        return self._answers(feeds), index

    def _answers(self, frame: Feeds) -> dict[str, NDArray[Any]]:
        return self.life_.recipe_.answer(frame)

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        return self.life_.recipe_.write(builder, inputs)

    def _exportable(self, precision: str = "float32") -> Exportable:
        found: Exportable = super()._exportable(precision)  # type: ignore[misc]
        return replace(found, moments=_MOMENTS, rows_a_run=WINDOWS_A_RUN)

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        return self.life_.evaluate(frame)

    def _facts(self) -> dict[str, Any]:
        return self.life_.facts()


def _are_numbers(times: pd.Series) -> bool:
    """Whether times are numbers of an index, not moments."""
    return bool(pd.api.types.is_integer_dtype(times))
