"""Values of one column, of whatever type people have them in, as typed numpy arrays.

pandas objects are recognised by what they offer, so that pandas is not needed here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import SchemaError
from industry_apps.schema.spellings import composed
from industry_apps.schema.time_units import FIRST_SECOND, LAST_SECOND, seconds_of_number

Kind = Literal["number", "category", "boolean", "datetime", "text", "image"]

#: The missing moment: what a datetime input holds where the record has none.
MISSING_TIME = int(np.iinfo(np.int64).min)

_A_TIME = (
    "a time (datetime, text in ISO 8601, or seconds since 1970) of the years 1 to 9999",
    "Convert it first, for example with pandas.to_datetime, which takes the unit of numbers.",
)
_LARGEST = float(np.finfo(np.float32).max)
_SINGLE = {str, float, int, bool, type(None), datetime}  # the usual ones, told at once
#: Types that have a value for "no value", which differs from itself.
_WITH_NAN = (float, Decimal, np.floating, np.datetime64, np.timedelta64)
#: Units of numpy in which a moment may lie beyond what seconds or parts of them can hold.
_LONG_UNITS = ("Y", "M", "W", "D", "h", "m")
#: Text of a number of seconds; eight digits are a date of ISO 8601.
_WHOLE = re.compile(r"[+-]?(?!\d{8}$)\d+", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")

#: numpy type of the ONNX input of each kind.
DTYPES: dict[Kind, type] = {
    "number": np.float32,
    "boolean": np.float32,
    "category": np.object_,
    "text": np.object_,
    "datetime": np.int64,
    "image": np.uint8,
}


class UnfitError(Exception):
    """A value that does not fit its column, which words the error.

    Parameters
    ----------
    expected, remedy : str
        What was expected, and what to do.
    row : int
    """

    def __init__(self, expected: str, remedy: str, row: int = 0) -> None:
        super().__init__(expected)
        self.expected, self.remedy, self.row = expected, remedy, row


def is_missing(value: Any) -> bool:
    """Tell whether one Python value stands for "no value": None, NaN, NaT or pandas.NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    # Its class and not what it says of itself: an object of somebody's own may say anything.
    if not issubclass(type(value), _WITH_NAN):
        return False
    try:
        return bool(value != value)  # noqa: PLR0124 - true of NaN and NaT alone
    except Exception:  # noqa: BLE001 - a signalling NaN is no value that fits, and is named
        return False


def is_empty(value: Any) -> bool:
    """Tell whether one Python value is missing, or the empty text that stands for that."""
    return is_missing(value) or (issubclass(type(value), str) and value == "")


def shown(value: Any) -> str:
    """A value as an error shows it, though its class may not know how."""
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - of a class of somebody's own anything may come
        return f"an object of {type(value).__name__}"


def is_single(value: Any) -> bool:
    """Tell one value from a column of them, which has a length and values at places."""
    kind = type(value)
    if kind in _SINGLE or issubclass(kind, str | bytes | Mapping):
        return True
    # Not by hasattr: the class of an Enum finds its members by name.
    methods = {name for each in kind.__mro__ for name in vars(each)}
    return not {"__getitem__", "__len__"} <= methods or attribute(value, "ndim", 1) == 0


def are_single(values: Any) -> bool:
    """Tell a list of single values, as a record may hold, as far as it lets one look."""
    if type(values) is np.ndarray and values.dtype.kind in "biuf":  # of a recording, thousands
        return values.ndim == 1
    try:
        return all(map(is_single, values))
    except Exception:  # noqa: BLE001 - of a class of somebody's own; its column names it
        return True


def attribute(value: Any, name: str, default: Any) -> Any:
    """An attribute of a value, or the default where it has none or does not let one look."""
    try:
        return getattr(value, name, default)
    except Exception:  # noqa: BLE001 - of a class of somebody's own anything may come
        return default


def level_of(value: Any) -> str | None:
    """A boolean or a number as the level that it is, whole ones without a point; None of all else.

    Examples
    --------
    >>> level_of(3.0), level_of(True), level_of("3")
    ('3', 'True', None)
    """
    kind = type(value)
    try:
        if issubclass(kind, bool | np.bool_):
            return str(value)
        if issubclass(kind, float | np.floating):
            if value.is_integer():
                return str(int(value))
            return float.__repr__(value) if issubclass(kind, float) else str(value)
        # Whatever a member of an Enum is called; to numpy a span of time is a whole number.
        if issubclass(kind, int | np.integer) and not issubclass(kind, np.timedelta64):
            return int.__repr__(int(value))
    except ValueError:  # more digits than Python writes
        pass
    return None


def row_that_raises(values: Any, read: Callable[[Any], object]) -> int:
    """The first row of a column that raises something, read alone.

    Parameters
    ----------
    values : sequence of shape [rows]
    read : callable
        Takes a list of one of them.
    """
    for row, value in enumerate(values):
        try:
            read([value])
        except Exception:  # noqa: BLE001 - whatever it is
            return row
    return 0


