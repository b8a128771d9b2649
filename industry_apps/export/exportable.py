"""A trained model on its way into a file: its graph, and what it is proven by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import onnx
import pandas as pd

from industry_apps.export.parity import Answers, StatedLoss
from industry_apps.features import GraphBuilder
from industry_apps.runtime.explanations import CONTRIBUTIONS
from industry_apps.runtime.parts import PARTS
from industry_apps.runtime.series.long_tables import WindowRule
from industry_apps.runtime.series.windows import Panel
from industry_apps.schema import Schema


@dataclass(frozen=True, eq=False, kw_only=True)
class Exportable:
    """A trained model on its way into a file.

    Parameters
    ----------
    graph : onnx.ModelProto
        From the raw columns of ``schema`` to ``outputs``.
    native : callable
        Frame -> {output: array of shape [rows], of list columns [rows, size]}, by the trained
        model. With ``windows``: feeds of one moment, as
        :meth:`industry_apps.runtime.Panel.feeds` makes them, -> {output: array of shape
        [series], of a forecast [series, horizon]}.
    schema, outputs : Schema
    check : DataFrame
        Real records, or with ``windows`` a long table, to prove parity on, where the
        caller gives no others.
    facts : mapping of str to JSON value
        Further metadata: application, data, decision, metrics, ...
    thresholds : mapping of str to list of float
        Column -> values on which the routing of trees turns.
    windows : WindowRule, optional
        The model answers from windows of series: the columns of the role "history".
    history : Panel, optional
        With ``windows``: what came before the records that a caller gives to prove parity
        on, so that the first of them have a full window too.
    moments : int, optional
        With ``windows``: the most moments to prove parity on, evenly spaced; all that have
        a full window by default.
    rows_a_run : int, optional
        Rows that one run of the file may hold: few where each makes wide tensors.
    precision : str
        Of the graph.
    loss : StatedLoss, optional
        Of a graph of lower precision: what it may lose, in place of equal answers.
    """

    graph: onnx.ModelProto
    native: Callable[[Any], Answers]
    schema: Schema
    outputs: Schema
    check: pd.DataFrame
    facts: Mapping[str, Any]
    thresholds: Mapping[str, list[float]] = field(default_factory=dict)
    windows: WindowRule | None = None
    history: Panel | None = None
    moments: int | None = None
    rows_a_run: int | None = None
    precision: str = "float32"
    loss: StatedLoss | None = None


class Fitted(Protocol):
    """What a fitted application says of itself; see there."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def schema_(self) -> Schema: ...  # noqa: D102

    @property
    def outputs_(self) -> Schema: ...  # noqa: D102

    @property
    def check_(self) -> pd.DataFrame: ...  # noqa: D102

    @property
    def windows_(self) -> WindowRule | None: ...  # noqa: D102

    @property
    def history_(self) -> Panel | None: ...  # noqa: D102

    def _answers(self, frame: Any) -> Answers: ...


def assemble(
    fitted: Fitted,
    write: Callable[[GraphBuilder, Mapping[str, str]], Mapping[str, str]],
    facts: Mapping[str, Any],
    **further: Any,
) -> Exportable:
    """Write the graph of a fitted application: its columns, its model, its outputs.

    Parameters
    ----------
    fitted : Application
    write : callable
        Appends the model to a graph: builder, {column: tensor} -> {output: tensor}, with the
        contributions of columns, or the names of the parts of a record, where there are some.
    facts : mapping of str to JSON value
        Further metadata.
    **further
        Other fields of :class:`Exportable`.
    """
    builder, rule = GraphBuilder(), fitted.windows_
    length, horizon = (rule.length, rule.horizon) if rule else (1, 0)
    tensors = write(builder, builder.inputs(fitted.schema_.inputs(), length, horizon))
    builder.outputs(tensors, fitted.outputs_, horizon)
    for name, dtype in ((CONTRIBUTIONS, np.float32), (PARTS, np.object_)):
        if name in tensors:
            builder.output(tensors[name], name, dtype, None)
    return Exportable(
        graph=builder.model(fitted.name),
        native=fitted._answers,
        schema=fitted.schema_,
        outputs=fitted.outputs_,
        check=fitted.check_,
        facts=facts,
        windows=rule,
        history=fitted.history_,
        **further,
    )
