"""Splits that let nothing leak.

Known entities: nobody needs a model to find a customer already known to be defrauded. As in
`get_train_test_set` of Le Borgne, Siblini, Lebichot and Bontempi, *Reproducible Machine
Learning for Credit Card Fraud Detection - Practical Handbook*, Université Libre de Bruxelles,
2022, chapter 3 (https://fraud-detection-handbook.github.io/fraud-detection-handbook/), a test
day leaves out the entities with a positive in the training period or after it, up to the day
before the one that lies the delay before the test day.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from industry_apps.data.leakage import check_told, moments_of, refuse_random
from industry_apps.errors import LeakageError, ParameterError, SchemaError, require

if TYPE_CHECKING:
    import pandas as pd

Period = tuple[str, str]

_FEWEST_ROWS = 5


class Split(NamedTuple):
    """Three tables of the same columns.

    Parameters
    ----------
    train, validation, test : pandas.DataFrame
        The same columns.
    """

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame


def split_by_time(
    frame: pd.DataFrame,
    *,
    time: str,
    train: Period,
    validation: Period,
    test: Period,
    delay: int = 0,
    known: tuple[str, str] | None = None,
) -> Split:
    """Split by periods of time, with the delay after which labels are known.

    Parameters
    ----------
    frame : pandas.DataFrame
    time : str
        A column of datetimes, or of texts in ISO 8601.
    train, validation, test : (str, str)
        First moment of the period, and first moment after it (ISO 8601).
    delay : int
        Days after which a label is known: training and validation must end at least so
        long before the test begins. The validation may lie before the training period.
    known : (entity, target), optional
        Names of two columns. Entities whose positives are known by then are left out of the
        test (and of the validation, as if it were a test): see the notes of the module.

    Raises
    ------
    SchemaError
        When a period holds no row.
    LeakageError
        When the periods overlap or do not respect the delay.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=30)})
    >>> split = split_by_time(days, time="time", train=("2024-01-08", "2024-01-15"),
    ...     validation=("2024-01-01", "2024-01-08"), test=("2024-01-22", "2024-01-29"), delay=7)
    >>> [len(part) for part in split]
    [7, 7, 7]
    """
    periods = {"train": train, "validation": validation, "test": test}
    starts, ends = _limits(periods)
    _check_periods(starts, ends, delay=delay)
    moments = moments_of(frame, time)
    parts = {
        name: frame[(moments >= starts[name]) & (moments < ends[name])].reset_index(drop=True)
        for name in periods
    }
    _check_rows(parts, periods, moments)
    if known:
        length = ends["train"] - starts["train"]
        for name in ("validation", "test"):
            dated = [part.assign(**{time: moments_of(part, time)}) for part in (parts[name], frame)]
            parts[name] = _without_known(*dated, time=time, known=known, delay=delay, length=length)
    return Split(**parts)


def split_latest(
    frame: pd.DataFrame,
    *,
    time: str,
    delay: int = 0,
    validation: float = 0.2,
    test: float = 0.2,
) -> Split:
    """Split a table by time into shares: the latest rows are the test.

    Parameters
    ----------
    frame : pandas.DataFrame
    time : str
        A column of datetimes, or of texts in ISO 8601.
    delay : int
        Days after which a label is known; rows this close before the validation and
        before the test are left out.
    validation, test : float
        Shares of the rows, each in (0, 1), together below 1.

    Raises
    ------
    SchemaError
        When the delay leaves a part empty.
    """
    import pandas as pd

    _check_shares(validation, test)
    check_told(frame, [time])
    _check_enough(frame)
    moments, gap = moments_of(frame, time).sort_values(), pd.Timedelta(days=delay)
    begin_test = moments.iloc[round(len(frame) * (1 - test))]
    begin = moments.iloc[round(len(frame) * (1 - test - validation))] - gap
    end = moments.iloc[-1] + pd.Timedelta(seconds=1)
    return split_by_time(
        frame,
        time=time,
        train=(str(moments.iloc[0]), str(begin - gap)),
        validation=(str(begin), str(begin_test - gap)),
        test=(str(begin_test), str(end)),
        delay=delay,
    )


def split_off_latest(
    frame: pd.DataFrame, *, time: str, delay: int = 0, share: float = 0.2
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split the latest rows off: what remains to learn from, and what to validate on.

    Parameters
    ----------
    frame, time, delay
        As in :func:`split_latest`.
    share : float
        Share of the rows that is split off, in (0, 1).
    """
    import pandas as pd

    _check_shares(share)
    _check_enough(frame)
    moments = moments_of(frame, time)
    begin = moments.sort_values().iloc[round(len(frame) * (1 - share))]
    known = moments < begin - pd.Timedelta(days=delay)
    parts = frame[known].reset_index(drop=True), frame[moments >= begin].reset_index(drop=True)
    if parts[0].empty:
        raise SchemaError(
            f"Column {time!r}: no row lies {delay} days before {begin}. Take a longer period."
        )
    return parts


