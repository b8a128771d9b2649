"""Checks of applications that answer windows of series: asked with long tables.

They stand in the place of those checks that need records which have nothing to do with
each other.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd

from industry_apps.errors import SchemaError
from industry_apps.export.edges import Moment
from industry_apps.export.parity import Answers, certify_windows
from industry_apps.runtime.inputs import Feeds
from industry_apps.runtime.series.forecasts import answer_keys
from industry_apps.runtime.series.long_tables import moment_of
from industry_apps.runtime.series.windows import Panel, history_of
from industry_apps.testing.answers import arrays_of
from industry_apps.testing.assertions import ROUNDING, assert_outputs, assert_same, assert_that
from industry_apps.testing.limits import fit_refused
from industry_apps.testing.series_trial import SeriesTrial
from industry_apps.testing.trial import changed

#: Moments of the test part at which both are asked, or as many as there are.
_MOMENTS = 12
#: A table of so many series is small, and holds some that begin late or end early.
_SERIES = 4


def export_parity(trial: SeriesTrial) -> None:
    """The file answers as the trained model, at many moments and on edge windows."""

    def native(table: Feeds) -> Answers:
        return arrays_of(trial.fitted.predict(pd.DataFrame(table)))

    def exported(table: Feeds) -> Answers:
        return arrays_of(trial.model.predict(pd.DataFrame(table)))

    def asked(label: str, table: pd.DataFrame) -> Moment:
        names = np.repeat(np.array(trial.names(table), dtype=object), trial.rule.horizon or 1)
        return Moment(label, names, arrays_of(table))

    found = certify_windows(
        native,
        exported,
        [
            asked(f"up to {moment_of(m)}", trial.upto(trial.everything, m))
            for m in _some(trial, _MOMENTS)
        ],
        [asked(f"edge case {number}", table) for number, table in enumerate(trial.edges())],
        trial.model.outputs,
    )
    stated: Any = trial.fitted.parity_
    assert_that(found.holds and stated.holds, f"Found {found}, the file states {stated}.")
    test, rule = trial.data.test, trial.rule
    proven = test if trial.fitted._exportable().history is None else trial.everything
    every = min(len(trial.moments(test)), len(trial.moments(proven)) - rule.length + 1)
    if rule.own_clocks:  # however many rows of each series are cut off
        every = int(trial.rows_of(proven).max())
    elif rule.horizon:  # from the end of the history on, as far as the horizon is known
        first = trial.moments(test)[0]
        known = [m for m in trial.moments(proven) if m < first] or [first]
        begin, end = rule.calendar.period_of(np.array([known[-1], trial.moments(test)[-1]]))
        every = int(end - begin) - rule.horizon + 1
    moments, rest = divmod(stated.rows, len(trial.names(proven)))
    assert_that(
        rest == 0 and min(every, _MOMENTS) <= moments <= every and stated.edge_rows > 0,
        f"Exported with the test part as check, in which {len(trial.names(proven))} series have "
        f"{every} moments with a full window, the certificate is of other rows: {stated}.",
    )


def index_is_the_series(trial: SeriesTrial) -> None:
    """Answers come on the sorted names of the series, whatever the index of the table is."""
    frame = trial.records(_SERIES)
    rows, names = len(frame), trial.names(frame)
    for index in (np.arange(rows)[::-1], [7] * rows, pd.date_range("2020-01-01", periods=rows)):
        frame.index = pd.Index(index, name="key")
        for way in trial.ways()[:2]:
            answer = way.ask(frame).index
            series = answer.get_level_values(0).tolist()
            expected = np.repeat(names, trial.rule.horizon or 1).tolist()
            assert_that(
                series == expected and list(answer.names) == trial.rule.keys,
                f"{way.name}: asked for the series {names} of {trial.rule.series!r}, "
                f"answered with {answer}.",
            )


def row_order_does_not_matter(trial: SeriesTrial) -> None:
    """Rows in reverse order, or in none, get the answers that they got before."""
    frame = trial.table
    rows = np.arange(len(frame))
    for way in trial.ways()[:2]:
        answer = way.ask(frame)
        for order in (rows[::-1], np.random.default_rng(0).permutation(rows)):
            assert_same(answer, way.ask(frame.iloc[order]), f"Ordered and shuffled, {way.name},")


def all_ways_agree(trial: SeriesTrial) -> None:
    """Frames, records, arrays and files get the same answers."""
    frame = trial.records(_SERIES)
    answer = trial.answered(frame, "A table")
    path = trial.path.with_name("table.csv")
    frame.to_csv(path, index=False)
    assert_same(answer, trial.model.predict(path), "A table and a CSV file of it")


def steps_before_the_window_do_not_matter(trial: SeriesTrial) -> None:
    """A table without what lies before the window gets the same answers."""
    frame = trial.table
    window = trial.window(frame)
    assert_that(
        len(window) < len(frame),
        f"The sample has no more than {trial.rule.length} moments, which is one window: "
        "nothing can be cut off. Make a longer sample.",
    )
    for way in trial.ways()[:2]:
        whole, cut = way.ask(frame), way.ask(window)
        what = f"Whole and cut before the window, {way.name},"
        assert_same(whole.loc[cut.index], cut, what, tolerance=ROUNDING)


def no_look_ahead(trial: SeriesTrial) -> None:
    """What comes after a moment, known or not, changes no answer as of that moment.

    Asked with a table that ends there, before and after the application has seen what comes
    later, and through a panel that goes on with later rows that are not what they were.
    """
    fitted = trial.application_class.fast().fit(trial.data)  # has been asked nothing yet
    table, schema, rule = trial.everything, trial.model.schema, trial.rule
    moments = _some(trial, 4)[:-1]
    assert_that(len(moments) > 0, "The test part must be longer than one horizon.")
    before = [fitted.predict(trial.upto(table, moment)) for moment in moments]
    fitted.predict(trial.table)
    native = fitted._exportable().native
    for moment, answer in zip(moments, before, strict=True):
        other = _with_another_future(trial, moment)
        fitted.predict(trial.upto(other, trial.moments(other)[-rule.horizon - 1]))
        when = f"at {moment_of(moment)}: "
        again = fitted.predict(trial.upto(table, moment))
        what = f"{when}Asked before and after later rows were known"
        assert_same(answer, again, what, tolerance=ROUNDING)
        if rule.own_clocks:  # a panel of such ends with the last row of each
            continue
        panel = Panel.read(other, schema, rule)
        stop = int(np.searchsorted(panel.times, moment, side="right"))
        answers = native(panel.feeds(stop, schema, rule))
        keys = answer_keys(panel, stop, rule)
        table_of = {**keys, **{name: values.reshape(-1) for name, values in answers.items()}}
        found = pd.DataFrame(table_of).set_index(rule.keys)
        found = found.loc[answer.index, list(answer.columns)]
        what = f"{when}A table that ends and a panel that goes on"
        assert_same(answer, found, what, tolerance=ROUNDING)


def series_alone(trial: SeriesTrial) -> None:
    """A single series is answered; as among others, unless these have a say in it."""
    frame = trial.records(_SERIES)
    among, moments = trial.answered(frame, "Some series"), trial.moments(frame)
    for name in trial.names(frame):
        own = frame[trial.owners(frame) == name].reset_index(drop=True)
        alone = trial.answered(own, f"The series {name!r} alone")
        # A series with gaps has fewer steps of its own than among the others, unless all have
        # clocks of their own.
        same_steps = trial.rule.own_clocks or trial.moments(own) == moments
        if not trial.rule.together and same_steps:
            assert_same(among.loc[[name]], alone, f"{name!r} among others and alone")


def series_that_begin_late_or_end_early(trial: SeriesTrial) -> None:
    """A short history, and one that stopped before the last moment, are answered."""
    frame = trial.records(_SERIES)
    names, moments = trial.names(frame), trial.moments(frame)
    owners, seconds = trial.owners(frame), trial.seconds(frame)
    if trial.rule.own_clocks:
        behind = trial.rows_behind(frame)
        late = (owners == names[0]) & (behind > 1)
        early = (owners == names[-1]) & (behind < trial.rule.length // 2)
    else:
        late = (owners == names[0]) & (seconds < moments[-2 - trial.rule.horizon :][0])
        # Longer ago than a horizon: of one that stopped of late the future has to be known.
        last = max(min(len(moments) // 2, len(moments) - 1 - 2 * trial.rule.horizon), 0)
        early = (owners == names[-1]) & (seconds > moments[last])
    ended = frame[~(late | early)].reset_index(drop=True)
    answer = trial.answered(ended, "Series that begin late or end early")
    series = list(dict.fromkeys(answer.index.get_level_values(0)))
    assert_that(series == names, f"Of {names}, answered are {series}.")


def one_moment(trial: SeriesTrial) -> None:
    """A table of a single moment (and of what is known of the horizon) is answered."""
    frame = trial.records(_SERIES)
    last = frame[trial.seconds(frame) >= trial.latest(frame)]
    trial.answered(last.reset_index(drop=True), "A single moment")


def duplicated_rows(trial: SeriesTrial) -> None:
    """Two rows of one series and moment are refused, with the name of the series."""
    frame = trial.records(_SERIES)
    twice = pd.concat([frame, frame.iloc[[1]]], ignore_index=True)
    trial.refused(twice, "A row twice", column=trial.owners(frame)[1], row=None)


def mixed_time_zones(trial: SeriesTrial) -> None:
    """Moments of several time zones in one table are refused."""
    frame, time = trial.records(_SERIES), trial.inputs[trial.rule.time]
    zone = timezone(timedelta(hours=5, minutes=45))
    moment = pd.Timestamp(frame[time.name].iloc[1]).replace(tzinfo=zone)
    trial.refused(changed(frame, time, 1, moment), "Two time zones", column=time.name, row=1)


def empty_table(trial: SeriesTrial) -> None:
    """A table without rows gets no answers, or the error that says so."""
    frame = trial.data.test.head(0)
    for way in trial.ways()[:2]:
        try:
            answer = way.ask(frame)
        except SchemaError as error:
            assert_that("rows" in str(error), f"{way.name}: the error names no rows: {error}")
        else:
            assert_that(len(answer) == 0, f"{way.name}: {len(answer)} answers to no rows.")
            assert_outputs(trial.application_class.outputs, answer, way.name)


def short_history_is_refused(trial: SeriesTrial) -> None:
    """``fit`` on two moments raises a documented error that asks for more."""
    data = trial.data
    parts: dict[str, Any] = {}
    for name in ("train", "validation"):
        part = getattr(data, name)
        parts[name] = trial.upto(part, trial.moments(part)[1]) if len(part) else part
    error = fit_refused(trial, replace(data, **parts), "a history of two moments")
    assert_that(
        re.search(r"\b(longer|more)\b", str(error)) is not None,
        f"The error does not ask for a longer history: {error!r}",
    )


def _some(trial: SeriesTrial, most: int) -> list[int]:
    """Moments of the test part, evenly spaced, the last among them."""
    moments = trial.asked_moments
    places = np.linspace(0, len(moments) - 1, most + 1)[1:].round().astype(int)
    return [moments[place] for place in np.unique(places)]


def _with_another_future(trial: SeriesTrial, moment: int) -> pd.DataFrame:
    """All that is known, but after a moment: history in reverse order, and a new series."""
    table = trial.everything.copy()
    later, owners = trial.seconds(table) > moment, trial.owners(table)
    for name in table.columns.intersection(history_of(trial.model.schema)):
        values = table[name].to_numpy(copy=True)
        values[later] = values[later][::-1]
        table[name] = values
    if trial.rule.horizon:  # another series would have another future that is known
        return table
    first = trial.names(table)[0]
    table[trial.rule.series] = np.where(later & (owners == first), f"{first} renamed", owners)
    return table


#: In the order in which they are made; parity first.
CHECKS = (
    export_parity,
    index_is_the_series,
    row_order_does_not_matter,
    all_ways_agree,
    steps_before_the_window_do_not_matter,
    no_look_ahead,
    series_alone,
    series_that_begin_late_or_end_early,
    one_moment,
    duplicated_rows,
    mixed_time_zones,
    empty_table,
    short_history_is_refused,
)
