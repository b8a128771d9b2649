"""The parity certificate: the exported file answers as the trained model does.

Compared on every row of the test data and on edge rows made for the purpose. One changed
decision, or one number that moves beyond the tolerance, and there is no file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, ParityError
from industry_apps.runtime.model import TOLERANCE
from industry_apps.schema import Column, Schema

Answers = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """How far the exported file is from the trained model.

    Parameters
    ----------
    rows, edge_rows : int
        Rows of data, and rows made to be difficult, that were compared.
    changed_decisions : int
        Rows in which a decision differs.
    beyond_tolerance : int
        Rows in which a number differs by more than the tolerance.
    largest_difference : float
    tolerance : float
    """

    rows: int
    edge_rows: int
    changed_decisions: int
    beyond_tolerance: int
    largest_difference: float
    tolerance: float = TOLERANCE

    @property
    def holds(self) -> bool:
        """Nothing changed, nothing moved beyond the tolerance."""
        return self.changed_decisions == 0 and self.beyond_tolerance == 0

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def certify(
    native: Callable[[pd.DataFrame], Answers],
    exported: Callable[[pd.DataFrame], Answers],
    frame: pd.DataFrame,
    edges: pd.DataFrame,
) -> Certificate:
    """Compare two models on data and on edge rows.

    Parameters
    ----------
    native, exported : callable
        Frame -> {output: array of shape [rows]}, the same outputs.
    frame, edges : DataFrame

    Raises
    ------
    ParityError
        A decision changed, or a number moved beyond the tolerance; the message shows the
        first such row.
    """
    changed = beyond = 0
    largest = 0.0
    for part in (frame, edges):
        if part.empty:
            continue
        difference, differs = _differences(native(part), exported(part))
        changed += int(differs.sum())
        outside = ~(difference <= TOLERANCE)
        beyond += int(outside.sum())
        largest = max(largest, float(np.nan_to_num(difference, nan=np.inf).max()))
        wrong = np.flatnonzero(differs | outside)
        if len(wrong):
            _refuse(part, int(wrong[0]), native, exported, f"{len(wrong)} of {len(part)} rows")
    return Certificate(
        rows=len(frame),
        edge_rows=len(edges),
        changed_decisions=changed,
        beyond_tolerance=beyond,
        largest_difference=largest,
    )


def _differences(
    native: Answers, exported: Answers
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Largest difference of the numbers of each row, and whether a decision differs."""
    if set(native) != set(exported):
        raise ParityError(
            f"The file has the outputs {sorted(exported)}, the model {sorted(native)}."
        )
    rows = len(next(iter(native.values())))
    difference = np.zeros(rows)
    differs = np.zeros(rows, dtype=bool)
    for name, ours in native.items():
        theirs = exported[name]
        if np.asarray(ours).dtype.kind == "f":
            gap = np.abs(ours.astype(np.float64) - theirs.astype(np.float64))
            both_missing = np.isnan(ours) & np.isnan(theirs)
            difference = np.maximum(difference, np.where(both_missing, 0.0, gap))
        else:
            differs |= np.asarray(ours) != np.asarray(theirs)
    return difference, differs


def _refuse(
    part: pd.DataFrame,
    row: int,
    native: Callable[[pd.DataFrame], Answers],
    exported: Callable[[pd.DataFrame], Answers],
    share: str,
) -> None:
    one = part.iloc[[row]]
    ours, theirs = ({k: v[0] for k, v in model(one).items()} for model in (native, exported))
    record = str(one.iloc[0].to_dict())
    raise ParityError(
        f"The exported file answers differently in {share}, so it was not written. "
        f"First: {record[:500]}; trained model {ours}, exported file {theirs}. "
        "A converter is wrong for this model: choose another detector or report the case."
    )


def edge_rows(
    schema: Schema, frame: pd.DataFrame, thresholds: Mapping[str, list[float]]
) -> pd.DataFrame:
    """Make the rows on which converters go wrong.

    One column at a time is made missing, unseen, extreme, empty, very long, or equal to a
    split threshold and its neighbours, in otherwise real records; and once everything that
    may be missing is.

    Parameters
    ----------
    schema : Schema
    frame : DataFrame
        At least one real record.
    thresholds : mapping of str to list of float
        Column -> values on which the routing of trees turns.

    Raises
    ------
    ParameterError
        There is no real record.
    """
    if frame.empty:
        raise ParameterError("Parity needs at least one real record to be proven on; got none.")
    real = frame.iloc[:: max(1, len(frame) // 50)].head(50).to_dict("records")
    rows: list[dict[Any, Any]] = []
    for column in schema:
        values = _edge_values(column, thresholds.get(column.name, []))
        for position, value in enumerate(values):
            rows.append(real[position % len(real)] | {column.name: value})
    rows.append({c.name: None if c.nullable else real[0].get(c.name) for c in schema})
    made = pd.DataFrame(rows, columns=schema.names)
    return made.astype({c.name: object for c in schema})


def _edge_values(column: Column, thresholds: list[float]) -> list[Any]:
    missing = [None] if column.nullable else []
    if column.kind == "boolean":
        return [True, False, *missing]
    if column.kind == "datetime":
        return [*map(pd.Timestamp, ("1901-02-28 23:59:59", "2000-02-29", "2100-12-31")), *missing]
    if column.kind == "text":
        return ["", "!?", "слово 字 😀", "word " * 2_000, *missing]
    if column.kind == "category":
        return [*(column.categories or ["never seen before", "ß", "x" * 10_000]), *missing]
    chosen = np.array(thresholds[:: max(1, len(thresholds) // 20)], dtype=np.float32)
    around = [np.nextafter(chosen, np.float32(side)) for side in (-np.inf, np.inf)]
    low = -1e30 if column.low is None else column.low
    high = 1e30 if column.high is None else column.high
    extreme = np.array([low, high, 0.0, 1e-30], dtype=np.float32)
    numbers = np.concatenate([chosen, *around, extreme])
    return [*(float(x) for x in numbers if low <= x <= high), *missing]
