"""Variants of a model: trained on the same rows, judged on validation and on test data."""

from __future__ import annotations

from dataclasses import replace

import pytest

from industry_apps.evaluation import compare_variants
from industry_apps.healthcare import PropertyPredictor

VARIANTS = {"slow": {"members": 2}, "quick": {"members": 3}}


@pytest.fixture(scope="module")
def data():
    return PropertyPredictor.sample()


def test_each_variant_is_judged_on_both_parts_and_baselines_follow(data):
    model = PropertyPredictor.fast()
    first, second, *baselines = compare_variants(model, VARIANTS, data, "rmse").records()
    assert (first["model"], second["model"]) == ("slow", "quick")
    assert first["fit_time"] == 1
    alone = PropertyPredictor.fast().set_params(members=3).fit(data)
    for part, column in ((data.validation, "rmse_validation"), (data.test, "rmse")):
        assert second[column]["value"] == alone.evaluate(part).metrics["rmse"].value
    assert [row["model"] for row in baselines] == list(alone.report_.baselines)
    assert not hasattr(model, "ensemble_")


def test_figures_are_means_over_the_seeds(data):
    model, one = PropertyPredictor.fast(), {"trees": {}}
    alone = [
        compare_variants(model, one, data, "rmse", seeds=[seed]).records()[0]["rmse"]["value"]
        for seed in (0, 1)
    ]
    together = compare_variants(model, one, data, "rmse", seeds=(0, 1))
    assert together.records()[0]["rmse"]["value"] == pytest.approx(sum(alone) / 2)
    assert "Means over 2 trainings" in together.text


def test_without_validation_data_a_tenth_of_the_training_data_serves(data):
    none_set_aside = replace(data, validation=data.validation.iloc[:0])
    row = compare_variants(
        PropertyPredictor.fast(), {"trees": {}}, none_set_aside, "rmse"
    ).records()[0]
    assert row["rmse_validation"]["value"] > 0
