"""The decision recipe: folds where nothing is set aside, shares, directions, weights, stacks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from industry_apps.errors import ParameterError, TrainingError
from industry_apps.evaluation import Costs
from industry_apps.evaluation.metrics import calibration_error
from industry_apps.export.decision import Platt
from industry_apps.features import Ratio
from industry_apps.recipes import DecisionBaselines, DecisionOptions, DecisionRecipe, TreeOptions
from industry_apps.recipes.scorers import Labelled, part_of
from industry_apps.schema import Column, Schema

SCHEMA = Schema(
    (
        Column(name="x", kind="number"),
        Column(name="y", kind="number"),
        Column(name="group", kind="category"),
    )
)
QUICK = TreeOptions(rounds=40, learning_rate=0.15)
OPTIONS = DecisionOptions(trees=QUICK)


def rows(count: int = 1500, seed: int = 0) -> Labelled:
    """The risk rises with x, but for a dip; y and group tell little."""
    random = np.random.default_rng(seed)
    x, y = random.normal(size=count), random.normal(size=count)
    group = random.choice(["a", "b", ""], count).astype(object)
    logit = -1.2 + 1.2 * x - 1.5 * (np.abs(x - 1) < 0.3) + 0.3 * y
    arrays = SCHEMA.to_arrays({"x": x, "y": y, "group": group})
    return Labelled(arrays, random.random(count) < 1 / (1 + np.exp(-logit)))


TRAIN, VALIDATION, TEST = rows(), rows(seed=1), rows(3000, seed=2)


def fitted(options: DecisionOptions, *parts: Labelled) -> DecisionRecipe:
    return DecisionRecipe(SCHEMA, options).fit(*parts)


def line(column: str, count: int = 80) -> dict[str, np.ndarray]:
    """One record, with one of its numbers varied."""
    record = {"x": np.zeros(count), "y": np.zeros(count), "group": np.full(count, "a", object)}
    return SCHEMA.to_arrays({**record, column: np.linspace(-3, 3, count)})


@pytest.mark.parametrize("model", ["trees", "scorecard", "stack"])
def test_without_validation_data_folds_calibrate_and_decide(model):
    options = replace(
        OPTIONS, model=model, members=("trees", "scorecard"), costs=Costs(false_alarm=1, missed=3)
    )
    recipe = fitted(options, TRAIN)
    probability = recipe.probability(TEST.arrays)
    assert calibration_error(TEST.target, probability) < 0.04
    wrong = recipe.threshold_.apply(probability) != TEST.target
    cost = (wrong * np.where(TEST.target, 3, 1)).mean()
    best = min(
        (((probability >= level) != TEST.target) * np.where(TEST.target, 3, 1)).mean()
        for level in np.quantile(probability, np.linspace(0, 1, 200))
    )
    assert cost < 1.1 * best


def test_folds_do_not_flatter():
    # Trees that know their training rows by heart: calibrated on these they would be sure.
    greedy = TreeOptions(rounds=100, learning_rate=0.3, num_leaves=63, min_child_samples=1, l2=0)
    recipe = fitted(replace(OPTIONS, trees=greedy), TRAIN)
    assert recipe.platt_.weights[0] < 0.5
    assert calibration_error(TEST.target, recipe.probability(TEST.arrays)) < 0.06


def test_the_final_models_learn_from_all_rows():
    recipe = fitted(OPTIONS, TRAIN)
    (scorer,) = recipe.scorers_
    again = DecisionRecipe(SCHEMA, OPTIONS).fit(TRAIN, VALIDATION).scorers_[0]
    np.testing.assert_array_equal(scorer.margin(TEST.arrays), again.margin(TEST.arrays))


def test_the_same_rows_give_the_same_recipe():
    first, second = (fitted(OPTIONS, TRAIN).probability(TEST.arrays) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_baselines_find_thresholds_in_folds():
    baselines = DecisionBaselines(SCHEMA, replace(OPTIONS, positive_share=0.2)).fit(TRAIN)
    found = baselines.probabilities(TEST.arrays)
    for name in ("logistic_regression", "lightgbm_default"):
        assert (found[name] >= baselines.thresholds_[name]).mean() == pytest.approx(0.2, abs=0.04)


def test_a_number_alone_is_a_baseline_where_it_is_asked_for():
    found = DecisionBaselines(SCHEMA, replace(OPTIONS, alone="x")).fit(TRAIN)
    alone = found.probabilities(TEST.arrays)["x_alone"]
    order = np.argsort(TEST.arrays["x"])
    assert (np.diff(alone[order]) >= 0).all()
    assert found.models_["x_alone"].description == "A threshold on x, and nothing else"


def test_baselines_of_folds_have_the_features_of_all_rows():
    # A remark that is frequent enough in all rows, and in no four of five folds.
    schema = SCHEMA.extended([Column(name="remark", kind="text")])
    remark = np.full(len(TRAIN.target), "", object)
    remark[np.flatnonzero(TRAIN.target)[:5]] = "late"
    some = Labelled({**TRAIN.arrays, "remark": remark}, TRAIN.target)
    without = DecisionBaselines(schema, OPTIONS).fit(some).probabilities(some.arrays)
    expected = DecisionBaselines(schema, OPTIONS).fit(some, some).probabilities(some.arrays)
    for name, found in without.items():
        np.testing.assert_array_equal(found, expected[name])


@settings(max_examples=6)
@given(share=st.floats(0.02, 1))
def test_a_share_of_the_cases_is_answered_yes(share):
    recipe = fitted(
        replace(OPTIONS, positive_share=share, trees=TreeOptions(rounds=5)), TRAIN, TEST
    )
    probability = np.round(recipe.probability(TEST.arrays), 6)
    taken = recipe.threshold_.apply(probability).sum()
    level = probability[~recipe.threshold_.apply(probability)].max(initial=0)
    assert taken <= share * len(TEST.target) + 1e-6
    assert taken + (probability == level).sum() >= share * len(TEST.target) - 1


def test_a_share_stands_above_costs():
    cheap, dear = (
        fitted(replace(OPTIONS, positive_share=0.1, costs=Costs(missed=missed)), TRAIN, VALIDATION)
        for missed in (1, 100)
    )
    assert cheap.threshold_ == dear.threshold_


@pytest.mark.parametrize("model", ["trees", "scorecard", "stack"])
@pytest.mark.parametrize("sign", [1, -1])
def test_directions_are_kept(model, sign):
    options = replace(
        OPTIONS, model=model, members=("trees", "scorecard"), directions={"x": sign, "y": 1}
    )
    recipe = fitted(options, TRAIN)
    for column, direction in options.directions.items():
        steps = np.diff(recipe.probability(line(column))) * direction
        assert steps.min() >= -1e-12
    free = fitted(OPTIONS, TRAIN).probability(line("x"))
    assert np.diff(free).min() < 0 < np.diff(free).max()  # left alone, trees see the dip


@pytest.mark.parametrize("model", ["trees", "scorecard"])
def test_ratios_follow_the_directions_of_their_columns(model):
    random = np.random.default_rng(4)
    columns = [Column(name=name, kind="number", low=0) for name in ("debt", "income")]
    schema, ratio = Schema(tuple(columns)), Ratio("debt", "income")
    arrays = schema.to_arrays({name: random.lognormal(0, 0.7, 2000) for name in schema.names})
    risk = arrays["debt"] / arrays["income"] - 0.5 * arrays["income"]
    rows = Labelled(arrays, random.normal(size=2000) < risk)
    varied = schema.to_arrays({"debt": np.ones(60), "income": np.linspace(0, 6, 60)})

    def learned(directions, schema=schema):
        options = replace(OPTIONS, model=model, derived=(ratio,), directions=directions)
        recipe = DecisionRecipe(schema, options).fit(rows)
        return recipe.scorers_[0].features.names, np.diff(recipe.probability(varied))

    for directions in ({"income": -1}, {"debt": 1, "income": -1}, {"debt": 1}):
        names, steps = learned(directions)
        assert ratio.name in names
        assert steps.max() <= 1e-12 or "income" not in directions
    # Where one number calls for a rise and the other for a fall, or a number may be
    # negative, the ratio has no direction, and could break theirs.
    anything = Schema((Column(name="debt", kind="number"), columns[1]))
    for asked in (({"debt": 1, "income": 1}, schema), ({"income": -1}, anything)):
        assert ratio.name not in learned(*asked)[0]
    assert ratio.name in learned({"income": -1, ratio.name: 1}, anything)[0]
    assert ratio.name in learned({})[0]


def test_directions_that_nobody_keeps_are_refused():
    for wrong in ("z", "group"):
        with pytest.raises(ParameterError, match=f"'{wrong}' cannot be made.*Known: x, y"):
            fitted(replace(OPTIONS, directions={wrong: 1}), TRAIN)
    stack = replace(OPTIONS, model="stack", members=("trees", "network"), directions={"x": 1})
    with pytest.raises(ParameterError, match="'network' keeps no direction"):
        fitted(stack, TRAIN)


@pytest.mark.parametrize("model", ["trees", "scorecard"])
@pytest.mark.parametrize("parts", [(), (VALIDATION,)])
def test_weights_are_honoured(model, parts):
    options = replace(OPTIONS, model=model)
    wild = (TRAIN.arrays["x"] > 0) & (np.arange(len(TRAIN.target)) % 2 == 0)
    turned = replace(TRAIN, target=np.where(wild, ~TRAIN.target, TRAIN.target))
    # With next to no weight, rows with a wrong answer change next to nothing.
    light = replace(turned, weight=np.where(wild, 1e-9, 1.0))
    kept = part_of(TRAIN, np.flatnonzero(~wild))
    found, expected, spoilt = (
        fitted(options, rows, *(parts or (VALIDATION,))).scorers_[0].margin(TEST.arrays)
        for rows in (light, kept, turned)
    )
    assert np.corrcoef(found, expected)[0, 1] > 0.95
    assert np.abs(found - expected).mean() < 0.6 * np.abs(spoilt - expected).mean()
    if not parts:  # in folds, each row keeps its weight
        margins = fitted(options, light).scorers_[0].margin(TEST.arrays)
        assert np.corrcoef(margins, expected)[0, 1] > 0.9


def test_without_calibration_the_margin_is_the_log_odds():
    recipe = fitted(replace(OPTIONS, model="scorecard", calibration="none"), TRAIN, VALIDATION)
    assert recipe.platt_ == Platt()
    margin = recipe.scorers_[0].margin(TEST.arrays)
    np.testing.assert_allclose(recipe.probability(TEST.arrays), 1 / (1 + np.exp(-margin)))
    assert calibration_error(TEST.target, recipe.probability(TEST.arrays)) < 0.05


def test_a_stack_weighs_a_scorecard_whose_points_are_not_its_score():
    options = replace(OPTIONS, model="stack", members=("trees", "scorecard"))
    recipe = fitted(options, TRAIN, VALIDATION)
    assert len(recipe.platt_.weights) == 2
    assert min(recipe.platt_.weights) >= 0
    with pytest.raises(ParameterError, match="'stack' has no table of points"):
        recipe.scorecard()
    assert recipe.used_columns().names == ["x", "y", "group"]
    with pytest.raises(ParameterError, match="'trees' has no table of points"):
        fitted(OPTIONS, TRAIN, VALIDATION).scorecard()


def test_too_few_of_a_class_are_named():
    target = np.zeros(len(TRAIN.target), bool)
    with pytest.raises(TrainingError, match="0 positive and 1500 negative rows; both classes"):
        fitted(OPTIONS, replace(TRAIN, target=target))
    target[:4] = True
    with pytest.raises(TrainingError, match=r"4 positive .* without validation data, at least 5"):
        fitted(OPTIONS, replace(TRAIN, target=target))
    fitted(OPTIONS, replace(TRAIN, target=target), VALIDATION)
    with pytest.raises(TrainingError, match="validation data hold 1500 positive and 0 negative"):
        fitted(OPTIONS, TRAIN, replace(VALIDATION, target=np.ones(1500, bool)))
