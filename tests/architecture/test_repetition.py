"""What application files say again of one another, and how large the package is."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from industry_apps.registry import APPLICATIONS

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "industry_apps"

RUN = 4  # lines in a row that stand in another file too
#: Share of the lines of code; it may fall and not rise. 0.05 is the aim.
MOST_REPEATED = 0.05
MOST_MODULES = 22


def code_lines(text: str) -> list[str]:
    """Lines of code, stripped: no docstrings, comments, blank lines and imports."""
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(text)):
        words = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.Import | ast.ImportFrom) or (
            words and isinstance(node.value.value, str)
        ):
            lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
    # A line of brackets only says nothing, so nothing twice.
    return [line.strip() for line in lines if re.search(r"\w", line)]


def runs(lines: list[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    for start in range(len(lines) - RUN + 1):
        yield start, tuple(lines[start : start + RUN])


def repeated(files: dict[str, list[str]]) -> dict[str, list[str]]:
    """Of each file, the lines in runs that stand in another file too."""
    owners = Counter(run for lines in files.values() for run in {run for _, run in runs(lines)})
    found = {}
    for name, lines in files.items():
        places = {start + k for start, run in runs(lines) if owners[run] > 1 for k in range(RUN)}
        found[name] = [lines[place] for place in sorted(places)]
    return found


def application_files() -> dict[str, list[str]]:
    paths = [PACKAGE / f"{name.replace('.', '/')}.py" for name in APPLICATIONS]
    return {path.stem: code_lines(path.read_text(encoding="utf-8")) for path in paths}


def test_lines_of_code_are_counted():
    text = '''"""Words."""
import os  # and this

class A:
    """Words
    in two lines."""

    #: A comment.
    b = 1  # "another"
    c = "# no comment"
'''
    assert code_lines(text) == ["class A:", "b = 1", 'c = "# no comment"']


def test_a_repeated_run_is_found():
    same = ["a = 1", "b = 2", "c = 3", "d = 4", "e = 5"]
    files = {"one": ["x", *same], "other": [*same, "y"], "third": same[:3]}
    assert repeated(files) == {"one": same, "other": same, "third": []}


def test_application_files_do_not_repeat_one_another():
    files = application_files()
    found = repeated(files)
    again, every = (sum(map(len, each.values())) for each in (found, files))
    worst = {name: len(lines) for name, lines in found.items() if lines}
    print(f"{again} of {every} lines of code ({again / every:.1%}) stand in another file: {worst}")
    assert again <= MOST_REPEATED * every, found


def test_no_folder_is_full():
    modules = Counter(path.parent for path in PACKAGE.rglob("*.py") if path.stem != "__init__")
    full = {str(k.relative_to(ROOT)): count for k, count in modules.items() if count > MOST_MODULES}
    assert not full


def test_the_size_of_the_package_is_told():
    texts = [path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))]
    lines, code = sum(len(t.splitlines()) for t in texts), sum(len(code_lines(t)) for t in texts)
    print(f"industry_apps: {lines} lines in {len(texts)} files, of which {code} of code")
    assert 0 < code < lines
