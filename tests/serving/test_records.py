"""Records over HTTP are answered as by the file, and what cannot be is refused by name."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import pytest

from industry_apps.errors import RequestError
from industry_apps.runtime import Model
from industry_apps.runtime.zoo import zoo
from industry_apps.serving.bodies import parsed, written
from industry_apps.serving.journal import traced
from tests.serving.running import Running, running

CREDIT = "finance.credit_scoring.scorecard"


@pytest.fixture(scope="module")
def server(served) -> Iterator[Running]:
    """A scorecard, and a model of all kinds of columns."""
    with running({"credit": CREDIT, "tiny": served.path}) as found:
        yield found


@pytest.fixture(scope="module")
def record() -> dict[str, object]:
    """A record of the scorecard."""
    return dict(Model(CREDIT).metadata["self_test"]["records"][0])


def nulls(answer: object) -> object:
    """An answer as JSON has it."""
    return json.loads(written(answer))


@pytest.mark.parametrize("name", zoo())
def test_every_file_of_the_zoo_answers_as_it_does_alone(all_models, name):
    model = all_models.served.slot(name).current.model
    records = model.metadata["self_test"]["records"]
    many = all_models.post(f"/models/{name}/predict", records)
    assert many.status == 200, many.told
    assert many.told == nulls(model.predict(records))
    one = all_models.post(f"/models/{name}/predict", records[0])
    if model.windows is None:
        assert one.told == nulls(model.predict(records[0]))
    else:
        assert one.status == 400
        assert "Got one record, expected a list" in one.told["error"]


def test_all_kinds_of_columns(server, served):
    rows = json.loads(served.frame.head(50).to_json(orient="records", date_format="iso"))
    model = Model(served.path, threads=1)
    assert server.post("/models/tiny/predict", rows).told == nulls(model.predict(rows))
    for row in rows[:10]:
        assert server.post("/models/tiny/predict", row).told == nulls(model.predict(row))


def test_an_explanation(server, record):
    found = server.post("/models/credit/explain", record)
    assert found.told == nulls(Model(CREDIT).explain(record))
    several = server.post("/models/credit/explain", [record, record])
    assert several.told == [found.told, found.told]


def test_what_is_served_says_what_it_is(server, record):
    (credit, _) = server.get("/models").told
    assert credit["application"] == "finance.credit_scoring"
    told = server.get("/models/credit").told
    assert {"columns", "outputs", "metrics", "version"} <= set(told)
    answer = server.post("/models/credit/predict", record)
    assert answer.headers["x-model-version"] == credit["version"] == told["version"]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "is cut short"),
        (b'{"amount": 1', 400, "is cut short"),
        (b"amount", 400, "is no JSON"),
        (b"[]", 400, "an empty list"),
        (b"3", 400, "The body is int, expected a record"),
        (b"[3]", 400, "Row 0: got int, expected a dict"),
        (b"{}", 400, "The table has: no columns."),
        (b'{"amount": NaN}', 400, "holds NaN, which is no number of JSON. Send null"),
        (b'{"amount": -Infinity}', 400, "holds -Infinity"),
        (b'{"amount": 1, "amount": 2}', 400, "has 'amount' twice in one object"),
        (b'{"amount": "\xff"}', 400, "no UTF-8: byte 12 is 0xff"),
        (
            b'{"amount": ' + b"[" * 40 + b"]" * 40 + b"}",
            413,
            "nested deeper than 32 lists and objects",
        ),
        (b"[" * 100_000, 413, "nested deeper than 32"),
        (b'{"amount": ' + b"1" * 5000 + b"}", 400, "is no JSON"),
    ],
)
def test_bodies_that_are_refused(server, body, status, words):
    found = server.post("/models/credit/predict", body)
    assert found.status == status, found.told
    assert words in found.told["error"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amount": "much"}, "Column 'amount', row 0: got 'much', expected a number"),
        ({"amount": [1, 2]}, "Column 'amount', row 0: got [1, 2], expected a number"),
        ({"amount": 1e300}, "Column 'amount'"),
        ({"purpose": {"a": 1}}, "Column 'purpose'"),
        ({"purpose": "\ud800"}, "valid Unicode"),
        ({"amount": ...}, "Column 'amount' (number) is missing"),
    ],
)
def test_records_that_are_refused(server, record, change, words):
    changed = {**record, **change}
    changed = {name: value for name, value in changed.items() if value is not ...}
    found = server.post("/models/credit/predict", changed)
    assert found.status == 400
    assert words in found.told["error"], found.told
    assert server.post("/models/credit/predict", [record, changed]).status == 400


@pytest.mark.parametrize("text", ["1e999", "-1e999", "NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("route", ["predict", "explain"])
def test_a_number_that_is_none_is_refused(server, record, route, text):
    told = json.dumps({**record, "amount": 12345.5}).replace("12345.5", text)
    for body in (told, f"[{told}]"):
        found = server.post(f"/models/credit/{route}", body.encode())
        assert found.status == 400
        words = "Column 'amount'" if "1" in text else f"holds {text}, which is no number of JSON"
        assert words in found.told["error"]


def test_an_error_tells_no_values_of_other_records(server, record):
    rows = [{**record, "purpose": "secret plans"}, {**record, "amount": "bad"}]
    found = server.post("/models/credit/predict", rows)
    assert found.status == 400
    assert "row 1" in found.told["error"]
    assert "secret" not in found.told["error"]


def test_what_is_not_there(server):
    found = server.post("/models/other/predict", {})
    assert (found.status, found.told["error"][:21]) == (404, "Unknown model 'other'")
    assert "Did you mean 'credit'?" in server.post("/models/credi/predict", {}).told["error"]
    assert server.get("/nothing").status == 404
    behind = server.post("/models/credit/predict/", {})
    assert (behind.status, "nothing at" in behind.told["error"]) == (404, True)
    assert "does not take GET" in server.get("/models/credit/predict").told["error"]
    encoded = server.post("/models/credit/predict", b"{}", content_encoding="gzip")
    assert (encoded.status, encoded.told["error"][:29]) == (415, "The body is encoded as 'gzip'")


def test_a_mistake_of_the_server_tells_nothing_but_that(server, record, monkeypatch):
    batches = server.served.slot("credit").current.batches
    monkeypatch.setattr(batches, "run", _fails)
    monkeypatch.setattr(batches, "one_by_one", _fails)
    found = server.post("/models/credit/predict", record)
    assert found.status == 500
    assert "secret" not in str(found.told)
    failure = next(e for e in reversed(server.events) if e["event"] == "failure")
    assert failure["error"] == "RuntimeError"
    assert any("_fails" in place for place in failure["places"])
    assert "secret" not in json.dumps(server.events)


def _fails(asked: object) -> None:
    raise RuntimeError("a secret value")


def test_a_trace_is_passed_on(server, record):
    parent = f"00-{'a' * 32}-{'b' * 16}-01"
    found = server.post("/models/credit/predict", record, traceparent=parent, tracestate="x=1")
    trace, flags = found.headers["traceparent"].split("-")[1::2]
    assert (trace, flags, found.headers["tracestate"]) == ("a" * 32, "01", "x=1")
    assert found.headers["traceparent"] != parent
    assert traced("00-0-0-00") is None
    known = f"-{'a' * 32}-{'b' * 16}-01"
    for later in ("01", "cc"):  # what a higher version adds is left
        for behind in ("", "-", "-what it adds"):
            assert traced(later + known + behind)[1].startswith(f"00-{'a' * 32}-")
    for wrong in ("ff" + known, "00" + known + "-more", "cc" + known + "more", "0" + known):
        assert traced(wrong) is None
    wrong = server.post("/models/credit/predict", record, traceparent="garbage")
    assert "traceparent" not in wrong.headers


def test_live_ready_and_health_are_apart(server):
    assert (server.get("/live").status, server.get("/ready").status) == (200, 200)
    assert set(server.get("/health").told["models"]) == {"credit", "tiny"}
    server.served.gate.draining = True
    try:
        assert (server.get("/live").status, server.get("/ready").status) == (200, 503)
        assert server.get("/health").told["draining"]
    finally:
        server.served.gate.draining = False


def test_without_models_it_is_alive_and_not_ready():
    with running({}) as server:
        assert (server.get("/live").status, server.get("/ready").status) == (200, 503)


def test_metrics_count_requests(server, record):
    def counted() -> float:
        lines = server.get("/metrics").told.splitlines()
        start = 'industry_apps_requests_total{model="credit",route="/models/{name}/predict"'
        return sum(float(line.split()[-1]) for line in lines if line.startswith(start))

    before = counted()
    server.post("/models/credit/predict", record)
    server.post("/models/credit/predict", b"[")
    assert counted() == before + 2
    text = server.get("/metrics").told
    assert "# TYPE industry_apps_request_seconds histogram" in text
    assert 'industry_apps_model_workers{model="credit"' in text


def test_answers_that_are_no_numbers_are_null():
    assert written([{"a": math.nan, "b": [math.inf, 1.5], "c": "x"}]) == (
        b'[{"a":null,"b":[null,1.5],"c":"x"}]'
    )


@pytest.mark.parametrize(
    "text", ['["[[[", {}]', '["\\"[[", ["]]"]]', '["\\\\", [1]]', '[["]"], ["]"]]']
)
def test_brackets_in_texts_do_not_count(text):
    assert parsed(text.encode(), 2) == json.loads(text)
    with pytest.raises(RequestError, match="nested deeper than 1 lists"):
        parsed(text.encode(), 1)


def test_a_name_that_stands_twice_is_found_wherever_it_is():
    for text in ('{"a": 1, "a": 2}', '[{"b": {"a:": 1, "a:": 1}}]', '[[[{"x": "{:", "x": 1}]]]'):
        with pytest.raises(RequestError, match="twice in one object"):
            parsed(text.encode(), 32)
    assert parsed(b'{"a": {"a": "a: a:"}, "b": [{"a": 1}]}', 32)["b"] == [{"a": 1}]


def test_a_body_is_what_json_says():
    assert parsed(b' {"a": [1, 2.5, null, true, "\xc3\xa9"]} ', 32) == {
        "a": [1, 2.5, None, True, "é"]
    }
