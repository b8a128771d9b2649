"""Recordings: what is read, and what is refused by name."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from industry_apps.errors import SchemaError
from industry_apps.schema import Column
from industry_apps.schema.sounds import read_wav
from industry_apps.schema.values import UnfitError

RATE = 8000
COLUMN = Column("samples", "number", size=None, nullable=False, whole=True, rate=RATE)
TONE = (6000 * np.sin(np.arange(RATE // 2) / 5)).astype(np.int16)


def wav(samples=TONE, *, rate=RATE, channels=1, width=2):
    with io.BytesIO() as file:
        with wave.open(file, "wb") as written:
            written.setparams((channels, width, rate, 0, "NONE", ""))
            written.writeframes(np.asarray(samples, dtype=f"<i{width}").tobytes())
        return file.getvalue()


@pytest.mark.parametrize(
    "value",
    [TONE, TONE.tolist(), tuple(TONE.tolist()), TONE.astype(float), wav(), bytearray(wav())],
)
def test_forms_of_a_recording_are_one(value):
    np.testing.assert_array_equal(COLUMN.to_array([value])[0], TONE)


def test_shorter_recordings_are_padded_with_what_is_no_sample():
    made = COLUMN.to_array([TONE, TONE[:2000]])
    assert made.shape == (2, len(TONE))
    assert np.isnan(made[1, 2000:]).all()
    assert not np.isnan(made[1, :2000]).any()


LOUD = np.clip(TONE * 20.0, -32768, 32767).astype(np.int16)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.zeros(4000, np.int16), "not silent, not samples from 0 to 0"),
        (np.full(4000, 12_000, np.int16), "not silent"),
        (TONE // 100, "not silent"),
        (LOUD, "not clipped"),
        (TONE[:1599], r"0.2 seconds or more, 1600 samples at 8000 Hz, not 1599"),
        (np.tile(TONE, 200), "at most 60 seconds"),
        (TONE / 32768, "whole numbers of 16 bits"),
        (np.where(np.arange(4000) == 7, np.nan, TONE), "none of them missing"),
        ([*TONE.tolist(), None], "whole numbers of 16 bits"),
        ([*TONE.tolist(), "7"], "whole numbers of 16 bits"),
        (TONE.astype(np.int32) * 9, r"from -32768 to 32767 \(16 bits\), not -5"),
        (np.stack([TONE, TONE]), "one channel"),
        (TONE.astype(complex), "not complex128"),
        (wav(rate=16_000), "8000 samples a second, as in training, not 16000"),
        (wav(np.repeat(TONE, 2), channels=2), "one channel and 16 bits, not of 2 and 16"),
        (wav(width=4), "not of 1 and 32"),
        (wav()[:30], "a WAV file that can be read"),
        (b"no recording", "a WAV file that can be read"),
        (b"RIFF" + bytes(2_000_000), "at most 60 seconds, not 2000004 bytes"),
        ("/etc/hostname", "not read as a path"),
        (None, "cannot be missing"),
        (7, "a recording"),
    ],
)
def test_what_is_no_voice_is_refused_by_name(value, words):
    with pytest.raises(SchemaError, match=words) as error:
        COLUMN.to_array([TONE, value])
    assert "Column 'samples', row 1" in str(error.value)


@pytest.mark.parametrize("rate", [0, 999, 400_000, 8000.0, True, "8000"])
def test_a_sample_rate_is_a_whole_number_of_hertz(rate):
    with pytest.raises(SchemaError, match="sample rate"):
        Column("samples", "number", size=None, nullable=False, rate=rate)


@pytest.mark.parametrize("column", [{"kind": "text"}, {"size": 3}, {"nullable": True}])
def test_only_lists_that_are_there_have_a_sample_rate(column):
    with pytest.raises(SchemaError, match="sample rate"):
        Column(**{"name": "a", "kind": "number", "size": None, "nullable": False, **column}, rate=8)


def test_damaged_files_are_refused_or_read():
    draw, whole = np.random.default_rng(0), wav()
    for _ in range(300):
        content = bytearray(whole)
        for place in draw.integers(0, 60, 3):
            content[place] = draw.integers(0, 256)
        try:
            read_wav(bytes(content[: draw.integers(1, len(content))]), RATE)
        except UnfitError:
            continue
