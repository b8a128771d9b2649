"""Figures by group: fairlearn's own, right intervals, few rows and missing labels named."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_ratio,
    equalized_odds_difference,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)

from industry_apps.errors import MissingExtraError, ParameterError, SchemaError
from industry_apps.evaluation import Report
from industry_apps.evaluation.fairness.plots import group_calibration_plot, rates_plot
from industry_apps.evaluation.fairness.report import bands, group_report
from industry_apps.evaluation.fairness.sections import fairness_sections
from industry_apps.evaluation.metrics import calibration_error


def rows(n=3000, seed=0):
    """Target, probability, decision and a group whose risk is overrated."""
    rng = np.random.default_rng(seed)
    group = rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2])
    risk = rng.beta(1, 4, n)
    probability = np.clip(risk + 0.1 * (group == "c"), 0, 1)
    return rng.random(n) < risk, probability, probability >= 0.25, group


@pytest.fixture(scope="module")
def report():
    target, probability, decision, group = rows()
    age = np.random.default_rng(1).integers(17, 80, len(target))
    groups = {"group": group, "age": bands(age, [18, 40, 60])}
    return group_report(target, probability, decision, groups, favourable=False)


@pytest.mark.parametrize("favourable", [False, True])
def test_the_figures_are_those_of_fairlearn(favourable):
    target, probability, decision, group = rows()
    found = group_report(
        target, probability, decision, {"g": group}, favourable=favourable, resamples=2
    )
    good, chosen = target == favourable, decision == favourable
    given = {"y_true": good, "y_pred": chosen, "sensitive_features": group}
    summary = found.attributes["g"].summary
    assert summary["demographic_parity_ratio"].value == pytest.approx(
        demographic_parity_ratio(**given)
    )
    assert summary["equalized_odds_difference"].value == pytest.approx(
        equalized_odds_difference(**given)
    )
    metrics = (selection_rate, true_positive_rate, false_positive_rate)
    frame = MetricFrame(metrics={m.__name__: m for m in metrics}, **given).by_group
    table = found.table("g")
    for name in frame:
        assert [each.value for each in table[name]] == pytest.approx(list(frame[name]))
    assert list(table["rows"]) == [int((group == name).sum()) for name in "abc"]
    assert list(table["positives"]) == [int(target[group == name].sum()) for name in "abc"]


def test_calibration_is_that_of_each_group(report):
    target, probability, _, group = rows()
    for name, found in report.attributes["group"].groups.items():
        part = group == name
        assert found["calibration_error"].value == pytest.approx(
            calibration_error(target[part], probability[part])
        )
        gap = probability[part].mean() - target[part].mean()
        assert found["calibration_gap"].value == pytest.approx(gap)
        assert (found["calibration_gap"].low > 0.05) == (name == "c")  # overrated by 0.1


@pytest.mark.parametrize("n", [200, 2000])
def test_intervals_are_those_of_a_bootstrap_of_rows(n):
    target, probability, decision, group = rows(n)
    rng = np.random.default_rng(5)
    parts = [np.flatnonzero(group == name) for name in "abc"]
    draws = []
    for _ in range(1500):
        drawn = [rng.choice(part, len(part)) for part in parts]
        rates = [1 - decision[part].mean() for part in drawn]
        mean = probability[drawn[0]].mean()
        draws.append((mean, mean - target[drawn[0]].mean(), min(rates) / max(rates)))
    expected = np.percentile(draws, [2.5, 97.5], axis=0).T
    found = group_report(
        target, probability, decision, {"g": group}, favourable=False, resamples=1500
    ).attributes["g"]
    estimates = [found.groups["a"][name] for name in ("mean_probability", "calibration_gap")]
    estimates.append(found.summary["demographic_parity_ratio"])
    for (low, high), estimate in zip(expected, estimates, strict=True):
        assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=0.12 * (high - low))


def test_equal_treatment_lies_within_the_intervals():
    rng = np.random.default_rng(3)
    risk = rng.beta(1, 4, 4000)
    group = rng.choice(["a", "b"], 4000)
    found = group_report(rng.random(4000) < risk, risk, risk > 0.25, {"g": group}, favourable=False)
    summary = found.attributes["g"].summary
    assert summary["demographic_parity_ratio"].high > 0.99
    assert summary["equalized_odds_difference"].low < 0.02


def test_small_groups_are_pooled_and_a_small_pool_is_not_compared():
    target, probability, decision, group = rows()
    few = group.astype(object)
    few[:12], few[12:20] = "x", "y"
    found = group_report(target, probability, decision, {"g": few}, favourable=False, resamples=2)
    figures = found.attributes["g"]
    assert figures.pooled == {"x": 12, "y": 8}
    assert figures.rows["other (few rows)"] == 20
    assert figures.compared == ("a", "b", "c")
    rest = slice(20, None)
    given = {"sensitive_features": group[rest]}
    assert figures.summary["demographic_parity_ratio"].value == pytest.approx(
        demographic_parity_ratio(~target[rest], ~decision[rest], **given)
    )
    words = fairness_sections(found)[1].text
    assert "x (12 rows), y (8 rows)" in words
    assert "Too few rows to be compared: other (few rows)" in words
    wide = group_report(
        target, probability, decision, {"g": few}, favourable=False, fewest_rows=15, resamples=2
    )
    assert "other (few rows)" in wide.attributes["g"].compared


def test_rows_without_a_label_are_a_group():
    target, probability, decision, group = rows()
    some = group.astype(object)
    some[:50], some[50:100], some[100:150] = None, "", math.nan
    found = group_report(target, probability, decision, {"g": some}, favourable=False, resamples=2)
    assert found.attributes["g"].rows["missing"] == 150
    ages = bands(np.where(np.arange(3000) < 40, np.nan, 30 + np.arange(3000) % 9), [18, 35])
    found = group_report(
        target, probability, decision, {"age": pd.Series(ages)}, favourable=False, resamples=2
    )
    assert list(found.attributes["age"].rows) == ["18-34", "35+", "missing"]


def test_what_no_row_tells_is_undefined():
    target, probability, decision, group = rows()
    target = target & (group != "a")
    found = group_report(target, probability, decision, {"g": group}, favourable=False, resamples=9)
    figures = found.attributes["g"]
    assert math.isnan(figures.groups["a"]["false_positive_rate"].value)
    others = group != "a"  # fairlearn would give the group a rate of 0
    assert figures.summary["equalized_odds_difference"].value == pytest.approx(
        equalized_odds_difference(
            ~target[others], ~decision[others], sensitive_features=group[others]
        )
    )
    assert "Fewer than 30 rows of one outcome" in fairness_sections(found)[1].text
    nobody = group_report(
        target, probability, np.ones(3000, bool), {"g": group}, favourable=False, resamples=9
    )
    assert math.isnan(nobody.attributes["g"].summary["demographic_parity_ratio"].value)
    json.dumps(nobody.to_dict(), allow_nan=False)
    lone = group_report(
        target, probability, decision, {"g": group}, favourable=False, fewest_rows=1000, resamples=9
    )
    assert math.isnan(lone.attributes["g"].summary["equalized_odds_difference"].value)


def test_differences_between_two_reports(report):
    target, probability, decision, group = rows()
    again = group_report(target, probability, decision, {"g": group}, favourable=False, seed=1)
    near = group_report(
        target, np.float32(probability), decision, {"g": group}, favourable=False, resamples=5
    )
    assert again.differences(again) == 0
    assert again.differences(near) < 1e-6
    decision = decision.copy()
    decision[np.flatnonzero(group == "b")[0]] ^= True
    turned = group_report(target, probability, decision, {"g": group}, favourable=False)
    assert again.differences(turned) >= 1 / (group == "b").sum()
    never = group_report(
        target & (group != "a"), probability, decision, {"g": group}, favourable=False
    )
    assert never.differences(again) == math.inf
    with pytest.raises(ParameterError, match="same rows and attributes"):
        again.differences(report)


def test_the_order_of_rows_and_the_other_attributes_change_nothing(report):
    target, probability, decision, group = rows()
    order = np.random.default_rng(2).permutation(len(target))
    given = [each[order] for each in (target, probability, decision)]
    found = group_report(*given, {"group": group[order]}, favourable=False).attributes["group"]
    for name, row in report.attributes["group"].groups.items():
        for figure, value in row.items():
            other = found.groups[name][figure]
            assert (other.value, other.low) == pytest.approx((value.value, value.low))


def test_sections_stand_in_a_report(report):
    whole = Report(
        application="a", data="d", model="m", metrics={}, headline_text="Fair.",
        sections=(*fairness_sections(report, "Before"), *fairness_sections(report, "After")),
    )  # fmt: skip
    found = json.loads(whole.to_json())["sections"]
    assert list(found)[:3] == ["Before", "Before: group", "Before: age"]
    first = found["Before: group"]["table"][0]
    assert first["group"] == "a"
    assert set(first["selection_rate"]) == {"value", "low", "high"}
    assert found["Before"]["table"][0]["attribute"] == "group"
    assert "decision False, outcome False" in found["Before"]["text"]
    assert "Lowest selection rate: c" in found["Before: group"]["text"]
    assert report.to_dict()["attributes"]["age"]["groups"]["<18"]["rows"] > 30


def test_plots_draw_the_figures(report):
    figures = report.attributes["group"]
    (axes,) = rates_plot(figures).axes
    rates = [row["selection_rate"].value for row in figures.groups.values()]
    line = axes.lines[-1].get_xdata()[0]
    assert line == pytest.approx(0.8 * max(rates))
    assert list(axes.containers[0].lines[0].get_xdata()) == pytest.approx(rates)
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["a", "b", "c"]
    (axes,) = group_calibration_plot(figures).axes
    means = [row["mean_probability"].value for row in figures.groups.values()]
    assert list(axes.containers[1].lines[0].get_xdata()) == pytest.approx(means)


def test_bands():
    found = bands([17.9, 18, 25.9, 26, 40, math.nan], [18, 26, 40])
    assert list(found)[:5] == ["<18", "18-25", "18-25", "26-39", "40+"]
    assert found.codes[5] == -1
    for wrong in ([], [20, 10], [1, 1], [0.5, 1]):
        with pytest.raises(ParameterError, match="whole numbers that rise"):
            bands([1.0], wrong)


def test_errors_name_what_is_wrong(monkeypatch):
    target, probability, decision, group = rows(100)

    def report(**changed):
        given = {"decision": decision, "groups": {"sex": group}, "resamples": 2, **changed}
        return group_report(target, probability, favourable=False, **given)

    with pytest.raises(SchemaError, match=r"sex must hold one value per row, shape \(100,\)"):
        report(groups={"sex": group[:50]})
    with pytest.raises(SchemaError, match="decision must hold one value per row"):
        report(decision=decision[:50])
    with pytest.raises(SchemaError, match="'sex' has the single group 'f' in all 100 rows"):
        report(groups={"sex": np.full(100, "f")})
    with pytest.raises(ParameterError, match="must name an attribute"):
        report(groups={})
    for name in ("fewest_rows", "resamples"):
        with pytest.raises(ParameterError, match=f"'{name}' parameter of group_report"):
            report(**{name: 0})
    monkeypatch.setitem(__import__("sys").modules, "fairlearn.metrics", None)
    with pytest.raises(MissingExtraError, match="pip install"):
        report()
