"""Who took what, and when: interactions read from a table, as codes of users and items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from industry_apps.data import Split
from industry_apps.errors import SchemaError
from industry_apps.schema import Column, Schema
from industry_apps.schema.spellings import aliases
from industry_apps.schema.values import MISSING_TIME

#: Code of no user and of no item.
NOBODY = 0
#: A recommender is not learned from less.
FEWEST_USERS, FEWEST_ITEMS = 2, 2
#: How far a weight pulls: one standard deviation above the mean counts by this much more.
_PULL = 0.17
_LEAST, _MOST = 0.5, 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionColumns:
    """Names of the columns of a table of interactions.

    Parameters
    ----------
    user, item : str
    time, weight : str
        Of columns that a table may lack.
    """

    user: str = "user"
    item: str = "item"
    time: str = "time"
    weight: str = "weight"


@dataclass(frozen=True, eq=False)
class Interactions:
    """Interactions as codes, each pair of user and item once, ordered by user and time.

    Parameters
    ----------
    users, items : ndarray of str, shape [users + 1] and [items + 1]
        Names, sorted; the first is "", of nobody and of nothing.
    user, item : ndarray of int64, shape [N]
        Codes, 1 and above.
    time : ndarray of int64, shape [N]
        Seconds since 1970, or MISSING_TIME.
    strength : ndarray of float64, shape [N]
        What the interaction tells, 1 on average.
    """

    users: NDArray[np.object_]
    items: NDArray[np.object_]
    user: NDArray[np.int64]
    item: NDArray[np.int64]
    time: NDArray[np.int64]
    strength: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.user)

    @property
    def is_ordered(self) -> bool:
        """Whether every interaction has a moment, and not all the same."""
        known = bool((self.time != MISSING_TIME).all())
        return known and len(np.unique(self.time)) > 1

    @property
    def counts(self) -> NDArray[np.int64]:
        """Interactions of each user, [users + 1]."""
        return np.bincount(self.user, minlength=len(self.users)).astype(np.int64)

    @property
    def starts(self) -> NDArray[np.int64]:
        """Place of the first interaction of each user, [users + 1]."""
        counts = self.counts
        return np.cumsum(counts) - counts

    @property
    def popularity(self) -> NDArray[np.int64]:
        """Interactions of each item, [items + 1]."""
        return np.bincount(self.item, minlength=len(self.items)).astype(np.int64)

    def ages(self) -> NDArray[np.int64]:
        """How many interactions of the same user came after each, [N]."""
        place = np.arange(len(self)) - self.starts[self.user]
        ages: NDArray[np.int64] = self.counts[self.user] - 1 - place
        return ages

    def matrix(self, values: NDArray[Any] | None = None) -> sp.csr_matrix:
        """Sparse [users + 1, items + 1] of values [N], or of the strengths."""
        data = self.strength if values is None else values
        shape = (len(self.users), len(self.items))
        return sp.csr_matrix((data, (self.user, self.item)), shape=shape)

    def part(self, chosen: NDArray[Any]) -> Interactions:
        """Some of the interactions, of the same users and items."""
        return replace(
            self,
            user=self.user[chosen],
            item=self.item[chosen],
            time=self.time[chosen],
            strength=self.strength[chosen],
        )

    def joined(self, later: Interactions) -> Interactions:
        """All interactions of both; where a pair is in both, the later one counts."""
        columns = {
            name: np.concatenate([getattr(self, name), getattr(later, name)])
            for name in ("user", "item", "time", "strength")
        }
        return _once(replace(self, **columns))

    def hold_out(
        self, seed: int, *, latest: bool, share: float = 0.25
    ) -> tuple[Interactions, Interactions]:
        """Set interactions of each user aside: the latest, or random ones.

        Parameters
        ----------
        seed : int
        latest : bool
        share : float
            Of the interactions of a user, in (0, 1); a user keeps at least one.
        """
        order: NDArray[Any] = np.random.default_rng(seed).random(len(self))
        if latest:
            order = np.arange(len(self))
        ranked = np.lexsort([order, self.user])
        rank = np.empty(len(self), dtype=np.int64)
        rank[ranked] = np.arange(len(self)) - self.starts[self.user[ranked]]
        taken = rank >= np.maximum(1, np.floor(self.counts * (1 - share) + 1e-9))[self.user]
        return self.part(~taken), self.part(taken)


def read_interactions(
    tables: Sequence[pd.DataFrame], names: InteractionColumns, further: Sequence[Any] = ()
) -> list[Interactions]:
    """Check tables of interactions and read them under one numbering of users and items.

    Parameters
    ----------
    tables : sequence of DataFrame
    names : InteractionColumns
    further : sequence of str
        Items that nobody took yet.

    Returns
    -------
    list of Interactions
        One for each table. A pair of user and item that is there several times is kept
        once: the latest, or without moments the last.

    Raises
    ------
    SchemaError
        A user or an item is missing, or a weight is negative.
    """
    read = [_arrays(table, names) for table in tables]
    users = _names(np.concatenate([part["user"] for part in read]))
    taken = np.concatenate([part["item"] for part in read])
    items = _names(np.concatenate([taken, np.array(list(further), dtype=object)]))
    found = [
        _once(
            Interactions(
                users=users,
                items=items,
                user=code_of(part["user"], users),
                item=code_of(part["item"], items),
                time=part["time"],
                strength=part["weight"],
            )
        )
        for part in read
    ]
    # Of each pair once: a row twice must not shift what is usual.
    mean, spread = _moments(np.concatenate([part.strength for part in found]).astype(np.float64))
    return [replace(part, strength=_strength(part.strength, mean, spread)) for part in found]


def code_of(values: NDArray[Any], names: NDArray[np.object_]) -> NDArray[np.int64]:
    """Codes of names, in any spelling, in a list of them whose first is ""; 0 of unknown ones."""
    flat = values.reshape(-1)
    table = codes_by_name(names)
    codes = np.fromiter((table.get(each, NOBODY) for each in flat), np.int64, len(flat))
    return codes.reshape(values.shape)


def codes_by_name(names: NDArray[np.object_]) -> dict[str, int]:
    """Names of a list whose first is "", and their other spellings -> place in the list."""
    table = {name: code for code, name in enumerate(names) if name}
    return table | {other: table[name] for other, name in aliases(tuple(table)).items()}


def _arrays(table: pd.DataFrame, names: InteractionColumns) -> dict[str, NDArray[Any]]:
    wanted = Schema(
        (
            Column(name=names.user, kind="category", nullable=False),
            Column(name=names.item, kind="category", nullable=False),
            Column(name=names.time, kind="datetime", required=False),
            Column(name=names.weight, kind="number", low=0, required=False),
        )
    )
    found = wanted.to_arrays(table)
    return dict(zip(("user", "item", "time", "weight"), found.values(), strict=True))


def _names(values: NDArray[Any]) -> NDArray[np.object_]:
    return np.array(["", *sorted(set(values.tolist()))], dtype=object)


def _moments(weights: NDArray[np.float64]) -> tuple[float, float]:
    known = weights[~np.isnan(weights)]
    return (float(known.mean()), float(known.std())) if len(known) else (0.0, 0.0)


def _strength(weight: NDArray[Any], mean: float, spread: float) -> NDArray[np.float64]:
    if spread <= 1e-9 * max(1.0, abs(mean)):
        return np.ones(len(weight))
    pulled = 1 + _PULL * (np.nan_to_num(weight.astype(np.float64), nan=mean) - mean) / spread
    return np.clip(pulled, _LEAST, _MOST)


def _once(found: Interactions) -> Interactions:
    """Ordered by user and time, each pair once."""
    # Stable: without moments, the order of the table counts. Ties by item would tell a model
    # of time the names; ties in the order of the table are what the user gave.
    order = np.lexsort([found.time, found.user])
    pair = (found.user * len(found.items) + found.item)[order]
    last = len(order) - 1 - np.unique(pair[::-1], return_index=True)[1]
    return found.part(order[np.sort(last)])


def split_interactions(
    frame: pd.DataFrame, names: InteractionColumns, *, ordered: bool = True, seed: int = 0
) -> Split:
    """Split the interactions of each user: the latest fifth is the test, the one before held out.

    Parameters
    ----------
    frame : DataFrame
    names : InteractionColumns
    ordered : bool
        Take random ones where it is False, or where there are no moments.
    seed : int
    """
    found = _arrays(frame, names)
    order: NDArray[Any] = found["time"]
    if not ordered or (order == MISSING_TIME).any():
        order = np.random.default_rng(seed).random(len(frame))
    ranked = np.lexsort([order, found["user"].astype(str)])
    _, user = np.unique(found["user"].astype(str), return_inverse=True)
    count = np.bincount(user)
    rank = np.empty(len(frame), dtype=np.int64)
    rank[ranked] = np.arange(len(frame)) - (np.cumsum(count) - count)[user[ranked]]
    share = rank / np.maximum(count, 1)[user]
    # A user with few interactions keeps the first to learn from.
    bounds = ((share < 0.6) | (rank == 0), share >= 0.8)
    test = bounds[1] & (rank > 0)
    parts = bounds[0], ~bounds[0] & ~test, test
    return Split(*(frame[part].reset_index(drop=True) for part in parts))


def check_enough(found: Interactions) -> None:
    """Raise :class:`SchemaError` where there are too few users or items to learn from."""
    users, items = len(np.unique(found.user)), len(np.unique(found.item))
    if users < FEWEST_USERS or items < FEWEST_ITEMS:
        raise SchemaError(
            f"The interactions are of {users} users and {items} items; a recommender needs "
            f"{FEWEST_USERS} and {FEWEST_ITEMS} at the least, and some hundreds to be of use. "
            "Give more interactions."
        )


def item_table(
    tables: Sequence[pd.DataFrame],
    item: str,
    columns: Sequence[str],
    items: pd.DataFrame | None,
) -> pd.DataFrame:
    """One row an item, of what the tables say about items.

    Parameters
    ----------
    tables : sequence of DataFrame
        Interactions, with columns that hold the same value wherever the item is the same.
    item : str
        Name of the column of items, in the tables and in ``items``.
    columns : sequence of str
        Those that are taken from the tables, as far as these have them.
    items : DataFrame, optional
        Further columns and further items.

    Raises
    ------
    SchemaError
        ``items`` lacks the column of items, or has an item twice.
    """
    taken = [table[[item, *(c for c in columns if c in table)]] for table in tables]
    found = pd.concat(taken, ignore_index=True)
    key = Column(name=item, kind="category", nullable=False)
    found = found.assign(**{item: key.to_array(found[item])}).drop_duplicates(item)
    if items is None:
        return found.set_index(item)
    names = Schema((key,)).to_arrays(items)[item]
    given = items.assign(**{item: names})
    if given[item].duplicated().any():
        twice = given[item][given[item].duplicated()].iloc[0]
        raise SchemaError(
            f"Column {item!r}: the table of items has {twice!r} twice. Keep one row an item."
        )
    given = given.set_index(item)
    more = found.set_index(item)
    return given.join(more[[c for c in more if c not in given]], how="outer")


def described(found: Interactions) -> Mapping[str, Any]:
    """Counts, and the period where there are moments, as JSON values."""
    facts: dict[str, Any] = {
        "interactions": len(found),
        "users": len(np.unique(found.user)),
        "items": len(np.unique(found.item)),
    }
    known = found.time[found.time != MISSING_TIME]
    if len(known):
        first, last = known.min(), known.max()
        facts |= {"first": str(np.datetime64(int(first), "s"))}
        facts |= {"last": str(np.datetime64(int(last), "s"))}
    return facts
