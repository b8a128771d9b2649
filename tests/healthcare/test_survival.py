"""Survival: what is particular to its answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import LeakageWarning, SchemaError
from industry_apps.healthcare import SurvivalPredictor
from industry_apps.recipes.survival.hazard_ratios import hazard_ratios
from industry_apps.recipes.survival.metrics import FollowUp
from industry_apps.recipes.survival.models import Followed
from industry_apps.runtime import Model
from industry_apps.schema import Column, Schema


def test_one_horizon_and_one_reason_are_lists_of_one(tmp_path):
    data = SurvivalPredictor.sample()
    fitted = SurvivalPredictor.fast().set_params(horizons=(365,), reasons=1).fit(data)
    native = fitted.predict(data.test.head(3))
    model = Model(fitted.export(tmp_path / "one.onnx"))
    answers = model.predict(data.test.head(3))
    one = model.predict(data.test.head(1).to_dict("records")[0])
    for name in ("survival", "survival_low", "survival_high", "reasons"):
        assert [len(each) for each in native[name]] == [1, 1, 1]
        assert [len(each) for each in answers[name]] == [1, 1, 1]
        assert isinstance(one[name], list)
    assert native["reasons"].tolist() == answers["reasons"].tolist()
    assert np.allclose(np.stack(native["survival"]), np.stack(answers["survival"]), atol=1e-4)


def test_patients_are_ranked_by_the_whole_curve_and_the_risk_stays_a_probability():
    data = SurvivalPredictor.sample()
    fitted = SurvivalPredictor.fast().fit(data)
    found = fitted.predict(data.test)
    curves = fitted.recipe_.blend_.log_survival(fitted.schema_.to_arrays(data.test))
    np.testing.assert_allclose(found["risk_score"], 1 - np.exp(curves).mean(axis=1))
    np.testing.assert_allclose(found["risk"], [1 - row[-1] for row in found["survival"]])
    report = fitted.evaluate(data)
    (section,) = (each for each in report.all_sections() if each.title == "Hazard ratios")
    rows = section.records()
    assert {"column", "compared", "hazard_ratio", "low", "high"} == set(rows[0])
    assert all(0 < row["low"] < row["hazard_ratio"] < row["high"] for row in rows)
    assert any("ranked by risk_score" in note for note in report.notes)


def test_hazard_ratios_find_what_was_simulated():
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"dose": draw.normal(size=3000), "arm": draw.choice(["a", "b"], 3000, p=[0.6, 0.4])}
    )
    schema = Schema((Column("dose", "number"), Column("arm", "category")))
    rate = np.exp(0.7 * frame["dose"] - 0.5 * (frame["arm"] == "b"))
    time = draw.exponential(1 / rate)
    follow_up = FollowUp(np.minimum(time, 2.0), time < 2)
    found = hazard_ratios(schema, Followed(schema.to_arrays(frame), follow_up))
    told = {(column, words): numbers for column, words, *numbers in found}
    ratio, low, high = told["arm", "b against a"]
    assert low < np.exp(-0.5) < high
    assert high / low < 1.4
    (words,) = (words for column, words in told if column == "dose")
    ratio, low, high = told["dose", words]
    assert low < np.exp(0.7 * frame["dose"].std()) < high
    assert low < ratio < high


def test_several_kinds_of_events_are_refused():
    data = SurvivalPredictor.sample()
    kinds = data.train["event"].astype(int)
    train = data.train.assign(event=kinds.where(kinds.index % 7 > 0, 2))
    with pytest.raises(SchemaError, match=r"'event' holds 3 kinds of events.*Make one event"):
        SurvivalPredictor.fast().fit(train)
    SurvivalPredictor.fast().fit(train.assign(event=train["event"] > 0))  # the remedy


def test_equal_rows_are_counted_and_a_column_that_tells_is_named():
    data = SurvivalPredictor.sample()
    parts = [
        part.drop(columns="patient", errors="ignore") for part in (data.train, data.validation)
    ]
    fitted = SurvivalPredictor.fast().fit(*parts)
    twice = pd.concat([data.test, parts[0].head(5)])
    assert any(n.startswith("5 of ") for n in fitted.evaluate(twice).notes)
    leaking = [part.assign(cause=np.where(part["event"], "heart", None)) for part in parts]
    with pytest.warns(LeakageWarning, match="'cause' alone"):
        SurvivalPredictor.fast().fit(*leaking)
