"""What follows from log-odds and maps: calibration, costs, doubt, the map."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.features.running import WrittenGraph
from industry_apps.recipes.imaging.decision import ClassDecision, DrawnMap
from industry_apps.schema import Column, Schema
from industry_apps.schema.images import one_by_one

CLASSES = ("a", "b", "c")
ANSWERS = Schema(
    (
        Column("finding", "category"),
        Column.probability("probability"),
        Column("abstain", "boolean"),
        Column("novelty", "number"),
        Column.probability("probabilities", size=None),
        Column("heat_map", "image", channels=1, nullable=False),
    )
)
SHAPES = {"odds": (3,), "maps": (3, None, None), "unlike": (1,)}


def drawn(rows: int, seed: int, scale: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds that are `scale` times too sure, and truth drawn from the true ones."""
    draw = np.random.default_rng(seed)
    odds = draw.normal(0, 1.5, (rows, 3)) + np.array([1.0, 0.0, -1.0])
    share = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    target = (draw.random((rows, 1)) > share.cumsum(axis=1)).sum(axis=1)
    return scale * (odds - np.array([1.0, 0.0, -1.0])), target


def fitted(costs: dict[str, float] | None = None, coverage: float = 0.9) -> ClassDecision:
    return ClassDecision.fit(*drawn(4_000, 0), CLASSES, costs=costs, coverage=coverage)


def answers(
    decision: ClassDecision,
    odds: np.ndarray,
    maps: np.ndarray,
    size: int = 8,
    stride: int | None = None,
    novelty: float = 0.5,
) -> dict[str, np.ndarray]:
    def write(builder, inputs):
        drawn = DrawnMap(inputs["maps"], inputs["image"], size, stride)
        return decision.write(builder, inputs["odds"], inputs["unlike"], [drawn])

    image = Column("image", "image", channels=1, nullable=False)
    columns = [Column(name=n, kind="number", shape=s) for n, s in SHAPES.items()]
    graph = WrittenGraph(Schema((image, *columns)), write, ANSWERS)
    feeds = {"odds": odds.astype(np.float32), "maps": maps.astype(np.float32)}
    feeds["unlike"] = np.full((len(odds), 1), novelty, np.float32)
    feeds["image"] = one_by_one(np.zeros((len(odds), size, size, 1), np.uint8))
    return dict(zip(ANSWERS.names, graph.run(feeds), strict=True))


def no_maps(odds: np.ndarray) -> np.ndarray:
    return np.zeros((len(odds), 3, 2, 2))


def test_temperature_and_biases_are_found_again():
    calibration = fitted().calibration
    assert calibration.temperature == pytest.approx(3, rel=0.1)
    found = np.array(calibration.bias) - calibration.bias[1]
    assert np.allclose(found, [1, 0, -1], atol=0.2)


def test_the_answer_is_the_class_that_is_dearest_to_miss():
    odds, _ = drawn(500, 1)
    even = answers(fitted(dict.fromkeys(CLASSES, 1.0)), odds, no_maps(odds))
    likeliest = np.array(CLASSES)[even["probabilities"].argmax(axis=1)]
    assert (even["finding"][:, 0] == likeliest).all()
    assert np.allclose(even["probability"][:, 0], even["probabilities"].max(axis=1))
    dear = answers(fitted({"a": 1.0, "b": 1.0, "c": 1e6}), odds, no_maps(odds))
    assert (dear["finding"] == "c").all()
    rare = answers(fitted(None), odds, no_maps(odds))
    assert (rare["finding"] == "c").sum() > (even["finding"] == "c").sum()


def test_each_class_is_covered_on_rows_never_seen():
    decision = fitted(coverage=0.9)
    odds, target = drawn(4_000, 2)
    probability = answers(decision, odds, no_maps(odds))["probabilities"]
    held = (probability >= np.array(decision.limits))[np.arange(len(target)), target]
    for number in range(3):
        assert held[target == number].mean() == pytest.approx(0.9, abs=0.03)