def to_float(values: Any, kind: Kind, dtype: type = np.float32) -> NDArray[Any]:
    """Numbers and booleans of shape [rows], NaN where missing; infinite beyond float32."""
    array = _as_numpy(values, as_float=True)
    if array.dtype.kind not in "fiub":
        array = _objects_to_float(array, kind)
    if kind == "boolean":  # before float32 rounds it
        wrong = ~(np.isnan(array) | (array == 0) | (array == 1))
        if wrong.any():
            expected = "True, False, 0, 1 or missing"
            raise UnfitError(expected, "Correct the value.", int(wrong.argmax()))
    with np.errstate(over="ignore"):
        result: NDArray[Any] = array.astype(dtype) + dtype(0)  # -0 is 0, by which one may divide
    if dtype is np.float64:
        result[np.abs(result) > _LARGEST] = np.inf
    return result


def _objects_to_float(array: NDArray[Any], kind: Kind) -> NDArray[np.float64]:
    result = np.empty(len(array), dtype=np.float64)
    for row, value in enumerate(array):
        if is_missing(value):
            result[row] = np.nan
        elif not _is_number(value):
            remedy = (
                "Write it as true or false, or as 1 or 0."
                if kind == "boolean"
                else "Correct it, or leave it empty where it is not known."
            )
            raise UnfitError(f"a {kind}", remedy, row)
        else:
            try:
                result[row] = float(value)
            except OverflowError:  # an int; the check of the limits says what is wrong
                result[row] = np.inf
            except Exception:  # noqa: BLE001 - of a class of somebody's own anything may come
                raise UnfitError(f"a {kind}", "Correct the value.", row) from None
    return result


def _is_number(value: Any) -> bool:
    dtype = getattr(value, "dtype", None)
    if dtype is not None:  # to numpy, texts and times are numbers too
        return getattr(dtype, "kind", "O") in "fiub" and value.ndim == 0
    return hasattr(type(value), "__float__")


def to_strings(values: Any, kind: Kind) -> NDArray[np.object_]:
    """Categories and texts as str objects of shape [rows] in NFC, "" where missing."""
    if hasattr(values, "cat"):  # a pandas Categorical: take the levels, not every row
        levels = np.asarray(values.cat.categories, dtype=object)
        # As floats beside a missing value, large numbers would lose digits.
        if set(map(type, levels)) <= ({str} if kind == "text" else {str, int, float, bool}):
            codes = np.asarray(values.cat.codes)  # -1 where missing
            strings: NDArray[np.object_] = to_strings(np.append(levels, ""), kind)[codes]
            return strings
    array = _as_numpy(values)
    if array.dtype.kind in "fiub" and kind == "category":
        distinct, inverse = np.unique(array, return_inverse=True)
        return _objects_to_strings(distinct, kind)[inverse]
    if array.dtype.kind == "U":
        array = array.astype(object)
    if array.dtype.kind != "O" or not set(map(type, array.tolist())) <= {str}:
        array = _objects_to_strings(array, kind)
    every = "".join(array.tolist())
    try:
        every.encode()
    except UnicodeEncodeError:
        row = next(row for row, text in enumerate(array) if _SURROGATE.search(text))
        remedy = "Read the text again with its own encoding."
        raise UnfitError("valid Unicode", remedy, row) from None
    if every.isascii() or unicodedata.is_normalized("NFC", every):
        return array
    return np.fromiter(map(composed, array.tolist()), dtype=object, count=len(array))


def _objects_to_strings(array: NDArray[Any], kind: Kind) -> NDArray[np.object_]:
    result = np.empty(len(array), dtype=object)
    for row, value in enumerate(array):
        if issubclass(type(value), str):
            result[row] = str.__str__(value)  # whatever a class of somebody's own makes of it
        elif is_missing(value):
            result[row] = ""
        elif kind == "category" and (level := level_of(value)) is not None:
            result[row] = level
        else:
            raise UnfitError("a string", "Convert it with str() if it is a name.", row)
    return result


def to_seconds(values: Any, unit: str = "") -> NDArray[np.int64]:
    """Moments as whole seconds since 1970 UTC, int64 of shape [rows]; numbers in a unit."""
    if getattr(getattr(values, "dtype", None), "tz", None) is not None:
        values = getattr(values, "dt", values).tz_convert(None)
    array = _as_numpy(values)
    if array.dtype.kind == "i" and unit in ("", "s"):  # as in the exported file
        seconds = array.astype(np.int64)
    else:
        if array.dtype.kind != "M":
            array = _moments(array, unit)
        seconds = array.astype("datetime64[s]").astype(np.int64)
        if np.datetime_data(array.dtype)[0] in _LONG_UNITS:
            seconds[_beyond_years(array)] = LAST_SECOND
        seconds[np.isnat(array)] = MISSING_TIME
    outside = (seconds < FIRST_SECOND) | (seconds >= LAST_SECOND)
    outside &= seconds != MISSING_TIME
    if outside.any():
        raise UnfitError(*_A_TIME, int(outside.argmax()))
    return seconds


