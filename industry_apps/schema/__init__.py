"""What a business record looks like: columns, their limits, and the check of a table."""

from __future__ import annotations

from industry_apps.schema.column import Column
from industry_apps.schema.table import Schema, Traits, infer_columns

__all__ = ["Column", "Schema", "Traits", "infer_columns"]
