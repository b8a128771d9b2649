"""Studies of templates: a revoked one is not linked, and a search is exact."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.recipes.verification.studies import linked_templates, search_time


@pytest.fixture(scope="module")
def embedded():
    draw = np.random.default_rng(0)
    person = np.repeat(np.arange(16), 6)
    return draw.normal(size=(16, 24))[person] + 0.3 * draw.normal(size=(96, 24)), person


def test_revoked_templates_are_linked_no_better_than_by_chance(embedded):
    plain, revoked, anew, gallery, _ = linked_templates(*embedded, keys=6).records()
    assert plain["eer"]["value"] < 0.05
    for row in (revoked, anew):
        assert 0.4 < row["eer"]["value"] < 0.6
        assert row["linked_at_1_percent_false"]["value"] < 0.1
    assert gallery["eer"]["value"] < 0.01  # cosines between persons are those of both galleries


def test_a_search_finds_who_is_there(embedded):
    (row,) = search_time(embedded[0], 0.5, sizes=(500,)).records()
    assert row["templates"] == 500
    assert row["found first"] == "yes"
    assert row["search_ms"] > 0
