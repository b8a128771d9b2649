"""MATPOWER case files, read as text: nothing in them is run.

The format is documented in ``caseformat.m`` of MATPOWER and in appendix B of its manual
(https://matpower.org/docs/MATPOWER-manual.pdf). A file is a MATLAB function; one that goes on
with code behind its tables, as those that convert units, is refused, since its tables alone do not
mean what they say.

Conventions, as in ``makeBdc.m`` and ``makeAang.m``: a tap ratio of 0 is 1, phase shifts and limits
of angles are in degrees, a rating of 0 is no limit, angle limits of 0 or of 360 and beyond are
none, and the ramp columns of most files are 0 because nobody filled them: they are read as missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from industry_apps.energy.grid.cases import (
    Branches,
    Case,
    Costs,
    Floats,
    Generators,
    convex_segments,
    refuse_row,
)
from industry_apps.energy.grid.reading.case_text import (
    NUMBER,
    REMEDY,
    is_list,
    matrix_of,
    statements,
)
from industry_apps.errors import DataNotFoundError, SchemaError

#: Larger files are not read: the largest public case, of 82 000 buses, has 20 million bytes.
MOST_BYTES = 50_000_000

_TABLES = ("bus", "gen", "branch", "gencost")
#: Fields that change nothing of a dispatch. ``areas`` is unused since version 2.
_IGNORED = ("bus_name", "gentype", "genfuel", "areas")
_LEAST_COLUMNS = {"bus": 13, "gen": 10, "branch": 11, "gencost": 5}
_STATEMENT = re.compile(r"mpc\.(\w+)\s*=\s*(.*)", re.DOTALL)
_FUNCTION = re.compile(r"function\s+mpc\s*=\s*(\w+)\s*;?")


#: Places of the columns that are read, counted from 0, as in idx_bus, idx_gen and idx_brch.
_COLUMNS: Mapping[str, Mapping[str, int]] = {
    "bus": {"bus_i": 0, "type": 1, "Pd": 2, "Gs": 4},
    "gen": {"bus": 0, "status": 7, "Pmax": 8, "Pmin": 9},
    "branch": {"fbus": 0, "tbus": 1, "x": 3, "rateA": 5, "ratio": 8, "angle": 9, "status": 10},
}
_RAMP = 16  # ramp_agc, MW/min
_ANGLES = (11, 12)  # angmin, angmax, degrees


def read_case(path: str | Path) -> Case:
    """Read a MATPOWER case file of version 2.

    Parameters
    ----------
    path : str or Path
        A ``.m`` file.

    Returns
    -------
    Case
        Of what is in service.

    Raises
    ------
    DataNotFoundError
        There is no such file.
    SchemaError
        It is too large, is no plain case of version 2, or a value cannot be right: names the table,
        row, column, value and remedy.

    Examples
    --------
    >>> from industry_apps.energy import read_case
    >>> case = read_case("case30.m")  # doctest: +SKIP
    """
    path = Path(path)
    if not path.is_file():
        raise DataNotFoundError(f"There is no file {str(path)!r}. Give the path of a case file.")
    if path.stat().st_size > MOST_BYTES:
        raise SchemaError(
            f"{path.name} has {path.stat().st_size} bytes, expected at most {MOST_BYTES}. A case "
            "of this size is no MATPOWER case; check the file."
        )
    return parse_case(path.read_bytes().decode("utf-8-sig", errors="replace"), path.stem)


def parse_case(text: str, name: str) -> Case:
    """Read the text of a case; see :func:`read_case`."""
    fields = dict(_fields(text, name))
    tables = _checked_tables(fields, name)
    base = _base(fields.get("baseMVA", ""), name)
    bus = tables["bus"]
    numbers, kept, notes = _buses(bus)
    places = {int(number): place for place, number in enumerate(numbers)}
    generators, offline = _generators(tables["gen"], tables["gencost"], places)
    branches, opened = _branches(tables["branch"], places, base)
    for what, count in (("generators", offline), ("branches", opened)):
        if count:
            notes.append(f"{count} {what} are out of service in the file, and left out.")
    return Case(
        name=name,
        buses=numbers,
        load=bus[kept, 2],
        shunt=bus[kept, 4],
        generators=generators,
        branches=branches,
        notes=tuple(notes),
    )


def _fields(text: str, name: str) -> list[tuple[str, str]]:
    """The assignments of a case file: (field, text of the value)."""
    found, seen, ended = [], set(), ""
    for line, statement in statements(text):
        if ended:
            raise SchemaError(
                f"Case {name!r}, line {line}: {statement[:60]!r} stands behind {ended!r}, where "
                "nothing is run. Remove it, or the line before."
            )
        if statement in ("end", "return"):
            ended = statement
            continue
        if _FUNCTION.fullmatch(statement):
            continue
        match = _STATEMENT.fullmatch(statement)
        if match is None or (match[1] in _IGNORED and not is_list(match[2])):
            raise SchemaError(
                f"Case {name!r}, line {line}: {statement[:60]!r} is code, and the tables mean "
                f"something else without it (such as kW for MW). {REMEDY}"
            )
        field, value = match[1], match[2]
        if field not in (*_TABLES, *_IGNORED, "version", "baseMVA"):
            raise SchemaError(
                f"Case {name!r}, line {line}: the field mpc.{field} is not supported, and leaving "
                "it out would solve another problem (DC lines, further constraints, storage). "
                "Remove it from the file if you mean to do without."
            )
        if field in seen:
            raise SchemaError(
                f"Case {name!r}, line {line}: mpc.{field} is assigned twice. {REMEDY}"
            )
        seen.add(field)
        found.append((field, value))
    return found


def _checked_tables(fields: Mapping[str, str], name: str) -> dict[str, Floats]:
    version = fields.get("version", "").strip("'\"")
    if version != "2":
        raise SchemaError(
            f"Case {name!r}: mpc.version is {version or 'missing'!r}, expected '2'. Convert it "
            "with MATPOWER's savecase."
        )
    for table in _TABLES:
        if table not in fields:
            raise SchemaError(
                f"Case {name!r} has no mpc.{table}, without which nothing can be dispatched. Add "
                "it."
            )
    # Rows of gencost differ in length where somebody did not fill them with zeros.
    tables = {
        table: matrix_of(fields[table], table, _LEAST_COLUMNS[table], ragged=table == "gencost")
        for table in _TABLES
    }
    for table, columns in _COLUMNS.items():
        _refuse_missing(tables[table], table, columns)
    return tables


def _base(text: str, name: str) -> float:
    if not NUMBER.fullmatch(text) or not 0 < float(text) < np.inf:
        raise SchemaError(
            f"Case {name!r}: mpc.baseMVA is {text[:20]!r}, expected a number > 0 of MVA. Correct "
            "it."
        )
    return float(text)


def _refuse_missing(matrix: Floats, table: str, columns: Mapping[str, int]) -> None:
    for column, place in columns.items():
        wrong = ~np.isfinite(matrix[:, place])
        if column == "rateA":
            wrong &= ~np.isposinf(matrix[:, place])
        if wrong.any():
            row = int(wrong.argmax())
            value = matrix[row, place]
            refuse_row(table, row + 1, column, value, "a finite number", "Fill it in.")


def _buses(bus: Floats) -> tuple[NDArray[np.int64], NDArray[np.bool_], list[str]]:
    """Numbers of the buses that are connected, which rows these are, and what was left out."""
    numbers = bus[:, 0]
    for row, number in enumerate(numbers, start=1):
        if number != int(number) or number < 1:
            refuse_row("bus", row, "bus_i", number, "a whole number >= 1", "Renumber it.")
    whole = numbers.astype(np.int64)
    values, counts = np.unique(whole, return_counts=True)
    if (counts > 1).any():
        twice = values[counts > 1][0]
        row = int(np.flatnonzero(whole == twice)[1]) + 1
        refuse_row("bus", row, "bus_i", twice, "a number of its own", "Renumber one of the two.")
    wrong = ~np.isin(bus[:, 1], (1, 2, 3, 4))
    if wrong.any():
        row = int(wrong.argmax())
        refuse_row("bus", row + 1, "type", bus[row, 1], "1, 2, 3 or 4", "Correct it.")
    kept = bus[:, 1] != 4
    if not kept.any():
        raise SchemaError("All buses are isolated (type 4). Connect some of them.")
    notes = []
    if not kept.all():
        lost = float(bus[~kept, 2].sum())
        notes.append(
            f"{int((~kept).sum())} isolated buses (type 4) are left out, with {lost:g} MW of load, "
            "as in MATPOWER."
        )
    return whole[kept], kept, notes


def _placed(
    table: str, column: str, numbers: Floats, places: Mapping[int, int], rows: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Places of the buses that rows in service name."""
    for row in np.flatnonzero(rows):
        if numbers[row] not in places:
            refuse_row(
                table,
                int(row) + 1,
                column,
                numbers[row],
                "the number of a bus that is not isolated",
                "Correct it, or set its status to 0.",
            )
    return np.array([places[int(number)] for number in numbers[rows]], dtype=np.int64)


