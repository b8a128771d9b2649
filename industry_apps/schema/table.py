"""What a business record looks like: columns, their limits, and the check of a table.

The schema is the one source of truth about columns: it validates frames in training,
travels inside the exported file, and validates records on the serving machine. Hence it
needs numpy only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

from numpy.typing import NDArray

from industry_apps.errors import SchemaError, nearest
from industry_apps.schema.codes import without_codes
from industry_apps.schema.column import Column
from industry_apps.schema.notations import remedy_of
from industry_apps.schema.offsets import offset_of
from industry_apps.schema.spellings import tokens_of
from industry_apps.schema.values import Kind, are_single, is_missing, is_single, shown

#: How a column comes to be that the stream of earlier records tells.
_STREAM = (
    "It is computed from the stream of records: predict a table with --enrich in the shell, or "
    "add it with TransactionState.enrich, to one record with update."
)
#: A day or a moment as in ISO 8601.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?")


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a record, in order.

    Parameters
    ----------
    columns : tuple of Column

    Examples
    --------
    >>> schema = Schema((Column(name="amount", kind="number", unit="EUR", low=0),))
    >>> schema.to_arrays({"amount": [1.0, -2.0]})
    Traceback (most recent call last):
        ...
    industry_apps.errors.SchemaError: Column 'amount', row 1: got -2.0, expected a number >= 0
    EUR. Correct the value, or leave it missing if it is not known.
    """

    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        names = self.names
        for name in names:
            if names.count(name) > 1:
                raise SchemaError(
                    f"Column {name!r} is declared twice. Rename one of them, "
                    "or copy the column under a second name where it is two things."
                )

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def names(self) -> list[str]:
        """Names of all columns."""
        return [column.name for column in self.columns]

    def inputs(self) -> Schema:
        """The columns that a model sees: everything but identifiers."""
        return Schema(tuple(c for c in self.columns if c.role != "identifier"))

    def extended(self, columns: Sequence[Column]) -> Schema:
        """A schema with further columns at the end."""
        return Schema(self.columns + tuple(columns))

    def without(self, names: Sequence[str]) -> Schema:
        """A schema less some columns."""
        return Schema(tuple(c for c in self.columns if c.name not in names))

    def to_arrays(self, table: Any) -> Arrays:
        """Check a table and convert each column to the dtype of its ONNX input.

        Parameters
        ----------
        table : pandas.DataFrame or mapping of str to sequence
            Further columns are ignored.

        Returns
        -------
        Arrays
            {column: array of shape [rows]}.

        Raises
        ------
        SchemaError
            A column is missing, columns differ in length, or a value does not fit.
        """
        present = self.check_names(table)
        rows = _rows_of(table, present, {c.name for c in self.columns if c.is_list})
        arrays = Arrays(
            {
                column.name: column.to_array(table[column.name])
                if column.name in present
                else column.missing(rows)
                for column in self.columns
            }
        )
        self.check_sizes(arrays)
        return arrays

    def check_sizes(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Refuse images that are not of the size of those that they stand beside.

        Parameters
        ----------
        arrays : mapping of str to ndarray of shape [rows] or [rows, H, W, C]

        Raises
        ------
        SchemaError
            Names the column, the row and both sizes.
        """
        for column in self.columns:
            if not column.beside:
                continue
            pairs = zip(arrays[column.name], arrays[column.beside], strict=True)
            for row, (one, other) in enumerate(pairs):
                if one.shape[:2] != other.shape[:2]:
                    ours, theirs = (f"{each.shape[1]} x {each.shape[0]}" for each in (one, other))
                    raise SchemaError(
                        f"Column {column.name!r}, row {row}: got an image of {ours} pixels, "
                        f"expected the size of that in {column.beside!r}, {theirs}. Cut or scale "
                        "it to that size."
                    )

    def validate(self, table: Any) -> None:
        """Check a table; raises :class:`SchemaError` at the first value that does not fit."""
        self.to_arrays(table)

    def check_names(self, table: Any) -> list[str]:
        """Names of this schema that the table has; raises when a required one is absent."""
        have = list(table)
        for column in self.columns:
            if column.required and column.name not in have:
                text = [name for name in have if isinstance(name, str)]
                near = nearest(column.name, text)
                hint = f" Did you mean the column {near[0]!r}?" if near else ""
                remedy = "Add it, or map your name to it."
                if column.role == "state":
                    hint, remedy = "", _STREAM
                if other := remedy_of(column.notation, near[0] if near else ""):
                    hint, remedy = "", other
                told = f": {column.description}" if column.description else ""
                raise SchemaError(
                    f"Column {column.name!r} ({column.kind}) is missing{told}.{hint} {remedy} "
                    f"The table has: {', '.join(map(str, have)) or 'no columns'}."
                )
        for name in self.names:
            if have.count(name) > 1:
                raise SchemaError(f"Column {name!r} appears twice. Rename or drop one.")
        return [name for name in self.names if name in have]

    def as_trained(self, *tables: Any) -> Schema:
        """The same columns, as training has them.

        One that never lacked a value is required, and what a CSV file holds for missing is a
        value where it was one.

        Parameters
        ----------
        *tables : DataFrame
            What is learned from, the first of them the model. A column that one of them lacks
            need not be there.
        """
        return Schema(tuple(_as_trained(column, tables) for column in self.columns))

    def with_offsets(self, table: Any) -> Schema:
        """The same columns, those of numbers that need it with an offset; one that has it keeps it.

        Parameters
        ----------
        table : DataFrame
            What is learned from.
        """
        return Schema(tuple(_with_offset(column, table) for column in self.columns))

    def to_json(self) -> list[dict[str, Any]]:
        """The schema as plain JSON values, as written into the model file."""
        return [asdict(column) for column in self.columns]

    @classmethod
    def from_json(cls, columns: Sequence[Mapping[str, Any]]) -> Schema:
        """Read what :meth:`to_json` wrote; keys of later versions are ignored."""
        known = {field.name for field in fields(Column)}
        made = [Column(**{k: v for k, v in column.items() if k in known}) for column in columns]
        return cls(
            tuple(
                replace(
                    c,
                    categories=tuple(c.categories),
                    shape=tuple(c.shape),
                    codes=tuple(c.codes),
                    tokens=tuple(c.tokens),
                    window=c.window and (c.window[0], c.window[1]),
                )
                for c in made
            )
        )


class Arrays(dict[str, NDArray[Any]]):
    """Columns of a checked table, and what has been computed from them, which goes with them.

    One answer may need the same features several times: of the model, its points, its reasons.

    Attributes
    ----------
    computed : list
        Whatever whoever computes wants to find again.
    """

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        super().__init__(columns)
        self.computed: list[Any] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What an application can do; shared code and tests choose by these, never by name.

    Parameters
    ----------
    inputs : tuple of str
        Kinds of the columns it takes.
    streaming : bool
        Has state columns that a stream of records keeps up to date.
    explains : bool
        Each answer can be explained column by column.
    precisions : tuple of str
        What ``export(precision=...)`` takes.
    windows : bool
        Answers windows of series in a long table, one answer for each series; ``inputs`` are
        then the kinds of the columns beside those that say whose row it is, and of when.
    answers_empty : bool
        Answers a record that holds none of its columns, and asks for none of them: what is
        answered is not a row of what is learned from.
    """

    inputs: tuple[str, ...] = ()
    streaming: bool = False
    explains: bool = False
    precisions: tuple[str, ...] = ("float32",)
    windows: bool = False
    answers_empty: bool = False


def _as_trained(column: Column, tables: Sequence[Any]) -> Column:
    """A column, required where each table has a value of it in every row."""
    found = [column.to_array(t[column.name]) for t in tables if column.name in t and len(t)]
    there = len(found) == len(tables) and not any(column.is_missing(a).any() for a in found)
    tokens: tuple[str, ...] = ()
    if found and column.kind in ("category", "text"):
        tokens = tokens_of(set(found[0].ravel().tolist()))
    return replace(column, required=column.required or there, tokens=tokens)


def _with_offset(column: Column, table: Any) -> Column:
    single = column.kind == "number" and not column.is_list
    if not single or column.offset is not None or column.name not in table:
        return column
    # What lies outside its limits is refused where the column is read.
    free = replace(column, low=None, high=None, nullable=True, offset=0.0)
    numbers = without_codes(free, free.to_array(table[column.name]))
    return replace(column, offset=offset_of(numbers))


def _rows_of(table: Any, present: Sequence[str], lists: set[str]) -> int:
    """Count the rows of a table, whose columns must agree on them."""
    if hasattr(table, "columns"):
        return len(table)
    names = list(present or table)
    sizes = {name: _length(name, table[name]) for name in names if not is_single(table[name])}
    single = [name for name in names if name not in sizes]
    # In a record, a column of lists has one, too; what tells a record are the others.
    held = [name for name in sizes if name not in lists]
    is_record = len(single) > len(held) or {sizes[name] for name in held} == {1}
    if single and sizes and is_record:
        name = next((n for n in held or sizes if n in held or not are_single(table[n])), names[0])
        expected = "one value, as other columns have" if held else "a list of single values"
        raise SchemaError(
            f"Column {name!r}: got {shown(table[name]):.80}, expected {expected}. Take it out of "
            "its list, or give a list of rows in every column."
        )
    if single:
        raise SchemaError(
            f"Column {single[0]!r}: got {shown(table[single[0]]):.80}, expected one value a row. "
            "Give a list or an array as for the other columns."
        )
    if len(set(sizes.values())) > 1:
        raise SchemaError(f"The columns differ in length: {sizes}. Make them equal.")
    return next(iter(sizes.values()), 0)


def _length(name: str, values: Any) -> int:
    try:
        return len(values)
    except Exception as error:
        raise SchemaError(
            f"Column {name!r}: got {shown(values):.80}, which has no length; expected a list of "
            "values, or one value. Correct it."
        ) from error


def infer_columns(frame: Any, *, skip: Sequence[str] = ()) -> tuple[Column, ...]:
    """Describe the columns of a table that no schema names.

    Numbers, booleans and times are what their types say, and so are Python's decimal numbers and
    dates. Strings are times where all of them are written as in ISO 8601, as a CSV file holds
    times; texts where they run to four words and more and seldom repeat; and else categories. A
    column of codes or strings that never repeat is an identifier.

    Parameters
    ----------
    frame : pandas.DataFrame
    skip : sequence of str
        Columns that are described already.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"age": [41.5, 30.0], "country": ["DE", "DE"]})
    >>> [(column.name, column.kind) for column in infer_columns(frame)]
    [('age', 'number'), ('country', 'category')]
    """
    return tuple(
        _infer(name, frame.iloc[:, position])
        for position, name in enumerate(frame.columns)
        if name not in skip
    )


def _infer(name: str, values: Any) -> Column:
    kinds: dict[str, Kind] = {
        "b": "boolean",
        "i": "number",
        "u": "number",
        "f": "number",
        "M": "datetime",
    }
    kind = kinds.get(getattr(values.dtype, "kind", "O"))
    kind = kind or _kind_of_objects(values)
    if kind is None:
        values = Column(name=name, kind="category").to_array(values)
        kind = _kind_of(Counter(text for text in values.tolist() if text))
    coded = kind == "category" or values.dtype.kind in "iu"
    identifies = coded and len(values) > 100 and len(set(values.tolist())) == len(values)
    return Column(
        name=name, kind=kind, required=False, role="identifier" if identifies else "feature"
    )


def _kind_of_objects(values: Any) -> Kind | None:
    """Kind of Python's own decimal numbers and dates; None of all else."""
    every = values.tolist()
    if str in set(map(type, every)):
        return None
    kinds = {type(value) for value in every if not is_missing(value)}
    if Decimal in kinds and kinds <= {Decimal, int, float}:
        return "number"
    return "datetime" if kinds and all(issubclass(kind, date) for kind in kinds) else None


def _kind_of(known: Counter[str]) -> Kind:
    """Kind of strings, each with the number of its rows: what repeats is looked at once."""
    if known and all(map(_MOMENT.fullmatch, known)):
        return "datetime"
    rows = known.total()
    wordy = known and sum(len(text.split()) * count for text, count in known.items()) >= 4 * rows
    # Long names of few levels are categories still.
    return "text" if wordy and 10 * len(known) > rows else "category"
