"""Counts, amounts and risks over time: what earlier transactions say about the present one.

Counts, means and risks are those of the baseline feature transformation in chapter 3 of Le
Borgne, Siblini, Lebichot and Bontempi, *Reproducible Machine Learning for Credit Card Fraud
Detection - Practical Handbook*, Université Libre de Bruxelles, 2022,
https://fraud-detection-handbook.github.io/fraud-detection-handbook/. The standard deviation
and the run are not in the handbook; validation on its simulated data found them useful
beyond its columns. The code is our own.

One class serves training (a whole table at once) and serving (one transaction at a time),
and both forms give the same numbers, bit for bit: times are whole seconds, amounts are
summed in fixed point, and ties are broken by order of arrival.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from industry_apps.errors import ModelFileError, ParameterError, SchemaError
from industry_apps.runtime.stream.aggregates import Amounts, Positives
from industry_apps.runtime.stream.one_writer import one_writer
from industry_apps.runtime.stream.snapshots import Side, Snapshot, read_snapshot, write_snapshot
from industry_apps.runtime.stream.timelines import Ints
from industry_apps.schema import Column
from industry_apps.schema.images import one_by_one
from industry_apps.schema.time_units import TIME_UNITS
from industry_apps.schema.values import MISSING_TIME, parse_moment
from industry_apps.whole_file import whole_file

if TYPE_CHECKING:
    import pandas as pd

_DAY = 86_400  # seconds
_LARGEST_AMOUNT = 1e11


class TransactionState:
    """What is known about the entity and the place of a transaction when it happens.

    For each window of w days, and a transaction at time t, these columns are built (named
    here for the default names of the columns):

    - ``customer_count_{w}d``: transactions of the customer in (t - w, t], this one included;
    - ``customer_mean_amount_{w}d``: their mean amount, over the amounts that are known;
    - ``customer_std_amount_{w}d``: the population standard deviation of the same amounts;
    - ``terminal_count_{w}d``: transactions at the terminal in (t - delay - w, t - delay];
    - ``terminal_risk_{w}d``: the share of those found to be fraud; 0 when there are none;

    and for the longest window alone, last of all:

    - ``terminal_run``: how many of those, from the latest one back without a gap, were found
      to be fraud; 0 when the latest was not, or there are none.

    Parameters
    ----------
    entity, place, time, amount, label : str
        Names of the columns of a transaction. Only `label` may be absent from it.
    windows : sequence of int
        Lengths of the windows in days, at least 1, increasing.
    delay : int
        Days, at least 1, after which the label of a transaction is known. A label has no
        effect on any column before its delay is over, whenever it arrives.
    longest_gap : int
        Days, at least 1, that a transaction may lie behind the one before it. One further on
        is refused: a wrong date would make all that follow it late.
    unit : {"", "s", "ms", "us", "ns", "YYYYMMDD", "sheet"}
        What numbers as times are; "" and "s" are seconds since 1970.

    Attributes
    ----------
    columns : tuple of str
        Names of the columns that are built, in order.

    Notes
    -----
    Time is used in whole seconds, UTC, as in the exported model file; amounts in units of
    1/10 000 and at most 1e11 in size, so that sums are exact. Transactions of the same
    second count in order of arrival (in a table: order of rows): the later one sees the
    earlier one at its entity, not the reverse. In the run, frauds count as the later ones
    of their second, so that `confirm` need not tell which of them it was. A missing entity
    gives count 0, mean and standard deviation NaN, a missing place count 0, risk and run
    NaN, and neither leaves a trace. A missing amount counts as a transaction and is left
    out of mean and standard deviation. A missing time is an error. A label that is missing,
    or never arrives, counts as not fraud.

    The standard deviation is that of the amounts rounded to 1/100 and limited to 1e6 in
    size, and exactly 0 when these are equal. It holds as long as the squared distances of
    a window from their mean sum up to less than 1.8e15: always, for up to 1 844 amounts.

    Memory is bounded by the transactions of the longest window plus `delay`: older ones
    are dropped (before that, a key may hold up to twice as many), and entities and places
    without any are forgotten.

    One thread may write (`update`, `confirm`, `enrich`); use a lock when several do. A second
    writer is refused by a StateInUseError.

    References
    ----------
    Y.-A. Le Borgne, W. Siblini, B. Lebichot, G. Bontempi (2022). Reproducible Machine
    Learning for Credit Card Fraud Detection - Practical Handbook. Chapter 3, section 3.
    https://fraud-detection-handbook.github.io/fraud-detection-handbook/

    Examples
    --------
    >>> state = TransactionState(windows=(1, 7, 30))
    >>> record = {"customer": "C1", "terminal": "T1", "time": "2024-03-01 10:00", "amount": 8.0}
    >>> state.update(record)["customer_count_1d"]
    1.0
    >>> state.confirm(record)  # an investigator found out that it was fraud
    True
    >>> later = state.update({**record, "time": "2024-03-08 12:00", "amount": 4.0})
    >>> later["terminal_risk_1d"], later["customer_mean_amount_7d"]
    (1.0, 4.0)
    >>> later["terminal_run"], later["customer_std_amount_30d"]
    (1.0, 2.0)
    """

    def __init__(  # noqa: PLR0913 - the names of five columns, and four rules
        self,
        *,
        entity: str = "customer",
        place: str = "terminal",
        time: str = "time",
        amount: str = "amount",
        label: str = "is_fraud",
        windows: Sequence[int] = (1, 7, 30),
        delay: int = 7,
        longest_gap: int = 730,
        unit: str = "",
    ) -> None:
        days = list(windows)
        if not days or days != sorted({int(each) for each in days}) or days[0] < 1:
            raise ParameterError(
                "The 'windows' parameter of TransactionState must be increasing whole numbers "
                f"of days, at least 1. Got {windows!r} instead."
            )
        # Without a delay the label of a transaction would be among its own columns.
        for name, length in (("delay", delay), ("longest_gap", longest_gap)):
            if length < 1 or int(length) != length:
                raise ParameterError(
                    f"The {name!r} parameter of TransactionState must be whole and at least 1 "
                    f"day. Got {length!r} instead."
                )
        if unit not in ("", *TIME_UNITS):
            raise ParameterError(
                f"The 'unit' parameter of TransactionState must be one of {TIME_UNITS}. "
                f"Got {unit!r} instead."
            )
        self.longest_gap, self.unit = int(longest_gap), unit
        self.entity, self.place, self.time = entity, place, time
        self.amount, self.label = amount, label
        self.windows, self.delay = tuple(map(int, days)), int(delay)
        seconds = [each * _DAY for each in self.windows]
        self._entities = Amounts(seconds)
        self._places = Positives(seconds, self.delay * _DAY)
        self._now: int | None = None
        self._writing = Lock()
        names = "count", f"mean_{amount}", f"std_{amount}"
        self.columns = (
            *(f"{entity}_{name}_{each}d" for each in self.windows for name in names),
            *(f"{place}_{name}_{each}d" for each in self.windows for name in ("count", "risk")),
            f"{place}_run",
        )
        self._columns = {
            entity: Column(name=entity, kind="category"),
            place: Column(name=place, kind="category"),
            time: Column(name=time, kind="datetime", nullable=False, unit=unit),
            # In double precision, as sums are to be exact.
            amount: Column(
                amount, "number", low=-_LARGEST_AMOUNT, high=_LARGEST_AMOUNT, offset=0.0
            ),
            label: Column(name=label, kind="boolean"),
        }

    @property
    def settings(self) -> dict[str, Any]:
        """The parameters, fit for JSON: ``TransactionState(**settings)`` is like this, empty."""
        names = ("entity", "place", "time", "amount", "label", "delay", "longest_gap", "unit")
        return {name: getattr(self, name) for name in names} | {"windows": list(self.windows)}

    @property
    def size(self) -> int:
        """Number of events held in memory, of entities and of places together."""
        return self._entities.size + self._places.size

    @one_writer
    def update(self, transaction: Mapping[str, Any]) -> dict[str, Any]:
        """Take in one transaction and return it with its state columns.

        Parameters
        ----------
        transaction : mapping
            One record. If it holds the label, this takes effect when `delay` is over.

        Returns
        -------
        dict
            The transaction and the state columns (floats).

        Raises
        ------
        SchemaError
            When a value is unusable, or the time lies before that of an earlier
            transaction, or too far behind it; the state is then as it was.
        """
        self._check_names(transaction)
        entity = self._key(transaction, self.entity)
        place = self._key(transaction, self.place)
        amounts = self._amount(transaction[self.amount])
        positive = self._positive(transaction.get(self.label))
        now = self._second(transaction[self.time])
        if self._now is None or not 0 <= now - self._now <= self.longest_gap * _DAY:
            self._check_times(np.array([now]), np.array([now]))
        self._now = now
        values = [
            *self._entities.one(entity, now, amounts),
            *self._places.one(place, now, (positive,)),
        ]
        self._purge(now)
        return {**transaction, **dict(zip(self.columns, map(float, values), strict=True))}

    @one_writer
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

    @one_writer
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
            A new table: the same rows and index, and the state columns (float64).

        Raises
        ------
        SchemaError
            When a column is missing, a value is unusable, or a transaction lies before one
            that was taken in earlier, or too far behind the one before it; the state is then
            as it was.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"customer": ["A", "A"], "terminal": ["T", "T"],
        ...     "time": ["2024-03-01 10:00", "2024-03-01 11:00"], "amount": [2.0, 4.0]})
        >>> TransactionState().enrich(frame)["customer_mean_amount_1d"].tolist()
        [2.0, 3.0]
        """
        self._check_names(frame)
        entities = self._columns[self.entity].to_array(frame[self.entity])
        places = self._columns[self.place].to_array(frame[self.place])
        times = self._columns[self.time].to_array(frame[self.time])
        amounts, positives = self._amounts(frame[self.amount]), self._positives(frame)
        if not len(frame):
            return frame.assign(**dict.fromkeys(self.columns, np.zeros(0)))
        order = np.argsort(times, kind="stable")
        self._check_times(times, times[order])
        self._now = int(times[order[-1]])
        results = [
            *self._entities.many(entities, times, amounts, order),
            *self._places.many(places, times, positives, order),
        ]
        self._purge(self._now)
        return frame.assign(**dict(zip(self.columns, results, strict=True)))

    @one_writer
    def snapshot(self, path: str | Path) -> None:
        """Write the state to one file (``.npz``, no pickle), all of it or nothing."""
        sides = (Side(*side.events()) for side in (self._entities, self._places))
        with whole_file(Path(path)) as aside, aside.open("wb") as file:
            write_snapshot(file, Snapshot(self.settings, self._now, *sides))

    @classmethod
    def restore(cls, path: str | Path) -> TransactionState:
        """Read a state that `snapshot` wrote; it goes on as if nothing had happened.

        Raises
        ------
        ModelFileError
            When the file is missing, damaged or not a snapshot.
        """
        try:
            found = read_snapshot(Path(path))
            state = cls(**found.settings)
            state._entities.restore(*found.entities)
            state._places.restore(*found.places)
        except Exception as error:  # whatever a file can do wrong
            raise ModelFileError(
                f"{path} is not a readable snapshot of a TransactionState ({error}). Write one "
                "with TransactionState.snapshot, or start anew from a table with enrich."
            ) from error
        state._now = found.now
        return state

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_writing"}

    def __setstate__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values, _writing=Lock())

    def _check_names(self, table: Any) -> None:
        for name in (self.entity, self.place, self.time, self.amount):
            if name not in table:
                raise SchemaError(
                    f"Column {name!r} is missing. TransactionState needs the columns "
                    f"{self.entity!r}, {self.place!r}, {self.time!r} and {self.amount!r}; name "
                    "yours when you make it, for example TransactionState(entity='account')."
                )

    def _check_times(self, times: Ints, ordered: Ints) -> None:
        earliest = int(ordered[0])
        if self._now is not None and earliest < self._now:
            raise SchemaError(
                f"Column {self.time!r}, row {int(times.argmin())}: got {_written(earliest)}, "
                f"which lies before the latest transaction taken in, {_written(self._now)}. "
                "Feed transactions in order of time, or leave late ones out."
            )
        before = ordered[:1] if self._now is None else np.array([self._now])
        earlier = np.concatenate([before, ordered[:-1]])
        far = ordered - earlier > self.longest_gap * _DAY
        if far.any():
            time, last = int(ordered[far][0]), int(earlier[far][0])
            raise SchemaError(
                f"Column {self.time!r}, row {int((times == time).argmax())}: got {_written(time)}, "
                f"more than {self.longest_gap} days behind the transaction before it, "
                f"{_written(last)}. Correct the date; if it is right, set the 'longest_gap' of "
                f"the state to {-(-(time - last) // _DAY)} or more."
            )

    def _purge(self, now: int) -> None:
        self._entities.purge(now)
        self._places.purge(now)

    # One value at a time: the usual types at once, others as in a table, which words the error.

    def _key(self, transaction: Mapping[str, Any], name: str) -> str:
        value = transaction[name]
        usual = type(value) is str and value.isascii()
        return value if usual else str(self._columns[name].to_array([value])[0])

    def _second(self, value: Any) -> int:
        try:
            second = int(parse_moment(value, self.unit).astype("datetime64[s]").astype(np.int64))
        except Exception:  # noqa: BLE001 - whatever is wrong with it, its column says
            second = MISSING_TIME
        if second == MISSING_TIME:
            second = int(self._columns[self.time].to_array([value])[0])
        return second

    def _amount(self, value: Any) -> Sequence[int]:
        if type(value) in (float, int) and abs(value) <= _LARGEST_AMOUNT:
            return Amounts.values_of_one(value)
        return self._amounts(one_by_one([value]))[:, 0].tolist()

    def _positive(self, value: Any) -> int:
        if value is None or type(value) is bool:
            return int(value is True)
        return int(self._columns[self.label].to_array([value])[0] == 1)

    def _amounts(self, values: Any) -> Ints:
        """Return what is summed of amounts, [4, R]."""
        return Amounts.values_of_many(self._columns[self.amount].to_array(values))

    def _positives(self, frame: pd.DataFrame) -> Ints:
        """Return 1 where the label says so, 0 elsewhere, [1, R]."""
        if self.label not in frame:
            return np.zeros((1, len(frame)), dtype=np.int64)
        return (self._columns[self.label].to_array(frame[self.label]) == 1).astype(np.int64)[None]


def _written(seconds: int) -> str:
    return str(np.datetime64(seconds, "s"))
