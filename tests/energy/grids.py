"""Case files for tests, written from tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from industry_apps.energy.grid.cases import Case
from industry_apps.energy.grid.reading.matpower import parse_case

BUS = ((1, 3, 0), (2, 2, 60), (3, 1, 40))
GEN = ((1, 100, 0), (2, 80, 0))
BRANCH = ((1, 2, 0.1, 0), (2, 3, 0.1, 0), (1, 3, 0.1, 0))
COST = ("2 0 0 3 0 10 0", "2 0 0 3 0 20 0")


def text_of(
    *,
    bus: Iterable[Sequence[float]] = BUS,
    gen: Iterable[Sequence[float]] = GEN,
    branch: Iterable[Sequence[float]] = BRANCH,
    cost: Iterable[str] = COST,
    further: str = "",
) -> str:
    """The text of a case: (number, type, load), (bus, most, least), (from, to, x, rating)."""
    tables = {
        "bus": [f"{n} {kind} {load} 0 0 0 1 1 0 230 1 1.1 0.9" for n, kind, load in bus],
        "gen": [f"{n} 0 0 0 0 1 100 1 {most} {least}" for n, most, least in gen],
        "branch": [
            f"{a} {b} 0 {x} 0 {rate} 0 0 {' '.join(map(str, rest)) or '0 0 1 -360 360'}"
            for a, b, x, rate, *rest in branch
        ],
        "gencost": list(cost),
    }
    parts = [f"mpc.{name} = [\n" + ";\n".join(rows) + ";\n];" for name, rows in tables.items()]
    head = "function mpc = small\nmpc.version = '2';\nmpc.baseMVA = 100;\n"
    return head + "\n".join(parts) + "\n" + further


def case_of(**tables: object) -> Case:
    """The case of :func:`text_of`."""
    return parse_case(text_of(**tables), "small")  # type: ignore[arg-type]
