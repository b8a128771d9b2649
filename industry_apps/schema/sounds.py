"""Recordings of sound: whole numbers of 16 bits, one channel, at one sample rate.

Files of WAV are read by the standard library, from bytes: a text is never taken as a path. What
holds no voice is refused here, since a model would answer it as it answers a voice.
"""

from __future__ import annotations

import io
import wave
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import SchemaError
from industry_apps.schema.values import UnfitError, is_missing, is_single

#: Seconds of a recording: a shorter one tells too little, a longer one is cut by whoever sends it.
SHORTEST_SECONDS, LONGEST_SECONDS = 0.2, 60
#: Ends of 16 bits, at which a sample may stand for a louder one.
LEAST, LARGEST = -32768, 32767
#: Steps of 65 536 between the least and the largest sample of what is silence: -48 dB.
_SILENT = 256
#: Share of samples at either end of 16 bits from which on a recording is clipped.
_CLIPPED_SHARE = 0.01
#: Bytes of a WAV file beside its samples.
_HEADER = 65_536
_WIDTH = 2  # bytes of a sample

_CONVERT = (
    "Convert it to whole numbers of 16 bits: of floats from -1 to 1, multiply by 32767 and round."
)


def is_rate(rate: object) -> bool:
    """Tell whether something is samples a second."""
    return type(rate) is int and 1_000 <= rate <= 384_000


class Sound(Protocol):
    """What is read here of a column."""

    @property
    def name(self) -> str: ...  # noqa: D102 - as of Column

    @property
    def kind(self) -> str: ...  # noqa: D102

    @property
    def size(self) -> int | None: ...  # noqa: D102

    @property
    def nullable(self) -> bool: ...  # noqa: D102

    @property
    def rate(self) -> int | None: ...  # noqa: D102


def check_rate(column: Sound) -> None:
    """Raise where a column has a sample rate that is none, or holds no recordings.

    Raises
    ------
    SchemaError
    """
    fits = (column.kind, column.size, column.nullable) == ("number", None, False)
    if column.rate is not None and not (fits and is_rate(column.rate)):
        raise SchemaError(
            f"Column {column.name!r} has the sample rate {column.rate!r}; expected 1000 to 384000 "
            "Hz, of a list of numbers of any length that is never missing. Leave it out."
        )


