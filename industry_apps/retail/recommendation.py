"""Recommendation: which items a customer is likely to take next, within the rules of the shop.

Asked by a shop, a media library or a wholesaler for its pages, mails and call lists: for each
customer, or for somebody unknown with some items in the basket. What a customer took already is
not recommended again.

Simple models that are tuned well are hard to beat here (Ferrari Dacrema, Cremonesi and Jannach
2019, "Are we really making much progress?", arXiv:1907.06902), so the model is chosen on
interactions that are held out, and two baselines stand beside it in each report.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Split
from industry_apps.errors import SchemaError, unknown_name
from industry_apps.evaluation import Report
from industry_apps.export import Exportable
from industry_apps.features import GraphBuilder
from industry_apps.limits import integer
from industry_apps.recipes.column_mapping import OwnNames
from industry_apps.retail.ranking.assessment import RankingBaselines, assess_ranking
from industry_apps.retail.ranking.interactions import (
    InteractionColumns,
    described,
    item_table,
    read_interactions,
    split_interactions,
)
from industry_apps.retail.ranking.metrics import RANKING
from industry_apps.retail.ranking.recipe import Choice, RankingOptions, RankingRecipe
from industry_apps.retail.ranking.rules import Wishes
from industry_apps.runtime.watch import seen_in
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions

_K = 10
#: Columns of a request; the others are of interactions.
_REQUEST = ("user", "history", "allowed", "category_cap")

_list = partial(Column, kind="category", size=None, required=False)


class Recommender(OwnNames, Application):
    """The items that a customer is likely to take next, without those already taken.

    It learns from interactions: a row for each item that a user took, bought, clicked or rated.
    It is asked with requests: ``user``, the items of a ``history``, or both. The history of a
    request is added to what is stored of a known user, as what came last. A user who is unknown
    and has no history gets the most popular items. ``allowed`` leaves only these items, none
    where all of them are unknown; of one category at most ``category_cap`` items are given,
    chosen among the 20 times as many that rank best. Where fewer items are left than asked for,
    the list ends in "" and scores without a value.

    A pair of user and item counts once, at its latest moment. The score orders the items of one
    request, and means nothing else.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"weight": "rating"}``. A ``weight`` says
        how much an interaction tells, compared with others.
    model : {"auto", "ease", "cooccurrence", "als", "bpr", "two_tower", "sasrec", "blend"}
        "auto" compares EASE, ALS, where interactions have a time what was taken close in time,
        where the order counts a transformer of sequences (SASRec), and their blend, on held-out
        interactions. A two-tower network also ranks items that
        nobody took yet, by their attributes. "blend" is of EASE and ALS.
    k : int
        Items that are recommended, in [1, 100].
    ordered : bool
        Whether the order of interactions counts, where they have a time. Set it to False where
        the interactions to predict are not later than those to learn from.
    attributes : tuple of str
        Columns of the interactions that say something about the item, beside ``category``.
    items : DataFrame, optional
        One row an item, with the column ``item``: attributes, and items that nobody took yet.
    training : TrainingOptions, optional
        Of the networks.
    seed : int

    Examples
    --------
    >>> from industry_apps.retail import Recommender
    >>> data = Recommender.sample()
    >>> recommender = Recommender.fast().fit(data)
    >>> list(recommender.predict(data.test.head(2)).columns)
    ['items', 'scores']
    """

    name = "retail.recommendation"
    question = "What will this customer take next?"
    simulator = "retail_basket_simulator"
    schema = Schema(
        (
            Column("user", "category", "Who asks", required=False),
            Column("item", "category", "What was taken", role="identifier"),
            Column("time", "datetime", role="identifier", required=False),
            Column("weight", "number", low=0, role="identifier", required=False),
            Column("category", "category", "Of the item", role="identifier", required=False),
            _list("history", description="Items taken since, the latest last"),
            _list("allowed", description="Only these items; all without it", least=1),
            Column(
                "category_cap",
                "number",
                "Items of one category at most",
                low=1,
                whole=True,
                required=False,
            ),
        )
    )
    outputs = Schema(
        (
            Column("items", "category", 'The best first; "" at the end', size=_K),
            Column("scores", "number", "Falling", size=_K),
        )
    )
    traits = Traits(inputs=("category", "number"), answers_empty=True)
    problem = RANKING

    model: Choice = "auto"
    k: Annotated[int, integer(1, 100)] = _K
    ordered: bool = True
    attributes: tuple[str, ...] = ()
    items: pd.DataFrame | None = None
    training: TrainingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def fast(cls) -> Self:
        """EASE alone: a fit of seconds."""
        return cls(model="ease")

    def split(self, frame: pd.DataFrame) -> Split:
        """Split interactions of yours: the latest of each user are the test.

        Parameters
        ----------
        frame : DataFrame
            Without a time, or where the order does not count, random ones of each user.
        """
        names = self._names()
        return split_interactions(frame, names, ordered=self.ordered, seed=self.seed)

    def similar_items(self, item: str, k: int = _K) -> pd.DataFrame:
        """The items that go with an item: what somebody is recommended who took only this.

        Parameters
        ----------
        item : str
        k : int
            At least 1.

        Returns
        -------
        DataFrame
            ``item`` and ``score``, falling. The exported file answers the same to a request
            without a user whose history is the item.

        Raises
        ------
        UnknownNameError
            No interaction was with this item.
        """
        self._check_fitted()
        known = self.recipe_.histories_.items
        if item not in known[1:]:
            raise unknown_name("item", str(item), known[1:].tolist())
        texts = (np.array([[each]], dtype=object) for each in ("", item, ""))
        user, history, allowed = texts
        names, scores = self.recipe_.answer(user[:, 0], history, Wishes(allowed), size=k)
        found = names[0] != ""
        return pd.DataFrame({"item": names[0][found], "score": scores[0][found]})

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        named = self._own_schema()
        names, parts = self._names(), [p for p in (train, validation) if p is not None]
        self._check_target(parts, names)
        category = self._name("category")
        if self.items is not None and names.item not in self.items:
            raise SchemaError(
                f"Column {names.item!r} is missing from the table of items. Add it, or map your "
                "name to it."
            )
        table = item_table(parts, names.item, (category, *self.attributes), self.items)
        found = read_interactions(parts, names, table.index.tolist())
        has_kinds = category in table
        options = RankingOptions(
            model=self.model, size=self.k, ordered=self.ordered, seed=self.seed
        )
        training = replace(self.training or options.training, seed=self.seed)
        options = replace(options, training=training)
        later = found[1] if len(found) > 1 else None
        self.recipe_ = RankingRecipe(options).fit(
            found[0], later, table, category if has_kinds else ""
        )
        self.rivals_: list[RankingBaselines] = []
        kinds = ("train", "validation")
        self.split_ = {name: described(part) for name, part in zip(kinds, found, strict=False)}
        request = [self._name(n) for n in _REQUEST[: 3 + has_kinds]]
        self.schema_ = Schema(tuple(named[name] for name in request))
        taken = (train[names.user], train[names.item], train[names.item])
        single = Schema(tuple(column.of_each for column in self.schema_))
        self.seen_ = seen_in(dict(zip(request, taken, strict=False)), single, complete=False)
        self.check_ = train if validation is None else validation

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        parts, known = [p for p in (train, validation) if p is not None], self.recipe_.histories_
        first, *later = read_interactions(parts, self._names(), known.items[1:].tolist())
        every = first.joined(later[0]) if later else first
        self.rivals_ = [RankingBaselines.of(every)]

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        arrays = self.schema_.to_arrays(frame)
        user, history, allowed, *cap = arrays.values()
        names, scores = self.recipe_.answer(user, history, Wishes(allowed, *cap))
        return {"items": names, "scores": scores}

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        names = self._names()
        self._check_target([frame], names)
        return assess_ranking(self.recipe_, self.rivals_, frame, names, self.split_)

    @property
    def outputs_(self) -> Schema:
        """As long as is asked for."""
        return Schema(tuple(column.in_lists(self.k) for column in self.outputs))

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        user, history, allowed, *cap = inputs.values()
        items, scores = self.recipe_.write(builder, user, history, Wishes(allowed, *cap))
        return {"items": items, "scores": scores}

    def _facts(self) -> dict[str, Any]:
        return self.recipe_.facts()

    def _exportable(self, precision: str = "float32") -> Exportable:
        return replace(super()._exportable(precision), rows_a_run=self.recipe_.rows_a_run)

    def _check_target(self, parts: list[pd.DataFrame], names: InteractionColumns) -> None:
        for part in parts:
            columns = [Column(name=n, kind="category") for n in (names.user, names.item)]
            Schema(tuple(columns)).check_names(part)

    def _names(self) -> InteractionColumns:
        return InteractionColumns(**{n: self._name(n) for n in ("user", "item", "time", "weight")})
