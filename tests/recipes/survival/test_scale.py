"""Many patients are evaluated in little memory, and the answers are those of few."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from industry_apps.data.simulators import patient_follow_up
from industry_apps.recipes.survival import baselines as baselines_module
from industry_apps.recipes.survival import metrics as metrics_module
from industry_apps.recipes.survival.assessment import assess_survival
from industry_apps.recipes.survival.baselines import SurvivalBaselines
from industry_apps.recipes.survival.blend import HeldOut, best_weights
from industry_apps.recipes.survival.metrics import (
    FollowUp,
    SurvivalAnswers,
    SurvivalAt,
    SurvivalScale,
    integrated_brier_of_rows,
    kaplan_meier,
    survival_bootstrap,
)
from industry_apps.recipes.survival.models import Followed
from industry_apps.recipes.survival.recipe import SurvivalOptions, SurvivalRecipe
from industry_apps.schema import Schema, infer_columns

pytest.importorskip("sksurv", reason="scikit-survival is not installed")

MB = 2**20


def followed(rows: int, seed: int) -> tuple[Schema, Followed]:
    frame = patient_follow_up(rows, seed)
    schema = Schema(infer_columns(frame, skip=["follow_up_days", "died"]))
    follow_up = FollowUp(frame.follow_up_days.to_numpy(), frame.died.to_numpy())
    return schema, Followed(schema.to_arrays(frame), follow_up)


def told(follow_up: FollowUp, scale: SurvivalScale) -> SurvivalAnswers:
    rng = np.random.default_rng(7)
    risk = rng.normal(size=len(follow_up))
    hazard = np.exp(risk)[:, None] / 2_000
    curves, horizons = (np.exp(-hazard * np.array(t)) for t in (scale.times, scale.horizons))
    return SurvivalAnswers(risk, curves, horizons)


def test_metrics_of_many_patients_take_little_memory():
    follow_up = followed(50_000, 0)[1].follow_up
    scale = SurvivalScale.of(follow_up, (300.0, 900.0))
    answers = told(follow_up, scale)
    tracemalloc.start()
    found = survival_bootstrap(follow_up, answers, scale, resamples=4)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300 * MB  # a table of events times rows has 12 GB
    assert np.isfinite(list(found.values.values())).all()


def test_a_report_on_many_patients_takes_little_memory_and_says_how_it_was_made(monkeypatch):
    monkeypatch.setattr(baselines_module, "_MOST_ROWS", 1_000)
    schema, train = followed(21_000, 0)
    validation, test = followed(2_000, 1)[1], followed(21_000, 2)[1]
    recipe = SurvivalRecipe(schema, SurvivalOptions(model="cox")).fit(train, validation)
    every = Followed.joined([train, validation])
    fitted = SurvivalBaselines(schema).fit(every)
    tracemalloc.start()
    report = assess_survival(recipe, fitted, test, every.follow_up, {})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300 * MB
    notes = " ".join(report.notes)
    assert "bootstrap with 100 resamples of the rows" in notes
    assert "random_survival_forest learned from 1 000 of 23 000 rows" in notes
    assert report.baselines["random_survival_forest"]["c_index"].low > 0.6


def test_few_patients_are_resampled_more_often_and_the_forest_learns_from_all():
    schema, train = followed(400, 0)
    recipe = SurvivalRecipe(schema, SurvivalOptions(model="cox")).fit(train, followed(200, 1)[1])
    patients = replace(followed(200, 2)[1], patient=np.arange(200).astype(str))
    fitted = SurvivalBaselines(schema).fit(train)
    report = assess_survival(recipe, fitted, patients, train.follow_up, {})
    assert "bootstrap with 400 resamples of the patients" in " ".join(report.notes)
    assert "learned from" not in report.notes[-1]


@pytest.mark.parametrize("block", [7, 100])
def test_blocks_change_no_answer(monkeypatch, block):
    _, rows = followed(300, 3)
    scale = SurvivalScale.of(rows.follow_up, (300.0, 900.0))
    answers = told(rows.follow_up, scale)
    edges = np.array([200.0, 900.0, 2_000.0])
    logs = {name: -rate * edges * np.ones((300, 1)) for name, rate in (("a", 1e-3), ("b", 2e-4))}
    seen = HeldOut(logs, rows.follow_up)

    def found():
        return (
            integrated_brier_of_rows(rows.follow_up, answers.curves, scale),
            survival_bootstrap(rows.follow_up, answers, scale, resamples=5),
            best_weights(seen, edges, scale),
        )

    whole = found()
    monkeypatch.setattr(metrics_module, "_BLOCK", block)
    monkeypatch.setattr(metrics_module, "_CELLS", 2 * len(rows.follow_up))
    parts = found()
    np.testing.assert_array_equal(whole[0], parts[0])
    for name, draws in whole[1].draws.items():
        np.testing.assert_allclose(draws, parts[1].draws[name], atol=1e-12)
    assert parts[2] == pytest.approx(whole[2], abs=1e-6)


def test_survival_at_a_time_is_kaplan_and_meiers():
    _, rows = followed(200, 0)
    weight = np.random.default_rng(0).integers(0, 3, (4, 200))
    weight[3] = 0
    for horizon in (0.0, 1.0, 500.0, 1e6):
        found = SurvivalAt(rows.follow_up, horizon)(weight)
        plain = [kaplan_meier(rows.follow_up, each.astype(float)).at(horizon) for each in weight]
        np.testing.assert_allclose(found, plain, atol=1e-12)


def test_the_forest_and_cox_answer_as_those_of_scikit_survival():
    from sksurv.ensemble import RandomSurvivalForest
    from sksurv.linear_model import CoxPHSurvivalAnalysis
    from sksurv.util import Surv

    schema, rows = followed(300, 0)
    asked = followed(100, 1)[1].arrays
    fitted = SurvivalBaselines(schema, seed=3).fit(rows)
    scale = SurvivalScale.of(rows.follow_up, (300.0, 900.0))
    matrix, new = fitted._matrix(rows.arrays), fitted._matrix(asked)
    target = Surv.from_arrays(rows.follow_up.event, rows.follow_up.time)
    forest = RandomSurvivalForest(100, min_samples_split=10, min_samples_leaf=15, random_state=3)
    theirs = {
        "cox": CoxPHSurvivalAnalysis(alpha=0.1).fit(matrix, target),
        "random_survival_forest": forest.fit(matrix, target),
    }
    ours = dict(fitted.answers(asked, scale))
    assert list(ours) == ["kaplan_meier", *theirs]
    for name, model in theirs.items():
        curves = model.predict_survival_function(new, return_array=True)
        place = np.searchsorted(model.unique_times_, scale.times, side="right")
        known = np.column_stack([np.ones(len(curves)), curves])[:, place]
        np.testing.assert_allclose(ours[name].curves, known, atol=1e-10)
        np.testing.assert_allclose(ours[name].risk, model.predict(new), atol=1e-8)


def test_rows_are_drawn_with_their_share_of_events():
    follow_up = followed(5_000, 0)[1].follow_up
    drawn = baselines_module._drawn(follow_up, 500, seed=1)
    assert len(np.unique(drawn)) == 500
    assert follow_up.event[drawn].mean() == pytest.approx(follow_up.event.mean(), abs=0.002)
    np.testing.assert_array_equal(drawn, baselines_module._drawn(follow_up, 500, seed=1))
    assert len(baselines_module._drawn(follow_up, 5_000, seed=1)) == 5_000


def test_a_forest_of_coarse_times_ranks_as_one_of_all(monkeypatch):
    schema, rows = followed(1_500, 0)
    asked, follow_up = (part := followed(1_000, 1)[1]).arrays, part.follow_up
    scale = SurvivalScale.of(rows.follow_up, (300.0, 900.0))
    values = []
    for most in (3_000, 100):
        monkeypatch.setattr(baselines_module, "_MOST_TIMES", most)
        answers = dict(SurvivalBaselines(schema).fit(rows).answers(asked, scale))
        found = survival_bootstrap(follow_up, answers["random_survival_forest"], scale, resamples=1)
        values.append(found.values)
    assert values[0]["c_index"] == pytest.approx(values[1]["c_index"], abs=0.01)
    assert values[0]["integrated_brier"] == pytest.approx(values[1]["integrated_brier"], abs=0.003)
