"""A small application with what a stream tells in its records, for the tests of the suite."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from industry_apps.schema import Column
from tests.conformance.parcel_delay import ParcelDelay


class Counts:
    """How many parcels each carrier has had."""

    def __init__(self):
        self.seen = Counter()

    def update(self, record):
        before = float(self.seen[record["carrier"]])
        self.seen[record["carrier"]] += 1
        return {**record, "earlier": before}

    def enrich(self, frame):
        told = [self.update(record)["earlier"] for record in frame.to_dict("records")]
        return frame.assign(earlier=np.array(told, dtype=np.float32))


class CountedParcel(ParcelDelay):
    """Whether a parcel will be late, by how many its carrier has had, too.

    Parameters
    ----------
    threshold : float

    Examples
    --------
    >>> CountedParcel.sample().target
    'late'
    """

    name = "test.counted_parcel"
    schema = ParcelDelay.schema.extended([Column("earlier", "number", low=0, role="state")])
    traits = replace(ParcelDelay.traits, streaming=True)

    @classmethod
    def sample(cls):
        data, state = super().sample(), cls.new_state()
        parts = {n: state.enrich(getattr(data, n)) for n in ("train", "validation", "test")}
        return replace(data, **parts)

    @staticmethod
    def new_state():
        return Counts()

    def enrich(self, parcels):
        if not hasattr(self, "_state"):
            self._state = self.new_state()
        return self._state.enrich(parcels)

    def split(self, frame):
        return super().split(self.new_state().enrich(frame))

    def _margins(self, arrays):
        earlier = np.nan_to_num(arrays["earlier"].astype(np.float64))
        return super()._margins(arrays) + 0.01 * np.minimum(earlier, 100)

    def _margin_node(self, builder, inputs):
        node, zero = builder.node, builder.constant(np.float32(0))
        earlier = inputs["earlier"]
        earlier = node("Where", node("IsNaN", earlier), zero, earlier)
        earlier = node("Min", earlier, builder.constant(np.float32(100)))
        share = node("Mul", earlier, builder.constant(np.float32(0.01)))
        return node("Add", super()._margin_node(builder, inputs), share)
