"""The parity certificate: the exported file answers as the trained model does.

Compared on every row of the test data and on edge rows made for the purpose. One changed
decision, or one number that moves beyond the tolerance, and there is no file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import ParityError
from industry_apps.export.edges import Moment
from industry_apps.runtime.inputs import Feeds
from industry_apps.runtime.metadata import TOLERANCE
from industry_apps.schema import Schema
from industry_apps.schema.images import are_images, changed_pixels

#: What the letters of numpy stand for.
_KINDS = {"f": "numbers", "i": "whole numbers", "u": "whole numbers", "b": "booleans"}
#: An array of more values is shortened in an error.
_SHOWN = 20

Answers = Mapping[str, NDArray[Any]]
#: Records, and what gives the answers of two models to them.
Part = tuple[pd.DataFrame, Callable[[], Answers], Callable[[], Answers]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedLoss:
    """What a file of lower precision may lose of a metric, in place of equal answers.

    Parameters
    ----------
    metric : str
        Higher is better.
    most : float
        What may be lost of it, >= 0.
    measure : callable
        Real records and the answers to them -> the metric.
    tolerance : float
        Largest difference of a number that the replay at load accepts: kernels of lower
        precision round differently from one processor to the next.
    """

    metric: str
    most: float
    measure: Callable[[pd.DataFrame, Answers], float]
    tolerance: float

    def state(
        self, frame: pd.DataFrame, trained: Answers, exported: Answers, precision: str
    ) -> dict[str, Any]:
        """Measure both on real records; as JSON values for the file.

        Raises
        ------
        ParityError
            More is lost than may be.
        """
        before, after = (self.measure(frame, answers) for answers in (trained, exported))
        if not before - after <= self.most:
            raise ParityError(
                f"In {precision} the file loses {before - after:.4f} of {self.metric} on "
                f"{len(frame)} rows ({before:.4f} to {after:.4f}), and may lose {self.most:g}, so "
                "it was not written. Export in float32, or train a wider network."
            )
        return {
            "precision": precision,
            "loss": {"metric": self.metric, "trained": before, "file": after, "most": self.most},
            "tolerance": self.tolerance,
        }


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
        Of a number beyond 1, as a share of it.
    tolerance : float
    changed_pixels : int, optional
        Of images among the answers, the pixels that differ; None where there are no images. A
        pixel whose value lies on the threshold but for rounding may go either way, and an image
        is beyond the tolerance when more than that share of its pixels did.
    """

    rows: int
    edge_rows: int
    changed_decisions: int
    beyond_tolerance: int
    largest_difference: float
    tolerance: float = TOLERANCE
    changed_pixels: int | None = None

    @property
    def holds(self) -> bool:
        """Nothing changed, nothing moved beyond the tolerance."""
        return self.changed_decisions == 0 and self.beyond_tolerance == 0

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values, without what there is none of."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """One certificate for several files: what was compared in all, the worst of each.

        Parameters
        ----------
        parts : sequence of Certificate
            At least one.
        """
        return cls(
            rows=sum(part.rows for part in parts),
            edge_rows=sum(part.edge_rows for part in parts),
            changed_decisions=sum(part.changed_decisions for part in parts),
            beyond_tolerance=sum(part.beyond_tolerance for part in parts),
            largest_difference=max(part.largest_difference for part in parts),
            tolerance=max(part.tolerance for part in parts),
            changed_pixels=_total([part.changed_pixels for part in parts]),
        )


def certify(
    native: Callable[[pd.DataFrame], Answers],
    exported: Callable[[pd.DataFrame], Answers],
    frame: pd.DataFrame,
    edges: pd.DataFrame,
    *,
    strict: bool = True,
) -> Certificate:
    """Compare two models on data and on edge rows.

    Parameters
    ----------
    native, exported : callable
        Frame -> {output: array of shape [rows] or [rows, size]}, the same outputs.
    frame, edges : DataFrame
    strict : bool
        Refuse a difference; else it is counted.

    Raises
    ------
    ParityError
        A decision changed, or a number moved beyond the tolerance; the message shows the
        first such row.
    """
    return compare(
        [(part, partial(native, part), partial(exported, part)) for part in (frame, edges)],
        strict=strict,
    )


def compare(parts: Sequence[Part], *, strict: bool = True) -> Certificate:
    """Compare the answers of two models, which may be there already.

    Parameters
    ----------
    parts : sequence of (DataFrame, callable, callable)
        Records, last the edge rows, and what gives the trained model's answers to them and the
        exported file's.
    strict : bool
        Refuse a difference; else it is counted.

    Raises
    ------
    ParityError
        As of :func:`certify`.
    """
    *real, edges = (len(part) for part, _, _ in parts)
    counted = _certificate(sum(real), edges, 0.0)
    for part, native, exported in parts:
        if part.empty:
            continue
        ours, theirs = native(), exported()
        difference, differs = _differences(ours, theirs)
        if strict:
            wrong = _wrong(difference, differs)
            _refuse(wrong, ours, theirs, partial(_describe_record, part))
        counted = replace(
            counted,
            changed_decisions=counted.changed_decisions + int(differs.sum()),
            beyond_tolerance=counted.beyond_tolerance + int((~(difference <= TOLERANCE)).sum()),
            largest_difference=max(counted.largest_difference, float(difference.max())),
            changed_pixels=_total([counted.changed_pixels, _changed_pixels(ours, theirs)]),
        )
    return counted


def certify_windows(
    native: Callable[[Feeds], Answers],
    exported: Callable[[Feeds], Answers],
    moments: Iterable[Moment],
    edges: Iterable[Moment],
    outputs: Schema,
) -> Certificate:
    """Compare two models of windows; a row is one series at one moment.

    Parameters
    ----------
    native, exported : callable
        Feeds of one moment -> {output: array of shape [series] or [series, horizon]}, the
        same outputs.
    moments, edges : iterable of Moment
        Real ones, and such as :func:`edge_windows` makes.
    outputs : Schema
        Of an output with an offset, what lies beyond that is compared.

    Raises
    ------
    ParityError
        A decision changed, or a number moved beyond the tolerance; the message names the
        first such series and moment.
    """
    offsets = {column.name: column.offset or 0.0 for column in outputs}
    largest, rows = 0.0, [0, 0]
    for position, part in enumerate((moments, edges)):
        for moment in part:
            ours, theirs = native(moment.feeds), exported(moment.feeds)
            difference, differs = _differences(ours, theirs, offsets)
            _refuse(_wrong(difference, differs), ours, theirs, partial(_describe_series, moment))
            largest = max(largest, float(difference.max()))
            rows[position] += len(moment.series)
    return _certificate(rows[0], rows[1], largest)


def _describe_record(part: pd.DataFrame, row: int) -> str:
    return str(part.iloc[row].to_dict())


def _describe_series(moment: Moment, row: int) -> str:
    return f"series {moment.series[row]!r}, {moment.label}"


def _certificate(rows: int, edge_rows: int, largest: float) -> Certificate:
    """What is certified when nothing was refused."""
    return Certificate(
        rows=rows,
        edge_rows=edge_rows,
        changed_decisions=0,
        beyond_tolerance=0,
        largest_difference=largest,
    )


def _changed_pixels(ours: Answers, theirs: Answers) -> int | None:
    """Of all images among the answers; None where there are none."""
    return _total(
        [
            sum(map(changed_pixels, values, theirs[name]))
            for name, values in ours.items()
            if are_images(values)
        ]
    )


def _total(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _wrong(difference: NDArray[np.float64], differs: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which rows answer differently; a number that is missing on one side alone is one of them."""
    return differs | ~(difference <= TOLERANCE)


