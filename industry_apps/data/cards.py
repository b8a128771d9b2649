"""Cards: what is known about each data set, read strictly from ``datasets/<id>.toml``.

A card holds facts and declarative rules, no code and no data.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from industry_apps.data.rules import (
    GroupRule,
    HeldOut,
    LastOut,
    Reading,
    Resampling,
    Scaffolds,
    Scalar,
    SplitRule,
)
from industry_apps.errors import SchemaError, unknown_name

T = TypeVar("T")


@dataclass(frozen=True)
class DataFile:
    """A file: its name, its public address, and what its uncompressed content must be.

    ``members``: files that are served one by one, at ``url`` with ``{member}`` replaced, and
    kept together in a zip; bytes are those of their contents, and sha256 of length of the
    name, length of the content (in decimal, each with a blank behind it), name and content of
    one after the other, in the order of their names.
    """

    name: str
    url: str
    sha256: str
    bytes: int
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class Simulator:
    """A function of :mod:`industry_apps.data.simulators` and its parameters.

    ``sample`` replaces some of the parameters for a small run that takes seconds; those that
    ``grows`` names make the table longer: customers, patients, series;
    ``stream``: what the stream of records tells about each is added, by
    :class:`industry_apps.runtime.TransactionState`.
    """

    function: str
    stream: bool = False
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    sample: Mapping[str, Scalar] = field(default_factory=dict)
    grows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Published:
    """A figure from the literature, as read at its source.

    Parameters
    ----------
    system, metric : str
        What reached it, and the metric under its name in reports.
    value : float
    source : str
        Address of the page on which it stands.
    same_protocol : bool
        Measured with the split and the metric of the card.
    """

    system: str
    metric: str
    value: float
    source: str
    same_protocol: bool


@dataclass(frozen=True)
class ColumnNote:
    """What a column means."""

    meaning: str
    unit: str = ""


@dataclass(frozen=True)
class Card:
    """A data set: where it comes from, what may be done with it, how it is read and split.

    Parameters
    ----------
    id, title : str
        Name of the card's file, and of the data for people.
    kind : {"files", "simulated"}
        The first has ``files``, the second ``simulator``.
    applications : tuple of str
        Those that it is a benchmark of.
    task, licence : str
    models_may_be_published : bool
        What the licence says of models trained on it.
    citation, source, target : str
        How to cite it, the page about it, and the name of the column to predict.
    split : SplitRule, optional
        By time; a card has one of this and the next five.
    resampling : Resampling, optional
        At random, many times.
    last_out : LastOut, optional
        The last record of each entity.
    grouped : GroupRule, optional
        All records of an entity in one part.
    scaffolds : Scaffolds, optional
        Molecules, by their scaffold.
    official : str
        A column that names the part of each record: train, validation or test.
    held_out : HeldOut, optional
        How the validation part is made, where the official split has none.
    seeds : int
        How many times a model is trained on the one split, each time with another seed.
    folder : str
        Where mirrors keep the files, if not under the id.
    settings : mapping of str to str
        Parameters of the applications that these data need, as the command line takes them.
    leaks : mapping of str to str
        Columns that tell the outcome, and why; they are left out, and no model may read them.
    reading : Reading
    files : tuple of DataFile
    simulator : Simulator, optional
    published : tuple of Published
        Figures of others.
    caveats : tuple of str
    columns : mapping of str to ColumnNote
    """

    id: str
    title: str
    kind: Literal["files", "simulated"]
    applications: tuple[str, ...]
    task: str
    licence: str
    models_may_be_published: bool
    citation: str
    source: str
    target: str
    split: SplitRule | None = None
    resampling: Resampling | None = None
    last_out: LastOut | None = None
    grouped: GroupRule | None = None
    scaffolds: Scaffolds | None = None
    official: str = ""
    held_out: HeldOut | None = None
    seeds: int = 1
    folder: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    leaks: Mapping[str, str] = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)
    files: tuple[DataFile, ...] = ()
    simulator: Simulator | None = None
    published: tuple[Published, ...] = ()
    caveats: tuple[str, ...] = ()
    columns: Mapping[str, ColumnNote] = field(default_factory=dict)

    @property
    def runs(self) -> int:
        """How often a model is trained and tested: on many splits, or on one with many seeds."""
        return self.resampling.runs if self.resampling else self.seeds

    @property
    def most_runs(self) -> int:
        """How often where all of a benchmark is asked for."""
        return self.resampling.most_runs if self.resampling else self.seeds

    @classmethod
    def from_toml(cls, text: str, *, name: str) -> Card:
        """Read a card.

        Raises
        ------
        SchemaError
            Names the card, the key, what was expected and the nearest known key.
        """
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise SchemaError(f"Card {name!r} is not valid TOML: {error}.") from error
        result = _parse(cls, table, f"Card {name!r}")
        _check(result, name)
        return result


@cache
def _folder() -> Path:
    """``datasets/``: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).parent.parent
    # The package's own copy first: beside an installed package, "datasets" may be a stranger.
    inside = package / "_datasets"
    return inside if inside.is_dir() else package.parent / "datasets"


