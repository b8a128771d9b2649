"""Weights under which a label no longer depends on a group."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from industry_apps.errors import SchemaError
from industry_apps.evaluation.intervals import group_codes

__all__ = ["reweighing"]


def reweighing(groups: npt.ArrayLike, target: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Weigh training rows so that group and label are independent.

    A row counts as often as it would be expected to occur, were the two independent, over
    how often it does occur: P(group) P(label) / P(group, label). A model that is trained
    with these weights learns less of what set the groups apart; it needs no group to answer.

    Parameters
    ----------
    groups : array-like of shape [rows]
        Label of the protected group of each row; missing labels are one group. For several
        attributes at once, join their labels to one.
    target : array-like of bool of shape [rows]
        The label to be learnt.

    Returns
    -------
    ndarray of float of shape [rows]
        Positive, 1 on average. The weighted share of True is the same in every group, and
        the weight of every group and of every label stays what it was.

    Raises
    ------
    SchemaError
        When lengths differ, there is a single group, or a group lacks one of the labels.

    References
    ----------
    Kamiran, F. and Calders, T. (2012). Data preprocessing techniques for classification
    without discrimination. Knowledge and Information Systems 33, 1-33,
    doi:10.1007/s10115-011-0463-8.

    Examples
    --------
    >>> print(reweighing(["a", "a", "a", "b", "b"], [True, True, False, True, False]))
    [0.9 0.9 1.2 1.2 0.8]
    """
    label = np.asarray(target).astype(bool).astype(np.intp)
    code = group_codes("groups", groups, len(label))
    counts = np.zeros((code.max(initial=-1) + 1, 2))  # [groups, labels]
    np.add.at(counts, (code, label), 1)
    if len(counts) < 2:
        raise SchemaError(
            f"Reweighing needs two groups. All {len(label)} rows are of one; pass the attribute "
            "that sets them apart, or train without weights."
        )
    lacking = np.argwhere(counts == 0)
    if len(lacking):
        group, value = lacking[0]
        row = int(np.flatnonzero(code == group)[0])
        raise SchemaError(
            f"Group {str(np.asarray(groups)[row])!r} (first in row {row}) has no row with target "
            f"{bool(value)}, so no weights can balance it. Merge it with another group."
        )
    weight = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / (len(label) * counts)
    return weight[code, label]
