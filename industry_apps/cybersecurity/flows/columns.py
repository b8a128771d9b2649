"""The columns of a flow, under the names of this package, and which of them a model sees."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from industry_apps.errors import ParameterError, unknown_name
from industry_apps.schema import Column, Schema, infer_columns
from industry_apps.schema.values import MISSING_TIME

#: Seconds of 30 days: longer flows are milliseconds taken for seconds, or a mistake.
LONGEST = 2_592_000.0
LARGEST_PORT = 65_535
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _size(name: str, meaning: str, unit: str, high: float | None = None) -> Column:
    return Column(name, "number", meaning, unit=unit, low=0, high=high, required=False)


def _name(name: str, meaning: str, *, key: bool = False) -> Column:
    role = "identifier" if key else "feature"
    return Column(name, "category", meaning, required=False, role=role)  # type: ignore[arg-type]


#: A flow, as Zeek's conn.log and Suricata's flow events have it.
FLOW = Schema(
    (
        Column("time", "datetime", "Of the first packet", required=False, role="identifier"),
        _name("source", "Address of who began it", key=True),
        _name("destination", "Address of the other side", key=True),
        _name("source_port", "Of who began it", key=True),
        _name("port", "Of the destination"),
        _name("protocol", "Of the transport, such as tcp"),
        _name("service", "Of the application, such as http"),
        _name("state", "How the connection went, such as SF or S0"),
        _name("history", "Letters of what was seen, in order, as Zeek has them"),
        _size("duration", "From the first packet to the last", "seconds", LONGEST),
        _size("sent_bytes", "By the source", "bytes"),
        _size("received_bytes", "By the source", "bytes"),
        _size("sent_packets", "By the source", "packets"),
        _size("received_packets", "By the source", "packets"),
        Column.label("is_attack", "The label, in training"),
        _name("attack", "Which attack, in training", key=True),
        _name("family", "Which family of attacks, in training", key=True),
    )
)


def flow_columns(
    own: Schema, train: pd.DataFrame, state: Sequence[str], ignore: Collection[str]
) -> Schema:
    """The columns of a training table that a model may see.

    Parameters
    ----------
    own : Schema
        :data:`FLOW` under the names of the data.
    train : DataFrame
    state : sequence of str
        Columns of the windows.
    ignore : collection of str

    Raises
    ------
    ParameterError
        A column to ignore is not there.
    """
    for name in ignore:
        if name not in train:  # misspelt, it would be a feature
            raise ParameterError(str(unknown_name("column", name, map(str, train.columns))))
    ours = [
        replace(column, required=True)
        for column in own.inputs()
        if column.name in train and column.name not in ignore
    ]
    windows = [
        Column(name, "number", "From FlowState", low=0, role="state")
        for name in state
        if name not in ignore
    ]
    further = infer_columns(train, skip=[*own.names, *state, *ignore])
    return Schema((*ours, *windows, *further))


def scanners_until(scanners: Mapping[str, str]) -> dict[str, int]:
    """Host -> seconds since 1970 UTC at which the leave of an authorised scanner ends.

    Raises
    ------
    ParameterError
        A date is none, or a host is a network.

    Examples
    --------
    >>> scanners_until({"10.0.0.9": "1970-01-02"})
    {'10.0.0.9': 86400}
    """
    found = {}
    for host, day in scanners.items():
        try:
            second = int(np.datetime64(day, "s").astype(np.int64))
        except ValueError:
            second = MISSING_TIME
        is_day = _DAY.fullmatch(day) and second != MISSING_TIME
        # A network, or a host in blanks, is the source of no flow.
        if not is_day or not host or re.search(r"[\s/]", host):
            raise ParameterError(
                f"The 'scanners' parameter has {day!r} for {host!r}; expected a host as flows name "
                "it, each of a network by itself, and the day on which its leave ends, such as "
                "'2026-12-31'."
            )
        found[host] = second
    return found
