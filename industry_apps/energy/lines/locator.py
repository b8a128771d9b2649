"""Type and place of a fault together: physics, decision, distance; fitted, run, and written.

Letters: N records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.data.simulators.energy.line_faults import FAULT_TYPES
from industry_apps.energy.lines.distance import DistanceModel, Known, Shares
from industry_apps.energy.lines.physics import (
    SIGN_COLUMNS,
    Arrays,
    LinePhysics,
    as_columns,
    write_columns,
)
from industry_apps.energy.lines.quantities import METHODS, write_place, write_signs
from industry_apps.features import GraphBuilder
from industry_apps.recipes.decision.classes import Classed, ClassOptions, ClassRecipe
from industry_apps.recipes.trees import TreeOptions


@dataclass(frozen=True, slots=True)
class Faults:
    """Records, and what has happened in each.

    Parameters
    ----------
    arrays : mapping of str to ndarray of shape [N]
    kind : ndarray of int of shape [N]
        Numbers of ``FAULT_TYPES``.
    share : ndarray of shape [N]
        Where the fault is, as a share of the length; NaN where there is none.
    """

    arrays: Arrays
    kind: NDArray[np.intp]
    share: NDArray[np.float64]


class Located(NamedTuple):
    """What is answered [N], and by which impedance shares [N, methods] it was found."""

    probabilities: NDArray[np.float64]
    kind: NDArray[np.intp]
    shares: Shares
    unusual: NDArray[np.bool_]
    methods: NDArray[np.float64]


class FaultModel:
    """Physics of the line, trees for the type, and trees for what physics leave of the distance.

    Parameters
    ----------
    types : ClassOptions
    trees : TreeOptions
        Of the distance.
    coverage : float
        Of its interval, in (0, 1).
    """

    def __init__(self, types: ClassOptions, trees: TreeOptions, coverage: float) -> None:
        self.physics = LinePhysics()
        self.types = ClassRecipe(SIGN_COLUMNS, FAULT_TYPES, types)
        self.distance = DistanceModel(trees, coverage)

    def fit(self, train: Faults, validation: Faults) -> Self:
        """Learn types and distances; calibrate both on validation records.

        Raises
        ------
        TrainingError
        """
        signs = self.physics.signs(train.arrays)
        known, others = Classed(as_columns(signs), train.kind), self.classed(validation)
        self.types.fit(known, others)
        fault = np.flatnonzero(train.kind)
        place = self.physics.place(_part(train.arrays, fault), train.kind[fault])
        self.distance.fit(place, train.share[fault])
        self.known_signs_, self.known_place_ = Known(signs), Known(place)
        # The types that are answered, right or wrong: so they will be in service.
        answered = self.types.decide(others.arrays)[1]
        both = np.flatnonzero((answered > 0) & (validation.kind > 0))
        asked = self.physics.place(_part(validation.arrays, both), answered[both])
        self.distance.calibrate(asked, validation.share[both])
        return self

    def classed(self, faults: Faults) -> Classed:
        """What tells the type, as columns, and the types."""
        return Classed(as_columns(self.physics.signs(faults.arrays)), faults.kind)

    def locate(self, arrays: Arrays) -> Located:
        """Raw columns [N] -> what is answered; no distance without a fault, or if unusual."""
        signs = self.physics.signs(arrays)
        probabilities, kind = self.types.decide(as_columns(signs))
        place = self.physics.place(arrays, kind)
        unusual = self.known_signs_.lacks(signs)
        unusual |= (kind > 0) & self.known_place_.lacks(place)
        shown = (kind > 0) & ~unusual
        shares = Shares(*(np.where(shown, each, np.nan) for each in self.distance.answer(place)))
        methods = np.clip(place[:, : len(METHODS)].astype(np.float64), 0, 1)
        return Located(probabilities, kind, shares, unusual, methods)

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        """Append all of it to a graph.

        Parameters
        ----------
        builder : GraphBuilder
        inputs : mapping of str to str
            Column of the record -> tensor [batch, 1].

        Returns
        -------
        dict of str to str
            "answer", "probability", "unusual", and "middle", "low", "high" in km -> [batch, 1];
            "probabilities" -> [batch, types].
        """
        node = builder.node
        signs = write_signs(builder, inputs)
        found = self.types.write(builder, write_columns(builder, signs))
        place = write_place(builder, inputs, found["number"])
        fault = node("Greater", found["number"], builder.constant(np.int64(0)))
        beyond = node("And", fault, self.known_place_.write(builder, place))
        unusual = node("Or", self.known_signs_.write(builder, signs), beyond)
        shown = node("And", fault, node("Not", unusual))
        nothing = builder.constant(np.float32(np.nan))
        shares = zip(Shares._fields, self.distance.write(builder, place), strict=True)
        kilometres = {
            name: node("Where", shown, node("Mul", share, inputs["length"]), nothing)
            for name, share in shares
        }
        return {**found, **kilometres, "unusual": unusual}


def _part(arrays: Arrays, chosen: NDArray[np.intp]) -> Arrays:
    return {name: values[chosen] for name, values in arrays.items()}
