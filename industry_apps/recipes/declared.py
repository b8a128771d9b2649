"""What people say of columns that their values do not tell: names, and codes of what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from industry_apps.errors import ParameterError, unknown_name
from industry_apps.limits import Limit, is_number
from industry_apps.schema import Column

Code = str | float
Codes = tuple[Code, ...]


def _are_codes(value: object) -> bool:
    return isinstance(value, tuple | list) and all(
        (isinstance(each, str) and each) or is_number(each) for each in value
    )


#: Codes of missing values: for all columns, or by column.
CODES = Limit(
    lambda v: (
        _are_codes(v)
        or (
            isinstance(v, Mapping)
            and all(isinstance(name, str) and _are_codes(each) for name, each in v.items())
        )
    ),
    "a tuple of numbers and texts, such as ('?', -9), or a mapping of columns to such tuples",
)


def as_declared(
    columns: Iterable[Column],
    frame: pd.DataFrame,
    *,
    categories: Sequence[str] = (),
    missing: Codes | Mapping[str, Codes] = (),
) -> list[Column]:
    """Columns of which some hold names, whatever their values look like, and some hold codes.

    Parameters
    ----------
    columns : iterable of Column
        As their values tell.
    frame : DataFrame
        Training data.
    categories : sequence of str
        Columns of which numbers are names.
    missing : tuple, or mapping of str to tuple
        Values that stand for a missing one: in all columns, or by column.

    Raises
    ------
    ParameterError
        There is no such column, or it cannot hold such a code.
    """
    by_column = missing if isinstance(missing, Mapping) else {}
    for name in (*categories, *by_column):
        if name not in frame:
            raise ParameterError(str(unknown_name("column", name, map(str, frame.columns))))
    found = []
    for each in columns:
        column = _as_category(each) if each.name in categories else each
        codes = by_column.get(column.name, () if isinstance(missing, Mapping) else missing)
        if codes and column.name in frame and column.role == "feature":
            asked = column.name in by_column
            named = column.name in categories
            column = _with_codes(column, frame[column.name], codes, asked=asked, named=named)
        found.append(column)
    return found


def _as_category(column: Column) -> Column:
    role = "feature" if column.role == "identifier" else column.role
    return replace(column, kind="category", role=role, low=None, high=None, unit="")


def _with_codes(
    column: Column, values: pd.Series, codes: Codes, *, asked: bool, named: bool
) -> Column:
    texts = {str(code) for code in codes if isinstance(code, str)}
    if column.kind == "category" and not (named or column.categories):
        column = _as_number(column, values, texts)
    if column.kind == "number":
        known = tuple(dict.fromkeys(_number(code) for code in codes))
        words = [code for code in known if isinstance(code, str)]
        if asked and len(words) > 1:
            raise ParameterError(
                f"The 'missing' parameter has several texts {words} for the column of numbers "
                f"{column.name!r}, which would become one. Write numbers, such as -8 and -9, in "
                "their place, or name the column in 'categories'."
            )
        return replace(column, codes=known)
    if column.kind == "category":
        names = Column(column.name, "category").to_array(list(codes))
        present = {*Column(column.name, "category").to_array(values).tolist()}
        kept = tuple(str(name) for name in names if asked or name in present)
        return replace(column, codes=kept)
    if asked:
        raise ParameterError(
            f"The 'missing' parameter has codes for column {column.name!r}, a {column.kind}; "
            "expected numbers or categories. Leave its missing values empty."
        )
    return column


def _as_number(column: Column, values: pd.Series, texts: set[str]) -> Column:
    """A column of numbers, where only the codes made texts of them."""
    rest = values[~values.isin(texts)].dropna()
    if not texts or len(rest) == len(values.dropna()) or not len(rest):
        return column
    if pd.to_numeric(rest, errors="coerce").isna().any():
        return column
    return replace(column, kind="number", role="feature")


def _number(code: Code) -> Code:
    try:
        return float(code)
    except ValueError:
        return code
