"""Readings of machines as they come: the last window of each, and the answer to it.

The answer is that of the file to a long table of the same readings: the same windows go through
the same graph. Of each machine the last readings are kept, as many as a window has, and no more
however long it runs.

Letters in shapes: L readings of a window, C columns.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ModelFileError, ParameterError, SchemaError
from industry_apps.runtime.inputs import Feeds
from industry_apps.runtime.model import Model
from industry_apps.runtime.series.long_tables import long_schema
from industry_apps.runtime.series.windows import run_windows
from industry_apps.runtime.stream.one_writer import one_writer
from industry_apps.runtime.stream.snapshots import check_size
from industry_apps.schema import Schema
from industry_apps.schema.values import MISSING_TIME
from industry_apps.whole_file import whole_file

#: Number of the format of snapshots.
FORMAT = 1
#: A sensor is stuck when its last readings are equal for longer than this, and than ...
_FEWEST_EQUAL = 5
#: ... so many times the longest run of equal readings in training.
_TIMES_AS_LONG = 2
#: A reading lies beyond training when it does by more than this share of the range there.
_NOT_BEYOND = 0.25
#: ... and of the largest magnitude there: a sensor that stood still has no range.
_NOT_BEYOND_OF_MAGNITUDE = 0.01
_MOST_MACHINES = 10_000_000


@dataclass(slots=True)
class _Machine:
    """The last readings of one machine, a ring: the oldest is at ``count`` modulo L.

    ``equal``: how many readings in a row each sensor has read the same, the last among them.
    """

    values: NDArray[np.float64]  # [L, C]
    count: int
    time: int
    equal: NDArray[np.int64]  # [C]

    def window(self) -> NDArray[np.float64]:
        """Readings in order, the last one last; NaN in front."""
        return np.roll(self.values, -self.count, axis=0)


class SensorState:
    """What is known of each machine: its last readings, and the answer of a model to them.

    Parameters
    ----------
    model : Model
        The file of an application that answers each machine as of its own last reading, such as
        ``manufacturing.predictive_maintenance`` or ``energy.fault_detection``.

    Raises
    ------
    ParameterError
        The file answers something else.

    Notes
    -----
    What is done with readings that are not as they should be:

    - A late one (of a time before the last of its machine) and one that is there twice (of the same
      time) are refused, as a table refuses two readings of one moment; the state is as it was.
    - A missing value (None or NaN) is a reading without it: it is answered as a table is, and the
      flag ``missing`` names the sensor.
    - A sensor that is stuck, whose readings stay equal to the last digit at least five times and
      twice as often as ever in training, is answered as it reads, and the flag ``stuck`` names it.
    - A reading that lies beyond all readings of the sensor in training, by more than a quarter of
      their range and 1 % of their largest magnitude, such as a code (-999) or one in another unit,
      is answered as it reads, and the flag ``beyond`` names the sensor.
    - A sensor that was removed, so that the reading has no such name, is refused where training
      had it in every row; give None to be answered without it.

    Memory is that of one window for each machine; :meth:`forget` lets go of one that has retired.
    One thread may write; a second is refused by a StateInUseError.

    Examples
    --------
    >>> model = Model("manufacturing.predictive_maintenance")
    >>> state = SensorState(model)
    >>> unknown = dict.fromkeys(model.schema.inputs().names)  # of all other sensors
    >>> answer = state.update({**unknown, "machine": "M1", "cycle": 1, "sensor_2": -999.0})
    >>> answer["remaining_life"], answer["flags"]["beyond"]
    (125.0, ['sensor_2'])
    """

    def __init__(self, model: Model) -> None:
        rule = model.windows
        if rule is None or not rule.own_clocks:
            raise ParameterError(
                f"{model.path.name} does not answer each series as of its own last row. Give the "
                "file of an application such as manufacturing.predictive_maintenance."
            )
        self.model, self._rule = model, rule
        self._schema: Schema = model.schema.inputs()
        self._keys = long_schema(model.schema, rule)
        runs = model.metadata.get("longest_runs", {})
        usual = [float(runs.get(name, np.inf)) for name in self._schema.names]
        self._longest = np.maximum(_TIMES_AS_LONG * np.array(usual), _FEWEST_EQUAL)
        ends = model.metadata.get("extremes", {})
        usual_ends = [ends.get(name, (np.nan, np.nan)) for name in self._schema.names]
        self._least, self._most = np.array(usual_ends, dtype=np.float64).reshape(-1, 2).T
        magnitude = np.maximum(np.abs(self._least), np.abs(self._most))
        self._margin = np.maximum(
            _NOT_BEYOND * (self._most - self._least), _NOT_BEYOND_OF_MAGNITUDE * magnitude
        )
        self._machines: dict[str, _Machine] = {}
        self._writing = Lock()

    @property
    def machines(self) -> tuple[str, ...]:
        """Names of the machines that it knows, in the order of their first reading."""
        return tuple(self._machines)

    @one_writer
    def update(self, reading: Mapping[str, Any]) -> dict[str, Any]:
        """Take in one reading of one machine, and answer as of it.

        Parameters
        ----------
        reading : mapping
            One record, with the columns of the long table.

        Returns
        -------
        dict
            The outputs of the model, and ``flags``: {"missing": names, "stuck": names,
            "beyond": names}, as far as there are some.

        Raises
        ------
        SchemaError
            A value does not fit its column, one is missing that must not be, or the time is not
            later than that of the machine's last reading; the state is then as it was.
        """
        arrays = self._keys.to_arrays({name: [value] for name, value in reading.items()})
        name, time = str(arrays[self._rule.series][0]), int(arrays[self._rule.time][0])
        self._check_keys(name, time)
        values = np.array([arrays[column][0] for column in self._schema.names], dtype=np.float64)
        known = self._machines.get(name)
        if known is not None and time <= known.time:
            raise self._late(name, time, known.time)
        machine = known or self._new()
        place = (machine.count - 1) % self._rule.length
        same = values == machine.values[place]
        machine.equal = np.where(same, machine.equal + 1, ~np.isnan(values))
        machine.values[machine.count % self._rule.length] = values
        machine.count, machine.time = machine.count + 1, time
        self._machines[name] = machine
        return {**self._answer(machine), "flags": self._flags(values, machine)}

    @one_writer
    def forget(self, machine: str) -> bool:
        """Let go of a machine: its next reading is the first of a new one.

        Parameters
        ----------
        machine : str

        Returns
        -------
        bool
            False where there was none of that name.
        """
        return self._machines.pop(machine, None) is not None

    @one_writer
    def snapshot(self, path: str | Path) -> None:
        """Write the state to one file (``.npz``, no pickle), all of it or nothing.

        Parameters
        ----------
        path : str or Path
        """
        held = list(self._machines.values())
        shape = (len(held), self._rule.length, len(self._schema.names))
        header = {
            "format": FORMAT,
            "model": self.model._identity,
            "machines": list(self._machines),
        }
        arrays: dict[str, NDArray[Any]] = {
            "header": np.frombuffer(json.dumps(header).encode(), dtype=np.uint8),
            "values": np.array([each.values for each in held]).reshape(shape),
            "counts": np.array([each.count for each in held], dtype=np.int64),
            "times": np.array([each.time for each in held], dtype=np.int64),
            "equal": np.array([each.equal for each in held], dtype=np.int64).reshape(shape[::2]),
        }
        with whole_file(Path(path)) as aside, aside.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]

    @classmethod
    def restore(cls, path: str | Path, model: Model) -> SensorState:
        """Read a state that :meth:`snapshot` wrote; it goes on as if nothing had happened.

        Parameters
        ----------
        path : str or Path
        model : Model
            The same file as then: another one may have other sensors, or another window.

        Raises
        ------
        ModelFileError
            The file is missing, damaged, no snapshot, or of another model.
        """
        state = cls(model)
        try:
            state._machines = _read(Path(path), model, state._rule.length, state._schema)
        except Exception as error:  # whatever a file can do wrong
            raise ModelFileError(
                f"{path} is not a readable snapshot of a SensorState of {model.path.name} "
                f"({error}). Write one with SensorState.snapshot, or start anew and feed the last "
                "readings."
            ) from error
        return state

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_writing"}

    def __setstate__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values, _writing=Lock())

    def _new(self) -> _Machine:
        columns = len(self._schema.names)
        values = np.full((self._rule.length, columns), np.nan)
        return _Machine(values, 0, MISSING_TIME, np.zeros(columns, dtype=np.int64))

    def _check_keys(self, name: str, time: int) -> None:
        for column, missing in (
            (self._rule.series, not name),
            (self._rule.time, time == MISSING_TIME),
        ):
            if missing:
                raise SchemaError(
                    f"Column {column!r}: the reading has no value, expected one in every reading. "
                    "Fill it in."
                )

    def _late(self, name: str, time: int, last: int) -> SchemaError:
        rule = self._rule
        words = "has come already" if time == last else f"lies before {rule.written(last)}"
        return SchemaError(
            f"Column {rule.time!r}: machine {name!r} sends a reading of {rule.written(time)}, "
            f"which {words}, the time of its last reading. Feed the readings of each machine in "
            "order of time, and leave out those that are late or there twice."
        )

    def _answer(self, machine: _Machine) -> dict[str, Any]:
        window = machine.window()
        feeds: Feeds = {
            column.name: window[None, :, place].astype(column.dtype)
            for place, column in enumerate(self._schema)
        }
        names = self.model.outputs.names
        found = run_windows(self.model._session, names, feeds, self.model.schema, self._rule)
        as_told = {"boolean": bool, "category": str}
        return {
            column.name: as_told.get(column.kind, float)(found[column.name][0])
            for column in self.model.outputs
        }

    def _flags(self, values: NDArray[np.float64], machine: _Machine) -> dict[str, list[str]]:
        names = self._schema.names
        told = {
            "missing": np.isnan(values),
            "stuck": machine.equal > self._longest,
            "beyond": np.maximum(self._least - values, values - self._most) > self._margin,
        }
        return {
            word: [name for name, flag in zip(names, flags, strict=True) if flag]
            for word, flags in told.items()
            if flags.any()
        }


def _read(path: Path, model: Model, length: int, schema: Schema) -> dict[str, _Machine]:
    """The machines of a snapshot, checked by what they mean."""
    check_size(path)
    with np.load(path, allow_pickle=False) as arrays:
        header = json.loads(arrays["header"].tobytes())
        if header.get("format") != FORMAT:
            raise ValueError(f"its format is {header.get('format')!r:.40}, expected {FORMAT}")
        if header["model"] != model._identity:
            raise ValueError("it was written beside another model")
        values, counts, times, equal = (
            arrays[name] for name in ("values", "counts", "times", "equal")
        )
    names = header["machines"]
    columns = len(schema.names)
    if type(names) is not list or not all(type(name) is str and name for name in names):
        raise ValueError("the names of its machines are no texts")
    if len(set(names)) != len(names) or len(names) > _MOST_MACHINES:
        raise ValueError("a machine is there twice")
    expected = {
        "values": (values, np.float64, (len(names), length, columns)),
        "counts": (counts, np.int64, (len(names),)),
        "times": (times, np.int64, (len(names),)),
        "equal": (equal, np.int64, (len(names), columns)),
    }
    for word, (array, dtype, shape) in expected.items():
        if array.dtype != dtype or array.shape != shape:
            raise ValueError(
                f"its {word} are {array.dtype} of shape {array.shape}, expected {np.dtype(dtype)} "
                f"of {shape}"
            )
    if (counts < 1).any() or (equal < 0).any() or (equal > counts[:, None]).any():
        raise ValueError("its counts are none of readings")
    if np.isinf(values).any() or (times == MISSING_TIME).any():
        raise ValueError("it holds a reading that no machine can send")
    young = np.arange(length) >= counts[:, None]
    if not np.isnan(values[young]).all():
        raise ValueError("a machine has more readings than it has sent")
    return {
        name: _Machine(values[n].copy(), int(counts[n]), int(times[n]), equal[n].copy())
        for n, name in enumerate(names)
    }
