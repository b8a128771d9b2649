"""Predictive maintenance: how long each machine will still run, from the readings of its sensors.

Asked by whoever plans the maintenance of engines, pumps, bearings or batteries: at each reading,
for every machine. Learned from machines that were run to failure, as in the PHM challenge of 2008
(Saxena, Goebel, Simon and Eklund, doi:10.1109/PHM.2008.4711414). Young machines look alike and are
all answered by the cap: that wear can be told from its trace only where there is some was shown
there too (Heimes 2008, doi:10.1109/PHM.2008.4711422).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Self

from industry_apps.application import Application
from industry_apps.recipes import TreeOptions
from industry_apps.recipes.sensors.held import HoldsLife
from industry_apps.recipes.sensors.lives import remaining_life
from industry_apps.recipes.sensors.metrics import REMAINING_LIFE
from industry_apps.schema import Column, Schema, Traits

__all__ = ["FAST", "MACHINES", "RemainingLifeEstimator", "remaining_life"]

_life = partial(Column, kind="number", low=0)

#: Columns of machines that both applications on them share.
MACHINES = Schema(
    (
        Column("machine", "category", role="identifier", nullable=False),
        Column(
            "time",
            "datetime",
            "Of the reading, or its number",
            role="identifier",
            nullable=False,
        ),
        _life("remaining_life", description="Left then", role="identifier", required=False),
        Column.label("failed", "Whether the record of the machine ends with failure"),
    )
)
#: Parameters of a fit of seconds on the sample, of both.
FAST: Mapping[str, Any] = MappingProxyType(
    {
        "settings": ("load", "ambient"),
        "model": "trees",
        "cap": 60.0,
        "history": 64,
        "folds": 2,
        "trees": TreeOptions(rounds=40, learning_rate=0.1, num_leaves=8, min_child_samples=20),
    }
)


class RemainingLifeEstimator(HoldsLife, Application):
    """How much life each machine has left, with an interval, and its health.

    It is asked with a long table: a row for each machine and reading, in any order. Each machine is
    answered as of its own last reading, by its last readings alone (as many as the longest life of
    training had, at most 512), however many of them there are; one of which nothing is known is
    answered by nothing. A window is of readings: where some were lost, the others move together.

    In training the column ``remaining_life`` says how much life was left, in any unit, and answers
    are in that unit; ``remaining_life(frame, failed=True)`` makes it of records that end with
    failure. Machines that have not failed have False in the column ``failed``, and no life: what
    ran on for the cap or longer is learned from as such, the rest is left out, and the report says
    how much. One machine is too few, since what is learned is tried on others.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"machine": "unit", "time": "cycle"}``.
    sensors : tuple of str
        Columns of numbers that wear may show in; by default all further columns of numbers.
    settings : tuple of str
        Columns of numbers that say how the machine is run: readings are measured from the mean of
        their cluster of settings.
    model : {"blend", "trees", "tcn", "gru", "patch"}
        Gradient-boosted trees of statistics of the window; a temporal convolutional network, gated
        recurrent units with attention, and a patch transformer of the last 60 readings; or trees
        and patch transformer, weighed on machines held out.
    cap : float, optional
        Longer lives count as this, > 0, and no answer is longer; by default three fifths of the
        median life of training.
    history : int, optional
        Readings of a window, in [2, 2000]; by default the longest life of training, at most 512.
    whole_records : bool
        Records begin when the machine is new, in training and in service, so that the number of
        readings tells its age. False: windows that begin anywhere are learned from, too.
    regimes : int, optional
        Clusters of settings; by default as few as leave 2 % of their variance.
    features : tuple of Signal
        Further numbers of a window that trees see, such as ``Change("sensor_4", 10)`` of
        ``industry_apps.features``.
    coverage : float
        Share of readings whose life is to lie in the interval, in (0, 1).
    folds : int
        Folds of machines, in [2, 50]: models learn without one each, and their mean answers.
    trees : TreeOptions, optional
    training : TrainingOptions, optional
    seed : int

    Examples
    --------
    >>> from industry_apps.manufacturing import RemainingLifeEstimator
    >>> data = RemainingLifeEstimator.sample()
    >>> estimator = RemainingLifeEstimator.fast().fit(data)
    >>> list(estimator.predict(data.test).columns)
    ['remaining_life', 'remaining_life_low', 'remaining_life_high', 'health']
    """

    name = "manufacturing.predictive_maintenance"
    question = "How long will each machine still run?"
    simulator = "manufacturing_wear_simulator"
    schema = MACHINES
    outputs = Schema(
        (
            _life("remaining_life", description="In the unit of training, up to the cap"),
            _life("remaining_life_low", description="Lower end of its interval"),
            _life("remaining_life_high", description="Upper end of its interval"),
            Column("health", "number", "Remaining life as a share of the cap", low=0, high=1),
        )
    )
    traits = Traits(inputs=("number",), windows=True)
    problem = REMAINING_LIFE

    @classmethod
    def fast(cls) -> Self:
        """Few trees in two folds: a fit of seconds on the sample."""
        return cls(**FAST)
