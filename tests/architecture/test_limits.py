"""Sizes stay small, paths of one machine stay out."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = sorted(
    path
    for folder in ("industry_apps", "tests", "notebooks")
    for path in (ROOT / folder).rglob("*.py")
)
TEXTS = {".py", ".md", ".toml", ".json", ".txt", ".yaml", ".yml", ".ipynb", ".cfg", ".sh", ""}
MADE_HERE = re.compile(
    r"\.(git|venv|hypothesis|.*_cache)|__pycache__|build|dist|demo_output|.*_logs"
)

LINES_A_FILE = 400
LINES_A_FUNCTION = 60
LINES_OF_APPLICATION = 220
CONTRACT = {
    *(
        "name",
        "question",
        "simulator",
        "schema",
        "outputs",
        "traits",
        "problem",
        "defaults",
        "known_failures",
    ),
    *("schema_", "outputs_", "check_", "split_", "windows_", "history_"),
    *("fit", "predict", "evaluate", "export", "split", "sample", "fast"),
}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function and its number of lines, less those of its docstring."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            documented = ast.get_docstring(node) is not None
            words = first.end_lineno - first.lineno + 1 if documented else 0
            yield (
                f"{relative(path)}:{node.lineno} {node.name}",
                (node.end_lineno - node.lineno + 1 - words),
            )


def test_files_are_short():
    sizes = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in CODE}
    assert sizes
    assert not {path: size for path, size in sizes.items() if size > LINES_A_FILE}


def test_functions_are_short():
    sizes = dict(found for path in CODE for found in functions(path))
    assert sizes
    assert not {name: size for name, size in sizes.items() if size > LINES_A_FUNCTION}


def test_the_contract_is_small_and_complete():
    tree = ast.parse((ROOT / "industry_apps/application.py").read_text(encoding="utf-8"))
    (node,) = (found for found in tree.body if isinstance(found, ast.ClassDef))
    names = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
    names |= {item.target.id for item in node.body if isinstance(item, ast.AnnAssign)}
    assert {name for name in names if not name.startswith("_")} == CONTRACT
    assert node.end_lineno - node.lineno + 1 < LINES_OF_APPLICATION


def project_files() -> Iterator[Path]:
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if not MADE_HERE.fullmatch(name)]
        texts = (name for name in sorted(files) if Path(name).suffix in TEXTS)
        yield from (Path(folder, name) for name in texts if not MADE_HERE.fullmatch(name))


def test_no_file_names_a_path_of_one_machine():
    # Put together here, so that this file does not find itself.
    places = "|".join(("home", "root", "Users", "tmp", "work", "mnt", "opt"))
    path_of_a_machine = re.compile(rf"(?<![\w.:/~}}-])/({places})/\w|[A-Z]:\\\\Users")
    found = [
        f"{relative(path)}:{number}: {line.strip()[:120]}"
        for path in project_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if path_of_a_machine.search(line)
    ]
    assert not found


def test_no_model_file_names_a_file_of_code():
    named = [
        path.name
        for path in sorted((ROOT / "onnx_models").glob("*.onnx"))
        if b'.py", line' in path.read_bytes()
    ]
    assert not named


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_within_the_project_lead_somewhere(name):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / name).read_text(encoding="utf-8"))
    assert not [link for link in links if not (ROOT / link).exists()]
