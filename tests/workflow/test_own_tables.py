"""A table of one's own, from the shell: what is judged, what is overwritten, what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from industry_apps.errors import ParameterError
from industry_apps.healthcare import ImagingClassifier, ImagingSegmenter
from industry_apps.workflow.runs import data_of
from tests.cli.shell import printed, run, sentence

NAME = "healthcare.predictive_analytics"
COLUMNS = ("--column", "outcome=back", "--column", "age=Alter")
ROWS = 400


def stays(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    marker = draw.normal(size=rows)
    return pd.DataFrame(
        {
            "Alter": draw.integers(20, 90, rows),
            "marker": marker.round(3),
            "noise": np.where(np.arange(rows) % 20, draw.normal(size=rows).round(3), np.nan),
            "ward": draw.choice(["north", "south"], rows),
            "back": (marker + draw.normal(size=rows) > 0).astype(int),
        }
    )


def written(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_csv(path, index=False)
    return path


def learned(table: Path, out: Path, *options: object) -> Any:
    """What training on a table told."""
    return printed(run("train", NAME, "--data", table, "--out", out, *COLUMNS, *options, "--json"))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(stays(), tmp_path_factory.mktemp("own") / "stays.csv")


@pytest.fixture(scope="module")
def trained(table: Path) -> tuple[Path, dict[str, object]]:
    """A file that has learned noise by heart, with a seed of its own, on some hundred rows."""
    path = table.parent / "model.onnx"
    settings = ("--set", "trees.rounds=200", "--set", "trees.min_child_samples=2")
    found = learned(table, path, "--seed", 5, *settings)
    return path, found


def test_the_same_file_is_judged_on_the_rows_it_was_judged_on(table, trained):
    path, found = trained
    again = printed(run("evaluate", path, "--data", table, *COLUMNS, "--json"))
    assert again["split"]["test"]["rows"] == found["split"]["test"]["rows"] < ROWS / 2
    ours, theirs = (each["metrics"]["auroc"]["value"] for each in (found, again))
    assert theirs == pytest.approx(ours, abs=1e-6)


@pytest.mark.parametrize("again", [(), ("--column", "patient=who")])
def test_a_patient_stays_in_one_part_though_nobody_says_so_again(tmp_path, again):
    frame = pd.concat([stays(150).assign(who=range(150))] * 3)
    path, model = written(frame, tmp_path / "many.csv"), tmp_path / "m.onnx"
    settings = ("--column", "patient=who", "--set", 'ignore=["who"]')
    found = learned(path, model, *settings)
    judged = printed(run("evaluate", model, "--data", path, *again, "--json"))
    assert judged["split"]["test"] == {k: found["split"]["test"][k] for k in ("rows", "positives")}
    ours, theirs = (each["metrics"]["auroc"]["value"] for each in (found, judged))
    assert theirs == pytest.approx(ours, abs=1e-6)


def test_of_another_file_all_rows_are_judged(trained, tmp_path):
    fresh = written(stays(90, seed=1), tmp_path / "fresh.csv")
    found = printed(run("evaluate", trained[0], "--data", fresh, *COLUMNS, "--json"))
    assert found["split"]["test"]["rows"] == 90


def test_defaults_learn_from_some_hundred_rows(table, tmp_path):
    found = learned(table, tmp_path / "a.onnx")
    assert found["metrics"]["auroc"]["low"] > 0.55
    assert found["parity"]["changed_decisions"] == 0


def test_columns_that_are_missing_or_replaced_are_named(trained, table, tmp_path):
    asked = written(stays(20).drop(columns="noise").assign(risk=0.5), tmp_path / "asked.csv")
    found = printed(run("predict", trained[0], asked, tmp_path / "answered.csv", "--json"))
    assert (found["missing"], found["replaced"]) == (["noise"], ["risk"])
    said = run("predict", trained[0], asked, tmp_path / "answered.csv").stderr
    assert "asked.csv" in said
    assert "noise" in said
    assert "risk" in said


def test_a_column_that_training_always_had_is_required(trained, tmp_path):
    asked = written(stays(20).drop(columns="marker"), tmp_path / "asked.csv")
    assert "'marker' (number) is missing" in sentence(
        run("predict", trained[0], asked, tmp_path / "answered.csv")
    )


def test_a_short_row_is_answered_where_that_is_asked_for(trained, tmp_path):
    table = stays(20)[["Alter", "marker", "ward", "noise"]]
    asked, out = written(table, tmp_path / "asked.csv"), tmp_path / "o.csv"
    asked.write_text(asked.read_text().replace(",\n", "\n"))
    said = sentence(run("predict", trained[0], asked, out))
    assert "line 2: got 3 cells, expected 4" in said
    assert "--short-rows missing" in said
    assert run("predict", trained[0], asked, out, "--short-rows", "missing").exit_code == 0


def test_a_row_with_a_cell_too_many_is_not_learned_from(table, tmp_path):
    lines = table.read_text().splitlines()
    lines[300] = f"7,{lines[300]}"
    (tmp_path / "in.csv").write_text("\n".join(lines))
    said = sentence(run("train", NAME, "--data", tmp_path / "in.csv", "--out", tmp_path / "a.onnx"))
    assert "line 301: got 6 cells, expected 5" in said


def test_the_table_is_not_written_over(trained, table):
    before = table.read_bytes()
    assert "Write to another" in sentence(run("predict", trained[0], table, table))
    assert table.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda f: f.rename(columns={"back": "returned"}), ["'back' is missing", "--column"]),
        (lambda f: f.rename(columns={"Alter": "alter "}), ["'alter '", "'Alter'"]),
        (lambda f: f.assign(back=f.back.where(f.index != 300)), ["'back', row 300"]),
        (
            lambda f: f.assign(back=f.back.astype(object).where(f.index != 300, "maybe")),
            ["'back', row 300", "'maybe'", "true or false"],
        ),
        (
            lambda f: f.assign(Alter=f.Alter.astype(object).where(f.index != 300, "n.k.")),
            ["'Alter', row 300", "'n.k.'"],
        ),
        (lambda f: f.assign(Alter=f.Alter.where(f.index != 300, 999)), ["row 300", "999"]),
        (lambda f: f.assign(noise=f.noise.where(f.index != 300, np.inf)), ["'noise', row 300"]),
        (lambda f: f.head(3), ["3 rows are too few"]),
        (lambda f: f.assign(back=[1, *[0] * (ROWS - 1)]), ["each value of 'back'"]),
    ],
)
def test_what_is_wrong_is_named_with_its_row(change, told, tmp_path):
    path = written(change(stays()), tmp_path / "wrong.csv")
    said = sentence(run("train", NAME, "--data", path, "--out", tmp_path / "a.onnx", *COLUMNS))
    for each in told:
        assert each in said
    assert not (tmp_path / "a.onnx").exists()


def test_a_file_that_is_no_table_says_what_one_is(tmp_path):
    (tmp_path / "a.csv").write_text("a;b\n1;2\n1,5;2,7\n", encoding="utf-8")
    said = sentence(run("train", NAME, "--data", tmp_path / "a.csv", "--out", tmp_path / "a.onnx"))
    assert "commas" in said
    assert ".parquet" in sentence(
        run("train", NAME, "--data", "no.xlsx", "--out", tmp_path / "a.onnx")
    )


def test_fast_asks_for_no_column_of_diagnoses(table, tmp_path):
    learned(table, tmp_path / "a.onnx", "--fast")


def test_images_lie_in_folders_of_their_class_or_beside_their_table(tmp_path):
    draw = np.random.default_rng(0)
    for number in range(20):
        path = tmp_path / "scans" / ("clear", "spot")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(0, 256, (8, 9), dtype=np.uint8)).save(path)
    files = sorted(each.relative_to(tmp_path) for each in tmp_path.rglob("*.png"))
    table = pd.DataFrame({"scan": files, "seen": [each.parts[1] for each in files]})
    beside = written(table, tmp_path / "scans.csv")
    names = {"image": "scan", "finding": "seen"}
    classifier = ImagingClassifier(columns=names)
    parts = [data_of(classifier, str(source)) for source in (tmp_path / "scans", beside)]
    for part in parts:
        assert part.train["scan"].iloc[0].shape == (8, 9)
        assert sorted(part.train["seen"].unique()) == ["clear", "spot"]
        assert sum(map(len, part)) == 20
    with pytest.raises(ParameterError, match="ImagingSegmenter learns no classes"):
        data_of(ImagingSegmenter(), str(tmp_path / "scans"))
