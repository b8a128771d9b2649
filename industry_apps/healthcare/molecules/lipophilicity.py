"""How a molecule parts between octanol and water, as a sum over its atoms.

Method: Wildman and Crippen, Prediction of physicochemical parameters by atomic contributions,
J. Chem. Inf. Comput. Sci. 1999, 39, 868, doi:10.1021/ci990307l. What an atom adds follows from
what it is and what it is bonded to. What differs: of rare surroundings (charged nitrogen with
aromatic neighbours, hydrogens that are atoms of their own) the rules are fewer.

Letters: B molecules, N atoms of the largest, R closures of rings, K facts of an atom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.features.builder import GraphBuilder
from industry_apps.healthcare.molecules.reading.operators import Operators
from industry_apps.healthcare.molecules.reading.perception import Molecules
from industry_apps.healthcare.molecules.reading.smiles import (
    AROMATIC,
    DOUBLE,
    ELEMENTS,
    NUMBER,
    SINGLE,
    TRIPLE,
)

#: Parts of one: whole numbers add up to the same in any order of the atoms.
_UNIT = 100_000

#: Atoms with rules of their own, aromatic ones in lower case; "" is no atom.
_CLASSES = (
    *("", "C", "c", "N", "n", "O", "o", "S", "s", "P", "F", "Cl", "Br", "I"),
    *("alkali", "metal", "transition"),
)
_AROMATIC_ATOMS = ("c", "n", "o", "s")
_HETERO = ("N", "O", "S", "P", "F", "Cl", "Br", "I")
_ALKALI = ("Li", "Na", "K", "Rb", "Cs")
_METALS = (
    *("Be", "Mg", "Ca", "Sr", "Ba", "B", "Al", "Ga", "In", "Tl"),
    *("Si", "Ge", "Sn", "Pb", "As", "Sb", "Bi", "Se", "Te"),
)

#: What an atom is bonded to, if to one outside of its ring.
_GROUP = {"C": 1, "N": 2, "O": 3, "S": 4, "F": 5, "Cl": 6, "Br": 7, "I": 8}
_OTHER, _RING, _DOUBLE_C, _DOUBLE_N_O, _DOUBLE_S, _DOUBLE_RING = range(9, 15)

#: Facts of an atom: counts of its neighbours; its own; and what a neighbour tells.
_NEIGHBOURS = (
    *("aromatic", "aromatic_carbon", "double", "double_other", "triple", "hetero", "other"),
    *("ring", "group"),
)
_FACTS = (*_NEIGHBOURS, "hydrogens", "charge", "told")
#: The largest that is told apart, where it is more than what a rule asks for.
_MOST = {"hydrogens": 4, "group": _DOUBLE_RING}
_POSITIVE, _NEGATIVE = 1, 2
#: What a carbon with a double bond tells: its oxygen has another place by what else it holds.
_UNSATURATED, _ARYL, _TWO_HETERO = 1, 2, 3

#: Facts, each as large or capped at it, and the number of the atom for which they hold.
_Rules = Sequence[tuple[Mapping[str, int], float]]

_TELLS: dict[str, _Rules] = {
    "C": (
        ({"double": 0}, 0),
        ({"hetero": 2}, _TWO_HETERO),
        ({"aromatic": 1}, _ARYL),
        ({}, _UNSATURATED),
    )
}
#: By the paper's table; the first that holds.
_ATOMS: dict[str, _Rules] = {
    "C": (
        ({"triple": 1}, 0.0017),
        ({"double_other": 1}, -0.2783),
        ({"double": 1, "aromatic": 1}, 0.2640),
        ({"double": 1}, 0.1551),
        ({"other": 1}, 0.2148),
        ({"hydrogens": 3, "aromatic_carbon": 1}, 0.08452),
        ({"hydrogens": 3, "aromatic": 1}, -0.1444),
        ({"hydrogens": 2, "aromatic": 1}, -0.0516),
        ({"hydrogens": 1, "aromatic": 1}, 0.1193),
        ({"hydrogens": 0, "aromatic": 1}, -0.0967),
        ({"hydrogens": 3, "hetero": 1}, -0.2035),
        ({"hydrogens": 2, "hetero": 1}, -0.2035),
        ({"hetero": 1}, -0.2051),
        ({"hydrogens": 1}, 0),
        ({"hydrogens": 0}, 0),
        ({}, 0.1441),
    ),
    "c": (
        ({"hydrogens": 1}, 0.1581),
        ({"ring": 3}, 0.2955),
        ({"group": _OTHER}, -0.5443),
        ({"group": _GROUP["F"]}, 0),
        ({"group": _GROUP["Cl"]}, 0.2450),
        ({"group": _GROUP["Br"]}, 0.1980),
        ({"group": _GROUP["I"]}, 0),
        ({"group": _RING}, 0.2713),
        ({"group": _GROUP["C"]}, 0.1360),
        ({"group": _GROUP["N"]}, 0.4619),
        ({"group": _GROUP["O"]}, 0.5437),
        ({"group": _GROUP["S"]}, 0.1893),
        ({"group": _DOUBLE_S}, 0.08129),
        ({"double": 1}, -0.8186),
        ({}, 0.08129),
    ),
    "N": (
        ({"charge": _NEGATIVE}, 0.2887),
        ({"charge": _POSITIVE, "triple": 1}, 0.2887),
        ({"charge": _POSITIVE, "double": 2}, 0.2887),
        ({"charge": _POSITIVE, "hydrogens": 0}, -0.3396),
        ({"charge": _POSITIVE}, -1.9500),
        ({"triple": 1}, 0.01508),
        ({"hydrogens": 3}, -0.4806),
        ({"hydrogens": 2, "aromatic": 1}, -1.0270),
        ({"hydrogens": 2}, -1.0190),
        ({"hydrogens": 1, "double": 1}, 0.08387),
        ({"hydrogens": 1, "aromatic": 1}, -0.5188),
        ({"hydrogens": 1}, -0.7096),
        ({"double": 1}, 0.1836),
        ({"aromatic": 1}, -0.4458),
        ({}, -0.3187),
    ),
    "n": (({"charge": _POSITIVE}, -1.1190), ({"charge": _NEGATIVE}, -0.4806), ({}, -0.3239)),
    "O": (
        ({"charge": _NEGATIVE, "group": _GROUP["N"]}, 0.0335),
        ({"charge": _NEGATIVE, "group": _GROUP["S"]}, -0.3339),
        ({"charge": _NEGATIVE, "aromatic": 1, "aromatic_carbon": 0}, 0.0335),
        ({"charge": _NEGATIVE, "told": 0}, -1.1890),
        ({"charge": _NEGATIVE}, -1.3260),
        ({"charge": _POSITIVE}, -0.1188),
        ({"double": 1, "group": _DOUBLE_N_O}, 0.0335),
        ({"double": 1, "group": _DOUBLE_S}, -0.3339),
        ({"double": 1, "group": _DOUBLE_RING}, 0.1788),
        ({"double": 1, "group": _DOUBLE_C, "told": _ARYL}, 0.1129),
        ({"double": 1, "group": _DOUBLE_C, "told": _TWO_HETERO}, 0.4833),
        ({"double": 1, "group": _DOUBLE_C}, -0.1526),
        ({"double": 1}, -0.1188),
        ({"hydrogens": 0, "aromatic": 1}, -0.4195),
        ({"hydrogens": 0}, -0.0684),
        ({}, -0.2893),
    ),
    "o": (({}, 0.1552),),
    "S": (
        ({"charge": _POSITIVE}, -0.0024),
        ({"charge": _NEGATIVE}, -0.0024),
        ({"double_other": 1}, -0.0024),
        ({}, 0.6482),
    ),
    "s": (({}, 0.6237),),
    "P": (({}, 0.8612),),
    "F": (({"charge": _NEGATIVE}, -2.9960), ({}, 0.4202)),
    "Cl": (({"charge": _NEGATIVE}, -2.9960), ({}, 0.6895)),
    "Br": (({"charge": _NEGATIVE}, -2.9960), ({}, 0.8456)),
    "I": (({"charge": _POSITIVE}, -2.9960), ({"charge": _NEGATIVE}, -2.9960), ({}, 0.8857)),
    "alkali": (({"charge": _POSITIVE}, -2.9960), ({}, -0.3808)),
    "metal": (({}, -0.3808),),
    "transition": (({}, -0.0025),),
}
#: The same of each hydrogen, by what holds it.
_HYDROGENS: dict[str, _Rules] = {
    "C": (({}, 0.1230),),
    "c": (({}, 0.1230),),
    "N": (({}, 0.2142),),
    "n": (({}, 0.2142),),
    "O": (
        ({"group": _GROUP["N"]}, 0.2142),
        ({"group": _GROUP["O"]}, 0.2980),
        ({"group": _GROUP["S"]}, 0.2980),
        ({"told": 0}, -0.2677),
        ({}, 0.2980),
    ),
}
_OTHER_HYDROGEN: _Rules = (({}, -0.2677),)


class _Table(NamedTuple):
    """Whole numbers for all values of some facts, up to the largest of each."""

    most: Mapping[str, int]
    answers: NDArray[np.int64]


def write_logp(builder: GraphBuilder, molecules: Molecules) -> str:
    """Write molecules -> log10 of octanol over water, float32 [batch, 1]."""
    op = Operators(builder)
    cell = op.node("Add", op.node("Mul", molecules.number, op.whole(2)), molecules.aromatic)
    kind = op.node("Gather", op.constant(_class_table()), cell)  # [B, N]
    sign = op.node("Sign", molecules.charge)
    charge = op.node("Gather", op.whole([0, _POSITIVE, _NEGATIVE]), sign)  # -1 is the last
    around = _heard(op, molecules, kind, _neighbour_table())  # [B, N, K]
    facts = [around, op.wide(molecules.hydrogens, 2), op.wide(charge, 2)]
    silence = op.wide(op.node("Mul", kind, op.whole(0)), 2)
    tells = {name: _table(rules) for name, rules in _TELLS.items()}
    says = _answers(op, [*facts, silence], kind, tells)
    told = _heard(op, molecules, says, _told_table())  # [B, N, 1]
    atoms = {
        name: _table(rules, _HYDROGENS.get(name, _OTHER_HYDROGEN), _UNIT)
        for name, rules in _ATOMS.items()
    }
    total = op.total(_answers(op, [*facts, told], kind, atoms))
    return op.node("Mul", builder.cast(total, np.float32), op.constant(np.float32(1 / _UNIT)))


def _heard(op: Operators, molecules: Molecules, code: str, table: NDArray[np.int64]) -> str:
    """Sum over the neighbours of an atom of what a table holds for the bond and their code.

    Codes [B, N] and a table [kinds of bonds, codes, K] -> [B, N, K].
    """
    kinds, codes, width = table.shape
    rows = op.constant(table.reshape(kinds * codes, width))
    offset = op.node("Mul", molecules.kind, op.whole(codes))
    shape = op.whole([1, 1, width])
    heard = op.node("Expand", op.wide(op.node("Mul", code, op.whole(0)), 2), shape)
    for here, there in ((molecules.begin, molecules.end), (molecules.end, molecules.begin)):
        says = op.node("Gather", rows, op.node("Add", offset, op.at(code, there)))
        place = op.node("Expand", op.wide(here, 2), shape)
        heard = op.node(
            "ScatterElements", heard, place, says, attributes={"axis": 1, "reduction": "add"}
        )
    return heard


def _answers(op: Operators, facts: Sequence[str], kind: str, tables: Mapping[str, _Table]) -> str:
    """What the table of each atom holds for its facts [B, N, ..]: whole numbers [B, N]."""
    most = np.zeros((len(_CLASSES), len(_FACTS)), dtype=np.int64)
    steps, starts = np.zeros_like(most), np.zeros(len(_CLASSES), dtype=np.int64)
    answers = [np.zeros(1, dtype=np.int64)]
    for name, table in tables.items():
        place, step = _CLASSES.index(name), 1
        starts[place] = sum(map(len, answers))
        for fact, largest in reversed(list(table.most.items())):
            where = place, _FACTS.index(fact)
            most[where], steps[where] = largest, step
            step *= largest + 1
        answers.append(table.answers)
    given = op.node("Concat", *facts, attributes={"axis": 2})
    capped = op.node("Min", given, op.node("Gather", op.constant(most), kind))
    scaled = op.node("Mul", capped, op.node("Gather", op.constant(steps), kind))
    inner = op.node("ReduceSum", scaled, op.whole([2]), attributes={"keepdims": 0})
    cell = op.node("Add", inner, op.node("Gather", op.constant(starts), kind))
    return op.node("Gather", op.constant(np.concatenate(answers)), cell)


def _table(rules: _Rules, of_hydrogen: _Rules = (({}, 0),), unit: int = 1) -> _Table:
    """The answers for all values of the facts that the rules ask for; the last runs first."""
    most: dict[str, int] = {}
    for facts, _ in (*rules, *of_hydrogen, ({"hydrogens": 0}, 0)):
        for fact, value in facts.items():
            most[fact] = max(most.get(fact, _MOST.get(fact, 1)), value)
    answers = []
    for values in product(*(range(largest + 1) for largest in most.values())):
        known = dict(zip(most, values, strict=True))
        answers.append(_first(rules, known) + known["hydrogens"] * _first(of_hydrogen, known))
    return _Table(most, np.rint(unit * np.array(answers)).astype(np.int64))


def _first(rules: _Rules, known: Mapping[str, int]) -> float:
    """The number of the first rule that holds."""
    return next(
        number
        for facts, number in rules
        if all(known[fact] == value for fact, value in facts.items())
    )


def _class_table() -> NDArray[np.int64]:
    """Places in ``_CLASSES`` by twice the atomic number, and one more for an aromatic atom."""
    table = np.zeros((len(ELEMENTS) + 1, 2), dtype=np.int64)
    for symbol, number in NUMBER.items():
        group = "alkali" if symbol in _ALKALI else "metal" if symbol in _METALS else "transition"
        plain = symbol if symbol in _CLASSES else group
        aromatic = symbol.lower() if symbol.lower() in _AROMATIC_ATOMS else plain
        table[number] = _CLASSES.index(plain), _CLASSES.index(aromatic)
    table[[NUMBER["H"], NUMBER["*"]]] = 0
    return table.ravel()


def _neighbour_table() -> NDArray[np.int64]:
    """What a neighbour counts for, by [kind of the bond, its class]: the first of ``_FACTS``."""
    table = np.zeros((AROMATIC + 1, len(_CLASSES), len(_NEIGHBOURS)), dtype=np.int64)
    for kind in (SINGLE, DOUBLE, TRIPLE, AROMATIC):
        for place, name in enumerate(_CLASSES[1:], start=1):
            aromatic, double = name in _AROMATIC_ATOMS, kind == DOUBLE
            hetero = kind == SINGLE and name in _HETERO
            facts = {
                "aromatic": aromatic,
                "aromatic_carbon": name == "c",
                "double": double,
                "double_other": double and name not in ("C", "c"),
                "triple": kind == TRIPLE,
                "hetero": hetero,
                "other": kind == SINGLE and not (hetero or aromatic or name == "C"),
                "ring": kind == AROMATIC,
                "group": 0 if kind == AROMATIC else _group(name, double),
            }
            table[kind, place] = [int(facts[fact]) for fact in _NEIGHBOURS]
    return table


def _group(name: str, double: bool) -> int:
    if name in _AROMATIC_ATOMS:
        return _DOUBLE_RING if double else _RING
    if double:
        return {"C": _DOUBLE_C, "N": _DOUBLE_N_O, "O": _DOUBLE_N_O, "S": _DOUBLE_S}.get(name, 0)
    return _GROUP.get(name, _OTHER)


def _told_table() -> NDArray[np.int64]:
    """What an atom says is what its neighbours are told, by [kind of the bond, what it says]."""
    table = np.zeros((AROMATIC + 1, _TWO_HETERO + 1, 1), dtype=np.int64)
    table[SINGLE:, :, 0] = np.arange(_TWO_HETERO + 1)
    return table
