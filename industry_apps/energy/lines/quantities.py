"""What phasors at one end of a line tell of a fault: symmetrical components, and where it lies.

All is written as nodes of a graph, which runs in training and stands in the file. Voltages are
measured in the one of before the fault, impedances in that of the whole line, so that lines of any
voltage and length look alike. Letters: B records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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

    def turned(self, places: str) -> _Measured:
        """The phases in another order, by their places: tensor [B, 3]."""
        names = ("voltage", "current", "voltage_before", "current_before")
        return replace(self, **{name: getattr(self, name).taken(places) for name in names})


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
    seen = seen.turned(builder.node("Mod", places, builder.constant(np.int64(3))))
    kind = builder.node("Gather", builder.constant(KINDS_OF_TYPES), number)
    single = builder.node("Equal", kind, builder.constant(np.int64(0)))

    def loop(phases: Phasor) -> Phasor:
        """The phase to the ground, or between the two phases with the fault."""
        return chosen(single, phases.column(0), phases.column(1) - phases.column(2))

    z1, circuit, change = seen.z1, _Circuit.of(seen), seen.current - seen.current_before
    components = change.through(_TO_SEQUENCES)
    v_loop = loop(seen.voltage)
    extra = circuit.current.column(0) * (seen.z0 / z1 + -1.0)
    i_loop = chosen(single, seen.current.column(0) + extra, loop(seen.current))
    fault = chosen(single, change.column(0) - components.column(0), loop(change))
    takagi = _polarised(v_loop, i_loop, fault, z1)
    share = takagi.within(0, 1)
    for _ in range(_ROUNDS):
        through = loop(circuit.fault_at(share)[1].through(_TO_PHASES))
        share = _polarised(v_loop, i_loop, through, z1).within(-0.2, 1.2)
    v_fault, i_fault = circuit.fault_at(share)
    # Its reactance is 0 but for rounding, by the way in which the share was found.
    resistance = loop(v_fault.through(_TO_PHASES)) / loop(i_fault.through(_TO_PHASES))
    numbers = circuit.seen_by(v_loop, i_loop, components.column(1), i_fault)
    parts = [_reactance(v_loop, i_loop, z1), takagi, share]
    parts += [numbers.real, numbers.imag, resistance.real]
    return side_by_side(
        [
            *(part.within(-_LARGEST, _LARGEST) for part in parts),
            seen.length,
            Real(builder, builder.cast(kind, np.float32)),
        ]
    ).name


@dataclass(frozen=True, slots=True)
class _Circuit:
    """The line and the load at its end, by sequence, as they are seen from the measuring end.

    ``voltage`` and ``current`` while the fault lasts, ``before``: the positive sequence of both
    before it; ``line`` [B, 3]; ``load`` [B, 1] is the admittance of the positive sequence.
    """

    voltage: Phasor
    current: Phasor
    before: tuple[Phasor, Phasor]
    line: Phasor
    load: Phasor

    @classmethod
    def of(cls, seen: _Measured) -> _Circuit:
        voltage, current = (
            each.through(_TO_SEQUENCES).column(1)
            for each in (seen.voltage_before, seen.current_before)
        )
        return cls(
            seen.voltage.through(_TO_SEQUENCES),
            seen.current.through(_TO_SEQUENCES),
            (voltage, current),
            joined([seen.z0, seen.z1, seen.z1]),
            current / (voltage - seen.z1 * current),
        )

    def fault_at(self, share: Real) -> tuple[Phasor, Phasor]:
        """Voltage and current of a fault at a share of the length, by sequence [B, 3].

        A load takes no zero-sequence current, and treats the two others alike: it is assumed.
        """
        builder = share.builder
        taking = Real(builder, builder.constant(np.array([[0, 1, 1]], dtype=np.float32)))
        there = self.voltage - self.line * self.current * share
        rest = self.line * self.load * (share * -1.0 + 1.0)
        return there, self.current - there * self.load * taking / (rest + 1.0)

    def seen_by(self, voltage: Phasor, current: Phasor, change: Phasor, fault: Phasor) -> Phasor:
        """``_COMPLEX`` of a loop: its voltage and current, what I1 changed by, the fault's."""
        z0, z1 = self.line.column(0), self.line.column(1)
        v, i, (v_before, i_before) = self.voltage, self.current, self.before
        drop = current * z1
        return joined(
            [
                voltage / drop,
                *(i.column(k) / current for k in range(3)),
                change / current,
                *(v.column(k) / drop for k in range(3)),
                *(i_before / current, self.load * z1, z0 / z1, z1),
                *(fault.column(k) / current for k in range(3)),
                v_before / drop,
                v.column(2) * -1.0 / i.column(2) / z1,
            ]
        )


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
