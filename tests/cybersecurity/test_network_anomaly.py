"""Flows: what is learned without attacks, what is suppressed, and what odd flows get."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.cybersecurity import FlowState, NetworkAnomalyDetector
from industry_apps.cybersecurity.flows.budget import rate_of
from industry_apps.data import load
from industry_apps.errors import (
    DataNotFoundError,
    ParameterError,
    SchemaError,
    TrainingError,
    UnlikeTrainingWarning,
)
from industry_apps.recipes.anomaly.members import constant_score
from industry_apps.recipes.tables.anomalies import far_out
from industry_apps.runtime import Model
from tests.cli.shell import run


def quick(**parameters):
    return NetworkAnomalyDetector.fast().set_params(reasons=0, **parameters)


@pytest.fixture(scope="module")
def flows():
    return NetworkAnomalyDetector.sample()


@pytest.fixture(scope="module")
def usual(flows):
    """Learned from normal traffic alone, of a table without labels."""
    labels = ["is_attack", "attack", "family"]
    normal = flows.train[~flows.train["is_attack"]].drop(columns=labels)
    later = flows.validation[~flows.validation["is_attack"]].drop(columns=labels)
    scanner = flows.test["source"].mode()[0]
    detector = quick(model="nearest", scanners={scanner: "2026-03-11"})
    return detector.fit(normal, later)


def test_attacks_are_found_that_nobody_labelled(usual, flows):
    found = usual.predict(flows.test)
    attack = flows.test["is_attack"].to_numpy()
    raised = (found["score"] >= 0).to_numpy()
    assert raised[attack].mean() > 0.8
    assert raised[~attack].mean() < 0.05
    assert "family" not in found


def test_authorised_scanners_are_suppressed_until_their_day(usual, flows, tmp_path):
    found = usual.predict(flows.test)
    (scanner,) = usual.scanners
    theirs = (flows.test["source"] == scanner).to_numpy()
    before = (flows.test["time"] < pd.Timestamp("2026-03-11")).to_numpy()
    assert np.array_equal(found["suppressed"].to_numpy(), theirs & before)
    assert not found["alert"][found["suppressed"]].any()
    file = Model(usual.export(tmp_path / "flows.onnx"))
    assert file.predict(flows.test)["alert"].equals(found["alert"])


def test_the_report_judges_the_alerts_that_are_given(flows):
    scanner = flows.test.loc[flows.test["is_attack"], "source"].mode()[0]
    detector = quick(model="trees", scanners={scanner: "2030-01-01"}).fit(flows)
    report, found = detector.evaluate(flows), detector.predict(flows.test)
    attack = flows.test["is_attack"].to_numpy()
    would = (found["score"] >= 0).to_numpy()
    alert = found["alert"].to_numpy()
    assert 0 < alert[attack].sum() < would[attack].sum()
    told = str(report)
    assert f"{alert[attack].sum()} of {attack.sum()} attacks raise an alarm" in told
    assert f"{(would & ~alert)[attack].sum()} attacks and " in told
    (alarms,) = (s.records() for s in report.sections if s.title == "Alarms")
    assert [row["alarms"] for row in alarms] == [alert[~attack].sum(), alert[attack].sum()]
    assert "No anomaly was seen" not in told  # attacks were learned from


@pytest.mark.parametrize(
    ("column", "value"),
    [("duration", -1.0), ("duration", 1e7), ("sent_bytes", -5.0), ("sent_bytes", "many")],
)
def test_values_that_cannot_be_are_refused(usual, flows, column, value):
    odd = flows.test.head(3).astype({column: object})
    odd[column] = value
    with pytest.raises(SchemaError, match=column):
        usual.predict(odd)


def test_missing_and_unknown_values_are_answered(usual, flows):
    odd = flows.test.head(2).assign(service="gopher", duration=np.nan, sent_bytes=np.nan)
    assert np.isfinite(usual.predict(odd)["score"]).all()


def test_flows_without_their_windows_are_refused(flows):
    state = NetworkAnomalyDetector().new_state().columns
    with pytest.raises(SchemaError, match=r"enrich\(flows\)"):
        quick().fit(flows.train.drop(columns=list(state)), flows.validation)


def test_flows_without_their_windows_are_told_how_to_get_them(flows, tmp_path):
    detector = quick(model="nearest").fit(flows)
    model = Model(detector.export(tmp_path / "flows.onnx"))
    bare = flows.test.drop(columns=list(detector.new_state().columns))
    for ask in (detector.predict, model.predict):
        with pytest.raises(SchemaError, match="enrich of the application or of its FlowState"):
            ask(bare)
    expected = detector.predict(detector.enrich(bare))
    state = FlowState(**model.metadata["flow_state"])
    assert model.predict(state.enrich(bare))["alert"].equals(expected["alert"])
    bare.to_parquet(tmp_path / "flows.parquet")
    out = tmp_path / "answers.parquet"
    done = run("predict", str(model.path), str(tmp_path / "flows.parquet"), str(out), "--enrich")
    assert done.exit_code == 0, done.output
    assert pd.read_parquet(out)["alert"].tolist() == expected["alert"].tolist()


def test_a_file_warns_of_a_table_whose_flows_are_longer_than_all_of_training(flows, tmp_path):
    model = Model(quick(model="nearest").fit(flows).export(tmp_path / "flows.onnx"))
    with pytest.warns(UnlikeTrainingWarning, match="'duration'"):
        model.predict(flows.test.assign(duration=1e6))


def test_a_budget_of_alerts_is_a_rate():
    seconds = np.arange(1_000) * 86_400 // 1_000
    assert rate_of(10, None, seconds) == pytest.approx(0.01, rel=0.01)
    with pytest.raises(ParameterError, match="flows_per_day"):
        rate_of(10, None, np.empty(0, dtype=np.int64))
    with pytest.raises(ParameterError, match="alerts_per_day"):
        rate_of(10, 5, seconds)


@pytest.mark.parametrize(
    "scanners",
    [
        {"10.0.0.9": "soon"},
        {"10.0.0.9": "today"},
        {"10.0.0.9": "2026"},
        {"10.0.0.9": "2026-02-30"},
        {"": "2026-01-01"},
        {" 10.0.0.9": "2026-01-01"},
        {"10.0.0.0/24": "2026-01-01"},
    ],
)
def test_leave_of_a_scanner_ends_on_a_day(flows, scanners):
    with pytest.raises(ParameterError, match="scanners"):
        quick(model="nearest", scanners=scanners).fit(flows)


def test_attacks_are_needed_to_learn_from_attacks(flows):
    normal = flows.train[~flows.train["is_attack"]]
    with pytest.raises(TrainingError, match="nearest"):
        quick().fit(normal, flows.validation)


def test_a_constant_score_is_refused():
    with pytest.raises(TrainingError, match="same score"):
        constant_score(np.ones(20), "the model 'nearest'")


def test_attacks_among_normal_records_are_far_out():
    draw = np.random.default_rng(0)
    clean = draw.normal(size=1_000)
    assert far_out(clean) < 0.005
    assert far_out(np.append(clean, np.full(50, 9.0))) == pytest.approx(50 / 1_050)


@pytest.mark.real_data("cyber_nsl_kdd")
def test_nsl_kdd_is_read_by_part_and_family():
    try:
        data = load("cyber_nsl_kdd")
    except DataNotFoundError as error:
        pytest.skip(str(error))
    assert (len(data.train), len(data.validation), len(data.test)) == (25_192, 0, 22_544)
    assert not set(data.train) & {"difficulty", "part"}
    assert data.test.loc[data.test["is_attack"], "family"].notna().all()
    few = data.train.groupby("attack", group_keys=False).head(400)
    asked = data.test.iloc[::20]
    found = quick(model="nearest").fit(few).predict(asked)
    attack = asked["is_attack"].to_numpy()
    assert found["score"][attack].median() > found["score"][~attack].median()
