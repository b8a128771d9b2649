"""One of several classes for each record: trees, calibration, decision; fitted, run, and written.

Letters: N rows, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, SchemaError, TrainingError, unknown_name
from industry_apps.features import FeatureGraph, GraphBuilder, tree_encoders
from industry_apps.features.sources import Source
from industry_apps.limits import CLASS_COSTS, check_limits, integer
from industry_apps.recipes.class_calibration import ClassCalibration
from industry_apps.recipes.trees import (
    TreeOptions,
    check_grown,
    grown,
    mean_margin,
    thresholds_of,
    write_mean_margin,
)
from industry_apps.schema import Column, Schema

Arrays = Mapping[str, NDArray[Any]]

_Floats = NDArray[np.float64]
_Numbers = NDArray[np.intp]
#: Rows of each class, of which every fold needs one.
_FEWEST_IN_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Classed:
    """Records, and the class of each.

    Parameters
    ----------
    arrays : mapping of str to ndarray of shape [N]
        Raw columns as :meth:`Schema.to_arrays` makes them.
    target : ndarray of int of shape [N]
        Numbers of the classes.
    """

    arrays: Arrays
    target: _Numbers

    def part(self, chosen: _Numbers) -> Classed:
        """Some of the rows, by number."""
        return Classed(
            {n: values[chosen] for n, values in self.arrays.items()}, self.target[chosen]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassOptions:
    """What a decision between several classes is made of.

    Parameters
    ----------
    costs : mapping of str to float, optional
        Class -> what it costs to miss it, > 0: the answer is the class whose probability times
        its cost is the largest. By default all cost alike.
    derived : tuple of Source
        Numbers computed from columns that the domain knows to be telling.
    folds : int
        Parts into which training data are cut where there are no validation data, in [2, 5].
    trees : TreeOptions
        Each round grows a tree for each class.
    """

    costs: Mapping[str, float] | None = None
    derived: tuple[Source, ...] = ()
    folds: int = 5
    trees: TreeOptions = field(default_factory=TreeOptions)

    def __post_init__(self) -> None:
        check_limits(self, _LIMITS)


_LIMITS = {"costs": CLASS_COSTS.or_none(), "folds": integer(2, _FEWEST_IN_FOLDS)}


class ClassRecipe:
    """Calibrated probabilities of several classes, and the one to act on.

    Parameters
    ----------
    schema : Schema
        The raw columns that the model sees.
    classes : tuple of str
        K names, at least two.
    options : ClassOptions

    References
    ----------
    Ke et al. 2017, "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS.
    """

    def __init__(self, schema: Schema, classes: Sequence[str], options: ClassOptions) -> None:
        self.schema, self.classes, self.options = schema, tuple(classes), options
        costs = options.costs or {}
        for name in costs:
            if name not in self.classes:
                raise ParameterError(str(unknown_name("class", name, self.classes)))
        self.costs = np.array([float(costs.get(name, 1.0)) for name in self.classes])

    def fit(self, train: Classed, validation: Classed | None = None) -> Self:
        """Learn trees from training data, calibration from other data.

        Parameters
        ----------
        train : Classed
        validation : Classed, optional
            Without it, calibration comes from folds of the training data: each row is answered
            by trees that have not seen it.

        Raises
        ------
        TrainingError
            A class does not occur, or too seldom for folds.
        """
        self._check_classes(train, _FEWEST_IN_FOLDS if validation is None else 1)
        if validation is None:
            odds, target = self._cross_fitted(train), train.target
            self._learn(train, None)
        else:
            self._learn(train, validation)
            odds, target = self._odds(validation.arrays), validation.target
        self.calibration_ = ClassCalibration.fit(odds, target)
        return self

    def probabilities(self, arrays: Arrays) -> _Floats:
        """Raw columns [N] -> probabilities [N, K], by the trained model."""
        return self.calibration_.apply(self._odds(arrays))

    def decide(self, arrays: Arrays) -> tuple[_Floats, _Numbers]:
        """Raw columns [N] -> probabilities [N, K] and the number of the answer [N]."""
        found = self.probabilities(arrays)
        return found, (found * self.costs).argmax(axis=1)

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        """Append the whole recipe to a builder.

        Parameters
        ----------
        builder : GraphBuilder
        inputs : mapping of str to str
            Raw column, all of :meth:`used_columns` -> tensor [batch, 1].

        Returns
        -------
        dict of str to str
            "answer" (string), "number" (int64), "probability" of the answer -> [batch, 1];
            "probabilities" -> [batch, K].
        """
        node, constant = builder.node, builder.constant
        rows = self.features_.write(builder, inputs)["numeric"]
        odds = write_mean_margin(builder, self.boosters_, rows)
        probabilities = self.calibration_.write(builder, odds)
        weighed = node("Mul", probabilities, constant(self.costs[None].astype(np.float32)))
        number = node("ArgMax", weighed, attributes={"axis": 1})
        names = constant(np.array(self.classes, dtype=object))
        return {
            "answer": node("Gather", names, number),
            "number": number,
            "probability": node("GatherElements", probabilities, number, attributes={"axis": 1}),
            "probabilities": probabilities,
        }

    def used_columns(self) -> Schema:
        """The raw columns that some feature reads; the exported file has no others."""
        return self.features_.schema

    def facts(self) -> dict[str, Any]:
        """What decides, as JSON values for the model file."""
        decision = {
            "classes": ", ".join(self.classes),
            "temperature": self.calibration_.temperature,
            **{f"cost_of_missing_{n}": c for n, c in zip(self.classes, self.costs, strict=True)},
        }
        return {"model": "trees", "decision": decision}

    def thresholds(self) -> dict[str, list[float]]:
        """Raw column -> values on which the answer turns."""
        return thresholds_of(self.features_, self.boosters_)

    def _learn(self, train: Classed, validation: Classed | None) -> None:
        import lightgbm as lgb

        options = self.options
        encoders = tree_encoders(self.schema, options.derived, one_hot=options.trees.one_hot)
        self.features_ = FeatureGraph(self.schema, encoders).learn(train.arrays)
        rows = self.features_.run(train.arrays)["numeric"]
        data = lgb.Dataset(rows, train.target, params={"verbosity": -1})
        held_out = None
        if options.trees.patience and validation is not None:
            others = self.features_.run(validation.arrays)["numeric"]
            held_out = data.create_valid(others, validation.target)
        further = {"objective": "multiclass", "num_class": len(self.classes)}
        self.boosters_ = [
            grown(data, each, further, held_out=held_out) for each in options.trees.bagged()
        ]
        check_grown(self.boosters_, options.trees, len(train.target))

    def _cross_fitted(self, rows: Classed) -> _Floats:
        """Log-odds [N, K] by trees of the other folds."""
        from sklearn.model_selection import StratifiedKFold

        seed = self.options.trees.seed
        cut = StratifiedKFold(self.options.folds, shuffle=True, random_state=seed)
        odds = np.empty((len(rows.target), len(self.classes)))
        for known, held_out in cut.split(rows.target, rows.target):
            asked = rows.part(held_out)
            self._learn(rows.part(known), asked)
            odds[held_out] = self._odds(asked.arrays)
        return odds

    def _odds(self, arrays: Arrays) -> _Floats:
        return mean_margin(self.features_, self.boosters_, arrays)

    def _check_classes(self, train: Classed, fewest: int) -> None:
        counts = np.bincount(train.target, minlength=len(self.classes))
        if counts.min() < fewest:
            name = self.classes[int(counts.argmin())]
            raise TrainingError(
                f"{int(counts.min())} of {len(train.target)} training rows are of class {name!r}, "
                f"expected {fewest} at least. Give more rows of it, or leave the class out."
            )


def class_numbers(column: str, classes: Sequence[str], frame: Any) -> _Numbers:
    """Read the labels of a table as numbers of classes.

    Parameters
    ----------
    column : str
    classes : sequence of str
        K names.
    frame : DataFrame

    Returns
    -------
    ndarray of int of shape [N]

    Raises
    ------
    SchemaError
        A label is missing, or none of the classes.

    Examples
    --------
    >>> import pandas as pd
    >>> class_numbers("kind", ["a", "b"], pd.DataFrame({"kind": ["b", "a"]})).tolist()
    [1, 0]
    """
    label = Column(column, "category", nullable=False)
    names = Schema((label,)).to_arrays(frame)[column]
    number = {name: place for place, name in enumerate(classes)}
    found = np.array([number.get(name, -1) for name in names], dtype=np.intp)
    if (found < 0).any():
        row = int((found < 0).argmax())
        raise SchemaError(
            f"Column {column!r}, row {row}: got {names[row]!r}, expected one of {list(classes)}. "
            "Correct it, or drop the row."
        )
    return found