def _generators(gen: Floats, gencost: Floats, places: Mapping[int, int]) -> tuple[Generators, int]:
    """Generators in service, and the number of the others."""
    if len(gencost) not in (len(gen), 2 * len(gen)):
        raise SchemaError(
            f"Table 'gencost' has {len(gencost)} rows for {len(gen)} generators, expected as many, "
            "or twice as many with the costs of reactive power. Complete it."
        )
    runs = gen[:, 7] > 0
    if not runs.any():
        raise SchemaError("Table 'gen': no generator is in service. Set the status of some to 1.")
    bus = _placed("gen", "bus", gen[:, 0], places, runs)
    for row in np.flatnonzero(runs & (gen[:, 8] < gen[:, 9])):
        refuse_row(
            "gen",
            int(row) + 1,
            "Pmax",
            gen[row, 8],
            f"at least Pmin, which is {gen[row, 9]:g}",
            "Correct one of the two, or set the status to 0.",
        )
    ramp = gen[:, _RAMP] if gen.shape[1] > _RAMP else np.zeros(len(gen))
    generators = Generators(
        row=np.flatnonzero(runs) + 1,
        bus=bus,
        least=gen[runs, 9],
        most=gen[runs, 8],
        costs=_costs(gencost[: len(gen)], runs),
        ramp=np.where(ramp[runs] > 0, ramp[runs], np.nan),
        start_cost=gencost[: len(gen)][runs, 1],
    )
    return generators, int((~runs).sum())


