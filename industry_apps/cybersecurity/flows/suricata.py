"""Flow events of Suricata's eve.json."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from industry_apps.cybersecurity.flows.checked import checked_flows
from industry_apps.cybersecurity.flows.lines import log_lines, read_json
from industry_apps.errors import SchemaError

__all__ = ["read_suricata"]

#: Protocols of applications that Suricata did not tell.
_UNTOLD = ("failed", "unknown", "-")


def read_suricata(path: str | Path) -> pd.DataFrame:
    """Read the flow events of an eve.json into the columns of a flow, in order of time.

    Other events are left out. Bytes are those of whole packets, where Zeek counts what they carry:
    a model of one is none of the other.

    Parameters
    ----------
    path : str or Path
        A JSON object a line; plain, or packed by gzip.

    Returns
    -------
    DataFrame
        Columns of :data:`industry_apps.cybersecurity.flows.columns.FLOW`.

    Raises
    ------
    SchemaError
        There is no flow event, a line is no JSON object, an event lacks a key, a value is none of
        its column, or a flow (``flow_id`` and its start) is there twice.

    References
    ----------
    https://docs.suricata.io/en/latest/output/eve/eve-json-format.html#event-type-flow
    """
    path = Path(path)
    records = {}
    for number, line in log_lines(path):
        event = read_json(line, path.name, number) if line.strip() else {}
        if event.get("event_type") == "flow":
            records[number] = _flow(event, f"{path.name}, line {number}")
    if not records:
        raise SchemaError(
            f"{path.name} has no event of the type 'flow'. Turn flow events on in suricata.yaml "
            "(outputs, eve-log, types), and give the file that they are in."
        )
    frame = pd.DataFrame([*records.values()], index=[*records], dtype=object)
    return checked_flows(frame, path.name)


def _flow(event: dict[str, Any], where: str) -> dict[str, Any]:
    try:
        flow = event["flow"]
        begin, end = (_moment(flow[name], name, where) for name in ("start", "end"))
        service = event.get("app_proto")
        return {
            "flow": f"{event['flow_id']} {flow['start']}",
            "time": begin,
            "source": event["src_ip"],
            "destination": event["dest_ip"],
            "source_port": event.get("src_port"),
            "port": event.get("dest_port"),
            "protocol": str(event["proto"]).lower(),
            "service": None if service in _UNTOLD else service,
            "state": flow.get("state"),
            "duration": (end - begin).total_seconds(),
            "sent_bytes": flow.get("bytes_toserver"),
            "received_bytes": flow.get("bytes_toclient"),
            "sent_packets": flow.get("pkts_toserver"),
            "received_packets": flow.get("pkts_toclient"),
        }
    except (KeyError, TypeError) as error:
        raise SchemaError(
            f"{where}: a flow event without {error}. Repair or drop the line."
        ) from None


def _moment(text: Any, name: str, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise SchemaError(
            f"{where}: the {name} of a flow is {text!r:.80}; expected a moment such as "
            "'2026-03-02T10:00:00.000000+0000'. Repair or drop the line."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
