"""Algorithmic trading: which stocks to hold tomorrow, from the daily prices of many.

Asked by a systematic desk each day after the close. The forecast is cross-sectional: which
of the stocks will do better than the others over the next days, from what is known of each
to reverse, to go on, or to pay for risk (the sources stand at the signals). Positions follow
from the forecast, the volatility of each stock, and what trading costs.

Most such strategies earn nothing after costs on data that they were not made from, and the
best of many trials looks good by luck alone (Bailey and Lopez de Prado 2014, "The deflated
Sharpe ratio", doi:10.3905/jpm.2014.40.5.094). The report says so where it is so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Dataset, Split, sample, split_latest
from industry_apps.errors import SchemaError
from industry_apps.evaluation import Report
from industry_apps.export import Exportable
from industry_apps.features import Change, GraphBuilder, Latest
from industry_apps.features.signals import step_ratios
from industry_apps.finance.trading.backtesting import TradingCosts, backtest
from industry_apps.finance.trading.cross_section import (
    CrossSectionForecaster,
    CrossSectionOptions,
    SeriesModel,
    dispersion,
    walk_forward,
)
from industry_apps.finance.trading.positions import PositionRule
from industry_apps.finance.trading.price_signals import (
    MONTH,
    QUARTER,
    PriceColumns,
    momentum,
    price_channels,
    price_signals,
)
from industry_apps.finance.trading.strategies import (
    Market,
    Traded,
    bought_and_held,
    check_look_ahead,
    equal_weights,
    judge,
    positions_of,
)
from industry_apps.limits import BOOLEAN, NAME_MAP, NAMES, Limit, instance, integer, one_of
from industry_apps.recipes import TreeOptions
from industry_apps.recipes.column_mapping import OwnNames
from industry_apps.runtime import Panel, WindowRule
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions

#: Chosen on 2013-09 to 2015-08 of the StockNet prices.
_TREES = TreeOptions(rounds=150, learning_rate=0.03, num_leaves=4, min_child_samples=1000, l2=100.0)
#: Half of the way to a new target is gone in ten days.
_PACE = 1 - 0.5**0.1

_position = partial(Column, kind="number", low=-10, high=10, unit="share of the equity")
_signal = partial(Column, kind="number", role="history", description="A signal of yours")
_price = partial(Column, kind="number", unit="currency", low=1e-6, role="history")


class TradingStrategy(OwnNames, Application):
    """What share of the equity to hold in each stock, from daily prices.

    It is asked with a long table: a row for each stock and trading day, the latest day
    being the one that has just closed. It answers for each stock the position to trade to
    at the next open. Give the positions you hold in the column ``held``, so that it does
    not trade more than it has to.

    A stock without a price on the last day, or 21 days before, keeps its position. A single
    stock is answered with the position 0: there is no other to prefer it to.

    Parameters
    ----------
    model : {"trees", "linear", "network", "transformer"}
        Gradient-boosted trees or ridge regression of the signals; a temporal convolutional
        network or a patch transformer of the last 64 days.
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"ticker": "symbol"}``.
    signals : tuple of str
        Columns of yours, numbers known at the close of their day, that the trees and the
        linear model use too.
    horizon : int
        Days that the forecast looks ahead, in [1, 63].
    refit_days : int
        Days after which the model learns again in the walk-forward evaluation, > 0.
    embargo_days : int
        Further days, beyond the horizon, that are not learned from before a test, >= 0.
    positions : PositionRule, optional
        Size of the book, its volatility, and how fast it is traded.
    costs : TradingCosts, optional
        Of the evaluation: fees, slippage, borrowing.
    trials : int
        Strategies that were tried before this one, for the deflated Sharpe ratio, > 0. By
        default those behind the defaults of this class; add yours.
    check_splits : bool
        Let ``fit`` and ``evaluate`` refuse adjusted prices that still hold a split.
    trees : TreeOptions, optional
    training : TrainingOptions, optional
    seed : int

    Examples
    --------
    >>> from industry_apps.finance import TradingStrategy
    >>> data = TradingStrategy.sample()
    >>> strategy = TradingStrategy.fast().fit(data)
    >>> list(strategy.predict(data.test).columns)
    ['expected_return', 'position', 'is_tradable']
    """

    name = "finance.algorithmic_trading"
    schema = Schema(
        (
            Column(name="ticker", kind="category", role="identifier", nullable=False),
            Column(name="date", kind="datetime", role="identifier", nullable=False),
            _price(name="open", description="First price of the day"),
            _price(name="high", description="Highest price of the day"),
            _price(name="low", description="Lowest price of the day"),
            _price(name="close", description="Last price of the day"),
            _price(name="adjusted_close", description="Free of splits and dividends"),
            Column(name="volume", kind="number", unit="shares", low=0, role="history"),
            _position(name="held", required=False, description="Before the trade; else none"),
        )
    )
    outputs = Schema(
        (
            Column(
                name="expected_return",
                kind="number",
                description="Over the horizon, above or below the other stocks",
            ),
            _position(
                name="position",
                nullable=False,
                description="To trade to at the next open; negative is short",
            ),
            Column(
                name="is_tradable",
                kind="boolean",
                nullable=False,
                description="Enough prices are known; else the position is kept",
            ),
        )
    )
    traits = Traits(task="policy", inputs=("number",), windows=True)
    limits: ClassVar[Mapping[str, Limit]] = {
        "model": one_of(get_args(SeriesModel)),
        "columns": NAME_MAP.or_none(),
        "signals": NAMES,
        "horizon": integer(1, 63),
        "refit_days": integer(1),
        "embargo_days": integer(0),
        "positions": instance(PositionRule).or_none(),
        "costs": instance(TradingCosts).or_none(),
        "trials": integer(1),
        "check_splits": BOOLEAN,
        "trees": instance(TreeOptions).or_none(),
        "training": instance(TrainingOptions).or_none(),
        "seed": integer(0),
    }

    def __init__(  # noqa: PLR0913 - each is one decision of the desk
        self,
        *,
        model: SeriesModel = "trees",
        columns: Mapping[str, str] | None = None,
        signals: tuple[str, ...] = (),
        horizon: int = 5,
        refit_days: int = 63,
        embargo_days: int = 5,
        positions: PositionRule | None = None,
        costs: TradingCosts | None = None,
        trials: int = 366,
        check_splits: bool = True,
        trees: TreeOptions | None = None,
        training: TrainingOptions | None = None,
        seed: int = 0,
    ) -> None:
        self.model = model
        self.columns = columns
        self.signals = signals
        self.horizon = horizon
        self.refit_days = refit_days
        self.embargo_days = embargo_days
        self.positions = positions
        self.costs = costs
        self.trials = trials
        self.check_splits = check_splits
        self.trees = trees
        self.training = training
        self.seed = seed

    @classmethod
    def sample(cls) -> Dataset:
        """Simulated prices of some stocks, with no network."""
        return sample("finance_price_simulator")

    @classmethod
    def fast(cls) -> Self:
        """Few trees, learned once: a fit of seconds."""
        return cls(refit_days=250, trees=TreeOptions(rounds=20, num_leaves=4))

    def split(self, prices: pd.DataFrame) -> Split:
        """Split prices by time: the latest are the test.

        Parameters
        ----------
        prices : DataFrame
            Long: a row for each stock and day.
        """
        return split_latest(prices, time=self._name("date"))

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        named = self._own_schema()
        self.schema_ = named.extended([_signal(name=name) for name in self.signals])
        options = self._options(self.model)
        self.windows_ = WindowRule(
            series=self._name("ticker"),
            time=self._name("date"),
            length=max(CrossSectionForecaster(options).history, QUARTER + 1),
            together=True,
        )
        self.history_ = self._read(train)
        if validation is not None:
            self.history_ = self.history_.joined(self._read(validation))
        market = self._market(self.history_)
        outcome = market.outcome(self.horizon)
        self.dispersion_ = dispersion(outcome)
        features = CrossSectionForecaster(options).features(self.history_)
        for name in self.signals:
            check_look_ahead(name, self.history_.columns[name], market, self.horizon)
        self.forecaster_ = CrossSectionForecaster(options).fit(features, outcome)
        self.split_ = {"train": market.describe()}
        # The validation part alone may be shorter than one window.
        self.check_ = train if validation is None else pd.concat([train, validation])

    def _index(self, frame: pd.DataFrame) -> pd.Index:
        return pd.Index(self._read(frame).series, name=self.windows_.series)

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        panel = self._read(frame)
        return self._decided(panel.feeds(len(panel.times), self.schema_, self.windows_))

    def _decided(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The answers at one moment, [series]."""
        forecaster = self.forecaster_
        (forecast,) = forecaster.forecast(forecaster.seen(feeds))
        adjusted = feeds[self._name("adjusted_close")][:, -QUARTER - 1 :]
        returns = np.log(adjusted[:, 1:] / adjusted[:, :-1])
        position = self._rule().apply(forecast[:, None], returns, feeds[self._name("held")])
        return {
            "expected_return": forecast * self.dispersion_,
            "position": position[:, 0],
            "is_tradable": ~np.isnan(forecast),
        }

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        panel = self.history_.joined(self._read(frame))
        market, first = self._market(panel), len(self.history_.times)
        if len(panel.times) - first < MONTH:
            raise SchemaError(
                f"{len(panel.times) - first} days tell nothing of a strategy. Give {MONTH} or more."
            )
        outcome, traded = market.outcome(self.horizon), market.since(first)
        costs = self.costs or TradingCosts()

        def traded_by(forecast: NDArray[np.float64]) -> Traded:
            positions = positions_of(self._rule(), forecast, market, window=QUARTER)
            return Traded(
                test=backtest(positions, traded.opens, traded.closes, costs), forecast=forecast
            )

        def walked(model: SeriesModel) -> Traded:
            options = self._options(model)
            features = CrossSectionForecaster(options).features(panel)

            def fit(known: slice) -> Callable[[slice], NDArray[np.float64]]:
                forecaster = CrossSectionForecaster(options)
                forecaster.fit(features.of(known), outcome[known])
                return lambda asked: forecaster.forecast(features.of(asked))

            return traded_by(
                walk_forward(
                    fit,
                    first=first,
                    last=len(outcome),
                    every=self.refit_days,
                    embargo=self.horizon + 1 + self.embargo_days,
                )
            )

        equal = backtest(equal_weights(traded), traded.opens, traded.closes, costs)
        signals = CrossSectionForecaster(self._options("linear"))
        past_winners = signals.signal(panel, momentum(self._prices()))
        others = {
            "equal_weight": Traded(test=equal),
            "buy_and_hold": Traded(test=bought_and_held(traded, costs)),
            "momentum_12_1": traded_by(past_winners[first:]),
            "linear": walked("linear"),
        }
        return judge(
            walked(self.model),
            others,
            traded,
            horizon=self.horizon,
            trials=self.trials,
            model=self.model,
            split={**self.split_, "test": traded.describe()},
        )

    def _exportable(self) -> Exportable:
        builder = GraphBuilder()
        inputs = builder.inputs(self.schema_.inputs(), length=self.windows_.length)
        forecast = self.forecaster_.write(builder, inputs)
        expected = builder.node("Mul", forecast, builder.constant(np.float32(self.dispersion_)))
        close = self._name("adjusted_close")
        returns = step_ratios(builder, inputs, close, close, 1, QUARTER)
        position = self._rule().write(builder, forecast, returns, inputs[self._name("held")])
        unknown = builder.node("IsNaN", forecast)
        builder.output(expected, "expected_return", np.float32)
        builder.output(position, "position", np.float32)
        builder.output(builder.node("Not", unknown), "is_tradable", np.bool_)
        return Exportable(
            graph=builder.model(self.name),
            native=self._decided,
            schema=self.schema_,
            outputs=self.outputs,
            check=self.check_,
            thresholds={},
            facts={"model": self.model, "horizon": self.horizon, "split": self.split_},
            windows=self.windows_,
            history=self.history_,
        )

    def _read(self, frame: pd.DataFrame) -> Panel:
        return Panel.read(frame, self.schema_, self.windows_)

    def _market(self, panel: Panel) -> Market:
        market = Market.of(panel, self._prices())
        if self.check_splits:
            market.check_splits(panel.series)
        return market

    def _rule(self) -> PositionRule:
        return self.positions or PositionRule(pace=_PACE)

    def _options(self, model: SeriesModel) -> CrossSectionOptions:
        prices = self._prices()
        training = self.training or TrainingOptions(max_epochs=5, batch_size=1024)
        return CrossSectionOptions(
            model=model,
            signals=(*price_signals(prices), *map(Latest, self.signals)),
            channels=price_channels(prices),
            needed=Change(prices.adjusted_close, MONTH),
            trees=replace(self.trees or _TREES, seed=self.seed),
            training=replace(training, seed=self.seed),
        )

    def _prices(self) -> PriceColumns:
        return PriceColumns(*(self._name(ours) for ours in PriceColumns._fields))
