"""Metrics of labels and trends of shares, against scikit-learn and the formula."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score

from industry_apps.errors import SchemaError
from industry_apps.evaluation.labels import label_bootstrap
from industry_apps.recipes.texts.trends import share_trend, trend_plot


def test_label_metrics_are_those_of_scikit_learn():
    draw = np.random.default_rng(0)
    probability = draw.random(300)
    target = draw.random(300) < probability
    found = label_bootstrap(target, probability).estimates()
    said = probability >= 0.5
    assert found["accuracy"].value == pytest.approx(accuracy_score(target, said))
    assert found["macro_f1"].value == pytest.approx(f1_score(target, said, average="macro"))
    assert found["accuracy"].low < found["accuracy"].value < found["accuracy"].high


def test_labels_of_one_class_are_refused():
    with pytest.raises(SchemaError, match="class"):
        label_bootstrap([1, 1], [0.1, 0.9])


def test_shares_have_wilson_intervals_by_thing_and_period():
    time = pd.Series(pd.to_datetime(["2024-01-31", "2024-02-01", "2024-02-29", "2024-02-02"]))
    by = pd.Series(["A", "A", "A", "B"], name="product")
    trend = share_trend(pd.Series([True, True, False, False]), by, time)
    assert trend.index.names == ["product", "period"]
    assert trend["rows"].tolist() == [1, 2, 1]
    assert trend["share"].tolist() == [1.0, 0.5, 0.0]
    both = trend.loc[("A", pd.Timestamp("2024-02-01"))]
    assert (both["low"], both["high"]) == pytest.approx((0.0945, 0.9055), abs=1e-3)
    assert trend_plot(trend).axes[0].lines
    with pytest.raises(SchemaError, match="'fortnight'"):
        share_trend(pd.Series([True]), by[:1], time[:1], period="fortnight")
