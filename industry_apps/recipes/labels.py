"""Labels of which one means yes: true and false, or words of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, SchemaError, unknown_name
from industry_apps.limits import Limit
from industry_apps.recipes.column_mapping import OwnNames
from industry_apps.schema import Column, Schema

#: What may mean yes: a text, a number, a truth value.
LABEL = Limit(
    lambda v: isinstance(v, str | int | float) and str(v) not in ("", "nan"),
    "a value of the label, such as 'Bad' or 2",
)
Label = str | int | float
_TRUTH = ("true", "false")
#: What an error says of labels that are none of these.
TWO_LABELS = (
    "Where the labels are two values of your own, name the one that means yes with 'positive' "
    "(--set positive=LABEL in the shell)."
)


@dataclass(frozen=True, slots=True)
class Labels:
    """A column of labels, and which of its values mean yes and no.

    Parameters
    ----------
    column : str
    positive : str
        The value that means yes, as text; without it labels are true or false, 1 or 0.
    negative : str
        The one that means no; without it, it is the only other value of a table.
    several : bool
        All other values mean no.

    Examples
    --------
    >>> paid = pd.DataFrame({"risk": ["good", "bad", "good"]})
    >>> Labels.learned("risk", "bad", paid).read(paid).tolist()
    [False, True, False]
    """

    column: str
    positive: str = ""
    negative: str = ""
    several: bool = False

    @classmethod
    def learned(
        cls, column: str, positive: Label | None, frame: pd.DataFrame, *, several: bool = False
    ) -> Labels:
        """Find what means no.

        Parameters
        ----------
        column : str
        positive : str, int or float, optional
            The value that means yes.
        frame : DataFrame
            Training data.
        several : bool
            All other values mean no.

        Raises
        ------
        ParameterError
            No label is that value.
        SchemaError
            A label is missing, another spelling of that value, or one too many.
        """
        if positive is None:
            return cls(column)
        yes = Column(column, "category").to_array([positive])[0]
        if _decided(frame.get(column), positive):
            return cls(column, yes, several=several)
        texts = _texts(column, frame)
        others = sorted({*texts.tolist()} - {yes})
        if yes not in texts:
            raise ParameterError(
                f"The 'positive' parameter is {positive!r}, which no row of column {column!r} "
                f"holds. {unknown_name('label', yes, others)}"
            )
        found = cls(column, yes, "" if several else "".join(others[:1]), several)
        found.read(frame)  # another spelling, or a third value, is an error
        return found

    def read(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Whether the label of each row means yes, of shape [rows].

        Raises
        ------
        SchemaError
            A label is missing, another spelling of the positive one, or none of the two.
        """
        if not self.positive or _decided(frame.get(self.column), self.positive):
            label = Column(self.column, "boolean", nullable=False)
            Schema((label,)).check_names(frame)
            try:
                return label.to_array(frame[self.column]) > 0
            except SchemaError as error:
                raise SchemaError(f"{error} {TWO_LABELS}") from None
        texts = _texts(self.column, frame)
        is_yes = np.asarray(texts == self.positive, dtype=np.bool_)
        column, yes = Column(self.column, "category"), self.positive.strip().casefold()
        spelled = ~is_yes & np.array([text.strip().casefold() == yes for text in texts], dtype=bool)
        if spelled.any():
            raise column.error(
                frame[self.column],
                int(spelled.argmax()),
                f"{self.positive!r}, as 'positive' says, or another word for what does not mean it",
                "Write both alike.",
            )
        no = self.negative or next(iter(texts[~is_yes]), "")
        wrong = ~is_yes & (texts != no)
        if wrong.any() and not self.several:
            raise column.error(
                frame[self.column],
                int(wrong.argmax()),
                f"one of two labels, {self.positive!r} or {no!r}",
                "Drop the rows with a third one, or make one of two labels of them.",
            )
        return is_yes


def _texts(column: str, frame: pd.DataFrame) -> NDArray[np.object_]:
    label = Column(column, "category", nullable=False)
    return Schema((label,)).to_arrays(frame)[column]


def _decided(values: pd.Series | None, positive: Label) -> bool:
    """Whether labels are truth values already, and the positive one is a word of before."""
    is_truth = values is not None and values.dtype.kind == "b"
    return is_truth and str(positive).lower() not in _TRUTH


@dataclass(kw_only=True, eq=False, repr=False)
class OwnLabels(OwnNames):
    """A mixin of applications whose label may be of any two values.

    ``label`` is the name of the label in the schema; the parameter ``positive`` says which value
    means yes, where it is not true or 1. Where ``several_negatives``, all others mean no.
    """

    label: ClassVar[str]
    several_negatives: ClassVar[bool] = False
    positive: Annotated[Label, LABEL] | None = None

    def labels_of(self, frame: pd.DataFrame) -> Labels:
        """How the labels of a table are read.

        Parameters
        ----------
        frame : DataFrame

        Raises
        ------
        SchemaError, ParameterError
        """
        name, several = self._name(self.label), self.several_negatives
        return Labels.learned(name, self.positive, frame, several=several)

    def with_truth(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A table whose labels, if it has any, are true or false; missing where not yet known.

        Parameters
        ----------
        frame : DataFrame
        """
        name = self._name(self.label)
        if self.positive is None or name not in frame or _decided(frame[name], self.positive):
            return frame
        yes, *texts = Column(name, "category").to_array([self.positive, *frame[name]])
        truth = [None if text == "" else text == yes for text in texts]
        known = pd.Series(truth, index=frame.index, dtype=object)
        return frame.assign(**{name: known if known.isna().any() else known.astype(bool)})

    def label_columns(self) -> list[Column]:
        """The columns of the application under the user's names, the label of its own kind."""
        name = self._name(self.label)
        own = self._own_schema()
        if self.positive is None:
            return list(own)
        return [Column(name, "category", role="identifier") if c.name == name else c for c in own]
