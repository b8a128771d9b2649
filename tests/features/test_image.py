"""Images through the feature graph: any size, in any company, the same numbers."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.features import FeatureGraph
from industry_apps.features.image import Pixels
from industry_apps.runtime import inputs
from industry_apps.schema import Column, Schema


def schema(channels: int) -> Schema:
    return Schema((Column(name="scan", kind="image", channels=channels, nullable=False),))


def arrays(channels: int, sizes: list[tuple[int, int]]) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(1)
    images = [draw.integers(0, 256, (*size, channels), dtype=np.uint8) for size in sizes]
    return schema(channels).to_arrays({"scan": images})


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_sizes_are_run_in_groups_and_put_back_in_order(channels, monkeypatch):
    monkeypatch.setattr(inputs, "PIXELS_A_RUN", 300)
    found = arrays(channels, [(9, 9), (1, 1), (40, 2), (9, 9), (3, 70), (9, 9)])
    graph = FeatureGraph(schema(channels), [Pixels("scan", 9)]).learn(found)
    together = graph.run(found)["pixels"]
    assert together.shape == (6, channels, 9, 9)
    for row in range(6):
        alone = graph.run({"scan": found["scan"][row : row + 1]})["pixels"][0]
        assert np.array_equal(alone, together[row])


def test_an_image_of_the_chosen_size_is_only_normalised():
    found = arrays(2, [(8, 8), (8, 8)])
    graph = FeatureGraph(schema(2), [Pixels("scan", 8)]).learn(found)
    stacked = np.stack(found["scan"]).astype(np.float64)  # [2, 8, 8, 2]
    wanted = (stacked - stacked.mean((0, 1, 2))) / stacked.std((0, 1, 2))
    pixels = graph.run(found)["pixels"]
    assert np.allclose(pixels, wanted.transpose(0, 3, 1, 2), atol=1e-5)


def test_an_image_may_be_its_own_measure():
    found = arrays(2, [(8, 8), (8, 8)])
    darker = schema(2).to_arrays(
        {"scan": [(image // 2).astype(np.uint8) for image in found["scan"]]}
    )
    flat = schema(2).to_arrays({"scan": [np.full((8, 8, 2), 7, dtype=np.uint8)]})
    graph = FeatureGraph(schema(2), [Pixels("scan", 8, by_itself=True)]).learn(found)
    pixels = graph.run(found)["pixels"]
    assert np.allclose(pixels.mean((2, 3)), 0, atol=1e-5)
    assert np.allclose(pixels.std((2, 3)), 1, atol=1e-5)
    assert np.allclose(pixels, graph.run(darker)["pixels"], atol=0.02)
    assert not graph.run(flat)["pixels"].any()


def test_a_smaller_size_averages_rather_than_skips():
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 254).astype(np.uint8)
    found = schema(1).to_arrays({"scan": [board]})
    graph = FeatureGraph(schema(1), [Pixels("scan", 8, (0.0,), (1.0,))])
    assert np.allclose(graph.run(found)["pixels"], 127, atol=4)


def test_no_images_make_no_rows():
    graph = FeatureGraph(schema(1), [Pixels("scan", 8, (0.0,), (1.0,))])
    assert graph.run(schema(1).to_arrays({"scan": []}))["pixels"].shape == (0, 1, 8, 8)
