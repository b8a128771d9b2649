"""From an image of any size to the mask of what is to be found in it.

The image is resized and normalised in the graph, a U-Net gives each pixel its log-odds, and
these are resized to the size of the image, where the threshold decides. The threshold is the
one with the best Dice on validation images; an image is said to have a region when the share
of its marked pixels reaches another, chosen there too.

Letters: N images, H height, W width, C channels, S pixels a side that the network works on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TrainingError
from industry_apps.export.convert import network_to_onnx
from industry_apps.features import GraphBuilder
from industry_apps.features.graph import FeatureGraph
from industry_apps.features.image import Pixels, write_resized
from industry_apps.features.running import WrittenGraph
from industry_apps.limits import check_parameters, integer
from industry_apps.recipes.imaging.mask_metrics import dice_optimal_threshold
from industry_apps.recipes.imaging.mask_training import region_objective
from industry_apps.runtime.answers import shaped
from industry_apps.schema import Column, Schema
from industry_apps.schema.images import one_by_one
from industry_apps.training import TrainingOptions
from industry_apps.training.augmentation import Augmentation

Arrays = Mapping[str, NDArray[Any]]

_MAP = Schema((Column("/map", "number", shape=(1, None, None)),))

_IMAGES_A_PASS = 32
_BYTE = 255.0
_LOGITS = "/logits"


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
        Each bool [H, W].
    """

    arrays: Arrays
    masks: NDArray[np.object_]


class MaskRecipe:
    """Learn masks from images, and write the whole way to the mask into a graph.

    Parameters
    ----------
    schema : Schema
        Of one column of images.
    outputs : Schema
        Mask, share of marked pixels, and whether anything was found, in this order.
    options : MaskOptions
    """

    def __init__(self, schema: Schema, outputs: Schema, options: MaskOptions) -> None:
        (self.column,) = schema
        self.schema, self.outputs, self.options = schema, outputs, options
        size = options.size
        logits = Column(name=_LOGITS, kind="number", shape=(1, size, size))
        self._behind = Schema((self.column, logits))

    def fit(self, train: MaskedImages, validation: MaskedImages) -> MaskRecipe:
        """Learn from images; choose the best epoch and the thresholds on others.

        Parameters
        ----------
        train, validation : MaskedImages

        Raises
        ------
        TrainingError
            No training image has a region.
        SchemaError
            No validation image has one.
        """
        from industry_apps.backbones import UNet
        from industry_apps.training import fit_network, seeded

        options = self.options
        if not any(mask.any() for mask in train.masks):
            raise TrainingError(
                "No training image has a region, so there is nothing to learn. Give masks that "
                "are not empty."
            )
        # A lamp or a camera says nothing of a region: each image is its own measure.
        pixels = Pixels(self.column.name, options.size, by_itself=True)
        plan = FeatureGraph(self.schema, [pixels])
        self.features = plan.learn(train.arrays)
        with seeded(options.training.seed):
            self.network_ = UNet(
                self.channels, width=options.width, depth=options.depth, block=options.block
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
        """How likely each pixel belongs to a region -> (N,), each float32 [H, W]."""
        (found,) = self._maps.run({**arrays, _LOGITS: self._logits(arrays)})
        return one_by_one(image[0] for image in found)

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

    def _choose(self, validation: MaskedImages) -> None:
        """Thresholds of pixels by their Dice, of images by how well they are told apart."""
        self._maps = WrittenGraph(self._behind, self._write_maps, _MAP)
        maps = self.probabilities(validation.arrays)
        self.threshold_, _ = dice_optimal_threshold(list(maps), list(validation.masks))
        shares = np.array([(found >= np.float32(self.threshold_)).mean() for found in maps])
        has_region = np.array([mask.any() for mask in validation.masks])
        self.least_share_ = _best_cut(shares, has_region)
        self._answers = WrittenGraph(self._behind, self._write_answers, self.outputs)

    def _logits(self, arrays: Arrays) -> NDArray[np.float32]:
        """What the trained network says of each place -> [N, 1, S, S]."""
        import torch

        pixels = torch.from_numpy(self.features.run(arrays)["pixels"])
        with torch.inference_mode():
            parts = [self.network_(part) for part in pixels.split(_IMAGES_A_PASS)]
        found: NDArray[np.float32] = torch.cat(parts).numpy()
        return found

    def _tensors(self, part: MaskedImages) -> tuple[NDArray[Any], NDArray[Any]]:
        """Pixels [N, C, S, S], and the share of each that lies in a region [N, 1, S, S]."""
        mask = Column(name="mask", kind="image", channels=1, nullable=False)
        coverage = FeatureGraph(
            Schema((mask,)), [Pixels("mask", self.options.size, (0.0,), (_BYTE,))]
        )
        bytes_of = one_by_one(m[:, :, None].astype(np.uint8) * np.uint8(_BYTE) for m in part.masks)
        return self.features.run(part.arrays)["pixels"], coverage.run({"mask": bytes_of})["pixels"]

    def _write_map(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Probabilities [batch, 1, H, W] of the size of the image."""
        image = inputs[self.column.name]
        sides = builder.node("Shape", image, attributes={"start": 1, "end": 3})  # H and W
        return builder.node("Sigmoid", write_resized(builder, inputs[_LOGITS], sides))

    def _write_maps(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        return {"/map": self._write_map(builder, inputs)}

    def _write_answers(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        """What follows from the log-odds; the same in training and in the file."""
        threshold = builder.constant(np.float32(self.threshold_))
        inside = builder.node("GreaterOrEqual", self._write_map(builder, inputs), threshold)
        plane = builder.node("Squeeze", inside, builder.constant(np.array([1])))  # [batch, H, W]
        mask = builder.node("Mul", builder.cast(plane, np.uint8), builder.constant(np.uint8(_BYTE)))
        pixels = builder.node(
            "Reshape", builder.cast(plane, np.float32), builder.constant(np.array([0, -1]))
        )
        share = builder.node("ReduceMean", pixels, builder.constant(np.array([1])))  # [batch, 1]
        least = builder.constant(np.float32(self.least_share_))
        found = builder.node("GreaterOrEqual", share, least)
        return dict(zip(self.outputs.names, (mask, share, found), strict=True))


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
