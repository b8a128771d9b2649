"""Zeek's conn.log, as its tab-separated or its JSON writer has it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from industry_apps.cybersecurity.flows.checked import checked_flows
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


def read_zeek(path: str | Path) -> pd.DataFrame:
    r"""Read a conn.log of Zeek into the columns of a flow, in order of time.

    Parameters
    ----------
    path : str or Path
        Tab-separated with its header of ``#`` lines, or a JSON object a line.

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
    with path.open(encoding="utf-8") as file:
        first = file.read(1)
    records = list(_json_lines(path) if first == "{" else _separated(path))
    frame = pd.DataFrame(records, dtype=object)
    for name in _NEEDED:
        if name not in frame:
            raise SchemaError(
                f"{path.name} has no field {name!r}; expected a conn.log of Zeek. Give that file, "
                f"with the fields {list(_NEEDED)}."
            )
    known = [name for name in FIELDS if name in frame]
    return checked_flows(frame[known].rename(columns=FIELDS), path.name)


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield read_json(line, path.name, number)


def read_json(line: str, name: str, number: int) -> dict[str, Any]:
    """One JSON object of a log.

    Parameters
    ----------
    line : str
    name : str
        Of the file, for the error.
    number : int
        Of the line, from 1.

    Raises
    ------
    SchemaError
    """
    try:
        found = json.loads(line)
    except ValueError as error:
        raise SchemaError(f"{name}, line {number}: no JSON ({error}). Repair or drop it.") from None
    if not isinstance(found, dict):
        raise SchemaError(f"{name}, line {number}: expected a JSON object. Repair or drop it.")
    return found


def _separated(path: Path) -> Iterator[dict[str, Any]]:
    separator, unset, empty = "\t", "-", "(empty)"
    fields: list[str] = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            text = line.rstrip("\n")
            if text.startswith("#separator"):
                separator = text.split(" ", 1)[1].encode().decode("unicode_escape")
            elif text.startswith("#"):
                key, *values = text.split(separator)
                if key == "#fields":
                    fields = values
                elif key == "#unset_field":
                    unset = values[0]
                elif key == "#empty_field":
                    empty = values[0]
            elif text:
                cells = text.split(separator)
                if len(cells) != len(fields):
                    raise SchemaError(
                        f"{path.name}, line {number}: {len(cells)} fields, expected {len(fields)} "
                        "as in the header (#fields). It may have been cut off: repair or drop it."
                    )
                yield {
                    field: None if cell in (unset, empty) else cell
                    for field, cell in zip(fields, cells, strict=True)
                }
