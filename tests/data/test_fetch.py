"""Files are found, verified and downloaded in the documented order, wholly or not at all."""

from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path
from zipfile import ZipFile

import pooch
import pytest

from industry_apps.data import cards, files
from industry_apps.data.cards import DataFile
from industry_apps.errors import ChecksumError, DataNotFoundError
from industry_apps.whole_file import whole_file

CONTENT = b"a,b\n1,2\n"
FILE = DataFile(
    name="x.csv",
    url="https://example.org/x.csv",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    bytes=len(CONTENT),
)


class Source:
    """Stands for the public address: serves a content or raises, and counts."""

    def __init__(self) -> None:
        self.content: bytes | Exception = CONTENT
        self.calls = 0

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        self.calls += 1
        assert url == FILE.url
        Path(output_file).write_bytes(CONTENT[:3])  # a download begins with a part
        if isinstance(self.content, Exception):
            raise self.content
        Path(output_file).write_bytes(self.content)


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    class OneFile:
        files, folder = (FILE,), ""

    result = Source()
    monkeypatch.setattr(files, "card", lambda name: OneFile)
    monkeypatch.setattr(pooch, "HTTPDownloader", lambda **options: result)
    monkeypatch.setenv("INDUSTRY_APPS_CACHE", str(tmp_path / "cache"))
    mirrors = [str(tmp_path / "mirror1"), str(tmp_path / "mirror2")]
    monkeypatch.setenv("INDUSTRY_APPS_DATA", os.pathsep.join(mirrors))
    return result


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / "d" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def everything(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_downloads_once_into_the_cache(source, tmp_path):
    [path] = files.fetch("d")
    assert path == tmp_path / "cache" / "d" / "x.csv"
    assert path.read_bytes() == CONTENT
    assert files.fetch("d") == files.verify("d") == [path]
    assert source.calls == 1
    assert everything(tmp_path) == [path]


def test_mirrors_are_used_in_place_in_order(source, tmp_path):
    second = put(tmp_path / "mirror2", "x.csv", CONTENT)
    assert files.fetch("d") == [second]
    first = put(tmp_path / "mirror1", "x.csv.gz", gzip.compress(CONTENT))
    assert files.fetch("d") == [first]
    cached = put(tmp_path / "cache", "x.csv", CONTENT)
    assert files.fetch("d") == [cached]
    assert source.calls == 0


@pytest.mark.parametrize("place", ["cache", "mirror1"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", b"other"),
        ("x.csv.gz", gzip.compress(b"other", mtime=0)),
        ("x.csv.gz", gzip.compress(CONTENT, mtime=0)[:-9]),
        ("x.csv.gz", CONTENT),
    ],
)
def test_wrong_stored_file_is_refused(source, tmp_path, place, name, content):
    path = put(tmp_path / place, name, content)
    for get in (files.fetch, files.verify):
        with pytest.raises(
            ChecksumError, match=r"expected sha256 \w{64}.*got .*Delete it"
        ) as error:
            get("d")
        assert str(path) in str(error.value)
        assert FILE.sha256 in str(error.value)
    assert source.calls == 0


def test_wrong_download_is_refused_and_leaves_nothing(source, tmp_path):
    source.content = b"<html>moved</html>"
    got = hashlib.sha256(source.content).hexdigest()
    with pytest.raises(ChecksumError, match=rf"expected sha256 {FILE.sha256}.*got {got}"):
        files.fetch("d")
    assert everything(tmp_path) == []


@pytest.mark.parametrize("failure", [OSError("no route to host"), ValueError("404")])
def test_failed_download_names_address_file_and_mirror_and_leaves_nothing(
    source, tmp_path, failure
):
    source.content = failure
    with pytest.raises(DataNotFoundError) as error:
        files.fetch("d")
    for part in (FILE.url, str(failure), "d/x.csv", FILE.sha256, "INDUSTRY_APPS_DATA=<folder>"):
        assert part in str(error.value)
    assert everything(tmp_path) == []


def test_verify_never_downloads(source):
    with pytest.raises(DataNotFoundError, match="neither in the cache"):
        files.verify("d")
    assert source.calls == 0


def test_simulated_data_have_no_files():
    assert files.fetch("finance_card_simulator") == []
    assert cards.card("finance_card_simulator").simulator is not None


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "model.onnx"
    with whole_file(path) as first:
        first.write_bytes(b"all of the first")
        with whole_file(path) as second:
            second.write_bytes(b"part")
            assert first != second
        assert path.read_bytes() == b"part"
    assert path.read_bytes() == b"all of the first"


def test_whole_file_appears_at_the_end_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "file"
    with whole_file(path) as aside:
        aside.write_text("one")
        assert not path.exists()
    assert path.read_text() == "one"

    def fail() -> None:
        with whole_file(path) as aside:
            aside.write_text("two")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "one"
    assert everything(tmp_path) == [path]


def test_files_that_are_served_one_by_one_are_kept_in_one_zip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = {"A.csv": b"close\n1\n", "B.csv": b"close\n2\n"}
    both = b"".join(contents.values())
    bundle = DataFile(
        name="prices.zip",
        url="https://example.org/{member}",
        sha256=hashlib.sha256(b"5 8 A.csvclose\n1\n5 8 B.csvclose\n2\n").hexdigest(),
        bytes=len(both),
        members=tuple(contents),
    )

    def get(url: str, output_file: str, pooch: object) -> None:
        Path(output_file).write_bytes(contents[url.rpartition("/")[2]])

    monkeypatch.setenv("INDUSTRY_APPS_CACHE", str(tmp_path))
    monkeypatch.setattr(pooch, "HTTPDownloader", lambda **settings: get)
    path = files._download("prices", bundle)
    with ZipFile(path) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == contents
    assert [each.name for each in path.parent.iterdir()] == ["prices.zip"]

    contents["B.csv"] = b"close\n3\n"
    path.unlink()
    with pytest.raises(ChecksumError, match=r"prices\.zip"):
        files._download("prices", bundle)
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ({"B.csv": b"close\n1\n", "A.csv": b"close\n2\n"}, r"got \w{64}"),  # exchanged
        ({"A.csv": b"close\n1\nclose", "B.csv": b"\n2\n"}, r"got \w{64}"),  # another border
        ({"A.csv": b"close\n1\n", "C.csv": b"close\n2\n"}, "a zip of 2 other members"),
        ({"A.csv": b"close\n1\n"}, "a zip of 1 other members"),
        ({"A.csv": b"close\n1\n", "B.csv": b"0" * 10**7}, "a zip of 10000008 bytes, not 16"),
    ],
)
def test_a_zip_is_known_by_names_and_borders(
    tmp_path: Path, inside: dict[str, bytes], found: str
) -> None:
    bundle = DataFile(
        name="prices.zip",
        url="https://example.org/{member}",
        sha256=hashlib.sha256(b"5 8 A.csvclose\n1\n5 8 B.csvclose\n2\n").hexdigest(),
        bytes=16,
        members=("A.csv", "B.csv"),
    )
    with ZipFile(tmp_path / "prices.zip", "w") as archive:
        for name, content in inside.items():
            archive.writestr(name, content)
    with pytest.raises(ChecksumError, match=found):
        files._check(tmp_path / "prices.zip", bundle, remedy="")
