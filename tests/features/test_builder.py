"""The writer of graphs: interpolation, joining, names."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from industry_apps.errors import ParameterError
from industry_apps.features import GraphBuilder


def session(builder: GraphBuilder) -> ort.InferenceSession:
    return ort.InferenceSession(
        builder.model().SerializeToString(), providers=["CPUExecutionProvider"]
    )


@given(st.data(), st.integers(1, 4), st.integers(2, 6))
def test_interpolate(data: st.DataObject, columns: int, count: int) -> None:
    shape = (columns, count)
    gaps = data.draw(hnp.arrays(np.float64, shape, elements=st.floats(0.01, 100)))
    knots = (np.cumsum(gaps, axis=1) - 50).astype(np.float32)
    values = data.draw(hnp.arrays(np.float32, shape, elements=st.floats(-10, 10, width=32)))
    x = data.draw(hnp.arrays(np.float32, (5, columns), elements=st.floats(-1e9, 1e9, width=32)))
    x = np.concatenate([x, knots.T, np.full((1, columns), np.inf, np.float32)])
    builder = GraphBuilder()
    tensor = builder.interpolate(builder.input("x", np.float32, columns), knots, values)
    builder.output(tensor, "y", np.float32, columns)
    (found,) = session(builder).run(["y"], {"x": x})
    for column in range(columns):
        expected = np.interp(x[:, column], knots[column], values[column])
        assert_allclose(found[:, column], expected, atol=1e-2 if gaps.min() < 1 else 1e-4)


def doubler() -> onnx.ModelProto:
    builder = GraphBuilder()
    x = builder.input("x", np.float32)
    builder.output(builder.node("Mul", x, builder.constant(np.float32(2))), "twice", np.float32)
    return builder.model("doubler")


def test_a_model_is_appended_twice_without_a_clash() -> None:
    builder, model = GraphBuilder(), doubler()
    x = builder.input("x", np.float32)
    once = builder.append(model, {"x": x})["twice"]
    again = builder.append(model, {"x": once})["twice"]
    builder.output(once, "once", np.float32)
    builder.output(again, "again", np.float32)
    runner = session(builder)
    assert [output.name for output in runner.get_outputs()] == ["once", "again"]
    assert [output.shape for output in runner.get_outputs()] == [["batch", 1]] * 2
    once_found, again_found = runner.run(None, {"x": np.float32([[1], [3]])})
    assert_array_equal(once_found, [[2], [6]])
    assert_array_equal(again_found, [[4], [12]])


def test_the_appended_model_is_left_as_it_was() -> None:
    builder, model = GraphBuilder(), doubler()
    before = model.SerializeToString()
    builder.append(model, {"x": builder.input("x", np.float32)})
    assert model.SerializeToString() == before


def test_equal_constants_are_stored_once() -> None:
    builder = GraphBuilder()
    same = [builder.constant(np.float32(1)), builder.constant(np.array(1, dtype=np.float32))]
    others = [
        builder.constant(np.float32([1])),
        builder.constant(np.int32(1)),
        builder.constant(np.float32(-0.0)),
        builder.constant(np.float32(0.0)),
    ]
    assert len(set(same)) == 1
    assert len({*same, *others}) == 5


def test_an_output_may_not_have_the_name_of_a_column() -> None:
    builder = GraphBuilder()
    x = builder.input("score", np.float32)
    with pytest.raises(ParameterError, match="An answer and a column are both named 'score'"):
        builder.output(builder.node("Neg", x), "score", np.float32)


def test_one_tensor_may_be_read_and_put_out_more_than_once() -> None:
    builder = GraphBuilder()
    x = builder.input("x", np.float32)
    y = builder.node("Neg", x)
    builder.output(y, "first", np.float32)
    builder.output(y, "second", np.float32)
    builder.output(x, "third", np.float32)
    builder.output(builder.node("Neg", y), "fourth", np.float32)
    builder.output(builder.constant(np.float32([[7]])), "fifth", np.float32)
    found = session(builder).run(None, {"x": np.float32([[3]])})
    assert [array.item() for array in found] == [-3, -3, 3, 3, 7]


def test_what_no_output_needs_is_left_out() -> None:
    builder = GraphBuilder()
    x = builder.input("x", np.float32)
    builder.node("Add", builder.node("Exp", x), builder.constant(np.float32(5)))
    builder.output(builder.node("Neg", x), "y", np.float32)
    graph = builder.model().graph
    assert [node.op_type for node in graph.node] == ["Neg"]
    assert not graph.initializer


def test_a_wrong_graph_is_refused() -> None:
    builder = GraphBuilder()
    builder.output(builder.node("Add", "nobody", "knows"), "y", np.float32)
    with pytest.raises(onnx.checker.ValidationError):
        builder.model()


def test_texts_are_stored_once_each():
    builder = GraphBuilder()
    first = builder.constant(np.array([["approve"]], dtype=object))
    other = builder.constant(np.array([["refuse"]], dtype=object))
    again = builder.constant(np.array([["".join(["app", "rove"])]], dtype=object))
    assert first == again != other
