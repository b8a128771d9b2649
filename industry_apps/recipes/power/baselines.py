"""What a forecast of power has to beat: usual output, the last one, their best mix, plain trees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import GraphBuilder
from industry_apps.features.formulas import Formula
from industry_apps.recipes.power.recipe import PowerOptions, PowerRecipe, Terms, View
from industry_apps.recipes.power.records import Arrays
from industry_apps.recipes.trees import TreeOptions
from industry_apps.schema import Schema

_HOUR, _DAY, _YEAR = 3_600, 86_400, 365.2425
PLAIN = TreeOptions(
    rounds=100, learning_rate=0.08, num_leaves=31, min_child_samples=30, feature_fraction=0.8
)


@dataclass(frozen=True, kw_only=True)
class RawColumns:
    """No physics: all columns as they are, with the hour of the day and the day of the year.

    Parameters
    ----------
    schema : Schema
    weather : tuple of str
        Columns of the weather at the time that is asked about; the first of them has to be known.
    """

    schema: Schema
    weather: tuple[str, ...]
    views: ClassVar[tuple[str, ...]] = ("weather", "recent output")
    groups: ClassVar[int] = 1

    def learn(self, arrays: Arrays, share: NDArray[np.float64]) -> None:
        """Nothing to learn."""

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> Terms:
        """Append to a graph."""
        seconds = Formula(builder, builder.cast(inputs["time"], np.float64), np.float64)
        days = seconds / _DAY
        clock = {
            "hour": 24 * (days - days.floor()),
            "day": days - _YEAR * (days / _YEAR).floor(),
        }
        terms = {name: each.as_type(np.float32) for name, each in clock.items()}
        columns = [name for name in self.schema.names if name != "time"]
        terms |= {name: Formula(builder, inputs[name]) for name in columns}
        known = builder.node("Not", terms[self.weather[0]].is_missing())
        zero = terms["hour"] * 0
        blind = {name: x for name, x in terms.items() if name not in self.weather}
        views = {"weather": View(known, zero, terms), "recent output": View(zero <= 0, zero, blind)}
        return Terms(zero + 1, builder.cast(zero.tensor, np.int64), zero + 1, views)


def plain_trees(
    schema: Schema, weather: tuple[str, ...], capacity: float, levels: tuple[float, ...]
) -> PowerRecipe:
    """LightGBM on the columns as they are, with the settings of everybody.

    Parameters
    ----------
    schema : Schema
    weather : tuple of str
    capacity : float
    levels : tuple of float
    """
    options = PowerOptions(quantiles=levels, trees=PLAIN)
    return PowerRecipe(RawColumns(schema=schema, weather=weather), capacity, options)


class Climatology:
    """Mean and quantiles of the output by month and hour of the day, UTC.

    Parameters
    ----------
    levels : tuple of float
    """

    def __init__(self, levels: tuple[float, ...]) -> None:
        self.levels = levels

    def fit(self, time: NDArray[np.int64], share: NDArray[np.float64]) -> Climatology:
        """Learn from moments and shares of the capacity [N]."""
        told = ~np.isnan(share)
        cell, share = _cell(time[told]), share[told]
        usual = self._of(share)
        self.table_ = np.tile(usual, (12 * 24, 1))
        for each in np.unique(cell):
            self.table_[each] = self._of(share[cell == each])
        return self

    def _of(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array([share.mean(), *np.quantile(share, self.levels)])

    def forecast(self, time: NDArray[np.int64]) -> NDArray[np.float64]:
        """Mean and quantiles -> [N, 1 + Q]."""
        found: NDArray[np.float64] = self.table_[_cell(time)]
        return found


def _cell(time: NDArray[np.int64]) -> NDArray[np.int64]:
    month = time.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) % 12
    found: NDArray[np.int64] = month * 24 + time // _HOUR % 24
    return found


def alone(point: NDArray[np.float64], levels: tuple[float, ...]) -> NDArray[np.float64]:
    """A forecast without an interval [N] -> [N, 1 + Q]: mean and median.

    Parameters
    ----------
    point : ndarray of shape [N]
    levels : tuple of float
    """
    found = np.full((len(point), 1 + len(levels)), np.nan)
    found[:, 0] = found[:, 1 + levels.index(0.5)] = point
    return found
