"""Simulated prices and small strategies that tests of trading share."""

from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

from industry_apps.data.simulators import daily_prices
from industry_apps.finance import TradingStrategy, algorithmic_trading
from industry_apps.finance.trading.cross_section import CrossSectionForecaster
from industry_apps.recipes import TreeOptions
from industry_apps.training import TrainingOptions

QUICK = TreeOptions(rounds=10, num_leaves=4, min_child_samples=20)
SHORT = TrainingOptions(max_epochs=1, batch_size=512, progress=False)
#: The first day that is tested, and the days after which is learned again.
FIRST, EVERY = 250, 25

#: SIM010 is delisted on day 200, SIM011 listed on day 100.
PRICES = daily_prices(assets=12, days=300, momentum=0.05, seed=1)
DAYS = np.sort(PRICES["date"].unique())
COLUMNS = ["open", "high", "low", "close", "adjusted_close", "volume"]


def quick(**parameters: Any) -> TradingStrategy:
    given = {"trees": QUICK, "training": SHORT, "refit_days": EVERY, **parameters}
    return TradingStrategy(**given)


def before(day: int, prices: pd.DataFrame = PRICES) -> pd.DataFrame:
    return prices[prices["date"] < DAYS[day]].reset_index(drop=True)


def since(day: int, prices: pd.DataFrame = PRICES) -> pd.DataFrame:
    return prices[prices["date"] >= DAYS[day]].reset_index(drop=True)


class Seen:
    """What an evaluation does on its way to the report: models, forecasts and positions."""

    def __init__(self, strategy: TradingStrategy, prices: pd.DataFrame) -> None:
        self.models: list[Any] = []
        self.positions: list[Any] = []
        self.forecasts: list[Any] = []
        self.weights: list[Any] = []
        seen, fit = self, CrossSectionForecaster.fit
        positions_of = algorithmic_trading.positions_of

        def fit_seen(forecaster: Any, features: Any, outcome: Any) -> Any:
            found = fit(forecaster, features, outcome)._model
            trees = hasattr(found, "_booster")
            seen.models.append(found._booster.model_to_string() if trees else found._weights)
            return forecaster

        def positions_seen(*given: Any, **named: Any) -> Any:
            seen.positions.append(positions_of(*given, **named))
            return seen.positions[-1]

        def judge_seen(ours: Any, others: Any, *_: Any, **__: Any) -> None:
            traded = [ours, *(others[name] for name in sorted(others))]
            seen.forecasts = [each.forecast for each in traded if each.forecast is not None]
            seen.weights = [each.test.weights for each in traded]

        with (
            mock.patch.object(CrossSectionForecaster, "fit", fit_seen),
            mock.patch.object(algorithmic_trading, "positions_of", positions_seen),
            mock.patch.object(algorithmic_trading, "judge", judge_seen),
        ):
            strategy._evaluate(prices)
