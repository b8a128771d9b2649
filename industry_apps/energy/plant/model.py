"""What a plant detector answers: alarm, score, the tag behind it, and the state of the plant.

Letters in shapes: N windows, L readings of a window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.energy.plant.diagnosis import ROWS, Diagnosis
from industry_apps.features import GraphBuilder
from industry_apps.recipes.anomaly.recipe import AnomalyRecipe

__all__ = ["FAULT", "NEW", "UNKNOWN", "PlantModel"]

#: States that are no fault of a name: an alarm where no faults were learned, one unlike all that
#: were, and a window that is not whole.
FAULT, NEW, UNKNOWN = "fault", "not seen before", "not known"


@dataclass(frozen=True, eq=False)
class PlantModel:
    """Detection, and diagnosis where faults were learned.

    Parameters
    ----------
    detection : AnomalyRecipe
    diagnosis : Diagnosis or None
    normal : str
        The name of normal operation.
    """

    detection: AnomalyRecipe
    diagnosis: Diagnosis | None
    normal: str

    @property
    def length(self) -> int:
        """Readings of a window."""
        return max(self.detection.length, ROWS if self.diagnosis else 1)

    def answer(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Windows [N, L] of columns -> the answers that :meth:`write` names, each [N]."""
        found = self.detection.answer(columns)
        known = ~np.isnan(found.score)
        changes = np.nan_to_num(found.changes).astype(np.float32)
        most = np.abs(changes).argmax(axis=1)
        tags = np.array(self.detection.scaling_.columns, dtype=object)
        alarm = ~(found.score < 1)  # of what is not known, too: somebody has to look
        answers: dict[str, NDArray[Any]] = {
            "alarm": alarm,
            "score": found.score.astype(np.float32),
            "tag": np.where(known, tags[most], ""),
            "contribution": np.where(known, changes[np.arange(len(most)), most], np.nan),
        }
        if self.diagnosis is None:
            named = np.full(len(alarm), FAULT, dtype=object)
            return {**answers, "state": self._state(known, alarm, named)}
        likely, new = self.diagnosis.answer(columns)
        state = self._state(known, alarm, np.where(new, NEW, likely))
        return {**answers, "state": state, "likely_fault": likely}

    def _state(
        self, known: NDArray[np.bool_], alarm: NDArray[np.bool_], fault: NDArray[np.object_]
    ) -> NDArray[np.object_]:
        return np.where(known, np.where(alarm, fault, self.normal), UNKNOWN)

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        """Append the same to a graph.

        Parameters
        ----------
        builder : GraphBuilder
        inputs : mapping of str to str
            Column -> tensor [batch, L].

        Returns
        -------
        dict of str to str
            "alarm", "score", "tag", "contribution", "state", and "likely_fault" where faults were
            learned -> tensor [batch, 1].
        """
        node, constant = builder.node, builder.constant
        found = self.detection.write(builder, inputs)
        known, nothing = found["known"], constant(np.float32(np.nan))
        changes = builder.cast(found["changes"], np.float32)
        most = node("ArgMax", node("Abs", changes), attributes={"axis": 1})
        tags = constant(np.array(self.detection.scaling_.columns, dtype=object))
        usual = node("And", known, node("Less", found["score"], constant(np.float64(1))))
        score = builder.cast(found["score"], np.float32)
        change = node("GatherElements", changes, most, attributes={"axis": 1})
        text = {each: constant(np.array([[each]], dtype=object)) for each in self._words}
        answers = {
            "alarm": node("Not", usual),
            "score": node("Where", known, score, nothing),
            "tag": node("Where", known, node("Gather", tags, most), text[""]),
            "contribution": node("Where", known, change, nothing),
        }
        state = text[FAULT]
        if self.diagnosis is not None:
            likely, new = self.diagnosis.write(builder, inputs)
            answers["likely_fault"] = likely
            state = node("Where", new, text[NEW], likely)
        state = node("Where", usual, text[self.normal], state)
        return {**answers, "state": node("Where", known, state, text[UNKNOWN])}

    @property
    def _words(self) -> tuple[str, ...]:
        return ("", FAULT, NEW, UNKNOWN, self.normal)
