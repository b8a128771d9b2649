"""Images -> one of several classes, with doubt and a map; trained and written as one graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TrainingError
from industry_apps.export.convert import network_to_onnx
from industry_apps.export.precision import speed_of, to_bfloat16, to_int8
from industry_apps.features import FeatureGraph, GraphBuilder
from industry_apps.features.image import Pixels
from industry_apps.limits import (
    DROPOUT,
    Limit,
    check_parameters,
    integer,
    is_number,
    one_of,
)
from industry_apps.recipes.imaging.answering import FOUND, ImageAnswers, Told
from industry_apps.schema import Column, Schema
from industry_apps.training import TrainingOptions
from industry_apps.training.augmentation import Augmentation, augmented, mixed

if TYPE_CHECKING:
    import onnx
    import torch

    from industry_apps.backbones.convolutional import MappedNetworks

Network = Literal["resnet10", "resnet18", "resnet50", "convnext"]
Precision = Literal["float32", "int8", "bfloat16"]

#: Images are brought to the size that most training images have, but to no larger one.
_LARGEST_SIZE = 128
#: Sizes between these are enlarged: their maps have 7 x 7 cells at the least cost at the latter.
_SMALL, _LEAST_LARGE = 64, 112
_ROWS_A_PASS = 256
#: Training images that the ranges of int8 are taken from.
_CALIBRATED_ON = 512
#: Share of the training images set aside where there are no validation images.
_HELD_OUT = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagingOptions:
    """What an imaging recipe is made of.

    Parameters
    ----------
    network : {"resnet10", "resnet18", "resnet50", "convnext"}
    width : int
        Features of its first stage, >= 4; the papers have 64.
    squeeze : bool
        With squeeze-and-excitation.
    dropout : float
        Before the last layer, in [0, 1).
    size : int, optional
        Pixels of both sides that images are brought to, >= 8; by default what most training
        images have, and 128 at most.
    augmentation : Augmentation
    balanced : bool
        In training each class counts alike, however rare it is.
    averaging : float
        Memory of the running mean of the weights, in [0, 1); see
        :class:`industry_apps.training.AveragedNetwork`.
    members : int
        Networks whose answers are averaged, >= 1.
    mirrored : bool
        The file also looks at the image with left and right exchanged.
    coverage : float
        Share of each class that must not be ruled out, in (0, 1); where the answer is not
        the only class left, it is doubtful.
    training : TrainingOptions
        Precision "auto" is bfloat16 on a CPU that multiplies it in hardware.
    """

    network: Annotated[Network, one_of(("resnet10", "resnet18", "resnet50", "convnext"))] = (
        "resnet18"
    )
    width: Annotated[int, integer(4)] = 16
    squeeze: bool = False
    dropout: Annotated[float, DROPOUT] = 0.0
    size: Annotated[int, integer(8)] | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)
    balanced: bool = True
    averaging: Annotated[float, DROPOUT] = 0.99
    members: Annotated[int, integer(1)] = 1
    mirrored: bool = False
    coverage: Annotated[float, _INSIDE] = 0.95
    training: TrainingOptions = field(
        default_factory=lambda: TrainingOptions(
            max_epochs=14,
            least_steps=500,
            batch_size=128,
            learning_rate=2e-3,
            weight_decay=0.05,
            patience=14,
        )
    )

    def __post_init__(self) -> None:
        check_parameters(self)


_INSIDE = Limit(lambda v: is_number(v) and 0 < v < 1, "a number in (0, 1)")


@dataclass(frozen=True, slots=True)
class Pictures:
    """Images with the number of the class of each.

    Parameters
    ----------
    images : ndarray of object, shape [rows]
        As :meth:`industry_apps.schema.Column.to_array` makes them.
    target : ndarray of int, shape [rows]
    """

    images: NDArray[np.object_]
    target: NDArray[np.intp]

    def part(self, rows: NDArray[np.intp]) -> Pictures:
        """Some of them, by number."""
        return Pictures(self.images[rows], self.target[rows])


class ImagingRecipe:
    """Networks of images, what is answered behind them, and both as one graph.

    Parameters
    ----------
    column : Column
        Of images, with a fixed number of channels.
    classes : tuple of str
    options : ImagingOptions
    costs : mapping of str to float, optional
        Class -> what it costs to miss it.
    """

    def __init__(
        self,
        column: Column,
        classes: tuple[str, ...],
        outputs: Schema,
        options: ImagingOptions,
        costs: Mapping[str, float] | None = None,
    ) -> None:
        self.column, self.classes, self.outputs = column, classes, outputs
        self.options, self.costs = options, costs

    def fit(self, train: Pictures, validation: Pictures | None) -> ImagingRecipe:
        """Train the networks; decide when to stop, and how to answer, on validation images.

        Parameters
        ----------
        train : Pictures
        validation : Pictures, optional
            By default a fifth of the training images, with equal shares of the classes.

        Raises
        ------
        TrainingError
            A class has too few images, or the loss is not finite.
        """
        self._check_classes("training", train.target, 2 if validation is not None else 5)
        self.aside_: NDArray[np.intp] | None = None
        if validation is None:
            kept, self.aside_ = _held_out(train, self.options.training.seed)
            train, validation = train.part(kept), train.part(self.aside_)
        self._check_classes("validation", validation.target, 1)
        self.size_ = self.options.size or _usual_size(train.images)
        plan = FeatureGraph(Schema((self.column,)), [Pixels(self.column.name, self.size_)])
        self.features_ = plan.learn({self.column.name: train.images})
        parts = [(self._tensor(p.images), p.target.astype(np.int64)) for p in (train, validation)]
        members = [
            self._member(parts[0], parts[1], number) for number in range(self.options.members)
        ]
        self.network_ = self._joined(members)
        drawn = np.random.default_rng(self.options.training.seed).permutation(len(parts[0][0]))
        self.calibration_ = parts[0][0][drawn[:_CALIBRATED_ON]]
        learned, chosen_on = (
            Told(part.images, part.target, *self.forward(pixels))
            for part, (pixels, _) in zip((train, validation), parts, strict=True)
        )
        behind = ImageAnswers(
            self.column, self.features_, self.outputs, self.size_, self.network_.stride
        )
        self.answers_ = behind.fit(
            learned,
            chosen_on,
            self.classes,
            costs=self.costs,
            coverage=self.options.coverage,
            seed=self.options.training.seed,
        )
        return self

    def answer(self, images: NDArray[np.object_]) -> list[NDArray[Any]]:
        """Answer images with the trained networks -> one array for each output.

        Parameters
        ----------
        images : ndarray of object, shape [rows]
            At least one.
        """
        return self.answers_.run(images, self.forward(self._tensor(images)))

    def pixels(self, arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Images as the networks take them [rows, C, size, size]."""
        found: NDArray[np.float32] = self.features_.run(arrays)["pixels"]
        return found

    def forward(self, pixels: NDArray[np.float32]) -> tuple[NDArray[Any], ...]:
        """Log-odds [rows, K], maps [rows, K, H', W'], features [rows, F] of pixels, by torch."""
        import torch

        found = []
        with torch.inference_mode():
            for start in range(0, len(pixels), _ROWS_A_PASS):
                found.append(self.network_(torch.from_numpy(pixels[start : start + _ROWS_A_PASS])))
        return tuple(torch.cat(each).numpy() for each in zip(*found, strict=True))

    def write(
        self, builder: GraphBuilder, inputs: Mapping[str, str], precision: Precision = "float32"
    ) -> Mapping[str, str]:
        """Append the whole recipe to a graph -> {output: tensor}.

        Parameters
        ----------
        builder : GraphBuilder
        inputs : mapping of str to str
            The image column -> tensor [batch, height, width, channels].
        precision : {"float32", "int8", "bfloat16"}
            Of the networks; all else stays as it is.

        Raises
        ------
        ParameterError
            This machine cannot run a network of that precision.
        """
        pixels = self.features_.write(builder, inputs)["pixels"]
        found = builder.append(self._network_graph(precision), {"pixels": pixels})
        return self.answers_.write(builder, inputs[self.column.name], pixels, found)

    def facts(self) -> dict[str, Any]:
        """What the networks are, and what decides, as JSON values for the model file."""
        options = self.options
        return {
            "model": f"{options.network}, width {options.width}, {self.size_} x {self.size_} pixels"
            + (f", {options.members} networks" if options.members > 1 else ""),
            "classes": list(self.classes),
            "decision": self.answers_.decision_.facts(),
        }

    def _network_graph(self, precision: Precision) -> onnx.ModelProto:
        import torch

        channels, outputs = self.column.channels or 1, FOUND
        example = torch.zeros(2, channels, self.size_, self.size_)
        model = network_to_onnx(self.network_, (example,), ["pixels"], output_names=outputs)
        if precision == "float32":
            return model
        narrow = (
            to_int8(model, {"pixels": self.calibration_})
            if precision == "int8"
            else to_bfloat16(self.network_, example, "pixels", outputs)
        )
        batch = {"pixels": self.calibration_[: _CALIBRATED_ON // 8]}
        self.speed_ = speed_of({"float32": model, precision: narrow}, batch)
        return narrow

    def _member(self, train: Sequence[Any], validation: Sequence[Any], number: int) -> Any:
        """Train one network; each has a seed of its own."""
        import torch

        from industry_apps.backbones.convolutional import convnet
        from industry_apps.training import (
            AveragedNetwork,
            fit_network,
            multiplies_bfloat16,
            seeded,
        )

        options = self.options
        training = replace(options.training, seed=options.training.seed + 1_000 * number)
        if training.precision == "auto" and multiplies_bfloat16():
            training = replace(training, precision="bfloat16")
        with seeded(training.seed):
            network: Any = convnet(
                options.network,
                self.column.channels or 1,
                len(self.classes),
                width=options.width,
                squeeze=options.squeeze,
                size=self.size_,
                dropout=options.dropout,
            )
        averaged = AveragedNetwork(network.to(memory_format=torch.channels_last), options.averaging)
        weights = self._weights(train[1])
        objective = _objective(options.augmentation, weights)
        self.history_ = fit_network(averaged, train, validation, objective, training)
        member: Any = averaged.average
        return member.to(memory_format=torch.contiguous_format)

    def _joined(self, members: Sequence[Any]) -> MappedNetworks:
        from industry_apps.backbones.convolutional import MappedNetworks

        return MappedNetworks(members, mirrored=self.options.mirrored).eval()

    def _tensor(self, images: NDArray[np.object_]) -> NDArray[np.float32]:
        return self.pixels({self.column.name: images})

    def _weights(self, target: NDArray[np.int64]) -> NDArray[np.float32]:
        """How much each class counts in training, 1 on average over the rows."""
        counts = np.bincount(target, minlength=len(self.classes))
        even = np.ones(len(counts))
        weights = len(target) / (len(counts) * counts) if self.options.balanced else even
        return weights.astype(np.float32)

    def _check_classes(self, name: str, target: NDArray[np.intp], fewest: int) -> None:
        counts = np.bincount(target, minlength=len(self.classes))
        if len(self.classes) < 2 or counts.min() < fewest:
            found = ", ".join(
                f"{count} of {each!r}" for each, count in zip(self.classes, counts, strict=True)
            )
            raise TrainingError(
                f"The {name} data hold images of the classes: {found}. At least two classes with "
                f"{fewest} or more images each are needed. Add images, or drop the class."
            )


def _objective(change: Augmentation, weights: NDArray[np.float32]) -> Callable[..., Any]:
    """Cross-entropy by class weights, on images that are changed while training."""
    import torch
    from torch.nn.functional import one_hot

    of_class = torch.from_numpy(weights)

    def loss(network: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        pixels, target = batch
        truth = one_hot(target, len(of_class)).to(pixels.dtype)
        if network.training:
            pixels = augmented(pixels, change)
            if change.mixup:
                pixels, truth = mixed(pixels, truth, change.mixup)
            pixels = pixels.contiguous(memory_format=torch.channels_last)
        likely = network(pixels).float().log_softmax(1)
        return -(of_class.to(pixels.device) * truth * likely).sum(1).mean()

    return loss


def _usual_size(images: NDArray[np.object_]) -> int:
    """The longer side that most images have, within what a network is to be given."""
    sides, counts = np.unique([max(image.shape[:2]) for image in images], return_counts=True)
    size = int(np.clip(sides[counts.argmax()], 8, _LARGEST_SIZE))
    return size if size <= _SMALL else max(size, _LEAST_LARGE)


def _held_out(rows: Pictures, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Set images aside, with equal shares of the classes -> numbers of the others, and theirs."""
    from sklearn.model_selection import train_test_split

    kept, aside = train_test_split(
        np.arange(len(rows.target)), test_size=_HELD_OUT, stratify=rows.target, random_state=seed
    )
    return kept, aside
