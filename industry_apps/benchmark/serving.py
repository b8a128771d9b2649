"""What serving a model costs, how it bears load, and whether swaps lose anything.

All runs are on this machine's loopback, bounded in time and count. Ratios are of processor time of
the server to that of ``Model.predict`` with a dict, measured in turn in one run, as medians of
several rounds; every answer is compared, byte for byte, with that of the record alone.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from industry_apps.benchmark.bare import CPU, bare_server
from industry_apps.benchmark.hardware import machine
from industry_apps.benchmark.load import Request, as_json, closed_loop, poisson
from industry_apps.errors import SolverError
from industry_apps.runtime import Model
from industry_apps.runtime.loading import seal
from industry_apps.runtime.metadata import DIGEST
from industry_apps.runtime.wire import metadata_spans
from industry_apps.runtime.zoo import locate
from industry_apps.serving.bodies import written
from industry_apps.serving.journal import Journal
from industry_apps.serving.served import Served
from industry_apps.serving.server import Server, listener, run
from industry_apps.serving.settings import Binding, Limits, Settings
from industry_apps.versions import Store

#: What the measured ratios are to stay below.
TARGETS = {"record_route": 3.0, "batched_at_16": 1.6, "v2_json": 3.5}
_TEXTS = {
    "processor time": "Processor time of the server for a request, as times that of "
    "`Model.predict` with a dict: in turn, in one run, the median of some rounds. Bare sockets "
    "answer the same bytes to whatever comes: what the system and the loop of asyncio take by "
    "themselves. Whatever else the machine does empties the caches between two requests, and the "
    "ratios grow with it.",
    "closed loop": "Clients that ask again as soon as they have an answer.",
    "Poisson arrivals": "Clients that ask at times of a Poisson process, whether others have their "
    "answer or not; of a server that answers 64 requests at a time, and refuses more by 429.",
    "a quarter bad": "Every fourth request is one that is refused, and no other may suffer.",
    "swaps under load": "A version is promoted in place of its twin again and again, while clients "
    "ask.",
}
_NAME = "model"
_PREDICT, _INFER = f"/models/{_NAME}/predict", f"/v2/models/{_NAME}/infer"
_SECONDS = 3.0
_LINES = 512
_SWAPS = 100


def benchmark_serving(model: str, rounds: int = 7, count: int = 500) -> dict[str, Any]:
    """Measure a server of one model.

    Parameters
    ----------
    model : str
        A model file, or a name of the zoo, that answers records.
    rounds : int
        Of each ratio.
    count : int
        Requests of a round.

    Returns
    -------
    dict
        JSON values: ``ratios`` beside their ``targets``, and a ``study`` for the page of results:
        title -> ``text`` and ``table``.
    """
    from industry_apps.export.model_file import library_versions  # what trains; no server needs it

    began = time.perf_counter()
    alone = Model(model, threads=1)
    records = alone.metadata["self_test"]["records"]
    asked = [
        Request.post(_PREDICT, as_json(record), written(alone.predict(record)))
        for record in records
    ]
    with _server(model, Limits()) as port:
        with bare_server(asked[0].answer) as bare:
            ratios = _ratios(alone, records, asked, (port, bare), rounds, count)
        closed, capacity = _closed(port, asked, 4 * count)
        bad = _bad(port, asked, 4 * count)
    with _server(model, Limits(in_flight=64)) as port:
        open_ = [_poisson(port, asked, capacity, share) for share in (0.5, 0.8, 1.2)]
    ratios = {name: round(value, 2) for name, value in ratios.items()}
    tables = {
        "processor time": [
            {"request": name.replace("_", " "), "ratio": ratio, "asked": TARGETS.get(name)}
            for name, ratio in ratios.items()
        ],
        "closed loop": closed,
        "Poisson arrivals": open_,
        "a quarter bad": [bad],
        "swaps under load": [_swaps(model, asked)],
    }
    load = f" Load of the machine meanwhile: {os.getloadavg()[0]:.0f}."
    return {
        "application": alone.metadata["application"],
        "data": alone.metadata["data"]["id"],
        "question": "serving",
        "command": f"industry-apps benchmark {model} --serving",
        "model": model,
        "ratios": ratios,
        "targets": TARGETS,
        "study": {
            f"Serving: {title}": {"text": _TEXTS[title] + load, "table": table}
            for title, table in tables.items()
        },
        "seconds": round(time.perf_counter() - began, 1),
        "versions": library_versions(),
        "machine": machine(),
    }


def _ratios(
    alone: Model,
    records: Any,
    asked: list[Request],
    ports: tuple[int, int],
    rounds: int,
    count: int,
) -> dict[str, float]:
    """Processor time of a request, as times that of ``Model.predict``; and of a bare server."""
    ours, bare = ports
    tensors = _tensors(ours, alone, records, asked)
    same = [each._replace(answer=asked[0].answer) for each in asked]
    plan = {
        "record_route": (ours, asked, 1),
        "batched_at_16": (ours, asked, 16),
        "v2_json": (ours, tensors, 1),
        "v2_json_at_16": (ours, tensors, 16),
        "bare_sockets": (bare, same, 1),
        "bare_sockets_at_16": (bare, same, 16),
    }
    found: dict[str, list[float]] = {name: [] for name in plan}
    for _ in range(rounds):
        for name, (port, requests, clients) in plan.items():
            base = _predicting(alone, records, count)
            before = _cpu(port)
            with _giving_way():
                told, _ = asyncio.run(closed_loop(port, requests, clients, count))
            if told.wrong or told.statuses[200] != count:
                raise SolverError(f"{told.wrong} answers over {name} are wrong: {told.statuses}")
            spent = (_cpu(port) - before) / count
            base = (base + _predicting(alone, records, count)) / 2
            found[name].append(spent / base)
    return {name: median(values) for name, values in found.items()}


@contextmanager
def _giving_way() -> Iterator[None]:
    """Let the server finish what it does when an answer wakes us up, as clients elsewhere would."""
    if not hasattr(os, "SCHED_BATCH"):  # of Linux
        yield
        return
    usual = os.sched_getscheduler(0), os.sched_getparam(0)
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        yield
    finally:
        os.sched_setscheduler(0, *usual)


def _predicting(alone: Model, records: Any, count: int) -> float:
    """Seconds of processor time of one call."""
    gc.disable()
    began = time.process_time()
    for number in range(count):
        alone.predict(records[number % len(records)])
    seconds = (time.process_time() - began) / count
    gc.enable()
    return seconds


def _tensors(port: int, alone: Model, records: Any, asked: list[Request]) -> list[Request]:
    """The same records as tensors, whose answers are those of the records."""
    declared = _told(port, "GET", f"/v2/models/{_NAME}")
    made = []
    for record, request in zip(records, asked, strict=True):
        answer = alone.predict(record)
        inputs = [
            {
                "name": each["name"],
                "datatype": each["datatype"],
                "shape": [1, 1],
                "data": [_value(alone, each["name"], record.get(each["name"]))],
            }
            for each in declared["inputs"]
        ]
        told = _told(port, "POST", _INFER, {"inputs": inputs})
        values = {each["name"]: each["data"] for each in told["outputs"]}
        flat = {n: v if isinstance(v, list) else [v] for n, v in answer.items()}
        if any(values[name][: len(flat[name])] != flat[name] for name in flat):
            raise SolverError(f"The tensors of {request.content!r:.200} are answered otherwise.")
        made.append(Request.post(_INFER, as_json({"inputs": inputs}), written(told)))
    return made


def _value(alone: Model, name: str, value: Any) -> Any:
    column = alone.schema[name]
    if column.kind == "datetime" and value is not None:
        return int(column.to_array([value])[0])
    return value


def _closed(port: int, asked: list[Request], count: int) -> tuple[list[dict[str, Any]], float]:
    """Closed loops of some numbers of clients, and the requests a second of the most."""
    rows, rate = [], 0.0
    for clients in (1, 16, 64):
        found, seconds = asyncio.run(closed_loop(port, asked, clients, count))
        rate = count / seconds
        rows.append({"clients": clients, "per_second": round(rate), **found.told()})
    return rows, rate


def _poisson(port: int, asked: list[Request], capacity: float, share: float) -> dict[str, Any]:
    before = _memory(port)
    rate = share * capacity
    found = asyncio.run(poisson(port, asked, rate, _SECONDS, _LINES))
    return {
        "share_of_capacity": share,
        "per_second": round(rate),
        **found.told(),
        "memory_mb_before": before,
        "memory_mb_after": _memory(port),
    }


def _bad(port: int, asked: list[Request], count: int) -> dict[str, Any]:
    """24 clients, a quarter of whose records are bad."""
    bad = [
        Request.post(_PREDICT, b'{"no such column": 1}', b'{"error":"', 400),
        Request.post(_PREDICT, b"[", b'{"error":"The body is cut short', 400),
    ]
    mixed = [bad[n % 2] if n % 4 == 3 else asked[n % len(asked)] for n in range(4 * len(asked))]
    found, _ = asyncio.run(closed_loop(port, mixed, 24, count))
    return {"clients": 24, "share_of_bad": 0.25, **found.told()}


def _swaps(model: str, asked: list[Request]) -> dict[str, Any]:
    """Swap a version for its twin again and again, while clients ask."""
    with TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store")
        for name, content in _twins(locate(model)).items():
            path = Path(folder) / name
            path.write_bytes(content)
            store.add(path, who="benchmark")
        one, two = store.versions
        store.promote(one, who="benchmark")
        with _server(str(store.folder), Limits()) as port:
            done: list[int] = []
            swapping = Thread(target=_swap_on, args=(port, (two, one), done))
            swapping.start()
            asked_in_all = failed = 0
            while swapping.is_alive():
                found, _ = asyncio.run(closed_loop(port, asked, 4, 500))
                asked_in_all += 500
                failed += found.wrong + found.statuses[429]
            swapping.join()
            entries = len(store.entries())
    return {
        "swaps": len(done),
        "refused": sum(status != 200 for status in done),
        "requests": asked_in_all,
        "failed": failed,
        "log_entries": entries,
    }


def _swap_on(port: int, versions: tuple[str, str], done: list[int]) -> None:
    for number in range(_SWAPS):
        told = {"version": versions[number % 2], "why": f"swap {number}"}
        done.append(_status(port, "POST", f"/models/{_NAME}/promote", told))


def _twins(path: Path) -> dict[str, bytes]:
    """A model file, and one that answers alike and is another: of one more field of protobuf."""
    content = path.read_bytes()
    doc = b"another version"
    field = bytes([6 << 3 | 2, len(doc)]) + doc  # the description of a model
    other = content + field
    sealed = DIGEST in metadata_spans(content)  # files of the first format have no digest
    return {"one.onnx": content, "two.onnx": seal(other) if sealed else other}


@contextmanager
def _server(place: str, limits: Limits) -> Iterator[int]:
    """A server in a process of its own; its port."""
    binding = Binding(port=0)
    listening = listener(binding)
    port: int = listening.getsockname()[1]
    process = get_context("spawn").Process(
        target=_serve, args=({_NAME: place}, limits, binding, listening), daemon=True
    )
    process.start()
    listening.close()
    try:
        stop = time.monotonic() + 60
        while _status(port, "GET", "/ready") != 200:
            if not process.is_alive() or time.monotonic() > stop:
                raise SolverError(f"The server of {place} did not start.")
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.join(30)


def _serve(
    places: Mapping[str, str], limits: Limits, binding: Binding, listening: socket.socket
) -> None:
    served = Served(places, Settings(limits=limits), Journal(lambda line: None))
    run(Server(served, binding), listening)


def _status(port: int, method: str, path: str, told: Any = None) -> int:
    return _asked(port, method, path, told)[0]


def _told(port: int, method: str, path: str, told: Any = None) -> Any:
    return json.loads(_asked(port, method, path, told)[1])


def _asked(port: int, method: str, path: str, told: Any = None) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, None if told is None else as_json(told))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _gauge(port: int, name: str) -> float:
    text = _asked(port, "GET", "/metrics")[1].decode()
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name + " "))


def _cpu(port: int) -> float:
    return _gauge(port, CPU)


def _memory(port: int) -> float:
    return round(_gauge(port, "industry_apps_memory_bytes") / 1e6, 1)
