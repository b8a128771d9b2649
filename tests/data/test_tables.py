"""Files of different shapes become one table, as their card says."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pandas as pd
import pytest

from industry_apps.data.cards import Reading
from industry_apps.data.tables import apply_reading, read_table
from industry_apps.errors import SchemaError


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
