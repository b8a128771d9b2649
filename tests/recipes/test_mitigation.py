"""Reweighing: label and group become independent, and nothing else moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from industry_apps.errors import SchemaError
from industry_apps.recipes.mitigation import reweighing

COUNTS = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=2, max_size=5)


@given(counts=COUNTS, seed=st.integers(0, 9))
def test_label_and_group_become_independent(counts, seed):
    group = np.concatenate([np.full(a + b, str(g)) for g, (a, b) in enumerate(counts)])
    target = np.concatenate([np.arange(a + b) < a for a, b in counts])
    order = np.random.default_rng(seed).permutation(len(target))
    group, target = group[order], target[order]
    weight = reweighing(group, target)
    assert weight.min() > 0
    assert weight.mean() == pytest.approx(1)
    for name in set(group):
        part = group == name
        assert np.average(target[part], weights=weight[part]) == pytest.approx(target.mean())
        assert weight[part].sum() == pytest.approx(part.sum())


def test_weights_of_the_paper_hold_for_a_label_that_is_already_independent():
    assert reweighing(["a", "a", "b", "b"], [True, False, True, False]) == pytest.approx(1)


def test_missing_labels_are_one_group():
    group = np.array(["a", "a", None, np.nan], dtype=object)
    assert reweighing(group, [True, False, True, False]) == pytest.approx(1)


def test_errors_name_what_is_wrong():
    with pytest.raises(SchemaError, match=r"groups must hold one value per row, shape \(3,\)"):
        reweighing(["a", "b"], [True, False, True])
    with pytest.raises(SchemaError, match=r"needs two groups\. All 2 rows are of one"):
        reweighing(["a", "a"], [True, False])
    with pytest.raises(SchemaError, match=r"'b' \(first in row 2\) has no row with target False"):
        reweighing(["a", "a", "b"], [True, False, True])
