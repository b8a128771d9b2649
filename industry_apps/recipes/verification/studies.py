"""Questions about templates: whether two revoked ones are linked, and how long a search takes.

Letters: N templates, D values of each.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from hashlib import sha256
from statistics import median

import numpy as np
from numpy.typing import NDArray

from industry_apps.evaluation import Estimate
from industry_apps.evaluation.sections import Section
from industry_apps.recipes.verification.metrics import ENROLLED, FALSE_MATCHES, Pairs
from industry_apps.runtime.verification.gallery import Gallery
from industry_apps.runtime.verification.scoring import unit
from industry_apps.runtime.verification.sealing import Key
from industry_apps.runtime.verification.store import TemplateStore
from industry_apps.runtime.verification.templates import Consent

__all__ = ["linked_templates", "search_time"]

_Floats = NDArray[np.float64]

#: Keys under which templates are revoked; templates of a search, and searches of each size.
_KEYS, _SIZES, _SEARCHES = 20, (10_000, 100_000, 1_000_000), 9
#: Candidates that a search is asked for, and rows that are drawn at a time.
_MOST, _BLOCK = 10, 50_000
_MODEL, _DAY = "0" * 64, date(2026, 1, 1)
_CONSENT = Consent(purpose="a trial of linking", given=_DAY, keep_until=_DAY)


def linked_templates(
    embedding: NDArray[np.floating], person: NDArray[np.intp], keys: int = _KEYS
) -> Section:
    """Try to link two templates of a person, of which both were stolen and opened, without the key.

    Parameters
    ----------
    embedding : ndarray of shape [N, D]
        Of persons who were not learned from.
    person : ndarray of int, shape [N]
        0 and up, each has six samples or more.
    keys : int
        So many keys are tried, >= 2; intervals are over them.
    """
    first, second = (_templates(embedding, person, start) for start in (0, ENROLLED))
    rounds = [_keys_of(number) for number in range(keys)]
    rows: list[Sequence[object]] = [
        ("what the thief has", "how they are linked", "eer", "linked_at_1_percent_false")
    ]
    revoked = [_revoked(first, key) for key, _ in rounds]
    kept = [pair[0] for pair in revoked]
    again = [_kept(second, key, shared=False) for _, key in rounds]
    one, other = ([_kept(first, pair[n], shared=True) for pair in rounds] for n in (0, 1))
    renewed = [_kept(second, other_key, shared=True) for _, other_key in rounds]
    plain = [(first, second)] * keys
    anew = list(zip(kept, again, strict=True))
    same, later = (list(zip(one, others, strict=True)) for others in (other, renewed))
    for words, way, found in (
        ("two templates that are under no rotation", _cosines, plain),
        ("a template, and the same one revoked", _cosines, revoked),
        ("a template, and one enrolled anew", _cosines, anew),
        ("a gallery, and the same under another key", _by_others, same),
        ("a gallery, and one enrolled anew under another key", _by_others, later),
    ):
        errors = [_errors(way(*both)) for both in found]
        name = "by their cosine" if way is _cosines else "by the cosines with all others"
        rows.append((words, name, *map(_over_keys, zip(*errors, strict=True))))
    text = (
        f"{len(first)} persons who were not learned from, {ENROLLED} samples in each template, "
        f"{keys} keys. An equal error rate of 0.5 is chance. Templates of a user's own rotation "
        "say nothing of one another without the key. Those of a gallery share one, which keeps "
        "the cosines between persons: whoever has two galleries of the same persons tells by them "
        "who is who, whatever the keys."
    )
    return Section("Linking of revoked templates", text, rows)


def search_time(
    embedding: NDArray[np.floating], threshold: float, sizes: Sequence[int] = _SIZES
) -> Section:
    """Time a search among many templates beside one matrix product of numpy.

    Parameters
    ----------
    embedding : ndarray of shape [N, D]
        One of them is among the templates, the others are random directions.
    threshold : float
        Of the file.
    sizes : sequence of int
        Templates.
    """
    rows: list[Sequence[object]] = [
        ("templates", "memory_mb", "search_ms", "matrix_product_ms", "ratio", "found first")
    ]
    probe = unit(embedding[0])
    single = probe.astype(np.float32)
    record = TemplateStore(Key.new(), shared=True).put("probe", _MODEL, probe, _CONSENT, 1)
    for size in sizes:
        templates = _random(size, len(probe))
        place = size // 2
        templates[place] = probe
        gallery = Gallery([f"{row:07d}" for row in range(size)], templates, record, _DAY)
        asked = gallery.search(probe, threshold, _MOST)
        right = bool(asked) and asked[0].user == gallery.users[place]
        search = partial(gallery.search, probe, threshold, _MOST)
        ours, theirs = _alternating(search, partial(np.matmul, templates, single))
        memory = round(templates.nbytes / 1e6)
        rows.append(
            (size, memory, 1e3 * ours, 1e3 * theirs, ours / theirs, "yes" if right else "no")
        )
    text = (
        f"Exact searches for {_MOST} candidates at the threshold of the file, {len(probe)} values "
        f"a template, medians of {_SEARCHES} in turn with the product alone. All templates are "
        "decrypted once, into memory, where they stay; this is not in the figures."
    )
    return Section("Search among many", text, rows)


def _templates(embedding: NDArray[np.floating], person: NDArray[np.intp], start: int) -> _Floats:
    """Templates [persons, D] of some samples of each, from a place on."""
    units = unit(embedding)
    rows = [np.flatnonzero(person == number)[start:] for number in range(person.max() + 1)]
    return unit(np.array([units[each[:ENROLLED]].mean(axis=0) for each in rows if len(each)]))


def _keys_of(number: int) -> tuple[Key, Key]:
    """Two keys, the same each time, so that the figures are."""
    one, other = (sha256(f"{number} {n}".encode()).digest() for n in (0, 1))
    return Key(one), Key(other)


def _kept(templates: _Floats, key: Key, *, shared: bool) -> _Floats:
    """Templates [N, D] as a store keeps them, opened."""
    store = TemplateStore(key, shared=shared)
    return np.array([_put(store, str(n), each) for n, each in enumerate(templates)])


def _revoked(templates: _Floats, key: Key) -> tuple[_Floats, _Floats]:
    """Templates as a store keeps them, and as it keeps them once they are revoked."""
    store = TemplateStore(key)
    before, after = [], []
    for number, each in enumerate(templates):
        before.append(_put(store, str(number), each))
        store.revoke(str(number), _DAY)
        after.append(store.template(str(number), _MODEL, _DAY)[1])
    return np.array(before), np.array(after)


def _put(store: TemplateStore, user: str, template: _Floats) -> _Floats:
    store.put(user, _MODEL, template, _CONSENT, ENROLLED)
    return store.template(user, _MODEL, _DAY)[1]


def _cosines(one: _Floats, other: _Floats) -> _Floats:
    return unit(one) @ unit(other).T


def _by_others(one: _Floats, other: _Floats) -> _Floats:
    """How alike are the cosines that a person has with all others, in order of size [N, N]."""
    both = [np.sort(unit(each) @ unit(each).T, axis=1)[:, :-1] for each in (one, other)]
    found: _Floats = -np.square(both[0][:, None] - both[1][None]).sum(axis=2)
    return found


def _errors(score: _Floats) -> tuple[float, float]:
    """Equal error rate of linking, and the share linked where 1 % of others are."""
    count = len(score)
    same = np.eye(count, dtype=np.bool_)
    first, second = np.indices(score.shape)
    pairs = Pairs(score.ravel(), same.ravel(), first.ravel(), second.ravel())
    weight = np.ones(count)
    return pairs.eer(weight), 1 - pairs.refused_at(FALSE_MATCHES)(weight)


def _over_keys(values: Sequence[float]) -> Estimate:
    low, high = np.quantile(values, [0.025, 0.975])
    return Estimate(float(np.mean(values)), float(low), float(high))


def _random(size: int, values: int) -> NDArray[np.float32]:
    """Random directions [size, values], of length 1."""
    draw = np.random.default_rng(0)
    made = np.empty((size, values), dtype=np.float32)
    for start in range(0, size, _BLOCK):
        block = draw.standard_normal((min(_BLOCK, size - start), values), dtype=np.float32)
        made[start : start + _BLOCK] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return made


def _alternating(*calls: Callable[[], object]) -> list[float]:
    """Median seconds of each, called in turn."""
    took: list[list[float]] = [[] for _ in calls]
    for _ in range(_SEARCHES):
        for each, call in zip(took, calls, strict=True):
            started = time.perf_counter()
            call()
            each.append(time.perf_counter() - started)
    return [median(each) for each in took]
