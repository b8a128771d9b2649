"""What a plan is made of: names, tables and places that are wrong are refused by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.manufacturing import ProductionScheduler
from industry_apps.manufacturing.scheduling.jobs import Job, Machine, Operation, jobs_of
from tests.manufacturing.scheduling.test_production_scheduling import SCHEDULER, job, two_jobs

BAD_TABLES = {
    "column": ({"duration": None}, "Column 'duration' is missing"),
    "fraction": ({"duration": [1.5, 2]}, "Column 'duration', row 0: 1.5 is no whole number"),
    "missing": ({"duration": [1, None]}, "Column 'duration', row 1: nan is no whole number"),
    "negative": ({"duration": [1, -2]}, "Column 'duration', row 1: -2 is no whole number"),
    "text": ({"duration": [1, "2 h"]}, "Column 'duration', row 1: '2 h' is no whole number"),
    "nameless": ({"machine": ["saw", ""]}, "Column 'machine', row 1: there is no name"),
    "twice": ({"position": [0, 0]}, "Column 'machine', row 1: 'saw' stands twice at position 0"),
    "weight": ({"weight": ["a", "a"]}, "Column 'weight', row 0: 'a' is no finite number >= 0"),
    "negative weight": ({"weight": [None, -1.0]}, "Column 'weight', row 1: -1.0 is no finite"),
    "due": ({"due": [4, 5]}, "Column 'due', row 1: job 'A' has 4 in another row"),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_bad_tables_name_column_and_row(case):
    change, message = BAD_TABLES[case]
    table = pd.DataFrame(
        {"job": ["A", "A"], "position": [0, 1], "machine": ["saw", "saw"], "duration": [1, 2]}
    )
    for name, values in change.items():
        table = table.drop(columns=name) if values is None else table.assign(**{name: values})
    with pytest.raises(SchemaError) as caught:
        jobs_of(table)
    assert message in str(caught.value)


def test_other_mistakes_are_refused_by_name():
    with pytest.raises(ParameterError, match="There is no job"):
        SCHEDULER.plan([])
    with pytest.raises(ParameterError, match="Two jobs are called 'A'"):
        SCHEDULER.plan([job("A", ("saw", 1)), job("A", ("saw", 1))])
    with pytest.raises(ParameterError, match="No job has a due date"):
        ProductionScheduler(objective="tardiness").plan(two_jobs())
    with pytest.raises(ParameterError, match=r"\(2, 5\) and \(4, 6\) overlap"):
        Machine(name="saw", closed=[(2, 5)], breaks=[(4, 6)])
    with pytest.raises(ParameterError, match=r"\(5, 2\) among 'closed' is no time"):
        Machine(name="saw", closed=[(5, 2)])
    with pytest.raises(ParameterError, match="'seconds' parameter of ProductionScheduler"):
        ProductionScheduler(seconds=0)
    with pytest.raises(ParameterError, match="'machines' parameter of Operation"):
        Operation(machines={})
    with pytest.raises(SchemaError, match="The table 'fixed' has no column 'start'"):
        SCHEDULER.plan(two_jobs(), fixed=pd.DataFrame({"job": [], "position": [], "machine": []}))


def test_a_misspelt_machine_is_refused_and_an_idle_one_is_not():
    closed = [(0, 100)]
    with pytest.raises(ParameterError, match=r"'Saw' has closed times.*Did you mean 'saw'\?"):
        SCHEDULER.plan(two_jobs(), [Machine(name="Saw", closed=closed)])
    assert SCHEDULER.plan(two_jobs(), [Machine(name="saw", closed=closed)]).makespan > 100
    # The remedies work: leave it out, or give the others.
    idle = [Machine(name=name) for name in ("saw", "drill")]
    assert SCHEDULER.plan(two_jobs(), [Machine(name="Saw", closed=closed), *idle]).makespan == 7


def test_a_misspelt_family_is_refused_and_one_that_is_not_made_is_not():
    jobs = [
        Job(name=name, operations=[Operation(machines={"saw": 2}, family=family)])
        for name, family in (("A", "x"), ("B", "y"))
    ]

    def end(setups):
        return SCHEDULER.plan(jobs, [Machine(name="saw", setups=setups)]).makespan

    with pytest.raises(ParameterError, match=r"family 'X', of which.*Did you mean 'x'\?"):
        end({("X", "Y"): 5, ("Y", "X"): 5})
    assert end({("x", "y"): 5, ("y", "x"): 5}) == 9
    assert end({("x", "y"): 5, ("y", "x"): 5, ("z", "x"): 9}) == 9
    assert end({("z", "x"): 9, ("x", "y"): 0}) == 4
    with pytest.raises(ParameterError, match="'setups' must be a mapping of pairs of families"):
        Machine(name="saw", setups={(1, 2): 5})


def test_what_is_no_job_machine_or_time_is_refused_by_name():
    for wrong in (None, {}, {"job": ["A"]}, [1], "saw"):
        with pytest.raises(ParameterError, match="A plan is made of a sequence of Job, or a Data"):
            SCHEDULER.plan(wrong)
    for wrong in (["saw"], Machine(name="saw")):
        with pytest.raises(ParameterError, match=r"A plan is made of a sequence of Machine\. Got"):
            SCHEDULER.plan(two_jobs(), wrong)
    with pytest.raises(ParameterError, match="'name' parameter of Machine must be a text"):
        Machine(name=5)
    for wrong in (5, (0, 5), [(0, 5.5)], [(False, 5)], [(0, 5, 7)]):
        with pytest.raises(ParameterError, match=r"'saw': .* among 'breaks' is no time"):
            Machine(name="saw", breaks=wrong)
    times = pd.DataFrame({"from": [2], "to": [5]})
    for taken in (times.to_numpy(), list(times.itertuples(index=False, name=None))):
        assert Machine(name="saw", closed=taken).calendar.closed == ((2, 5),)
        assert SCHEDULER.plan(two_jobs(), [Machine(name="saw", closed=taken)]).makespan > 7


BAD_PLACES = {
    "fraction": ({("A", 0): ("saw", 0.7)}, "operation 0 of job 'A' on 'saw' has the start 0.7"),
    "missing": ({("A", 0): ("saw", np.nan)}, "on 'saw' has the start nan; expected a whole"),
    "text": ({("A", 0): ("saw", "2")}, "on 'saw' has the start '2'; expected a whole"),
    "position": ({("A", "x"): ("saw", 0)}, "has the position 'x'; expected a whole number"),
    "key": ({"A": ("saw", 0)}, "has 'A': ('saw', 0); expected (job, position): (machine, start)"),
    "place": ({("A", 0): 7}, "has ('A', 0): 7; expected (job, position): (machine, start)"),
    "list": ([("A", 0, "saw", 7)], "must be a Schedule, a DataFrame or a mapping. Got [('A'"),
    "rows": (
        pd.DataFrame({"job": "A", "position": [0, 1], "machine": "saw", "start": [0.0, 3.5]}),
        "operation 1 of job 'A' on 'saw' has the start 3.5",
    ),
    "twice": (
        pd.DataFrame({"job": "A", "position": [0, 0], "machine": "saw", "start": [0, 3]}),
        "operation 0 of job 'A' is there twice",
    ),
}


@pytest.mark.parametrize("name", ["fixed", "warm_start"])
@pytest.mark.parametrize("case", BAD_PLACES)
def test_places_that_are_none_name_the_operation(case, name):
    places, named = BAD_PLACES[case]
    with pytest.raises(ParameterError) as caught:
        SCHEDULER.plan(two_jobs(), **{name: places})
    assert named in str(caught.value)
    assert repr(name) in str(caught.value)


def test_whole_starts_are_taken_of_any_type():
    for start in (2, 2.0, np.int64(2), np.float32(2)):
        assert SCHEDULER.plan(two_jobs(), fixed={("B", 0): ("drill", start)}).makespan == 8