def read_wav(content: bytes | bytearray, rate: int) -> NDArray[np.int16]:
    """Read the bytes of a WAV file of one channel and 16 bits.

    Parameters
    ----------
    content : bytes
        Of a whole file, of at most 60 seconds.
    rate : int
        Samples a second that it has to have.

    Returns
    -------
    ndarray of int16, shape [samples]

    Raises
    ------
    UnfitError
        It is none, or of another sample rate, width or number of channels.

    Examples
    --------
    >>> with io.BytesIO() as file:
    ...     with wave.open(file, "wb") as written:
    ...         written.setparams((1, 2, 8000, 0, "NONE", ""))
    ...         written.writeframes(np.array([1, -2], "<i2").tobytes())
    ...     content = file.getvalue()
    >>> read_wav(content, 8000)
    array([ 1, -2], dtype=int16)
    """
    if len(content) > LONGEST_SECONDS * rate * _WIDTH + _HEADER:
        raise _too_long(f"{len(content)} bytes")
    try:
        with wave.open(io.BytesIO(content), "rb") as file:
            channels, width, found = file.getnchannels(), file.getsampwidth(), file.getframerate()
            samples = file.readframes(file.getnframes())
    except (wave.Error, EOFError, ValueError, RuntimeError) as error:
        raise UnfitError(
            f"a WAV file that can be read ({error or 'it ends too early'})",
            "Write it again, as PCM of 16 bits in one channel.",
        ) from None
    if (channels, width) != (1, _WIDTH):
        raise UnfitError(
            f"a WAV file of one channel and 16 bits, not of {channels} and {8 * width}",
            "Convert it: choose one channel, and write PCM of 16 bits.",
        )
    if found != rate:
        raise UnfitError(
            f"a recording of {rate} samples a second, as in training, not {found}",
            f"Resample it to {rate} Hz.",
        )
    return np.frombuffer(samples[: len(samples) // _WIDTH * _WIDTH], dtype="<i2").astype(np.int16)


def to_sounds(values: Any, rate: int) -> NDArray[np.float32]:
    """Check the recordings of a column.

    Parameters
    ----------
    values : sequence of shape [rows]
        Of lists or arrays of whole numbers, or of the bytes of WAV files.
    rate : int
        Samples a second.

    Returns
    -------
    ndarray of float32, shape [rows, longest]
        NaN behind the end of each recording.

    Raises
    ------
    UnfitError
        A value is no recording, or of another rate as far as one can see; it is too short, too
        long, silent or clipped.
    """
    rows = []
    for row, value in enumerate(values):
        try:
            rows.append(_checked(value, rate))
        except UnfitError as wrong:
            raise UnfitError(wrong.expected, wrong.remedy, row) from None
    made = np.full((len(rows), max(map(len, rows), default=1)), np.nan, dtype=np.float32)
    for row, sound in enumerate(rows):
        made[row, : len(sound)] = sound
    return made


def _checked(value: Any, rate: int) -> NDArray[np.number]:
    if issubclass(type(value), bytes | bytearray):
        sound: NDArray[np.number] = read_wav(value, rate)
    else:
        sound = _numbers(value, rate)
    shortest = round(SHORTEST_SECONDS * rate)
    if len(sound) < shortest:
        raise UnfitError(
            f"a recording of {SHORTEST_SECONDS:g} seconds or more, {shortest} samples at {rate} "
            f"Hz, not {len(sound)}",
            "Take a longer one; one of another sample rate has to be resampled.",
        )
    if len(sound) > LONGEST_SECONDS * rate:
        raise _too_long(f"{len(sound)} samples at {rate} Hz")
    least, largest = float(sound.min()), float(sound.max())
    if least < LEAST or largest > LARGEST:
        raise UnfitError(
            f"whole numbers from {LEAST} to {LARGEST} (16 bits), not {least:g} to {largest:g}",
            "Write the recording as PCM of 16 bits.",
        )
    if largest - least < _SILENT:
        raise UnfitError(
            f"a recording that is not silent, not samples from {least:g} to {largest:g} of "
            f"{LEAST} to {LARGEST}",
            "Take it again, closer to the microphone; floats from -1 to 1 are to be multiplied by "
            "32767 first.",
        )
    clipped = float(np.mean((sound <= LEAST + 1) | (sound >= LARGEST)))
    if clipped > _CLIPPED_SHARE:
        raise UnfitError(
            f"a recording that is not clipped, in which at most {_CLIPPED_SHARE:.0%} of the "
            f"samples are as loud as 16 bits hold, not {clipped:.1%}",
            "Take it again, with less gain.",
        )
    return sound


def _numbers(value: Any, rate: int) -> NDArray[np.number]:
    """A list or array of whole numbers as an array [samples]."""
    if is_single(value) or is_missing(value):
        words = "a recording: a list of whole numbers of 16 bits, or the bytes of a WAV file"
        raise UnfitError(words, "A text is not read as a path; a recording cannot be missing.")
    if isinstance(value, list | tuple):
        if len(value) > LONGEST_SECONDS * rate:
            raise _too_long(f"{len(value)} samples at {rate} Hz")
        if not all(issubclass(each, int | float | np.number) for each in set(map(type, value))):
            raise UnfitError("a list of whole numbers of 16 bits", _CONVERT)
    array = np.asarray(value)
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        raise UnfitError(
            f"whole numbers of 16 bits, [samples], not {array.dtype} of shape {array.shape}",
            f"Give one channel. {_CONVERT}",
        )
    # A request in JSON or by tensors may bring whole numbers as floats.
    if array.dtype.kind == "f" and not (np.isfinite(array) & (np.rint(array) == array)).all():
        raise UnfitError("whole numbers of 16 bits, none of them missing", _CONVERT)
    return array


def _too_long(found: str) -> UnfitError:
    return UnfitError(
        f"a recording of at most {LONGEST_SECONDS} seconds, not {found}", "Cut it, or resample it."
    )
