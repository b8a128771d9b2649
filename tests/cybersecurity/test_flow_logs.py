"""Logs of Zeek and Suricata: what is unset is missing, what is wrong is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from industry_apps.cybersecurity import read_suricata, read_zeek, rejoined
from industry_apps.errors import SchemaError

FIELDS = [
    "ts",
    "uid",
    "id.orig_h",
    "id.orig_p",
    "id.resp_h",
    "id.resp_p",
    "proto",
    "service",
    "duration",
    "orig_bytes",
    "resp_bytes",
    "conn_state",
    "history",
    "orig_pkts",
    "resp_pkts",
]
FLOW = [
    "1772445600.5",
    "C1",
    "10.0.0.1",
    "40000",
    "10.0.0.2",
    "80",
    "tcp",
    "http",
    "1.5",
    "300",
    "9000",
    "SF",
    "ShAD",
    "4",
    "9",
]


def zeek(path: Path, *flows: list[str]) -> Path:
    head = ["#separator \\x09", "#unset_field\t-", "\t".join(["#fields", *FIELDS])]
    lines = [*head, *("\t".join(flow) for flow in flows), "#close\t2026-03-02-11-00-00"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def changed(**cells: str) -> list[str]:
    """The flow with other cells; of a name with a dot, its last part."""
    return [
        cells.get(name.rpartition(".")[2], cell) for name, cell in zip(FIELDS, FLOW, strict=True)
    ]


def test_unset_is_missing_and_not_zero(tmp_path: Path) -> None:
    unset = changed(uid="C2", ts="1772445590", service="-", duration="-", orig_bytes="-")
    found = read_zeek(zeek(tmp_path / "conn.log", FLOW, unset))
    assert found["time"].is_monotonic_increasing
    assert found["service"].isna().tolist() == [True, False]
    assert found["duration"].isna().tolist() == [True, False]
    assert found["sent_bytes"].iloc[1] == 300
    assert found["port"].tolist() == ["80", "80"]


def test_json_is_read_as_the_table(tmp_path: Path) -> None:
    kinds = {"ts": float, "duration": float, "orig_bytes": int, "resp_bytes": int}
    record = {n: kinds.get(n, str)(c) for n, c in zip(FIELDS, FLOW, strict=True)}
    path = tmp_path / "conn.json"
    path.write_text(json.dumps({**record, "id.resp_p": 80}) + "\n", encoding="utf-8")
    pd.testing.assert_frame_equal(
        read_zeek(path)[["time", "port", "sent_bytes", "service"]],
        read_zeek(zeek(tmp_path / "conn.log", FLOW))[["time", "port", "sent_bytes", "service"]],
    )


@pytest.mark.parametrize(
    ("flows", "words"),
    [
        ([FLOW, FLOW], "twice"),
        ([changed(duration="-1")], "duration"),
        ([changed(duration="9000000")], "duration"),
        ([changed(orig_bytes="many")], "sent_bytes"),
        ([changed(ts="1772445600500")], "milliseconds"),
        ([changed(ts="-")], "time"),
        ([FLOW[:-2]], "line 4: 13 fields"),
    ],
    ids=["duplicate", "sentinel", "unit", "text", "milliseconds", "no time", "cut off"],
)
def test_what_is_wrong_is_refused(tmp_path: Path, flows: list[list[str]], words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        read_zeek(zeek(tmp_path / "conn.log", *flows))


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "dns.log"
    path.write_text("#fields\tts\tquery\n1\tx\n", encoding="utf-8")
    with pytest.raises(SchemaError, match=r"id\.orig_h"):
        read_zeek(path)


EVENT = {
    "event_type": "flow",
    "flow_id": 7,
    "src_ip": "10.0.0.1",
    "src_port": 40000,
    "dest_ip": "10.0.0.2",
    "dest_port": 443,
    "proto": "TCP",
    "app_proto": "failed",
    "flow": {
        "start": "2026-03-02T10:00:00.000000+0000",
        "end": "2026-03-02T10:00:02.500000+0000",
        "state": "new",
        "bytes_toserver": 74,
        "bytes_toclient": 0,
        "pkts_toserver": 1,
        "pkts_toclient": 0,
    },
}


def eve(path: Path, *events: object) -> Path:
    path.write_text("\n".join(map(json.dumps, events)) + "\n", encoding="utf-8")
    return path


def test_flow_events_of_suricata(tmp_path: Path) -> None:
    found = read_suricata(eve(tmp_path / "eve.json", {"event_type": "dns"}, EVENT))
    assert len(found) == 1
    record = found.iloc[0]
    assert record["duration"] == 2.5
    assert record["protocol"] == "tcp"
    assert pd.isna(record["service"])
    assert record["state"] == "new"


def test_events_that_are_wrong_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "eve.json"
    with pytest.raises(SchemaError, match="no event of the type 'flow'"):
        read_suricata(eve(path, {"event_type": "dns"}))
    with pytest.raises(SchemaError, match="twice"):
        read_suricata(eve(path, EVENT, EVENT))
    with pytest.raises(SchemaError, match="line 1"):
        read_suricata(eve(path, {**EVENT, "flow": {}}))
    with pytest.raises(SchemaError, match="JSON object"):
        read_suricata(eve(path, [1]))
    late = {**EVENT["flow"], "end": "2026-03-02T09:00:00.000000+0000"}
    with pytest.raises(SchemaError, match="duration"):
        read_suricata(eve(path, {**EVENT, "flow": late}))


def test_a_flow_cut_in_two_is_one_again(tmp_path: Path) -> None:
    later = changed(uid="C3", ts="1772445602.5", duration="2", conn_state="S1")
    other = changed(uid="C4", ts="1772445700", duration="-")
    found = rejoined(read_zeek(zeek(tmp_path / "conn.log", FLOW, later, other)))
    assert len(found) == 2
    assert found["duration"].iloc[0] == pytest.approx(4.0)
    assert found["duration"].isna().iloc[1]
    assert found["sent_bytes"].tolist() == [600, 300]
    assert found["state"].iloc[0] == "S1"
