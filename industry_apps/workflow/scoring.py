"""A model file judged by its answers alone, as a serving machine gives them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from industry_apps.application import Application
from industry_apps.data import Dataset, Split, read_table
from industry_apps.data.datasets import data_name
from industry_apps.errors import ParameterError
from industry_apps.evaluation import Costs, Report
from industry_apps.evaluation.decisions import DecisionCurves, decision_metrics
from industry_apps.recipes import Records
from industry_apps.recipes.labels import OwnLabels
from industry_apps.runtime import FlowState, Model, TransactionState
from industry_apps.runtime.csv_rows import ShortRows
from industry_apps.workflow.own_tables import own_name


def score(model: Model, application: Application, data: Dataset | Split) -> Report:
    """Answer the test part with a model file, and measure the answers against the labels.

    Rows of the same entity (the first identifier of the application) are resampled
    together where there is one.

    Parameters
    ----------
    model : Model
        Whose decision is by the costs of its errors.
    application : Application
        The one that wrote the file, unfitted: it knows what the columns are.
    data : Dataset or Split
        As :func:`industry_apps.benchmark.data_of` makes it.

    Raises
    ------
    ParameterError
        It decides by no costs.
    SchemaError
        The label or a column is missing, or only one class occurs.
    LeakageError
        The model learned from data as late as these.
    """
    frame, facts = data.test, model.metadata
    rule = facts.get("decision", {})
    if "false_alarm_cost" not in rule:
        raise ParameterError(
            f"The answers of {model.path.name} are no decisions by their costs, and cannot be "
            f"measured from a file. Use {type(application).__name__}.evaluate."
        )
    entity, label = (_column(application, k, "identifier") for k in ("category", "boolean"))
    if isinstance(data, Dataset):
        label = data.target
    time = _column(application, "datetime")
    # A model that has learned without times cannot have learned from later ones knowingly.
    dated = time in frame and all("last" in part for part in facts["split"].values())
    told = application.labels_of(frame) if isinstance(application, OwnLabels) else None
    records = Records(
        schema=model.schema,
        target=label,
        time=time if dated else "",
        told=told if told is not None and told.column == label else None,
    )
    if dated:
        delay = application.get_params(deep=False).get("delay_days", 0)
        records.check_later(frame, facts["split"], delay=delay)
    target = records.labelled(frame).target
    answers = model.predict(frame)
    outputs = {column.kind: answers[column.name] for column in reversed(model.outputs.columns)}
    probability = outputs["number"].to_numpy(np.float64)
    positive = rule.get("positive", True)
    kind = "category" if isinstance(positive, str) else "boolean"
    decision = (outputs[kind] == positive).to_numpy(bool)
    costs = Costs(false_alarm=rule["false_alarm_cost"], missed=rule["missed_cost"])
    groups = frame[entity].to_numpy() if entity in frame else None
    curves = DecisionCurves(
        target=target,
        probability=probability,
        threshold=rule["threshold"],
        costs=costs,
        day=records.days(frame).astype("datetime64[D]") if dated else None,
    )
    words = getattr(application, "decision_words", None)
    return Report(
        application=application.name,
        data=data_name(frame.attrs.get("data", {"id": "own data"})),
        model=f"{facts['model']} ({model.path.name})",
        metrics=decision_metrics(target, probability, decision, costs, groups=groups),
        split={"test": {"rows": len(frame), "positives": int(target.sum())}},
        parity=facts["parity"],
        curves=curves,
        headline_text="" if words is None else words.headline(curves),
    )


def enriched(model: Model, table: Path, folder: Path, short_rows: ShortRows = "refuse") -> Path:
    """Write a table with the state columns that a model file asks for.

    Parameters
    ----------
    model : Model
    table : Path
        A CSV or Parquet file of raw records; the stream begins with it.
    folder : Path
        Gets the Parquet file.
    short_rows : {"refuse", "missing"}
        What is done with a row of a CSV file that has fewer cells than the header.

    Returns
    -------
    Path

    Raises
    ------
    ParameterError
        The model asks for no state columns.
    SchemaError, DataNotFoundError
    """
    kinds: dict[str, type[TransactionState | FlowState]] = {
        "state": TransactionState,
        "flow_state": FlowState,
    }
    told = [kind(**model.metadata[key]) for key, kind in kinds.items() if model.metadata.get(key)]
    if not told:
        raise ParameterError(f"{model.path.name} asks for no state columns. Leave --enrich out.")
    path = folder / f"{table.name}.parquet"
    raw = read_table(table, short_rows=short_rows)
    told[0].enrich(raw).to_parquet(path)
    return path


def _column(application: Application, kind: str, role: str = "") -> str:
    """The user's name of the first column of this kind and role, empty where there is none."""
    names = [c.name for c in application.schema if c.kind == kind and role in ("", c.role)]
    return own_name(application, names[0]) if names else ""
