"""Normal operation learned alone: scores, thresholds that are refused, columns that move."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.errors import LeakageError, ParameterError, TrainingError
from industry_apps.features import GraphBuilder
from industry_apps.recipes.anomaly.planted import begin_of, found_share, planted
from industry_apps.recipes.anomaly.recipe import AnomalyOptions, AnomalyRecipe
from industry_apps.recipes.anomaly.threshold import AlarmThreshold
from industry_apps.schema import Column, Schema
from industry_apps.training import TrainingOptions

NAMES = ("a", "b", "c", "d")
SCHEMA = Schema(tuple(Column(name, "number", role="history") for name in NAMES))
MODELS = ("cva", "pca", "dynamic_pca", "autoencoder", "temporal", "nearest", "blend")
QUICK = TrainingOptions(max_epochs=2, precision="float32")


def process(rows, seed):
    """Two slow causes, and four columns that tell of them; the last is the sum of two others."""
    draw = np.random.default_rng(seed)
    slow = np.zeros((rows, 2))
    for row in range(1, rows):
        slow[row] = 0.8 * slow[row - 1] + draw.normal(size=2)
    told = slow @ np.array([[1.0, 0.5, -1.0], [0.0, 1.0, 1.0]])
    told += draw.normal(0, 0.1, told.shape)
    last = told[:, 0] + told[:, 1] + draw.normal(0, 0.05, rows)
    values = np.column_stack([told, last]).astype(np.float32)
    return {name: values[:, place] for place, name in enumerate(NAMES)}


def windows(run, length):
    return {n: np.lib.stride_tricks.sliding_window_view(v, length) for n, v in run.items()}


def fitted(model="cva", **options):
    recipe = AnomalyRecipe(AnomalyOptions(model=model, training=QUICK, **options))
    return recipe.fit(SCHEMA, [process(400, 0)], [process(300, 1)])


def changed(run, name, by):
    return {**run, name: (run[name] + np.float32(by)).astype(np.float32)}


@pytest.mark.parametrize("model", MODELS)
def test_the_file_scores_as_the_recipe_does(model):
    recipe = fitted(model, lags=3 if model in ("cva", "dynamic_pca") else None, smoothing=2)
    run = changed(process(60, 2), "b", 3.0)
    run["a"][20] = np.nan
    asked = windows(run, recipe.length)
    builder = GraphBuilder()
    tensors = recipe.write(builder, builder.inputs(SCHEMA, recipe.length))
    builder.output(builder.cast(tensors["score"], np.float32), "/score", np.float32)
    builder.output(builder.cast(tensors["changes"], np.float32), "/changes", np.float32, 4)
    builder.output(tensors["known"], "/known", np.bool_)
    score, changes, known = builder.session().run(
        None, {name: np.ascontiguousarray(values) for name, values in asked.items()}
    )
    found = recipe.answer(asked)
    whole = ~np.isnan(found.score)
    assert (known[:, 0] == whole).all()
    assert whole.sum() == len(whole) - recipe.length
    np.testing.assert_allclose(score[whole, 0], found.score[whole], rtol=1e-4)
    np.testing.assert_allclose(changes[whole], found.changes[whole], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("model", ["cva", "pca", "dynamic_pca", "nearest"])
def test_a_column_off_its_relations_is_found_and_named_with_its_sign(model):
    recipe = fitted(model, lags=2, smoothing=1)
    for by in (8.0, -8.0):
        found = recipe.answer(windows(changed(process(80, 3), "d", by), recipe.length))
        assert (found.score >= 1).mean() > 0.9
        changes = found.changes.mean(axis=0)
        assert np.abs(changes).argmax() == 3
        assert np.sign(changes[3]) == np.sign(by)


@pytest.mark.parametrize("model", ["autoencoder", "temporal"])
def test_a_network_says_so_too(model):
    options = AnomalyOptions(
        model=model,
        lags=3,
        smoothing=1,
        training=TrainingOptions(
            max_epochs=60, batch_size=64, learning_rate=3e-3, precision="float32"
        ),
    )
    recipe = AnomalyRecipe(options).fit(SCHEMA, [process(400, 0)], [process(300, 1)])
    usual, odd = process(80, 3), changed(process(80, 3), "d", 8.0)
    before, after = (recipe.answer(windows(run, recipe.length)) for run in (usual, odd))
    assert np.median(after.score) > 2 * np.median(before.score)
    assert after.changes.mean(axis=0)[3] > 0


def test_thresholds_from_the_rows_that_were_learned_from_are_refused():
    known = process(300, 0)
    for held_out in (known, {name: values[50:250] for name, values in known.items()}):
        with pytest.raises(LeakageError, match=r"are rows that are learned from.*Hold rows"):
            AnomalyRecipe(AnomalyOptions(model="pca")).fit(SCHEMA, [known], [held_out])


def test_normal_rows_of_held_out_runs_raise_about_the_alarms_that_are_wanted():
    recipe = fitted("pca", false_alarm_rate=0.05)
    shares = [
        (recipe.answer(windows(process(400, seed), recipe.length)).score >= 1).mean()
        for seed in range(10, 20)
    ]
    assert 0.02 < np.mean(shares) < 0.09
    assert fitted("pca").threshold_.value > recipe.threshold_.value


def test_three_sigma_limits_lie_above_all_scores_that_set_them():
    draw = np.random.default_rng(0)
    scores = np.exp(draw.normal(size=100))
    found = AlarmThreshold.three_sigma(scores)
    assert found.value > scores.max()
    assert found.way == "three_sigma"
    with pytest.raises(TrainingError, match="spread"):
        AlarmThreshold.three_sigma(scores[:1])


def test_settings_are_chosen_by_planted_faults_and_all_are_told():
    recipe = fitted("cva")
    lags, smoothing, shares = zip(*recipe.tried_, strict=True)
    assert set(smoothing) == {1, 2, 3}
    best = int(np.argmax(shares))
    assert (recipe.scorer_.lags, recipe.smoothing_) == (lags[best], smoothing[best])
    run = np.zeros((30, 2))
    faults = list(planted(run))
    assert all((each[: begin_of(30)] == 0).all() for each in faults)
    assert found_share([each.max(axis=1) for each in faults], 30, 0.4) > 0


def test_columns_without_information_are_left_out_and_windows_with_a_hole_are_not_answered():
    def with_more(run):
        rows = len(run["a"])
        return {**run, "still": np.full(rows, 5.0, np.float32)}

    schema = Schema((*SCHEMA, Column("still", "number", role="history")))
    train = with_more(process(300, 0))
    train["b"][100] = np.nan
    recipe = AnomalyRecipe(AnomalyOptions(model="pca", lags=2)).fit(
        schema, [train], [with_more(process(200, 1))]
    )
    assert recipe.scaling_.still == ("still",)
    assert recipe.left_out_ == 1
    with pytest.raises(TrainingError, match="varies"):
        AnomalyRecipe(AnomalyOptions()).fit(
            Schema((Column("still", "number", role="history"),)),
            [{"still": train["still"]}],
            [{"still": train["still"]}],
        )


def test_too_few_rows_are_refused_with_what_is_needed():
    short = {name: values[:6] for name, values in process(300, 0).items()}
    with pytest.raises(TrainingError, match=r"windows of 3 rows.*are needed"):
        AnomalyRecipe(AnomalyOptions(lags=3)).fit(SCHEMA, [short], [process(100, 1)])
    holes = {name: np.full(50, np.nan, np.float32) for name in NAMES}
    with pytest.raises(TrainingError, match="0 to set the threshold by"):
        AnomalyRecipe(AnomalyOptions(lags=1)).fit(SCHEMA, [process(300, 0)], [holes])


def test_columns_that_are_named_follow_within_the_bound_and_stuck_ones_stay():
    recipe = fitted("pca", smoothing=1)
    later = changed(process(600, 4), "a", 1.0)
    later["c"][:] = 0.5
    moved, told = recipe.moved(later, columns=("a", "c"), memory=100, bound=0.2)
    first, second = told
    assert first.bounded
    assert not first.stuck
    assert first.shift == pytest.approx(0.2)
    assert second.stuck
    assert second.shift == 0
    frozen = [NAMES.index(name) for name in ("b", "c", "d")]
    np.testing.assert_array_equal(moved.scaling_.mean[frozen], recipe.scaling_.mean[frozen])
    assert moved.threshold_ is recipe.threshold_
    assert recipe.scaling_ is recipe.learned_
    again, _ = moved.moved(later, columns=("a",), memory=100, bound=0.2)
    assert again.scaling_.mean[0] == moved.scaling_.mean[0]  # the bound is that of training
    with pytest.raises(ParameterError, match="'e' is not watched"):
        recipe.moved(later, columns=("e",), memory=100, bound=0.2)
