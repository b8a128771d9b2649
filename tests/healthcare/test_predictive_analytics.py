"""What is true of outcomes and survival alone; the rest is in the conformance suite."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.data import card, load
from industry_apps.errors import LeakageError, ParameterError, SchemaError, TrainingError
from industry_apps.healthcare import OutcomePredictor, SurvivalPredictor
from industry_apps.recipes import TreeOptions
from industry_apps.runtime import Model
from industry_apps.workflow.parameters import configured, settings_for

QUICK = TreeOptions(rounds=40, learning_rate=0.15)
COHORTS = "health_gbsg2_whas500_flchain"
TABLES = ("health_support2", "health_gbsg2", "health_whas500", "health_flchain")


@pytest.fixture(scope="module")
def stays():
    return OutcomePredictor.sample()


@pytest.fixture(scope="module")
def outcome(stays):
    return OutcomePredictor.fast().set_params(diagnoses=("diagnosis",)).fit(stays)


@pytest.fixture(scope="module")
def cohort():
    return SurvivalPredictor.sample()


@pytest.fixture(scope="module")
def survival(cohort):
    return SurvivalPredictor(model="trees", trees=QUICK).fit(cohort)


@pytest.fixture(scope="module")
def files(outcome, survival, stays, cohort, tmp_path_factory):
    folder = tmp_path_factory.mktemp("healthcare")
    outcome.export(folder / "outcome.onnx", check=stays)
    survival.export(folder / "survival.onnx", check=cohort)
    return {name: Model(folder / f"{name}.onnx") for name in ("outcome", "survival")}


def test_no_patient_is_in_two_parts(stays):
    parts = [set(part.patient) for part in (stays.train, stays.validation, stays.test)]
    assert len(set.union(*parts)) == sum(map(len, parts))


def test_a_patient_on_both_sides_is_refused(stays, outcome):
    twice = pd.concat([stays.validation, stays.train.head(1)])
    with pytest.raises(LeakageError, match=r"'patient'.*split_by_group"):
        OutcomePredictor.fast().fit(stays.train, twice)
    with pytest.raises(LeakageError, match="'patient'"):
        outcome.evaluate(pd.concat([stays.test, stays.validation.head(1)]))


def test_records_of_ones_own_are_split_by_patient(stays):
    frame = pd.concat([stays.train, stays.validation, stays.test], ignore_index=True)
    parts = OutcomePredictor().split(frame)
    assert not set(parts.train.patient) & set(parts.test.patient)
    fitted = OutcomePredictor.fast().fit(frame)  # sets patients aside by itself
    assert fitted.split_["validation"]["rows"] > 0


def test_a_column_that_tells_the_outcome_is_refused(stays):
    train, validation = (part.assign(dnr=1.0) for part in (stays.train, stays.validation))
    train.attrs["data"] = {**stays.train.attrs["data"], "leaks": {"dnr": "given late"}}
    with pytest.raises(LeakageError, match=r"'dnr' tells the outcome \(given late\)"):
        OutcomePredictor.fast().fit(train, validation)
    with pytest.raises(LeakageError, match="'dnr'"):
        OutcomePredictor.fast().set_params(features=("age", "dnr")).fit(train, validation)
    OutcomePredictor.fast().set_params(ignore=("dnr",)).fit(train, validation)


@pytest.mark.real_data("health_support2", COHORTS)
@pytest.mark.parametrize("name", TABLES)
def test_what_leaks_is_in_no_table(name):
    data = load(name)
    assert not set(card(name).leaks) & set(data.train)


def test_an_unseen_code_counts_as_its_neighbours(files, outcome, stays):
    frame = stays.test.head(1)
    risks = {
        code: files["outcome"].predict(frame.assign(diagnosis=code))["risk"].iloc[0]
        for code in ("584.99", "584.1", "no code", None)
    }
    assert risks["584.99"] == risks["584.1"]  # acute kidney failure, both never seen
    native = outcome.predict(frame.assign(diagnosis="584.99"))["risk"].iloc[0]
    assert risks["584.99"] == pytest.approx(native, abs=1e-6)
    assert all(0 < risk < 1 for risk in risks.values())


def test_codes_may_be_numbers_in_the_table(stays, tmp_path):
    rng = np.random.default_rng(0)
    parts = [
        part.assign(diagnosis=rng.choice([250.0, 250.83, 428.0, 584.9], len(part)))
        for part in (stays.train, stays.validation, stays.test)
    ]
    predictor = OutcomePredictor.fast().set_params(diagnoses=("diagnosis",))
    fitted = predictor.fit(*parts[:2])
    path = fitted.export(tmp_path / "numbers.onnx", check=parts[2])
    record = parts[2].head(1).to_dict("records")[0]
    risks = {Model(path).predict(record | {"diagnosis": code})["risk"] for code in (250.0, "250")}
    assert len(risks) == 1


def test_a_diagnosis_that_is_no_column_is_named(stays):
    with pytest.raises(ParameterError, match=r"'diagnose'.*'diagnosis'"):
        OutcomePredictor(diagnoses=("diagnose",)).fit(stays)


@pytest.mark.parametrize("age", [-1, 131, 1e9])
@pytest.mark.parametrize("which", ["outcome", "survival"])
def test_an_age_beyond_the_range_is_refused(files, stays, cohort, which, age):
    frame = (stays if which == "outcome" else cohort).test.head(2).assign(age=[50.0, age])
    with pytest.raises(SchemaError, match="Column 'age', row 1"):
        files[which].predict(frame)


def test_race_is_no_feature_unless_asked_for(outcome, stays, files):
    assert "race" not in outcome.schema_
    assert {"age", "sex"} <= set(outcome.schema_.names)
    assert "race" in outcome.evaluate(stays).groups["model"].groups
    asked = OutcomePredictor.fast().set_params(use_protected=("race",)).fit(stays)
    assert "race" in asked.schema_
    assert "age" not in asked.schema_
    with pytest.raises(ParameterError, match="'race' is protected"):
        OutcomePredictor.fast().set_params(features=("race",)).fit(stays)


def test_reasons_are_columns_that_raise_the_risk(outcome, stays, files):
    frame = stays.test.sort_values("stays_before").tail(20)
    found = files["outcome"].predict(frame)["reasons"]
    assert sum("stays_before" in reasons for reasons in found) >= 18
    assert found.tolist() == outcome.predict(frame)["reasons"].tolist()
    assert outcome.table_.reasons_.model.fidelity_ > 0.8


def test_without_reasons_there_is_no_such_column(stays, tmp_path):
    fitted = OutcomePredictor.fast().set_params(reasons=0).fit(stays)
    assert list(fitted.predict(stays.test.head(1))) == ["risk", "high_risk"]
    path = fitted.export(tmp_path / "plain.onnx")
    assert Model(path).outputs.names == ["risk", "high_risk"]


def test_the_report_has_decision_curve_and_fairness(outcome, survival, stays, cohort):
    for fitted, data in ((outcome, stays), (survival, cohort)):
        report = fitted.evaluate(data)
        titles = [section.title for section in report.all_sections()]
        assert "Decision curve" in titles
        assert any("race" in title for title in titles)
        for section in report.sections:
            for draw in section.figures:
                assert draw().axes


def test_the_file_says_what_it_is_for(outcome, survival, tmp_path):
    for number, fitted in enumerate((outcome, survival)):
        path = fitted.export(tmp_path / f"{number}.onnx")
        assert "No diagnosis" in Model(path).metadata["intended_use"]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"follow_up_days": -1.0}, SchemaError, "'follow_up_days', row 0"),
        ({"follow_up_days": None}, SchemaError, "'follow_up_days', row 0"),
        ({"event": False}, TrainingError, "all rows are censored"),
        ({"follow_up_days": 0.0}, TrainingError, "happen at time 0"),
    ],
)
def test_bad_survival_tables_are_refused(cohort, change, error, words):
    with pytest.raises(error, match=words):
        SurvivalPredictor.fast().fit(cohort.train.assign(**change), cohort.validation)


def test_all_may_have_the_event(cohort):
    train, validation = (part.assign(event=True) for part in (cohort.train, cohort.validation))
    fitted = SurvivalPredictor.fast().fit(train, validation)
    assert fitted.predict(cohort.test).risk.between(0, 1).all()


@pytest.mark.parametrize("reasons", [0, 1, 2])
def test_a_column_that_tells_nothing_gives_no_reason(cohort, tmp_path, reasons):
    def alike(part):
        return part[["follow_up_days", "event"]].assign(site=1.0, ward=2.0)

    fitted = SurvivalPredictor(model="cox", reasons=reasons)
    fitted.fit(alike(cohort.train), alike(cohort.validation))
    fitted.export(tmp_path / "cox.onnx", check=alike(cohort.test))
    assert fitted.parity_.changed_decisions == 0
    if reasons == 2:
        assert not any(fitted.predict(alike(cohort.test))["reasons"])
    with pytest.raises(TrainingError, match="no column tells anything"):
        SurvivalPredictor.fast().fit(alike(cohort.train), alike(cohort.validation))


def test_events_at_a_horizon_are_events_by_it(cohort):
    def tenths(part, scale):
        days = np.clip(np.ceil(part["follow_up_days"] / 100), 1, 12)
        return part.assign(follow_up_days=days * scale)

    found = {}
    for scale in (0.1, 1.0):
        parts = [tenths(part, scale) for part in (cohort.train, cohort.validation, cohort.test)]
        horizons = tuple(round(time * scale, 1) for time in (3, 7, 12))
        fitted = SurvivalPredictor(model="cox", horizons=horizons, reasons=0).fit(*parts[:2])
        ends = fitted.predict(parts[2])[["survival_low", "survival", "survival_high"]]
        found[scale] = np.stack([np.stack(ends[name].tolist()) for name in ends])
    np.testing.assert_allclose(found[0.1], found[1.0], atol=1e-3)


def test_a_protected_column_that_is_not_there_is_named(cohort):
    with pytest.raises(ParameterError, match=r"'use_protected'.*'agee'.*'age'"):
        SurvivalPredictor.fast().set_params(use_protected=("agee",)).fit(cohort)


def test_records_of_few_patients_are_cut_by_patient(cohort):
    parts = [
        part.head(200).assign(patient=[f"{name}{row % 2}" for row in range(200)])
        for name, part in (("a", cohort.train), ("b", cohort.validation))
    ]
    fitted = SurvivalPredictor.fast().fit(*parts)
    assert fitted.predict(cohort.test.head(3))["risk"].between(0, 1).all()


def test_horizons_are_answered_in_order(cohort, tmp_path):
    fitted = SurvivalPredictor(model="cox", horizons=(180.0, 365.0)).fit(cohort)
    path = fitted.export(tmp_path / "cox.onnx", check=cohort)
    answer = Model(path).predict(cohort.test.head(1).to_dict("records")[0])
    assert len(answer["survival"]) == 2
    assert answer["survival"][0] > answer["survival"][1]
    assert Model(path).metadata["horizons"] == [180.0, 365.0]


def test_many_events_at_one_time_are_one_horizon(cohort):
    parts = [part.copy() for part in (cohort.train, cohort.validation)]
    for part in parts:
        part["follow_up_days"] = np.ceil(part["follow_up_days"] / 1_000) * 1_000
    fitted = SurvivalPredictor(model="cox").fit(*parts)
    horizons = fitted.recipe_.horizons_
    assert list(horizons) == sorted(set(horizons))


def test_a_follow_up_may_be_called_time(cohort):
    names = {"follow_up_days": "time", "event": "status"}
    table = cohort.train.drop(columns="patient", errors="ignore").rename(columns=names)
    fitted = SurvivalPredictor(model="cox", columns=names, reasons=0).fit(table)
    assert fitted.predict(table.head(3))["risk"].between(0, 1).all()


def test_who_is_censored_at_the_last_horizon_has_survived_it(cohort):
    test = cohort.test.copy()
    late = test["follow_up_days"] >= 365
    test.loc[late, ["follow_up_days", "event"]] = [365.0, False]
    fitted = SurvivalPredictor(model="cox", horizons=(365.0,), reasons=0).fit(cohort)
    groups = [fitted.evaluate(part).groups["model"].report() for part in (test, cohort.test)]
    assert groups[0].differences(groups[1]) == 0


@pytest.mark.real_data("health_diabetes130")
def test_readmission_is_told_from_real_stays():
    data = load("health_diabetes130")
    predictor = configured(OutcomePredictor, settings_for("health_diabetes130"))
    predictor.set_params(trees=TreeOptions(rounds=80, learning_rate=0.1, one_hot=80), reasons=0)
    report = predictor.fit(data.train.head(20_000), data.validation).evaluate(data)
    assert report.metrics["auroc"].low > 0.62
    assert "encounter_id" not in data.train
    assert not data.train.discharge_disposition_id.isin(["11", "13", "14", "19", "20", "21"]).any()


@pytest.mark.real_data(COHORTS)
def test_survival_is_ranked_in_real_tables():
    data = load("health_whas500")
    report = SurvivalPredictor(model="trees", trees=QUICK).fit(data).evaluate(data)
    assert report.metrics["c_index"].low > 0.6
    assert np.isfinite(report.metrics["integrated_brier"].value)


def test_one_reason_is_a_list_of_one(stays, tmp_path):
    fitted = OutcomePredictor.fast().set_params(reasons=1).fit(stays)
    found = Model(fitted.export(tmp_path / "one.onnx")).predict(stays.test.iloc[0].to_dict())
    assert [found["reasons"]] == fitted.predict(stays.test.head(1))["reasons"].tolist()
    assert len(found["reasons"]) == 1
