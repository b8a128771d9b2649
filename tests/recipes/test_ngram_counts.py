"""Counts of n-grams in many texts at once are those of one text after the other."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from industry_apps.features.negation import negated
from industry_apps.features.ngrams import character_grams
from industry_apps.recipes.ngram_counts import NgramCounts, count_characters, count_words

NEGATORS = ("not", "far from")
texts = st.lists(
    st.lists(st.sampled_from(["not", "far", "from", "good", "ß", "😀字", ",", "A"])).map(" ".join),
    min_size=1,
    max_size=5,
)


def by_text(counts: NgramCounts) -> list[dict[str, float]]:
    names = counts.names(np.arange(counts.matrix.shape[1]))
    assert len(set(names)) == len(names)
    return [
        {name: count for name, count in zip(names, row, strict=True) if count}
        for row in counts.matrix.toarray()
    ]


@given(texts)
@settings(max_examples=60, deadline=None)
def test_runs_of_characters_are_counted_as_one_by_one(asked):
    expected = []
    for text in asked:
        counts = Counter(character_grams(text, 3, 6))
        for word, turned in negated(text, NEGATORS):
            for gram in character_grams(word, 3, 6) if turned else ():
                counts[gram] -= 2
        expected.append({gram: count for gram, count in counts.items() if count})
    assert by_text(count_characters(asked, 3, 6, NEGATORS)) == expected


def test_a_part_has_the_ngrams_of_its_rows_alone():
    asked = ["good film", "not good", "film"]
    for counts in (count_words(asked, NEGATORS), count_characters(asked, 3, 4, NEGATORS)):
        rows = np.array([2, 0])
        matrix, columns = counts.part(rows)
        alone = counts.matrix[rows].toarray()
        assert (matrix.toarray() == alone[:, columns]).all()
        assert columns.tolist() == np.flatnonzero(alone.any(axis=0)).tolist()