def catalogue() -> tuple[str, ...]:
    """Return the ids of all data sets that have a card, sorted.

    Examples
    --------
    >>> "finance_card_simulator" in catalogue()
    True
    """
    return tuple(sorted(path.stem for path in _folder().glob("*.toml")))


def card(name: str) -> Card:
    """Return the card of a data set.

    Parameters
    ----------
    name : str
        One of :func:`catalogue`.

    Raises
    ------
    UnknownNameError
        There is no such card; names the nearest and all.

    Examples
    --------
    >>> card("finance_card_simulator").kind
    'simulated'
    """
    if name not in catalogue():
        raise unknown_name("data set", name, catalogue())
    return Card.from_toml((_folder() / f"{name}.toml").read_text("utf-8"), name=name)


def _check(card: Card, name: str) -> None:
    if card.id != name:
        raise SchemaError(f"Card {name!r}: id is {card.id!r}. It must be the name of the file.")
    simulated = card.kind == "simulated"
    if bool(card.files) == simulated or (card.simulator is not None) != simulated:
        needed = "simulator, and no files" if simulated else "files, and no simulator"
        raise SchemaError(f"Card {name!r}: kind {card.kind!r} needs {needed}.")
    ways = (
        card.split,
        card.resampling,
        card.last_out,
        card.grouped,
        card.scaffolds,
        card.official,
    )
    if sum(map(bool, ways)) != 1:
        raise SchemaError(
            f"Card {name!r}: expected one of a [split] by time, a [resampling], [last_out], "
            "[grouped], [scaffolds] and official."
        )
    if card.seeds < 1 or (card.seeds > 1 and card.resampling):
        raise SchemaError(
            f"Card {name!r}: seeds is {card.seeds}, expected a number >= 1 of trainings on one "
            "split. Of data that are split many times each split has a seed of its own."
        )
    _check_files(card, name)


def _check_files(card: Card, name: str) -> None:
    """Files lie in the folder of the data set, and are known by a sha256."""
    for inside in (name, card.folder or name):
        if not _stays_inside(inside, folders=False):
            raise SchemaError(f"Card {name!r}: {inside!r} is no name of a folder. Rename it.")
    for file in card.files:
        for inside in (file.name, *file.members):
            if not _stays_inside(inside):
                raise SchemaError(
                    f"Card {name!r}: file {inside!r} lies outside the folder of the data set. Name "
                    "it as in the folder, such as 'table.csv'."
                )
        if not re.fullmatch("[0-9a-f]{64}", file.sha256):
            raise SchemaError(f"Card {name!r}: sha256 of {file.name!r} is not 64 hex digits.")


def _stays_inside(name: str, *, folders: bool = True) -> bool:
    """Whether a name leads to nothing outside the folder it stands in, on any system."""
    parts = name.split("/")
    plain = all(part not in ("", ".", "..") and part.isprintable() for part in parts)
    return plain and not set(name) & set("\\:") and (folders or len(parts) == 1)


def _parse(kind: type[T], table: Any, where: str) -> T:
    """Build a dataclass from a TOML table, refusing whatever it does not declare."""
    if not isinstance(table, dict):
        raise SchemaError(f"{where}: expected a table, got {table!r}.")
    known = {each.name: each for each in fields(kind)}  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(known)}."
            raise SchemaError(f"{where}: unknown key {key!r}.{hint}")
    for key, each in known.items():
        needed = each.default is MISSING and each.default_factory is MISSING
        if needed and key not in table:
            raise SchemaError(f"{where}: key {key!r} is missing.")
    hints = get_type_hints(kind)
    return kind(**{key: _value(hints[key], item, f"{where}, {key}") for key, item in table.items()})


def _value(hint: Any, value: Any, where: str) -> Any:
    """Convert a TOML value to what a field declares."""
    origin, options = get_origin(hint), get_args(hint)
    if NoneType in options:  # an optional table: TOML has no null, so there is a value
        return _value(options[0], value, where)
    if is_dataclass(hint):
        return _parse(hint, value, where)  # type: ignore[arg-type]
    if origin is tuple and isinstance(value, list):
        repeated = options[-1] is Ellipsis
        if repeated or len(value) == len(options):
            return tuple(_value(options[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    elif origin is Mapping and isinstance(value, dict):
        return {key: _value(options[1], item, f"{where}.{key}") for key, item in value.items()}
    elif value in options if origin is Literal else _is_plain(value, options or (hint,)):
        return value
    raise SchemaError(f"{where}: expected {_worded(hint)}, got {value!r}.")


def _is_plain(value: Any, kinds: tuple[Any, ...]) -> bool:
    # Not isinstance: True is an int. But 1 will do where 1.0 is meant.
    return type(value) in kinds or (type(value) is int and float in kinds)


def _worded(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint)
