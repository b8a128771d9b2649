"""A user's path in minutes: serve a file, ask it, promote a version under load, roll back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from industry_apps.errors import SolverError
from industry_apps.runtime import Model
from industry_apps.versions import Store

_SECONDS = 60.0
_NAME = "model"
_PREDICT = f"/models/{_NAME}/predict"


def demonstrate_serving(one: Path, two: Path, folder: Path) -> Iterator[str]:
    """Serve a model file, and swap it for another one while clients ask.

    Parameters
    ----------
    one, two : Path
        Two versions of a model that answers records.
    folder : Path
        For the store of versions.

    Yields
    ------
    str
        What has just been done, how long it took, and what came out.
    """
    began = time.monotonic()

    def told(words: str) -> str:
        return f"{time.monotonic() - began:5.1f} s  {words}"

    store = Store(folder)
    first, second = (store.add(path, who="demo") for path in (one, two))
    store.promote(first, who="demo", why="the first one")
    yield told(f"Added two versions to {folder} and promoted {first[:12]}.")
    with _Server(folder) as server:
        yield told(f"Serving on http://127.0.0.1:{server.port}, page /docs, gRPC {server.grpc}.")
        record = Model(one).metadata["self_test"]["records"][0]
        yield told(f"{_curl_words(record, server.port)}\n         {_curl(record, server.port)}")
        yield told(_triton(server.port, Model(one), record))
        with _Load(server.port, record) as load:
            for path, body in (("promote", {"version": second}), ("rollback", {"why": "demo"})):
                status, answer, _ = _asked(server.port, f"/models/{_NAME}/{path}", body)
                if status != 200:
                    raise SolverError(f"The server refused to {path}: {answer}")
                load.until_all_versions(1 + (path == "promote"))
                yield told(f"Under load: {path}, now {answer['version']}.")
        counts = ", ".join(f"{version} answered {n}" for version, n in load.versions.items())
        yield told(f"{load.asked} requests meanwhile, {load.failed} failed; {counts}.")
    moves = [e for e in store.entries() if e.action != "add"]
    yield told("The log: " + "; ".join(f"{e.action} {e.sha256[:12]} by {e.who}" for e in moves))


class _Server:
    """The command ``industry-apps serve``, in a process of its own."""

    def __init__(self, folder: Path) -> None:
        options = ["--port", "0"]
        options += ["--grpc", "--grpc-port", "0"] if find_spec("grpc") else []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "industry_apps", "serve", f"{_NAME}={folder}", *options],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ},
        )
        self.port, self.grpc = 0, "not installed"

    def __enter__(self) -> _Server:
        for line in self._process.stderr or ():
            told = json.loads(line) if line.startswith("{") else {}
            if told.get("protocol") == "grpc":
                self.grpc = f"on port {told['port']}"
            if told.get("protocol") == "http":
                self.port = told["port"]
                threading.Thread(target=self._drain, daemon=True).start()
                return self
        raise SolverError("The server did not start. Run industry-apps serve to see why.")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(_SECONDS)

    def _drain(self) -> None:
        for _ in self._process.stderr or ():
            continue


class _Load:
    """A client that asks without a pause, until it is told to stop."""

    def __init__(self, port: int, record: Any) -> None:
        self._port, self._record = port, record
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.asked = self.failed = 0
        #: Version -> requests that it has answered.
        self.versions: Counter[str] = Counter()

    def __enter__(self) -> _Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(_SECONDS)

    def until_all_versions(self, count: int) -> None:
        """Wait until so many versions have answered, and the last of them again."""
        asked, stop = self.asked, time.monotonic() + _SECONDS
        while len(self.versions) < count or self.asked < asked + 50:
            if time.monotonic() > stop:
                raise SolverError("The clients got no answers.")
            time.sleep(0.01)

    def _ask(self) -> None:
        while not self._stop.is_set():
            status, _, version = _asked(self._port, _PREDICT, self._record)
            self.asked += 1
            self.failed += status != 200
            self.versions[version] += 1


def _asked(port: int, path: str, told: Any) -> tuple[int, Any, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.request("POST", path, json.dumps(told))
        response = connection.getresponse()
        version = response.headers.get("x-model-version", "")
        return response.status, json.loads(response.read()), version
    finally:
        connection.close()


def _curl_words(record: Any, port: int) -> str:
    return f"curl http://127.0.0.1:{port}{_PREDICT} --data '{json.dumps(record)[:60]} ...'"


def _curl(record: Any, port: int) -> str:
    if shutil.which("curl") is None:
        return json.dumps(_asked(port, _PREDICT, record)[1]) + "  (without curl)"
    address = f"http://127.0.0.1:{port}{_PREDICT}"
    command = ["curl", "--silent", "--max-time", "30", address, "--data", json.dumps(record)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _triton(port: int, model: Model, record: Any) -> str:
    """Ask by Triton's client, where it is installed."""
    if find_spec("tritonclient") is None or find_spec("gevent") is None:
        return "tritonclient is not installed: pip install 'tritonclient[http]' to ask by it."
    import numpy as np
    import tritonclient.http as triton

    types = {"FP32": np.float32, "FP64": np.float64, "INT64": np.int64, "BYTES": np.object_}
    with triton.InferenceServerClient(f"127.0.0.1:{port}") as client:
        asked = []
        for each in client.get_model_metadata(_NAME)["inputs"]:
            array = model.schema[each["name"]].to_array([record.get(each["name"])])
            tensor = triton.InferInput(each["name"], [1, 1], each["datatype"])
            tensor.set_data_from_numpy(array.astype(types[each["datatype"]]).reshape(1, 1))
            asked.append(tensor)
        found = client.infer(_NAME, asked)
    name = model.outputs.names[0]
    return f"tritonclient: {name} {found.as_numpy(name).ravel().tolist()}"
