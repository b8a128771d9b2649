"""Zeek's conn.log, as its tab-separated or its JSON writer has it."""

from __future__ import annotations

from collections.abc import Container, Iterable
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from industry_apps.cybersecurity.flows.checked import checked_flows
from industry_apps.cybersecurity.flows.lines import log_lines, read_json
from industry_apps.errors import SchemaError

__all__ = ["read_zeek"]

#: Field of conn.log -> column of a flow.
FIELDS = {
    "uid": "flow",
    "ts": "time",
    "id.orig_h": "source",
    "id.resp_h": "destination",
    "id.orig_p": "source_port",
    "id.resp_p": "port",
    "proto": "protocol",
    "service": "service",
    "conn_state": "state",
    "history": "history",
    "duration": "duration",
    "orig_bytes": "sent_bytes",
    "resp_bytes": "received_bytes",
    "orig_pkts": "sent_packets",
    "resp_pkts": "received_packets",
}
_NEEDED = ("ts", "id.orig_h", "id.resp_h", "id.resp_p", "proto")

_Lines: TypeAlias = Iterable[tuple[int, str]]


def read_zeek(path: str | Path) -> pd.DataFrame:
    r"""Read a conn.log of Zeek into the columns of a flow, in order of time.

    Parameters
    ----------
    path : str or Path
        Tab-separated with its header of ``#`` lines, or a JSON object a line; plain, or packed by
        gzip.

    Returns
    -------
    DataFrame
        Columns of :data:`industry_apps.cybersecurity.flows.columns.FLOW`, as far as the log has
        them; what is unset ("-", or no key in JSON) is missing, and not 0.

    Raises
    ------
    SchemaError
        It is no conn.log, a line has too few fields, a value is none of its column, or a flow
        (``uid``) is there twice.

    References
    ----------
    https://docs.zeek.org/en/master/logs/conn.html

    Examples
    --------
    >>> import tempfile
    >>> fields = "ts id.orig_h id.orig_p id.resp_h id.resp_p proto service duration".split()
    >>> flow = "1772445600.5 10.0.0.1 40000 10.0.0.2 53 udp dns -".split()
    >>> lines = ["#separator \\x09", "\t".join(["#fields", *fields]), "\t".join(flow)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = Path(folder, "conn.log")
    ...     _ = log.write_text("\n".join(lines) + "\n")
    ...     read_zeek(log)[["port", "duration"]].to_dict("records")
    [{'port': '53', 'duration': nan}]
    """
    path = Path(path)
    lines = log_lines(path)
    first = next(lines, (1, ""))
    read = _json_lines if first[1].startswith("{") else _separated
    frame = read(path.name, chain([first], lines))
    _check_needed(path.name, frame)
    known = [name for name in FIELDS if name in frame]
    return checked_flows(frame[known].rename(columns=FIELDS), path.name)


def _check_needed(name: str, fields: Container[str]) -> None:
    for needed in _NEEDED:
        if needed not in fields:
            raise SchemaError(
                f"{name} has no field {needed!r}; expected a conn.log of Zeek. Give that file, "
                f"with the fields {list(_NEEDED)}."
            )


def _json_lines(name: str, lines: _Lines) -> pd.DataFrame:
    found = {number: read_json(line, name, number) for number, line in lines if line.strip()}
    return pd.DataFrame([*found.values()], index=[*found], dtype=object)


def _separated(name: str, lines: _Lines) -> pd.DataFrame:
    """The records under the names of the header, which may stand alone: an hour without flows.

    Of logs joined by ``cat`` each has a header of its own.
    """
    separator, told = "\t", {"#fields": [], "#unset_field": ["-"], "#empty_field": ["(empty)"]}
    found: dict[tuple[str, ...], dict[int, list[str | None]]] = {}
    for number, line in lines:
        text = line.rstrip("\n")
        if text.startswith("#separator"):
            separator = text.split(" ", 1)[1].encode().decode("unicode_escape")
        elif text.startswith("#"):
            key, *values = text.split(separator)
            told[key] = values
        elif text:
            cells, fields = text.split(separator), told["#fields"]
            if not len(cells) == len(fields) == len(set(fields)):
                raise SchemaError(
                    f"{name}, line {number}: {len(cells)} fields, expected {len(set(fields))}, "
                    "each once in the header (#fields). If it was cut off, repair or drop it."
                )
            unset = (*told["#unset_field"], *told["#empty_field"])
            rows = found.setdefault(tuple(fields), {})
            rows[number] = [None if cell in unset else cell for cell in cells]
    found = found or {tuple(told["#fields"]): {}}
    for each in found:
        _check_needed(name, each)
    blocks = [
        pd.DataFrame([*rows.values()], [*rows], [*fields], dtype=object)
        for fields, rows in found.items()
    ]
    return pd.concat(blocks).sort_index()
