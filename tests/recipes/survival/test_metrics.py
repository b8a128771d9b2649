"""Metrics of survival, against scikit-survival and by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from industry_apps.errors import SchemaError
from industry_apps.evaluation.net_benefit import decision_curve_section, net_benefit, share_of
from industry_apps.recipes.survival.metrics import (
    FollowUp,
    SurvivalAnswers,
    SurvivalScale,
    greenwood,
    kaplan_meier,
    survival_bootstrap,
)

_FIELDS = ("risk", "curves", "horizons")

sksurv = pytest.importorskip("sksurv", reason="scikit-survival is not installed")


def cohort(rows: int, seed: int) -> tuple[FollowUp, np.ndarray]:
    rng = np.random.default_rng(seed)
    risk = rng.normal(size=rows).round(1)  # some are equal
    death = rng.exponential(size=rows) * np.exp(-risk) * 50
    sight = rng.uniform(1, 120, rows)
    return FollowUp(np.minimum(death, sight), death <= sight), risk


def in_steps(follow_up: FollowUp, length: float) -> FollowUp:
    """Times that are seen at the end of steps only, so that many are equal."""
    return FollowUp(np.ceil(follow_up.time / length) * length, follow_up.event)


@pytest.fixture(scope="module")
def judged():
    learned, _ = cohort(400, 0)
    follow_up, risk = cohort(150, 1)
    scale = SurvivalScale.of(learned, (10.0, 40.0))
    hazard = np.exp(risk)[:, None] / 60
    curves, horizons = (np.exp(-hazard * np.array(t)) for t in (scale.times, scale.horizons))
    answers = SurvivalAnswers(risk, curves, horizons)
    return learned, follow_up, scale, answers


def surv(follow_up):
    from sksurv.util import Surv

    return Surv.from_arrays(follow_up.event, follow_up.time)


def test_concordance_is_that_of_scikit_survival(judged):
    from sksurv.metrics import concordance_index_censored, concordance_index_ipcw

    learned, follow_up, scale, answers = judged
    found = survival_bootstrap(follow_up, answers, scale, resamples=2).values
    plain = concordance_index_censored(follow_up.event, follow_up.time, answers.risk)[0]
    uno = concordance_index_ipcw(surv(learned), surv(follow_up), answers.risk, scale.times[-1])[0]
    assert found["c_index"] == pytest.approx(plain, abs=1e-6)
    assert found["c_index_uno"] == pytest.approx(uno, abs=1e-6)


def test_integrated_brier_score_is_that_of_scikit_survival(judged):
    from sksurv.metrics import integrated_brier_score

    learned, follow_up, scale, answers = judged
    found = survival_bootstrap(follow_up, answers, scale, resamples=2).values
    theirs = integrated_brier_score(surv(learned), surv(follow_up), answers.curves, scale.times)
    assert found["integrated_brier"] == pytest.approx(theirs, abs=1e-6)


def brier_of(follow_up, risk, scale):
    hazard = np.exp(risk)[:, None] / 50
    curves, horizons = (np.exp(-hazard * np.array(t)) for t in (scale.times, scale.horizons))
    answers = SurvivalAnswers(risk, curves, horizons)
    found = survival_bootstrap(follow_up, answers, scale, resamples=2).values
    return found["integrated_brier"]


def test_where_events_and_censorings_come_together_the_score_is_that_without_censoring():
    rng = np.random.default_rng(4)
    risk = rng.normal(size=20_000)
    death = np.ceil(rng.exponential(size=len(risk)) * np.exp(-risk) * 50 / 12) * 12
    sight = rng.integers(1, 10, len(risk)) * 12.0
    seen = FollowUp(np.minimum(death, sight), death <= sight)
    scale = SurvivalScale.of(seen, (24.0,))
    whole = FollowUp(death, np.ones(len(death), dtype=bool))
    everybody = SurvivalScale(scale.times, scale.horizons, kaplan_meier(whole, censoring=True))
    complete = brier_of(whole, risk, everybody)
    assert brier_of(seen, risk, scale) == pytest.approx(complete, rel=0.02)


def test_where_the_study_ends_for_all_at_once_the_score_ends_before():
    follow_up, risk = cohort(500, 5)
    steps = in_steps(follow_up, 20.0)
    study = FollowUp(np.minimum(steps.time, 60), steps.event & (steps.time <= 60))
    scale = SurvivalScale.of(study, (20.0,))
    assert scale.times[-1] < 60
    assert 0 < brier_of(study, risk, scale) < 0.25


def test_all_rows_of_a_patient_are_drawn_together():
    follow_up, risk = cohort(100, 6)
    scale = SurvivalScale.of(follow_up, (10.0, 40.0))
    rows = np.repeat(np.arange(100), 4)
    flat = np.full((400, len(scale.times)), 0.5)
    answers = SurvivalAnswers(risk[rows], flat, np.full((400, 2), 0.5))
    apart = survival_bootstrap(follow_up.part(rows), answers, scale)
    together = survival_bootstrap(follow_up.part(rows), answers, scale, groups=rows)
    width = {
        name: found.estimates()["c_index"].high - found.estimates()["c_index"].low
        for name, found in (("apart", apart), ("together", together))
    }
    assert width["together"] > 1.5 * width["apart"]


@pytest.mark.parametrize("reverse", [False, True])
def test_kaplan_meier_is_that_of_scikit_survival(judged, reverse):
    from sksurv.nonparametric import kaplan_meier_estimator

    follow_up = in_steps(judged[1], 1.0)
    times, survival = kaplan_meier_estimator(follow_up.event, follow_up.time, reverse=reverse)
    ours = kaplan_meier(follow_up, censoring=reverse)
    np.testing.assert_allclose(ours.at(times), survival, atol=1e-12)


def test_greenwoods_interval_is_that_of_scikit_survival(judged):
    from sksurv.nonparametric import kaplan_meier_estimator

    follow_up = in_steps(judged[1], 1.0)
    times, _, ends = kaplan_meier_estimator(follow_up.event, follow_up.time, conf_type="log-log")
    place = np.searchsorted(times, 30, side="right") - 1
    np.testing.assert_allclose(greenwood(follow_up, 30.0), ends[:, place], atol=1e-4)


def test_where_nobody_had_the_event_the_interval_is_below_one():
    low, high = greenwood(FollowUp(np.full(20, 50.0), np.zeros(20, dtype=bool)), 30.0)
    assert 0.8 < low < 0.9
    assert high == 1


def test_the_interval_knows_of_those_only_who_were_followed():
    lost = np.full(100, 1.0)
    assert greenwood(FollowUp(lost, np.zeros(100, dtype=bool)), 365.0) == (0, 1)
    one = FollowUp(np.append(lost, 400.0), np.zeros(101, dtype=bool))
    assert greenwood(one, 365.0)[0] < 0.3


def test_equal_predictions_are_judged_alike_in_any_order(judged):
    _, follow_up, scale, answers = judged
    everybody = replace(
        answers,
        risk=np.zeros(len(follow_up)),
        horizons=np.tile(answers.horizons[:1], (len(follow_up), 1)),
    )
    order = np.argsort(follow_up.time)
    sorted_answers = SurvivalAnswers(*(getattr(everybody, f)[order] for f in _FIELDS))
    found, again = (
        survival_bootstrap(rows, said, scale, resamples=2).values["survival_calibration_error"]
        for rows, said in ((follow_up, everybody), (follow_up.part(order), sorted_answers))
    )
    assert found == pytest.approx(again)


def test_a_weight_of_two_is_a_row_twice():
    follow_up, _ = cohort(60, 3)
    weight = np.random.default_rng(0).integers(0, 3, 60).astype(float)
    rows = np.repeat(np.arange(60), weight.astype(int))
    twice = kaplan_meier(follow_up.part(rows))
    once = kaplan_meier(follow_up, weight)
    np.testing.assert_allclose(once.at(np.arange(100)), twice.at(np.arange(100)), atol=1e-12)


def test_lengths_must_agree():
    with pytest.raises(SchemaError, match="equally long"):
        FollowUp(np.zeros(3), np.zeros(2, dtype=bool))


def test_net_benefit_by_hand():
    target = np.array([True] * 2 + [False] * 8)
    probability = np.array([0.9, 0.1, 0.8, *[0.05] * 7])
    # One right, one false alarm, at odds of one to four: (1 - 1/4) / 10.
    assert net_benefit(probability, 0.2, share_of(target)) == pytest.approx(0.075)
    assert net_benefit(np.zeros(10), 0.2, share_of(target)) == 0
    table = decision_curve_section({"model": probability}, share_of(target)).rows()
    assert table[0] == ["threshold", "model", "act on all", "act on nobody"]
    assert len(table) > 2
    assert all(row[-1] == 0 for row in table[1:])
