"""The commands that serve: what they refuse, keys, and the demonstration."""

from __future__ import annotations

import socket
import sys

from industry_apps.cli.demo_serving import demonstrate_serving
from industry_apps.export import export_model
from tests.cli.shell import run, sentence
from tests.tiny_model import fitted, records


def test_what_is_not_served(tmp_path):
    assert "expected NAME=PLACE" in sentence(run("serve", "fraud.onnx"))
    assert "Two models are named 'a': x and y" in sentence(run("serve", "a=x", "a=y"))
    assert "holds no versions, as there is no log" in sentence(run("serve", f"a={tmp_path}"))
    assert "Give --keys, or --open" in sentence(run("serve", "a=x", "--host", "0.0.0.0"))
    assert "no file of keys" in sentence(run("serve", "a=x", "--keys", tmp_path / "none"))
    assert "There is no model file" in sentence(run("serve", f"a={tmp_path / 'none.onnx'}"))
    assert "letters, digits" in sentence(run("serve", "a/b=x"))
    model = "a=finance.fraud_detection"
    pair = run("serve", model, "--tls", tmp_path / "cert", tmp_path / "key")
    assert "no certificate and its key, without a password" in sentence(pair)
    assert "Choose another host" in sentence(run("serve", model, "--host", "no.invalid", "--open"))
    sample = run("serve", model, "--payloads", tmp_path / "none" / "file")
    assert "Name a file in a folder that is there" in sentence(sample)
    several = run("serve", model, "--workers", 2, "--state", tmp_path)
    assert "parted among 2 workers. Give --workers 1, or leave --state" in sentence(several)
    for option in (
        "body",
        "rows",
        "in-flight",
        "seconds",
        "replay",
        "error-share",
        "payload-share",
    ):
        told = sentence(run("serve", model, f"--{option}", -1))
        assert f"'{option.replace('-', '_')}' parameter" in told


def test_a_port_that_is_taken_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for options in (["--port", port], ["--port", 0, "--grpc", "--grpc-port", port]):
            told = sentence(run("serve", "a=finance.credit_scoring.scorecard", *options))
            assert f"Cannot listen on 127.0.0.1 port {port}" in told
            assert "Choose another port" in told


def test_what_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "httptools", None)
    assert "pip install 'industry-apps[serve]'" in sentence(run("serve", "a=x"))
    monkeypatch.delitem(sys.modules, "httptools")
    monkeypatch.setitem(sys.modules, "grpc", None)
    assert "pip install 'industry-apps[grpc]'" in sentence(run("serve", "a=x", "--grpc"))


def test_a_key_is_printed_once(tmp_path):
    path = tmp_path / "keys.json"
    done = run("key", path, "--name", "shop", "--scope", "predict", "--days", 3)
    assert done.exit_code == 0
    assert done.output.strip() not in path.read_text()
    assert "already" in sentence(run("key", path, "--name", "shop"))


def test_the_demonstration_loses_no_request(served, tmp_path):
    other = tmp_path / "other.onnx"
    export_model(fitted(records(800, seed=3))[0], other)
    lines = list(demonstrate_serving(served.path, other, tmp_path / "versions"))
    assert any(", 0 failed; " in line for line in lines)
    assert "promote" in lines[-1]
    assert "rollback" in lines[-1]
