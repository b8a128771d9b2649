"""Executables are read whatever their bytes: a row that fits its columns, or a named refusal."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from industry_apps.data.simulators.cybersecurity.executable_layouts import (
    Contents,
    Piece,
    elf_file,
    pe_file,
)
from industry_apps.errors import ParameterError, SchemaError
from industry_apps.runtime.executables import contents as contents_module
from industry_apps.runtime.executables.columns import FEATURES_VERSION, FILE_COLUMNS
from industry_apps.runtime.executables.contents import Contents as Bytes
from industry_apps.runtime.executables.elf import ELF_NUMBERS, read_elf
from industry_apps.runtime.executables.features import ExecutableFeatures
from industry_apps.runtime.executables.parts import MOST_FUNCTIONS, MOST_LIBRARIES, MOST_SECTIONS
from industry_apps.runtime.executables.pe import PE_NUMBERS, read_pe

READ = ExecutableFeatures()
PIECES = (
    Piece(".text", bytes(range(256)) * 4, executable=True),
    Piece(".rdata", b"https://a.example/login\0c:\\a\\b\0" * 5),
    Piece(".data", bytes(600), 3_000, writable=True),
    Piece("odd", b"\xaa" * 100, writable=True, executable=True),
)
IMPORTS = {"kernel32.dll": ("ExitProcess", "ReadFile"), "ws2_32.dll": ("send", "recv", "bind")}


def made(form: str, bits: int, *, big: bool = False, overlay: bytes = b"") -> bytes:
    write = pe_file if form == "pe" else elf_file
    return write(
        Contents(
            pieces=PIECES, entry=1, imports=IMPORTS, bits=bits, big_endian=big, overlay=overlay
        )
    )


KINDS = [("pe", 32, False), ("pe", 64, False), *(("elf", b, g) for b in (32, 64) for g in (0, 1))]
VALID = [made(form, bits, big=bool(big)) for form, bits, big in KINDS]


def checked(data: bytes, read: ExecutableFeatures = READ) -> dict[str, object]:
    """The row of a file, which fits its columns."""
    row = read.row(data)
    FILE_COLUMNS.to_arrays({name: [row[name]] for name in FILE_COLUMNS.names})
    assert sum(row["byte_shares"]) == pytest.approx(1, abs=1e-4)
    assert sum(row["entropy_shares"]) == pytest.approx(1, abs=1e-4)
    return row


@pytest.mark.parametrize(("form", "bits", "big"), KINDS)
def test_a_file_is_read_as_it_was_written(form, bits, big):
    row = checked(made(form, bits, big=bool(big), overlay=b"x" * 77))
    assert (row["format"], row["bits"], row["big_endian"]) == (form, bits, big)
    assert row["entry_section"] == 2
    assert row["entry_executable"] == 0
    assert row["sections_writable_code"] == 1
    assert row["sections_odd_names"] == 1
    assert (row["libraries"], row["functions"], row["overlay_size"]) == (2, 5, 77)
    assert (row["urls"], row["paths"]) == (5, 5)
    assert row["code_entropy"] == 8
    assert not any(value for name, value in row.items() if name.startswith("faults_"))
    others = ELF_NUMBERS if form == "pe" else PE_NUMBERS
    assert not any(row[name] for name in others)
    assert row["features_version"] == FEATURES_VERSION


def test_columns_of_a_form_are_those_that_are_declared():
    assert set(read_pe(VALID[0]).own) == set(read_pe(b"MZ").own) == set(PE_NUMBERS)
    assert set(read_elf(VALID[-1]).own) == set(read_elf(b"\x7fELF").own) == set(ELF_NUMBERS)


BEGINNINGS = [b"", b"MZ", b"\x7fELF", b"\x7fELF\x02\x01\x01", b"\x7fELF\x01\x02", VALID[1][:0x100]]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(BEGINNINGS), st.binary(max_size=3_000))
@example(b"", b"")
@example(b"MZ", bytes(58) + b"\xff\xff\xff\xff")
@example(b"MZ", bytes(58) + b"\x04\0\0\0")
def test_any_bytes_give_a_row_or_the_named_error(start, rest):
    try:
        checked(start + rest)
    except SchemaError as error:
        assert re.match(r"File 'given' (is|has) .*expected", str(error))  # noqa: PT017


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(VALID),
    st.lists(
        st.tuples(
            st.integers(4, 1_600) | st.integers(4, 20_000),
            st.sampled_from([b"\xff" * 8, b"\xff" * 4, bytes(4), b"\1\0\0\0", b"\0\0\0\x80"])
            | st.binary(min_size=1, max_size=8),
        ),
        min_size=1,
        max_size=12,
    ),
    st.none() | st.integers(4, 8_000),
    st.binary(max_size=64),
)
def test_a_damaged_file_gives_a_row_or_the_named_error(data, changes, cut, tail):
    damaged = bytearray(data)
    for place, value in changes:
        start = place % len(damaged)
        damaged[start : start + len(value)] = value
    started = time.perf_counter()
    try:
        checked(bytes(damaged[:cut] + tail))
    except SchemaError as error:
        assert "expected a PE or ELF file" in str(error)  # noqa: PT017
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("data", VALID, ids=[f"{f}{b}{g}" for f, b, g in KINDS])
def test_every_truncation_is_answered(data):
    counts = []
    for size in [*range(4, 1_200, 7), *range(1_200, len(data), 97)]:
        row = checked(data[:size])
        counts.append(sum(v for name, v in row.items() if name.startswith("faults_")))
    assert min(counts[: len(counts) // 2]) > 0


def hostile() -> dict[str, bytes]:
    """Files that state more than there is, or the same again and again."""
    size = 8 * 2**20
    body = bytes(range(256)) * (size // 256)
    # Sections that are each the whole file.
    pe = bytearray(VALID[1][:0x400] + body)
    struct.pack_into("<H", pe, 0x80 + 6, 65_535)
    for number in range(6_000):
        at = 0x80 + 24 + 240 + 40 * number
        struct.pack_into("<8sIIIIIIHHI", pe, at, b"all", size, 4096, size, 0, 0, 0, 0, 0, 0)
    # One table of functions, named by a million libraries.
    again = bytearray(VALID[0])
    (rva,) = struct.unpack_from("<I", again, 0x80 + 24 + 96 + 8)
    offset = READ_PE.sections[-1].offset
    row = struct.pack("<IIIII", rva + 4_000, 0, 0, rva + 60, rva + 4_000)
    again[offset : offset + 20] = row
    again = again[: offset + 20] + row * 10**6
    # Libraries without names, each with another table.
    strange = bytes(again[: offset + 20 * 2]) + b"".join(
        struct.pack("<IIIII", number, 0, 0, 2**31 + number, number) for number in range(1, 10**6)
    )
    # A function whose name is the table itself, without end.
    endless = bytearray(VALID[0][:offset])
    endless += struct.pack("<IIIII", rva + 40, 0, 0, rva + 40, rva + 40) + bytes(20)
    endless += struct.pack("<I", rva + 40) * 10**6
    struct.pack_into("<I", endless, 0x80 + 24 + 224 + 4 * 40 + 16, 4 * 10**6)
    elf = bytearray(VALID[3][:64] + body)  # 32 bits
    struct.pack_into(">II", elf, 28, 64, 64)  # both tables at one place
    struct.pack_into(">HHHHHH", elf, 40, 52, 32, 65_535, 40, 65_535, 1)
    symbols = bytearray(VALID[4])
    (at,) = struct.unpack_from("<Q", symbols, 40)
    for number in range(len(symbols[at:]) // 64):
        struct.pack_into("<QQ", symbols, at + 64 * number + 24, 64, 2**62)
    return {
        "sections": bytes(pe),
        "libraries": bytes(again),
        "nameless": strange,
        "functions": bytes(endless),
        "headers": bytes(elf),
        "sizes": bytes(symbols) + bytes(10**6),
        "text": b"\x7fELF" + b"A" * size,
        "strings": b"MZ" + b"http://\0" * (size // 8),
    }


READ_PE = read_pe(VALID[0])
HOSTILE = hostile()


@pytest.mark.parametrize("name", HOSTILE)
def test_time_and_memory_are_bounded(name):
    data = HOSTILE[name]
    plain = min(timed(lambda: np.bincount(np.frombuffer(data, np.uint8))) for _ in range(3))
    took = min(timed(lambda: checked(data)) for _ in range(2))
    # A pass over the bytes, and at most so many structures: 13 bincounts usually.
    assert took < 120 * plain + 1.0
    tracemalloc.start()
    row = checked(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * len(data) + 40 * 2**20
    assert row["sections"] <= MOST_SECTIONS
    assert row["libraries"] <= MOST_LIBRARIES
    assert row["functions"] + row["functions_by_ordinal"] <= MOST_FUNCTIONS
    if name not in ("text", "strings"):
        assert sum(v for key, v in row.items() if key.startswith("faults_"))


def timed(call) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def test_the_faults_of_hostile_files_are_named():
    rows = {name: READ.row(data) for name, data in HOSTILE.items()}
    assert rows["sections"]["faults_beyond_limits"] == 1
    assert rows["sections"]["faults_overlapping"] == MOST_SECTIONS - 1
    assert rows["libraries"]["faults_repeated"] >= MOST_LIBRARIES - 1
    assert rows["libraries"]["faults_beyond_limits"] == 1
    assert rows["nameless"]["faults_beyond_limits"] == 1
    assert rows["functions"]["faults_beyond_limits"] == 1
    assert rows["headers"]["faults_beyond_limits"] == 2
    assert rows["sizes"]["faults_outside"] > 5
    assert rows["text"]["faults_odd_fields"] >= 1


OTHERS = {
    "a zip archive": b"PK\x03\x04" + bytes(60),
    "a script": b"#!/bin/sh\necho\n",
    "a text": "Grüße, und nichts weiter".encode(),
    "a Mach-O executable": b"\xcf\xfa\xed\xfe" + bytes(60),
    "a class of Java or": b"\xca\xfe\xba\xbe" + bytes(60),
    "zero bytes alone": bytes(1_000),
    "a program of MS-DOS or of 16 bits": b"MZ" + bytes(58) + b"\x40\0\0\0NE\0\0" + bytes(60),
    "of no kind that is known": bytes(range(128, 256)) * 50,
    "a gzip archive": b"\x1f\x8b\x08" + bytes(60),
}


@pytest.mark.parametrize("words", OTHERS)
def test_what_is_no_executable_is_named(words):
    with pytest.raises(SchemaError, match=rf"File 'a\.bin' is {words}.*expected a PE or ELF file"):
        READ.row(OTHERS[words], "a.bin")


def test_empty_large_and_other_values_are_refused():
    with pytest.raises(SchemaError, match="'x' is empty"):
        READ.row(b"", "x")
    with pytest.raises(SchemaError, match="'x' has 101 bytes, expected at most 100"):
        ExecutableFeatures(most_bytes=100).row(b"MZ" + bytes(99), "x")
    with pytest.raises(SchemaError, match="given as str, expected bytes"):
        READ.row("MZ", "x")
    for wrong in (0, 2.5, True):
        with pytest.raises(ParameterError, match="must be an int >= 1"):
            ExecutableFeatures(most_files=wrong)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.binary(max_size=40) | st.text("ab", max_size=60).map(str.encode), max_size=12),
    st.integers(3, 64),
)
def test_pieces_do_not_change_what_is_counted(parts, size):
    data = b"".join(parts) + b"."
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(contents_module, "_PIECE", 16 * size)
        patched.setattr(contents_module, "_BLOCK", 16)
        patched.setattr(contents_module, "_STEP", 16)
        found = Bytes(data)
        stretch = found.counts(len(data) // 3, len(data) // 2)
    runs = re.findall(rb"[ -~]{5,}", data)
    assert (found.strings, found.characters) == (len(runs), sum(map(len, runs)))
    assert found.string_histogram.tolist() == counted(b"".join(runs))
    assert found.histogram.tolist() == counted(data)
    third = len(data) // 3
    assert stretch.tolist() == counted(data[third : third + len(data) // 2])


def counted(data: bytes) -> list[int]:
    return np.bincount(np.frombuffer(data, np.uint8), minlength=256).tolist()


@pytest.mark.parametrize("size", [1, 1_500, 2_047, 2_048, 2_049, 70_000])
def test_the_entropy_of_windows_is_that_of_the_paper(size):
    rng = np.random.default_rng(size)
    data = (rng.integers(0, 256, size) >> rng.integers(0, 6, size)).astype(np.uint8)
    expected = np.zeros((16, 16), dtype=int)
    for start in range(0, size - 2_048 + 1, 1_024) or [0]:
        nibbles = np.bincount(data[start : start + 2_048] >> 4, minlength=16)
        shares = nibbles[nibbles > 0] / nibbles.sum()
        bits = -2 * (shares * np.log2(shares)).sum()
        expected[min(int(2 * bits), 15)] += nibbles
    assert Bytes(data.tobytes()).byte_entropy.tolist() == expected.tolist()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "b.exe").write_bytes(VALID[0])
    (tmp_path / "deep" / "a.so").write_bytes(VALID[4])
    return tmp_path


def test_a_folder_is_a_table_of_its_files(folder):
    found = READ.read(folder)
    assert found["file"].tolist() == ["b.exe", "deep/a.so"]
    assert found.columns.tolist() == ["file", "sha256", *FILE_COLUMNS.names]
    FILE_COLUMNS.to_arrays(found)
    assert found.equals(READ.table({"b.exe": VALID[0], "deep/a.so": VALID[4]}))
    assert READ.read(folder / "deep")["file"].tolist() == ["a.so"]
    assert len(READ.read(str(folder), others="leave out").attrs["left_out"]) == 0


def test_other_files_of_a_folder_are_refused_or_left_out_by_name(folder):
    (folder / "notes.txt").write_text("words")
    with pytest.raises(SchemaError, match=r"'notes\.txt' is a text"):
        READ.read(folder)
    found = READ.read(folder, others="leave out")
    assert list(found.attrs["left_out"]) == ["notes.txt"]
    assert len(found) == 2
    with pytest.raises(ParameterError, match="'others'"):
        READ.read(folder, others="skip")


@pytest.mark.parametrize("others", ["refuse", "leave out"])
def test_links_and_what_is_no_file_are_refused(folder, others):
    os.mkfifo(folder / "pipe")
    with pytest.raises(SchemaError, match="'pipe' is a device, pipe or socket"):
        READ.read(folder, others=others)
    (folder / "pipe").unlink()
    (folder / "deep" / "link").symlink_to(folder / "b.exe")
    with pytest.raises(SchemaError, match="'deep/link' is a link"):
        READ.read(folder, others=others)
    (folder / "deep" / "link").unlink()
    (folder / "deep" / "round").symlink_to(folder)  # a folder that would hold itself
    with pytest.raises(SchemaError, match="'deep/round' is a link"):
        READ.read(folder, others=others)


def test_a_large_file_is_refused_before_it_is_read(folder):
    with (folder / "huge.exe").open("wb") as file:
        file.truncate(2**30)
    tracemalloc.start()
    with pytest.raises(SchemaError, match=r"'huge\.exe' has 1073741824 bytes, expected at most"):
        READ.read(folder)
    assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    tracemalloc.stop()


def test_folders_are_bounded(folder, tmp_path):
    with pytest.raises(SchemaError, match="more than 2 files and folders"):
        ExecutableFeatures(most_files=2).read(folder)
    with pytest.raises(SchemaError, match="There is no folder"):
        READ.read(folder / "b.exe")
    (tmp_path / "/".join("d" * 40)).mkdir(parents=True)
    with pytest.raises(SchemaError, match="more than 32 folders deep"):
        READ.read(folder)


def test_a_file_that_is_exchanged_for_a_link_is_not_followed(folder, monkeypatch):
    """A link that takes the place of a file once it was looked at."""
    target = folder.parent / "secret.exe"
    target.write_bytes(VALID[0])
    open_file = os.open

    def exchanged(path, flags):
        path.unlink()
        path.symlink_to(target)
        return open_file(path, flags)

    monkeypatch.setattr(os, "open", exchanged)
    with pytest.raises(SchemaError, match=r"'b\.exe' cannot be read"):
        READ.read(folder)


def test_names_of_files_may_be_any_bytes(folder):
    (folder / os.fsdecode(b"\xff\n.exe")).write_bytes(VALID[0])
    found = READ.read(folder)
    assert found["file"].tolist() == ["\\xff\n.exe", "b.exe", "deep/a.so"]
    found["file"].str.encode("utf-8")


def test_a_folder_without_files_has_all_columns(tmp_path):
    assert READ.read(tmp_path).columns.tolist() == ["file", "sha256", *FILE_COLUMNS.names]


def test_a_machine_that_serves_reads_files(tmp_path):
    (tmp_path / "a.exe").write_bytes(VALID[0])
    code = (
        "import sys; from pathlib import Path;"
        "from industry_apps.runtime import ExecutableFeatures;"
        f"row = ExecutableFeatures().row(Path({str(tmp_path / 'a.exe')!r}).read_bytes());"
        "assert row['functions'] == 5;"
        "heavy = {'torch', 'sklearn', 'lightgbm', 'onnx', 'pandas'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
