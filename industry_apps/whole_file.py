"""Files that are whole or not there: written aside, then renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a name to write to; it becomes `path` when the block ends well, else vanishes.

    Parameters
    ----------
    path : Path
        Its folder is made where it is missing.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "notes.txt"
    >>> with whole_file(path) as aside:
    ...     size = aside.write_text("all of it")
    >>> path.read_text()
    'all of it'
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{uuid4().hex}.{path.name}")  # other writers have other names
    try:
        yield aside
        with aside.open("rb+") as file:
            os.fsync(file.fileno())  # the content must not reach the disk after its name
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
