"""Images made of a class look like it, and what is unlike all classes is told."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from sklearn.exceptions import NotFittedError

from industry_apps.errors import ParameterError, SchemaError, TrainingError
from industry_apps.recipes.imaging.generation import ImageGenerator
from industry_apps.training import TrainingOptions

pytestmark = pytest.mark.generative


def bars(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Dark images with a bright bar: upright in one class, level in the other."""
    draw = np.random.default_rng(seed)
    labels = np.where(draw.random(count) < 0.5, "upright", "level")
    images = draw.normal(60, 5, (count, 12, 12, 1))
    for image, label, place in zip(images, labels, draw.integers(0, 9, count), strict=True):
        bar = image if label == "level" else image.transpose(1, 0, 2)
        bar[place : place + 3] += 120
    return images.round().astype(np.uint8), labels


def turned(images: np.ndarray) -> np.ndarray:
    """By how much the means of the rows vary more than those of the columns."""
    return images.mean(axis=(2, 3)).std(axis=1) - images.mean(axis=(1, 3)).std(axis=1)


OPTIONS = {
    "vae": TrainingOptions(max_epochs=12, batch_size=32, learning_rate=4e-3, progress=False),
    "diffusion": TrainingOptions(max_epochs=12, batch_size=32, learning_rate=3e-3, progress=False),
}


@pytest.fixture(scope="module", params=list(OPTIONS))
def generator(request: pytest.FixtureRequest) -> ImageGenerator:
    found = ImageGenerator(model=request.param, width=8, training=OPTIONS[request.param])
    return found.fit(*bars(600))


def test_samples_show_the_class_that_was_asked_for(generator: ImageGenerator) -> None:
    for label, sign in (("level", 1), ("upright", -1)):
        made = generator.sample(40, label)
        assert made.shape == (40, 12, 12, 1)
        assert made.dtype == np.uint8
        assert (sign * turned(made) > 0).mean() > 0.8
        assert len(np.unique(made, axis=0)) == 40


def test_samples_repeat_with_their_seed(generator: ImageGenerator) -> None:
    first, again, other = (generator.sample(5, "level", seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_what_was_never_seen_is_unusual(generator: ImageGenerator) -> None:
    usual, _ = bars(60, seed=9)
    draw = np.random.default_rng(1)
    noise = draw.integers(0, 256, usual.shape).astype(np.uint8)
    unusual = generator.unusualness(noise)
    assert unusual.min() > generator.unusualness(usual).max()


def test_the_exported_score_is_that_of_the_generator(generator: ImageGenerator) -> None:
    session = onnxruntime.InferenceSession(generator.scorer_to_onnx().SerializeToString())
    for images in (bars(7, seed=5)[0], bars(1, seed=6)[0]):
        (found,) = session.run(None, {"image": images})
        np.testing.assert_allclose(found, generator.unusualness(images), rtol=1e-4, atol=1e-4)


def test_what_cannot_be_done_is_refused(generator: ImageGenerator) -> None:
    images, labels = bars(60)
    with pytest.raises(ParameterError, match=r"the label 'oblique'\. Known: level, upright"):
        generator.sample(1, "oblique")
    with pytest.raises(ParameterError, match=r"'count' .* Got 0 instead"):
        generator.sample(0, "level")
    with pytest.raises(SchemaError, match=r"\(11, 12, 1\).*trained on \(12, 12, 1\)"):
        generator.unusualness(images[:, :11])
    with pytest.raises(SchemaError, match=r"bytes .* Got float64"):
        generator.unusualness(images / 255)
    with pytest.raises(SchemaError, match="8 to 64 pixels a side; these have 4 x 12"):
        ImageGenerator().fit(images[:, :4], labels)
    with pytest.raises(TrainingError, match="60 images and 59 labels"):
        ImageGenerator().fit(images, labels[1:])
    with pytest.raises(ParameterError, match=r"'width' parameter .* multiple of 8.* Got 12"):
        ImageGenerator(width=12).fit(images, labels)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        ImageGenerator().unusualness(images)
