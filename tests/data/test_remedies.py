"""What the errors of tables, splits and data sets advise, done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from industry_apps.data import (
    check_leakage,
    load,
    read_table,
    sample,
    split_by_group,
    split_by_time,
    split_latest,
    split_official,
    split_random,
)
from industry_apps.data.splits import split_off_latest
from tests.remedies import check_remedy

DAYS = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=60), "y": [0, 1] * 30})
PERIODS = {
    "train": ("2024-01-01", "2024-01-20"),
    "validation": ("2024-01-20", "2024-02-01"),
    "test": ("2024-02-01", "2024-03-01"),
}
PEOPLE = pd.DataFrame({"client": np.arange(60) // 3, "y": [0, 1] * 30})
GAP = DAYS[["y"]].assign(y=DAYS["y"].where(DAYS.index != 7))
TABLE = "a,b\n1,2\n3,4\n"


def by_time(frame: pd.DataFrame = DAYS, delay: int = 0, **periods: Any) -> Any:
    return split_by_time(frame, time="time", delay=delay, **{**PERIODS, **periods})


def file(folder: Path, name: str, content: str | bytes = TABLE) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def apart(train: pd.DataFrame, test: pd.DataFrame, **how: Any) -> None:
    check_leakage(train, test, **how)


CASES = [
    (
        "Its end must lie after its start; a shorter delay may help.",
        lambda _: split_latest(DAYS, time="time", delay=30),
        lambda _: [split_latest(DAYS, time="time", delay=3), by_time()],
    ),
    (
        "Separate them.",
        lambda _: by_time(validation=("2024-01-10", "2024-02-01")),
        lambda _: by_time(validation=("2024-01-20", "2024-02-01")),
    ),
    (
        "Begin the test at 2024-02-08 00:00:00 or later.",
        lambda _: by_time(delay=7),
        lambda _: by_time(delay=7, test=("2024-02-08 00:00:00", "2024-03-01")),
    ),
    (
        "Choose another period.",
        lambda _: by_time(test=("2025-02-01", "2025-03-01")),
        lambda _: by_time(),
    ),
    (
        "Take a longer period.",
        lambda _: split_off_latest(DAYS, time="time", delay=60),
        lambda _: split_off_latest(
            pd.DataFrame({"time": pd.date_range("2024-01-01", periods=200)}), time="time", delay=60
        ),
    ),
    (
        "expected train, validation or test",
        lambda _: split_official(DAYS.assign(part="fit"), part="part"),
        lambda _: split_official(DAYS.assign(part="train"), part="part"),
    ),
    (
        "together below 1",
        lambda _: split_latest(DAYS, time="time", test=0.9, validation=0.2),
        lambda _: split_latest(DAYS, time="time", test=0.3, validation=0.2),
    ),
    (
        "rows are too few to split; give 5 or more",
        lambda _: split_latest(DAYS.head(4), time="time"),
        lambda _: split_latest(DAYS.head(5), time="time"),
    ),
    (
        "Give more rows.",
        lambda _: split_random(DAYS[["y"]].head(6), target="y"),
        lambda _: split_random(DAYS[["y"]], target="y"),
    ),
    (
        "Use split_latest or split_by_time; name the column in 'ignore', or drop it",
        lambda _: split_random(DAYS, target="y"),
        lambda _: [
            split_latest(DAYS, time="time"),
            by_time(),
            split_random(DAYS, target="y", ignore=("time",)),
            split_random(DAYS.drop(columns="time"), target="y"),
        ],
    ),
    (
        "Use split_by_group, or name the column as the subject",
        lambda _: split_random(PEOPLE, target="y"),
        lambda _: [
            split_by_group(PEOPLE, group="client"),
            split_random(PEOPLE, target="y", ignore=("client",)),
            split_random(PEOPLE.drop(columns="client"), target="y"),
        ],
    ),
    (
        "Add it, or say what it is called, with 'columns'",
        lambda _: split_random(PEOPLE.drop(columns="y"), target="y", ignore=("client",)),
        lambda _: split_random(PEOPLE, target="y", ignore=("client",)),
    ),
    (
        "Fill it or drop the row.",
        lambda _: split_random(GAP, target="y"),
        lambda _: [
            split_random(GAP.fillna(0), target="y"),
            split_random(GAP.dropna(), target="y"),
        ],
    ),
    (
        "Convert it with pandas.to_datetime.",
        lambda _: apart(DAYS.head(9).astype({"time": str}), DAYS.tail(9), time="time"),
        lambda _: apart(
            DAYS.head(9).assign(time=pd.to_datetime(DAYS["time"].astype(str))),
            DAYS.tail(9),
            time="time",
        ),
    ),
    (
        "Use later data, or split with split_by_time.",
        lambda _: apart(DAYS, DAYS, time="time"),
        lambda _: [
            apart(DAYS.head(9), DAYS.tail(9), time="time"),
            apart(by_time().train, by_time().test, time="time"),
        ],
    ),
    (
        "Use split_by_group.",
        lambda _: apart(PEOPLE.head(31), PEOPLE.tail(29), group="client"),
        lambda _: apart(*split_by_group(PEOPLE, group="client")[::2], group="client"),
    ),
    (
        "Check the path.",
        lambda folder: read_table(folder / "no.csv"),
        lambda folder: read_table(file(folder, "yes.csv")),
    ),
    (
        "Convert it, or rename it if it is one of these.",
        lambda folder: read_table(file(folder, "table.txt")),
        lambda folder: [
            read_table(file(folder, "table.txt").rename(folder / "table.csv")),
            read_table(file(folder, "other.csv")),
        ],
    ),
    (
        "Write it again: a table with commas between the values of a row, in UTF-8, or Parquet.",
        lambda folder: read_table(file(folder, "a.csv", "a,b\n\u00e9,2\n".encode("latin-1"))),
        lambda folder: [
            read_table(file(folder, "a.csv", "a,b\n\u00e9,2\n")),
            pd.DataFrame({"a": ["\u00e9"]}).to_parquet(folder / "a.parquet"),
            read_table(folder / "a.parquet"),
        ],
    ),
    (
        "has no rows. Give one with a row for each record.",
        lambda folder: read_table(file(folder, "a.csv", "a,b\n")),
        lambda folder: read_table(file(folder, "a.csv", TABLE)),
    ),
    (
        "Use load('finance_german_credit').",
        lambda _: sample("finance_german_credit"),
        lambda _: load("finance_german_credit"),
    ),
]


@pytest.mark.parametrize(("says", "wrong", "mended"), CASES, ids=[case[0] for case in CASES])
def test_what_an_error_advises_works(tmp_path: Path, says: str, wrong: Any, mended: Any) -> None:
    check_remedy(says, lambda: wrong(tmp_path), lambda: mended(tmp_path))
