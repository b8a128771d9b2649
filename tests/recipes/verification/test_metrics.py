"""Errors of pairs: by hand on a few, under weights, and between models."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.errors import SchemaError
from industry_apps.recipes.verification.metrics import (
    Pairs,
    all_pairs,
    enrolled_pairs,
    pair_bootstrap,
)
from industry_apps.recipes.verification.whitening import Whitening


def pairs(score: list[float], same: list[bool]) -> Pairs:
    rows = np.arange(len(score))
    return Pairs(np.array(score), np.array(same), rows, rows)


def test_errors_by_hand():
    found = pairs([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], [True, True, False, True, False, False])
    weight = np.ones(6)
    assert found.eer(weight) == pytest.approx(1 / 3)
    assert found.refused_at(0.01)(weight) == pytest.approx(1 / 3)
    assert found.refused_at(0.34)(weight) == 0
    rates = found.rates_at(0.7)  # a score of the threshold is accepted
    assert rates["false_match_rate"](weight) == pytest.approx(1 / 3)
    assert rates["false_non_match_rate"](weight) == pytest.approx(1 / 3)


def test_threshold_accepts_no_more_than_the_rate():
    draw = np.random.default_rng(0)
    found = pairs(list(draw.random(1000)), [True] * 300 + [False] * 700)
    for rate in (0.001, 0.01, 0.1):
        accepted = found.rates_at(found.threshold_at(rate))["false_match_rate"](np.ones(1000))
        assert rate - 2 / 700 <= accepted <= rate


def test_equal_scores_are_accepted_together():
    found = pairs([0.5] * 6, [True, False] * 3)
    assert found.eer(np.ones(6)) == pytest.approx(0.5)
    assert found.refused_at(0.01)(np.ones(6)) == 1


def test_weights_count_as_rows_do():
    draw = np.random.default_rng(1)
    embedding, person = draw.normal(size=(12, 4)), np.repeat(np.arange(4), 3)
    weight = np.repeat([2.0, 1.0, 0.0, 1.0], 3)
    kept = weight > 0
    one = all_pairs(embedding[kept], person[kept])
    found = all_pairs(embedding, person)
    score, same = found.score, found.same
    counts = np.where(same, weight[found._first], weight[found._first] * weight[found._second])
    by_hand = Pairs(
        np.repeat(score, counts.astype(int)),
        np.repeat(same, counts.astype(int)),
        *[np.arange(int(counts.sum()))] * 2,
    )
    ones = np.ones(int(counts.sum()))
    assert found.eer(weight) == pytest.approx(by_hand.eer(ones))
    assert found.eer((weight > 0) * 1.0) == pytest.approx(one.eer(np.ones(kept.sum())))


def test_embeddings_of_two_models_do_not_compare():
    draw = np.random.default_rng(2)
    embedding, person = draw.normal(size=(8, 3)), np.repeat(np.arange(4), 2)
    found = all_pairs(embedding, person, np.repeat([0, 1], 4))
    assert len(found.score) == 2 * 6


def test_templates_of_several_samples():
    embedding = np.array([[1, 0], [0, 1], [1, 1], [1, 0.9], [-1, 0], [0, -1], [-1, -1], [-1, -0.9]])
    person = np.repeat([0, 1], 4)
    found = enrolled_pairs(embedding, person)
    assert found is not None
    assert found.eer(np.ones(8)) == 0
    assert found.score[0] == pytest.approx(np.cos(np.pi / 4 - np.arctan(0.9)))
    assert enrolled_pairs(embedding[:-1], person[:-1]) is None
    assert "three_enrolled_eer" not in pair_bootstrap(embedding[:-1], person[:-1]).values


@pytest.mark.parametrize("same", [[True, True], [False, False]])
def test_pairs_of_one_kind_are_refused(same):
    with pytest.raises(SchemaError, match="pairs are of"):
        pairs([0.1, 0.2], same)


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(SchemaError, match="not finite"):
        pairs([0.1, np.nan], [True, False])


def test_whitening_takes_out_what_differs_within_persons():
    draw = np.random.default_rng(3)
    person = np.repeat(np.arange(20), 10)
    true = draw.normal(size=(20, 5))[person]
    noise = draw.normal(size=(200, 5)) * [9, 9, 0.1, 0.1, 0.1]
    learned = Whitening.fit((true + noise)[:100], person[:100], length=5, shrinkage=0.01)
    raw = all_pairs((true + noise)[100:], person[100:]).eer(np.ones(100))
    white = all_pairs(learned.of((true + noise)[100:]), person[100:]).eer(np.ones(100))
    assert white < 0.5 * raw
    assert raw > 0.3
