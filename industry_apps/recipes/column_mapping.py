"""Tables whose columns have names of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from industry_apps.errors import ParameterError, unknown_name
from industry_apps.schema import Column, Schema


@dataclass(kw_only=True, eq=False, repr=False)
class OwnNames:
    """A mixin of applications whose parameter ``columns`` says what the data call their columns.

    It maps names of the class to names in the data; what it does not name is called alike.
    """

    schema: ClassVar[Schema]
    columns: Mapping[str, str] | None = None

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
        Name in the schema -> theirs. One of theirs may be two of the schema, of one kind: a
        limit that is the amount, too.
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
    found: list[Column] = []
    for column in schema:
        own = replace(column, name=mine.get(column.name, column.name))
        shared = [c for c in found if c.name == own.name and _share(c, own)]
        if shared:
            found[found.index(shared[0])] = _in_two_roles(shared[0], own)
        else:
            found.append(own)
    return Schema(tuple(found))


def _share(first: Column, second: Column) -> bool:
    """Whether one column may be both: of one kind, and none of them a label or a target."""
    keys = ("category", "datetime")
    told = all(c.role != "identifier" or c.kind in keys for c in (first, second))
    roles = {first.role, second.role} - {"identifier"}
    return told and first.kind == second.kind and len(roles) <= 1


def _in_two_roles(first: Column, second: Column) -> Column:
    """One column in two roles: what a model may see counts, as do both limits."""
    told = second if first.role == "identifier" else first
    lows, highs = ([c for c in ends if c is not None] for ends in _ends(first, second))
    return replace(
        told,
        low=max(lows, default=None),
        high=min(highs, default=None),
        required=first.required or second.required,
        nullable=first.nullable and second.nullable,
        protected=first.protected or second.protected,
    )


def _ends(first: Column, second: Column) -> tuple[list[float | None], list[float | None]]:
    return [first.low, second.low], [first.high, second.high]
