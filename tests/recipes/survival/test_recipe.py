"""Cox's likelihood, curves on a grid, and models against scikit-survival."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from industry_apps.data.simulators import patient_follow_up
from industry_apps.errors import ParameterError, TrainingError
from industry_apps.features import GraphBuilder
from industry_apps.recipes.survival.blend import HeldOut, best_weights, held_out
from industry_apps.recipes.survival.cox import PartialLikelihood, baseline_hazard
from industry_apps.recipes.survival.curve import between, grid, median
from industry_apps.recipes.survival.forest import SurvivalForest
from industry_apps.recipes.survival.metrics import FollowUp, SurvivalScale, kaplan_meier
from industry_apps.recipes.survival.models import Followed, LinearRisk
from industry_apps.recipes.survival.recipe import MEMBERS, SurvivalOptions, SurvivalRecipe
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


@cache
def recipe(model: str, **options) -> SurvivalRecipe:
    schema, train = followed(600, 0)
    made = SurvivalOptions(model=model, trees=QUICK, training=SHORT, **options)
    return SurvivalRecipe(schema, made).fit(train, followed(300, 1)[1])


def test_the_slopes_are_those_of_the_likelihood():
    _, rows = followed(80, 0)
    risk = np.random.default_rng(0).normal(size=80)
    likelihood = PartialLikelihood(rows.follow_up)
    found = likelihood(risk)
    events = rows.follow_up.event.sum()
    for row in (0, 7, 41):
        step = np.zeros(80)
        step[row] = 1e-4
        up, down = (likelihood(risk + s) for s in (step, -step))
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


@pytest.mark.parametrize("model", ["cox", "trees", "forest", "deepsurv", "network", "auto"])
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


def test_curves_are_blended_by_their_score_on_rows_held_out():
    fitted = recipe("auto")
    weights = fitted.blend_.weights
    assert 1 < len(weights) <= len(MEMBERS)
    assert sum(weights.values()) == pytest.approx(1)
    assert set(fitted.scores_) == {*MEMBERS, "blend"}
    # As good as the best of them, but for the pull toward equal weights.
    assert fitted.scores_["blend"] < min(fitted.scores_[name] for name in MEMBERS) + 0.002


def weighed(rows: int, **survival: float | tuple[float, float]) -> dict[str, float]:
    """Weights of curves that say so of those who die by 1, and of those who live to 3."""
    half = rows // 2
    follow_up = FollowUp(np.repeat([1.0, 3.0], half), np.repeat([True, False], half))
    alive = kaplan_meier(follow_up, censoring=True)
    scale = SurvivalScale(np.linspace(1.2, 1.8, 5), (1.5,), alive)
    logs = {
        name: np.log(np.repeat(np.broadcast_to(each, 2), half))[:, None] * np.ones(2)
        for name, each in survival.items()
    }
    return best_weights(HeldOut(logs, follow_up), np.array([1.0, 2.0]), scale)


def test_weights_have_the_least_brier_score():
    assert weighed(10_000, right=(1e-6, 1), half=0.5) == {"right": 1, "half": 0}
    assert weighed(10_000, low=0.3, high=0.6) == pytest.approx({"low": 1 / 3, "high": 2 / 3}, 0.1)
    assert weighed(10_000, low=0.3, high=0.7) == pytest.approx({"low": 0.5, "high": 0.5})


def test_few_rows_leave_weights_near_equal():
    few, many = (weighed(rows, right=(1e-6, 1), half=0.5) for rows in (20, 200))
    assert 0.5 < few["right"] < many["right"] <= 1


def test_rows_are_held_out_by_patient():
    """A model that remembers its patients knows nobody that it is asked about."""
    _, rows = followed(300, 0)
    patient = np.repeat(np.arange(100), 3).astype(str).astype(object)
    patient[:30] = ""  # not known: each is somebody else's
    rows = Followed(
        {**rows.arrays, "who": np.where(patient == "", np.arange(300), patient)},
        rows.follow_up,
        patient,
    )
    model = _Remembers()
    train, validation = rows.part(np.arange(210)), rows.part(np.arange(210, 300))
    seen = held_out({"memory": model}, train, validation, seed=0)
    assert len(seen.follow_up) == 300
    assert not seen.log_survival["memory"].any()
    assert len(set(rows.people()[:30])) == 30


class _Remembers:
    def refit(self, every):
        self.known = set(every.arrays["who"].tolist())

    def log_survival(self, arrays):
        return np.array([[float(who in self.known)] for who in arrays["who"].tolist()])


def test_the_forest_ranks_as_that_of_scikit_survival():
    ensemble = pytest.importorskip("sksurv.ensemble", reason="scikit-survival is not installed")
    from sksurv.util import Surv

    schema, rows = followed(600, 0)
    asked = followed(600, 1)[1]
    ours = SurvivalForest(schema, grid(rows.follow_up))
    ours.fit(rows, None)
    theirs = ensemble.RandomSurvivalForest(min_samples_leaf=15, max_features=0.5, random_state=0)
    theirs.fit(ours._rows(rows.arrays), Surv.from_arrays(rows.follow_up.event, rows.follow_up.time))
    mine = -ours.log_survival(asked.arrays).sum(axis=1)
    other = theirs.predict(ours._rows(asked.arrays))
    assert np.corrcoef(mine.argsort().argsort(), other.argsort().argsort())[0, 1] > 0.95
    middle = ours.edges[[5, 11, 17]]
    steps = np.searchsorted(theirs.unique_times_, middle, side="right") - 1
    curves = theirs.predict_survival_function(ours._rows(asked.arrays), return_array=True)
    found = np.exp(ours.log_survival(asked.arrays)[:, [5, 11, 17]])
    assert np.abs(found - curves[:, steps]).mean() < 0.03


def test_thresholds_of_all_models_are_tried():
    """A column that two models read has the thresholds of both."""
    fitted = recipe("auto")
    mine = fitted.thresholds()
    parts = [model.thresholds() for model in fitted.blend_.models.values()]
    assert any(parts)
    for part in parts:
        for column, values in part.items():
            assert set(values) <= set(mine[column])


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
