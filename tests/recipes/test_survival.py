"""Cox's likelihood, curves on a grid, and models against scikit-survival."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.data.simulators import patient_follow_up
from industry_apps.errors import ParameterError, TrainingError
from industry_apps.evaluation.survival_metrics import FollowUp
from industry_apps.features import GraphBuilder
from industry_apps.recipes.cox import baseline_hazard, partial_likelihood
from industry_apps.recipes.survival import SurvivalOptions, SurvivalRecipe
from industry_apps.recipes.survival_curve import between, median
from industry_apps.recipes.survival_models import Followed, LinearRisk
from industry_apps.recipes.trees import TreeOptions
from industry_apps.schema import Schema, infer_columns
from industry_apps.training import TrainingOptions

QUICK = TreeOptions(rounds=30, learning_rate=0.1)
SHORT = TrainingOptions(max_epochs=3, batch_size=256, progress=False, precision="float32")


def followed(rows: int, seed: int) -> tuple[Schema, Followed]:
    frame = patient_follow_up(rows, seed)
    schema = Schema(infer_columns(frame, skip=["follow_up_days", "died"]))
    follow_up = FollowUp(frame.follow_up_days.to_numpy(), frame.died.to_numpy())
    return schema, Followed(schema.to_arrays(frame), follow_up)


def recipe(model: str, **options) -> SurvivalRecipe:
    schema, train = followed(600, 0)
    made = SurvivalOptions(model=model, trees=QUICK, training=SHORT, **options)
    return SurvivalRecipe(schema, made).fit(train, followed(300, 1)[1])


def test_the_slopes_are_those_of_the_likelihood():
    _, rows = followed(80, 0)
    risk = np.random.default_rng(0).normal(size=80)
    found = partial_likelihood(risk, rows.follow_up)
    events = rows.follow_up.event.sum()
    for row in (0, 7, 41):
        step = np.zeros(80)
        step[row] = 1e-4
        up, down = (partial_likelihood(risk + s, rows.follow_up) for s in (step, -step))
        assert (up.loss - down.loss) * events / 2e-4 == pytest.approx(found.gradient[row], abs=1e-4)
        curved = (up.gradient[row] - down.gradient[row]) / 2e-4
        assert curved == pytest.approx(found.curvature[row], abs=1e-3)


def test_cox_and_its_baseline_are_those_of_scikit_survival():
    linear = pytest.importorskip("sksurv.linear_model", reason="scikit-survival is not installed")
    from sksurv.util import Surv

    schema, rows = followed(500, 0)
    ours = LinearRisk(schema, penalty=1e-8)
    ours.fit(rows, None)
    matrix = ours.features.run(rows.arrays)["numeric"].astype(np.float64)
    target = Surv.from_arrays(rows.follow_up.event, rows.follow_up.time)
    theirs = linear.CoxPHSurvivalAnalysis(alpha=1e-6).fit(matrix, target)
    mine, other = ours.log_risk(rows.arrays), theirs.predict(matrix)
    np.testing.assert_allclose(mine - mine.mean(), other - other.mean(), atol=0.02)
    step = theirs.cum_baseline_hazard_
    inside = baseline_hazard(other, rows.follow_up, step.x[50:60])
    np.testing.assert_allclose(inside, step.y[50:60], rtol=1e-6)


@pytest.mark.parametrize("model", ["cox", "trees", "deepsurv", "network", "mean"])
def test_the_graph_answers_as_the_model(model):
    fitted = recipe(model)
    asked = followed(200, 2)[1].arrays
    builder = GraphBuilder()
    tensors = fitted.write(builder, builder.inputs(fitted.schema))
    for name, tensor in tensors.items():
        size = 3 if name.startswith("survival") else 1
        kind = np.bool_ if name == "high_risk" else np.float32
        builder.output(tensor, name, kind, size)
    feeds = {name: asked[name][:, None] for name in fitted.schema.names}
    answers = fitted.answer(asked)
    for name, found in zip(tensors, builder.session().run(list(tensors), feeds), strict=True):
        wanted = answers[name].reshape(found.shape)
        np.testing.assert_allclose(found.astype(float), wanted.astype(float), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("model", ["cox", "network"])
def test_curves_fall_and_their_interval_holds_them(model):
    fitted = recipe(model)
    answers = fitted.answer(followed(200, 2)[1].arrays)
    for name in ("survival", "survival_low", "survival_high"):
        assert (np.diff(answers[name], axis=1) <= 1e-12).all()
    assert (answers["survival_low"] <= answers["survival"]).all()
    assert (answers["survival_high"] >= answers["survival"]).all()
    assert (answers["survival_high"] - answers["survival_low"]).mean() > 0.05
    np.testing.assert_allclose(answers["risk"], 1 - answers["survival"][:, -1])


def test_the_best_on_validation_answers():
    fitted = recipe("auto")
    assert set(fitted.scores_) == {"cox", "trees", "deepsurv", "network", "mean"}
    assert fitted.scores_[fitted.model_] == max(fitted.scores_.values())


def test_between_edges_the_hazard_is_constant():
    edges = np.array([10.0, 30.0])
    logs = np.array([[-1.0, -2.0]])
    at = logs @ between(edges, np.array([0.0, 5.0, 10.0, 20.0, 30.0, 99.0]))
    np.testing.assert_allclose(at[0], [0, -0.5, -1, -1.5, -2, -2])
    assert median(logs, edges)[0] == pytest.approx(10 * np.log(2))
    assert median(logs / 10, edges)[0] == 30  # later than anything known


def test_without_events_nothing_is_learned():
    schema, rows = followed(100, 0)
    censored = Followed(rows.arrays, FollowUp(rows.follow_up.time, np.zeros(100, dtype=bool)))
    with pytest.raises(TrainingError, match="all rows are censored"):
        SurvivalRecipe(schema, SurvivalOptions(model="cox")).fit(censored, rows)


def test_a_horizon_beyond_the_last_event_is_refused():
    with pytest.raises(ParameterError, match="beyond the last event"):
        recipe("cox", horizons=(365.0, 1e6))
