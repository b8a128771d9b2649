"""What each column adds to an answer, against a stated reference.

A file that names reasons holds the contributions that they are read from; an explanation reads
the same ones. Of every other file a column is replaced by its reference value, and the answers
are compared; where records have parts (:mod:`industry_apps.runtime.parts`), a part is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from industry_apps.errors import ParameterError
from industry_apps.runtime.answers import widened
from industry_apps.runtime.inputs import Feeds, run_in_slices
from industry_apps.runtime.parts import PARTS, PartsExplainer
from industry_apps.schema import Schema

#: The output of a graph that holds them, float32 [batch, columns]; no answer has such a name.
CONTRIBUTIONS = "/contributions"

#: What :meth:`Explainer.facts` says of a file that holds no contributions.
_BY_REPLACEMENT = {
    "method": "The answer less the answer with the column replaced by its reference value.",
    "reference": "the median or most frequent value of the records that parity was proven on",
}


class Explainer:
    """Explains the answers of one model file.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
    schema, outputs : Schema
        Inputs of the graph, and its answers.
    stated : mapping or None
        Of the metadata: ``columns``, ``method``, ``reference`` and ``unit`` of the contributions
        that the graph answers; None where it answers none.
    reference : dict of str to ndarray of shape [1, values]
        The reference values of all columns.
    """

    def __init__(
        self,
        session: ort.InferenceSession,
        schema: Schema,
        outputs: Schema,
        stated: Mapping[str, Any] | None,
        reference: Feeds,
    ) -> None:
        self._session, self._schema, self._stated = session, schema, stated
        self._reference = reference
        self._told = [c.name for c in outputs if c.kind == "number" and not c.is_list]
        further = stated["columns"] if stated else []
        #: What contributes: the columns that the file reads, then numbers derived from them.
        self.columns = list(dict.fromkeys([*schema.names, *further]))
        self._places = list(map(self.columns.index, further))

    def check(self, name: str) -> None:
        """Raise :class:`ParameterError` where the answers are not explained column by column.

        Parameters
        ----------
        name : str
            Of the file.
        """
        if any(column.kind == "image" or column.rate is not None for column in self._schema):
            raise ParameterError(
                f"{name} answers from images or recordings, which are not explained column by "
                "column. Look at the map among its answers, where it has one."
            )
        if self._stated is None and not self._told:
            raise ParameterError(
                f"{name} answers with no single number, so columns contribute to "
                "nothing that could be added up. Compare predict() with and without a change."
            )

    @property
    def facts(self) -> dict[str, str]:
        """Method, reference and unit of the contributions, in words."""
        if self._stated is None:
            return {**_BY_REPLACEMENT, "unit": self._told[0]} if self._told else {}
        return {key: self._stated[key] for key in ("method", "reference", "unit")}

    def contributions(self, feeds: Feeds) -> NDArray[np.float32]:
        """Feeds of some records -> what each of :attr:`columns` adds, [rows, columns]."""
        rows = len(next(iter(feeds.values())))
        if not rows:
            return np.zeros((0, len(self.columns)), np.float32)
        if self._stated is not None:
            (found,) = run_in_slices(self._session, [CONTRIBUTIONS], feeds, self._schema)
            made = np.zeros((len(found), len(self.columns)), np.float32)
            made[:, self._places] = found
            return made
        made = np.zeros((rows, len(feeds)), np.float32)
        for row in range(len(made)):
            made[row] = self._replaced({n: array[row : row + 1] for n, array in feeds.items()})
        return made

    def explained(self, data: Any, feeds: Feeds) -> Any:
        """Contributions in the form of the data: of each record a dict, the largest first.

        Parameters
        ----------
        data : dict, DataFrame, or another table
        feeds : dict of str to ndarray of shape [rows, values]
            The data, checked.
        """
        found = self.contributions(feeds)
        if hasattr(data, "iloc"):
            import pandas as pd

            return pd.DataFrame(found.astype(np.float64), index=data.index, columns=self.columns)
        return [
            dict(sorted(zip(self.columns, row, strict=True), key=lambda each: -abs(each[1])))
            for row in found.tolist()
        ]

    def _replaced(self, feeds: Feeds) -> NDArray[np.float32]:
        """The answer less those with one column replaced, in one run -> [columns]."""
        rows = len(feeds) + 1
        batch = {}
        for row, name in enumerate(self._schema.names, start=1):
            array = feeds[name]
            empty = self._schema[name].missing(1).ravel()[0]
            width = max(array.shape[1], self._reference[name].shape[1])
            batch[name] = np.repeat(widened(array, width, empty), rows, axis=0)
            batch[name][row] = widened(self._reference[name], width, empty)[0]
        answer: NDArray[np.float32] = self._session.run(self._told[:1], batch)[0].reshape(rows)
        return answer[0] - answer[1:]


def outputs_of(metadata: Mapping[str, Any]) -> set[str]:
    """Outputs of the graph that the explanation of a file reads."""
    stated = metadata.get("explanation")
    if stated is None:
        return set()
    return {PARTS, *stated["answers"]} if "part" in stated else {CONTRIBUTIONS}


def explainer_of(
    session: ort.InferenceSession,
    schema: Schema,
    outputs: Schema,
    metadata: Mapping[str, Any],
    reference: Feeds,
) -> Explainer | PartsExplainer:
    """What explains the answers of a file, as its metadata say.

    Parameters
    ----------
    session, schema, outputs, reference
        As of :class:`Explainer`.
    metadata : mapping

    Raises
    ------
    ValueError
        The graph lacks what they say.
    """
    stated = metadata.get("explanation")
    if stated is not None and "part" in stated:
        answers = [c.name for c in outputs if c.kind == "number" and not c.is_list]
        if not stated["answers"] or not set(stated["answers"]) <= set(answers):
            raise ValueError(f"explained are {stated['answers']}, expected some of {answers}")
        return PartsExplainer(session, schema, stated, metadata.get("rows_a_run"))
    return Explainer(session, schema, outputs, stated, reference)
