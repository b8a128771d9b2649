"""Events of a stream, for tests and for the processes that they kill."""

from __future__ import annotations

#: Of a state, as a model file states them.
SETTINGS = {"delay": 7, "windows": [1, 7, 30]}


def event(number: int) -> dict[str, object]:
    """A transaction of one customer at one terminal, minutes apart."""
    time = f"2018-08-01T{number // 60:02}:{number % 60:02}:00"
    return {"customer": "C", "terminal": "T", "time": time, "amount": 10.0 + number}
