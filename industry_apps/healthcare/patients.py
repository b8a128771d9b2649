"""What tables of patients have in common: who it is about, and splits that keep them apart."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

import pandas as pd

from industry_apps.data import Split, split_by_group, split_random
from industry_apps.data.leakage import check_told
from industry_apps.schema import Column

_protected = partial(Column, kind="category", required=False, protected=True)

#: The patient, and what must not be used unless asked for.
PATIENT: tuple[Column, ...] = (
    Column(name="patient", kind="category", role="identifier", required=False),
    _protected(
        name="age", kind="number", unit="years", low=0, high=130, description="Of the patient"
    ),
    _protected(name="sex"),
    _protected(name="race"),
)


def split_patients(
    records: pd.DataFrame,
    *,
    patient: str,
    target: str,
    seed: int,
    durations: Collection[str] = (),
    ignore: Collection[str] = (),
) -> Split:
    """Split at random, all records of a patient into one part.

    Parameters
    ----------
    records : DataFrame
        Without the column of patients each record counts as one patient; records whose patient
        is missing stay together, since any of them may be of the same one.
    patient, target : str
        Columns; without patients, the parts have equal shares of the target.
    seed : int
    durations : collection of str
        Columns that are a length of time and no moment, whatever they are called.
    ignore : collection of str
        Columns that no model reads, and that name nobody.

    Examples
    --------
    >>> stays = pd.DataFrame({"patient": [*"aabbccddee"], "died": [True, False] * 5})
    >>> parts = split_patients(stays, patient="patient", target="died", seed=0)
    >>> len(set(parts.train["patient"]) & set(parts.test["patient"]))
    0
    """
    if patient in records:
        check_told(records, [target, *durations])
        return split_by_group(records, group=patient, seed=seed)
    return split_random(records, target=target, durations=durations, ignore=ignore, seed=seed)
