"""Operating settings that change what sensors read: clusters of them, each with its own scale.

A sensor at take-off and at cruise reads differently whatever the wear. Readings are therefore
measured from the mean of their setting, in its standard deviations (Saxena et al. 2008, "Damage
propagation modeling for aircraft engine run-to-failure simulation", PHM).

Letters in shapes: B windows, L readings, C sensors, K settings, G clusters, R readings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TrainingError
from industry_apps.features import GraphBuilder
from industry_apps.features.sources import write_less_offset
from industry_apps.schema import Schema
from industry_apps.schema.offsets import less_offset

#: Clusters are enough that leave no more than this of the variance of the settings.
_LEFT = 0.02
#: Clusters at most, where nobody says how many there are.
_MOST = 10
#: Readings from which clusters are learned.
_SAMPLE = 5_000
#: A sensor that varies by less of its size does not vary: it is rounding.
_STILL = 1e-6
#: Standardised readings are cut here, so that one broken sensor does not decide.
WIDEST = 10.0


@dataclass(frozen=True, eq=False)
class Regimes:
    """Clusters of operating settings, and mean and scale of each sensor in each.

    Parameters
    ----------
    sensors : tuple of str
        Those that vary, in order.
    settings : tuple of str
        Empty where one cluster is enough.
    centre, spread : ndarray of float32, shape [K]
        What settings are standardised by.
    clusters : ndarray of float32, shape [G, K]
        Centres, standardised.
    mean, scale : ndarray of float32, shape [G, C]
    still : tuple of str
        Sensors that are constant or missing in training, which nothing is learned from.
    """

    sensors: tuple[str, ...]
    settings: tuple[str, ...]
    centre: NDArray[np.float32]
    spread: NDArray[np.float32]
    clusters: NDArray[np.float32]
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    still: tuple[str, ...]

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str], schema: Schema) -> str:
        """Append the standardised sensors -> [B, L, C]; NaN where one is not known.

        Parameters
        ----------
        builder : GraphBuilder
        inputs : mapping of str to str
            Column -> tensor [B, L].
        schema : Schema
        """
        node = builder.node
        values = _stacked(builder, inputs, self.sensors, schema)
        if not self.settings:
            mean, scale = builder.constant(self.mean[0]), builder.constant(self.scale[0])
            return node("Div", node("Sub", values, mean), scale)
        told = _stacked(builder, inputs, self.settings, schema)  # [B, L, K]
        apart = node("Sub", told, builder.constant(self.centre))
        apart = node("Div", apart, builder.constant(self.spread))
        unknown = node("IsNaN", node("ReduceSum", apart, builder.constant(np.array([2]))))
        wide = node("Unsqueeze", apart, builder.constant(np.array([3])))  # [B, L, K, 1]
        gap = node("Sub", wide, builder.constant(self.clusters.T))  # [B, L, K, G]
        distance = node("ReduceSum", node("Mul", gap, gap), builder.constant(np.array([2])))
        # What is unknown is at no distance from any; its sensors count as missing.
        nothing = builder.constant(np.float32(0))
        distance = node("Where", node("IsNaN", distance), nothing, distance)
        nearest = node("ArgMin", distance, attributes={"axis": 3, "keepdims": 0})
        nearest = node("Squeeze", nearest, builder.constant(np.array([2])))  # [B, L]
        mean, scale = (
            node("Gather", builder.constant(table), nearest, attributes={"axis": 0})
            for table in (self.mean, self.scale)
        )  # [B, L, C]
        standard = node("Div", node("Sub", values, mean), scale)
        return node("Where", unknown, builder.constant(np.float32(np.nan)), standard)


def learn_regimes(
    columns: Mapping[str, NDArray[np.float32]],
    sensors: Sequence[str],
    settings: Sequence[str],
    schema: Schema,
    *,
    count: int | None,
    seed: int,
) -> Regimes:
    """Find the clusters of settings, and the scale of the sensors in each.

    Parameters
    ----------
    columns : mapping of str to ndarray of shape [R]
    sensors, settings : sequence of str
    schema : Schema
        Says which columns have an offset.
    count : int or None
        Clusters; None: as few as leave at most 2 % of the variance of the settings, one where ten
        leave more.
    seed : int

    Raises
    ------
    TrainingError
        No sensor varies.
    """
    values = _table(columns, sensors, schema)
    moving = [n for n in settings if _varies(_table(columns, [n], schema)[:, 0])]
    told = _table(columns, moving, schema)
    centre, spread = (
        np.array([each(c[~np.isnan(c)]) for c in told.T]) for each in (np.mean, np.std)
    )
    apart = (told - centre) / spread if moving else told
    known = np.asarray(~np.isnan(apart).any(axis=1), dtype=np.bool_)
    clusters = _clusters(apart[known], count, seed) if moving else np.zeros((1, 0))
    if len(clusters) == 1:  # the settings are not looked at
        moving, known = [], np.ones(len(values), dtype=bool)
        centre, spread, clusters = np.zeros(0), np.ones(0), np.zeros((1, 0))
        apart = np.zeros((len(values), 0))
    whose = ((apart[:, None] - clusters) ** 2).sum(axis=2).argmin(axis=1)
    varying = [place for place in range(len(sensors)) if _varies(values[known, place])]
    if not varying:
        raise TrainingError(
            f"None of the sensors {', '.join(map(repr, sensors))} varies: each is constant or "
            "missing in all readings, and nothing can be learned from them. Give other sensors."
        )
    mean, scale = _scales(values[:, varying], whose, known, len(clusters))
    return Regimes(
        sensors=tuple(sensors[place] for place in varying),
        settings=tuple(moving),
        centre=centre.astype(np.float32),
        spread=spread.astype(np.float32),
        clusters=clusters.astype(np.float32),
        mean=mean.astype(np.float32),
        scale=scale.astype(np.float32),
        still=tuple(n for place, n in enumerate(sensors) if place not in varying),
    )


def _table(
    columns: Mapping[str, NDArray[np.float32]], names: Sequence[str], schema: Schema
) -> NDArray[np.float64]:
    """Columns less their offset side by side, [R, names]."""
    rows = len(next(iter(columns.values())))
    found = [less_offset(columns[name], schema[name].offset) for name in names]
    return np.column_stack(found).astype(np.float64) if names else np.empty((rows, 0))


def _varies(values: NDArray[np.float64]) -> bool:
    known = values[~np.isnan(values)]
    if not len(known):
        return False
    return float(known.std()) > _STILL * max(float(np.abs(known).max()), 1e-30)


def _clusters(apart: NDArray[np.float64], count: int | None, seed: int) -> NDArray[np.float64]:
    from sklearn.cluster import KMeans

    draw = np.random.default_rng(seed)
    chosen = apart[draw.permutation(len(apart))[:_SAMPLE]]
    most = min(count or _MOST, len(np.unique(chosen, axis=0)))
    total = float(((chosen - chosen.mean(axis=0)) ** 2).sum())
    for clusters in range(most if count else 2, most + 1):
        found = KMeans(clusters, n_init=4, random_state=seed).fit(chosen)
        if count or found.inertia_ <= _LEFT * total:
            return np.asarray(found.cluster_centers_)
    return chosen.mean(axis=0, keepdims=True)


def _scales(
    values: NDArray[np.float64], whose: NDArray[np.int64], known: NDArray[np.bool_], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each cluster, [G, C]; where it is still, those of all."""
    everywhere = np.nanmean(values[known], axis=0), np.nanstd(values[known], axis=0)
    mean, scale = (np.tile(each, (count, 1)) for each in everywhere)
    for cluster in range(count):
        rows = values[known & (whose == cluster)]
        for sensor in range(values.shape[1]):
            if len(rows) and _varies(rows[:, sensor]):
                mean[cluster, sensor] = np.nanmean(rows[:, sensor])
                scale[cluster, sensor] = np.nanstd(rows[:, sensor])
            elif len(rows) and not np.isnan(rows[:, sensor]).all():
                mean[cluster, sensor] = np.nanmean(rows[:, sensor])
    return mean, scale


def _stacked(
    builder: GraphBuilder, inputs: Mapping[str, str], names: Sequence[str], schema: Schema
) -> str:
    """Columns [B, L] side by side -> [B, L, names]."""
    axis = builder.constant(np.array([2]))
    parts = [
        builder.node("Unsqueeze", write_less_offset(builder, schema[name], inputs[name]), axis)
        for name in names
    ]
    return parts[0] if len(parts) == 1 else builder.node("Concat", *parts, attributes={"axis": 2})
