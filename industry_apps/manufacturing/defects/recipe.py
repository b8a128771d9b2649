"""Photographs of parts -> whether, where and how they are defective; trained and written as one.

Letters: N parts, C channels, H height, W width, T types, K = T + 1 classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TrainingError
from industry_apps.evaluation.costs import Costs
from industry_apps.export.convert import network_to_onnx
from industry_apps.export.precision import speed_of, to_int8
from industry_apps.features import GraphBuilder
from industry_apps.features.image import Pixels
from industry_apps.features.running import WrittenGraph
from industry_apps.manufacturing.defects.answering import (
    KnownDefects,
    MapDefects,
    UnknownDefects,
    decision_facts,
)
from industry_apps.manufacturing.defects.choosing import chosen_boxes, known_decision, map_decision
from industry_apps.manufacturing.defects.learning import remembered, trained
from industry_apps.manufacturing.defects.options import DefectOptions
from industry_apps.manufacturing.defects.parts import Parts
from industry_apps.runtime.answers import shaped
from industry_apps.runtime.boxes import RegionBoxes
from industry_apps.schema import Column, Schema
from industry_apps.schema.images import one_by_one

if TYPE_CHECKING:
    import onnx
    import torch

Regime = Literal["supervised", "one_class", "comparison"]
Arrays = Mapping[str, NDArray[Any]]

#: What a network says, as no column of a table is called: of places, and of the part.
_FOUND = ("/places", "/part")
_PIXELS = "/pixels"
#: Pixels of one pass of a network, all images of one size.
_PIXELS_A_PASS = 600_000
_CALIBRATED_ON = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What decides besides the network.

    Parameters
    ----------
    costs : Costs
    false_alarm_rate : float
        Wanted of good parts, where no defect is there to choose by.
    threshold : float, optional
        The user's own.
    """

    costs: Costs
    false_alarm_rate: float
    threshold: float | None = None


