"""Ratios of speed of models of windows of series, which answer all series of a moment at once."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from industry_apps.application import Application
from industry_apps.benchmark.speed import Measure, alternating, bare_session, threads, unmarked
from industry_apps.data import Dataset, Split
from industry_apps.finance.trading.backtesting import TradingCosts, backtest
from industry_apps.runtime import Model, Panel, WindowRule
from industry_apps.runtime.series.forecasts import asked_at, last_window
from industry_apps.runtime.series.windows import run_windows

#: Calls for one moment before it is the turn of the next.
_BLOCK = 5
#: Calls of a forecast, at least.
_FEWEST = 5
#: The back-test whose time is published: assets, and trading days of ten years.
_ASSETS, _DAYS = 500, 2520


def one_moment(
    application: Application, path: Path, table: pd.DataFrame, *, repetitions: int = 200
) -> list[Measure]:
    """Compare one moment through the file with the training path and with a bare session.

    File and training path are given the long table of one window, of all series; the bare
    session is given arrays that are ready.

    Parameters
    ----------
    application : Application
        Fitted, of windows.
    path : Path
        Its exported file.
    table : DataFrame
        Long; its last window is used.
    repetitions : int
        Alternating calls of each.
    """
    model = Model(path, threads=threads())
    session, rule = bare_session(path), model.windows
    assert rule is not None  # an application of windows writes it into its file
    panel = last_window(Panel.read(unmarked(table), model.schema, rule), model.schema, rule)
    window = panel.to_frame(rule)
    feeds = panel.feeds(asked_at(panel, model.schema, rule), model.schema, rule)
    names = model.outputs.names
    seconds = alternating(
        {
            "training": lambda: application.predict(window),
            "file": lambda: model.predict(window),
            "bare": lambda: session.run(names, feeds),
        },
        _fewer(repetitions, rule),
        _BLOCK,
    )
    training, file, bare = (median(times) for times in seconds.values())
    return [
        Measure(name="one_record_vs_training_path", value=training / file),
        Measure(name="one_record_vs_bare_session", value=file / bare),
        Measure(name="one_record", value=1e3 * file, unit="ms"),
        Measure(name="one_record_bare_session", value=1e3 * bare, unit="ms"),
    ]


def many_moments(
    application: Application, path: Path, table: pd.DataFrame, *, count: int, repeats: int = 3
) -> list[Measure]:
    """Compare many moments in a row through the file with the trained model.

    Both answer from a history that is laid out already, as in a test on past data.

    Parameters
    ----------
    application : Application
        Fitted, of windows.
    path : Path
        Its exported file.
    table : DataFrame
        Long; its last moments are used.
    count : int
        Moments, at most.
    repeats : int
        Alternating runs of each; the best counts.
    """
    model = Model(path)
    session, schema, rule = bare_session(path), model.schema, model.windows
    assert rule is not None  # an application of windows writes it into its file
    panel, names = Panel.read(unmarked(table), schema, rule), model.outputs.names
    stops = range(len(panel.times) - rule.horizon, 0, -1)[: _fewer(count, rule)]
    native = application._exportable().native
    seconds = alternating(
        {
            "training": lambda: [native(panel.feeds(stop, schema, rule)) for stop in stops],
            "file": lambda: [
                run_windows(session, names, panel.feeds(stop, schema, rule), schema, rule)
                for stop in stops
            ],
        },
        repeats,
    )
    training, file = (min(times) for times in seconds.values())
    return [
        Measure(name="batch_vs_training_path", value=training / file),
        Measure(name="batch_of_1000", value=1e6 * file / len(stops), unit="ms"),
    ]


def backtest_time(assets: int = _ASSETS, days: int = _DAYS, *, repeats: int = 3) -> Measure:
    """Time the back-test of random positions at random prices, all costs on.

    Parameters
    ----------
    assets, days : int
        Each > 0.
    repeats : int
        Calls, after one that is not timed.
    """
    draw = np.random.default_rng(0)
    closes = 100 * np.exp(draw.normal(0, 0.01, (days, assets)).cumsum(axis=0))
    opens = closes * np.exp(draw.normal(0, 0.005, (days, assets)))
    positions = draw.normal(0, 1 / assets, (days, assets))
    costs = TradingCosts(fee_bp=5.0, slippage_bp=2.0, borrow_rate=0.01)
    seconds = alternating({"call": lambda: backtest(positions, opens, closes, costs)}, repeats)
    return Measure(
        name="backtest_500x10y", value=median(seconds["call"]), unit="s", target=1, at_least=False
    )


def _fewer(count: int, rule: WindowRule) -> int:
    """A forecast answers all steps of its horizon in one call: as many steps, not calls."""
    return max(count // rule.horizon, _FEWEST) if rule.horizon else count


def history(data: Dataset | Split) -> pd.DataFrame:
    """All parts of the data as one long table: the first moments of a test need what was before.

    Parameters
    ----------
    data : Dataset or Split
    """
    parts = (data.train, data.validation, data.test)
    return pd.concat([unmarked(part) for part in parts if len(part)], ignore_index=True)
