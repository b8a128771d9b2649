"""Counts, amounts and risks over time: what earlier transactions say about the present one.

The columns are those of the baseline feature transformation in chapter 3 of Le Borgne,
Siblini, Lebichot and Bontempi, *Reproducible Machine Learning for Credit Card Fraud
Detection - Practical Handbook*, Université Libre de Bruxelles, 2022,
https://fraud-detection-handbook.github.io/fraud-detection-handbook/. The code is our own.

One class serves training (a whole table at once) and serving (one transaction at a time),
and both forms give the same numbers, bit for bit: times are whole seconds, amounts are
summed in fixed point, and ties are broken by order of arrival.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ModelFileError, ParameterError, SchemaError
from industry_apps.runtime.timelines import Ints, Timelines
from industry_apps.schema import Column
from industry_apps.values import MISSING_TIME, parse_moment

if TYPE_CHECKING:
    import pandas as pd

_DAY = 86_400  # seconds
_SCALE = 10_000  # amounts are summed in units of 1/10 000
_LARGEST_AMOUNT = 1e11
_FORMAT = 1
_PARTS = ("counts", "times", "values")


class TransactionState:
    """What is known about the entity and the place of a transaction when it happens.

    For each window of w days, and a transaction at time t, these columns are built (named
    here for the default names of the columns):

    - ``customer_count_{w}d``: transactions of the customer in (t - w, t], this one included;
    - ``customer_mean_amount_{w}d``: their mean amount, over the amounts that are known;
    - ``terminal_count_{w}d``: transactions at the terminal in (t - delay - w, t - delay];
    - ``terminal_risk_{w}d``: the share of those found to be fraud; 0 when there are none.

    Parameters
    ----------
    entity, place, time, amount, label : str
        Names of the columns of a transaction. Only `label` may be absent from it.
    windows : sequence of int
        Lengths of the windows in days, at least 1, increasing.
    delay : int
        Days, at least 1, after which the label of a transaction is known. A label has no
        effect on any column before its delay is over, whenever it arrives.

    Attributes
    ----------
    columns : tuple of str
        Names of the columns that are built, in order.

    Notes
    -----
    Time is used in whole seconds, UTC, as in the exported model file; amounts in units of
    1/10 000 and at most 1e11 in size, so that sums are exact. Transactions of the same
    second count in order of arrival (in a table: order of rows): the later one sees the
    earlier one at its entity, not the reverse. A missing entity gives count 0 and mean NaN,
    a missing place count 0 and risk NaN, and neither leaves a trace. A missing amount
    counts as a transaction and is left out of the mean. A missing time is an error. A
    label that is missing, or never arrives, counts as not fraud.

    Memory is bounded by the transactions of the longest window plus `delay`: older ones
    are dropped (before that, a key may hold up to twice as many), and entities and places
    without any are forgotten.

    One thread may write (`update`, `confirm`, `enrich`); use a lock when several do.

    References
    ----------
    Y.-A. Le Borgne, W. Siblini, B. Lebichot, G. Bontempi (2022). Reproducible Machine
    Learning for Credit Card Fraud Detection - Practical Handbook. Chapter 3, section 3.
    https://fraud-detection-handbook.github.io/fraud-detection-handbook/

    Examples
    --------
    >>> state = TransactionState(windows=(1, 7))
    >>> record = {"customer": "C1", "terminal": "T1", "time": "2024-03-01 10:00", "amount": 8.0}
    >>> state.update(record)["customer_count_1d"]
    1.0
    >>> state.confirm(record)  # an investigator found out that it was fraud
    True
    >>> later = state.update({**record, "time": "2024-03-08 12:00", "amount": 4.0})
    >>> later["terminal_risk_1d"], later["customer_mean_amount_7d"]
    (1.0, 4.0)
    """

    def __init__(
        self,
        *,
        entity: str = "customer",
        place: str = "terminal",
        time: str = "time",
        amount: str = "amount",
        label: str = "is_fraud",
        windows: Sequence[int] = (1, 7, 30),
        delay: int = 7,
    ) -> None:
        if not windows or list(windows) != sorted(set(windows)) or windows[0] < 1:
            raise ParameterError(
                "The 'windows' parameter of TransactionState must be increasing whole numbers "
                f"of days, at least 1. Got {windows!r} instead."
            )
        if delay < 1:
            # Without a delay the label of a transaction would be among its own columns.
            raise ParameterError(
                "The 'delay' parameter of TransactionState must be at least 1 day. "
                f"Got {delay!r} instead."
            )
        self.entity, self.place, self.time = entity, place, time
        self.amount, self.label = amount, label
        self.windows, self.delay = tuple(windows), delay
        seconds = [days * _DAY for days in windows]
        self._entities = Timelines(windows=seconds, lag=0, values=2)  # amount, amount known
        self._places = Timelines(windows=seconds, lag=delay * _DAY, values=1)  # positive
        self._now: int | None = None
        self.columns = tuple(
            name.format(days)
            for count, ratio in (
                (f"{entity}_count_{{}}d", f"{entity}_mean_{amount}_{{}}d"),
                (f"{place}_count_{{}}d", f"{place}_risk_{{}}d"),
            )
            for days in self.windows
            for name in (count, ratio)
        )
        self._columns = {
            entity: Column(name=entity, kind="category"),
            place: Column(name=place, kind="category"),
            time: Column(name=time, kind="datetime", nullable=False),
            amount: Column(name=amount, kind="number", low=-_LARGEST_AMOUNT, high=_LARGEST_AMOUNT),
            label: Column(name=label, kind="boolean"),
        }

    @property
    def size(self) -> int:
        """Number of events held in memory, of entities and of places together."""
        return self._entities.size + self._places.size

    def update(self, transaction: Mapping[str, Any]) -> dict[str, Any]:
        """Take in one transaction and return it with its state columns.

        Parameters
        ----------
        transaction : mapping
            One record. If it holds the label, this takes effect when `delay` is over.

        Returns
        -------
        dict
            The transaction and the state columns (floats, exact in float32).

        Raises
        ------
        SchemaError
            When a value is unusable, or the time lies before that of an earlier
            transaction; the state is then as it was.
        """
        self._check_names(transaction)
        entity = self._key(transaction, self.entity)
        place = self._key(transaction, self.place)
        amounts = self._amount(transaction[self.amount])
        positive = self._positive(transaction.get(self.label))
        now = self._second(transaction[self.time])
        self._check_order(np.array([now]))
        self._now = now
        values: list[float] = []
        for count, total, known in self._entities.add(entity, now, amounts) if entity else ():
            values += (count, float(total) / (known * float(_SCALE)) if known else np.nan)
        values = values or [0, np.nan] * len(self.windows)
        risks: list[float] = []
        for count, positives in self._places.add(place, now, (positive,)) if place else ():
            risks += (count, positives / count if count else 0.0)
        values += risks or [0, np.nan] * len(self.windows)
        self._purge(now)
        numbers = np.array(values, dtype=np.float32).tolist()
        return {**transaction, **dict(zip(self.columns, numbers, strict=True))}

    def confirm(self, transaction: Mapping[str, Any]) -> bool:
        """Tell that an earlier transaction turned out to be fraud.

        Parameters
        ----------
        transaction : mapping
            Its place and time are enough to find it.

        Returns
        -------
        bool
            False when there is nothing to change: no transaction of this second at this
            place is held that was not confirmed already.
        """
        place = self._key(transaction, self.place)
        return self._places.mark(place, self._second(transaction[self.time]))

    def enrich(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Take in a table of transactions and return it with their state columns.

        The same as `update` for each row in order of time, but for the whole table at once;
        the state goes on from what it held, and is ready for `update` afterwards.

        Parameters
        ----------
        frame : pandas.DataFrame
            Rows in any order; those of the same second count in order of rows.

        Returns
        -------
        pandas.DataFrame
            A new table: the same rows and index, and the state columns (float32).

        Raises
        ------
        SchemaError
            When a column is missing, a value is unusable, or a transaction lies before one
            that was taken in earlier; the state is then as it was.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"customer": ["A", "A"], "terminal": ["T", "T"],
        ...     "time": ["2024-03-01 10:00", "2024-03-01 11:00"], "amount": [2.0, 4.0]})
        >>> TransactionState().enrich(frame)["customer_mean_amount_1d"].tolist()
        [2.0, 3.0]
        """
        self._check_names(frame)
        sides = [
            (self._entities, self._column(self.entity).to_array(frame[self.entity])),
            (self._places, self._column(self.place).to_array(frame[self.place])),
        ]
        times = self._column(self.time).to_array(frame[self.time])
        values = [self._amounts(frame[self.amount]), self._positives(frame)]
        if not len(frame):
            return frame.assign(**dict.fromkeys(self.columns, np.zeros(0, np.float32)))
        self._check_order(times)
        order = np.argsort(times, kind="stable")
        self._now = int(times[order[-1]])
        results: list[NDArray[np.float32]] = []
        for (side, keys), numbers in zip(sides, values, strict=True):
            results += _look_back(side, keys, times, numbers, order)
        self._purge(self._now)
        return frame.assign(**dict(zip(self.columns, results, strict=True)))

    def snapshot(self, path: str | Path) -> None:
        """Write the state to one file (``.npz``, no pickle), all of it or nothing."""
        arrays: dict[str, NDArray[Any]] = {}
        header: dict[str, Any] = {"format": _FORMAT, "now": self._now, "settings": self._settings()}
        for name, side in (("entities", self._entities), ("places", self._places)):
            header[name], *rest = side.events()
            arrays |= dict(zip((f"{name}_{part}" for part in _PARTS), rest, strict=True))
        arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
        path = Path(path)
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with aside.open("wb") as file:
                np.savez(file, **arrays)  # type: ignore[arg-type]
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)

    @classmethod
    def restore(cls, path: str | Path) -> TransactionState:
        """Read a state that `snapshot` wrote; it goes on as if nothing had happened.

        Raises
        ------
        ModelFileError
            When the file is missing, damaged or not a snapshot.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                header = json.loads(arrays["header"].tobytes())
                state = cls(**header["settings"])
                for name, side in (("entities", state._entities), ("places", state._places)):
                    side.restore(header[name], *(arrays[f"{name}_{part}"] for part in _PARTS))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise ModelFileError(
                f"{path} is not a readable snapshot of a TransactionState ({error}). Write one "
                "with TransactionState.snapshot, or start anew from a table with enrich."
            ) from error
        state._now = header["now"]
        return state

    def _settings(self) -> dict[str, Any]:
        names = ("entity", "place", "time", "amount", "label", "windows", "delay")
        return {name: getattr(self, name) for name in names}

    def _column(self, name: str) -> Column:
        return self._columns[name]

    def _check_names(self, table: Any) -> None:
        for name in (self.entity, self.place, self.time, self.amount):
            if name not in table:
                raise SchemaError(
                    f"Column {name!r} is missing. TransactionState needs the columns "
                    f"{self.entity!r}, {self.place!r}, {self.time!r} and {self.amount!r}; name "
                    "yours when you make it, for example TransactionState(entity='account')."
                )

    def _check_order(self, times: Ints) -> None:
        earliest = int(times.min())
        if self._now is not None and earliest < self._now:
            raise SchemaError(
                f"Column {self.time!r}, row {int(times.argmin())}: got {_written(earliest)}, "
                f"which lies before the latest transaction taken in, {_written(self._now)}. "
                "Feed transactions in order of time, or leave late ones out."
            )

    def _purge(self, now: int) -> None:
        self._entities.purge(now)
        self._places.purge(now)

    # One value at a time: the usual types at once, anything else as in a table, which also
    # words the error.

    def _key(self, transaction: Mapping[str, Any], name: str) -> str:
        value = transaction[name]
        return value if type(value) is str else str(self._column(name).to_array([value])[0])

    def _second(self, value: Any) -> int:
        try:
            second = int(parse_moment(value).astype("datetime64[s]").astype(np.int64))
        except (TypeError, ValueError, OverflowError):
            second = MISSING_TIME
        if second == MISSING_TIME:
            second = int(self._column(self.time).to_array([value])[0])
        return second

    def _amount(self, value: Any) -> tuple[int, int]:
        if type(value) in (float, int) and abs(value) <= _LARGEST_AMOUNT:
            return round(value * _SCALE), 1
        fixed, known = self._amounts(np.array([value], dtype=object))
        return int(fixed[0]), int(known[0])

    def _positive(self, value: Any) -> int:
        return int(self._column(self.label).to_array([value])[0] == 1) if value else 0

    def _amounts(self, values: Any) -> Ints:
        """Return amounts in fixed point, and whether they are known, [2, R]."""
        known = ~np.isnan(self._column(self.amount).to_array(values))
        exact = np.zeros(len(known))  # the check gives float32, which is not
        exact[known] = np.asarray(values[known], dtype=np.float64)
        return np.stack([np.rint(exact * _SCALE).astype(np.int64), known.astype(np.int64)])

    def _positives(self, frame: pd.DataFrame) -> Ints:
        """Return 1 where the label says so, 0 elsewhere, [1, R]."""
        if self.label not in frame:
            return np.zeros((1, len(frame)), dtype=np.int64)
        return (self._column(self.label).to_array(frame[self.label]) == 1).astype(np.int64)[None]


def _written(seconds: int) -> str:
    return str(np.datetime64(seconds, "s"))


def _look_back(
    side: Timelines, keys: NDArray[np.object_], times: Ints, values: Ints, order: Ints
) -> list[NDArray[np.float32]]:
    """Count and mean (of known amounts) or share (of positives) for each window, [R] each."""
    import pandas as pd  # the caller has it: it gave us a table

    order = order[(keys != "")[order]]
    codes, names = pd.factorize(keys[order])
    rows, found = side.add_many(names.tolist(), codes, times[order], values[:, order])
    rows = order[rows]
    results = []
    for count, total, *known in found:
        # A ratio without a divisor: 0 / 0 for means (never known), 0 / 1 for shares.
        divisor = known[0] * float(_SCALE) if known else np.maximum(count, 1)
        counts, ratios = np.zeros(len(keys), np.float32), np.full(len(keys), np.nan, np.float32)
        with np.errstate(invalid="ignore"):
            counts[rows], ratios[rows] = count, total / divisor
        results += [counts, ratios]
    return results
