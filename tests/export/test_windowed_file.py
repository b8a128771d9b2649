"""A model of windows of series, from a hand-written graph to the served file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest

from industry_apps.errors import ModelFileError, ParameterError, ParityError, SchemaError
from industry_apps.export import Exportable, export_model, write_model_file
from industry_apps.export.edges import edge_windows, real_windows
from industry_apps.features import GraphBuilder
from industry_apps.runtime import Model, Panel, WindowRule
from industry_apps.schema import Column, Schema

LENGTH = 4
KEYS = ["ticker", "date"]
SCHEMA = Schema(
    (
        Column(name="close", kind="number", role="history", low=0),
        Column(name="volume", kind="number", role="history", low=0),
        Column(name="held", kind="number", required=False),
    )
)
OUTPUTS = Schema(
    (
        Column(name="mean", kind="number", nullable=False),
        Column(name="rising", kind="boolean", nullable=False),
    )
)
TOGETHER = WindowRule(series="ticker", time="date", length=LENGTH, together=True)
ALONE = replace(TOGETHER, together=False)

pytestmark = pytest.mark.filterwarnings("ignore::industry_apps.errors.UnlikeTrainingWarning")


def table(series: int = 5, days: int = 30, seed: int = 0) -> pd.DataFrame:
    """A long table with gaps, one series that begins late and one that ends early."""
    random = np.random.default_rng(seed)
    dates = pd.date_range("2015-01-05", periods=days, freq="B").as_unit("s")
    names = [f"S{number}" for number in range(series)]
    frame = pd.DataFrame([(name, date) for name in names for date in dates], columns=KEYS)
    frame["close"] = random.uniform(0.5, 1.5, len(frame)).astype(np.float32)
    frame["volume"] = random.integers(1, 9, len(frame)).astype(np.float32)
    frame["held"] = random.uniform(-1, 1, len(frame)).astype(np.float32)
    late = (frame["ticker"] == "S0") & (frame["date"] < dates[10])
    early = (frame["ticker"] == "S1") & (frame["date"] > dates[-6])
    frame = frame[~(late | early) & (random.random(len(frame)) > 0.05)]
    frame.loc[frame["ticker"] == "S2", "volume"] = np.nan
    return frame.sample(frac=1, random_state=seed).reset_index(drop=True)


def native(feeds: dict[str, Any]) -> dict[str, Any]:
    """The mean weighted close of the window, less that of all, and whether it has grown."""
    held = np.nan_to_num(feeds["held"][:, 0])
    known = np.tanh(np.nan_to_num(feeds["close"]))
    mean = known.mean(axis=1) - known.mean() + held
    return {"mean": mean, "rising": known[:, -1] > known[:, 0]}


def graph(shift: float = 0.0) -> onnx.ModelProto:
    builder = GraphBuilder()
    close = builder.input("close", np.float32, LENGTH)
    builder.input("volume", np.float32, LENGTH)
    held = builder.input("held", np.float32)

    def known(tensor: str) -> str:
        absent, zero = builder.node("IsNaN", tensor), builder.constant(np.float32(0))
        return builder.node("Where", absent, zero, tensor)

    values = builder.node("Tanh", known(close))
    means = builder.node("ReduceMean", values, builder.constant(np.array([1])))
    of_all = builder.node("ReduceMean", values, builder.constant(np.array([0, 1])))
    mean = builder.node("Add", builder.node("Sub", means, of_all), known(held))
    mean = builder.node("Add", mean, builder.constant(np.float32(shift)))
    builder.output(mean, "mean", np.float32)
    ends = [
        builder.node("Gather", values, builder.constant(np.array([n])), attributes={"axis": 1})
        for n in (LENGTH - 1, 0)
    ]
    builder.output(builder.node("Greater", *ends), "rising", np.bool_)
    return builder.model("windows")


def exportable(rule: WindowRule = TOGETHER) -> Exportable:
    return Exportable(
        graph=graph(),
        native=native,
        schema=SCHEMA,
        outputs=OUTPUTS,
        check=table(),
        thresholds={},
        facts={"application": "tests.windows", "version": "0"},
        windows=rule,
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("windows") / "windows.onnx"
    export_model(exportable(), path)
    return path


@pytest.fixture(scope="module")
def model(path: Path) -> Model:
    return Model(path)


def wanted(frame: pd.DataFrame) -> tuple[Any, dict[str, Any]]:
    panel = Panel.read(frame, SCHEMA, TOGETHER)
    return panel.series, native(panel.feeds(len(panel.times), SCHEMA, TOGETHER))


def test_the_certificate_counts_every_series_of_every_moment(path: Path) -> None:
    certificate = export_model(exportable(), path)
    assert certificate.holds
    moments = table()["date"].nunique() - LENGTH + 1
    assert certificate.rows == 5 * moments
    assert certificate.edge_rows > 5 * 10
    assert 0 < certificate.largest_difference < 1e-6


def test_fewer_moments_are_spread_evenly() -> None:
    panel = Panel.read(table(), SCHEMA, TOGETHER)
    every = [moment.label for moment in real_windows(panel, SCHEMA, TOGETHER)]
    some = [moment.label for moment in real_windows(panel, SCHEMA, TOGETHER, most=3)]
    assert some == [every[0], every[len(every) // 2], every[-1]]
    assert [moment.label for moment in real_windows(panel, SCHEMA, TOGETHER, 1)] == every[-1:]


def test_moments_may_be_capped(tmp_path: Path) -> None:
    certificate = export_model(replace(exportable(), moments=3), tmp_path / "few.onnx")
    assert certificate.rows == 3 * 5


def test_a_history_shorter_than_the_window_proves_nothing(tmp_path: Path) -> None:
    frame = table()
    short = frame[frame["date"] < sorted(frame["date"].unique())[LENGTH - 1]]
    with pytest.raises(ParameterError, match=r"one window of 4 moments .* has 3 moments"):
        export_model(exportable(), tmp_path / "short.onnx", short)
    assert not list(tmp_path.iterdir())


def spoilt(when: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def wrong(feeds: dict[str, Any]) -> dict[str, Any]:
        answers = native(feeds)
        return {**answers, "mean": answers["mean"] + np.where(when(feeds), 0.01, 0)}

    return wrong


@pytest.mark.parametrize(
    ("when", "named"),
    [
        (lambda feeds: np.isnan(feeds["close"][:, 0]), "series 'S0', at 2015-01-08"),
        (lambda feeds: feeds["close"].min(axis=1) > 1e8, "edge case: very large"),
        (lambda feeds: len(feeds["close"]) == 1, "edge case: a single series"),
        (lambda feeds: np.ptp(feeds["close"], axis=1) == 0, "edge case: constant"),
        (
            lambda feeds: np.isnan(feeds["volume"]).all() and ~np.isnan(feeds["close"]).all(),
            "edge case: no volume",
        ),
        (lambda feeds: feeds["held"][:, 0] == np.float32(1e-30), "edge case: edge values of held"),
        (
            lambda feeds: np.isnan(feeds["close"]).all(axis=1) & ~np.isnan(feeds["close"]).all(),
            "series 'S0'",
        ),
    ],
)
def test_a_difference_is_refused_and_its_window_named(
    tmp_path: Path, when: Any, named: str
) -> None:
    with pytest.raises(ParityError, match=named):
        export_model(replace(exportable(), native=spoilt(when)), tmp_path / "wrong.onnx")
    assert not list(tmp_path.iterdir())


def test_edge_windows_stay_within_the_limits_of_their_columns() -> None:
    strict = Schema(
        (
            Column(name="close", kind="number", role="history", low=0.5, high=2),
            Column(name="open", kind="boolean", role="history"),
            Column(name="group", kind="category", categories=tuple("abcdefgh")),
        )
    )
    rows = {"close": [1.0, 1.5], "open": [True, False], "group": ["a", "b"]}
    frame = {"ticker": ["x", "y"], "date": ["2024-01-01", "2024-01-02"], **rows}
    groups = set()
    for moment in edge_windows(Panel.read(frame, strict, ALONE), strict, ALONE):
        for column in strict:
            column.to_array(moment.feeds[column.name].ravel())
        shapes = {name: values.shape for name, values in moment.feeds.items()}
        rows_ = len(moment.series)
        assert shapes == {"close": (rows_, LENGTH), "open": (rows_, LENGTH), "group": (rows_, 1)}
        assert {values.dtype.kind for values in moment.feeds.values()} == {"f", "O"}
        groups |= set(moment.feeds["group"].ravel())
    assert groups >= {*"abcdefgh", ""}


def test_the_file_says_how_windows_are_made(path: Path) -> None:
    stored = {prop.key: json.loads(prop.value) for prop in onnx.load(path).metadata_props}
    assert WindowRule.from_dict(stored["windows"]) == TOGETHER
    assert stored["reference"] == {}
    assert [column["role"] for column in stored["schema"]] == ["history", "history", "feature"]
    records = stored["self_test"]["records"]
    assert list(records[0]) == ["ticker", "date", "close", "volume", "held"]
    assert len({record["ticker"] for record in records}) == 4
    assert len({record["date"] for record in records}) == LENGTH
    assert len(stored["self_test"]["answers"]["mean"]) == 4
    assert any(record["volume"] is None for record in records)


def test_the_self_test_is_replayed(path: Path, tmp_path: Path) -> None:
    stored = {prop.key: json.loads(prop.value) for prop in onnx.load(path).metadata_props}
    with pytest.raises(ModelFileError, match=r"does not answer its self-test .* output 'mean'"):
        write_model_file(tmp_path / "shifted.onnx", graph(shift=0.01), stored)


def test_each_series_is_answered_as_of_the_last_moment(model: Model) -> None:
    frame = table(seed=3)
    series, answers = wanted(frame)
    found = model.predict(frame)
    assert found.index.name == "ticker"
    assert found.index.tolist() == series.tolist()
    np.testing.assert_allclose(found["mean"], answers["mean"], atol=1e-6)
    assert found["rising"].tolist() == answers["rising"].tolist()
    # Only the last windows count, and the last row of each series for what is no history.
    frame.loc[frame["date"] < frame["date"].max() - pd.Timedelta(days=40), "close"] += 1
    pd.testing.assert_frame_equal(model.predict(frame), found)


def test_answers_come_in_the_form_of_the_table(model: Model) -> None:
    frame = table(seed=4)
    answers = model.predict(frame)
    arrays = model.predict({name: frame[name].to_numpy() for name in frame})
    assert list(arrays) == ["ticker", "mean", "rising"]
    assert arrays["ticker"].tolist() == answers.index.tolist()
    assert arrays["mean"].tolist() == answers["mean"].tolist()
    records = model.predict(frame.to_dict("records"))
    assert [record["ticker"] for record in records] == answers.index.tolist()
    assert records[0].keys() == {"ticker", "mean", "rising"}
    arrow = pytest.importorskip("pyarrow")
    found = model.predict(arrow.Table.from_pandas(frame))
    assert found.column_names == ["ticker", "mean", "rising"]
    assert found.column("mean").to_pylist() == answers["mean"].tolist()


def test_what_is_no_history_may_be_left_out(model: Model) -> None:
    frame = table()
    without = model.predict(frame.drop(columns="held"))
    assert without.equals(model.predict(frame.assign(held=np.nan)))
    assert not without.equals(model.predict(frame))


def test_one_record_is_no_history(model: Model) -> None:
    record = {"ticker": "A", "date": "2024-01-02", "close": 1.0, "volume": 2.0}
    with pytest.raises(SchemaError, match="a history: rows of 4 moments of each 'ticker'"):
        model.predict(record)
    with pytest.raises(ParameterError, match="windows of series"):
        model.explain(record)
    with pytest.raises(SchemaError, match="no rows"):
        model.predict(table().head(0))
    assert model.predict([record])[0]["ticker"] == "A"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_is_answered_by_series(model: Model, tmp_path: Path, suffix: str) -> None:
    frame = table(seed=6).assign(note="not of the model")
    source, to = tmp_path / f"prices{suffix}", tmp_path / f"positions{suffix}"
    if suffix == ".csv":
        frame.to_csv(source, index=False)
    else:
        frame.to_parquet(source, index=False)
    answers = model.predict(frame)
    pd.testing.assert_frame_equal(model.predict(source), answers)
    assert model.predict(source, to=to) == len(answers)
    written = pd.read_csv(to) if suffix == ".csv" else pd.read_parquet(to)
    assert written.columns.tolist() == ["ticker", "mean", "rising"]
    assert written["ticker"].tolist() == answers.index.tolist()
    np.testing.assert_allclose(written["mean"], answers["mean"], rtol=1e-6)


def test_series_that_stand_alone_are_answered_in_slices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "alone.onnx"

    def by_itself(feeds: dict[str, Any]) -> dict[str, Any]:
        rows = [native({n: v[[r]] for n, v in feeds.items()}) for r in range(len(feeds["held"]))]
        return {name: np.concatenate([row[name] for row in rows]) for name in OUTPUTS.names}

    monkeypatch.setattr("industry_apps.runtime.inputs.ROWS_A_RUN", 1)
    # The mean of all is then that of one: a model that needs the others would be refused.
    assert export_model(replace(exportable(ALONE), native=by_itself), path).holds
    with pytest.raises(ParityError):
        export_model(exportable(ALONE), path)
