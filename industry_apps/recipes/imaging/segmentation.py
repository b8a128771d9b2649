"""From an image of any size to the mask of what is to be found in it.

The image is resized and normalised in the graph, a U-Net gives each pixel its log-odds, and
these are resized to the size of the image, where the threshold decides. The threshold is the
one with the best Dice on validation images; an image is said to have a region when the share
of its marked pixels reaches another, chosen there too.

Of several classes each has both thresholds. The network then answers one channel more, of what
is in no class, and a pixel is of the class whose probability is the most times its threshold.

Letters: N images, H height, W width, C channels, S pixels a side that the network works on, K
classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import SchemaError, TrainingError
from industry_apps.export.convert import network_to_onnx
from industry_apps.features import GraphBuilder
from industry_apps.features.graph import FeatureGraph
from industry_apps.features.image import Pixels, write_resized
from industry_apps.features.running import WrittenGraph
from industry_apps.limits import check_parameters, integer
from industry_apps.recipes.imaging.mask_decision import MaskDecision
from industry_apps.recipes.imaging.mask_metrics import dice_optimal_threshold
from industry_apps.recipes.imaging.mask_training import region_objective
from industry_apps.runtime.answers import shaped
from industry_apps.schema import Column, Schema
from industry_apps.schema.images import one_by_one
from industry_apps.training import TrainingOptions
from industry_apps.training.augmentation import Augmentation

Arrays = Mapping[str, NDArray[Any]]
Write = Callable[[GraphBuilder, Mapping[str, str]], Mapping[str, str]]

_IMAGES_A_PASS = 32
_MAPS_A_PASS = 4
_BYTE = 255.0
_LOGITS = "/logits"
#: What a model of one class that nobody has named is called.
_ONE = ("region",)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskOptions:
    """Settings of a model of masks.

    Parameters
    ----------
    size : int
        Pixels S of both sides to which images are resized.
    width, depth, block : int
        Of the :class:`industry_apps.backbones.UNet`.
    augmentation : Augmentation
        How training images are changed at random, and their masks with them.
    turned : bool
        They are mirrored and turned by right angles besides: for images that have no up and
        down.
    training : TrainingOptions
    """

    size: Annotated[int, integer(16, 1024)] = 128
    width: Annotated[int, integer(1)] = 16
    depth: Annotated[int, integer(1, 6)] = 4
    block: Annotated[int, integer(1, 4)] = 2
    augmentation: Augmentation = field(
        default_factory=lambda: Augmentation(rotation=0.0, shift=0.0, scale=0.0, brightness=0.2)
    )
    turned: bool = False
    training: TrainingOptions = field(
        default_factory=lambda: TrainingOptions(
            max_epochs=16, least_steps=2_000, batch_size=4, learning_rate=4e-4, patience=16
        )
    )

    def __post_init__(self) -> None:
        check_parameters(self)


@dataclass(frozen=True, slots=True)
class MaskedImages:
    """Images with what is to be found in them.

    Parameters
    ----------
    arrays : mapping of str to ndarray of object, shape (N,)
        The column of images, each uint8 [H, W, C].
    masks : ndarray of object, shape (N,)
        Each bool [H, W]; of several classes uint8, the number of the class, or 0 for none.
    """

    arrays: Arrays
    masks: NDArray[np.object_]

    def of(self, number: int) -> list[NDArray[np.bool_]]:
        """The masks of one class, which has this number from 1 to K -> N, each [H, W]."""
        return [mask == number for mask in self.masks]


class MaskRecipe:
    """Learn masks from images, and write the whole way to the mask into a graph.

    Parameters
    ----------
    schema : Schema
        Of one column of images.
    outputs : Schema
        As :func:`industry_apps.recipes.imaging.mask_decision.mask_outputs` makes them.
    options : MaskOptions
    classes : tuple of str
        Names of the classes of the masks, in the order of their numbers.
    """

    def __init__(
        self,
        schema: Schema,
        outputs: Schema,
        options: MaskOptions,
        classes: tuple[str, ...] = _ONE,
    ) -> None:
        (self.column,) = schema
        self.schema, self.outputs, self.options = schema, outputs, options
        self.classes = classes
        # Log-odds of one class; of several, those of none come first.
        self._channels = 1 if len(classes) == 1 else 1 + len(classes)
        size = options.size
        logits = Column(name=_LOGITS, kind="number", shape=(self._channels, size, size))
        self._behind = Schema((self.column, logits))

    def fit(self, train: MaskedImages, validation: MaskedImages) -> MaskRecipe:
        """Learn from images; choose the best epoch and the thresholds on others.

        Parameters
        ----------
        train, validation : MaskedImages

        Raises
        ------
        TrainingError
            No training image has a region, or one of some class.
        SchemaError
            No validation image has one.
        """
        from industry_apps.backbones import UNet
        from industry_apps.training import fit_network, seeded

        options = self.options
        self._check_classes(train, validation)
        # A lamp or a camera says nothing of a region: each image is its own measure.
        pixels = Pixels(self.column.name, options.size, by_itself=True)
        plan = FeatureGraph(self.schema, [pixels])
        self.features = plan.learn(train.arrays)
        with seeded(options.training.seed):
            self.network_ = UNet(
                self.channels,
                self._channels,
                width=options.width,
                depth=options.depth,
                block=options.block,
            )
        parts = [self._tensors(part) for part in (_with_more_regions(train), validation)]
        objective = region_objective(options.augmentation, turned=options.turned)
        self.history_ = fit_network(self.network_, *parts, objective, options.training)
        self._choose(validation)
        return self

    @property
    def channels(self) -> int:
        """Channels C of the images that were learned from."""
        (pixels,) = self.features.encoders
        assert isinstance(pixels, Pixels)
        return len(pixels.mean)

    def probabilities(self, arrays: Arrays) -> NDArray[np.object_]:
        """How likely each pixel belongs to each class -> (N,), each float32 [K, H, W]."""
        (found,) = self._maps.run({**arrays, _LOGITS: self._logits(arrays)})
        return one_by_one(found)

    def answers(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """The declared outputs, by the trained network."""
        found = self._answers.run({**arrays, _LOGITS: self._logits(arrays)})
        return shaped(self.outputs, found)

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        """Append the way from the image to the answers to a graph -> {output: tensor}."""
        import torch

        size = self.options.size
        example = torch.zeros(2, self.channels, size, size)
        model = network_to_onnx(self.network_, (example,), ["pixels"])
        pixels = self.features.write(builder, inputs)["pixels"]
        logits = builder.append(model, {"pixels": pixels})["output"]
        return self._write_answers(builder, {**inputs, _LOGITS: logits})

    def _check_classes(self, train: MaskedImages, validation: MaskedImages) -> None:
        for number, name in enumerate(self.classes, 1):
            several = len(self.classes) > 1
            if not any(mask.any() for mask in train.of(number)):
                raise TrainingError(
                    f"No training image has a pixel of the class {name!r}, so it cannot be "
                    "learned. Add images of it, or leave it out."
                    if several
                    else "No training image has a region, so there is nothing to learn. Give "
                    "masks that are not empty."
                )
            if several and not any(mask.any() for mask in validation.of(number)):
                raise SchemaError(
                    f"No pixel of the validation masks is of the class {name!r}, so no threshold "
                    "can be chosen for it. Give some images of it."
                )

    def _choose(self, validation: MaskedImages) -> None:
        """Thresholds of pixels by their Dice, of images by how well they are told apart."""
        arrays = {**validation.arrays, _LOGITS: self._logits(validation.arrays)}
        masks = {name: validation.of(number) for number, name in enumerate(self.classes, 1)}
        shape = (len(masks), None, None)
        self._maps = self._running(self._write_maps, Column("/maps", "number", shape=shape))
        thresholds = {
            name: dice_optimal_threshold(self._maps_of(place, arrays), masks[name])[0]
            for place, name in enumerate(masks)
        }
        self.decision_ = MaskDecision(thresholds)
        column = Column("/shares", "number", size=len(masks))
        (shares,) = self._running(self._write_shares, column).run(arrays)
        least = {
            name: _best_cut(shares[:, place], np.array([mask.any() for mask in masks[name]]))
            for place, name in enumerate(masks)
        }
        self.decision_ = MaskDecision(thresholds, least)
        self._answers = WrittenGraph(self._behind, self._write_answers, self.outputs)

    def _maps_of(self, place: int, arrays: Arrays) -> Iterator[NDArray[np.float32]]:
        """The maps [H, W] of one class, a few at a time: all of them are as large as K images."""
        for start in range(0, len(arrays[_LOGITS]), _MAPS_A_PASS):
            few = {name: each[start : start + _MAPS_A_PASS] for name, each in arrays.items()}
            for found in self._maps.run(few)[0]:
                yield found[place]

    def _running(self, write: Write, *columns: Column) -> WrittenGraph:
        return WrittenGraph(self._behind, write, Schema(columns))

    def _logits(self, arrays: Arrays) -> NDArray[np.float32]:
        """What the trained network says of each place -> [N, 1, S, S], or [N, 1 + K, S, S]."""
        import torch

        pixels = torch.from_numpy(self.features.run(arrays)["pixels"])
        with torch.inference_mode():
            parts = [self.network_(part) for part in pixels.split(_IMAGES_A_PASS)]
        found: NDArray[np.float32] = torch.cat(parts).numpy()
        return found

    def _tensors(self, part: MaskedImages) -> tuple[NDArray[Any], NDArray[Any]]:
        """Pixels [N, C, S, S], and the share of each that lies in each class [N, K, S, S]."""
        mask = Column(name="mask", kind="image", channels=1, nullable=False)
        coverage = FeatureGraph(
            Schema((mask,)), [Pixels("mask", self.options.size, (0.0,), (_BYTE,))]
        )
        shares = []
        for number in range(1, len(self.classes) + 1):
            masks = (m[:, :, None].astype(np.uint8) * np.uint8(_BYTE) for m in part.of(number))
            shares.append(coverage.run({"mask": one_by_one(masks)})["pixels"])
        return self.features.run(part.arrays)["pixels"], np.concatenate(shares, axis=1)

    def _write_map(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Probabilities [batch, K, H, W] of the size of the image."""
        image = inputs[self.column.name]
        sides = builder.node("Shape", image, attributes={"start": 1, "end": 3})  # H and W
        logits = write_resized(builder, inputs[_LOGITS], sides)
        if self._channels == 1:
            return builder.node("Sigmoid", logits)
        every = builder.node("Softmax", logits, attributes={"axis": 1})
        return builder.part(every, 1, self._channels)

    def _write_maps(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        return {"/maps": self._write_map(builder, inputs)}

    def _write_shares(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        marks = self.decision_.write_marks(builder, self._write_map(builder, inputs))
        return {"/shares": self.decision_.write_shares(builder, marks)}

    def _write_answers(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        """What follows from the log-odds; the same in training and in the file."""
        maps = self._write_map(builder, inputs)
        return self.decision_.write(builder, maps, self.outputs)


def _with_more_regions(part: MaskedImages) -> MaskedImages:
    """The same images, those with a region as often as is needed to be half of all."""
    has_region = np.array([mask.any() for mask in part.masks])
    times = max(1, round((~has_region).sum() / has_region.sum()))
    chosen = np.repeat(np.arange(len(has_region)), np.where(has_region, times, 1))
    return MaskedImages(
        {name: values[chosen] for name, values in part.arrays.items()}, part.masks[chosen]
    )


def _best_cut(shares: NDArray[np.float64], has_region: NDArray[np.bool_]) -> float:
    """The share from which on an image has a region: halfway between two, by Youden's index.

    References: Youden (1950), Index for rating diagnostic tests.
    """
    marked = np.unique(np.append(shares[shares > 0], 1.0))
    cuts = np.append(marked[0] / 2, (marked[1:] + marked[:-1]) / 2)
    if has_region.all():
        return float(cuts[0])
    rates = [(shares[has_region] >= c).mean() - (shares[~has_region] >= c).mean() for c in cuts]
    return float(cuts[int(np.argmax(rates))])
