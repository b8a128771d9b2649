"""Data sets: loaded by name, split as their card says."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from industry_apps.data import simulators
from industry_apps.data.cards import Card, Simulator, card
from industry_apps.data.files import cache_folder, fetch
from industry_apps.data.hashing import hashable, holds_several
from industry_apps.data.leakage import check_leakage
from industry_apps.data.orders import split_last_out
from industry_apps.data.resampling import split_resampled, with_validation
from industry_apps.data.scaffolds import split_scaffolds
from industry_apps.data.shapes import read_files
from industry_apps.data.splits import (
    Split,
    split_by_group,
    split_by_time,
    split_latest,
    split_official,
)
from industry_apps.data.tables import apply_reading, read_table
from industry_apps.errors import ParameterError, SchemaError
from industry_apps.runtime.stream import state, timelines
from industry_apps.runtime.stream.state import TransactionState
from industry_apps.whole_file import whole_file


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A data set, split.

    Parameters
    ----------
    card : Card
    train, validation, test : pandas.DataFrame
        The same columns, `target` among them.
    sha256 : str
        Names the data: of the files, or of the parameters and content when simulated.
    """

    card: Card
    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    sha256: str

    @property
    def target(self) -> str:
        """Name of the column to predict."""
        return self.card.target

    def summary(self) -> pd.DataFrame:
        """Return rows, positives and period of each part, as far as it has these; one row each."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return pd.DataFrame({name: self._facts(part) for name, part in parts.items()}).T

    def _facts(self, part: pd.DataFrame) -> dict[str, Any]:
        facts: dict[str, Any] = {"rows": len(part)}
        if part[self.target].dtype == bool:
            facts["positives"] = int(part[self.target].sum())
        if self.card.split:
            moments = part[self.card.split.time]
            facts |= {"first": moments.min(), "last": moments.max()}
        return facts

    def __repr__(self) -> str:
        kind = " (simulated)" if self.card.kind == "simulated" else ""
        rows = ", ".join(f"{name} {row.rows}" for name, row in self.summary().iterrows())
        return f"Dataset({self.card.id!r}{kind}: {rows} rows, target {self.target!r})"


def load(name: str, *, run: int = 0) -> Dataset:
    """Load a data set and split it so that nothing leaks.

    Parameters
    ----------
    name : str
        Id of a card; see :func:`industry_apps.data.catalogue`.
    run : int
        Which split, of data that are split at random many times (``card(name).most_runs``).

    Returns
    -------
    Dataset

    Raises
    ------
    UnknownNameError, DataNotFoundError, ChecksumError, SchemaError, LeakageError
    ParameterError
        There is no such run.
    """
    facts = card(name)
    if not 0 <= run < facts.most_runs:
        raise ParameterError(f"{name!r} is run in {facts.most_runs} ways; there is no run {run!r}.")
    if facts.simulator:
        split, sha256 = _simulated(facts, facts.simulator, run)
    else:
        split = _split(_read(facts), facts, run)
        sha256 = _files_sha256(facts)
    if rule := facts.split:
        for part in (split.train, split.validation):
            check_leakage(part, split.test, time=rule.time, delay=rule.delay)
    if facts.grouped:
        for part in (split.train, split.validation):
            check_leakage(part, split.test, group=facts.grouped.entity)
    return _named(Dataset(facts, *split, sha256=sha256))


def sample(name: str, *, times: float = 1) -> Dataset:
    """Make the small run of a simulated data set: for a first try, with no network.

    It is split by time into shares, with the delay of the card, or at random where the card
    says so. Of a stream, the days in which the longest window is not yet full are left out.

    Parameters
    ----------
    name : str
        Id of a card of kind "simulated".
    times : float
        So many times as many customers, patients or series as usual.

    Raises
    ------
    UnknownNameError
        There is no such card.
    ParameterError
        The data set is not simulated.

    Examples
    --------
    >>> sample("finance_card_simulator").target
    'is_fraud'
    """
    facts = card(name)
    if facts.simulator is None:
        raise ParameterError(f"{name!r} is not simulated, so it has no sample. Use load({name!r}).")
    small = {**facts.simulator.parameters, **facts.simulator.sample}
    small |= {name: round(float(small[name]) * times) for name in facts.simulator.grows}
    frame = _simulate(replace(facts.simulator, parameters=small))
    frame = apply_reading(frame, facts.reading, target=facts.target)
    if rule := facts.split:
        if facts.simulator.stream:
            frame = _with_full_windows(frame, rule.time)
        parts = split_latest(frame, time=rule.time, delay=rule.delay)
    else:
        parts = _split(frame, facts, run=0)
    return _named(Dataset(facts, *parts, sha256=_content_sha256(frame)), sample=True)


def _with_full_windows(frame: pd.DataFrame, time: str) -> pd.DataFrame:
    state = TransactionState()
    full = frame[time].min() + pd.Timedelta(days=state.windows[-1] + state.delay)
    return frame[frame[time] >= full]


def data_name(data: Mapping[str, Any]) -> str:
    """What a report calls data: the id of the card, marked where only a sample was taken.

    Parameters
    ----------
    data : mapping
        What tables and model files say of where they come from.

    Examples
    --------
    >>> data_name({"id": "retail_sales_simulator", "sample": True})
    'retail_sales_simulator (sample)'
    """
    return f"{data['id']} (sample)" if data.get("sample") else str(data["id"])


def _named(data: Dataset, *, sample: bool = False) -> Dataset:
    """Let the tables say which data they are from, so that a model made of them can."""
    for part in (data.train, data.validation, data.test):
        part.attrs["data"] = {
            "id": data.card.id,
            "sample": sample,
            "sha256": data.sha256,
            "licence": data.card.licence,
            "citation": data.card.citation,
            "models_may_be_published": data.card.models_may_be_published,
            "caveats": list(data.card.caveats),
            "leaks": dict(data.card.leaks),
        }
    return data


def _read(facts: Card) -> pd.DataFrame:
    names = [file.name for file in facts.files]
    frame = read_files(dict(zip(names, fetch(facts.id), strict=True)), facts.reading)
    frame = apply_reading(frame, facts.reading, target=facts.target)
    if absent := set(facts.leaks) - set(frame):
        raise SchemaError(f"Card {facts.id!r}: there is no column {min(absent)!r} that leaks.")
    return frame.drop(columns=list(facts.leaks))


def _split(frame: pd.DataFrame, facts: Card, run: int) -> Split:
    if facts.resampling:
        return split_resampled(frame, facts.resampling, target=facts.target, run=run)
    if facts.last_out:
        return split_last_out(frame, entity=facts.last_out.entity, time=facts.last_out.time)
    if facts.grouped:
        by = facts.grouped
        return split_by_group(
            frame, group=by.entity, validation=by.validation, test=by.test, seed=by.seed
        )
    if facts.scaffolds:
        return split_scaffolds(frame, facts.scaffolds)
    if facts.official:
        if facts.held_out:
            frame = with_validation(frame, facts.held_out, part=facts.official)
        return split_official(frame, part=facts.official)
    rule = facts.split
    assert rule is not None  # a card has one of the six
    return split_by_time(
        frame,
        time=rule.time,
        train=rule.train,
        validation=rule.validation,
        test=rule.test,
        delay=rule.delay,
        known=(rule.entity, facts.target) if rule.entity else None,
    )


def _simulated(facts: Card, simulator: Simulator, run: int) -> tuple[Split, str]:
    """Simulate, or read what was simulated before with the same parameters and code."""
    split = facts.split and asdict(facts.split)
    rules = [asdict(simulator), asdict(facts.reading), split, facts.target]
    key = hashlib.sha256(json.dumps(rules, sort_keys=True).encode() + _code(simulator)).hexdigest()
    path = cache_folder() / facts.id / f"simulated-{key[:16]}.parquet"
    if not path.is_file():
        frame = apply_reading(_simulate(simulator), facts.reading, target=facts.target)
        if any(holds_several(frame[name]) for name in frame):  # which Parquet does not keep
            return _split(frame, facts, run), _content_sha256(frame)
        if facts.split:  # all rows that no part needs are left out
            named = zip(Split._fields, _split(frame, facts, run), strict=True)
            frame = pd.concat([part.assign(_part=name) for name, part in named])
        with whole_file(path) as aside:
            frame.to_parquet(aside)
    # Read back even when just written, so that the first and later loads are equal.
    frame = read_table(path)
    parts = split_official(frame, part="_part") if facts.split else _split(frame, facts, run)
    return parts, _content_sha256(frame)


def _simulate(simulator: Simulator) -> pd.DataFrame:
    frame: pd.DataFrame = getattr(simulators, simulator.function)(**simulator.parameters)
    # State columns are made on the whole stream, before any split: the first transaction of
    # a split has a past too.
    return TransactionState().enrich(frame) if simulator.stream else frame


def _files_sha256(facts: Card) -> str:
    """The sha256 of the one file, or of the lines of those of several."""
    found = [file.sha256 for file in facts.files]
    return found[0] if len(found) == 1 else hashlib.sha256("\n".join(found).encode()).hexdigest()


def _content_sha256(frame: pd.DataFrame) -> str:
    content = pd.util.hash_pandas_object(hashable(frame), index=False).to_numpy().tobytes()
    return hashlib.sha256(content).hexdigest()


def _code(simulator: Simulator) -> bytes:
    """Hash the code that simulated data depend on: a cache from older code is not used."""
    made_by = sys.modules[getattr(simulators, simulator.function).__module__]
    modules = (made_by, state, timelines)
    return b"".join(hashlib.sha256(Path(str(m.__file__)).read_bytes()).digest() for m in modules)
