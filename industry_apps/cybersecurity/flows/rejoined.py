"""Flows that a sensor has cut in two, joined again."""

from __future__ import annotations

import pandas as pd

from industry_apps.errors import ParameterError, SchemaError

__all__ = ["rejoined"]

_KEY = ("source", "source_port", "destination", "port", "protocol")
_SUMS = ("sent_bytes", "received_bytes", "sent_packets", "received_packets")


def rejoined(flows: pd.DataFrame, *, gap: float = 1.0) -> pd.DataFrame:
    """Join flows of the same two ends that go on where the one before has ended.

    A sensor that is restarted, or whose table of flows is full, writes one flow as two. Of those
    joined the first gives time, service and whatever else there is, the last gives the state;
    bytes and packets are added up, and the duration reaches to the last packet.

    Parameters
    ----------
    flows : DataFrame
        With time, source, source_port, destination, port, protocol and duration.
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
    if not gap >= 0:
        raise ParameterError(f"The 'gap' parameter is in seconds, >= 0. Got {gap!r}.")
    for name in (*_KEY, "time", "duration"):
        if name not in flows:
            raise SchemaError(
                f"Column {name!r} is missing: flows are joined by {[*_KEY, 'time', 'duration']}."
            )
    frame = flows.sort_values("time", kind="stable").reset_index(drop=True)
    begin = (pd.to_datetime(frame["time"]) - pd.Timestamp(0)).dt.total_seconds()
    end = begin + frame["duration"].fillna(0.0)
    keys = [frame[name].astype(str) for name in _KEY]
    latest = end.groupby(keys).cummax().groupby(keys).shift()
    whole = frame[[*_KEY]].notna().all(axis=1)
    goes_on = whole & (begin - latest <= gap)
    number = (~goes_on).groupby(keys).cumsum()
    groups = [*keys, number]
    joined = frame.groupby(groups, sort=False, dropna=False)
    found = joined.first()
    for name in _SUMS:
        if name in frame:
            found[name] = joined[name].sum(min_count=1)
    if "state" in frame:
        found["state"] = joined["state"].last()
    last, first = end.groupby(groups, sort=False).max(), begin.groupby(groups, sort=False).min()
    known = joined["duration"].count() > 0
    found["duration"] = (last - first).where(known)
    ordered = found.sort_values("time", kind="stable").reset_index(drop=True)
    return ordered[list(frame.columns)]
