"""Images made like those of a class, and how unlike them a new one is.

Two models of the same small images: a variational autoencoder, which is cheap and tells how
likely an image is, and a denoising diffusion model, whose samples are sharper.

Letters: N images, H height, W width, C channels, K classes, L width of a latent code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import NotFittedError

from industry_apps.errors import ParameterError, SchemaError, TrainingError
from industry_apps.export.convert import network_to_onnx
from industry_apps.limits import Limit, check_parameters, integer, wrong_parameter
from industry_apps.training import TrainingOptions

if TYPE_CHECKING:
    import onnx
    import torch

GenerativeModel = Literal["vae", "diffusion"]

Images = NDArray[np.uint8]

#: Shares of the noise at which the denoiser is asked how well it knows an image.
_ASKED = (0.1, 0.25, 0.4)
_SMALLEST, _LARGEST = 8, 64
_FEWEST = 50
_IMAGES_A_PASS = 256
_SMALLEST_ERROR = 1e-6
_COUNT = integer(1, 100_000)
_TRAINING = TrainingOptions(max_epochs=30, batch_size=64, least_steps=1_000)


_EIGHTS = Limit(lambda v: integer(8).holds(v) and v % 8 == 0, "a positive multiple of 8, an int")


@dataclass(kw_only=True, eq=False)
class ImageGenerator:
    """Learn what images of each class look like; make more of them; tell what is unlike all.

    Parameters
    ----------
    model : {"vae", "diffusion"}
        A convolutional variational autoencoder, or a denoising diffusion model.
    width : int
        Channels of the first layer, a multiple of 8.
    training : TrainingOptions, optional
        By default 30 epochs in batches of 64, or as many as have 1000 steps.
    seed : int

    Notes
    -----
    ``unusualness`` is, for the autoencoder, the smallest negative evidence lower bound over the
    classes, in nats a pixel, with the spread of the pixels as it is on the images that were
    held out; for the diffusion model the smallest mean squared error with which it tells image
    and noise apart at three steps, always the same noise. Either may call an image usual that
    is merely plain: models of likelihood are known to (Nalisnick et al. 2019, arXiv:1810.09136).
    Measure it against images that could come, before it decides anything.

    References
    ----------
    Kingma and Welling (2014), arXiv:1312.6114; Rybkin et al. (2021), Simple and effective VAE
    training with calibrated decoders, arXiv:2006.13202; Ho et al. (2020), arXiv:2006.11239;
    Graham et al. (2023), Denoising diffusion models for out-of-distribution detection,
    arXiv:2211.07740.

    Examples
    --------
    >>> draw = np.random.default_rng(0)
    >>> images = draw.integers(90, 110, (64, 8, 8, 1)).astype(np.uint8)
    >>> images[::2] += 100
    >>> quick = TrainingOptions(max_epochs=2, batch_size=16, progress=False)
    >>> generator = ImageGenerator(width=8, training=quick).fit(images, np.arange(64) % 2)
    >>> generator.sample(3, label=1).shape, generator.unusualness(images).shape
    ((3, 8, 8, 1), (64,))
    """

    model: GenerativeModel = "vae"
    width: Annotated[int, _EIGHTS] = 16
    training: TrainingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    def fit(
        self, images: Images, labels: ArrayLike, validation: tuple[Images, ArrayLike] | None = None
    ) -> Self:
        """Learn from images.

        Parameters
        ----------
        images : ndarray of uint8, shape (N, H, W, C)
            Of 8 to 64 pixels a side, at least 50 of them.
        labels : array-like of shape (N,)
            What each shows; one value throughout where nothing is told apart.
        validation : tuple of ndarray and array-like, optional
            The same for other images, which decide when to stop; by default a tenth of the
            images is set aside.

        Raises
        ------
        SchemaError, ParameterError, TrainingError
        """
        check_parameters(self)
        given, names = _checked(images), np.asarray(labels)
        if len(names) != len(given) or len(given) < _FEWEST:
            raise TrainingError(
                f"There are {len(given)} images and {len(names)} labels. Give one label for each "
                f"of at least {_FEWEST} images."
            )
        self.classes_ = np.unique(names)
        self.shape_ = given.shape[1:]
        kept, held_out = _parted(given, names, self.seed)
        if validation is not None:
            kept, held_out = (given, names), (validation[0], np.asarray(validation[1]))
        self._train([(self._fitting(x), self._codes(y)) for x, y in (kept, held_out)])
        return self

    def with_seed(self, seed: int) -> ImageGenerator:
        """An unfitted generator of the same parameters and another seed.

        Parameters
        ----------
        seed : int
        """
        return ImageGenerator(model=self.model, width=self.width, training=self.training, seed=seed)

    def sample(self, count: int, label: Any, *, seed: int = 0) -> Images:
        """Make images of a class.

        Parameters
        ----------
        count : int
            N, at least 1.
        label : object
            One of ``classes_``.
        seed : int, default=0
            Same seed, same images.

        Returns
        -------
        ndarray of uint8, shape (N, H, W, C)

        Raises
        ------
        ParameterError, NotFittedError
        """
        import torch

        from industry_apps.backbones.image_scores import as_bytes

        self._check_fitted()
        if not _COUNT.holds(count):
            raise wrong_parameter("ImageGenerator.sample", "count", _COUNT.words, count)
        code = int(self._codes(np.array([label]))[0])
        source = torch.Generator().manual_seed(seed)
        made = []
        with torch.inference_mode():
            for start in range(0, count, _IMAGES_A_PASS):
                rows = min(_IMAGES_A_PASS, count - start)
                which = torch.full((rows,), code, dtype=torch.int64)
                noise = torch.randn(rows, *self._noise_shape(), generator=source)
                made.append(self._made(noise, which))
        return as_bytes(torch.cat(made)).contiguous().numpy()

    def unusualness(self, images: Images) -> NDArray[np.float64]:
        """Tell how unlike the training images each image is; see the notes of the class.

        Parameters
        ----------
        images : ndarray of uint8, shape (N, H, W, C)
            Of the size of the training images.

        Returns
        -------
        ndarray of float, shape (N,)

        Raises
        ------
        SchemaError, NotFittedError
        """
        import torch

        from industry_apps.backbones.image_scores import OfBytes

        self._check_fitted()
        pixels = torch.tensor(self._fitting(images))
        score = OfBytes(self._scorer())
        with torch.inference_mode():
            parts = [score(part) for part in pixels.split(_IMAGES_A_PASS)]
        return torch.cat(parts).double().numpy()

    def scorer_to_onnx(self) -> onnx.ModelProto:
        """Write :meth:`unusualness` as a graph.

        Returns
        -------
        onnx.ModelProto
            ``image`` [batch, H, W, C] uint8 -> ``output`` [batch] float32.
        """
        import torch

        from industry_apps.backbones.image_scores import OfBytes

        self._check_fitted()
        example = torch.zeros(2, *self.shape_, dtype=torch.uint8)
        return network_to_onnx(OfBytes(self._scorer()), (example,), ["image"])

    def _train(self, parts: Sequence[tuple[Images, NDArray[np.int64]]]) -> None:
        from industry_apps.backbones import ConvolutionalVAE, Denoiser
        from industry_apps.training import fit_network, seeded

        options = self.training or _TRAINING
        height, width, channels = self.shape_
        kinds = len(self.classes_)
        with seeded(self.seed):
            self.network_: Any = (
                ConvolutionalVAE(
                    height, width, channels=channels, classes=kinds, filters=self.width
                )
                if self.model == "vae"
                else Denoiser(channels, kinds, width=self.width)
            )
        objective = _evidence if self.model == "vae" else _told_velocity
        self.history_ = fit_network(
            self.network_, *parts, objective, replace(options, seed=self.seed)
        )
        self.spread_ = self._spread(*parts[1]) if self.model == "vae" else 1.0

    def _spread(self, images: Images, codes: NDArray[np.int64]) -> float:
        """Variance of a pixel about its restored value, on images held out."""
        import torch

        from industry_apps.backbones.image_scores import as_numbers

        errors = []
        with torch.inference_mode():
            for start in range(0, len(images), _IMAGES_A_PASS):
                part = slice(start, start + _IMAGES_A_PASS)
                pixels = as_numbers(torch.tensor(images[part]))
                restored = self.network_(pixels, torch.from_numpy(codes[part]))[0]
                errors.append((restored - pixels).square().mean((1, 2, 3)))
        return float(torch.cat(errors).mean().clamp(min=_SMALLEST_ERROR))

    def _scorer(self) -> torch.nn.Module:
        from industry_apps.backbones.image_scores import DenoisingError, EvidenceBound

        if self.model == "vae":
            return EvidenceBound(self.network_, self.spread_).eval()
        return DenoisingError(self.network_, _ASKED, self._noise_shape(), self.seed).eval()

    def _made(self, noise: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
        make = self.network_.decode if self.model == "vae" else self.network_.sample
        made: torch.Tensor = make(noise, which)
        return made

    def _noise_shape(self) -> tuple[int, ...]:
        height, width, channels = self.shape_
        return (self.network_.latent,) if self.model == "vae" else (channels, height, width)

    def _fitting(self, images: Images) -> Images:
        """Images of the size that was trained."""
        pixels = _checked(images)
        if pixels.shape[1:] != self.shape_:
            raise SchemaError(
                f"The images have {pixels.shape[1:]} rows, columns and channels; the generator "
                f"was trained on {self.shape_}. Resize or convert them alike."
            )
        return pixels

    def _codes(self, labels: ArrayLike) -> NDArray[np.int64]:
        names = np.asarray(labels)
        known = np.isin(names, self.classes_)
        if not known.all():
            raise ParameterError(
                f"No training image has the label {names[~known][:1].tolist()[0]!r}. Known: "
                f"{', '.join(map(str, self.classes_.tolist()))}."
            )
        return np.searchsorted(self.classes_, names).astype(np.int64)

    def _check_fitted(self) -> None:
        if not hasattr(self, "spread_"):
            raise NotFittedError(
                "This ImageGenerator is not fitted yet. Call fit(images, labels) first."
            )


def _checked(images: Images) -> Images:
    """Images [N, H, W, C] of bytes, of a size that is learned in minutes."""
    array = np.asarray(images)
    sides = array.shape[1:3]
    if array.dtype != np.uint8 or array.ndim != 4 or not array.size:
        raise SchemaError(
            f"Images are bytes (uint8) of shape [images, height, width, channels]. Got "
            f"{array.dtype} of shape {array.shape}."
        )
    if min(sides) < _SMALLEST or max(sides) > _LARGEST:
        raise SchemaError(
            f"Images have {_SMALLEST} to {_LARGEST} pixels a side; these have {sides[0]} x "
            f"{sides[1]}. Resize them, or cut parts of them."
        )
    return array


def _evidence(network: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Negative evidence lower bound a pixel, with the spread of the pixels that is best."""
    from industry_apps.backbones.autoencoder import divergence
    from industry_apps.backbones.image_scores import as_numbers

    pixels, which = as_numbers(batch[0]), batch[1]
    restored, mean, log_variance = network(pixels, which)
    nats = divergence(mean, log_variance).mean()
    error = (restored - pixels).square().mean().clamp(min=_SMALLEST_ERROR)
    loss: torch.Tensor = 0.5 * error.log() + nats / pixels[0].numel()
    return loss


def _told_velocity(network: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Squared error of the velocity; in validation with the same noise at each epoch."""
    import torch

    from industry_apps.backbones.image_scores import as_numbers

    pixels, which = as_numbers(batch[0]), batch[1]
    schedule: Any = network.schedule
    source = None if network.training else torch.Generator().manual_seed(0)
    step = torch.randint(len(schedule.left), (len(pixels),), generator=source)
    noise = torch.randn(pixels.shape, generator=source)
    told: torch.Tensor = network(schedule.noisy(pixels, step, noise), step, which)
    return (told - schedule.velocity(pixels, step, noise)).square().mean()


def _parted(
    images: Images, labels: NDArray[Any], seed: int
) -> tuple[tuple[Images, NDArray[Any]], tuple[Images, NDArray[Any]]]:
    """Nine tenths to learn from and one to stop by, at random: images have no order."""
    order = np.random.default_rng(seed).permutation(len(images))
    held_out, kept = np.split(order, [len(images) // 10])
    return (images[kept], labels[kept]), (images[held_out], labels[held_out])
