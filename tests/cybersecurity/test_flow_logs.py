"""Logs of Zeek and Suricata: what is unset is missing, what is wrong is refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

from industry_apps.cybersecurity import (
    NetworkAnomalyDetector,
    read_suricata,
    read_zeek,
    rejoined,
)
from industry_apps.errors import ParameterError, SchemaError

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


def test_rows_of_joined_logs_have_the_names_of_their_own_header(tmp_path: Path) -> None:
    turned = [*FIELDS[:9], "resp_bytes", "orig_bytes", *FIELDS[11:]]
    path = zeek(tmp_path / "conn.log", changed(orig_bytes="111", resp_bytes="999"))
    later = changed(uid="C2", ts="1772445700", orig_bytes="70", resp_bytes="50")
    with path.open("a", encoding="utf-8") as file:
        for line in (["#fields", *turned], later, ["#fields", *FIELDS[:7]]):  # the last is empty
            file.write("\t".join(line) + "\n")
    found = read_zeek(path)
    assert found["sent_bytes"].tolist() == [111, 50]
    assert found["received_bytes"].tolist() == [999, 70]
    with path.open("a", encoding="utf-8") as file:  # a log of another kind
        file.write("#fields\tts\tquery\n1772445800\tx\n")
    with pytest.raises(SchemaError, match=r"no field 'id\.orig_h'"):
        read_zeek(path)
    path.write_text("\t".join(["#fields", *FIELDS, "ts"]) + "\n" + "\t".join([*FLOW, "1"]))
    with pytest.raises(SchemaError, match="line 2: 16 fields, expected 15"):
        read_zeek(path)


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


CUT = {
    "time": [1772445600.0, 1772449200.0],
    **dict.fromkeys(("source", "destination", "protocol"), "a"),
    **dict.fromkeys(("source_port", "port"), "22"),
    "duration": [5.0, 5.0],
    "sent_bytes": [7, 7],
}


@pytest.mark.parametrize(
    "times",
    [
        [1772445600.0, 1772449200.0],
        [1772445600, 1772449200],
        ["2026-03-02 10:00:00", "2026-03-02 11:00:00"],
        ["1772445600", "1772449200"],
        ["2026-03-02T12:00:00+02:00", "2026-03-02T11:00:00Z"],
    ],
)
def test_flows_an_hour_apart_stay_two_whatever_form_their_times_have(times: list[object]) -> None:
    assert len(rejoined(pd.DataFrame({**CUT, "time": times}))) == 2
    near = rejoined(pd.DataFrame({**CUT, "time": times}), gap=3_600)
    assert near[["duration", "sent_bytes"]].to_numpy().tolist() == [[3_605.0, 14]]


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("time", ["2026-03-02 9:00:00", "2026-03-02 10:00:00"], "row 0: got '2026-03-02 9"),
        ("time", ["2026-03-02", "2.3.2026"], "row 1: got '2.3.2026'"),
        ("time", [1772445600, "2026-03-02"], "moments of one form"),
        ("time", ["1772445600", "2026-03-02"], "moments of one form"),
        ("time", [1772445600000, 1772449200000], "Divide them by 1000"),
        ("time", ["1772445600", "9" * 30], "row 1.*Divide them by 1000"),
        ("time", [1772445600.0, None], "row 1"),
        ("duration", [1.0, -1.0], "row 1: got -1.0"),
        ("duration", ["1", "2"], "row 0: got '1', expected a number"),
        ("sent_bytes", ["300", "300"], "row 0: got '300', expected a number"),
    ],
)
def test_cells_that_cannot_be_are_refused_before_flows_are_joined(
    column: str, values: list[object], words: str
) -> None:
    with pytest.raises(SchemaError, match=f"Column '{column}', .*{words}"):
        rejoined(pd.DataFrame({**CUT, column: values}))


@pytest.mark.parametrize("gap", ["1", -1, float("nan"), None])
def test_the_gap_is_a_number_of_seconds(gap: object) -> None:
    with pytest.raises(ParameterError, match="seconds"):
        rejoined(pd.DataFrame(CUT), gap=gap)  # type: ignore[arg-type]


def test_joined_with_an_attack_it_is_that_attack() -> None:
    labels = {"is_attack": [False, True], "attack": ["normal", "scan"], "family": [None, "probe"]}
    found = rejoined(pd.DataFrame({**CUT, **labels}), gap=3_600)
    assert found[["is_attack", "attack", "family"]].to_numpy().tolist() == [[True, "scan", "probe"]]
    with pytest.raises(SchemaError, match="Column 'is_attack', row 0: got 'good'"):
        rejoined(pd.DataFrame({**CUT, "is_attack": ["good", "bad"]}), gap=3_600)
    alike = rejoined(pd.DataFrame({**CUT, "is_attack": ["bad", "bad"]}), gap=3_600)
    assert alike["is_attack"].tolist() == ["bad"]
    for told in ([True, True], [None, True], [False, False]):
        unlike = {"is_attack": told, "attack": [None, "k"], "family": ["x", "y"]}
        found = rejoined(pd.DataFrame({**CUT, **unlike}), gap=3_600)
        expected = [True, "k", "y"] if told[0] is None else [told[0], None, "x"]
        assert found[["is_attack", "attack", "family"]].to_numpy().tolist() == [expected]


def test_a_log_without_flows_is_a_table_without_rows(tmp_path: Path) -> None:
    found = read_zeek(zeek(tmp_path / "conn.log"))
    assert len(found) == 0
    assert {"time", "port", "duration"} <= set(found)
    assert len(NetworkAnomalyDetector().enrich(found)) == 0


def test_packed_logs_are_read_as_plain_ones(tmp_path: Path, monkeypatch) -> None:
    plain = zeek(tmp_path / "conn.log", FLOW)
    packed = tmp_path / "conn.10:00:00-11:00:00.log.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    pd.testing.assert_frame_equal(read_zeek(packed), read_zeek(plain))
    events = eve(tmp_path / "eve.json", EVENT)
    (tmp_path / "eve.json.1.gz").write_bytes(gzip.compress(events.read_bytes()))
    assert len(read_suricata(tmp_path / "eve.json.1.gz")) == 1
    packed.write_bytes(packed.read_bytes()[:-9])
    with pytest.raises(SchemaError, match="damaged"):
        read_zeek(packed)
    packed.write_bytes(gzip.compress(b"#" * 2**21))
    with pytest.raises(SchemaError, match="line 1: a line has at most"):
        read_zeek(packed)
    monkeypatch.setattr("industry_apps.cybersecurity.flows.lines._MOST", 100)
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    with pytest.raises(SchemaError, match="in parts"):
        read_zeek(packed)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"duration": "-1"}, r"conn\.log: Column 'duration', line 5: got -1"),
        ({"ts": "soon"}, r"conn\.log: Column 'time', line 5: got 'soon', expected"),
        ({"resp_p": "99999"}, "Column 'port', line 5: got '99999', expected a whole number in 0"),
        ({"orig_p": "80.5"}, "Column 'source_port', line 5"),
    ],
)
def test_an_error_names_file_and_line(tmp_path: Path, cells: dict[str, str], words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        read_zeek(zeek(tmp_path / "conn.log", FLOW, changed(uid="C2", **cells)))


@pytest.mark.parametrize("start", ["soon", "10:00", 5, None])
def test_a_flow_event_whose_start_is_no_moment_is_named(tmp_path: Path, start: object) -> None:
    wrong = {**EVENT, "flow": {**EVENT["flow"], "start": start}}
    with pytest.raises(SchemaError, match=f"line 2: the start of a flow is {start!r}; expected"):
        read_suricata(eve(tmp_path / "eve.json", EVENT, wrong))
