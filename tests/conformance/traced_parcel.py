"""A small application with lists in its records and in its answers, for the tests of the suite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from industry_apps.features import GraphBuilder
from industry_apps.schema import Column
from tests.conformance.parcel_delay import ParcelDelay

LEGS = 2


class TracedParcel(ParcelDelay):
    """Whether a parcel will be late, and where it has been first.

    Parameters
    ----------
    threshold : float

    Examples
    --------
    >>> TracedParcel.sample().target
    'late'
    """

    name = "test.traced_parcel"
    schema = ParcelDelay.schema.extended(
        [
            Column(name="route", kind="text", size=None, required=False),
            Column(name="scale", kind="number", size=2, low=0, required=False),
        ]
    )
    traits = replace(ParcelDelay.traits, inputs=(*ParcelDelay.traits.inputs, "text"))
    outputs = ParcelDelay.outputs.extended(
        [
            Column(name="legs", kind="category", size=LEGS),
            Column(name="weights", kind="number", size=LEGS),
        ]
    )

    @classmethod
    def sample(cls):
        data = super().sample()
        for seed, part in enumerate((data.train, data.validation, data.test)):
            draw = np.random.default_rng(seed)
            part["route"] = [
                draw.choice(["A", "B", "C"], draw.integers(0, 5)).tolist() for _ in range(len(part))
            ]
        return data

    def _answers(self, frame):
        arrays = self.schema_.to_arrays(frame)
        empty = np.full((len(frame), LEGS), "", dtype=object)
        legs = np.concatenate([arrays["route"], empty], axis=1)[:, :LEGS]
        weight = np.where(np.isnan(arrays["weight"]), np.float32(0), arrays["weight"])
        weights = np.where(legs == "", np.nan, weight[:, None]).astype(np.float32)
        return {**super()._answers(frame), "legs": legs, "weights": weights}

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        node, constant = builder.node, builder.constant
        route, weight = inputs["route"], inputs["weight"]
        rows = node("Shape", route, attributes={"end": 1})
        shape = node("Concat", rows, constant(np.array([LEGS])), attributes={"axis": 0})
        empty = node("Expand", constant(np.array([[""]], dtype=object)), shape)
        longer = node("Concat", route, empty, attributes={"axis": 1})
        ends = (constant(np.array([value])) for value in (0, LEGS, 1))
        legs = node("Slice", longer, *ends)
        weight = node("Where", node("IsNaN", weight), constant(np.float32(0)), weight)
        none = node("Equal", legs, constant(np.array([""], dtype=object)))
        weights = node("Where", none, constant(np.float32(np.nan)), weight)
        return {**super()._write(builder, inputs), "legs": legs, "weights": weights}
