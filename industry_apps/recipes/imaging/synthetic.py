"""Whether generated images help a classifier, and whether the generator tells strange ones.

Both are questions that anybody can ask of own images, on a test part that the generator and
the classifier have not seen.

Letters: N images, H height, W width, C channels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby, product
from operator import itemgetter

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.evaluation.intervals import BootstrapResult, bootstrap
from industry_apps.evaluation.metrics import Ranking
from industry_apps.evaluation.sections import Section
from industry_apps.recipes.imaging.generation import ImageGenerator, Images
from industry_apps.runtime.progress import tracked

#: Images and labels, seed -> function from images to scores, higher for the positive label.
FitClassifier = Callable[[Images, NDArray[np.bool_], int], Callable[[Images], NDArray[np.floating]]]
Labelled = tuple[Images, ArrayLike]


def synthetic_gain(
    train: Labelled,
    test: Labelled,
    fit: FitClassifier,
    *,
    generator: ImageGenerator | None = None,
    sizes: Sequence[int] = (500,),
    added: float = 1.0,
    seeds: Sequence[int] = (0, 1, 2),
) -> Section:
    """Compare a classifier of real images with one of real and generated images.

    For each size and seed, so many training images are drawn; a generator is fitted to them
    alone, makes images in the proportions of the labels, and two classifiers are fitted: to
    the real images, repeated until they are as many, and to both. So both are trained equally
    long, and what differs is the images.

    Parameters
    ----------
    train, test : tuple of ndarray of uint8, shape (N, H, W, C), and array-like of bool
    fit : callable
        Fits a classifier; see ``FitClassifier``.
    generator : ImageGenerator, optional
        Its parameters are used, with each seed in turn.
    sizes : sequence of int, default=(500,)
        Real training images.
    added : float, default=1.0
        Generated images for each real one.
    seeds : sequence of int, default=(0, 1, 2)
        Of the draw, the generator and the classifier.

    Returns
    -------
    Section
        One row a size: ``auroc`` of both classifiers and their difference, with intervals over
        the test images and the seeds.

    Raises
    ------
    ParameterError
        There are fewer training images than a size.
    """
    images, labels = train[0], np.asarray(train[1], dtype=bool)
    made = generator or ImageGenerator()
    if not (seeds and sizes) or max(sizes) > len(images):
        raise ParameterError(
            f"There are {len(images)} training images and {len(seeds)} seeds; the sizes are "
            f"{list(sizes)}. Choose a seed or more, and sizes up to the number of images."
        )
    rows: list[list[object]] = [["real_images", "generated", "real", "both", "both_less_real"]]
    plan = list(product(sizes, seeds))
    shown = tracked(plan, f"real and generated images, {made.model}")
    for size, asked in groupby(shown, key=itemgetter(0)):
        real: list[BootstrapResult] = []
        both: list[BootstrapResult] = []
        for _, seed in asked:
            chosen = _of_both_kinds(labels, size, seed)
            part = images[chosen], labels[chosen]
            wider = _with_generated(part, made, added, seed)
            for found, (pixels, told) in ((real, _repeated(part, wider[1])), (both, wider)):
                found.append(_auroc(fit(pixels, told, seed)(test[0]), test[1]))
        ours, theirs = _over_seeds(both), _over_seeds(real)
        estimates = (
            theirs.estimates()["auroc"],
            ours.estimates()["auroc"],
            ours.minus(theirs)["auroc"],
        )
        rows.append([size, round(added * size), *estimates])
    text = (
        "AUROC on test images of classifiers fitted to real images, and to real and generated "
        f"ones ({made.model}), for equally many steps; {len(seeds)} seeds. An interval covers "
        "95 %, over test images and seeds. "
        "Generated images help where the whole interval of the difference lies above 0."
    )
    return Section(f"Generated images in training ({made.model})", text, rows)


def _of_both_kinds(labels: NDArray[np.bool_], size: int, seed: int) -> NDArray[np.intp]:
    """Rows drawn at random [size], two of each kind among them however rare it is."""
    order = np.random.default_rng(seed).permutation(len(labels))
    kinds = [np.flatnonzero(labels[order] == kind)[:2] for kind in (False, True)]
    kept = np.concatenate(kinds)
    others = np.setdiff1d(np.arange(len(order)), kept)[: size - len(kept)]
    return order[np.sort(np.concatenate([kept, others]))]


def strangeness(
    generator: ImageGenerator, usual: Images, strange: Mapping[str, Images], known: Images
) -> Section:
    """Measure how well the generator tells strange images from usual ones.

    Parameters
    ----------
    generator : ImageGenerator
        Fitted to other images like the usual ones.
    usual : ndarray of uint8, shape (N, H, W, C)
        Test images.
    strange : mapping of str to ndarray of uint8, shape (., H, W, C)
        Name -> images that are of another kind, as of :func:`disturbed`.
    known : ndarray of uint8, shape (M, H, W, C)
        The training images, from which two other scores are learned: how far the mean grey of
        an image is from theirs, and what their principal components, which hold 95 % of their
        variance, leave of it.

    Returns
    -------
    Section
        One row a kind: AUROC of ``unusualness`` and of the two other scores, with intervals.
    """
    brightness, components = known.mean(), PCA(0.95, svd_solver="full").fit(_flat(known))
    scores: dict[str, Callable[[Images], NDArray[np.float64]]] = {
        generator.model: generator.unusualness,
        "mean grey": lambda images: np.abs(images.mean(axis=(1, 2, 3)) - brightness),
        "principal components": lambda images: _left(components, images),
    }
    of_usual = {name: score(usual) for name, score in scores.items()}
    rows: list[list[object]] = [["images", *scores]]
    for kind, images in strange.items():
        is_strange = np.repeat([False, True], [len(usual), len(images)])
        found = [
            _auroc(np.concatenate([of_usual[name], score(images)]), is_strange).estimates()["auroc"]
            for name, score in scores.items()
        ]
        rows.append([kind, *found])
    text = (
        "AUROC with which images of another kind are told from test images by how unlike the "
        "training images they are. 0.5 is chance, and below it strange images pass as usual."
    )
    return Section(f"Strange images ({generator.model})", text, rows)


def disturbed(images: Images, *, seed: int = 0) -> dict[str, Images]:
    """Make images that are no longer what they were: the harder, the less is changed.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, H, W, C)
        Square.
    seed : int, default=0
        Of the noise.

    Returns
    -------
    dict of str to ndarray of uint8, shape (N, H, W, C)

    Raises
    ------
    SchemaError
        The images are not square, so that they cannot be turned.

    Examples
    --------
    >>> list(disturbed(np.zeros((2, 8, 8, 1), np.uint8)))
    ['noise', 'inverted', 'turned', 'upside down', 'blurred']
    """
    if images.shape[1] != images.shape[2]:
        raise SchemaError(
            f"Images of {images.shape[1]} x {images.shape[2]} pixels cannot be turned. Cut "
            "squares out of them."
        )
    draw = np.random.default_rng(seed)
    noise = draw.normal(0, 30, images.shape)
    return {
        "noise": np.clip(images + noise, 0, 255).astype(np.uint8),
        "inverted": 255 - images,
        "turned": np.rot90(images, axes=(1, 2)).copy(),
        "upside down": images[:, ::-1].copy(),
        "blurred": _blurred(images),
    }


def _flat(images: Images) -> NDArray[np.float32]:
    return np.divide(images.reshape(len(images), -1), 255, dtype=np.float32)


def _left(components: PCA, images: Images) -> NDArray[np.float64]:
    """Squared distance of each image from the space of the components."""
    pixels = _flat(images)
    restored = components.inverse_transform(components.transform(pixels))
    found: NDArray[np.float64] = np.square(pixels - restored).sum(axis=1, dtype=np.float64)
    return found


def _blurred(images: Images) -> Images:
    """Means of 3 x 3 pixels."""
    wide = np.pad(images.astype(np.float64), ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(wide, (3, 3), axis=(1, 2))
    return windows.mean(axis=(-2, -1)).round().astype(np.uint8)


def _with_generated(
    part: tuple[Images, NDArray[np.bool_]], generator: ImageGenerator, added: float, seed: int
) -> tuple[Images, NDArray[np.bool_]]:
    images, labels = part
    made = generator.with_seed(seed).fit(images, labels)
    parts, told = [images], [labels]
    for label in (False, True):
        count = round(added * int((labels == label).sum()))
        if count:
            parts.append(made.sample(count, label, seed=seed))
            told.append(np.full(count, label))
    return np.concatenate(parts), np.concatenate(told)


def _repeated(
    part: tuple[Images, NDArray[np.bool_]], asked: NDArray[np.bool_]
) -> tuple[Images, NDArray[np.bool_]]:
    """The images, repeated until there are as many of each label as asked for."""
    images, labels = part
    kinds = [
        np.resize(np.flatnonzero(labels == label), (asked == label).sum())
        for label in np.unique(labels)
    ]
    rows = np.concatenate(kinds)
    return images[rows], labels[rows]


def _auroc(scores: NDArray[np.floating], target: ArrayLike) -> BootstrapResult:
    ranking = Ranking(target, scores)
    return bootstrap({"auroc": ranking.auroc}, None, len(scores))


def _over_seeds(found: Sequence[BootstrapResult]) -> BootstrapResult:
    """Means over the seeds; each resample draws seeds too, the same ones each time."""
    draws = np.array([each.draws["auroc"] for each in found])  # [seeds, resamples]
    chosen = np.random.default_rng(0).integers(len(found), size=draws.shape)
    mean = np.take_along_axis(draws, chosen, axis=0).mean(axis=0)
    value = float(np.mean([each.values["auroc"] for each in found]))
    return BootstrapResult({"auroc": value}, {"auroc": mean})
