"""Declarative rules of a card: how files become a table, and how the table is split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Scalar = str | int | float


@dataclass(frozen=True)
class TimeRule:
    """A time column made of other columns, joined by a blank and read by a format."""

    name: str
    columns: tuple[str, ...]
    format: str


@dataclass(frozen=True)
class TargetRule:
    """The target is true where a column of the file holds this value."""

    column: str
    positive: Scalar


@dataclass(frozen=True)
class ArraysRule:
    """Columns that are arrays of an npz file, each of as many rows as the others.

    ``columns``: {column: name of its array}; with ``parts``, {word: part of the data}, the
    names hold "{part}", which stands for each word in turn, and the column ``part`` says
    which it was. An array of one value a row is a plain column; of images each row is one
    cell.
    """

    columns: Mapping[str, str]
    parts: Mapping[str, str] = field(default_factory=dict)
    part: str = "part"


@dataclass(frozen=True)
class Reading:
    """How the files become a table, in this order.

    ``separator``, ``quoted``, ``encoding``: of text files; ``header``: names of the columns,
    where the files have none; ``lines``: name of the column that takes the lines of files that
    are no tables; ``arrays``: of npz files; ``entry``: the one file inside a zip that is read;
    ``member``: name of the column that says from which file inside a zip a row is; ``parts``:
    (column, {file: its value}) that says from which file a row is, the files standing one below
    the other; ``reader``: a function of :mod:`industry_apps.data.readers.table`, for files
    that no other data set has the like of; ``complete``: columns without whose value a row is left
    out;
    ``exclude``: {column: values whose rows are left out}; ``missing``: {column: values that stand
    for "no value"}; ``numbers``: {column: {text: the number that it stands for}}; ``codes``: whole
    numbers that name categories and become strings; ``labels``: {column: {code: name in
    words}}; ``together``: {column: columns that it joins with a blank};
    ``epoch``: columns of seconds since 1970; then time, target, ``drop`` and ``rename``.
    """

    separator: str = ","
    quoted: bool = True
    encoding: str = "utf-8"
    lines: str = ""
    arrays: ArraysRule | None = None
    parts: Mapping[str, Mapping[str, Scalar]] = field(default_factory=dict)
    reader: str = ""
    together: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    epoch: tuple[str, ...] = ()

    header: tuple[str, ...] = ()
    member: str = ""
    entry: str = ""
    exclude: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict)
    numbers: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    complete: tuple[str, ...] = ()
    missing: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict)
    codes: tuple[str, ...] = ()
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    time: TimeRule | None = None
    target: TargetRule | None = None
    drop: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SplitRule:
    """Periods [start, end) in time, with the days after which a label is known.

    ``entity``: when given, entities whose earlier positives are known by then are left out
    of validation and test.
    """

    time: str
    train: tuple[str, str]
    validation: tuple[str, str]
    test: tuple[str, str]
    delay: int = 0
    entity: str = ""


@dataclass(frozen=True)
class LastOut:
    """The last row of each entity is the test, the one before it the validation.

    Entities with fewer than three rows are in training only.
    """

    entity: str
    time: str


@dataclass(frozen=True)
class GroupRule:
    """All rows of an entity (a patient, a machine) lie in one part, drawn at random.

    ``validation`` and ``test``: shares of the entities.
    """

    entity: str
    validation: float = 0.2
    test: float = 0.2
    seed: int = 0


@dataclass(frozen=True)
class Scaffolds:
    """Molecules of one scaffold stay together; the parts take these shares, the test the rest."""

    column: str
    train: float
    validation: float


@dataclass(frozen=True)
class HeldOut:
    """The validation part of an official split that has none: a share of the training part.

    ``share``: of the training rows, in (0, 1), drawn at random once and for all; ``within``: a
    column of which each value gives its share.
    """

    share: float
    within: str


@dataclass(frozen=True)
class Resampling:
    """Rows without an order, split at random many times, with equal shares of the label.

    ``folds``: in each repeat every row is tested once, in one of so many parts; without
    folds a repeat has one test part, the share ``test`` of the rows. ``validation``: the
    share of the other rows that is set aside; 0 leaves them all for training. ``within``: a
    column; shares are then taken of the rows of each of its values, as is usual for
    recommendations, and not of each label; a value with one row is tested alone.
    ``stratified``: false for a target that is a number, or has gaps: shares are then those of
    all rows. ``group``: with folds, a column of whose values each stays in one part; ``shares``:
    the column whose values the parts then have as equal shares of as groups allow. ``left_out``:
    in place of folds, of the groups every choice of so many is tested once, and ``repeats`` is
    how many choices there are. ``full``: repeats where all of a benchmark is asked for.
    """

    repeats: int
    folds: int = 0
    test: float = 0.0
    validation: float = 0.0
    within: str = ""
    stratified: bool = True
    group: str = ""
    shares: str = ""
    left_out: int = 0
    full: int = 0

    @property
    def runs(self) -> int:
        """How many splits are usually made."""
        return self.repeats * max(self.folds, 1)

    @property
    def most_runs(self) -> int:
        """How many splits there are."""
        return max(self.repeats, self.full) * max(self.folds, 1)

    @property
    def test_share(self) -> float:
        """The share of the rows that is tested in one run."""
        return 1 / self.folds if self.folds else self.test
