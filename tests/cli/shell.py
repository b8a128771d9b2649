"""Running commands in tests, and what they print."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner, Result

from industry_apps.cli.app import app


def run(*arguments: object) -> Result:
    """Run a command; an error nobody foresaw fails the test."""
    return CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)


def printed(result: Result) -> Any:
    """What a command with --json gave."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def sentence(result: Result) -> str:
    """The one line that a bad input gets."""
    assert result.exit_code == 2, result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert "Traceback" not in result.output
    return lines[0]
