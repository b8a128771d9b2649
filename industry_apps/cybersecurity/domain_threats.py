"""Domain threats: names that a program has written, for its malware to call home.

Asked of the names in a resolver's log. Malware computes hundreds of names a day, of which its
owner registers a few; they look random, can be spoken, or are words put together (Plohmann et al.
2016, USENIX Security). Runs of characters know the families that were seen; numbers of the
spelling and names simulated by three rules carry over to families that were not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import pandas as pd

from industry_apps.cybersecurity.threats import FEW_TREES, ThreatDetector, number_columns
from industry_apps.data.simulators.cybersecurity.names import GENERATED_KINDS, generated_names
from industry_apps.evaluation import Report
from industry_apps.evaluation.detection import DETECTION
from industry_apps.evaluation.variants import Question
from industry_apps.limits import SHARE, integer
from industry_apps.recipes import NgramOptions, TreeOptions
from industry_apps.recipes.tables.decision import decided
from industry_apps.recipes.tables.detection import Kinds
from industry_apps.recipes.tables.families import named
from industry_apps.runtime.addresses.lexical import DOMAIN_NUMBERS, domain_columns
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions

#: Simulated names to learn from are others than those of the sample.
_OTHERS = 10_000


class DomainThreatDetector(ThreatDetector):
    """Probability that a domain name was generated, and whether to stop it.

    The registered name is read without its suffix and sub-domains, as canonical text: suffixes
    tell the family of the training data, not the kind of name. The file takes the columns of
    :func:`industry_apps.runtime.addresses.lexical.domain_columns`; ``Model``, a server and
    :meth:`prepare` make them of the name, by the same function.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"domain": "query"}``.
    model : {"stack", "characters", "trees", "character_cnn"}
        A linear model of runs of characters, boosted trees over the numbers, both, weighed on
        names they have not seen; or a convolutional network over the characters.
    false_positive_rate : float
        Share of harmless names that may be stopped, in (0, 1].
    ngrams : NgramOptions, optional
    trees : TreeOptions, optional
    training : TrainingOptions, optional
        Of the network.
    seed : int
    simulated : int
        Names of each simulated kind (:data:`GENERATED_KINDS`) that training learns beside yours:
        they find families that yours had none of, at a little less of those that it had.

    Notes
    -----
    One name says little, a host that asks for ten says much: average the probabilities of a host.
    Hashed names of content networks look generated, because they are. The models "characters"
    and "character_cnn" read the text alone, and name neither reasons nor a family.

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
            Column("family", "category", "The likeliest family, of a name that is stopped"),
            Column("reasons", "category", "What speaks most against it, falling", size=None),
        )
    )
    traits = Traits(inputs=("text", "number"), explains=True)
    problem = DETECTION
    label: ClassVar[str] = "is_generated"
    raw: ClassVar[str] = "domain"
    owner: ClassVar[str] = "label"
    reader: ClassVar[str] = "domain"
    read_schema: ClassVar[Schema] = Schema(
        (
            Column("label", "text", "The registered name without suffix", nullable=False),
            *number_columns(DOMAIN_NUMBERS),
        )
    )

    runs: ClassVar[NgramOptions] = NgramOptions(
        shortest=2, longest=4, character_freedom=0.3, negators=()
    )

    model: Literal["stack", "characters", "trees", "character_cnn"] = "stack"
    simulated: Annotated[int, integer(0)] = 1_000
    false_positive_rate: Annotated[float, SHARE] = 0.01
    ngrams: NgramOptions | None = None
    trees: TreeOptions | None = None
    training: TrainingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def fast(cls) -> Self:
        """Few trees: a fit of seconds."""
        training = TrainingOptions(max_epochs=2, progress=False)
        return cls(trees=FEW_TREES, training=training)

    def studies(self) -> Mapping[str, Question]:
        """Families that training had none of, name by name and host by host; unusual names."""
        from industry_apps.cybersecurity.threat_studies import unseen_families, unusual_names

        return {
            "unseen_families": lambda data: (unseen_families(self, data),),
            "unusual_names": lambda data: (unusual_names(self, data),),
        }

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        report = super()._evaluate(frame)
        _, stopped = decided(report)
        kinds = Kinds(
            target=self.table_.records.labels(frame),
            alarm=stopped,
            kind=None,
            family=named(frame, self._name("family")),
            known=frozenset(),
        ).section()
        return report if kinds is None else replace(report, sections=(*report.sections, kinds))

    def _with_copies(self, train: pd.DataFrame) -> pd.DataFrame:
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
