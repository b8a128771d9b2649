"""Records that came one by one, answered in one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.runtime.answers import of_one
from industry_apps.runtime.inputs import Feeds
from industry_apps.runtime.model import Model
from industry_apps.runtime.records import Plain
from industry_apps.schema import Schema

#: One record that was checked: its values by type, or the feeds of a session.
Asked = Plain | Feeds


class RecordBatches:
    """Checks records one by one, and answers several of them in one run of the session.

    Parameters
    ----------
    model : Model
        One that answers records.

    Examples
    --------
    >>> batches = RecordBatches(Model("finance.credit_scoring.scorecard", threads=1))
    >>> typical = batches.model.metadata["self_test"]["records"][:3]
    >>> asked = [batches.read(record) for record in typical]
    >>> batches.run(asked) == [batches.model.predict(record) for record in typical]
    True
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._reader = model._read_record
        self._outputs = list(model.outputs)
        self._single = [c.kind != "image" and not c.is_list for c in self._outputs]

    @property
    def output_shapes(self) -> dict[str, tuple[int, ...]]:
        """Output -> its dimensions in the graph, that of the rows first; -1 for any length."""
        return {
            each.name: tuple(n if type(n) is int else -1 for n in each.shape)
            for each in self.model._session.get_outputs()
        }

    @property
    def table_schema(self) -> Schema:
        """The columns of a table that is answered: raw ones, and of windows the long table's."""
        completion = self.model.completion
        return self.model._table if completion is None else completion.schema

    def read(self, record: Mapping[str, Any]) -> Asked:
        """Check one record.

        Parameters
        ----------
        record : mapping
            Of single values, lists and images, as the schema has them.

        Raises
        ------
        SchemaError
            Names the column, value, expectation and remedy.
        """
        if self.model.completion is not None:
            record = self.model.completion.of_record(record)
        plain = self._reader.plain(record)
        return self._reader(record) if plain is None else plain

    def run(self, asked: Sequence[Asked]) -> list[dict[str, Any]]:
        """Answer records; those of the usual types in one run.

        Parameters
        ----------
        asked : sequence
            Made by :meth:`read`.

        Returns
        -------
        list of dict
            As of :meth:`Model.predict`, in the same order.
        """
        if len(asked) == 1:
            return [self._alone(asked[0])]
        plain = [each for each in asked if isinstance(each, Plain)]
        together = iter(self._together(plain) if len(plain) > 1 else map(self._alone, plain))
        return [next(together) if isinstance(e, Plain) else self._alone(e) for e in asked]

    def one_by_one(self, asked: Sequence[Asked]) -> list[dict[str, Any]]:
        """Answer records, each in a run of its own."""
        return [self._alone(each) for each in asked]

    def _alone(self, asked: Asked) -> dict[str, Any]:
        model = self.model
        if isinstance(asked, Plain):
            found = model._one.run(asked)
        else:
            found = model._session.run(model._output_names, asked)
        return {c.name: of_one(c, answer) for c, answer in zip(self._outputs, found, strict=True)}

    def _together(self, plain: Sequence[Plain]) -> list[dict[str, Any]]:
        reader, rows = self._reader, len(plain)
        feeds: Feeds = {}
        for names, values, dtype in (
            (reader.floats, [each.floats for each in plain], np.float32),
            (reader.texts, [each.texts for each in plain], np.object_),
            (reader.moments, [each.moments for each in plain], np.int64),
            (reader.doubles, [each.doubles for each in plain], np.float64),
        ):
            if names:
                feeds |= dict(zip(names, _columns(values, dtype, rows), strict=True))
        found = self.model._session.run(self.model._output_names, feeds)
        columns = [
            answer.reshape(-1).tolist()
            if single
            else [of_one(column, answer[row : row + 1]) for row in range(rows)]
            for column, answer, single in zip(self._outputs, found, self._single, strict=True)
        ]
        names = self.model._output_names
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _columns(values: Sequence[Sequence[Any]], dtype: type, rows: int) -> NDArray[Any]:
    """Values of records -> those of each column, [columns, rows, 1]."""
    found: NDArray[Any] = np.ascontiguousarray(np.array(values, dtype=dtype).T)
    if dtype in (np.float32, np.float64):
        found += 0  # -0 is 0, as in a table
    return found.reshape(-1, rows, 1)
