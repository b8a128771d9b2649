"""Classes told by the directions of gradients."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.features.running import WrittenGraph
from industry_apps.recipes.imaging.baselines import oriented_gradients
from industry_apps.recipes.imaging.gradients import SIZE, GradientScores, write_gradients
from industry_apps.schema import Column, Schema

DRAW = np.random.default_rng(0)
TOLD = Schema((Column("told", "number", shape=(None,)),))


def waves(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Waves of three directions, in noise."""
    target = np.arange(rows) % 3
    down, across = np.indices((SIZE, SIZE))
    angle = target[:, None, None] * np.pi / 3 + DRAW.normal(0, 0.1, (rows, 1, 1))
    phase = DRAW.uniform(0, 6, (rows, 1, 1))
    grey = np.sin(0.7 * (down * np.sin(angle) + across * np.cos(angle)) + phase)
    noise = DRAW.normal(0, 0.5, grey.shape)
    return (grey + noise)[:, None].astype(np.float32), target


def gradients(pixels: np.ndarray) -> np.ndarray:
    read = Schema((Column("pixels", "number", shape=pixels.shape[1:]),))
    graph = WrittenGraph(read, lambda b, x: {"told": write_gradients(b, x["pixels"])}, TOLD)
    return graph.run({"pixels": pixels})[0]


def test_they_are_those_of_the_baseline_but_for_smooth_directions():
    pixels, _ = waves(6)
    ours, theirs = gradients(pixels), oriented_gradients(pixels)
    assert ours.shape == theirs.shape
    assert np.allclose(gradients(pixels + 3), ours, atol=1e-3)
    # Features [direction and corner, down, across] here, [down, across, ...] there.
    shape = (6, 4 * 9, 7, 7)
    turned = theirs.reshape(6, 7, 7, 36).transpose(0, 3, 1, 2)
    assert np.corrcoef(ours.reshape(shape).ravel(), turned.ravel())[0, 1] > 0.7


@pytest.mark.parametrize("rows", [90, 2_400])
def test_directions_are_told_on_images_never_seen(rows, monkeypatch):
    monkeypatch.setattr("industry_apps.recipes.imaging.gradients._MOST_IMAGES", 300)
    (pixels, target), (others, truth) = waves(rows), waves(60)
    machine = GradientScores.fit(gradients(pixels), target, seed=0)
    assert len(machine.known) <= 300
    read = Schema((Column("x", "number", shape=(None,)),))
    graph = WrittenGraph(read, lambda b, x: {"told": machine.write(b, x["x"])[0]}, TOLD)
    (scores,) = graph.run({"x": gradients(others)})
    assert (scores.argmax(axis=1) == truth).mean() > 0.9


def test_places_that_speak_for_a_class_are_where_its_direction_is():
    (pixels, target), (others, _) = waves(300), waves(2)
    machine = GradientScores.fit(gradients(pixels), target, seed=0)
    half = np.concatenate([others[:1, :, :, :16], others[1:, :, :, 16:]], axis=3)  # classes 0, 1
    read = Schema((Column("x", "number", shape=(None,)),))
    told = Schema((Column("told", "number", shape=(3, None, None)),))
    graph = WrittenGraph(read, lambda b, x: {"told": machine.write(b, x["x"])[1]}, told)
    (maps,) = graph.run({"x": gradients(half)})
    assert maps.shape == (1, 3, 9, 9)
    for number, (here, there) in enumerate(
        ((slice(0, 4), slice(5, 9)), (slice(5, 9), slice(0, 4)))
    ):
        of_class = maps[0, number] - maps[0, :2].mean(axis=0)
        assert of_class[:, here].mean() > of_class[:, there].mean()
