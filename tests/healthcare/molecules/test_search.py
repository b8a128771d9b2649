"""Evolution over points: it climbs, asks once of each thing, and repeats by its seed."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.errors import ParameterError
from industry_apps.healthcare.molecules.search import evolve

pytestmark = pytest.mark.generative

START, WIDTH = np.zeros((2, 3)), np.full(3, 0.3)
ASKED = {"steps": 12, "population": 40, "seed": 0}


def rounded(points):
    return [" ".join(f"{x:.1f}" for x in point) for point in points]


def nearness(name):
    return -float(np.abs(np.array(name.split(), dtype=float) - 2).max())


def test_the_search_comes_near_and_asks_once_of_each():
    asked = []

    def score(name):
        asked.append(name)
        return nearness(name)

    met = evolve(START, rounded, score, WIDTH, **ASKED)
    assert sorted(asked) == sorted(met)
    first = max(found.score for found in met.values() if found.step <= 1)
    assert max(found.score for found in met.values()) > max(first + 0.5, -0.6)
    assert {found.step for found in met.values()} <= set(range(13))


def test_equal_seeds_search_alike():
    one, again = (evolve(START, rounded, nearness, WIDTH, **ASKED) for _ in range(2))
    other = evolve(START, rounded, nearness, WIDTH, **ASKED | {"seed": 1})
    assert list(one) == list(again) != list(other)


def test_where_nothing_is_met_the_search_stays_at_its_start():
    assert evolve(START, lambda points: [None] * len(points), nearness, WIDTH, **ASKED) == {}


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(ParameterError, match="is nan"):
        evolve(START, rounded, lambda name: float("nan"), WIDTH, **ASKED)
