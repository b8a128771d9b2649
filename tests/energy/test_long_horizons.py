"""Errors over long horizons, by the protocol of the literature."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.data import Dataset, load
from industry_apps.energy import LoadForecaster
from industry_apps.energy.load import long_horizons as study


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "HORIZONS", (96,))
    monkeypatch.setattr(study, "EVERY", 97)
    monkeypatch.setattr(study, "HISTORIES", (48, 72))
    monkeypatch.setattr(study, "HISTORY", 48)


def test_history_is_chosen_before_the_test_part_is_judged() -> None:
    data = LoadForecaster.sample()
    table, choice = LoadForecaster().studies()["long_horizons_full"](data)
    rows = {row["model"]: row for row in table.records() if not row["source"]}
    assert rows["ridge"]["mse"]["value"] < rows["a day ago"]["mse"]["value"]
    tried = [row for row in choice.records() if row["model"] == "ridge"]
    best = min(tried, key=lambda row: row["validation_mse"])
    assert rows["ridge"]["history"] == best["history"]
    assert any("learned again" in name for name in rows)


@pytest.mark.real_data("energy_ett_hourly")
def test_every_window_of_the_test_part_is_judged() -> None:
    """The last value again, computed plainly: no window is left out."""
    data: Dataset = load("energy_ett_hourly")
    (table,) = LoadForecaster().studies()["long_horizons"](data)
    rows = {row["model"]: row for row in table.records() if row["protocol"] == "same"}
    wide = {
        name: getattr(data, name).pivot(index="time", columns="area", values="load")
        for name in ("train", "validation", "test")
    }
    assert [len(each) for each in wide.values()] == [8_640, 2_880, 2_880]
    mean, spread = wide["train"].mean(), wide["train"].std(ddof=0)
    test = ((wide["test"] - mean) / spread).to_numpy()
    before = ((wide["validation"] - mean) / spread).to_numpy()[-1:]
    last = np.concatenate([before, test])[: len(test) - 95]
    errors = [(test[k : len(test) - 95 + k] - last) ** 2 for k in range(96)]
    assert rows["last value"]["mse"]["value"] == pytest.approx(float(np.mean(errors)), rel=1e-4)
    assert rows["periodic"]["mse"]["value"] < rows["a week ago"]["mse"]["value"]