class DefectRecipe:
    """Networks of parts, what is answered behind them, and both as one graph.

    Parameters
    ----------
    schema : Schema
        Of the image and, in the regime "comparison", its reference.
    outputs : Schema
    classes : tuple of str
        The name of good parts, and those of the types.
    regime : {"supervised", "one_class", "comparison"}
    options : DefectOptions
    limits : Limits
    """

    def __init__(
        self,
        schema: Schema,
        outputs: Schema,
        classes: tuple[str, ...],
        regime: Regime,
        options: DefectOptions,
        limits: Limits,
    ) -> None:
        self.schema, self.outputs, self.classes = schema, outputs, classes
        self.regime, self.options, self.limits = regime, options.of(regime), limits
        self.column = schema.columns[0]
        channels = sum(column.channels or 1 for column in schema)
        pixels = Column(_PIXELS, "number", shape=(channels, None, None))
        self._reading = WrittenGraph(schema, self._write_pixels, Schema((pixels,)))

    def fit(
        self, train: Parts, validation: Parts, start: torch.nn.Module | None = None
    ) -> DefectRecipe:
        """Learn from parts; choose the best epoch and what decides on others.

        Parameters
        ----------
        train, validation : Parts
        start : torch.nn.Module, optional
            A network to learn on from.

        Raises
        ------
        TrainingError
            There is nothing to learn from, or to choose on.
        """
        self._check(train, validation)
        pixels = self._sheet_pixels(train)
        known = (pixels, train), (self._sheet_pixels(validation), validation)
        self.network_, self.history_ = trained(
            *known,
            types=len(self.classes) - 1,
            regime=self.regime,
            options=self.options,
            start=start,
        )
        # Of defective parts nothing is remembered.
        good = [image for image, kind in zip(pixels, train.types, strict=True) if kind == 0]
        self.answering_ = self._answering(good)
        drawn = np.random.default_rng(self.options.training.seed).permutation(len(train))
        self.calibration_ = [pixels[row] for row in drawn[:_CALIBRATED_ON]]
        self._choose(validation)
        return self

    def answers(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """The declared outputs, by the trained network."""
        return shaped(self.outputs, self._in_groups(arrays, self._answer))

    def scored(self, arrays: Arrays) -> tuple[NDArray[np.object_], NDArray[np.float32]]:
        """What the network says of places (N,), each [channels, H, W], and of parts [N, ...]."""
        places, part = self._in_groups(arrays, self._network_of)
        return one_by_one(places), np.stack(list(part))

    def write(
        self, builder: GraphBuilder, inputs: Mapping[str, str], precision: str = "float32"
    ) -> Mapping[str, str]:
        """Append the whole recipe to a graph -> {output: tensor}.

        Parameters
        ----------
        builder : GraphBuilder
        inputs : mapping of str to str
            Column -> tensor [batch, H, W, C].
        precision : {"float32", "int8"}
            Of the network; all else stays as it is.
        """
        pixels = self._write_pixels(builder, inputs)[_PIXELS]
        found = builder.append(self._network_graph(precision), {"pixels": pixels})
        return self._write_behind(
            builder, {**inputs, _FOUND[0]: found["places"], _FOUND[1]: found["part"]}
        )

    def facts(self) -> dict[str, Any]:
        """What the model is, and what decides, as JSON values for the model file."""
        options = self.options
        facts: dict[str, Any] = {
            "model": f"{self.regime}: U-Net, width {options.width}, depth {options.depth}",
            "regime": self.regime,
            "classes": list(self.classes),
            "decision": decision_facts(self.decision_),
            "boxes": {
                "types": list(self.boxes_.types),
                "least_score": self.boxes_.least_score,
                "least_pixels": self.boxes_.least_pixels,
            },
        }
        if self.regime == "one_class" and options.scorer != "network":
            facts["remembered_patches"] = int(self.answering_.memory.patches.shape[0])
        return facts

    def _check(self, train: Parts, validation: Parts) -> None:
        """Refuse parts that teach nothing."""
        for name, part in (("training", train), ("validation", validation)):
            if not (part.types == 0).any() and self.regime != "comparison":
                raise TrainingError(
                    f"No {name} part is good ({self.classes[0]!r}), and what a good one looks like "
                    "has to be learned. Add good parts."
                )
        if self.regime == "comparison" and not (validation.types > 0).any():
            raise TrainingError(
                "No validation pair has a defect, so that nothing says from which score on a place "
                "is one. Add some."
            )

    def _answering(self, pixels: list[NDArray[np.float32]]) -> Any:
        """The network as it answers: in the regime of good parts, with what it remembers."""
        from industry_apps.backbones.defects import AnomalyNet, KnownNet

        if self.regime != "one_class":
            return KnownNet(self.network_).eval()
        scorer = self.options.scorer
        memory = None if scorer == "network" else remembered(self.network_, pixels, self.options)
        return AnomalyNet(self.network_, memory, by_network=scorer != "memory").eval()

    def _choose(self, validation: Parts) -> None:
        """Thresholds of parts, of pixels and of boxes."""
        limits = self.limits
        self.decision_: KnownDefects | MapDefects | UnknownDefects
        self.boxes_ = RegionBoxes(types=self.classes[1:])
        if self.regime == "one_class":
            good = validation.at(validation.types == 0)
            maps, scores = self.scored(good.arrays)
            self.decision_ = UnknownDefects.learned(
                scores.astype(np.float64),
                maps,
                groups=good.groups,
                rate=limits.false_alarm_rate,
                threshold=limits.threshold,
            )
        else:
            places, odds = self.scored(validation.arrays)
            rule = (limits.costs, limits.false_alarm_rate, limits.threshold)
            if self.regime == "supervised":
                self.decision_ = known_decision(self.classes, places, odds, validation, rule)
            else:
                self.boxes_, pixel = chosen_boxes(self.classes, places, validation)
                self.decision_ = map_decision(self.classes, places, validation, pixel, rule)
        inner = self._inner()
        self._behind = WrittenGraph(Schema((self.column, *inner)), self._write_behind, self.outputs)

    def _inner(self) -> tuple[Column, Column]:
        """Columns of what the network says."""
        if self.regime == "one_class":
            decision = self.decision_
            assert isinstance(decision, UnknownDefects)
            sizes = len(decision.places.centres), len(decision.scores.centres)
        else:
            sizes = len(self.classes), len(self.classes)
        return (
            Column(_FOUND[0], "number", shape=(sizes[0], None, None)),
            Column(_FOUND[1], "number", shape=(sizes[1],)),
        )

    def _in_groups(
        self, arrays: Arrays, ask: Callable[[Arrays], list[NDArray[Any]]]
    ) -> list[NDArray[Any]]:
        """Ask with images of one size at a time -> each answer (N,), in the order of the rows."""
        images = arrays[self.column.name]
        groups: dict[tuple[int, ...], list[int]] = {}
        for row, image in enumerate(images):
            groups.setdefault(image.shape, []).append(row)
        order: list[int] = []
        pieces: list[tuple[Any, ...]] = []
        for shape, rows in groups.items():
            step = max(1, _PIXELS_A_PASS // (shape[0] * shape[1]))
            for start in range(0, len(rows), step):
                chosen = rows[start : start + step]
                found = ask({name: values[chosen] for name, values in arrays.items()})
                order += chosen
                pieces += list(zip(*found, strict=True))
        place = np.argsort(order)
        columns = zip(*(pieces[at] for at in place), strict=True)
        return [_column(values) for values in columns]

    def pixels(self, arrays: Arrays) -> NDArray[np.float32]:
        """Images of one size as the network takes them [N, channels, H, W]."""
        found: NDArray[np.float32] = self._reading.run(arrays)[0]
        return found

    def forward(self, pixels: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """What the network says of places and of parts, of pixels [N, channels, H, W], by torch."""
        import torch

        with torch.inference_mode():
            return [found.numpy() for found in self.answering_(torch.from_numpy(pixels))]

    def _network_of(self, arrays: Arrays) -> list[NDArray[Any]]:
        """What the network says of images of one size.

        One at a time: torch sums the convolutions of a batch in another order than those of one
        image, and a part is answered alone as it is among others.
        """
        pixels = self.pixels(arrays)
        found = [self.forward(pixels[row : row + 1]) for row in range(len(pixels))]
        return [np.concatenate(each) for each in zip(*found, strict=True)]

    def _answer(self, arrays: Arrays) -> list[NDArray[Any]]:
        """The outputs for images of one size."""
        found = self._network_of(arrays)
        image = {self.column.name: arrays[self.column.name]}
        return self._behind.run({**image, **dict(zip(_FOUND, found, strict=True))})

    def _sheet_pixels(self, part: Parts) -> list[NDArray[np.float32]]:
        """Normalised images, each [C, H, W]."""
        (found,) = self._in_groups(part.arrays, self._reading.run)
        return list(found)

    def _write_pixels(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        """Images as they are, each centred and scaled by itself; the reference behind the image."""
        planes = [
            Pixels(column.name, None, by_itself=True).write(builder, inputs[column.name])
            for column in self.schema
        ]
        joined = (
            planes[0]
            if len(planes) == 1
            else builder.node("Concat", *planes, attributes={"axis": 1})
        )
        return {_PIXELS: joined}

    def _write_behind(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        """What follows from the network; the same in training and in the file."""
        image, found = inputs[self.column.name], (inputs[name] for name in _FOUND)
        return self.decision_.write(builder, image, *found)

    def _network_graph(self, precision: str) -> onnx.ModelProto:
        import torch

        channels = sum(column.channels or 1 for column in self.schema)
        example = torch.zeros(2, channels, 64, 72)  # of any size
        names = ("places", "part")
        free = [{0: "batch", 2: "height", 3: "width"}]
        model = network_to_onnx(
            self.answering_, (example,), ["pixels"], axes=free, output_names=names
        )
        if precision == "float32":
            return model
        rows = {"pixels": self._calibration_rows()}
        narrow = to_int8(model, rows)
        self.speed_ = speed_of(
            {"float32": model, precision: narrow}, {"pixels": rows["pixels"][:16]}
        )
        return narrow

    def _calibration_rows(self) -> NDArray[np.float32]:
        """Training images of the commonest size, for the ranges of int8."""
        sizes = [image.shape for image in self.calibration_]
        usual = max(set(sizes), key=sizes.count)
        return np.stack([image for image in self.calibration_ if image.shape == usual])


def _column(values: tuple[Any, ...]) -> NDArray[Any]:
    """Answers of all rows as one array; images, and what else differs in size, one by one."""
    if len({np.shape(value) for value in values}) == 1 and np.ndim(values[0]) < 2:
        return np.stack(values)
    return one_by_one(values)
