"""Tables whose columns have names of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from industry_apps.errors import ParameterError, unknown_name
from industry_apps.schema import Schema


class OwnNames:
    """A mixin of applications whose parameter ``columns`` says what the data call their columns.

    It maps names of the class to names in the data; what it does not name is called alike.
    """

    schema: ClassVar[Schema]
    columns: Mapping[str, str] | None

    def _name(self, ours: str) -> str:
        return (self.columns or {}).get(ours, ours)

    def _own_schema(self) -> Schema:
        return under_names(self.schema, self.columns, type(self).__name__)


def under_names(schema: Schema, names: Mapping[str, str] | None, owner: str) -> Schema:
    """A schema whose columns have somebody's names.

    Parameters
    ----------
    schema : Schema
    names : mapping of str to str, optional
        Name in the schema -> theirs.
    owner : str
        Whose parameter 'columns' it is, for the error.

    Raises
    ------
    ParameterError
        The schema has no such column; names the nearest.
    """
    for key in names or {}:
        if key not in schema:
            raise ParameterError(
                f"The 'columns' parameter of {owner} maps names of this class to yours. "
                f"{unknown_name('column', key, schema.names)}"
            )
    mine = names or {}
    return Schema(tuple(replace(c, name=mine.get(c.name, c.name)) for c in schema))
