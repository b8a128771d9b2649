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

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Split, split_latest
from industry_apps.errors import ParameterError, SchemaError
from industry_apps.evaluation import Report
from industry_apps.features import GraphBuilder, Latest
from industry_apps.features.signals import step_ratios
from industry_apps.finance.trading.backtesting import TradingCosts, backtest
from industry_apps.finance.trading.cross_section import (
    CrossSectionForecaster,
    CrossSectionOptions,
    SeriesModel,
    dispersion,
    walk_forward,
)
from industry_apps.finance.trading.performance_intervals import POLICY
from industry_apps.finance.trading.positions import PositionRule
from industry_apps.finance.trading.price_signals import (
    MONTH,
    QUARTER,
    PriceColumns,
    Tradable,
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
from industry_apps.limits import integer
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
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"ticker": "symbol"}``.
    model : {"trees", "linear", "network", "transformer"}
        Gradient-boosted trees or ridge regression of the signals; a temporal convolutional
        network or a patch transformer of the last 64 days.
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
        Let ``fit`` and ``evaluate`` refuse adjusted prices that still hold a split, of a whole
        number to 1, 3 to 2 or 5 to 4; an asset with one in the last quarter is not tradable.
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
    question = "Which stocks should I hold tomorrow?"
    simulator = "finance_price_simulator"
    schema = Schema(
        (
            Column("ticker", "category", role="identifier", nullable=False),
            Column("date", "datetime", role="identifier", nullable=False),
            _price("open", description="First price of the day"),
            _price("high", description="Highest price of the day"),
            _price("low", description="Lowest price of the day"),
            _price("close", description="Last price of the day"),
            _price("adjusted_close", description="Free of splits and dividends"),
            Column("volume", "number", unit="shares", low=0, role="history"),
            _position("held", required=False, description="Before the trade; else none"),
        )
    )
    outputs = Schema(
        (
            Column("expected_return", "number", "Over the horizon, beside the other stocks"),
            _position(
                "position",
                description="To trade to at the next open; negative is short",
                nullable=False,
            ),
            Column(
                "is_tradable",
                "boolean",
                "Enough prices are known; else the position is kept",
                nullable=False,
            ),
        )
    )
    traits = Traits(inputs=("number",), windows=True)
    problem = POLICY

    model: SeriesModel = "trees"
    signals: tuple[str, ...] = ()
    horizon: Annotated[int, integer(1, 63)] = 5
    refit_days: Annotated[int, integer(1)] = 63
    embargo_days: Annotated[int, integer(0)] = 5
    positions: PositionRule | None = None
    costs: TradingCosts | None = None
    trials: Annotated[int, integer(1)] = 366
    check_splits: bool = True
    trees: TreeOptions | None = None
    training: TrainingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def fast(cls) -> Self:
        """Few trees, learned once: a fit of seconds."""
        return cls(refit_days=250, trees=TreeOptions(rounds=20, num_leaves=4))

    def split(self, frame: pd.DataFrame) -> Split:
        """Split prices by time: the latest are the test.

        Parameters
        ----------
        frame : DataFrame
            Long: a row for each stock and day.
        """
        return split_latest(frame, time=self._name("date"))

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        named = self._own_schema()
        self.schema_ = named.extended(_signals_of(self.signals, train))
        options = self._options(self.model)
        self.rule_ = self.windows_ = WindowRule(
            series=self._name("ticker"),
            time=self._name("date"),
            length=max(CrossSectionForecaster(options).history, QUARTER + 1),
            together=True,
        )
        known = self._read(train)
        if validation is not None:
            known = known.joined(self._read(validation))
        self.known_ = self.history_ = known
        market = self._market(known)
        outcome = market.outcome(self.horizon)
        self.dispersion_ = dispersion(outcome)
        features = CrossSectionForecaster(options).features(known)
        for name in self.signals:
            check_look_ahead(name, known.columns[name], market, self.horizon)
        self.forecaster_ = CrossSectionForecaster(options).fit(features, outcome)
        self.split_ = {"train": market.describe()}
        # The validation part alone may be shorter than one window.
        self.check_ = train if validation is None else pd.concat([train, validation])

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        """Nothing is learned ahead: strategies are walked through the test, and learn there."""

    def _answers(self, frame: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The answers at one moment, [series]."""
        forecaster = self.forecaster_
        (forecast,) = forecaster.forecast(forecaster.seen(frame))
        adjusted = frame[self._name("adjusted_close")][:, -QUARTER - 1 :]
        returns = np.log(adjusted[:, 1:] / adjusted[:, :-1])
        position = self._rule().apply(forecast[:, None], returns, frame[self._name("held")])
        return {
            "expected_return": forecast * self.dispersion_,
            "position": position[:, 0],
            "is_tradable": ~np.isnan(forecast),
        }

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        panel = self.known_.joined(self._read(frame))
        market, first = self._market(panel), len(self.known_.times)
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

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        forecast = self.forecaster_.write(builder, inputs)
        close = self._name("adjusted_close")
        returns = step_ratios(builder, inputs, close, close, 1, QUARTER)
        scale = builder.constant(np.float32(self.dispersion_))
        return {
            "expected_return": builder.node("Mul", forecast, scale),
            "position": self._rule().write(builder, forecast, returns, inputs[self._name("held")]),
            "is_tradable": builder.node("Not", builder.node("IsNaN", forecast)),
        }

    def _facts(self) -> dict[str, Any]:
        return {"model": self.model, "horizon": self.horizon}

    def _read(self, frame: pd.DataFrame) -> Panel:
        return Panel.read(frame, self.schema_, self.rule_)

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
            needed=Tradable(prices, self.check_splits),
            trees=replace(self.trees or _TREES, seed=self.seed),
            training=replace(training, seed=self.seed),
        )

    def _prices(self) -> PriceColumns:
        return PriceColumns(*(self._name(ours) for ours in PriceColumns._fields))


def _signals_of(names: Sequence[str], train: pd.DataFrame) -> list[Column]:
    """The columns of signals, which are read in float32."""
    columns = [_signal(name) for name in names]
    for column in Schema(tuple(columns)).with_offsets(train):
        if column.offset is not None:
            raise ParameterError(
                f"The signal {column.name!r} differs in digits that float32, in which signals are "
                f"read, does not hold. Subtract {column.offset!r} from it, here and in service."
            )
    return columns
