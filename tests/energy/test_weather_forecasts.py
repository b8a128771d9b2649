"""Forecasts of the weather as they were issued: what is read of them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from industry_apps.energy import LoadForecaster
from industry_apps.errors import ParameterError, SchemaError
from industry_apps.recipes import LearningOptions
from industry_apps.runtime import Model

AREAS = ("A", "B")
DAY = pd.Timedelta(days=1)


def measured(days: int) -> pd.DataFrame:
    """Hours of two areas: the load follows the temperature, which wanders."""
    rng = np.random.default_rng(0)
    times = pd.date_range("2024-01-01", periods=24 * days, freq="h")
    parts = []
    for area in AREAS:
        wander = np.repeat(np.cumsum(rng.normal(0, 3, days)), 24)
        temperature = wander + 5 * np.sin(2 * np.pi * times.hour.to_numpy() / 24)
        load = 100 + 4 * temperature + rng.normal(0, 1, len(times))
        parts.append(
            pd.DataFrame({"area": area, "time": times, "load": load, "temperature": temperature})
        )
    return pd.concat(parts, ignore_index=True)


def issued_for(table: pd.DataFrame, spread: float, seed: int = 1) -> pd.DataFrame:
    """For each day a forecast at its beginning, and a worse one a day before."""
    rng = np.random.default_rng(seed)
    parts = []
    for days_before in (0, 1):
        rows = table[["area", "time", "temperature"]].copy()
        rows["issued"] = rows["time"].dt.normalize() - days_before * DAY
        off = rng.normal(0, spread * (1 + days_before), len(rows))
        parts.append(rows.assign(temperature=rows["temperature"] + off))
    return pd.concat(parts, ignore_index=True)


def both(table: pd.DataFrame, spread: float = 1.0) -> pd.DataFrame:
    return pd.concat([table.assign(issued=pd.NaT), issued_for(table, spread)], ignore_index=True)


def small(**parameters: object) -> LoadForecaster:
    chosen = {"forecasts": ("temperature",), "known": ("temperature",), **parameters}
    learning = LearningOptions(origins=60, held_out=10)
    return LoadForecaster(
        model="ridge", horizon=24, history=72, baselines=(), learning=learning, **chosen
    )


def asked(days: int = 90, spread: float = 1.0) -> pd.DataFrame:
    """A table whose last day has forecasts alone."""
    table = measured(days)
    end = table["time"].max().normalize()
    told = both(table, spread)
    return told[(told["time"] < end) | told["issued"].notna()].reset_index(drop=True)


@pytest.fixture(scope="module")
def fitted() -> LoadForecaster:
    return small().fit(both(measured(90)))


def test_the_latest_forecast_that_was_out_is_read(fitted: LoadForecaster):
    table = asked()
    latest = fitted.predict(table)["load_p50"]
    pd.testing.assert_series_equal(
        latest, fitted.predict(table.sample(frac=1, random_state=0))["load_p50"]
    )
    older = table["issued"].notna() & (table["issued"] < table["time"].dt.normalize())
    moved = table.copy()
    moved.loc[older, "temperature"] += 50
    # Of the past what was measured is read, of the day ahead the forecast of its beginning.
    pd.testing.assert_series_equal(latest, fitted.predict(moved)["load_p50"])
    without = table[older | table["issued"].isna()]
    assert not np.allclose(latest, fitted.predict(without)["load_p50"])


def test_a_forecast_issued_later_is_not_read(fitted: LoadForecaster):
    table = asked()
    end = table.loc[table["issued"].isna(), "time"].max() + pd.Timedelta(hours=1)
    later = table[(table["time"] >= end + pd.Timedelta(hours=6)) & (table["issued"] == end)]
    later = later.assign(issued=end + pd.Timedelta(hours=1), temperature=99.0)
    told = pd.concat([table, later], ignore_index=True)
    pd.testing.assert_frame_equal(fitted.predict(table), fitted.predict(told))


def test_a_model_of_forecasts_trusts_them_less_than_measurements():
    """Of bad forecasts it learns to make little; one of measurements follows them all the way."""
    table = measured(90)
    ask = asked(spread=8.0)
    of_forecasts = small().fit(both(table, 8.0)).predict(ask)["load_p50"]
    taken = ask.copy()
    end = taken.loc[taken["issued"].isna(), "time"].max()
    last = (taken["time"] > end) & (taken["issued"] == taken["time"].dt.normalize())
    as_known = taken[taken["issued"].isna() | last].drop(columns="issued")
    of_measured = small(forecasts=()).fit(table).predict(as_known)["load_p50"]
    came = table[table["time"] > end].set_index(["area", "time"])["load"]
    error = {
        name: (found - came.reindex(found.index)).abs().mean()
        for name, found in (("forecasts", of_forecasts), ("measured", of_measured))
    }
    assert error["forecasts"] < 0.8 * error["measured"]


def test_the_file_reads_forecasts_as_the_model_does(fitted: LoadForecaster, tmp_path: Path):
    model = Model(fitted.export(tmp_path / "load.onnx"))
    table = asked()
    ours, theirs = fitted.predict(table), model.predict(table)
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False, rtol=1e-4, atol=1e-3)


def test_origins_of_a_later_part_have_their_own_forecasts():
    table = both(measured(90))
    split = table["time"] < pd.Timestamp("2024-03-20")
    fitted = small().fit(table[split].reset_index(drop=True))
    report = fitted.evaluate(table[~split].reset_index(drop=True))
    assert report.metrics["mase"].value < 0.8
    fewer = table[~split & ~((table["time"].dt.day == 25) & table["issued"].notna())]
    with pytest.raises(SchemaError, match=r"at the origin 2024-03-25T00:00:00 no forecast was out"):
        fitted.evaluate(fewer.reset_index(drop=True))


def test_an_origin_without_a_forecast_is_refused_by_name(fitted: LoadForecaster):
    table = both(measured(90))
    gap = (table["area"] == "B") & (table["time"] == pd.Timestamp("2024-03-10T07:00:00"))
    with pytest.raises(
        SchemaError,
        match=r"'temperature': at the origin 2024-03-10T00:00:00 .* 'B' at 2024-03-10T07:00:00, "
        r"step 8 of 24",
    ):
        small().fit(table[~(gap & table["issued"].notna())])
    ask = asked()
    ahead = ask["time"] == ask["time"].max()
    with pytest.raises(SchemaError, match=r"no value of it issued by 2024-03-30T00:00:00 at"):
        fitted.predict(ask[~ahead])


def test_what_was_measured_later_is_not_taken_for_a_forecast(fitted: LoadForecaster):
    ask = asked()
    ahead = ask["time"] == ask["time"].max()
    wrong = ask.copy()
    wrong.loc[ahead, "issued"] = pd.NaT
    wrong = wrong.drop_duplicates(["area", "time", "issued"])
    with pytest.raises(SchemaError, match=r"behind the history, without a moment of issue"):
        fitted.predict(wrong)


def test_rows_of_forecasts_are_checked():
    table = both(measured(30))
    row = int(table["issued"].first_valid_index())
    late = table.copy()
    late.loc[row, "issued"] = late.loc[row, "time"] + pd.Timedelta(hours=2)
    with pytest.raises(SchemaError, match=r"'issued', row 1440 .* expected a moment at or before"):
        small().fit(late)
    filled = table.copy()
    filled.loc[row, "load"] = 1.0
    with pytest.raises(SchemaError, match=r"'load', row 1440: got .* with a moment of issue"):
        small().fit(filled)
    with pytest.raises(SchemaError, match=r"two forecasts of 2024-01-01T00:00:00 issued at"):
        small().fit(pd.concat([table, table.loc[[row]]], ignore_index=True))
    with pytest.raises(SchemaError, match=r"every row has a moment of issue"):
        small().fit(table[table["issued"].notna()].drop(columns="load").assign(load=np.nan))
    with pytest.raises(ParameterError, match=r"'forecasts' .* columns of 'known'"):
        small(known=()).fit(table)
