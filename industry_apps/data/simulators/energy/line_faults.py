"""Simulated faults of distribution lines that do not exist, solved by their sequence networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from industry_apps.data.simulators.limits import check_at_least
from industry_apps.errors import ParameterError

__all__ = ["FAULT_TYPES", "line_faults"]

#: Type of a fault -> its phases, and whether it reaches the ground.
_SHAPES = {
    "none": ("", False),
    "AG": ("A", True),
    "BG": ("B", True),
    "CG": ("C", True),
    "AB": ("AB", False),
    "BC": ("BC", False),
    "CA": ("CA", False),
    "ABG": ("AB", True),
    "BCG": ("BC", True),
    "CAG": ("CA", True),
    "ABC": ("ABC", False),
}
FAULT_TYPES = tuple(_SHAPES)

_PHASES = "ABC"
_TURN = np.exp(2j * np.pi / 3)
#: Zero, positive and negative sequence -> phases (Fortescue 1918).
_TO_PHASES = np.array([[1, 1, 1], [1, _TURN**2, _TURN], [1, _TURN, _TURN**2]])
_TO_SEQUENCES = np.linalg.inv(_TO_PHASES)
#: Between lines, in V.
_VOLTAGES = np.array([10_000.0, 20_000.0, 33_000.0])
#: Of the fault to each phase, in ohm: an arc.
_ARC = (0.01, 2.5)

_Floats = npt.NDArray[np.float64]
_Complex = npt.NDArray[np.complex128]


def line_faults(
    records: int = 20_000,
    noise: tuple[float, float] = (0.0, 0.01),
    resistance: tuple[float, float] = (0.01, 30.0),
    constants: float = 0.02,
    seed: int = 0,
) -> pd.DataFrame:
    """Simulate phasors at the head of radial lines, before a fault and while it lasts.

    Each record is a line of its own: a source behind the measuring end, whose neutral is
    effectively earthed; a homogeneous, transposed line without capacitance; a load of constant
    impedance at its end. What is measured is the exact solution of the three sequence networks
    with the fault between them, with errors of the instruments. Evenly drawn, unless said
    otherwise:

    - nominal voltage 10, 20 or 33 kV between lines; of the source .97 to 1.05 of it;
    - short-circuit power of the source 100 to 600 MVA, X/R 5 to 15, zero sequence .5 to 3 times
      the positive one;
    - length 2 to 30 km; r1 .1 to .6, x1 .3 to .45 ohm/km; r0 .15 to .3 ohm/km more than r1, x0 2.5
      to 4 times x1;
    - load: the line drops .5 to 10 % of the voltage at it; power factor .85 to 1; admittance of the
      negative sequence 1 to 2.5 times the positive one (motors), of the zero sequence none in half
      of the records, else up to the positive one;
    - fault anywhere on the line, of any type alike; an arc of .01 to 2.5 ohm to each phase, and
      ``resistance`` to the ground;
    - records of type ``"none"``: loads of 10 to 60 % of the present one are switched on between
      some phases, or between them and the ground, at the end of the line, while the source
      changes by -10 to 5 %;
    - instruments: relative errors of magnitude and, in rad, of angle, normal, of a standard
      deviation in ``noise``; half of their variance is the same before and during the fault;
    - constants of the line as told: each off by up to ``constants``.

    Parameters
    ----------
    records : int
        At least 1.
    noise : (float, float)
        Range of the standard deviation, in [0, 0.2].
    resistance : (float, float)
        Range of the resistance to the ground, in ohm, >= 0.01.
    constants : float
        In [0, 0.5].
    seed : int
        Not negative. Same seed, same table.

    Returns
    -------
    pandas.DataFrame
        For each phase p of a, b, c: ``voltage_p`` (V to ground), ``voltage_p_deg``, ``current_p``
        (A, from the source into the line), ``current_p_deg``, and these four before the fault
        (``prefault_...``); ``r1``, ``x1``, ``r0``, ``x0`` (ohm/km) and ``length`` (km), as told;
        ``fault_type``; ``distance_km`` (from the measuring end; missing without a fault);
        ``resistance_ohm`` to the ground or, between lines, from one to the next.

    Raises
    ------
    ParameterError
        When a parameter is outside its limits.

    References
    ----------
    Fortescue (1918), Method of symmetrical co-ordinates, doi:10.1109/T-AIEE.1918.4765570;
    Anderson (1995), Analysis of Faulted Power Systems, IEEE Press.

    Examples
    --------
    >>> frame = line_faults(200)
    >>> len(frame), frame["distance_km"].isna().equals(frame["fault_type"] == "none")
    (200, True)
    """
    check_at_least({"records": (records, 1), "seed": (seed, 0)})
    if not (0 <= noise[0] <= noise[1] <= 0.2 and 0.01 <= resistance[0] <= resistance[1]):
        raise ParameterError(
            "line_faults needs 0 <= noise[0] <= noise[1] <= 0.2 and 0.01 <= resistance[0] <= "
            f"resistance[1]. Got noise={noise!r} and resistance={resistance!r} instead."
        )
    if not 0 <= constants <= 0.5:
        raise ParameterError(f"line_faults needs constants in [0, 0.5]. Got {constants!r} instead.")
    rng = np.random.default_rng(seed)
    circuit = _circuits(rng, records)
    place = rng.uniform(0, 1, records)
    kinds = rng.integers(0, len(FAULT_TYPES), records)
    fault, ohms = _fault_admittances(rng, kinds, resistance, circuit)
    place = np.where(kinds == 0, 1.0, place)  # where a load is switched on
    source = np.where(kinds == 0, rng.uniform(0.9, 1.05, records), 1.0)
    before = circuit.measured(place, np.zeros_like(fault), np.ones(records))
    during = circuit.measured(place, fault, source)
    found = _as_measured(rng, before, during, noise)
    for number, name in enumerate(("r1", "x1", "r0", "x0")):
        true = (circuit.line[:, 1 - number // 2].real, circuit.line[:, 1 - number // 2].imag)
        off = 1 + constants * rng.uniform(-1, 1, records)
        found[name] = (true[number % 2] / circuit.length * off).round(4)
    found["length"] = circuit.length.round(3)
    found["fault_type"] = np.array(FAULT_TYPES, dtype=object)[kinds]
    found["distance_km"] = np.where(kinds == 0, np.nan, place * circuit.length)
    found["resistance_ohm"] = np.where(kinds == 0, np.nan, ohms)
    return pd.DataFrame(found)


@dataclass(frozen=True, eq=False)
class _Circuits:
    """Of each record: voltage of the source, and impedances and admittances by sequence.

    ``source`` [records], in V to ground; ``behind`` and ``line`` in ohm, ``load`` in siemens,
    [records, 3] of the zero, positive and negative sequence; ``length`` [records] in km.
    """

    source: _Complex
    behind: _Complex
    line: _Complex
    load: _Complex
    length: _Floats

    def measured(self, place: _Floats, fault: _Complex, source: _Floats) -> _Complex:
        """Voltages and currents [records, 2, 3] of the phases at the head of the lines.

        ``fault`` [records, 3, 3] is what connects the phases at ``place`` (share of the length);
        ``source`` is the voltage, as a share of the usual.
        """
        driving = np.zeros_like(self.line)
        driving[:, 1] = self.source * source
        near = 1 / (self.behind + place[:, None] * self.line)
        rest = (1 - place[:, None]) * self.line
        far = self.load / (1 + rest * self.load)
        across = 1 / (near + far)  # seen from the fault
        between = _TO_SEQUENCES @ fault @ _TO_PHASES
        linked = np.eye(3) + across[:, :, None] * between
        at_fault = np.linalg.solve(linked, (across * near * driving)[..., None])[..., 0]
        current = (driving - at_fault) * near
        voltage = driving - self.behind * current
        return np.stack([voltage, current], axis=1) @ _TO_PHASES.T


def _circuits(rng: np.random.Generator, records: int) -> _Circuits:
    def drawn(low: float, high: float) -> _Floats:
        return rng.uniform(low, high, records)

    nominal = rng.choice(_VOLTAGES, records)
    source = nominal / np.sqrt(3) * drawn(0.97, 1.05) * np.exp(1j * drawn(-np.pi, np.pi))
    over = drawn(5, 15)  # X/R
    behind = nominal**2 / (drawn(100, 600) * 1e6) * (1 + 1j * over) / np.hypot(1, over)
    length, r1, x1 = drawn(2, 30), drawn(0.1, 0.6), drawn(0.3, 0.45)
    positive = (r1 + 1j * x1) * length
    zero = (r1 + drawn(0.15, 0.3) + 1j * x1 * drawn(2.5, 4)) * length
    factor = drawn(0.85, 1)
    load = drawn(0.005, 0.1) / np.abs(positive) * (factor - 1j * np.sqrt(1 - factor**2))
    earthed = np.where(drawn(0, 1) < 0.5, 0.0, drawn(0, 1))
    return _Circuits(
        source,
        np.stack([behind * drawn(0.5, 3), behind, behind], axis=1),
        np.stack([zero, positive, positive], axis=1),
        np.stack([load * earthed, load, load * drawn(1, 2.5)], axis=1),
        length,
    )


def _fault_admittances(
    rng: np.random.Generator,
    kinds: npt.NDArray[np.int64],
    resistance: tuple[float, float],
    circuit: _Circuits,
) -> tuple[_Complex, _Floats]:
    """What connects the phases at the fault [records, 3, 3], and its resistance in ohm."""
    records = len(kinds)
    isin = np.array([[phase in phases for phase in _PHASES] for phases, _ in _SHAPES.values()])
    earthed = np.array([ground for _, ground in _SHAPES.values()])
    switched = rng.integers(1, len(_SHAPES), records)  # of loads that are switched on
    kind = np.where(kinds == 0, switched, kinds)
    arc, ground = rng.uniform(*_ARC, records), rng.uniform(*resistance, records)
    of_load = 1 / (np.abs(circuit.load[:, 1]) * rng.uniform(0.1, 0.6, records))
    arc = np.where(kinds == 0, of_load, arc)
    ground = np.where(kinds == 0, 0.01, ground)
    legs = isin[kind] / arc[:, None]
    star = legs.sum(axis=1) + earthed[kind] / ground
    # A star of which the middle is left out (Kron 1939).
    matrix = (
        legs[:, :, None] * np.eye(3) - legs[:, :, None] * legs[:, None, :] / star[:, None, None]
    )
    single = isin[kind].sum(axis=1) == 1
    ohms = np.where(earthed[kind], ground + single * arc, 2 * arc)
    return matrix.astype(np.complex128), ohms


def _as_measured(
    rng: np.random.Generator, before: _Complex, during: _Complex, noise: tuple[float, float]
) -> dict[str, _Floats]:
    """Columns of magnitudes and angles, with the errors of the instruments."""
    records = len(before)
    spread = rng.uniform(*noise, records)[:, None, None] / np.sqrt(2)
    shape = (2, records, 2, 3)
    common = rng.normal(size=shape)
    found: dict[str, _Floats] = {}
    for prefix, exact in (("", during), ("prefault_", before)):
        ratio, turn = (common + rng.normal(size=shape)) * spread
        seen = exact * (1 + ratio) * np.exp(1j * turn)
        for number, quantity in enumerate(("voltage", "current")):
            for phase, name in enumerate("abc"):
                values = seen[:, number, phase]
                found[f"{prefix}{quantity}_{name}"] = np.abs(values).round(3)
                found[f"{prefix}{quantity}_{name}_deg"] = np.angle(values, deg=True).round(4)
    return found
