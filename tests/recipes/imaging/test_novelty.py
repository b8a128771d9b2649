"""How unlike the training images an image is, in numpy as in the file."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.features.running import WrittenGraph
from industry_apps.recipes.imaging.novelty import Novelty, write_greys
from industry_apps.schema import Column, Schema

DRAW = np.random.default_rng(0)


def described(rows: int, target: np.ndarray) -> np.ndarray:
    return DRAW.normal(size=(rows, 5)) * [1, 1, 1, 1, 1e-3] + 4.0 * target[:, None]


def fitted(coverage: float = 0.9) -> tuple[Novelty, np.ndarray]:
    target = DRAW.integers(0, 2, 2_000)
    known = described(2_000, target)
    novelty = Novelty.fit(known[:1_000], target[:1_000], known[1_000:], coverage=coverage)
    return novelty, described(2_000, target)


def test_usual_images_stay_within_the_limit_as_often_as_is_asked():
    novelty, others = fitted()
    assert (novelty.of(others) <= 1).mean() == pytest.approx(0.9, abs=0.03)
    assert (
        novelty.of(others + np.array([0, 0, 0, 0, 0.1])) > 1
    ).all()  # narrow directions tell most


@pytest.mark.parametrize("rows", [1, 6, 200])  # of 6, the limit lies beyond all
def test_no_known_image_sits_on_the_limit(rows: int):
    """Where one does, rounding in the file may turn the answer."""
    target = DRAW.integers(0, 2, 500)
    others = np.repeat(described(rows, DRAW.integers(0, 2, rows)), 2, axis=0)  # and copies
    novelty = Novelty.fit(described(500, target), target, others, coverage=0.95)
    assert np.abs(novelty.of(others) - 1).min() > 1e-5


def test_the_file_says_the_same():
    novelty, others = fitted()
    read = Schema((Column("described", "number", shape=(5,)),))
    told = Schema((Column("novelty", "number"),))
    graph = WrittenGraph(read, lambda b, x: {"novelty": novelty.write(b, x["described"])}, told)
    (found,) = graph.run({"described": others.astype(np.float32)})
    assert np.allclose(found[:, 0], novelty.of(others.astype(np.float32)), rtol=1e-5)


def test_greys_tell_brightness_contrast_inversion_and_blur():
    image = DRAW.gamma(2.0, size=(1, 1, 32, 32))
    smooth = np.lib.stride_tricks.sliding_window_view(image, (5, 5), axis=(2, 3)).mean((4, 5))
    wide = np.pad(smooth, ((0, 0), (0, 0), (2, 2), (2, 2)), mode="edge")
    images = np.concatenate([image, image + 1, image * 2, -image, wide, image * 0])
    read = Schema((Column("pixels", "number", shape=(1, 32, 32)),))
    told = Schema((Column("greys", "number", shape=(4,)),))
    graph = WrittenGraph(read, lambda b, x: {"greys": write_greys(b, x["pixels"])}, told)
    (greys,) = graph.run({"pixels": images.astype(np.float32)})
    usual, bright, strong, inverted, blurred, flat = greys
    assert bright - usual == pytest.approx([1, 0, 0, 0], abs=1e-4)
    assert strong[1] - usual[1] == pytest.approx(np.log(2), abs=1e-2)
    assert inverted[2] == pytest.approx(-usual[2], abs=1e-4)
    assert usual[3] - blurred[3] > 1
    assert np.isfinite(flat).all()
