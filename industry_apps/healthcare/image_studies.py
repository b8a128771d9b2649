"""Questions about a data set of labelled images: trust, networks, and what generated images do.

Asked by whoever has few images of a disease: do more of them, made by a generator, help a
classifier? And does the generator know an image that is no radiograph when it sees one? Either
answer may be no.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from industry_apps.application import Application
from industry_apps.data import Dataset
from industry_apps.errors import ParameterError, ParityError
from industry_apps.evaluation import compare_variants
from industry_apps.evaluation.sections import Section
from industry_apps.recipes.imaging.generation import ImageGenerator, Images
from industry_apps.recipes.imaging.masks import MaskValues
from industry_apps.recipes.imaging.recipe import ImagingOptions
from industry_apps.recipes.imaging.synthetic import disturbed, strangeness, synthetic_gain
from industry_apps.registry import application
from industry_apps.runtime import Model
from industry_apps.schema import Column

__all__ = ["both_generators", "compared_networks", "generative_report", "trust_report"]

#: Real images that generated ones are added to.
_STUDIED = (100, 500)
_LEAST_STEPS = 600
_NETWORKS: dict[str, dict[str, Any]] = {
    "resnet18": {"network": "resnet18"},
    "resnet18, squeeze-and-excitation": {"network": "resnet18", "squeeze": True},
    "resnet50": {"network": "resnet50"},
    "convnext": {"network": "convnext"},
}
Image = NDArray[np.uint8]
_Change = Callable[[Image, np.random.Generator], Image]
_IMAGE = Column(name="image", kind="image", nullable=False)


def compared_networks(
    classifier: Application, data: Dataset, *, seeds: Sequence[int] = (0, 1, 2)
) -> Section:
    """Train networks of one width alike, and ask which sees most.

    Parameters
    ----------
    classifier : ImagingClassifier
        Its parameters are used, but for the network and the seed.
    data : Dataset
    seeds : sequence of int, default=(0, 1, 2)

    Returns
    -------
    Section
        See :func:`industry_apps.evaluation.compare_variants`; ``auroc`` is a mean over classes.

    Raises
    ------
    SchemaError, ParameterError, TrainingError
    """
    options = classifier.options or ImagingOptions()
    variants = {name: {"options": replace(options, **each)} for name, each in _NETWORKS.items()}
    title = f"Networks of width {options.width}"
    return compare_variants(classifier, variants, data, "auroc", seeds=seeds, title=title)


def trust_report(classifier: Application, data: Dataset) -> tuple[Section, ...]:
    """Train, and measure where the map points, what is abstained from, and what int8 is worth.

    Parameters
    ----------
    classifier : ImagingClassifier
        Its parameters are used.
    data : Dataset
        Where it has a column ``mask``, the map is compared with it.

    Raises
    ------
    SchemaError, ParameterError, TrainingError
    """
    fitted = clone(classifier).fit(data)
    names = (classifier.get_params(deep=False).get("columns") or {}).get
    image, finding = names("image", "image"), names("finding", "finding")
    found = [_shifted(fitted, data.test, image, finding), _precision(fitted, data)]
    marked = MaskValues.learned(data.test["mask"]) if "mask" in data.test else None
    if marked is not None:
        found.insert(0, _pointed(fitted, data.test, marked.read(data.test["mask"])))
    return tuple(found)


def _pointed(fitted: Application, test: pd.DataFrame, masks: NDArray[np.object_]) -> Section:
    """How often the largest value of the map lies in the box around a region."""
    there = [row for row, mask in enumerate(masks) if mask is not None and mask.any()]
    maps = fitted.predict(test.iloc[there])["heat_map"]
    hits, centres, shares = [], [], []
    for mask, heat in zip(masks[there], maps, strict=True):
        box = np.zeros_like(mask)
        down, across = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        box[down[0] : down[-1] + 1, across[0] : across[-1] + 1] = True
        hits.append(box[np.unravel_index(np.argmax(heat), box.shape)])
        centres.append(box[box.shape[0] // 2, box.shape[1] // 2])
        shares.append(box.mean())
    rows = [("images", "map", "centre of the image", "share of the box")]
    return Section(
        "Where the map points",
        "Share of the images with a region in which the largest value of the map lies in the box "
        "around it; of chance this is the share that the box takes of the image.",
        [*rows, (len(there), *(float(np.mean(each)) for each in (hits, centres, shares)))],
    )


def _shifted(fitted: Application, test: pd.DataFrame, image: str, finding: str) -> Section:
    """How often it abstains from images that are not like those of training."""
    usual = fitted.schema_.to_arrays(test)[image]
    rows: list[tuple[object, ...]] = [("images", "abstained", "novel", "correct", "answered_right")]
    for name, change in _SHIFTS.items():
        draw = np.random.default_rng(0)
        answers = fitted.predict(
            pd.DataFrame({image: [change(each, draw) for each in usual]}, index=test.index)
        )
        right = (answers["finding"] == test[finding]).to_numpy() & (name not in _FOREIGN)
        kept = ~answers["abstain"].to_numpy(bool)
        novel = float((answers["novelty"] > 1).mean())
        answered = float(right[kept].mean()) if kept.any() else None
        rows.append((name, float(1 - kept.mean()), novel, float(right.mean()), answered))
    text = (
        "Test images as they are, changed, and others of the same size: which share is abstained "
        "from, is unlike the training images, is right, and is right among those answered. Of "
        "foreign images no answer is right."
    )
    return Section("Shifted images", text, rows)


def _precision(fitted: Application, data: Dataset) -> Section:
    """What int8 loses, and whether it is faster here."""
    rows: list[tuple[object, ...]] = [("precision", "times_as_fast", "auroc", "megabytes")]
    with TemporaryDirectory() as folder:
        try:
            path = fitted.export(Path(folder) / "int8.onnx", precision="int8", check=data)
        except ParityError as error:
            return Section("Precision", str(error))
        facts = Model(path).metadata
        loss, speed = facts["loss"], facts["speed"]["times_as_fast"]
        plain = fitted.export(Path(folder) / "float32.onnx", check=data)
        sizes = [each.stat().st_size / 2**20 for each in (plain, path)]
    areas = loss["trained"], loss["file"]
    rows += [
        (name, speed[name], area, size)
        for name, area, size in zip(("float32", "int8"), areas, sizes, strict=True)
    ]
    words = "How fast the network answers a batch on this machine, against float32."
    return Section("Precision", words, rows)


def _blurred(width: int) -> _Change:
    """Means over a square of so many pixels."""

    def change(image: Image, draw: np.random.Generator) -> Image:
        del draw
        edges = ((width // 2, (width - 1) // 2),) * 2
        wide = np.pad(image.astype(np.float64), (*edges, (0, 0)), mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(wide, (width, width), axis=(0, 1))
        return windows.mean(axis=(-2, -1)).round().astype(np.uint8)

    return change


def _brightened(greys: float) -> _Change:
    return lambda image, draw: np.clip(image + np.float64(greys), 0, 255).astype(np.uint8)


def _noisy(deviation: float) -> _Change:
    return lambda image, draw: np.clip(
        image + draw.normal(0, deviation, image.shape), 0, 255
    ).astype(np.uint8)


def _mixed_up(image: Image, draw: np.random.Generator) -> Image:
    """The same pixels at other places."""
    return draw.permutation(image.reshape(-1, image.shape[2])).reshape(image.shape)


def _stripes(image: Image, draw: np.random.Generator) -> Image:
    """Waves of one direction."""
    down, across = np.indices(image.shape[:2])
    wave = np.sin(draw.uniform(0.1, 1) * down + draw.uniform(0.1, 1) * across)
    return np.repeat((127 + 120 * wave)[:, :, None], image.shape[2], axis=2).astype(np.uint8)


_SHIFTS: dict[str, _Change] = {
    "as they are": lambda image, draw: image,
    **{f"blurred over {width} pixels": _blurred(width) for width in (2, 3, 5, 9)},
    **{f"brightened by {greys}": _brightened(greys) for greys in (20, 40, 80)},
    "darkened by 40": _brightened(-40),
    "inverted": lambda image, draw: 255 - image,
    **{f"noise of {deviation}": _noisy(deviation) for deviation in (10, 30)},
    "pixels mixed up": _mixed_up,
    "stripes": _stripes,
}
_FOREIGN = ("pixels mixed up", "stripes")


def both_generators(columns: Mapping[str, str] | None, data: Dataset) -> tuple[Section, ...]:
    """Ask of both kinds of :class:`ImageGenerator` what :func:`generative_report` asks of one.

    Parameters
    ----------
    columns : mapping of str to str, optional
        ``image`` and ``finding`` -> what the data call them.
    data : Dataset
        Of images of one size, 8 to 64 pixels a side; the rarest finding is the one to tell.

    Raises
    ------
    SchemaError, ParameterError, TrainingError
    """
    ours = {theirs: name for name, theirs in (columns or {}).items()}
    parts = (data.train, data.validation, data.test)
    train, validation, test = (part.rename(columns=ours) for part in parts)
    named = replace(data, train=train, validation=validation, test=test)
    rarest = str(train["finding"].value_counts().index[-1])
    sizes = [size for size in _STUDIED if size <= len(train)]
    found = [
        generative_report(
            named, positive=rarest, generator=ImageGenerator(model=model), sizes=sizes
        )
        for model in ("vae", "diffusion")
    ]
    return tuple(section for each in found for section in each)


def generative_report(
    data: Dataset,
    *,
    positive: str,
    generator: ImageGenerator | None = None,
    classifier: Application | None = None,
    sizes: Sequence[int] = (500,),
    seeds: Sequence[int] = (0, 1, 2),
    strange: Mapping[str, Images] | None = None,
) -> tuple[Section, Section]:
    """Measure whether generated images help, and which strange images are found.

    Parameters
    ----------
    data : Dataset
        With the columns ``image``, all of one size, and ``finding``.
    positive : str
        The finding that a classifier is to tell from all others.
    generator : ImageGenerator, optional
        Its parameters are used.
    classifier : ImagingClassifier, optional
        Its parameters are used; by default those of ``ImagingClassifier.fast()``, for 600 steps
        at least.
    sizes, seeds
        See :func:`industry_apps.recipes.imaging.synthetic.synthetic_gain`.
    strange : mapping of str to ndarray of uint8, shape (N, H, W, C), optional
        Images of other kinds, beside the test images that are disturbed.

    Returns
    -------
    gain, told : Section

    Raises
    ------
    ParameterError
        No training image has the finding.
    """
    train, validation, test = (
        _stacked(part, positive) for part in (data.train, data.validation, data.test)
    )
    if not train[1].any():
        raise ParameterError(
            f"No training image has the finding {positive!r}. There are: "
            f"{', '.join(sorted(data.train['finding'].unique()))}."
        )
    model = classifier or _default()
    made = generator or ImageGenerator()

    def fit(
        images: Images, labels: NDArray[np.bool_], seed: int
    ) -> Callable[[Images], NDArray[np.floating]]:
        fitted = clone(model).set_params(seed=seed).fit(_frame(images, labels), _frame(*validation))
        return lambda pixels: _positive(fitted, pixels)

    gain = synthetic_gain(train, test, fit, generator=made, sizes=sizes, seeds=seeds)
    fitted = made.with_seed(made.seed).fit(*train, validation=validation)
    others = {**(strange or {}), **disturbed(test[0])}
    return gain, strangeness(fitted, test[0], others, train[0])


def _default() -> Application:
    kind: Any = application("healthcare.medical_imaging")
    quick = kind.fast()
    options = quick.options or ImagingOptions()
    training = replace(options.training, least_steps=_LEAST_STEPS)
    return quick.set_params(options=replace(options, training=training))


def _stacked(frame: pd.DataFrame, positive: str) -> tuple[Images, NDArray[np.bool_]]:
    images = np.stack(_IMAGE.to_array(frame["image"]).tolist())
    return images, (frame["finding"] == positive).to_numpy()


def _frame(images: Images, labels: NDArray[np.bool_]) -> pd.DataFrame:
    findings = np.where(labels, "positive", "negative")
    return pd.DataFrame({"image": list(images), "finding": findings.astype(object)})


def _positive(fitted: Application, images: Images) -> NDArray[np.floating]:
    answers = fitted.predict(pd.DataFrame({"image": list(images)}))
    place = fitted.classes_.index("positive")
    return np.array([each[place] for each in answers["probabilities"]])