def _costs(gencost: Floats, runs: NDArray[np.bool_]) -> Costs:
    rows = np.flatnonzero(runs).tolist()
    quadratic, linear, constant = (np.zeros(len(rows)) for _ in range(3))
    segments = [np.zeros((0, 2)) for _ in rows]
    for place, row in enumerate(rows):
        model, count, values = gencost[row, 0], gencost[row, 3], gencost[row, 4:]
        each, least = (2, 2) if model == 1 else (1, 1)
        most = len(values) // each
        if model not in (1, 2):
            refuse_row("gencost", row + 1, "model", model, "1 or 2", "Correct it.")
        if not least <= count <= most or count % 1:  # of NaN too
            expected = f"a whole number from {least} to {most}"
            refuse_row("gencost", row + 1, "n", count, expected, "Correct it, or add its values.")
        values = values[: int(count) * each]
        if not np.isfinite(values).all() or not np.isfinite(gencost[row, 1]):
            refuse_row("gencost", row + 1, "cost", values, "finite numbers", "Fill them in.")
        if model == 1:
            points = list(map(tuple, values.reshape(-1, 2)))
            segments[place] = convex_segments(points, int(row) + 1)
            continue
        found = _polynomial(values, int(row) + 1)
        quadratic[place], linear[place], constant[place] = found
    return Costs(quadratic=quadratic, linear=linear, constant=constant, segments=tuple(segments))


def _polynomial(values: Floats, row: int) -> tuple[float, float, float]:
    """Coefficients of degree 2, 1, 0, the highest first."""
    *higher, square, slope, constant = [0.0, 0.0, *map(float, values)]
    if any(higher):
        refuse_row(
            "gencost",
            row,
            "cost",
            f"a polynomial of degree {len(values) - 1}",
            "degree 2 at most",
            "Approximate it by a quadratic function or by line segments.",
        )
    if square < 0:
        refuse_row(
            "gencost",
            row,
            "cost",
            square,
            "a square term >= 0, as a convex cost has",
            "Approximate it by line segments.",
        )
    return square, slope, constant


def _branches(branch: Floats, places: Mapping[int, int], base: float) -> tuple[Branches, int]:
    """Branches in service, and the number of the others."""
    closed = branch[:, 10] != 0
    start = _placed("branch", "fbus", branch[:, 0], places, closed)
    end = _placed("branch", "tbus", branch[:, 1], places, closed)
    for row in np.flatnonzero(closed & (branch[:, 3] == 0)):
        refuse_row(
            "branch",
            int(row) + 1,
            "x",
            "a reactance of 0",
            "one that is not 0, by which flows are divided",
            f"Join the buses {branch[row, 0]:g} and {branch[row, 1]:g}, or set the status to 0.",
        )
    for row in np.flatnonzero(closed & (branch[:, 5] < 0)):
        refuse_row("branch", int(row) + 1, "rateA", branch[row, 5], "a rating >= 0", "Correct it.")
    used = branch[closed]
    ratio = np.where(used[:, 8] == 0, 1.0, used[:, 8])
    low, high = _angle_limits(used, np.flatnonzero(closed) + 1)
    # MATPOWER takes ratings of 0, and of 10 billion and more, as no limit.
    rated = (used[:, 5] > 0) & (used[:, 5] < 1e10)
    return (
        Branches(
            row=np.flatnonzero(closed) + 1,
            start=start,
            end=end,
            susceptance=base / (used[:, 3] * ratio),
            shift=np.deg2rad(used[:, 9]),
            limit=np.where(rated, used[:, 5], np.inf),
            angle_low=low,
            angle_high=high,
        ),
        int((~closed).sum()),
    )


def _angle_limits(used: Floats, rows: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Limits of angles in rad, infinite where there are none; ``rows`` are those of the table."""
    none = np.full(len(used), np.inf)
    if used.shape[1] <= _ANGLES[1]:
        return -none, none
    low, high = used[:, _ANGLES[0]], used[:, _ANGLES[1]]
    for column, values in (("angmin", low), ("angmax", high)):
        for place in np.flatnonzero(np.isnan(values)):
            expected = "degrees, or 0 for no limit"
            refuse_row("branch", int(rows[place]), column, values[place], expected, "Fill it in.")
    least = np.where((low != 0) & (low > -360), low, -none)
    most = np.where((high != 0) & (high < 360), high, none)
    for place in np.flatnonzero(least > most):
        refuse_row(
            "branch",
            int(rows[place]),
            "angmin",
            low[place],
            f"at most angmax, which is {high[place]:g}",
            "Exchange the two, or give 0 for a limit that is none.",
        )
    return np.deg2rad(least), np.deg2rad(most)