def test_it_abstains_where_not_exactly_one_class_is_left():
    decision = fitted(coverage=0.9)
    odds, _ = drawn(500, 3)
    found = answers(decision, odds, no_maps(odds))
    left = (found["probabilities"] >= np.float32(decision.limits)).sum(axis=1)
    assert found["abstain"][left != 1].all()
    assert (left[~found["abstain"][:, 0]] == 1).all()
    assert set(np.unique(left)) >= {1, 2}
    assert answers(decision, odds, no_maps(odds), novelty=1.1)["abstain"].all()


def test_too_few_rows_rule_nothing_out():
    odds, target = drawn(12, 0)
    target[:3] = [0, 1, 2]
    decision = ClassDecision.fit(odds, target, CLASSES, costs=None, coverage=0.99)
    assert decision.limits == (0.0, 0.0, 0.0)
    assert answers(decision, odds, no_maps(odds))["abstain"].all()


def test_a_rare_class_is_ruled_out_by_the_limit_of_all_classes():
    """With limits of their own, each image would be doubtful as soon as one class is rare."""
    odds, target = drawn(4_000, 0)
    few = np.flatnonzero(target == 2)[10:]
    keep = np.setdiff1d(np.arange(4_000), few)
    decision = ClassDecision.fit(odds[keep], target[keep], CLASSES, costs=None, coverage=0.9)
    rare = ClassDecision.fit(odds[keep], target[keep], CLASSES, costs=None, coverage=0.95)
    assert decision.sharing == ()
    assert rare.sharing == ("c",)
    assert 0 < rare.limits[2] < 1
    assert rare.facts()["ruled_out_by_the_limit_of_all_classes"] == "c"
    abstained = answers(rare, odds, no_maps(odds))["abstain"]
    assert abstained.mean() < answers(fitted(coverage=0.95), odds, no_maps(odds))["abstain"].mean()
    assert not abstained.all()


def test_the_map_shows_what_speaks_for_the_answer_alone():
    decision = fitted(dict.fromkeys(CLASSES, 1.0))
    odds = np.array([[9.0, 0.0, 0.0], [9.0, 0.0, 0.0], [0.0, 9.0, 0.0]])
    maps = np.zeros((3, 3, 2, 2))
    maps[0, 0, 0, 1] = 5  # speaks for the answer
    maps[1, :, 1, 1] = 5  # speaks for every class alike, so for none
    maps[2, 0, 1, 0] = 5  # speaks against the answer
    heat = answers(decision, odds, maps)["heat_map"]
    assert heat.shape == (3, 8, 8)
    assert heat[0].max() == 255
    assert np.unravel_index(heat[0].argmax(), (8, 8)) == (0, 6) or heat[0, 0, 7] == 1
    assert not heat[1].any()
    assert not heat[2, 4:, :4].any()


def test_an_answer_without_doubt_is_the_class_that_is_left():
    decision = ClassDecision.fit(
        *drawn(4_000, 0), CLASSES, costs={"a": 1.0, "b": 1.0, "c": 20.0}, coverage=0.8
    )
    odds, _ = drawn(4_000, 4)
    found = answers(decision, odds, no_maps(odds))
    held = found["probabilities"] >= np.float32(decision.limits)
    number = np.array([CLASSES.index(name) for name in found["finding"][:, 0]])
    sure = ~found["abstain"][:, 0]
    assert sure.any()
    assert held[np.arange(len(held)), number][sure].all()
    ruled_out = (held.sum(axis=1) == 1) & ~held[np.arange(len(held)), number]
    assert ruled_out.any()
    assert found["abstain"][ruled_out, 0].all()


def test_places_are_drawn_where_the_network_sees_them():
    decision = fitted(dict.fromkeys(CLASSES, 1.0))
    maps = np.zeros((1, 3, 4, 4))
    maps[0, 0, 2, 1] = 5
    heat = answers(decision, np.array([[9.0, 0.0, 0.0]]), maps, size=28, stride=8)["heat_map"][0]
    assert heat.shape == (28, 28)
    assert np.unravel_index(heat.argmax(), heat.shape) == (16, 8)
