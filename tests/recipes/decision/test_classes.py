"""A decision between several classes: learned, calibrated, weighed by costs, written."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, SchemaError, TrainingError
from industry_apps.evaluation.classes import class_bootstrap
from industry_apps.features import GraphBuilder
from industry_apps.recipes.decision.class_baselines import ClassBaselines
from industry_apps.recipes.decision.classes import (
    Classed,
    ClassOptions,
    ClassRecipe,
    class_numbers,
)
from industry_apps.recipes.trees import TreeOptions
from industry_apps.runtime.inputs import feeds_of, run_in_slices
from industry_apps.schema import Column, Schema

SCHEMA = Schema(
    (Column("x", "number"), Column("y", "number"), Column("group", "category", required=False))
)
CLASSES = ("calm", "rising", "falling")
QUICK = TreeOptions(rounds=30, learning_rate=0.2, bags=2)


def rows(count: int = 900, seed: int = 0, noise: float = 0.4) -> Classed:
    rng = np.random.default_rng(seed)
    target = rng.choice(3, count, p=[0.7, 0.2, 0.1])
    x = (target == 1) - 1.0 * (target == 2) + noise * rng.normal(size=count)
    frame = pd.DataFrame({"x": x, "y": rng.normal(size=count), "group": "a"})
    frame.loc[::7, "y"] = np.nan
    frame.loc[target == 2, "group"] = "b"
    return Classed(SCHEMA.to_arrays(frame), target.astype(np.intp))


def fitted(**further: object) -> ClassRecipe:
    recipe = ClassRecipe(SCHEMA, CLASSES, ClassOptions(trees=QUICK, **further))  # type: ignore[arg-type]
    return recipe.fit(rows(), rows(400, seed=1))


def written(recipe: ClassRecipe, known: Classed) -> list[NDArray[np.generic]]:
    builder = GraphBuilder()
    found = recipe.write(builder, builder.inputs(recipe.used_columns()))
    builder.output(found["answer"], "answer", np.object_)
    builder.output(found["number"], "number", np.int64)
    builder.output(found["probabilities"], "probabilities", np.float32, len(CLASSES))
    feeds = feeds_of(known.arrays, recipe.used_columns())
    names = ["answer", "number", "probabilities"]
    return run_in_slices(builder.session(), names, feeds, recipe.used_columns())


def test_the_graph_answers_as_the_trees() -> None:
    recipe, asked = fitted(), rows(300, seed=2)
    probabilities, number = recipe.decide(asked.arrays)
    answer, places, odds = written(recipe, asked)
    np.testing.assert_allclose(odds, probabilities, atol=1e-6)
    assert (places[:, 0] == number).all()
    assert answer[:, 0].tolist() == [CLASSES[place] for place in number]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_it_beats_the_prior_and_is_calibrated() -> None:
    known, asked = rows(), rows(2000, seed=2)
    recipe = ClassRecipe(SCHEMA, CLASSES, ClassOptions(trees=QUICK)).fit(known)  # by folds
    probabilities, number = recipe.decide(asked.arrays)
    ours = class_bootstrap(asked.target, probabilities, number)
    baselines = ClassBaselines(SCHEMA, len(CLASSES)).fit(known).probabilities(asked.arrays)
    assert list(baselines) == ["prior", "logistic_regression", "lightgbm_default"]
    prior = class_bootstrap(asked.target, baselines["prior"], baselines["prior"].argmax(axis=1))
    assert ours.minus(prior)["macro_f1"].low > 0.3
    assert ours.values["calibration_error"] < 0.03


def test_the_cost_of_missing_a_class_makes_it_more_frequent() -> None:
    # What makes it certain is taken away.
    asked = rows(2000, seed=2)
    vague = {**asked.arrays, "group": np.full(2000, "a", dtype=object)}
    shares = [
        (fitted(costs=costs).decide(vague)[1] == 1).mean()
        for costs in (None, {"rising": 5.0}, {"rising": 0.1})
    ]
    assert shares[2] < shares[0] < shares[1]


def test_a_class_that_is_unknown_or_lacking_is_named() -> None:
    with pytest.raises(ParameterError, match="sinking"):
        ClassRecipe(SCHEMA, CLASSES, ClassOptions(costs={"sinking": 2.0}))
    with pytest.raises(ParameterError, match="costs"):
        ClassOptions(costs={"rising": 0.0})
    known = rows()
    few = np.flatnonzero(known.target != 2)
    with pytest.raises(TrainingError, match=r"0 of .* 'falling'"):
        fitted().fit(known.part(few), rows(400, seed=1))
    some = np.append(few, np.flatnonzero(known.target == 2)[:3])
    with pytest.raises(TrainingError, match=r"3 of .* 'falling', expected 5"):
        fitted().fit(known.part(some))


@pytest.mark.parametrize(("label", "words"), [("odd", "row 1: got 'odd'"), (None, "row 1")])
def test_a_label_that_is_no_class_is_refused(label: str | None, words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        class_numbers("kind", CLASSES, pd.DataFrame({"kind": ["calm", label]}))
