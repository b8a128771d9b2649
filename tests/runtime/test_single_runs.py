"""Single records through bound arrays."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.features import GraphBuilder
from industry_apps.runtime.records import RecordReader
from industry_apps.runtime.single_runs import BoundSession
from industry_apps.schema import Column, Schema

SCHEMA = Schema((Column("age", "number"), Column("seen", "number", offset=1.7e9)))


@pytest.mark.parametrize("in_place", [True, False])
def test_texts_among_the_answers_to_numbers(in_place):
    """A session that was bound to give texts would end the process."""
    builder = GraphBuilder()
    inputs = builder.inputs(SCHEMA)
    over = builder.node("Greater", inputs["seen"], builder.constant(np.float64(1.7e9)))
    words = (builder.constant(np.array([[word]], dtype=object)) for word in ("later", "before"))
    builder.output(builder.node("Where", over, *words), "when", np.object_)
    builder.output(inputs["age"], "years", np.float32)
    reader = RecordReader(SCHEMA)
    bound = BoundSession(builder.session(), reader, ["when", "years"], in_place=in_place)
    for second, word in ((1_700_000_001, "later"), (1_700_000_000, "before")):
        plain = reader.plain({"age": 41, "seen": second})
        assert plain is not None
        assert [answer.item() for answer in bound.run(plain)] == [word, 41]
