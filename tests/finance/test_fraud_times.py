"""Times of a table of decisions that are numbers, or far from those of training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.finance import CreditScorer, FraudDetector
from industry_apps.runtime import Model, TransactionState


@pytest.fixture(scope="module")
def data() -> tuple[pd.DataFrame, pd.DataFrame]:
    found = FraudDetector.sample()
    return found.train, found.test.head(50).reset_index(drop=True)


@pytest.fixture(scope="module")
def fitted(data) -> FraudDetector:
    return FraudDetector.fast().fit(data[0])


def in_unit(frame: pd.DataFrame, unit: str) -> pd.DataFrame:
    times = frame["time"].dt.normalize()
    if unit == "YYYYMMDD":
        return frame.assign(time=times.dt.strftime("%Y%m%d").astype(np.int64))
    if unit == "sheet":
        return frame.assign(time=(times - pd.Timestamp("1899-12-30")).dt.days)
    return frame.assign(time=times.astype(f"datetime64[{unit}]").astype(np.int64))


@pytest.mark.parametrize("unit", ["ms", "us", "ns", "YYYYMMDD", "sheet"])
def test_numbers_that_look_like_another_unit_are_refused(data, unit: str):
    match = rf"'time', row 0: got the number \d+, .*unit={{'time': '{unit}'}}"
    with pytest.raises(SchemaError, match=match):
        FraudDetector.fast().fit(in_unit(data[0], unit))


@pytest.mark.parametrize("unit", ["YYYYMMDD", "sheet"])
@pytest.mark.parametrize("step", ["enrich", "split"])
def test_they_are_refused_before_the_stream_tells_of_them(data, unit: str, step: str):
    raw = data[0][["time", "customer", "terminal", "amount", "is_fraud"]]
    table, detector = in_unit(raw, unit), FraudDetector(delay_days=1)
    with pytest.raises(SchemaError, match=r"'time', row 0: got.* Convert .*pandas\.to_datetime"):
        getattr(detector, step)(table)
    form, origin = {"YYYYMMDD": ("%Y%m%d", "unix"), "sheet": (None, "1899-12-30")}[unit]
    days = None if form else "D"
    times = pd.to_datetime(table["time"], format=form, unit=days, origin=origin)
    getattr(detector, step)(table.assign(time=times))


def test_the_stream_of_a_file_takes_the_unit_of_its_training(data, tmp_path: Path):
    fitted = FraudDetector.fast().fit(in_unit(data[0], "YYYYMMDD"), unit="YYYYMMDD")
    model = Model(fitted.export(tmp_path / "fraud.onnx"))
    raw = data[1][["time", "customer", "terminal", "amount"]]
    state = TransactionState(**model.metadata["state"])
    state.snapshot(tmp_path / "state.npz")
    state = TransactionState.restore(tmp_path / "state.npz")
    found = [state.update(record) for record in in_unit(raw, "YYYYMMDD").to_dict("records")]
    days = raw.assign(time=raw["time"].dt.normalize())
    plain = TransactionState()
    expected = [plain.update(record) for record in days.to_dict("records")]
    for ours, theirs in zip(found, expected, strict=True):
        assert [ours[name] for name in plain.columns] == [theirs[n] for n in plain.columns]
    answers = model.predict(pd.DataFrame(found))
    pd.testing.assert_frame_equal(answers, model.predict(pd.DataFrame(expected)))


def test_a_unit_that_is_said_is_used_in_model_and_file(data, tmp_path: Path):
    train, test = data
    days = train.assign(time=train["time"].dt.normalize())
    asked = test.assign(time=test["time"].dt.normalize())
    plain = FraudDetector.fast().fit(days).predict(asked)
    fitted = FraudDetector.fast().fit(in_unit(train, "ms"), unit="ms")
    pd.testing.assert_frame_equal(fitted.predict(in_unit(test, "ms")), plain)
    pd.testing.assert_frame_equal(fitted.predict(asked), plain)
    model = Model(fitted.export(tmp_path / "fraud.onnx"))
    answer = model.predict(in_unit(test, "ms"))
    pd.testing.assert_frame_equal(answer, model.predict(asked))
    np.testing.assert_allclose(answer["fraud_probability"], plain["fraud_probability"], atol=1e-4)
    in_unit(test, "ms").to_csv(tmp_path / "table.csv", index=False)
    pd.testing.assert_frame_equal(model.predict(tmp_path / "table.csv"), answer)
    record = in_unit(test, "ms").to_dict("records")[0]
    assert model.predict(record)["fraud_probability"] == answer["fraud_probability"][0]


def test_seconds_need_not_be_said(data, fitted: FraudDetector):
    test = data[1]
    seconds = [f.assign(time=f["time"].astype("datetime64[s]").astype("int64")) for f in data]
    for said in ({}, {"unit": "s"}, {"unit": {"time": "s"}}):
        answer = FraudDetector.fast().fit(seconds[0], **said).predict(seconds[1])
        pd.testing.assert_frame_equal(answer, fitted.predict(test))


@pytest.mark.parametrize("unit", ["days", {"amount": "ms"}, {"time": "h"}])
def test_a_unit_that_is_none_is_refused(data, unit: object):
    with pytest.raises(ParameterError, match=r"The 'unit' of fit, .* must be one of"):
        FraudDetector.fast().fit(data[0], unit=unit)


def test_times_far_from_training_are_refused(data, fitted: FraudDetector, tmp_path: Path):
    train, test = data
    model = Model(fitted.export(tmp_path / "fraud.onnx"))
    near = train["time"].max() + pd.Timedelta(days=29 * 365)
    record = test.to_dict("records")[0]
    assert 0 <= model.predict({**record, "time": near})["fraud_probability"] <= 1
    for time in (train["time"].max() + pd.Timedelta(days=31 * 366), pd.Timestamp("1990-01-01")):
        wrong = test.assign(time=test["time"].where(test.index != 3, time))
        for ask, row in (
            (lambda wrong=wrong: fitted.predict(wrong), 3),
            (lambda wrong=wrong: model.predict(wrong), 3),
            (lambda time=time: model.predict({**record, "time": str(time)}), 0),
            (lambda time=time: model.predict({**record, "time": int(time.timestamp())}), 0),
        ):
            with pytest.raises(SchemaError, match=rf"'time', row {row}: .*a time from 20"):
                ask()


def test_a_time_that_no_model_reads_may_be_anything():
    data = CreditScorer.sample()
    times = pd.date_range("2024-01-01", periods=len(data.train), freq="h")
    scorer = CreditScorer.fast().fit(data.train.assign(time=times))
    asked = data.test.head(5)
    far = asked.assign(time="long ago")
    pd.testing.assert_frame_equal(scorer.predict(far), scorer.predict(asked))
