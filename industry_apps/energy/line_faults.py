"""Faults of distribution lines: what kind it is, and how far from the measuring end it lies.

Asked by the control room once a line has tripped, before somebody is sent out: the phasors that the
protection has recorded at the head of the line tell the type of the fault, and with the impedance
of the line the place. Impedance methods do so since Takagi et al. (1982), "Development of a new
type fault locator using the one-terminal voltage and current data",
doi:10.1109/TPAS.1982.317615; they err where load flows past the fault and its resistance is not
small (IEEE C37.114). Here they stand in the file as nodes, with the load taken out; trees learn
what is left of their error, and give the interval in which to look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Split
from industry_apps.data.resampling import split_resampled
from industry_apps.data.rules import Resampling
from industry_apps.data.simulators.energy.line_faults import FAULT_TYPES
from industry_apps.data.splits import set_aside
from industry_apps.energy.lines.assessment import LINE_FAULTS, judged
from industry_apps.energy.lines.locator import FaultModel, Faults
from industry_apps.energy.lines.quantities import RECORD
from industry_apps.energy.lines.rivals import LineRivals
from industry_apps.errors import SchemaError
from industry_apps.evaluation import Report
from industry_apps.evaluation.variants import Question
from industry_apps.features import GraphBuilder
from industry_apps.limits import CLASS_COSTS, OPEN_SHARE, integer
from industry_apps.recipes import TreeOptions
from industry_apps.recipes.decision.classes import ClassOptions, class_numbers
from industry_apps.recipes.equal_rows import EqualRows
from industry_apps.runtime.answers import no_answers
from industry_apps.schema import Column, Schema, Traits

_TYPE, _DISTANCE = "fault_type", "distance_km"
#: A distance may exceed the length by what rounding does to either.
_ROUNDING = 1.001
_NOTE = (
    "The impedance methods are given the type that the model answers, and what they put beyond an "
    "end of the line counts as at that end. Interval by record."
)
#: Chosen on validation records: more and smaller steps tell no more, at three times the cost.
_TREES = TreeOptions(rounds=40, learning_rate=0.2, num_leaves=16)
_DISTANCE_TREES = TreeOptions(rounds=300, learning_rate=0.05, num_leaves=31, min_child_samples=50)
_kilometres = partial(Column, kind="number", unit="km", low=0)


class LineFaultLocator(Application):
    """Type of a fault on a distribution line, and its distance with an interval.

    Learned from simulated faults, and to be learned again for lines of another make: radial, of one
    kind of conductor, fed from one end by a source whose neutral is effectively earthed. What
    branches off, cables with capacitance, feeding from both ends and isolated or compensated
    neutrals are not in the simulation. A record that is unlike all of it, such as one of swapped
    phases, currents in kA, or with a line ten times as long, gets no distance: ``unusual`` says so.

    Parameters
    ----------
    coverage : float
        Share of faults that the interval from ``distance_low_km`` to ``distance_high_km`` is to
        hold, in (0, 1).
    missed_costs : mapping of str to float, optional
        Type -> what it costs to miss it, > 0: the answer is the type whose probability times its
        cost is the largest. By default all cost alike.
    trees : TreeOptions, optional
        Of the types.
    distance_trees : TreeOptions, optional
        Of what is left of the error of the impedance method.
    seed : int

    Notes
    -----
    Records are of independent faults. Those without a fault, as when loads are switched on, are of
    the type ``none``, and belong in training: they tell what is no fault.

    The interval holds its share over all records like those of training. How exact instruments are
    is in no record: where they are worse than the mean of training, fewer faults lie inside (see
    the study ``noise``); learn from records of your own accuracy.

    Examples
    --------
    >>> from industry_apps.energy import LineFaultLocator
    >>> data = LineFaultLocator.sample()
    >>> locator = LineFaultLocator.fast().fit(data)
    >>> found = locator.predict(data.test.head(50))
    >>> bool((found["distance_low_km"] <= found["distance_km"]).any())
    True
    """

    name = "energy.line_faults"
    question = "Which fault is on this line, and where?"
    simulator = "energy_line_fault_simulator"
    schema = Schema(
        (
            *RECORD,
            Column(
                _TYPE,
                "category",
                "What has happened, in training: phases, and G where the ground takes part",
                categories=FAULT_TYPES,
                role="identifier",
                nullable=False,
                required=False,
            ),
            _kilometres(
                _DISTANCE,
                description="From the measuring end, in training; missing without a fault",
                role="identifier",
                required=False,
            ),
        )
    )
    outputs = Schema(
        (
            Column(_TYPE, "category", "The type to act on", nullable=False),
            Column.probability("probability", "Of this type, calibrated"),
            Column.probability(
                "probabilities", "Of all types, in the order of `classes` in the file", size=None
            ),
            _kilometres(
                _DISTANCE,
                description="From the measuring end; missing without a fault, or if unusual",
            ),
            _kilometres("distance_low_km", description="Where to begin to look"),
            _kilometres("distance_high_km", description="Where to stop"),
            Column(
                "unusual",
                "boolean",
                "Some quantity lies beyond all that training has seen: do not rely on the answer",
                nullable=False,
            ),
        )
    )
    traits = Traits(inputs=("number",))
    problem = LINE_FAULTS
    defaults: ClassVar[Mapping[str, Any]] = {"trees": _TREES, "distance_trees": _DISTANCE_TREES}

    coverage: Annotated[float, OPEN_SHARE] = 0.9
    missed_costs: Annotated[Mapping[str, float], CLASS_COSTS] | None = None
    trees: TreeOptions | None = None
    distance_trees: TreeOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def fast(cls) -> Self:
        """Few trees: a fit of seconds."""
        return cls(
            trees=replace(_TREES, rounds=20, learning_rate=0.3, num_leaves=8),
            distance_trees=replace(_DISTANCE_TREES, rounds=60, learning_rate=0.15, num_leaves=8),
        )

    def split(self, frame: pd.DataFrame) -> Split:
        """Split records of yours, each of a fault of its own, at random.

        Parameters
        ----------
        frame : DataFrame
            With ``fault_type``.
        """
        rule = Resampling(repeats=1, test=0.2, validation=0.2)
        return split_resampled(frame, rule, target=_TYPE, run=self.seed)

    def faults_of(self, frame: pd.DataFrame) -> Faults:
        """Check and read records, their types, and where their faults are.

        Parameters
        ----------
        frame : DataFrame
            With ``fault_type`` and ``distance_km``.

        Raises
        ------
        SchemaError
            A distance lies beyond the line, is missing of a fault, or is given without one.
        """
        arrays, kind = RECORD.to_arrays(frame), class_numbers(_TYPE, FAULT_TYPES, frame)
        label = self.schema[_DISTANCE]
        told = Schema((label,)).to_arrays(frame)[_DISTANCE].astype(np.float64)
        wrong = np.where(kind > 0, ~(told <= arrays["length"] * _ROUNDING), ~np.isnan(told))
        if wrong.any():
            row = int(wrong.argmax())
            expected = (
                "none, as nothing has happened"
                if not kind[row]
                else f"one from 0 to the length of the line, {arrays['length'][row]:g} km"
            )
            raise SchemaError(
                f"Column {_DISTANCE!r}, row {row}: got {told[row]:g} for the type "
                f"{FAULT_TYPES[kind[row]]!r}, expected {expected}. Correct distance, type or "
                "length, or drop the row."
            )
        return Faults(arrays, kind, np.minimum(told / arrays["length"], 1))

    def studies(self) -> Mapping[str, Question]:
        """Errors by the noise of the instruments, and by the resistance of the fault."""
        from industry_apps.energy.lines.studies import noise_sweep, resistance_sweep

        return {
            "noise": lambda data: (noise_sweep(self, data),),
            "resistance": lambda data: (resistance_sweep(self, data),),
        }

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        self.schema_ = RECORD
        train, validation = self._parts(train, validation)
        faults = {"train": self.faults_of(train), "validation": self.faults_of(validation)}
        self.split_ = {name: _described(part) for name, part in faults.items()}
        self.rows_ = EqualRows(*map(_seen, faults.values()))
        trees = {name: self._trees(name) for name in self.defaults}
        types = ClassOptions(costs=self.missed_costs, trees=trees["trees"])
        self.model_ = FaultModel(types, trees["distance_trees"], self.coverage)
        self.model_.fit(faults["train"], faults["validation"])
        self.rivals_ = LineRivals(self.model_, self.seed)
        self.check_ = validation

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        self.rivals_.fit(self.faults_of(self._parts(train, validation)[0]))

    def _trees(self, name: str) -> TreeOptions:
        return replace(getattr(self, name) or self.defaults[name], seed=self.seed)

    def _parts(
        self, train: pd.DataFrame, validation: pd.DataFrame | None
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        return set_aside(train, 0.2, seed=self.seed) if validation is None else (train, validation)

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        arrays = RECORD.to_arrays(frame)
        if not len(frame):
            return no_answers(self.outputs)
        found = self.model_.locate(arrays)
        rows = np.arange(len(frame))
        kilometres = (share * arrays["length"] for share in found.shares)
        answers = [
            np.array(FAULT_TYPES, dtype=object)[found.kind],
            found.probabilities[rows, found.kind],
            found.probabilities,
            *kilometres,
            found.unusual,
        ]
        return dict(zip(self.outputs.names, answers, strict=True))

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        found = self.model_.write(builder, inputs)
        names = ("answer", "probability", "probabilities", "middle", "low", "high", "unusual")
        return dict(zip(self.outputs.names, map(found.__getitem__, names), strict=True))

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        faults = self.faults_of(frame)
        report = judged(self.model_, self.rivals_, faults)
        return replace(
            report,
            split={**self.split_, "test": _described(faults)},
            notes=(_NOTE, *self.rows_.shared(_seen(faults))),
        )

    def _facts(self) -> dict[str, Any]:
        facts = self.model_.types.facts()
        return {**facts, "decision": {**facts["decision"], "coverage": self.coverage}}


def _described(faults: Faults) -> dict[str, Any]:
    return {"rows": len(faults.kind), "faults": int((faults.kind > 0).sum())}


def _seen(faults: Faults) -> pd.DataFrame:
    return pd.DataFrame({**faults.arrays, "": faults.kind})
