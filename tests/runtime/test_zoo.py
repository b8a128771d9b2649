"""The zoo: files by name, each checked against the index."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from industry_apps.errors import ModelFileError, UnknownNameError
from industry_apps.runtime import Model
from industry_apps.runtime.zoo import bundled, locate, verify, zoo
from tests.tiny_model import Served


@pytest.fixture
def shelf(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose zoo holds one model."""
    folder = tmp_path / "onnx_models"
    folder.mkdir()
    content = served.path.read_bytes()
    (folder / "tests.tiny.onnx").write_bytes(content)
    entry = {"file": "tests.tiny.onnx", "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "index.json").write_text(json.dumps({"tests.tiny": entry}))
    monkeypatch.setattr("industry_apps.runtime.zoo._PACKAGE", tmp_path / "industry_apps")
    return folder


def test_a_model_is_loaded_by_its_name(shelf: Path, served: Served) -> None:
    assert list(zoo()) == ["tests.tiny"]
    assert verify("tests.tiny") == locate("tests.tiny") == shelf / "tests.tiny.onnx"
    assert Model("tests.tiny").metadata == Model(served.path).metadata


def test_an_installed_zoo_goes_before_that_of_a_checkout(shelf: Path, tmp_path: Path) -> None:
    assert bundled("onnx_models") == shelf
    installed = tmp_path / "industry_apps" / "_onnx_models"
    installed.mkdir(parents=True)
    assert bundled("onnx_models") == installed
    assert zoo() == {}


def test_a_damaged_file_is_refused(shelf: Path) -> None:
    with (shelf / "tests.tiny.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ModelFileError, match=r"damaged: its sha256 is .*Install the package again"):
        Model("tests.tiny")
    (shelf / "tests.tiny.onnx").unlink()
    with pytest.raises(ModelFileError, match=r"tests\.tiny\.onnx of the model zoo is missing"):
        Model("tests.tiny")


def test_an_unknown_name_gets_the_nearest(shelf: Path) -> None:
    for find in (locate, verify, Model):
        with pytest.raises(UnknownNameError, match=r"'tests\.tinny'\. Did you mean 'tests\.tiny'"):
            find("tests.tinny")
    with pytest.raises(ModelFileError, match="There is no model file"):
        locate("tests.tiny.onnx")


def test_a_file_of_the_working_directory_does_not_stand_in_for_a_model_of_the_zoo(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shelf)
    (shelf / "tests.tiny").write_bytes(b"mine")
    assert locate("tests.tiny") == locate(Path("tests.tiny")) == shelf / "tests.tiny.onnx"
    for mine in ("./tests.tiny", shelf / "tests.tiny"):
        assert locate(mine).read_bytes() == b"mine"
    (shelf / "mine").write_bytes(b"mine")
    with pytest.raises(UnknownNameError, match=r"give its full path: (.*)") as error:
        locate("mine")
    assert locate(str(error.value).rpartition("path: ")[2]) == shelf / "mine"


@pytest.mark.parametrize(
    "index", ["[]", "{", '{"a": {"file": "../a.onnx", "sha256": ""}}', '{"a": {"file": "a.onnx"}}']
)
def test_a_damaged_index_is_refused(shelf: Path, index: str) -> None:
    (shelf / "index.json").write_text(index)
    with pytest.raises(ModelFileError, match=r"index of the model zoo, .*, is damaged.* again"):
        locate("a")
