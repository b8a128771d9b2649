"""Recommendations from a large catalogue: time beside implicit's own, and memory of the file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.benchmark.resources import peak_of_scoring
from industry_apps.benchmark.speed import Measure, alternating, threads
from industry_apps.errors import require
from industry_apps.export import Exportable, export_model
from industry_apps.features import GraphBuilder
from industry_apps.retail.ranking.interactions import Interactions
from industry_apps.retail.ranking.parts import Factors
from industry_apps.retail.ranking.recipe import RankingOptions, RankingRecipe
from industry_apps.retail.ranking.rules import Wishes
from industry_apps.runtime import Model
from industry_apps.schema import Column, Schema
from industry_apps.schema.values import MISSING_TIME

#: Distinct items that a user took, at most, and numbers learned of each.
_TAKEN, _FACTORS = 20, 64
_SIZE = 10
#: Users of a timed call of both; the whole table is answered once, for its memory.
_TIMED = 10_000
#: Users on whom the file is proven equal to the trained model.
_PROVEN = 500
_MOST_MEMORY = 4096

_REQUEST = Schema(
    (
        Column(name="user", kind="category", required=False),
        Column(name="history", kind="category", size=None, required=False),
        Column(name="allowed", kind="category", size=None, required=False),
    )
)
_ANSWER = Schema(
    (
        Column(name="items", kind="category", size=_SIZE),
        Column(name="scores", kind="number", size=_SIZE),
    )
)


def large_catalogue(
    users: int = 100_000, items: int = 50_000, *, repeats: int = 3
) -> list[Measure]:
    """Recommend ten items to each of many users, through the file and through implicit.

    The factors are learned by one round of implicit's ALS on drawn interactions: what is timed
    does not depend on how good they are. The file is given names and answers names, implicit
    numbers; both leave out what a user took.

    Parameters
    ----------
    users, items : int
    repeats : int
        Alternating runs of each; the best counts.

    Raises
    ------
    MissingExtraError
    """
    require("implicit", extra="retail", needed_by="this measurement")
    from implicit.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    found = _drawn(users, items)
    taken = found.matrix()[1:, 1:].astype(np.float32)
    model = AlternatingLeastSquares(
        factors=_FACTORS, iterations=1, random_state=0, num_threads=threads() or 0
    )
    with threadpool_limits(1, "blas"):  # threads within implicit's threads wait for each other
        model.fit(taken, show_progress=False)
    table = pd.DataFrame({"user": found.users[1:]})
    timed = np.arange(min(_TIMED, users))
    with tempfile.TemporaryDirectory() as folder:
        path, asked = Path(folder) / "model.onnx", Path(folder) / "users.parquet"
        _write(path, found, model, table)
        file, frame = Model(path, threads=threads()), table.iloc[timed]
        seconds = alternating(
            {
                "file": lambda: file.predict(frame),
                "implicit": lambda: model.recommend(timed, taken[timed], N=_SIZE),
            },
            repeats,
        )
        table.to_parquet(asked)
        peak = peak_of_scoring(path, asked, users)
    best = {name: min(times) for name, times in seconds.items()}
    return [
        Measure(name="large_catalogue_vs_implicit", value=best["implicit"] / best["file"]),
        Measure(
            name="large_catalogue_peak_memory",
            value=peak,
            unit="MB",
            target=_MOST_MEMORY,
            at_least=False,
        ),
    ]


def _drawn(users: int, items: int) -> Interactions:
    """Interactions at random, of which a few items have the most (Zipf's law)."""
    draw = np.random.default_rng(0)
    user = np.repeat(np.arange(1, users + 1), _TAKEN)
    item = 1 + np.minimum(items * draw.random(len(user)) ** 3, items - 1).astype(np.int64)
    user, item = np.unique(np.stack([user, item]), axis=1)
    return Interactions(
        users=_names("U", users),
        items=_names("I", items),
        user=user,
        item=item,
        time=np.full(len(user), MISSING_TIME),
        strength=np.ones(len(user)),
    )


def _names(letter: str, count: int) -> NDArray[np.object_]:
    return np.array(["", *(f"{letter}{number:07d}" for number in range(count))], dtype=object)


def _write(path: Path, found: Interactions, model: Any, table: pd.DataFrame) -> None:
    users, items = (
        np.pad(each.astype(np.float64), ((1, 0), (0, 0)))
        for each in (model.user_factors, model.item_factors)
    )
    recipe = RankingRecipe(RankingOptions(model="als", size=_SIZE))
    recipe.hold(found, ((1.0, Factors.of(users, items, items)),))
    builder = GraphBuilder()
    user, history, allowed = builder.inputs(_REQUEST).values()
    names, scores = recipe.write(builder, user, history, Wishes(allowed))
    builder.output(names, "items", np.object_, _SIZE)
    builder.output(scores, "scores", np.float32, _SIZE)

    def native(frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        who, what, may = _REQUEST.to_arrays(frame).values()
        best, values = recipe.answer(who, what, Wishes(may))
        return {"items": best, "scores": values}

    exportable = Exportable(
        graph=builder.model("large_catalogue"),
        native=native,
        schema=_REQUEST,
        outputs=_ANSWER,
        check=table.head(_PROVEN),
        thresholds={},
        facts={"application": "large_catalogue"},
        rows_a_run=recipe.rows_a_run,
    )
    export_model(exportable, path)