def _beyond_years(moments: Any) -> Any:
    """Which moments lie outside the years 1 to 9999, where a finer unit may not hold them."""
    years = 1970 + moments.astype("datetime64[Y]").astype(np.int64)
    return ~np.isnat(moments) & ((years < 1) | (years > 9999))


def _moments(array: NDArray[Any], unit: str) -> NDArray[np.datetime64]:
    result = np.full(len(array), np.datetime64("NaT", "us"))
    texts: dict[str, np.datetime64] = {}
    for row, value in enumerate(array.tolist()):
        is_text = issubclass(type(value), str)
        if is_text and value in texts:  # the rows of a day repeat its text
            result[row] = texts[value]
            continue
        if value == "" if is_text else is_missing(value):
            continue
        try:
            result[row] = parse_moment(value, unit)
        except (ValueError, TypeError, OverflowError):
            raise UnfitError(*_A_TIME, row) from None
        if is_text:
            texts[value] = result[row]
    return result


def time_zones(values: Any) -> dict[str, int]:
    """Time zones that moments are given in, each with the first row that is in it.

    Parameters
    ----------
    values : sequence of shape [rows]
        What :func:`to_seconds` takes.

    Examples
    --------
    >>> time_zones(["2024-01-02", "2024-01-03T00:00+09:00", None])
    {'no time zone': 0, 'UTC+09:00': 1}
    """
    found: dict[str, int] = {}
    dtype = getattr(values, "dtype", None)
    zone = getattr(dtype, "tz", None)  # one type is of one zone
    if zone is not None:
        return {str(zone): 0} if len(values) else found
    if getattr(dtype, "kind", "O") in "iM":
        return found
    array = _as_numpy(values)
    texts = {""}
    for row, value in enumerate(array.tolist()):
        moment = value
        if isinstance(value, str):
            if value in texts:
                continue
            texts.add(value)
            moment = None if _WHOLE.fullmatch(value) else datetime.fromisoformat(value)
        elif is_missing(value):
            continue
        zone = getattr(moment, "tzinfo", None)
        found.setdefault("no time zone" if zone is None else str(zone), row)
    return found


def parse_moment(value: Any, unit: str = "") -> np.datetime64:
    """Read one moment: a datetime, a ``datetime64``, ISO 8601 text, or a number in a unit.

    UTC unless it says.

    Raises
    ------
    ValueError, TypeError
        When the value is none of these.
    """
    if isinstance(value, np.datetime64):
        if _beyond_years(value):
            raise ValueError(f"{value} lies outside the years 1 to 9999")
        moment: np.datetime64 = value.astype("datetime64[us]")
        return moment
    if isinstance(value, int | np.integer) and not isinstance(value, bool | np.timedelta64):
        if value == MISSING_TIME:
            return np.datetime64("NaT", "us")
        return np.datetime64(seconds_of_number(int(value), unit), "s")
    if unit and isinstance(value, float | np.floating):  # a number beside a missing one
        return np.datetime64(seconds_of_number(float(value), unit), "s")
    if isinstance(value, str):
        if _WHOLE.fullmatch(value):  # as a file of texts holds the number
            return np.datetime64(seconds_of_number(int(value), unit), "s")
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    if not isinstance(value, date):
        raise TypeError(f"not a moment: {shown(value)}")
    return np.datetime64(value, "us")


def _as_numpy(values: Any, *, as_float: bool = False) -> NDArray[Any]:
    """Values as an array of shape [rows]; pandas' nullable ones as float64 or as objects."""
    dtype = getattr(values, "dtype", None)
    array: NDArray[Any]
    if dtype is None or not hasattr(values, "to_numpy"):
        array = values if isinstance(values, np.ndarray) else _object_array(values)
    elif isinstance(dtype, np.dtype) or getattr(dtype, "kind", "O") not in "iufb":
        array = values.to_numpy()
    elif as_float:
        array = values.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        array = values.to_numpy(dtype=object)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise SchemaError(f"Expected one value a row, got an array of shape {array.shape}.")
    return array


def _object_array(values: Sequence[Any]) -> NDArray[Any]:
    # Of one type only: numpy would turn True beside 1 into 1, and 2 ** 60 beside 0.5 into a float.
    kinds = set(map(type, values))
    if len(kinds) == 1 and kinds <= {float, int, bool}:
        return np.asarray(values)
    return np.fromiter(values, dtype=object, count=len(values))
