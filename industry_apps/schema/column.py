"""One column of a business record: its kind, its limits, and the check of its values.

A record holds one value in most columns; in a list column it holds several, as a customer's
history or the items of a recommendation; an image is one value.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import IndustryAppsError, SchemaError
from industry_apps.schema.codes import without_texts
from industry_apps.schema.images import ImageForm, blank, to_images
from industry_apps.schema.limits import check_limits
from industry_apps.schema.notations import Notation, check_notation
from industry_apps.schema.sounds import check_rate, to_sounds
from industry_apps.schema.spellings import composed
from industry_apps.schema.values import (
    DTYPES,
    MISSING_TIME,
    Kind,
    UnfitError,
    is_empty,
    is_single,
    row_that_raises,
    shown,
    to_float,
    to_seconds,
    to_strings,
)

Role = Literal["feature", "identifier", "state", "history", "known"]

#: Kinds that enter a model as windows, by the role of the column.
_WINDOWED: dict[str, tuple[Kind, ...]] = {
    "history": ("number", "boolean"),
    "known": ("number", "boolean", "datetime"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a business record.

    Parameters
    ----------
    name : str
        Name in the frame and of the input of the exported file.
    kind : {"number", "category", "boolean", "datetime", "text", "image"}
        What the values are. A datetime enters the exported file as whole seconds since
        1970-01-01 UTC, a boolean as 0, 1 or NaN, a missing string as "", an image as uint8
        [height, width, channels] of any height and width; it cannot be missing.
    description, unit : str
        For people; of a datetime what its numbers are: seconds since 1970, or one of
        ``schema.time_units.TIME_UNITS``. Moments are in UTC.
    low, high : float, optional
        Inclusive limits of a number, or of the values of an image that has a window.
    categories : tuple of str
        When given, the only values allowed.
    nullable : bool
        May a value be missing (NaN, None, NaT, "")?
    required : bool
        Must the column be there? An optional column that is absent is all missing.
    role : {"feature", "identifier", "state", "history", "known"}
        Identifiers are never inputs of a model; state columns are computed from the
        stream of earlier records; history columns, of numbers or booleans, enter a model
        as windows of their latest steps; known columns, of which the future is known too
        (a price, a calendar), as windows that go on to the end of the forecast.
    protected : bool
        A protected attribute (sex, age, ...): never a feature unless asked for.
    size : int or None
        Values that a record holds in this column: 1, a fixed number of them, or None for a
        list of any length.
    channels : int or None
        Of images: how many each has, 1 for grey and 3 for RGB; None for any.
    window : (float, float) or None
        Of images of more than 8 bits: the values that become 0 and 255 before they enter the
        exported file, ``low`` and ``high`` being the least and largest that are accepted. None
        for images of 8 bits.
    shape : tuple of int or None
        Of numbers that a model answers: each value is an array of this shape, equal in all
        rows, as a map over an image is; None for any length. Empty for single values.
    listed : bool
        Whether even a single value is a list: of one, where ``size`` is 1. A size other than 1
        says so by itself.
    codes : tuple of float or str
        Of numbers and categories: values that stand for a missing one, each for a reason of its
        own, as -9 for "was not asked". They enter the file as they are, whatever the limits;
        what they mean is read there. Of numbers a text, as "?", is taken as missing at once.
    whole : bool
        Of numbers: only whole ones.
    least : int
        Of a list of any length: the fewest values, but for missing ones, of one that is given;
        it may be missing.
    tokens : tuple of str
        Of categories and texts: values that a CSV file else holds for missing, as "NA", which
        training had as values.
    offset : float, optional
        Of numbers whose last digits float32 would lose (:mod:`industry_apps.schema.offsets`): the
        file takes them in double precision, and computes in float32 with what is left of them.
    notation : {"", "smiles", "selfies"}
        Of texts that are molecules: what they are written in. A text of the other notation is
        refused.
    beside : str
        Of images: the column of images that have the same height and width in each row.
    rate : int, optional
        Of lists of numbers that are sound: samples a second (:mod:`industry_apps.schema.sounds`).

    Examples
    --------
    >>> Column("amount", "number", unit="EUR", low=0).to_array([12.5, None])
    array([12.5,  nan], dtype=float32)
    >>> Column("bought", "category", size=None).to_array([["A7", "B1"], None])
    array([['A7', 'B1'],
           ['', '']], dtype=object)
    """

    name: str
    kind: Kind
    description: str = ""
    _: KW_ONLY
    unit: str = ""
    low: float | None = None
    high: float | None = None
    categories: tuple[str, ...] = ()
    nullable: bool = True
    required: bool = True
    role: Role = "feature"
    protected: bool = False
    size: int | None = 1
    channels: int | None = None
    window: tuple[float, float] | None = None
    shape: tuple[int | None, ...] = ()
    listed: bool = False
    codes: tuple[float | str, ...] = ()
    whole: bool = False
    least: int = 0
    tokens: tuple[str, ...] = ()
    offset: float | None = None
    notation: Notation = ""
    beside: str = ""
    rate: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise SchemaError(f"A column is named {self.name!r}; expected a text. Rename it.")
        if self.kind not in get_args(Kind):
            raise SchemaError(
                f"Column {self.name!r} has kind {self.kind!r}; expected one of {get_args(Kind)}."
            )
        if self.role not in get_args(Role):
            raise SchemaError(
                f"Column {self.name!r} has role {self.role!r}; expected one of {get_args(Role)}."
            )
        if self.kind not in _WINDOWED.get(self.role, (self.kind,)):
            raise SchemaError(
                f"Column {self.name!r} of kind {self.kind!r} cannot have the role {self.role!r}, "
                f"which is for kinds {_WINDOWED[self.role]}. Declare it as a feature."
            )
        whole = isinstance(self.size, int) and not isinstance(self.size, bool)
        if self.size is not None and not (whole and self.size >= 1):
            raise SchemaError(
                f"Column {self.name!r} has size {self.size!r}; expected an int >= 1, or None for "
                "a list of any length."
            )
        if self.codes and self.kind not in ("number", "category"):
            raise SchemaError(
                f"Column {self.name!r} of kind {self.kind!r} has codes {self.codes!r}, which only "
                "numbers and categories have. Leave its missing values empty."
            )
        if self.offset is not None and (self.kind != "number" or self.is_list):
            raise SchemaError(f"Column {self.name!r} is no single number. Leave its offset out.")
        if self.notation not in get_args(Notation):
            raise SchemaError(
                f"Column {self.name!r} has notation {self.notation!r}; expected one of "
                f"{get_args(Notation)}."
            )
        if self.notation and self.kind != "text":
            raise SchemaError(
                f"Column {self.name!r} of kind {self.kind!r} has the notation {self.notation!r}, "
                "which only texts have. Leave it out, or declare a text."
            )
        check_rate(self)
        self._check_image()
        object.__setattr__(self, "categories", tuple(map(composed, self.categories)))

    @classmethod
    def probability(cls, name: str, description: str = "", **further: Any) -> Self:
        """A probability that is always answered: a number in [0, 1]."""
        return cls(name, "number", description, low=0, high=1, nullable=False, **further)

    @classmethod
    def label(cls, name: str, description: str = "") -> Self:
        """A yes or no that is known in training, and is no input."""
        return cls(name, "boolean", description, role="identifier", required=False)

    @property
    def is_list(self) -> bool:
        """Whether a record holds several values in this column: a list, or an array."""
        return self.listed or self.size != 1 or bool(self.shape)

    @property
    def dtype(self) -> type:
        """The numpy type of its arrays, and of the ONNX input."""
        return DTYPES[self.kind] if self.offset is None else np.float64

    @property
    def of_each(self) -> Self:
        """The column of the values of a list, one a row."""
        return replace(self, size=1, listed=False, rate=None)

    def in_lists(self, size: int) -> Self:
        """The same column with so many values a row: of one value, a list of one."""
        return replace(self, size=size, listed=size == 1)

    def to_array(self, values: Any) -> NDArray[Any]:
        """Check the values of this column and convert them to the dtype of the ONNX input.

        Parameters
        ----------
        values : sequence of shape [rows]
            A pandas Series, a numpy array or a list; of a list column a sequence for each
            row, or an array of shape [rows, values].

        Returns
        -------
        numpy.ndarray of shape [rows]
            Of a list column [rows, longest], at least one wide, with missing values behind
            the end of each list; of images [rows], of uint8 arrays [height, width, channels]
            that may differ in size; of arrays of numbers [rows, *shape].

        Raises
        ------
        SchemaError
            Names the column, the first offending row, its value, what was expected and
            what to do.
        """
        try:
            return self._array_of(values)
        except UnfitError as wrong:
            raise self.error(values, wrong.row, wrong.expected, wrong.remedy) from None
        except IndustryAppsError:
            raise
        except Exception as error:  # of a value of a class of somebody's own anything may come
            row = row_that_raises(values, self._array_of)
            raise self.error(values, row, f"a plain {self.kind}", "Convert it first.") from error

    def _array_of(self, values: Any) -> NDArray[Any]:
        if self.kind == "image":
            return to_images(values, ImageForm(self.channels, self.window, self.low, self.high))
        if self.rate is not None:
            return to_sounds(values, self.rate)
        if self.shape:
            return self._stacked(values)
        if self.is_list:
            return self._lists(values)
        array: NDArray[Any]
        if self.kind == "datetime":
            array = to_seconds(values, self.unit)
        elif self.kind in ("number", "boolean"):
            told = without_texts(self, values) if self.codes else values
            array = to_float(told, self.kind, self.dtype)
        else:
            array = to_strings(values, self.kind)
            check_notation(self.notation, array)
        check_limits(self, array, values)
        return array

    def missing(self, rows: int) -> NDArray[Any]:
        """An all-missing column in the dtype of the ONNX input: [rows], of lists [rows, size].

        Of images, which cannot be missing: black ones of one pixel.
        """
        if self.kind == "image":
            return blank(rows, self.channels)
        inner = tuple(length or 1 for length in self.shape)
        shape = (rows, *(inner or ((self.size or 1,) if self.is_list else ())))
        if self.kind == "datetime":
            return np.full(shape, MISSING_TIME, dtype=np.int64)
        if self.kind in ("category", "text"):
            return np.full(shape, "", dtype=np.object_)
        return np.full(shape, np.nan, dtype=self.dtype)

    def is_missing(self, array: NDArray[Any]) -> NDArray[np.bool_]:
        """Which rows of an array made by :meth:`to_array` hold no value -> [rows]."""
        if self.kind == "image":
            return np.zeros(len(array), dtype=np.bool_)
        if self.kind == "datetime":
            absent = array == MISSING_TIME
        elif self.kind in ("category", "text"):
            absent = array == ""
        else:
            absent = np.isnan(array)
        return absent if absent.ndim == 1 else absent.reshape(len(absent), -1).all(axis=1)

    def error(self, values: Any, row: int, expected: str, remedy: str) -> SchemaError:
        """Word the error for the value of one row."""
        found = values.iloc[row] if hasattr(values, "iloc") else values[row]
        value = shown(found.item() if issubclass(type(found), np.number) else found)
        if type(found) is np.ndarray:
            value = f"an array of shape {found.shape} and type {found.dtype}"
        value = value if len(value) <= 80 else f"{value[:60]}... ({len(value)} characters)"
        label = (
            f" (index {values.index[row]!r})"
            if hasattr(values, "index") and hasattr(values, "iloc") and values.index[row] != row
            else ""
        )
        return SchemaError(
            f"Column {self.name!r}, row {row}{label}: got {value}, expected {expected}. {remedy}"
        )

    def _lists(self, values: Any) -> NDArray[Any]:
        """Lists side by side, each value checked as that of a plain column."""
        rows = [self._list_of(value, values, row) for row, value in enumerate(values)]
        sizes = np.fromiter(map(len, rows), np.int64, len(rows))
        wrong = sizes == 0 if self.size is None else sizes != self.size
        if wrong.any() and (self.size is not None or not self.nullable):
            expected = "at least one value" if self.size is None else f"{self.size} values"
            expected = "one value" if self.size == 1 else expected
            raise self.error(values, int(wrong.argmax()), expected, "Correct the list.")
        # In a list of any length a missing value is one of them; a fixed place has to hold one.
        one = replace(self.of_each, nullable=self.nullable or self.size is None)
        try:
            flat = one.to_array([value for row in rows for value in row])
        except SchemaError:
            for number, row in enumerate(rows):  # which of them is it?
                try:
                    one.to_array(row)
                except SchemaError as error:
                    place = str(error).replace(", row ", f", row {number}, position ", 1)
                    raise SchemaError(place) from None
            raise
        width = self.size or max(1, int(sizes.max(initial=0)))
        made = one.missing(len(rows) * width).reshape(len(rows), width)
        made[np.arange(width) < sizes[:, None]] = flat
        return made

    def _stacked(self, values: Any) -> NDArray[Any]:
        """Arrays of numbers of one shape, checked as a plain column is."""
        single = replace(self, shape=())
        arrays = [np.asarray(value, dtype=np.float32) for value in values]
        for row, array in enumerate(arrays):
            fits = array.ndim == len(self.shape) and all(
                wanted in (None, found)
                for wanted, found in zip(self.shape, array.shape, strict=True)
            )
            if not fits or array.shape != arrays[0].shape:
                raise self.error(values, row, f"an array of shape {self.shape}", "Correct it.")
        if not arrays:
            return self.missing(0)
        made = np.stack(arrays)
        flat = made.reshape(len(made), -1)
        for extreme in (flat.min(axis=1), flat.max(axis=1)):
            check_limits(single, extreme, values)
        return made

    def _check_image(self) -> None:
        """Images have channels and are always there; arrays are of numbers."""
        channels = self.channels
        if self.kind != "image":
            of_images = channels is not None or self.window is not None
            if of_images or (self.shape and self.kind != "number"):
                raise SchemaError(
                    f"Column {self.name!r} of kind {self.kind!r} has channels, a window or a "
                    "shape, which are of images and of numbers. Leave them out."
                )
            return
        absent = not self.required and self.role != "identifier"  # which no model reads
        if self.nullable or absent or self.is_list:
            raise SchemaError(
                f"Column {self.name!r} is an image, of which each record has exactly one. Declare "
                "it with nullable=False."
            )
        if channels is not None and not (isinstance(channels, int) and channels >= 1):
            raise SchemaError(
                f"Column {self.name!r} has {channels!r} channels; expected an int >= 1, or None "
                "for any."
            )
        if self.window is not None and not self.window[0] < self.window[1]:
            raise SchemaError(
                f"Column {self.name!r} has the window {self.window!r}; expected two numbers, the "
                "first of which is the smaller one."
            )

    def _list_of(self, value: Any, values: Any, row: int) -> list[Any]:
        if is_single(value):
            if not is_empty(value):
                raise self.error(values, row, "a list of values", "Put the value into a list.")
            return [None] * self.size if self.size and self.nullable else []
        if self.least and sum(not is_empty(one) for one in value) < self.least:
            remedy = "Give None, or leave the column out, where nothing is to be said."
            fewest = "at least one value" if self.least == 1 else f"at least {self.least} values"
            raise self.error(values, row, fewest, remedy)
        return list(value)
