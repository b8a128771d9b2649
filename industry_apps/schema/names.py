"""Names of a record or a header beside those of the schema: what is not meant is not passed over.

A name that no column has is as a rule one of the many columns that a model does not read. It is
a slip where it all but equals a column that is absent.
"""

from __future__ import annotations

from collections.abc import Iterable

from industry_apps.errors import SchemaError
from industry_apps.schema.table import Schema

#: Names that differ by one edit are one name only if they are at least so long.
_SHORTEST = 4
#: Verdicts on unknown names that are kept.
_MOST_KEPT = 4096

_IGNORED = str.maketrans("", "", " _-\t\u00a0")


class Names:
    """Checks which columns a record, a table or a file has.

    Parameters
    ----------
    schema : Schema
        The columns that are read.
    answers_empty : bool
        Whether a record that holds nothing at all is answered.

    Examples
    --------
    >>> from industry_apps.schema import Column
    >>> names = Names(Schema((Column("history", "text", required=False),)), answers_empty=True)
    >>> names.check([])
    >>> names.check(["histroy"])
    Traceback (most recent call last):
        ...
    industry_apps.errors.SchemaError: Column 'histroy' is not known, and 'history' is absent. Did
    you mean 'history'? Rename it; or add 'history', as None where it is not known.
    """

    def __init__(self, schema: Schema, *, answers_empty: bool = False) -> None:
        self._known = frozenset(schema.names)
        self._order = schema.names
        self._answers_empty = answers_empty
        # Whoever lacks a required column is told so by the schema.
        self._has_required = any(column.required for column in schema)
        self._folded = {name: _folded(name) for name in schema.names}
        self._verdicts: dict[str, frozenset[str]] = {}

    def check(self, names: Iterable[object]) -> None:
        """Raise unless the names can be meant.

        Parameters
        ----------
        names : iterable of str
            Keys of a record, or names of the columns of a table.

        Raises
        ------
        SchemaError
            None of them is known, or one is all but a column that is absent.
        """
        have = set(names)
        absent = self._known - have
        if not absent:
            return
        unknown = have - self._known
        for name in sorted(name for name in unknown if isinstance(name, str)):
            meant = self._verdict(name) & absent
            if meant:
                near = min(meant)
                raise SchemaError(
                    f"Column {name!r} is not known, and {near!r} is absent. Did you mean {near!r}? "
                    f"Rename it; or add {near!r}, as None where it is not known."
                )
        if len(absent) < len(self._known) or self._has_required:
            return
        if have or not self._answers_empty:
            shown = ", ".join(map(repr, self._order[:10]))
            raise SchemaError(
                f"None of the columns is known: got {', '.join(sorted(map(repr, have)))[:200]}, "
                f"expected some of {shown}{', ...' if len(self._order) > 10 else ''}. Name the "
                "columns as the model does, in the first line of a CSV file, with commas between."
            )

    def _verdict(self, name: str) -> frozenset[str]:
        found = self._verdicts.get(name)
        if found is None:
            if len(self._verdicts) >= _MOST_KEPT:
                self._verdicts.clear()
            folded = _folded(name)
            found = frozenset(n for n, known in self._folded.items() if _near(folded, known))
            self._verdicts[name] = found
        return found


def _folded(name: str) -> str:
    return name.casefold().translate(_IGNORED)


def is_slip(name: str, known: str) -> bool:
    """Whether one name is all but another: but for case, blanks, ``_`` and ``-``, or by one edit.

    Examples
    --------
    >>> is_slip("North Shop", "north-shpo"), is_slip("P001", "P002")
    (True, False)
    """
    return _near(_folded(name), _folded(known))


def _near(name: str, known: str) -> bool:
    """Whether two folded names are equal, or differ by one edit or transposition.

    ``balance_1`` is not ``balance_2``, and of short names most differ by one letter only.
    """
    if name == known:
        return bool(name)
    if abs(len(name) - len(known)) > 1 or min(len(name), len(known)) < _SHORTEST - 1:
        return False
    start = next((n for n, (a, b) in enumerate(zip(name, known, strict=False)) if a != b), None)
    start = min(len(name), len(known)) if start is None else start
    ours, theirs = name[start:], known[start:]
    if ours[:2] == theirs[1::-1] and ours[2:] == theirs[2:] and len(ours) >= 2:  # transposed
        return not _changes_digits(ours[:2])
    if max(len(name), len(known)) < _SHORTEST:
        return False
    if len(ours) == len(theirs):
        return ours[1:] == theirs[1:] and not _changes_digits(ours[0] + theirs[0])
    longer, shorter = (ours, theirs) if len(ours) > len(theirs) else (theirs, ours)
    return longer[1:] == shorter and not _changes_digits(longer[0])


def _changes_digits(letters: str) -> bool:
    return any(map(str.isdigit, letters))
