"""The commands that keep, promote and roll back versions."""

from __future__ import annotations

import json

import pytest

from tests.cli.shell import printed, run, sentence


@pytest.fixture
def folder(tmp_path, served):
    """A folder of one version in production."""
    folder = tmp_path / "versions"
    assert run("versions", "add", folder, served.path, "--who", "release").exit_code == 0
    (version,) = printed(run("versions", "list", folder, "--json"))
    assert (
        run("versions", "promote", folder, version["sha256"][:10], "--who", "release").exit_code
        == 0
    )
    return folder


def test_what_is_in_production_and_by_whom(folder):
    (shown,) = printed(run("versions", "show", folder, "--json"))
    assert (shown["action"], shown["who"]) == ("promote", "release")
    assert len(printed(run("versions", "show", folder, "--log", "--json"))) == 2
    (listed,) = printed(run("versions", "list", folder, "--json"))
    assert listed["production"]
    assert "was in production at 2001-01-01" in sentence(
        run("versions", "show", folder, "--at", "2001-01-01")
    )


def test_a_signed_version_and_a_head_that_proves_the_log(folder, tmp_path, served):
    assert run("versions", "key", tmp_path / "ada").exit_code == 0
    run("versions", "add", folder, served.path, "--who", "release", "--key", tmp_path / "ada")
    head = tmp_path / "head.json"
    head.write_text(json.dumps(printed(run("versions", "head", folder))))
    done = run("versions", "check", folder, "--head", head)
    assert "2 entries" in done.output
    head.write_text('{"number": 1, "hash": "0"}')
    assert "was written anew" in sentence(run("versions", "check", folder, "--head", head))


def test_a_folder_without_versions_is_named(tmp_path):
    for command in (["list"], ["show"], ["check"], ["head"], ["promote", "abcdef"], ["rollback"]):
        name, *more = command
        done = run("versions", name, tmp_path, *more)
        assert "holds no versions, as there is no log.jsonl in it" in sentence(done)
    assert not list(tmp_path.iterdir())


def test_a_file_of_the_zoo_is_added_by_its_name(tmp_path):
    done = run("versions", "add", tmp_path, "finance.credit_scoring.scorecard", "--who", "me")
    assert done.output.startswith("Added ")


def test_what_is_no_model_is_not_added(folder, tmp_path):
    (tmp_path / "text.onnx").write_text("no model")
    assert "text.onnx" in sentence(run("versions", "add", folder, tmp_path / "text.onnx"))
    assert "before" in sentence(run("versions", "rollback", folder, "--who", "release"))
