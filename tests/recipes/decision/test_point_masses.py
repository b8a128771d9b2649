"""Numbers that many records share: which have a bin of their own, and what that is worth."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.recipes import ScorecardOptions
from industry_apps.recipes.decision.point_masses import point_masses
from industry_apps.recipes.decision.scorecard import ScorecardScorer
from industry_apps.recipes.scorers import Labelled
from industry_apps.schema import Column, Schema

RNG = np.random.default_rng(0)
MONTHS = RNG.integers(1, 61, 3_000).astype(np.float32)
MONEY = RNG.lognormal(8, 1, 3_000).astype(np.float32)


def of(numbers, *codes, rows=40):
    return np.concatenate([numbers, *(np.full(rows, code, np.float32) for code in codes)])


@pytest.mark.parametrize(
    ("numbers", "free", "wished"),
    [
        (MONTHS, (), ()),
        (of(MONTHS, -9, -8, -7), (-9, -8, -7), (-9, -8, -7)),
        (of(MONTHS, -9, rows=29), (), ()),
        (of(MONTHS, 999), (999,), (999,)),
        (of(MONTHS, 62), (), ()),  # one month more
        (MONTHS - 30, (), ()),  # before and after
        (of(MONEY, 0), (0,), ()),
        (of(MONEY, -1), (-1,), (-1,)),
        (MONEY, (), ()),
        (np.float32([0, 1] * 50), (), ()),
        (np.float32([]), (), ()),
        (of(np.float32([]), np.inf, 3.0), (), ()),
    ],
)
def test_what_is_a_mass(numbers, free, wished):
    assert point_masses(numbers) == free
    assert point_masses(numbers, codes_only=True) == wished


def test_a_code_gives_its_neighbours_nothing():
    rng = np.random.default_rng(1)
    months = rng.integers(0, 60, 6_000).astype(float)
    bad = rng.random(6_000) < 0.05 + 0.5 * (months > 40)
    code = rng.random(6_000) < 0.03
    months[code], bad[code] = -9, rng.random(code.sum()) < 0.7
    schema = Schema((Column("months", "number"),))
    scorer = ScorecardScorer(schema, (), ScorecardOptions())
    scorer.fit(Labelled(schema.to_arrays({"months": months}), bad), None)
    table = scorer.table().set_index("bin")
    assert table.loc["exactly -9", "rows"] == code.sum()
    assert table.loc["exactly -9", "bad_rate"] == pytest.approx(0.7, abs=0.1)
    arrays = schema.to_arrays({"months": [-9, 0, 10, 50]})
    points = scorer.points(arrays)["months"]
    assert points[0] < points[3] < points[1]
    for name, edges in scorer.thresholds().items():
        assert -9 in edges, name


@pytest.mark.parametrize("codes", [(), (-9.0,), (-9.0, -7.0)])
def test_the_graph_gives_a_code_its_points(codes):
    rng = np.random.default_rng(1)
    frame = {
        "months": np.where(rng.random(4_000) < 0.1, -9, rng.integers(0, 60, 4_000)),
        "money": np.where(rng.random(4_000) < 0.1, 0, rng.lognormal(8, 1, 4_000)),
    }
    bad = rng.random(4_000) < np.where(frame["months"] < 20, 0.4, 0.1) * (1 + (frame["money"] == 0))
    schema = Schema((Column("months", "number", codes=codes), Column("money", "number")))
    arrays = schema.to_arrays(frame)
    scorer = ScorecardScorer(schema, (), ScorecardOptions())
    scorer.fit(Labelled(arrays, bad), None)
    asked = schema.to_arrays({"months": [-9, -9, 3, None], "money": [0, 5e3, 0, None]})
    for attribute, points in zip(scorer.attributes_, scorer.points_, strict=True):
        ours = attribute.valued(points).apply(asked[attribute.name])
        assert ours.tolist() == scorer.points(asked)[attribute.name].tolist()
    assert "exactly -9" in scorer.table()["bin"].tolist()
    if -7.0 in codes:  # never seen: as missing
        unseen = schema.to_arrays({"months": [-7, None], "money": [1.0, 1.0]})
        assert len(set(scorer.score(unseen).tolist())) == 1