def split_official(frame: pd.DataFrame, *, part: str) -> Split:
    """Split by a column that names the part of each row: train, validation or test.

    Parameters
    ----------
    frame : pandas.DataFrame
    part : str
        The column, which is left out of the parts.
    """
    unknown = set(frame[part]) - set(Split._fields)
    if unknown:
        raise SchemaError(
            f"Column {part!r} holds {sorted(map(str, unknown))[0]!r}; expected train, "
            "validation or test."
        )
    rest = frame.drop(columns=part)
    return Split(*(rest[frame[part] == name].reset_index(drop=True) for name in Split._fields))


def split_by_group(
    frame: pd.DataFrame, *, group: str, validation: float = 0.2, test: float = 0.2, seed: int = 0
) -> Split:
    """Split so that all rows of a group (person, machine, ...) lie in one part.

    Parameters
    ----------
    frame : pandas.DataFrame
    group : str
        A column.
    validation, test : float
        Shares of the groups, each in (0, 1), together below 1.
    seed : int
    """
    if group not in frame:
        check_told(frame, [group])
    _check_enough(frame)
    groups = frame[[group]].drop_duplicates()
    parts = _shuffled(groups, validation=validation, test=test, seed=seed, by=None)
    return Split(*(frame[frame[group].isin(p[group])].reset_index(drop=True) for p in parts))


def split_random(
    frame: pd.DataFrame,
    *,
    target: str,
    durations: Collection[str] = (),
    ignore: Collection[str] = (),
    validation: float = 0.2,
    test: float = 0.2,
    seed: int = 0,
) -> Split:
    """Split at random, with equal shares of each value of the target.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows that are independent of one another: without a time, without a subject.
    target : str
        A column with few distinct values.
    durations : collection of str
        Columns that are a length of time and no moment, whatever they are called.
    ignore : collection of str
        Columns that no model reads, and that are neither a time nor a subject.
    validation, test : float
        Shares of the rows, each in (0, 1), together below 1.
    seed : int

    Raises
    ------
    LeakageError
        When a column is a time, or names a subject that has several rows.
    """
    check_told(frame, [target, *durations])
    _check_enough(frame)
    for column in frame.columns:
        if column not in (*durations, *ignore):
            refuse_random(frame[column], str(column))
    parts = _shuffled(frame, validation=validation, test=test, seed=seed, by=target)
    return Split(*(part.reset_index(drop=True) for part in parts))


