"""Data sets: loaded by name, split as their card says."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd

from industry_apps.data import simulators
from industry_apps.data.cards import Card, Simulator, card
from industry_apps.data.files import cache_folder, fetch
from industry_apps.data.splits import (
    Split,
    check_leakage,
    split_by_time,
    split_latest,
    split_official,
)
from industry_apps.data.tables import apply_reading, read_table
from industry_apps.errors import ParameterError
from industry_apps.runtime import state, timelines
from industry_apps.runtime.state import TransactionState
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
        """Return rows, positives and period of each part, one row a part."""
        time = self.card.split.time
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return pd.DataFrame(
            {
                name: {
                    "rows": len(part),
                    "positives": int(part[self.target].sum()),
                    "first": part[time].min(),
                    "last": part[time].max(),
                }
                for name, part in parts.items()
            }
        ).T

    def __repr__(self) -> str:
        kind = " (simulated)" if self.card.kind == "simulated" else ""
        rows = ", ".join(f"{name} {row.rows}" for name, row in self.summary().iterrows())
        return f"Dataset({self.card.id!r}{kind}: {rows} rows, target {self.target!r})"


def load(name: str) -> Dataset:
    """Load a data set and split it so that nothing leaks.

    Parameters
    ----------
    name : str
        Id of a card; see :func:`industry_apps.data.catalogue`.

    Returns
    -------
    Dataset

    Raises
    ------
    UnknownNameError, DataNotFoundError, ChecksumError, SchemaError, LeakageError
    """
    facts = card(name)
    if facts.simulator:
        split, sha256 = _simulated(facts, facts.simulator)
    else:
        frame = apply_reading(read_table(fetch(name)[0]), facts.reading, target=facts.target)
        split, sha256 = _split(frame, facts), facts.files[0].sha256
    rule = facts.split
    for part in (split.train, split.validation):
        check_leakage(part, split.test, time=rule.time, delay=rule.delay)
    return _named(Dataset(facts, *split, sha256=sha256), facts.id)


def sample(name: str) -> Dataset:
    """Make the small run of a simulated data set: for a first try, with no network.

    The days in which the longest window is not yet full are left out; the others are split
    by time into shares, with the delay of the card.

    Parameters
    ----------
    name : str
        Id of a card of kind "simulated".

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
    frame = _simulate(replace(facts.simulator, parameters=small))
    frame = apply_reading(frame, facts.reading, target=facts.target)
    time = facts.split.time
    state = TransactionState()
    full = frame[time].min() + pd.Timedelta(days=state.windows[-1] + state.delay)
    parts = split_latest(frame[frame[time] >= full], time=time, delay=facts.split.delay)
    sha256 = hashlib.sha256(
        pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes()
    ).hexdigest()
    return _named(Dataset(facts, *parts, sha256=sha256), f"{facts.id} (sample)")


def _named(data: Dataset, name: str) -> Dataset:
    """Let the tables say which data they are from, so that a model made of them can."""
    for part in (data.train, data.validation, data.test):
        part.attrs["data"] = {
            "id": name,
            "sha256": data.sha256,
            "licence": data.card.licence,
            "models_may_be_published": data.card.models_may_be_published,
            "caveats": list(data.card.caveats),
        }
    return data


def _split(frame: pd.DataFrame, facts: Card) -> Split:
    rule = facts.split
    return split_by_time(
        frame,
        time=rule.time,
        train=rule.train,
        validation=rule.validation,
        test=rule.test,
        delay=rule.delay,
        known=(rule.entity, facts.target) if rule.entity else None,
    )


def _simulated(facts: Card, simulator: Simulator) -> tuple[Split, str]:
    """Simulate, or read what was simulated before with the same parameters and code."""
    rules = [asdict(simulator), asdict(facts.reading), asdict(facts.split), facts.target]
    recipe = json.dumps(rules, sort_keys=True)
    key = hashlib.sha256(recipe.encode() + _code()).hexdigest()
    path = cache_folder() / facts.id / f"simulated-{key[:16]}.parquet"
    if not path.is_file():
        frame = apply_reading(_simulate(simulator), facts.reading, target=facts.target)
        split = _split(frame, facts)
        named = zip(Split._fields, split, strict=True)
        with whole_file(path) as aside:
            pd.concat([part.assign(_part=name) for name, part in named]).to_parquet(aside)
    # Read back even when just written, so that the first and later loads are equal.
    frame = read_table(path)
    content = pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes()
    sha256 = hashlib.sha256(recipe.encode() + content).hexdigest()
    return split_official(frame, part="_part"), sha256


def _simulate(simulator: Simulator) -> pd.DataFrame:
    # State columns are made on the whole stream, before any split: the first transaction of
    # a split has a past too.
    function = partial(getattr(simulators, simulator.function), **simulator.parameters)
    return TransactionState().enrich(function())


def _code() -> bytes:
    """Hash the code that simulated data depend on: a cache from older code is not used."""
    modules = (simulators, state, timelines)
    return b"".join(hashlib.sha256(Path(str(m.__file__)).read_bytes()).digest() for m in modules)
