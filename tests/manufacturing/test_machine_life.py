"""Records of maintenance are survival: the life that is left, given the age."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from industry_apps.data.simulators import maintenance_records
from industry_apps.errors import LeakageWarning, ParameterError, SchemaError
from industry_apps.manufacturing import MachineLifePredictor
from industry_apps.recipes.survival.given_age import (
    failure_within,
    log_survival_at,
    median_remaining,
)

SCALE, SHAPE = 1_000.0, 2.0


def weibull_median_remaining(age):
    """Where S(age + t) / S(age) is a half."""
    return SCALE * ((age / SCALE) ** SHAPE + np.log(2)) ** (1 / SHAPE) - age


def test_conditional_answers_of_a_known_curve():
    edges = np.linspace(10, 3_000, 300)
    logs = -((edges[None] / SCALE) ** SHAPE)
    ages = np.array([0.0, 250.0, 800.0, 1_500.0])
    rows = np.repeat(logs, len(ages), axis=0)
    np.testing.assert_allclose(
        log_survival_at(rows, edges, ages), -((ages / SCALE) ** 2), atol=1e-3
    )
    np.testing.assert_allclose(
        median_remaining(rows, edges, ages), weibull_median_remaining(ages), rtol=0.01
    )
    soon = 1 - np.exp((ages / SCALE) ** 2 - ((ages + 100) / SCALE) ** 2)
    np.testing.assert_allclose(failure_within(rows, edges, ages, [100.0])[:, 0], soon, atol=2e-3)


@pytest.fixture(scope="module")
def weibull():
    """Lives of one distribution, four in ten of them censored."""
    return maintenance_records(machines=6_000, effects=False, seed=1)


def test_a_simulation_is_answered_as_the_closed_form(weibull):
    fitted = MachineLifePredictor(model="cox", within=200.0).fit(weibull)
    ages = np.array([0.0, 200.0, 500.0, 900.0])
    asked = weibull.drop(columns="failed").head(len(ages)).assign(age=ages)
    found = fitted.predict(asked)
    np.testing.assert_allclose(found["remaining_life"], weibull_median_remaining(ages), rtol=0.12)
    soon = 1 - np.exp((ages / SCALE) ** 2 - ((ages + 200) / SCALE) ** 2)
    np.testing.assert_allclose(found["failure_probability"], soon, atol=0.04)


def test_beyond_the_last_failure_nothing_is_answered(weibull):
    fitted = MachineLifePredictor(model="cox").fit(weibull.head(500))
    old = weibull.head(2).assign(age=[1e5, 100.0])
    found = fitted.predict(old)
    assert found["remaining_life"].isna().tolist() == [True, False]
    assert found["failure_probability"].isna().tolist() == [True, False]
    with pytest.raises(SchemaError, match=r"'age', row 0.*-1"):
        fitted.predict(old.assign(age=[-1.0, 3.0]))
    with pytest.raises(SchemaError, match="'age'"):
        fitted.predict(old.drop(columns="age"))


def test_age_is_no_feature_and_words_serve_as_labels(weibull):
    told = weibull.head(800).assign(failed=lambda t: np.where(t["failed"], "failure", "runs"))
    fitted = MachineLifePredictor(positive="failure", model="cox").fit(told)
    assert "age" not in fitted.records_.schema
    plain = MachineLifePredictor(model="cox").fit(weibull.head(800))
    np.testing.assert_allclose(fitted.predict(told.head(9)), plain.predict(weibull.head(9)))
    with pytest.raises(ParameterError, match="no column to learn from"):
        MachineLifePredictor().fit(weibull[["machine", "age", "failed"]])


def test_a_column_that_tells_the_age_at_failure_is_named(weibull):
    told = weibull.head(800).assign(total=lambda t: 1.01 * t["age"])
    with pytest.warns(LeakageWarning, match="Column 'total' alone tells when the event comes"):
        fitted = MachineLifePredictor(model="cox").fit(told)
    report = fitted.evaluate(told.assign(machine="X" + told["machine"]))
    assert any("Column 'total' alone tells" in note for note in report.notes)
    with warnings.catch_warnings():
        warnings.simplefilter("error", LeakageWarning)
        MachineLifePredictor(model="cox", ignore=("total",)).fit(told)  # the remedy


def test_every_label_but_failure_is_censored(weibull):
    plain = weibull.head(800)
    words = np.where(plain["failed"], "failed", np.where(plain["load"] > 0.5, "replaced", "runs"))
    told = plain.assign(failed=words)
    fitted = MachineLifePredictor(positive="failed", model="cox").fit(told)
    usual = MachineLifePredictor(model="cox").fit(plain)
    np.testing.assert_allclose(fitted.predict(told.head(9)), usual.predict(plain.head(9)))
    other = told.assign(machine="X" + told["machine"])
    assert fitted.evaluate(other).split["test"]["events"] == plain["failed"].sum()
    lost = other.assign(failed=other["failed"].replace("runs", "lost"))
    assert fitted.evaluate(lost).split["test"]["events"] == plain["failed"].sum()
    told_late = lost.assign(failed=lost["failed"].replace("lost", "FAILED"))
    with pytest.raises(SchemaError, match=r"got 'FAILED', expected 'failed', as 'positive' says"):
        fitted.evaluate(told_late)
    rare = told.head(300).drop(columns="machine").reset_index(drop=True)
    rare.loc[17, "failed"] = "stolen"
    parts = MachineLifePredictor(positive="failed").split(rare)
    whole = pd.concat([parts.train, parts.validation, parts.test])
    assert list(whole.columns) == list(rare.columns)
    assert sorted(whole["failed"]) == sorted(rare["failed"])
    shares = [(part["failed"] == "failed").mean() for part in (parts.train, parts.test)]
    assert shares[0] == pytest.approx(shares[1], abs=0.02)
    MachineLifePredictor(positive="failed", model="cox").fit(rare)
    late = told.assign(failed=told["failed"].replace("replaced", "runs"))
    MachineLifePredictor(positive="failed", model="cox").fit(late, other)
    mixed = told.assign(failed=told["failed"].where(told.index != 2, "Failed "))
    with pytest.raises(SchemaError, match=r"row 2: got 'Failed '.*Write both alike"):
        MachineLifePredictor(positive="failed", model="cox").fit(mixed)
