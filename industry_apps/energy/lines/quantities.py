"""What phasors at one end of a line tell of a fault: symmetrical components, and where it lies.

All is written as nodes of a graph, which runs in training and stands in the file. Voltages are
measured in the one of before the fault, impedances in that of the whole line, so that lines of any
voltage and length look alike. Letters: B records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from industry_apps.data.simulators.energy.line_faults import FAULT_TYPES
from industry_apps.energy.lines.phasors import Phasor, Real, chosen, joined, side_by_side
from industry_apps.features import GraphBuilder
from industry_apps.schema import Column, Schema

_PHASES = "abc"
_TURN = np.exp(2j * np.pi / 3)
#: Zero, positive and negative sequence -> phases, and back (Fortescue 1918).
_TO_PHASES = np.array([[1, 1, 1], [1, _TURN**2, _TURN], [1, _TURN, _TURN**2]])
_TO_SEQUENCES = np.linalg.inv(_TO_PHASES)
#: Phases -> loops: each phase to the ground, and each pair.
_LOOPS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, -1, 0], [0, 1, -1], [-1, 0, 1]])
_LOOP_NAMES = ("a", "b", "c", "ab", "bc", "ca")
_GROUNDED = np.array([[1, 1, 1, 0, 0, 0]], dtype=np.float32)
#: Times that the current into the load is computed anew.
_ROUNDS = 4
#: Ratios of loops that carry no fault current mean nothing, however large they are.
_FARTHEST = 20.0
_LARGEST = 1e4

#: How many phases, and whether to the ground.
KINDS = ("one phase", "two phases", "two phases and ground", "three phases")
#: Type -> the phase that is unlike the other two (the one to the ground, or the one without a
#: fault), and the number of the kind.
_SHAPE = {
    "none": (0, 0),
    "AG": (0, 0),
    "BG": (1, 0),
    "CG": (2, 0),
    "AB": (2, 1),
    "BC": (0, 1),
    "CA": (1, 1),
    "ABG": (2, 2),
    "BCG": (0, 2),
    "CAG": (1, 2),
    "ABC": (0, 3),
}
_ODD_PHASES, KINDS_OF_TYPES = np.array([_SHAPE[name] for name in FAULT_TYPES]).T

_amount = partial(Column, kind="number", nullable=False, low=0, high=100_000)
_angle = partial(
    Column, kind="number", unit="degrees", nullable=False, low=-360, high=360, description="Angle"
)
_constant = partial(Column, kind="number", unit="ohm/km", nullable=False)


def _phasor_columns() -> list[Column]:
    found = []
    moments = (("", "while the fault lasts", 0), ("prefault_", "before the fault", 500))
    for prefix, when, least in moments:
        for phase in _PHASES:
            name = f"{prefix}voltage_{phase}"
            told = f"RMS voltage to ground of phase {phase.upper()} {when}"
            found += [_amount(name, description=told, unit="V", low=least), _angle(f"{name}_deg")]
        for phase in _PHASES:
            name = f"{prefix}current_{phase}"
            told = f"RMS current of phase {phase.upper()} into the line {when}"
            found += [_amount(name, description=told, unit="A"), _angle(f"{name}_deg")]
    return found


#: What is read of a record.
RECORD = Schema(
    (
        *_phasor_columns(),
        _constant("r1", description="Resistance, positive sequence", low=0.001, high=5),
        _constant("x1", description="Reactance, positive sequence", low=0.01, high=5),
        _constant("r0", description="Resistance, zero sequence", low=0.001, high=10),
        _constant("x0", description="Reactance, zero sequence", low=0.01, high=20),
        Column("length", "number", "Of the line", unit="km", nullable=False, low=0.05, high=500),
    )
)

#: Numbers that tell the type of a fault.
SIGNS = (
    *(f"change of current {loop}" for loop in _LOOP_NAMES),
    *(f"change of current, sequence {sequence}" for sequence in (0, 1, 2)),
    "change of current by load",
    "change of current",
    *(f"voltage {loop}" for loop in _LOOP_NAMES),
    *(f"voltage, sequence {sequence}" for sequence in (0, 1, 2)),
    *("cosine of sequences 2 and 0", "sine of sequences 2 and 0"),
    *("cosine of sequences 2 and 1", "sine of sequences 2 and 1"),
    *(f"reactance {loop}" for loop in _LOOP_NAMES),
    *(f"Takagi {loop}" for loop in _LOOP_NAMES),
)

_COMPLEX = (
    *("apparent impedance", "I0", "I1", "I2", "change of I1", "V0", "V1", "V2"),
    *("load current", "load admittance", "zero-sequence impedance", "angle of the line"),
    *("fault I0", "fault I1", "fault I2", "voltage before", "source impedance"),
)
#: Ways to say from impedances alone how far a fault is, as a share of the length.
METHODS = ("reactance", "takagi", "load_compensated")
#: Numbers that tell the place of a fault whose type is known.
PLACE = (
    *METHODS,
    *(f"{name}, real" for name in _COMPLEX),
    *(f"{name}, imaginary" for name in _COMPLEX),
    "fault resistance",
    "length",
    "kind",
)


@dataclass(frozen=True, slots=True)
class _Measured:
    """Voltages and currents of the phases [B, 3], now and before, and the line [B, 1]."""

    voltage: Phasor
    current: Phasor
    voltage_before: Phasor
    current_before: Phasor
    z0: Phasor
    z1: Phasor
    length: Real

    @classmethod
    def read(cls, builder: GraphBuilder, inputs: Mapping[str, str]) -> _Measured:
        def phases(quantity: str) -> Phasor:
            names = [f"{quantity}_{phase}" for phase in _PHASES]
            sizes = [Real(builder, inputs[name]) for name in names]
            angles = [Real(builder, inputs[f"{name}_deg"]) for name in names]
            return Phasor.polar(side_by_side(sizes), side_by_side(angles))

        r1, x1, r0, x0, length = (
            Real(builder, inputs[name]) for name in ("r1", "x1", "r0", "x0", "length")
        )
        impedance = Phasor(r1, x1).size()
        before = phases("prefault_voltage")
        usual = before.through(_TO_SEQUENCES).column(1).size().at_least(1.0)
        volts = Real(builder, builder.node("Reciprocal", usual.name))
        amperes = impedance * length * volts
        return cls(
            phases("voltage") * volts,
            phases("current") * amperes,
            before * volts,
            phases("prefault_current") * amperes,
            Phasor(r0 / impedance, x0 / impedance),
            Phasor(r1 / impedance, x1 / impedance),
            length,
        )


def write_signs(builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
    """Append what tells the type of a fault.

    Parameters
    ----------
    builder : GraphBuilder
    inputs : mapping of str to str
        Column of ``RECORD`` -> tensor [B, 1].

    Returns
    -------
    str
        Tensor [B, len(SIGNS)].
    """
    seen = _Measured.read(builder, inputs)
    change = seen.current - seen.current_before
    loops, components = change.through(_LOOPS), change.through(_TO_SEQUENCES)
    sizes = loops.size()
    total = (sizes.columns(0, 1) + sizes.columns(1, 2) + sizes.columns(2, 3)).at_least(1e-6)
    load = seen.current_before.through(_TO_SEQUENCES).column(1).size().at_least(1e-6)
    zero, positive, negative = (components.column(number) for number in range(3))
    grounded = Real(builder, builder.constant(_GROUNDED))
    voltage = seen.voltage.through(_LOOPS)
    extra = seen.current.through(_TO_SEQUENCES).column(0) * (seen.z0 / seen.z1 + -1.0)
    current = seen.current.through(_LOOPS) + extra * grounded
    fault = loops - zero * grounded
    return side_by_side(
        [
            sizes / total,
            components.size() / total,
            (total / load).within(0, _LARGEST),
            total.within(0, _LARGEST),
            voltage.size(),
            seen.voltage.through(_TO_SEQUENCES).size(),
            *_turn(negative, zero),
            *_turn(negative, positive),
            _reactance(voltage, current, seen.z1).within(-_FARTHEST, _FARTHEST),
            _polarised(voltage, current, fault, seen.z1).within(-_FARTHEST, _FARTHEST),
        ]
    ).name


def write_place(builder: GraphBuilder, inputs: Mapping[str, str], number: str) -> str:
    """Append what tells the place of a fault whose type is known.

    The phases are turned so that faults alike but for their phases give the same numbers.

    Parameters
    ----------
    builder : GraphBuilder
    inputs : mapping of str to str
        As of :func:`write_signs`.
    number : str
        Of the type in ``FAULT_TYPES``: tensor [B, 1] of int64.

    Returns
    -------
    str
        Tensor [B, len(PLACE)]; of no fault meaningless.
    """
    seen = _Measured.read(builder, inputs)
    first = builder.node("Gather", builder.constant(_ODD_PHASES), number)
    places = builder.node("Add", first, builder.constant(np.arange(3)[None]))
    places = builder.node("Mod", places, builder.constant(np.int64(3)))
    kind = builder.node("Gather", builder.constant(KINDS_OF_TYPES), number)
    single = builder.node("Equal", kind, builder.constant(np.int64(0)))

    def loop(phases: Phasor) -> Phasor:
        """The phase to the ground, or between the two phases with the fault."""
        return chosen(single, phases.column(0), phases.column(1) - phases.column(2))

    voltage, current, voltage_before, current_before = (
        each.taken(places)
        for each in (seen.voltage, seen.current, seen.voltage_before, seen.current_before)
    )
    v, i, v_before, i_before = (
        each.through(_TO_SEQUENCES) for each in (voltage, current, voltage_before, current_before)
    )
    change = current - current_before
    z0, z1, extra = seen.z0, seen.z1, i.column(0) * (seen.z0 / seen.z1 + -1.0)
    v_loop = loop(voltage)
    i_loop = chosen(single, current.column(0) + extra, loop(current))
    d_zero = change.through(_TO_SEQUENCES).column(0)
    fault = chosen(single, change.column(0) - d_zero, loop(change))
    reactance, takagi = _reactance(v_loop, i_loop, z1), _polarised(v_loop, i_loop, fault, z1)

    load = i_before.column(1) / (v_before.column(1) - z1 * i_before.column(1))
    # A load takes no zero-sequence current, and treats the two others alike: it is assumed.
    taking = Real(builder, builder.constant(np.array([[0, 1, 1]], dtype=np.float32)))
    line = joined([z0, z1, z1])

    def at(share: Real) -> tuple[Phasor, Phasor]:
        """Voltage and current of a fault there, by sequence."""
        there = v - line * i * share
        rest = line * load * (share * -1.0 + 1.0)
        return there, i - there * load * taking / (rest + 1.0)

    share = takagi.within(0, 1)
    for _ in range(_ROUNDS):
        through = loop(at(share)[1].through(_TO_PHASES))
        share = _polarised(v_loop, i_loop, through, z1).within(-0.2, 1.2)
    v_fault, i_fault = at(share)
    drop = i_loop * z1
    numbers = [v_loop / drop]
    numbers += [i.column(k) / i_loop for k in range(3)]
    numbers += [change.through(_TO_SEQUENCES).column(1) / i_loop]
    numbers += [v.column(k) / drop for k in range(3)]
    numbers += [i_before.column(1) / i_loop, load * z1, z0 / z1, z1]
    numbers += [i_fault.column(k) / i_loop for k in range(3)]
    numbers += [
        v_before.column(1) / drop,
        v.column(2) * -1.0 / i.column(2) / z1,
    ]
    every = joined(numbers)
    # Its reactance is 0 but for rounding, by the way in which the share was found.
    resistance = loop(v_fault.through(_TO_PHASES)) / loop(i_fault.through(_TO_PHASES))
    return side_by_side(
        [
            reactance.within(-_LARGEST, _LARGEST),
            takagi.within(-_LARGEST, _LARGEST),
            share,
            *(
                part.within(-_LARGEST, _LARGEST)
                for part in (every.real, every.imag, resistance.real)
            ),
            seen.length,
            Real(builder, builder.cast(kind, np.float32)),
        ]
    ).name


def _reactance(voltage: Phasor, current: Phasor, z1: Phasor) -> Real:
    """By the reactance seen, which a resistance of the fault does not change without load."""
    seen = voltage / current
    return seen.imag / z1.imag


def _polarised(voltage: Phasor, current: Phasor, fault: Phasor, z1: Phasor) -> Real:
    """Where the voltage has the angle of the current of the fault (Takagi et al. 1982)."""
    against = fault.conjugate()
    return (voltage * against).imag.over((z1 * current * against).imag)


def _turn(first: Phasor, second: Phasor) -> list[Real]:
    """Cosine and sine of the angle between two."""
    both = first * second.conjugate()
    size = both.size().at_least(1e-9)
    return [both.real / size, both.imag / size]
