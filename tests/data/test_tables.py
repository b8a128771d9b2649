"""Files of different shapes become one table, as their card says."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pandas as pd
import pytest

from industry_apps.data.rules import Reading
from industry_apps.data.shapes import read_files
from industry_apps.data.tables import apply_reading, read_table
from industry_apps.errors import SchemaError, UnknownNameError


def test_a_file_without_a_header_gets_one(tmp_path: Path):
    path = tmp_path / "loans.csv"
    path.write_text("A11,6\nA14,12\n")
    frame = read_table(path, header=("status", "duration"))
    assert frame.to_dict("list") == {"status": ["A11", "A14"], "duration": [6, 12]}


def test_files_of_a_zip_become_one_table_with_their_names(tmp_path: Path):
    path = tmp_path / "prices.zip"
    with ZipFile(path, "w") as archive:
        archive.writestr("B.csv", "close\n3\n")
        archive.writestr("A.csv", "close\n1\n2\n")
        archive.writestr("README.md", "not a table")
    frame = read_table(path, member="ticker")
    assert frame.to_dict("list") == {"close": [1, 2, 3], "ticker": ["A", "A", "B"]}


def test_a_damaged_zip_is_named(tmp_path: Path):
    path = tmp_path / "prices.zip"
    path.write_bytes(b"PK no zip")
    with pytest.raises(SchemaError, match=r"prices\.zip.*cannot be read"):
        read_table(path, member="ticker")


def test_codes_become_words_and_missing_ones_stay():
    reading = Reading(labels={"sex": {"A91": "male", "A92": "female"}})
    frame = apply_reading(pd.DataFrame({"sex": ["A92", None, "A91"]}), reading, target="late")
    assert frame["sex"].fillna("-").tolist() == ["female", "-", "male"]


def test_a_code_without_a_name_is_refused():
    reading = Reading(labels={"sex": {"A91": "male"}})
    with pytest.raises(SchemaError, match="'sex', row 1: the code 'A99' has no name"):
        apply_reading(pd.DataFrame({"sex": ["A91", "A99"]}), reading, target="late")


def test_lines_of_several_files_stand_below_each_other_with_their_part(tmp_path: Path):
    (tmp_path / "good.txt").write_text("fine , really\nsplendid \u2028 twice\n", "utf-8")
    (tmp_path / "bad.txt").write_text("poor\n")
    reading = Reading(lines="text", parts={"stars": {"good.txt": 5, "bad.txt": 1}})
    frame = read_files({n: tmp_path / n for n in ("good.txt", "bad.txt")}, reading)
    assert frame["text"].tolist() == ["fine , really", "splendid \u2028 twice", "poor"]
    assert frame["stars"].tolist() == [5, 5, 1]


def test_engines_of_c_mapss_have_the_life_that_was_left(tmp_path):
    files = {
        "train_FD001.txt": "".join(f"{e} {c} 0.1 {10 * e + c} \n" for e in (1, 5) for c in (1, 2)),
        "test_FD001.txt": "1 1 0.1 7 \n2 1 0.1 8 \n2 2 0.1 9 \n",
        "RUL_FD001.txt": "30 \n4 \n",
    }
    paths = {}
    for name, text in files.items():
        paths[name] = tmp_path / name
        paths[name].write_text(text)
    reading = Reading(reader="cmapss", header=("machine", "cycle", "setting_1", "sensor_1"))
    frame = read_files(paths, reading).set_index(["machine", "cycle"])
    assert frame["remaining_life"].to_dict() == {
        ("train 001", 1): 1.0,
        ("train 001", 2): 0.0,
        ("train 005", 1): 1.0,
        ("train 005", 2): 0.0,
        ("test 001", 1): 30.0,
        ("test 002", 1): 5.0,
        ("test 002", 2): 4.0,
    }
    assert frame["part"].groupby(level=0).first().to_dict() == {
        "train 001": "train",
        "train 005": "validation",
        "test 001": "test",
        "test 002": "test",
    }
    alone = read_files({"train_FD001.txt": paths["train_FD001.txt"]}, reading)
    assert "part" not in alone
    assert alone["remaining_life"].tolist() == [1.0, 0.0, 1.0, 0.0]


def test_series_of_m4_go_on_where_the_file_before_ends(tmp_path: Path):
    (tmp_path / "a.csv").write_text("V1,V2,V3\nH1,1,2\nH2,3,\n")
    (tmp_path / "b.csv").write_text("V1,V2\nH1,9\nH2,8\n")
    paths = {name: tmp_path / name for name in ("a.csv", "b.csv")}
    frame = read_files(paths, Reading(reader="m4_hourly"))
    series = frame.groupby("series")
    assert series["quantity"].agg(list).to_dict() == {"H1": [1, 2, 9], "H2": [3, 8]}
    ends = series["time"].agg(["min", "max"]).astype(str)
    assert ends["max"].tolist() == ["2000-02-29 23:00:00"] * 2
    assert ends["min"].tolist() == ["2000-02-29 21:00:00", "2000-02-29 22:00:00"]


def test_ratings_are_read_beside_films_and_flags_become_names(tmp_path: Path):
    (tmp_path / "u.data").write_text("7\t1\t5\t0\n8\t2\t3\t0\n")
    flags = ["0"] * 19
    drama = "|".join([*flags[:8], "1", *flags[9:18], "1"])  # and the last of them
    films = f"1|Caf\u00e9|now||x|{drama}\n2|Alone|now||x|{'|'.join(flags)}\n"
    (tmp_path / "u.item").write_text(films, "latin-1")
    header = ("user", "item", "rating", "time")
    reading = Reading(reader="movielens_100k", separator="\t", header=header)
    frame = read_files({name: tmp_path / name for name in ("u.data", "u.item")}, reading)
    assert frame["title"].tolist() == ["Caf\u00e9", "Alone"]
    assert frame["genres"].tolist() == ["Drama|Western", ""]


def test_days_to_a_claim_are_counted_by_months_weeks_and_weekdays(tmp_path: Path):
    names = "Month,WeekOfMonth,DayOfWeek,MonthClaimed,WeekOfMonthClaimed,DayOfWeekClaimed"
    rows = ["Dec,5,Monday,Jan,1,Tuesday", "Jan,2,Friday,Jan,2,Monday"]
    (tmp_path / "claims.csv").write_text("\n".join([names, *rows]) + "\n")
    frame = read_files({"claims.csv": tmp_path / "claims.csv"}, Reading(reader="vehicle_claims"))
    assert frame["days_to_claim"].tolist() == pytest.approx([30.4 - 28 + 1, 0])


def test_an_unknown_reader_is_named():
    with pytest.raises(UnknownNameError, match=r"reader 'm4_daily'\. Did you mean 'm4_hourly'"):
        read_files({}, Reading(reader="m4_daily"))


def test_columns_are_put_together_and_seconds_become_moments():
    frame = pd.DataFrame({"shop": ["A"], "product": [3], "at": [86_400]})
    reading = Reading(together={"series": ("shop", "product")}, epoch=("at",))
    found = apply_reading(frame, reading, target="x")
    assert found["series"].tolist() == ["A 3"]
    assert found["at"].tolist() == [pd.Timestamp("1970-01-02")]
