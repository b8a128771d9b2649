"""The benchmark of serving, cut short: all of its parts, every answer checked."""

from __future__ import annotations

from industry_apps.benchmark import section, serving

MODEL = "finance.credit_scoring.scorecard"


def test_all_parts_are_measured_and_no_answer_is_wrong(monkeypatch):
    monkeypatch.setattr(serving, "_SWAPS", 4)
    monkeypatch.setattr(serving, "_SECONDS", 0.2)
    record = serving.benchmark_serving(MODEL, rounds=1, count=40)
    assert set(record["ratios"]) > set(record["targets"])
    assert record["ratios"]["bare_sockets"] < record["ratios"]["record_route"]
    tables = {title: part["table"] for title, part in record["study"].items()}
    rows = [row for table in tables.values() for row in table]
    for word in ("wrong", "unanswered", "failed", "refused"):
        counts = [row[word] for row in rows if word in row]
        assert counts
        assert not any(counts), word
    (swaps,) = tables["Serving: swaps under load"]
    assert (swaps["swaps"], swaps["log_entries"]) == (4, 7)
    page = section(record)
    assert f"`industry-apps benchmark {MODEL} --serving`" in page
    assert "| bare sockets |" in page
