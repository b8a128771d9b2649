"""What a forecast is made by, and which windows it is learned from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal, get_args

from industry_apps.limits import NOT_NEGATIVE, Limit, check_parameters, integer
from industry_apps.recipes.trees import TreeOptions
from industry_apps.training import TrainingOptions

ForecastModel = Literal[
    "trees", "ridge", "periodic", "dlinear", "tft", "nhits", "patch", "tcn", "ensemble"
]
#: What an ensemble may be made of.
MEMBERS = Limit(
    lambda value: (
        isinstance(value, tuple | list)
        and len(set(value)) == len(value) > 1
        and set(value) <= {*get_args(ForecastModel)} - {"ensemble"}
    ),
    f"a tuple of two or more of {get_args(ForecastModel)[:-1]}",
)

#: Of networks, where nothing else is said.
USUAL_TRAINING = TrainingOptions(max_epochs=20, patience=4)
#: Chosen on the two days before the test of M4-Hourly, all 414 series: MASE .74, of 100 smaller
#: trees (63 leaves, .2 of the columns) .77 at less than half of the cost.
_TREES = TreeOptions(
    rounds=200,
    learning_rate=0.07,
    num_leaves=127,
    min_child_samples=50,
    feature_fraction=0.4,
    bagging_fraction=0.7,
    l2=0.0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningOptions:
    """Which windows a forecast is learned from.

    Parameters
    ----------
    origins : int, optional
        Moments that are learned from, the latest; by default as suits the step.
    every : int, optional
        Steps between them, at least 1. By default an hourly forecast learns from moments a
        day apart, which is right where it is asked at that hour; 25 learns from every hour.
    held_out : int
        Origins, ``apart`` from each other, that weigh and calibrate, at least 1; no more than a
        quarter of the history, where that is more than two.
    apart : int, optional
        Steps between the origins held out, at least 1; by default a horizon. Nearer ones choose
        more surely, and cost more.
    refit : bool
        Whether models learn again from everything, the origins held out among it. Without, the
        latest origins weigh and calibrate alone.
    size_weight : float
        Windows weigh as this power of their scale, at least 0: 0, each series alike; 1, by
        units.
    """

    origins: Annotated[int, integer(1)] | None = None
    every: Annotated[int, integer(1)] | None = None
    held_out: Annotated[int, integer(1)] = 2
    apart: Annotated[int, integer(1)] | None = None
    refit: bool = True
    size_weight: Annotated[float, NOT_NEGATIVE] = 0.0

    def __post_init__(self) -> None:
        check_parameters(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastOptions:
    """What a forecast is made by.

    Parameters
    ----------
    model : {"trees", "ridge", "periodic", "dlinear", "tft", "nhits", "patch", "tcn", "ensemble"}
    members : tuple of str
        Models of the ensemble; by default as suits the length of the window.
    quantiles : tuple of float
        Rising, in (0, 1), 0.5 among them.
    learning : LearningOptions
    trees : TreeOptions
    training : TrainingOptions or None
        None: networks as in the tutorial of pytorch-forecasting, untuned.
    seed : int
        Of the networks.
    flat_steps : int
        So many equal values after each other, or more, are a stuck meter and left out; 0: none.
    """

    model: ForecastModel = "trees"
    members: tuple[ForecastModel, ...] = ()
    quantiles: tuple[float, ...] = (0.1, 0.5, 0.9)
    learning: LearningOptions = field(default_factory=LearningOptions)
    trees: TreeOptions = field(default_factory=lambda: _TREES)
    training: TrainingOptions | None = USUAL_TRAINING
    seed: int = 0
    flat_steps: int = 0
