"""Data sets that are computed instead of downloaded.

The one simulator here follows the public description in chapter 3, "Simulated dataset",
of Le Borgne, Siblini, Lebichot and Bontempi, *Reproducible Machine Learning for Credit
Card Fraud Detection - Practical Handbook*, Université Libre de Bruxelles, 2022,
https://fraud-detection-handbook.github.io/fraud-detection-handbook/. The code is our own;
the seeds and the order of the random draws are the handbook's, so that its tables can be
compared with ours figure by figure.
"""

from __future__ import annotations

import random
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from industry_apps.data.simulators.limits import check_at_least
from industry_apps.errors import ParameterError

__all__ = ["card_transactions"]

_DAY = 86_400  # seconds
_LARGE_AMOUNT = 220.0
_TERMINALS_PER_DAY, _TERMINAL_DAYS = 2, 28
_CUSTOMERS_PER_DAY, _CUSTOMER_DAYS = 3, 14
_SEED_STRIDE = 1_000_003  # keeps the streams of different seeds apart

_Floats = npt.NDArray[np.float64]
_Ints = npt.NDArray[np.int64]


class _Events(NamedTuple):
    """Transactions as columns: seconds since the start, customer, terminal, amount."""

    second: _Ints
    customer: _Ints
    terminal: _Ints
    amount: _Floats


def card_transactions(
    *,
    customers: int = 5_000,
    terminals: int = 10_000,
    days: int = 183,
    start: str = "2018-04-01",
    radius: float = 5.0,
    seed: int = 0,
) -> pd.DataFrame:
    """Simulate card transactions with three kinds of fraud.

    Customers and terminals lie at random in a square of side 100. A customer has a mean
    amount (uniform in 5 .. 100, standard deviation half of it) and a mean number of
    transactions a day (uniform in 0 .. 4); all take place at terminals nearer than
    `radius`. Three scenarios make a transaction fraudulent; a later one replaces the
    number of an earlier one:

    1. the amount is above 220;
    2. every day 2 terminals are compromised: all their transactions of 28 days, that day
       included, are fraudulent;
    3. every day 3 customers are compromised: of their transactions of 14 days, that day
       included, a third are fraudulent, and the amounts of these are multiplied by 5.

    As in the handbook, no terminal or customer is drawn on the last day.

    Parameters
    ----------
    customers : int, default 5000
        Number of customers, at least 3. Those without a terminal near them, and a few
        with a rate near 0, have no transactions.
    terminals : int, default 10000
        Number of terminals, at least 2.
    days : int, default 183
        Number of days, at least 1.
    start : str, default "2018-04-01"
        First day (midnight).
    radius : float, default 5.0
        Distance within which a customer pays, in units of the square of side 100.
    seed : int, default 0
        Not negative. With 0 the draws are those of the handbook.

    Returns
    -------
    pandas.DataFrame
        Sorted by time, with the columns ``transaction_id`` (int64, 0, 1, ... in order of
        time), ``time`` (datetime64[ns], whole seconds, no time zone), ``customer`` (str,
        ``"C00012"``), ``terminal`` (str, ``"T00345"``), ``amount`` (float64, in a currency
        without name, in cents precision), ``is_fraud`` (bool) and ``scenario`` (int8, 0
        for genuine, else 1, 2 or 3). ``scenario`` is for analysis only and must never be
        a feature: nobody knows it when a transaction takes place, nor later.

    Raises
    ------
    ParameterError
        When a parameter is outside its limits.

    Notes
    -----
    The defaults give the handbook's own data: 1 754 155 transactions, of which 14 681
    are frauds; 978 of them are due to scenario 1, then 9 099 more to scenario 2 and 4 604
    more to scenario 3. (NumPy's ``RandomState`` and Python's ``random.Random`` promise
    the same numbers in every version.) It takes about 10 s.

    Examples
    --------
    >>> frame = card_transactions(customers=50, terminals=100, days=30, radius=20.0)
    >>> list(frame.columns)
    ['transaction_id', 'time', 'customer', 'terminal', 'amount', 'is_fraud', 'scenario']
    >>> frame.loc[0, ["time", "customer", "terminal"]].astype(str).tolist()
    ['2018-04-01 00:07:56', 'C00002', 'T00068']
    """
    _check(customers=customers, terminals=terminals, days=days, radius=radius, seed=seed)
    base = seed * _SEED_STRIDE
    events = _genuine(customers, terminals, days=days, radius=radius, base=base)
    scenario = _compromise(events, customers, terminals, base=base)
    origin = np.datetime64(pd.Timestamp(start).normalize(), "ns")
    names_customer = np.array([f"C{i:05d}" for i in range(customers)], dtype=object)
    names_terminal = np.array([f"T{i:05d}" for i in range(terminals)], dtype=object)
    return pd.DataFrame(
        {
            "transaction_id": np.arange(events.second.size, dtype=np.int64),
            "time": origin + events.second.astype("timedelta64[s]").astype("timedelta64[ns]"),
            "customer": names_customer[events.customer],
            "terminal": names_terminal[events.terminal],
            "amount": events.amount.round(2),
            "is_fraud": scenario > 0,
            "scenario": scenario,
        }
    )


