"""Fault detection: whether a plant still runs normally, which tag says so, and which fault it is.

Asked by whoever watches a process of many measured and manipulated variables (tags): at each
reading. Detection is learned from normal operation alone, as faults that happened say little about
those to come; diagnosis is learned from runs in which faults were active, where there are some.
The benchmark is that of Downs and Vogel (1993), A plant-wide industrial process control problem,
doi:10.1016/0098-1354(93)80018-I, with the runs of Russell, Chiang and Braatz (2000), Data-driven
methods for fault detection and diagnosis in chemical processes, doi:10.1007/978-1-4471-0409-4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Self, get_args

import pandas as pd

from industry_apps.application import Application
from industry_apps.data import Split, split_by_group
from industry_apps.energy.plant.diagnosis import TREES
from industry_apps.energy.plant.held import HoldsPlant
from industry_apps.energy.plant.metrics import PLANT_FAULTS
from industry_apps.energy.plant.runs import RunColumns, watched_tags
from industry_apps.energy.plant.studies import compared_models
from industry_apps.energy.plant.table import PlantTable
from industry_apps.errors import SchemaError
from industry_apps.evaluation.variants import Question
from industry_apps.limits import OPEN_SHARE, integer
from industry_apps.recipes import TreeOptions
from industry_apps.recipes.anomaly.networks import TRAINING
from industry_apps.recipes.anomaly.recipe import AnomalyModelName, AnomalyOptions
from industry_apps.runtime import WindowRule
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions

#: Runs that are too few to be split.
_FEWEST_RUNS = 4


class PlantFaultDetector(HoldsPlant, Application):
    """Whether a plant runs normally, which tag says otherwise, and which fault it is.

    It is asked with a long table: a row for each run (a plant, a line, a batch) and reading, in any
    order, with a column for each tag. Each run is answered as of its own last reading, by its last
    readings alone. A score of 1 is the limit: an alarm is raised from there on. Normal rows that
    nothing was learned from set it, such that none of them raises an alarm by default; limits and
    all else are held in the one file, and are the same wherever it runs.

    In training the column ``fault`` says which fault was active, or ``normal``. Rows of faults are
    learned from for the diagnosis alone, which needs two faults or more.

    A window is of readings: send one that was lost as missing values. Where a value of the window
    is missing nothing is known: score and tag are missing, the state is "not known", and an alarm
    asks somebody to look. An alarm unlike all faults that were learned is of a state "not seen
    before".

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"run": "plant", "time": "sample"}``.
    tags : tuple of str
        Columns of numbers that are watched; by default all further columns of numbers.
    normal : str
        What stands in the column ``fault`` in normal operation.
    model : {"cva", "pca", "dynamic_pca", "autoencoder", "temporal", "nearest", "blend"}
        Canonical variate analysis of lagged rows; principal components of rows or of lagged rows
        (T2 and squared prediction error); an autoencoder of rows; a temporal convolutional network
        that tells each row by those before; the nearest normal rows; or the first, the second and
        the temporal network together.
    lags : int, optional
        Readings of a window, in [1, 50]; by default as find most of the faults that are planted
        into normal rows, up to 8.
    smoothing : int, optional
        Readings whose mean score is taken, in [1, 50]; by default chosen alike, up to 3. A fault
        may be found later by so many readings, less one.
    false_alarm_rate : float, optional
        Wanted share of normal readings that raise an alarm, in (0, 1); by default as few
        as three standard deviations of the logarithm of their score leave, and none of the rows
        that set it.
    states : int
        Canonical variates that are left out, in [0, 500]: the states of the process, where its
        residual space alone is watched. With some, a shift that stays is seen while it comes.
    apart : tuple of str
        Faults that a report gives apart, since nothing that is measured shows them.
    trees : TreeOptions, optional
        Of the diagnosis.
    training : TrainingOptions, optional
        Of networks.
    seed : int

    Notes
    -----
    What is done with readings that are not as they should be:

    - A tag that is stuck is watched as it reads; ``stuck_tags`` names it in a table, and
      :class:`industry_apps.runtime.SensorState` flags it in a stream.
    - A tag that is dropped: a missing value is not known, and a missing column is refused.
    - A tag in another unit is far from its normal readings: an alarm names it.
    - Time that goes back is refused in a stream; two readings of one moment are, everywhere.
    - A tag that is constant in normal operation tells nothing, is not read, and is said.
    - Limits set by rows that were learned from are refused: they are too low.

    Examples
    --------
    >>> from industry_apps.energy import PlantFaultDetector
    >>> data = PlantFaultDetector.sample()
    >>> detector = PlantFaultDetector.fast().fit(data)
    >>> list(detector.predict(data.test).columns)
    ['alarm', 'score', 'tag', 'contribution', 'state', 'likely_fault']
    """

    name = "energy.fault_detection"
    question = "Which fault has the plant, if any?"
    simulator = "energy_reactor_simulator"
    schema = Schema(
        (
            Column("run", "category", role="identifier", nullable=False),
            Column(
                "time",
                "datetime",
                "Of the reading, or its number",
                role="identifier",
                nullable=False,
            ),
            Column(
                "fault", "category", "Active then, in training", role="identifier", required=False
            ),
        )
    )
    outputs = Schema(
        (
            Column("alarm", "boolean", "Not normal, or not known", nullable=False),
            Column("score", "number", "How unlike normal operation; the limit is 1", low=0),
            Column("tag", "category", "The one that alone explains most of the score"),
            Column(
                "contribution",
                "number",
                "What it explains, of a limit of 1; below 0 where it reads too low",
            ),
            Column(
                "state",
                "category",
                "Normal, a fault that was learned, one not seen before, or not known",
                nullable=False,
            ),
            Column("likely_fault", "category", "The likeliest one, if there is any"),
        )
    )
    traits = Traits(inputs=("number",), windows=True)
    problem = PLANT_FAULTS

    tags: tuple[str, ...] = ()
    normal: str = "normal"
    model: AnomalyModelName = "cva"
    lags: Annotated[int, integer(1, 50)] | None = None
    smoothing: Annotated[int, integer(1, 50)] | None = None
    false_alarm_rate: Annotated[float, OPEN_SHARE] | None = None
    states: Annotated[int, integer(0, 500)] = 0
    apart: tuple[str, ...] = ()
    trees: TreeOptions | None = None
    training: TrainingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def fast(cls) -> Self:
        """Three lagged rows and few trees: a fit of seconds on the sample."""
        return cls(
            lags=3,
            smoothing=1,
            trees=TreeOptions(rounds=15, num_leaves=6, feature_fraction=0.5),
            training=TrainingOptions(max_epochs=4, precision="float32"),
        )

    @property
    def outputs_(self) -> Schema:
        """The outputs: without faults that were learned, none is likely."""
        diagnosed = self.plant_.model_.diagnosis is not None
        return self.outputs if diagnosed else self.outputs.without(["likely_fault"])

    def split(self, frame: pd.DataFrame) -> Split:
        """Split a table of yours by run: all readings of one lie in one part.

        Parameters
        ----------
        frame : DataFrame
            Long: a row for each run and reading.
        """
        name = self._name("run")
        if name in frame and frame[name].nunique() < _FEWEST_RUNS:
            raise SchemaError(
                f"Column {name!r} names {frame[name].nunique()} runs, and a split by run needs "
                f"{_FEWEST_RUNS} or more. Give more runs, or parts of a long one under names of "
                "their own."
            )
        return split_by_group(frame, group=name, validation=0.2, test=0.3, seed=self.seed)

    def studies(self) -> Mapping[str, Question]:
        """Which way of learning normal operation finds most."""
        models = get_args(AnomalyModelName)
        return {"models": lambda data: (compared_models(self, data, models),)}

    def _plant(self, train: pd.DataFrame) -> PlantTable:
        names = RunColumns(
            run=self._name("run"),
            time=self._name("time"),
            fault=self._name("fault"),
            normal=self.normal,
        )
        own = self._own_schema()
        keys = Schema((own[names.run], own[names.time]))
        keys.check_names(train)
        return PlantTable(
            schema=Schema((*keys, *watched_tags(train, self.tags, names))),
            rule=WindowRule(
                series=names.run,
                time=names.time,
                length=1,
                step="index" if pd.api.types.is_integer_dtype(train[names.time]) else "",
                as_of="series",
            ),
            names=names,
            options=AnomalyOptions(
                model=self.model,
                lags=self.lags,
                smoothing=self.smoothing,
                false_alarm_rate=self.false_alarm_rate,
                states=self.states,
                training=replace(self.training or TRAINING, seed=self.seed),
            ),
            trees=replace(self.trees or TREES, seed=self.seed),
            apart=self.apart,
        )