def _refuse(
    wrong: NDArray[np.bool_], ours: Answers, theirs: Answers, describe: Callable[[int], str]
) -> None:
    """Refuse the first row that differs too much."""
    if wrong.any():
        row = int(wrong.argmax())
        first = [{name: values[row] for name, values in each.items()} for each in (ours, theirs)]
        with np.printoptions(threshold=_SHOWN, edgeitems=2):
            trained, exported = map(repr, first)
            described = describe(row)[:500]
        raise ParityError(
            f"The exported file answers differently in {wrong.sum()} of {len(wrong)} rows, so it "
            f"was not written. First: {described}; trained model {trained}, exported file "
            f"{exported}. The graph is wrong for this model, or an answer turns on rounding: "
            "fit it again with another seed or model, and report the case."
        )


def _kind(values: Any) -> str:
    return _KINDS.get(np.asarray(values).dtype.kind, "objects")


def _differences(
    native: Answers, exported: Answers, offsets: Mapping[str, float] = MappingProxyType({})
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
        if np.shape(ours) != np.shape(theirs) or _kind(ours) != _kind(theirs):
            raise ParityError(
                f"Output {name!r} is {_kind(theirs)} of shape {np.shape(theirs)} in the file, and "
                f"{_kind(ours)} of shape {np.shape(ours)} in the model."
            )
        if np.asarray(ours).dtype.kind == "f":
            exact = ours.astype(np.float64)
            size = np.fmax(1, np.abs(exact - offsets.get(name, 0.0)))
            gap = np.abs(exact - theirs.astype(np.float64)) / size
            both_missing = np.isnan(ours) & np.isnan(theirs)
            gap = np.where(both_missing, 0.0, gap).reshape(rows, -1).max(axis=1)
            difference = np.maximum(difference, gap)
        elif are_images(ours):
            pairs = zip(ours, theirs, strict=True)
            share = np.array([changed_pixels(*pair) / pair[0].size for pair in pairs])
            difference = np.maximum(difference, share)
        else:
            wrong = np.asarray(ours) != np.asarray(theirs)
            differs |= wrong.reshape(rows, -1).any(axis=1)
    return difference, differs
