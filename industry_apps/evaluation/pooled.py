"""Answers of several folds, judged as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from industry_apps.evaluation.intervals import BootstrapResult

__all__ = ["Pooled"]


class Pooled(Protocol):
    """Answers that can be put beside those of other folds, and judged together.

    Where a class is rare, the figures of single folds say little and their mean says no more: the
    answers of all folds, each by the model that has not learned from the record, are judged as one.
    """

    def joined(self, others: Sequence[Any]) -> Pooled:
        """These answers and others, of other records."""

    def bootstrap(self) -> BootstrapResult:
        """All metrics, with their resamples."""
