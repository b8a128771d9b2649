"""Questions about a data set of labelled images: which network, and what generated images do.

Asked by whoever has few images of a disease: do more of them, made by a generator, help a
classifier? And does the generator know an image that is no radiograph when it sees one? Either
answer may be no.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from industry_apps.application import Application
from industry_apps.data import Dataset
from industry_apps.errors import ParameterError
from industry_apps.evaluation import compare_variants
from industry_apps.evaluation.sections import Section
from industry_apps.recipes.imaging.generation import ImageGenerator, Images
from industry_apps.recipes.imaging.recipe import ImagingOptions
from industry_apps.recipes.imaging.synthetic import disturbed, strangeness, synthetic_gain
from industry_apps.registry import application
from industry_apps.schema import Column

__all__ = ["both_generators", "compared_networks", "generative_report"]

#: Real images that generated ones are added to.
_STUDIED = (100, 500)
_LEAST_STEPS = 600
_NETWORKS: dict[str, dict[str, Any]] = {
    "resnet18": {"network": "resnet18"},
    "resnet18, squeeze-and-excitation": {"network": "resnet18", "squeeze": True},
    "resnet50": {"network": "resnet50"},
    "convnext": {"network": "convnext"},
}
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
