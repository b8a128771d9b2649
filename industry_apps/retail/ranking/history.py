"""What each user took, as it stands in a model file, joined with what a request adds to it.

Histories are stored one behind the other, since a few users have most of the interactions:
a table as wide as the longest would be empty for the most part.

Letters: B requests of a run, T interactions of the longest joined history, W of the longest
history that a request gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import GraphBuilder
from industry_apps.retail.ranking.interactions import Interactions, code_of, codes_by_name


class Requests(NamedTuple):
    """Requests as numbers.

    Parameters
    ----------
    user : ndarray of int64, shape [B]
        Code, 0 of an unknown one.
    codes : ndarray of int64, shape [B, T]
        Items, first the stored ones, then those of the request; 0 is none.
    age : ndarray of int64, shape [B, T]
        How many known items come after.
    strength : ndarray of float32, shape [B, T]
        1 of the items of the request.
    new : ndarray of int64, shape [B, W]
        The items of the request.
    """

    user: NDArray[np.int64]
    codes: NDArray[np.int64]
    age: NDArray[np.int64]
    strength: NDArray[np.float32]
    new: NDArray[np.int64]


class RequestTensors(NamedTuple):
    """Names of the tensors that hold the same in a graph; ``batch`` is [B], its own length."""

    user: str
    codes: str
    age: str
    strength: str
    new: str
    batch: str


@dataclass(frozen=True, eq=False)
class Histories:
    """The stored histories.

    Parameters
    ----------
    users, items : ndarray of str
        Names; the first is "".
    starts, counts : ndarray of int64, shape [users + 1]
        Where the history of a user lies, and how long it is; the first user has none.
    codes : ndarray of int64, shape [N]
        Items, the oldest of a user first.
    strength : ndarray of float32, shape [N]
    """

    users: NDArray[np.object_]
    items: NDArray[np.object_]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    codes: NDArray[np.int64]
    strength: NDArray[np.float32]

    @classmethod
    def of(cls, found: Interactions) -> Histories:
        """Store the interactions of each user."""
        return cls(
            users=found.users,
            items=found.items,
            starts=found.starts,
            counts=found.counts,
            codes=found.item,
            strength=found.strength.astype(np.float32),
        )

    def read(self, users: NDArray[Any], histories: NDArray[Any]) -> Requests:
        """Read names of users [B] and of items [B, W]."""
        return self.joined(code_of(users, self.users), code_of(histories, self.items))

    def joined(self, user: NDArray[np.int64], new: NDArray[np.int64]) -> Requests:
        """Join the stored histories of users [B] with codes of items [B, W]."""
        counts = self.counts[user]
        grid = np.arange(counts.max(initial=0))
        stored = grid < counts[:, None]
        place = np.where(stored, self.starts[user][:, None] + grid, 0)
        codes = np.where(stored, self.codes[place], 0)
        strength = np.where(stored, self.strength[place], np.float32(0))
        codes = np.concatenate([codes, new], axis=1)
        given = (new > 0).astype(np.float32)
        known = codes > 0
        age = known[:, ::-1].cumsum(axis=1)[:, ::-1] - known
        return Requests(user, codes, age, np.concatenate([strength, given], axis=1), new)

    def write(self, builder: GraphBuilder, users: str, histories: str) -> RequestTensors:
        """Append the same to a graph, from names [B, 1] and [B, W]."""
        node, constant = builder.node, builder.constant
        user = node("Squeeze", write_codes(builder, users, self.users), constant(np.array([1])))
        new = write_codes(builder, histories, self.items)
        counts = node("Gather", constant(self.counts), user)  # [B]
        starts = node("Gather", constant(self.starts), user)
        most = node("ReduceMax", counts, attributes={"keepdims": 0})
        grid = node("Range", constant(np.int64(0)), most, constant(np.int64(1)))  # [T - W]
        one = constant(np.array([1]))
        stored = node("Less", grid, node("Unsqueeze", counts, one))  # [B, T - W]
        place = node("Add", node("Unsqueeze", starts, one), grid)
        none, nothing = constant(np.int64(0)), constant(np.float32(0))
        place = node("Where", stored, place, none)
        codes = node("Where", stored, node("Gather", constant(_some(self.codes)), place), none)
        known = node("Gather", constant(_some(self.strength)), place)
        strength = node("Where", stored, known, nothing)
        codes = builder.concat([codes, new])
        given = builder.cast(node("Greater", new, none), np.float32)
        is_item = builder.cast(node("Greater", codes, none), np.int64)
        later = {"exclusive": 1, "reverse": 1}
        age = node("CumSum", is_item, constant(np.int64(1)), attributes=later)
        batch = node("Shape", user)
        return RequestTensors(user, codes, age, builder.concat([strength, given]), new, batch)


def write_codes(builder: GraphBuilder, text: str, names: NDArray[np.object_]) -> str:
    """Append the codes of names, 0 of unknown ones; of the same shape."""
    known = codes_by_name(names)
    return builder.node(
        "LabelEncoder",
        text,
        domain="ai.onnx.ml",
        attributes={
            "keys_strings": list(known),
            "values_int64s": list(known.values()),
            "default_int64": 0,
        },
    )


def _some(values: NDArray[Any]) -> NDArray[Any]:
    """At least one value, so that there is a place to read from."""
    return values if len(values) else np.zeros(1, dtype=values.dtype)
