"""Metrics of several properties at once, some of them not measured."""

import numpy as np
import pytest

from industry_apps.errors import SchemaError
from industry_apps.healthcare.molecules.properties import (
    binary_bootstrap,
    each_property,
    number_bootstrap,
)


@pytest.fixture
def measured():
    generator = np.random.default_rng(0)
    target = generator.normal(size=(200, 2))
    said = target + generator.normal(size=(200, 2)) * [0.1, 2]
    target[::3, 1] = np.nan
    return target, said


def test_the_mean_is_that_of_each_property(measured):
    target, said = measured
    _, *rows = each_property(["easy", "hard"], target, {"ours": said}, classes=False).rows()
    assert [row[:2] for row in rows] == [["easy", 200], ["hard", 133]]
    errors = [row[2].value for row in rows]
    assert errors[0] < errors[1]
    assert np.mean(errors) == pytest.approx(number_bootstrap(target, said).values["rmse"])


def test_a_property_without_spread_has_no_share_in_r2(measured):
    target, said = measured
    few = target.copy()
    few[1:, 1] = np.nan
    alone = number_bootstrap(target[:, :1], said[:, :1]).values["r2"]
    assert number_bootstrap(few, said).values["r2"] == pytest.approx(alone)
    with pytest.raises(SchemaError, match="measured"):
        number_bootstrap(np.full_like(target, np.nan), said)


def test_classes_are_ranked_each_by_itself(measured):
    target, said = measured
    target = np.where(np.isnan(target), np.nan, target > 0)
    section = each_property(["easy", "hard"], target, {"ours": said}, classes=True)
    assert section.rows()[0] == ["property", "measured", "active", "ours"]
    values = [row[3].value for row in section.rows()[1:]]
    assert np.mean(values) == pytest.approx(binary_bootstrap(target, said).values["auroc"])
    assert [row[2] for row in section.rows()[1:]] == list(np.nansum(target, axis=0))


def test_what_is_not_defined_is_missing(measured):
    target, said = measured
    target = np.stack([np.ones(len(target)), np.full(len(target), np.nan)], axis=1)
    for classes, first in ((True, True), (False, False)):
        rows = each_property(["one", "none"], target, {"ours": said}, classes=classes).rows()
        assert (rows[1][-1] is None) is first
        assert rows[2][-1] is None
