"""Serves with one process, or with several that share a socket."""

from __future__ import annotations

from collections.abc import Mapping

from industry_apps.serving.served import Served
from industry_apps.serving.server import Binding, run
from industry_apps.serving.settings import Settings


def serve_with(
    models: Mapping[str, str], settings: Settings, binding: Binding, workers: int = 1
) -> None:
    """Serve until a signal ends it.

    Parameters
    ----------
    models : mapping of str to str
        Name -> place.
    settings : Settings
    binding : Binding
    workers : int
    """
    run(Served(models, settings), binding)
