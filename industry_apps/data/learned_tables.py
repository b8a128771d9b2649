"""The tables that a model has learned from, kept until its baselines have learned from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from industry_apps.data.datasets import Dataset
from industry_apps.data.hashing import frame_sha256
from industry_apps.data.splits import Split
from industry_apps.errors import LeakageError

Tables = tuple[pd.DataFrame, pd.DataFrame | None]

_PICKLED = (
    "No baselines: a pickle holds no training data, and none were learned before it was made. "
    "evaluate(split), with the split that the model has learned from, learns them."
)


class LearnedTables:
    """References to training and validation data, and what their content was.

    Parameters
    ----------
    train : DataFrame
    validation : DataFrame, optional
    """

    def __init__(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        self._kept: Tables | None = (train, validation)
        self._contents = _contents(train, validation)
        self._done = False

    @property
    def sha256(self) -> str:
        """Of the content of the training data."""
        return str(self._contents[0])

    def once(
        self,
        learn: Callable[[pd.DataFrame, pd.DataFrame | None], None],
        given: Dataset | Split | None,
    ) -> tuple[str, ...]:
        """Learn from the tables the first time; later calls do nothing.

        Parameters
        ----------
        learn : callable
            Takes the training data and, where there were some, the validation data.
        given : Dataset or Split, optional
            Whose training and validation parts are taken where the kept tables are gone or have
            changed, if they are equal to those.

        Returns
        -------
        tuple of str
            What a reader has to know: nothing, or why there are no baselines.

        Raises
        ------
        LeakageError
            A table has changed since.
        """
        if self._done:
            return ()
        offered: Tables | None = None
        if given is not None:
            offered = (given.train, given.validation if len(given.validation) else None)
        for tables in (self._kept, offered):
            if tables is not None and _contents(*tables) == self._contents:
                learn(*tables)
                self._done, self._kept = True, None
                return ()
        if self._kept is None:
            return (_PICKLED,)
        raise LeakageError(
            "The training or validation data have changed since fit, and baselines would learn "
            "from other rows than the model. Give evaluate the Split that it has learned from, or "
            "call fit again."
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": None}


def _contents(*tables: pd.DataFrame | None) -> tuple[str | None, ...]:
    return tuple(None if table is None else frame_sha256(table) for table in tables)
