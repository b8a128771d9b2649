"""What each part of a record adds to the answers: each atom of a molecule.

The graph of such a file has an output that names the parts of each record, and an input that a
plain run leaves out: the place of a part to leave out of each record. A part adds the answer less
the answer without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime as ort

from industry_apps.runtime.inputs import Feeds, run_in_slices
from industry_apps.schema import Schema

#: The output that names the parts: string [batch, parts], "" behind the last.
PARTS = "/parts"
#: The input that may be left out: int64 [batch, 1], the place of a part from 0, or ``NONE``.
LEFT_OUT, NONE = "/left_out", -1
#: The column of the names of the parts, as an explanation calls it.
SYMBOL = "symbol"


class PartsExplainer:
    """Explains the answers of one model file by the parts of a record.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
    schema : Schema
        Inputs of the graph; the first column is the one that has parts.
    stated : mapping
        Of the metadata: ``part`` (what a part is), ``answers`` (those that are explained),
        ``method``, ``reference`` and ``unit``.
    rows_a_run : int, optional
        Rows that one run may hold.
    """

    def __init__(
        self,
        session: ort.InferenceSession,
        schema: Schema,
        stated: Mapping[str, Any],
        rows_a_run: int | None,
    ) -> None:
        self._session, self._schema, self._stated = session, schema, stated
        self._rows_a_run = rows_a_run
        #: Outputs of the graph that are needed.
        self.asked = [PARTS, *stated["answers"]]
        if LEFT_OUT not in {each.name for each in session.get_overridable_initializers()}:
            raise ValueError(f"its graph has no input {LEFT_OUT!r}, which its explanation needs")

    def check(self, name: str) -> None:
        """As of a file that is explained column by column: nothing is amiss here."""

    @property
    def facts(self) -> dict[str, str]:
        """Method, reference and unit of the contributions, in words."""
        return {key: self._stated[key] for key in ("method", "reference", "unit")}

    def explained(self, data: Any, feeds: Feeds) -> Any:
        """What each part adds, of each record a dict of equally long lists.

        Parameters
        ----------
        data : dict, DataFrame, or another table
        feeds : dict of str to ndarray of shape [rows, 1]
            The data, checked.

        Returns
        -------
        list of dict, or DataFrame
            ``symbol``, and what is added to each answer. Of a DataFrame one with a row for each
            part, on the index of the data and the place of the part.

        Raises
        ------
        SchemaError
            A record has no parts.
        """
        rows = len(feeds[self._schema.names[0]])
        found = [self._of_one(feeds, row) for row in range(rows)]
        if not hasattr(data, "iloc"):
            return found
        import pandas as pd

        counts = [len(each[SYMBOL]) for each in found]
        places = [place for count in counts for place in range(count)]
        names = [*data.index.names, self._stated["part"]]
        levels = [data.index.get_level_values(n).repeat(counts) for n in range(data.index.nlevels)]
        return pd.DataFrame(
            {n: [x for each in found for x in each[n]] for n in (SYMBOL, *self._stated["answers"])},
            index=pd.MultiIndex.from_arrays([*levels, places], names=names),
        )

    def _of_one(self, feeds: Feeds, row: int) -> dict[str, list[Any]]:
        one = {name: array[row : row + 1] for name, array in feeds.items()}
        names, *whole = self._session.run(self.asked, one)
        symbols = [symbol for symbol in names[0].tolist() if symbol]
        if not symbols:
            column = next(iter(self._schema))
            expected = f"a {column.kind} whose {self._stated['part']}s can be read"
            values = feeds[column.name][:, 0].tolist()
            raise column.error(values, row, expected, "Correct it, or leave the record out.")
        batch = {name: np.repeat(array, len(symbols), axis=0) for name, array in one.items()}
        batch[LEFT_OUT] = np.arange(len(symbols))[:, None]
        without = run_in_slices(
            self._session, self.asked[1:], batch, self._schema, self._rows_a_run
        )
        added = [(w - rest)[:, 0].tolist() for w, rest in zip(whole, without, strict=True)]
        return {SYMBOL: symbols, **dict(zip(self._stated["answers"], added, strict=True))}
