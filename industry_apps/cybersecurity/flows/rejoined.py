"""Flows that a sensor has cut in two, joined again."""

from __future__ import annotations

from numbers import Real

import numpy as np
import pandas as pd

from industry_apps.cybersecurity.flows.checked import moments
from industry_apps.cybersecurity.flows.columns import FLOW
from industry_apps.errors import ParameterError, SchemaError

__all__ = ["rejoined"]

_KEY = ("source", "source_port", "destination", "port", "protocol")
_SUMS = ("sent_bytes", "received_bytes", "sent_packets", "received_packets")


def rejoined(flows: pd.DataFrame, *, gap: float = 1.0) -> pd.DataFrame:
    """Join flows of the same two ends that go on where the one before has ended.

    A sensor that is restarted, or whose table of flows is full, writes one flow as two. Of those
    joined the first gives time, service and whatever else there is, the last gives the state;
    bytes and packets are added up, and the duration reaches to the last packet. Where one of
    them is an attack, they are that attack.

    Parameters
    ----------
    flows : DataFrame
        With time, source, source_port, destination, port, protocol and duration; times that are
        numbers are seconds since 1970.
    gap : float
        Seconds between the end of one and the begin of the next, at most; >= 0. A flow that
        begins before the end of the one before is joined, too.

    Returns
    -------
    DataFrame
        In order of time.

    Raises
    ------
    SchemaError, ParameterError

    Examples
    --------
    >>> flow = {"time": pd.Timestamp("2026-03-02"), "source": "a", "source_port": "40000",
    ...     "destination": "b", "port": "22", "protocol": "tcp", "duration": 5.0, "sent_bytes": 7}
    >>> later = {**flow, "time": pd.Timestamp("2026-03-02 00:00:05.5"), "duration": 2.0}
    >>> rejoined(pd.DataFrame([flow, later]))[["duration", "sent_bytes"]].to_dict("records")
    [{'duration': 7.5, 'sent_bytes': 14}]
    """
    if not (isinstance(gap, Real) and gap >= 0):
        raise ParameterError(
            f"The 'gap' parameter is a number of seconds, >= 0. Got {gap!r}. Give one, such as 1.0."
        )
    for name in (*_KEY, "time", "duration"):
        if name not in flows:
            raise SchemaError(
                f"Column {name!r} is missing: flows are joined by {[*_KEY, 'time', 'duration']}. "
                "Add it."
            )
    read = _read(flows)
    order = np.argsort(read["time"].to_numpy(), kind="stable")
    frame, read = (each.iloc[order].reset_index(drop=True) for each in (flows, read))
    begin = (read["time"] - pd.Timestamp(0)).dt.total_seconds()
    end = begin + read["duration"].fillna(0.0)
    keys = [frame[name].astype(str) for name in _KEY]
    latest = end.groupby(keys).cummax().groupby(keys).shift()
    whole = frame[[*_KEY]].notna().all(axis=1)
    goes_on = whole & (begin - latest <= gap)
    groups = [*keys, (~goes_on).groupby(keys).cumsum()]
    joined = frame.groupby(groups, sort=False, dropna=False)
    found, numbers = joined.first(), read.groupby(groups, sort=False, dropna=False)
    for name in _SUMS:
        if name in frame:
            found[name] = numbers[name].sum(min_count=1)
    if "state" in frame:
        found["state"] = joined["state"].last()
    if "is_attack" in frame:
        _label(found, frame, groups)
    last, first = end.groupby(groups, sort=False).max(), begin.groupby(groups, sort=False).min()
    known = numbers["duration"].count() > 0
    found["duration"] = (last - first).where(known)
    ordered = found.iloc[np.argsort(first.to_numpy(), kind="stable")].reset_index(drop=True)
    return ordered[list(frame.columns)]


def _read(flows: pd.DataFrame) -> pd.DataFrame:
    """Moments and numbers of the flows, each of which fits its column."""
    FLOW.check_names(flows)
    found = {"time": moments(flows["time"])}
    for name in ("duration", *_SUMS):
        if name in flows:
            FLOW[name].to_array(flows[name])
            found[name] = pd.to_numeric(flows[name])
    return pd.DataFrame(found)


def _label(found: pd.DataFrame, frame: pd.DataFrame, groups: list[pd.Series]) -> None:
    """One flow with an attack in it is an attack, of the kind and family of the first.

    They come from one row: ``first`` of pandas would take each from the first row that has it.
    """
    labels = frame["is_attack"]
    attack = labels.notna()
    if labels.groupby(groups).nunique().max() > 1:
        attack &= FLOW["is_attack"].to_array(labels) == 1
    told = [name for name in ("is_attack", "attack", "family") if name in frame]
    order = (~attack).sort_values(kind="stable").index.to_series()
    rows = order.groupby(groups, sort=False).first().reindex(found.index)
    found[told] = frame.loc[rows, told].set_axis(found.index)
