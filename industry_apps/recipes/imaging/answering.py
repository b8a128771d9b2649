"""From what networks say of images, and their greys and gradients, to what is answered.

Written as nodes, which run in training as in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import FeatureGraph, GraphBuilder
from industry_apps.features.running import WrittenGraph
from industry_apps.recipes.imaging.decision import ClassDecision, DrawnMap
from industry_apps.recipes.imaging.gradients import CELL, SIZE, GradientScores, write_gradients
from industry_apps.recipes.imaging.novelty import Novelty, write_greys
from industry_apps.schema import Column, Schema

#: What the networks tell: log-odds, what each place adds to them, and features.
FOUND = ("odds", "maps", "seen")
_INNER = tuple(f"/{name}" for name in FOUND)  # as no column of a table is called
#: How much the scores by gradients may count beside the log-odds of the networks.
_SHARES = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


class Told(NamedTuple):
    """Images with their classes, and what the networks say of them.

    Parameters
    ----------
    images : ndarray of object, shape [rows]
    target : ndarray of int, shape [rows]
    odds, maps, seen : ndarray of shape [rows, ...]
        As ``FOUND`` names them.
    """

    images: NDArray[np.object_]
    target: NDArray[np.intp]
    odds: NDArray[Any]
    maps: NDArray[Any]
    seen: NDArray[Any]


class ImageAnswers:
    """Learn to decide, to doubt and to draw the map, behind networks that are trained.

    Parameters
    ----------
    column : Column
        Of images.
    features : FeatureGraph
        Makes pixels of images.
    outputs : Schema
    size : int
        Pixels of both sides that the networks work on.
    stride : int or None
        Of their maps.
    """

    def __init__(
        self, column: Column, features: FeatureGraph, outputs: Schema, size: int, stride: int | None
    ) -> None:
        self.column, self.features, self.outputs = column, features, outputs
        self.size, self.stride = size, stride

    def fit(
        self,
        train: Told,
        validation: Told,
        classes: tuple[str, ...],
        *,
        costs: Mapping[str, float] | None,
        coverage: float,
        seed: int,
    ) -> ImageAnswers:
        """Learn what is usual from training images, and what to answer from others.

        Parameters
        ----------
        train, validation : Told
        classes : tuple of str
        costs, coverage
            As for :class:`ClassDecision`; the share of usual images that are not novel besides.
        seed : int
        """
        greys, gradients = zip(*map(self._described, (train, validation)), strict=True)
        self.novelty_ = Novelty.fit(greys[0], train.target, greys[1], coverage=coverage)
        self.gradients_ = GradientScores.fit(gradients[0], train.target, seed)
        scores = self._scores(gradients[1])
        losses = []
        for share in _SHARES:
            odds = (validation.odds + share * scores).astype(np.float64)
            decision = ClassDecision.fit(
                odds, validation.target, classes, costs=costs, coverage=coverage
            )
            losses.append((decision.loss(odds, validation.target), share, decision))
        _, self.share_, self.decision_ = min(losses, key=lambda each: each[:2])
        shapes = ((len(classes),), (len(classes), None, None), train.seen.shape[1:])
        inner = [Column(n, "number", shape=s) for n, s in zip(_INNER, shapes, strict=True)]
        self._graph = WrittenGraph(Schema((self.column, *inner)), self._write, self.outputs)
        return self

    def run(self, images: NDArray[np.object_], found: tuple[NDArray[Any], ...]) -> list[Any]:
        """Images [rows] and what the networks say of them -> one array for each output."""
        inner = dict(zip(_INNER, found, strict=True))
        return self._graph.run({self.column.name: images, **inner})

    def write(
        self, builder: GraphBuilder, image: str, pixels: str, found: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Append all that follows from the networks to a graph -> {output: tensor}.

        Parameters
        ----------
        builder : GraphBuilder
        image, pixels : str
            Tensors [B, height, width, C] and, normalised, [B, C, size, size].
        found : mapping of str to str
            Name of ``FOUND`` -> tensor.
        """
        described = builder.node(
            "Concat", found["seen"], write_greys(builder, pixels), attributes={"axis": 1}
        )
        novelty = self.novelty_.write(builder, described)
        scores, corners = self.gradients_.write(builder, write_gradients(builder, pixels))
        share = builder.constant(np.float32(self.share_))
        odds = builder.node("Add", found["odds"], builder.node("Mul", scores, share))
        maps = (
            DrawnMap(found["maps"], image, self.size, self.stride),
            DrawnMap(builder.node("Mul", corners, share), image, SIZE, CELL),
        )
        return self.decision_.write(builder, odds, novelty, maps)

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> Mapping[str, str]:
        found = dict(zip(FOUND, (inputs[name] for name in _INNER), strict=True))
        pixels = self.features.write(builder, inputs)["pixels"]
        return self.write(builder, inputs[self.column.name], pixels, found)

    def _described(self, part: Told) -> tuple[NDArray[np.float64], NDArray[Any]]:
        """What novelty is seen by [rows, D], and gradients [rows, F]."""
        told = Schema(tuple(Column(n, "number", shape=(None,)) for n in ("/greys", "/gradients")))

        def write(builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
            pixels = self.features.write(builder, inputs)["pixels"]
            made = write_greys(builder, pixels), write_gradients(builder, pixels)
            return dict(zip(told.names, made, strict=True))

        graph = WrittenGraph(Schema((self.column,)), write, told)
        greys, gradients = graph.run({self.column.name: part.images})
        return np.concatenate([part.seen, greys], axis=1, dtype=np.float64), gradients

    def _scores(self, gradients: NDArray[Any]) -> NDArray[Any]:
        """Scores of the classes [rows, K] by their gradients [rows, F]."""
        read = Schema((Column("/gradients", "number", shape=gradients.shape[1:]),))
        told = Schema((Column("/scores", "number", shape=(None,)),))

        def write(builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
            return {"/scores": self.gradients_.write(builder, inputs["/gradients"])[0]}

        return WrittenGraph(read, write, told).run({"/gradients": gradients})[0]
