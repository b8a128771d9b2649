"""A small writer of ONNX graphs: nodes in, one checked model out.

Feature graphs, calibration, decisions and the networks between them are all appended to
one builder, so that joining them is the same act as writing them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper

from industry_apps.errors import ParameterError
from industry_apps.schema import Schema

#: Operator sets of every file that this package writes.
OPSET = 20
ML_OPSET = 3
IR_VERSION = 10

_ELEMENT_TYPES: dict[type, int] = {
    np.float32: TensorProto.FLOAT,
    np.float64: TensorProto.DOUBLE,
    np.int64: TensorProto.INT64,
    np.object_: TensorProto.STRING,
    np.bool_: TensorProto.BOOL,
    np.uint8: TensorProto.UINT8,
}


#: Length of what lies behind the batch, None for any; a tuple where there are several axes.
Columns = int | None | tuple[int | None, ...]


class GraphBuilder:
    """Collects nodes and writes them as one ONNX model.

    Tensor names are made here and are unique; methods take and return them.

    Examples
    --------
    >>> builder = GraphBuilder()
    >>> x = builder.input("x", np.float32)
    >>> builder.output(builder.node("Add", x, builder.constant(np.float32(1))), "y", np.float32)
    >>> [node.op_type for node in builder.model().graph.node]
    ['Add']
    """

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._initializers: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._made: set[str] = set()
        self._renamed: dict[str, str] = {}
        self._count = 0

    def input(self, name: str, dtype: type, columns: Columns = 1) -> str:
        """Declare an input of shape [batch, columns], or [batch, *columns]."""
        self._inputs.append(_value_info(name, dtype, columns))
        return name

    def optional_input(self, name: str, default: NDArray[Any]) -> str:
        """Declare an input of shape [batch, 1] that a run may leave out.

        Parameters
        ----------
        name : str
        default : ndarray of shape [1, 1]
            What it is for every row then.
        """
        self._inputs.append(_value_info(name, default.dtype.type, 1))
        self._initializers.append(numpy_helper.from_array(default, name))
        return name

    def inputs(self, schema: Schema, length: int = 1, horizon: int = 0) -> dict[str, str]:
        """Declare the raw columns of a schema as inputs.

        Parameters
        ----------
        schema : Schema
        length : int
            Steps of the columns of the role "history".
        horizon : int
            Further steps of the columns of the role "known".

        Returns
        -------
        dict of str to str
            Column -> tensor [batch, 1], of a list [batch, values], of a history [batch,
            length], of what is known in advance [batch, length + horizon], of images [batch,
            height, width, channels].
        """
        steps = {"history": length, "known": length + horizon}
        return {
            c.name: self.input(c.name, c.dtype, c.shape or steps.get(c.role, c.size))
            if c.kind != "image"
            else self.input(c.name, np.uint8, (None, None, c.channels))
            for c in schema
        }

    def output(self, tensor: str, name: str, dtype: type, columns: Columns = 1) -> None:
        """Declare an output [batch, columns] or [batch, *columns]; no input may have its name."""
        if name in {value.name for value in self._inputs}:
            raise ParameterError(
                f"An answer and a column are both named {name!r}. "
                "Rename the column, or leave it out."
            )
        if tensor in self._made and tensor not in self._renamed:
            self._renamed[tensor] = name
        else:  # an input, a constant, or an output already
            self._nodes.append(helper.make_node("Identity", [tensor], [name]))
        self._outputs.append(_value_info(name, dtype, columns))

    def outputs(self, tensors: Mapping[str, str], schema: Schema, horizon: int = 0) -> None:
        """Declare the answers of a schema as outputs.

        Parameters
        ----------
        tensors : mapping of str to str
            Column -> tensor [batch, values] of its type: numbers float32, with an offset
            double, truth values bool, names string; of an image uint8 [batch, height, width].
        schema : Schema
        horizon : int
            Steps ahead that each answer of a forecast has; 0 where it is none.
        """
        for column in schema:
            tensor = tensors[column.name]
            dtype = np.bool_ if column.kind == "boolean" else column.dtype
            inner: Columns = (None, None) if column.kind == "image" else column.shape
            self.output(tensor, column.name, dtype, inner or horizon or column.size)

    def constant(self, value: ArrayLike | NDArray[Any]) -> str:
        """Store an array; equal arrays are stored once."""
        array = np.asarray(value)
        # The bytes of an array of objects are addresses, not texts.
        content = repr(array.tolist()).encode() if array.dtype.kind == "O" else array.tobytes()
        key = (array.dtype.str, array.shape, content)
        if key not in self._constants:
            name = self._new_name("constant")
            self._initializers.append(numpy_helper.from_array(array, name))
            self._constants[key] = name
        return self._constants[key]

    def node(
        self,
        op: str,
        *inputs: str,
        attributes: Mapping[str, Any] | None = None,
        domain: str = "",
    ) -> str:
        """Append an operator with one output; return the name of that output."""
        return self._append(op, inputs, 1, domain, attributes or {})[0]

    def part(self, tensor: str, start: int, stop: int, axis: int = 1) -> str:
        """Append what lies from ``start`` to before ``stop`` on an axis; negative from the end."""
        ends = (self.constant(np.array([place])) for place in (start, stop, axis))
        return self.node("Slice", tensor, *ends)

    def largest(self, tensor: str, count: int) -> tuple[str, str]:
        """Append the largest values of each row, falling, and their places: [batch, count] each.

        Of equal values the first comes first.
        """
        size = self.constant(np.array([count]))
        values, places = self._append("TopK", (tensor, size), 2, "", {})
        return values, places

    def split_once(self, text: str, separator: str) -> str:
        """Append the parts of texts [batch, 1] before and behind a separator that each has."""
        return self._append("StringSplit", (text,), 2, "", {"delimiter": separator, "maxsplit": 1})[
            0
        ]  # [batch, 1, 2]

    def smallest(self, tensor: str, count: str) -> tuple[str, str]:
        """Append the smallest values of each row, rising, and their places: [batch, count] each.

        ``count`` is a tensor of shape [1].
        """
        values, places = self._append("TopK", (tensor, count), 2, "", {"largest": 0})
        return values, places

    def _append(
        self,
        op: str,
        inputs: Sequence[str],
        outputs: int,
        domain: str,
        attributes: Mapping[str, Any],
    ) -> list[str]:
        names = [self._new_name(op.lower()) for _ in range(outputs)]
        self._nodes.append(helper.make_node(op, list(inputs), names, domain=domain, **attributes))
        self._made.update(names)
        return names

    def concat(self, tensors: list[str]) -> str:
        """Join [batch, k] tensors side by side."""
        if len(tensors) == 1:
            return tensors[0]
        return self.node("Concat", *tensors, attributes={"axis": 1})

    def cast(self, tensor: str, dtype: type) -> str:
        """Convert a tensor to another element type."""
        return self.node("Cast", tensor, attributes={"to": _ELEMENT_TYPES[dtype]})

    def interpolate(self, x: str, knots: NDArray[Any], values: NDArray[Any]) -> str:
        """Piecewise-linear functions of the columns of x, constant beyond the end knots.

        Parameters
        ----------
        x : str
            Tensor of shape [batch, columns], no NaN.
        knots : ndarray of shape [columns, knots]
            Strictly increasing in each row, at least two.
        values : ndarray of shape [columns, knots]

        Returns
        -------
        str
            Tensor of shape [batch, columns].
        """
        columns, count = knots.shape
        knots, values = knots.astype(np.float32), values.astype(np.float32)
        x = self.node(
            "Min", self.node("Max", x, self.constant(knots[:, 0])), self.constant(knots[:, -1])
        )  # [batch, columns]
        wide = self.node("Unsqueeze", x, self.constant(np.array([2])))  # [batch, columns, 1]
        # Interior knots only: the segment is then 0 ... count - 2 whatever x is.
        passed = self.node("GreaterOrEqual", wide, self.constant(knots[:, 1:-1]))
        segment = self.node(
            "ReduceSum",
            self.cast(passed, np.int64),
            self.constant(np.array([2])),
            attributes={"keepdims": 0},
        )  # [batch, columns]
        offsets = np.arange(columns, dtype=np.int64) * (count - 1)
        segment = self.node("Add", segment, self.constant(offsets))
        slopes = np.diff(values, axis=1) / np.diff(knots, axis=1)
        start = self.node("Gather", self.constant(knots[:, :-1].ravel()), segment)
        base = self.node("Gather", self.constant(values[:, :-1].ravel()), segment)
        slope = self.node("Gather", self.constant(slopes.ravel()), segment)
        return self.node("Add", base, self.node("Mul", slope, self.node("Sub", x, start)))

    def append(self, model: onnx.ModelProto, feeds: Mapping[str, str]) -> dict[str, str]:
        """Append a whole model behind tensors of this graph.

        Parameters
        ----------
        model : onnx.ModelProto
            Written for the same operator sets, or older ones where nothing changed.
        feeds : mapping of str to str
            Input of the model -> tensor of this graph.

        Returns
        -------
        dict of str to str
            Output of the model -> tensor of this graph.
        """
        prefix = self._new_name("part") + "/"
        part = onnx.compose.add_prefix(model, prefix).graph
        for source in model.graph.input:
            self._nodes.append(
                helper.make_node("Identity", [feeds[source.name]], [prefix + source.name])
            )
        self._initializers.extend(part.initializer)
        self._nodes.extend(part.node)
        return {output.name: prefix + output.name for output in model.graph.output}

    def model(self, name: str = "industry_apps") -> onnx.ModelProto:
        """Write and check the model; nodes that no output needs are left out."""
        nodes, needed = self._live_nodes()
        domains = {node.domain for node in nodes}
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
        if "com.microsoft" in domains:
            opsets.append(helper.make_opsetid("com.microsoft", 1))
        constants = [each for each in self._initializers if each.name in needed]
        graph = helper.make_graph(nodes, name, self._inputs, self._outputs, initializer=constants)
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="industry_apps"
        )
        onnx.checker.check_model(model)
        return model

    def session(self) -> ort.InferenceSession:
        """Run the model in this process, beside training."""
        options = ort.SessionOptions()
        options.log_severity_level = 3
        # Threads that spin after a run take the cores from whatever trains next.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return ort.InferenceSession(
            self.model().SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def _live_nodes(self) -> tuple[list[onnx.NodeProto], set[str]]:
        """Nodes that lead to an output, under their final names, and all that they read."""
        live: list[onnx.NodeProto] = []
        needed = {output.name for output in self._outputs}
        for original in reversed(self._nodes):
            node = onnx.NodeProto()
            node.CopyFrom(original)
            for names in (node.input, node.output):
                names[:] = [self._renamed.get(name, name) for name in names]
            if needed.intersection(node.output):
                needed.update(node.input)
                live.append(node)
        return live[::-1], needed

    def _new_name(self, stem: str) -> str:
        self._count += 1
        return f"/{stem}/{self._count}"  # with slashes, as no column is named


def _value_info(name: str, dtype: type, columns: Columns) -> onnx.ValueInfoProto:
    inner = columns if isinstance(columns, tuple) else (columns,)
    return helper.make_tensor_value_info(name, _ELEMENT_TYPES[dtype], ["batch", *inner])
