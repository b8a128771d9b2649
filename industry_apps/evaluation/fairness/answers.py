"""Answers of several systems beside protected groups: kept as rows, so that runs can be joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.evaluation.fairness.report import GroupReport, group_report


@dataclass(frozen=True, eq=False, kw_only=True)
class GroupedAnswers:
    """What a system answered, and to whom.

    Parameters
    ----------
    target : ndarray of bool of shape [rows]
    probability : ndarray of shape [rows]
        Of a True target.
    decision : ndarray of bool of shape [rows]
    groups : mapping of str to sequence of shape [rows]
        Protected attribute -> label of the group of each row.
    favourable : bool
        The decision and the outcome that are good for the person.
    """

    target: NDArray[np.bool_]
    probability: NDArray[np.float64]
    decision: NDArray[np.bool_]
    groups: Mapping[str, Any]
    favourable: bool

    def report(self) -> GroupReport:
        """Compare the groups, attribute by attribute; one whose rows are all alike is left out.

        Raises
        ------
        ParameterError
            They are all alike in every attribute.
        """
        groups = set_apart(self.groups)
        return group_report(
            self.target, self.probability, self.decision, groups, favourable=self.favourable
        )

    def joined(self, others: Sequence[Self]) -> Self:
        """These rows, and behind them those of other runs.

        Parameters
        ----------
        others : sequence of GroupedAnswers
            Of the same attributes.
        """
        parts = [self, *others]
        return replace(
            self,
            target=np.concatenate([part.target for part in parts]),
            probability=np.concatenate([part.probability for part in parts]),
            decision=np.concatenate([part.decision for part in parts]),
            groups={
                name: pd.concat([pd.Series(part.groups[name]) for part in parts], ignore_index=True)
                for name in self.groups
            },
        )


def set_apart(groups: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that set rows apart: those with two groups or more.

    Parameters
    ----------
    groups : mapping of str to sequence of shape [rows]
        Attribute -> label of the group of each row; missing labels are one group.

    Examples
    --------
    >>> list(set_apart({"sex": ["f", "f"], "age": ["<30", "30+"]}))
    ['age']
    """
    return {
        name: labels for name, labels in groups.items() if len(pd.unique(pd.Series(labels))) > 1
    }