def _check(*, customers: int, terminals: int, days: int, radius: float, seed: int) -> None:
    check_at_least(
        {
            "customers": (customers, _CUSTOMERS_PER_DAY),
            "terminals": (terminals, _TERMINALS_PER_DAY),
            "days": (days, 1),
            "seed": (seed, 0),
        }
    )
    if not radius > 0:
        raise ParameterError(f"radius must be above 0, got {radius}.")


def _legacy(seed: int) -> np.random.RandomState:
    """Return the generator of the handbook, whose stream NumPy keeps for ever."""
    return np.random.RandomState(seed % 2**32)


def _genuine(customers: int, terminals: int, *, days: int, radius: float, base: int) -> _Events:
    """Draw all transactions, before any fraud, sorted by time and then by customer."""
    profile = _legacy(base).uniform([0, 0, 5, 0], [100, 100, 100, 4], size=(customers, 4))
    places = _legacy(base + 1).uniform(0, 100, size=(terminals, 2))
    parts: list[_Events] = []
    for customer, (x, y, mean, rate) in enumerate(profile.tolist()):
        distance = np.sqrt(((places - (x, y)) ** 2).sum(axis=1))
        near = np.flatnonzero(distance < radius).tolist()
        if near:
            parts.append(_one_customer(customer, mean, rate, near, days=days, base=base))
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return _Events(none, none, none, np.zeros(0))
    second, customer_of, terminal, amount = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    order = np.argsort(second, kind="stable")
    return _Events(second[order], customer_of[order], terminal[order], amount[order])


def _one_customer(
    customer: int, mean: float, rate: float, near: list[int], *, days: int, base: int
) -> _Events:
    """Draw the transactions of one customer, in the order of the handbook's draws.

    The loop cannot become array operations: whether a number is drawn depends on the
    number before it.
    """
    numbers = _legacy(base + customer)
    count, normal, uniform = numbers.poisson, numbers.standard_normal, numbers.uniform
    choose = random.Random(base + customer).choice
    seconds: list[int] = []
    chosen: list[int] = []
    amounts: list[float] = []
    for day in range(days):
        for _ in range(count(rate)):
            second = int(_DAY / 2 + 20_000 * normal())
            if 0 < second < _DAY:
                amount = mean + mean / 2 * normal()
                amounts.append(amount if amount >= 0 else uniform(0, 2 * mean))
                seconds.append(day * _DAY + second)
                chosen.append(choose(near))
    return _Events(
        np.array(seconds, dtype=np.int64),
        np.full(len(seconds), customer, dtype=np.int64),
        np.array(chosen, dtype=np.int64),
        np.array(amounts, dtype=np.float64).round(2),
    )


def _compromise(
    events: _Events, customers: int, terminals: int, *, base: int
) -> npt.NDArray[np.int8]:
    """Return the scenario of every transaction; change the amounts of scenario 3 in place."""
    day = events.second // _DAY
    last = int(day[-1]) if day.size else 0
    scenario = np.zeros(day.size, dtype=np.int8)
    scenario[events.amount > _LARGE_AMOUNT] = 1

    def rows(keys: _Ints, drawn: _Ints, first: int, length: int) -> _Ints:
        low, high = np.searchsorted(day, [first, first + length])
        found: _Ints = np.flatnonzero(np.isin(keys[low:high], drawn)) + low
        return found

    for first in range(last):
        drawn = _legacy(base + first).choice(terminals, _TERMINALS_PER_DAY, replace=False)
        scenario[rows(events.terminal, drawn, first, _TERMINAL_DAYS)] = 2
    for first in range(last):
        drawn = _legacy(base + first).choice(customers, _CUSTOMERS_PER_DAY, replace=False)
        theirs = rows(events.customer, drawn, first, _CUSTOMER_DAYS)
        picked = random.Random(base + first).sample(range(theirs.size), k=theirs.size // 3)
        events.amount[theirs[picked]] *= 5
        scenario[theirs[picked]] = 3
    return scenario
