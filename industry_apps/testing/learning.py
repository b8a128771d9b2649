"""Checks of what a model learns from: parts that do not leak, baselines apart, a stream.

A model is trained for this on a part of the sample, as one table that the class splits itself.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from industry_apps.application import Application
from industry_apps.errors import LeakageError
from industry_apps.testing.assertions import ROUNDING, assert_same, assert_that
from industry_apps.testing.trial import TIME, Apart, Trial


def split_leaks_nothing(trial: Trial) -> None:
    """The parts of ``split`` share no row, no moment and no subject; training data are no test.

    Series with clocks of their own may share moments, which are not the same for each.

    ``evaluate`` takes the test part, and refuses the training part where records have a time or
    a subject: a column of identifiers of which ``split`` keeps each value in one part.
    """
    raw, found = trial.raw, trial.apart
    rows = np.concatenate(found.rows)
    assert_that(
        len(np.unique(rows)) == len(rows) <= len(raw) and set(rows) <= set(range(len(raw))),
        f"The parts have {len(rows)} rows, {len(np.unique(rows))} different ones, of {len(raw)}.",
    )
    empty = [name for name in ("train", "test") if not len(getattr(found.split, name))]
    assert_that(not empty, f"The parts {empty} have no rows.")
    columns = [c for c in trial.application_class.schema if c.name in raw]
    fitted = _loaded(found)
    rule = fitted.windows_
    own_clocks = rule is not None and rule.own_clocks  # whose times are not those of others
    for column in columns:
        if column.kind == TIME and not column.nullable and not own_clocks:
            told = [part[column.name] for part in found.split if len(part)]
            for before, after in pairwise(told):
                assert_that(
                    before.max() < after.min(),
                    f"{column.name!r}: a part ends at {before.max()}, the next begins at "
                    f"{after.min()}.",
                )
    fitted.evaluate(found.split.test)
    subjects = [c.name for c in columns if c.role == "identifier" and _kept_apart(found, c.name)]
    times = [c.name for c in columns if c.kind == TIME]
    if subjects or times:
        _refused(
            lambda: fitted.evaluate(found.split.train),
            f"Records have {', '.join([*times, *subjects])}, and were learned from",
        )


def first_evaluate_learns_the_baselines(trial: Trial) -> None:
    """``fit`` learns the model alone; the first ``evaluate`` learns the baselines.

    It refuses to where a table has changed since. A pickle holds no tables, so that the report of
    its model says why there are no baselines; with the split that the model has learned from,
    they are learned.
    """
    found, target = trial.apart, trial.data.target
    assert_that(not found.early, "fit has called _fit_baselines; evaluate does.")
    loaded = _loaded(found)
    without = loaded.evaluate(found.split.test)
    again = loaded.evaluate(found.split)
    said = [note for note in without.notes if note not in again.notes and "baselines" in note]
    assert_that(
        bool(said), f"Unpickled, its report does not say why it has no baselines: {without.notes}"
    )
    train, values = found.split.train, found.split.train[target].copy()
    train[target] = values.to_numpy()[::-1]
    _refused(lambda: found.fitted.evaluate(found.split.test), "The tables have changed since fit")
    train[target] = values
    kept = found.fitted.evaluate(found.split.test)
    assert_that(
        set(without.baselines) <= set(again.baselines) == set(kept.baselines),
        f"Baselines: {sorted(without.baselines)} of a pickle, {sorted(again.baselines)} with its "
        f"split, {sorted(kept.baselines)} with the tables that fit was given.",
    )


def stream_equals_batch(trial: Trial) -> None:
    """Records that come one by one get the answers that they get as one table."""
    table: Any = trial.stream
    application: Any = trial.fresh()
    batch = application.enrich(table)
    halves = [table.iloc[: len(table) // 2], table.iloc[len(table) // 2 :]]
    application = trial.fresh()
    joined = pd.concat([application.enrich(half) for half in halves])
    assert_that(batch.equals(joined), "enrich in two calls and in one differ.")
    state = application.new_state()
    told = [state.update(record) for record in table.to_dict("records")]
    for column in trial.fitted.schema_:
        if column.role == "state":
            single = np.array([record[column.name] for record in told], dtype=np.float64)
            same = np.array_equal(single, batch[column.name].to_numpy(np.float64), equal_nan=True)
            assert_that(same, f"{column.name!r}: update and enrich differ.")
    stream = pd.DataFrame([trial.model.predict(record) for record in told], index=table.index)
    for ask, name in ((trial.fitted.predict, "trained model"), (trial.model.predict, "file")):
        assert_same(ask(batch), stream, f"Table, {name}, and stream", tolerance=ROUNDING)


def _loaded(found: Apart) -> Application:
    application: Application = pickle.loads(found.pickled)  # noqa: S301 - made in this process
    return application


def _kept_apart(found: Apart, name: str) -> bool:
    """Whether values that occur again and again lie in one part each."""
    values = [part[name].dropna() for part in found.split]
    every = pd.concat(values)
    return bool(every.duplicated().any()) and sum(v.nunique() for v in values) == every.nunique()


def _refused(ask: Callable[[], object], what: str) -> None:
    try:
        ask()
    except LeakageError:
        return
    raise AssertionError(f"{what}: evaluate raised no LeakageError.")


CHECKS = (split_leaks_nothing, first_evaluate_learns_the_baselines)