def set_aside(
    frame: pd.DataFrame, share: float, *, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw a share of rows without an order at random -> all others, and these, at least one.

    Parameters
    ----------
    frame : pandas.DataFrame
    share : float
        In (0, 1).
    seed : int
    """
    import numpy as np

    chosen = np.zeros(len(frame), dtype=np.bool_)
    order = np.random.default_rng(seed).permutation(len(frame))
    chosen[order[: max(int(share * len(frame)), 1)]] = True
    return frame[~chosen], frame[chosen]


def _limits(
    periods: dict[str, Period],
) -> tuple[dict[str, pd.Timestamp], dict[str, pd.Timestamp]]:
    import pandas as pd

    starts = {name: pd.Timestamp(period[0]) for name, period in periods.items()}
    ends = {name: pd.Timestamp(period[1]) for name, period in periods.items()}
    for name, period in periods.items():
        if not starts[name] < ends[name]:
            raise SchemaError(
                f"The {name} period {period} is empty. Its end must lie after its start; "
                "a shorter delay may help."
            )
    return starts, ends


def _check_periods(
    starts: dict[str, pd.Timestamp], ends: dict[str, pd.Timestamp], *, delay: int
) -> None:
    import pandas as pd

    if starts["train"] < ends["validation"] and starts["validation"] < ends["train"]:
        raise LeakageError(
            f"The validation period begins at {starts['validation']} inside the training period "
            f"or the reverse (training: {starts['train']} to {ends['train']}). Separate them."
        )
    for name in ("train", "validation"):
        if starts["test"] < ends[name] + pd.Timedelta(days=delay):
            raise LeakageError(
                f"The test begins at {starts['test']}, when the labels of the {name} period, "
                f"which ends at {ends[name]}, are not yet known (delay {delay} days). Begin the "
                f"test at {ends[name] + pd.Timedelta(days=delay)} or later."
            )


def _check_rows(
    parts: dict[str, pd.DataFrame], periods: dict[str, Period], moments: pd.Series
) -> None:
    for name, part in parts.items():
        if part.empty:
            raise SchemaError(
                f"No row lies in the {name} period {periods[name]}: column {moments.name!r} goes "
                f"from {moments.min()} to {moments.max()}. Choose another period."
            )


def _without_known(
    part: pd.DataFrame,
    frame: pd.DataFrame,
    *,
    time: str,
    known: tuple[str, str],
    delay: int,
    length: pd.Timedelta,
) -> pd.DataFrame:
    """Leave out the entities whose positives are known on the day of each row."""
    import pandas as pd

    entity, target = known
    days = frame[time].dt.normalize()
    since = part[time].min().normalize() - pd.Timedelta(days=delay) - length
    cases = frame[frame[target].astype(bool) & (days >= since)]
    first_case = days[cases.index].groupby(cases[entity]).min()
    age = part[time].dt.normalize() - part[entity].map(first_case)
    # On day d, known is what happened before day d - delay.
    rest: pd.DataFrame = part[~(age > pd.Timedelta(days=delay))]
    return rest.reset_index(drop=True)


def _check_shares(*shares: float) -> None:
    if not (all(0 < share < 1 for share in shares) and sum(shares) < 1):
        raise ParameterError(
            "The shares of validation and test must lie in (0, 1), together below 1. "
            f"Got {' and '.join(map(repr, shares))} instead."
        )


def _check_enough(frame: pd.DataFrame) -> None:
    if len(frame) < _FEWEST_ROWS:
        raise SchemaError(f"{len(frame)} rows are too few to split; give {_FEWEST_ROWS} or more.")


def _shuffled(
    table: pd.DataFrame, *, validation: float, test: float, seed: int, by: str | None
) -> Sequence[pd.DataFrame]:
    """Cut a table at random into train, validation and test."""
    _check_shares(validation, test)
    selection = require("sklearn.model_selection", extra="train", needed_by="a random split")

    def cut(rows: pd.DataFrame, share: float) -> tuple[pd.DataFrame, pd.DataFrame]:
        strata = rows[by] if by else None
        try:
            kept, taken = selection.train_test_split(
                rows, test_size=share, random_state=seed, stratify=strata
            )
        except ValueError as error:  # a value of the target is too rare, or has no share
            of = f"share of each value of {by!r}" if by else "groups"
            raise SchemaError(
                f"{len(table)} rows cannot be split so that each part has its {of}: {error} "
                "Give more rows."
            ) from error
        return kept, taken

    rest, last = cut(table, test)
    first, middle = cut(rest, validation / (1 - test))
    return first, middle, last
