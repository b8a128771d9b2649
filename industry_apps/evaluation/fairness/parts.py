"""Which rows belong to which group of an attribute; small groups are one."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import SchemaError

__all__ = ["MISSING", "OTHER", "group_parts"]

MISSING, OTHER = "missing", "other (few rows)"


def group_parts(
    attribute: str, found: pd.Categorical, fewest_rows: int
) -> tuple[dict[str, NDArray[np.bool_]], dict[str, int]]:
    """Return which rows each group holds, and the groups that were pooled with their rows.

    Parameters
    ----------
    attribute : str
        For the error.
    found : pandas.Categorical
        Label of the group of each row.
    fewest_rows : int
        Smaller groups are pooled.

    Raises
    ------
    SchemaError
        There is one group only.
    """
    names = np.array([*(str(label) or MISSING for label in found.categories), MISSING], object)
    labels = names[found.codes]  # a row without a label has the code -1
    rows = {group: int((labels == group).sum()) for group in dict.fromkeys(names)}
    rows = {group: count for group, count in rows.items() if count}
    if len(rows) < 2:
        raise SchemaError(
            f"Attribute {attribute!r} has the single group {labels[0]!r} in all {len(labels)} "
            "rows: there is nothing to compare. Leave it out of groups, or pass more rows."
        )
    pooled = {group: count for group, count in rows.items() if count < fewest_rows}
    parts = {group: labels == group for group in rows if group not in pooled}
    if pooled:
        parts[OTHER] = np.isin(labels, list(pooled))
    return parts, pooled
