"""What the errors of applications of retail advise, done."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from industry_apps.recipes import TreeOptions
from industry_apps.retail import DemandForecaster, Recommender
from tests.remedies import check_remedy
from tests.retail.test_demand_calendars import table

DAYS = table(pd.date_range("2022-01-01", periods=80, freq="D")).assign(price=2.0)
TREES = TreeOptions(rounds=5, num_leaves=4, learning_rate=0.3)


EVERY_THIRD = table(pd.date_range("2021-01-01", periods=200, freq="3D"))
UNEVEN = table(pd.date_range("2022-01-01", periods=200, freq="D")[[*range(0, 200, 2), 101]])


def resampled(frame: pd.DataFrame, step: str) -> Any:
    return frame.set_index("time").groupby("series")["quantity"].resample(step)


def forecast(frame: pd.DataFrame, **parameters: Any) -> DemandForecaster:
    usual = {"horizon": 4, "trees": TREES, "baselines": ()}
    return DemandForecaster(**{**usual, **parameters}).fit(frame)


def answered(asked: pd.DataFrame, **parameters: Any) -> pd.DataFrame:
    return forecast(DAYS, **parameters).predict(asked)


def future(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with rows of the next steps, of which the price is known."""
    last = frame[frame["time"] == frame["time"].max()]
    rows = [
        last.assign(time=last["time"] + pd.Timedelta(days=n), quantity=float("nan"))
        for n in range(1, 5)
    ]
    return pd.concat([frame, *rows])


CASES = [
    (
        "Give a longer history",
        lambda: DemandForecaster(horizon=30).split(DAYS),
        lambda: DemandForecaster(horizon=30).split(
            table(pd.date_range("2022-01-01", periods=200, freq="D"))
        ),
    ),
    (
        "or choose a shorter horizon",
        lambda: DemandForecaster(horizon=30).split(DAYS),
        lambda: DemandForecaster(horizon=4).split(DAYS),
    ),
    (
        "Where some lie one apart, name it, as in step='day'",
        lambda: forecast(UNEVEN),
        lambda: forecast(UNEVEN, step="day"),
    ),
    (
        "add the rows between them with nothing known, or sum up to longer steps",
        lambda: forecast(EVERY_THIRD),
        lambda: [
            forecast(resampled(EVERY_THIRD, "D").asfreq().reset_index()),
            forecast(resampled(EVERY_THIRD, "W").sum().reset_index()),
        ],
    ),
    (
        "Keep the one that is right.",
        lambda: answered(pd.concat([DAYS, DAYS.head(1)])),
        lambda: answered(pd.concat([DAYS, DAYS.head(1)]).drop_duplicates(["series", "time"])),
    ),
    (
        "Name it once: as known, if its future is known too.",
        lambda: forecast(DAYS, known=("price",), past=("price",)),
        lambda: forecast(DAYS, known=("price",)),
    ),
    (
        "Did you mean 'price'?",
        lambda: forecast(DAYS, known=("prise",)),
        lambda: forecast(DAYS, known=("price",)),
    ),
    (
        "Add rows of the future",
        lambda: answered(DAYS, known=("price",)),
        lambda: answered(future(DAYS), known=("price",)),
    ),
    (
        "Give more interactions.",
        lambda: Recommender.fast().fit(Recommender.sample().train.head(1)),
        lambda: Recommender.fast().fit(Recommender.sample().train),
    ),
]


@pytest.mark.parametrize(("says", "wrong", "mended"), CASES, ids=[case[0] for case in CASES])
def test_what_an_error_advises_works(says: str, wrong: Any, mended: Any) -> None:
    check_remedy(says, wrong, mended)
