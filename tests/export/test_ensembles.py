"""Forests as scikit-learn grows them, against their own routing."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
from sklearn.ensemble import RandomForestRegressor

from industry_apps.export.ensembles import forest_thresholds, forest_to_onnx


@pytest.mark.parametrize("missing", [False, True])
def test_a_forest_routes_as_it_was_trained(missing):
    random = np.random.default_rng(0)
    rows = random.normal(size=(400, 3)).astype(np.float32)
    rows[:, 2] = random.integers(0, 3, 400)
    if missing:
        rows[random.random(rows.shape) < 0.2] = np.nan
    target = np.nan_to_num(rows).sum(axis=1) + random.normal(size=400)
    forest = RandomForestRegressor(20, min_samples_leaf=5, random_state=0).fit(rows, target)
    trees = [each.tree_ for each in forest.estimators_]
    values = [random.normal(size=(tree.node_count, 4)) for tree in trees]
    thresholds = forest_thresholds(trees, 3)
    assert all(thresholds)
    # Rows on each threshold and beside it, and values that were never seen.
    edges = np.repeat(rows[:1], 3 * sum(map(len, thresholds)), axis=0)
    place = 0
    for column, found in enumerate(thresholds):
        near = np.array(found, dtype=np.float32)
        for asked in (near, np.nextafter(near, np.float32(9)), np.nextafter(near, np.float32(-9))):
            edges[place : place + len(near), column] = asked
            place += len(near)
    strange = np.array([[np.nan] * 3, [np.inf] * 3, [-np.inf] * 3, [1e30] * 3], dtype=np.float32)
    asked = np.concatenate([rows, edges, strange])
    expected = sum(v[tree.apply(asked)] for tree, v in zip(trees, values, strict=True))
    model = forest_to_onnx(trees, values, 3)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, {"features": asked})[0]
    np.testing.assert_allclose(found, expected, atol=1e-4)
