"""Neighbours of items: what is taken close in time goes together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import ParameterError
from industry_apps.retail.ranking import models
from industry_apps.retail.ranking.history import Histories, Requests
from industry_apps.retail.ranking.interactions import (
    InteractionColumns,
    Interactions,
    read_interactions,
)
from industry_apps.retail.ranking.models import cooccurrence, ease, item_knn, paired, usual_gap
from industry_apps.retail.ranking.parts import Factors


def baskets(seconds: int | None) -> Interactions:
    """Twelve users take a and b, and c and d so many seconds after them."""
    rows = [
        (f"u{user}", item, start)
        for user in range(12)
        for item, start in (("a", 0), ("b", 10), ("c", seconds or 0), ("d", (seconds or 0) + 10))
    ]
    table = pd.DataFrame(rows, columns=["user", "item", "time"])
    table["time"] = pd.to_datetime(table["time"], unit="s")
    if seconds is None:
        table = table.drop(columns="time")
    (found,) = read_interactions([table], InteractionColumns())
    return found


def test_items_of_one_sitting_go_together():
    found = baskets(4_000)
    assert usual_gap(found) == 10
    (a, b, c, d) = (list(found.items).index(name) for name in "abcd")
    table = cooccurrence(found, span=10.0).table
    assert table[a, b] == pytest.approx(table[b, a]) == pytest.approx(table[c, d])
    assert table[a, b] > 1e6 * table[a, c] >= 0
    assert not np.diag(table).any()
    assert not table[0].any()
    assert not table[:, 0].any()
    whole = cooccurrence(found, span=1e9).table
    assert whole[a, c] == pytest.approx(whole[a, b], rel=1e-3)


def test_of_a_large_catalogue_the_most_frequent_items_are_told(monkeypatch):
    found = baskets(4_000).joined(baskets(None))
    monkeypatch.setattr(models, "MOST_PAIRED", 4)
    monkeypatch.setattr(models, "FREQUENT", 3)
    items, place = paired(found)
    assert items.tolist() == [0, 1, 2, 3]
    assert place.tolist() == [0, 1, 2, 3, 0]
    part = ease(found, penalty=1.0)
    asked = Histories.of(found).read(np.array(["u1", ""], object), np.array([[""], ["d"]], object))
    scores = part.scores(asked)
    assert scores.shape == (2, 5)
    assert scores[0, 1:4].all()
    assert not scores[:, 4].any()
    assert not scores[1].any()  # of an item that the table leaves out


def test_neighbours_by_cosine_are_those_of_a_dense_table(monkeypatch):
    monkeypatch.setattr(models, "_ITEMS_A_PASS", 2)
    found = baskets(4_000)
    taken = found.matrix(np.ones(len(found))).toarray()
    together, count = taken.T @ taken, taken.sum(axis=0)
    expected = together / (np.sqrt(np.outer(count, count)) + 10.0)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(item_knn(found).toarray(), expected)
    nearest = (item_knn(found, neighbours=2).toarray() > 0).sum(axis=0)
    assert nearest.max() <= 2


def test_moments_are_needed():
    with pytest.raises(ParameterError, match=r"'cooccurrence' needs the moment.*model='ease'"):
        cooccurrence(baskets(None), span=10.0)


def test_an_item_of_the_history_that_is_known_already_changes_little():
    draw = np.random.default_rng(0)
    items = draw.normal(size=(200, 64)) / 8
    items[0] = 0  # none
    taken = [draw.choice(np.arange(1, 200), 20, replace=False) for _ in range(300)]
    folds = items / 20
    users = np.stack([np.zeros(64), *(folds[each].sum(axis=0) for each in taken)])
    found = Factors.of(users, folds, items)
    part = found.fixed(1.0, found.bound / 2**22)
    stored = np.arange(1, 301)
    nothing = np.zeros((300, 1), dtype=np.int64)
    again = np.array([[each[0]] for each in taken])
    before, after = (
        part.scores(Requests(user=stored, codes=new, age=nothing, strength=nothing, new=new))
        for new in (nothing, again)
    )
    length = np.linalg.norm(after, axis=1) / np.linalg.norm(before, axis=1)
    assert 0.9 < np.median(length) < 1.1
