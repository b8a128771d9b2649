"""The two questions asked of a generator, on images whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.evaluation import Estimate
from industry_apps.recipes.imaging.generation import ImageGenerator
from industry_apps.recipes.imaging.synthetic import (
    _of_both_kinds,
    disturbed,
    strangeness,
    synthetic_gain,
)
from industry_apps.training import TrainingOptions

pytestmark = pytest.mark.generative

QUICK = ImageGenerator(
    width=8, training=TrainingOptions(max_epochs=4, batch_size=32, progress=False)
)


def brighter_below(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels = draw.random(count) < 0.4
    images = draw.normal(100, 20, (count, 10, 10, 1))
    images[labels, 5:] += 15
    return np.clip(images, 0, 255).astype(np.uint8), labels


def test_the_gain_compares_two_fits_a_seed_on_the_same_images():
    seen = []

    def fit(images, labels, seed):
        seen.append((len(images), labels.mean(), seed))
        lower = images[labels].mean(axis=0) - images[~labels].mean(axis=0)
        return lambda tested: (tested * lower).sum(axis=(1, 2, 3))

    section = synthetic_gain(
        brighter_below(150, 0),
        brighter_below(120, 1),
        fit,
        generator=QUICK,
        sizes=(60, 100),
        added=0.5,
        seeds=(0, 1),
    )
    assert [size for size, _, _ in seen] == [90, 90, 90, 90, 150, 150, 150, 150]
    assert [seed for _, _, seed in seen] == [0, 0, 1, 1] * 2
    shares = np.array([share for _, share, _ in seen]).reshape(-1, 2)
    np.testing.assert_allclose(shares[:, 0], shares[:, 1], atol=0.02)  # as the real ones are
    header, *rows = section.rows()
    assert header == ["real_images", "generated", "real", "both", "both_less_real"]
    for size, row in zip((60, 100), rows, strict=True):
        assert row[:2] == [size, size // 2]
        real, both, margin = row[2:]
        assert isinstance(margin, Estimate)
        assert real.value > 0.8  # the images are easy, so that the fits mean something
        assert margin.value == pytest.approx(both.value - real.value)
        assert margin.low <= margin.value <= margin.high


@pytest.mark.parametrize("seed", range(4))
def test_of_a_rare_kind_two_are_drawn_at_least(seed):
    labels = np.zeros(1_000, dtype=bool)
    labels[[4, 500, 900]] = True
    drawn = _of_both_kinds(labels, 30, seed)
    assert len(set(drawn.tolist())) == 30
    assert labels[drawn].sum() >= 2
    common = np.arange(1_000) % 2 == 0
    plain = np.random.default_rng(seed).permutation(1_000)[:30]
    assert _of_both_kinds(common, 30, seed).tolist() == plain.tolist()


def test_more_images_than_there_are_cannot_be_drawn():
    with pytest.raises(ParameterError, match=r"There are 60 training images .* \[61\]"):
        synthetic_gain(brighter_below(60, 0), brighter_below(9, 1), lambda *_: len, sizes=(61,))


def test_strange_images_are_told_and_brightness_is_a_baseline():
    images, labels = brighter_below(200, 0)
    usual, _ = brighter_below(80, 1)
    generator = QUICK.with_seed(1).fit(images, labels)
    black = np.zeros_like(usual)
    section = strangeness(
        generator, usual, {"black": black, "like them": brighter_below(80, 2)[0]}, images
    )
    (black_row, same_row) = section.rows()[1:]
    assert black_row[0] == "black"
    assert all(estimate.value > 0.99 for estimate in black_row[1:])
    assert all(abs(estimate.value - 0.5) < 0.15 for estimate in same_row[1:])


def test_disturbances_keep_the_form_and_change_the_content():
    images, _ = brighter_below(5, 0)
    for name, changed in disturbed(images).items():
        assert changed.shape == images.shape, name
        assert changed.dtype == np.uint8
        assert not np.array_equal(changed, images)
    assert np.array_equal(255 - disturbed(images)["inverted"], images)
    flat = np.full((1, 8, 8, 1), 9, np.uint8)
    assert np.array_equal(disturbed(flat)["blurred"], flat)
    with pytest.raises(SchemaError, match="8 x 9 pixels cannot be turned"):
        disturbed(np.zeros((1, 8, 9, 1), np.uint8))
