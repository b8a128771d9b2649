"""Domain threats: names that a program has written, for its malware to call home.

Asked of the names in a resolver's log. Malware computes hundreds of names a day, of which its
owner registers a few; they look random, can be spoken, or are words put together (Plohmann et al.
2016, USENIX Security). Runs of characters know the families that were seen; numbers of the
spelling and names simulated by three rules carry over to families that were not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import pandas as pd

from industry_apps.cybersecurity.threats import ReadColumns, ThreatDetector, number_columns
from industry_apps.data.simulators.cybersecurity.names import GENERATED_KINDS, generated_names
from industry_apps.evaluation import Costs
from industry_apps.evaluation.detection import DETECTION
from industry_apps.limits import SHARE, integer
from industry_apps.recipes import DecisionOptions, NgramOptions, TreeOptions
from industry_apps.runtime.addresses.lexical import DOMAIN_NUMBERS, domain_columns
from industry_apps.schema import Column, Schema, Traits

_NGRAMS = NgramOptions(shortest=2, longest=4, character_freedom=0.3, negators=())
_TREES = TreeOptions(rounds=400, learning_rate=0.06, num_leaves=32, min_child_samples=20)

#: Simulated names to learn from are others than those of the sample.
_OTHERS = 10_000


class DomainThreatDetector(ThreatDetector):
    """Probability that a domain name was generated, and whether to stop it.

    The registered name is read without its suffix and sub-domains, as canonical text: suffixes
    tell the family of the training data, not the kind of name. The file takes the columns of
    :func:`industry_apps.runtime.addresses.lexical.domain_columns`; :meth:`prepare` adds them.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"domain": "query"}``.
    model : {"stack", "characters", "trees"}
        A linear model of runs of characters, boosted trees over the numbers, or both, weighed on
        names they have not seen.
    seed : int
    simulated : int
        Names of each simulated kind (:data:`GENERATED_KINDS`) that training learns beside yours.
    false_positive_rate : float
        Share of harmless names that may be stopped, in (0, 1].
    ngrams : NgramOptions, optional
    trees : TreeOptions, optional

    Notes
    -----
    One name says little, a host that asks for ten says much: average the probabilities of a host.
    Hashed names of content networks look generated, because they are. The model "characters"
    reads the text alone, and names no reasons.

    Examples
    --------
    >>> from industry_apps.cybersecurity import DomainThreatDetector
    >>> data = DomainThreatDetector.sample()
    >>> detector = DomainThreatDetector.fast().fit(data)
    >>> detector.predict(pd.DataFrame({"domain": ["xkqzvbwqhtpl.com"]}))["is_generated"][0]
    np.True_
    """

    name = "cybersecurity.domain_threats"
    question = "Has a program written this domain name?"
    simulator = "cybersecurity_domain_simulator"
    schema = Schema(
        (
            Column("domain", "text", "The name, as it was asked for"),
            Column("family", "category", "Of malware", role="identifier", required=False),
            Column.label("is_generated", "The label, in training"),
        )
    )
    outputs = Schema(
        (
            Column.probability("generated_probability", "Calibrated probability"),
            Column("is_generated", "boolean", "Stop it", nullable=False),
            Column("reasons", "category", "What speaks most against it, falling", size=None),
        )
    )
    traits = Traits(inputs=("text", "number"), explains=True)
    problem = DETECTION
    label: ClassVar[str] = "is_generated"
    raw: ClassVar[str] = "domain"
    owner: ClassVar[str] = "label"
    read: ClassVar[ReadColumns] = staticmethod(domain_columns)
    read_schema: ClassVar[Schema] = Schema(
        (
            Column("label", "text", "The registered name without suffix", nullable=False),
            *number_columns(DOMAIN_NUMBERS),
        )
    )

    model: Literal["stack", "characters", "trees"] = "stack"
    simulated: Annotated[int, integer(0)] = 0
    false_positive_rate: Annotated[float, SHARE] = 0.01
    ngrams: NgramOptions | None = None
    trees: TreeOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def fast(cls) -> Self:
        """Few trees: a fit of seconds."""
        return cls(trees=TreeOptions(rounds=60, learning_rate=0.1))

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        super()._fit(self._with_simulated(train), validation)

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        super()._fit_baselines(self._with_simulated(train), validation)

    def _with_simulated(self, train: pd.DataFrame) -> pd.DataFrame:
        """The training table and simulated names that are not in it."""
        if not self.simulated:
            return train
        names = [
            name
            for kind in GENERATED_KINDS
            for name in generated_names(kind, self.simulated, _OTHERS + self.seed)
        ]
        found = pd.DataFrame(domain_columns([f"{name}.example" for name in names]))
        found = found[~found["label"].isin(train["label"])].drop_duplicates("label")
        found[self._name(self.label)] = np.ones(len(found), dtype=bool)
        return pd.concat([train, found], ignore_index=True)

    def _options(self, schema: Schema) -> DecisionOptions:
        return DecisionOptions(
            model=self.model,
            members=("characters", "trees"),
            costs=Costs(false_alarm=1, missed=1),
            false_positive_rate=self.false_positive_rate,
            ngrams=self.ngrams or _NGRAMS,
            trees=replace(self.trees or _TREES, seed=self.seed),
        )
