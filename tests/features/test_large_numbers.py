"""Encoders of numbers with an offset, and scorecards of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnxruntime as ort
import pytest

from industry_apps.features import (
    FeatureGraph,
    GraphBuilder,
    NumberSteps,
    QuantileNormal,
    Ratio,
    Raw,
    Standard,
    Value,
)
from industry_apps.features.plans import tree_encoders
from industry_apps.recipes.decision.scorecard import ScorecardOptions, ScorecardScorer
from industry_apps.recipes.scorers import Labelled
from industry_apps.runtime.inputs import feeds_of
from industry_apps.schema import Column, Schema

START = 1_700_000_000.0
SMALL = Schema((Column("seen", "number", codes=(-9, -8)), Column("paid", "number")))
LARGE = Schema(tuple(replace(c, offset=START) if c.name == "seen" else c for c in SMALL))


@pytest.mark.parametrize("encoder", [Raw, Standard, QuantileNormal])
def test_encoders_work_on_differences(encoder):
    numbers = np.array([3, 1, 4, 1, 5, np.nan, 9, 2, 6], dtype=np.float32)
    found = []
    for schema, given in ((SMALL, numbers), (LARGE, numbers.astype(np.float64) + START)):
        arrays = {"seen": given, "paid": numbers}
        graph = FeatureGraph(schema, [encoder(Value("seen")), encoder(Value("paid"))])
        found.append(graph.learn(arrays).run(arrays)["numeric"])
    np.testing.assert_array_equal(*found)


def test_codes_are_told_from_numbers_and_from_each_other():
    arrays = LARGE.to_arrays({"seen": [-9, -8, START - 9, None], "paid": [1.0] * 4})
    graph = FeatureGraph(LARGE, tree_encoders(LARGE)).learn(arrays)
    found = dict(zip(graph.names, graph.run(arrays)["numeric"].T.tolist(), strict=True))
    assert found["seen=-9.missing"] == [1, 0, 0, 0]
    assert found["seen=-8.missing"] == [0, 1, 0, 0]
    np.testing.assert_array_equal(found["seen"], [np.nan, np.nan, -9, np.nan])


def test_a_ratio_is_one_of_the_numbers_themselves():
    arrays = LARGE.to_arrays({"seen": [START], "paid": [2.0]})
    graph = FeatureGraph(LARGE, [Raw(Ratio("seen", "paid"))])
    assert graph.run(arrays)["numeric"].tolist() == [[START / 2]]


def test_steps_of_both_kinds_stand_side_by_side():
    steps = [
        NumberSteps(Value("paid"), (0.1,), (1.0, 2.0)),
        NumberSteps(
            Value("seen"),
            (START + 0.5,),
            (3.0, 4.0),
            points=(-9.0,),
            point_values=(5.0,),
            double=True,
        ),
        NumberSteps(Value("paid"), (7.0,), (6.0, 7.0)),
    ]
    arrays = LARGE.to_arrays({"seen": [START, START + 1, -9], "paid": [0.1, 7, None]})
    found = FeatureGraph(LARGE, steps).run(arrays)["numeric"]
    assert found.tolist() == [[2, 3, 6], [2, 4, 7], [0, 5, 0]]
    for place, each in enumerate(steps):
        np.testing.assert_array_equal(found[:, place], each.apply(arrays[each.source.name]))


def test_a_scorecard_names_every_digit():
    random = np.random.default_rng(0)
    seen = START + random.integers(0, 200, 3000)
    seen[::20], seen[1::20] = -9, -8
    arrays = LARGE.to_arrays({"seen": seen, "paid": random.normal(size=3000)})
    bad = np.where(seen < 0, seen == -9, seen > START + 100) ^ (random.random(3000) < 0.05)
    scorer = ScorecardScorer(LARGE, (), ScorecardOptions(max_bins=3))
    scorer.fit(Labelled(arrays, bad), None)
    table = scorer.table()
    words = set(table[table["attribute"] == "seen"]["bin"])
    assert {"exactly -9", "exactly -8", "missing"} < words
    edges = scorer.thresholds()["seen"]
    assert any(START + 95 <= edge <= START + 105 for edge in edges)
    assert {f"{int(edge)} or more" for edge in edges} & words
    builder = GraphBuilder()
    builder.output(scorer.write(builder, builder.inputs(scorer.features.schema)), "m", np.float32)
    session: ort.InferenceSession = builder.session()
    asked = LARGE.to_arrays(
        {"seen": [*edges, *np.nextafter(edges, 0), None], "paid": [0.0] * (2 * len(edges) + 1)}
    )
    (margin,) = session.run(None, feeds_of(asked, scorer.features.schema))
    np.testing.assert_allclose(margin[:, 0], scorer.margin(asked), rtol=1e-6)
