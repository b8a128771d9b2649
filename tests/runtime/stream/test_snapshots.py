"""Snapshots of a state: what can be read and is none is refused, and so is a second writer."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest

from industry_apps.errors import ModelFileError, StateInUseError
from industry_apps.runtime import TransactionState

RECORDS: list[dict[str, Any]] = [
    {"customer": c, "terminal": t, "time": f"2024-03-0{day} 10:00", "amount": a, "is_fraud": f}
    for day, c, t, a, f in (
        (1, "A", "T1", 12.5, True),
        (2, "B", "T1", None, False),
        (2, "A", "T2", 99.99, None),
        (4, "A", "T1", 3e7, False),
    )
]
LATER = {"customer": "A", "terminal": "T1", "time": "2024-03-12 10:00", "amount": 1.0}


@pytest.fixture
def state() -> TransactionState:
    made = TransactionState()
    for record in RECORDS:
        made.update(record)
    return made


def rewritten(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
    """Change the header and the arrays of a snapshot."""
    with np.load(path) as stored:
        arrays = dict(stored)
    header = json.loads(arrays.pop("header").tobytes())
    change(header, arrays)
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    np.savez(path, **arrays)


def put(name: str, place: Any, value: int) -> Callable[[Any, Any], None]:
    def change(header: dict[str, Any], arrays: dict[str, Any]) -> None:
        arrays[name][place] = value

    return change


def say(key: str, value: Any) -> Callable[[Any, Any], None]:
    return lambda header, arrays: header.update({key: value})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (say("now", 1), "have events after 1, the time of the latest"),
        (say("now", None), "have events after None"),
        (say("now", "1"), "its time is '1', expected a whole number"),
        (say("more", 1), "it says"),
        (say("entities", ["A", "A"]), "one of its entities is there twice"),
        (say("entities", ["A", ""]), "the names of its entities are no texts"),
        (say("entities", ["A"]), "which do not fit each other"),
        (say("settings", {"windows": [7, 1]}), "increasing whole numbers"),
        (say("settings", {"window": [7]}), "unexpected keyword"),
        (put("entities_counts", 0, 3), "do not add up to 4 events"),
        (put("entities_counts", 0, -1), "do not add up to 4 events"),
        (put("entities_times", 2, 0), "not in order of time"),
        (put("entities_times", 0, 2**62), "have events after"),
        (put("places_values", (0, 0), 7), "neither fraud nor not"),
        (put("entities_values", (1, 0), 2), "neither known nor unknown"),
        (put("entities_values", (0, 1), 10**17), "beyond its limits"),
        (put("entities_values", (2, 1), 5), "do not belong to them"),
        (put("entities_values", (3, 1), 5), "do not belong to them"),
        (
            lambda header, arrays: arrays.update(places_times=arrays["places_times"] + 0.5),
            "expected int64",
        ),
    ],
)
def test_what_is_no_state_is_refused(
    state: TransactionState, tmp_path: Path, change: Any, message: str
) -> None:
    path = tmp_path / "state.npz"
    state.snapshot(path)
    rewritten(path, lambda header, arrays: None)
    assert TransactionState.restore(path).update(LATER) == state.update(LATER)
    rewritten(path, change)
    with pytest.raises(ModelFileError, match=message) as error:
        TransactionState.restore(path)
    assert str(path) in str(error.value)


def test_a_packed_snapshot_is_refused(state: TransactionState, tmp_path: Path) -> None:
    """A small file may unpack to more than the memory holds."""
    path = tmp_path / "state.npz"
    state.snapshot(path)
    with np.load(path) as stored:
        np.savez_compressed(path, **dict(stored))
    with pytest.raises(ModelFileError, match="its arrays are packed"):
        TransactionState.restore(path)


def test_a_changed_bit_is_refused_or_changes_nothing(
    state: TransactionState, tmp_path: Path
) -> None:
    path = tmp_path / "state.npz"
    state.snapshot(path)
    content, expected = path.read_bytes(), copy.deepcopy(state).update(LATER)
    random, refused = np.random.default_rng(0), 0
    for place in random.integers(0, 8 * len(content), 300).tolist():
        changed = bytearray(content)
        changed[place // 8] ^= 1 << place % 8
        path.write_bytes(changed)
        try:
            assert TransactionState.restore(path).update(LATER) == expected
        except ModelFileError:
            refused += 1
    assert refused > 150


def test_a_second_writer_is_refused_and_the_first_goes_on(state: TransactionState) -> None:
    found: list[Any] = []

    class Nosy(dict[str, Any]):
        """A record that, while it is read, lets another thread write."""

        def get(self, name: str, default: Any = None) -> Any:
            def write() -> None:
                for call in (state.update, state.confirm):
                    try:
                        call(LATER)
                    except StateInUseError as error:
                        found.append(str(error))

            other = Thread(target=write)
            other.start()
            other.join()
            return super().get(name, default)

    alone = copy.deepcopy(state)
    assert state.update(Nosy(LATER)) == alone.update(LATER)
    assert len(found) == 2
    assert "Put one lock around update, confirm, enrich and snapshot." in found[0]
    assert state.size == alone.size


def test_copies_and_pickles_of_a_state_go_on_equally(state: TransactionState) -> None:
    copies = copy.deepcopy(state), pickle.loads(pickle.dumps(state))
    expected = state.update(LATER)
    assert [other.update(LATER) for other in copies] == [expected, expected]
